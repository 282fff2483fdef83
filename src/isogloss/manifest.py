"""Fingerprints and lineage: what every folder we write says about itself.

Each artefact folder (corpus, vocab, shards, run, model, scores) holds a ``manifest.json``: its kind, the command that
made it, the package version, its settings, its parents' fingerprints, each file's bytes and hash, and statistics.
Folders are written beside (``NAME.tmp``) and renamed last, so a folder with a manifest is whole; the same command
again finds it and says "done".

    if (done := finished(target, "vocab", config, parents)) is None:
        with building(target) as folder:
            ...write files into folder...
            done = write_manifest(folder, kind="vocab", command="isogloss vocab train", config=config, parents=parents)
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import xxhash

from isogloss.config import Settings, filled_in
from isogloss.errors import FolderError

__all__ = [
    "EXPORTED",
    "MANIFEST_NAME",
    "MODELS",
    "TAGGER",
    "Manifest",
    "building",
    "finished",
    "hash_file",
    "hash_files",
    "read_manifest",
    "room_for",
    "write_json",
    "write_manifest",
]

MANIFEST_NAME = "manifest.json"
# A model that is no encoder, one that is a graph of another program, and the kinds of folder that can be scored.
TAGGER = "tagger"
EXPORTED = "onnx"
MODELS = ("model", TAGGER, EXPORTED)
# A disk, a quota or a file that has come to its limit; Python's own error seldom names the file.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# What makes each kind of folder, for the way out of an error.
MAKERS = {
    "crawl": "isogloss corpus fetch",
    "corpus": "isogloss corpus build",
    "cc100": "isogloss corpus export",
    "pairs": "isogloss corpus pairs",
    "vocab": "isogloss vocab train",
    "shards": "isogloss shards",
    "run": "isogloss pretrain or isogloss finetune",
    "model": "isogloss pretrain or isogloss finetune",
    TAGGER: "isogloss baseline",
    "character-model": "isogloss baseline",
    "fairseq": "isogloss convert",
    EXPORTED: "isogloss export",
    "lm": "isogloss corpus lm train",
    "romanised-model": "isogloss corpus identify-train",
}


@dataclass(frozen=True)
class Manifest:
    """What a folder says about itself; ``fingerprint`` identifies its content and settings, not where it lies."""

    kind: str
    command: str
    version: str
    config: dict[str, Any]
    parents: dict[str, str]
    files: dict[str, dict[str, Any]]
    statistics: dict[str, Any] = field(default_factory=dict)
    fingerprint: str = ""


def hash_file(path: Path) -> str:
    """xxh3-128 of a file's bytes, as hex."""
    digest = xxhash.xxh3_128()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def hash_files(paths: Sequence[Path]) -> str:
    """The hash of a file; of several that of their hashes in this order."""
    if len(paths) == 1:
        return hash_file(paths[0])
    return xxhash.xxh3_128(" ".join(hash_file(path) for path in paths).encode()).hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that a reader sees the old file or the new one, never a part."""
    beside = path.with_name(path.name + ".tmp")
    with beside.open("w", encoding="utf-8") as stream:
        json.dump(value, stream, ensure_ascii=False, indent=2)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)


def write_manifest(
    folder: Path,
    *,
    kind: str,
    command: str,
    config: Mapping[str, Any],
    parents: Sequence[Manifest] = (),
    statistics: Mapping[str, Any] | None = None,
) -> Manifest:
    """Hash every file under ``folder`` and write its manifest; returns the manifest."""
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "xxh3_128": hash_file(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).as_posix() != MANIFEST_NAME
    }
    draft = Manifest(
        kind=kind,
        command=command,
        version=metadata.version("isogloss"),
        config=json.loads(json.dumps(config)),
        parents={parent.kind: parent.fingerprint for parent in parents},
        files=files,
        statistics=json.loads(json.dumps(statistics or {})),
    )
    manifest = Manifest(**{**asdict(draft), "fingerprint": _fingerprint(draft)})
    write_json(folder / MANIFEST_NAME, asdict(manifest))
    return manifest


def read_manifest(folder: Path | str, kind: str, *others: str, check_files: bool = True) -> Manifest:
    """Read the manifest of a folder and check that it is of ``kind``, or one of the ``others`` that will do as well,
    and that its files are as they were written.

    ``check_files`` compares every file's size, which finds truncation in no time; ``isogloss`` hashes a file
    when it loads it. Raises FolderError naming the file and the command that makes such a folder.
    """
    folder = Path(folder)
    maker = MAKERS.get(kind, "isogloss")
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise FolderError(
            f"{folder} is not a finished {kind} folder (no {MANIFEST_NAME}); '{maker}' makes one"
        ) from None
    except (json.JSONDecodeError, TypeError, UnicodeDecodeError) as error:
        raise FolderError(
            f"{folder / MANIFEST_NAME} is damaged ({error}); make the folder again with '{maker}'"
        ) from None
    if manifest.kind not in (kind, *others):
        raise FolderError(f"{folder} is a {manifest.kind} folder, but a {kind} folder is needed; '{maker}' makes one")
    if check_files:
        _check_sizes(folder, manifest, maker)
    return manifest


def finished(
    folder: Path,
    kind: str,
    config: Mapping[str, Any],
    parents: Sequence[Manifest] = (),
    *,
    settings: Settings | None = None,
) -> Manifest | None:
    """The manifest of an already finished folder made from the same settings and parents, or None if there is none.

    With the ``settings`` that the config is written from, those that have come since an earlier version are the same
    while they are at their defaults. Raises FolderError when the folder is there but was made with other settings or
    from other parents.
    """
    if not folder.exists():
        return None
    if not (folder / MANIFEST_NAME).exists() and not any(folder.iterdir()):
        return None
    manifest = read_manifest(folder, kind)
    wanted = json.loads(json.dumps(config))
    earlier = manifest.config if settings is None else filled_in(manifest.config, wanted, settings)
    for key in sorted(set(wanted) | set(earlier)):
        if wanted.get(key) != earlier.get(key):
            raise FolderError(
                f"{folder} was made with {key} = {earlier.get(key)!r}, now {wanted.get(key)!r}; "
                "choose another output folder or delete this one"
            )
    for parent in parents:
        if manifest.parents.get(parent.kind) != parent.fingerprint:
            raise FolderError(
                f"{folder} was made from another {parent.kind}; choose another output folder or delete this one"
            )
    return manifest


@contextlib.contextmanager
def room_for(path: Path) -> Iterator[None]:
    """A full disk, which says nothing of what did not fit, as a FolderError that names it."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise FolderError(
            f"{path} cannot be written ({error.strerror}); make room and give the command again"
        ) from None


