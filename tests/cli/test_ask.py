"""`isogloss predict`: every option, lines that are wrong, and a file of any length."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from click.testing import Result
from typer.testing import CliRunner

from isogloss.checkpoint import save_model
from isogloss.cli import app
from isogloss.errors import IsoglossError
from isogloss.heads import TaskModel
from isogloss.model import Encoder, MaskedLM, ModelSettings, initialise
from isogloss.predict import load
from isogloss.vocab import MODEL_NAME, Vocabulary
from isogloss.vocab.hub import write_hub_files

LINES = [
    "Anna lives in Oslo.",
    *(f"the {who} {does}" for who in ("dog", "river") for does in ("runs", "sleeps")),
    "安娜住在。",
]
LONG = "Anna lives in Oslo. " * 30


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    content = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES * 5), model_writer=content, vocab_size=120, hard_vocab_limit=False, minloglevel=2
    )
    (folder / "vocab").mkdir()
    (folder / "vocab" / MODEL_NAME).write_bytes(content.getvalue())
    vocabulary = Vocabulary.load(folder / "vocab")
    write_hub_files(folder / "vocab", vocabulary)
    shape = ModelSettings(
        vocabulary_size=vocabulary.size, width=16, num_layers=1, num_heads=2, feedforward=16, max_length=64
    )
    models = {
        "mlm": MaskedLM(shape),
        "nli": TaskModel(Encoder(shape), "sequence", ("entailment", "neutral", "contradiction")),
        "token": TaskModel(Encoder(shape), "token", ("NOUN", "VERB")),
        "question": TaskModel(Encoder(shape), "question", ()),
    }
    for name, model in models.items():
        initialise(model, seed=6)
        save_model(folder / name, model, vocabulary_folder=folder / "vocab", parents=[], command="test", card="")
    return folder


def predict(models: Path, *words: str, lines: str | bytes) -> Result:
    question, model, *options = words
    return CliRunner().invoke(app, ["predict", question, str(models / model), *options, "--device", "cpu"], input=lines)


def answers(done: Result) -> list[dict[str, Any]]:
    assert done.exit_code == 0, done.exception
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_labels_of_ones_own(models: Path) -> None:
    options = ("--label", "dog", "--label", "river", "--hypothesis", "the {}")
    both = answers(predict(models, "classify", "nli", *options, lines="Anna\n安娜\n"))
    several = answers(predict(models, "classify", "nli", *options, "--several", lines="Anna\n安娜\n"))
    model = load(models / "nli", device="cpu")
    for found, only in ((both, False), (several, True)):
        expected = model.classify(["Anna", "安娜"], labels=["dog", "river"], hypothesis="the {}", several=only)
        assert [one["label"] for one in found] == [one.label for one in expected]
        assert [one["probabilities"] for one in found] == [pytest.approx(one.probabilities) for one in expected]
    assert both != several


def test_long_texts_and_narrow_vectors(models: Path) -> None:
    lines = f"{LONG}\n{LONG}the dog\n"
    options = ("--width", "3", "--normalise", "--precision", "fp32")
    cut = [one["vector"] for one in answers(predict(models, "embed", "mlm", *options, lines=lines))]
    whole = [
        one["vector"] for one in answers(predict(models, "embed", "mlm", *options, "--long", "windows", lines=lines))
    ]
    assert cut[0] == cut[1]
    assert whole[0] != whole[1]
    assert all(len(vector) == 3 for vector in cut + whole)
    assert all(sum(number**2 for number in vector) == pytest.approx(1) for vector in cut + whole)


def test_masks_tags_and_answers(models: Path) -> None:
    (filled,) = answers(predict(models, "fill-mask", "mlm", "--target", "A", "--target", "安", lines="the <mask>"))
    assert {fill["text"].strip() for fill in filled["masks"][0]} == {"A", "安"}
    (tagged,) = answers(predict(models, "tag", "token", lines="Anna runs"))
    assert [set(span) for span in tagged["spans"]] == [{"start", "end", "text", "tag", "score"}] * 2
    (found,) = answers(predict(models, "answer", "question", "--top-k", "3", lines="who?\tAnna lives in Oslo."))
    assert set(found) == {"start", "end", "text", "score", "probability", "no_answer_score", "others"}
    assert 1 <= len(found["others"]) <= 2


@pytest.mark.parametrize(
    ("words", "lines", "said"),
    [
        (("classify", "nli", "--label", "a", "--label", "a"), "x", "labels has 'a' twice"),
        (("classify", "nli", "--label", "a", "--hypothesis", "none"), "x", "has 0 places for a label"),
        (("classify", "nli", "--hypothesis", "{}"), "x", "give --label too"),
        (("classify", "nli", "--several"), "x", "give labels too"),
        (("classify", "nli", "--label", "a"), "x\nx\ty", "text 2 is a pair"),
        (("classify", "nli"), "a\tb\tc", "standard input, line 1: 3 columns"),
        (("embed", "mlm", "--width", "17"), "x", "width = 17 is outside 1 to 16"),
        (("embed", "mlm"), b"x\n\xff", "standard input, line 2: byte 1 of the line is not UTF-8"),
        (("tag", "mlm"), "x", "tag needs a token head"),
        (("fill-mask", "mlm", "--target", "no such word"), "<mask>", "a mask holds one piece"),
        (("fill-mask", "mlm"), f"<mask>\n{LONG}<mask>", "text 2 has "),
    ],
)
def test_a_mistake_is_said_in_one_line(models: Path, words: tuple[str, ...], lines: str | bytes, said: str) -> None:
    done = predict(models, *words, lines=lines)
    assert isinstance(done.exception, IsoglossError)
    assert said in str(done.exception)
    assert len(str(done.exception).splitlines()) == 1
    assert done.stdout == ""


def test_a_process_ends_with_two_and_the_number_of_the_line(models: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "isogloss", "predict", "fill-mask", str(models / "mlm"), "--device", "cpu"],
        input=f"<mask>\n{LONG}<mask>\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"isogloss: text 2 has \d+ pieces, the model reads 64; shorten it\n", done.stderr)


def test_a_file_larger_than_a_chunk_is_answered_in_order(models: Path) -> None:
    texts = [f"{number} Anna" for number in range(2100)]
    found = answers(predict(models, "tag", "token", lines="\n".join(texts)))
    assert [one["spans"][0]["text"] for one in found] == [str(number) for number in range(2100)]
