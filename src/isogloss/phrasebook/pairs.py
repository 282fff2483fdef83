"""Sentence pairs for natural language inference (NLI): a premise, a hypothesis, and what the one says about the other.

The label of a pair comes from ``world.judge``: from all scenes in which the premise is true, not from the way the
hypothesis was made. Held-out pairs are made of clauses that no training document contains.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar import realise
from isogloss.phrasebook.scenes import (
    adjectives_for,
    draw_scene,
    is_held_out,
    nouns_for,
    phrase_for,
    pick,
    places,
    verbs_of,
)
from isogloss.phrasebook.world import Scene, is_mass, judge, kinds_of, members, opposites

__all__ = ["KINDS", "LABELS", "Pair", "pairs"]

LABELS = ("entailment", "neutral", "contradiction")
DRAWS_A_PREMISE = 12


@dataclass(frozen=True)
class Pair:
    """A premise, a hypothesis and what the one says about the other, with the clauses they come from."""

    premise: str
    hypothesis: str
    label: str
    clauses: tuple[Clause, Clause]


def pairs(language: str, num_pairs: int, *, seed: int, held_out: bool) -> Iterator[Pair]:
    """Pairs in ``language``, the three labels in turn; pair k depends on (seed, held_out, k) alone, so the languages
    of one seed are translations of each other."""
    for index in range(num_pairs):
        rng = random.Random(f"pair/{seed}/{held_out}/{index}")
        label = LABELS[index % len(LABELS)]
        premise, hypothesis = _draw_pair(rng, label, held_out)
        said = [realise(clause, language).text for clause in (premise, hypothesis)]
        yield Pair(said[0], said[1], label, (premise, hypothesis))


def _draw_pair(rng: random.Random, label: str, held_out: bool) -> tuple[Clause, Clause]:
    """A premise and a hypothesis of this label. The kind of hypothesis is drawn first and each kind is as often of
    one label as of another, so that the form of the hypothesis says nothing about its label."""
    # Once: a new kind after a failed draw would favour the kinds that this label finds easily.
    draw, _ = rng.choices(list(KINDS.values()), [often for _, often in KINDS.values()])[0]
    while True:
        scene = draw_scene(rng)
        premise = _premise(scene, rng)
        if is_held_out(premise) != held_out:
            continue
        for _ in range(DRAWS_A_PREMISE):
            hypothesis = draw(premise, rng)
            if hypothesis in (None, premise) or is_held_out(hypothesis) != held_out:
                continue
            if judge(premise, hypothesis) == label:
                return premise, hypothesis


def _premise(scene: Scene, rng: random.Random) -> Clause:
    frame = ("transitive" if scene.patient else "act") + ("_at" if rng.random() < 0.5 else "")
    return Clause(
        frame,
        subject=phrase_for(scene.agent, rng, general=0.2, adjective=0.4),
        verb=scene.verb,
        object=phrase_for(scene.patient, rng, general=0.2, adjective=0.4) if scene.patient else Phrase(),
        place=scene.place if frame.endswith("_at") else "",
    )


# Ways to change or use the premise; what each comes to is for ``judge`` to say. None where a way does not fit.


def _swapped(premise: Clause, rng: random.Random) -> Clause | None:
    """One noun or verb is another word; where it happens and an adjective may go."""
    clause = _nowhere(premise) if premise.place and rng.random() < 0.5 else premise
    if rng.random() < 0.2:
        verbs = verbs_of("transitive" if premise.object.noun else "intransitive")
        return replace(clause, verb=_other_word(premise.verb, verbs, rng))
    slot, phrase = _noun_slot(premise, rng)
    if phrase.name:
        return None
    noun = _other_word(phrase.noun, nouns_for(premise.verb, f"{slot}s"), rng)
    if is_mass(noun) or is_mass(phrase.noun):
        return None
    adjective = phrase.adjective if rng.random() < 0.5 else ""
    return _with(clause, slot, replace(phrase, noun=noun, adjective=adjective))


def _restated(premise: Clause, rng: random.Random) -> Clause | None:
    """The same said shorter, longer or narrower, of another number or place."""
    return rng.choice([_shorter, _other_number, _elsewhere, _longer, _narrower])(premise, rng)


def _shorter(premise: Clause, rng: random.Random) -> Clause:
    clause = replace(premise, subject=_vaguer(premise.subject, rng), object=_vaguer(premise.object, rng))
    if premise.place and rng.random() < 0.5:
        clause = _nowhere(clause)
    kinds = kinds_of(premise.verb)
    return replace(clause, verb=rng.choice(kinds)) if kinds and rng.random() < 0.5 else clause


def _other_number(premise: Clause, rng: random.Random) -> Clause | None:
    slot, phrase = _noun_slot(premise, rng)
    if phrase.name or phrase.number < 2:
        return None
    clause = _shorter(premise, rng) if rng.random() < 0.5 else premise
    noun = getattr(clause, slot).noun
    number = rng.choice([n for n in range(2, 8) if n != phrase.number])
    return None if is_mass(noun) else _with(clause, slot, replace(phrase, noun=noun, number=number))


def _elsewhere(premise: Clause, rng: random.Random) -> Clause:
    clause = _shorter(premise, rng) if rng.random() < 0.5 else premise
    return replace(clause, frame=premise.frame.removesuffix("_at") + "_at", place=pick(rng, places()))


def _longer(premise: Clause, rng: random.Random) -> Clause | None:
    slot, phrase = _noun_slot(premise, rng)
    if phrase.name or not adjectives_for(phrase.noun):
        return None
    return _with(premise, slot, replace(phrase, adjective=pick(rng, adjectives_for(phrase.noun))))


def _narrower(premise: Clause, rng: random.Random) -> Clause | None:
    below = members(premise.subject.noun) if premise.subject.noun else ()
    return replace(premise, subject=replace(premise.subject, noun=pick(rng, below))) if below else None


def _located(premise: Clause, rng: random.Random, *, negated: bool = False) -> Clause:
    place = premise.place if premise.place and rng.random() < 0.5 else pick(rng, places())
    return Clause("located", _definite(premise.subject, rng), place=place, negated=negated)


def _described(premise: Clause, rng: random.Random, *, negated: bool = False) -> Clause | None:
    phrase = rng.choice([each for each in (premise.subject, premise.object) if each != Phrase()])
    fitting = adjectives_for(phrase.noun)
    if phrase.adjective and rng.random() < 0.7:
        fitting = (phrase.adjective, *opposites(phrase.adjective))
    if not fitting:
        return None
    return Clause("property", _definite(phrase, rng), adjective=pick(rng, fitting), negated=negated)


def _denied(premise: Clause, rng: random.Random) -> Clause | None:
    if premise.object.noun:
        return None
    place = premise.place if premise.place and rng.random() < 0.4 else pick(rng, ["", *places()])
    return Clause(
        "act_at" if place else "act", _definite(premise.subject, rng), premise.verb, place=place, negated=True
    )


# Each kind of hypothesis, and how often it is drawn. Most often one word is swapped for another: what then follows
# depends on what the two words mean, which no language shows in its form.
KINDS: dict[str, tuple[Callable[[Clause, random.Random], Clause | None], int]] = {
    "swapped": (_swapped, 20),
    "restated": (_restated, 1),
    "located": (_located, 1),
    "not located": (partial(_located, negated=True), 1),
    "described": (_described, 1),
    "not described": (partial(_described, negated=True), 1),
    "denied": (_denied, 1),
}


def _other_word(word: str, fitting: tuple[str, ...], rng: random.Random) -> str:
    """A more general word, a narrower one, or one of something else that fits the place, itself general at times."""
    other = pick(rng, fitting)
    above, across = kinds_of(word), rng.choice([other, other, other, *kinds_of(other)])
    return rng.choice([across, rng.choice(above) if above else pick(rng, members(word) or (word,))])


def _noun_slot(clause: Clause, rng: random.Random) -> tuple[str, Phrase]:
    """Subject or object, and what stands there."""
    slot = rng.choice(["subject", "object"] if clause.object.noun else ["subject"])
    return slot, getattr(clause, slot)


def _with(clause: Clause, slot: str, phrase: Phrase) -> Clause:
    return replace(clause, subject=phrase) if slot == "subject" else replace(clause, object=phrase)


def _nowhere(clause: Clause) -> Clause:
    return replace(clause, frame=clause.frame.removesuffix("_at"), place="")


def _vaguer(phrase: Phrase, rng: random.Random) -> Phrase:
    """The same phrase with an adjective, a number or a kind less."""
    if phrase.name or phrase == Phrase():
        return phrase
    kinds = kinds_of(phrase.noun)
    noun = rng.choice(kinds) if kinds and rng.random() < 0.4 else phrase.noun
    number = 0 if phrase.number > 1 and rng.random() < 0.5 else phrase.number
    if is_mass(noun):
        noun, number = (noun, 1) if phrase.number == 1 else (phrase.noun, number)
    return replace(phrase, noun=noun, number=number, adjective=phrase.adjective if rng.random() < 0.4 else "")


def _definite(phrase: Phrase, rng: random.Random) -> Phrase:
    """The same people or things, spoken of again: "two big dogs" become "the dogs" or "the animals"."""
    if phrase.name:
        return phrase
    again = _vaguer(replace(phrase, adjective=""), rng)
    return replace(again, definite=True, number=1 if phrase.number == 1 else 0)
