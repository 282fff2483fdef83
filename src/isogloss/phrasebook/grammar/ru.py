"""Russian. Everything is declined here, from the lemma and what a cell says about it.

Nouns: gender ``m f n``; ``anim`` for living beings; ``indeclinable``; ``only_plural`` (фрукты); ``cloth`` is washed
with стирать, other things with мыть. ``stem=`` is the stem before endings (лев, льв-); single forms that differ from
the rule: ``g= d= i= p=`` singular, ``pl= gpl= dpl= ipl=`` plural, ``few=`` after 2-4, ``many=`` after 5-10 without
an adjective (пять человек), ``fem=`` said of a woman. Places carry their preposition ``в на возле`` (``from=`` when
leaving needs another). Verbs: ``sg= pl=`` third person, ``dat`` when the object is in the dative, ``cloth_sg=
cloth_pl=`` (стирать), ``far_sg= far_pl=`` for coming from a city, ``not=`` (нет). Adjectives: ``er=`` comparative,
``short= fshort=`` short forms where the predicate prefers them. Numerals: ``f= g= d= i=``. Days: ``a=`` accusative,
``во``.
"""

from __future__ import annotations

import re

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.gender import gender_in
from isogloss.phrasebook.grammar.meaning import asks_whom, is_mass, is_woman, numeral_of, owned_thing
from isogloss.phrasebook.grammar.order import in_order, lemma_of, number, svo_frames
from isogloss.phrasebook.grammar.words import FrameTable, Word, entity_kind, say, with_role
from isogloss.phrasebook.lexicon import Cell, Lexicon

__all__ = ["FRAMES"]

VELARS_AND_HUSHES = "гкхжчшщ"  # и is written after these, never ы

# Singular endings by the shape of the lemma: genitive, dative, accusative, instrumental, prepositional.
SINGULAR = {
    "ия": ("ии", "ии", "ию", "ией", "ии"),
    "ие": ("ия", "ию", "ие", "ием", "ии"),
    "а": ("ы", "е", "у", "ой", "е"),
    "я": ("и", "е", "ю", "ей", "е"),
    "о": ("а", "у", "о", "ом", "е"),
    "е": ("я", "ю", "е", "ем", "е"),
    "й": ("я", "ю", "й", "ем", "е"),
    "ь": ("я", "ю", "ь", "ем", "е"),
    "ь f": ("и", "и", "ь", "ью", "и"),
    "": ("а", "у", "", "ом", "е"),
}
# Plural endings: nominative and genitive; the other cases follow from the nominative.
PLURAL = {
    "ия": ("ии", "ий"),
    "ие": ("ия", "ий"),
    "а": ("ы", ""),
    "я": ("и", "ь"),
    "о": ("а", ""),
    "е": ("я", "ей"),
    "й": ("и", "ев"),
    "ь": ("и", "ей"),
    "ь f": ("и", "ей"),
    "": ("ы", "ов"),
}
# Adjective endings of the hard kind: masculine and neuter, feminine, plural.
ADJECTIVE = {
    "nom": ("ый", "ая", "ые"),
    "gen": ("ого", "ой", "ых"),
    "dat": ("ому", "ой", "ым"),
    "acc": ("ый", "ую", "ые"),
    "ins": ("ым", "ой", "ыми"),
}
SOFT_VOWELS = str.maketrans("ыоау", "иеяю")


def spelled(stem: str, ending: str) -> str:
    """Stem and ending by the spelling rules: книг + ы = книги, птиц + ой = птицей."""
    if ending.startswith("ы") and stem[-1] in VELARS_AND_HUSHES:
        ending = "и" + ending[1:]
    if ending in ("ой", "ом") and stem[-1] in "жчшщц":
        ending = "е" + ending[1:]
    if ending == "ов" and stem[-1] in "жчшщ":
        ending = "ей"
    return stem + ending


def shape(cell: Cell) -> str:
    if cell.lemma.endswith("ь"):
        return "ь f" if "f" in cell.tags else "ь"
    return next(ending for ending in SINGULAR if cell.lemma.endswith(ending))


def stem(cell: Cell) -> str:
    return cell.form("stem", cell.lemma.removesuffix(shape(cell).removesuffix(" f")))


def singular(cell: Cell, case: str) -> str:
    if case == "nom" or "indeclinable" in cell.tags:
        return cell.lemma
    genitive, dative, accusative, instrumental, prepositional = SINGULAR[shape(cell)]
    if case == "acc" and shape(cell) not in ("а", "я", "ия"):
        masculine_being = "anim" in cell.tags and "m" in cell.tags
        return singular(cell, "gen") if masculine_being else cell.lemma
    ending = {"gen": genitive, "dat": dative, "acc": accusative, "ins": instrumental, "prep": prepositional}[case]
    return cell.form(case[0], spelled(stem(cell), ending))


