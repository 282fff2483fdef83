"""Readers of tagged words: word TAB tag, CoNLL's columns, CoNLL-U, PAN-X, and lists of words in Parquet.

    read_tagged(path, scheme="entities")             # IOB1, IOBES and BILOU become IOB2, and that is said
    read_tagged(path, scheme="entities", drop_types=["DATE"])    # as if no date were marked
    read_tagged(path, labels=UNIVERSAL_TAGS)         # tags of words; a .conllu file gives its UPOS column

A blank line ends a sentence. In a file without tabs columns stand between spaces. Of four or five columns, which
CoNLL-2003 has, the first is the word and the last its entity tag; so it is of the three of CoNLL-2002, where the task
says so. PAN-X's `sw:` before every word is taken away.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from isogloss.errors import DataError
from isogloss.tasks.examples import TaggedExample
from isogloss.tasks.files import Tell, not_empty, numbered_lines, parquet_rows, silent
from isogloss.tasks.metrics import entities
from isogloss.tasks.schemes import TagScheme, is_tag, scheme_of, to_iob2, without_types

__all__ = ["DOCUMENT_START", "Scheme", "blocks_of", "cells_of", "read_tagged", "scheme_in"]

Scheme = Literal["entities", "plain"]

DOCUMENT_START = "-DOCSTART-"
# Word, part of speech, chunk, entity; the German files have a lemma too. Three columns might end with a prediction.
CONLL_WIDTHS = (4, 5)
# Those of CoNLL-2002 do not: word, part of speech, entity.
CONLL_2002_WIDTH = 3
# CoNLL-U: ten columns, of which the word is the second and its universal tag the fourth.
CONLLU_WIDTH, FORM, UPOS = 10, 1, 3
WORD_COLUMNS, TAG_COLUMNS = ("tokens", "words"), ("ner_tags", "upos", "pos_tags", "tags")
_PREFIX = re.compile(r"(simple|[a-z]{2,3}(-[a-z-]+)?):")


@dataclass
class _Sentence:
    """Words, the tags of those that have one, and where each word stands."""

    where: list[str]
    words: list[str]
    tags: list[str]


def read_tagged(
    path: Path,
    *,
    scheme: Scheme = "plain",
    labels: Sequence[str] = (),
    language: str = "",
    unlabelled: bool = False,
    tell: Tell = silent,
    drop_types: Sequence[str] = (),
    conll: bool = False,
    keeps_iob1: bool = False,
) -> list[TaggedExample]:
    """Sentences of words and their tags; blank lines at the end change nothing.

    The files of `conll` may have three columns, and be ISO-8859-1, which `tell` is told. Entities of `drop_types` are
    read as words outside of any, and `tell` is told how many there were.

    Entities: tags of another scheme than IOB2 become IOB2, which `tell` is told. A stray I-X that opens an entity of an
    IOB2 file is kept as it stands, as published files have some and the official scorer counts them; with `keeps_iob1`,
    so are the tags of IOB1, whose accuracy it counts as they are written.
    """
    widths = (1, 2, *((CONLL_2002_WIDTH,) if conll else ()), *(CONLL_WIDTHS if scheme == "entities" else ()))
    sentences = _as_written(path, widths=widths, latin_1=tell if conll else None)
    _check_complete(sentences, unlabelled=unlabelled)
    if scheme == "entities":
        _check(sentences, is_tag, "schemes are IOB2 and IOB1 (O, B-X, I-X), IOBES (E-X, S-X) and BILOU (L-X, U-X)")
        if (found := scheme_of([sentence.tags for sentence in sentences])) != "IOB2":
            kept = keeps_iob1 and found == "IOB1"
            tell(f"{path}: tags of scheme {found}, {'read as written' if kept else 'read as IOB2'}")
            for sentence in sentences if not kept else ():
                sentence.tags = to_iob2(sentence.tags)
        _drop(sentences, drop_types, path, tell)
    if labels:
        known = set(labels)
        way_out = f"known are {', '.join(labels)}"
        if scheme == "entities":
            way_out += "; drop_types leaves types of entities out"
        _check(sentences, known.__contains__, way_out)
    return not_empty(path, [TaggedExample(tuple(one.words), tuple(one.tags)) for one in sentences])


def scheme_in(path: Path) -> TagScheme:
    """The scheme that a file's entities are written in: IOB2, IOB1, IOBES or BILOU."""
    widths = (1, 2, CONLL_2002_WIDTH, *CONLL_WIDTHS)
    return scheme_of([sentence.tags for sentence in _as_written(path, widths=widths, latin_1=silent)])


def _as_written(path: Path, *, widths: Sequence[int], latin_1: Tell | None) -> list[_Sentence]:
    read = {".parquet": _listed, ".conllu": _conllu}.get(path.suffix)
    return list(read(path) if read else _columns(path, widths, latin_1))


def _drop(sentences: Sequence[_Sentence], types: Sequence[str], path: Path, tell: Tell) -> None:
    """Take entities of these types out, and tell how many, also where it is none: a type may be misspelt."""
    found = Counter(entity.kind for sentence in sentences for entity in entities(sentence.tags)) if types else Counter()
    for kind in types:
        tell(f"{path}: entities of type {kind} left out: {found[kind]:,}")
    for sentence in sentences:
        sentence.tags = without_types(sentence.tags, types)


