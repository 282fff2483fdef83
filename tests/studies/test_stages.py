"""Stages: cells that agree up to a stage have one between them, at an address of what it is made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isogloss.errors import ConfigError, DataError
from isogloss.studies import StudySettings, cells_of
from isogloss.studies.making import make_stage
from isogloss.studies.stages import stages_of
from isogloss.studies.texts import check_languages, find_source

Tiny = Callable[..., StudySettings]


def names(study: StudySettings, part: str) -> list[str]:
    return [getattr(stages_of(study, cell), part).name for cell in cells_of(study)]


@pytest.mark.parametrize(
    ("change", "vocabularies", "shards"),
    [
        ({"pretrain": {"steps": 9}}, 1, 1),
        ({"shards": {"held_out_share": 0.2}}, 1, 2),
        ({"vocab": {"size": 200}}, 2, 2),
        ({"languages": ["en"]}, 2, 2),
        ({"text": {"transform": "words"}}, 2, 2),
        ({"corpus": {"max_bytes": 1000}}, 2, 2),
    ],
)
def test_stages_are_shared_as_far_as_settings_agree(
    change: dict[str, Any], vocabularies: int, shards: int, tiny: Tiny, tmp_path: Path
) -> None:
    study = tiny(tmp_path, axes={"steps": {"values": {"3": {"set": change}}}}, seeds=[1, 2])
    assert len(set(names(study, "vocab"))) == vocabularies
    assert len(set(names(study, "shards"))) == shards


def test_what_a_stage_needs_comes_before_it(tiny: Tiny, tmp_path: Path) -> None:
    for cell in cells_of(tiny(tmp_path, held_out={"mixed": {"transform": "mixed"}})):
        made: set[str] = set()
        for stage in stages_of(tiny(tmp_path, held_out={"mixed": {"transform": "mixed"}}), cell).all():
            assert {one.name for one in stage.inputs.values()} <= made
            made.add(stage.name)


def test_text_is_held_out_of_a_language_however_it_is_called(tiny: Tiny, tmp_path: Path) -> None:
    """A group says zh, the text's file zh.txt, and both mean zh-Hans."""
    for code in ("en", "zh"):
        (tmp_path / f"{code}.txt").write_text("a\n", encoding="utf-8")
    groups = {"low": ["zh"], "all": ["en", "zh"]}
    study = tiny(tmp_path, text=str(tmp_path), groups=groups, held_out={"same": {}}, base={"languages": ["en", "zh"]})
    (stages, *_) = (stages_of(study, cell) for cell in cells_of(study))
    needed = [*stages.held_out["same"].inputs["corpus"].with_inputs(), stages.held_out["same"]]
    assert {tuple(stage.settings["languages"]) for stage in needed if stage.given is None} == {("en", "zh-Hans")}


def test_the_folder_of_a_study_is_no_part_of_an_address(tiny: Tiny, tmp_path: Path) -> None:
    assert names(tiny(tmp_path / "a"), "shards") == names(tiny(tmp_path / "b"), "shards")


def test_a_language_without_text_is_said_before_anything_runs(tiny: Tiny, tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "en.txt").write_text("One line.\n")
    (texts / "sw.txt").write_text("")
    study = tiny(tmp_path / "out", text=str(texts))
    with pytest.raises(DataError, match=r"texts has no text of 'sw', which steps 2 is pretrained on"):
        check_languages(study, cells_of(study))
    (texts / "sw.txt").write_text("Mstari.\n")
    check_languages(study, cells_of(study))
    assert find_source(study, "text").languages == {"en", "sw"}


def test_a_text_that_was_not_given_is_named(tiny: Tiny, tmp_path: Path) -> None:
    study = tiny(tmp_path, base={"text": {"source": "wiki"}})
    with pytest.raises(ConfigError, match=r"reads the text 'wiki'; give it as texts\.wiki=FOLDER"):
        check_languages(study, cells_of(study))
    parallel = tiny(tmp_path, base={"parallel": True})
    with pytest.raises(ConfigError, match="give parallel=FOLDER"):
        stages_of(parallel, cells_of(parallel)[0])


def test_a_corpus_that_is_there_is_read_as_it_is(tiny: Tiny, tmp_path: Path, write_corpus: Callable[..., Path]) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"en": ["One.", "Two."], "sw": ["Moja.", "Mbili."]})
    study = tiny(tmp_path / "out", text=str(corpus))
    stages = stages_of(study, cells_of(study)[0])
    assert stages.shards.inputs["corpus"].path(study.output) == corpus
    limited = tiny(tmp_path / "out", text=str(corpus), base={"corpus": {"max_bytes": 10}})
    with pytest.raises(ConfigError, match=r"corpus\.max_bytes is for text that becomes a corpus here"):
        stages_of(limited, cells_of(limited)[0])


def test_texts_to_be_found_are_cut_without_training_files(tiny: Tiny, tmp_path: Path) -> None:
    """Nothing is learned for retrieval, and of the phrasebook and of Tatoeba there are tests alone."""
    study = tiny(tmp_path, base={"text": {"transform": "words"}})
    (cell, *_) = cells_of(study)
    train, test = stages_of(study, cell).labels["retrieval"]
    for stage in (*test.inputs.values(), train):
        make_stage(stage, tmp_path)
    assert [path.name for path in train.path(tmp_path).glob("*.tsv")] == ["test.sw-en.tsv"]
    assert train == test
