"""What a model may be given: any iterable of texts with any characters; all else is named by its number."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isogloss.errors import DataError
from isogloss.predict import Predictor

Predictors = Callable[[str], Predictor]

# Question, model, and an item made of a text.
ASKED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "fill-mask": ("mlm", lambda text: f"{text}<mask>"),
    "embed": ("mlm", lambda text: text),
    "classify": ("nli", lambda text: text),
    "tag": ("token", lambda text: text),
    "answer": ("question", lambda text: ("who?", text)),
}
every_question = pytest.mark.parametrize("question", ASKED)
NOT_TEXTS = [None, math.nan, 3, 2.5, True, b"bytes", {"text": "a"}, {1}, np.float32(2), range(2)]


def asked(predictor: Predictors, question: str) -> tuple[Callable[..., Any], Callable[[Any], Any]]:
    name, made = ASKED[question]
    return getattr(predictor(name), question.replace("-", "_")), made


@every_question
@pytest.mark.parametrize("wrong", NOT_TEXTS, ids=repr)
def test_what_is_no_text_is_named_by_its_number(predictor: Predictors, question: str, wrong: object) -> None:
    ask, made = asked(predictor, question)
    with pytest.raises(DataError, match=r"(text|question) 3( is|, part \d is|, word)") as caught:
        ask([made("a"), made("b"), wrong])
    assert "\n" not in str(caught.value)
    if question == "answer":
        with pytest.raises(DataError, match="question 2, part 2 is"):
            ask([("a", "b"), ("c", wrong)])
    with pytest.raises(DataError, match=r"(text|question) 41 is"):
        ask([wrong], first=41)


@every_question
@pytest.mark.parametrize("wrong", ["a text", b"bytes", {"a": "b"}, None, 3, math.nan], ids=repr)
def test_what_is_no_list_is_not_taken_for_one(predictor: Predictors, question: str, wrong: object) -> None:
    with pytest.raises(DataError, match="put it in a list"):
        asked(predictor, question)[0](wrong)


@every_question
def test_half_of_a_surrogate_pair_is_no_text(predictor: Predictors, question: str) -> None:
    ask, made = asked(predictor, question)
    with pytest.raises(DataError, match=r"2.* holds half of a surrogate pair \(character 4\)"):
        ask([made("a"), made("abc\udc80")])


@pytest.mark.parametrize("wrong", [(), ("a",), ("a", "b", "c"), ["a"]], ids=repr)
def test_a_pair_has_two_texts(predictor: Predictors, wrong: object) -> None:
    with pytest.raises(DataError, match=r"text 1 is a .* not a text or a pair of texts"):
        predictor("nli").classify([wrong])  # type: ignore[list-item]
    with pytest.raises(DataError, match=r"question 1 is a .* not a pair of question and context"):
        predictor("question").answer([wrong])  # type: ignore[list-item]


@every_question
def test_any_iterable_is_asked(predictor: Predictors, question: str) -> None:
    ask, made = asked(predictor, question)
    items = [made(text) for text in ("Anna", "Oslo is here.", "")]
    expected = ask(items)
    for same in (tuple(items), iter(items), (item for item in items), dict.fromkeys(items).keys()):
        np.testing.assert_equal(_plain(ask(same)), _plain(expected))


@every_question
@given(text=st.text(max_size=40))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_answered_with_numbers(predictor: Predictors, question: str, text: str) -> None:
    """Control characters, NUL and what is not assigned too: never NaN, and every answer is JSON."""
    ask, made = asked(predictor, question)
    text = text.replace("<mask>", "")
    for answer in ask([made(text), made("\0" + text + "\x1b\x7f\u2028"), made("")]):
        json.dumps(_plain(answer), allow_nan=False)


@pytest.mark.parametrize("text", ["", " ", "\0", "\u200b", "\x1c", "\ufeff"], ids=repr)
def test_a_text_without_anything_to_see(predictor: Predictors, text: str) -> None:
    (vector,) = predictor("mlm").embed([text])
    assert np.isfinite(vector).all()
    assert all(span.text.strip() for span in predictor("token").tag([text])[0])
    (label,) = predictor("sequence").classify([text])
    assert sum(label.probabilities.values()) == pytest.approx(1)
    (found,) = predictor("question").answer([("who?", text)])
    if not found.text:
        assert not found.answered
        assert (found.start, found.end, found.score, found.others) == (0, 0, found.no_answer_score, ())


def test_an_empty_text_is_the_vector_of_its_first_token(predictor: Predictors) -> None:
    model = predictor("mlm")
    (states_TD,) = model.hidden_states([[0, 2]])
    for pooling in ("mean", "cls"):
        np.testing.assert_allclose(model.embed([""], pooling=pooling)[0], states_TD[0], rtol=1e-4, atol=1e-6)  # type: ignore[arg-type]


def _plain(answer: Any) -> Any:
    """Values as JSON has them."""
    if dataclasses.is_dataclass(answer) and not isinstance(answer, type):
        return dataclasses.asdict(answer)
    if isinstance(answer, np.ndarray):
        return answer.tolist()
    return [_plain(one) for one in answer]
