"""Where the files of a task lie: in our form, as the set was published, or as the Hub has it in Parquet.

    find_files(task, Path("data/ner/panx"), split="dev")               # every language there is
    find_files(task, Path("XNLI-1.0"), split="dev", languages=["sw"])  # {"sw": XNLI-1.0/xnli.dev.tsv}
    find_files(task, Path("wikiann/sw"), split="dev")                  # one configuration: {"sw": ….parquet}

A published split goes by several names (dev: dev, val, validation, …), a language by its code or what the set calls it.
Of files in shards the first stands for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

from isogloss.errors import DataError
from isogloss.languages import canonical_code
from isogloss.tasks.codes import (
    data_language,
    language_called,
    languages_of_configuration,
    languages_of_source,
    pattern_of,
    same_language,
)
from isogloss.tasks.files import Tell, shards_of, silent
from isogloss.tasks.hub import fetch_files, is_remote
from isogloss.tasks.task import SPLITS, Task

__all__ = ["find_files", "splits_in"]

# How the Hub's Parquet lies in a folder that was downloaded, and in a branch refs/convert/parquet.
PARQUET = ("{split}-*.parquet", "{split}/*.parquet", "data/{split}-*.parquet")
# What files by language stand under that do not say theirs.
NOT_SAID = ""
Found = dict[str, list[Path]]


def find_files(
    task: Task, folder: Path, *, split: str, languages: Sequence[str] = (), tell: Tell = silent
) -> dict[str, Path]:
    """The files of a split by language, sorted, or those of `languages` in their order.

    `folder` may also be `hf://OWNER/NAME`, whose files are fetched into the Hub's own cache. `tell` is told which
    folders are passed over, where all languages are asked for. Raises DataError naming what is not there, a file of
    ours whose LANGUAGE is none, and files of which none is the one.
    """
    if is_remote(folder):
        return fetch_files(task, str(folder), names=task.spellings(split), languages=languages)
    if not folder.is_dir():
        problem = "is no folder; give the one that holds" if folder.exists() else "does not exist; it should hold"
        raise DataError(f"data folder {folder} {problem} files like {_own_name(task, split, 'en')}")
    found = _ours(task, folder, split) or _published(task, folder, split, languages, silent if languages else tell)
    if not found:
        raise DataError(_nothing_found(task, folder, split))
    if NOT_SAID in found:
        raise DataError(f'{found[NOT_SAID][0]} does not say its language; say which it is of, as languages=["sw"]')
    chosen = {code: _of_code(found, code) for code in languages} if languages else found
    missing = [code for code, paths in chosen.items() if not paths]
    if missing:
        name = _own_name(task, split, missing[0])
        raise DataError(f"{folder} has no {name}; it has {split} in {', '.join(found)}")
    kept = {code: _only_one(paths, f"{split} in {code}") for code, paths in chosen.items()}
    for code, path in kept.items():
        try:
            canonical_code(data_language(code))
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
    return kept


def splits_in(task: Task, folder: Path) -> tuple[str, ...]:
    """Which of train, dev and test a folder has files of."""
    return tuple(split for split in SPLITS if _ours(task, folder, split) or _published(task, folder, split))


def _own_name(task: Task, split: str, language: str) -> str:
    return task.own.format(split=split, language=language)


def _nothing_found(task: Task, folder: Path, split: str) -> str:
    """What is said of a folder without files of a split: what it has instead, and whether the one above it has them."""
    there = ", ".join(sorted({path.name.split(".")[0] for path in folder.glob(f"*.*.{task.suffix}")})) or "none"
    other = f" and none that was published ({', '.join(task.files)})" if task.files else ""
    problem = f"{folder} has no file {_own_name(task, split, 'LANGUAGE')}{other}; splits there: {there}"
    whole = folder.resolve()
    above = [path for paths in _published(task, whole.parent, split).values() for path in paths]
    if any(path.is_relative_to(whole) for path in above):
        problem += f"; it is a part of {folder.parent}: give that folder, and its name in languages"
    return problem


def _of_code(found: Found, code: str) -> list[Path]:
    """The files of a language, also where it is written otherwise."""
    return found.get(code) or next((paths for there, paths in found.items() if same_language(there, code)), [])


def _only_one(paths: Sequence[Path], what: str) -> Path:
    """The file, or the first of its shards. Raises DataError for files of which none is the one."""
    if set(paths) == set(shards_of(paths[0])):
        return paths[0]
    first, second = paths[:2]
    way_out = f"give the folder of one, as data={first.parent}" if first.parent != second.parent else "leave one there"
    raise DataError(f"{first} and {second} are both {what}, where one is read; {way_out}")


def _ours(task: Task, folder: Path, split: str) -> Found:
    for name in task.spellings(split):
        before, after = task.own.format(split=name, language="\0").split("\0")
        if paths := sorted(folder.glob(f"{before}*{after}")):
            return {path.name.removeprefix(before).removesuffix(after): [path] for path in paths}
    return {}


def _published(task: Task, folder: Path, split: str, languages: Sequence[str] = (), tell: Tell = silent) -> Found:
    """The files of the first form that any file has."""
    for form in _forms(task):
        if "{split}" not in form and task.part(split) == "train":
            continue  # a set without parts is for tests
        found: Found = {}
        passed_over: list[str] = []
        for name in task.spellings(split) if "{split}" in form else ("",):
            matching = _matching(task, folder, form.replace("{split}", name), languages, passed_over)
            found = matching | found
        if found:
            if passed_over:
                tell(f"{folder}: passed over, as {task.name} has no such language: {', '.join(sorted(passed_over))}")
            return dict(sorted(found.items()))
    return {}


def _forms(task: Task) -> Iterator[str]:
    yield from task.files
    for configuration in task.configurations:
        for name in PARQUET[:2]:
            yield f"{configuration}/{name}"
    yield from PARQUET


def _matching(task: Task, folder: Path, form: str, languages: Sequence[str], passed_over: list[str]) -> Found:
    """Files of a form by language; names that are those of none are passed over."""
    paths = sorted(path for path in folder.glob(form.replace("{language}", "*")) if path.is_file())
    if not paths:
        return {}
    if "{language}" not in form:
        suffix, name = PurePath(form).suffix, folder.resolve().name
        codes = languages_of_source(task, name=name, suffix=suffix, languages=languages)
        return dict.fromkeys(codes or (NOT_SAID,), paths)
    found: Found = {}
    pattern = pattern_of(form)
    for path in paths:
        match = pattern.fullmatch(path.relative_to(folder).as_posix())
        if match is None:
            continue
        if codes := _codes(task, form, match["language"], path.relative_to(folder)):
            found.setdefault(codes[0], []).append(path)
        elif match["language"] not in passed_over:
            passed_over.append(match["language"])
    return found


def _codes(task: Task, form: str, name: str, path: PurePath) -> tuple[str, ...]:
    """The language of a file in a form; of Parquet its folder is a configuration, and may be one of another task."""
    if form.endswith(".parquet"):
        return languages_of_configuration(task, path.parts[0])
    code = language_called(name, task.codes)
    return () if code is None else (code,)
