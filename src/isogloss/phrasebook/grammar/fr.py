"""French. Nouns: ``m`` or ``f``; ``plural`` for kinds said in the plural (des meubles); ``fem=`` for a woman; ``job``
for what one is without an article; ``after`` where an adjective before the noun would mean something else (petit ami).
Places: ``dans``, ``à``, ``sur`` or ``bord`` (au bord de); ``into`` for those one goes dans, not à. Verbs are the third
person singular; ``pl= inf=`` when it does not end in -e; ``how=`` an adverb, ``person`` where one asks for a person.
Adjectives: ``before`` the noun; ``f=``, ``more=`` for comparatives, ``fixed`` when nothing agrees."""

from __future__ import annotations

from dataclasses import replace

from isogloss.phrasebook.clauses import Clause, Phrase
from isogloss.phrasebook.grammar.gender import is_feminine, is_many, named_by, told_apart
from isogloss.phrasebook.grammar.meaning import in_general, is_mass, is_person, numeral_of, owned_thing
from isogloss.phrasebook.grammar.order import in_order, number, svo_frames
from isogloss.phrasebook.grammar.words import Frame, FrameTable, Word, entity_kind, name_of, say, with_role
from isogloss.phrasebook.lexicon import Cell, Lexicon

__all__ = ["FRAMES"]

CONTRACTED = {("à", "le"): "au", ("à", "les"): "aux", ("de", "le"): "du", ("de", "les"): "des", ("de", "des"): "de"}
ELIDED = {"le": "l'", "la": "l'", "de": "d'", "ne": "n'", "que": "qu'", "se": "s'"}
# No other word of the phrasebook that begins with h elides: Hanoï does not.
MUTE_H = ("homme", "hôpital", "heureu")


def begins_with_vowel(text: str) -> bool:
    return text[0].lower() in "aeiouàâéèêëîïôœ" or text.startswith(MUTE_H)


def flowing(words: list[Word]) -> list[Word]:
    """le enfant is l'enfant, de le parc is du parc (also before the article of a city); the rest stays."""
    flow: list[Word] = []
    for index, word in enumerate(words):
        following = words[index + 1].text if index + 1 < len(words) else ""
        vowel_next = bool(following) and begins_with_vowel(following)
        if flow and not (vowel_next and word.text in ELIDED):
            contracted = CONTRACTED.get((flow[-1].text, word.text.lower()))
            if contracted:
                flow[-1] = replace(flow[-1], text=contracted)
                continue
        flow.append(replace(word, text=ELIDED[word.text], glued=True) if vowel_next and word.text in ELIDED else word)
    # A contraction may have brought de before a vowel: de des amis, d'amis.
    for index in range(len(flow) - 1):
        if flow[index].text == "de" and begins_with_vowel(flow[index + 1].text):
            flow[index] = replace(flow[index], text="d'", glued=True)
    return flow


def plural(word: str) -> str:
    if word.endswith(("s", "x", "z")):
        return word
    if word.endswith("al"):
        return word[:-2] + "aux"
    return word + ("x" if word.endswith("eau") else "s")


def agreeing(cell: Cell, *, feminine: bool, many: bool) -> str:
    if "fixed" in cell.tags:
        return cell.lemma
    form = cell.lemma
    if feminine:
        form = cell.form("f", form if form.endswith("e") else form + "e")
    return plural(form) if many else form


def article(p: Phrase, noun: Cell, *, many: bool, negated: bool, adjective_first: bool) -> str:
    """des is de before an adjective, and all that is not numbered is de after "not"; mass has its own (du, de la)."""
    the = "les" if many else "la" if "f" in noun.tags else "le"
    if p.definite:
        return the
    if p.number > 1:
        return ""
    if negated:
        return "de"
    if many:
        return "de" if adjective_first else "des"
    if is_mass(p.noun):
        return f"de {the}"
    return "une" if "f" in noun.tags else "un"


def noun_phrase(p: Phrase, noun: Cell, words: Lexicon, role: str, *, negated: bool = False) -> list[Word]:
    many = p.plural or "plural" in noun.tags
    numeral = numeral_of(p, words).lemma if p.number > 1 else ""
    head = plural(noun.lemma) if many else noun.lemma
    if not p.adjective:
        determiner = article(p, noun, many=many, negated=negated, adjective_first=False)
        return with_role(role, determiner, numeral, head)
    cell = words[p.adjective]
    first = "before" in cell.tags and "after" not in noun.tags
    form = agreeing(cell, feminine="f" in noun.tags, many=many)
    determiner = article(p, noun, many=many, negated=negated, adjective_first=first)
    return with_role(role, determiner, numeral, say(form, head) if first else say(head, form))


def phrase(p: Phrase, words: Lexicon, role: str, *, negated: bool = False) -> list[Word]:
    return name_of(p.name, words, role) if p.name else noun_phrase(p, words[p.noun], words, role, negated=negated)


def third_person(cell: Cell, *, many: bool) -> str:
    return cell.form("pl", cell.lemma + "nt") if many else cell.lemma


def denied(c: Clause, *does: Word) -> list[Word]:
    """ne stands before the verb and its se, pas after."""
    return say("ne", does, "pas") if c.negated else list(does)


