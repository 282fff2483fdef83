"""Greek. Nouns, adjectives, articles and numerals agree; names carry the article (η Άννα, τον Ομάρ).

Nouns: gender ``m f n``; ``only_plural`` for masses said in the plural (φρούτα); ``pl=`` plural where the rule fails;
``apl=`` accusative plural, ``g= gpl=`` genitive where the accent moves; ``fem=`` said of a woman. Places carry
``σε`` or ``δίπλα``; cities and days their gender. Verbs: third person singular; ``pl=`` plural where it is not -ουν;
``sub= subpl=`` the subjunctive after να. Adjectives: masculine; ``er=`` one-word comparative (else πιο);
``indeclinable`` (μπλε). Numerals: ``n=`` neuter.
"""

from __future__ import annotations

import re

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.meaning import asks_whom, gender_of, is_mass, is_woman, numeral_of, owned_thing
from isogloss.phrasebook.grammar.order import in_order, lemma_of, number, svo_frames
from isogloss.phrasebook.grammar.words import FrameTable, Word, entity_kind, say, with_role
from isogloss.phrasebook.lexicon import Cell, Lexicon

__all__ = ["FRAMES"]


# By case, then gender; the plural genders are mp, fp, np.
DEFINITE = {
    "nom": {"m": "ο", "f": "η", "n": "το", "mp": "οι", "fp": "οι", "np": "τα"},
    "acc": {"m": "τον", "f": "την", "n": "το", "mp": "τους", "fp": "τις", "np": "τα"},
    "gen": {"m": "του", "f": "της", "n": "του", "mp": "των", "fp": "των", "np": "των"},
}
INDEFINITE = {
    "nom": {"m": "ένας", "f": "μια", "n": "ένα"},
    "acc": {"m": "έναν", "f": "μια", "n": "ένα"},
    "gen": {"m": "ενός", "f": "μιας", "n": "ενός"},
}
NO = {"m": "κανέναν", "f": "καμία", "n": "κανένα"}
ADJECTIVE = {
    "nom": {"m": "ος", "f": "η", "n": "ο", "mp": "οι", "fp": "ες", "np": "α"},
    "acc": {"m": "ο", "f": "η", "n": "ο", "mp": "ους", "fp": "ες", "np": "α"},
    "gen": {"m": "ου", "f": "ης", "n": "ου", "mp": "ων", "fp": "ων", "np": "ων"},
}
STRESSED = {"ο": "ό", "η": "ή", "α": "ά", "ε": "έ", "ω": "ώ", "ι": "ί", "υ": "ύ"}
# Before these sounds την keeps its ν.
KEEPS_NU = ("κ", "π", "τ", "ξ", "ψ", "γκ", "μπ", "ντ", *"αάεέηήιίοόυύωώ")


def euphonic(article: str, following: str) -> str:
    """την Άννα, την πόλη, but τη Λίνα, τη γάτα."""
    return "τη" if article == "την" and not following.lower().startswith(KEEPS_NU) else article


def singular(noun: Cell, case: str) -> str:
    """ο φίλος, τον φίλο, του φίλου; η γάτα, της γάτας; neuters keep one form but for the genitive."""
    lemma = noun.lemma
    if case == "nom" or (case == "acc" and "m" not in noun.tags):
        return lemma
    if case == "acc":
        return lemma.removesuffix("ς")
    if "f" in noun.tags:
        return lemma + "ς"
    regular = re.sub("ό$", "ού", re.sub("ο$", "ου", lemma.removesuffix("ς")))
    return noun.form("g", regular)


PLURAL_ENDINGS = {
    "μα": "ματα",
    "ος": "οι",
    "ός": "οί",
    "ας": "ες",
    "άς": "ές",
    "ης": "ες",
    "ής": "ές",
    "α": "ες",
    "ά": "ές",
    "ο": "α",
    "ό": "ά",
    "ι": "ια",
    "ί": "ιά",
}


def plural(noun: Cell, case: str) -> str:
    lemma = noun.lemma
    ending = next((ending for ending in PLURAL_ENDINGS if lemma.endswith(ending)), "")
    nominative = noun.form("pl", lemma.removesuffix(ending) + PLURAL_ENDINGS.get(ending, ""))
    if case == "gen":
        return noun.form("gpl", nominative)
    if case == "acc" and nominative.endswith(("οι", "οί")):
        return noun.form("apl", nominative[:-2] + ("ούς" if nominative.endswith("οί") else "ους"))
    return nominative


