"""Vocabularies of any kind, given by their paths, measured beside each other for a report."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isogloss.vocab.measuring import Subject

__all__ = ["measure_vocabularies"]


def measure_vocabularies(
    paths: Sequence[Path], corpus: Path, languages: Sequence[str], parallel: Path | None
) -> dict[str, Any]:
    """What a report is made from, with a bar on stderr; vocabularies are called by the ends of their paths."""
    from rich.console import Console
    from rich.progress import track

    from isogloss.errors import ConfigError
    from isogloss.vocab.comparing import measure
    from isogloss.vocab.excerpts import chosen_languages, read_excerpts, read_parallel

    places = Counter(path.resolve() for path in paths)
    if twice := [path for path in paths if places[path.resolve()] > 1]:
        raise ConfigError(f"{twice[-1]} is given twice; give each vocabulary once")
    codes = chosen_languages(corpus, languages)
    subjects = {name: _read_subject(path) for name, path in zip(_names(paths), paths, strict=True)}
    texts = track(
        read_excerpts(corpus, codes),
        description="measuring the pieces of each language",
        total=len(codes),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    return measure(subjects, texts, parallel=None if parallel is None else read_parallel(parallel))


def _read_subject(path: Path) -> Subject:
    """A vocabulary of ours, or the tokenizer of a folder of another family."""
    from isogloss.vocab.layout import MODEL_NAME, Vocabulary
    from isogloss.vocab.measuring import Subject

    folder = path / "model" if (path / "model").is_dir() else path
    if not folder.is_dir() or (folder / MODEL_NAME).exists() or not _has_tokenizer(folder):
        return Subject.of(Vocabulary.load(folder))
    from isogloss.interop.foreign import read_folder_tokenizer

    tokenizer = read_folder_tokenizer(folder)
    return Subject(tokenizer, tokenizer.texts, tokenizer.unknown_id)


def _has_tokenizer(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("tokenizer.json", "tokenizer_config.json"))


def _names(paths: Sequence[Path]) -> list[str]:
    """The last part of each path, and as much more of all as tells them apart."""
    parts = [path.resolve().parts for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    raise AssertionError("different paths have different parts")
