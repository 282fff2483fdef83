"""Labelled data of the phrasebook beside its sentence pairs: entities (IOB2) and questions with answers (SQuAD form).

Held-out items are made of clauses that no training document contains.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar import LANGUAGES, Sentence, realise
from isogloss.phrasebook.scenes import is_held_out
from isogloss.phrasebook.text import facts_about, random_clause
from isogloss.phrasebook.world import is_a

__all__ = ["Question", "TaggedSentence", "questions", "tagged_sentences"]


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
