"""Data sets of the Hugging Face Hub by name: ``hf://OWNER/NAME[@REVISION][/CONFIG[,CONFIG…][/SPLIT]]`` → their files.

    find_remote("hf://HuggingFaceFW/fineweb-2/swh_Latn")         # a file each, pinned to the commit found
    find_remote("hf://wikimedia/wikipedia/sw")                   # a language's code will do: 20231101.sw, the latest
    find_remote("hf://statmt/cc100@refs/convert/parquet/am")     # of a script, what the Hub made of it

Which files a configuration has is what the library ``datasets`` says; our own readers stream them, and nothing is kept
on disk. Without a SPLIT it is ``train``, or all there are. HF_TOKEN and HF_ENDPOINT are heeded.
"""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, TypeVar, cast

from isogloss.corpus.extras import load_datasets, load_huggingface_hub
from isogloss.corpus.names import code_or_none, language_of_name
from isogloss.errors import DataError, IsoglossError

__all__ = ["FoundFile", "RemoteFile", "configurations", "find_remote", "is_remote"]

BUFFER_BYTES = 1 << 20
FORM = "hf://OWNER/NAME, with /CONFIG or /CONFIG/SPLIT behind it"
# What pathlib makes of hf:// is hf:/.
_ADDRESS = re.compile(
    r"hf:/{1,2}(?:datasets/)?(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>refs/(?:convert|pr)/[\w.-]+|[^/@]+))?"
    r"(?:/(?P<configs>[^/]+))?(?:/(?P<split>[^/]+))?/?"
)
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class RemoteFile:
    """A file of a data set at one commit; ``blob`` is the Hub's hash of its content."""

    address: str
    bytes: int
    blob: str

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """The file as a stream that can seek; its errors are DataErrors, since what is missing may come later."""
        files = load_huggingface_hub().HfFileSystem()
        stream = _asked(lambda: files.open(self.address, mode), self.address)
        return cast(BinaryIO, io.BufferedReader(_RemoteStream(stream, self.address), BUFFER_BYTES))


class FoundFile(NamedTuple):
    """A file, its name in the data set with the commit, and the language of its configuration."""

    file: RemoteFile
    name: str
    language: str | None


class _RemoteStream(io.RawIOBase):
    """What huggingface_hub gives, with one kind of error."""

    def __init__(self, stream: Any, address: str) -> None:
        self._stream, self._address = stream, address

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._stream.seek(offset, whence))

    def tell(self) -> int:
        return int(self._stream.tell())

    def readinto(self, buffer: Any) -> int:
        data = _asked(lambda: self._stream.read(len(buffer)), self._address)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def is_remote(root: Path | str) -> bool:
    """Whether an input is the name of a data set, also where it was made a Path."""
    return str(root).startswith("hf:/")


def find_remote(address: str) -> list[FoundFile]:
    """The files of the configurations that are named, in order.

    Raises DataError for an address that is none, an unknown data set, configuration or split, and while the Hub cannot
    be reached, and MissingExtraError.
    """
    match = _parsed(address)
    repository, revision = match["repository"], match["revision"]
    library = load_datasets()
    where = f"hf://{repository}" + (f"@{revision}" if revision else "")
    known = configurations(address)
    wanted = match["configs"].split(",") if match["configs"] else [""]
    found: list[FoundFile] = []
    for config in [_config(name, known, where) for name in wanted]:
        found += _files_of(library, repository, revision, config, match["split"])
    return found


def configurations(address: str) -> list[str]:
    """The names of all configurations of a data set, whichever the address names. Raises as `find_remote`."""
    match = _parsed(address)
    repository, revision = match["repository"], match["revision"]
    library = load_datasets()
    where = f"hf://{repository}" + (f"@{revision}" if revision else "")
    return list(_asked(lambda: library.get_dataset_config_names(repository, revision=revision), where))


def _parsed(address: str) -> re.Match[str]:
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise DataError(f"input {address} is no name of a data set; write {FORM}")
    return match


def _config(name: str, known: Sequence[str], where: str) -> str:
    """The configuration of that name or the last of that language; without a name the only one, or 'default'."""
    if name in known:
        return name
    if not name and (len(known) == 1 or "default" in known):
        return "default" if "default" in known else known[0]
    code = code_or_none(name) if name else None
    if code is not None and (matching := [one for one in known if language_of_name(one) == code]):
        return max(matching)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or list(known[:3])
    what = f"has no configuration '{name}'" if name else f"has {len(known)} configurations"
    raise DataError(f"{where} {what}; name one, as {where}/{near[0]} (or {', '.join(near[1:]) or 'another'})")


def _files_of(library: Any, repository: str, revision: str | None, config: str, split: str | None) -> list[FoundFile]:
    file_system = load_huggingface_hub().HfFileSystem()
    where = f"hf://{repository}/{config}"
    builder = _asked(lambda: library.load_dataset_builder(repository, config, revision=revision), where)
    splits = builder.config.data_files or {}
    if split is not None and split not in splits:
        raise DataError(f"{where} has no split '{split}'; it has {', '.join(splits) or 'none'}")
    chosen = [split] if split is not None else ["train"] if "train" in splits else list(splits)
    addresses = sorted({str(address) for name in chosen for address in splits[name]})
    files = []
    for address in addresses:
        facts = _asked(lambda address=address: file_system.info(address), address)  # type: ignore[misc]
        blob = str(facts.get("xet_hash") or facts.get("blob_id") or "")
        name = address.removeprefix("hf://datasets/")
        files.append(FoundFile(RemoteFile(address, int(facts["size"]), blob), name, language_of_name(config)))
    return files


def _asked(ask: Callable[[], Answer], address: str) -> Answer:
    """What the library answers; whatever goes wrong there, of network, rights or names, is one error of ours."""
    try:
        return ask()
    except IsoglossError:
        raise
    except Exception as error:
        said = (str(error).splitlines() or [""])[0][:300] or type(error).__name__
        way_out = (
            "name what the Hub made of it, as hf://OWNER/NAME@refs/convert/parquet/CONFIG"
            if "scripts are no longer supported" in said
            else "see to name, rights (HF_TOKEN) and network, and give the command again: what is read already is kept"
        )
        raise DataError(f"{address} cannot be read ({said}); {way_out}") from None
