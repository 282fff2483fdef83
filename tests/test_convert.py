"""fairseq's checkpoints in and out: the same logits, the same bits back, one line for what cannot be read."""

from __future__ import annotations

import io
import json
import math
import os
import pickle
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import torch
from torch import Tensor

import isogloss.convert as room
from isogloss.checkpoint import load_model, load_vocabulary, save_model
from isogloss.convert import convert
from isogloss.errors import CheckpointError, ConfigError, FolderError, IsoglossError
from isogloss.heads import TaskModel
from isogloss.interop.fairseq import names, plain_logits, read_checkpoint
from isogloss.manifest import read_manifest
from isogloss.model import Encoder, MaskedLM, ModelSettings, initialise

WIDTH, HEADS, FEEDFORWARD, LAYERS, LENGTH = 16, 2, 24, 2, 20


@pytest.fixture(scope="session")
def sentencepiece_model() -> bytes:
    """A SentencePiece model with the default ids, over letters of several scripts."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["Anna sees a dog", "the baker opens", "Хлеб утром", "早上 门"] * 3),
        model_writer=model,
        vocab_size=48,
        hard_vocab_limit=False,
        character_coverage=1.0,
        minloglevel=2,
    )
    return model.getvalue()


@pytest.fixture(scope="session")
def pieces(sentencepiece_model: bytes) -> list[str]:
    """Its learned pieces, in their order: the lines of dict.txt."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=sentencepiece_model)
    return [processor.id_to_piece(index) for index in range(3, processor.get_piece_size())]


def random_tensors(num_rows: int, *, norm: str = "post", classes: dict[str, int] | None = None) -> dict[str, Tensor]:
    """Weights of the newer form: `encoder.sentence_encoder`, queries, keys and values apart."""
    generator = torch.Generator().manual_seed(5)

    def draw(*shape: int) -> Tensor:
        return 0.3 * torch.randn(shape, generator=generator)

    tensors: dict[str, Tensor] = {}

    def linear(name: str, rows: int, columns: int) -> None:
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = draw(rows, columns), draw(rows)

    def layer_norm(name: str) -> None:
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = 1 + draw(WIDTH), draw(WIDTH)

    body = "encoder.sentence_encoder"
    tensors[f"{body}.embed_tokens.weight"] = draw(num_rows, WIDTH)
    tensors[f"{body}.embed_positions.weight"] = draw(LENGTH + 2, WIDTH)
    layer_norm(f"{body}.layernorm_embedding" if norm == "post" else f"{body}.layer_norm")
    for number in range(LAYERS):
        layer = f"{body}.layers.{number}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            linear(f"{layer}.self_attn.{part}", WIDTH, WIDTH)
        linear(f"{layer}.fc1", FEEDFORWARD, WIDTH)
        linear(f"{layer}.fc2", WIDTH, FEEDFORWARD)
        layer_norm(f"{layer}.self_attn_layer_norm")
        layer_norm(f"{layer}.final_layer_norm")
    linear("encoder.lm_head.dense", WIDTH, WIDTH)
    layer_norm("encoder.lm_head.layer_norm")
    tensors["encoder.lm_head.weight"] = tensors[f"{body}.embed_tokens.weight"]
    tensors["encoder.lm_head.bias"] = draw(num_rows)
    for name, num_labels in (classes or {}).items():
        linear(f"classification_heads.{name}.dense", WIDTH, WIDTH)
        linear(f"classification_heads.{name}.out_proj", num_labels, WIDTH)
    return tensors


