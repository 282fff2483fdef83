"""Spanish. Nouns: ``m`` or ``f``; ``el`` for feminines with a masculine article (el agua); ``pl=`` where an accent
moves; ``plural`` for kinds said in the plural (muebles), ``one`` for mass nouns one can be one of (una fruta);
``fem=`` for a woman; ``job`` for what one is without an article. Places: ``by`` for junto a, else en. Verbs are the
third person singular, ``inf=`` the infinitive; ``a`` for verbs whose animate objects take a. Adjectives: ``pl=``,
``more=`` for comparatives, ``estar`` for states."""

from __future__ import annotations

from dataclasses import replace

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.gender import is_feminine, is_many, named_by, told_apart
from isogloss.phrasebook.grammar.meaning import in_general, is_mass, is_person, numeral_of, owned_thing
from isogloss.phrasebook.grammar.order import in_order, lemma_of, number, svo_frames
from isogloss.phrasebook.grammar.words import FrameTable, Word, entity_kind, name_of, say, with_role
from isogloss.phrasebook.lexicon import Cell, Lexicon
from isogloss.phrasebook.world import is_a

__all__ = ["FRAMES"]

# (masculine, feminine) of singular and plural.
DEFINITE = {False: ("el", "la"), True: ("los", "las")}
INDEFINITE = {False: ("un", "una"), True: ("unos", "unas")}
NO = ("ningún", "ninguna")
ASK = Word("¿", glued=True)
CONTRACTED = {("a", "el"): "al", ("de", "el"): "del"}


def plural(word: str) -> str:
    if word.endswith("z"):
        return word[:-1] + "ces"
    return word + ("s" if word[-1] in "aeiouáéó" else "es")


def article(p: Phrase, noun: Cell, *, many: bool, bare: bool, negated: bool) -> str:
    """A numeral needs none; what is new and many, or not counted, does without as an object (``bare``); after "not"
    one is none."""
    feminine = "f" in noun.tags and ("el" not in noun.tags or many)
    if p.definite:
        return DEFINITE[many][feminine]
    if p.number > 1 or (is_mass(p.noun) and not many) or (many and (bare or negated)):
        return ""
    return NO[feminine] if negated else INDEFINITE[many][feminine]


def adjective_form(cell: Cell, *, feminine: bool, many: bool) -> str:
    form = cell.lemma[:-1] + "a" if feminine and cell.lemma.endswith("o") else cell.lemma
    return cell.form("pl", plural(form)) if many else form


def noun_phrase(
    p: Phrase, noun: Cell, words: Lexicon, role: str, *, bare: bool = False, negated: bool = False
) -> list[Word]:
    many = p.plural or "plural" in noun.tags
    numeral = numeral_of(p, words).lemma if p.number > 1 else ""
    adjective = adjective_form(words[p.adjective], feminine="f" in noun.tags, many=many) if p.adjective else ""
    head = noun.form("pl", plural(noun.lemma)) if many else noun.lemma
    return with_role(role, article(p, noun, many=many, bare=bare, negated=negated), numeral, head, adjective)


def phrase(p: Phrase, words: Lexicon, role: str, *, bare: bool = False, negated: bool = False) -> list[Word]:
    if p.name:
        return name_of(p.name, words, role)
    return noun_phrase(p, words[p.noun], words, role, bare=bare, negated=negated)


def after(preposition: str, what: list[Word]) -> list[Word]:
    """a el is al, de el is del (not before the capital El of a name). The article is then the preposition's."""
    contracted = CONTRACTED.get((preposition, what[0].text), "")
    return say(contracted, what[1:]) if contracted else say(preposition, what)


def agreeing(form: str, *, many: bool) -> str:
    return form + "n" if many else form


def verb(c: Clause, words: Lexicon, concept: str = "", clitic: str = "") -> list[Word]:
    """no, the clitic, the verb ``concept`` or, when empty, the clause's own."""
    form = agreeing(words[concept or c.verb].lemma, many=is_many(c.subject, words))
    return say("no" if c.negated else "", clitic, with_role("verb", form))


def be(c: Clause, words: Lexicon, *, state: bool = False) -> str:
    """ser, or estar for states and places."""
    many = is_many(c.subject, words)
    is_ = ("están" if many else "está") if state else ("son" if many else "es")
    return f"no {is_}" if c.negated else is_


def is_at(c: Clause, words: Lexicon) -> str:
    return be(c, words, state=True)


def is_now(c: Clause, words: Lexicon) -> str:
    return be(c, words, state="estar" in words[c.adjective].tags)


def adjective(c: Clause, words: Lexicon) -> list[Word]:
    many = is_many(c.subject, words)
    return with_role("adjective", adjective_form(words[c.adjective], feminine=is_feminine(c.subject, words), many=many))


def infinitive(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("verb", words[c.verb].form("inf"))


def subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "subject")


def object_(c: Clause, words: Lexicon, *, asked: bool = False) -> list[Word]:
    """People are objects with a; only there do the many that are new have an article, unless denied or asked for."""
    loved = bool(c.verb) and "a" in words[c.verb].tags and is_a(c.object.noun, "animal")
    marked = is_person(c.object) or loved
    what = phrase(c.object, words, "object", bare=asked or not marked, negated=c.negated)
    return after("a", what) if marked else what


