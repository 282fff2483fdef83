"""Where the files of a task lie: in our form, as the set was published, or as the Hub has it in Parquet.

    find_files(task, Path("data/ner/panx"), split="dev")               # every language there is
    find_files(task, Path("XNLI-1.0"), split="dev", languages=["sw"])  # {"sw": XNLI-1.0/xnli.dev.tsv}

A published split goes by several names (dev: dev, val, validation, …), a language by its code or what the set calls it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from isogloss.errors import DataError
from isogloss.languages import canonical_code
from isogloss.tasks.hub import fetch_files, is_remote
from isogloss.tasks.task import Task

__all__ = ["data_language", "find_files", "same_language", "splits_in"]

# What published sets call their parts.
SPLITS: Mapping[str, tuple[str, ...]] = {
    "train": ("train",),
    "dev": ("dev", "val", "valid", "validation"),
    "test": ("test",),
}
# A folder that was downloaded from the Hub: a folder a configuration, or of a set with one the files themselves.
PARQUET = ("{language}/{split}-*.parquet", "{split}-*.parquet", "data/{split}-*.parquet")


def find_files(task: Task, folder: Path, *, split: str, languages: Sequence[str] = ()) -> dict[str, Path]:
    """The files of a split by language, sorted, or those of `languages` in their order.

    `folder` may also be `hf://OWNER/NAME`, whose files are fetched into the Hub's own cache. Raises DataError naming
    what is not there, and a file of ours whose LANGUAGE is none.
    """
    if is_remote(folder):
        return fetch_files(task, str(folder), names=_names(task, split), languages=languages)
    if not folder.is_dir():
        problem = "is no folder; give the one that holds" if folder.exists() else "does not exist; it should hold"
        raise DataError(f"data folder {folder} {problem} files like {_own_name(task, split, 'en')}")
    found = _ours(task, folder, split) or _published(task, folder, split)
    if not found:
        there = ", ".join(sorted({path.name.split(".")[0] for path in folder.glob(f"*.*.{task.suffix}")})) or "none"
        other = f" and none that was published ({', '.join(task.files)})" if task.files else ""
        raise DataError(f"{folder} has no file {_own_name(task, split, 'LANGUAGE')}{other}; splits there: {there}")
    chosen = {code: _of_code(found, code) for code in languages} if languages else found
    missing = [code for code, path in chosen.items() if path is None]
    if missing:
        name = _own_name(task, split, missing[0])
        raise DataError(f"{folder} has no {name}; it has {split} in {', '.join(found)}")
    kept = {code: path for code, path in chosen.items() if path is not None}
    for code, path in kept.items():
        try:
            canonical_code(data_language(code))
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
    return kept


def splits_in(task: Task, folder: Path) -> tuple[str, ...]:
    """Which of train, dev and test a folder has files of."""
    return tuple(split for split in SPLITS if _ours(task, folder, split) or _published(task, folder, split))


def data_language(code: str) -> str:
    """The language of the text in a file: that of the context for MLQA's pairs `context-de-question-en`."""
    return code.split("-")[1] if code.startswith("context-") else code


def same_language(code: str, other: str) -> bool:
    """Whether two codes name one language, however they are spelt; of MLQA's pairs only one that is the same pair."""
    if code == other or code.startswith("context-") or other.startswith("context-"):
        return code == other
    return _spelt(code) is not None and _spelt(code) == _spelt(other)


def _own_name(task: Task, split: str, language: str) -> str:
    return task.own.format(split=split, language=language)


def _names(task: Task, split: str) -> tuple[str, ...]:
    """What a split may be called, the set's own name first."""
    return tuple(dict.fromkeys((*task.splits.get(split, ()), *SPLITS.get(split, ()), split)))


def _of_code(found: Mapping[str, Path], code: str) -> Path | None:
    """The file of a language, also where it is written otherwise."""
    return found.get(code) or next((path for there, path in found.items() if same_language(there, code)), None)


def _ours(task: Task, folder: Path, split: str) -> dict[str, Path]:
    before, after = task.own.format(split=split, language="\0").split("\0")
    paths = sorted(folder.glob(f"{before}*{after}"))
    return {path.name.removeprefix(before).removesuffix(after): path for path in paths}


def _published(task: Task, folder: Path, split: str) -> dict[str, Path]:
    """The files of the first form that any file has."""
    for form in (*task.files, *PARQUET):
        if "{split}" not in form and split == "train":
            continue  # a set without parts is for tests
        found: dict[str, Path] = {}
        for name in _names(task, split) if "{split}" in form else ("",):
            for code, path in _matching(task, folder, form.replace("{split}", name)).items():
                found.setdefault(code, path)
        if found:
            return dict(sorted(found.items()))
    return {}


def _matching(task: Task, folder: Path, form: str) -> dict[str, Path]:
    """Files of a form by language; one without a language in its name is of the only one, or of all."""
    paths = sorted(path for path in folder.glob(form.replace("{language}", "*")) if path.is_file())
    if "{language}" not in form:
        languages = task.languages if task.all_in_one else task.languages[:1]
        _one_only(paths, form)
        return dict.fromkeys(languages, paths[0]) if paths else {}
    first, *others = (re.escape(part).replace(r"\*", "[^/]*") for part in form.split("{language}"))
    pattern = re.compile(f"{first}(?P<language>[^/]+?){'(?P=language)'.join(others)}")
    found: dict[str, list[Path]] = {}
    for path in paths:
        match = pattern.fullmatch(path.relative_to(folder).as_posix())
        if match is not None and (code := language_called(match["language"], task.codes)) is not None:
            found.setdefault(code, []).append(path)
    for of_language in found.values():
        _one_only(of_language, form)
    return {code: of_language[0] for code, of_language in found.items()}


def language_called(name: str, codes: Mapping[str, str]) -> str | None:
    """The code of what a published set calls a language, None where that is none; MLQA's pairs as we name them."""
    if name.startswith("context-"):
        _, context, _, question = (*name.split("-"), "", "", "")[:4]
        return name if context != question else context
    if name in codes:
        return codes[name]
    code = _spelt(name)
    # The usual script goes without saying, as in our own files.
    return None if code is None else name if len(name) == 2 else code


def _spelt(code: str) -> str | None:
    try:
        return canonical_code(code)
    except DataError:
        return None


def _one_only(paths: Sequence[Path], form: str) -> None:
    if len(paths) > 1:
        names = " and ".join(path.name for path in paths[:2])
        raise DataError(f"{paths[0].parent} has {names}, where one file {form} is read; leave one of them there")
