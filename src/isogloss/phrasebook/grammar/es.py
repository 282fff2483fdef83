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
from isogloss.phrasebook.grammar.words import Frame, FrameTable, Word, entity_kind, name_of, say, with_role
from isogloss.phrasebook.lexicon import Cell, Lexicon
from isogloss.phrasebook.world import is_a

__all__ = ["FRAMES"]

# (masculine, feminine) of singular and plural.
DEFINITE = {False: ("el", "la"), True: ("los", "las")}
INDEFINITE = {False: ("un", "una"), True: ("unos", "unas")}
NO = ("ningún", "ninguna")
CONTRACTED = {("a", "el"): "al", ("de", "el"): "del"}
ASK = Word("¿", glued=True)


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


def verb(c: Clause, words: Lexicon, concept: str, clitic: str = "") -> list[Word]:
    """no, the clitic, the verb."""
    form = agreeing(words[concept].lemma, many=is_many(c.subject, words))
    return say("no" if c.negated else "", clitic, with_role("verb", form))


def be(c: Clause, words: Lexicon, *, state: bool = False) -> str:
    """ser, or estar for states and places."""
    many = is_many(c.subject, words)
    is_ = ("están" if many else "está") if state else ("son" if many else "es")
    return f"no {is_}" if c.negated else is_


def subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "subject")


def object_(c: Clause, words: Lexicon, concept: str = "", *, asked: bool = False) -> list[Word]:
    """People are objects with a; only there do the many that are new have an article, unless denied or asked for."""
    loved = "a" in words[concept].tags and is_a(c.object.noun, "animal") if concept else False
    marked = is_person(c.object) or loved
    what = phrase(c.object, words, "object", bare=asked or not marked, negated=c.negated)
    return after("a", what) if marked else what


def other(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.recipient, words, "recipient")


def the_place(c: Clause, words: Lexicon) -> list[Word]:
    if entity_kind(c.place):
        return name_of(c.place, words, "place")
    return noun_phrase(Phrase(noun=c.place, definite=True), words[c.place], words, "place")


def place(c: Clause, words: Lexicon) -> list[Word]:
    if "by" in words[c.place].tags:
        return say("junto", after("a", the_place(c, words)))
    return after("en", the_place(c, words))


def act(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, c.verb))


def transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say(act(c, words), object_(c, words, c.verb))


def located(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), be(c, words, state=True), place(c, words))


def there_is(c: Clause, words: Lexicon) -> list[Word]:
    return say(place(c, words), "hay", phrase(c.subject, words, "subject", bare=True))


def property_(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.adjective]
    form = adjective_form(cell, feminine=is_feminine(c.subject, words), many=is_many(c.subject, words))
    return say(subject(c, words), be(c, words, state="estar" in cell.tags), with_role("adjective", form))


def kind(c: Clause, words: Lexicon) -> list[Word]:
    cell = told_apart(words[c.noun], female=is_person(c.subject) and is_feminine(c.subject, words))
    start = say(subject(c, words), be(c, words))
    if is_mass(c.noun) and not words[c.noun].tags & {"plural", "one"}:
        return say(start, with_role("noun", cell.lemma))
    if c.subject.plural:
        return say(start, with_role("noun", cell.form("pl", plural(cell.lemma))))
    one = "" if "job" in words[c.noun].tags else INDEFINITE[False]["f" in cell.tags]
    return say(start, with_role("noun", one, cell.lemma))


def doing(concept: str) -> Frame:
    def frame(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), verb(c, words, concept), object_(c, words))

    return frame


def likes(c: Clause, words: Lexicon) -> list[Word]:
    """A Ana le gustan los gatos: what is liked is the grammatical subject, with the article."""
    p = c.object
    liked = in_general(p)
    them = "les" if c.subject.plural else "le"
    form = agreeing(words["like"].lemma, many=is_many(p, words))
    pleases = say("no" if c.negated else "", them, with_role("verb", form))
    return say(after("a", subject(c, words)), pleases, phrase(liked, words, "object"))


def helped(concept: str) -> Frame:
    """A helping verb and the infinitive."""

    def frame(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), verb(c, words, concept), with_role("verb", words[c.verb].form("inf")))

    return frame


def gives(c: Clause, words: Lexicon) -> list[Word]:
    does = verb(c, words, "give", "les" if c.recipient.plural else "le")
    return say(subject(c, words), does, phrase(c.object, words, "object", bare=True), after("a", other(c, words)))


