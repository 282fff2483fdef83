"""Manifests: tampering is found, other settings are refused, a folder is whole or not there."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.config import Settings
from isogloss.errors import FolderError
from isogloss.manifest import (
    MANIFEST_NAME,
    Manifest,
    building,
    finished,
    hash_file,
    read_manifest,
    write_json,
    write_manifest,
)

CONFIG = {"size": 8000, "languages": ("en", "sw")}


def make(folder: Path, *, config: dict[str, object] | None = None, parents: tuple[Manifest, ...] = ()) -> Manifest:
    """A small vocab folder with a file in a folder of its own."""
    with building(folder) as beside:
        (beside / "deep").mkdir()
        (beside / "deep" / "part.bin").write_bytes(b"0123456789")
        (beside / "list.txt").write_text("Straße\n", encoding="utf-8")
        return write_manifest(
            beside, kind="vocab", command="isogloss vocab train", config=config or CONFIG, parents=parents
        )


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    written = make(tmp_path / "vocab")
    assert read_manifest(tmp_path / "vocab", "vocab") == written
    assert set(written.files) == {"deep/part.bin", "list.txt"}
    assert written.files["deep/part.bin"]["bytes"] == 10
    assert written.files["list.txt"]["xxh3_128"] == hash_file(tmp_path / "vocab" / "list.txt")


def test_a_fingerprint_is_of_content_and_settings_not_of_the_place(tmp_path: Path) -> None:
    first = make(tmp_path / "here")
    assert make(tmp_path / "there").fingerprint == first.fingerprint
    assert make(tmp_path / "other", config={**CONFIG, "size": 9}).fingerprint != first.fingerprint
    parent = dataclasses.replace(first, kind="corpus", fingerprint="ab")
    assert make(tmp_path / "child", parents=(parent,)).fingerprint != first.fingerprint
    (tmp_path / "here" / "list.txt").write_text("Strasse\n", encoding="utf-8")
    again = write_manifest(tmp_path / "here", kind="vocab", command="isogloss vocab train", config=CONFIG)
    assert again.fingerprint != first.fingerprint


def test_the_same_settings_find_a_finished_folder(tmp_path: Path) -> None:
    folder = tmp_path / "vocab"
    assert finished(folder, "vocab", CONFIG) is None
    folder.mkdir()
    assert finished(folder, "vocab", CONFIG) is None
    folder.rmdir()
    made = make(folder)
    # Tuples and lists are the same in a file.
    assert finished(folder, "vocab", {**CONFIG, "languages": ["en", "sw"]}) == made


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({**CONFIG, "size": 9}, "size = 8000, now 9"),
        ({"size": 8000}, r"languages = \['en', 'sw'\], now None"),
        ({**CONFIG, "alpha": 1}, "alpha = None, now 1"),
    ],
)
def test_other_settings_are_refused_and_nothing_is_deleted(
    tmp_path: Path, config: dict[str, object], said: str
) -> None:
    made = make(tmp_path / "vocab")
    with pytest.raises(FolderError, match=f"{said}; choose another output folder"):
        finished(tmp_path / "vocab", "vocab", config)
    assert read_manifest(tmp_path / "vocab", "vocab") == made


class Grown(Settings):
    """CONFIG, a setting later, and the folder that no manifest names."""

    output: Path
    size: int = 32_000
    languages: tuple[str, ...] = ()
    alpha: float = 0.3


@pytest.mark.parametrize(
    ("alpha", "languages", "same"), [(0.3, ("en", "sw"), True), (0.5, ("en", "sw"), False), (0.3, (), False)]
)
def test_a_folder_outlives_the_settings_that_came_after_it(
    tmp_path: Path, alpha: float, languages: tuple[str, ...], same: bool
) -> None:
    made = make(tmp_path / "vocab")
    settings = Grown(output=tmp_path, size=8000, languages=languages, alpha=alpha)
    config = settings.model_dump(mode="json", exclude={"output"})
    with contextlib.nullcontext() if same else pytest.raises(FolderError, match=r"alpha = 0\.3, now|languages = "):
        assert finished(tmp_path / "vocab", "vocab", config, settings=settings) == made
    with pytest.raises(FolderError, match=r"alpha = None|languages = "):
        finished(tmp_path / "vocab", "vocab", config)


def test_other_parents_are_refused(tmp_path: Path) -> None:
    parent = Manifest("corpus", "", "", {}, {}, {}, fingerprint="ab")
    make(tmp_path / "vocab", parents=(parent,))
    assert finished(tmp_path / "vocab", "vocab", CONFIG, [parent]) is not None
    with pytest.raises(FolderError, match="made from another corpus"):
        finished(tmp_path / "vocab", "vocab", CONFIG, [dataclasses.replace(parent, fingerprint="cd")])


@given(st.binary(max_size=30).filter(lambda data: len(data) != 10))
def test_a_file_of_another_length_is_found(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("tampered") / "vocab"
    make(folder)
    (folder / "deep" / "part.bin").write_bytes(data)
    with pytest.raises(FolderError, match=rf"part\.bin has {len(data)} bytes, its manifest says 10; .*vocab train"):
        read_manifest(folder, "vocab")
    assert read_manifest(folder, "vocab", check_files=False).kind == "vocab"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    make(tmp_path / "vocab")
    (tmp_path / "vocab" / "list.txt").unlink()
    with pytest.raises(FolderError, match=r"list\.txt is missing though manifest\.json lists it"):
        read_manifest(tmp_path / "vocab", "vocab")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kind": "vocab"}', '{"kind": 1, "unknown": 2}'])
def test_a_damaged_manifest_says_how_to_mend_it(tmp_path: Path, text: str) -> None:
    make(tmp_path / "vocab")
    (tmp_path / "vocab" / MANIFEST_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(FolderError, match=r"manifest\.json is damaged .*make the folder again with 'isogloss vocab"):
        read_manifest(tmp_path / "vocab", "vocab")


def test_no_folder_and_another_kind_of_folder_name_the_command(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"not a finished shards folder .*'isogloss shards' makes one"):
        read_manifest(tmp_path / "none", "shards")
    make(tmp_path / "vocab")
    with pytest.raises(FolderError, match="is a vocab folder, but a corpus folder is needed; 'isogloss corpus build'"):
        read_manifest(tmp_path / "vocab", "corpus")


def test_an_error_leaves_the_old_folder_and_keeps_the_work(tmp_path: Path) -> None:
    made = make(tmp_path / "vocab")

    def stopped() -> None:
        with building(tmp_path / "vocab") as beside:
            (beside / "half.txt").write_text("half", encoding="utf-8")
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        stopped()
    assert read_manifest(tmp_path / "vocab", "vocab") == made
    assert not (tmp_path / "vocab" / "half.txt").exists()
    with building(tmp_path / "vocab") as beside:
        assert (beside / "half.txt").read_text(encoding="utf-8") == "half"
        write_manifest(beside, kind="vocab", command="", config={})
    assert [path.name for path in tmp_path.iterdir()] == ["vocab"]
    assert set(read_manifest(tmp_path / "vocab", "vocab").files) == {"half.txt"}


def test_what_a_kill_left_of_an_older_folder_is_no_hindrance(tmp_path: Path) -> None:
    for name in ("folder", "folder.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    with building(tmp_path / "folder") as beside:
        (beside / "file").write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert (tmp_path / "folder" / "file").read_text() == "new"


def test_json_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    write_json(path, {"language": "Kiswahili", "own": "Ελληνικά"})
    with pytest.raises(TypeError):
        write_json(path, {"bad": object()})
    assert json.loads(path.read_text(encoding="utf-8")) == {"language": "Kiswahili", "own": "Ελληνικά"}
