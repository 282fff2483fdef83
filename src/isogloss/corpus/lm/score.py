"""Perplexities of documents by a trained language model, in batches: Arrow strings in, numbers out.

    model = LanguageModel.load("lm/sw")
    model.perplexities(pa.array(["Habari ya asubuhi.\\nHujambo?"]))       # array([412.7])

As in CCNet: the log10 probability of each line, <s> before it and </s> at its end, summed over the document, is divided
by the number of its pieces and ends of lines; the perplexity is ten to the power of minus that. Blank lines do not
count; a document of nothing else has NaN. Memory: what kenlm takes for the model (about 25 bytes an n-gram from an
ARPA file), some 60 MB of cached words, and what a batch takes as pieces. Load one object in each process.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isogloss.corpus.extras import load_kenlm, load_pyarrow
from isogloss.corpus.lm.cutoffs import Cutoffs
from isogloss.corpus.lm.pieces import Pieces
from isogloss.errors import FolderError
from isogloss.languages import canonical_code
from isogloss.manifest import Manifest, read_manifest

__all__ = ["ARPA_NAME", "BINARY_NAME", "CUTOFFS_NAME", "PIECES_NAME", "LanguageModel", "models_in", "read_cutoffs"]

ARPA_NAME = "lm.arpa.gz"
BINARY_NAME = "lm.binary"
PIECES_NAME = "sentencepiece.model"
CUTOFFS_NAME = "cutoffs.json"


class LanguageModel:
    """One language's model, loaded."""

    def __init__(self, pieces: Path, model: Path, cutoffs: Cutoffs | None = None) -> None:
        """From a SentencePiece model and an ARPA or binary file that kenlm reads; FolderError if either cannot be."""
        self.cutoffs = cutoffs
        try:
            self._pieces = Pieces(pieces.read_bytes())
            self._model = _load(model)
        except OSError as error:
            raise FolderError(
                f"{error.filename or model} cannot be read ({_first_line(error)}); "
                "make the model again with 'isogloss corpus lm train'"
            ) from None

    @classmethod
    def load(cls, folder: Path | str) -> LanguageModel:
        """From the folder of one language; raises FolderError if it is not whole, MissingExtraError without kenlm."""
        folder = Path(folder)
        files = read_manifest(folder, "lm").files
        cutoffs = json.loads((folder / CUTOFFS_NAME).read_text(encoding="utf-8"))
        name = BINARY_NAME if BINARY_NAME in files else ARPA_NAME
        return cls(folder / PIECES_NAME, folder / name, Cutoffs.from_json(cutoffs))

    def score(self, texts: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """The log10 probability of each document and its length in pieces and ends of lines. (documents,) each."""
        pa = load_pyarrow()
        documents = pa.array(texts, pa.large_string()) if isinstance(texts, list) else _whole(texts, pa)
        lines = pa.compute.split_pattern(documents.fill_null(""), "\n")
        starts = np.concatenate(
            [[0], np.cumsum(pa.compute.list_value_length(lines).to_numpy(zero_copy_only=False))]
        ).astype(np.int64)
        encoded, lengths = self._pieces.encode_text(lines.flatten())
        score = self._model.score
        scores = np.array(
            [score(line) if length else 0.0 for line, length in zip(encoded, lengths.tolist(), strict=True)]
        )
        lengths = lengths + (lengths > 0)
        return _sums(scores, starts), _sums(lengths, starts)

    def perplexities(self, texts: Any) -> npt.NDArray[np.float64]:
        """The perplexity of each document of an Arrow array or list of strings; NaN where nothing is to be scored."""
        scores, lengths = self.score(texts)
        with np.errstate(over="ignore"):
            return np.where(lengths > 0, 10.0 ** (-scores / np.maximum(lengths, 1)), np.nan)


def models_in(folder: Path | str, languages: Iterable[str] = ()) -> dict[str, tuple[Path, Manifest]]:
    """The finished models under a folder by language, ``languages`` only if any are named.

    Raises FolderError if there is none, or a part of one is missing.
    """
    folder, wanted = Path(folder), {canonical_code(code) for code in languages}
    found = {
        path.parent.name: (path.parent, read_manifest(path.parent, "lm"))
        for path in sorted(folder.glob("*/manifest.json"))
        if not path.parent.name.endswith((".tmp", ".old")) and (not wanted or path.parent.name in wanted)
    }
    if not found:
        raise FolderError(f"{folder} holds no language model; 'isogloss corpus lm train' makes one")
    return found


def read_cutoffs(folder: Path | str, language: str) -> Cutoffs | None:
    """Where the model of one language under a folder cuts; None without a model, or where it could not tell."""
    path = Path(folder) / language / CUTOFFS_NAME
    return Cutoffs.from_json(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def _load(path: Path) -> Any:
    kenlm = load_kenlm()
    config = kenlm.Config()
    # It writes to stderr past Python otherwise.
    config.show_progress = False
    config.arpa_complain = kenlm.ARPALoadComplain.NONE
    return kenlm.Model(str(path), config)


def _whole(texts: Any, pa: Any) -> Any:
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    return texts.cast(pa.large_string())


def _sums(values: npt.NDArray[Any], starts: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Sums of values[starts[i]:starts[i + 1]]; every part has at least one value."""
    sums: npt.NDArray[Any] = np.add.reduceat(values, starts[:-1]) if len(starts) > 1 else values[:0]
    return sums


def _first_line(error: OSError) -> str:
    return (error.strerror or str(error)).strip().splitlines()[0]