def as_older(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights as fairseq of 2019 stored them."""
    older = {}
    for name, tensor in tensors.items():
        name = name.replace("encoder.", "decoder.", 1) if name.startswith("encoder.") else name
        name = name.replace(".layernorm_embedding.", ".emb_layer_norm.")
        if ".q_proj." in name:
            parts = [tensors[name.replace("decoder.", "encoder.", 1).replace(".q_", f".{part}_")] for part in "qkv"]
            older[name.replace("q_proj.", "in_proj_")] = torch.cat(parts)
        elif ".k_proj." not in name and ".v_proj." not in name:
            older[name] = tensor
    return older | {"decoder.version": torch.tensor([3.0])}


ARGS: dict[str, Any] = {
    "arch": "roberta_base",
    "task": "multilingual_masked_lm",
    "encoder_layers": LAYERS,
    "encoder_embed_dim": WIDTH,
    "encoder_ffn_embed_dim": FEEDFORWARD,
    "encoder_attention_heads": HEADS,
    "activation_fn": "gelu",
    "pooler_activation_fn": "tanh",
    "dropout": 0.1,
    "attention_dropout": 0.2,
    "pooler_dropout": 0.3,
    "max_positions": LENGTH,
    "untie_weights_roberta": False,
}


@pytest.fixture
def fairseq_folder(tmp_path: Path, sentencepiece_model: bytes, pieces: list[str]) -> Callable[..., Path]:
    """Writes a checkpoint folder: `form` is newer, older or prenorm, `state` replaces parts of model.pt."""

    def write(
        name: str = "theirs",
        *,
        form: str = "newer",
        lines: list[str] | None = None,
        classes: dict[str, int] | None = None,
        change: Callable[[dict[str, Tensor]], Any] = lambda _: None,
        **state: Any,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        lines = [f"{piece} 7" for piece in pieces] if lines is None else lines
        has_mask = any(line.startswith("<mask> ") for line in lines)
        (folder / "dict.txt").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        (folder / "sentencepiece.bpe.model").write_bytes(sentencepiece_model)
        norm = "pre" if form == "prenorm" else "post"
        tensors = random_tensors(4 + len(lines) + (not has_mask), norm=norm, classes=classes)
        tensors = as_older(tensors) if form == "older" else tensors
        change(tensors)
        settings = {"args": Namespace(**ARGS)} if form == "older" else {"args": None, "cfg": {"model": dict(ARGS)}}
        whole = {"model": tensors, "extra_state": {"epoch": 3}, "optimizer_history": [], **settings, **state}
        # What wrote the older checkpoints knew no zip files.
        torch.save(whole, folder / "model.pt", _use_new_zipfile_serialization=form != "older")
        return folder

    return write


def same_weights(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("form", ["newer", "older", "prenorm"])
def test_a_checkpoint_becomes_a_model_folder(
    fairseq_folder: Callable[..., Path], pieces: list[str], tmp_path: Path, form: str
) -> None:
    source = fairseq_folder(form=form)
    done = convert(source, tmp_path / "ours", to="hf")
    assert done.largest_difference < 1e-4
    assert done.head == "masked"
    model = load_model(tmp_path / "ours", kind="masked")
    settings = model.encoder.settings
    assert (settings.norm, settings.max_length) == ("pre" if form == "prenorm" else "post", LENGTH)
    assert (settings.dropout, settings.attention_dropout) == (0.1, 0.2)
    assert settings.vocabulary_size == len(pieces) + 5
    vocabulary = load_vocabulary(tmp_path / "ours", model.encoder)
    assert vocabulary.size == settings.vocabulary_size
    assert read_manifest(tmp_path / "ours", "model").parents.keys() == {"fairseq"}


def test_older_and_newer_forms_are_one_model(fairseq_folder: Callable[..., Path], tmp_path: Path) -> None:
    for form in ("newer", "older"):
        convert(fairseq_folder(form, form=form), tmp_path / f"ours-{form}", to="hf")
    assert same_weights(load_model(tmp_path / "ours-newer"), load_model(tmp_path / "ours-older"))


def test_half_precision_is_read(fairseq_folder: Callable[..., Path], tmp_path: Path) -> None:
    def halve(tensors: dict[str, Tensor]) -> None:
        for name, tensor in list(tensors.items()):
            tensors[name] = tensor.half()

    assert convert(fairseq_folder(change=halve), tmp_path / "ours", to="hf").largest_difference < 1e-4
    assert {tensor.dtype for tensor in load_model(tmp_path / "ours").state_dict().values()} == {torch.float32}


def test_an_untied_head_keeps_its_own_table(fairseq_folder: Callable[..., Path], tmp_path: Path) -> None:
    def untie(tensors: dict[str, Tensor]) -> None:
        tensors["encoder.lm_head.weight"] = tensors["encoder.lm_head.weight"] + 1

    source = fairseq_folder(change=untie)
    assert convert(source, tmp_path / "ours", to="hf").largest_difference < 1e-4
    assert convert(tmp_path / "ours", tmp_path / "again", to="fairseq").largest_difference < 1e-4
    _, first = read_checkpoint(source / "model.pt")
    args, second = read_checkpoint(tmp_path / "again" / "model.pt")
    assert args["untie_weights_roberta"] is True
    assert torch.equal(first["encoder.lm_head.weight"], second["encoder.lm_head.weight"])


@pytest.mark.parametrize("form", ["newer", "older", "prenorm"])
def test_there_and_back_is_equal_to_the_bit(fairseq_folder: Callable[..., Path], tmp_path: Path, form: str) -> None:
    source = fairseq_folder(form=form)
    convert(source, tmp_path / "ours", to="hf")
    done = convert(tmp_path / "ours", tmp_path / "theirs-again", to="fairseq")
    assert done.largest_difference < 1e-4
    convert(tmp_path / "theirs-again", tmp_path / "ours-again", to="hf")
    assert same_weights(load_model(tmp_path / "ours"), load_model(tmp_path / "ours-again"))
    _, first = read_checkpoint(source / "model.pt")
    args, second = read_checkpoint(tmp_path / "theirs-again" / "model.pt")
    if form != "older":
        assert first.keys() == second.keys()
        assert all(torch.equal(first[name], second[name]) for name in first)
    ids = torch.tensor([0, 9, 4, 2])
    assert torch.allclose(plain_logits(ARGS, first, ids), plain_logits(args, second, ids), atol=1e-5)
    model_name = "sentencepiece.bpe.model"
    assert (source / model_name).read_bytes() == (tmp_path / "theirs-again" / model_name).read_bytes()
    first_lines, second_lines = (
        [line.split(" ")[0] for line in (folder / "dict.txt").read_text(encoding="utf-8").split("\n")]
        for folder in (source, tmp_path / "theirs-again")
    )
    assert first_lines == second_lines


def test_the_order_of_dict_txt_is_that_of_the_ids(
    fairseq_folder: Callable[..., Path], pieces: list[str], tmp_path: Path
) -> None:
    """fairseq sorts by frequency where it makes dict.txt: a row belongs to its piece, wherever the line stands."""
    source = fairseq_folder(lines=[f"{piece} 1" for piece in reversed(pieces)])
    assert convert(source, tmp_path / "ours", to="hf").largest_difference < 1e-4
    model = load_model(tmp_path / "ours")
    table = model.encoder.embeddings.pieces.weight
    theirs = random_tensors(len(pieces) + 5)["encoder.sentence_encoder.embed_tokens.weight"]
    assert torch.equal(table[4], theirs[4 + len(pieces) - 1])
    assert torch.equal(table[-1], theirs[-1]), "<mask>"


@pytest.mark.parametrize("kept", [True, False])
def test_made_up_words(fairseq_folder: Callable[..., Path], pieces: list[str], tmp_path: Path, kept: bool) -> None:
    """Rows without a piece stay where they round the table up; `<mask>` follows the pieces and they follow it."""
    num_rows = 64 if kept else 57
    assert len(pieces) + 5 < 56, "both sizes leave rows without a piece"
    fillers = [f"madeupword{number:04} 0" for number in range(num_rows - len(pieces) - 5)]
    source = fairseq_folder(lines=[*(f"{piece} 1" for piece in pieces), *fillers])
    done = convert(source, tmp_path / "ours", to="hf")
    model = load_model(tmp_path / "ours")
    table = model.encoder.embeddings.pieces.weight
    theirs = random_tensors(num_rows)["encoder.sentence_encoder.embed_tokens.weight"]
    vocabulary = load_vocabulary(tmp_path / "ours", model.encoder)
    assert torch.equal(table[vocabulary.mask_id], theirs[-1])
    assert len(table) == (num_rows if kept else vocabulary.size)
    assert bool(done.notes) is not kept
    convert(tmp_path / "ours", tmp_path / "again", to="fairseq")
    if kept:
        _, again = read_checkpoint(tmp_path / "again" / "model.pt")
        assert torch.equal(again["encoder.sentence_encoder.embed_tokens.weight"], theirs)


def test_a_mask_that_dict_txt_names_keeps_its_line(
    fairseq_folder: Callable[..., Path], pieces: list[str], tmp_path: Path
) -> None:
    source = fairseq_folder(lines=["<mask> 1", *(f"{piece} 1" for piece in pieces)])
    convert(source, tmp_path / "ours", to="hf")
    theirs = random_tensors(len(pieces) + 5)["encoder.sentence_encoder.embed_tokens.weight"]
    assert torch.equal(load_model(tmp_path / "ours").encoder.embeddings.pieces.weight[-1], theirs[4])


def test_a_classification_head_is_carried(fairseq_folder: Callable[..., Path], tmp_path: Path) -> None:
    source = fairseq_folder(classes={"mnli": 3})
    (source / "label").mkdir()
    (source / "label" / "dict.txt").write_text("entailment 5\nneutral 4\ncontradiction 3\nmadeupword0000 0\n")
    done = convert(source, tmp_path / "ours", to="hf")
    assert done.head == "mnli"
    assert done.largest_difference < 1e-4
    assert done.notes == ("the head masked is left out",)
    model = load_model(tmp_path / "ours", kind="sequence")
    assert isinstance(model, TaskModel)
    assert model.labels == ("entailment", "neutral", "contradiction")
    convert(tmp_path / "ours", tmp_path / "theirs-again", to="fairseq")
    convert(tmp_path / "theirs-again", tmp_path / "ours-again", to="hf")
    again = load_model(tmp_path / "ours-again")
    assert isinstance(again, TaskModel)
    assert same_weights(model, again)
    assert again.labels == model.labels


def test_of_several_heads_one_is_chosen(fairseq_folder: Callable[..., Path], tmp_path: Path) -> None:
    source = fairseq_folder(classes={"a": 2, "b": 4})
    with pytest.raises(CheckpointError, match=r"choose one of a, b, masked with --head"):
        convert(source, tmp_path / "ours", to="hf")
    with pytest.raises(CheckpointError, match=r"no head 'c'; it has a, b, masked"):
        convert(source, tmp_path / "ours", to="hf", head="c")
    for head, num_labels in (("a", 2), ("b", 4)):
        convert(source, tmp_path / head, to="hf", head=head)
        model = load_model(tmp_path / head, kind="sequence")
        assert isinstance(model, TaskModel)
        assert len(model.labels) == num_labels
    convert(source, tmp_path / "masked", to="hf", head="masked")
    assert isinstance(load_model(tmp_path / "masked"), MaskedLM)


def test_the_same_command_again_compares_and_writes_nothing(
    fairseq_folder: Callable[..., Path], tmp_path: Path
) -> None:
    source, target = fairseq_folder(), tmp_path / "ours"
    first = convert(source, target, to="hf")
    written = (target / "model.safetensors").stat().st_mtime_ns
    assert convert(source, target, to="hf") == first
    assert (target / "model.safetensors").stat().st_mtime_ns == written
    back = convert(target, tmp_path / "theirs-again", to="fairseq")
    assert convert(target, tmp_path / "theirs-again", to="fairseq") == back
    assert {path.name for path in tmp_path.iterdir()} == {"theirs", "ours", "theirs-again"}, "nothing half done"
    with pytest.raises(FolderError, match="was not made from"):
        convert(fairseq_folder("others", form="prenorm"), target, to="hf")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(FolderError, match="mine is there already"):
        convert(source, tmp_path / "mine", to="hf")
    assert (tmp_path / "mine" / "thesis.tex").exists()


@pytest.mark.parametrize("swap", [("q", "k", "v"), ("v", "k", "q")])
def test_a_wrong_table_is_seen_before_anything_is_written(
    fairseq_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swap: tuple[str, ...]
) -> None:
    parts = tuple(f"{names.LAYER}.self_attn.{part}_proj" for part in swap)
    monkeypatch.setitem(names.BODY_NAMES, "encoder.layers.{}.attention.qkv", parts)
    source = fairseq_folder()
    if swap == ("q", "k", "v"):
        convert(source, tmp_path / "ours", to="hf")
    else:
        with pytest.raises(CheckpointError, match="more than rounding"):
            convert(source, tmp_path / "ours", to="hf")
        assert not (tmp_path / "ours").exists()


def test_transformers_gives_the_logits_of_fairseq(
    fairseq_folder: Callable[..., Path], pieces: list[str], tmp_path: Path
) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed: nothing to compare with")
    source = fairseq_folder(form="older")
    convert(source, tmp_path / "ours", to="hf")
    model = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "ours").eval()
    _, tensors = read_checkpoint(source / "model.pt")
    ids = torch.tensor([0, 9, 17, len(pieces) + 4, 5, 2])
    with torch.no_grad():
        assert torch.allclose(model(ids[None]).logits[0], plain_logits(ARGS, tensors, ids), atol=1e-4)


# What is refused: (what is done to the weights, or to model.pt, dict.txt, …; what the one line says).
def drop(name: str) -> Callable[[dict[str, Tensor]], Any]:
    return lambda tensors: tensors.pop(name)


def put(name: str, tensor: Tensor) -> Callable[[dict[str, Tensor]], Any]:
    return lambda tensors: tensors.update({name: tensor})


BODY = "encoder.sentence_encoder"
REFUSED: dict[str, tuple[Callable[[dict[str, Tensor]], Any], str]] = {
    "missing": (drop(f"{BODY}.layers.1.fc2.bias"), "layers.1.fc2.bias is missing"),
    "unknown": (put("encoder.adapter", torch.zeros(2)), "encoder.adapter is not known"),
    "shape": (put(f"{BODY}.layers.0.fc2.bias", torch.zeros(3)), r"has shape \(3,\)"),
    "nan": (
        put(f"{BODY}.layers.0.fc2.bias", torch.full((WIDTH,), math.nan)),
        "fc2.bias holds values that are not finite",
    ),
    "table": (
        lambda t: t.update({f"{BODY}.embed_tokens.weight": t[f"{BODY}.embed_tokens.weight"][:-1]}),
        "dict.txt makes",
    ),
    "no table": (drop(f"{BODY}.embed_tokens.weight"), "is it XLM-R"),
    "layers": (
        lambda t: [t.pop(name) for name in list(t) if ".layers.1." in name],
        "encoder_layers = 2 in its settings, 1",
    ),
    "norms": (put(f"{BODY}.layer_norm.weight", torch.ones(WIDTH)), "has both"),
    "integers": (put(f"{BODY}.layers.0.fc2.bias", torch.zeros(WIDTH, dtype=torch.int32)), "not plain numbers"),
    "text": (lambda t: t.update({"encoder.note": "hello"}), "is a str, not a weight"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_weights_that_do_not_fit_are_refused(fairseq_folder: Callable[..., Path], tmp_path: Path, what: str) -> None:
    change, said = REFUSED[what]
    with pytest.raises(IsoglossError, match=said) as raised:
        convert(fairseq_folder(change=change), tmp_path / "ours", to="hf")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "ours").exists()


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("activation_fn", "relu", "activation_fn = 'relu' is another model"),
        ("encoder_attention_heads", 3, "does not divide"),
        ("encoder_attention_heads", "many", "num_heads"),
        ("encoder_embed_dim", 32, "encoder_embed_dim = 32 in its settings, 16"),
        ("no_scale_embedding", False, "no_scale_embedding"),
    ],
)
def test_settings_of_another_model_are_refused(
    fairseq_folder: Callable[..., Path], tmp_path: Path, setting: str, value: object, said: str
) -> None:
    source = fairseq_folder(cfg={"model": ARGS | {setting: value}})
    with pytest.raises(IsoglossError, match=said):
        convert(source, tmp_path / "ours", to="hf")


@pytest.mark.parametrize("form", ["newer", "older"])
def test_a_missing_or_cut_file_is_refused(fairseq_folder: Callable[..., Path], tmp_path: Path, form: str) -> None:
    source = fairseq_folder(form=form)
    for name in ("model.pt", "dict.txt", "sentencepiece.bpe.model"):
        content = (source / name).read_bytes()
        for changed in (None, b"", content[: len(content) // 2], content[:-1] if name == "model.pt" else b"\xff"):
            if changed is None:
                (source / name).unlink()
            else:
                (source / name).write_bytes(changed)
            with pytest.raises(IsoglossError, match=name.replace(".", r"\.")) as raised:
                convert(source, tmp_path / "ours", to="hf")
            assert "\n" not in str(raised.value)
            assert not (tmp_path / "ours").exists()
        (source / name).write_bytes(content)
    convert(source, tmp_path / "ours", to="hf")


def test_every_flipped_bit_of_the_newer_file_is_seen_or_harmless(
    fairseq_folder: Callable[..., Path], tmp_path: Path
) -> None:
    """Checksums cover the parts of the zip file; what lies between them (padding, dates) carries nothing."""
    source = fairseq_folder()
    content = bytearray((source / "model.pt").read_bytes())
    first, seen = convert(source, tmp_path / "whole", to="hf"), 0
    whole = load_model(tmp_path / "whole")
    places = torch.randint(len(content), (40,), generator=torch.Generator().manual_seed(1)).tolist()
    for number, place in enumerate(places):
        changed = bytearray(content)
        changed[place] ^= 1 << (number % 8)
        (source / "model.pt").write_bytes(changed)
        target = tmp_path / f"flipped-{number}"
        try:
            done = convert(source, target, to="hf")
        except CheckpointError:
            seen += 1
            assert not target.exists()
            continue
        assert done.largest_difference == first.largest_difference
        assert same_weights(load_model(target), whole)
    assert seen > len(places) / 2


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (lambda lines: lines[:-1], r"dict\.txt makes \d+ ids"),
        (lambda lines: ["strange 1", *lines[1:]], "is not in dict.txt"),
        (lambda lines: [*lines[:-1], lines[0]], "twice"),
        (lambda lines: [*lines[:2], "lonely", *lines[3:]], "line 3: 'lonely'"),
        (lambda lines: [*lines, "more 1"], "'more' of dict.txt is not in the SentencePiece model"),
    ],
    ids=["short", "strange", "twice", "no count", "more"],
)
def test_a_dict_of_another_model_is_refused(
    fairseq_folder: Callable[..., Path],
    pieces: list[str],
    tmp_path: Path,
    lines: Callable[[list[str]], list[str]],
    said: str,
) -> None:
    whole = [f"{piece} 1" for piece in pieces]
    source = fairseq_folder(lines=lines(whole) if "more" in said else whole)
    (source / "dict.txt").write_text("\n".join(lines(whole)) + "\n", encoding="utf-8")
    with pytest.raises(IsoglossError, match=said):
        convert(source, tmp_path / "ours", to="hf")


@pytest.mark.parametrize("kind", ["token", "question"])
def test_a_head_that_fairseq_lacks_is_not_written(
    tmp_path: Path, sentencepiece_model: bytes, pieces: list[str], kind: str
) -> None:
    (tmp_path / "sentencepiece.bpe.model").write_bytes(sentencepiece_model)
    shape = {"width": 8, "num_layers": 1, "num_heads": 1, "feedforward": 8, "max_length": 9}
    settings = ModelSettings(vocabulary_size=len(pieces) + 5, **shape)  # type: ignore[arg-type]
    model = TaskModel(Encoder(settings), kind, ("O", "B-PER"))  # type: ignore[arg-type]
    initialise(model, 1)
    save_model(tmp_path / "m", model, vocabulary_folder=tmp_path, parents=[], command="isogloss finetune", card=".")
    with pytest.raises(CheckpointError, match=f"no {kind} head"):
        convert(tmp_path / "m", tmp_path / "theirs", to="fairseq")
    assert not (tmp_path / "theirs").exists()
    with pytest.raises(ConfigError, match="--head"):
        convert(tmp_path / "m", tmp_path / "theirs", to="fairseq", head="masked")


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "isogloss", "convert", *map(str, words)], capture_output=True, text=True, check=False
    )


class _Trap:
    """What reads it without care makes the folder that it names."""

    def __init__(self, place: Path, how: str) -> None:
        self.place, self.how = place, how

    def __reduce__(self) -> tuple[Any, ...]:
        if self.how == "mkdir":
            return os.mkdir, (str(self.place),)
        if self.how == "exec":
            return exec, (f"import os; os.mkdir({str(self.place)!r})",)
        return subprocess.call, (["mkdir", str(self.place)],)


@pytest.mark.parametrize("how", ["mkdir", "exec", "call"])
@pytest.mark.parametrize("form", ["newer", "older"])
def test_code_in_a_checkpoint_is_not_run(
    fairseq_folder: Callable[..., Path], tmp_path: Path, form: str, how: str
) -> None:
    place = tmp_path / "trapped"
    pickle.loads(pickle.dumps(_Trap(place, how)))
    assert place.is_dir(), "the trap works where it is read without care"
    place.rmdir()
    with pytest.raises(CheckpointError, match="may be hidden code; nothing of it was run") as raised:
        convert(fairseq_folder(form=form, extra_state=_Trap(place, how)), tmp_path / "ours", to="hf")
    assert "\n" not in str(raised.value)
    assert not place.exists()
    assert not (tmp_path / "ours").exists()


def test_a_bare_pickle_with_code_is_not_run(fairseq_folder: Callable[..., Path], tmp_path: Path) -> None:
    source, place = fairseq_folder(), tmp_path / "trapped"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        (source / "model.pt").write_bytes(pickle.dumps(_Trap(place, "mkdir"), protocol=protocol))
        with pytest.raises(CheckpointError):
            convert(source, tmp_path / "ours", to="hf")
        assert not place.exists()


def test_the_command_refuses_hidden_code_in_one_line(fairseq_folder: Callable[..., Path], tmp_path: Path) -> None:
    source = fairseq_folder(extra_state=_Trap(tmp_path / "trapped", "mkdir"))
    done = run(source, tmp_path / "ours", "--to", "hf")
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "mkdir" in done.stderr
    assert not (tmp_path / "trapped").exists()


def test_the_command_prints_the_difference(fairseq_folder: Callable[..., Path], tmp_path: Path) -> None:
    done = run(fairseq_folder(), tmp_path / "ours", "--to", "hf")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("largest difference of logits: ")
    done = run(tmp_path / "ours", tmp_path / "theirs-again", "--to", "fairseq", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["path"] == str(tmp_path / "theirs-again")
    assert 0 <= said["largest_difference"] < 1e-4
    assert said["num_probes"] == len(room.PROBES)
