"""Settings of `isogloss export`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from isogloss.config import Settings
from isogloss.languages import code_in_settings

__all__ = ["ExportSettings"]


class ExportSettings(Settings):
    """Which model becomes what, and how much that may change its answers."""

    model: Path = Field(description="model folder, or a run folder that has one")
    output: Path = Field(description="a new folder")
    languages: tuple[str, ...] = Field(
        default=(), description="keep the pieces that these languages need; none given: those of the corpus, or all"
    )
    corpus: Path | None = Field(
        default=None,
        description="text whose pieces stay: a corpus folder, a folder with LANG.txt, or one file; none: every piece "
        "without a letter of another script than the languages', which are many more",
    )
    coverage: float = Field(
        default=1.0, gt=0, le=1, description="share of each language's occurrences of pieces in the corpus that stay"
    )
    int8: bool = Field(default=False, description="weights of one byte, products in integers")
    weight_bits: Literal[7, 8] = Field(
        default=7,
        description="of int8 weights that are multiplied: 7 gives the same on every processor, 8 is a little closer, "
        "but only for processors with VNNI: others cut sums off without a word",
    )
    check: Path | None = Field(
        default=None,
        description="texts that model and export are both asked about: a file of lines; with a task a labelled file "
        "SPLIT.LANGUAGE.tsv or .json, or a folder of those",
    )
    task: str = Field(default="", description="what the labels of check are: a task of the catalogue, or a form")
    split: str = Field(default="dev", description="of a folder to check: which files")
    most_difference: float = Field(
        default=0.1,
        gt=0,
        description="in int8, how much outputs may differ on the probes: root mean square, as a share of the model's",
    )
    least_agreement: float = Field(
        default=0.95, ge=0, le=1, description="share of answers about check that must be the model's own"
    )

    @field_validator("languages")
    @classmethod
    def _codes(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({code_in_settings(code) for code in codes}))

    @property
    def precision(self) -> str:
        """What the graph computes products in."""
        return "int8" if self.int8 else "fp32"

    @property
    def trims(self) -> bool:
        """Whether pieces are left out."""
        return bool(self.languages) or self.corpus is not None
