"""What of a corpus a vocabulary is trained on: every language's share of it follows q ∝ p^alpha.

A language that is rarer in the corpus than in the sample counts more than once, as if its lines were repeated; one that
is more frequent than the sample has room for is thinned at random.

    plan = plan_sample({"en": 10_000_000, "sw": 400_000}, alpha=0.3, sample_bytes=5_000_000)
    for text in sample_text(corpus.documents("sw"), plan["sw"], seed="1/sw"): ...     # each counts plan["sw"].weight
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from isogloss.errors import ConfigError, DataError
from isogloss.languages import canonical_code, sampling_shares
from isogloss.manifest import Manifest

__all__ = ["LanguageSample", "languages_with_text", "plan_sample", "sample_text"]

# Texts are read a block at a time; its words and characters take some 25 bytes a character while they are counted.
BLOCK_CHARACTERS = 1 << 19


@dataclass(frozen=True)
class LanguageSample:
    """One language's part of the sample: its share q and how often, on average, each of its lines counts."""

    share: float
    repeats: float

    @property
    def weight(self) -> float:
        """How often a line counts that is in the sample."""
        return max(self.repeats, 1.0)


def languages_with_text(
    corpus: Manifest, wanted: Sequence[str], *, where: Path | str
) -> tuple[dict[str, Mapping[str, int]], dict[str, str]]:
    """The corpus statistics of the ``wanted`` languages (all, if none is named), sorted, and warnings by language.

    A language without text is left out with a warning; asked for by name, it is a DataError.
    """
    known: Mapping[str, Mapping[str, int]] = corpus.statistics["languages"]
    wanted = [canonical_code(code) for code in wanted]
    for code in wanted:
        if code not in known:
            raise ConfigError(f"languages: {where} has no '{code}'; it has {', '.join(sorted(known))}")
        if not known[code]["bytes"]:
            raise DataError(f"languages: {where} holds no text of '{code}'; add text or leave it out")
    chosen = {code: known[code] for code in sorted(wanted or known)}
    warnings = {
        code: "left out: the corpus holds no text of it" for code, counts in chosen.items() if not counts["bytes"]
    }
    if len(warnings) == len(chosen):
        raise DataError(f"{where} holds no text of any language; make a corpus with 'isogloss corpus build'")
    return {code: counts for code, counts in chosen.items() if code not in warnings}, warnings


def plan_sample(
    sizes: Mapping[str, float], *, alpha: float, sample_bytes: int | None = None
) -> dict[str, LanguageSample]:
    """The plan for a corpus of ``sizes`` bytes a language.

    The sample is as large as needed to take every line of every language at least once, and at most ``sample_bytes``.
    """
    shares = sampling_shares(sizes, alpha=alpha)
    enough = max(sizes[language] / share for language, share in shares.items())
    total = enough if sample_bytes is None else min(float(sample_bytes), enough)
    return {
        language: LanguageSample(share=share, repeats=share * total / sizes[language])
        for language, share in shares.items()
    }


def sample_text(documents: Iterable[str], plan: LanguageSample, *, seed: str) -> Iterator[str]:
    """The sampled lines of one language in blocks, each line once; the same for the same seed and documents."""
    # A generator of its own per language: adding a language leaves the draws of the others as they were.
    draw = random.Random(seed)
    block: list[str] = []
    size = 0
    for document in documents:
        for line in document.splitlines():
            if plan.repeats < 1.0 and draw.random() >= plan.repeats:
                continue
            for part in _cut(line):
                block.append(part)
                size += len(part)
                if size >= BLOCK_CHARACTERS:
                    yield "\n".join(block)
                    block, size = [], 0
    if block:
        yield "\n".join(block)


def _cut(line: str) -> Iterator[str]:
    """A line, or one too long for a block in parts, at spaces where there are some."""
    while len(line) > BLOCK_CHARACTERS:
        space = line.rfind(" ", BLOCK_CHARACTERS // 2, BLOCK_CHARACTERS)
        end = space if space > 0 else BLOCK_CHARACTERS
        yield line[:end]
        line = line[end:]
    yield line
