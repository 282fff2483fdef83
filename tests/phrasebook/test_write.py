"""The phrasebook's files: their forms, their parts, and that they depend on the settings alone."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from isogloss.errors import ConfigError
from isogloss.phrasebook import PhrasebookSettings, write
from isogloss.phrasebook.labelled import questions, tagged_sentences
from isogloss.phrasebook.pairs import LABELS, pairs
from isogloss.phrasebook.text import documents, parallel_sentences
from isogloss.phrasebook.write import PARTS, write_labelled, write_parallel, write_text

SETTINGS = PhrasebookSettings(
    languages=("en", "th"), num_documents=12, num_pairs=30, num_tagged=20, num_questions=10, num_test=12, seed=4
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phrasebook")
    with pytest.MonkeyPatch.context() as patch:
        # In this process: starting others is tried once, below.
        patch.setattr(write, "_run", lambda jobs: [job() for job in jobs])
        write_text(folder / "text", SETTINGS)
        write_labelled(folder, SETTINGS)
    return folder


def test_lines_of_two_files_are_each_others_translations(tmp_path: Path) -> None:
    write_parallel(tmp_path / "parallel", ("en", "th"), 7, seed=3)
    sides = [
        (tmp_path / "parallel" / f"phrasebook.en-th.{code}").read_text(encoding="utf-8").splitlines()
        for code in ("en", "th")
    ]
    assert list(zip(*sides, strict=True)) == list(parallel_sentences(["en", "th"], 7, seed=3, held_out=False))


def test_train_and_dev_are_in_the_source_language_and_test_in_all(written: Path) -> None:
    for task, suffix in (("nli", "tsv"), ("ner", "tsv"), ("qa", "json")):
        expected = {f"{part}.{suffix}" for part in ("train.en", "dev.en", "test.en", "test.th")}
        assert {path.name for path in (written / task).iterdir()} == expected
    assert {path.name for path in (written / "text").iterdir()} == {"en.txt", "th.txt"}


def test_text_is_a_document_a_line_with_blank_lines_between(written: Path) -> None:
    for language in SETTINGS.languages:
        lines = (written / "text" / f"{language}.txt").read_text(encoding="utf-8").split("\n")
        assert lines[0::2] == list(documents(language, 12, seed=4, emoji_share=SETTINGS.emoji_share))
        assert set(lines[1::2]) == {""}


def test_nli_files_hold_premise_hypothesis_and_label(written: Path) -> None:
    for name, size, part, language in (
        ("train.en", 30, "train", "en"),
        ("dev.en", 6, "dev", "en"),
        ("test.th", 12, "test", "th"),
    ):
        rows = [line.split("\t") for line in (written / "nli" / f"{name}.tsv").read_text("utf-8").splitlines()]
        assert Counter(label for _, _, label in rows) == dict.fromkeys(LABELS, size // 3)
        drawn = pairs(language, size, seed=4 * len(PARTS) + PARTS[part], held_out=part != "train")
        assert rows == [[pair.premise, pair.hypothesis, pair.label] for pair in drawn]


def test_ner_files_are_a_word_a_line_and_a_blank_line_between_sentences(written: Path) -> None:
    for name, size, part, language in (
        ("train.en", 20, "train", "en"),
        ("dev.en", 6, "dev", "en"),
        ("test.th", 12, "test", "th"),
    ):
        blocks = (written / "ner" / f"{name}.tsv").read_text("utf-8").strip("\n").split("\n\n")
        drawn = tagged_sentences(language, size, seed=4 * len(PARTS) + PARTS[part], held_out=part != "train")
        expected = [list(zip(item.words, item.tags, strict=True)) for item in drawn]
        assert [[tuple(line.split("\t")) for line in block.splitlines()] for block in blocks] == expected


def test_qa_files_are_squad(written: Path) -> None:
    for name, size, part, language in (
        ("train.en", 10, "train", "en"),
        ("dev.en", 6, "dev", "en"),
        ("test.th", 12, "test", "th"),
    ):
        data = json.loads((written / "qa" / f"{name}.json").read_text("utf-8"))
        paragraphs = data["data"][0]["paragraphs"]
        drawn = list(questions(language, size, seed=4 * len(PARTS) + PARTS[part], held_out=part != "train"))
        assert [paragraph["context"] for paragraph in paragraphs] == [item.context for item in drawn]
        assert [paragraph["qas"][0]["question"] for paragraph in paragraphs] == [item.question for item in drawn]
        for paragraph in paragraphs:
            answer = paragraph["qas"][0]["answers"][0]
            assert paragraph["context"][answer["answer_start"] :].startswith(answer["text"])
        ids = [paragraph["qas"][0]["id"] for paragraph in paragraphs]
        assert len(set(ids)) == size


def test_parts_share_no_item(written: Path) -> None:
    parts = [set((written / "nli" / f"{part}.en.tsv").read_text("utf-8").splitlines()) for part in PARTS]
    assert all(not one & other for one, other in itertools.combinations(parts, 2))


def test_the_files_written_by_two_processes_are_the_same(written: Path, tmp_path: Path) -> None:
    write_text(tmp_path, SETTINGS)
    for language in SETTINGS.languages:
        assert (tmp_path / f"{language}.txt").read_bytes() == (written / "text" / f"{language}.txt").read_bytes()


def test_nothing_depends_on_the_order_of_sets() -> None:
    """Two processes that hash strings differently draw the same."""
    code = """
from isogloss.phrasebook import documents, pairs, questions, tagged_sentences
for draw in (pairs, tagged_sentences, questions):
    print(*draw("bg", 6, seed=2, held_out=True), sep="\\n")
print(*documents("bg", 10, seed=2, emoji_share=0.5), sep="\\n")
"""
    said = []
    for seed in "12":
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
        said.append(run.stdout)
    assert said[0] == said[1] != b""


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"languages": ("en", "eo")}, "does not speak eo"),
        ({"languages": ("ru", "zh")}, "'en' is not among the languages ru, zh"),
        ({"languages": ("en", "ru"), "source": "de"}, "'de' is not among the languages en, ru"),
        ({"num_documents": 0}, "greater than or equal to 1"),
        ({"emoji_share": 1.5}, "less than or equal to 1"),
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(values: dict[str, object], reason: str) -> None:
    with pytest.raises((ConfigError, ValueError), match=reason):
        PhrasebookSettings(**values)  # type: ignore[arg-type]


def test_what_is_killed_leaves_no_process(tmp_path: Path) -> None:
    """Processes that went on would hold the other end of its stderr."""
    code = (
        "from pathlib import Path\n"
        "from isogloss.phrasebook import PhrasebookSettings\n"
        "from isogloss.phrasebook.write import write_text\n"
        "if __name__ == '__main__':\n"
        f"    write_text(Path({str(tmp_path / 'text')!r}), PhrasebookSettings(num_documents=10**6))"
    )
    script = tmp_path / "endless.py"
    script.write_text(code, encoding="utf-8")
    with subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        end = time.monotonic() + 60
        while len(children.read_text().split()) < 2:
            assert time.monotonic() < end, "no process was started"
            time.sleep(0.02)
        process.kill()
        process.communicate(timeout=60)
