"""Labelled data of the phrasebook: sentence pairs (NLI), entities (IOB2) and questions with answers (SQuAD form).

The label of a pair comes from ``world.judge``: from all scenes in which the premise is true, not from the way the
hypothesis was made. Held-out items are made of clauses that no training document contains.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar import LANGUAGES, Sentence, realise
from isogloss.phrasebook.scenes import (
    adjectives_for,
    draw_scene,
    is_held_out,
    phrase_for,
    pick,
    places,
)
from isogloss.phrasebook.text import facts_about, random_clause, with_emoji
from isogloss.phrasebook.world import Scene, is_a, is_mass, judge, kinds_of, members, opposites

__all__ = ["LABELS", "Pair", "Question", "TaggedSentence", "pairs", "questions", "tagged_sentences"]

LABELS = ("entailment", "neutral", "contradiction")
# Kinds of hypotheses, as often as they stand here.
KINDS = (*["restated"] * 7, "located", "not located", "described", "not described", "denied")
DRAWS_A_PREMISE = 12


@dataclass(frozen=True)
class Pair:
    """A premise, a hypothesis and what the one says about the other, with the clauses they come from."""

    premise: str
    hypothesis: str
    label: str
    clauses: tuple[Clause, Clause]


@dataclass(frozen=True)
class TaggedSentence:
    """Words and their IOB2 tags (PER, LOC, ORG), with the clause they come from."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    clause: Clause


@dataclass(frozen=True)
class Question:
    """A question, the context that answers it, and the answer with its place: context[start : start + len(answer)];
    with the clauses they come from, the question's and the statements' in order."""

    question: str
    context: str
    answer: str
    start: int
    asked: Clause
    statements: tuple[Clause, ...]


def pairs(language: str, num_pairs: int, *, seed: int, held_out: bool, emoji_share: float = 0.0) -> Iterator[Pair]:
    """Pairs in ``language``, the three labels in turn; pair k depends on (seed, held_out, k) alone, so the languages
    of one seed are translations of each other. A share of the sentences, ``emoji_share``, has emoji among its words,
    as the documents have."""
    for index in range(num_pairs):
        rng = random.Random(f"pair/{seed}/{held_out}/{index}")
        premise, hypothesis = _draw_pair(rng, LABELS[index % len(LABELS)], held_out)
        label = LABELS[index % len(LABELS)]
        said = [
            with_emoji(realise(clause, language), clause, rng)
            if rng.random() < emoji_share
            else realise(clause, language).text
            for clause in (premise, hypothesis)
        ]
        yield Pair(said[0], said[1], label, (premise, hypothesis))


def tagged_sentences(language: str, num_sentences: int, *, seed: int, held_out: bool) -> Iterator[TaggedSentence]:
    """Sentences with at least one name; sentence k depends on (seed, held_out, k) alone."""
    for index in range(num_sentences):
        rng = random.Random(f"tagged/{seed}/{held_out}/{index}")
        while True:
            clause = random_clause(rng)
            sentence = realise(clause, language)
            if is_held_out(clause) == held_out and any(word.entity for word in sentence.words):
                break
        yield _tagged(sentence, clause)


def questions(language: str, num_questions: int, *, seed: int, held_out: bool) -> Iterator[Question]:
    """Contexts of three to five statements with one question each; the subjects and frames mix, so that neither
    alone gives the answer away."""
    for index in range(num_questions):
        rng = random.Random(f"question/{seed}/{held_out}/{index}")
        yield _question(*_draw_facts(rng, held_out), language)


def _draw_pair(rng: random.Random, label: str, held_out: bool) -> tuple[Clause, Clause]:
    """A premise and a hypothesis of this label. The kind of hypothesis is drawn first and each kind is as often of
    one label as of another, so that the form of the hypothesis says nothing about its label."""
    kind = rng.choice(KINDS)  # once: a new kind after a failed draw would favour the kinds that this label finds easily
    while True:
        scene = draw_scene(rng)
        premise = _premise(scene, rng)
        if is_held_out(premise) != held_out:
            continue
        draw = _hypotheses(premise, rng)[kind]
        for _ in range(DRAWS_A_PREMISE):
            hypothesis = draw()
            if hypothesis in (None, premise) or is_held_out(hypothesis) != held_out:
                continue
            if judge(premise, hypothesis) == label:
                return premise, hypothesis


def _premise(scene: Scene, rng: random.Random) -> Clause:
    frame = ("transitive" if scene.patient else "act") + ("_at" if rng.random() < 0.7 else "")
    return Clause(
        frame,
        subject=phrase_for(scene.agent, rng, general=0.2, adjective=0.7),
        verb=scene.verb,
        object=phrase_for(scene.patient, rng, general=0.2, adjective=0.7) if scene.patient else Phrase(),
        place=scene.place if frame.endswith("_at") else "",
    )