def plural(cell: Cell, case: str) -> str:
    if "indeclinable" in cell.tags:
        return cell.lemma
    nominative = cell.form("pl", spelled(stem(cell), PLURAL[shape(cell)][0]))
    if case == "nom" or (case == "acc" and "anim" not in cell.tags):
        return nominative
    if case in ("gen", "acc"):
        root = nominative[:-1] if "pl" in cell.forms else stem(cell)
        return cell.form("gpl", spelled(root, PLURAL[shape(cell)][1]))
    hard = nominative[-1] in "аы" or nominative[-2] in VELARS_AND_HUSHES
    dative = cell.form("dpl", nominative[:-1] + ("ам" if hard else "ям"))
    return dative if case == "dat" else cell.form("ipl", dative + "и")


def adjective(cell: Cell, gender: str, case: str, *, animate: bool = False) -> str:
    """``gender`` is m, f, n or pl."""
    if case == "acc" and animate and gender in ("m", "pl"):
        case = "gen"
    if gender == "m" and case in ("nom", "acc"):
        return cell.lemma
    root, last = cell.lemma[:-2], cell.lemma[-3]
    ending = ADJECTIVE[case][{"m": 0, "n": 0, "f": 1, "pl": 2}[gender]]
    if gender == "n" and case in ("nom", "acc"):
        ending = "ое"
    if last in VELARS_AND_HUSHES:
        ending = re.sub("^ы", "и", ending)
        if last in "жчшщ" and cell.lemma.endswith("ий"):  # хорошего, but большого under stress
            ending = re.sub("^о", "е", ending)
    elif cell.lemma.endswith("ий"):
        ending = ending[0].translate(SOFT_VOWELS) + ending[1:]
    return root + ending


def phrase(p: Phrase, words: Lexicon, case: str, role: str) -> list[Word]:
    if p.name:
        cell = words[p.name]
        return [Word(person(cell, case), role, entity_kind(p.name))]
    cell = words[p.noun]
    if p.number > 1:
        return with_role(role, counted(p, words, case))
    number = gender_in(p, words)
    modifier = adjective(words[p.adjective], number, case, animate="anim" in cell.tags) if p.adjective else ""
    return with_role(role, modifier, plural(cell, case) if number == "pl" else singular(cell, case))


def person(cell: Cell, case: str) -> str:
    """A name of a man declines like any being: accusative = genitive."""
    return singular(Cell(cell.concept, cell.lemma, cell.tags | {"anim", "m"}, cell.forms), case)


def counted(p: Phrase, words: Lexicon, case: str) -> str:
    """Numeral, adjective, noun: два больших стола, две большие лампы, пять больших ламп, двум большим лампам."""
    numeral, noun = numeral_of(p, words), words[p.noun]
    gender = noun.tagged("m", "f", "n")
    modifier = words[p.adjective] if p.adjective else None
    few = p.number < 5
    if case == "acc" and "anim" in noun.tags and few:
        case = "gen"
    if case in ("nom", "acc"):
        amount = numeral.form("f", numeral.lemma) if gender == "f" else numeral.lemma
        described = adjective(modifier, "pl", "nom" if few and gender == "f" else "gen") if modifier else ""
        things = noun.form("few", singular(noun, "gen")) if few else plural(noun, "gen")
        many = not few
    else:
        amount = numeral.form(case[0])
        described = adjective(modifier, "pl", case) if modifier else ""
        things = plural(noun, case)
        many = case == "gen"
    if many and not modifier:
        things = noun.form("many", things)
    return f"{amount} {described} {things}"


def preposition_at(cell: Cell) -> str:
    return "в" if entity_kind(cell.concept) else cell.tagged("в", "на", "возле")


def place(c: Clause, words: Lexicon, direction: str = "at") -> list[Word]:
    """в парке, в парк, из парка; на рынке, на рынок, с рынка; возле реки, к реке, от реки."""
    cell = words[c.place]
    usual = preposition_at(cell)
    if direction == "at":
        preposition, case = usual, "gen" if usual == "возле" else "prep"
    elif direction == "to":
        preposition, case = ("к", "dat") if usual == "возле" else (usual, "acc")
    else:
        preposition, case = cell.form("from", {"в": "из", "на": "с", "возле": "от"}[usual]), "gen"
    return say(preposition, Word(singular(cell, case), "place", entity_kind(c.place)))


