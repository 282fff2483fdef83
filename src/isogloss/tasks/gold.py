"""Labelled files as predictions are scored against them: the language in any spelling, what official scorers need.

    gold = read_gold(find_task("mlqa"), Path("dev.zh.json"), language="cmn", tell=print)
    gold.language                # "zh", as the task has it: rules go by it
    gold.examples                # every one labelled

What a reader of scores should know is told: another scheme of tags, a language that the task does not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isogloss.errors import DataError
from isogloss.languages import canonical_code
from isogloss.tasks.codes import data_language, same_language
from isogloss.tasks.examples import Example, is_labelled
from isogloss.tasks.files import Tell, silent
from isogloss.tasks.metrics import general_rules
from isogloss.tasks.schemes import TagScheme
from isogloss.tasks.tagged import scheme_in
from isogloss.tasks.task import Task

__all__ = ["Gold", "language_of", "read_gold"]


@dataclass(frozen=True)
class Gold:
    """Labelled examples and the code of their language, with what else of the file bears on predictions.

    `scheme` is what entities were written in; `other_ids` are questions of the file in other languages.
    """

    examples: Sequence[Example]
    language: str
    scheme: TagScheme = "IOB2"
    other_ids: frozenset[str] = frozenset()


def read_gold(task: Task, path: Path, *, language: str, tell: Tell = silent) -> Gold:
    """The examples of a language in a labelled file.

    Raises DataError with file and line for what cannot be used, and where there is nothing to score against.
    """
    code = language_of(task, language, tell)
    task = task.to_score()
    part = language if language.startswith("context-") else code
    examples = task.read_part(path, split="", language=part, unlabelled=True, tell=tell)
    if not is_labelled(examples[0]):
        raise DataError(f"{path} has no labels: there is nothing to score against")
    scheme = scheme_in(path) if task.has_entities else "IOB2"
    return Gold(examples, code, scheme, _other_ids(task, path, examples))


def language_of(task: Task, language: str, tell: Tell = silent) -> str:
    """The code that rules and files go by: the task's own spelling of a language it has, else the usual one.

    Another language is scored all the same, and how is told. Raises DataError for what is no code.
    """
    code = canonical_code(data_language(language))
    own = next((one for one in task.languages if same_language(one, code)), code)
    if task.languages and _base(code) not in map(_base, task.languages):
        rules = task.answer_rules
        how = "all the same" if rules is None else f"by the general rules: {general_rules(code, rules)}"
        tell(f"task {task.name} has no language '{language}'; scored {how}")
    return own


def _base(code: str) -> str:
    """A language without script and region, which no rule goes by."""
    return canonical_code(code).split("-")[0]


def _other_ids(task: Task, path: Path, examples: Sequence[Example]) -> frozenset[str]:
    """The ids of a file with several languages in it that are not of these examples; scorers take answers to all."""
    if task.kind != "answer" or not task.all_in_one:
        return frozenset()
    reader: Any = task.reader  # of questions, which takes names of languages
    every = reader(path, unlabelled=True, languages_in_ids={})
    mine: Any = examples
    return frozenset(one.id for one in every) - {one.id for one in mine}
