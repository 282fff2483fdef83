"""Models that are asked: what each is, in which languages it is asked, and where its predictions go.

    models = asked_models([Path("runs/ner")], selections="chosen", translated=False)
    models = with_languages(models, ("de", "en"))               # those that there is anything to ask
    places_of(models)[models[0].folder]                          # Path("ner")

A model of the settings each and translate-train is for the language that it was trained on, one that was chosen by
selection per-language-dev for that language: asked in another one it would be something else than its scores would say.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from isogloss.checkpoint import fingerprint_of, training_of
from isogloss.errors import ConfigError
from isogloss.labelled import say
from isogloss.run_models import LANGUAGES, PER_LANGUAGE, chosen_models
from isogloss.tasks import same_language
from isogloss.transfer import own_language

__all__ = ["AskedModel", "asked_models", "places_of", "source_languages", "with_languages"]


@dataclass(frozen=True)
class AskedModel:
    """A model that is asked: the one language that it is for, if for one, and what it says of its training."""

    folder: Path
    language: str
    training: Mapping[str, Any]
    fingerprint: str

    def is_for(self, language: str) -> bool:
        """Whether it is asked in this language."""
        return not self.language or same_language(self.language, language)


def asked_models(
    folders: Sequence[Path], *, selections: Literal["chosen", "all"], translated: bool
) -> list[AskedModel]:
    """The models, each once: one that is named twice, or lies in two places, would count as two seeds.

    With `translated` tests, all of which are in a model's own language, it is asked in all. Raises FolderError where
    there is no model.
    """
    models: dict[tuple[str, str], AskedModel] = {}
    for one in chosen_models(folders, selections=selections):
        training = training_of(one.folder)
        language = one.language or ("" if translated else own_language(training))
        asked = AskedModel(one.folder, language, training, fingerprint_of(one.folder))
        first = models.setdefault((asked.fingerprint, asked.language), asked)
        if first is not asked:
            say(f"{asked.folder} is the same model as {first.folder}: it is scored once")
    return list(models.values())


def source_languages(folders: Sequence[Path]) -> tuple[str, ...]:
    """The languages whose labels models were fine-tuned on, where that is one setting of all; English if nobody says.

    A model of every language has no others to be asked in.
    """
    told = [training_of(chosen.folder) for chosen in chosen_models(folders)]
    found = dict.fromkeys(language for training in told for language in training.get("source_languages", ()))
    return tuple(found) or ("en",)


def with_languages(models: Sequence[AskedModel], languages: Sequence[str]) -> list[AskedModel]:
    """The models that are asked in any of these languages; of others it is said that they are left out.

    Raises ConfigError where none is left.
    """
    asked = [one for one in models if any(map(one.is_for, languages))]
    if not asked:
        first = models[0]
        raise ConfigError(
            f"{first.folder} is for {first.language} alone, and what there is to score is {', '.join(languages)}; name "
            f"{first.language} in languages, or fine-tune with setting=zero-shot for a model that is asked in any"
        )
    for one in models:
        if one not in asked:
            say(f"{one.folder} is for {one.language}, which is not scored: left out")
    return asked


def places_of(models: Sequence[AskedModel]) -> dict[Path, Path]:
    """Where the predictions of each model go, by its folder: its run's path without what all have in common.

    Models of one language each go to one folder together, as each has the file of its own language.
    """
    runs = {asked.folder: _run(asked).resolve() for asked in models}
    together = os.path.commonpath([run.parent for run in runs.values()])
    return {folder: run.relative_to(together) for folder, run in runs.items()}


def _run(asked: AskedModel) -> Path:
    run = asked.folder.parent if asked.folder.name == "model" else asked.folder
    if asked.language and run.parent.name == LANGUAGES:
        return run.parent.parent
    return run.parent if asked.language and run.parent.name == PER_LANGUAGE else run
