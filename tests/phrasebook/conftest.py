"""Clauses for the tests of the phrasebook: some of every frame, and together every word of the lexicon."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from isogloss.phrasebook.clauses import Clause
from isogloss.phrasebook.text import random_clause

NUMERALS = ("", "", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def mentions(clause: Clause) -> Iterator[str]:
    """Frame and concepts of a clause."""
    yield from (clause.frame, clause.verb, clause.place, clause.adjective, clause.noun, clause.day)
    for phrase in (clause.subject, clause.object, clause.recipient):
        yield from (phrase.noun, phrase.name, phrase.adjective, NUMERALS[phrase.number])


@pytest.fixture(scope="session")
def clauses() -> tuple[Clause, ...]:
    """Five hundred random clauses, and each of many more that mentions something new."""
    drawn, known = [], set()
    for index in range(12_000):
        clause = random_clause(random.Random(f"test/{index}"))
        new = set(mentions(clause)) - known
        if new or index < 500:
            drawn.append(clause)
            known |= new
    return tuple(drawn)
