"""The steps find exactly what a plain loop over the documents finds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isogloss.corpus.parts import ReadingWriter, read_part, write_parts
from isogloss.corpus.readers import Document
from isogloss.corpus.steps import find_verdicts
from isogloss.corpus.tally import Tally

DOCUMENTS = st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4).map(tuple), max_size=12)


def plain_truth(documents: list[tuple[str, ...]], *, whole: bool, lines: bool) -> list[list[str]]:
    """What stays, by the plainest loop."""
    seen_documents, seen_lines, kept = set(), set(), []
    for document in documents:
        if whole and document in seen_documents:
            continue
        seen_documents.add(document)
        if lines:
            left = [line for line in dict.fromkeys(document) if line not in seen_lines]
            seen_lines |= set(document)
        else:
            left = list(document)
        if left:
            kept.append(left)
    return kept


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(documents=DOCUMENTS, cut=st.integers(0, 12), whole=st.booleans(), lines=st.booleans())
def test_duplicates_go_as_in_the_plain_loop(
    tmp_path_factory: pytest.TempPathFactory, documents: list[tuple[str, ...]], cut: int, whole: bool, lines: bool
) -> None:
    folder = tmp_path_factory.mktemp("steps")
    for index, part in enumerate((documents[:cut], documents[cut:])):
        with ReadingWriter(folder / str(index), index, f"{index}.txt") as writer:
            for number, content in enumerate(part, start=1):
                writer.add(Document("en", content, number))
    files = sorted(folder.glob("*/en.parquet"))
    tally = Tally()
    verdicts = find_verdicts(files, documents=whole, lines=lines)
    kept = write_parts(files, folder / "en", verdicts, tally, max_bytes=None, part_bytes=1000)
    found = [record["text"].split("\n") for part in sorted((folder / "en").glob("*")) for record in read_part(part)]
    assert found == plain_truth(documents, whole=whole, lines=lines)
    assert kept["documents"] == len(found)
    assert kept["lines"] == sum(len(content) for content in found)
    lost = sum(tally.dropped_lines["en"].values())
    assert kept["lines"] + lost == sum(len(content) for content in documents)


def test_no_step_or_no_file_needs_no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "daft", None)
    assert len(find_verdicts([tmp_path / "x.parquet"], documents=False, lines=False).duplicates) == 0
    assert len(find_verdicts([], documents=True, lines=True).repeated) == 0
