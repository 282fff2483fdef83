"""Labelled sets of the Hugging Face Hub, by name: their Parquet files, fetched once into the Hub's own cache.

    fetch_files(task, "hf://facebook/xnli", names=("dev", "validation"), languages=["sw"])   # {"sw": ….parquet}
    fetch_files(task, "hf://nyu-mll/glue/qnli", names=("dev", "validation"))

Which files a configuration has is what the library ``datasets`` says, as for a corpus; code of a data set never runs.
A set that has code only is named as the Hub made Parquet of it: `hf://OWNER/NAME@refs/convert/parquet/CONFIG`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isogloss.corpus.extras import load_huggingface_hub
from isogloss.corpus.remote import FoundFile, find_remote, is_remote
from isogloss.errors import DataError

if TYPE_CHECKING:
    from isogloss.tasks.task import Task

__all__ = ["fetch_files", "is_remote"]


def fetch_files(task: Task, address: str, *, names: Sequence[str], languages: Sequence[str] = ()) -> dict[str, Path]:
    """The file of each language; `names` are what the split may be called.

    An address that names no configuration has one a language, called by its code or as the task calls it. Raises
    DataError, and MissingExtraError without ``datasets``.
    """
    set_name, config = _parts(address)
    if config:
        wanted = languages or task.languages[: None if task.all_in_one else 1] or ("en",)
        if len(wanted) > 1 and not task.all_in_one:
            raise DataError(f"{address} names one configuration, {len(wanted)} languages are wanted; leave it out")
        return dict.fromkeys(wanted, _fetch(f"{set_name}/{config}", names))
    published: Mapping[str, str] = {code: name for name, code in task.codes.items()}
    wanted = languages or task.languages
    if not wanted:
        raise DataError(f"{address} names no configuration and task {task.name} no languages; give languages")
    return {code: _fetch(f"{set_name}/{published.get(code, code)}", names) for code in wanted}


def _parts(address: str) -> tuple[str, str]:
    """The set with its revision, and the configuration, which stands behind it."""
    path = address.removeprefix("hf:").lstrip("/").removeprefix("datasets/").rstrip("/")
    parts = path.split("/")
    num_of_set = 2
    if "@refs" in parts[1 if len(parts) > 1 else 0]:
        num_of_set += 2  # refs/convert/parquet
    return "hf://" + "/".join(parts[:num_of_set]), "/".join(parts[num_of_set:])


def _fetch(address: str, names: Sequence[str]) -> Path:
    """The local copy of a configuration's one file of a split."""
    problem: DataError | None = None
    for name in names:
        try:
            found = find_remote(f"{address}/{name}")
        except DataError as error:
            if "has no split" not in str(error):
                raise
            problem = error
            continue
        if len(found) > 1:
            raise DataError(f"{address}/{name} has {len(found)} files, one is read; download and join them")
        return _local(found[0])
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
