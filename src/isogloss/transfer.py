"""Settings of cross-lingual transfer: whose labels a model is fine-tuned on before it is asked in other languages.

    files = training_files(task, Path("data/nli"), "zero-shot", ())          # {"en": data/nli/train.en.tsv}
    files = training_files(task, Path("data/nli"), "translate-train-all", ())    # every language there is
    codes = languages_with_models(task, Path("data/ner"), "each", ())            # ("de", "en"): a model for each
    files = translated_tests(task, data, translated, source="en", split="test")    # {"en": data/test.en.tsv, "sw": …}

Translated training text lies in files like any other, train.sw.tsv. Translate-test is another matter: a zero-shot model
is asked about test files that were translated into its source language, so it is a setting of evaluation. Such a file
is called by the language that it came from. Paper: section 4 and tables 1 to 3.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from isogloss.errors import ConfigError
from isogloss.tasks import Kind, Task, Tell, data_language, find_files
from isogloss.tasks.files import silent

__all__ = [
    "SETTINGS",
    "TRANSLATE_TEST",
    "Setting",
    "SettingRule",
    "check_translate_test",
    "is_a_model_a_language",
    "languages_with_models",
    "own_language",
    "source_of",
    "training_files",
    "translated_tests",
]

TRANSLATE_TEST = "translate-test"
# Kinds of tasks that have no translated test files, and why.
UNTRANSLATED: Mapping[Kind, str] = {
    "tag": "tags belong to the words of the original, and would have to be projected onto those of a translation",
    "answer": "answers are pieces of the original context, and would have to be projected onto a translation",
    "retrieve": "translations are what is looked for",
}
# Settings of a fine-tuning that used labels of its source language, nothing translated and no other language.
OF_ONE_SOURCE = ("zero-shot", "each", "")


def _no_test(value: Any) -> Any:
    if value == TRANSLATE_TEST:
        raise ValueError("a model is fine-tuned with zero-shot, then 'isogloss evaluate … translated=FOLDER' asks it")
    return value


Setting = Annotated[
    Literal["zero-shot", "each", "translate-train", "translate-train-all", "all"], BeforeValidator(_no_test)
]


@dataclass(frozen=True)
class SettingRule:
    """How many languages a model is trained on: any number that is given, one (and a model for each, the paper's
    #M = N), or many; if none are given, all there are, but in "any" English."""

    languages: Literal["any", "one", "many"]
    about: str


SETTINGS: Mapping[Setting, SettingRule] = {
    "zero-shot": SettingRule("any", "labels of the source languages only, English unless others are given"),
    "each": SettingRule("one", "labels of the one language that is tested: a model a language"),
    "translate-train": SettingRule("one", "training text translated into the one language that is tested"),
    "translate-train-all": SettingRule("many", "training text translated into all languages, one model"),
    "all": SettingRule("many", "the labels of all languages, one model"),
}


def training_files(
    task: Task,
    data: Path,
    setting: Setting,
    languages: Sequence[str],
    *,
    split: str = "train",
    tell: Tell = silent,
) -> dict[str, Path]:
    """The training files of one model that the setting asks for, by language; `tell` is told what is passed over.

    Raises ConfigError for what does not agree.
    """
    rule = SETTINGS[setting]
    if rule.languages == "any" and not languages:
        languages = ("en",)
    files = find_files(task, data, split=split, languages=languages, tell=tell)
    if rule.languages == "many" and len(files) < 2:
        raise ConfigError(
            f"setting = {setting} trains on several languages, {data} has {split} in {', '.join(files)} only; "
            "use setting=zero-shot or setting=each"
        )
    return files


def languages_with_models(
    task: Task, data: Path, setting: Setting, languages: Sequence[str], *, split: str = "train"
) -> tuple[str, ...]:
    """The languages that have a model of their own under this setting; none where one model is all there is.

    Raises DataError naming a training file that is not there.
    """
    if SETTINGS[setting].languages != "one":
        return ()
    found = tuple(find_files(task, data, split=split, languages=languages))
    return found if len(found) > 1 else ()


def is_a_model_a_language(setting: str) -> bool:
    """Whether models of this setting are asked in the one language that they were trained on."""
    return any(setting == name and rule.languages == "one" for name, rule in SETTINGS.items())


def own_language(training: Mapping[str, Any]) -> str:
    """The one language that a model is asked in, by what it says of its training; "" where it may be asked in any."""
    languages = training.get("source_languages", [])
    return str(languages[0]) if is_a_model_a_language(training.get("setting", "")) and len(languages) == 1 else ""


def check_translate_test(task: Task) -> None:
    """Raise ConfigError for a task whose labels are not those of whole texts."""
    if task.kind in UNTRANSLATED:
        raise ConfigError(f"task {task.name} has no translate-test: {UNTRANSLATED[task.kind]}; leave out translated")


def source_of(folder: Path, training: Mapping[str, Any]) -> str:
    """The one language that a model was fine-tuned in, by what it says of its training; English if it says nothing.

    Raises ConfigError for a model of several languages, and for one of translated labels.
    """
    languages, setting = training.get("source_languages", ["en"]), training.get("setting", "")
    if len(languages) != 1 or setting not in OF_ONE_SOURCE:
        raise ConfigError(
            f"{folder} was fine-tuned with setting = {setting} in {', '.join(languages)}; translated test files are "
            "for a model of one language's own labels: setting=zero-shot with one source language"
        )
    return data_language(languages[0])


def translated_tests(
    task: Task, data: Path, translated: Path, *, source: str, split: str, languages: Sequence[str] = ()
) -> dict[str, Path]:
    """Test files in the language `source`, by the language they are of: its own from `data`, the others translated.

    Raises DataError naming what is not there.
    """
    check_translate_test(task)
    of_translations = dataclasses.replace(task, files=task.translated)
    others = [code for code in languages if code != source]
    files: dict[str, Path] = {}
    if others or not languages:
        files = find_files(of_translations, translated, split=split, languages=others)
    if source in languages or not languages:
        files |= find_files(task, data, split=split, languages=[source])
    return {code: files[code] for code in languages} if languages else dict(sorted(files.items()))
