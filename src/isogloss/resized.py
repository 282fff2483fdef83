"""A model folder with another vocabulary than the model it was made from: read, compared, written, found again.

    model, vocabulary = read_source(source)
    ...                                                  # what trim and extend do, each in its way
    write_resized(target, larger, more, source=source, command=COMMAND, card=card, parents=parents, report=report)
    done = made_before(target, read_outcome, OUTCOME_NAME, command=COMMAND, choice=choice, parents=parents, way="…")

What the folder says of the model's training, its pooling and its longest text is what the earlier one said.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from isogloss.attention import Layout
from isogloss.checkpoint import Card, encoder_of, load_vocabulary, read_model, require_ours, save_model, training_of
from isogloss.errors import FolderError
from isogloss.heads import TaskModel
from isogloss.interop.sentence_transformers import read_modules
from isogloss.interop.tokenizer_json import TOKENIZER_JSON
from isogloss.manifest import MANIFEST_NAME, Manifest, read_manifest
from isogloss.model import Encoder, MaskedLM
from isogloss.vocab import MODEL_NAME, Vocabulary
from isogloss.vocab.hub import write_hub_files

__all__ = ["OurModel", "hidden_states", "made_before", "our_encoder", "read_source", "write_resized"]

# Where sentence-transformers looks for the longest text that it gives the encoder.
LENGTH_NAME = "sentence_bert_config.json"

OurModel: TypeAlias = MaskedLM | TaskModel | Encoder
Done = TypeVar("Done")


def read_source(source: Path) -> tuple[OurModel, Vocabulary]:
    """The model of a folder, for evaluation, and its vocabulary.

    Raises CheckpointError for one of another family or that cannot be read, VocabularyError where the two do not fit.
    """
    model = read_model(source)
    require_ours(model, source)
    assert isinstance(model, OurModel)
    return model, load_vocabulary(source, our_encoder(model.eval()))


def our_encoder(model: OurModel) -> Encoder:
    """The model's encoder."""
    encoder = encoder_of(model)
    assert isinstance(encoder, Encoder)
    return encoder


def hidden_states(encoder: Encoder, ids: npt.NDArray[np.integer[Any]]) -> torch.Tensor:
    """Of one text with its ends, [N, D]; ``ids`` are those between <s> and </s>, as many as the model can take."""
    with_ends = np.array([0, *ids[: encoder.settings.max_length - 2], 2])
    states: torch.Tensor = encoder(torch.from_numpy(with_ends), Layout.of([len(with_ends)]))
    return states


def write_resized(
    target: Path,
    model: OurModel,
    vocabulary: Vocabulary,
    *,
    source: Path,
    command: str,
    card: Card,
    parents: Sequence[Manifest],
    report: Callable[[Path], None],
    added: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write the folder whole or not at all; ``report`` writes into it, last, what is to stand beside the model.

    ``added`` are the tokens of the new tokenizer.json that the vocabulary does not have.
    """
    modules = read_modules(source)

    def beside_the_model(folder: Path) -> None:
        if modules is not None and (modules.encoder / LENGTH_NAME).is_file():
            shutil.copyfile(modules.encoder / LENGTH_NAME, folder / LENGTH_NAME)
        report(folder)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / MODEL_NAME).write_bytes(vocabulary.content)
        if added:
            write_hub_files(folder, vocabulary)
            content = json.loads((folder / TOKENIZER_JSON).read_text(encoding="utf-8"))
            content["added_tokens"] += added
            (folder / TOKENIZER_JSON).write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
        save_model(
            target,
            model,
            vocabulary_folder=folder,
            parents=parents,
            command=command,
            card=card,
            training=training_of(source) or None,
            pooling=modules.pooling() if modules is not None and isinstance(model, Encoder) else None,
            more=beside_the_model,
        )


def made_before(
    target: Path,
    read_outcome: Callable[[Path], tuple[Done, Mapping[str, Any]]],
    outcome_name: str,
    *,
    command: str,
    choice: Mapping[str, Any],
    parents: Sequence[Manifest],
    way: str,
) -> Done | None:
    """What an earlier run of this very command wrote, None where there is nothing.

    ``choice`` are the settings that are not places; ``way`` says in the error what should lie there.
    Raises FolderError where anything else lies at the target.
    """
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return None
    another = FolderError(f"{target} is there already and is no {way}; choose another folder or delete it")
    if not (target / MANIFEST_NAME).is_file() or not (target / outcome_name).is_file():
        raise another
    manifest = read_manifest(target, "model")
    done, chosen = read_outcome(target)
    wanted = {parent.kind: parent.fingerprint for parent in parents}
    if manifest.command != command or manifest.parents != wanted or chosen != choice:
        raise another
    return done
