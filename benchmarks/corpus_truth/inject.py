"""What is done to clean pages: one kind a page, by the shares of the settings, and duplicates added.

    pages = inject(pages_of_one_language, settings, foreign, labelled)

Each page gets a host, an address and a form (WET or WARC) here; of what is broken only the kind is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from clean_pages import ForeignLines, Line, Page, draws
from hosts import Host, hosts_of
from html_pages import OLD_ENCODINGS
from settings import CrawlOfTextSettings
from truth import BROKEN_KINDS, line_key

from isogloss.corpus.dedup.shingles import division_of

__all__ = ["inject"]

WET_KINDS, WARC_KINDS = {"bad-utf8"}, {"bad-http", "bad-status", "not-html"}
# A page must have lines to put others between.
LEAST_LINES = 3
# Fictional by their numbers: +1 202 555 01xx, and what Ofcom keeps for drama.
PHONES = ("+1 202 555 01{:02d}", "+44 20 7946 0{:03d}", "+44 1632 960{:03d}")
# Words or characters in a shingle, as the search for near-duplicates has them by default.
SHINGLES = {"words": 3, "ideographs": 5, "letters": 10}
# Where words have no spaces between them, so many characters are changed as one.
CHARACTERS_A_WORD = 3


def inject(
    pages: Sequence[Page], settings: CrawlOfTextSettings, foreign: ForeignLines, labelled: list[str]
) -> list[Page]:
    """The pages of one language as they stand in the crawl; ``labelled`` loses the texts that are used."""
    if not pages:
        return []
    language = pages[0].language
    random = draws(settings, "inject", language)
    hosts = hosts_of(language, len(pages), settings)
    made = []
    for page in pages:
        host = random.choice(hosts)
        changed = _changed(page, _kind(random, settings), random, settings, foreign, labelled)
        if changed.kind != "short":
            changed = replace(changed, lines=host.around(changed.lines, random))
        made.append(_placed(changed, host, random, settings))
    originals = [page for page in made if page.kind == "clean"]
    vocabulary = [word for page in pages[:50] for line in page.lines for word in _words(line.text, language)]
    for kind, share in (("exact", settings.shares.exact_duplicates), ("near", settings.shares.near_duplicates)):
        for _ in range(_rounded(share * len(pages), random) if originals else 0):
            host, original = random.choice(hosts), random.choice(originals)
            copy = _exact(original) if kind == "exact" else _near(original, vocabulary, host, random, settings)
            made.append(_placed(copy, host, random, settings))
    return made


def _kind(random: Random, settings: CrawlOfTextSettings) -> str:
    drawn = random.random()
    for kind in ("short", "mixed", "contaminated", "personal", *BROKEN_KINDS):
        share: float = getattr(settings.shares, kind.replace("-", "_"))
        drawn -= share
        if drawn < 0:
            return kind
    return "clean"


def _placed(page: Page, host: Host, random: Random, settings: CrawlOfTextSettings) -> Page:
    """The page at an address of the host, in a form that its kind can have."""
    form = "warc" if random.random() < settings.shares.warc else "wet"
    form = "wet" if page.kind in WET_KINDS else "warc" if page.kind in WARC_KINDS else form
    is_old = random.random() < settings.shares.old_encodings
    encoding = OLD_ENCODINGS.get(page.language, "utf-8") if is_old else "utf-8"
    return replace(page, url=host.url(random), form=form, encoding=encoding, is_plain=host.is_plain)


def _changed(
    page: Page, kind: str, random: Random, settings: CrawlOfTextSettings, foreign: ForeignLines, labelled: list[str]
) -> Page:
    """The page of this kind, or clean where it cannot be: too few lines, no labelled text of its language."""
    if kind == "short":
        return page.having(kind, _shortened(page, random, settings))
    if kind == "mixed" and len(page.lines) >= LEAST_LINES:
        return _mixed(page, random, settings, foreign)
    if kind == "contaminated" and labelled:
        return _contaminated(page, random, settings, labelled)
    if kind == "personal":
        return _personal(page, random)
    return page if kind in ("mixed", "contaminated") else page.having(kind, page.lines)


def _shortened(page: Page, random: Random, settings: CrawlOfTextSettings) -> list[Line]:
    """The first lines, the last of them cut, between a third of the limit and just below it."""
    left = random.randrange(max(1, settings.short_characters // 3), settings.short_characters)
    lines = []
    for line in page.lines:
        text = line.text[:left].strip()
        if text:
            lines.append(Line(text))
        left -= len(line.text)
        if left <= 0:
            break
    return lines


def _mixed(page: Page, random: Random, settings: CrawlOfTextSettings, foreign: ForeignLines) -> Page:
    lines = list(page.lines)
    wanted = max(1, round(random.uniform(*settings.foreign_lines) * len(lines)))
    for _ in range(wanted):
        if (found := foreign.take(random, not_of=page.language)) is None:
            break
        lines.insert(random.randrange(1, len(lines)), Line(found[1], "foreign", found[0]))
    return page.having("mixed" if len(lines) > len(page.lines) else "clean", lines)


def _contaminated(page: Page, random: Random, settings: CrawlOfTextSettings, labelled: list[str]) -> Page:
    """Each labelled text a line of its own, or behind the text of another line."""
    lines = list(page.lines)
    space = "" if division_of(page.language) == "ideographs" else " "
    for _ in range(min(len(labelled), random.randint(*settings.labelled_texts))):
        text = labelled.pop()
        if random.random() < 0.5:
            lines.insert(random.randrange(len(lines) + 1), Line(text, "labelled"))
        else:
            place = random.randrange(len(lines))
            lines[place] = Line(f"{lines[place].text}{space}{text}", "labelled-inside")
    return page.having("contaminated", lines)


def _personal(page: Page, random: Random) -> Page:
    email = f"anna.{random.randrange(10**6):06d}@example.org"
    phone = random.choice(PHONES).format(random.randrange(100))
    lines = list(page.lines)
    places = random.sample(range(len(lines)), min(2, len(lines)))
    for secret, place in zip((email, phone), (*places, *places), strict=False):
        lines[place] = Line(f"{lines[place].text} ({secret})", "personal")
    return replace(page.having("personal", lines), secrets=(email, phone))


def _exact(original: Page) -> Page:
    """The same page at another address, its host's boilerplate included."""
    lines = [line._replace(kind="copy") if line.kind == "text" else line for line in original.lines]
    return replace(original.having("exact-duplicate", lines), of=original.url)


