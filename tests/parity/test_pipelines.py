"""Our answers beside those of transformers' pipelines, from one folder on tiny random weights.

transformers 5 has no pipeline for questions any more: their answers are compared with its model's own logits.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from isogloss.checkpoint import save_model
from isogloss.heads import TaskModel
from isogloss.model import Encoder, MaskedLM, ModelSettings, initialise
from isogloss.predict import Predictor, load
from isogloss.vocab import Vocabulary

transformers = pytest.importorskip("transformers", reason="transformers is not installed: nothing to compare with")

SHAPE = ModelSettings(vocabulary_size=50, width=24, num_layers=2, num_heads=3, feedforward=40, max_length=100)
# Words that the vocabulary of these tests divides into several pieces, and one that it does not know.
TEXTS = ["anna oslo nani", "the moon", "lorobi themo one", "anna Ж lonios"]
Pipelines = Callable[[str, str, Sequence[str]], tuple[Any, Predictor]]


@pytest.fixture
def both(tmp_path: Path, vocabulary_folder: Path) -> Pipelines:
    """A pipeline of theirs and a predictor of ours that read one folder of a model of this kind with these labels."""

    def made(task: str, kind: str, labels: Sequence[str]) -> tuple[Any, Predictor]:
        model = MaskedLM(SHAPE) if kind == "masked" else TaskModel(Encoder(SHAPE), kind, labels)  # type: ignore[arg-type]
        initialise(model, 1)
        generator = torch.Generator().manual_seed(3)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.2 * torch.randn(parameter.shape, generator=generator)
        save_model(tmp_path / "m", model, vocabulary_folder=vocabulary_folder, parents=[], command="test", card="")
        pipeline = transformers.pipeline(task, model=str(tmp_path / "m"), device="cpu")
        return pipeline, load(tmp_path / "m", device="cpu", precision="fp32")

    return made


def plain_texts(vocabulary: Vocabulary) -> list[str]:
    """Words of two pieces. An unknown piece, and the space before a word, are words of their own to theirs."""
    pieces = [piece for piece in vocabulary.pieces[4:-1] if piece.removeprefix("▁").isascii()]
    opening = [piece[1:] for piece in pieces if piece.startswith("▁") and piece != "▁"]
    inner = [piece for piece in pieces if "▁" not in piece]
    texts = [
        " ".join(word + inner[(5 * place + 3 * turn) % len(inner)] for place, word in enumerate(opening[turn:]))
        for turn in range(0, len(opening), 2)
    ]
    assert len(texts) > 3
    for ids in vocabulary.encode(texts):
        assert not {vocabulary.unk_id, vocabulary.pieces.index("▁")} & set(ids.tolist())
    return texts


@pytest.mark.parametrize("targets", [None, ["▁the", "▁anna", "o"]])
def test_fill_mask(both: Pipelines, targets: list[str] | None) -> None:
    theirs, ours = both("fill-mask", "masked", ())
    if targets is not None:
        targets = [target for target in targets if target in ours.vocabulary().pieces]
        assert len(targets) > 1
    texts = ["anna <mask> nani", "the <mask> lo <mask>"]
    words = None if targets is None else [target.removeprefix("▁") for target in targets]
    found = ours.fill_mask(texts, top_k=3, targets=words)
    options = {} if targets is None else {"targets": targets}
    for text, masks in zip(texts, found, strict=True):
        expected = theirs(text, top_k=3, **options)
        expected = [expected] if isinstance(expected[0], dict) else expected
        for fills, said in zip(masks, expected, strict=True):
            assert [fill.id for fill in fills] == [one["token"] for one in said]
            assert [fill.probability for fill in fills] == pytest.approx([one["score"] for one in said], rel=1e-4)
            assert [fill.text.strip() for fill in fills] == [one["token_str"] for one in said]


@pytest.mark.parametrize("labels", [("a", "b", "c"), ("right",)])
def test_classification(both: Pipelines, labels: tuple[str, ...]) -> None:
    theirs, ours = both("text-classification", "sequence", labels)
    for text, found in zip(TEXTS, ours.classify(TEXTS), strict=True):
        expected = theirs(text, top_k=None)
        assert found.probabilities == pytest.approx({one["label"]: one["score"] for one in expected}, rel=1e-4)
        assert found.label == expected[0]["label"]
    (pair,) = ours.classify([(TEXTS[0], TEXTS[1])])
    expected = theirs({"text": TEXTS[0], "text_pair": TEXTS[1]}, top_k=None)
    assert pair.probabilities == pytest.approx({one["label"]: one["score"] for one in expected}, rel=1e-4)
    (cut,) = ours.classify(["anna " * 99])
    expected = theirs("anna " * 99, top_k=None, truncation=True)
    assert cut.probabilities == pytest.approx({one["label"]: one["score"] for one in expected}, rel=1e-4)


# Theirs takes the first or last label for contradiction: the same as ours only where it stands there.
@pytest.mark.parametrize("labels", [("contradiction", "neutral", "entailment"), ("Entailment", "x", "CONTRADICTION")])
@pytest.mark.parametrize("several", [False, True])
def test_zero_shot_classification(both: Pipelines, labels: tuple[str, ...], several: bool) -> None:
    theirs, ours = both("zero-shot-classification", "sequence", labels)
    for options, said in (({}, {}), ({"hypothesis": "the {}!"}, {"hypothesis_template": "the {}!"})):
        for mine in (["moon", "oslo", "nani"], ["moon"]):
            found = ours.classify(TEXTS, labels=mine, several=several, **options)  # type: ignore[arg-type]
            for text, answer in zip(TEXTS, found, strict=True):
                expected = theirs(text, candidate_labels=mine, multi_label=several, **said)
                assert answer.probabilities == pytest.approx(
                    dict(zip(expected["labels"], expected["scores"], strict=True)), rel=1e-4
                )
                assert answer.label == expected["labels"][0]
    (cut,) = ours.classify(["anna " * 99], labels=["moon", "oslo"])
    expected = theirs("anna " * 99, candidate_labels=["moon", "oslo"])
    assert cut.probabilities == pytest.approx(dict(zip(expected["labels"], expected["scores"], strict=True)), rel=1e-4)


def test_entities_of_words(both: Pipelines) -> None:
    """Words with spaces between them; theirs finds no others, and takes the label of a word's first piece as we do."""
    theirs, ours = both("token-classification", "token", ("O", "B-PER", "I-PER", "B-LOC", "I-LOC"))
    texts = plain_texts(ours.vocabulary())
    found = ours.tag(texts)
    for text, spans in zip(texts, found, strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it guesses where words are
            expected = theirs(text, aggregation_strategy="first")
        assert [(span.start, span.end, span.tag) for span in spans] == [
            (one["start"], one["end"], one["entity_group"]) for one in expected
        ]
        assert [span.score for span in spans] == pytest.approx([one["score"] for one in expected], rel=1e-4)
    assert any(found)


def test_answers(both: Pipelines) -> None:
    theirs, ours = both("feature-extraction", "question", ())
    model = transformers.AutoModelForQuestionAnswering.from_pretrained(theirs.model.name_or_path).eval()
    questions = [("the moon", text) for text in plain_texts(ours.vocabulary())]
    for (question, context), found in zip(questions, ours.answer(questions), strict=True):
        fed = theirs.tokenizer(question, context, return_tensors="pt", return_offsets_mapping=True)
        offsets = fed.pop("offset_mapping")[0].tolist()
        inside = [place for place, part in enumerate(fed.sequence_ids(0)) if part == 1]
        with torch.no_grad():
            out = model(**fed)
        starts, ends = out.start_logits[0], out.end_logits[0]
        pairs = [(start, end) for start in inside for end in inside if start <= end]
        scores = {pair: float(starts[pair[0]] + ends[pair[1]]) for pair in pairs}
        assert found.score == pytest.approx(max(scores.values()), rel=1e-4)
        best = [pair for pair, score in scores.items() if score == pytest.approx(found.score, rel=1e-4)]
        likely = {pair: float(starts.softmax(0)[pair[0]] * ends.softmax(0)[pair[1]]) for pair in best}
        assert any(found.probability == pytest.approx(value, rel=1e-3) for value in likely.values())
        assert (found.start, found.end) in [(offsets[start][0], offsets[end][1]) for start, end in best]
        assert found.no_answer_score == pytest.approx(float(starts[0] + ends[0]), rel=1e-4)
