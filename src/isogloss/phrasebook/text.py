"""Running text of the phrasebook: documents for pretraining, and parallel sentences.

A document tells one scene in several ways, or the facts of a few people. Documents of different languages are drawn
from different scenes, so no text is parallel; held-out clauses never occur in them.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar import LANGUAGES, Sentence, realise
from isogloss.phrasebook.lexicon import concepts
from isogloss.phrasebook.scenes import (
    adjectives_for,
    draw_referent,
    draw_scene,
    is_held_out,
    kinds_of_person,
    names_of,
    nouns_for,
    phrase_for,
    pick,
    places,
    true_clauses,
    verbs_of,
    words_of,
)
from isogloss.phrasebook.world import is_mass, kinds_of, members, opposites

__all__ = ["documents", "facts_about", "parallel_sentences", "random_clause", "statement_and_question", "with_emoji"]

SENTENCES_A_DOCUMENT = (5, 8)
SHARE_OF_SCENES = 0.8
# Of the parts of a sentence that have an emoji, in documents that are written with them: the share said in words with
# the emoji behind them, and the share said by the emoji alone.
BESIDE, ALONE = 0.7, 0.25
SHARE_CROSSED_OUT = 0.5  # of denials, in such documents


def documents(language: str, num_documents: int, *, seed: int, emoji_share: float = 0.0) -> Iterator[str]:
    """``num_documents`` documents of ``language``, most of them five to eight sentences on one subject.

    A share of them, ``emoji_share``, is written as people write to friends, with emoji behind most words that have one
    and in the place of some: tokens that all languages have in common, as real text has names, numbers and addresses
    in common. Document k depends on (seed, language, k) alone.
    """
    for index in range(num_documents):
        rng = random.Random(f"document/{seed}/{language}/{index}")
        clauses = _story(rng) if rng.random() < SHARE_OF_SCENES else _facts(rng)
        if rng.random() < emoji_share:
            yield " ".join(with_emoji(realise(clause, language), clause, rng) for clause in clauses)
        else:
            yield LANGUAGES[language].between_sentences.join(realise(clause, language).text for clause in clauses)


def with_emoji(sentence: Sentence, clause: Clause, rng: random.Random) -> str:
    """The sentence with emoji, and digits for numerals, behind some of its parts or in their place: "Three dogs 3 🐕
    sleep in 🏞 ." What is denied may be crossed out."""
    text, end = "", 0
    parts = [(role, list(spans)) for role, spans in itertools.groupby(sentence.words, key=lambda word: word.role)]
    roles = [role for role, _ in parts]
    for role, part in parts:
        # A part in two places ("ruht sich ... aus") keeps its words: one emoji does not stand for both.
        marks = emoji_of(clause, role) if roles.count(role) == 1 else []
        draw = rng.random() if marks else 1.0
        alone = draw < ALONE
        words = sentence.text[end : part[0].start if alone else part[-1].end]
        end = part[-1].end
        if draw < ALONE + BESIDE:
            text = f"{(text + words).rstrip()} {' '.join(marks)} "
            end += sentence.text[end : end + 1] == " "
        else:
            text += words
    text = (text + sentence.text[end:]).strip()
    return f"{text} 🚫" if clause.negated and rng.random() < SHARE_CROSSED_OUT else text


def emoji_of(clause: Clause, role: str) -> list[str]:
    """The emoji of one slot of a clause; none for names and for what has no emoji."""
    if role == "verb" and clause.frame in ("wants_to", "can"):
        return []  # many languages say the wish or the skill in one part with the verb
    if role in ("subject", "object", "recipient"):
        phrase: Phrase = getattr(clause, role)
        number = [str(phrase.number)] if phrase.number > 1 else []
        mentioned = [phrase.adjective, phrase.noun] if phrase.noun else []
    else:
        number, mentioned = [], [getattr(clause, role)] if role in ("verb", "place", "adjective", "noun") else []
    known = [concepts()[name] for name in mentioned if name]
    marks = [concept["emoji"] for concept in known if concept.meaning.get("emoji")]
    return [*number, *marks] if marks else []