def _near(original: Page, vocabulary: Sequence[str], host: Host, random: Random, settings: CrawlOfTextSettings) -> Page:
    """Its text with a share of the words changed, in a host of its own."""
    change = random.choice(settings.near_changes)
    lines = []
    for line in original.lines:
        if line.kind == "text":
            text = _altered(line.text, original.language, change, vocabulary, random)
            lines.append(Line(text, "copy" if text == line.text else "changed"))
    page = original.having("near-duplicate", host.around(lines, random))
    return replace(page, of=original.url, change=change, similarity=round(_similarity(page, original), 3))


def _similarity(page: Page, other: Page) -> float:
    """|A ∩ B| / |A ∪ B| of the shingles of two pages of one language, without what :func:`line_key` leaves out."""
    division = division_of(page.language)
    some, others = (_shingles(each, SHINGLES[division], division == "words") for each in (page, other))
    return len(some & others) / max(1, len(some | others))


def _shingles(page: Page, length: int, of_words: bool) -> set[int]:
    text = " ".join(line.text for line in page.lines)
    tokens = [line_key(word) for word in (text.split() if of_words else text.replace(" ", ""))]
    return {hash(tuple(tokens[place : place + length])) for place in range(max(1, len(tokens) - length + 1))}


def _altered(text: str, language: str, change: float, vocabulary: Sequence[str], random: Random) -> str:
    """Half of the changed words become others, a quarter goes, and behind a quarter stands another."""
    words = []
    for word in _words(text, language):
        if random.random() >= change:
            words.append(word)
            continue
        other, what = random.choice(vocabulary), random.random()
        words += [other] if what < 0.5 else [] if what < 0.75 else [word, other]
    joined = ("" if division_of(language) != "words" else " ").join(words).strip()
    return joined or text


def _words(text: str, language: str) -> list[str]:
    if division_of(language) == "words":
        return text.split()
    return [text[place : place + CHARACTERS_A_WORD] for place in range(0, len(text), CHARACTERS_A_WORD)]


def _rounded(number: float, random: Random) -> int:
    """Up or down by chance, so that many small languages have their share together."""
    return int(number) + (random.random() < number % 1)
