"""The plan of a build: how it scales, what it leaves behind, and what it says to people and to programs."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus import CorpusSettings, build_corpus
from isogloss.corpus.costs import Cost
from isogloss.corpus.extrapolate import CorpusPlan, PlannedPhase, Sample, Whole, extrapolate
from isogloss.corpus.plan import PlanSettings, plan_corpus
from isogloss.corpus.plan_report import render_plan
from isogloss.errors import FolderError
from isogloss.manifest import hash_file
from isogloss.phrasebook import documents

MEGABYTE = 1_000_000
SETTINGS = CorpusSettings(input="x", output="y", repeats={"memory_bytes": 1 << 20}, near_duplicates={})
PHASES = ("reading", "repeats", "identifying", "labelled", "judging", "writing")
LANGUAGES = ("en", "sw", "th")

counts = st.integers(1, 50)
seconds = st.floats(0.001, 1000)
cores = st.integers(1, 200)


def sample(
    files: int = 4, *, a_byte: float = 1e-6, a_start: float = 0.0, shares: tuple[float, ...] = (0.7, 0.2, 0.1)
) -> Sample:
    """A build whose seconds are those of its bytes and its starts, in every phase; of two workers."""
    input_bytes = files * MEGABYTE
    a_file = Cost(a_byte * MEGABYTE, a_byte * MEGABYTE, MEGABYTE)
    late = Cost(a_byte * MEGABYTE + a_start, 0, MEGABYTE)
    sources = {str(number): late if number < 2 else a_file for number in range(files)}
    languages = {
        code: Cost(a_byte * input_bytes * share + a_start, 0, MEGABYTE)
        for code, share in zip(LANGUAGES, shares, strict=True)
    }
    one = {"0": Cost(a_byte * input_bytes + a_start, 0, MEGABYTE)}
    units = {"reading": sources, "repeats": one, "identifying": sources, "labelled": one}
    table = {code: round(input_bytes * share) for code, share in zip(LANGUAGES, shares, strict=True)}
    return Sample(
        files=files,
        input_bytes=input_bytes,
        workers=2,
        units={**units, "judging": languages, "writing": languages},
        work_bytes=dict.fromkeys(PHASES, input_bytes // 2),
        output_bytes=input_bytes // 3,
        shown_bytes=1000,
        first=one["0"],
        answer_bytes=files * 1000,
        lines=files * 10_000,
        compared={code: size // 1000 for code, size in table.items()},
        stored_bytes=table,
        kept={code: {"documents": size // 1000, "bytes": size} for code, size in table.items()},
    )


def planned(
    files: int = 100,
    num_cores: int = 4,
    *,
    large: Sample | None = None,
    small: Sample | None = None,
    memory: int | None = None,
    settings: CorpusSettings = SETTINGS,
    **values: Any,
) -> CorpusPlan:
    whole = Whole(files=files, input_bytes=files * MEGABYTE, cores=num_cores, memory_bytes=memory)
    return extrapolate(settings, whole, large or sample(**values), small)


def phase(plan: CorpusPlan, name: str) -> PlannedPhase:
    (found,) = (one for one in plan.extrapolated if one.phase == name)
    return found


@given(counts, cores)
def test_twice_the_files_take_twice_the_core_hours_the_disk_and_what_comes_out(files: int, num_cores: int) -> None:
    once, twice = planned(100 * files, num_cores), planned(200 * files, num_cores)
    for name in PHASES:
        factor = 1 if name == "labelled" else 2
        assert phase(twice, name).processor_hours == pytest.approx(factor * phase(once, name).processor_hours)
    assert phase(twice, "reading").disk_bytes == 2 * phase(once, "reading").disk_bytes
    assert twice.output_bytes - 1000 == pytest.approx(2 * (once.output_bytes - 1000), abs=2)
    assert {code: 2 * kept["bytes"] for code, kept in once.languages.items()} == {
        code: kept["bytes"] for code, kept in twice.languages.items()
    }


@given(st.integers(4, 10_000), cores, cores, st.floats(0, 10))
def test_more_cores_never_take_more_hours_nor_less_than_their_part(
    files: int, some: int, more: int, a_start: float
) -> None:
    small = sample(1, a_start=a_start)
    few, many = (planned(files, number, a_start=a_start, small=small) for number in sorted((some, more)))
    assert many.hours <= few.hours * (1 + 1e-9)
    for plan in (few, many):
        assert all(one.hours >= one.processor_hours / plan.workers * (1 - 1e-9) for one in plan.extrapolated)


@given(st.integers(4, 10_000), cores, st.floats(0.4, 0.9))
def test_writing_takes_no_less_than_its_largest_language(files: int, num_cores: int, share: float) -> None:
    rest = (1 - share) / 2
    writing = phase(planned(files, num_cores, shares=(share, rest, rest)), "writing")
    assert writing.hours >= writing.processor_hours * share * (1 - 1e-9)
    endless = phase(planned(files, 100_000, shares=(share, rest, rest)), "writing")
    assert endless.hours == pytest.approx(writing.processor_hours * share, rel=1e-3)


@given(st.integers(2, 8), st.floats(1e-8, 1e-4), st.floats(0, 20), st.integers(10, 10_000))
def test_two_samples_tell_what_a_start_costs(files: int, a_byte: float, a_start: float, whole_files: int) -> None:
    large, small = (sample(number, a_byte=a_byte, a_start=a_start) for number in (files + 1, 1))
    plan = planned(whole_files, 3, large=large, small=small)
    bytes_cost = a_byte * whole_files * MEGABYTE
    for name in ("reading", "judging", "writing"):
        starts = 3 if name == "reading" else phase(plan, name).units
        expected = bytes_cost + a_start * starts
        assert phase(plan, name).processor_hours * 3600 == pytest.approx(expected, rel=1e-4, abs=1e-6)
    # Without the small one the starts are taken for a part of the bytes.
    alone = planned(whole_files, 3, large=large)
    assert phase(alone, "judging").processor_hours >= phase(plan, "judging").processor_hours * (1 - 1e-6)
    assert any("one sample" in note for note in alone.notes)


def test_a_start_is_never_guessed_from_noise() -> None:
    """Where the larger sample took no longer, all of its seconds are taken to grow."""
    plan = planned(100, 1, large=sample(4, a_byte=1e-6), small=sample(1, a_byte=5e-6))
    assert phase(plan, "judging").processor_hours * 3600 == pytest.approx(100)
    assert all(one.start_seconds == 0 for one in plan.measured)


def test_little_memory_means_fewer_units_at_a_time_and_a_note() -> None:
    wide = planned(1000, 64)
    narrow = planned(1000, 64, memory=wide.memory_bytes * 3 // 4)
    assert narrow.workers < wide.workers == 64
    assert narrow.memory_bytes <= wide.memory_bytes * 3 // 4
    assert narrow.hours > wide.hours
    assert any(f"engine.workers={narrow.workers}" in note for note in narrow.notes)
    hopeless = planned(1000, 64, memory=1000)
    assert hopeless.workers == 1
    assert any("do not suffice for one worker" in note for note in hopeless.notes)


def test_searches_take_what_their_documents_fill_and_no_more_than_their_settings() -> None:
    few, many, most = (phase(planned(files, 1), "writing").worker_bytes for files in (8, 80, 80_000_000))
    assert few < many < most
    held = 0.7 * 80_000_000 * 1000
    assert most - held * 39 == pytest.approx(SETTINGS.near_duplicates.memory_bytes, rel=0.05)  # type: ignore[union-attr]
    group = phase(planned(1000, 1), "repeats")
    assert group.units == 20
    assert group.worker_bytes <= MEGABYTE + (1 << 20)


def test_limits_of_the_recipe_limit_what_comes_out() -> None:
    limited = SETTINGS.model_copy(update={"max_bytes_by_language": {"en": MEGABYTE}})
    free, bound = planned(), planned(settings=limited)
    assert bound.languages["en"]["bytes"] == MEGABYTE
    assert bound.languages["sw"] == free.languages["sw"]
    assert bound.output_bytes < free.output_bytes


@pytest.fixture
def texts(write_input: Callable[[Mapping[str, str]], Path]) -> Path:
    def page(code: str, seed: int) -> str:
        return "\n\n".join(documents(code, 30, seed=seed))

    return write_input({f"{code}/{n}.txt": page(code, n + 1) for code in ("en", "sw") for n in range(3)})


def hashes(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hash_file(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "isogloss", "corpus", "plan", *words], capture_output=True, text=True)


def test_a_plan_says_everything_as_json_and_leaves_nothing(texts: Path, tmp_path: Path) -> None:
    settings = CorpusSettings(input=texts, output=tmp_path / "corpus", repeats={"rule": "first"})
    build_corpus(settings)
    before = hashes(tmp_path)
    words = [f"input={texts}", f"output={tmp_path / 'corpus'}", "repeats.rule=first", "--sample", "4"]
    done = command(*words, "--files", "600", "--cores", "8", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert hashes(tmp_path) == before
    assert set(said) == {field.name for field in dataclasses.fields(CorpusPlan)}
    measured, extrapolated = ({one["phase"]: one for one in said[key]} for key in ("measured", "extrapolated"))
    phases = ["reading", "repeats", "identifying", "judging", "writing", "first process"]
    assert list(measured) == list(extrapolated) == phases
    assert (said["sample_files"], said["files"], said["cores"], said["workers"]) == (4, 600, 8, 8)
    assert extrapolated["reading"]["units"] == 600
    assert extrapolated["repeats"]["units"] == 12
    assert all(one["processor_seconds"] > 0 and one["peak_bytes"] > 10 * MEGABYTE for one in measured.values())
    assert extrapolated["reading"]["disk_bytes"] == pytest.approx(
        measured["reading"]["disk_bytes"] * said["input_bytes"] / said["sample_bytes"], abs=1
    )
    assert set(said["languages"]) == {"en", "sw"}
    assert said["hours"] == pytest.approx(sum(one["hours"] for one in extrapolated.values()))
    assert any("groups of 50 files" in note for note in said["notes"])


def test_the_table_says_what_is_measured_and_what_is_not() -> None:
    text = render_plan(planned())
    assert [line.split(":")[0] for line in text.splitlines() if ":" in line and not line.startswith("note")] == [
        *("measured", "extrapolated", "disk", "extrapolated")
    ]
    assert all(one in text for one in (*PHASES, *LANGUAGES, "first process"))


def test_the_folder_is_gone_after_an_error(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    settings = CorpusSettings(input=texts, output=tmp_path / "corpus", perplexity={"models": tmp_path / "models"})
    with pytest.raises(FolderError, match="holds no language model"):
        plan_corpus(settings, PlanSettings())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["input", "models"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--sample", "7"], "a sample of 7 files was asked for, but input {texts} has 6; take fewer"),
        (["--sample", "3", "--files", "2"], "a sample of 3 files was asked for, but the whole has 2; take fewer"),
        (["--cores", "0"], "options: cores = 0: Input should be greater than 0"),
        (["input=nothing"], "input nothing does not exist; give a folder of LANG.txt"),
        (["languages=['de']"], "3 files of {texts} give no document; take more of them: --sample"),
    ],
)
def test_a_mistake_is_one_line(texts: Path, tmp_path: Path, words: list[str], why: str) -> None:
    done = command(f"input={texts}", f"output={tmp_path / 'corpus'}", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"isogloss: {why.format(texts=texts)}")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["input"]


def test_what_a_build_puts_out_says_nothing_of_what_it_took(texts: Path, tmp_path: Path) -> None:
    plain, kept = (CorpusSettings(input=texts, output=tmp_path / name) for name in ("plain", "kept"))
    build_corpus(plain)
    build_corpus(kept, keep_work=True)
    assert list((tmp_path / "kept.work").glob("*/*.cost.json"))
    assert not (tmp_path / "plain.work").exists()
    assert hashes(tmp_path / "plain") == hashes(tmp_path / "kept")
