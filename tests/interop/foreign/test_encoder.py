"""Foreign encoders: what transformers computes, packed; the format of each family's input; what is no encoder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers
import torch
import transformers

from isogloss.attention import Layout
from isogloss.checkpoint import load_encoder, load_tokenizer
from isogloss.devices import choose
from isogloss.errors import CheckpointError, DataError, MissingExtraError
from isogloss.interop.foreign import ForeignEncoder
from isogloss.interop.foreign.quiet import quiet

Family = Callable[[str], Path]
PAIRS = [("Anna anaishi Oslo.", "The baker sleeps."), ("Утром!", "早上"), ("the old door", "öffnet morgens die Tür")]


def expected(folder: Path, text: str, pair: str | None, language: int | None) -> tuple[list[int], torch.Tensor]:
    """Ids and hidden states as transformers itself gives them for one text or two, without padding."""
    with quiet():
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        model: Any = transformers.AutoModel.from_pretrained(folder).eval()
    # XLNet was trained with types, though its tokenizer gives them only when asked; XLM takes them for pieces.
    kind = model.config.model_type
    inputs = dict(tokenizer(text, pair, return_tensors="pt", return_token_type_ids=kind in ("bert", "xlnet")))
    if kind == "xlm":
        inputs["langs"] = torch.full_like(inputs["input_ids"], language or 0)
    with torch.no_grad():
        states = model(**inputs).last_hidden_state[0]
    return inputs["input_ids"][0].tolist(), states


def test_ids_and_states_are_those_of_transformers(family: Family, name: str) -> None:
    """Singles and pairs of mixed lengths packed together equal each of them alone in transformers."""
    folder = family(name)
    encoder = load_encoder(folder)
    assert isinstance(encoder, ForeignEncoder)
    tokenizer = load_tokenizer(folder, encoder)
    texts: list[tuple[str, ...]] = [*PAIRS, *((first,) for first, _ in PAIRS)]
    sequences = [tokenizer.frame.around(*tokenizer.encode(parts)) for parts in texts]
    layout = Layout.of([len(ids) for ids in sequences])
    rows = torch.arange(len(texts)) % max(1, len(encoder.settings.languages))
    with torch.no_grad():
        packed = encoder(torch.from_numpy(np.concatenate(sequences)).long(), layout, languages_S=rows)
    for parts, ids, states, row in zip(
        texts, sequences, packed.split(list(layout.lengths)), rows.tolist(), strict=True
    ):
        their_ids, their_states = expected(folder, parts[0], parts[1] if len(parts) > 1 else None, row)
        if encoder.format.summary_is_last:  # moved to the front with us
            their_ids, their_states = [their_ids[-1], *their_ids[:-1]], their_states.roll(1, 0)
        assert ids.tolist() == their_ids
        torch.testing.assert_close(states, their_states, rtol=1e-4, atol=1e-5)


def test_gradients_reach_every_weight_that_the_states_depend_on(family: Family) -> None:
    encoder = load_encoder(family("mdeberta"))
    assert isinstance(encoder, ForeignEncoder)
    encoder(torch.arange(4, 12), Layout.of([5, 3])).sum().backward()
    without = [name for name, parameter in encoder.named_parameters() if parameter.grad is None]
    assert without == []


def test_fresh_weights_follow_the_seed_and_forget_the_old_ones(family: Family, name: str) -> None:
    encoder = load_encoder(family(name))
    assert isinstance(encoder, ForeignEncoder)

    def drawn(seed: int) -> torch.Tensor:
        encoder.initialise(seed)
        return torch.cat([parameter.detach().flatten() for parameter in encoder.parameters()])

    # Biases and norms begin as constants, which the folder's random ones are not.
    old = torch.cat([parameter.detach().flatten() for parameter in encoder.parameters()])
    first = drawn(1)
    assert torch.equal(first, drawn(1))
    assert (first == old).float().mean() < 0.05
    assert not torch.equal(first, drawn(2))


def test_half_precision_is_close(family: Family, name: str) -> None:
    encoder = load_encoder(family(name))
    assert isinstance(encoder, ForeignEncoder)
    ids, layout = torch.arange(4, 12), Layout.of([5, 3])
    with torch.no_grad():
        exact = encoder(ids, layout)
        choose("cpu", precision="bf16").place(encoder)
        near = encoder(ids, layout)
    assert near.dtype == torch.float32
    torch.testing.assert_close(near, exact, rtol=0.05, atol=0.1)


def test_shapes_are_said_in_our_words(family: Family, name: str) -> None:
    settings = load_encoder(family(name)).settings
    assert (settings.width, settings.num_layers, settings.num_heads) == (32, 2, 2)
    assert settings.max_length == 64
    assert settings.languages == (("en", "de", "sw") if name == "xlm" else ())


def test_a_full_length_sequence_is_read_and_a_longer_one_refused(family: Family, name: str) -> None:
    encoder = load_encoder(family(name))
    with torch.no_grad():
        assert encoder(torch.full((64,), 7), Layout.of([64])).isfinite().all()
        with pytest.raises(DataError, match="65 tokens, the model reads at most 64; cut it"):
            encoder(torch.full((65,), 7), Layout.of([65]))


def test_positions_limit_the_length_where_the_tokenizer_does_not(family: Family, tmp_path: Path) -> None:
    for name, length in {"roberta": 64, "bert": 64, "xlnet": 512}.items():
        folder = shutil.copytree(family(name), tmp_path / name)
        path = folder / "tokenizer_config.json"
        told = json.loads(path.read_text())
        del told["model_max_length"]
        path.write_text(json.dumps(told))
        assert load_encoder(folder).settings.max_length == length


def test_a_model_of_no_known_kind_and_one_that_is_no_encoder(family: Family, tmp_path: Path) -> None:
    folder = shutil.copytree(family("bert"), tmp_path / "strange")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "strange"}))
    with pytest.raises(CheckpointError, match=r"strange: config.json is of a model that is not read: neither XLM-R"):
        load_encoder(folder)

    decoder = transformers.GPT2Config(vocab_size=400, n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=2)
    folder = shutil.copytree(family("roberta"), tmp_path / "decoder")
    with quiet():
        transformers.GPT2Model(decoder).save_pretrained(folder)
    with pytest.raises(CheckpointError, match="gpt2 reads text from left to right only, it is no encoder; give"):
        load_encoder(folder)

    both = transformers.T5Config(vocab_size=400, d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    with quiet():
        transformers.T5Model(both).save_pretrained(folder)
    with pytest.raises(CheckpointError, match="t5 is an encoder with a decoder; give"):
        load_encoder(folder)

    pictures = transformers.ViTConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    folder = shutil.copytree(family("bert"), tmp_path / "pictures")
    with quiet():
        transformers.ViTModel(pictures).save_pretrained(folder)
    with pytest.raises(CheckpointError, match="vit is no encoder that reads ids under a mask") as caught:
        load_encoder(folder)
    assert "\n" not in str(caught.value)


def test_damaged_weights_give_no_model(family: Family, tmp_path: Path) -> None:
    folder = shutil.copytree(family("bert"), tmp_path / "bert")
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match=r"cannot be read .*; copy the whole folder again"):
        load_encoder(folder)
    path.unlink()
    with pytest.raises(CheckpointError, match=r"cannot be read .*; copy the whole folder again"):
        load_encoder(folder)

    from safetensors.torch import load_file, save_file

    path.write_bytes(whole)
    tensors = load_file(path)
    name = "bert.encoder.layer.1.output.dense.weight"
    save_file({key: value for key, value in tensors.items() if key != name}, path, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"encoder\.layer\.1\.output\.dense\.weight is missing \(1 in all\)"):
        load_encoder(folder)
    tensors[name][0, 0] = torch.nan
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="not finite"):
        load_encoder(folder)
    tensors[name] = torch.zeros(3, 3)
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(
        CheckpointError, match=r"weight has shape \(3, 3\), config\.json asks for \(32, 48\); copy both"
    ):
        load_encoder(folder)


def test_layers_that_config_json_does_not_count_are_not_left_out_in_silence(family: Family, name: str) -> None:
    folder = shutil.copytree(family(name), family(name).with_name(f"{name}-cut"))
    config = json.loads((folder / "config.json").read_text())
    depth = next(key for key in ("num_hidden_layers", "n_layers", "n_layer") if key in config)
    config[depth] = 1
    if "layer_types" in config:
        config["layer_types"] = config["layer_types"][:1]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        CheckpointError, match=r"weight .*1\..* is not known \(\d+ in all\): config.json describes another"
    ):
        load_encoder(folder)


class _Code:
    """What would run a command if it were unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.marker,)


