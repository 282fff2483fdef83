"""What is no whole checkpoint of XLM-R is refused in one line, and code that one hides is not run."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from isogloss.checkpoint import load_model, save_model
from isogloss.convert import convert
from isogloss.errors import CheckpointError, ConfigError, IsoglossError
from isogloss.heads import TaskModel
from isogloss.model import Encoder, ModelSettings, initialise

WIDTH = 16  # of the checkpoints of conftest.py


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
    fairseq_folder: Callable[..., Path], tmp_path: Path, setting: str, value: object, said: str, args: dict[str, Any]
) -> None:
    source = fairseq_folder(cfg={"model": args | {setting: value}})
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
    whole = load_model(tmp_path / "whole").state_dict()
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
        found = load_model(target).state_dict()
        assert all(torch.equal(found[name], tensor) for name, tensor in whole.items())
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


def test_the_command_refuses_hidden_code_in_one_line(
    fairseq_folder: Callable[..., Path], tmp_path: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    source = fairseq_folder(extra_state=_Trap(tmp_path / "trapped", "mkdir"))
    done = run(source, tmp_path / "ours", "--to", "hf")
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "mkdir" in done.stderr
    assert not (tmp_path / "trapped").exists()