def verb(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    """The verb in the third person, agreeing with the subject ("who" is singular)."""
    number = "pl" if c.subject != Phrase() and gender_in(c.subject, words) == "pl" else "sg"
    cell = words[concept or c.verb]
    form = cell.form(number)
    if c.verb == cell.concept and c.object.noun and "cloth" in words[c.object.noun].tags:
        form = cell.form(f"cloth_{number}", form)
    if entity_kind(c.place):
        form = cell.form(f"far_{number}", form)
    return say("не" if c.negated else "", with_role("verb", form))


def subject(c: Clause, words: Lexicon, case: str = "nom") -> list[Word]:
    return phrase(c.subject, words, case, "subject")


def object_(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.object, words, "dat" if c.verb and "dat" in words[c.verb].tags else "acc", "object")


def other(c: Clause, words: Lexicon, case: str) -> list[Word]:
    return phrase(c.recipient, words, case, "recipient")


def not_(c: Clause, words: Lexicon) -> str:
    return "не" if c.negated else ""


def exists(c: Clause, words: Lexicon) -> str:
    return "" if c.subject.number > 1 else "есть"


def predicate(c: Clause, words: Lexicon) -> list[Word]:
    cell, gender = words[c.adjective], gender_in(c.subject, words)
    if "short" in cell.forms:
        feminine = cell.form("fshort")
        text = {"f": feminine, "m": cell.form("short"), "pl": re.sub("а$", "ы", feminine)}[gender]
    else:
        text = adjective(cell, gender, "nom")
    return with_role("adjective", text)


def kind(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.noun]
    several = c.subject.plural and (not is_mass(c.noun) or "only_plural" in cell.tags)
    text = plural(cell, "nom") if several else cell.form("fem") if is_woman(c.subject) else cell.lemma
    return say(subject(c, words), "не" if c.negated else "—", with_role("noun", text))


def has(c: Clause, words: Lexicon) -> list[Word]:
    have = words["have"]
    exists = with_role("verb", have.form("not") if c.negated else have.lemma)
    return say("у", subject(c, words, "gen"), exists, phrase(c.object, words, "gen" if c.negated else "nom", "object"))


def likes(c: Clause, words: Lexicon) -> list[Word]:
    """Анне нравятся яблоки: the verb agrees with what is liked."""
    liked = Clause("act", subject=c.object, negated=c.negated)
    return say(subject(c, words, "dat"), verb(liked, words, "like"), phrase(c.object, words, "nom", "object"))


def able(c: Clause, words: Lexicon) -> list[Word]:
    """The skill is in the verb, not in может."""
    return with_role("", verb(c, words, "can"))


def companion(c: Clause, words: Lexicon) -> list[Word]:
    """с Анной, but со львом."""
    who = other(c, words, "ins")
    heavy = re.match("[сзшж][бвгджзклмнпрстфхцчшщ]|льв", who[0].text.lower())
    return say("со" if heavy else "с", who)


def comparative(c: Clause, words: Lexicon) -> list[Word]:
    return say(Word(words[c.adjective].form("er"), "adjective", glued=True), ",")


def both_do(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("verb", words[c.verb].form("pl"))


def day(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.day]
    return say("во" if "во" in cell.tags else "в", with_role("day", cell.form("a")))


def thing(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(owned_thing(c), words, "nom", "subject")


def is_there(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("verb", words["have"].lemma)


def years(c: Clause, words: Lexicon) -> str:
    """21 год, 22 года, 25 лет."""
    if c.number % 10 == 1 and c.number % 100 != 11:
        return "год"
    return "года" if c.number % 10 in (2, 3, 4) and c.number % 100 not in (12, 13, 14) else "лет"


def company(c: Clause, words: Lexicon) -> list[Word]:
    name = Word(words[c.place].lemma, "place", entity_kind(c.place), glued=True)
    return say("в компании", Word("«", glued=True), name, "»")


def what(c: Clause, words: Lexicon) -> str:
    living = "кому" if "dat" in words[c.verb].tags else "кого"
    return living if asks_whom(c.verb) else "что"


FRAMES: FrameTable = {
    **svo_frames(subject=subject, does=verb, verb=verb, object_=object_, place=place, who="кто"),
    "located": in_order(subject, not_, place),
    "there_is": in_order(place, exists, subject),
    "property": in_order(subject, not_, predicate),
    "kind": kind,
    "has": has,
    "likes": likes,
    "wants_to": in_order(subject, (verb, "want"), (lemma_of, "verb")),
    "can": in_order(subject, able, (lemma_of, "verb")),
    "gives": in_order(subject, (verb, "give"), (other, "dat"), object_),
    "with": in_order(subject, verb, companion),
    "compare": in_order(subject, comparative, "чем", (other, "nom")),
    "together": in_order(subject, "и", (other, "nom"), both_do),
    "on_day": in_order(day, subject, verb),
    "owned": in_order(thing, (other, "gen"), predicate),
    "age": in_order((subject, "dat"), number, years),
    "price": in_order(subject, (verb, "cost"), number, "евро"),
    "works_for": in_order(subject, (verb, "work"), company),
    "named": in_order((subject, "acc"), "зовут", (other, "nom")),
    "where_is": in_order("где", subject),
    "where_lives": in_order("где", (verb, "live"), subject),
    "where_works": in_order("где", (verb, "work"), subject),
    "what_has": in_order("что", is_there, "у", (subject, "gen")),
    "what_transitive": in_order(what, verb, subject),
    "how_old": in_order("сколько лет", (subject, "dat")),
    "how_much": in_order("сколько", (verb, "cost"), subject),
    "what_name": in_order("как зовут", (subject, "acc")),
}
