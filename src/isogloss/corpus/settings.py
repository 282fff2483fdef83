"""What goes into a corpus and which steps it takes; a step whose table is absent is not taken.

    settings = load_recipe("recipes/corpus/full.toml", CorpusSettings, ["input=crawl", "output=corpus"])

The thresholds of a step are settings beside its code; here they are put together.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator, model_validator

from isogloss.corpus.decontaminate import DecontaminateSettings
from isogloss.corpus.dedup.minhash import MinHashSettings
from isogloss.corpus.dedup.normalise import NormaliseSettings
from isogloss.corpus.dedup.repeats import LEAST_MEMORY, RepeatSettings
from isogloss.corpus.documents import ReadSettings
from isogloss.corpus.engine import EngineSettings
from isogloss.corpus.identify.settings import IdentifySettings
from isogloss.corpus.lm.step import PerplexitySettings
from isogloss.corpus.personal import PersonalSettings
from isogloss.corpus.rules import RuleSettings
from isogloss.languages import code_in_settings

__all__ = ["CorpusSettings"]


class CorpusSettings(ReadSettings):
    """What goes into a corpus, and where it comes to lie."""

    input: Path = Field(
        description="folder of LANG.txt, .jsonl, .parquet, .arrow, .wet, .warc or wiki .xml files, packed or not, or "
        "one of them, or a data set of the Hugging Face Hub: hf://OWNER/NAME/CONFIG"
    )
    output: Path = Field(description="the corpus folder to write")
    languages: tuple[str, ...] = Field((), description="BCP 47 codes of the languages to keep; none keeps all")
    rules: RuleSettings | None = Field(None, description="drop documents and lines by length, characters, address")
    personal: PersonalSettings | None = Field(None, description="hide or drop personal data")
    repeats: RepeatSettings | None = Field(None, description="drop lines that repeat in a group of input files")
    normalise: NormaliseSettings = Field(NormaliseSettings(), description="what is the same line to 'repeats'")
    identify: IdentifySettings | None = Field(None, description="find languages, and drop lines in other ones")
    trust_names: bool = Field(
        True, description="believe the language that a file's name or a record says; false: identify these texts too"
    )
    perplexity: PerplexitySettings | None = Field(None, description="score documents by language models")
    decontaminate: DecontaminateSettings | None = Field(None, description="drop what stands in labelled sets")
    near_duplicates: MinHashSettings | None = Field(None, description="drop documents that resemble an earlier one")
    drop_duplicate_documents: bool = Field(True, description="drop a document whose text stood in an earlier one")
    duplicate_memory_bytes: int = Field(
        1 << 28, ge=LEAST_MEMORY, description="memory of the search for documents of the same text"
    )
    max_bytes: int | None = Field(
        None,
        gt=0,
        description="most bytes of text kept for each language; documents that no longer fit are passed over",
    )
    max_bytes_by_language: dict[str, int] = Field({}, description="other limits for some languages")
    part_bytes: int = Field(
        1 << 28, gt=0, description="bytes of JSON lines in one part of a language, before compression"
    )
    num_samples: int = Field(20, ge=0, description="documents shown in the report for each language and reason")
    keep_dropped: bool = Field(
        False, description="write what the steps drop, with its reason, to the folder 'dropped'; not what is unreadable"
    )
    engine: EngineSettings = Field(EngineSettings(workers=1), description="where the work is done, how much at once")

    @field_validator("languages")
    @classmethod
    def _canonical_languages(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({code_in_settings(code) for code in codes}))

    @field_validator("max_bytes_by_language")
    @classmethod
    def _canonical_limits(cls, limits: dict[str, int]) -> dict[str, int]:
        for code, limit in limits.items():
            if limit <= 0:
                raise ValueError(
                    f"the limit of '{code}' is {limit}; leave the language out of 'languages' to have none of it"
                )
        return {code_in_settings(code): limit for code, limit in sorted(limits.items())}

    @model_validator(mode="after")
    def _nothing_is_ignored(self) -> CorpusSettings:
        """What would change nothing, or keep what was not asked for, is a mistake."""
        if not self.trust_names and self.identify is None:
            raise ValueError("trust_names = false has nothing to ask instead; give 'identify' too (identify='{}')")
        if self.normalise != NormaliseSettings() and self.repeats is None:
            raise ValueError("'normalise' is for 'repeats', which is absent; give it (repeats='{}') or normalise='{}'")
        if self.languages:
            found = self.identify.languages if self.identify is not None else ()
            for key, codes in (("identify.languages", found), ("max_bytes_by_language", self.max_bytes_by_language)):
                if others := sorted(set(codes) - set(self.languages)):
                    raise ValueError(
                        f"{key} has '{others[0]}', which 'languages' does not have; take it out there or add it here"
                    )
        return self
