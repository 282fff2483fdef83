"""A model folder spoiled in every way, asked from the command line: exit 2, one line, nothing answered."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sentencepiece
import torch
from safetensors.torch import load_file, save_file

from isogloss.checkpoint import save_model
from isogloss.cli import main
from isogloss.model import MaskedLM, ModelSettings, initialise
from isogloss.vocab import MODEL_NAME, Vocabulary

WEIGHTS = "model.safetensors"
BIAS = "lm_head.dense.bias"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with nothing wrong."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "vocab").mkdir()
    for name, size in ((MODEL_NAME, 30), ("other", 40)):
        content = io.BytesIO()
        letters = "abcdefghijklmnopqrstuvwx"
        texts = [letters[index : index + 3] + letters[-index:] for index in range(20)]
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts), model_writer=content, vocab_size=size, minloglevel=2, num_threads=1
        )
        (folder / "vocab" / name).write_bytes(content.getvalue())
    size = Vocabulary.load(folder / "vocab").size
    model = MaskedLM(
        ModelSettings(vocabulary_size=size, width=16, num_layers=1, num_heads=2, feedforward=32, max_length=12)
    )
    initialise(model, 1)
    save_model(folder / "m", model, vocabulary_folder=folder / "vocab", parents=[], command="test", card="")
    return folder / "m"


def ask(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a question."""
    monkeypatch.setattr(sys, "argv", ["isogloss", "predict", "embed", str(folder), "--device", "cpu"])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"abc\n")))
    with pytest.raises(SystemExit) as caught:
        main()
    said = capsys.readouterr()
    return int(caught.value.code or 0), said.out, said.err


def cut(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-40])


def flip(name: str, place: int) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[place] ^= 0x40
        (folder / name).write_bytes(data)

    return spoil


def weights(edit: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        tensors = load_file(folder / WEIGHTS)
        edit(tensors)
        save_file(tensors, folder / WEIGHTS)

    return spoil


def config(**values: object) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        known = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        (folder / "config.json").write_text(json.dumps(known | values), encoding="utf-8")

    return spoil


def other_vocabulary(folder: Path) -> None:
    shutil.copyfile(folder.parent / "vocab" / "other", folder / MODEL_NAME)


def no_tokenizer(folder: Path) -> None:
    (folder / MODEL_NAME).unlink()
    (folder / "tokenizer.json").unlink()


def written(name: str, content: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).write_text(content, encoding="utf-8")

    return spoil


# How it is spoiled; whether our manifest is taken away first, as from a foreign folder; what the line must hold.
SPOILT: dict[str, tuple[Callable[[Path], None], bool, tuple[str, ...]]] = {
    "cut off, ours": (cut, False, (WEIGHTS, "its manifest says", "make the folder again")),
    "cut off": (cut, True, (WEIGHTS, "cannot be read", "copy or make the model again")),
    "a bit, ours": (flip(WEIGHTS, -1), False, (WEIGHTS, "not what manifest.json says", "copy it again")),
    "a bit of the head": (flip(WEIGHTS, 9), True, (WEIGHTS, "cannot be read", "copy or make the model again")),
    "a bit of the config, ours": (flip("config.json", 40), False, ("config.json", "copy")),
    "a bit of the vocabulary, ours": (flip(MODEL_NAME, -30), False, (MODEL_NAME, "differs", "copy it again")),
    "another shape": (
        weights(lambda tensors: tensors.update({BIAS: torch.zeros(17)})), True, (BIAS, "(17,)", "(16,)", "copy both"),
    ),
    "a weight less": (weights(lambda tensors: tensors.pop(BIAS)), True, (BIAS, "is missing", "copy both")),
    "a weight more": (
        weights(lambda tensors: tensors.update({"x": torch.zeros(1)})), True, ("weight x", "not known", "copy both"),
    ),
    "NaN": (weights(lambda tensors: tensors[BIAS].fill_(float("nan"))), True, (BIAS, "not finite", "earlier")),
    "another vocabulary": (other_vocabulary, True, (MODEL_NAME, "42 pieces", "32", "copy the folder again")),
    "no tokenizer": (no_tokenizer, True, (MODEL_NAME, "holds no", "copy the whole folder again")),
    "a tokenizer.json of nothing": (
        written("tokenizer.json", "{}"), True, ("tokenizer.json", "no model in it", "copy the model folder again"),
    ),
    "settings of the tokenizer cut off": (
        written("tokenizer_config.json", "{"), True, ("tokenizer_config.json is damaged", "or delete it"),
    ),
    "settings of the tokenizer that are none": (
        written("tokenizer_config.json", "[]"), True, ("tokenizer_config.json is damaged", "or delete it"),
    ),
    "another architecture": (config(model_type="bert"), True, ("is missing", "config.json", "copy both")),
    "an unknown architecture": (config(model_type="strange"), True, ("config.json", "XLM-RoBERTa", "give the folder")),
    "wider config": (config(hidden_size=32), True, ("(32, 16)", "(32, 32)", "copy both")),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), True, ("holds no weights", "copy the whole folder")),
}  # fmt: skip


def test_the_folder_is_whole(whole: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = ask(whole, monkeypatch, capsys)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 1


@pytest.mark.parametrize("name", SPOILT)
def test_one_line_and_exit_2(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    spoil, foreign, said = SPOILT[name]
    for part in ("m", "vocab"):
        shutil.copytree(whole.parent / part, tmp_path / part)
    if foreign:
        (tmp_path / "m" / "manifest.json").unlink()
    spoil(tmp_path / "m")
    code, out, err = ask(tmp_path / "m", monkeypatch, capsys)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1, err
    for part in (str(tmp_path / "m"), *said):
        assert part in err, err