def verb(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    """The verb ``concept`` or, when empty, the clause's own."""
    cell = words[concept or c.verb]
    does = with_role("verb", third_person(cell, many=is_many(c.subject, words)))
    how = cell.form("how", "")
    return say(denied(c, *does), with_role("verb", "" if c.negated else how))


def be(c: Clause, words: Lexicon) -> list[Word]:
    return denied(c, Word("sont" if is_many(c.subject, words) else "est"))


def subject(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.subject, words, "subject")


def object_(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.object, words, "object", negated=c.negated)


def other(c: Clause, words: Lexicon) -> list[Word]:
    return phrase(c.recipient, words, "recipient")


def the_place(c: Clause, words: Lexicon) -> list[Word]:
    if entity_kind(c.place):
        return name_of(c.place, words, "place")
    return noun_phrase(Phrase(noun=c.place, definite=True), words[c.place], words, "place")


def place(c: Clause, words: Lexicon, preposition: str = "") -> list[Word]:
    """Without a preposition it is the place's own: au bord du fleuve, à Paris."""
    if not preposition:
        where = "à" if entity_kind(c.place) else words[c.place].tagged("dans", "à", "sur", "bord")
        preposition = "au bord de" if where == "bord" else where
    elif preposition == "à" and "into" in words[c.place].tags:
        preposition = "dans"
    return say(preposition, the_place(c, words))


def adjective(c: Clause, words: Lexicon) -> list[Word]:
    form = agreeing(words[c.adjective], feminine=is_feminine(c.subject, words), many=is_many(c.subject, words))
    return with_role("adjective", form)


def comparative(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.adjective]
    if "more" not in cell.forms:
        return with_role("adjective", "plus", adjective(c, words))
    better = replace(cell, lemma=cell.form("more"), forms={})
    feminine, many = is_feminine(c.subject, words), is_many(c.subject, words)
    return with_role("adjective", agreeing(better, feminine=feminine, many=many))


def infinitive(c: Clause, words: Lexicon) -> list[Word]:
    cell = words[c.verb]
    return with_role("verb", cell.form("inf", cell.lemma + "r"))


def both_do(c: Clause, words: Lexicon) -> list[Word]:
    return with_role("verb", third_person(words[c.verb], many=True))


def day(c: Clause, words: Lexicon) -> list[Word]:
    return say(Word(words[c.day].lemma, "day", glued=True), ",")


def kind(c: Clause, words: Lexicon) -> list[Word]:
    cell = told_apart(words[c.noun], female=is_person(c.subject) and is_feminine(c.subject, words))
    start = say(subject(c, words), be(c, words))
    if not c.subject.plural and "job" in words[c.noun].tags:
        return say(start, with_role("noun", cell.lemma))
    if is_mass(c.noun) and "plural" not in cell.tags:
        return say(start, noun_phrase(Phrase(noun=c.noun), cell, words, "noun"))
    if c.subject.plural:
        return say(start, with_role("noun", "des", plural(cell.lemma)))
    return say(start, with_role("noun", "une" if "f" in cell.tags else "un", cell.lemma))


def likes(c: Clause, words: Lexicon) -> list[Word]:
    """All of a kind has the article: les chats."""
    p = c.object
    liked = in_general(p)
    return say(subject(c, words), verb(c, words, "like"), phrase(liked, words, "object", negated=c.negated))


def owned(c: Clause, words: Lexicon) -> list[Word]:
    known = replace(c, subject=owned_thing(c))
    return say(subject(known, words), "de", other(c, words), be(known, words), adjective(known, words))


def who_is_named(c: Clause, words: Lexicon) -> list[Word]:
    return noun_phrase(c.subject, named_by(c.subject, c.recipient, words), words, "subject")


def what_does(c: Clause, words: Lexicon, concept: str = "") -> list[Word]:
    """Qu'est-ce que SUBJECT VERB, for people qui est-ce que."""
    person = "person" in words[concept or c.verb].tags
    return say("qui est-ce que" if person else "qu'est-ce que", subject(c, words), verb(c, words, concept))


SPOKEN: FrameTable = {
    **svo_frames(subject=subject, does=verb, verb=verb, object_=object_, place=place, who="qui", to="à", from_="de"),
    "located": in_order(subject, be, place),
    "there_is": in_order("il y a", subject, place),
    "property": in_order(subject, be, adjective),
    "kind": kind,
    "has": in_order(subject, (verb, "have"), object_),
    "likes": likes,
    "wants_to": in_order(subject, (verb, "want"), infinitive),
    "can": in_order(subject, (verb, "can"), infinitive),
    "gives": in_order(subject, (verb, "give"), object_, "à", other),
    "with": in_order(subject, verb, "avec", other),
    "compare": in_order(subject, be, comparative, "que", other),
    "together": in_order(subject, "et", other, both_do),
    "on_day": in_order(day, subject, verb),
    "owned": owned,
    "age": in_order(subject, (verb, "have"), number, "ans"),
    "price": in_order(subject, (verb, "cost"), number, "euros"),
    "works_for": in_order(subject, (verb, "work"), (place, "pour")),
    "named": in_order(who_is_named, "se appelle", other),
    "where_is": in_order("où", be, subject),
    "where_lives": in_order("où", (verb, "live"), subject),
    "where_works": in_order("où", (verb, "work"), subject),
    "what_has": in_order((what_does, "have")),
    "what_transitive": what_does,
    "how_old": in_order("quel âge", (verb, "have"), subject),
    "how_much": in_order("combien", (verb, "cost"), subject),
    "what_name": in_order("comment se appelle", who_is_named),
}


def spoken(frame: Frame) -> Frame:
    return lambda c, words: flowing(frame(c, words))


FRAMES: FrameTable = {frame_name: spoken(frame) for frame_name, frame in SPOKEN.items()}
