"""What neither opinion can say: which Chinese, which Burmese, which romanised language."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus.identify.burmese import decide_burmese, zawgyi_score
from isogloss.corpus.identify.chinese import count_chinese, decide_chinese
from isogloss.corpus.identify.romanise import SCRIPT_CODES, romanise
from isogloss.corpus.identify.romanised import ROMANISED, words_verdict
from isogloss.phrasebook import LANGUAGES, parallel_sentences

SIMPLIFIED, TRADITIONAL = "这个图书馆里有很多书，我们常常来学习。", "這個圖書館裡有很多書，我們常常來學習。"
UNICODE = (
    "ကျွန်တော်တို့ မနက်ဖြန် ဈေးကို သွားမယ်။",
    "ကလေးတွေက ပန်းခြံထဲမှာ ကစားနေကြတယ်။",
    "မေမေ ထမင်းချက်ပြီး ဖေဖေ စာဖတ်နေတယ်။",
)


def zawgyi(text: str) -> str:
    """Unicode Burmese in Zawgyi's order and code points, as far as these sentences need it."""
    syllable = re.compile(
        "([\u1000-\u1021])(\u103b?)(\u103c?)(\u103d?)(\u103e?)(\u1031?)([\u102b-\u1030\u1032-\u103a]*)"
    )

    def reordered(match: re.Match[str]) -> str:
        consonant, ya, ra, wa, ha, vowel, rest = match.groups()
        before = vowel + ("\u103b" if ra else "")
        medials = ("\u103a" if ya else "") + ("\u103c" if wa else "") + ("\u103d" if ha else "")
        return before + consonant + medials + rest.replace("\u103a", "\u1039")

    return syllable.sub(reordered, text)


def chinese(text: str) -> str:
    return decide_chinese(count_chinese([text]), np.array([len(text)]), min_cantonese=0.02)[0]


def test_simplified_traditional_cantonese() -> None:
    assert chinese(SIMPLIFIED) == "zh-Hans"
    assert chinese(TRADITIONAL) == "zh-Hant"
    assert chinese("佢哋喺屋企食咗飯，冇嘢做。") == "yue"
    assert chinese("人口") == ""


@given(st.sampled_from([SIMPLIFIED, TRADITIONAL]), st.integers(2, 18))
def test_a_piece_of_chinese_is_never_the_other_one(text: str, length: int) -> None:
    assert chinese(text[:length]) in {chinese(text), ""}


@pytest.mark.parametrize("text", UNICODE)
def test_unicode_and_zawgyi_are_told_apart(text: str) -> None:
    assert decide_burmese([text, zawgyi(text)], min_mon=0.01) == ["my", "my-Qaag"]
    assert zawgyi_score("") == 0


def test_romanised_sentences_are_found(romanised_sentences: list[tuple[str, str]]) -> None:
    verdict = words_verdict([text for _, text in romanised_sentences])
    found = [ROMANISED[place] if place >= 0 else "" for place in verdict.language]
    right = [code == language for code, (language, _) in zip(found, romanised_sentences, strict=True)]
    missed = [not code for code in found]
    assert sum(right) >= 0.8 * len(right)
    assert sum(right) + sum(missed) == len(right), "one of the five was taken for another"


def test_other_languages_are_not_found_romanised(sentences: dict[str, str]) -> None:
    latin = [code for code in LANGUAGES if code in {"de", "en", "es", "fr", "sw", "tr", "vi"}]
    texts = [text for row in parallel_sentences(latin, 200, seed=3) for text in row]
    found = words_verdict([*sentences.values(), *texts])
    assert (found.language == -1).all()


def test_confidence_of_hindi_is_less_where_it_may_be_urdu() -> None:
    both, hindi = words_verdict(
        ["kya tum mere saath ghar chaloge", "kripya is vishay par jankari prapt karke mitra bhi"]
    ).confidence
    assert 0 < both < 1
    assert hindi > 0


@pytest.mark.parametrize("code", SCRIPT_CODES)
def test_romanising_leaves_latin_letters(code: str, sentences: dict[str, str]) -> None:
    text = sentences[SCRIPT_CODES[code]]
    careful, loose = (romanise(text, code, style=style, seed=1) for style in ("careful", "loose"))
    assert careful.isascii()
    assert loose.isascii()
    assert len(loose) <= len(careful)
    assert len(careful.split()) == len(text.split())
    assert romanise(text, code, style="loose", seed=1) == loose
    assert romanise("Anna sleeps.", code, style="loose", seed=1) == "Anna sleeps."


def test_spellings_a_reader_would_expect() -> None:
    assert romanise("मेरा घर पास है", "hi-Latn", style="careful") == "meraa ghar paas hai"
    assert romanise("আমি ভাত খাই", "bn-Latn", style="careful") == "aami bhaat khaai"
    assert romanise("நான் வீடு", "ta-Latn", style="careful") == "naan viitu"
    assert romanise("నేను ఇల్లు", "te-Latn", style="careful") == "nenu illu"
    assert romanise("وہ میں ہے", "ur-Latn", style="careful") == "wo mein hai"
