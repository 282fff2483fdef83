"""Settings of cross-lingual transfer: whose labels a model is fine-tuned on before it is asked in other languages.

    files = training_files(task, Path("data/nli"), "zero-shot", ())          # {"en": data/nli/train.en.tsv}
    files = training_files(task, Path("data/nli"), "translate-train-all", ())    # every language there is

Translated training text lies in files like any other, train.sw.tsv; "translate-test" is zero-shot whose test files are
translated into the source language, so nothing of it is decided here. Paper: section 4 and tables 1 to 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from isogloss.errors import ConfigError
from isogloss.tasks import Task, find_files

__all__ = ["SETTINGS", "Setting", "SettingRule", "training_files"]

Setting = Literal["zero-shot", "each", "translate-train", "translate-train-all", "all"]


@dataclass(frozen=True)
class SettingRule:
    """How many languages a setting trains on: any number that is given, one, or many (if none are given, all)."""

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
    task: Task, data: Path, setting: Setting, languages: Sequence[str], *, split: str = "train"
) -> dict[str, Path]:
    """The training files that the setting asks for, by language; raises ConfigError for what does not agree."""
    rule = SETTINGS[setting]
    if rule.languages == "one" and len(languages) != 1:
        raise ConfigError(
            f"setting = {setting} trains on one language, source_languages has {len(languages)}; "
            f'for example source_languages=["sw"]'
        )
    if rule.languages == "any" and not languages:
        languages = ("en",)
    files = find_files(task, data, split=split, languages=languages)
    if rule.languages == "many" and len(files) < 2:
        raise ConfigError(
            f"setting = {setting} trains on several languages, {data} has {split} in {', '.join(files)} only; "
            "use setting=zero-shot or setting=each"
        )
    return files
