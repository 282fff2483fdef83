"""Labelled sets of the Hugging Face Hub, by name: their Parquet files, fetched once into the Hub's own cache.

    fetch_files(task, "hf://facebook/xnli", names=("dev", "validation"), languages=["sw"])   # {"sw": ….parquet}
    fetch_files(task, "hf://nyu-mll/glue/qnli", names=("dev", "validation"))

Which files a configuration has is what the library ``datasets`` says, as for a corpus; code of a data set never runs.
A set that has code only is named as the Hub made Parquet of it: `hf://OWNER/NAME@refs/convert/parquet/CONFIG`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isogloss.corpus.extras import load_huggingface_hub
from isogloss.corpus.remote import FoundFile, configurations, find_remote, is_remote
from isogloss.errors import DataError
from isogloss.tasks.codes import languages_of_configuration, languages_of_source, same_language
from isogloss.tasks.files import shards_of

if TYPE_CHECKING:
    from isogloss.tasks.task import Task

__all__ = ["fetch_files", "is_remote"]

MOST_SHOWN = 8


def fetch_files(task: Task, address: str, *, names: Sequence[str], languages: Sequence[str] = ()) -> dict[str, Path]:
    """The file of each language, the first of its shards; `names` are what the split may be called.

    An address that names no configuration has one a language, called by its code or as the task calls it. Raises
    DataError, and MissingExtraError without ``datasets``.
    """
    set_name, config = _parts(address)
    if not config and not languages and not task.languages:
        raise DataError(f"{address} names no configuration and task {task.name} no languages; give languages")
    there = [config] if config else configurations(set_name)
    of_languages = _of_one if len(there) == 1 else _of_several
    chosen = of_languages(task, set_name, there, languages)
    fetched = {name: _fetch(f"{set_name}/{name}", names) for name in dict.fromkeys(chosen.values())}
    return {code: fetched[name] for code, name in chosen.items()}


def _of_one(task: Task, set_name: str, there: Sequence[str], languages: Sequence[str]) -> dict[str, str]:
    """The one configuration, for each language that is wanted of it."""
    (config,) = there
    address = f"{set_name}/{config}"
    if len(languages) > 1 and ".parquet" not in task.all_in_one:
        raise DataError(f"{address} names one configuration, {len(languages)} languages are wanted; leave it out")
    codes = languages_of_source(task, name=config, suffix=".parquet", languages=languages)
    if not codes:
        raise DataError(f'{address} does not say its language; say which it is of, as languages=["sw"]')
    for code in languages:
        if not any(same_language(code, one) for one in codes):
            raise DataError(f"{address} is in {', '.join(codes)}, not in {code}; name another configuration, or none")
    return dict.fromkeys(languages or codes, config)


def _of_several(task: Task, set_name: str, there: Sequence[str], languages: Sequence[str]) -> dict[str, str]:
    """The configuration of each language that is wanted, or of each of the task's that there is."""
    found: dict[str, list[str]] = {}
    for name in there:
        for code in languages_of_configuration(task, name):
            found.setdefault(code, []).append(name)
    chosen: dict[str, str] = {}
    for code in languages or [code for code in task.languages if code in found] or task.languages[:1]:
        configs = next((configs for one, configs in found.items() if same_language(one, code)), [])
        if not configs:
            known = ", ".join([*(found or there)][:MOST_SHOWN])
            raise DataError(f"{set_name} has no configuration '{code}'; it has {known}")
        if len(configs) > 1:
            raise DataError(f"{set_name} has {' and '.join(configs)} in {code}; name one, as {set_name}/{configs[0]}")
        chosen[code] = configs[0]
    return chosen


def _parts(address: str) -> tuple[str, str]:
    """The set with its revision, and the configuration, which stands behind it."""
    path = address.removeprefix("hf:").lstrip("/").removeprefix("datasets/").rstrip("/")
    parts = path.split("/")
    num_of_set = 2
    if "@refs" in parts[1 if len(parts) > 1 else 0]:
        num_of_set += 2  # refs/convert/parquet
    return "hf://" + "/".join(parts[:num_of_set]), "/".join(parts[num_of_set:])


def _fetch(address: str, names: Sequence[str]) -> Path:
    """The local copy of a configuration's files of a split, the first of them where they are shards."""
    problem: DataError | None = None
    for name in names:
        try:
            found = find_remote(f"{address}/{name}")
        except DataError as error:
            if "has no split" not in str(error):
                raise
            problem = problem or error
            continue
        first, *_ = [_local(one) for one in found]
        if len(shards_of(first)) != len(found):
            raise DataError(
                f"{address}/{name} has {len(found)} files that are no shards of one; download and join them"
            )
        return first
    assert problem is not None
    raise problem


def _local(found: FoundFile) -> Path:
    owner, name, *path = found.name.split("/")
    name, _, revision = name.partition("@")
    library = load_huggingface_hub()
    try:
        return Path(
            library.hf_hub_download(f"{owner}/{name}", "/".join(path), repo_type="dataset", revision=revision or None)
        )
    except (OSError, ValueError) as error:
        raise DataError(f"{found.file.address} cannot be fetched: {str(error).splitlines()[0][:200]}") from None
