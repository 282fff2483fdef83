"""Labels of one's own: found by the names of an NLI head, each text a premise of each label's hypothesis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from isogloss.errors import ConfigError, DataError
from isogloss.predict import Predictor

Predictors = Callable[[str], Predictor]
TEXTS = ["Anna lives in Oslo.", "the dog runs", ""]
LABELS = ["moon", "river", "the dog"]


def logits_of(model: Predictor, pairs: Sequence[tuple[str, str]]) -> np.ndarray[Any, Any]:
    """The head's logits for each pair, by ids made here."""
    encoded = [model.tokenizer.encode(pair) for pair in pairs]
    ids = [[0, *first.tolist(), 2, 2, *second.tolist(), 2] for first, second in encoded]
    return np.stack([logits.numpy() for logits in model.logits(ids)])


def softmax(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    powers: np.ndarray[Any, Any] = np.exp(values - values.max())
    return powers / powers.sum()


def test_labels_that_exclude_each_other_share_the_probability(predictor: Predictors) -> None:
    model = predictor("nli")
    found = model.classify(TEXTS, labels=LABELS, hypothesis="it is {}!")
    for text, answer in zip(TEXTS, found, strict=True):
        expected = softmax(logits_of(model, [(text, f"it is {label}!") for label in LABELS])[:, 2])
        np.testing.assert_allclose(list(answer.probabilities.values()), expected, rtol=1e-4)
        assert list(answer.probabilities) == LABELS
        assert answer.label == LABELS[int(expected.argmax())]
        assert answer.probability == max(answer.probabilities.values())
    assert len({answer.label for answer in found} | {round(answer.probability, 3) for answer in found}) > 2
    assert model.classify(TEXTS, labels=LABELS) == model.classify(
        TEXTS, labels=LABELS, hypothesis="This example is {}."
    )
    assert model.classify([], labels=LABELS) == []


@pytest.mark.parametrize(("name", "against", "entails"), [("nli", 1, 2), ("two", 1, 0)])
def test_several_labels_are_judged_each_by_itself(predictor: Predictors, name: str, against: int, entails: int) -> None:
    model = predictor(name)
    found = model.classify(TEXTS, labels=LABELS, several=True)
    for text, answer in zip(TEXTS, found, strict=True):
        logits = logits_of(model, [(text, f"This example is {label}.") for label in LABELS])
        expected = [softmax(row[[against, entails]])[1] for row in logits]
        np.testing.assert_allclose(list(answer.probabilities.values()), expected, rtol=1e-4)
        (alone,) = model.classify([text], labels=["river"])
        assert alone.label == "river"
        assert alone.probability == pytest.approx(answer.probabilities["river"], rel=1e-4)
        assert alone.probability < 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"labels": []}, "has none, or an empty one"),
        ({"labels": ["a", " "]}, "has none, or an empty one"),
        ({"labels": ["a", "b", "a"]}, "labels has 'a' twice"),
        ({"labels": "politics"}, "'politics' is no list of texts"),
        ({"labels": ["a", 3]}, "is no list of texts"),
        ({"labels": ["a"], "hypothesis": "no place"}, "'no place' has 0 places for a label; write {} once"),
        ({"labels": ["a"], "hypothesis": "{} or {}"}, "has 2 places"),
        ({"hypothesis": "it is {}"}, "give labels too"),
        ({"several": True}, "give labels too"),
        ({"labels": ["a"], "long": "never"}, "long = 'never' is not known: use cut or windows"),
    ],
)
def test_wrong_options_are_refused(predictor: Predictors, options: dict[str, Any], said: str) -> None:
    for texts in (["a"], []):
        with pytest.raises(ConfigError) as caught:
            predictor("nli").classify(texts, **options)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_braces_besides_the_place_of_the_label_are_text(predictor: Predictors) -> None:
    model = predictor("nli")
    (one,) = model.classify(["a"], labels=["x", "{}"], hypothesis="{0} {} {label}")
    expected = softmax(logits_of(model, [("a", "{0} x {label}"), ("a", "{0} {} {label}")])[:, 2])
    np.testing.assert_allclose(list(one.probabilities.values()), expected, rtol=1e-4)


def test_a_model_of_other_labels_cannot_judge(predictor: Predictors) -> None:
    for name in ("sequence", "right"):
        with pytest.raises(ConfigError, match="need a model of natural language inference"):
            predictor(name).classify(["a"], labels=["b", "c"])
    with pytest.raises(ConfigError, match="has a token head; classify needs a sequence head"):
        predictor("token").classify(["a"], labels=["b"])
    with pytest.raises(DataError, match="text 2 is a pair; with labels of your own"):
        predictor("nli").classify(["a", ("b", "c")], labels=["b"])


def test_one_logit_is_a_sigmoid_and_a_rating_is_no_label(predictor: Predictors) -> None:
    model = predictor("right")
    found = model.classify(TEXTS)
    ids = [[0, *model.tokenizer.encode([text])[0].tolist(), 2] for text in TEXTS]
    expected = [1 / (1 + np.exp(-float(logits[0]))) for logits in model.logits(ids)]
    np.testing.assert_allclose([answer.probability for answer in found], expected, rtol=1e-4)
    with pytest.raises(ConfigError, match="gives ratings, which are no labels"):
        predictor("rating").classify(["a"])
