"""Which lines a vocabulary is trained on: every language's share of the sample follows q ∝ p^alpha.

A language that is rarer in the corpus than in the sample has its lines repeated (SentencePiece counts words, so a
repeated line weighs more and costs next to nothing); one that is more frequent is thinned at random.

    plan = plan_sample({"en": 10_000_000, "sw": 400_000}, alpha=0.3, sample_bytes=5_000_000)
    for line in sample_lines(corpus.documents("sw"), plan["sw"], seed="1/sw"): ...
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from isogloss.errors import ConfigError, DataError
from isogloss.languages import canonical_code, sampling_shares
from isogloss.manifest import Manifest

__all__ = ["LanguageSample", "languages_with_text", "plan_sample", "sample_lines"]

# SentencePiece silently skips lines over 4192 bytes: longer ones are cut, at a space where there is one.
MAX_LINE_CHARACTERS = 1000
# Special pieces must not be learned as ordinary ones, and SentencePiece silently skips lines with NUL or with its
# own mark for unknown characters, U+2585.
_RESERVED = re.compile("</?s>|<pad>|<unk>|<mask>|[\0\u2585]")


@dataclass(frozen=True)
class LanguageSample:
    """One language's part of the sample: its share q and how often, on average, each of its lines is taken."""

    share: float
    repeats: float


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


def plan_sample(sizes: Mapping[str, float], *, alpha: float, sample_bytes: int) -> dict[str, LanguageSample]:
    """The plan for a corpus of ``sizes`` bytes a language.

    The sample is as large as needed to take every line of every language at least once, and at most ``sample_bytes``.
    """
    shares = sampling_shares(sizes, alpha=alpha)
    enough = max(sizes[language] / share for language, share in shares.items())
    total = min(float(sample_bytes), enough)
    return {
        language: LanguageSample(share=share, repeats=share * total / sizes[language])
        for language, share in shares.items()
    }


def sample_lines(documents: Iterable[str], plan: LanguageSample, *, seed: str) -> Iterator[str]:
    """The sampled lines of one language, each as often as drawn; the same for the same seed and documents."""
    # A generator of its own per language: adding a language leaves the draws of the others as they were.
    draw = random.Random(seed)
    whole, rest = divmod(plan.repeats, 1.0)
    for document in documents:
        for line in document.splitlines():
            times = int(whole) + (draw.random() < rest)
            if times and (cleaned := _RESERVED.sub(" ", line).strip()):
                for part in _cut(cleaned):
                    for _ in range(times):
                        yield part


def _cut(line: str) -> Iterator[str]:
    while len(line) > MAX_LINE_CHARACTERS:
        space = line.rfind(" ", MAX_LINE_CHARACTERS // 2, MAX_LINE_CHARACTERS)
        end = space if space > 0 else MAX_LINE_CHARACTERS
        yield line[:end]
        line = line[end:].lstrip()
    if line:
        yield line
