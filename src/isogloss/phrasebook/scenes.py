"""Drawing scenes and the clauses that are true in them: what documents, pairs and questions are made of.

Everything is drawn from a ``random.Random`` that the caller seeds; the same seed gives the same scene in every
language, because nothing here knows a language.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Sequence

import xxhash

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.lexicon import concepts
from isogloss.phrasebook.world import Referent, Scene, axis_of, fits, holds, is_mass, kinds_of, members, opposites

__all__ = [
    "adjectives_for",
    "draw_scene",
    "is_held_out",
    "kinds_of_person",
    "names_of",
    "phrase_for",
    "pick",
    "places",
    "true_clauses",
    "verbs_of",
    "words_of",
]

HELD_OUT_PARTS, PARTS = 2, 10  # a fifth of all clauses never occurs in training text
MAX_COUNT = 6
MOST_DRAWS = 8


@functools.cache
def names_of(kind: str) -> tuple[str, ...]:
    """Names of a kind: PER, LOC or ORG."""
    return tuple(name for name, entry in concepts().items() if entry.table == "names" and entry["kind"] == kind)


@functools.cache
def words_of(kind: str) -> tuple[str, ...]:
    return tuple(name for name, entry in concepts().items() if entry.table == "words" and entry["kind"] == kind)


@functools.cache
def verbs_of(kind: str) -> tuple[str, ...]:
    """Verbs of a type, general ones (move, rest, consume) left to be reached as kinds of others."""
    verbs = [name for name, entry in concepts().items() if entry.table == "verbs"]
    general = {concepts()[name]["isa"] for name in verbs}
    return tuple(name for name in verbs if concepts()[name]["type"] == kind and name not in general)


@functools.cache
def places() -> tuple[str, ...]:
    return members("place")


@functools.cache
def adjectives_for(noun: str) -> tuple[str, ...]:
    """Adjectives that fit a noun ("" for a named person)."""
    every = [name for name, entry in concepts().items() if entry.table == "adjectives"]
    return tuple(name for name in every if fits(name, "applies", noun or "person"))


@functools.cache
def nouns_for(verb: str, column: str) -> tuple[str, ...]:
    """Leaf nouns that can be the subject or object of a verb."""
    return tuple(noun for kind in ("living", "thing") for noun in members(kind) if fits(verb, column, noun))


# Whom a name cannot be, by the natural gender of the name.
NOT_CALLED = {"f": ("man", "boy", "king"), "m": ("woman", "girl")}


@functools.cache
def kinds_of_person(name: str) -> tuple[str, ...]:
    """The leaf nouns that can be said of somebody of this name."""
    return tuple(noun for noun in members("person") if noun not in NOT_CALLED[concepts()[name]["gender"]])


def pick(rng: random.Random, items: Sequence[str]) -> str:
    """One of ``items``, the first ones most often: item k with a frequency near 1/k, as words are in real text."""
    return items[int((len(items) + 1) ** rng.random()) - 1]


def is_held_out(clause: Clause) -> bool:
    """Is this clause kept out of training text?

    The decision looks only at what every language shows: articles and the difference between one, two (Arabic writes
    some duals as it writes plurals) and an unsaid number are invisible in some, so is the one between liking and loving
    (Swahili), and no question shows its answer. Clauses that differ in nothing else fall on the same side.
    """
    frame, verb = ("transitive", "love") if clause.frame == "likes" else (clause.frame, clause.verb)
    recipient = Phrase() if clause.frame == "what_name" else clause.recipient
    key = repr(
        (
            frame,
            *[
                (p.noun, p.name, p.adjective, p.number if p.number > 2 else 0)
                for p in (clause.subject, clause.object, recipient)
            ],
            *(verb, clause.place, clause.adjective, clause.noun, clause.number, clause.day, clause.negated),
        )
    )
    return xxhash.xxh3_64_intdigest(key.encode()) % PARTS < HELD_OUT_PARTS


def draw_referent(rng: random.Random, nouns: tuple[str, ...], *, named: float = 0.0) -> Referent:
    """Somebody of one of ``nouns``, or with probability ``named`` a person with a name; two traits where they fit."""
    if rng.random() < named:
        name, count = rng.choice(names_of("PER")), 1
        noun = pick(rng, kinds_of_person(name))
    else:
        name, noun = "", pick(rng, nouns)
        count = 1 if is_mass(noun) or rng.random() < 0.4 else rng.randint(2, MAX_COUNT)
    traits: dict[str, str] = {}
    fitting = adjectives_for("" if name else noun)
    for _ in range(2):
        if fitting:
            adjective = pick(rng, fitting)
            traits.setdefault(axis_of(adjective), adjective)
    return Referent(noun, name, count, tuple(sorted(traits.items())))


def draw_scene(rng: random.Random) -> Scene:
    """Somebody does something, with or without an object, somewhere."""
    if rng.random() < 0.5:
        verb = pick(rng, verbs_of("intransitive"))
        patient = None
    else:
        verb = pick(rng, verbs_of("transitive"))
        patient = draw_referent(rng, nouns_for(verb, "objects"))
    named = 0.4 if fits(verb, "subjects", "person") else 0.0
    agent = draw_referent(rng, nouns_for(verb, "subjects"), named=named)
    return Scene(agent, verb, patient, pick(rng, places()))


def phrase_for(
    referent: Referent, rng: random.Random, *, definite: bool = False, general: float = 0.3, adjective: float = 0.4
) -> Phrase:
    """One of the ways to speak of a referent: by name, by noun or a more general one, with or without its number and
    an adjective."""
    if referent.name:
        return Phrase(name=referent.name)
    noun = referent.noun
    if kinds_of(noun) and rng.random() < general:
        noun = rng.choice(kinds_of(noun))
    number = referent.count
    if is_mass(noun):
        number = 1 if referent.count == 1 else 0
    elif number > 1 and (definite or rng.random() < 0.4):
        number = 0
    traits = [value for _, value in referent.traits]
    said = rng.choice(traits) if traits and rng.random() < adjective else ""
    if is_mass(noun) and number == 0:
        noun = referent.noun  # "fruit" has no plural: three apples stay apples
    return Phrase(noun=noun, number=number, adjective=said, definite=definite)


def true_clauses(scene: Scene, rng: random.Random) -> list[Callable[[], Clause]]:
    """Ways to say something true of the scene; each call draws its wording anew."""

    def verb() -> str:
        kinds = kinds_of(scene.verb)
        return rng.choice(kinds) if kinds and rng.random() < 0.3 else scene.verb

    def act() -> Clause:
        at = rng.random() < 0.6
        frame = ("transitive" if scene.patient else "act") + ("_at" if at else "")
        return Clause(
            frame,
            subject=phrase_for(scene.agent, rng, definite=rng.random() < 0.3),
            verb=verb(),
            object=phrase_for(scene.patient, rng, definite=rng.random() < 0.3) if scene.patient else Phrase(),
            place=scene.place if at else "",
        )

    def located() -> Clause:
        who = rng.choice(scene.referents)
        if not who.name and rng.random() < 0.4:
            return Clause("there_is", subject=phrase_for(who, rng), place=scene.place)
        return Clause("located", subject=phrase_for(who, rng, definite=True), place=scene.place)

    def elsewhere() -> Clause:
        place = pick(rng, [other for other in places() if other != scene.place])
        return Clause("located", subject=phrase_for(scene.agent, rng, definite=True), place=place, negated=True)

    def described() -> Clause:
        who = rng.choice([each for each in scene.referents if each.traits])
        value = rng.choice(who.traits)[1]
        return Clause("property", subject=phrase_for(who, rng, definite=True, adjective=0.0), adjective=value)

    def not_opposite() -> Clause:
        who = rng.choice([each for each in scene.referents if each.traits])
        value = pick(rng, opposites(rng.choice(who.traits)[1]))
        subject = phrase_for(who, rng, definite=True, adjective=0.0)
        return Clause("property", subject=subject, adjective=value, negated=True)

    def kind() -> Clause:
        who = rng.choice([each for each in scene.referents if each.name or kinds_of(each.noun)])
        what = who.noun if who.name else kinds_of(who.noun)[0]
        return Clause("kind", subject=phrase_for(who, rng, definite=True, general=0.0, adjective=0.0), noun=what)

    ways: list[Callable[[], Clause]] = [act, act, act, located, elsewhere]
    if any(each.traits for each in scene.referents):
        ways += [described, described, not_opposite]
    if any(each.name or kinds_of(each.noun) for each in scene.referents):
        ways += [kind]
    return [_truly(way, scene, otherwise=act) for way in ways]


def _truly(draw: Callable[[], Clause], scene: Scene, *, otherwise: Callable[[], Clause]) -> Callable[[], Clause]:
    """Draw until the clause holds: "the dogs are not small", said of one dog, may be false of another. A scene may
    leave no true wording; then say ``otherwise``, what happens in it."""

    def clause() -> Clause:
        for _ in range(MOST_DRAWS):
            if holds(drawn := draw(), scene):
                return drawn
        return otherwise()

    return clause
