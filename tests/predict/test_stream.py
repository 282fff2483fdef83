"""Streams: the answers of a list one by one, items read a limited stretch ahead, and numbers that go on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isogloss.errors import ConfigError, DataError
from isogloss.lines import Question
from isogloss.predict import Predictor, windowed

Predictors = Callable[[str], Predictor]
TEXTS = [f"{'Anna lives in Oslo. ' * (number % 5)}{number}" for number in range(11)]
ASKED: dict[Question, tuple[str, list[Any], dict[str, Any]]] = {
    "fill-mask": ("mlm", [f"{text[:40]}<mask>" for text in TEXTS], {"top_k": 2}),
    "classify": ("nli", [*TEXTS, (TEXTS[0], TEXTS[1])], {"long": "windows"}),
    "tag": ("token", [*TEXTS, ["Anna", "lives"]], {}),
    "answer": ("question", [("who?", text) for text in TEXTS], {"top_k": 2}),
    "embed": ("mlm", TEXTS, {"width": 8, "normalise": True}),
}


def test_every_question_is_asked_here() -> None:
    assert set(ASKED) == set(get_args(Question))


@pytest.mark.parametrize("question", ASKED)
@given(at_once=st.integers(1, 12))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_stream_gives_the_answers_of_a_list(predictor: Predictors, question: Question, at_once: int) -> None:
    name, items, options = ASKED[question]
    model = predictor(name)
    whole = list(getattr(model, question.replace("-", "_"))(items, **options))
    streamed = list(model.stream(question, (item for item in items), at_once=at_once, **options))
    assert len(streamed) == len(items)
    for one, other in zip(streamed, whole, strict=True):
        assert_near(one, other)


def assert_near(one: Any, other: Any) -> None:
    if isinstance(one, float | np.ndarray):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)
    elif isinstance(one, list | tuple):
        for part, same in zip(one, other, strict=True):
            assert_near(part, same)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        assert_near(list(one.values()), list(other.values()))
    elif hasattr(one, "__dict__"):
        assert_near(vars(one), vars(other))
    else:
        assert one == other


def test_an_endless_stream_is_read_a_limited_stretch_ahead(
    predictor: Predictors, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = itertools.count()
    endless = (f"Anna {next(taken)}" for _ in itertools.repeat(None))
    found = predictor("mlm").stream("embed", endless, at_once=4)
    for _ in range(5):
        next(found)
    assert next(taken) == 8
    # Few long texts are as many as fit into memory.
    monkeypatch.setattr(windowed, "MOST_CHARACTERS", 50)
    taken = itertools.count()
    pairs = (("who?", "Oslo " * (8 + 0 * next(taken))) for _ in itertools.repeat(None))
    next(predictor("question").stream("answer", pairs))
    assert next(taken) == 2


@pytest.mark.parametrize("at_once", [1, 2, 7])
def test_an_item_keeps_its_number(predictor: Predictors, at_once: int) -> None:
    good = ["a<mask>"] * 5
    for wrong, said in ((None, "text 6 is None"), ("none", "text 6 has no <mask>"), ("x<mask>" * 40, "text 6 has ")):
        with pytest.raises(DataError, match=said):
            list(predictor("mlm").stream("fill-mask", [*good, wrong, "a<mask>"], at_once=at_once))
    with pytest.raises(DataError, match="text 6 is a pair"):
        list(predictor("nli").stream("classify", [*good, ("a", "b")], at_once=at_once, labels=["x"]))


def test_what_is_wrong_with_the_options_is_said_before_anything_is_read(predictor: Predictors) -> None:
    def unread() -> Iterator[str]:
        raise AssertionError("an item was read")
        yield ""

    for name, question, options, said in (
        ("mlm", "embed", {"width": 33}, "width = 33 is outside 1 to 32"),
        ("mlm", "fill-mask", {"top_k": 0}, "top_k = 0"),
        ("mlm", "tag", {}, "tag needs a token head"),
        ("nli", "classify", {"labels": []}, "has none"),
        ("question", "answer", {"top_k": 0}, "top_k = 0"),
        ("mlm", "translate", {}, "question = 'translate' is not known: use fill-mask, classify"),
    ):
        with pytest.raises(ConfigError, match=said):
            predictor(name).stream(question, unread(), **options)  # type: ignore[arg-type]


def test_a_model_says_what_it_can_be_asked(predictor: Predictors) -> None:
    for name, questions in (
        ("mlm", ("fill-mask", "embed")), ("nli", ("classify", "embed")), ("tags", ("tag", "embed")),
        ("question", ("answer", "embed")),
    ):  # fmt: skip
        model = predictor(name)
        assert model.questions == questions
        for question in get_args(Question):
            if question in questions:
                assert list(model.stream(question, [])) == []
            else:
                with pytest.raises(ConfigError, match="this model has a"):
                    model.stream(question, [])
