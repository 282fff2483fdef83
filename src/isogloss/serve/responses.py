"""What the routes give back, as JSON schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isogloss.serve.models import Question

__all__ = ["ERRORS", "OF_QUESTION", "OPENAI_EMBEDDINGS", "OPENAI_MODELS", "STATUS", "TEI"]

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(fields: Mapping[str, Schema], *, optional: Mapping[str, Schema] = {}) -> Schema:
    return {
        "type": "object",
        "properties": {**fields, **optional},
        "required": list(fields),
        "additionalProperties": False,
    }


SPAN = {"start": WHOLE, "end": WHOLE, "text": STRING}
FOUND = {**SPAN, "score": NUMBER, "probability": NUMBER}
PROBABILITIES: Schema = {"type": "object", "additionalProperties": NUMBER}
ABOUT = {"model": STRING, "tokens": WHOLE}
# Places of the texts that were longer than the model reads, and whose ends were not read.
CUT = {"cut": _list(WHOLE)}


def _answers(answer: Schema, *, optional: Mapping[str, Schema] = {}) -> Schema:
    return _object({**ABOUT, "answers": _list(answer)}, optional=optional)


OF_QUESTION: Mapping[Question, Schema] = {
    "fill-mask": _answers(
        _object({"masks": _list(_list(_object({"text": STRING, "id": WHOLE, "probability": NUMBER})))})
    ),
    "classify": _answers(
        _object({"label": STRING, "probability": NUMBER, "probabilities": PROBABILITIES}), optional=CUT
    ),
    "tag": _answers(_object({"spans": _list(_object({**SPAN, "tag": STRING, "score": NUMBER}))})),
    "answer": _answers(
        _object({**FOUND, "no_answer_score": NUMBER, "answered": FLAG, "others": _list(_object(FOUND))})
    ),
    "embed": _object({**ABOUT, "vectors": _list(_list(NUMBER))}, optional=CUT),
}

VECTOR: Schema = {"anyOf": [_list(NUMBER), STRING]}
OPENAI_EMBEDDINGS = _object(
    {
        "object": {"const": "list"},
        "data": _list(_object({"object": {"const": "embedding"}, "index": WHOLE, "embedding": VECTOR})),
        "model": STRING,
        "usage": _object({"prompt_tokens": WHOLE, "total_tokens": WHOLE}),
    }
)
OPENAI_MODELS = _object(
    {
        "object": {"const": "list"},
        "data": _list(_object({"id": STRING, "object": {"const": "model"}, "created": WHOLE, "owned_by": STRING})),
    }
)

PREDICTIONS = _list(_object({"score": NUMBER, "label": STRING}))
TEI: Mapping[str, Schema] = {
    "/embed": _list(_list(NUMBER)),
    "/predict": {"anyOf": [PREDICTIONS, _list(PREDICTIONS)]},
    "/rerank": _list(_object({"index": WHOLE, "score": NUMBER}, optional={"text": STRING})),
    "/info": {"type": "object", "required": ["model_id", "model_dtype", "model_type", "max_input_length"]},
}

STATUS: Mapping[str, tuple[str, Schema]] = {
    "/models": (
        "The models that are served, and what each can be asked",
        _object(
            {
                "models": _list(
                    _object(
                        {
                            "name": STRING,
                            "head": STRING,
                            "questions": _list(STRING),
                            "default_for": _list(STRING),
                            "labels": _list(STRING),
                            "max_length": WHOLE,
                            "width": WHOLE,
                            "runs_on": STRING,
                        }
                    )
                )
            }
        ),
    ),
    "/health": ("Whether the process lives", _object({"status": {"const": "alive"}})),
    "/ready": ("Whether questions are taken", _object({"status": {"const": "ready"}})),
    "/metrics": ("Metrics for Prometheus", STRING),
}

ERRORS: Mapping[str, Schema] = {
    "ours": _object({"error": _object({"message": STRING, "type": STRING, "code": STRING, "param": _or_null(STRING)})}),
    "tei": _object(
        {
            "error": STRING,
            "error_type": {"enum": ["Unhealthy", "Backend", "Overloaded", "Validation", "Tokenizer"]},
        }
    ),
}
