"""A model folder as ONNX: whole, compared and reported, or not there at all."""

from __future__ import annotations

import copy
import io
import json
import math
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
import torch
from typer.testing import CliRunner

import isogloss.export.write as room
from isogloss.attention import Layout
from isogloss.checkpoint import load_model, save_model
from isogloss.cli import app
from isogloss.errors import CheckpointError, FolderError, MissingExtraError, VocabularyError
from isogloss.export import Export, ExportSettings, export
from isogloss.heads import TaskModel
from isogloss.interop.onnx import write_graph
from isogloss.interop.probes import PROBES
from isogloss.interop.sentence_transformers import read_modules
from isogloss.manifest import read_manifest
from isogloss.model import Encoder, MaskedLM, ModelSettings, initialise
from isogloss.vocab import MODEL_NAME, Vocabulary

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: nothing to run a graph with")
pytest.importorskip("onnxscript", reason="onnxscript is not installed: nothing to export with")

LENGTH = 20
FILES = {"model.onnx", "config.json", "parity.json", "manifest.json", MODEL_NAME, "tokenizer.json"}
FILES |= {"tokenizer_config.json", "special_tokens_map.json", "README.md"}


@pytest.fixture(scope="session")
def vocabulary_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, content = tmp_path_factory.mktemp("vocab"), io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["Anna sees a dog", "the baker opens", "Хлеб утром", "早上 门"] * 3),
        model_writer=content, vocab_size=48, hard_vocab_limit=False, character_coverage=1.0, minloglevel=2,
    )  # fmt: skip
    (folder / MODEL_NAME).write_bytes(content.getvalue())
    return folder


@pytest.fixture(scope="session")
def write_model(vocabulary_folder: Path) -> Callable[..., Path]:
    """Writes a model folder of one layer; each `seed` is another model."""

    def write(folder: Path, kind: str, seed: int = 1) -> Path:
        size = Vocabulary.load(vocabulary_folder).size
        settings = ModelSettings(
            width=8, num_layers=1, num_heads=2, feedforward=12, vocabulary_size=size, max_length=LENGTH
        )
        model: MaskedLM | TaskModel | Encoder = Encoder(settings)
        if kind != "encoder":
            model = MaskedLM(settings) if kind == "masked" else TaskModel(model, kind, ("yes", "no"))  # type: ignore
        initialise(model, seed, std=0.3)
        save_model(folder, model, vocabulary_folder=vocabulary_folder, parents=[], command="isogloss x", card=".")
        return folder

    return write


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory, write_model: Callable[..., Path]) -> tuple[Path, Path, Export]:
    """A classifier, its export and the report."""
    folder = tmp_path_factory.mktemp("export")
    source = write_model(folder / "model", "sequence")
    return source, folder / "onnx", export(ExportSettings(model=source, output=folder / "onnx"))


@pytest.fixture
def copied(exported: tuple[Path, Path, Export], tmp_path: Path) -> tuple[Path, Path]:
    """Model and export in folders that a test may change."""
    source, target, _ = exported
    return shutil.copytree(source, tmp_path / "model"), shutil.copytree(target, tmp_path / "onnx")


def lines(error: pytest.ExceptionInfo[Exception]) -> int:
    return len(str(error.value).splitlines())


def test_the_folder_is_whole_and_says_how_it_compares(exported: tuple[Path, Path, Export]) -> None:
    source, target, done = exported
    assert {path.name for path in target.iterdir()} == FILES
    assert {path.name for path in target.parent.iterdir()} == {"model", "onnx"}, "nothing half done"
    (output,) = done.outputs
    assert output.name == "logits"
    assert 0 <= output.largest_difference < 1e-5
    assert 0 <= output.relative_difference < 1e-5
    assert (done.head, done.inputs) == ("sequence", ("input_ids", "attention_mask"))
    assert done.longest_probe == LENGTH
    assert done.num_probes > 2 * len(PROBES)
    assert 0 <= output.mean_difference < 1e-5
    assert output.agreement == 1
    assert done.source_pieces == done.pieces == Vocabulary.load(source).size
    report = json.loads((target / "parity.json").read_text(encoding="utf-8"))
    assert {"path": done.path, **report}.keys() == vars(done).keys()
    assert report["outputs"] == [vars(output)]
    assert report["versions"]["onnxruntime"] == onnxruntime.__version__
    for name in ("config.json", MODEL_NAME, "tokenizer.json", "tokenizer_config.json"):
        assert (target / name).read_bytes() == (source / name).read_bytes(), name
    manifest = read_manifest(target, "onnx")
    assert manifest.parents == {"model": read_manifest(source, "model").fingerprint}
    assert manifest.files.keys() == FILES - {"manifest.json", "README.md"}


