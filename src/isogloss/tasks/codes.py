"""What published sets call languages, and the folders and configurations that hold them.

    language_called("swa", {}), language_called("cmn", {"cmn": "zh"})         # "sw", "zh"
    languages_of_configuration(find_task("xquad"), "xquad.de")                # ("de",)
    languages_of_source(task, name="sw", suffix=".parquet", languages=())     # of files that do not name theirs

No language is guessed: a file is of the one that its folder is called after, or of the one that is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from isogloss.errors import DataError
from isogloss.languages import canonical_code, is_listed

if TYPE_CHECKING:
    from isogloss.tasks.task import Task

__all__ = [
    "data_language",
    "language_called",
    "languages_of_configuration",
    "languages_of_source",
    "pattern_of",
    "same_language",
]


def data_language(code: str) -> str:
    """The language of the text in a file: that of the context for MLQA's pairs `context-de-question-en`."""
    return code.split("-")[1] if code.startswith("context-") else code


def same_language(code: str, other: str) -> bool:
    """Whether two codes name one language, however they are spelt; of MLQA's pairs only one that is the same pair."""
    if code == other or code.startswith("context-") or other.startswith("context-"):
        return code == other
    return _spelt(code) is not None and _spelt(code) == _spelt(other)


def language_called(name: str, codes: Mapping[str, str]) -> str | None:
    """The code of what a published set calls a language, None where that is none; MLQA's pairs as we name them."""
    if name.startswith("context-"):
        _, context, _, question = (*name.split("-"), "", "", "")[:4]
        return name if context != question else context
    if name in codes:
        return codes[name]
    code = _spelt(name)
    # The usual script goes without saying, as in our own files.
    return None if code is None else name if len(name) == 2 else code


def languages_of_configuration(task: Task, name: str) -> tuple[str, ...]:
    """The languages of the task that a configuration of the Hub holds, or a folder of that name; none: not of it."""
    for form in task.configurations:
        match = pattern_of(form).fullmatch(name)
        if match is None:
            continue
        if "{language}" not in form:
            return task.languages
        code = language_called(match["language"], task.codes)
        if code is not None and _is_of(task, code):
            return (code,)
    return ()


def languages_of_source(task: Task, *, name: str, suffix: str, languages: Sequence[str]) -> tuple[str, ...]:
    """The languages of files that do not name theirs, in a folder or configuration called `name`; none: not known.

    `languages` are those asked for, which counts where it is one and the folder's name says nothing.
    """
    if suffix in task.all_in_one or len(task.languages) == 1:
        return task.languages
    # Any folder may be called "ner" or "new": a word of three letters is a code only where a table has it.
    named = languages_of_configuration(task, name)
    if named and (task.languages or name in task.codes or is_listed(data_language(named[0]))):
        return named
    return tuple(languages) if len(languages) == 1 else ()


def pattern_of(form: str) -> re.Pattern[str]:
    """What matches a form such as `*/{language}_*.conllu`; the language is the same wherever it stands."""
    first, *others = (re.escape(part).replace(r"\*", "[^/]*") for part in form.split("{language}"))
    if not others:
        return re.compile(first)
    return re.compile(f"{first}(?P<language>[^/]+?){'(?P=language)'.join(others)}")


def _is_of(task: Task, code: str) -> bool:
    return not task.languages or any(same_language(data_language(code), one) for one in task.languages)


def _spelt(code: str) -> str | None:
    try:
        return canonical_code(code)
    except DataError:
        return None
