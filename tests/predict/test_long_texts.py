"""Texts longer than the model reads: cut, or read to their end in windows; vectors cut to a width; tokens counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from isogloss.errors import ConfigError
from isogloss.predict import Predictor
from isogloss.tasks.windows import text_windows

Predictors = Callable[[str], Predictor]
# Of about 20, 100 and 240 pieces; the models read 64.
TEXTS = ["the dog runs near the river", "Anna lives in Oslo. " * 6, "the moon is here. " * 10 + "Anna lives. " * 8]
Array = np.ndarray[Any, Any]


def states_of(model: Predictor, text: str) -> list[Array]:
    """The hidden states of each window of a text."""
    windows = text_windows([(text,)], model.tokenizer, max_length=64, long="windows")
    return [states.numpy() for states in model.hidden_states([window.ids.tolist() for window in windows])]


@pytest.mark.parametrize("pooling", ["mean", "cls", "mean-all"])
def test_a_vector_goes_over_all_windows(predictor: Predictors, pooling: Any) -> None:
    model = predictor("mlm")
    whole = model.embed(TEXTS, pooling=pooling, long="windows")
    for text, vector in zip(TEXTS, whole, strict=True):
        rows = {"mean": slice(1, -1), "cls": slice(0, 1), "mean-all": slice(None)}[pooling]
        expected = np.concatenate([states[rows] for states in states_of(model, text)]).mean(0)
        np.testing.assert_allclose(vector, expected, rtol=1e-3, atol=1e-5)
    cut = model.embed(TEXTS, pooling=pooling)
    np.testing.assert_allclose(cut[0], whole[0], rtol=1e-4, atol=1e-6)
    assert np.abs(cut[2] - whole[2]).max() > 0.01, "what is behind the first window counts"
    assert len(states_of(model, TEXTS[0])) == 1 < len(states_of(model, TEXTS[1])) < len(states_of(model, TEXTS[2]))


def test_a_label_is_the_mean_of_the_windows(predictor: Predictors) -> None:
    model = predictor("nli")
    found = model.classify(TEXTS, long="windows")
    for text, answer in zip(TEXTS, found, strict=True):
        windows = text_windows([(text,)], model.tokenizer, max_length=64, long="windows")
        logits = model.logits([window.ids.tolist() for window in windows])
        expected = np.mean([row.softmax(0).numpy() for row in logits], axis=0)
        np.testing.assert_allclose(list(answer.probabilities.values()), expected, rtol=1e-3)
    first, *_, last = model.classify(TEXTS, labels=["Anna", "moon"], long="windows")
    assert sum(first.probabilities.values()) == pytest.approx(1)
    assert last != model.classify(TEXTS, labels=["Anna", "moon"])[-1]


def test_the_end_of_a_long_text_is_read_only_in_windows(predictor: Predictors) -> None:
    model = predictor("nli")
    one, other = (f"{TEXTS[2]} {end}" for end in ("the dog runs", "Oslo Oslo"))
    for ask in (model.embed, model.classify):
        first, second = ask([one, other], long="windows")
        assert not np.array_equal(_numbers(first), _numbers(second))
        first, second = ask([one, other])
        np.testing.assert_array_equal(_numbers(first), _numbers(second))
    with pytest.raises(ConfigError, match="long = 'all' is not known: use cut or windows"):
        model.embed(TEXTS, long="all")  # type: ignore[arg-type]


def _numbers(answer: Any) -> Array:
    return answer if isinstance(answer, np.ndarray) else np.array(list(answer.probabilities.values()))


@pytest.mark.parametrize("width", [1, 7, 32])
def test_a_vector_is_cut_then_normalised(predictor: Predictors, width: int) -> None:
    model = predictor("mlm")
    whole = model.embed(TEXTS)
    np.testing.assert_array_equal(model.embed(TEXTS, width=width), whole[:, :width])
    short = model.embed(TEXTS, width=width, normalise=True)
    np.testing.assert_allclose(np.linalg.norm(short, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(short * np.linalg.norm(whole[:, :width], axis=1)[:, None], whole[:, :width], rtol=1e-4)
    assert model.embed([], width=width).shape == (0, width)


@pytest.mark.parametrize("width", [0, -1, 33])
def test_a_vector_cannot_be_cut_to_more_than_it_has(predictor: Predictors, width: int) -> None:
    with pytest.raises(ConfigError, match=rf"width = {width} is outside 1 to 32"):
        predictor("mlm").embed(TEXTS, width=width)


def test_tokens_are_counted_as_the_model_reads_them(predictor: Predictors) -> None:
    model = predictor("sequence")
    pair = (TEXTS[0], "Anna")
    counted = model.count_tokens([*TEXTS, pair, ""])
    first, second = (len(ids) for ids in model.tokenizer.encode(pair))
    assert counted[0] == first + 2
    assert counted[3:] == [first + second + 4, 2]
    assert counted[1] > 64, "what the model would cut is counted"
    (window,) = text_windows([pair], model.tokenizer, max_length=64)
    assert counted[3] == len(window.ids)
    assert model.count_tokens([]) == []
