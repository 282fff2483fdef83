"""Scores of spans and answers: probabilities of the model's logits, the score of no answer, further answers."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch

from isogloss.errors import ConfigError
from isogloss.predict import FoundAnswer, Predictor
from isogloss.tasks import LONGEST_ANSWER, join_words, word_rows
from isogloss.tasks.windows import question_windows

Predictors = Callable[[str], Predictor]
CONTEXTS = ["Anna lives in Oslo.", "the dog runs near the river. Anna lives in Oslo. " * 5, "安娜住在奥斯陆。" * 12]


def shares_of(model: Predictor, words: Sequence[str]) -> tuple[torch.Tensor, list[int]]:
    """The probabilities of the labels at each token, and the row that each word is read from."""
    text, spans = join_words(words)
    ids, starts, ends = model.tokenizer.encode_with_offsets(text)
    (logits_TL,) = model.logits([[0, *ids.tolist(), 2]])
    return logits_TL.softmax(-1), (word_rows(text, spans, starts, ends)[0] + 1).tolist()


def test_the_score_of_a_word_is_the_probability_of_its_tag(predictor: Predictors) -> None:
    model = predictor("tags")
    words = ["Anna", "lives", "in", "Oslo"]
    (spans,) = model.tag([words])
    shares_TL, rows = shares_of(model, words)
    for span, row in zip(spans, rows, strict=True):
        assert model.labels[int(shares_TL[row].argmax())] == span.tag
        assert span.score == pytest.approx(float(shares_TL[row].max()), rel=1e-4)


def test_the_score_of_an_entity_is_the_mean_over_its_words(predictor: Predictors) -> None:
    model = predictor("token")
    texts = ["Anna lives in Oslo near the river and the moon", "the dog runs here"]
    found = model.tag(texts)
    assert any(" " in span.text for spans in found for span in spans), "an entity of several words"
    for text, spans in zip(texts, found, strict=True):
        shares_TL, rows = shares_of(model, text.split())
        starts = [match.start() for match in re.finditer(r"\S+", text)]
        for span in spans:
            inside = [row for row, start in zip(rows, starts, strict=True) if span.start <= start < span.end]
            assert span.score == pytest.approx(float(shares_TL[inside].max(-1).values.mean()), rel=1e-3)


def test_no_answer_scores_as_little_as_in_the_window_most_sure_of_one(predictor: Predictors) -> None:
    model = predictor("question")
    for context in CONTEXTS:
        (found,) = model.answer([("who?", context)])
        windows = question_windows([("who?", context)], model.tokenizer, max_length=64)
        logits = [rows.numpy() for rows in model.logits([window.ids.tolist() for window in windows])]
        assert found.no_answer_score == pytest.approx(min(rows[0].sum() for rows in logits), rel=1e-4)
        assert found.answered == (found.score > found.no_answer_score)
        likely = []
        for rows in logits:
            shares = np.exp(rows - rows.max(0)) / np.exp(rows - rows.max(0)).sum(0)
            likely += [start * end for start in shares[:, 0] for end in shares[:, 1]]
        assert any(found.probability == pytest.approx(float(one), rel=1e-3) for one in likely)
        assert 0 < found.probability <= 1


def test_an_answer_that_scores_less_than_none_is_not_answered() -> None:
    assert FoundAnswer(0, 1, "a", score=2.0, probability=0.5, no_answer_score=1.0).answered
    assert not FoundAnswer(0, 1, "a", score=1.0, probability=0.5, no_answer_score=1.0).answered


@pytest.mark.parametrize("top_k", [1, 2, 5, 40])
def test_further_answers_stand_beside_each_other(predictor: Predictors, top_k: int) -> None:
    model = predictor("question")
    questions = [("who?", context) for context in CONTEXTS]
    for (_, context), found, best in zip(
        questions, model.answer(questions, top_k=top_k), model.answer(questions), strict=True
    ):
        spans = [found, *found.others]
        assert (found.start, found.end, found.score) == (best.start, best.end, best.score)
        assert len(spans) <= top_k
        assert [span.score for span in spans] == sorted((span.score for span in spans), reverse=True)
        assert all(span.text == context[span.start : span.end] != "" for span in spans)
        places = sorted((span.start, span.end) for span in spans)
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(places))
        assert top_k == 1 or len(spans) > 1 or len(best.text) == len(context.strip())


def test_no_answer_has_more_pieces_than_asked_for(predictor: Predictors) -> None:
    model = predictor("question")
    questions = [("who?", context) for context in CONTEXTS]
    longest = [model.answer(questions, longest_answer=number) for number in (1, 3, 400)]
    for number, found in zip((1, 3), longest, strict=False):
        for (_, context), one in zip(questions, found, strict=True):
            _, starts, ends = model.tokenizer.encode_with_offsets(context)
            assert np.count_nonzero((starts < one.end) & (ends > one.start)) <= number
    for one, three, many in zip(*longest, strict=True):
        assert one.score <= three.score <= many.score
    assert model.answer(questions) == model.answer(questions, longest_answer=30)
    with pytest.raises(ConfigError, match="longest_answer = 0 is no number of pieces; give 1 or more"):
        model.answer([], longest_answer=0)


def test_the_longest_answer_is_the_same_wherever_it_is_not_given() -> None:
    from isogloss.cli.ask import predict_answer
    from isogloss.serve.forms import AnswerForm

    of_command = inspect.signature(predict_answer).parameters["longest_answer"].default
    assert of_command == AnswerForm.model_fields["longest_answer"].default == LONGEST_ANSWER


def test_a_mask_can_be_filled_with_given_words_alone(predictor: Predictors) -> None:
    model = predictor("mlm")
    vocabulary = model.vocabulary()
    words = [piece[1:] for piece in vocabulary.pieces if piece.startswith("▁") and len(piece) > 2][:4]
    texts = ["<mask> lives in <mask>.", "the <mask>"]
    everything = model.fill_mask(texts, top_k=vocabulary.size)
    chosen = model.fill_mask(texts, targets=words)
    for masks, all_masks in zip(chosen, everything, strict=True):
        for fills, all_fills in zip(masks, all_masks, strict=True):
            expected = [fill for fill in all_fills if fill.text in {f" {word}" for word in words}]
            assert [fill.id for fill in fills] == [fill.id for fill in expected]
            np.testing.assert_allclose([f.probability for f in fills], [f.probability for f in expected], rtol=1e-4)
    assert [len(fills) for fills in model.fill_mask(texts, targets=words, top_k=2)[0]] == [2, 2]
    inner = next(piece for piece in vocabulary.pieces[4:] if "▁" not in piece and f"▁{piece}" not in vocabulary.pieces)
    ((fills,),) = model.fill_mask(["a<mask>"], targets=[inner])
    assert [fill.text for fill in fills] == [inner]


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ([], "is no list of words; give at least one"),
        ("Anna", "'Anna' is no list of words"),
        (["Anna", 3], "is no list of words"),
        (["river", ""], "'' is 0 pieces () of the vocabulary; a mask holds one piece"),
        (["riverdog"], "'riverdog' is 4 pieces (▁river d o g) of"),
        (["Ж"], "'Ж' is unknown to the vocabulary"),
    ],
)
def test_a_word_that_is_not_one_piece_fills_no_mask(predictor: Predictors, targets: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        predictor("mlm").fill_mask([], targets=targets)
    assert said in str(caught.value)
