"""Words as SentencePiece's trainer sees them: normalised, cut where no piece can stand, nothing lost."""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from isogloss.vocab.layout import SPACE
from isogloss.vocab.scripts import kinds_of_characters
from isogloss.vocab.words import NORMALISATION, as_written, cut_word, normalised, words_of

NORMALISER = sentencepiece.SentencePieceNormalizer(rule_name=NORMALISATION)
# Letters of several scripts, signs of none, marks that no script owns.
MIXED = st.text(alphabet="ab,1я。の今ーด่คक्ॐ\u0301عَ한글", max_size=120)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("two  lines\nof\ttext ", ["two", "lines", "of", "text"]),
        ("ＡＢ ½\u3000ﬁ", ["AB", "1\u20442", "fi"]),
        ("a<s>b </s><mask><pad> c\0d▅e▁f <unk>", ["a", "b", "c", "d", "e", "f"]),
        ("＜ｓ＞x", ["x"]),
        ("", []),
        ("\ud83d", ["?"]),
    ],
)
def test_words_are_what_the_normaliser_leaves(text: str, words: list[str]) -> None:
    assert words_of(normalised(NORMALISER, text), span=32) == words


@given(text=MIXED, span=st.integers(4, 20))
def test_spans_are_bounded_and_nothing_of_a_word_is_lost(text: str, span: int) -> None:
    parts = list(cut_word(text, span))
    assert [part.startswith(" ") for part in parts] == [False] + [True] * (len(parts) - 1)
    assert "".join(part.removeprefix(" ") for part in parts) == text
    assert all(len(part.removeprefix(" ")) <= span for part in parts)
    assert [as_written(part).startswith(SPACE) for part in parts] == [True] + [False] * (len(parts) - 1)


def test_no_piece_of_sentencepiece_has_two_kinds_of_characters(documents: Mapping[str, str]) -> None:
    kinds = kinds_of_characters()
    # All documents in one line, and each character beside each of another script.
    lines = ["".join(documents.values()).replace("\n", "").replace(" ", "")] * 3
    lines += ["の今の今"] * 20
    lines += ["".join(pair) for pair in itertools.permutations("aяα1,。の今ーดकع한א", 2)] * 3
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, vocab_size=400, minloglevel=2, hard_vocab_limit=False
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    pieces = [processor.id_to_piece(index) for index in range(3, processor.get_piece_size())]
    assert sum(len(piece) > 1 for piece in pieces) > 30
    for piece in pieces:
        assert len({int(kinds[ord(character)]) for character in piece} - {0}) <= 1, piece
    assert any("の" in piece and "今" in piece for piece in pieces), "Han and kana are of one kind"


def test_kinds_tell_letters_and_signs_apart() -> None:
    kinds = kinds_of_characters()
    several = "aяαعאक今ด한,"
    assert len({int(kinds[ord(character)]) for character in several} - {0}) == len(several)
    for same in ("aé", "今のカー", "कि", ",1。€", "กิ"):
        assert len({int(kinds[ord(character)]) for character in same}) == 1
    for unsure in ("▁", "\u0301", "\u064b", "\u0951"):
        assert kinds[ord(unsure)] == 0
