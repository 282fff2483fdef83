"""The one table of languages: code, names, script, how words are divided, and the sizes of CC-100 and Wikipedia.

The table ``languages.tsv`` holds the paper's 100 languages (one row each; sizes from its Table 6 and Figure 1 in GiB,
two misprints corrected and marked in ``note``). Codes are BCP 47. A corpus may hold other languages too: any
well-formed code passes :func:`canonical_code`, and only :func:`language` insists on a row of the table.
``language_codes.tsv`` says the two-letter code and the script of languages outside the table, as far as they cannot
be guessed: BCP 47 has ``yo`` for ISO 639-3's ``yor``, and a language it does not list is written in Latin letters.

    language("zh").script                    # 'Hans': "zh" is an alias of "zh-Hans"
    canonical_code("hi_latn")                # 'hi-Latn'
    canonical_code("yo")                     # 'yo': outside the table, usable all the same
    canonical_code("swh_Latn")               # 'sw': the name of FLORES, FineWeb-2 and others
    sampling_shares({"en": 300.8, "sw": 1.6}, alpha=0.3)
"""

from __future__ import annotations

import csv
import difflib
import functools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Literal, get_args

from isogloss.errors import ConfigError, DataError

__all__ = [
    "Language",
    "WordDivision",
    "all_languages",
    "canonical_code",
    "code_in_settings",
    "is_known",
    "is_listed",
    "is_unspaced",
    "language",
    "sampling_shares",
    "script_of",
]

# spaces: words stand between spaces; syllables: spaces divide syllables and a word may hold several (Vietnamese);
# none: written without spaces between words.
WordDivision = Literal["spaces", "syllables", "none"]

# Scripts written without spaces between words, for languages outside the table.
_UNSPACED_SCRIPTS = {"Hani", "Hans", "Hant", "Hira", "Jpan", "Kana", "Khmr", "Laoo", "Mymr", "Thai", "Tibt"}

# What a file name or a label may carry: language, script, region, variants, private use. Longer primary subtags are
# well-formed in BCP 47 too, but none is registered, and refusing them tells README.txt from a language.
_WELL_FORMED = re.compile(
    r"[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(-x(-[a-z0-9]{1,8})+)?"
)


@dataclass(frozen=True)
class Language:
    """One row of the table; ``cc100_million_words`` counts what stands between spaces, so it is low for Chinese."""

    code: str
    name: str
    own_name: str
    script: str
    word_division: WordDivision
    cc100_million_words: float | None
    cc100_gib: float | None
    wikipedia_gib: float | None
    aliases: tuple[str, ...]
    source: str
    note: str


def all_languages() -> tuple[Language, ...]:
    """The paper's 100 languages, sorted by code."""
    return tuple(_table().values())


def is_known(code: str) -> bool:
    """Whether a code, in any spelling, or an alias stands in the table."""
    return _resolve(code) in _table()


def is_listed(code: str) -> bool:
    """Whether a table names the language of a code, the paper's or the other one: `yo`, but not any three letters."""
    resolved = _resolve(code)
    return resolved in _table() or resolved.partition("-")[0] in {row.partition("-")[0] for row in _others()}


def language(code: str) -> Language:
    """The row of a code or an alias, in any case, with hyphens or underscores.

    Raises DataError naming near codes if the table has none; test with :func:`is_known` where that is no mistake.
    """
    row = _table().get(_resolve(code))
    if row is None:
        raise DataError(f"language '{code}' is not in the table of {len(_table())} languages; {_nearest(code)}")
    return row


def canonical_code(code: str) -> str:
    """The code in its usual spelling, aliases resolved: ``zh_tw`` → ``zh-Hant``, ``NB`` → ``no``, ``yor`` → ``yo``.

    A language's usual script is left out: ``swh_Latn`` → ``sw``, but ``srp_Latn`` → ``sr-Latn``.

    Raises DataError naming near codes if it is not well-formed BCP 47.
    """
    resolved = _resolve(code)
    if resolved not in _table() and _WELL_FORMED.fullmatch(resolved.lower()) is None:
        raise DataError(f"'{code}' is not a language code (BCP 47, for example en, zh-Hans, hi-Latn); {_nearest(code)}")
    return resolved


def script_of(code: str) -> str:
    """The script of a language, in the table or not: the one its code says, or the usual one (``Hans``, ``Jpan``, …).

    Raises DataError if the code is not well-formed.
    """
    resolved = canonical_code(code)
    if (row := _table().get(resolved)) is not None:
        return row.script
    own, *more = resolved.partition("-x-")[0].split("-")
    return next((part for part in more if len(part) == 4 and part.isalpha()), _own_script(own))


