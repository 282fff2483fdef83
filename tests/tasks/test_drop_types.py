"""Entities of types that are left out: in labels and answers alike, counted, never silently; n and F1 stay right."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.errors import ConfigError, DataError
from isogloss.score import score_file
from isogloss.tasks import TaggedExample, find_task, labels_of
from isogloss.tasks.metrics import entities
from isogloss.tasks.predicted import read_columns

TAGS = ("O", "B-PER", "I-PER", "B-DATE", "I-DATE", "B-LOC", "I-LOC")
SENTENCES = st.lists(st.lists(st.sampled_from(TAGS), min_size=1, max_size=6), min_size=1, max_size=5)
DATED = "Anna\tB-PER\nalikuja\tO\nJumatatu\tB-DATE\nasubuhi\tI-DATE\n\nOslo\tB-LOC\nJuni\tB-DATE\n"
PANX = ("O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER")


def test_a_model_that_knows_no_dates_reads_them_as_words_and_that_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "dev.sw.tsv"
    path.write_text(DATED)
    task = find_task("masakhaner")
    with pytest.raises(DataError, match=r"dev\.sw\.tsv:3: unknown tag 'B-DATE'; known are .*drop_types"):
        task.read(path, labels=PANX)
    told: list[str] = []
    examples = task.without(["DATE", "MISC"]).read(path, labels=PANX, tell=told.append)
    assert examples == [
        TaggedExample(("Anna", "alikuja", "Jumatatu", "asubuhi"), ("B-PER", "O", "O", "O")),
        TaggedExample(("Oslo", "Juni"), ("B-LOC", "O")),
    ]
    assert told == [
        f"{path}: entities of type DATE left out: 2",
        f"{path}: entities of type MISC left out: 0",
    ]


@pytest.mark.parametrize("tags", ["S-DATE S-PER", "I-DATE I-PER", "U-DATE U-PER"])
def test_other_schemes_are_converted_first(tmp_path: Path, tags: str) -> None:
    first, second = tags.split()
    (tmp_path / "a.tsv").write_text(f"Juni\t{first}\nAnna\t{second}\n")
    (example,) = find_task("ner").without(["DATE"]).read(tmp_path / "a.tsv")
    assert isinstance(example, TaggedExample)
    assert example.tags == ("O", "B-PER")


@given(SENTENCES, st.integers(0, 1000))
def test_the_f1_is_that_of_the_other_types_together(gold: list[list[str]], seed: int) -> None:
    """Of counts by type, which leaving out one type must not change, follows what the whole must be."""
    draw = random.Random(seed)
    task = find_task("ner")
    predicted = [tuple(draw.choice(TAGS) for _ in tags) for tags in gold]
    examples = [TaggedExample(tuple("w" for _ in tags), tuple(tags)) for tags in gold]
    whole = task.report(examples, predicted, language="en").types
    without = task.without(["DATE"])
    kept = [TaggedExample(one.words, tags) for one, tags in zip(examples, without.without_dropped(gold), strict=True)]
    report = without.report(kept, without.without_dropped(predicted), language="en")
    assert report.types == {kind: counts for kind, counts in whole.items() if kind != "DATE"}
    right, ours, theirs = (
        sum(counts[name] for kind, counts in whole.items() if kind != "DATE") for name in ("right", "gold", "predicted")
    )
    assert report.metrics["f1"] == pytest.approx(200 * right / (ours + theirs) if ours + theirs else 0)
    assert all(entity.kind != "DATE" for tags in without.without_dropped(predicted) for entity in entities(tags))


def test_prediction_files_are_scored_without_a_type_beside_the_data_and_by_themselves(tmp_path: Path) -> None:
    gold, said = tmp_path / "gold.tsv", tmp_path / "said.tsv"
    gold.write_text("Anna\tB-PER\nJuni\tO\nOslo\tB-LOC\n\nMei\tB-DATE\n")
    # A date that the data does not have would be one wrong entity more; one that it has, one right.
    said.write_text("Anna\tB-PER\tB-PER\nJuni\tO\tB-DATE\nOslo\tB-LOC\tO\n\nMei\tB-DATE\tB-DATE\n")
    whole = score_file("masakhaner", data=gold, predictions=said, language="sw")
    assert (whole.types["DATE"]["predicted"], whole.metrics["f1"]) == (2, pytest.approx(200 * 2 / 6))
    beside = score_file("masakhaner", data=gold, predictions=said, language="sw", drop_types=["DATE"])
    alone = score_file("masakhaner", data=None, predictions=said, language="sw", drop_types=["DATE"])
    for scored in (beside, alone):
        assert scored.n == 2
        assert set(scored.types) == {"LOC", "PER"}
        assert scored.metrics["f1"] == pytest.approx(200 * 1 / 3)
        assert any("DATE left out" in note for note in scored.notes)
    # The data may have no such type at all: its labels then do not know what the predictions hold.
    conll = tmp_path / "conll.tsv"
    conll.write_text("Anna\tB-PER\nJuni\tO\nOslo\tB-LOC\n\nMei\tO\n")
    with pytest.raises(DataError, match="unknown tag 'B-DATE'"):
        score_file("conll", data=conll, predictions=said, language="en")
    scored = score_file("conll", data=conll, predictions=said, language="en", drop_types=["DATE"])
    assert scored.metrics["f1"] == pytest.approx(200 * 1 / 3)
    assert read_columns(said, find_task("conll").without(["DATE"]))[1] == [("B-PER", "O", "O"), ("O",)]


def test_labels_to_learn_are_without_them() -> None:
    assert labels_of(find_task("masakhaner").without(["DATE"]), []) == PANX
    assert labels_of(find_task("masakhaner"), [])[:3] == ("O", "B-DATE", "I-DATE")


def test_what_has_no_entities_or_would_have_none_left_is_refused() -> None:
    with pytest.raises(ConfigError, match="task pos has no entities"):
        find_task("pos").without(["DATE"])
    with pytest.raises(ConfigError, match="leaves no type of panx; it has LOC, ORG, PER"):
        find_task("panx").without(["LOC", "ORG", "PER"])
    assert find_task("xnli").without([]) is find_task("xnli")