def blocks_of(path: Path, *, latin_1: Tell | None = None) -> Iterator[list[tuple[int, str]]]:
    """The numbered lines of each sentence, without the blank lines between them; `latin_1` as `read_text` has it.

    Raises DataError.
    """
    lines: list[tuple[int, str]] = []
    for number, line in numbered_lines(path, latin_1=latin_1):
        if line and not line.strip():
            raise DataError(f"{path}:{number}: no tag in {line[:40]!r}; spaces alone: empty the line between sentences")
        if line:
            lines.append((number, line))
        elif lines:
            yield lines
            lines = []
    if lines:
        yield lines


def cells_of(blocks: Sequence[Sequence[tuple[int, str]]]) -> list[list[tuple[int, list[str]]]]:
    """The cells of every line, between tabs if there is any tab, else between spaces; lines of document starts gone."""
    tabs = any("\t" in line for lines in blocks for _, line in lines)
    kept = ([(number, line) for number, line in lines if not line.startswith(DOCUMENT_START)] for lines in blocks)
    # Of other spaces words may have some inside.
    split = _at_tabs if tabs else _at_spaces
    return [[(number, split(line)) for number, line in lines] for lines in kept if lines]


def _at_tabs(line: str) -> list[str]:
    return line.split("\t")


def _at_spaces(line: str) -> list[str]:
    return [cell for cell in line.split(" ") if cell]


def _columns(path: Path, widths: Sequence[int], latin_1: Tell | None) -> Iterator[_Sentence]:
    sentences = cells_of(list(blocks_of(path, latin_1=latin_1)))
    width = max((len(cells) for lines in sentences for _, cells in lines), default=1)
    for lines in sentences:
        for number, cells in lines:
            if len(cells) == 1 < width:
                raise DataError(f"{path}:{number}: no tag in {cells[0][:40]!r}; a line is word TAB tag")
            if len(cells) not in widths or len(cells) != width:
                other = f", others of this file {width}" if len(cells) in widths else ""
                raise DataError(f"{path}:{number}: {len(cells)} columns{other}; a line is word TAB tag")
    if width == CONLL_2002_WIDTH and all(is_tag(cells[1]) for lines in sentences for _, cells in lines):
        number, _ = sentences[0][0]
        raise DataError(
            f"{path}:{number}: two columns of entity tags, of which one may be predicted; leave the gold ones"
        )
    prefix = _common_prefix(sentences)
    for lines in sentences:
        words = [cells[0][prefix:] for _, cells in lines]
        tags = [cells[-1] for _, cells in lines] if width > 1 else []
        yield _Sentence([f"{path}:{number}" for number, _ in lines], words, tags)


def _common_prefix(sentences: Sequence[Sequence[tuple[int, list[str]]]]) -> int:
    """The length of the language's code that PAN-X writes before each word, 0 in any other file."""
    words = [cells[0] for lines in sentences for _, cells in lines]
    match = _PREFIX.match(words[0]) if words else None
    return len(match[0]) if match is not None and all(word.startswith(match[0]) for word in words) else 0


def _conllu(path: Path) -> Iterator[_Sentence]:
    """Syntactic words of each sentence; ranges (3-4) and empty words (5.1) have no tag of their own, # is a comment."""
    for lines in blocks_of(path):
        sentence = _Sentence([], [], [])
        for number, line in lines:
            if line.startswith("#"):
                continue
            cells = line.split("\t")
            if len(cells) != CONLLU_WIDTH or re.fullmatch(r"\d+([-.]\d+)?", cells[0]) is None:
                raise DataError(f"{path}:{number}: {line[:40]!r} is no line of CoNLL-U: a number and nine more columns")
            if cells[0].isdigit():
                sentence.where.append(f"{path}:{number}")
                sentence.words.append(cells[FORM])
                sentence.tags.extend([] if cells[UPOS] == "_" else [cells[UPOS]])
        if sentence.words:
            yield sentence


def _listed(path: Path) -> Iterator[_Sentence]:
    """Rows of Parquet with a list of words and one of tags."""
    for where, row in parquet_rows(path):
        words, tags = (_list(row, names) for names in (WORD_COLUMNS, TAG_COLUMNS))
        if words is None or (tags is not None and len(tags) not in (0, len(words))):
            problem = "no list of words" if words is None else f"{len(words)} words, {len(tags or [])} tags"
            raise DataError(f"{where}: {problem}; it has {', '.join(row)}")
        if tags and "upos" in row:
            # Ranges such as 3-4 are among the words here; as in CoNLL-U they have no tag of their own.
            words, tags = (
                [one for one, tag in zip(column, tags, strict=True) if tag != "_"] for column in (words, tags)
            )
        if words:
            yield _Sentence([where] * len(words), [str(word) for word in words], [*map(str, tags or [])])


def _list(row: dict[str, Any], names: Sequence[str]) -> list[Any] | None:
    return next((row[name] for name in names if isinstance(row.get(name), list)), None)


def _check_complete(sentences: Sequence[_Sentence], *, unlabelled: bool) -> None:
    """Raise DataError for a word without a tag; if `unlabelled`, no word may have one, or every one."""
    if unlabelled and not any(sentence.tags for sentence in sentences):
        return
    for sentence in sentences:
        if len(sentence.tags) < len(sentence.words):
            raise DataError(f"{sentence.where[0]}: no tag in {sentence.words[0][:40]!r}; a line is word TAB tag")


def _check(sentences: Sequence[_Sentence], holds: Any, way_out: str) -> None:
    for sentence in sentences:
        for where, tag in zip(sentence.where, sentence.tags, strict=False):
            if not holds(tag):
                raise DataError(f"{where}: unknown tag '{tag[:40]}'; {way_out}")
