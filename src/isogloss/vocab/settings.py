"""The settings of ``isogloss vocab train``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from isogloss.config import Settings
from isogloss.languages import code_in_settings

__all__ = ["VocabSettings"]


class VocabSettings(Settings):
    """Settings of ``isogloss vocab train``."""

    corpus: Path = Field(description="corpus folder to train on")
    output: Path = Field(description="vocab folder to write")
    size: int = Field(ge=8, description="how many ids in all, <s> <pad> </s> <unk> and <mask> included; XLM-R: 250002")
    languages: tuple[str, ...] = Field(default=(), description="languages of the corpus to train on; empty: all")
    alpha: float = Field(default=0.3, ge=0, le=1, description="languages are sampled by q ∝ p^alpha; 1: as they are")
    model_type: Literal["unigram", "bpe"] = Field(default="unigram", description="SentencePiece's model")
    clusters: int | tuple[tuple[str, ...], ...] = Field(
        default=1,
        description="groups of languages with a model each, which are joined: how many, or lists of codes; XLM-V: 8",
    )
    pieces_a_language: int = Field(
        default=30_000, ge=64, description="pieces of the models by which languages are put into clusters"
    )
    character_coverage: float = Field(
        default=0.9995,
        ge=0.98,
        le=1,
        description="share of the sample's characters that get a piece; the rest is <unk>",
    )
    max_piece_length: int = Field(default=16, ge=1, le=64, description="longest piece, in characters")
    span: int = Field(
        default=32,
        ge=4,
        le=64,
        description="a word of more characters, as in languages written without spaces, is counted in parts of so many",
    )
    memory_mb: int = Field(
        default=4096,
        ge=16,
        description="most memory to work in, in MiB; where the words take more, the rare ones stand for each other",
    )
    sample_bytes: int | None = Field(
        default=None, ge=1, description="most text to train on, in bytes; none: every line of every language"
    )
    seed: int = Field(default=1, description="of the choice of lines under sample_bytes")

    @field_validator("languages", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return tuple(code.strip() for code in value.split(",")) if isinstance(value, str) else value

    @field_validator("clusters", mode="before")
    @classmethod
    def _clusters(cls, value: Any) -> Any:
        if isinstance(value, (list, tuple)) and value and all(isinstance(group, (list, tuple)) for group in value):
            if not all(value):
                raise ValueError("a cluster lists no language; leave it out")
            return tuple(tuple(code_in_settings(str(code)) for code in group) for group in value)
        if isinstance(value, int) and value >= 1:
            return value
        raise ValueError('give a number from 1, or lists of codes, as [["de", "en"], ["ja", "zh-Hans"]]')

    @model_validator(mode="after")
    def _of_unigram_models(self) -> VocabSettings:
        if self.clusters != 1 and self.model_type != "unigram":
            raise ValueError("clusters join unigram models; set clusters=1 or model_type=unigram")
        return self
