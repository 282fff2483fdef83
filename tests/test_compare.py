"""Paired bootstrap: sums over examples give what a fresh score gives, equal systems do not differ, real ones do."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from isogloss.cli import app
from isogloss.compare import _counts, _drawn, _percent, compare_folders, compare_predictions
from isogloss.errors import ConfigError, DataError
from isogloss.tasks import (
    CATALOGUE,
    Answer,
    ChoiceExample,
    PairExample,
    QuestionExample,
    RatedExample,
    TaggedExample,
    TextExample,
    find_task,
)
from isogloss.tasks.gold import Gold

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
sentences = st.lists(st.lists(st.sampled_from(TAGS), min_size=1, max_size=6), min_size=1, max_size=6)


@given(sentences, st.integers(0, 1000))
def test_entity_f1_of_drawn_sentences_follows_from_their_counts(gold: list[list[str]], seed: int) -> None:
    draw = random.Random(seed)
    task = find_task("conll")
    examples = [TaggedExample(tuple("w" for _ in tags), tuple(tags)) for tags in gold]
    predicted = [tuple(draw.choice(TAGS) for _ in tags) for tags in gold]
    counts = _counts(task, examples, predicted, "en")["f1"]
    drawn = [draw.randrange(len(gold)) for _ in gold]
    fresh = task.report([examples[place] for place in drawn], [predicted[place] for place in drawn], language="en")
    assert _percent(counts[drawn].sum(0)[None])[0] == pytest.approx(fresh.metrics["f1"])


def tagged(*sentences: str) -> list[TaggedExample]:
    return [TaggedExample(tuple("w" for _ in line.split()), tuple(line.split())) for line in sentences]


def tags(*sentences: str) -> list[tuple[str, ...]]:
    return [tuple(line.split()) for line in sentences]


# Of every kind of task: examples, what a poor system predicts of them, and what a good one does.
KINDS: list[tuple[str, Sequence[Any], Sequence[Any], Sequence[Any]]] = [
    ("xnli", [TextExample(("a", "b"), label) for label in ("neutral", "entailment", "neutral")],
     ["entailment", "entailment", "entailment"], ["neutral", "entailment", "neutral"]),
    ("mrpc", [TextExample(("a", "b"), label) for label in "110"], list("001"), list("110")),
    ("cola", [TextExample(("a",), label) for label in "110"], list("001"), list("110")),
    ("sts-b", [RatedExample(("a", "b"), rating) for rating in (1.0, 2.0, 4.0)], [4.0, 3.0, 1.0], [1.0, 2.0, 5.0]),
    ("xcopa", [ChoiceExample("p", "cause", ("a", "b"), label) for label in "010"], list("111"), list("010")),
    ("tatoeba", [PairExample("a", "b"), PairExample("c", "d"), PairExample("e", "f")], list("010"), list("012")),
    ("udpos", tagged("NOUN VERB", "NOUN", "DET NOUN VERB"), tags("VERB VERB", "VERB", "DET VERB VERB"),
     tags("NOUN VERB", "NOUN", "DET NOUN ADV")),
    ("conll", tagged("B-PER I-PER O", "O", "B-LOC"), tags("B-PER B-PER O", "B-LOC", "O"),
     tags("B-PER I-PER O", "O", "B-LOC")),
    *((name, [QuestionExample(str(n), "?", "a b c", (Answer("b c", 2),)) for n in range(3)], ["c", None, "a"],
       ["b c", "b", "b c"]) for name in ("squad", "mlqa", "xquad", "tydiqa-goldp")),
]  # fmt: skip


def test_every_kind_of_task_is_tried() -> None:
    assert {find_task(name).kind for name, *_ in KINDS} == {task.kind for task in CATALOGUE.values()}


@pytest.mark.parametrize(("name", "examples", "poor", "good"), KINDS)
def test_what_examples_add_is_the_metric_of_all(
    name: str, examples: Sequence[Any], poor: Sequence[Any], good: Sequence[Any]
) -> None:
    task = find_task(name)
    for predicted in (poor, good):
        whole = task.report(examples, predicted, language="en").metrics
        for metric, counts in _counts(task, examples, predicted, "en").items():
            assert _percent(counts.sum(0)[None])[0] == pytest.approx(whole[metric])
    assert task.kind in ("classify", "rate") or set(_counts(task, examples, good, "en")) == set(task.metrics)


@pytest.mark.parametrize(("name", "examples", "poor", "good"), KINDS)
def test_the_interval_lies_around_the_difference_and_on_its_side_of_zero(
    name: str, examples: Sequence[Any], poor: Sequence[Any], good: Sequence[Any]
) -> None:
    """The examples many times over, each by another id, so that the difference is beyond doubt."""
    task, times = find_task(name), 20
    examples = [
        replace(one, id=f"{n}-{one.id}") if hasattr(one, "id") else one for n in range(times) for one in examples
    ]
    sides = [list(side) * times for side in (poor, good)]
    if task.kind == "retrieve":
        sides = [[str(int(one) + 3 * (place // 3)) for place, one in enumerate(side)] for side in sides]
    counts = [_counts(task, examples, side, "en") for side in sides]
    for metric in task.metrics:
        of_sides = [one.get(metric) for one in counts]
        found = _drawn(task, metric, Gold(examples, "en"), sides, of_sides, 200, np.random.default_rng(0)).difference()
        assert found.low <= found.difference <= found.high
        assert found.is_sure
        assert found.low > 0
        assert found.share_above == 1.0


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


def folders(root: Path, *, right: dict[str, dict[str, float]], num: int = 300, parallel: bool = False) -> Path:
    """Labelled files by language, and a folder of predictions for each system; alike in all languages if parallel."""
    for name in ("data", *right):
        (root / name).mkdir(exist_ok=True)
    labels = ("entailment", "neutral", "contradiction")
    for language in dict.fromkeys(language for shares in right.values() for language in shares):
        draw = random.Random("all" if parallel else language)
        gold = [draw.choice(labels) for _ in range(num)]
        (root / "data" / f"test.{language}.tsv").write_text("".join(f"a\tb\t{label}\n" for label in gold))
        for name, shares in right.items():
            lines = [label if draw.random() < shares.get(language, 0) else draw.choice(labels) for label in gold]
            if language in shares:
                (root / name / f"test.{language}.txt").write_text("".join(f"{label}\n" for label in lines))
    return root


def compared_folders(root: Path, **changes: Any) -> dict[str, Any]:
    values = {"data": root / "data", "first": root / "a", "second": root / "b", "split": "test", "num_draws": 2000}
    return compare_folders("nli", **(values | changes))["accuracy"]


def test_languages_that_both_have_are_compared_each_and_in_the_mean(tmp_path: Path) -> None:
    root = folders(tmp_path, right={"a": {"en": 0.8, "sw": 0.4, "ur": 0.3}, "b": {"en": 0.8, "sw": 0.6, "th": 0.5}})
    told: list[str] = []
    table = compared_folders(root, tell=told.append)
    assert list(table) == ["en", "sw", "mean"]
    assert told == [
        f"not compared, as only {root / 'a'} has predictions: ur",
        f"not compared, as only {root / 'b'} has predictions: th",
    ]
    alone = compare_predictions(
        "nli", data=root / "data" / "test.en.tsv", first=root / "a" / "test.en.txt",
        second=root / "b" / "test.en.txt", language="en", num_draws=2000,
    )["accuracy"]  # fmt: skip
    assert table["en"] == alone
    en, sw, mean = table.values()
    assert (mean.first, mean.second, mean.n) == ((en.first + sw.first) / 2, (en.second + sw.second) / 2, 600)
    assert mean.difference == pytest.approx((en.difference + sw.difference) / 2)
    # Of independent draws the variances add up, and the mean of two has half the standard deviation of their sum.
    widths = [one.high - one.low for one in (en, sw)]
    assert mean.high - mean.low == pytest.approx(np.hypot(*widths) / 2, rel=0.08)
    assert list(compared_folders(root, languages=["sw"])) == ["sw", "mean"]


def test_parallel_test_sets_vary_together(tmp_path: Path) -> None:
    """The same sentences in two languages say no more than in one: only the same draw for both shows it."""
    root = folders(tmp_path, right={"a": {"de": 0.5, "en": 0.5}, "b": {"de": 0.7, "en": 0.7}}, parallel=True)
    apart, together = (compared_folders(root, parallel=parallel)["mean"] for parallel in (False, True))
    one = compared_folders(root, languages=["de"])["de"]
    assert together.high - together.low == pytest.approx(one.high - one.low)
    assert apart.high - apart.low == pytest.approx((one.high - one.low) / 2**0.5, rel=0.08)
    (root / "data" / "test.en.tsv").write_text("a\tb\tneutral\n")
    for name in ("a", "b"):
        (root / name / "test.en.txt").write_text("neutral\n")
    with pytest.raises(ConfigError, match=r"--parallel is for test sets that are translations .* de 300, en 1"):
        compared_folders(root, parallel=True)


def test_folders_that_do_not_belong_together_are_named(tmp_path: Path) -> None:
    root = folders(tmp_path, right={"a": {"en": 0.5}, "b": {"sw": 0.5}}, num=5)
    for changes, said in (
        ({}, "a has en, .*b has sw: no language in common"),
        ({"languages": ["sw"]}, "a has no predictions for 'sw'; it has en"),
        ({"split": "dev"}, r"a has no file dev\.LANGUAGE\.txt; it has test\.en\.txt"),
        ({"second": root / "nowhere"}, r"nowhere does not exist; of folders give two with files test\.LANGUAGE\.txt"),
        ({"first": root / "a" / "test.en.txt"}, "is a file; of folders give two"),
        ({"num_draws": 0}, "--draws 0"),
    ):
        with pytest.raises((ConfigError, DataError), match=said):
            compared_folders(root, **changes)
    (root / "b" / "test.en.txt").write_text("neutral\n")
    with pytest.raises(DataError, match="too few"):
        compared_folders(root)


def test_types_of_entities_are_left_out_of_a_comparison(tmp_path: Path) -> None:
    (tmp_path / "gold.tsv").write_text("Anna\tB-PER\nJuni\tB-DATE\n\n" * 20)
    for name, tag in (("one", "B-DATE"), ("two", "O")):
        (tmp_path / f"{name}.tsv").write_text(f"Anna\tB-PER\nJuni\t{tag}\n\n" * 20)
    told: list[str] = []

    def compared(**changes: Any) -> float:
        return compare_predictions(
            "masakhaner", data=tmp_path / "gold.tsv", first=tmp_path / "one.tsv", second=tmp_path / "two.tsv",
            language="sw", num_draws=50, tell=told.append, **changes,
        )["f1"].difference  # fmt: skip

    assert compared() < -30
    assert compared(drop_types=["DATE"]) == 0
    assert told == [f"{tmp_path / 'gold.tsv'}: entities of type DATE left out: 20"]


def test_the_command_shows_a_table_or_data(tmp_path: Path) -> None:
    root = folders(tmp_path, right={"a": {"en": 0.2, "sw": 0.5}, "b": {"en": 0.9, "sw": 0.5}})
    words = ["compare", "nli", "--data", f"{root / 'data'}", "--first", f"{root / 'a'}", "--second", f"{root / 'b'}"]
    said = CliRunner().invoke(app, [*words, "--split", "test", "--draws", "500"])
    assert said.exit_code == 0, said.output
    lines = [line.split("│")[1:-1] for line in said.stdout.splitlines() if line.startswith("│")]
    assert [line[0].strip() for line in lines] == ["en", "sw", "mean"]
    assert [line[-1].strip() for line in lines][::2] == ["yes", "yes"]
    said = CliRunner().invoke(app, [*words, "--split", "test", "--draws", "500", "--json", "--parallel"])
    table = json.loads(said.stdout)["accuracy"]
    assert table["en"]["is_sure"]
    assert table["mean"]["num_draws"] == 500
    files = ["compare", "nli", "--data", f"{root / 'data' / 'test.en.tsv'}"]
    files += ["--first", f"{root / 'a' / 'test.en.txt'}", "--second", f"{root / 'b' / 'test.en.txt'}"]
    for more, problem in (([], "give --language CODE"), (["--language", "en", "--parallel"], "--parallel draws alike")):
        done = CliRunner().invoke(app, [*files, *more])
        assert isinstance(done.exception, ConfigError)
        assert problem in str(done.exception)
    assert CliRunner().invoke(app, [*files, "--language", "en"]).exit_code == 0