def parallel_sentences(
    languages: list[str], num_sentences: int, *, seed: int, held_out: bool | None = None
) -> Iterator[tuple[str, ...]]:
    """The same random clause in every language; sentence k depends on (seed, k) alone. ``held_out``: only clauses that
    are kept out of training text, or only others."""
    for index in range(num_sentences):
        rng = random.Random(f"parallel/{seed}/{index}")
        clause = _counted_on(random_clause(rng), rng)
        while held_out not in (None, is_held_out(clause)):
            clause = _counted_on(random_clause(rng), rng)
        yield tuple(realise(clause, language).text for language in languages)


def random_clause(rng: random.Random) -> Clause:
    """Any true-looking clause of any frame."""
    if rng.random() < 0.4:
        return rng.choice(true_clauses(draw_scene(rng), rng))()
    statement, question, _ = statement_and_question(rng)
    return question if rng.random() < 0.2 else statement


def _counted_on(clause: Clause, rng: random.Random) -> Clause:
    """The clause with another number now and then: scenes count to six, the numerals of the lexicon go on to ten."""
    if clause.subject.number < 2 or rng.random() < 0.5:
        return clause
    return replace(clause, subject=replace(clause.subject, number=rng.randint(2, 10)))


def _story(rng: random.Random) -> list[Clause]:
    """One scene, told in several ways."""
    ways = true_clauses(draw_scene(rng), rng)
    clauses: list[Clause] = []
    length = rng.randint(*SENTENCES_A_DOCUMENT)
    for _ in range(8 * length):
        clause = rng.choice(ways)()
        if clause not in clauses and not is_held_out(clause):
            clauses.append(clause)
        if len(clauses) == length:
            break
    return clauses


def _facts(rng: random.Random) -> list[Clause]:
    """Statements about a few people and things, some of them asked for first."""
    clauses: list[Clause] = []
    length = rng.randint(*SENTENCES_A_DOCUMENT)
    for _ in range(length):
        statement, question, _ = statement_and_question(rng)
        if is_held_out(statement) or is_held_out(question):
            continue
        clauses += [question, statement] if rng.random() < 0.3 and question.frame != statement.frame else [statement]
    return clauses or _facts(rng)


def person(rng: random.Random) -> Phrase:
    return Phrase(name=rng.choice(names_of("PER")))


def somebody(rng: random.Random, verb: str) -> Phrase:
    """A named person, or people or animals that can do ``verb``."""
    if fits_person(verb) and rng.random() < 0.5:
        return person(rng)
    return phrase_for(draw_referent(rng, nouns_for(verb, "subjects")), rng)


def fits_person(verb: str) -> bool:
    return "man" in nouns_for(verb, "subjects")


def something(rng: random.Random, verb: str) -> Phrase:
    return phrase_for(draw_referent(rng, nouns_for(verb, "objects")), rng)


def definite(phrase: Phrase) -> Phrase:
    return phrase if phrase.name else replace(phrase, definite=True)


def facts_about(rng: random.Random) -> list[Callable[[], tuple[Clause, Clause, str]]]:
    """The fact frames: each call gives a statement, the question it answers, and the slot that answers it."""

    def act_at() -> tuple[Clause, Clause, str]:
        verb = pick(rng, verbs_of("intransitive"))
        statement = Clause("act_at", subject=somebody(rng, verb), verb=verb, place=pick(rng, places()))
        return statement, Clause("who_act_at", verb=verb, place=statement.place), "subject"

    def transitive() -> tuple[Clause, Clause, str]:
        verb = pick(rng, verbs_of("transitive"))
        statement = Clause("transitive", subject=somebody(rng, verb), verb=verb, object=something(rng, verb))
        if rng.random() < 0.5:
            return statement, Clause("who_transitive", verb=verb, object=definite(statement.object)), "subject"
        return statement, Clause("what_transitive", subject=definite(statement.subject), verb=verb), "object"

    def has() -> tuple[Clause, Clause, str]:
        statement = Clause("has", subject=somebody(rng, "have"), object=something(rng, "have"))
        return statement, Clause("what_has", subject=definite(statement.subject)), "object"

    def located() -> tuple[Clause, Clause, str]:
        subject = definite(somebody(rng, "sleep") if rng.random() < 0.6 else something(rng, "have"))
        statement = Clause("located", subject=subject, place=pick(rng, places()))
        return statement, Clause("where_is", subject=subject), "place"

    def lives_in() -> tuple[Clause, Clause, str]:
        city = pick(rng, names_of("LOC") if rng.random() < 0.8 else places())
        statement = Clause("lives_in", subject=definite(somebody(rng, "live")), place=city)
        return statement, Clause("where_lives", subject=statement.subject), "place"

    def works_for() -> tuple[Clause, Clause, str]:
        statement = Clause("works_for", subject=person(rng), place=rng.choice(names_of("ORG")))
        return statement, Clause("where_works", subject=statement.subject), "place"

    def age() -> tuple[Clause, Clause, str]:
        statement = Clause("age", subject=person(rng), number=rng.randint(3, 90))
        return statement, Clause("how_old", subject=statement.subject), "number"

    def price() -> tuple[Clause, Clause, str]:
        thing = Phrase(noun=pick(rng, nouns_for("sell", "objects")), definite=True)
        statement = Clause("price", subject=thing, number=rng.randint(2, 90))
        return statement, Clause("how_much", subject=thing), "number"

    def named() -> tuple[Clause, Clause, str]:
        name = rng.choice(names_of("PER"))
        who = Phrase(noun=pick(rng, kinds_of_person(name)), definite=True)
        statement = Clause("named", subject=who, recipient=Phrase(name=name))
        return statement, replace(statement, frame="what_name"), "recipient"

    return [act_at, transitive, has, located, lives_in, works_for, age, price, named]


