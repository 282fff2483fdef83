"""What cannot be exported, or differs by more than it may: one line, and nothing left at the target."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import isogloss.export.write as room
from isogloss.checkpoint import read_model
from isogloss.cli import app
from isogloss.config import make_settings
from isogloss.errors import CheckpointError, ConfigError, DataError, FolderError, IsoglossError, VocabularyError
from isogloss.export import Export, ExportSettings, export
from isogloss.predict import load

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: nothing to run a graph with")
pytest.importorskip("onnxscript", reason="onnxscript is not installed: nothing to export with")

Small = Callable[[str], tuple[Path, Path, Export]]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, write_wide: Callable[..., Path]) -> Path:
    return write_wide(tmp_path_factory.mktemp("refused") / "model", "sequence")


def refuse(error: type[IsoglossError], match: str, target: Path, **values: Any) -> None:
    with pytest.raises(error, match=match) as caught:
        export(make_settings(ExportSettings, {"output": target, **values}))
    assert len(str(caught.value).splitlines()) == 1
    assert not target.exists()
    assert not target.with_name(f"{target.name}.tmp").exists()


@pytest.mark.parametrize(
    ("error", "match", "values"),
    [
        (ConfigError, "'xx1'", {"languages": ["en", "xx1"]}),
        (VocabularyError, "no pieces of 'ka': none has a letter of its script", {"languages": ["en", "ka"]}),
        (ConfigError, "coverage = 0.5 is a share of text", {"coverage": 0.5}),
        (ConfigError, "task = 'xnli' says what the labels of a check are", {"task": "xnli"}),
        (DataError, "nowhere.txt is no file of lines", {"check": "nowhere.txt"}),
        (DataError, "nowhere.en.tsv does not exist", {"check": "nowhere.en.tsv", "task": "xnli"}),
    ],
)
def test_settings_that_cannot_be(
    source: Path, tmp_path: Path, error: type[IsoglossError], match: str, values: dict[str, Any]
) -> None:
    refuse(error, match, tmp_path / "onnx", model=source, **values)


def test_text_in_a_language_that_the_vocabulary_does_not_know(source: Path, tmp_path: Path) -> None:
    (tmp_path / "ka.txt").write_text("დილით მცხობელი კარს აღებს\n", encoding="utf-8")
    refuse(VocabularyError, "no pieces of 'ka'", tmp_path / "onnx", model=source, corpus=tmp_path / "ka.txt")


def test_an_export_is_not_exported_again(small: Small, tmp_path: Path) -> None:
    _, target, _ = small("sequence")
    refuse(FolderError, "was exported already", tmp_path / "onnx", model=target)


def test_int8_that_differs_by_more_than_it_may(source: Path, tmp_path: Path) -> None:
    refuse(
        CheckpointError, "in int8 logits differs by", tmp_path / "onnx", model=source, int8=True, most_difference=1e-9
    )


def test_answers_that_differ_more_often_than_they_may(
    source: Path, tmp_path: Path, texts: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines of a language whose pieces are gone are answered otherwise; the bound is the user's to set."""
    (tmp_path / "lines.txt").write_text("\n".join(texts["ru"]), encoding="utf-8")
    values = {"model": source, "languages": ["en"], "check": tmp_path / "lines.txt"}
    refuse(CheckpointError, r"answers to classify on lines\.txt", tmp_path / "onnx", **values, least_agreement=0.99)
    done = export(make_settings(ExportSettings, {"output": tmp_path / "onnx", **values, "least_agreement": 0.0}))
    (checked,) = done.checks
    assert (checked.n, checked.file, checked.model) == (len(texts["ru"]), "lines.txt", {})
    assert 0 < checked.agreement < 0.99
    monkeypatch.setattr(room, "write_graph", lambda *_: pytest.fail("written again"))
    again = export(make_settings(ExportSettings, {"output": tmp_path / "onnx", **values, "least_agreement": 0.0}))
    assert again == done


def test_a_labelled_check_is_scored_for_both(source: Path, tmp_path: Path, texts: dict[str, list[str]]) -> None:
    rows = [f"{line}\t{line}\t{label}" for line in texts["en"][:12] for label in ("no", "yes")]
    (tmp_path / "dev.en.tsv").write_text("\n".join(rows), encoding="utf-8")
    done = export(
        ExportSettings(
            model=source,
            output=tmp_path / "onnx",
            int8=True,
            check=tmp_path / "dev.en.tsv",
            task="nli",
            least_agreement=0.5,
        )
    )
    (checked,) = done.checks
    assert (checked.language, checked.n) == ("en", 24)
    assert checked.model.keys() == checked.exported.keys() == {"accuracy"}
    assert abs(checked.model["accuracy"] - checked.exported["accuracy"]) <= 100 * (1 - checked.agreement)


def test_a_head_is_asked_for_what_it_has_only(small: Small) -> None:
    _, target, _ = small("sequence")
    exported = load(target)
    assert exported.questions == ("classify",)
    with pytest.raises(ConfigError, match="its graph gives no hidden states"):
        exported.embed(["Anna"])
    with pytest.raises(ConfigError, match="tag needs a token head"):
        exported.tag(["Anna"])
    assert load(small("encoder")[1]).questions == ("embed",)


def test_a_changed_graph_is_not_loaded(small: Small, tmp_path: Path) -> None:
    _, target, _ = small("token")
    copied = tmp_path / "onnx"
    copied.mkdir()
    for path in target.iterdir():
        (copied / path.name).write_bytes(path.read_bytes())
    content = bytearray((copied / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 4
    (copied / "model.onnx").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.onnx is not what manifest\.json says") as error:
        read_model(copied)
    assert len(str(error.value).splitlines()) == 1


def test_codes_may_stand_apart(source: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    words = ["export", str(source), str(tmp_path / "onnx"), "--dry-run", "--languages", "en", "sw", "--int8"]
    done = runner.invoke(app, [*words, "most_difference=0.2"])
    assert done.exit_code == 0, done.output
    assert '"en",\n    "sw"' in done.stdout
    assert '"most_difference": 0.2' in done.stdout
    done = runner.invoke(app, ["export", str(source), str(tmp_path / "onnx"), "sw"])
    assert isinstance(done.exception, ConfigError)
    assert "'sw' is no setting KEY=VALUE" in str(done.exception)
