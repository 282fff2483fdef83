"""Exports for some languages in int8: smaller, asked like a model, and run by onnxruntime without us."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from isogloss.attention import Layout
from isogloss.checkpoint import read_model
from isogloss.errors import ConfigError
from isogloss.export import Export, ExportSettings, export
from isogloss.predict import load
from isogloss.trim import TrimSettings, trim
from isogloss.vocab import Vocabulary

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: nothing to run a graph with")
pytest.importorskip("onnxscript", reason="onnxscript is not installed: nothing to export with")

KINDS = ["encoder", "masked", "sequence", "token", "question"]
Small = Callable[[str], tuple[Path, Path, Export]]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_smaller_and_says_how_it_compares(small: Small, kind: str) -> None:
    source, target, done = small(kind)
    assert done.pieces < done.source_pieces
    weights = (source / "model.safetensors").stat().st_size
    assert (target / "model.onnx").stat().st_size < 0.5 * weights
    assert done.rounding < 1e-5
    for output in done.outputs:
        assert 1e-4 < output.mean_difference < 0.1, "int8 is not fp32, and not far from it"
        assert output.agreement > 0.8
    assert set(done.languages) == {"en", "sw"}
    assert all(one.unchanged_share == 1 for one in done.languages.values()), "the text it was chosen by is covered"
    assert not list(target.glob("*fp32*"))
    assert not (target / "trimmed").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_the_lines_in_its_readme_run_without_isogloss(small: Small, kind: str) -> None:
    _, target, _ = small(kind)
    text = (target / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    refuse = "import sys; sys.modules['isogloss'] = sys.modules['torch'] = None\n"
    ran = subprocess.run(
        [sys.executable, "-I", "-c", refuse + code], cwd=target, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    predictor = load(target)
    if kind == "sequence":
        assert ast.literal_eval(ran.stdout) == [predictor.classify(["Anna sees a dog."])[0].label]
    elif kind == "token":
        ids = predictor.tokenizer.frame.around(predictor.tokenizer.encode(["Anna sees a dog."])[0])
        (logits_TL,) = predictor.logits([ids.tolist()])
        assert ast.literal_eval(ran.stdout) == [[predictor.labels[best] for best in logits_TL.argmax(-1)]]
    elif kind == "encoder":
        expected = predictor.embed(["Anna sees a dog."], pooling="mean-all")
        numbers = [float(word) for word in re.findall(r"[-+.\de]+", ran.stdout)]
        assert np.allclose(numbers, expected[0], atol=1e-5)
    else:
        assert ran.stdout.startswith("[")


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_loaded_and_answers_nearly_as_the_model(small: Small, kind: str, texts: dict[str, list[str]]) -> None:
    source, target, _ = small(kind)
    ours: Any
    theirs: Any
    model, exported = load(source, precision="fp32"), load(target)
    lines = texts["en"][:30] + texts["sw"][:30]
    if kind == "encoder":
        ours, theirs = model.embed(lines, normalise=True), exported.embed(lines, normalise=True)
        assert (ours * theirs).sum(axis=1).min() > 0.99
        return
    if kind == "masked":
        masked = [f"{line[:20]} <mask>" for line in lines]
        ours = [fills[0][0].text for fills in model.fill_mask(masked, top_k=1)]
        theirs = [fills[0][0].text for fills in exported.fill_mask(masked, top_k=1)]
        kept = {piece.replace("▁", " ") for piece in Vocabulary.load(target).pieces}
        ours, theirs = zip(*(pair for pair in zip(ours, theirs, strict=True) if pair[0] in kept), strict=True)
        assert len(ours) > 10
    elif kind == "sequence":
        ours, theirs = ([one.label for one in each.classify(lines)] for each in (model, exported))
    elif kind == "token":
        ours, theirs = (each.tag(lines) for each in (model, exported))
        ours, theirs = ([span.tag for spans in each for span in spans] for each in (ours, theirs))
    else:
        asked = [("Who?", line) for line in lines]
        ours, theirs = ([(one.start, one.end) for one in each.answer(asked)] for each in (model, exported))
    assert np.mean([one == other for one, other in zip(ours, theirs, strict=True)]) > 0.8


@pytest.mark.parametrize("kind", ["encoder", "masked", "sequence", "token", "question"])
def test_in_fp32_it_says_what_the_trimmed_model_says(
    write_wide: Callable[..., Path], tmp_path: Path, kind: str, texts: dict[str, list[str]]
) -> None:
    """However the texts lie in packs, and in their order."""
    source = write_wide(tmp_path / "model", kind)
    export(ExportSettings(model=source, output=tmp_path / "onnx", languages=("en",)))
    trim(TrimSettings(model=source, output=tmp_path / "trimmed", languages=("en",)))
    model, exported = read_model(tmp_path / "trimmed").eval(), read_model(tmp_path / "onnx").eval()
    ids = [[0, *row[: 3 + 7 * number].tolist(), 2] for number, row in
           enumerate(Vocabulary.load(tmp_path / "onnx").encode(texts["en"][:9]))]  # fmt: skip
    ids_N, layout = torch.tensor([index for row in ids for index in row]), Layout.of([len(row) for row in ids])
    with torch.inference_mode():
        if kind == "masked":
            rows = torch.tensor([1, 5, len(ids_N) - 2])
            ours, theirs = model.logits(ids_N, layout, rows), exported.logits(ids_N, layout, rows)  # type: ignore
        else:
            ours, theirs = model(ids_N, layout), exported(ids_N, layout)
    torch.testing.assert_close(theirs, ours, rtol=1e-4, atol=1e-4)


def test_it_says_why_it_is_not_computed_in_int8_again(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isogloss.devices.has_native_int8", lambda device: True)
    with pytest.raises(ConfigError, match="exported model, which computes in what it was exported in; use auto"):
        load(small("sequence")[1], device="cpu", precision="int8")
