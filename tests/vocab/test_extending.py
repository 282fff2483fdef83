"""More pieces for a vocabulary: which come, what they score, and what they leave as it was."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus import Corpus
from isogloss.errors import VocabularyError
from isogloss.vocab import VocabSettings, Vocabulary
from isogloss.vocab.changes import compare_words
from isogloss.vocab.extending import Extension, extend_vocabulary, reading_pieces, require_unigram
from isogloss.vocab.pieces import learned_pieces
from isogloss.vocab.resembling import resembling
from isogloss.vocab.sample import plan_sample
from isogloss.vocab.stages import bars

# Written for these tests: one language in a script that the vocabulary knows, one in a script that it does not.
NEW = {
    "eu": "Goizean okinak denda irekitzen du.\nOgiaren usainak kalea betetzen du.\nHaurrek ogia erosten dute goizean.\n"
    "Okinak goizean ogia egiten du.\nKalea usainez betetzen da.\nDenda goizean irekitzen dute haurrek.",
    "ka": "დილით მცხობელი მაღაზიას აღებს.\nპურის სუნი ქუჩას ავსებს.\nბავშვები დილით პურს ყიდულობენ.",
}
ADDED = 45


@pytest.fixture(scope="session")
def new_corpus(
    tmp_path_factory: pytest.TempPathFactory, write_corpus: Callable[..., Path], documents: Mapping[str, str]
) -> Corpus:
    texts = {code: [text] * 3 for code, text in NEW.items()} | {"en": [documents["en"]]}
    return Corpus.open(write_corpus(tmp_path_factory.mktemp("new") / "corpus", texts))


Extend = Callable[..., Extension]


@pytest.fixture(scope="session")
def extended_by(vocabulary: Vocabulary, new_corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Extend:
    def run(num: int, *, share: float = 0.1, old: Vocabulary = vocabulary) -> Extension:
        folder = tmp_path_factory.mktemp("work")
        plan = plan_sample({code: new_corpus.statistics[code]["bytes"] for code in NEW}, alpha=0.3)
        settings = VocabSettings(
            corpus=new_corpus.folder, output=folder / "out", size=old.size + num, character_coverage=1.0
        )
        with bars() as progress:
            return extend_vocabulary(old, new_corpus, plan, settings, share=share, folder=folder, progress=progress)

    return run


@pytest.fixture(scope="session")
def larger(extended_by: Extend) -> Vocabulary:
    return Vocabulary.from_bytes(extended_by(ADDED).content)


def test_old_pieces_keep_ids_and_scores_and_mask_is_last(vocabulary: Vocabulary, larger: Vocabulary) -> None:
    assert larger.size == vocabulary.size + ADDED
    assert larger.pieces[: vocabulary.mask_id] == vocabulary.pieces[:-1]
    assert larger.scores[: vocabulary.mask_id] == vocabulary.scores[:-1]
    assert larger.pieces[-1] == "<mask>"
    assert not set(larger.pieces[vocabulary.mask_id : -1]) & set(vocabulary.pieces)


def test_new_text_takes_fewer_pieces_and_bits_and_has_no_unknown_character(
    vocabulary: Vocabulary, larger: Vocabulary
) -> None:
    for code, text in NEW.items():
        change = compare_words(vocabulary, larger, [text], code)
        assert change.after.unknown_characters == 0, code
        assert change.after.bits is not None
        assert change.before.bits is not None
        assert change.after.bits < change.before.bits, code
    basque = compare_words(vocabulary, larger, [NEW["eu"]], "eu")
    assert basque.after.pieces < basque.before.pieces
    assert compare_words(vocabulary, larger, [NEW["ka"]], "ka").before.unknown_characters > 50


def test_every_new_piece_is_taken_by_some_word(vocabulary: Vocabulary, larger: Vocabulary) -> None:
    new = set(range(vocabulary.mask_id, larger.mask_id))
    met = {index for text in NEW.values() for index in larger.encode([text])[0].tolist()}
    # Characters come whether a longer piece takes their place or not.
    assert all(len(larger.pieces[index]) == 1 for index in new - met)
    assert len(new & met) > ADDED / 2


def test_the_same_pieces_come_again(extended_by: Extend, larger: Vocabulary) -> None:
    assert extended_by(ADDED).content == larger.content


def test_with_a_smaller_share_new_pieces_score_less(vocabulary: Vocabulary, extended_by: Extend) -> None:
    def scores(share: float) -> dict[str, float]:
        done = extended_by(ADDED, share=share)
        learned = learned_pieces(done.content)
        return {piece: learned[piece] for piece in done.added}

    few, more = scores(0.1), scores(0.5)
    assert set(few) == set(more)
    # Of scores that are not held at the lowest old one the share is a factor.
    free = [piece for piece in few if few[piece] > min(vocabulary.scores) + 1e-6]
    assert len(free) > 10
    assert all(few[piece] < more[piece] for piece in free)


def test_no_new_piece_scores_less_than_the_old_ones_so_an_unknown_character_costs_what_it_did(
    vocabulary: Vocabulary, extended_by: Extend
) -> None:
    scores = learned_pieces(extended_by(ADDED, share=1e-9).content)
    assert min(scores.values()) == min(learned_pieces(vocabulary.content).values())


@pytest.mark.parametrize(("num", "said"), [(3, "characters of the text that the vocabulary lacks"), (5000, "set add=")])
def test_too_few_or_too_many_pieces_say_how_many_can_be(extended_by: Extend, num: int, said: str) -> None:
    with pytest.raises(VocabularyError, match=said) as caught:
        extended_by(num)
    assert len(str(caught.value).splitlines()) == 1
    possible = int(str(caught.value).split("set add=")[1].split()[0])
    assert len(extended_by(possible).added) == possible


def test_nothing_is_new_to_the_vocabulary_of_that_text(extended_by: Extend) -> None:
    with pytest.raises(VocabularyError, match="set add=") as caught:
        extended_by(5000)
    everything = Vocabulary.from_bytes(extended_by(int(str(caught.value).split("set add=")[1].split()[0])).content)
    with pytest.raises(VocabularyError, match=r"new pieces|nothing to add"):
        extended_by(5000, old=everything)


def test_merges_are_refused() -> None:
    content = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a strange model", "of strange lines"]), model_writer=content, vocab_size=30,
        model_type="bpe", hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    with pytest.raises(VocabularyError, match="here: its vocabulary is BPE"):
        require_unigram(Vocabulary.from_bytes(content.getvalue()), "here")


def test_pieces_are_read_as_they_stand(vocabulary: Vocabulary) -> None:
    reader = reading_pieces(vocabulary.content)
    learned = vocabulary.pieces[4:-1]
    for piece, ids in zip(learned, reader.encode(learned), strict=True):
        assert "".join(reader.pieces[index] for index in ids.tolist()) == piece


names = st.text(alphabet="▁abc", min_size=1, max_size=6)


@given(st.lists(names, min_size=1, max_size=8, unique=True), names)
def test_a_piece_resembles_itself_most_and_weights_sum_to_one(among: list[str], piece: str) -> None:
    (found,) = resembling([piece], among, most=3)
    assert len(found) <= 3
    assert not found or sum(weight for _, weight in found) == pytest.approx(1)
    weights = [weight for _, weight in found]
    assert weights == sorted(weights, reverse=True)
    assert all(any(piece[n : n + 2] in among[place] for n in range(len(piece) - 1)) for place, _ in found)
    if piece in among and len(piece) > 1:
        best = max(weights)
        assert dict(found)[among.index(piece)] == pytest.approx(best)
