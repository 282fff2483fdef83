"""Read a shards folder: memory-mapped tokens, document offsets and the held-out part of each language.

shards = Shards.open("shards", vocabulary=Vocabulary.load("vocab"))
tokens, offsets = shards.tokens("sw"), shards.document_offsets("sw")
tokens[offsets[3] : offsets[4]]        # the fourth document, </s> included
tokens, offsets = shards.pair("en-sw")
tokens[offsets[6] : offsets[8]]        # the fourth English sentence and its Swahili translation
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isogloss.errors import ConfigError, FolderError
from isogloss.languages import canonical_code
from isogloss.manifest import Manifest, read_manifest
from isogloss.vocab import Vocabulary

__all__ = ["HELD_OUT", "PAIRS", "TRAINING", "Shards", "dtype_for"]

COMMAND = "isogloss shards"
TRAINING = "part-00000"
HELD_OUT = "held-out"
# The folder of sentences with translations, beside those of the languages; no code is so long.
PAIRS = "pairs"

Tokens = npt.NDArray[Any]
Offsets = npt.NDArray[np.int64]


def dtype_for(vocabulary_size: int) -> np.dtype[Any]:
    """What a token takes on disk: two bytes while every id fits."""
    return np.dtype(np.uint16 if vocabulary_size <= 1 << 16 else np.uint32)


class Shards:
    """A finished shards folder, opened for reading; nothing is read into memory."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self.statistics: Mapping[str, Mapping[str, Any]] = manifest.statistics["languages"]
        self.languages: tuple[str, ...] = tuple(self.statistics)
        self.vocabulary_size: int = manifest.statistics["vocabulary"]["size"]
        self.mask_id = self.vocabulary_size - 1
        # Bytes of corpus a language: what sampling_shares gets, here as for the vocabulary.
        self.sizes: dict[str, float] = {code: float(counts["bytes"]) for code, counts in self.statistics.items()}
        of_pairs: Mapping[str, Mapping[str, Any]] = manifest.statistics.get("pairs", {})
        self.pairs: dict[str, tuple[str, str]] = {name: tuple(facts["languages"]) for name, facts in of_pairs.items()}
        self.pair_sizes: dict[str, float] = {name: float(facts["bytes"]) for name, facts in of_pairs.items()}
        self._dtype = dtype_for(self.vocabulary_size)

    @classmethod
    def open(
        cls, folder: Path | str, *, vocabulary: Vocabulary | None = None, corpus: Path | str | None = None
    ) -> Shards:
        """Open a folder and check that its files are whole and, where given, that it was made from these parents.

        Raises FolderError naming the parent that differs.
        """
        path = Path(folder)
        manifest = read_manifest(path, "shards")
        made_with = manifest.statistics["vocabulary"]
        if vocabulary is not None and vocabulary.fingerprint != made_with["fingerprint"]:
            raise FolderError(
                f"{path} was made with another vocabulary ({made_with['size']} ids, {made_with['fingerprint'][:8]}) "
                f"than this one ({vocabulary.size} ids, {vocabulary.fingerprint[:8]}); "
                f"make the shards again with '{COMMAND}'"
            )
        if corpus is not None and read_manifest(corpus, "corpus").fingerprint != manifest.parents["corpus"]:
            raise FolderError(
                f"{path} was made from another corpus than {corpus}; make the shards again with '{COMMAND}'"
            )
        return cls(path, manifest)

    def tokens(self, language: str) -> Tokens:
        """All training tokens of a language, one after another, memory-mapped."""
        return self._map(self._code(language), TRAINING)

    def document_offsets(self, language: str) -> Offsets:
        """Where each training document starts in :meth:`tokens`, and last where the last one ends."""
        return self._offsets(self._code(language), TRAINING)

    def held_out(self, language: str) -> tuple[Tokens, Offsets, int]:
        """Tokens, document offsets and characters of original text of a language's held-out documents."""
        code = self._code(language)
        num_characters: int = self.statistics[code]["held_out"]["characters"]
        return self._map(code, HELD_OUT), self._offsets(code, HELD_OUT), num_characters

    def pair(self, name: str) -> tuple[Tokens, Offsets]:
        """Tokens of a pair of languages and where each sentence starts: source, its target, the next source, …"""
        return self._map(f"{PAIRS}/{name}", TRAINING), self._offsets(f"{PAIRS}/{name}", TRAINING)

    def held_out_pair(self, name: str) -> tuple[Tokens, Offsets]:
        """The same of the pairs held out."""
        return self._map(f"{PAIRS}/{name}", HELD_OUT), self._offsets(f"{PAIRS}/{name}", HELD_OUT)

    def _code(self, language: str) -> str:
        code = canonical_code(language)
        if code not in self.statistics:
            raise ConfigError(f"{self.path} has no language '{language}'; it has {', '.join(self.languages)}")
        return code

    def _map(self, folder: str, part: str) -> Tokens:
        path = self.path / folder / f"{part}.bin"
        # An empty file cannot be mapped.
        return np.memmap(path, self._dtype, mode="r") if path.stat().st_size else np.empty(0, self._dtype)

    def _offsets(self, folder: str, part: str) -> Offsets:
        offsets: Offsets = np.load(self.path / folder / f"{part}.offsets.npy").astype(np.int64)
        return offsets
