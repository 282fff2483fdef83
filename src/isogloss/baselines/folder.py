"""A tagger's folder: settings, weights as safetensors, words and characters as JSON lists; written whole or not at all.

    save_tagger(Path("runs/lstm/model"), tagger, training={"seed": 1, …}, statistics={})
    tagger = load_tagger(Path("runs/lstm/model"))

Nothing in it is unpickled, and all that tagging needs lies there, the character language models too.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from isogloss.baselines.lexicon import Lexicon
from isogloss.baselines.strings import ContextualStrings
from isogloss.baselines.tagger import Tagger, TaggerSettings
from isogloss.config import make_settings
from isogloss.errors import CheckpointError, ConfigError, FolderError
from isogloss.manifest import (
    MANIFEST_NAME,
    MODELS,
    TAGGER,
    Manifest,
    building,
    hash_file,
    read_manifest,
    write_json,
    write_manifest,
)

__all__ = ["is_tagger", "load_tagger", "save_tagger"]

COMMAND = "isogloss baseline"
CONFIG_NAME, WEIGHTS_NAME = "config.json", "model.safetensors"
WORDS_NAME, CHARACTERS_NAME, STRINGS_NAME = "words.json", "characters.json", "strings"
FURTHER = "further_words"


def save_tagger(
    folder: Path, tagger: Tagger, *, training: Mapping[str, Any], statistics: Mapping[str, Any]
) -> Manifest:
    """Write the tagger; an earlier one at `folder` is replaced once the new one is whole.

    `training` is what scores say of it (seed, setting, …). Raises FolderError where there is no room.
    """
    settings = {"tagger": tagger.settings.model_dump(mode="json"), "labels": list(tagger.labels)}
    with building(folder) as beside:
        for leftover in beside.iterdir():  # of an attempt that was cut off
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        write_json(beside / CONFIG_NAME, settings | {"num_learned": tagger.lexicon.num_learned})
        write_json(beside / WORDS_NAME, tagger.lexicon.words)
        write_json(beside / CHARACTERS_NAME, tagger.lexicon.characters)
        if isinstance(tagger.strings, ContextualStrings):
            tagger.strings.save(beside / STRINGS_NAME)
        _save_weights(_weights(tagger), beside / WEIGHTS_NAME)
        num_parameters = sum(parameter.numel() for parameter in tagger.parameters())
        return write_manifest(
            beside,
            kind=TAGGER,
            command=COMMAND,
            config=settings | {"training": training},
            statistics={"num_parameters": num_parameters, **statistics},
        )


def is_tagger(folder: Path) -> bool:
    """Whether a whole tagger lies in the folder, or another model."""
    return (folder / MANIFEST_NAME).exists() and read_manifest(folder, *MODELS).kind == TAGGER


def load_tagger(folder: Path) -> Tagger:
    """The tagger of a folder, on the CPU, in evaluation mode.

    Raises FolderError for a folder of another kind or one that was changed, CheckpointError for what cannot be read.
    """
    manifest = read_manifest(folder, TAGGER)
    for name, facts in manifest.files.items():
        if hash_file(folder / name) != facts["xxh3_128"]:
            raise CheckpointError(f"{folder / name} is not what manifest.json says was written; copy it again")
    try:
        config = json.loads((folder / CONFIG_NAME).read_text(encoding="utf-8"))
        words, characters = (
            tuple(json.loads((folder / name).read_text(encoding="utf-8"))) for name in (WORDS_NAME, CHARACTERS_NAME)
        )
        settings = make_settings(TaggerSettings, config["tagger"], where=str(folder / CONFIG_NAME))
        lexicon = Lexicon(words, config["num_learned"], frozenset(), characters)
        strings = ContextualStrings.load(folder / STRINGS_NAME) if (folder / STRINGS_NAME).is_dir() else None
        tagger = Tagger(settings, lexicon, config["labels"], strings=strings)
        weights = load_file(folder / WEIGHTS_NAME)
        further = weights.pop(FURTHER, None)
        tagger.load_state_dict(weights)
        if further is not None:
            tagger.get_buffer(FURTHER).copy_(further)
    except (KeyError, TypeError, ValueError, RuntimeError, ConfigError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise CheckpointError(f"{folder} is no tagger of this version ({reason}); train it again") from None
    return tagger.eval()


def _weights(tagger: Tagger) -> dict[str, Tensor]:
    """Every parameter, and the vectors of words that occur in no training file."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in tagger.state_dict().items()}
    further = dict(tagger.named_buffers()).get(FURTHER)
    return weights if further is None or not len(further) else weights | {FURTHER: further.cpu().contiguous()}


def _save_weights(weights: Mapping[str, Tensor], path: Path) -> None:
    try:
        save_file(dict(weights), path)
    except SafetensorError as error:  # its own class for what the disk says
        raise FolderError(f"{path} cannot be written ({error}); make room and give the command again") from None
