"""What files, folders and data sets are called → the language they are in: a BCP 47 code, or None.

language_of_name("sw")                   # 'sw', as everything isogloss.languages has a code for: swh_Latn, hi_rom
language_of_name("c4-iw")                # 'he': mC4
language_of_name("sw_head_0000")         # 'sw': CCNet
language_of_name("zh_min_nanwiki-20231101-pages-articles")   # 'nan': Wikimedia's dumps
language_of_name("20231101.simple")      # 'en': Wikipedia by date, as wikimedia/wikipedia has it
"""

from __future__ import annotations

import functools
import re
from pathlib import PurePosixPath

from isogloss.errors import DataError
from isogloss.languages import canonical_code, is_known

__all__ = ["WIKIMEDIA", "code_or_none", "language_of_name", "language_of_path"]

# Wikimedia's names that are no BCP 47 code, or that of another language
# (https://meta.wikimedia.org/wiki/Special_language_codes).
WIKIMEDIA = {
    "als": "gsw",
    "bat-smg": "sgs",
    "be-x-old": "be-tarask",
    "bh": "bho",
    "cbk-zam": "cbk-x-zam",
    "eml": "egl",
    "fiu-vro": "vro",
    "map-bms": "jv-x-bms",
    "mo": "ro-Cyrl",
    "nds-nl": "nds-NL",
    "nrm": "nrf",
    "roa-rup": "rup",
    "roa-tara": "nap-x-tara",
    "simple": "en",
    "zh-classical": "lzh",
    "zh-min-nan": "nan",
    "zh-yue": "yue",
}
_PROJECTS = "wiki|wikibooks|wikinews|wikiquote|wikisource|wikiversity|wikivoyage|wiktionary"
_DUMP = re.compile(rf"(?P<code>[a-z]{{2,}}(_[a-z]+)*?)({_PROJECTS})(-.*)?")
_DATED = re.compile(r"[0-9]{8}\.(?P<code>[a-z]{2,}([-_][a-z]+)*)")
_MC4 = re.compile(r"c4-(?P<code>[A-Za-z-]+)")
_CCNET = re.compile(r"(?P<code>[a-z]{2,3})_(head|middle|tail|all)(_[0-9]+)?")


@functools.lru_cache(maxsize=4096)
def code_or_none(text: str) -> str | None:
    """The canonical code of what a file or a record calls its language, None if that is not BCP 47."""
    try:
        return canonical_code(text)
    except DataError:
        return None


def language_of_name(text: str) -> str | None:
    """The language that a file, a folder or a configuration of a data set is named after."""
    if (match := _DUMP.fullmatch(text) or _DATED.fullmatch(text)) is not None:
        code = match["code"].replace("_", "-")
        return WIKIMEDIA.get(code) or code_or_none(code)
    match = _MC4.fullmatch(text) or _CCNET.fullmatch(text)
    return code_or_none(match["code"] if match is not None else text)


def language_of_path(name: PurePosixPath) -> str | None:
    """The language a path names: a code of the table wins over one outside it, a nearer folder over a farther one."""
    folders = [parent.name for parent in name.parents if parent.name]
    texts = (*folders, name.name.partition(".")[0])
    codes = [code for text in texts if (code := language_of_name(text)) is not None]
    known = [code for code in codes if is_known(code)]
    return next(iter(known or codes), None)
