"""The grid: every combination once a seed, its settings checked before anything runs, widths solved."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from isogloss.config import make_settings
from isogloss.errors import ConfigError
from isogloss.studies import StudySettings, cells_of
from isogloss.studies.grid import pretraining, solved_width
from isogloss.studies.recipe import laid_over

from .conftest import TINY


def study_of(**changes: Any) -> StudySettings:
    return make_settings(StudySettings, laid_over({**TINY, "output": "o"}, changes))


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.sets(st.integers(0, 9), min_size=1, max_size=3))
def test_the_grid_is_the_product_of_axes_and_seeds(sizes: list[int], seeds: set[int]) -> None:
    axes = {
        f"axis{number}": {"values": {f"v{value}": {} for value in range(size)}} for number, size in enumerate(sizes)
    }
    study = make_settings(StudySettings, {**TINY, "output": "o", "axes": axes, "seeds": sorted(seeds)})
    cells = cells_of(study)
    wanted = itertools.product(*([f"v{value}" for value in range(size)] for size in sizes), sorted(seeds))
    assert [(*(label for _, label in cell.labels), cell.seed) for cell in cells] == list(wanted)
    assert len({cell.name for cell in cells}) == len(cells)


def test_a_value_changes_what_it_says_and_nothing_else() -> None:
    two, three = cells_of(study_of())
    assert (two.settings.pretrain["steps"], three.settings.pretrain["steps"]) == (2, 3)
    changed = three.settings.model_copy(update={"pretrain": {**three.settings.pretrain, "steps": 2}})
    assert changed == two.settings
    assert [cell.labels for cell in cells_of(study_of(only={"steps": ["3"]}))] == [(("steps", "3"),)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pretrain": {"stepz": 1}}, "steps 3: pretrain: unknown key 'stepz'; did you mean 'steps'"),
        ({"pretrain": {"run": "x"}}, "pretrain.run is chosen by the study"),
        ({"vocab": {"size": 2}}, "steps 3: vocab: size = 2"),
        ({"shards": {"held_out_share": 2}}, "shards: held_out_share = 2"),
        ({"corpus": {"max_bytes": -1}}, "corpus: max_bytes = -1"),
        ({"tasks": {"retrieval": {"task": "tatoba"}}}, "task 'tatoba' is not known"),
        ({"languages": []}, "languages = "),
        ({"total_parameters": 10}, "total_parameters = 10 is less than"),
    ],
)
def test_a_wrong_setting_is_said_with_the_values_under_which_it_is(changes: dict[str, Any], said: str) -> None:
    study = study_of(axes={"steps": {"values": {"3": {"set": changes}}}}, data="somewhere")
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")):
        cells_of(study)


def test_two_values_cannot_share_a_folder() -> None:
    with pytest.raises(ConfigError, match="two cells would lie in the folder steps-a-b"):
        cells_of(study_of(axes={"steps": {"values": {"a b": {}, "a/b": {}}}}))


@given(
    st.integers(4_000_000, 400_000_000),
    st.integers(1_000, 500_000),
    st.sampled_from([2, 6, 12]),
    st.sampled_from([4, 12]),
)
def test_the_solved_width_comes_nearest(parameters: int, size: int, layers: int, heads: int) -> None:
    def count(width: int) -> float:  # the paper's formula
        return 4 * layers * width**2 + 2 * layers * width * 4 * width + size * width

    assume(count(heads) <= parameters)
    shape = {"vocabulary_size": size, "num_layers": layers, "num_heads": heads, "feedforward_share": 4.0}
    width = solved_width(parameters, **shape)
    assert width % heads == 0
    others = [width - heads, width + heads]
    assert all(abs(count(width) - parameters) <= abs(count(other) - parameters) for other in others if other > 0)


def test_widths_of_figure_6_come_out_as_derived() -> None:
    """12 layers, inner width 4 H, as many parameters as 128k pieces take at H = 768: paper.md 3.5."""
    total = 12 * 12 * 768**2 + 128_000 * 768
    found = [
        solved_width(total, vocabulary_size=size, num_layers=12, num_heads=1, feedforward_share=4.0)
        for size in (32_000, 64_000, 128_000, 256_000, 512_000)
    ]
    assert found == [1022, 928, 768, 547, 328]


def test_a_cell_is_pretrained_at_its_solved_width() -> None:
    (cell,) = cells_of(study_of(base={"total_parameters": 20_000}, only={"steps": ["2"]}))
    model = pretraining(cell, run=Path("r"), shards=Path("s"), vocabulary=Path("v"), device="cpu").model
    assert model.width % 2 == 0
    assert model.feedforward == model.width
    assert abs(model.width**2 * 6 + 300 * model.width - 20_000) < 1_500


def test_the_phrasebook_has_tasks_of_its_own_form() -> None:
    tasks = {"pos": {"task": "udpos", "train": "p", "test": "p"}, "nli": {"task": "xnli", "train": "a", "test": "b"}}
    changes: dict[str, Any] = {"outcomes": ["pos", "nli"], "base": {"tasks": tasks}}
    assert {name: task.task for name, task in cells_of(study_of(**changes))[0].settings.tasks.items()} == {"nli": "nli"}
    of_folder = cells_of(study_of(**changes, data="somewhere"))[0].settings.tasks
    assert {name: task.task for name, task in of_folder.items()} == {"pos": "udpos", "nli": "xnli"}


def test_rows_of_a_language_embedding_are_called_as_labelled_files_are() -> None:
    changes = {"languages": ["zh", "en", "sr-Latn", "sr"], "pretrain": {"language_embedding": True}}
    (cell,) = cells_of(study_of(base=changes, only={"steps": ["2"]}))
    model = pretraining(cell, run=Path("r"), shards=Path("s"), vocabulary=Path("v"), device="cpu").model
    assert set(model.languages) == {"zh", "en", "sr-Latn", "sr"}
    assert model.row_of("zh-Hans") == model.row_of("zh")
    assert model.row_of("sr-Latn") != model.row_of("sr")