def to_place(concept: str, preposition: str) -> Frame:
    def frame(c: Clause, words: Lexicon) -> list[Word]:
        return say(subject(c, words), verb(c, words, concept), after(preposition, the_place(c, words)))

    return frame


def lives_in(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "live"), place(c, words))


def compare(c: Clause, words: Lexicon) -> list[Word]:
    cell, many = words[c.adjective], is_many(c.subject, words)
    if "more" in cell.forms:
        more = plural(cell.form("more")) if many else cell.form("more")
    else:
        more = "más " + adjective_form(cell, feminine=is_feminine(c.subject, words), many=many)
    start = say(subject(c, words), be(c, words, state="estar" in cell.tags))
    return say(start, with_role("adjective", more), "que", other(c, words))


def together(c: Clause, words: Lexicon) -> list[Word]:
    """y is e before an i."""
    second = other(c, words)
    and_ = "e" if second[0].text.lower().startswith(("i", "í")) else "y"
    return say(subject(c, words), and_, second, with_role("verb", agreeing(words[c.verb].lemma, many=True)))


def on_day(c: Clause, words: Lexicon) -> list[Word]:
    return say("el", with_role("day", words[c.day].lemma), act(c, words))


def owned(c: Clause, words: Lexicon) -> list[Word]:
    thing = owned_thing(c)
    whose = say(phrase(thing, words, "subject"), after("de", other(c, words)))
    return say(whose, property_(replace(c, subject=thing), words)[len(phrase(thing, words, "")) :])


def age(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "have"), with_role("number", str(c.number)), "años")


def price(c: Clause, words: Lexicon) -> list[Word]:
    return say(subject(c, words), verb(c, words, "cost"), with_role("number", str(c.number)), "euros")


def who_is_named(c: Clause, words: Lexicon) -> list[Word]:
    return noun_phrase(c.subject, named_by(c.subject, c.recipient, words), words, "subject")


def named(c: Clause, words: Lexicon) -> list[Word]:
    return say(who_is_named(c, words), "se llama", other(c, words))


def asks(question: str, concept: str) -> Frame:
    """¿QUESTION VERB SUBJECT: the verb is ``concept`` or, when empty, the clause's own."""

    def frame(c: Clause, words: Lexicon) -> list[Word]:
        return say(ASK, question, verb(c, words, concept or c.verb), subject(c, words))

    return frame


def what_transitive(c: Clause, words: Lexicon) -> list[Word]:
    return asks("a quién" if "a" in words[c.verb].tags else "qué", "")(c, words)


def who_transitive(c: Clause, words: Lexicon) -> list[Word]:
    return say(ASK, "quién", with_role("verb", words[c.verb].lemma), object_(c, words, c.verb, asked=True))


def who_act_at(c: Clause, words: Lexicon) -> list[Word]:
    return say(ASK, "quién", with_role("verb", words[c.verb].lemma), place(c, words))


FRAMES: FrameTable = {
    "act": act,
    "act_at": lambda c, words: say(act(c, words), place(c, words)),
    "transitive": transitive,
    "transitive_at": lambda c, words: say(transitive(c, words), place(c, words)),
    "located": located,
    "there_is": there_is,
    "property": property_,
    "kind": kind,
    "has": doing("have"),
    "likes": likes,
    "wants": doing("want"),
    "wants_to": helped("want"),
    "can": helped("can"),
    "gives": gives,
    "goes_to": to_place("go", "a"),
    "comes_from": to_place("come", "de"),
    "lives_in": lives_in,
    "with": lambda c, words: say(act(c, words), after("con", other(c, words))),
    "compare": compare,
    "together": together,
    "on_day": on_day,
    "owned": owned,
    "age": age,
    "price": price,
    "works_for": to_place("work", "para"),
    "named": named,
    "where_is": lambda c, words: say(ASK, "dónde", be(c, words, state=True), subject(c, words)),
    "where_lives": asks("dónde", "live"),
    "where_works": asks("dónde", "work"),
    "what_has": asks("qué", "have"),
    "what_transitive": what_transitive,
    "who_transitive": who_transitive,
    "who_act_at": who_act_at,
    "how_old": asks("cuántos años", "have"),
    "how_much": asks("cuánto", "cost"),
    "what_name": lambda c, words: say(ASK, "cómo se llama", who_is_named(c, words)),
}
