"""What is said of a labelled file before it is scored: what the pieces keep any model from getting right."""

import json
from pathlib import Path

import pytest

from isogloss.labelled import LabelledSet, predict_sets, say_limits
from isogloss.tasks import Answer, QuestionExample, TaggedExample, find_task, make_windows
from isogloss.vocab import Vocabulary


@pytest.fixture
def vocabulary(pretrained: Path) -> Vocabulary:
    return Vocabulary.load(pretrained)


@pytest.mark.parametrize(("num_shared", "told"), [(0, False), (1, False), (3, True)])
def test_words_that_share_a_piece_are_told_once_where_they_are_many(
    vocabulary: Vocabulary, capsys: pytest.CaptureFixture[str], num_shared: int, told: bool
) -> None:
    # A word that normalisation drops never has a piece.
    words = (*["Oslo"] * (200 - num_shared), *["\u200b"] * num_shared)
    example = TaggedExample(words, ("O",) * 200)
    say_limits(Path("dev.en.tsv"), [example], make_windows("tag", [example], vocabulary, language="en", max_length=64))
    error = capsys.readouterr().err
    assert error.count("\n") == told
    assert (f"dev.en.tsv: {num_shared} of 200 words share a piece with a neighbour" in error) == told


def questions() -> list[QuestionExample]:
    context = "Anna lives in Oslo and works for the Red Cross ."
    return [
        QuestionExample(str(length), "Who?", context, (Answer(context[:length], 0), Answer(context[:40], 0)))
        for length in (4, 4, 4, len(context))
    ]


def test_answers_that_are_too_long_are_told_with_the_number_that_finds_them(
    vocabulary: Vocabulary, capsys: pytest.CaptureFixture[str]
) -> None:
    windows = make_windows("answer", questions(), vocabulary, language="en", max_length=128)
    say_limits(Path("dev.en.json"), questions(), windows, longest_answer=5)
    told = capsys.readouterr().err
    assert "dev.en.json: 1 of 4 answers are longer than longest_answer = 5 pieces" in told
    enough = int(told.split("longest_answer=")[1].split()[0])
    say_limits(Path("dev.en.json"), questions(), windows, longest_answer=enough)
    assert capsys.readouterr().err == ""
    say_limits(Path("dev.en.json"), questions(), windows, longest_answer=enough - 1)
    assert capsys.readouterr().err != ""


def test_the_longest_answer_of_a_set_is_that_of_its_predictions(
    vocabulary: Vocabulary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np
    import torch

    from isogloss.devices import choose
    from isogloss.heads import TaskModel
    from isogloss.model import Encoder, ModelSettings

    context = "Anna lives in Oslo and works for the Red Cross ."
    path = tmp_path / "dev.en.json"
    answers = [{"text": "Anna", "answer_start": 0}]
    asked = {"context": context, "qas": [{"id": "1", "question": "Who?", "answers": answers}]}
    path.write_text(json.dumps({"data": [{"paragraphs": [asked]}]}))
    sets = [
        LabelledSet.read(
            find_task("qa"),
            path,
            vocabulary,
            language="en",
            split="dev",
            labels=(),
            max_length=128,
            longest_answer=longest,
        )
        for longest in (1, 100)
    ]
    (window,) = sets[0].windows
    logits = np.zeros((len(window.ids), 2), np.float32)
    logits[window.first_row, 0] = logits[-2, 1] = 9
    monkeypatch.setattr("isogloss.labelled.run_packed", lambda model, ids, **_: [logits for _ in ids])
    shape = ModelSettings(vocabulary_size=vocabulary.size, width=8, num_layers=1, num_heads=1, feedforward=8)
    with torch.no_grad():
        model = TaskModel(Encoder(shape), "question", ())
    (short,), (whole,) = predict_sets(model, sets, device=choose("cpu", precision="fp32"))
    assert whole == context
    assert len(short) < 8
