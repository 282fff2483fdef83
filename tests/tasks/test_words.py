"""Words and pieces by character offset: every word has a row, in every script, with spaces or without."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.tasks import divide_words, join_words, word_rows
from isogloss.tasks.words import UNSPACED, further_rows
from isogloss.vocab import Vocabulary

ALPHABET = "abcANz .,'-0½ﬁ\u00a0\u200b\u3000安北京大学ที่สภากาอيфнा्ガ▁🙂"


def pieces_of(vocabulary: Vocabulary, text: str) -> tuple[np.ndarray, np.ndarray]:
    _, starts, ends = vocabulary.encode_with_offsets(text)
    return starts, ends


@given(
    words=st.lists(st.text(ALPHABET, min_size=0, max_size=6), max_size=8), language=st.sampled_from(["en", "zh", "th"])
)
@settings(max_examples=150, deadline=None)
def test_every_word_has_a_row_and_its_own_holds_its_beginning(
    vocabulary: Vocabulary, words: list[str], language: str
) -> None:
    text, spans = join_words(words, language=language)
    assert [text[start:end] for start, end in spans] == words
    starts, ends = pieces_of(vocabulary, text)
    rows, own = word_rows(text, spans, starts, ends)
    assert len(rows) == len(own) == len(words)
    if len(rows) and (starts < ends).any():
        assert rows.min() >= 0
        assert rows.max() < len(starts)
    for (start, end), row, mine in zip(spans, rows, own, strict=True):
        if mine:
            assert starts[row] < end, "its own piece begins inside the word or before it"
            assert ends[row] > start, "and holds its beginning"
    assert len(set(rows[own])) == own.sum(), "no two words own one piece"
    assert (np.diff(rows) >= 0).all(), "rows follow the words"


def test_languages_without_spaces_are_joined_without_them() -> None:
    assert join_words(["北京", "大学"], language="zh")[0] == "北京大学"
    assert join_words(["สภา", "กาชาด"], language="th")[0] == "สภากาชาด"
    assert join_words(["東京", "の"], language="ja")[0] == "東京の"
    assert join_words(["Ana", "anaishi"], language="sw")[0] == "Ana anaishi"
    assert join_words(["Hà Nội", "đẹp"], language="vi") == ("Hà Nội đẹp", [(0, 6), (7, 10)])
    assert join_words(["a", "b"])[0] == "a b"


def test_a_lone_space_mark_is_never_a_words_piece() -> None:
    # ▁ | 安 | 娜: the first piece stands for no character.
    rows, own = word_rows("安娜", [(0, 1), (1, 2)], np.array([0, 0, 1]), np.array([0, 1, 2]))
    assert rows.tolist() == [1, 2]
    assert own.all()
    # The piece stands for a space only.
    rows, _ = word_rows("a .", [(0, 1), (2, 3)], np.array([0, 1, 2]), np.array([1, 2, 3]))
    assert rows.tolist() == [0, 2]


def test_pieces_of_one_character_are_read_at_the_first_of_them() -> None:
    # ▁ | 1 | ⁄ | 2 of "½", after an empty word: rows follow the words.
    rows, own = word_rows("½", [(0, 0), (0, 1)], np.array([0, 0, 0, 0]), np.array([0, 1, 1, 1]))
    assert (rows.tolist(), own.tolist()) == ([1, 1], [False, True])


def test_a_word_without_a_piece_of_its_own_is_read_from_the_nearest_before_it() -> None:
    # One piece covers both words.
    rows, own = word_rows("北京大学", [(0, 2), (2, 4)], np.array([0]), np.array([4]))
    assert (rows.tolist(), own.tolist()) == ([0, 0], [True, False])
    # A piece runs across the boundary, but a later one begins inside the second word.
    rows, own = word_rows("北京大学", [(0, 2), (2, 4)], np.array([0, 1, 3]), np.array([1, 3, 4]))
    assert (rows.tolist(), own.tolist()) == ([0, 2], [True, True])
    # Nobody is read from the piece across the boundary, and no piece begins inside the second or the third word.
    rows, own = word_rows("北京大学の", [(0, 2), (2, 4), (4, 5)], np.array([0, 1]), np.array([1, 5]))
    assert (rows.tolist(), own.tolist()) == ([0, 1, 1], [True, True, False])
    # An empty word is not read from the piece of the word behind it, and what cannot be seen takes no piece.
    rows, own = word_rows("安娜", [(0, 1), (1, 1), (1, 2)], np.array([0, 1]), np.array([1, 2]))
    assert (rows.tolist(), own.tolist()) == ([0, 0, 1], [True, False, True])
    rows, own = word_rows("安娜\u200b", [(0, 2), (2, 3)], np.array([0, 1]), np.array([1, 3]))
    assert (rows.tolist(), own.tolist()) == ([0, 1], [True, False])
    # The first word is normalised away.
    rows, own = word_rows("\u200b ab", [(0, 1), (2, 4)], np.array([2]), np.array([4]))
    assert (rows.tolist(), own.tolist()) == ([0, 0], [False, True])
    # Nothing is left at all.
    rows, own = word_rows("\u200b", [(0, 1)], np.array([], np.int32), np.array([], np.int32))
    assert (rows.tolist(), own.tolist()) == ([-1], [False])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Anna lives in St-Denis, doesn't she?", ["Anna", "lives", "in", "St-Denis", ",", "doesn't", "she", "?"]),
        ("«U.S.»  3.5%", ["«", "U.S", ".", "»", "3.5", "%"]),
        ("अन्ना ओस्लो में।", ["अन्ना", "ओस्लो", "में", "।"]),
        ("تعيش، في", ["تعيش", "،", "في"]),
        ("\u200fתל\u200e, Os\u00adlo\ufeff \u200d", ["תל", ",", "Os\u00adlo"]),
        ("Hi👨‍👩‍👧👍🏽❤️🇰🇪🇹🇿 1️⃣", ["Hi", "👨‍👩‍👧", "👍🏽", "❤️", "🇰🇪", "🇹🇿", "1️⃣"]),
        ("", []),
    ],
)
def test_running_text_divides_at_spaces_and_punctuation(vocabulary: Vocabulary, text: str, expected: list[str]) -> None:
    spans = divide_words(text, *pieces_of(vocabulary, text))
    assert [text[start:end] for start, end in spans] == expected


@given(text=st.text(ALPHABET, max_size=40))
@settings(max_examples=150, deadline=None)
def test_divided_words_cover_all_visible_characters_once(vocabulary: Vocabulary, text: str) -> None:
    spans = divide_words(text, *pieces_of(vocabulary, text))
    covered = [position for start, end in spans for position in range(start, end)]
    assert covered == sorted(set(covered))
    visible = {position for position, character in enumerate(text) if not character.isspace() and character != "\u200b"}
    assert visible <= set(covered)
    assert not [start for start, _ in spans if text[start] == "\u200b"]


def test_no_word_begins_with_a_mark_of_the_letter_before() -> None:
    text = "กรุงเทพ"
    ends = np.arange(1, len(text) + 1, dtype=np.int32)
    words = [text[start:end] for start, end in divide_words(text, ends - 1, ends)]
    assert words == ["ก", "รุ", "ง", "เ", "ท", "พ"]


@pytest.mark.parametrize(
    ("text", "pieces", "expected"),
    [
        ("在Oslo北京", ["在", "O", "slo", "北京"], ["在", "Oslo", "北京"]),
        ("去了NASA工作", ["去了", "NA", "SA", "工作"], ["去了", "NASA", "工作"]),
        ("อยู่ในOslo2019", ["อยู่", "ใน", "Oslo", "20", "19"], ["อยู่", "ใน", "Oslo2019"]),
        ("カ\u3099Oslo", ["カ\u3099", "O", "slo"], ["カ\u3099", "Oslo"]),
        ("在\u200dOslo", ["在", "\u200d", "Oslo"], ["在\u200d", "Oslo"]),
        ("在\ufe00Oslo", ["在", "\ufe00", "Oslo"], ["在\ufe00", "Oslo"]),
        ("北京-Oslo3.5元", ["北京", "-", "Oslo", "3.", "5", "元"], ["北京", "-", "Oslo3.5", "元"]),
        ("พ.ศ", ["พ.ศ"], ["พ.ศ"]),
        ("在Oslo", ["在O", "slo"], ["在Oslo"]),
        ("St-Denis2", ["St", "-", "Denis", "2"], ["St-Denis2"]),
    ],
)
def test_another_script_behind_one_without_spaces_begins_a_word_where_a_piece_begins(
    text: str, pieces: list[str], expected: list[str]
) -> None:
    assert "".join(pieces) == text
    ends = np.cumsum([len(piece) for piece in pieces]).astype(np.int32)
    starts = ends - np.array([len(piece) for piece in pieces], np.int32)
    assert [text[start:end] for start, end in divide_words(text, starts, ends)] == expected


@given(text=st.text("aN1é北の在ที่\u0301\u200d\u3099", max_size=20))
@settings(max_examples=200, deadline=None)
def test_no_word_holds_two_scripts_where_every_character_is_a_piece(text: str) -> None:
    ends = np.arange(1, len(text) + 1, dtype=np.int32)
    for start, end in divide_words(text, ends - 1, ends):
        letters = [bool(UNSPACED.match(character)) for character in text[start:end] if character.isalnum()]
        assert len(letters) < 2 or not any(letters), "a letter of a script without spaces is alone, others together"


@pytest.mark.parametrize("language", ["zh-Hant-HK", "yue", "lzh", "wuu", "bo", "dz", "mnw", "shn", "yue_Hant"])
def test_languages_outside_the_table_are_joined_as_their_script_is_written(language: str) -> None:
    assert join_words(["ཀ", "ཁ"], language=language)[0] == "ཀཁ"


@given(words=st.lists(st.text(ALPHABET, max_size=6), max_size=8))
@settings(max_examples=150, deadline=None)
def test_every_row_that_running_text_is_read_from_is_trained(vocabulary: Vocabulary, words: list[str]) -> None:
    text, spans = join_words(words, language="zh")
    starts, ends = pieces_of(vocabulary, text)
    rows, own = word_rows(text, spans, starts, ends)
    further, of_words = further_rows(text, spans, starts, ends)
    divided = divide_words(text, starts, ends)
    read, begins = word_rows(text, divided, starts, ends)
    assert not set(further) & set(rows[own]), "no row has two labels"
    for row, word in zip(further, of_words, strict=True):
        start, end = spans[word]
        assert start <= starts[row] < end
    inside = {place for start, end in spans for place in range(start, end)}
    reached = [row for row, mine, (start, _) in zip(read, begins, divided, strict=True) if mine and start in inside]
    assert set(reached) <= set(rows[own]) | set(further)


def test_the_next_line_character_is_a_piece_as_it_is_to_sentencepiece(vocabulary: Vocabulary) -> None:
    text, spans = join_words(["a", "\x85", "b"], language="en")
    _, own = word_rows(text, spans, *pieces_of(vocabulary, text))
    assert own.all()


def test_text_without_spaces_divides_where_pieces_begin(vocabulary: Vocabulary) -> None:
    text = "安娜住在Oslo北京大学"
    starts, ends = pieces_of(vocabulary, text)
    spans = divide_words(text, starts, ends)
    inside = {start for start, _ in spans if text[start] > "\u4e00"}
    assert inside
    assert all(start == 0 or start in starts or text[start - 1] < "\u4e00" for start in inside)