def _hypotheses(premise: Clause, rng: random.Random) -> dict[str, Callable[[], Clause | None]]:
    """Ways to change or use the premise, by kind; what each comes to is for ``judge`` to say."""

    def shorter() -> Clause:
        clause = replace(premise, subject=_vaguer(premise.subject, rng), object=_vaguer(premise.object, rng))
        if premise.place and rng.random() < 0.5:
            clause = replace(clause, frame=premise.frame.removesuffix("_at"), place="")
        kinds = kinds_of(premise.verb)
        return replace(clause, verb=rng.choice(kinds)) if kinds and rng.random() < 0.5 else clause

    def other_number() -> Clause | None:
        slot = rng.choice(["subject", "object"] if premise.object.noun else ["subject"])
        phrase: Phrase = getattr(premise, slot)
        if phrase.name or phrase.number < 2:
            return None
        clause = shorter() if rng.random() < 0.5 else premise
        noun = getattr(clause, slot).noun
        number = rng.choice([n for n in range(2, 8) if n != phrase.number])
        return None if is_mass(noun) else _with(clause, slot, replace(phrase, noun=noun, number=number))

    def elsewhere() -> Clause:
        clause = shorter() if rng.random() < 0.5 else premise
        return replace(clause, frame=premise.frame.removesuffix("_at") + "_at", place=pick(rng, places()))

    def longer() -> Clause | None:
        slot = rng.choice(["subject", "object"] if premise.object.noun else ["subject"])
        phrase: Phrase = getattr(premise, slot)
        if phrase.name or not adjectives_for(phrase.noun):
            return None
        return _with(premise, slot, replace(phrase, adjective=pick(rng, adjectives_for(phrase.noun))))

    def narrower() -> Clause | None:
        below = members(premise.subject.noun) if premise.subject.noun else ()
        return replace(premise, subject=replace(premise.subject, noun=pick(rng, below))) if below else None

    def restated() -> Clause | None:
        return rng.choice([shorter, other_number, elsewhere, longer, narrower])()

    def located(negated: bool) -> Clause:
        place = premise.place if premise.place and rng.random() < 0.5 else pick(rng, places())
        return Clause("located", _definite(premise.subject, rng), place=place, negated=negated)

    def described(negated: bool) -> Clause | None:
        phrase = rng.choice([each for each in (premise.subject, premise.object) if each != Phrase()])
        fitting = adjectives_for(phrase.noun)
        if phrase.adjective and rng.random() < 0.7:
            fitting = (phrase.adjective, *opposites(phrase.adjective))
        if not fitting:
            return None
        return Clause("property", _definite(phrase, rng), adjective=pick(rng, fitting), negated=negated)

    def denied() -> Clause | None:
        if premise.frame.startswith("transitive"):
            return None
        place = premise.place if premise.place and rng.random() < 0.4 else pick(rng, ["", *places()])
        frame = "act_at" if place else "act"
        return Clause(frame, _definite(premise.subject, rng), premise.verb, place=place, negated=True)

    return {
        "restated": restated,
        "located": lambda: located(False),
        "not located": lambda: located(True),
        "described": lambda: described(False),
        "not described": lambda: described(True),
        "denied": denied,
    }


def _with(clause: Clause, slot: str, phrase: Phrase) -> Clause:
    return replace(clause, subject=phrase) if slot == "subject" else replace(clause, object=phrase)


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


def _tagged(sentence: Sentence, clause: Clause) -> TaggedSentence:
    words = tuple(sentence.text[word.start : word.end] for word in sentence.words)
    tags = ["O" if not word.entity else f"B-{word.entity}" for word in sentence.words]
    for index in range(1, len(tags)):
        before, now = sentence.words[index - 1], sentence.words[index]
        if now.entity and (now.entity, now.role) == (before.entity, before.role):
            tags[index] = f"I-{now.entity}"
    return TaggedSentence(words, tuple(tags), clause)


Fact = tuple[Clause, Clause, str]  # a statement, the question it answers, and the slot that answers it


def _draw_facts(rng: random.Random, held_out: bool) -> tuple[list[Fact], int]:
    """Facts none of which answers another's question, and which of them is asked for."""
    while True:
        facts: list[Fact] = []
        length = rng.randint(3, 5)
        while len(facts) < length:
            fact = rng.choice(facts_about(rng))()
            unclear = any(_answers(fact[0], known[1]) or _answers(known[0], fact[1]) for known in facts)
            if is_held_out(fact[0]) == held_out and not unclear:
                facts.append(fact)
        fitting = [index for index, fact in enumerate(facts) if is_held_out(fact[1]) == held_out]
        if fitting:
            return facts, rng.choice(fitting)


# The frames whose statements may be taken for an answer to a question.
ANSWERED_BY = {
    "where_is": ("located", "act_at"),
    "where_lives": ("lives_in",),
    "where_works": ("works_for", "act_at"),
    "what_has": ("has",),
    "what_transitive": ("transitive",),
    "who_transitive": ("transitive",),
    "who_act_at": ("act_at",),
    "how_old": ("age",),
    "how_much": ("price",),
    "what_name": ("named",),
}


def _answers(statement: Clause, question: Clause) -> bool:
    """Could ``statement`` be taken for an answer to ``question``? The slots that are not asked for are then alike;
    numbers and adjectives may differ, for "the apples" may be the three red ones."""
    verb = "work" if question.frame == "where_works" and statement.frame == "act_at" else question.verb
    return (
        statement.frame in ANSWERED_BY[question.frame]
        and verb in ("", statement.verb)
        and question.place in ("", statement.place)
        and _alike(statement.subject, question.subject)
        and _alike(statement.object, question.object)
    )


def _alike(said: Phrase, asked: Phrase) -> bool:
    if said.name or asked.name or Phrase() in (said, asked):
        return asked in (Phrase(), said)
    return is_a(said.noun, asked.noun) or is_a(asked.noun, said.noun)


def _question(facts: list[Fact], asked: int, language: str) -> Question:
    context = ""
    start = end = 0
    for index, (statement, _, slot) in enumerate(facts):
        sentence = realise(statement, language)
        context += LANGUAGES[language].between_sentences if context else ""
        if index == asked:
            start, end = (len(context) + offset for offset in sentence.answer(slot))
        context += sentence.text
    question = facts[asked][1]
    statements = tuple(fact[0] for fact in facts)
    return Question(realise(question, language).text, context, context[start:end], start, question, statements)
