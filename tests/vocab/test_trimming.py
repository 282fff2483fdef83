"""Pieces chosen for some languages: what they cover is divided as before, and what is kept is what was asked for."""

from __future__ import annotations

import io
import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.errors import ConfigError, VocabularyError
from isogloss.vocab import MODEL_NAME, VocabSettings, Vocabulary, train_vocabulary
from isogloss.vocab.pieces import learned_pieces, with_pieces
from isogloss.vocab.texts import open_texts
from isogloss.vocab.tokenizer import Ids
from isogloss.vocab.trimming import (
    PieceUse,
    choose_pieces,
    compare,
    count_pieces,
    pieces_by_script,
    require_spelling,
    trimmed,
)


@pytest.fixture(scope="module")
def bpe(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Vocabulary:
    folder = tmp_path_factory.mktemp("trimming") / "bpe"
    train_vocabulary(VocabSettings(corpus=corpus, output=folder, size=400, character_coverage=1.0, model_type="bpe"))
    return Vocabulary.load(folder)


def lowest(vocabulary: Vocabulary) -> int:
    scores = vocabulary.scores[4:-1]
    return 4 + scores.index(min(scores))


def as_strings(vocabulary: Vocabulary, text: str) -> list[str]:
    return [vocabulary.pieces[index] for index in vocabulary.encode([text])[0]]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Words of several languages' letters, known and strange ones, as pieces may meet them."""
    letters = st.sampled_from("aeghinorstdbкплеуо хไกขน早面包сд٣ξ½ﬁ ▁e\u0301Ж")
    return draw(st.text(letters, min_size=1, max_size=40))


@settings(max_examples=150)
@given(text=texts(), draw=st.data())
def test_a_covered_text_is_divided_as_before(vocabulary: Vocabulary, text: str, draw: st.DataObject) -> None:
    """Whatever else is dropped, but for the piece with the lowest score."""
    used = set(vocabulary.encode([text])[0].tolist())
    others = draw.draw(st.sets(st.integers(4, vocabulary.mask_id - 1), max_size=60))
    kept = sorted({*vocabulary.special_ids, lowest(vocabulary), *used, *others})
    assert as_strings(trimmed(vocabulary, kept), text) == as_strings(vocabulary, text)


@settings(max_examples=60)
@given(text=texts(), others=st.lists(texts(), max_size=2))
def test_so_it_is_with_merges(bpe: Vocabulary, text: str, others: list[str]) -> None:
    used = {"en": count_pieces(bpe, [[text, *others]])}
    kept = choose_pieces(bpe, used, languages=())
    assert as_strings(trimmed(bpe, kept), text) == as_strings(bpe, text)


def test_merges_need_the_pieces_on_the_way(bpe: Vocabulary, documents: Mapping[str, str]) -> None:
    """Without them a text falls apart whose own pieces are all kept; so they are kept."""
    used = count_pieces(bpe, [list(documents.values())])
    kept = choose_pieces(bpe, {"en": used}, languages=())
    bare = sorted({*bpe.special_ids, *used.ids_U.tolist(), *(i for i, p in enumerate(bpe.pieces) if len(p) == 1)})
    on_the_way = set(kept.tolist()) - set(bare)
    assert on_the_way
    for text in documents.values():
        assert as_strings(trimmed(bpe, kept), text) == as_strings(bpe, text)
    assert any(as_strings(trimmed(bpe, bare), text) != as_strings(bpe, text) for text in documents.values())


def test_the_lowest_score_stays_as_unknown_characters_hang_on_it(vocabulary: Vocabulary) -> None:
    """X has no piece of its own: with a higher lowest score it would rather be unknown than end "dX"."""
    scores = {"▁": -1.0, "a": -20.0, "b": -20.0, "c": -20.0, "d": -20.0, "dX": -20.0, "abcd": -5.0, "q": -90.0}
    made = Vocabulary.from_bytes(with_pieces(vocabulary.content, scores))
    assert as_strings(made, "abcdX") == ["▁", "a", "b", "c", "dX"]
    q = made.pieces.index("q")
    without = trimmed(made, [index for index in range(made.size) if index != q])
    assert as_strings(without, "abcdX") == ["▁", "abcd", "<unk>"]
    kept = choose_pieces(made, {"th": count_pieces(made, [["abcdX"]])}, languages=("th",))
    assert q in kept
    assert made.pieces.index("abcd") not in kept
    assert as_strings(trimmed(made, kept), "abcdX") == as_strings(made, "abcdX")


def test_ids_and_scores_of_a_trimmed_vocabulary(vocabulary: Vocabulary) -> None:
    kept = [0, 1, 2, 3, *range(10, 60, 3), vocabulary.mask_id]
    smaller = trimmed(vocabulary, kept)
    assert smaller.pieces == tuple(vocabulary.pieces[index] for index in kept)
    assert smaller.scores == tuple(vocabulary.scores[index] for index in kept)
    assert smaller.mask_id == len(kept) - 1
    assert smaller.normalize("ﬁ  ½") == vocabulary.normalize("ﬁ  ½")


def use_of(counts: Sequence[int]) -> PieceUse:
    return PieceUse(np.arange(4, 4 + len(counts), dtype=np.int32), np.array(counts), 1, 0, ())


@given(counts=st.lists(st.integers(1, 1000), min_size=1, max_size=30), coverage=st.floats(0.01, 1))
def test_the_fewest_pieces_that_cover_enough(counts: list[int], coverage: float) -> None:
    chosen = use_of(counts).most_frequent(coverage)
    has = sorted((counts[index - 4] for index in chosen), reverse=True)
    assert len(set(chosen.tolist())) == len(chosen)
    assert sum(has) >= coverage * sum(counts)
    assert sum(has[:-1]) < coverage * sum(counts)
    assert has == sorted(counts, reverse=True)[: len(has)]
    assert len(use_of(counts).most_frequent(1.0)) == len(counts)


@pytest.mark.parametrize("coverage", [0.3, 0.8, 1.0])
def test_each_language_is_covered_and_nothing_known_becomes_unknown(
    vocabulary: Vocabulary, documents: Mapping[str, str], coverage: float
) -> None:
    blocks = {code: [documents[code].splitlines()] for code in ("en", "ru", "zh-Hans")}
    used = {code: count_pieces(vocabulary, blocks[code]) for code in blocks}
    kept = choose_pieces(vocabulary, used, languages=tuple(blocks), coverage=coverage)
    assert np.all(np.diff(kept) > 0)
    assert set(vocabulary.special_ids) <= set(kept.tolist())
    smaller = trimmed(vocabulary, kept)
    for code, use in used.items():
        done, examples = compare(vocabulary, smaller, kept, use, blocks[code])
        ids = np.concatenate(vocabulary.encode(blocks[code][0]))
        assert done.coverage == np.isin(ids, kept).mean() >= coverage
        assert (done.texts, done.pieces) == (3, len(ids))
        assert done.pieces_after == sum(map(len, smaller.encode(blocks[code][0])))
        assert done.unknown == done.unknown_after == 0
        assert all(np.isin(example, kept).all() for example in examples)
        assert done.unchanged == sum(
            as_strings(vocabulary, text) == as_strings(smaller, text) for text in blocks[code][0]
        )
        gone = dict(done.dropped)
        assert sum(gone.values()) == done.pieces - done.covered
        assert not set(gone) & set(smaller.pieces)
    assert "ខ" not in smaller.pieces
    assert not any("ก" <= piece <= "๛" for piece in smaller.pieces if len(piece) == 1), "Thai was not asked for"
    if coverage == 1:
        assert all(np.isin(use.ids_U, kept).all() for use in used.values())


def test_counts_do_not_hang_on_blocks_and_name_what_is_strange(
    vocabulary: Vocabulary, documents: Mapping[str, str]
) -> None:
    lines = [line for text in documents.values() for line in text.splitlines()] + ["the 犬 and the 犬猫"]
    whole, parts = count_pieces(vocabulary, [lines]), count_pieces(vocabulary, [lines[:5], lines[5:]])
    assert np.array_equal(whole.ids_U, parts.ids_U)
    assert np.array_equal(whole.counts_U, parts.counts_U)
    assert whole.num_texts == parts.num_texts == len(lines)
    assert whole.num_unknown == parts.num_unknown == 2
    assert dict(whole.unknown_characters) == {"犬": 2, "猫": 1}
    ids = np.concatenate(vocabulary.encode(lines))
    assert whole.counts_U.sum() + whole.num_unknown == len(ids)


def test_without_text_scripts_decide(vocabulary: Vocabulary) -> None:
    kept = set(choose_pieces(vocabulary, {}, languages=("ru", "ko")).tolist())
    for index, piece in enumerate(vocabulary.pieces[4:-1], start=4):
        letters = {character for character in piece if unicodedata.category(character)[0] in "LM"}
        if any("а" <= letter <= "я" or "가" <= letter <= "힣" for letter in letters):
            assert index in kept, piece
        elif any("α" <= letter <= "ω" or "ก" <= letter <= "๛" or "一" <= letter <= "龥" for letter in letters):
            assert index not in kept or index == lowest(vocabulary), piece
        elif piece.isascii():
            assert (index in kept) == (len(piece) == 1) or index == lowest(vocabulary), piece
        elif not letters:
            assert index in kept, piece
    assert vocabulary.pieces.index("▁") in kept
    with pytest.raises(ConfigError, match="script Bali"):
        choose_pieces(vocabulary, {}, languages=("ban-Bali",))


def test_pieces_by_script(vocabulary: Vocabulary) -> None:
    everything = np.arange(vocabulary.size, dtype=np.int32)
    counts = pieces_by_script(vocabulary, everything)
    assert sum(before for before, _ in counts.values()) == vocabulary.size - 5
    assert all(before == after for before, after in counts.values())
    assert {"Arab", "Grek", "Latn", "Deva", "Hang", "Cyrl", "Thai", "Hani"} <= counts.keys()
    few = pieces_by_script(vocabulary, choose_pieces(vocabulary, {}, languages=("el",)))
    assert few["Grek"] == counts["Grek"]
    assert few["Hani"][1] <= 1


def test_another_division_is_found(vocabulary: Vocabulary, documents: Mapping[str, str]) -> None:
    """A smaller vocabulary with other scores: it has all pieces of the texts and takes others."""
    blocks = [documents["en"].splitlines()]
    use = count_pieces(vocabulary, blocks)
    kept: Ids = np.arange(vocabulary.size, dtype=np.int32)
    scores = {piece: -10.0 * len(piece) ** 3 for piece in learned_pieces(vocabulary.content)}
    another = Vocabulary.from_bytes(with_pieces(vocabulary.content, scores))
    with pytest.raises(VocabularyError, match="divided in another way"):
        compare(vocabulary, another, kept, use, blocks)


def test_the_share_of_what_is_new_is_estimated(write_corpus: Callable[..., Path], tmp_path: Path) -> None:
    """Good-Turing on one half of a text and what the other half shows."""
    draw = np.random.default_rng(1)
    words = ["".join(draw.choice(list("abcdefghij"), size=6)) for _ in range(3000)]
    shares = 1 / np.arange(1, 3001)
    lines = [" ".join(draw.choice(words, size=10, p=shares / shares.sum())) for _ in range(600)]
    pieces = {f"▁{word}": -1.0 - 0.001 * place for place, word in enumerate(dict.fromkeys(words))}
    singles = dict.fromkeys(["▁", *"abcdefghij"], -50.0)
    content = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=content, vocab_size=100, minloglevel=2, num_threads=1
    )
    vocabulary = Vocabulary.from_bytes(with_pieces(content.getvalue(), {**singles, **pieces}))
    use = count_pieces(vocabulary, [lines[:300]])
    kept = choose_pieces(vocabulary, {"en": use}, languages=())
    done, _ = compare(vocabulary, trimmed(vocabulary, kept), kept, use, [lines[300:]])
    assert math.isclose(1 - done.coverage, use_unmet(use, done.pieces), rel_tol=0.3)


