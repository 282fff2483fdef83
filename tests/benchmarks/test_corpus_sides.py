"""The sides of benchmarks/corpus.py do the same work: cc_net's way in plain Python gives what ours gives."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("kenlm")
pytest.importorskip("fasttext")
pytest.importorskip("pyarrow")

from isogloss.corpus.dedup.repeats import RepeatSettings
from isogloss.corpus.identify.opinions import fasttext_opinion
from isogloss.corpus.lm.score import LanguageModel
from isogloss.corpus.lm.train import LanguageModelSettings, train_models

SIDES_FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "corpus_sides"
NUM_BYTES = 40_000
# Words that CCNet's paper, its code and so both sides make alike: case and digits differ, nothing else.
WORDS = st.sampled_from(["Asubuhi", "ASUBUHI", "asubuhi", "1984", "2026", "Год", "год", "新闻", "नमस्ते"])
LINES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
TEXTS = st.lists(st.lists(LINES, min_size=1, max_size=4).map("\n".join), min_size=1, max_size=5)


class Sides(NamedTuple):
    """The modules, which are scripts beside each other and no package."""

    ours: Any
    pages: Any
    plain: Any


@pytest.fixture(scope="module")
def sides() -> Iterator[Sides]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SIDES_FOLDER)
        yield Sides(*map(importlib.import_module, Sides._fields))


@pytest.fixture(scope="module")
def folder(sides: Sides, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("input")
    sides.pages.make_input(folder, text=None, languages=["en", "sw"], num_bytes=NUM_BYTES, num_files=2)
    return folder


@pytest.fixture(scope="module")
def texts(sides: Sides, folder: Path) -> list[str]:
    return [document["text"] for document in sides.ours.measure.read_documents(folder)]


@settings(max_examples=50, deadline=None)
@given(texts=TEXTS)
def test_the_same_lines_go(sides: Sides, texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    work = tmp_path_factory.mktemp("work")
    ours = sides.ours.without_repeats(sides.ours.batches(texts), work, RepeatSettings())
    assert sides.plain.without_repeats(texts) == ours


def test_lines_of_the_input_go_and_stay(sides: Sides, texts: list[str], tmp_path: Path) -> None:
    ours = sides.ours.without_repeats(sides.ours.batches(texts), tmp_path, RepeatSettings())
    assert sides.plain.without_repeats(texts) == ours
    assert 0 < sum(map(len, ours)) < 0.9 * sum(map(len, texts))


@pytest.mark.parametrize("kind", ["wet", "plain"])
def test_the_same_documents_are_read(sides: Sides, folder: Path, texts: list[str], kind: str) -> None:
    files = sorted((folder / kind).iterdir())
    plain = [one["raw_content"] for path in files for one in sides.plain.read_wet(sides.plain.open_wet(path))]
    ours = ["\n".join(document.lines) for document in sides.ours.documents_of(folder / kind)]
    assert plain == ours
    assert sorted(plain) == sorted(texts)


def test_the_same_perplexities(sides: Sides, folder: Path, texts: list[str], tmp_path: Path) -> None:
    train_models(LanguageModelSettings(input=folder / "training" / "sw.txt", languages="sw", output=tmp_path / "lm"))
    pieces, model, _ = sides.plain.language_models(tmp_path)["sw"]
    plain = [sides.plain.perplexity(pieces, model, text) for text in texts]
    ours = LanguageModel.load(tmp_path / "lm" / "sw").perplexities(texts)
    assert np.allclose(plain, ours, rtol=1e-4)


def test_the_same_first_opinion(sides: Sides, texts: list[str]) -> None:
    model, first = sides.plain.fasttext_model(), fasttext_opinion()
    flat = [text.replace("\n", " ") for text in texts]
    answers = first.ask(flat)
    names = [first.names[place] for place in answers.labels[:, 0]]
    assert [sides.plain.identify(model, text)[0] for text in texts] == names


def test_the_same_text_gives_the_same_files(sides: Sides, folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    sides.pages.make_input(again, text=None, languages=["en", "sw"], num_bytes=NUM_BYTES, num_files=2)
    names = [path.relative_to(again) for path in sorted(again.rglob("*")) if path.is_file()]
    assert len(names) == 12
    assert all((again / name).read_bytes() == (folder / name).read_bytes() for name in names)
