"""The question classify: the label of a text or pair, of the model's own labels or of any through an NLI head."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from isogloss.errors import ConfigError, DataError
from isogloss.predict.answers import TextLabel
from isogloss.predict.loaded import LoadedModel
from isogloss.predict.windowed import RunningMeans
from isogloss.tasks import FloatArray, Long, text_windows
from isogloss.tasks.task import ONE_LOGIT

__all__ = ["HYPOTHESIS", "label_texts", "label_zero_shot"]

# The default of transformers' zero-shot pipeline.
HYPOTHESIS = "This example is {}."


def label_texts(loaded: LoadedModel, texts: Sequence[tuple[str, ...]], *, long: Long) -> list[TextLabel]:
    """The label of each text or pair, of those of the model's head."""
    loaded.task_model("sequence")
    if loaded.labels == ONE_LOGIT["rate"]:
        raise ConfigError("this model gives ratings, which are no labels; 'isogloss evaluate' or logits() read them")
    # One logit says how right one thing is.
    of_logits = _sigmoid if len(loaded.labels) == 1 else _softmax
    shares = _mean_shares(loaded, texts, of_logits, num_shares=len(loaded.labels), long=long)
    return [_label(loaded.labels, row) for row in shares]


def label_zero_shot(
    loaded: LoadedModel,
    texts: Sequence[tuple[str, ...]],
    labels: Sequence[str],
    *,
    hypothesis: str,
    several: bool,
    long: Long,
    first: int,
) -> list[TextLabel]:
    """The label of each text, of any labels: how far the text entails the hypothesis that each label makes.

    Labels that exclude each other share one softmax of their logits of entailment. With `several`, or one label alone,
    each is judged by itself, entailment against contradiction.
    """
    loaded.task_model("sequence")
    _check_labels(labels, hypothesis)
    for number, parts in enumerate(texts, start=first):
        if len(parts) > 1:
            raise DataError(f"text {number} is a pair; with labels of your own a text is classified alone")
    alone = several or len(labels) == 1
    entailment, contradiction = _nli_columns(loaded.labels, both=alone)
    pairs = [(text, hypothesis.replace("{}", label)) for (text,) in texts for label in labels]
    if alone:
        shares = _mean_shares(loaded, pairs, lambda row: _softmax(row[[contradiction, entailment]])[1:], long=long)
    else:
        # Logits, as their softmax asks for those of all labels.
        logits = _mean_shares(loaded, pairs, lambda row: row[[entailment]], long=long)
        shares = _softmax(logits.reshape(-1, len(labels)))
    return [_label(labels, row) for row in shares.reshape(-1, len(labels))]


def _mean_shares(
    loaded: LoadedModel,
    texts: Sequence[tuple[str, ...]],
    of_logits: Callable[[FloatArray], FloatArray],
    *,
    num_shares: int = 1,
    long: Long,
) -> FloatArray:
    """`of_logits` of each text's logits, (texts, num_shares); of a long text the mean over its windows."""
    windows = text_windows(texts, loaded.tokenizer, max_length=loaded.max_length, long=long)
    means = RunningMeans((len(texts), num_shares))
    rows = loaded.ask(loaded.task_model("sequence"), (window.ids for window in windows))
    for window, logits in zip(windows, rows, strict=True):
        means.add(window.example, of_logits(logits))
    return means.rows


def _check_labels(labels: Sequence[str], hypothesis: str) -> None:
    if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
        raise ConfigError(f"labels = {labels!r} is no list of texts; give one with the labels to choose from")
    if not labels or not all(label.strip() for label in labels):
        raise ConfigError(f"labels = {list(labels)} has none, or an empty one; give the labels to choose from")
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise ConfigError(f"labels has {twice[0]!r} twice; give each label once")
    if hypothesis.count("{}") != 1:
        raise ConfigError(
            f"hypothesis = {hypothesis!r} has {hypothesis.count('{}')} places for a label; write {{}} once, "
            f"as in {HYPOTHESIS!r}"
        )


def _nli_columns(labels: Sequence[str], *, both: bool) -> tuple[int, int]:
    """The columns of entailment and contradiction; of two labels what is not entailment speaks against it."""
    names = [label.lower() for label in labels]
    entailment = [column for column, name in enumerate(names) if name.startswith("entail")]
    contradiction = [column for column, name in enumerate(names) if name.startswith("contradict")]
    if len(names) == 2 and len(entailment) == 1:
        contradiction = [1 - entailment[0]]
    if len(entailment) != 1 or (both and len(contradiction) != 1):
        raise ConfigError(
            f"labels of your own need a model of natural language inference, with labels called entailment and "
            f"contradiction; this one has {', '.join(labels)}"
        )
    return entailment[0], contradiction[0] if contradiction else entailment[0]


def _label(labels: Sequence[str], shares: FloatArray) -> TextLabel:
    return TextLabel(labels[int(shares.argmax())], dict(zip(labels, shares.tolist(), strict=True)))


def _softmax(logits: FloatArray) -> FloatArray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: FloatArray = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def _sigmoid(logits: FloatArray) -> FloatArray:
    return _softmax(np.array([0.0, *logits], np.float32))[1:]
