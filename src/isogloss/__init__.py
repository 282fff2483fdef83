"""isogloss: build, train, transfer, measure and serve XLM-R style cross-lingual encoders.

    import isogloss
    isogloss.load("runs/demo/pretrain").fill_mask(["Anna sees a <mask>."])

The front of the package: its public names, each loaded on first use, so that ``import isogloss`` costs nothing.
``isogloss.pretrain``, ``isogloss.finetune`` and ``isogloss.evaluate`` are the functions; what else their rooms have
is reached by ``from isogloss.pretrain import …``.
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isogloss.batches import BatchSettings
    from isogloss.checkpoint import load_model, save_model
    from isogloss.config import Duration, Settings, load_recipe
    from isogloss.corpus import Corpus, CorpusSettings, build_corpus
    from isogloss.demo import DemoSettings, run_demo
    from isogloss.errors import (
        CheckpointError,
        ConfigError,
        DataError,
        FolderError,
        IsoglossError,
        MissingExtraError,
        Preempted,
        VocabularyError,
    )
    from isogloss.evaluate import EvaluateSettings, Score, evaluate
    from isogloss.finetune import FinetuneSettings, finetune
    from isogloss.heads import TaskModel
    from isogloss.languages import Language, language
    from isogloss.loop import LoopSettings
    from isogloss.model import Encoder, MaskedLM, ModelSettings
    from isogloss.optim import OptimSettings
    from isogloss.phrasebook import PhrasebookSettings
    from isogloss.predict import Predictor, load
    from isogloss.pretrain import PretrainSettings, pretrain
    from isogloss.shards import Shards, ShardSettings, build_shards
    from isogloss.vocab import VocabSettings, Vocabulary, train_vocabulary

__all__ = [
    "BatchSettings",
    "CheckpointError",
    "ConfigError",
    "Corpus",
    "CorpusSettings",
    "DataError",
    "DemoSettings",
    "Duration",
    "Encoder",
    "EvaluateSettings",
    "FinetuneSettings",
    "FolderError",
    "IsoglossError",
    "Language",
    "LoopSettings",
    "MaskedLM",
    "MissingExtraError",
    "ModelSettings",
    "OptimSettings",
    "PhrasebookSettings",
    "Predictor",
    "Preempted",
    "PretrainSettings",
    "Score",
    "Settings",
    "ShardSettings",
    "Shards",
    "TaskModel",
    "VocabSettings",
    "Vocabulary",
    "VocabularyError",
    "build_corpus",
    "build_shards",
    "evaluate",
    "finetune",
    "language",
    "load",
    "load_model",
    "load_recipe",
    "pretrain",
    "run_demo",
    "save_model",
    "train_vocabulary",
]

# Which room a name comes from; the imports above say the same to type checkers, and a house test compares the two.
_ROOMS = {
    "batches": ("BatchSettings",),
    "checkpoint": ("load_model", "save_model"),
    "config": ("Duration", "Settings", "load_recipe"),
    "corpus": ("Corpus", "CorpusSettings", "build_corpus"),
    "demo": ("DemoSettings", "run_demo"),
    "errors": (
        *("CheckpointError", "ConfigError", "DataError", "FolderError", "IsoglossError", "MissingExtraError"),
        *("Preempted", "VocabularyError"),
    ),
    "evaluate": ("EvaluateSettings", "Score", "evaluate"),
    "finetune": ("FinetuneSettings", "finetune"),
    "heads": ("TaskModel",),
    "languages": ("Language", "language"),
    "loop": ("LoopSettings",),
    "model": ("Encoder", "MaskedLM", "ModelSettings"),
    "optim": ("OptimSettings",),
    "phrasebook": ("PhrasebookSettings",),
    "predict": ("Predictor", "load"),
    "pretrain": ("PretrainSettings", "pretrain"),
    "shards": ("ShardSettings", "Shards", "build_shards"),
    "vocab": ("VocabSettings", "Vocabulary", "train_vocabulary"),
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'isogloss' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"isogloss.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Front(types.ModuleType):
    """This module, which does not let the import of room ``pretrain`` put the room in the place of its function."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _HOMES or not isinstance(value, types.ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Front
