"""Routes as OpenAI's API and text-embeddings-inference have them: forms, answers, and errors in their shapes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

TEXTS = ["Anna lives in Oslo.", "the moon is here", "安娜住在奥斯陆。"]
LONG = "the moon is here " * 40


def unit(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_embeddings_are_openais(everything: Any, loaded: Any) -> None:
    expected = loaded.by_name["mlm"].predictor.embed(TEXTS, normalise=True)
    answer = everything.client.post("/v1/embeddings", {"input": TEXTS, "model": "mlm", "user": "somebody"}).json
    assert (answer["object"], answer["model"]) == ("list", "mlm")
    assert [(row["object"], row["index"]) for row in answer["data"]] == [("embedding", at) for at in range(3)]
    np.testing.assert_allclose([row["embedding"] for row in answer["data"]], expected, rtol=1e-5, atol=1e-6)
    counted = sum(loaded.by_name["mlm"].predictor.count_tokens(TEXTS))
    assert answer["usage"] == {"prompt_tokens": counted, "total_tokens": counted}
    coded = everything.client.post("/v1/embeddings", {"input": TEXTS[0], "encoding_format": "base64"}).json
    vector = np.frombuffer(base64.b64decode(coded["data"][0]["embedding"]), "<f4")
    np.testing.assert_allclose(vector, expected[0], rtol=1e-5, atol=1e-6)


def test_embeddings_are_cut_to_their_dimensions_and_of_length_one(everything: Any) -> None:
    whole, cut = (
        np.array(everything.client.post("/v1/embeddings", body).json["data"][0]["embedding"])
        for body in ({"input": TEXTS[0]}, {"input": TEXTS[0], "dimensions": 8})
    )
    np.testing.assert_allclose(cut, unit(whole[:8]), rtol=1e-4, atol=1e-6)
    answer = everything.client.post("/v1/embeddings", {"input": TEXTS[0], "dimensions": 33})
    assert (answer.status, answer.json["error"]["param"]) == (422, "dimensions")


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"input": [[1, 2, 3]]}, 422, "another vocabulary"),
        ({"input": [1, 2, 3]}, 422, "another vocabulary"),
        ({"input": ""}, 422, "at least 1 character"),
        ({"input": []}, 422, "at least 1 item"),
        ({"input": "a", "model": "text-embedding-3-small"}, 404, "there is no model 'text-embedding-3-small'"),
    ],
)
def test_errors_are_openais(everything: Any, body: Any, status: int, said: str) -> None:
    answer = everything.client.post("/v1/embeddings", body)
    assert answer.status == status
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}
    assert said in answer.json["error"]["message"]


def test_models_are_listed_as_openai_does(everything: Any) -> None:
    answer = everything.client.get("/v1/models").json
    assert answer["object"] == "list"
    assert [row["id"] for row in answer["data"]] == ["mlm", "nli", "ner", "qa", "rank"]


def test_embed_is_teis(everything: Any, loaded: Any) -> None:
    expected = loaded.by_name["mlm"].predictor.embed(TEXTS)
    one = everything.client.post("/embed", {"inputs": TEXTS[0], "normalize": False}).json
    many = everything.client.post("/embed", {"inputs": TEXTS}).json
    np.testing.assert_allclose(one, expected[:1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(many, unit(expected), rtol=1e-5, atol=1e-6)


def test_too_long_a_text_is_refused_unless_it_may_be_cut(everything: Any) -> None:
    answer = everything.client.post("/embed", {"inputs": [TEXTS[0], LONG]})
    assert (answer.status, answer.json["error_type"]) == (413, "Validation")
    assert "inputs[1] has" in answer.json["error"]
    assert everything.client.post("/embed", {"inputs": [TEXTS[0], LONG], "truncate": True}).status == 200


def test_predict_is_teis(everything: Any, loaded: Any) -> None:
    predictor = loaded.by_name["nli"].predictor
    expected = predictor.classify([TEXTS[0], (TEXTS[0], TEXTS[1])])

    def ask(inputs: Any, **more: Any) -> Any:
        return everything.client.post("/predict", {"inputs": inputs, "model": "nli", **more}).json

    for found, one in ((ask(TEXTS[0]), expected[0]), (ask([TEXTS[0], TEXTS[1]]), expected[1])):
        assert {row["label"]: pytest.approx(row["score"], abs=1e-5) for row in found} == one.probabilities
        assert found[0]["label"] == one.label
        assert [row["score"] for row in found] == sorted((row["score"] for row in found), reverse=True)
    batch = ask([[TEXTS[0]], [TEXTS[0], TEXTS[1]]])
    assert [rows[0]["label"] for rows in batch] == [one.label for one in expected]
    raw = ask(TEXTS[0], raw_scores=True)
    logits = {row["label"]: row["score"] for row in raw}
    powers = np.exp([logits[label] for label in predictor.labels])
    np.testing.assert_allclose(powers / powers.sum(), list(expected[0].probabilities.values()), atol=1e-5)


def test_rerank_is_teis(everything: Any, loaded: Any) -> None:
    pairs = [("who?", text) for text in TEXTS]
    expected = [one.probability for one in loaded.by_name["rank"].predictor.classify(pairs)]
    found = everything.client.post("/rerank", {"query": "who?", "texts": TEXTS, "return_text": True}).json
    assert [row["index"] for row in found] == sorted(range(3), key=lambda at: -expected[at])
    assert all(row["score"] == pytest.approx(expected[row["index"]], abs=1e-5) for row in found)
    assert all(row["text"] == TEXTS[row["index"]] for row in found)
    raw = everything.client.post("/rerank", {"query": "who?", "texts": TEXTS, "raw_scores": True}).json
    for row, same in zip(found, raw, strict=True):
        assert 1 / (1 + np.exp(-same["score"])) == pytest.approx(row["score"], abs=1e-5)
        assert "text" not in same


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        ("/rerank", {"query": "a", "texts": ["b"], "model": "nli"}, 424, "Backend"),
        ("/predict", {"inputs": "a", "model": "ner"}, 424, "Backend"),
        ("/predict", {"inputs": ["a", "b", "c"], "model": "nli"}, 422, "Validation"),
        ("/predict", {"inputs": "a"}, 422, "Validation"),
        ("/embed", {"inputs": "a", "model": "none"}, 404, "Validation"),
        ("/embed", {"texts": ["a"]}, 422, "Validation"),
        ("/embed", {"inputs": ["a"] * 2049}, 413, "Validation"),
    ],
)
def test_errors_are_teis(everything: Any, path: str, body: Any, status: int, kind: str) -> None:
    answer = everything.client.post(path, body)
    assert (answer.status, answer.json["error_type"]) == (status, kind), answer.body
    assert isinstance(answer.json["error"], str)


def test_no_model_for_a_route_is_424(start: Callable[..., Any]) -> None:
    client = start(only=("mlm",)).client
    for path, body in (("/predict", {"inputs": "a"}), ("/rerank", {"query": "a", "texts": ["b"]})):
        assert client.post(path, body).status == 424


def test_info_is_teis(everything: Any, start: Callable[..., Any]) -> None:
    answer = everything.client.get("/info").json
    assert (answer["model_id"], answer["max_input_length"], answer["model_dtype"]) == ("mlm", 64, "float32")
    assert "embedding" in answer["model_type"]
    kind = start(only=("rank",)).client.get("/info").json["model_type"]
    assert kind == {"reranker": {"id2label": {"0": "relevance"}, "label2id": {"relevance": 0}}}
