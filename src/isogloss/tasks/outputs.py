"""What the model gave for each window becomes an answer to each example: a label, tags, or a piece of the context.

    predictions("tag", windows, logits, labels, num_examples=2)      # [("B-PER", "O"), ("O",)]

An answer is always a substring of the original context. Tags go to words, never to pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from isogloss.tasks.examples import Kind
from isogloss.tasks.statistics import nearest
from isogloss.tasks.windows import ContextWindow, Window, WordWindow

__all__ = ["FloatArray", "FoundSpan", "best_spans", "predictions", "word_tags"]

FloatArray = npt.NDArray[np.float32]

# Answers longer than this many pieces are not looked for.
LONGEST_ANSWER = 30


@dataclass(frozen=True, slots=True)
class FoundSpan:
    """The characters of the best answer in a context, and its score: start logit plus end logit."""

    start: int
    end: int
    score: float


def predictions(
    kind: Kind,
    windows: Sequence[Window],
    logits: Sequence[FloatArray],
    labels: Sequence[str],
    *,
    num_examples: int,
    contexts: Sequence[str] = (),
) -> list[Any]:
    """One prediction an example: its label, the tags of its words, or its answer's text (which needs `contexts`).

    Of choices the number of the best from 0, as text; of a rating the number; of retrieval, whose rows are vectors,
    the place of the nearest translation, as text.
    """
    if kind == "classify":
        return [labels[int(row.argmax())] for row in logits]
    if kind == "choose":
        return _best_choices(windows, logits, num_examples=num_examples)
    if kind == "rate":
        return [float(row[0]) for row in logits]
    if kind == "retrieve":
        vectors = np.stack(logits)
        return [str(place) for place in nearest(vectors[:num_examples], vectors[num_examples:])]
    if kind == "tag":
        words = [window for window in windows if isinstance(window, WordWindow)]
        return word_tags(words, logits, labels, num_examples=num_examples)
    spans = best_spans([window for window in windows if isinstance(window, ContextWindow)], logits, contexts)
    return [context[span.start : span.end] for context, span in zip(contexts, spans, strict=True)]


def _best_choices(windows: Sequence[Window], logits: Sequence[FloatArray], *, num_examples: int) -> list[str]:
    """The first of the choices with the highest logit, for each example."""
    scores: list[list[float]] = [[] for _ in range(num_examples)]
    for window, row in zip(windows, logits, strict=True):
        scores[window.example].append(float(row[0]))
    return [str(of_example.index(max(of_example))) for of_example in scores]


def word_tags(
    windows: Sequence[WordWindow], logits: Sequence[FloatArray], labels: Sequence[str], *, num_examples: int
) -> list[tuple[str, ...]]:
    """The tags of each example's words; a word that shares the row of an entity's first word continues that entity."""
    tags: list[dict[int, str]] = [{} for _ in range(num_examples)]
    for window, logits_TL in zip(windows, logits, strict=True):
        best = logits_TL[window.rows].argmax(axis=-1).tolist()
        for word, label, own in zip(window.words.tolist(), best, window.own.tolist(), strict=True):
            tag = labels[label]
            tags[window.example][word] = tag if own or not tag.startswith("B-") or word == 0 else f"I-{tag[2:]}"
    return [tuple(found[word] for word in range(len(found))) for found in tags]


def best_spans(
    windows: Sequence[ContextWindow], logits: Sequence[FloatArray], contexts: Sequence[str]
) -> list[FoundSpan]:
    """For each context the span with the highest start plus end logit over its windows, without spaces at its ends.

    A context without any visible piece gives an empty span with score minus infinity.
    """
    best = [FoundSpan(0, 0, float("-inf"))] * len(contexts)
    for window, logits_T2 in zip(windows, logits, strict=True):
        if len(window.starts) == 0:
            continue
        rows = slice(window.first_row, window.first_row + len(window.starts))
        first, last, score = _best_pair(logits_T2[rows, 0], logits_T2[rows, 1])
        if score > best[window.example].score:
            start, end = _trim(contexts[window.example], int(window.starts[first]), int(window.ends[last]))
            best[window.example] = FoundSpan(start, end, score)
    return best


def _best_pair(start_logits: FloatArray, end_logits: FloatArray) -> tuple[int, int, float]:
    """The pair of pieces first <= last < first + LONGEST_ANSWER with the highest sum."""
    padded = np.concatenate([end_logits, np.full(LONGEST_ANSWER - 1, -np.inf, np.float32)])
    sums = start_logits[:, None] + np.lib.stride_tricks.sliding_window_view(padded, LONGEST_ANSWER)
    first, length = divmod(int(sums.argmax()), LONGEST_ANSWER)
    return first, first + length, float(sums[first, length])


def _trim(context: str, start: int, end: int) -> tuple[int, int]:
    text = context[start:end]
    return start + len(text) - len(text.lstrip()), max(start, end - len(text) + len(text.rstrip()))
