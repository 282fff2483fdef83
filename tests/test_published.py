"""The published figures: whole, in range, and their averages are what their cells say."""

from __future__ import annotations

import statistics

import pytest

from isogloss.errors import ConfigError
from isogloss.languages import canonical_code
from isogloss.published import MEAN, PublishedRow, all_rows, published_row, published_rows
from isogloss.tasks import find_task

TASKS = {"xnli": "accuracy", "conll": "f1", "mlqa": "f1"}
ALL = [row for task, metric in TASKS.items() for row in published_rows(task=task, metric=metric)]


WITH_MEAN = [row for row in ALL if MEAN in row.values and len(row.values) > 2]


@pytest.mark.parametrize("row", WITH_MEAN, ids=lambda row: f"{row.table} {row.task} {row.model} {row.setting}")
def test_a_printed_mean_is_that_of_the_printed_cells(row: PublishedRow) -> None:
    cells = [value for language, value in row.values.items() if language != MEAN]
    if "exchanged" in row.note:
        assert abs(statistics.mean(cells) - row.values[MEAN]) > 0.4
    else:  # of rounded cells, and rounded itself
        assert statistics.mean(cells) == pytest.approx(row.values[MEAN], abs=0.11)


def test_rows_are_whole() -> None:
    for row in ALL:
        assert all((row.model, row.source, row.table, row.setting))
        assert all(0 < value < 100 for value in row.values.values())
        for language in row.values:
            assert language == MEAN or canonical_code(language)


def test_every_row_is_of_a_task_and_metric_of_the_catalogue() -> None:
    for row in all_rows():
        assert row.metric in find_task(row.task).metrics, row


def test_the_papers_row_is_found_by_the_model_and_the_setting() -> None:
    row = published_row("xlm-r BASE", task="xnli", metric="accuracy", setting="zero-shot")
    assert (row.values[MEAN], row.values["sw"], row.selection, row.split) == (76.2, 66.5, "joint-dev", "test")
    # XTREME has a mean of this model too, the paper its languages.
    large = published_row("XLM-R large", task="xnli", metric="accuracy", setting="zero-shot")
    assert (large.table, large.values["ur"]) == ("table 1", 73.8)
    glue = published_row("XLM-R large", task="mrpc", metric="accuracy", setting="each")
    assert (glue.values, glue.split) == ({"en": 89.5}, "dev")


@pytest.mark.parametrize(
    ("model", "task", "setting", "named"),
    [
        ("XLM-R huge", "xnli", "zero-shot", "XLM-R"),
        ("XLM-R base", "xnli", "each", "Wikipedia"),
        ("XLM-R base", "mlqa", "all", "zero-shot"),
        ("XLM-R base", "tatoeba", "zero-shot", "xnli"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(model: str, task: str, setting: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        published_row(model, task=task, metric="f1" if task == "mlqa" else "accuracy", setting=setting)
