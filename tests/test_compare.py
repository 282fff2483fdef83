"""Paired bootstrap: sums over examples give what a fresh score gives, equal systems do not differ, real ones do."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.compare import _counts, _percent, compare_predictions
from isogloss.errors import ConfigError, DataError
from isogloss.tasks import Answer, QuestionExample, TaggedExample, Task, find_task
from isogloss.tasks.scoring import Report

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
sentences = st.lists(st.lists(st.sampled_from(TAGS), min_size=1, max_size=6), min_size=1, max_size=6)


def one_by_one(task: Task, examples: Sequence[Any], predicted: Sequence[Any]) -> list[Report]:
    return [task.report([example], [one], language="en") for example, one in zip(examples, predicted, strict=True)]


@given(sentences, st.integers(0, 1000))
def test_entity_f1_of_drawn_sentences_follows_from_their_counts(gold: list[list[str]], seed: int) -> None:
    draw = random.Random(seed)
    task = find_task("conll")
    examples = [TaggedExample(tuple("w" for _ in tags), tuple(tags)) for tags in gold]
    predicted = [tuple(draw.choice(TAGS) for _ in tags) for tags in gold]
    counts = _counts(task, "f1", examples, one_by_one(task, examples, predicted))
    drawn = [draw.randrange(len(gold)) for _ in gold]
    fresh = task.report([examples[place] for place in drawn], [predicted[place] for place in drawn], language="en")
    assert _percent(counts[drawn].sum(0)[None])[0] == pytest.approx(fresh.metrics["f1"])


def test_answers_count_each_by_itself() -> None:
    task = find_task("squad")
    examples = [QuestionExample(str(n), "?", "a b c", (Answer("a b", 0),)) for n in range(3)]
    predicted = ["a b", "b c", None]
    reports = one_by_one(task, examples, predicted)
    counts = _counts(task, "f1", examples, reports)
    whole = task.report(examples, predicted, language="en").metrics
    assert _percent(counts.sum(0)[None])[0] == pytest.approx(whole["f1"])
    assert _percent(_counts(task, "exact_match", examples, reports).sum(0)[None])[0] == (
        pytest.approx(whole["exact_match"])
    )


def labelled(folder: Path, num: int, *, right: dict[str, float], seed: int = 0) -> Path:
    """A file of labels and one of predictions for each system, right with some probability."""
    draw = random.Random(seed)
    labels = ("entailment", "neutral", "contradiction")
    gold = [draw.choice(labels) for _ in range(num)]
    (folder / "test.en.tsv").write_text("".join(f"a\tb\t{label}\n" for label in gold), encoding="utf-8")
    for name, share in right.items():
        lines = [label if draw.random() < share else draw.choice(labels) for label in gold]
        (folder / f"{name}.txt").write_text("".join(f"{label}\n" for label in lines), encoding="utf-8")
    return folder / "test.en.tsv"


def test_a_large_difference_is_sure_and_a_small_one_is_not(tmp_path: Path) -> None:
    data = labelled(tmp_path, 400, right={"bad": 0.4, "good": 0.8, "alike": 0.8})

    def compared(first: str, second: str) -> tuple[float, float, float, bool]:
        one = compare_predictions(
            "nli", data=data, first=tmp_path / f"{first}.txt", second=tmp_path / f"{second}.txt", language="en"
        )["accuracy"]
        assert one.low <= one.difference <= one.high
        return one.low, one.high, one.share_above, one.is_sure

    low, high, share, is_sure = compared("bad", "good")
    assert is_sure
    assert low > 15
    assert share == 1.0
    # The other way round it is the same difference with the other sign.
    back = compared("good", "bad")
    assert back[:2] == pytest.approx((-high, -low), abs=1.5)
    assert not compared("good", "alike")[3]
    assert compared("good", "good") == (0.0, 0.0, 0.5, False)


def test_the_interval_is_as_wide_as_theory_says(tmp_path: Path) -> None:
    data = labelled(tmp_path, 1000, right={"one": 0.6, "two": 0.6}, seed=3)
    one, two = ((tmp_path / f"{name}.txt").read_text().split() for name in ("one", "two"))
    gold = [line.split("\t")[2] for line in data.read_text().splitlines()]
    points = 100 * np.array([(b == label) - (a == label) for a, b, label in zip(one, two, gold, strict=True)], float)
    found = compare_predictions(
        "nli", data=data, first=tmp_path / "one.txt", second=tmp_path / "two.txt", language="en"
    )["accuracy"]
    assert found.difference == pytest.approx(points.mean())
    width = 2 * 1.96 * points.std() / np.sqrt(len(points))
    assert found.high - found.low == pytest.approx(width, rel=0.05)


def test_correlations_are_drawn_afresh(tmp_path: Path) -> None:
    draw = random.Random(1)
    gold = [draw.uniform(0, 5) for _ in range(60)]
    (tmp_path / "dev.en.tsv").write_text("".join(f"a\tb\t{value}\n" for value in gold), encoding="utf-8")
    for name, noise in (("close", 0.3), ("far", 4.0)):
        lines = [f"{value + draw.gauss(0, noise)}\n" for value in gold]
        (tmp_path / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
    compared = compare_predictions(
        "sts-b",
        data=tmp_path / "dev.en.tsv",
        first=tmp_path / "far.txt",
        second=tmp_path / "close.txt",
        language="en",
        num_draws=200,
    )
    assert set(compared) == {"pearson", "spearman"}
    assert all(one.is_sure and one.difference > 0 and one.num_draws == 200 for one in compared.values())


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    data = labelled(tmp_path, 5, right={"a": 0.5, "b": 0.5})
    paths = {"data": data, "first": tmp_path / "a.txt", "second": tmp_path / "b.txt", "language": "en"}
    with pytest.raises(ConfigError, match="--draws 0"):
        compare_predictions("nli", **paths, num_draws=0)  # type: ignore[arg-type]
    (tmp_path / "b.txt").write_text("neutral\n", encoding="utf-8")
    with pytest.raises(DataError, match="too few"):
        compare_predictions("nli", **paths)  # type: ignore[arg-type]