def object_asked_for(c: Clause, words: Lexicon) -> list[Word]:
    return object_(c, words, asked=True)


def other(c: Clause, words: Lexicon, preposition: str = "") -> list[Word]:
    who = phrase(c.recipient, words, "recipient")
    return after(preposition, who) if preposition else who


def the_place(c: Clause, words: Lexicon) -> list[Word]:
    if entity_kind(c.place):
        return name_of(c.place, words, "place")
    return noun_phrase(Phrase(noun=c.place, definite=True), words[c.place], words, "place")


def place(c: Clause, words: Lexicon, preposition: str = "") -> list[Word]:
    """Without a preposition it is the place's own: junto al río, en la ciudad."""
    if not preposition and "by" in words[c.place].tags:
        return say("junto", after("a", the_place(c, words)))
    return after(preposition or "en", the_place(c, words))


def new_subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "subject", bare=True)


def kind(c: Clause, words: Lexicon) -> list[Word]:
    cell = told_apart(words[c.noun], female=is_person(c.subject) and is_feminine(c.subject, words))
    start = say(subject(c, words), be(c, words))
    if is_mass(c.noun) and not words[c.noun].tags & {"plural", "one"}:
        return say(start, with_role("noun", cell.lemma))
    if c.subject.plural:
        return say(start, with_role("noun", cell.form("pl", plural(cell.lemma))))
    one = "" if "job" in words[c.noun].tags else INDEFINITE[False]["f" in cell.tags]
    return say(start, with_role("noun", one, cell.lemma))


def likes(c: Clause, words: Lexicon) -> list[Word]:
    """A Ana le gustan los gatos: what is liked is the grammatical subject, with the article."""
    p = c.object
    liked = in_general(p)
    them = "les" if c.subject.plural else "le"
    form = agreeing(words["like"].lemma, many=is_many(p, words))
    pleases = say("no" if c.negated else "", them, with_role("verb", form))
    return say(after("a", subject(c, words)), pleases, phrase(liked, words, "object"))


def gives(c: Clause, words: Lexicon) -> list[Word]:
    does = verb(c, words, "give", "les" if c.recipient.plural else "le")
    return say(subject(c, words), does, phrase(c.object, words, "object", bare=True), other(c, words, "a"))


def comparative(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.adjective]
    if "more" not in cell.forms:
        return with_role("adjective", "más", adjective(c, words))
    more = cell.form("more")
    return with_role("adjective", plural(more) if is_many(c.subject, words) else more)


def together(c: Clause, words: Lexicon) -> list[Word]:
    """y is e before an i."""
    second = other(c, words)
    and_ = "e" if second[0].text.lower().startswith(("i", "í")) else "y"
    return say(subject(c, words), and_, second, with_role("verb", agreeing(words[c.verb].lemma, many=True)))


def owned(c: Clause, words: Lexicon) -> list[Word]:
    known = replace(c, subject=owned_thing(c))
    return say(subject(known, words), other(c, words, "de"), is_now(known, words), adjective(known, words))


def who_is_named(c: Clause, words: Lexicon) -> list[Word]:
    return noun_phrase(c.subject, named_by(c.subject, c.recipient, words), words, "subject")


def what(c: Clause, words: Lexicon) -> str:
    return "a quién" if "a" in words[c.verb].tags else "qué"


FRAMES: FrameTable = {
    **svo_frames(subject=subject, does=verb, verb=verb, object_=object_, place=place, who="quién", to="a", from_="de"),
    "located": in_order(subject, is_at, place),
    "there_is": in_order(place, "hay", new_subject),
    "property": in_order(subject, is_now, adjective),
    "kind": kind,
    "has": in_order(subject, (verb, "have"), object_),
    "likes": likes,
    "wants_to": in_order(subject, (verb, "want"), infinitive),
    "can": in_order(subject, (verb, "can"), infinitive),
    "gives": gives,
    "with": in_order(subject, verb, (other, "con")),
    "compare": in_order(subject, is_now, comparative, "que", other),
    "together": together,
    "on_day": in_order("el", (lemma_of, "day"), subject, verb),
    "owned": owned,
    "age": in_order(subject, (verb, "have"), number, "años"),
    "price": in_order(subject, (verb, "cost"), number, "euros"),
    "works_for": in_order(subject, (verb, "work"), (place, "para")),
    "named": in_order(who_is_named, "se llama", other),
    "where_is": in_order(ASK, "dónde", is_at, subject),
    "where_lives": in_order(ASK, "dónde", (verb, "live"), subject),
    "where_works": in_order(ASK, "dónde", (verb, "work"), subject),
    "what_has": in_order(ASK, "qué", (verb, "have"), subject),
    "what_transitive": in_order(ASK, what, verb, subject),
    "who_transitive": in_order(ASK, "quién", verb, object_asked_for),
    "who_act_at": in_order(ASK, "quién", verb, place),
    "how_old": in_order(ASK, "cuántos años", (verb, "have"), subject),
    "how_much": in_order(ASK, "cuánto", (verb, "cost"), subject),
    "what_name": in_order(ASK, "cómo se llama", who_is_named),
}
