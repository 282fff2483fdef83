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
from isogloss.phrasebook.grammar.svo import asks, svo_frames
from isogloss.phrasebook.grammar.words import FrameTable, Word, entity_kind, name_of, say, with_role
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


def not_(c: Clause) -> str:
    return "δεν" if c.negated else ""


def verb(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    form = conjugated(words[concept or c.verb], several=is_several(c.subject, words))
    return say(not_(c), with_role("verb", form))


def subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "nom", "subject")


def object_(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.object, words, "acc", "object", no="none" if c.negated else "")


def other(c: Clause, words: Lexicon, case: str) -> list[Word]:
    return phrase(c.recipient, words, case, "recipient")


def located(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), not_(c), "είναι", place(c, words))


def there_is(c: Clause, words: Lexicon) -> list[Word]:
    exist = "υπάρχουν" if is_several(c.subject, words) else "υπάρχει"
    return say(place(c, words), exist, subject(c, words))


def predicate(c: Clause, words: Lexicon) -> list[Word]:
    text = adjective(words[c.adjective], "nom", gender_in(c.subject, words))
    return say(not_(c), "είναι", with_role("adjective", text))


def property_(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), predicate(c, words))


def kind(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.noun]
    woman = is_woman(c.subject)
    one = cell.form("fem") if woman else cell.lemma
    several = is_several(c.subject, words) and (not is_mass(c.noun) or "only_plural" in cell.tags)
    return say(subject(c, words), not_(c), "είναι", with_role("noun", plural(cell, "nom") if several else one))


def has(c: Clause, words: Lexicon) -> list[Word]:
    possessions = phrase(c.object, words, "acc", "object", no="bare" if c.negated else "")
    return say(subject(c, words), verb(c, words, "have"), possessions)


def likes(c: Clause, words: Lexicon) -> list[Word]:
    """Στην Άννα αρέσουν τα μήλα: what is liked in general has the article, and the verb agrees with it."""
    liked = Phrase(noun=c.object.noun, number=c.object.number, adjective=c.object.adjective, definite=True)
    pleases = conjugated(words["like"], several=is_several(liked, words))
    somebody = to(phrase(c.subject, words, "acc", "subject"))
    return say(somebody, not_(c), with_role("verb", pleases), phrase(liked, words, "nom", "object"))


def wants_to(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "want"), "να", subjunctive(c, words))


def subjunctive(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.verb]
    return with_role(
        "verb", third_person(cell.form("sub"), cell.form("subpl", ""), several=is_several(c.subject, words))
    )


def can(c: Clause, words: Lexicon) -> list[Word]:
    able = conjugated(words["can"], several=is_several(c.subject, words))
    return say(subject(c, words), not_(c), able, "να", subjunctive(c, words))


def gives(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "give"), object_(c, words), to(other(c, words, "acc")))


def with_(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words), "με", other(c, words, "acc"))


def compare(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.adjective]
    more = adjective(cell, "nom", gender_in(c.subject, words), lemma=cell.form("er"))
    more_words = with_role("adjective", "" if "er" in cell.forms else "πιο", more)
    return say(subject(c, words), "είναι", more_words, "από", other(c, words, "acc"))


def together(c: Clause, words: Lexicon) -> list[Word]:
    both = say(subject(c, words), "και", other(c, words, "nom"))
    return say(both, with_role("verb", conjugated(words[c.verb], several=True)))


def on_day(c: Clause, words: Lexicon) -> list[Word]:
    day = words[c.day]
    article = euphonic(DEFINITE["acc"][day.tagged("f", "n")], day.lemma)
    return say(article, with_role("day", day.lemma), subject(c, words), verb(c, words))


def owned(c: Clause, words: Lexicon) -> list[Word]:
    thing = owned_thing(c)
    return say(phrase(thing, words, "nom", "subject"), other(c, words, "gen"), predicate(c, words))


def age(c: Clause, words: Lexicon) -> list[Word]:
    years = "έτους" if c.number == 1 else "χρονών"
    return say(subject(c, words), "είναι", with_role("number", str(c.number)), years)


def price(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "cost"), with_role("number", str(c.number)), "ευρώ")


def works_for(c: Clause, words: Lexicon) -> list[Word]:
    company = name_of(c.place, words, "place")
    return say(subject(c, words), verb(c, words, "work"), "στην εταιρεία", company)


def is_called(c: Clause, words: Lexicon) -> str:
    return "λέγονται" if is_several(c.subject, words) else "λέγεται"


def named(c: Clause, words: Lexicon) -> list[Word]:
    """A name that is only mentioned has no article: Ο δάσκαλος λέγεται Ομάρ."""
    return say(subject(c, words), is_called(c, words), other(c, words, "nom")[-1])


def where_is(c: Clause, words: Lexicon) -> list[Word]:
    return say("πού είναι", subject(c, words))


def what_transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say("ποιον" if asks_whom(c.verb) else "τι", verb(c, words), subject(c, words))


def how_old(c: Clause, words: Lexicon) -> list[Word]:
    return say("πόσων χρονών είναι", subject(c, words))


def what_name(c: Clause, words: Lexicon) -> list[Word]:
    return say("πώς", is_called(c, words), subject(c, words))


FRAMES: FrameTable = {
    **svo_frames(subject=subject, verb=verb, object_=object_, place=place, who="ποιος"),
    "located": located,
    "there_is": there_is,
    "property": property_,
    "kind": kind,
    "has": has,
    "likes": likes,
    "wants_to": wants_to,
    "can": can,
    "gives": gives,
    "with": with_,
    "compare": compare,
    "together": together,
    "on_day": on_day,
    "owned": owned,
    "age": age,
    "price": price,
    "works_for": works_for,
    "named": named,
    "where_is": where_is,
    "where_lives": asks("πού", verb, subject, "live"),
    "where_works": asks("πού", verb, subject, "work"),
    "what_has": asks("τι", verb, subject, "have"),
    "what_transitive": what_transitive,
    "how_old": how_old,
    "how_much": asks("πόσο", verb, subject, "cost"),
    "what_name": what_name,
}