def adjective(cell: Cell, case: str, gender: str, *, lemma: str = "") -> str:
    if "indeclinable" in cell.tags:
        return cell.lemma
    word, ending = lemma or cell.lemma, ADJECTIVE[case][gender]
    if word.endswith("ύς"):  # βαρύς, βαριά, βαρύ
        if gender in ("m", "n") and case != "gen":
            return word if (case, gender) == ("nom", "m") else word[:-1]
        root = word[:-2] + "ι"
    else:
        root = word[:-2]
    if gender == "f" and root[-1] in "ιίυύεέ":
        ending = ending.replace("η", "α")
    if word.endswith(("ός", "ύς")):
        diphthong = ending.startswith(("ου", "οι"))
        at = 1 if diphthong else 0
        ending = ending[:at] + STRESSED[ending[at]] + ending[at + 1 :]
    return root + ending


def gender_in(p: Phrase, words: Lexicon) -> str:
    """m, f, n, and mp, fp, np for more than one."""
    if p.name:
        return gender_of(p)
    cell = words[p.noun]
    return cell.tagged("m", "f", "n") + ("p" if p.plural or "only_plural" in cell.tags else "")


def is_several(p: Phrase, words: Lexicon) -> bool:
    return p != Phrase() and gender_in(p, words).endswith("p")


def phrase(p: Phrase, words: Lexicon, case: str, role: str, *, no: str = "") -> list[Word]:
    """Article, numeral, adjective, noun. ``no`` says what a negated verb makes of the indefinite article: "none"
    (κανένα μήλο) or "bare" (μήλο)."""
    gender = gender_in(p, words)
    if p.name:
        name = words[p.name].lemma
        text = name + "ς" if case == "gen" and gender == "f" else name
        own_article = Word(euphonic(DEFINITE[case][gender], text), role)
        return [own_article, Word(text, role, entity_kind(p.name))]
    noun = words[p.noun]
    several = gender.endswith("p")
    numeral = numeral_of(p, words) if p.number > 1 else None
    amount = (numeral.form("n") if gender == "np" else numeral.lemma) if numeral else ""
    described = adjective(words[p.adjective], case, gender) if p.adjective else ""
    rest = say(amount, described, plural(noun, case) if several else singular(noun, case))
    article = ""
    if p.definite:
        article = euphonic(DEFINITE[case][gender], rest[0].text)
    elif not several and not is_mass(p.noun):
        article = {"none": NO[gender], "bare": ""}.get(no, INDEFINITE[case][gender])
    return with_role(role, article, rest)


def to(words_of_phrase: list[Word]) -> list[Word]:
    """σε melts with the definite article: στον Ομάρ, στη γάτα, σε ένα παιδί."""
    first = words_of_phrase[0]
    if first.text == "τη" or first.text in DEFINITE["acc"].values():
        return say("σ" + first.text, words_of_phrase[1:])
    return say("σε", words_of_phrase)


def place(c: Clause, words: Lexicon, direction: str = "at") -> list[Word]:
    cell = words[c.place]
    noun = Word(singular(cell, "acc"), "place", entity_kind(c.place))
    article = Word(euphonic(DEFINITE["acc"][cell.tagged("m", "f", "n")], noun.text), "place")
    if direction == "from":
        return say("από", article, noun)
    beside = "δίπλα" if direction == "at" and "δίπλα" in cell.tags else ""
    return say(beside, to([article, noun]))


def third_person(form: str, stored: str, *, several: bool) -> str:
    """κάνει → κάνουν, δει → δουν, κινηθεί → κινηθούν, περπατάει → περπατούν"""
    if not several:
        return form
    if stored:
        return stored
    if form.endswith("άει"):
        return form[:-3] + "ούν"
    return form[:-2] + ("ούν" if form.endswith("εί") else "ουν")


def conjugated(cell: Cell, *, several: bool) -> str:
    return third_person(cell.lemma, cell.form("pl", ""), several=several)


def not_(c: Clause, words: Lexicon) -> str:
    return "δεν" if c.negated else ""


def verb(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    form = conjugated(words[concept or c.verb], several=is_several(c.subject, words))
    return say(not_(c, words), with_role("verb", form))


def subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "nom", "subject")


def object_(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.object, words, "acc", "object", no="none" if c.negated else "")


def other(c: Clause, words: Lexicon, case: str) -> list[Word]:
    return phrase(c.recipient, words, case, "recipient")


def to_other(c: Clause, words: Lexicon) -> list[Word]:
    return to(other(c, words, "acc"))