def use_unmet(use: PieceUse, num_pieces: int) -> float:
    return int((use.counts_U == 1).sum()) / num_pieces


def test_models_of_another_kind_are_refused(vocabulary: Vocabulary, bpe: Vocabulary, corpus: Path) -> None:
    require_spelling(vocabulary, "one")
    require_spelling(bpe, "other")
    for more, match in (({"model_type": "char"}, "words or characters"), ({"byte_fallback": True}, "kind BYTE")):
        content = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a few words", "of few letters"]),
            model_writer=content,
            vocab_size=300,
            hard_vocab_limit=False,
            minloglevel=2,
            **more,
        )
        with pytest.raises(VocabularyError, match=match) as error:
            require_spelling(Vocabulary.from_bytes(content.getvalue()), "one")
        assert len(str(error.value).splitlines()) == 1


def test_texts_are_the_same_wherever_they_lie(corpus: Path, documents: Mapping[str, str], tmp_path: Path) -> None:
    for code, text in documents.items():
        (tmp_path / f"{code}.txt").write_text(f"\n{text}\n\n", encoding="utf-8")
    (tmp_path / MODEL_NAME).touch()
    folder, whole = open_texts(tmp_path), open_texts(corpus)
    assert folder.languages == whole.languages == tuple(sorted(documents))
    for code in documents:
        wanted = [documents[code].splitlines()]
        assert list(folder.blocks(code)) == list(whole.blocks(code)) == wanted
        alone = open_texts(tmp_path / f"{code}.txt")
        assert (alone.languages, list(alone.blocks(code))) == ((code,), wanted)
    assert open_texts(corpus, ["zh_cn", "EN"]).languages == open_texts(tmp_path, ["zh_cn", "EN"]).languages
    (tmp_path / "notes-of-mine.txt").write_text("a line\n", encoding="utf-8")
    assert open_texts(tmp_path / "notes-of-mine.txt").languages == ("und",)
    assert open_texts(tmp_path / "notes-of-mine.txt", ["sw"]).languages == ("sw",)
    before = folder.origin.fingerprint
    (tmp_path / "en.txt").write_text("Another text.\n", encoding="utf-8")
    assert open_texts(tmp_path).origin.fingerprint != before