def is_unspaced(code: str) -> bool:
    """Whether a language is written without spaces between words: as the table says, else as its script is.

    A code that is not well-formed has a script that nobody knows, and counts as written with spaces.
    """
    if is_known(code):
        return language(code).word_division == "none"
    return _WELL_FORMED.fullmatch(_resolve(code).lower()) is not None and script_of(code) in _UNSPACED_SCRIPTS


def code_in_settings(text: str) -> str:
    """:func:`canonical_code` of a value of settings, whose checks say what is wrong by ValueError."""
    try:
        return canonical_code(text)
    except DataError as error:
        raise ValueError(str(error)) from None


def sampling_shares(sizes: Mapping[str, float], *, alpha: float) -> dict[str, float]:
    """Each language's share of the samples, q ∝ p^alpha with p its share of ``sizes``, in the order of ``sizes``.

    Raises ConfigError for an alpha outside [0, 1] and DataError for no sizes or one that is not above zero.
    """
    if not 0 <= alpha <= 1:
        raise ConfigError(
            f"alpha = {alpha} is outside 0 to 1; 1 samples by size, 0 all languages alike, the paper has 0.3"
        )
    if not sizes:
        raise DataError("there is no language to sample from: the sizes are empty")
    for code, size in sizes.items():
        if not 0 < size < math.inf:
            raise DataError(f"language '{code}' has size {size}, nothing to sample from; leave it out or give it text")
    # Relative to the largest, so that neither huge nor tiny sizes overflow.
    largest = max(sizes.values())
    powers = {code: (size / largest) ** alpha for code, size in sizes.items()}
    total = math.fsum(powers.values())
    return {code: power / total for code, power in powers.items()}


@functools.cache
def _table() -> dict[str, Language]:
    rows = [_row(values) for values in _rows("languages.tsv")]
    return {row.code: row for row in sorted(rows, key=lambda row: row.code)}


@functools.cache
def _aliases() -> dict[str, str]:
    """Every spelling in lower case → the code it stands for, those outside the table too."""
    others = {code: aliases for code, (_, aliases) in _others().items()}
    own = {row.code: row.aliases for row in _table().values()}
    return {spelling.lower(): code for code, aliases in (others | own).items() for spelling in (code, *aliases)}


@functools.cache
def _others() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Script and other codes of languages outside the table."""
    return {row["code"]: (row["script"], tuple(row["aliases"].split())) for row in _rows("language_codes.tsv")}


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = resources.files("isogloss").joinpath(name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)


def _row(values: Mapping[str, str]) -> Language:
    division = next((term for term in get_args(WordDivision) if term == values["word_division"]), None)
    assert division is not None, f"languages.tsv: {values['code']} has word_division {values['word_division']!r}"
    return Language(
        code=values["code"],
        name=values["name"],
        own_name=values["own_name"],
        script=values["script"],
        word_division=division,
        cc100_million_words=_number(values["cc100_million_words"]),
        cc100_gib=_number(values["cc100_gib"]),
        wikipedia_gib=_number(values["wikipedia_gib"]),
        aliases=tuple(values["aliases"].split()),
        source=values["source"],
        note=values["note"],
    )


def _number(text: str) -> float | None:
    return float(text) if text else None


def _resolve(code: str) -> str:
    """The table's code for any spelling of it, else the code with the usual case: xx-Xxxx-XX."""
    parts = code.strip().replace("_", "-").lower().split("-")
    if (known := _aliases().get("-".join(parts))) is not None:
        return known
    private = parts.index("x") if "x" in parts else len(parts)
    shaped = [_aliases().get(parts[0], parts[0]).partition("-")[0]]
    for position, part in enumerate(parts[1:], start=1):
        if position < private and part.isalpha() and len(part) in (2, 4):
            part = part.upper() if len(part) == 2 else part.title()
        shaped.append(part)
    if private > 1 and len(shaped) > 1 and shaped[1] == _own_script(shaped[0]):
        del shaped[1]
    resolved = "-".join(shaped)
    return _aliases().get(resolved.lower(), resolved)


def _own_script(code: str) -> str:
    """The script that goes without saying."""
    if (row := _table().get(_aliases().get(code, ""))) is not None:
        return row.script
    return _others()[code][0] if code in _others() else "Latn"


def _nearest(code: str) -> str:
    """The way out of an error: codes whose spelling, alias or English name is close."""
    spellings = {spelling: known for spelling, known in _aliases().items() if known in _table()}
    spellings = {row.name.lower(): row.code for row in _table().values()} | spellings
    near = difflib.get_close_matches(code.strip().replace("_", "-").lower(), spellings, n=3, cutoff=0.5)
    codes = sorted({spellings[spelling] for spelling in near})
    if codes:
        return f"did you mean {' or '.join(repr(near_code) for near_code in codes)}?"
    return "known are for example en, ar, zh-Hans, hi-Latn (see languages.tsv)"
