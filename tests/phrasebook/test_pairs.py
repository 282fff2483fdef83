"""Sentence pairs: balance, forms that give nothing away, and words that decide."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import pytest

from isogloss.phrasebook.clauses import Clause
from isogloss.phrasebook.grammar import LANGUAGES, realise
from isogloss.phrasebook.pairs import LABELS, Pair, pairs
from isogloss.phrasebook.world import is_a, judge


def test_labels_come_in_turn() -> None:
    labels = [pair.label for pair in pairs("en", 31, seed=1, held_out=False)]
    assert labels == [label for label, _ in zip(itertools.cycle(LABELS), range(31), strict=False)]


def test_form_of_a_hypothesis_does_not_tell_its_label() -> None:
    counts: dict[tuple[str, bool], Counter[str]] = {}
    for pair in pairs("en", 6000, seed=2, held_out=False):
        hypothesis = pair.clauses[1]
        form = hypothesis.frame if hypothesis.frame in ("located", "property") else "act"
        counts.setdefault((form, hypothesis.negated), Counter())[pair.label] += 1
    assert len(counts) == 6
    for form, labels in counts.items():
        assert max(labels.values()) < 0.45 * sum(labels.values()), (form, labels)


def test_a_pair_is_two_clauses() -> None:
    for pair in pairs("de", 60, seed=3, held_out=False):
        assert pair.clauses[0] != pair.clauses[1]
        assert (pair.premise, pair.hypothesis) == tuple(realise(clause, "de").text for clause in pair.clauses)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_pair_says_the_same_twice_unless_it_follows(language: str) -> None:
    for pair in pairs(language, 90, seed=4, held_out=False):
        assert pair.label == "entailment" or pair.premise != pair.hypothesis


def bare(clause: Clause) -> tuple[str, str, str]:
    """The nouns and the verb."""
    return clause.subject.noun or clause.subject.name, clause.verb, clause.object.noun or clause.object.name


def numbers(clause: Clause) -> tuple[int, int]:
    return clause.subject.number, clause.object.number


def swapped_words(pair: Pair) -> list[tuple[str, str]]:
    """Words of the premise and what stands in their places, where the hypothesis has the same form and numbers."""
    premise, hypothesis = pair.clauses
    if hypothesis.frame.removesuffix("_at") != premise.frame.removesuffix("_at") or hypothesis.negated:
        return []
    if hypothesis.place not in ("", premise.place) or numbers(premise) != numbers(hypothesis):
        return []
    return [(one, other) for one, other in zip(bare(premise), bare(hypothesis), strict=True) if one != other]


def test_one_word_for_another_decides_most_pairs() -> None:
    drawn = list(pairs("en", 900, seed=11, held_out=False))
    one_word = [(pair, words[0]) for pair in drawn if len(words := swapped_words(pair)) == 1]
    assert len(one_word) > 0.55 * len(drawn)
    for pair, (said, other) in one_word:
        if pair.label == "entailment":
            assert is_a(said, other), pair
        if pair.label == "contradiction":
            assert not is_a(said, other), pair
    assert min(Counter(pair.label for pair, _ in one_word).values()) > 0.25 * len(one_word)


def test_labels_are_what_the_world_says() -> None:
    for pair in pairs("en", 200, seed=12, held_out=True):
        assert judge(*pair.clauses) == pair.label


def test_leaving_out_where_it_happens_takes_nothing_back() -> None:
    """A hypothesis that follows still follows when it says less."""
    for pair in pairs("en", 300, seed=13, held_out=False):
        premise, hypothesis = pair.clauses
        if pair.label == "entailment" and hypothesis.frame.endswith("_at") and not hypothesis.negated:
            shorter = replace(hypothesis, frame=hypothesis.frame.removesuffix("_at"), place="")
            assert judge(premise, shorter) == "entailment"
