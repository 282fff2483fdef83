"""How languages are identified: every threshold, with where it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from isogloss.config import Settings
from isogloss.languages import all_languages, code_in_settings

__all__ = ["IdentifySettings"]


class IdentifySettings(Settings):
    """Thresholds of language identification, and how much is asked of the two opinions."""

    languages: tuple[str, ...] = Field(
        (), description="codes to keep; another language is named with the reason 'other language'; none: the table's"
    )
    min_confidence: float = Field(
        0.5, ge=0, le=1, description="an answer below it is no answer (CCNet keeps a page from 0.5 of fastText's score)"
    )
    min_letters: int = Field(
        10, ge=1, description="a text of fewer letters is 'short'; a Han character counts three, Kana and Hangul two"
    )
    min_kana: float = Field(0.05, ge=0, le=1, description="least share of kana among kana and Han in Japanese")
    min_cantonese: float = Field(
        0.02, ge=0, le=1, description="least share of Cantonese characters among Han in Cantonese; 1 for never"
    )
    min_mon: float = Field(0.01, ge=0, le=1, description="least share of letters of Mon alone in Mon, beside Burmese")
    second_weight: float = Field(
        10.0,
        gt=0,
        description="odds of CLD2 against fastText where they differ, at fastText's probability one half; they fall as "
        "(1 - p) / p (fitted: docs/notebook.md)",
    )
    romanised: bool = Field(True, description="look for romanised Bengali, Hindi, Tamil, Telugu and Urdu")
    romanised_model: Path | None = Field(
        None, description="what `isogloss corpus identify-train` wrote; none: by function words alone"
    )
    ask_lines: Literal["every", "doubtful"] = Field(
        "doubtful",
        description="in a document: ask both opinions about every line, or about those that a look at the whole "
        "leaves in doubt",
    )
    sample_characters: int = Field(
        300, ge=50, description="of a document, how many characters fastText sees when only doubtful lines are asked"
    )
    line_characters: int = Field(400, ge=20, description="of a line, how many characters the opinions see")
    sure: float = Field(
        0.65, ge=0, le=1, description="a document at or above it leaves only those lines in doubt that look different"
    )
    document_weight: float = Field(
        1.0, ge=0, description="what the document's language weighs on one of its lines, as second_weight does"
    )
    foreign_confidence: float = Field(
        0.7, ge=0, le=1, description="least confidence in a line's other language to mark it foreign"
    )
    foreign_letters: int = Field(20, ge=1, description="least letters of a line marked foreign")
    drop_foreign_lines: bool = Field(True, description="in the corpus step: drop lines in another language, or keep")

    @field_validator("languages")
    @classmethod
    def _canonical_languages(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({code_in_settings(code) for code in codes}))

    @property
    def kept(self) -> frozenset[str]:
        """The codes that are no 'other language'."""
        return frozenset(self.languages or (language.code for language in all_languages()))
