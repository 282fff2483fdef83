"""A model folder from another tool's files, or the other way: read, converted, compared, then written.

    done = convert(Path("xlmr.base"), Path("runs/xlmr"), to="hf")          # a fairseq checkpoint → a model folder
    done = convert(Path("runs/xlmr"), Path("xlmr.again"), to="fairseq")    # a model folder → a fairseq checkpoint
    done = convert(Path("runs/xlmr"), Path("xlmr.st"), to="sentence-transformers", pooling=Pooling("cls"))
    done.largest_difference                                                # of logits, on sentences in many scripts

Before anything stands at the target, the converted model is compared with fairseq's definition computed plainly from
fairseq's own weights; what does not agree is not written. An embedding model has the weights of the encoder that it was
made from, to the bit. The target is written beside and renamed last, is never
written over, and the same command again finds it and compares it once more.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import xxhash
from torch import Tensor

from isogloss.attention import Layout
from isogloss.checkpoint import (
    Card,
    languages_of,
    load_encoder,
    load_model,
    load_vocabulary,
    manifest_of,
    name_of,
    require_ours,
    save_model,
)
from isogloss.errors import CheckpointError, ConfigError, FolderError
from isogloss.heads import TaskModel
from isogloss.interop.fairseq import (
    MASKED,
    from_fairseq,
    num_rows_of,
    order_for,
    plain_logits,
    read_checkpoint,
    read_labels,
    read_symbols,
    rows_of,
    to_fairseq,
    write_checkpoint,
    write_labels,
    write_symbols,
)
from isogloss.interop.probes import PROBES, probe_sequences
from isogloss.interop.sentence_transformers import Pooling, read_modules
from isogloss.manifest import MANIFEST_NAME, Manifest, building, hash_file, read_manifest, write_manifest
from isogloss.model import Encoder, MaskedLM
from isogloss.vocab import MODEL_NAME, Vocabulary

__all__ = ["Conversion", "Format", "Pooling", "convert"]

Format = Literal["hf", "fairseq", "sentence-transformers"]

COMMAND = "isogloss convert"
CHECKPOINT_NAME, SYMBOLS_NAME, LABELS_NAME = "model.pt", "dict.txt", "label/dict.txt"
KINDS: dict[Format, str] = {"hf": "model", "fairseq": "fairseq", "sentence-transformers": "model"}
# Two correct programs differ by rounding, some 1e-6 of the largest logit; a wrong table by about the logits themselves.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Conversion:
    """What a conversion did. `notes` say what is left out.

    `largest_difference` is of logits on `num_probes` sentences; for an embedding model ("encoder") of hidden states.
    """

    path: str
    to: Format
    head: str
    num_parameters: int
    num_probes: int
    largest_difference: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Fairseq:
    """A fairseq checkpoint as it was read, and the model that it is with us."""

    args: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    symbols: Sequence[str]
    rows_V: Tensor  # fairseq's id of each of ours
    head: str | None  # the classification head, None for the masked-LM head
    vocabulary: Vocabulary
    model: MaskedLM | TaskModel
    notes: tuple[str, ...]


def convert(
    source: Path,
    target: Path,
    *,
    to: Format,
    head: str | None = None,
    pooling: Pooling | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Conversion:
    """Write at `target` what the model at `source` is in the other format, and say how much its logits differ.

    `head` chooses among the heads of a fairseq checkpoint ("masked", or a classification head's name), `pooling` how
    an embedding model makes its vectors; `say` hears each step. Raises CheckpointError, VocabularyError or FolderError
    in one line, and then leaves nothing at `target`; ConfigError for a choice that is another format's.
    """
    if to != "hf" and head is not None:
        raise ConfigError("--head chooses a head of a fairseq checkpoint; a model folder has one head, so leave it out")
    if to != "sentence-transformers" and pooling is not None:
        raise ConfigError(f"a pooling is for --to sentence-transformers; with --to {to} leave it out")
    say(f"reading {source}")
    with torch.inference_mode():
        if to == "hf":
            return _from_fairseq(source, target, head, say)
        if to == "fairseq":
            return _to_fairseq(source, target, say)
        return _to_embedding_model(source, target, pooling or Pooling(), say)


def _from_fairseq(source: Path, target: Path, head: str | None, say: Callable[[str], None]) -> Conversion:
    theirs = _read_fairseq(source, head)
    parent = Manifest("fairseq", "", "", {}, {}, {}, fingerprint=_fingerprint(source, theirs.head))
    before = _made_before(target, "hf", source, parent)
    say("comparing logits on sentences in many scripts")
    model = load_model(target).eval() if before else theirs.model
    difference = _compare(theirs, model, where=str(source))
    if not before:
        say(f"writing {target}")
        save_model(
            target,
            model,
            vocabulary_folder=source,
            parents=[parent],
            command=COMMAND,
            card="Converted from a fairseq checkpoint; on probe sentences its logits differ from fairseq's definition, "
            f"computed from the same weights, by {difference:.1e} at most.",
        )
    return _conversion(target, "hf", model, theirs, difference)


def _to_fairseq(source: Path, target: Path, say: Callable[[str], None]) -> Conversion:
    model = load_model(source).eval()
    require_ours(model, source)
    vocabulary = load_vocabulary(source, model.encoder)
    parent = manifest_of(source)
    if _made_before(target, "fairseq", source, parent):
        say("comparing logits on sentences in many scripts")
        theirs = _read_fairseq(target, None)
        return _conversion(target, "fairseq", model, theirs, _compare(theirs, model, where=str(target)))
    num_rows = model.encoder.settings.vocabulary_size
    args, tensors = to_fairseq(model, order_for(vocabulary, num_rows), where=str(source))
    with building(target) as beside:
        for leftover in beside.iterdir():  # of an attempt that was cut off
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        say(f"writing {target}")
        write_checkpoint(beside / CHECKPOINT_NAME, args, tensors)
        write_symbols(beside / SYMBOLS_NAME, vocabulary, num_rows)
        if isinstance(model, TaskModel):
            write_labels(beside / LABELS_NAME, model.labels)
            # fairseq's task of classification looks for the pieces here.
            (beside / "input0").mkdir()
            shutil.copyfile(beside / SYMBOLS_NAME, beside / "input0" / SYMBOLS_NAME)
        if (source / MODEL_NAME).is_file():
            shutil.copyfile(source / MODEL_NAME, beside / MODEL_NAME)
        else:
            (beside / MODEL_NAME).write_bytes(vocabulary.content)
        say("reading it again and comparing")
        theirs = _read_fairseq(beside, None)
        ours, again = model.state_dict(), theirs.model.state_dict()
        if ours.keys() != again.keys() or not all(torch.equal(ours[name], again[name]) for name in ours):
            raise CheckpointError(f"{source} does not come back from fairseq's names as it was; nothing is written")
        difference = _compare(theirs, model, where=str(source))
        config = {"model": model.encoder.settings.model_dump(mode="json"), "head": theirs.head or MASKED}
        write_manifest(beside, kind="fairseq", command=COMMAND, config=config, parents=[parent])
    return _conversion(target, "fairseq", model, theirs, difference)


def _to_embedding_model(source: Path, target: Path, pooling: Pooling, say: Callable[[str], None]) -> Conversion:
    encoder = _our_encoder(source)
    load_vocabulary(source, encoder)  # raises where it is another model's
    parent = manifest_of(source)
    if not _made_before(target, "sentence-transformers", source, parent):
        say(f"writing {target}")
        way = "the state of <s>" if pooling.mode == "cls" else "the mean of all tokens' states"
        save_model(
            target,
            encoder,
            vocabulary_folder=source,
            parents=[parent],
            command=COMMAND,
            card=Card(
                f"The encoder of {name_of(source)} as an embedding model: a text's vector is {way}"
                f"{', of length one' if pooling.normalise else ''}. Its weights are as they were: this step trained "
                "nothing for similarity.",
                languages=languages_of(source),
                base_model=name_of(source),
            ),
            pooling=pooling,
        )
    if (modules := read_modules(target)) is None or modules.pooling() != pooling:
        raise FolderError(f"{target} was made with another pooling; choose another folder or delete it")
    say("comparing hidden states on sentences in many scripts")
    again, vocabulary = _our_encoder(target), load_vocabulary(target, encoder)
    differences = []
    for encoded in vocabulary.encode(PROBES):
        ids = [vocabulary.bos_id, *encoded.tolist(), vocabulary.eos_id][: encoder.settings.max_length]
        ids_N, layout = torch.tensor(ids), Layout.of([len(ids)])
        differences.append(float((encoder(ids_N, layout) - again(ids_N, layout)).abs().max()))
    num_parameters = sum(parameter.numel() for parameter in again.parameters())
    return Conversion(
        str(target), "sentence-transformers", "encoder", num_parameters, len(PROBES), max(differences), ()
    )


def _our_encoder(folder: Path) -> Encoder:
    encoder = load_encoder(folder)
    require_ours(encoder, folder)
    assert isinstance(encoder, Encoder)
    return encoder.eval()


def _read_fairseq(folder: Path, head: str | None) -> _Fairseq:
    """Everything of a fairseq folder, checked against each other, and the model that it describes."""
    if (folder / MANIFEST_NAME).is_file():
        for name, facts in read_manifest(folder, "fairseq").files.items():
            if hash_file(folder / name) != facts["xxh3_128"]:
                raise CheckpointError(f"{folder / name} is not what {MANIFEST_NAME} says was written; copy it again")
    args, tensors = read_checkpoint(folder / CHECKPOINT_NAME)
    symbols = read_symbols(folder / SYMBOLS_NAME)
    vocabulary = Vocabulary.load(folder / MODEL_NAME)
    where = str(folder / CHECKPOINT_NAME)
    rows_V = rows_of(symbols, vocabulary, num_rows=num_rows_of(tensors, where), where=str(folder))
    labels = read_labels(folder / LABELS_NAME)
    model, name, left_out = from_fairseq(args, tensors, rows_V, head=head, labels=labels, where=where)
    notes = [f"the head {other} is left out" for other in left_out]
    if num_unused := len(symbols) - len(rows_V):
        notes.append(f"{num_unused} rows of the embeddings that no piece has are left out")
    return _Fairseq(args, tensors, symbols, rows_V, None if name == MASKED else name, vocabulary, model, tuple(notes))


def _compare(theirs: _Fairseq, model: MaskedLM | TaskModel, *, where: str) -> float:
    """The largest difference of logits; raises CheckpointError where it is more than rounding."""
    places = {symbol: place for place, symbol in enumerate(theirs.symbols)}
    vocabulary, length = theirs.vocabulary, model.encoder.settings.max_length
    differences, largest = [], 1.0
    for ids in probe_sequences(vocabulary, max_length=length):
        ids_N, layout = torch.tensor(ids), Layout.of([len(ids)])
        # By the strings of the pieces, as fairseq itself numbers them, not by the rows that are to be checked.
        ids_T = torch.tensor([places[vocabulary.piece(index)] for index in ids])
        expected = plain_logits(theirs.args, theirs.tensors, ids_T, head=theirs.head)
        if isinstance(model, TaskModel):
            found = model(ids_N, layout)[0]
        else:
            found, expected = model.logits(ids_N, layout, torch.arange(len(ids))), expected[:, theirs.rows_V]
        largest = max(largest, float(expected.abs().max()))
        differences.append(float((found - expected).abs().max()))
    if not max(differences) <= TOLERANCE * largest:
        raise CheckpointError(
            f"{where}: converted, its logits differ by {max(differences):.1e} from fairseq's definition, which is more "
            "than rounding; nothing is written. Please report this model"
        )
    return max(differences)


def _made_before(target: Path, to: Format, source: Path, parent: Manifest) -> bool:
    """Is `target` the whole result of this very conversion? Raises FolderError where anything else lies there."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return False
    if (target / MANIFEST_NAME).is_file():
        manifest = read_manifest(target, KINDS[to])
        if manifest.command == COMMAND and manifest.parents == {parent.kind: parent.fingerprint}:
            return True
    raise FolderError(f"{target} is there already and was not made from {source}; choose another folder or delete it")


def _fingerprint(folder: Path, head: str | None) -> str:
    """What tells a fairseq folder, and the head that is taken from it, from others."""
    names = (CHECKPOINT_NAME, SYMBOLS_NAME, MODEL_NAME, LABELS_NAME)
    hashes = [hash_file(folder / name) for name in names if (folder / name).is_file()]
    return xxhash.xxh3_128(" ".join([*hashes, head or MASKED]).encode()).hexdigest()


def _conversion(
    target: Path, to: Format, model: MaskedLM | TaskModel, theirs: _Fairseq, difference: float
) -> Conversion:
    num_parameters = sum(parameter.numel() for parameter in model.parameters())
    notes = theirs.notes if to == "hf" else ()
    return Conversion(str(target), to, theirs.head or MASKED, num_parameters, len(PROBES), difference, notes)
