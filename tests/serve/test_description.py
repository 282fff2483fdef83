"""The OpenAPI description is true: its examples are answered, and what it says of a route holds for any request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
# What a request that is of its route's form may be answered: some things no schema says, as that labels are for NLI.
POSITIVE = {200, 404, 413, 422, 424}


@pytest.fixture(scope="session")
def fuzzed(start: Callable[..., Any]) -> Any:
    """A server of small limits, so that random requests reach them."""
    return start(max_texts=20, max_characters=300, queue_requests=8)


def description_of(running: Any) -> Any:
    return running.client.get("/openapi.json").json


def test_every_example_is_answered(everything: Any) -> None:
    asked = 0
    for path, methods in description_of(everything)["paths"].items():
        for method, operation in methods.items():
            if method == "get":
                assert everything.client.get(path).status == 200, path
                continue
            for example in operation["requestBody"]["content"]["application/json"]["examples"].values():
                answer = everything.client.post(path, example["value"])
                assert answer.status == 200, (path, answer.body)
                asked += 1
    assert asked >= 13


def test_only_what_can_be_asked_is_described(start: Callable[..., Any]) -> None:
    described = description_of(start(only=("ner",)))
    asked = {path for path, methods in described["paths"].items() if "post" in methods}
    assert asked == {"/ask/tag", "/ask/embed", "/v1/embeddings", "/embed"}
    schema = described["paths"]["/ask/tag"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["model"]["enum"] == ["ner", None]
    assert schema["required"] == ["texts"]


def test_a_key_is_in_the_description(start: Callable[..., Any]) -> None:
    client = start(only=("ner",), key="k").client
    described = client.get("/openapi.json", headers={"authorization": "Bearer k"}).json
    assert described["security"] == [{"key": []}]
    assert described["paths"]["/health"]["get"]["security"] == []
    assert "401" in described["paths"]["/ask/tag"]["post"]["responses"]


@pytest.mark.parametrize(
    ("path", "option"),
    [
        ("/ask/classify", {"labels": ["a", "b" * 301]}),
        ("/ask/classify", {"labels": ["a"], "hypothesis": "b" * 300 + "{}"}),
        ("/ask/fill-mask", {"targets": ["b" * 301]}),
    ],
)
def test_no_text_of_an_option_is_longer_than_it_is_described(fuzzed: Any, path: str, option: dict[str, Any]) -> None:
    model, text = {"/ask/classify": ("nli", "a"), "/ask/fill-mask": ("mlm", "<mask>")}[path]
    answer = fuzzed.client.post(path, {"texts": [text], "model": model, **option})
    assert answer.status == 413
    assert answer.json["error"]["param"] == list(option)[-1]


def fuzz(running: Any, mode: Any, *, num_examples: int) -> int:
    """Random requests to every route; how many were sent."""
    schema = schemathesis.openapi.from_dict(description_of(running))
    schema.config.update(base_url=f"http://127.0.0.1:{running.client.port}")
    # Too much of something is 413.
    schema.config.checks.negative_data_rejection.expected_statuses = ["4xx"]
    sent = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if mode is GenerationMode.NEGATIVE and operation.method == "get":
            continue  # takes nothing that could be wrong

        def work(case: Any) -> None:
            nonlocal sent
            response = case.call()
            sent += 1
            case.validate_response(response, checks=CHECKS)
            if mode is GenerationMode.POSITIVE:
                assert response.status_code in POSITIVE, response.text

        strategy = operation.as_strategy(generation_mode=mode)
        limits = settings(max_examples=num_examples, deadline=None, derandomize=True, database=None)
        with_checks = settings(limits, suppress_health_check=list(HealthCheck))
        with_checks(_given(strategy)(work))()
    return sent


def _given(strategy: Any) -> Any:
    from hypothesis import given

    return given(case=strategy)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_random_requests_are_answered_as_described(fuzzed: Any, mode: Any) -> None:
    assert fuzz(fuzzed, mode, num_examples=8) > 50
    assert fuzzed.client.get("/health").status == 200


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
def test_many_random_requests_are_answered_as_described(fuzzed: Any, mode: Any) -> None:
    assert fuzz(fuzzed, mode, num_examples=300) > 1000
    said = json.dumps(fuzzed.lines)
    assert '"event": "error"' not in said