def test_plain_onnxruntime_runs_it(exported: tuple[Path, Path, Export]) -> None:
    source, target, _ = exported
    session = onnxruntime.InferenceSession(target / "model.onnx")
    ids = np.array([[0, 7, 9, 2], [0, 5, 2, 1]])
    (logits,) = session.run(["logits"], {"input_ids": ids, "attention_mask": (ids != 1).astype(np.int64)})
    with torch.inference_mode():
        ours = load_model(source).eval()(torch.tensor([0, 7, 9, 2, 0, 5, 2]), Layout.of([4, 3]))
    assert np.allclose(logits, ours.numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "outputs"), [("encoder", ["last_hidden_state"]), ("question", ["start_logits", "end_logits"])]
)
def test_each_output_is_reported(
    write_model: Callable[..., Path], tmp_path: Path, kind: str, outputs: list[str]
) -> None:
    write_model(tmp_path / "run" / "model", kind)
    done = export(ExportSettings(model=tmp_path / "run", output=tmp_path / "onnx"))
    assert [output.name for output in done.outputs] == outputs
    assert all(output.relative_difference < 1e-5 for output in done.outputs)
    modules, kept = read_modules(tmp_path / "run" / "model"), read_modules(tmp_path / "onnx")
    assert (kept is None) == (kind != "encoder")
    if modules is not None and kept is not None:
        assert (kept.pooling(), kept.max_length) == (modules.pooling(), LENGTH)


def test_the_same_command_again_writes_nothing(
    exported: tuple[Path, Path, Export], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target, first = exported
    monkeypatch.setattr(room, "write_graph", lambda *_: pytest.fail("written again"))
    said: list[str] = []
    assert export(ExportSettings(model=source, output=target), say=said.append) == first
    assert not said
    with pytest.raises(FolderError, match="was made with precision = 'fp32', now 'int8'") as error:
        export(ExportSettings(model=source, output=target, int8=True))
    assert lines(error) == 1


def test_what_lies_at_the_target_is_never_written_over(
    copied: tuple[Path, Path], write_model: Callable[..., Path], tmp_path: Path
) -> None:
    source, target = copied
    with pytest.raises(FolderError, match="made from another model") as error:
        export(ExportSettings(model=write_model(tmp_path / "other", "sequence", seed=2), output=target))
    assert lines(error) == 1
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    (tmp_path / "afile").touch()
    for place in (tmp_path / "mine", tmp_path / "afile"):
        with pytest.raises(FolderError, match=f"{place.name} is there already and is no export"):
            export(ExportSettings(model=source, output=place))
    with pytest.raises(FolderError, match="is a model folder"):
        export(ExportSettings(model=source, output=source))
    assert (tmp_path / "mine" / "thesis.tex").exists()
    assert not (tmp_path / "mine" / "model.onnx").exists()


def test_a_graph_that_was_changed_is_seen(copied: tuple[Path, Path]) -> None:
    source, target = copied
    content = bytearray((target / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 4
    (target / "model.onnx").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.onnx is not what manifest\.json says was written"):
        export(ExportSettings(model=source, output=target))
    (target / "model.onnx").write_bytes(content[:-1])
    with pytest.raises(FolderError, match="bytes, its manifest says"):
        export(ExportSettings(model=source, output=target))


@pytest.mark.parametrize("value", [0.01, math.nan])
def test_a_graph_that_says_something_else_is_not_kept(
    copied: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    """One number of the written graph is not the model's, and only the longest sequences read it."""
    source, _ = copied

    def write_another(model: Any, path: Path) -> None:
        another = copy.deepcopy(model)
        with torch.no_grad():
            another.encoder.embeddings.positions.weight[-1, 3] += value
        write_graph(another, path)

    monkeypatch.setattr(room, "write_graph", write_another)
    with pytest.raises(CheckpointError, match=r"logits differs by .* which is more than rounding") as error:
        export(ExportSettings(model=source, output=tmp_path / "new"))
    assert lines(error) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"model", "onnx"}


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", MODEL_NAME])
def test_a_damaged_model_is_not_exported(copied: tuple[Path, Path], tmp_path: Path, name: str) -> None:
    source, _ = copied
    (source / "manifest.json").unlink()
    content = (source / name).read_bytes()
    (source / name).write_bytes(content[: len(content) // 2])
    with pytest.raises((CheckpointError, VocabularyError), match=name.replace(".", r"\.")) as error:
        export(ExportSettings(model=source, output=tmp_path / "new"))
    assert lines(error) == 1
    assert not (tmp_path / "new").exists()


def test_what_a_cut_off_attempt_left_is_cleared(
    copied: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = copied
    (tmp_path / "new.tmp" / "folder").mkdir(parents=True)
    (tmp_path / "new.tmp" / "model.onnx.data").touch()
    monkeypatch.setattr(room, "write_graph", lambda _, path: shutil.copyfile(target / "model.onnx", path))
    export(ExportSettings(model=source, output=tmp_path / "new"))
    assert {path.name for path in (tmp_path / "new").iterdir()} == FILES


def test_without_the_extra_nothing_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match="onnxruntime"):
        export(ExportSettings(model=tmp_path / "nowhere", output=tmp_path / "new"))


def test_the_command_prints_the_difference(exported: tuple[Path, Path, Export]) -> None:
    source, target, first = exported
    done = CliRunner().invoke(app, ["export", str(source), str(target)])
    assert done.exit_code == 0, done.exception
    assert "logits" in done.stdout
    assert f"{first.bytes:,}" in done.stdout
    assert done.stderr == f"done: {target}\n"
    done = CliRunner().invoke(app, ["export", str(source), str(target), "--json"])
    assert json.loads(done.stdout)["outputs"] == [vars(output) for output in first.outputs]
