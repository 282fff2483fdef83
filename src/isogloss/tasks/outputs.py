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

__all__ = [
    "LONGEST_ANSWER",
    "FloatArray",
    "FoundSpan",
    "best_spans",
    "no_answers",
    "predictions",
    "ranked_spans",
    "word_scores",
    "word_tags",
]

FloatArray = npt.NDArray[np.float32]

# Answers longer than this many pieces are not looked for, unless another number is asked for.
LONGEST_ANSWER = 30


@dataclass(frozen=True, slots=True)
class FoundSpan:
    """The characters of an answer in a context, and its score: start logit plus end logit.

    `probability` is that of its start times that of its end, each among all rows of its window.
    """

    start: int
    end: int
    score: float
    probability: float


def predictions(
    kind: Kind,
    windows: Sequence[Window],
    logits: Sequence[FloatArray],
    labels: Sequence[str],
    *,
    num_examples: int,
    contexts: Sequence[str] = (),
    longest_answer: int = LONGEST_ANSWER,
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
    shown = [window for window in windows if isinstance(window, ContextWindow)]
    spans = best_spans(shown, logits, contexts, longest_answer=longest_answer)
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
    """The tags of each example's words; a word that shares the row of an entity's first word continues that entity.

    A word before all that have a row of their own (a mark of direction at the start, which normalisation drops) stands
    in front of what it is read from: it is no part of an entity.
    """
    tags: list[dict[int, str]] = [{} for _ in range(num_examples)]
    first_own: dict[int, int] = {}
    for window, logits_TL in zip(windows, logits, strict=True):
        best = logits_TL[window.rows].argmax(axis=-1).tolist()
        for word, label, own in zip(window.words.tolist(), best, window.own.tolist(), strict=True):
            tag = labels[label]
            tags[window.example][word] = tag if own or not tag.startswith("B-") else f"I-{tag[2:]}"
            if own:
                first_own[window.example] = min(word, first_own.get(window.example, word))
    if "O" in labels:
        for example, found in enumerate(tags):
            found |= dict.fromkeys(range(first_own.get(example, len(found))), "O")
    return [tuple(found[word] for word in range(len(found))) for found in tags]


def word_scores(windows: Sequence[WordWindow], logits: Sequence[FloatArray], *, num_examples: int) -> list[FloatArray]:
    """The probability of the tag that `word_tags` gives each word of each example."""
    sizes = np.zeros(num_examples, np.int64)
    for window in windows:
        sizes[window.example] += len(window.words)
    scores: list[FloatArray] = [np.zeros(size, np.float32) for size in sizes]
    for window, logits_TL in zip(windows, logits, strict=True):
        chosen = logits_TL[window.rows]
        largest = chosen.max(axis=-1, keepdims=True)
        scores[window.example][window.words] = 1 / np.exp(chosen - largest).sum(axis=-1)
    return scores


def best_spans(
    windows: Sequence[ContextWindow],
    logits: Sequence[FloatArray],
    contexts: Sequence[str],
    *,
    longest_answer: int = LONGEST_ANSWER,
) -> list[FoundSpan]:
    """For each context the span with the highest start plus end logit over its windows, without spaces at its ends.

    A context without any visible piece gives an empty span with score minus infinity.
    """
    nothing = FoundSpan(0, 0, float("-inf"), 0.0)
    ranked = ranked_spans(windows, logits, contexts, longest_answer=longest_answer)
    return [spans[0] if spans else nothing for spans in ranked]


def ranked_spans(
    windows: Sequence[ContextWindow],
    logits: Sequence[FloatArray],
    contexts: Sequence[str],
    *,
    top_k: int = 1,
    longest_answer: int = LONGEST_ANSWER,
) -> list[list[FoundSpan]]:
    """For each context at most `top_k` spans, best first, none of which shares a character with another."""
    assert longest_answer >= 1, f"answers of {longest_answer} pieces"
    parts: list[list[tuple[ContextWindow, FloatArray]]] = [[] for _ in contexts]
    for window, logits_T2 in zip(windows, logits, strict=True):
        if len(window.starts):
            parts[window.example].append((window, logits_T2))
    return [
        _ranked(context, of_context, top_k, longest_answer) for context, of_context in zip(contexts, parts, strict=True)
    ]


def no_answers(windows: Sequence[ContextWindow], logits: Sequence[FloatArray], *, num_examples: int) -> list[FoundSpan]:
    """How each question scores without an answer: both logits at `<s>`, the smallest over its context's windows."""
    found = [FoundSpan(0, 0, float("inf"), 0.0)] * num_examples
    for window, logits_T2 in zip(windows, logits, strict=True):
        score = float(logits_T2[0].sum())
        if score < found[window.example].score:
            found[window.example] = FoundSpan(0, 0, score, _probability(logits_T2, 0, 0))
    return found


def _ranked(
    context: str, parts: Sequence[tuple[ContextWindow, FloatArray]], top_k: int, longest: int
) -> list[FoundSpan]:
    found: list[FoundSpan] = []
    taken: list[tuple[int, int]] = []
    best = [_best_pair(context, window, logits_T2, taken, longest) for window, logits_T2 in parts]
    while best and len(found) < top_k:
        place = max(range(len(best)), key=lambda place: best[place][2])
        first, last, score = best[place]
        if score == float("-inf"):
            break
        window, logits_T2 = parts[place]
        start, end = int(window.starts[first]), int(window.ends[last])
        probability = _probability(logits_T2, window.first_row + first, window.first_row + last)
        found.append(FoundSpan(*_trim(context, start, end), score, probability))
        taken.append((start, end))
        if len(found) < top_k:
            for other, (window, logits_T2) in enumerate(parts):
                if window.starts[0] < end and window.ends[-1] > start:
                    best[other] = _best_pair(context, window, logits_T2, taken, longest)
    return found


def _best_pair(
    context: str, window: ContextWindow, logits_T2: FloatArray, taken: Sequence[tuple[int, int]], longest: int
) -> tuple[int, int, float]:
    """The pair of pieces first <= last < first + longest with the highest sum, whose characters are not taken.

    A pair without any visible character has none to answer with.
    """
    longest = min(longest, len(window.starts))
    rows = slice(window.first_row, window.first_row + len(window.starts))
    ends = _following(window.ends, 0, longest)
    sums = logits_T2[rows, 0][:, None] + _following(logits_T2[rows, 1], -np.inf, longest)
    starts = window.starts[:, None]
    sums[ends <= starts] = -np.inf
    for start, end in taken:
        sums[(starts < end) & (ends > start)] = -np.inf
    while True:
        first, length = divmod(int(sums.argmax()), longest)
        score = float(sums[first, length])
        if score == float("-inf") or context[window.starts[first] : ends[first, length]].strip():
            return first, first + length, score
        sums[first, length] = -np.inf


def _following(values: npt.NDArray[Any], beyond: float, longest: int) -> npt.NDArray[Any]:
    """For each place the values of it and those after it, as many as an answer may have: (places, longest)."""
    padded = np.concatenate([values, np.full(longest - 1, beyond, values.dtype)])
    return np.lib.stride_tricks.sliding_window_view(padded, longest)


def _probability(logits_T2: FloatArray, start_row: int, end_row: int) -> float:
    """That of the start among all rows times that of the end."""
    shares_T2 = np.exp(logits_T2 - logits_T2.max(axis=0))
    return float(np.prod(shares_T2[[start_row, end_row], [0, 1]] / shares_T2.sum(axis=0)))


def _trim(context: str, start: int, end: int) -> tuple[int, int]:
    text = context[start:end]
    start += len(text) - len(text.lstrip())
    return start, start + len(text.strip())
