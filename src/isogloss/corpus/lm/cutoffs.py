"""Head, middle and tail: two perplexities that divide the documents of a language.

    cutoffs = Cutoffs.of(perplexities, CutoffSettings())
    cutoffs.buckets(np.array([120.0, 900.0]))       # array(['head', 'tail'])

CCNet cuts at the 30th and the 60th percentile of held-out documents; the paper speaks of three equal parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from isogloss.config import Settings

__all__ = ["ALL", "BUCKETS", "HEAD", "MIDDLE", "TAIL", "CutoffSettings", "Cutoffs"]

HEAD = "head"
MIDDLE = "middle"
TAIL = "tail"
# Of a language without a model.
ALL = "all"
BUCKETS = (HEAD, MIDDLE, TAIL, ALL)


class CutoffSettings(Settings):
    """Where the documents of a language are divided."""

    head_percent: float = Field(30, gt=0, lt=100, description="percentile of perplexity up to which a document is head")
    middle_percent: float = Field(60, gt=0, lt=100, description="percentile up to which it is middle; the rest is tail")

    @model_validator(mode="after")
    def _ascending(self) -> CutoffSettings:
        if self.head_percent >= self.middle_percent:
            raise ValueError(f"head_percent {self.head_percent:g} is not below middle_percent {self.middle_percent:g}")
        return self


@dataclass(frozen=True)
class Cutoffs:
    """The highest perplexities of head and of middle, and how many documents they were taken from."""

    head: float
    middle: float
    documents: int

    @classmethod
    def of(cls, perplexities: npt.ArrayLike, settings: CutoffSettings) -> Cutoffs | None:
        """The percentiles of a sample; None if no document in it has a perplexity."""
        values = np.asarray(perplexities, np.float64)
        values = values[np.isfinite(values)]
        if not len(values):
            return None
        head, middle = np.percentile(values, [settings.head_percent, settings.middle_percent])
        return cls(float(head), float(middle), len(values))

    @classmethod
    def from_json(cls, values: Mapping[str, Any] | None) -> Cutoffs | None:
        """What :meth:`to_json` gave."""
        return None if values is None else cls(**values)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    def buckets(self, perplexities: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.str_]:
        """The bucket of each document; a document that could not be scored (NaN) is tail."""
        names: npt.NDArray[np.str_] = np.select(
            [perplexities <= self.head, perplexities <= self.middle], [HEAD, MIDDLE], TAIL
        )
        return names
