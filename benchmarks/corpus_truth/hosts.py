"""Hosts on example domains, and what stands on all pages of one: a menu, a notice and a footer, of words of our own.

    site = Hosts(settings).choose("sw", number, random)
    site.url(random), site.around(lines, random)

boilerplate.toml has them in 15 languages; a host in another language has them in English, as many a site does.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from clean_pages import Line, draws
from settings import CrawlOfTextSettings

__all__ = ["Host", "hosts_of"]

# Reserved for examples (RFC 2606).
DOMAINS = ("example.com", "example.net", "example.org")
SYLLABLES = ("ba", "do", "fe", "gi", "ka", "lo", "mi", "nu", "pa", "ri", "so", "tu", "ve", "zo")
YEARS = range(2009, 2019)


@dataclass(frozen=True)
class Host:
    """``boilerplate`` is empty, or the lines before and after the text of a page, with numbers left open."""

    name: str
    is_plain: bool
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def url(self, random: Random) -> str:
        """An address of a page; the number is long enough to be drawn once."""
        return f"https://{self.name}/{random.choice(('news', 'page', 'stories'))}/{random.randrange(10**10):010d}"

    def around(self, lines: Iterable[Line], random: Random) -> tuple[Line, ...]:
        """The lines with what stands on all pages of the host before and behind them."""
        pages = random.randrange(2, 60)
        numbers = {"page": random.randrange(1, pages + 1), "pages": pages}
        before, after = (
            tuple(Line(text.format(**numbers), "boilerplate") for text in texts) for texts in (self.before, self.after)
        )
        return (*before, *lines, *after)


def hosts_of(language: str, num_pages: int, settings: CrawlOfTextSettings) -> list[Host]:
    """As many hosts as the pages of a language need."""
    random = draws(settings, "hosts", language)
    return [_host(language, random, settings) for _ in range(-(-num_pages // settings.pages_per_host))]


def _host(language: str, random: Random, settings: CrawlOfTextSettings) -> Host:
    name = "".join(random.choice(SYLLABLES) for _ in range(5))
    host = Host(f"{name}.{random.choice(DOMAINS)}", random.random() < settings.shares.plain_hosts)
    if random.random() >= settings.shares.boilerplate_hosts:
        return host
    texts = _texts().get(language, _texts()["en"])
    items = random.sample(texts["menu"], random.randrange(3, len(texts["menu"]) + 1))
    fixed = {"site": name.capitalize(), "year": random.choice(YEARS), "page": "{page}", "pages": "{pages}"}
    return Host(
        host.name,
        host.is_plain,
        before=(*items, random.choice(texts["notices"]).format(**fixed)),
        after=tuple(text.format(**fixed) for text in texts["feet"]),
    )


@functools.cache
def _texts() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("boilerplate.toml").read_text(encoding="utf-8"))
