"""The corpus step: perplexity and bucket of every document of a Daft frame, and the reasons of what is dropped.

    frame = score_perplexity(frame, PerplexitySettings(models="lm"))        # adds perplexity and bucket
    reasons = drop_reasons(buckets, PerplexitySettings(models="lm", keep=("head", "middle", "all")))

The frame needs ``text`` and ``language``. A model is loaded when its language is first met, once in a process, and
stays: memory is that of the models of all languages a process meets (see :mod:`isogloss.corpus.lm.score`), so give a
frame of one language at a time where there are many and memory is short.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from isogloss.config import Settings
from isogloss.corpus.extras import load_daft, load_pyarrow
from isogloss.corpus.lm.cutoffs import ALL, BUCKETS, Cutoffs, CutoffSettings
from isogloss.corpus.lm.score import LanguageModel, models_in

if TYPE_CHECKING:
    from daft import DataFrame

__all__ = ["REASONS", "Perplexity", "PerplexitySettings", "corpus_cutoffs", "drop_reasons", "score_perplexity"]

Bucket = Literal["head", "middle", "tail", "all"]
REASONS = {f"perplexity-{bucket}": f"its perplexity puts it into the bucket '{bucket}'" for bucket in BUCKETS}


class PerplexitySettings(Settings):
    """Which documents stay by how likely their language model finds them."""

    models: Path = Field(description="folder of 'isogloss corpus lm train', with a sub-folder for each language")
    keep: tuple[Bucket, ...] = Field(
        ("head", "middle", "tail", "all"),
        description="buckets that stay; 'all' is every document of a language without a model",
    )
    cutoffs_from: Literal["model", "corpus"] = Field(
        "model", description="percentiles of the model's held-out documents, or of the corpus in a pass before"
    )
    percentiles: CutoffSettings = Field(CutoffSettings(), description="where to cut when cutoffs_from is 'corpus'")


class Perplexity:
    """Scores of batches in many languages; loads each language's model when it is first met."""

    def __init__(self, settings: PerplexitySettings, cutoffs: Mapping[str, Cutoffs] | None = None) -> None:
        """``cutoffs`` stand in for those of the models. Raises FolderError if there is no model at all."""
        self._folders = {code: folder for code, (folder, _) in models_in(settings.models).items()}
        self._models: dict[str, LanguageModel] = {}
        self._cutoffs = dict(cutoffs or {})

    def __call__(self, texts: Any, languages: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.str_]]:
        """Perplexity (NaN without a model) and bucket of each document; both arguments are Arrow strings."""
        pa = load_pyarrow()
        codes = np.asarray(languages.to_pylist(), dtype=object)
        perplexities = np.full(len(codes), np.nan)
        buckets = np.full(len(codes), ALL, f"<U{max(map(len, BUCKETS))}")
        for code in sorted({code for code in codes if code in self._folders}):
            rows = np.flatnonzero(codes == code)
            model = self._model(code)
            perplexities[rows] = model.perplexities(texts.take(pa.array(rows)))
            if (cutoffs := self._cutoffs.get(code, model.cutoffs)) is not None:
                buckets[rows] = cutoffs.buckets(perplexities[rows])
        return perplexities, buckets

    def _model(self, code: str) -> LanguageModel:
        if code not in self._models:
            self._models[code] = LanguageModel.load(self._folders[code])
        return self._models[code]


def score_perplexity(
    frame: DataFrame, settings: PerplexitySettings, cutoffs: Mapping[str, Cutoffs] | None = None
) -> DataFrame:
    """The frame with ``perplexity`` (float64, NaN without a model) and ``bucket``."""
    daft = load_daft()
    pa = load_pyarrow()
    both = daft.DataType.struct({"perplexity": daft.DataType.float64(), "bucket": daft.DataType.string()})

    class Scorer:
        def __init__(self) -> None:
            self._score = Perplexity(settings, cutoffs)

        @daft.method.batch(return_dtype=both)  # type: ignore[untyped-decorator]
        def score(self, texts: Any, languages: Any) -> Any:
            perplexities, buckets = self._score(texts.to_arrow(), languages.to_arrow())
            return pa.StructArray.from_arrays(
                [pa.array(perplexities), pa.array(buckets.tolist(), pa.large_string())], ["perplexity", "bucket"]
            )

    scored = frame.with_column("lm", daft.cls(Scorer)().score(daft.col("text"), daft.col("language")))
    return scored.with_columns(
        {"perplexity": daft.col("lm")["perplexity"], "bucket": daft.col("lm")["bucket"]}
    ).exclude("lm")


def corpus_cutoffs(perplexities: Mapping[str, npt.ArrayLike], settings: PerplexitySettings) -> dict[str, Cutoffs]:
    """Cutoffs from the corpus itself: the perplexities of a first pass by language, or of a sample of it."""
    found = {code: Cutoffs.of(values, settings.percentiles) for code, values in perplexities.items()}
    return {code: cutoffs for code, cutoffs in found.items() if cutoffs is not None}


def drop_reasons(buckets: npt.NDArray[np.str_], settings: PerplexitySettings) -> list[str | None]:
    """For each document the reason why it goes (one of ``REASONS``), None if it stays."""
    reasons = {bucket: None if bucket in settings.keep else f"perplexity-{bucket}" for bucket in BUCKETS}
    return [reasons[bucket] for bucket in buckets.tolist()]
