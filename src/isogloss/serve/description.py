"""The OpenAPI description: what each route takes and gives, with examples that this very server answers.

It tells of the models that are served: which of them a question can be asked, and how large a request may be. Routes
that no served model answers are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

from isogloss.serve.forms import FORMS, Form
from isogloss.serve.models import Question
from isogloss.serve.openai import EmbeddingsForm
from isogloss.serve.problems import TEI_ROUTES
from isogloss.serve.responses import ERRORS, OF_QUESTION, OPENAI_EMBEDDINGS, OPENAI_MODELS, STATUS, TEI
from isogloss.serve.service import Service
from isogloss.serve.tei import EmbedInputsForm, PredictForm, RerankForm

__all__ = ["describe"]

Schema = dict[str, Any]

# What may go wrong with any question, and what it means.
FAILURES = {
    400: "The body is not JSON",
    408: "The body did not arrive in time",
    413: "The body, a text or their number is beyond the limits",
    415: "The body is not application/json",
    422: "The request is not of this form, or this model cannot answer it",
    429: "Too much waits; Retry-After says for how many seconds",
    500: "A mistake of the server",
    503: "The server is shutting down",
    504: "There was no answer in time",
}
OTHERS = {401: "The API key is missing or wrong", 404: "No such model", 424: "No model here answers this"}

SENTENCES = ["Anna lives in Oslo.", "Watoto wanacheza bustanini."]
CONTEXT = {"question": "Who lives in Oslo?", "context": "Anna lives in Oslo, and Juma in Nairobi."}
EXAMPLES: Mapping[Question, Mapping[str, Schema]] = {
    "fill-mask": {"one mask": {"texts": ["Anna sees a <mask>."], "top_k": 3}},
    "classify": {
        "texts": {"texts": SENTENCES},
        "a pair": {"texts": [["Anna sleeps.", "Nobody sleeps."]]},
    },
    "tag": {"texts": {"texts": SENTENCES}, "words": {"texts": [["Anna", "anaishi", "Oslo", "."]]}},
    "answer": {"a question": {"questions": [CONTEXT]}},
    "embed": {"two texts": {"texts": SENTENCES, "normalise": True}},
}
SUMMARIES: Mapping[Question, str] = {
    "fill-mask": "The most probable pieces at each <mask>",
    "classify": "The label of texts or pairs of texts",
    "tag": "Entities, or words with their tags, as characters of the text",
    "answer": "The answer to a question in its context",
    "embed": "A vector for each text",
}


def describe(service: Service) -> Schema:
    """The description as JSON, of OpenAPI 3.1."""
    about = _Description(service)
    for question, form in FORMS.items():
        about.post(f"/ask/{question}", question, form, SUMMARIES[question], OF_QUESTION[question], EXAMPLES[question])
    about.post(
        "/v1/embeddings", "embed", EmbeddingsForm, "Vectors, as OpenAI's API has them", OPENAI_EMBEDDINGS,
        {"a text": {"input": SENTENCES[0]}, "texts": {"input": SENTENCES, "encoding_format": "base64"}},
    )  # fmt: skip
    about.post(
        "/embed", "embed", EmbedInputsForm, "Vectors, as text-embeddings-inference has them", TEI["/embed"],
        {"a text": {"inputs": SENTENCES[0]}, "texts": {"inputs": SENTENCES, "truncate": True}},
    )  # fmt: skip
    about.post(
        "/predict", "classify", PredictForm, "Labels, as text-embeddings-inference has them", TEI["/predict"],
        {"a text": {"inputs": SENTENCES[0]}, "a batch": {"inputs": [[SENTENCES[0]], SENTENCES], "raw_scores": True}},
    )  # fmt: skip
    about.post(
        "/rerank", "score", RerankForm, "Texts in the order of their fit, by a head with one label", TEI["/rerank"],
        {"two texts": {"query": "Who lives in Oslo?", "texts": SENTENCES, "return_text": True}},
    )  # fmt: skip
    for path, (summary, schema) in STATUS.items():
        about.get(path, summary, schema)
    about.get("/v1/models", "Models, as OpenAI's API lists them", OPENAI_MODELS)
    about.get("/info", "The first model, as text-embeddings-inference tells of it", TEI["/info"])
    return about.content


class _Description:
    def __init__(self, service: Service) -> None:
        self.service = service
        self.secured = service.key is not None
        schemas = {"Error": ERRORS["ours"], "TeiError": ERRORS["tei"]}
        self.content: Schema = {
            "openapi": "3.1.0",
            "info": {
                "title": "isogloss",
                "version": metadata.version("isogloss"),
                "description": "Cross-lingual encoders with any head, served together. Offsets are characters of the "
                "text (Unicode code points).",
            },
            "paths": {},
            "components": {"schemas": schemas},
        }
        if self.secured:
            self.content["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            self.content["security"] = [{"key": []}]

    def post(
        self,
        path: str,
        question: Question,
        form: type[Form],
        summary: str,
        response: Schema,
        examples: Mapping[str, Schema],
    ) -> None:
        """A route that asks a model; left out where none can be asked."""
        models = self.service.models
        names = [model.name for model in models.able(question)]
        if question == "score":
            names = [name for name in names if len(models.by_name[name].predictor.labels) == 1]
        if not names:
            return
        required = models.default(question) is None
        schema = self._schema(form, names, required=required)
        named = {"model": names[0]} if required else {}
        content = {
            "schema": schema,
            "examples": {name: {"value": {**value, **named}} for name, value in examples.items()},
        }
        failures = FAILURES | {404: OTHERS[404]} | ({424: OTHERS[424]} if path in TEI_ROUTES else {})
        self._add(path, "post", summary, response, failures)
        self.content["paths"][path]["post"]["requestBody"] = {
            "required": True,
            "content": {"application/json": content},
        }

    def get(self, path: str, summary: str, response: Schema) -> None:
        """A route that asks no model."""
        failures = {503: FAILURES[503]} if path == "/ready" else {}
        self._add(path, "get", summary, response, {500: FAILURES[500], **failures})

    def _add(self, path: str, method: str, summary: str, response: Schema, failures: Mapping[int, str]) -> None:
        error = "TeiError" if path in TEI_ROUTES else "Error"
        is_open = path in ("/health", "/ready")
        if self.secured and not is_open:
            failures = {401: OTHERS[401], **failures}
        kind = "text/plain" if path == "/metrics" else "application/json"
        answers: Schema = {"200": {"description": "The answer", "content": {kind: {"schema": response}}}}
        for status, meaning in sorted(failures.items()):
            told = {"application/json": {"schema": {"$ref": f"#/components/schemas/{error}"}}}
            answers[str(status)] = {"description": meaning, "content": told}
        operation: Schema = {"summary": summary, "operationId": path.strip("/").replace("/", "_"), "responses": answers}
        if self.secured and is_open:
            operation["security"] = []
        self.content["paths"][path] = {method: operation}

    def _schema(self, form: type[Form], names: Sequence[str], *, required: bool) -> Schema:
        """The form's schema with this server's models and limits in it."""
        schema: Schema = form.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, inner in schema.pop("$defs", {}).items():
            self.content["components"]["schemas"][name] = self._limited(inner)
        schema = self._limited(schema)
        model = schema["properties"]["model"]
        model.pop("default", None)
        model.pop("anyOf", None)
        model["enum"] = list(names) if required else [*names, None]
        if required:
            schema["required"] = ["model", *schema.get("required", [])]
        return schema

    def _limited(self, schema: Any) -> Any:
        """Every list and string with its longest length."""
        if isinstance(schema, list):
            return [self._limited(one) for one in schema]
        if not isinstance(schema, dict):
            return schema
        limited = {key: self._limited(value) for key, value in schema.items()}
        if limited.get("type") == "array":
            limited.setdefault("maxItems", self.service.settings.max_texts)
        if limited.get("type") == "string" and "enum" not in limited and "const" not in limited:
            limited.setdefault("maxLength", self.service.settings.max_characters)
        return limited
