"""What the tests of identification share: an identifier, and sentences in every language, written for these tests.

The sentences (all say much the same) and the romanised ones were not checked by speakers of each language; they are
as plain as they could be made. The romanised ones imitate chat and are none.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from isogloss.corpus.identify import Identifier, IdentifySettings

HERE = Path(__file__).parent


def read_sentences(name: str) -> list[tuple[str, str]]:
    """Language and text of each row."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return [(row["language"], row["text"]) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


@pytest.fixture(scope="session")
def identifier() -> Identifier:
    pytest.importorskip("pycld2")
    pytest.importorskip("fasttext")
    return Identifier(IdentifySettings())


@pytest.fixture(scope="session")
def sentences() -> dict[str, str]:
    """A sentence in each language of the table that is not romanised."""
    return dict(read_sentences("sentences.tsv"))


@pytest.fixture(scope="session")
def romanised_sentences() -> list[tuple[str, str]]:
    """Ten of each of the five."""
    return read_sentences("romanised_sentences.tsv")