def test_hidden_code_is_not_run_and_how_to_run_it_is_not_said(family: Family, tmp_path: Path) -> None:
    folder = shutil.copytree(family("bert"), tmp_path / "bert")
    (folder / "model.safetensors").unlink()
    torch.save({"one": _Code(tmp_path / "ran")}, folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="may be hidden code; nothing of it was run") as caught:
        load_encoder(folder)
    assert "weights_only" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_the_vocabulary_of_another_model_is_noticed(family: Family, tmp_path: Path) -> None:
    folder = shutil.copytree(family("bert"), tmp_path / "bert")
    with (folder / "vocab.txt").open("a", encoding="utf-8") as file:
        file.write("another\nsurplus\n")
    with pytest.raises(CheckpointError, match="one of them is another model's"):
        load_encoder(folder)
    larger = transformers.BertConfig(vocab_size=2000, hidden_size=8, num_hidden_layers=1, num_attention_heads=1)
    with quiet():
        transformers.BertModel(larger).save_pretrained(folder)
    with pytest.raises(CheckpointError, match="the model 2000: one of them is another model's"):
        load_encoder(folder)


def test_a_special_piece_without_a_row_is_no_harm_and_a_word_without_one_is(family: Family, tmp_path: Path) -> None:
    """Funnel's tokenizer adds `<s>` and `</s>`, which its texts never have."""
    for name, special in (("special", True), ("word", False)):
        folder = shutil.copytree(family("modernbert"), tmp_path / name)
        backend = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        (backend.add_special_tokens if special else backend.add_tokens)(["<extra>"])
        backend.save(str(folder / "tokenizer.json"))
    assert load_encoder(tmp_path / "special").settings.width == 32
    with pytest.raises(CheckpointError, match="one of them is another model's"):
        load_encoder(tmp_path / "word")


def test_without_transformers_the_extra_is_named(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    folder = family("bert")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"no XLM-RoBERTa, needs the package 'transformers': .*isogloss\[hub\]"):
        load_encoder(folder)
