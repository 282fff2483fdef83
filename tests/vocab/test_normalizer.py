"""The normaliser of tokenizer.json does to text what SentencePiece's does, however marks stand."""

from __future__ import annotations

import io
import json
import random
import unicodedata
from typing import Any

import pytest
import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from isogloss.vocab import Vocabulary
from isogloss.vocab.normalizer import OF_NMT_NFKC, hub_normalizer, table_rules

tokenizers = pytest.importorskip("tokenizers")
messages: Any = sentencepiece_model_pb2

# Letters, composed and folded ones, marks of many classes in no order, jamo of four kinds, signs that become spaces.
CHARACTERS = [
    *"aeiouAEOqxz éậǖṩÅ ½ﬁⅨＡ㎏Ⓢªˢ αωἀᾳᾧ ΐ и й ё か が ｶ ﾊ ガ ㄱ ㅎ ㅏ ㄴ ᄒ ᅡ ᆫ 하 한 ﾡ ￂ ㉮ ～ ▁ \ufffd",
    *"\u0300\u0301\u0302\u0303\u0304\u0307\u0308\u0323\u0327\u0328\u031b\u0338\u0342\u0345\u0313\u0340\u0341\u0344",
    *"\u05b0\u05bc\u05c1\u0651\u064e\u0654\u0653\u0655\u0670\u093c\u094d\u09be\u0bc6\u0bbe\u0bd7\u0dd9\u0dcf\u0dca",
    *"\u0e38\u0e48\u0e33\u3099\u309a\uff9e\uff9f\u0f71\u0f72\u0f73\u0fb5\u1025\u102e\u102f\u200b\u200c\u200d\u20dd",
    *"\u0085\u00a0\u3000\u1680\ufe0fक ढ ক\u09c7 க س ا ش ש ּ ་ ཀ ก น \t\n\x01\x1f\x7f",
]


def table(name: str) -> bytes:
    """SentencePiece's compiled table of this normaliser."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a strange model", "of strange lines", "strangely lined models"]),
        model_writer=model,
        vocab_size=21,
        minloglevel=2,
        normalization_rule_name=name,
    )
    proto = messages.ModelProto()
    proto.ParseFromString(model.getvalue())
    return bytes(proto.normalizer_spec.precompiled_charsmap)


@pytest.fixture(scope="module")
def nmt_nfkc() -> bytes:
    """The table that SentencePiece takes unless it is told of another."""
    return table("nmt_nfkc")


@pytest.fixture(scope="module")
def theirs(nmt_nfkc: bytes) -> Any:
    """The normaliser as the library reads it from a file."""
    content = {"version": "1.0", "added_tokens": [], "normalizer": hub_normalizer(nmt_nfkc)}
    content["model"] = {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}
    return tokenizers.Tokenizer.from_str(json.dumps(content)).normalizer


def words(text: str) -> str:
    """Without what the split at spaces takes away."""
    return " ".join(part for part in text.replace("▁", " ").split(" ") if part)


def test_random_rows_of_letters_and_marks_come_out_alike(vocabulary: Vocabulary, theirs: Any) -> None:
    choice = random.Random(1)
    for _ in range(20_000):
        text = "".join(choice.choices(CHARACTERS, k=choice.randint(1, 6)))
        assert words(theirs.normalize_str(text)) == words(vocabulary.normalize(text)), ascii(text)


def test_every_sequence_of_the_table_comes_out_alike_unless_newer_than_the_library(
    vocabulary: Vocabulary, theirs: Any, nmt_nfkc: bytes
) -> None:
    composes = tokenizers.normalizers.NFKC()
    unlike = [
        source
        for source in table_rules(nmt_nfkc)
        if words(theirs.normalize_str(f"a{source}b")) != words(vocabulary.normalize(f"a{source}b"))
    ]
    assert len(unlike) < 500
    for source in unlike:
        assert len(source) > 1, "single characters are all alike"
        assert composes.normalize_str(source[0]) == source[0] != vocabulary.normalize(source), ascii(source)


def test_composed_and_decomposed_text_is_one_text(theirs: Any) -> None:
    for text in ("Việt Nam, ngữ pháp", "한국어 문법", "がぎぐ パピプ", "ᾧ ΐ ἄρτος", "கொடி கோடி"):
        apart = unicodedata.normalize("NFD", text)
        assert apart != text
        assert theirs.normalize_str(apart) == theirs.normalize_str(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("name", ["nfkc", "nfkc_cf", "nmt_nfkc_cf"])
def test_another_table_is_handed_on_as_it_stands(name: str) -> None:
    normalizer = hub_normalizer(table(name))
    assert normalizer is not None
    assert normalizer["type"] == "Precompiled"


def test_no_table_is_no_normaliser() -> None:
    assert hub_normalizer(b"") is None


def test_the_rules_are_those_that_sentencepiece_applies(vocabulary: Vocabulary, nmt_nfkc: bytes) -> None:
    rules = table_rules(nmt_nfkc)
    assert len(rules) > 15_000
    assert all(rules.get(source) == target for source, target in OF_NMT_NFKC.items())
    for source, target in list(rules.items())[::50]:
        assert words(vocabulary.normalize(f"q{source}q")) == words(f"q{target}q"), ascii(source)
