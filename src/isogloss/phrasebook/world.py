"""The small world the sentences are about: what there is, what fits together, and when a clause is true.

A :class:`Scene` is one situation, described completely: who does what to what, where, and how everybody and
everything is. ``holds(clause, scene)`` is the truth of a clause in it. ``judge(premise, hypothesis)`` looks at
*every* scene that the premise allows and says entailment (the hypothesis holds in all), contradiction (in none) or
neutral (in some): labels come from here, never from the way a pair was made.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.lexicon import concepts

__all__ = [
    "Referent",
    "Scene",
    "axis_of",
    "fits",
    "holds",
    "is_a",
    "is_mass",
    "judge",
    "kinds_of",
    "members",
    "opposites",
]


@functools.cache
def is_a(concept: str, kind: str) -> bool:
    """Is ``concept`` a ``kind``? Every dog is a dog, an animal and a living thing; running is moving."""
    while concept:
        if concept == kind:
            return True
        entry = concepts().get(concept)
        concept = entry["isa"] if entry is not None and "isa" in entry.meaning else ""
    return False


@functools.cache
def kinds_of(concept: str) -> tuple[str, ...]:
    """The more general concepts that have words of their own: dog → (animal,), run → (move,), apple → (fruit,)."""
    entry = concepts()[concept]
    above = entry["isa"] if "isa" in entry.meaning else ""
    return (above, *kinds_of(above)) if above in concepts() else ()


@functools.cache
def members(kind: str) -> tuple[str, ...]:
    """Nouns with ``kind`` above them, general ones ("animal") included only when nothing is below them."""
    nouns = [name for name, entry in concepts().items() if entry.table == "nouns"]
    general = {concepts()[name]["isa"] for name in nouns}
    return tuple(name for name in nouns if name not in general and is_a(name, kind))


@functools.cache
def fits(concept: str, column: str, noun: str) -> bool:
    """Does ``noun`` fit the slot: fits("eat", "objects", "apple"), fits("hot", "applies", "tea")?"""
    return any(is_a(noun, kind) for kind in concepts()[concept][column].split())


@functools.cache
def is_mass(noun: str) -> bool:
    """Water, furniture: said without a number. A scene has it once."""
    return noun in concepts() and concepts()[noun]["countable"] == "mass"


@functools.cache
def axis_of(adjective: str) -> str:
    return concepts()[adjective]["axis"]


@functools.cache
def opposites(adjective: str) -> tuple[str, ...]:
    """Adjectives that exclude this one: the antonym, or the other colours."""
    same = [
        name
        for name, entry in concepts().items()
        if entry.table == "adjectives" and entry["axis"] == axis_of(adjective)
    ]
    return tuple(name for name in same if name != adjective)


@dataclass(frozen=True)
class Referent:
    """Somebody or something in a scene: a leaf noun or a name, how many exactly, one adjective an axis."""

    noun: str = ""
    name: str = ""
    count: int = 1
    traits: tuple[tuple[str, str], ...] = ()

    def has_trait(self, adjective: str) -> bool:
        return (axis_of(adjective), adjective) in self.traits


@dataclass(frozen=True)
class Scene:
    """One situation, complete: what is not here is not so."""

    agent: Referent
    verb: str = ""
    patient: Referent | None = None
    place: str = ""
    facts: frozenset[Clause] = field(default_factory=frozenset)

    @property
    def referents(self) -> tuple[Referent, ...]:
        return (self.agent,) if self.patient is None else (self.agent, self.patient)


# An atom that no clause mentions: "something else".
OTHER = "other"


def matches(phrase: Phrase, referent: Referent) -> bool:
    """Can ``phrase`` be said of ``referent``: kind, number and adjective?"""
    if phrase.name:
        return phrase.name == referent.name
    if not is_a(referent.noun, phrase.noun):
        return False
    if phrase.adjective and not referent.has_trait(phrase.adjective):
        return False
    if phrase.number == 1 and is_mass(phrase.noun):
        return True  # "fruit" does not say how many
    return {0: referent.count > 1, 1: referent.count == 1}.get(phrase.number, referent.count == phrase.number)


def holds(clause: Clause, scene: Scene) -> bool:
    """Truth of a clause in a scene (frames of scenes; facts are looked up whole).

    A negated clause says that its positive form is false.
    """
    if clause.negated:
        return not holds(_positive(clause), scene)
    if clause.frame in ("act", "act_at", "transitive", "transitive_at"):
        return (
            matches(clause.subject, scene.agent)
            and is_a(scene.verb, clause.verb)
            and (not clause.frame.startswith("transitive") or _object_matches(clause, scene))
            and (not clause.frame.endswith("_at") or clause.place == scene.place)
        )
    if clause.frame in ("located", "there_is"):
        return clause.place == scene.place and any(matches(clause.subject, each) for each in scene.referents)
    if clause.frame == "property":
        return any(matches(clause.subject, each) and each.has_trait(clause.adjective) for each in scene.referents)
    if clause.frame == "kind":
        return any(matches(clause.subject, each) and is_a(each.noun, clause.noun) for each in scene.referents)
    return clause in scene.facts


def judge(premise: Clause, hypothesis: Clause) -> str:
    """ "entailment", "contradiction" or "neutral", by looking at every scene in which the premise holds.

    Both clauses speak of the same situation (as in SNLI and MNLI), and the hypothesis of nobody and nothing but those
    the premise speaks of. The scenes enumerated vary everything that either clause mentions, and one value that
    neither mentions.
    """
    truths: set[bool] = set()
    for scene in _scenes(premise, hypothesis):
        if holds(premise, scene):
            truths.add(holds(hypothesis, scene))
            if len(truths) > 1:
                return "neutral"
    assert truths, f"no scene makes the premise true: {premise}"
    return "entailment" if True in truths else "contradiction"


def _positive(clause: Clause) -> Clause:
    return Clause(**{**clause.__dict__, "negated": False})


def _object_matches(clause: Clause, scene: Scene) -> bool:
    return scene.patient is not None and matches(clause.object, scene.patient)


def _scenes(premise: Clause, hypothesis: Clause) -> Iterator[Scene]:
    """Every scene in which the premise holds, as far as the two clauses can tell scenes apart.

    The premise is positive, so it holds when each of its parts does: agents, actions, patients and places are sifted
    one by one before they are combined.
    """
    assert not premise.negated, "a premise says what is, not what is not"
    both = (premise, hypothesis)
    agents = [each for each in _referents([premise.subject], both) if matches(premise.subject, each)]
    if premise.frame == "property":
        agents = [each for each in agents if each.has_trait(premise.adjective)]
    if premise.frame == "kind":
        agents = [each for each in agents if is_a(each.noun, premise.noun)]
    patients: list[Referent | None] = [None]
    if premise.object != Phrase():
        patients = [each for each in _referents([premise.object], both) if matches(premise.object, each)]
    verbs = sorted({each for verb in (premise.verb, hypothesis.verb) if verb for each in _verbs_below(verb)} | {OTHER})
    actions = [verb for verb in verbs if not premise.verb or is_a(verb, premise.verb)]
    everywhere = sorted({premise.place, hypothesis.place, OTHER} - {""})
    for agent, action, patient in itertools.product(agents, actions, patients):
        for place in [premise.place] if premise.place else everywhere:
            yield Scene(agent, action, patient, place)


@functools.cache
def _verbs_below(verb: str) -> tuple[str, ...]:
    """Verbs that are a kind of ``verb``; the verb itself when there are none."""
    below = tuple(name for name, entry in concepts().items() if entry.table == "verbs" and entry["isa"] == verb)
    return below or (verb,)


def _referents(phrases: list[Phrase], clauses: tuple[Clause, ...]) -> Iterator[Referent]:
    """Everybody ``phrases`` could speak of, varied in all that ``clauses`` mention and in one thing they do not."""
    names = {phrase.name for phrase in phrases if phrase.name}
    said = [phrase for clause in clauses for phrase in (clause.subject, clause.object)]
    nouns = _leaves({phrase.noun for phrase in (*phrases, *said)} | {clause.noun for clause in clauses})
    if names:  # Anna may be a doctor or another person, but not an apple
        nouns = {noun for noun in nouns if is_a(noun, "person")} | {"person"}
    else:
        nouns |= {OTHER}
    who = [(noun, name) for noun in sorted(nouns) for name in sorted(names or {""})]
    counts = [1] if names else sorted({1, 11, 12} | {phrase.number for phrase in said if phrase.number > 1})
    axes: dict[str, set[str]] = {}
    for adjective in {phrase.adjective for phrase in said} | {clause.adjective for clause in clauses}:
        if adjective:
            axes.setdefault(axis_of(adjective), {OTHER}).add(adjective)
    for noun, name in who:
        for traits in itertools.product(*[[(axis, value) for value in sorted(axes[axis])] for axis in sorted(axes)]):
            for count in [1] if is_mass(noun) else counts:
                yield Referent(noun, name, count, traits)


def _leaves(nouns: set[str]) -> set[str]:
    """Each noun itself when nothing is below it, else two of its members."""
    return {leaf for noun in nouns - {""} for leaf in (members(noun)[:2] or (noun,))}
