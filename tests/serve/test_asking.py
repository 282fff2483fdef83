"""The five questions over HTTP: the answers of the predictor, in batches, for the model that is named or fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from isogloss.export import ExportSettings, export
from isogloss.serve.models import load_models
from isogloss.serve.settings import ServeSettings

TEXTS = ["Anna lives in Oslo.", "the moon is here", "安娜住在奥斯陆。", "แอนนาอาศัยอยู่ในออสโล", "آنا تعيش في أوسلو"]
PAIRS = [(TEXTS[0], TEXTS[1]), (TEXTS[2], TEXTS[3])]
ASKED: dict[str, tuple[str, dict[str, Any], list[Any], dict[str, Any]]] = {
    "fill-mask": ("mlm", {"texts": ["Anna <mask> in <mask>.", "<mask>"], "top_k": 2}, [], {"top_k": 2}),
    "tag": ("ner", {"texts": [*TEXTS, ["Anna", "Oslo"]]}, [], {}),
    "answer": (
        "qa",
        {"questions": [{"question": q, "context": c} for q, c in PAIRS], "longest_answer": 2},
        list(PAIRS),
        {"longest_answer": 2},
    ),
    "embed": ("mlm", {"texts": TEXTS, "pooling": "cls"}, [], {"pooling": "cls"}),
    "classify": ("nli", {"texts": [*TEXTS, list(PAIRS[0])], "model": "nli"}, [*TEXTS, PAIRS[0]], {}),
}


@pytest.mark.parametrize("question", ASKED)
def test_a_question_gets_the_answers_of_its_model(everything: Any, loaded: Any, question: str) -> None:
    name, body, items, options = ASKED[question]
    answer = everything.client.post(f"/ask/{question}", body)
    assert answer.status == 200, answer.body
    assert answer.json["model"] == name
    predictor = loaded.by_name[name].predictor
    expected = getattr(predictor, question.replace("-", "_"))(items or body["texts"], **options)
    if question == "embed":
        np.testing.assert_allclose(np.array(answer.json["vectors"], np.float32), expected, rtol=1e-5, atol=1e-6)
        return
    found = answer.json["answers"]
    assert len(found) == len(expected)
    if question == "fill-mask":
        shown = [[[(fill.text, fill.id) for fill in mask] for mask in masks] for masks in expected]
        assert [[[(fill["text"], fill["id"]) for fill in mask] for mask in one["masks"]] for one in found] == shown
    elif question == "tag":
        assert [[span["start"] for span in one["spans"]] for one in found] == [[s.start for s in o] for o in expected]
    elif question == "answer":
        assert [(one["start"], one["end"], one["text"]) for one in found] == [
            (o.start, o.end, o.text) for o in expected
        ]
    else:
        assert [one["label"] for one in found] == [one.label for one in expected]
        assert all(sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-5) for one in found)


def test_vectors_are_the_same_float32_after_their_way_through_json(everything: Any, loaded: Any) -> None:
    answer = everything.client.post("/ask/embed", {"texts": TEXTS[:1], "model": "mlm"})
    vector = np.array(answer.json["vectors"][0], np.float32)
    np.testing.assert_array_equal(vector, loaded.by_name["mlm"].predictor.embed(TEXTS[:1])[0])


def test_tokens_are_counted_and_texts_that_were_cut_are_named(everything: Any) -> None:
    long = "the moon is here " * 40
    answer = everything.client.post("/ask/embed", {"texts": ["Anna", long], "model": "mlm"}).json
    assert answer["cut"] == [1]
    one = everything.client.post("/ask/embed", {"texts": ["Anna"], "model": "mlm"}).json
    assert "cut" not in one
    assert 2 < one["tokens"] < answer["tokens"] - 64
    assert "cut" not in everything.client.post("/ask/tag", {"texts": [long]}).json


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "said"),
    [
        ("/ask/tag", {"texts": ["a"], "model": "gpt"}, 404, "model_not_found", "mlm, nli, ner, qa, rank"),
        ("/ask/tag", {"texts": ["a"], "model": "qa"}, 422, "model_unfit", "question head"),
        ("/ask/classify", {"texts": ["a"]}, 422, "model_missing", "nli, rank"),
        ("/ask/fill-mask", {"texts": ["<mask>", "none"]}, 422, "invalid_request", "texts[1]"),
        ("/ask/fill-mask", {"texts": ["moon " * 80 + "<mask>"]}, 422, "unanswerable", "text 1 has"),
        ("/ask/fill-mask", {"texts": ["<mask>", "<mask>" * 65]}, 413, "too_many_masks", "texts[1]"),
        ("/ask/fill-mask", {"texts": ["<mask>"], "top_k": 900}, 422, "unanswerable", "the size of the vocabulary"),
        ("/ask/tag", {"texts": ["a", ""]}, 422, "invalid_request", "texts[1]"),
        ("/ask/tag", {"texts": []}, 422, "invalid_request", "texts"),
        ("/ask/tag", {"texts": "a"}, 422, "invalid_request", "texts"),
        ("/ask/tag", {"text": ["a"]}, 422, "invalid_request", "texts"),
        ("/ask/tag", {"texts": ["a"], "topk": 3}, 422, "invalid_request", "known: model, texts"),
        ("/ask/tag", {"texts": [["a", 1]]}, 422, "invalid_request", "texts[0][1]"),
        ("/ask/classify", {"texts": [{"text": "a", "text_pair": "b"}]}, 422, "invalid_request", "texts[0]: Input"),
        ("/ask/classify", {"texts": [["a", "b", "c"]]}, 422, "invalid_request", "at most 2 items"),
        ("/ask/answer", {"questions": [{"question": "a"}]}, 422, "invalid_request", "questions[0].context"),
        ("/ask/embed", {"texts": ["a"], "pooling": "max"}, 422, "invalid_request", "pooling"),
        ("/ask/embed", {"texts": ["a"], "normalise": 1}, 422, "invalid_request", "normalise"),
        ("/ask/embed", [], 422, "invalid_request", "a list"),
        ("/ask/everything", {}, 404, "not_found", "/docs"),
    ],
)
def test_a_wrong_question_is_told_why(everything: Any, path: str, body: Any, status: int, code: str, said: str) -> None:
    answer = everything.client.post(path, body)
    assert (answer.status, answer.json["error"]["code"]) == (status, code), answer.body
    assert said in json.dumps(answer.json["error"])
    assert answer.headers["content-type"] == "application/json"


def test_a_route_is_asked_in_its_way(everything: Any) -> None:
    answer = everything.client.get("/ask/tag")
    assert (answer.status, answer.json["error"]["code"], answer.headers["allow"]) == (405, "method_not_allowed", "POST")


def test_one_request_may_hold_more_than_a_batch(start: Any) -> None:
    running = start(only=("ner",), token_budget=40)
    texts = [f"{text} {number}" for number in range(20) for text in TEXTS]
    answer = running.client.post("/ask/tag", {"texts": texts})
    assert answer.status == 200
    assert len(answer.json["answers"]) == 100
    for text, found in zip(texts, answer.json["answers"], strict=True):
        assert all(text[span["start"] : span["end"]] == span["text"] for span in found["spans"])


def test_models_say_what_they_can_be_asked(everything: Any) -> None:
    rows = {row["name"]: row for row in everything.client.get("/models").json["models"]}
    assert list(rows) == ["mlm", "nli", "ner", "qa", "rank"]
    assert rows["mlm"]["questions"] == ["fill-mask", "embed"]
    assert rows["mlm"]["default_for"] == ["fill-mask", "embed"]
    assert rows["nli"]["default_for"] == []
    assert rows["ner"]["labels"] == ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def test_an_exported_model_is_served(models: Path, loaded: Any, start: Any, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: nothing to run a graph with")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed: nothing to export with")
    export(ExportSettings(model=models / "nli", output=tmp_path / "small"))
    client = start(served=load_models(ServeSettings(models=(str(tmp_path / "small"),), device="cpu"))).client
    (row,) = client.get("/models").json["models"]
    assert (row["name"], row["questions"], row["runs_on"]) == ("small", ["classify"], "onnxruntime")
    found = client.post("/ask/classify", {"texts": [*TEXTS, list(PAIRS[0])]}).json["answers"]
    expected = loaded.find("nli", "classify").predictor.classify([*TEXTS, PAIRS[0]])
    assert [one["label"] for one in found] == [one.label for one in expected]
    assert [one["probability"] for one in found] == pytest.approx([one.probability for one in expected], abs=1e-4)
    assert client.post("/ask/embed", {"texts": TEXTS}).json["error"]["code"] == "model_unfit"