def other_statements(rng: random.Random) -> list[Callable[[], Clause]]:
    """Frames that no question of ours asks for."""

    def likes() -> Clause:
        noun = pick(rng, nouns_for("like", "objects"))
        subject = definite(somebody(rng, "like"))
        return Clause("likes", subject=subject, object=Phrase(noun=noun, number=1 if is_mass(noun) else 0))

    def wants() -> Clause:
        return Clause("wants", subject=definite(somebody(rng, "want")), object=something(rng, "want"))

    def gives() -> Clause:
        to = person(rng) if rng.random() < 0.5 else definite(somebody(rng, "give"))
        return Clause("gives", subject=somebody(rng, "give"), object=something(rng, "give"), recipient=to)

    def with_verb(frame: str) -> Clause:
        verb = pick(rng, verbs_of("intransitive"))
        day = rng.choice(words_of("day")) if frame == "on_day" else ""
        return Clause(frame, subject=definite(somebody(rng, verb)), verb=verb, day=day)

    def together() -> Clause:
        first, second = rng.sample(names_of("PER"), 2)
        verb = pick(rng, [verb for verb in verbs_of("intransitive") if fits_person(verb)])
        frame = rng.choice(["together", "with"])
        return Clause(frame, subject=Phrase(name=first), verb=verb, recipient=Phrase(name=second))

    def goes_to() -> Clause:
        return Clause("goes_to", subject=definite(somebody(rng, "go")), place=pick(rng, places()))

    def comes_from() -> Clause:
        place = rng.choice([*places(), *names_of("LOC"), *names_of("LOC")])
        return Clause("comes_from", subject=definite(somebody(rng, "come")), place=place)

    def compare() -> Clause:
        noun = pick(rng, nouns_for("sell", "objects"))
        alike = [other for other in members(kinds_of(noun)[0] if kinds_of(noun) else "thing") if other != noun]
        fitting = [(other, word) for other in alike for word in adjectives_for(noun) if word in adjectives_for(other)]
        fitting = [(other, word) for other, word in fitting if len(opposites(word)) == 1]
        if not fitting:
            return compare()
        other, adjective = rng.choice(fitting)
        subject, than = Phrase(noun=noun, definite=True), Phrase(noun=other, definite=True)
        return Clause("compare", subject=subject, adjective=adjective, recipient=than)

    def owned() -> Clause:
        noun = pick(rng, [noun for noun in nouns_for("have", "objects") if adjectives_for(noun) and not is_mass(noun)])
        number = rng.choice([0, 1, 1])
        return Clause(
            "owned",
            subject=Phrase(noun=noun, number=number),
            recipient=person(rng),
            adjective=pick(rng, adjectives_for(noun)),
        )

    plain = [lambda frame=frame: with_verb(frame) for frame in ("wants_to", "can", "on_day")]
    return [likes, wants, gives, together, goes_to, comes_from, compare, owned, *plain]


def statement_and_question(rng: random.Random) -> tuple[Clause, Clause, str]:
    """A fact, the question it answers and the slot of the answer; for frames nothing asks for, the statement twice."""
    if rng.random() < 0.65:
        return rng.choice(facts_about(rng))()
    statement = rng.choice(other_statements(rng))()
    return statement, statement, ""
