"""The table of languages: its facts by property, its codes in any spelling, and the sampling formula."""

from __future__ import annotations

import itertools
import math
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.errors import ConfigError, DataError
from isogloss.languages import (
    all_languages,
    canonical_code,
    is_known,
    is_unspaced,
    language,
    sampling_shares,
    script_of,
)

# How Unicode's character names begin in each script of the table.
SCRIPT_WORDS = {
    "Arab": {"ARABIC"},
    "Armn": {"ARMENIAN"},
    "Beng": {"BENGALI"},
    "Cyrl": {"CYRILLIC"},
    "Deva": {"DEVANAGARI"},
    "Ethi": {"ETHIOPIC"},
    "Geor": {"GEORGIAN"},
    "Grek": {"GREEK"},
    "Gujr": {"GUJARATI"},
    "Guru": {"GURMUKHI"},
    "Hans": {"CJK"},
    "Hant": {"CJK"},
    "Hebr": {"HEBREW"},
    "Jpan": {"CJK", "HIRAGANA", "KATAKANA"},
    "Khmr": {"KHMER"},
    "Knda": {"KANNADA"},
    "Kore": {"HANGUL"},
    "Laoo": {"LAO"},
    "Latn": {"LATIN"},
    "Mlym": {"MALAYALAM"},
    "Mymr": {"MYANMAR"},
    "Orya": {"ORIYA"},
    "Qaag": {"MYANMAR"},
    "Sinh": {"SINHALA"},
    "Taml": {"TAMIL"},
    "Telu": {"TELUGU"},
    "Thai": {"THAI"},
}


def test_table_has_the_hundred_languages_once() -> None:
    codes = [row.code for row in all_languages()]
    assert len(codes) == 100
    assert codes == sorted(set(codes))
    assert {"zh-Hans", "zh-Hant", "hi-Latn", "bn-Latn", "ta-Latn", "te-Latn", "ur-Latn", "my-Qaag", "no"} <= set(codes)


@pytest.mark.parametrize("row", all_languages(), ids=lambda row: row.code)
def test_own_name_is_written_in_the_script(row) -> None:
    letters = [character for character in row.own_name if unicodedata.category(character) in ("Lu", "Ll", "Lo")]
    assert letters
    for letter in letters:
        assert unicodedata.name(letter).split()[0] in SCRIPT_WORDS[row.script], letter


@pytest.mark.parametrize("row", all_languages(), ids=lambda row: row.code)
def test_code_and_script_agree(row) -> None:
    assert re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?", row.code)
    if "-" in row.code:
        assert row.code.split("-")[1] == row.script


def test_sizes_sum_to_the_corrected_totals() -> None:
    rows = all_languages()
    assert math.fsum(row.cc100_gib for row in rows) == pytest.approx(2460.0, abs=0.5)
    assert math.fsum(row.cc100_million_words for row in rows) == pytest.approx(313_600, abs=50)
    assert math.fsum(row.wikipedia_gib for row in rows if row.wikipedia_gib) == pytest.approx(66.7, abs=0.1)
    assert sum(row.wikipedia_gib is not None for row in rows) == 88


def test_figure_and_table_name_their_source_and_misprints_a_note() -> None:
    for row in all_languages():
        assert ("Figure 1" in row.source) == (row.wikipedia_gib is not None)
    assert language("sv").cc100_gib == 77.8
    assert language("sv").note
    assert language("uk").cc100_million_words == 6500
    assert language("uk").note


def test_bytes_per_word_are_those_of_writing_with_spaces_where_words_stand_between_spaces() -> None:
    for row in all_languages():
        bytes_per_word = row.cc100_gib * 2**30 / (row.cc100_million_words * 1e6)
        if row.word_division == "none":
            # Thai 42, Chinese 194; the tables' sizes are rounded, so the small languages only show the order.
            assert bytes_per_word > 25, row.code
        else:
            assert bytes_per_word < 30, row.code


def test_aliases_are_unique_and_resolve() -> None:
    spellings = [spelling.lower() for row in all_languages() for spelling in (row.code, *row.aliases)]
    assert len(spellings) == len(set(spellings))
    for row in all_languages():
        for alias in row.aliases:
            assert language(alias) is row


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("zh", "zh-Hans"),
        ("zh_TW", "zh-Hant"),
        ("ZH-hans", "zh-Hans"),
        ("nb", "no"),
        ("hi_latn", "hi-Latn"),
        ("my_zaw", "my-Qaag"),
        ("yo", "yo"),
        ("nn", "nn"),
        ("sr_latn_rs", "sr-Latn-RS"),
        ("en-x-TOY", "en-x-toy"),
        # As FLORES and FineWeb-2 name them: ISO 639-3 and the script.
        ("swh_Latn", "sw"),
        ("arb_Arab", "ar"),
        ("cmn_Hani", "zh-Hans"),
        ("zho_Hant", "zh-Hant"),
        ("hin_Deva", "hi"),
        ("hin_Latn", "hi-Latn"),
        ("als_Latn", "sq"),
        ("als", "als"),
        ("srp_Latn", "sr-Latn"),
        ("srp_Cyrl", "sr"),
        ("yor_Latn", "yo"),
        ("tat_Cyrl", "tt"),
        ("tat_Latn", "tt-Latn"),
        ("ceb_Latn", "ceb"),
        ("ckb_Arab", "ckb"),
        # As mC4 does.
        ("iw", "he"),
        ("zh-Latn", "zh-Latn"),
        ("ja-Latn", "ja-Latn"),
        # As CC-100 does.
        ("bn_rom", "bn-Latn"),
        ("zh-Hans", "zh-Hans"),
    ],
)
def test_canonical_code(spelling: str, code: str) -> None:
    assert canonical_code(spelling) == code


