"""Lines of ``isogloss predict``: one answer a line, in order, and a wrong line stops with its number."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.errors import DataError
from isogloss.lines import Question, answer_lines, read_items
from isogloss.predict import Predictor

texts = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\x00"), max_size=30)
plain = texts.filter(lambda text: not text.startswith(("{", "\ufeff")))


@dataclass
class Said:
    text: str


def read(question: Question, data: bytes) -> list[str | tuple[str, str]]:
    return list(read_items(question, io.BytesIO(data)))


@given(st.lists(plain, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_texts_come_as_they_are(given_texts: list[str], end: str) -> None:
    data = "".join(text + end for text in given_texts).encode()
    assert read("tag", data) == given_texts
    assert read("embed", b"\xef\xbb\xbf" + data if data else b"") == given_texts


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=8))
def test_json_holds_any_text(given_texts: list[str]) -> None:
    data = "".join(json.dumps({"text": text}) + "\n" for text in given_texts).encode()
    assert read("tag", data) == given_texts


def test_pairs_and_questions() -> None:
    pairs = "one\ttwo\nalone\n" + json.dumps({"text": "a\tb", "text_pair": "c"}) + "\n" + '{"text": "d"}'
    assert read("classify", pairs.encode()) == [("one", "two"), "alone", ("a\tb", "c"), "d"]
    asked = "who?\tAnna.\n" + json.dumps({"context": "Oslo.", "question": "where?"})
    assert read("answer", asked.encode()) == [("who?", "Anna."), ("where?", "Oslo.")]
    assert read("embed", b"a\tb\n") == ["a\tb"]


@pytest.mark.parametrize(
    ("question", "line", "said"),
    [
        ("tag", b"caf\xe9", "byte 4 of the line is not UTF-8"),
        ("classify", b"a\tb\tc", "3 columns in 'a\\tb\\tc'; a line is text or text TAB text_pair"),
        ("answer", b"no context", "1 columns in 'no context'; a line is question TAB context"),
        ("tag", b"{ no json", "begins with { but is not JSON"),
        ("tag", b'{"txt": "a"}', 'is not {"text": "…"}'),
        ("tag", b'{"text": 3}', 'is not {"text": "…"}'),
        ("answer", b'{"text": "a"}', 'is not {"question": "…", "context": "…"}'),
        ("fill-mask", b"no mask here", "no <mask> in 'no mask here'"),
        ("embed", b'{"text": "\\ud800"}', "half of a surrogate pair"),
    ],
)
@pytest.mark.parametrize("before", [0, 1, 5])
def test_a_wrong_line_has_a_number_and_a_way_out(question: Question, line: bytes, said: str, before: int) -> None:
    right = {"answer": b"who?\tAnna.\n", "fill-mask": b"a <mask>\n"}.get(question, b"right\n")
    with pytest.raises(DataError) as caught:
        read(question, right * before + line + b"\n" + right)
    assert str(caught.value).startswith(f"standard input, line {before + 1}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.lists(plain, max_size=12))
def test_a_line_is_answered_by_a_line_in_order(given_texts: list[str]) -> None:
    counted: list[int] = []
    stream = io.BytesIO("".join(text + "\n" for text in given_texts).encode())
    lines = list(answer_lines("tag", lambda items: map(Said, items), stream, advance=counted.append))
    assert [json.loads(line)["text"] for line in lines] == given_texts
    assert all("\n" not in line for line in lines)
    assert sum(counted) == len(given_texts)


def test_an_answer_comes_out_before_the_next_line_is_read() -> None:
    def endless() -> Iterator[bytes]:
        yield b"one\n"
        yield b"two\n"
        raise AssertionError("read further than was asked")

    found = answer_lines("tag", lambda items: map(Said, items), endless())
    assert [next(found), next(found)] == ['{"text": "one"}', '{"text": "two"}']


def test_every_kind_of_answer_is_an_object() -> None:
    answers = [Said("a"), [Said("b")], [], [[Said("c")], [Said("d")]], np.array([0.1, -2], np.float32)]
    lines = answer_lines("embed", lambda items: answers, [b"x\n"] * len(answers))
    assert [json.loads(line) for line in lines] == [
        {"text": "a"},
        {"spans": [{"text": "b"}]},
        {"spans": []},
        {"masks": [[{"text": "c"}], [{"text": "d"}]]},
        {"vector": [0.1, -2.0]},
    ]


def test_every_question_is_one_the_model_can_be_asked() -> None:
    assert all(callable(getattr(Predictor, question.replace("-", "_"))) for question in get_args(Question))


def test_the_command_line_names_a_folder_that_is_no_model(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "isogloss", "predict", "tag", str(tmp_path / "none")],
        input="x\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert str(tmp_path / "none") in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