def exist(c: Clause, words: Lexicon) -> str:
    return "υπάρχουν" if is_several(c.subject, words) else "υπάρχει"


def predicate(c: Clause, words: Lexicon) -> list[Word]:
    text = adjective(words[c.adjective], "nom", gender_in(c.subject, words))
    return say(not_(c, words), "είναι", with_role("adjective", text))


def kind(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.noun]
    several = is_several(c.subject, words) and (not is_mass(c.noun) or "only_plural" in cell.tags)
    text = plural(cell, "nom") if several else cell.form("fem") if is_woman(c.subject) else cell.lemma
    return say(subject(c, words), not_(c, words), "είναι", with_role("noun", text))


def has(c: Clause, words: Lexicon) -> list[Word]:
    possessions = phrase(c.object, words, "acc", "object", no="bare" if c.negated else "")
    return say(subject(c, words), verb(c, words, "have"), possessions)


def likes(c: Clause, words: Lexicon) -> list[Word]:
    """Στην Άννα αρέσουν τα μήλα: what is liked in general has the article, and the verb agrees with it."""
    liked = Phrase(noun=c.object.noun, number=c.object.number, adjective=c.object.adjective, definite=True)
    pleases = conjugated(words["like"], several=is_several(liked, words))
    somebody = to(phrase(c.subject, words, "acc", "subject"))
    return say(somebody, not_(c, words), with_role("verb", pleases), phrase(liked, words, "nom", "object"))


def subjunctive(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.verb]
    return with_role(
        "verb", third_person(cell.form("sub"), cell.form("subpl", ""), several=is_several(c.subject, words))
    )


def able(c: Clause, words: Lexicon) -> list[Word]:
    """The skill is in the verb, not in μπορεί."""
    return with_role("", verb(c, words, "can"))


def comparative(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.adjective]
    more = adjective(cell, "nom", gender_in(c.subject, words), lemma=cell.form("er"))
    return with_role("adjective", "" if "er" in cell.forms else "πιο", more)


def both_do(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("verb", conjugated(words[c.verb], several=True))


def the_day(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.day]
    article = euphonic(DEFINITE["acc"][cell.tagged("f", "n")], cell.lemma)
    return say(article, with_role("day", cell.lemma))


def the_thing(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(owned_thing(c), words, "nom", "subject")


def years(c: Clause, words: Lexicon) -> str:
    return "έτους" if c.number == 1 else "χρονών"


def is_called(c: Clause, words: Lexicon) -> str:
    return "λέγονται" if is_several(c.subject, words) else "λέγεται"


def name(c: Clause, words: Lexicon) -> list[Word]:
    """A name that is only mentioned has no article: Ο δάσκαλος λέγεται Ομάρ."""
    return other(c, words, "nom")[-1:]


def what(c: Clause, words: Lexicon) -> str:
    return "ποιον" if asks_whom(c.verb) else "τι"


FRAMES: FrameTable = {
    **svo_frames(subject=subject, does=verb, verb=verb, object_=object_, place=place, who="ποιος"),
    "located": in_order(subject, not_, "είναι", place),
    "there_is": in_order(place, exist, subject),
    "property": in_order(subject, predicate),
    "kind": kind,
    "has": has,
    "likes": likes,
    "wants_to": in_order(subject, (verb, "want"), "να", subjunctive),
    "can": in_order(subject, able, "να", subjunctive),
    "gives": in_order(subject, (verb, "give"), object_, to_other),
    "with": in_order(subject, verb, "με", (other, "acc")),
    "compare": in_order(subject, "είναι", comparative, "από", (other, "acc")),
    "together": in_order(subject, "και", (other, "nom"), both_do),
    "on_day": in_order(the_day, subject, verb),
    "owned": in_order(the_thing, (other, "gen"), predicate),
    "age": in_order(subject, "είναι", number, years),
    "price": in_order(subject, (verb, "cost"), number, "ευρώ"),
    "works_for": in_order(subject, (verb, "work"), "στην εταιρεία", (lemma_of, "place")),
    "named": in_order(subject, is_called, name),
    "where_is": in_order("πού είναι", subject),
    "where_lives": in_order("πού", (verb, "live"), subject),
    "where_works": in_order("πού", (verb, "work"), subject),
    "what_has": in_order("τι", (verb, "have"), subject),
    "what_transitive": in_order(what, verb, subject),
    "how_old": in_order("πόσων χρονών είναι", subject),
    "how_much": in_order("πόσο", (verb, "cost"), subject),
    "what_name": in_order("πώς", is_called, subject),
}