@given(st.sampled_from(all_languages()), st.booleans())
def test_spelling_of_known_codes_does_not_matter(row, underscore: bool) -> None:
    spelling = row.code.upper().replace("-", "_" if underscore else "-")
    assert canonical_code(spelling) == row.code
    assert is_known(spelling)


@pytest.mark.parametrize("row", all_languages(), ids=lambda row: row.code)
def test_the_own_script_of_a_language_goes_without_saying(row) -> None:
    if "-" not in row.code:
        assert canonical_code(f"{row.code}_{row.script}") == row.code
    for alias in row.aliases:
        if len(alias) == 3:
            assert canonical_code(f"{alias}_{row.script}") == row.code
    assert canonical_code(f"{row.code.partition('-')[0]}-Zyyy") == f"{row.code.partition('-')[0]}-Zyyy"


PARTS = sorted({alias.partition("-")[0] for row in all_languages() for alias in (row.code, *row.aliases)})


@given(
    st.sampled_from(PARTS),
    st.sampled_from(["", "-Latn", "_Cyrl", "-Hani", "_hans", "-Arab"]),
    st.sampled_from(["", "-US"]),
)
def test_a_code_is_the_same_in_any_spelling_of_itself(part: str, script: str, region: str) -> None:
    code = canonical_code(part + script + region)
    assert canonical_code(code) == code == canonical_code(code.upper().replace("-", "_"))


@given(st.text(max_size=12))
def test_canonical_code_is_idempotent_or_refuses(text: str) -> None:
    try:
        code = canonical_code(text)
    except DataError:
        return
    assert canonical_code(code) == code


@pytest.mark.parametrize("text", ["", "e", "README", "english", "xx yy", "en/us", "..", "zh-"])
def test_malformed_codes_are_refused(text: str) -> None:
    with pytest.raises(DataError, match="is not a language code"):
        canonical_code(text)


def test_unknown_language_names_near_codes() -> None:
    assert not is_known("yo")
    with pytest.raises(DataError, match=r"language 'swx' is not in the table.*'sw'"):
        language("swx")


def test_shares_of_the_paper() -> None:
    sizes = {row.code: row.cc100_gib for row in all_languages()}
    shares = sampling_shares(sizes, alpha=0.3)
    expected = {"en": 2.93, "ru": 2.86, "de": 1.87, "zh-Hans": 1.68, "ur": 0.89, "sw": 0.61, "so": 0.40, "om": 0.27}
    assert {code: round(100 * shares[code], 2) for code in expected} == expected


SIZES = st.dictionaries(st.text(min_size=1), st.floats(1e-300, 1e300), min_size=1, max_size=20)


@given(SIZES, st.floats(0, 1))
def test_shares_sum_to_one_and_keep_order(sizes: dict[str, float], alpha: float) -> None:
    shares = sampling_shares(sizes, alpha=alpha)
    assert list(shares) == list(sizes)
    assert math.fsum(shares.values()) == pytest.approx(1)
    ranked = sorted(sizes, key=lambda code: sizes[code])
    for smaller, larger in itertools.pairwise(ranked):
        assert shares[smaller] <= shares[larger]


@given(SIZES)
def test_shares_at_the_ends(sizes: dict[str, float]) -> None:
    assert all(share == pytest.approx(1 / len(sizes)) for share in sampling_shares(sizes, alpha=0).values())
    largest = max(sizes.values())
    total = math.fsum(size / largest for size in sizes.values())
    for code, share in sampling_shares(sizes, alpha=1).items():
        assert share == pytest.approx(sizes[code] / largest / total)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, math.nan])
def test_alpha_outside_is_refused(alpha: float) -> None:
    with pytest.raises(ConfigError, match="alpha"):
        sampling_shares({"en": 1}, alpha=alpha)


@pytest.mark.parametrize("sizes", [{}, {"en": 1, "sw": 0}, {"en": -1}, {"en": math.nan}, {"en": math.inf}])
def test_sizes_that_cannot_be_sampled_are_refused(sizes: dict[str, float]) -> None:
    with pytest.raises(DataError):
        sampling_shares(sizes, alpha=0.3)


def test_the_script_of_any_language() -> None:
    assert all(script_of(row.code) == row.script for row in all_languages())
    outside = {"yo": "Latn", "sr-Latn": "Latn", "SR_latn": "Latn", "yue": "Hani", "be-tarask": "Cyrl", "pt-BR": "Latn"}
    assert {code: script_of(code) for code in outside} == outside
    assert script_of("jv-x-java") == "Latn"
    with pytest.raises(DataError, match="not a language code"):
        script_of("1")


def test_a_language_is_unspaced_as_the_table_says_or_its_script_is() -> None:
    for row in all_languages():
        assert is_unspaced(row.code) == (row.word_division == "none")
    assert all(map(is_unspaced, ("zh_cn", "zh-Hant-HK", "yue", "lzh", "wuu", "bo", "dz", "mnw", "shn", "pi-Thai")))
    assert not any(map(is_unspaced, ("zh-Latn", "ja-Latn", "yo", "sw", "ko", "mn-Mong", "no code", "")))