@contextlib.contextmanager
def building(folder: Path) -> Iterator[Path]:
    """Yield ``folder.tmp`` to write into and rename it to ``folder`` at the end; an error leaves it untouched.

    What an earlier, unfinished attempt left in ``folder.tmp`` is kept, so a stage may continue from it. Raises
    FolderError where the disk is full.
    """
    beside = folder.with_name(folder.name + ".tmp")
    beside.mkdir(parents=True, exist_ok=True)
    with room_for(beside):
        yield beside
    # The old folder steps aside first: whatever moment a kill comes at, one whole folder is there under some name.
    move_aside(folder)
    beside.rename(folder)
    forget_aside(folder)


def move_aside(folder: Path) -> None:
    """Give a folder, if there is one, the name that `forget_aside` deletes: at once, whenever a kill comes."""
    if folder.exists():
        forget_aside(folder)  # what a kill left of an earlier one
        folder.rename(_aside(folder))


def forget_aside(folder: Path) -> None:
    """Delete what was moved aside."""
    shutil.rmtree(_aside(folder), ignore_errors=True)


def _aside(folder: Path) -> Path:
    return folder.with_name(folder.name + ".old")


def _check_sizes(folder: Path, manifest: Manifest, maker: str) -> None:
    for name, facts in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise FolderError(
                f"{path} is missing though {MANIFEST_NAME} lists it; make the folder again with '{maker}'"
            )
        if path.stat().st_size != facts["bytes"]:
            raise FolderError(
                f"{path} has {path.stat().st_size} bytes, its manifest says {facts['bytes']}; "
                f"make the folder again with '{maker}'"
            )


def _fingerprint(manifest: Manifest) -> str:
    content = {
        "kind": manifest.kind,
        "config": manifest.config,
        "parents": manifest.parents,
        "files": {name: facts["xxh3_128"] for name, facts in manifest.files.items()},
    }
    return xxhash.xxh3_128(json.dumps(content, sort_keys=True).encode()).hexdigest()
