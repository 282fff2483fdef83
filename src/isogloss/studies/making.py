"""Making a shared stage, by the function of its own command; what is whole is left alone.

make_stage(stage, Path("runs/languages"), num_cores=2)       # once the stages that it needs are there
is_made(stage, Path("runs/languages"))
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from isogloss.corpus import Corpus, CorpusSettings, build_corpus
from isogloss.manifest import MANIFEST_NAME, building, write_json
from isogloss.phrasebook import write_text
from isogloss.shards import ShardSettings, build_shards
from isogloss.studies.grid import stage_settings
from isogloss.studies.labels import cut_labels, phrasebook_settings, write_labels
from isogloss.studies.stages import HELD_OUT, TEXT, TRAIN, Stage
from isogloss.studies.writing import change_documents, split_documents, write_translations
from isogloss.vocab import VocabSettings, train_vocabulary

__all__ = ["is_made", "make_stage"]

# Says that a stage is whole which has no manifest of its own.
DONE = "done.json"


def is_made(stage: Stage, output: Path) -> bool:
    """Whether the stage is there, whole."""
    path = stage.path(output)
    return stage.given is not None or (path / MANIFEST_NAME).is_file() or (path / DONE).is_file()


def make_stage(stage: Stage, output: Path, *, num_cores: int = 1) -> None:
    """Make a stage whose inputs are made; raises what its room raises."""
    if stage.given is not None:
        return
    path = stage.path(output)
    inputs = {part: one.path(output) for part, one in stage.inputs.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    if stage.kind in ROOMS:
        ROOMS[stage.kind](stage, inputs, path, num_cores)
    elif not is_made(stage, output):
        with building(path) as folder:
            # What an interrupted attempt has left may be half a file.
            shutil.rmtree(folder)
            folder.mkdir()
            WRITERS[stage.kind](stage, inputs, folder)
            write_json(folder / DONE, {"kind": stage.kind, "settings": dict(stage.settings)})


def _corpus(stage: Stage, inputs: Mapping[str, Path], path: Path, num_cores: int) -> None:
    given = {key: value for key, value in stage.settings.items() if key != "part"}
    text = inputs["text"] / str(stage.settings["part"])
    build_corpus(stage_settings(CorpusSettings, given, stage.name, "corpus", input=text, output=path))


def _vocab(stage: Stage, inputs: Mapping[str, Path], path: Path, num_cores: int) -> None:
    train_vocabulary(stage_settings(VocabSettings, stage.settings, stage.name, "vocab", output=path, **inputs))


def _shards(stage: Stage, inputs: Mapping[str, Path], path: Path, num_cores: int) -> None:
    given: dict[str, Any] = {"workers": num_cores, **stage.settings}
    build_shards(stage_settings(ShardSettings, given, stage.name, "shards", output=path, **inputs))


def _phrasebook(stage: Stage, inputs: Mapping[str, Path], folder: Path) -> None:
    amounts = {key: value for key, value in stage.settings.items() if key not in ("languages", "source")}
    write_text(folder / TEXT, phrasebook_settings(amounts, stage.settings["languages"], stage.settings["source"]))


def _split(stage: Stage, inputs: Mapping[str, Path], folder: Path) -> None:
    split_documents(Corpus.open(inputs["corpus"]), folder, stage.settings["languages"], parts=(TRAIN, HELD_OUT))


def _changed(stage: Stage, inputs: Mapping[str, Path], folder: Path) -> None:
    settings = stage.settings
    change_documents(
        Corpus.open(inputs["corpus"]),
        folder,
        settings["languages"],
        transform=settings["transform"],
        mixed_share=settings["mixed_share"],
    )


def _parallel(stage: Stage, inputs: Mapping[str, Path], folder: Path) -> None:
    settings = stage.settings
    write_translations(
        folder,
        settings["languages"],
        settings["source"],
        num_sentences=settings["num_sentences"],
        seed=settings["seed"],
    )


def _labels(stage: Stage, inputs: Mapping[str, Path], folder: Path) -> None:
    amounts = {key: value for key, value in stage.settings.items() if key not in ("languages", "task")}
    write_labels(folder, stage.settings["task"], stage.settings["languages"], amounts)


def _cut_labels(stage: Stage, inputs: Mapping[str, Path], folder: Path) -> None:
    settings = stage.settings
    cut_labels(inputs["labels"], folder, settings["task"], split=settings["split"], languages=settings["languages"])


# Rooms that write a folder with a manifest, beside and whole, and say themselves when it is done.
ROOMS: Mapping[str, Callable[[Stage, Mapping[str, Path], Path, int], None]] = {
    "corpus": _corpus,
    "vocab": _vocab,
    "shards": _shards,
}
WRITERS: Mapping[str, Callable[[Stage, Mapping[str, Path], Path], None]] = {
    "phrasebook": _phrasebook,
    "split": _split,
    "changed": _changed,
    "parallel": _parallel,
    "labels": _labels,
    "cut-labels": _cut_labels,
}
