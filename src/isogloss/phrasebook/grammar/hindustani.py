"""What Hindi and Urdu share: nearly all of their grammar. ``frames(TONGUE)`` says it in the letters and words of one.

Nouns: ``m`` or ``f``; ``fixed`` for masculines that do not decline (राजा); ``plural`` for kapṛe, clothing;
``pl= oblpl=`` for plurals that are not regular; ``fem=`` (``fempl=``) for a woman. Places: what "in" is (``mein par
near``), ``into`` or ``bare`` where going there needs, or does not need, the same word. Verbs are stems, a light verb
last (काम कर); ``ka ki se`` is what their object takes, ``tied`` are stems that nothing comes between, ``neg=`` is the
stem after "not", ``reaches`` is said of the thing found ("the key reaches her"). Adjectives in -ā decline; ``more`` for
those compared with zyādā. Numerals: ``all=`` with the article in mind (तीनों, "the three").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.gender import is_feminine, is_many, named_by, told_apart
from isogloss.phrasebook.grammar.meaning import gender_of, is_mass, is_person, numeral_of, owned_thing
from isogloss.phrasebook.grammar.order import number
from isogloss.phrasebook.grammar.words import Frame, FrameTable, Word, entity_kind, name_of, say, with_role
from isogloss.phrasebook.lexicon import Cell, Lexicon
from isogloss.phrasebook.world import is_a

__all__ = ["Tongue", "frames"]


@dataclass(frozen=True)
class Tongue:
    """The small words and the endings. An ending is (letters of the lemma, singular oblique, plural, plural oblique);
    the first that fits replaces those letters. ``participle`` and ``adjective`` are masculine singular and plural,
    feminine singular, and (participle only) the feminine plural of a verb that has lost its "are"."""

    masculine: tuple[tuple[str, str, str, str], ...]
    feminine: tuple[tuple[str, str, str, str], ...]
    fixed: tuple[str, str, str, str]
    participle: tuple[str, str, str, str]
    adjective: tuple[str, str, str]
    infinitive: str
    is_are: tuple[str, str]
    of: tuple[str, str, str]  # kā ke kī
    mein: str
    par: str
    near: str
    ko: str
    se: str
    beside: str
    for_: str
    not_: str
    and_: str
    one: str
    any_: tuple[str, str]  # direct and oblique
    some: str
    those: tuple[str, str]
    more: str
    year: str
    euro: str
    name: str
    who: str
    whom: str
    whose: str  # the stem of kis-kā, kis-se
    what: str
    where: str
    how_many: tuple[str, str]  # years; price


class Speaker:
    """A tongue with its words: the phrases that frames are made of."""

    def __init__(self, tongue: Tongue, words: Lexicon) -> None:
        self.tongue = tongue
        self.words = words

    def noun(self, cell: Cell, *, plural: bool, oblique: bool) -> str:
        tongue = self.tongue
        endings = (tongue.fixed,) if "fixed" in cell.tags else tongue.feminine if "f" in cell.tags else tongue.masculine
        ending = next(ending for ending in endings if cell.lemma.endswith(ending[0]))
        regular = cell.lemma.removesuffix(ending[0]) + ending[plural * 2 + oblique]
        if not plural:
            return regular if oblique else cell.lemma
        return cell.form("oblpl", regular) if oblique else cell.form("pl", regular)

    def adjective(self, cell: Cell, *, feminine: bool, plural: bool) -> str:
        """Masculine oblique is as plural. Only -ā declines."""
        masculine, plurals, feminines = self.tongue.adjective
        if not cell.lemma.endswith(masculine):
            return cell.lemma
        stem = cell.lemma.removesuffix(masculine)
        if feminine:
            return cell.form("f", stem + feminines)
        return cell.form("pl", stem + plurals) if plural else cell.lemma

    def determiner(self, p: Phrase, *, oblique: bool, negated: bool) -> str:
        """No article; "one" or "some" tell what is new, "any" what there is not, and "all three" the three."""
        tongue = self.tongue
        if p.number > 1:
            numeral = numeral_of(p, self.words)
            if not p.definite:
                return numeral.lemma
            return numeral.form("all", f"{tongue.those[oblique]} {numeral.lemma}")
        if p.definite or is_mass(p.noun):
            return ""
        if p.number == 0:
            return "" if negated else tongue.some
        return tongue.any_[oblique] if negated else tongue.one

    def phrase(self, p: Phrase, role: str, *, oblique: bool = False, negated: bool = False) -> list[Word]:
        if p.name:
            return name_of(p.name, self.words, role)
        determiner = self.determiner(p, oblique=oblique, negated=negated)
        return with_role(role, determiner, self.described(p, self.words[p.noun], oblique=oblique))

    def described(self, p: Phrase, noun: Cell, *, oblique: bool) -> list[Word]:
        plural = p.plural or "plural" in noun.tags
        adjective = ""
        if p.adjective:
            cell = self.words[p.adjective]
            adjective = self.adjective(cell, feminine="f" in noun.tags, plural=plural or oblique)
        return say(adjective, self.noun(noun, plural=plural, oblique=oblique))

    def be(self, p: Phrase) -> str:
        return self.tongue.is_are[is_many(p, self.words)]

    def not_(self, c: Clause) -> str:
        return self.tongue.not_ if c.negated else ""

    def of(self, p: Phrase) -> str:
        """kā, ke, kī, as the thing owned."""
        return self.tongue.of[2 if is_feminine(p, self.words) else int(is_many(p, self.words))]

    def participle(self, stem: str, c: Clause, *, feminine: bool, plural: bool) -> list[Word]:
        """ "does": the participle and "is"; after "not" the "is" goes, and the feminine plural says so itself."""
        masculine, masculines, feminines, alone = self.tongue.participle
        ending = feminines if feminine else masculines if plural else masculine
        if stem.endswith("ے"):  # a letter that only ends words: دے, but دیتا
            stem = stem.removesuffix("ے") + "ی"
        if c.negated:
            return with_role("verb", stem + (alone if feminine and plural else ending))
        return say(with_role("verb", stem + ending), self.tongue.is_are[plural])

    def verb(self, c: Clause, concept: str, *, agrees: Phrase | None = None, before: str = "") -> list[Word]:
        """The verb agreeing with its subject; "not", or the question word ``before``, stands before the light verb."""
        cell, p = self.words[concept], agrees or c.subject
        noun, stem = split(cell, negated=c.negated)
        feminine, plural = is_feminine(p, self.words) if p != Phrase() else False, is_many(p, self.words)
        does = self.participle(stem, c, feminine=feminine, plural=plural)
        return say(with_role("verb", noun), self.not_(c), before, does)

    def helped(self, c: Clause, helper: str, *, infinitive: bool) -> list[Word]:
        """Stem or infinitive and a helping verb: "can swim", "wants to swim"."""
        noun, stem = split(self.words[c.verb], negated=False)
        main = with_role("verb", stem + (self.tongue.infinitive if infinitive else ""))
        p = c.subject
        feminine, plural = is_feminine(p, self.words), is_many(p, self.words)
        does = self.participle(self.words[helper].lemma, c, feminine=feminine, plural=plural)
        if infinitive:
            return say(with_role("verb", noun), main, self.not_(c), does)
        return say(with_role("verb", noun), self.not_(c), main, does)

    def object(self, c: Clause) -> list[Word]:
        """People are marked with ko, and so are animals we know; some verbs want another mark."""
        mark = self.mark(c)
        if not mark and (is_person(c.object) or (c.object.definite and is_a(c.object.noun, "animal"))):
            mark = self.tongue.ko
        return say(self.phrase(c.object, "object", oblique=bool(mark), negated=c.negated), mark)

    def mark(self, c: Clause) -> str:
        tags = self.words[c.verb].tags
        return next((word for tag, word in self.marks().items() if tag in tags), "")

    def marks(self) -> dict[str, str]:
        return {"ka": self.tongue.of[0], "ki": self.tongue.of[2], "se": self.tongue.se}

    def subject(self, c: Clause, *, oblique: bool = False) -> list[Word]:
        return self.phrase(c.subject, "subject", oblique=oblique)

    def other(self, c: Clause) -> list[Word]:
        return self.phrase(c.recipient, "recipient", oblique=True)

    def place(self, c: Clause) -> list[Word]:
        """The place alone, without "in"."""
        cell = self.words[c.place]
        if kind := entity_kind(c.place):
            return [Word(cell.lemma, "place", kind)]
        return with_role("place", self.noun(cell, plural=False, oblique=True))

    def at(self, c: Clause) -> list[Word]:
        tags = self.words[c.place].tags
        by = self.tongue.par if "par" in tags else self.tongue.near if "near" in tags else self.tongue.mein
        return say(self.place(c), by)

    def named(self, c: Clause) -> list[Word]:
        noun = named_by(c.subject, c.recipient, self.words)
        whose = with_role("subject", self.described(c.subject, noun, oblique=True))
        return say(whose, self.tongue.of[0], self.tongue.name)

    def price(self, c: Clause) -> list[Word]:
        return say(self.subject(c, oblique=True), self.tongue.of[2], with_role("verb", self.words["cost"].lemma))


def split(cell: Cell, *, negated: bool) -> tuple[str, str]:
    """The noun and the light verb of काम कर; ("", stem) for others."""
    stem = cell.form("neg") if negated else cell.lemma
    if "tied" in cell.tags or " " not in stem:
        return "", stem
    noun, light = stem.rsplit(" ", 1)
    return noun, light


def unspecified(p: Phrase) -> Phrase:
    """A plural without "some": cats in general."""
    return replace(p, definite=True) if p.number == 0 else p


def transitive(s: Speaker, c: Clause, where: Iterable[Word] = ()) -> list[Word]:
    if "reaches" in s.words[c.verb].tags:
        found = s.phrase(c.object, "object", negated=c.negated)
        return say(s.subject(c, oblique=True), s.tongue.ko, where, found, s.verb(c, c.verb, agrees=c.object))
    return say(s.subject(c), where, s.object(c), s.verb(c, c.verb))


def property_(s: Speaker, c: Clause) -> list[Word]:
    feminine, plural = is_feminine(c.subject, s.words), is_many(c.subject, s.words)
    adjective = s.adjective(s.words[c.adjective], feminine=feminine, plural=plural)
    return say(s.subject(c), with_role("adjective", adjective), s.not_(c), s.be(c.subject))


def kind(s: Speaker, c: Clause) -> list[Word]:
    p = c.subject
    person = gender_of(p) if p.name else "f" if "f" in s.words[p.noun].tags else "m"
    cell = told_apart(s.words[c.noun], female=is_person(p) and person == "f")
    what = s.noun(cell, plural=p.plural and ("plural" in cell.tags or not is_mass(c.noun)), oblique=False)
    one = "" if p.plural or c.negated or is_mass(c.noun) else s.tongue.one
    return say(s.subject(c), with_role("noun", one, what), s.not_(c), s.be(p))


def has(s: Speaker, c: Clause) -> list[Word]:
    thing = s.phrase(c.object, "object", negated=c.negated)
    have = with_role("verb", s.words["have"].lemma)
    return say(s.subject(c, oblique=True), have, thing, s.not_(c), s.be(c.object))


def likes(s: Speaker, c: Clause) -> list[Word]:
    liked = say(s.phrase(unspecified(c.object), "object"), with_role("verb", s.words["like"].lemma))
    return say(s.subject(c, oblique=True), s.tongue.ko, liked, s.not_(c), s.be(c.object))


def wants(s: Speaker, c: Clause) -> list[Word]:
    wanted = say(s.phrase(c.object, "object", negated=c.negated), s.not_(c))
    return say(s.subject(c, oblique=True), s.tongue.ko, wanted, with_role("verb", s.words["want"].form("of")))


def gives(s: Speaker, c: Clause) -> list[Word]:
    return say(
        s.subject(c), s.other(c), s.tongue.ko, s.phrase(c.object, "object", negated=c.negated), s.verb(c, "give")
    )


def goes_to(s: Speaker, c: Clause) -> list[Word]:
    """ "Goes school": no word for "to" with places one goes to as a matter of course."""
    tags = s.words[c.place].tags
    bare = entity_kind(c.place) or "bare" in tags or ("mein" in tags and "into" not in tags)
    return say(s.subject(c), s.place(c) if bare else s.at(c), s.verb(c, "go"))


def compare(s: Speaker, c: Clause) -> list[Word]:
    cell = s.words[c.adjective]
    form = s.adjective(cell, feminine=is_feminine(c.subject, s.words), plural=is_many(c.subject, s.words))
    adjective = with_role("adjective", s.tongue.more if "more" in cell.tags else "", form)
    return say(s.subject(c), s.other(c), s.tongue.se, adjective, s.be(c.subject))


def together(s: Speaker, c: Clause) -> list[Word]:
    noun, stem = split(s.words[c.verb], negated=c.negated)
    women = is_feminine(c.subject, s.words) and is_feminine(c.recipient, s.words)
    does = s.participle(stem, c, feminine=women, plural=True)
    other = s.phrase(c.recipient, "recipient")
    return say(s.subject(c), s.tongue.and_, other, with_role("verb", noun), s.not_(c), does)


def owned(s: Speaker, c: Clause) -> list[Word]:
    thing = owned_thing(c)
    adjective = s.adjective(s.words[c.adjective], feminine=is_feminine(thing, s.words), plural=is_many(thing, s.words))
    return say(s.other(c), s.of(thing), s.phrase(thing, "subject"), with_role("adjective", adjective), s.be(thing))


def age(s: Speaker, c: Clause) -> list[Word]:
    years = number(c, s.words)
    return say(s.subject(c), years, s.tongue.year, s.of(c.subject), s.be(c.subject))


def what_transitive(s: Speaker, c: Clause) -> list[Word]:
    if "reaches" in s.words[c.verb].tags:
        return say(s.subject(c, oblique=True), s.tongue.ko, s.tongue.what, s.verb(c, c.verb, agrees=Phrase()))
    mark = s.mark(c)
    return say(s.subject(c), s.tongue.whose + mark if mark else s.tongue.what, s.verb(c, c.verb))


def who_transitive(s: Speaker, c: Clause) -> list[Word]:
    """ "The apple who eats?": the question word stands before the verb."""
    asked = replace(c, object=unspecified(c.object))
    if "reaches" in s.words[c.verb].tags:
        return say(s.phrase(asked.object, "object"), s.tongue.whom, s.verb(c, c.verb, agrees=c.object))
    return say(s.object(asked), s.verb(c, c.verb, agrees=Phrase(), before=s.tongue.who))


SpokenFrame = Callable[[Speaker, Clause], list[Word]]

SPOKEN: dict[str, SpokenFrame] = {
    "act": lambda s, c: say(s.subject(c), s.verb(c, c.verb)),
    "act_at": lambda s, c: say(s.subject(c), s.at(c), s.verb(c, c.verb)),
    "transitive": lambda s, c: transitive(s, c),
    "transitive_at": lambda s, c: transitive(s, c, s.at(c)),
    "located": lambda s, c: say(s.subject(c), s.at(c), s.not_(c), s.be(c.subject)),
    "there_is": lambda s, c: say(s.at(c), s.subject(c), s.not_(c), s.be(c.subject)),
    "property": property_,
    "kind": kind,
    "has": has,
    "likes": likes,
    "wants": wants,
    "wants_to": lambda s, c: say(s.subject(c), s.helped(c, "want", infinitive=True)),
    "can": lambda s, c: say(s.subject(c), s.helped(c, "can", infinitive=False)),
    "gives": gives,
    "goes_to": goes_to,
    "comes_from": lambda s, c: say(s.subject(c), s.place(c), s.tongue.se, s.verb(c, "come")),
    "lives_in": lambda s, c: say(s.subject(c), s.at(c), s.verb(c, "live")),
    "with": lambda s, c: say(s.subject(c), s.other(c), s.tongue.beside, s.verb(c, c.verb)),
    "compare": compare,
    "together": together,
    "on_day": lambda s, c: say(
        with_role("day", s.words[c.day].form("obl")), s.tongue.ko, s.subject(c), s.verb(c, c.verb)
    ),
    "owned": owned,
    "age": age,
    "price": lambda s, c: say(s.price(c), number(c, s.words), s.tongue.euro, s.tongue.is_are[0]),
    "works_for": lambda s, c: say(s.subject(c), s.place(c), s.tongue.for_, s.verb(c, "work")),
    "named": lambda s, c: say(s.named(c), s.phrase(c.recipient, "recipient"), s.tongue.is_are[0]),
    "where_is": lambda s, c: say(s.subject(c), s.tongue.where, s.be(c.subject)),
    "where_lives": lambda s, c: say(s.subject(c), s.tongue.where, s.verb(c, "live")),
    "where_works": lambda s, c: say(s.subject(c), s.tongue.where, s.verb(c, "work")),
    "what_has": lambda s, c: say(
        s.subject(c, oblique=True), with_role("verb", s.words["have"].lemma), s.tongue.what, s.tongue.is_are[0]
    ),
    "what_transitive": what_transitive,
    "who_transitive": who_transitive,
    "who_act_at": lambda s, c: say(s.at(c), s.tongue.who, s.verb(c, c.verb, agrees=Phrase())),
    "how_old": lambda s, c: say(s.subject(c), s.tongue.how_many[0], s.tongue.year, s.of(c.subject), s.be(c.subject)),
    "how_much": lambda s, c: say(s.price(c), s.tongue.how_many[1], s.tongue.is_are[0]),
    "what_name": lambda s, c: say(s.named(c), s.tongue.what, s.tongue.is_are[0]),
}


def frames(tongue: Tongue) -> FrameTable:
    """All frames as ``tongue`` says them."""

    def how(function: SpokenFrame) -> Frame:
        return lambda c, words: function(Speaker(tongue, words), c)

    return {name: how(function) for name, function in SPOKEN.items()}
