"""Answers of a predictor as the JSON of our own routes, and vectors as text that is these float32 again."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from isogloss.predict import FoundAnswer, MaskFill, TaggedSpan, TextLabel
from isogloss.serve.models import Question
from isogloss.tasks import FloatArray

__all__ = ["answer_json", "base64_vector", "compact", "vector_json"]


def answer_json(question: Question, answers: Sequence[Any], about: Mapping[str, Any]) -> bytes:
    """The body of a response: what `about` says, then an answer a text."""
    if question == "embed":
        return b'%s,"vectors":[%s]}' % (compact(about)[:-1], b",".join(vector_json(vector) for vector in answers))
    shown = [SHOWN[question](answer) for answer in answers]
    return compact({**about, "answers": shown})


def compact(value: Any) -> bytes:
    """JSON without blanks. Raises ValueError for numbers that are none."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def vector_json(vector: FloatArray) -> bytes:
    """Nine digits tell any two float32 apart. Raises ValueError for numbers that are none."""
    if not np.isfinite(vector).all():
        raise ValueError("a vector holds NaN or infinity")
    return ("[" + ("%.9g," * len(vector) % tuple(vector.tolist()))[:-1] + "]").encode("ascii")


def base64_vector(vector: FloatArray) -> str:
    """Its float32 in little-endian order, as OpenAI's clients ask for."""
    if not np.isfinite(vector).all():
        raise ValueError("a vector holds NaN or infinity")
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")


def _masks(masks: Sequence[Sequence[MaskFill]]) -> dict[str, Any]:
    return {"masks": [[vars(fill) for fill in fills] for fills in masks]}


def _label(found: TextLabel) -> dict[str, Any]:
    return {"label": found.label, "probability": found.probability, "probabilities": found.probabilities}


def _spans(spans: Sequence[TaggedSpan]) -> dict[str, Any]:
    return {"spans": [vars(span) for span in spans]}


def _found(found: FoundAnswer) -> dict[str, Any]:
    return {**vars(found), "others": [vars(other) for other in found.others], "answered": found.answered}


SHOWN: Mapping[Question, Callable[[Any], dict[str, Any]]] = {
    "fill-mask": _masks,
    "classify": _label,
    "tag": _spans,
    "answer": _found,
}
