"""Wikitext → plain text: the sentences of an article without templates, tables, references, pictures and markup.

Extractor(WikiSettings(), {"file", "category", "picha"}).text("'''Anna''' anaishi [[Oslo|mjini Oslo]].<ref>…</ref>")
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from isogloss.corpus.documents import WikiSettings
from isogloss.corpus.extras import load_mwparserfromhell

__all__ = ["Extractor"]

# Elements whose content is no running text.
SILENT = frozenset(
    [
        *(
            "ce",
            "chem",
            "code",
            "gallery",
            "graph",
            "hiero",
            "imagemap",
            "indicator",
            "inputbox",
            "mapframe",
            "maplink",
        ),
        *("math", "pre", "ref", "references", "score", "source", "style", "syntaxhighlight", "table", "templatedata"),
        *("templatestyles", "timeline"),
    ]
)
# Elements that end a line.
BREAKS = frozenset(("blockquote", "br", "div", "hr", "p"))
_ITEM = re.compile(r"^[*#:;]")
_INTERLANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z-]+)?")
_MAGIC_WORD = re.compile(r"__[^\W\d_]{3,}__")
# What is left of a bracket whose content was a template: "Oslo ( ; ) ni".
_EMPTY_BRACKETS = re.compile(r"\s*[(（][\s,;:،؛،、–-]*[)）]")
# What the parser looks to the end of the page for, once for each that has none.
_OPENING = re.compile(r"\{\{|\[\[|\[(?=http|//)|<!--|<(?!(?:br|dd|dt|hr|li|p|td|th|tr|wbr)\b)(?=[a-z])", re.IGNORECASE)
_CLOSING = re.compile(r"\}\}|\]\]|(?<!\])\](?!\])|-->|/>|</(?!(?:dd|dt|li|p|td|th|tr)\b)", re.IGNORECASE)
# The most characters that it may pass in vain on one page: some ten seconds.
MAX_VAIN_CHARACTERS = 1 << 26
# What the parser takes for text where ends are missing, or there is too much in each other.
_LEFT_OVER = re.compile(r"</?[a-z]{1,16}(\s[^<>]*)?/?>|'{2,5}|\{\{|\}\}|\[\[|\]\]", re.IGNORECASE)
# A row of a table of which it did not find the end.
_ROW = re.compile(r"\s*(\{?\||!.*[|!])")
_SPACES = re.compile(r"[ \t\xa0]+")
# Marks an item of a list until its line is known; no text has it, since XML may not.
_ITEM_MARK = "\x01"


class Extractor:
    """Extracts the text of a wiki's pages; ``silent_namespaces`` are its names, in lower case, of files and categories.

    Raises MissingExtraError.
    """

    def __init__(self, settings: WikiSettings, silent_namespaces: Collection[str]) -> None:
        self._settings = settings
        self._silent_namespaces = frozenset(silent_namespaces)
        self._library: Any = load_mwparserfromhell()
        nodes = self._library.nodes
        self._say = {
            nodes.Text: lambda node: [node.value],
            nodes.Wikilink: self._link,
            nodes.ExternalLink: lambda node: self._said(node.title) if node.brackets else [],
            nodes.Tag: self._tag,
            nodes.Heading: self._heading,
            nodes.HTMLEntity: self._entity,
        }

    def text(self, wikitext: str) -> str | None:
        """The text, a line a paragraph; None where the page cannot be parsed, or would take minutes."""
        num_open = len(_OPENING.findall(wikitext)) - len(_CLOSING.findall(wikitext))
        if num_open * len(wikitext) > MAX_VAIN_CHARACTERS:
            return None
        try:
            said = "".join(self._said(self._library.parse(wikitext)))
        except (self._library.parser.ParserError, RecursionError, ValueError):
            return None
        lines = (self._line(line) for line in _MAGIC_WORD.sub("", said).split("\n"))
        return "\n".join(line for line in lines if line)

    def _line(self, line: str) -> str:
        if _ITEM_MARK in line and not self._settings.lists:
            return ""
        if _ROW.match(line):
            return ""
        line = _LEFT_OVER.sub("", line.replace(_ITEM_MARK, ""))
        return _SPACES.sub(" ", _EMPTY_BRACKETS.sub("", line)).strip()

    def _said(self, code: Any) -> list[str]:
        """What the nodes of a piece of parsed wikitext say; those that are not known say nothing."""
        said: list[str] = []
        for node in code.nodes if code is not None else ():
            if (say := self._say.get(type(node))) is not None:
                said += say(node)
        return said

    def _link(self, node: Any) -> list[str]:
        title = str(node.title).strip()
        namespace = title.partition(":")[0].strip().lower() if ":" in title else ""
        # With a colon before it the link is meant to be read.
        if namespace in self._silent_namespaces or (_INTERLANGUAGE.fullmatch(namespace) and node.text is None):
            return []
        return self._said(node.text) if node.text is not None else self._said_title(title)

    def _said_title(self, title: str) -> list[str]:
        return [title.removeprefix(":").partition("#")[0]] if "{{" not in title else []

    def _tag(self, node: Any) -> list[str]:
        name = str(node.tag).strip().lower()
        if node.wiki_markup is not None and _ITEM.match(str(node.wiki_markup)):
            return [_ITEM_MARK]
        if name in SILENT:
            return []
        said = self._said(node.contents)
        return ["\n", *said, "\n"] if name in BREAKS else said

    def _heading(self, node: Any) -> list[str]:
        return ["\n", *self._said(node.title), "\n"] if self._settings.headings else ["\n"]

    def _entity(self, node: Any) -> list[str]:
        character = node.normalize()
        return [] if character in (_ITEM_MARK, "\0") else [character]
