"""An export made: pieces left out, the graph traced, quantised, compared on ids and on texts, then kept.

Everything is written beside and renamed last; the target is never written over. What comes of each step is in
`parity.json`, and a step that changes answers by more than it may ends the whole.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from isogloss.checkpoint import (
    CARD_NAME,
    CONFIG_NAME,
    languages_of,
    manifest_of,
    name_of,
    training_of,
    write_vocabulary,
)
from isogloss.errors import CheckpointError, ConfigError, FolderError, IsoglossError
from isogloss.export.card import export_card
from isogloss.export.check import check_export, fingerprint_of_check
from isogloss.export.coverage import coverage_of
from isogloss.export.outcome import Export, read_report, write_report
from isogloss.export.parity import Comparison, compare_graph
from isogloss.export.settings import ExportSettings
from isogloss.interop.huggingface import to_hub
from isogloss.interop.model_card import head_of
from isogloss.interop.onnx import OPSET, input_names, load_onnx, versions, write_graph
from isogloss.interop.onnx_int8 import write_int8
from isogloss.interop.onnx_model import GRAPH_NAME, describe
from isogloss.interop.sentence_transformers import read_modules, write_modules
from isogloss.interop.tokenizer_json import TOKENIZER_JSON, sentencepiece_model
from isogloss.manifest import (
    EXPORTED,
    MANIFEST_NAME,
    Manifest,
    building,
    finished,
    hash_file,
    read_manifest,
    write_json,
    write_manifest,
)
from isogloss.resized import OurModel, our_encoder, read_source
from isogloss.run_models import model_folder
from isogloss.trim import TrimSettings, num_bytes, trim
from isogloss.vocab import MODEL_NAME, Vocabulary
from isogloss.vocab.texts import open_texts

__all__ = ["export"]

COMMAND = "isogloss export"
# Of an output's largest value. Two correct programs differ by rounding, some 1e-6 of it.
TOLERANCE = 1e-4
# What lies in the unfinished folder and not in the finished one.
TRIMMED, IN_FP32 = "trimmed", "fp32.onnx"

Say = Callable[[str], None]


def export(settings: ExportSettings, *, say: Say = lambda _: None) -> Export:
    """Write the folder; a finished one of the same settings, model and texts is returned as it says of itself.

    `say` hears each step. Raises MissingExtraError without the extra "onnx", CheckpointError for a graph that answers
    otherwise than it may, and VocabularyError, ConfigError, DataError or FolderError in one line; then nothing is left
    at the target.
    """
    load_onnx()
    source = _source(settings.model)
    parents = [manifest_of(source)]
    if settings.corpus is not None:
        parents.append(open_texts(settings.corpus, settings.languages).origin)
    elif settings.coverage < 1:
        raise ConfigError(f"coverage = {settings.coverage} is a share of text: give some (--corpus)")
    config = _config(settings, source)
    if (done := _made_before(settings.output, config, parents)) is not None:
        return done
    try:
        with building(settings.output) as beside:
            for leftover in beside.iterdir():  # of an attempt that was cut off
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
            return _write(beside, source, settings, config, parents, say)
    except IsoglossError:
        shutil.rmtree(settings.output.with_name(settings.output.name + ".tmp"), ignore_errors=True)
        raise


def _source(folder: Path) -> Path:
    """The model folder. Raises FolderError for one that was exported."""
    source = model_folder(folder)
    if (source / MANIFEST_NAME).is_file() and read_manifest(source, "model", EXPORTED).kind == EXPORTED:
        raise FolderError(f"{source} was exported already; give the model that it was made from")
    return source


def _config(settings: ExportSettings, source: Path) -> dict[str, Any]:
    """What tells an export from others of the same model and text."""
    chosen = {"languages", "coverage", "task", "most_difference", "least_agreement"}
    return {
        "precision": settings.precision,
        "opset": OPSET,
        "weight_bits": settings.weight_bits if settings.int8 else 32,
        **settings.model_dump(mode="json", include=chosen),
        "check": fingerprint_of_check(settings),
        "training": dict(training_of(source)),
    }


def _made_before(target: Path, config: Mapping[str, Any], parents: list[Manifest]) -> Export | None:
    """What this very export wrote before. Raises FolderError where anything else lies there or a file was changed."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return None
    if not (target / MANIFEST_NAME).is_file():
        raise FolderError(f"{target} is there already and is no export; choose another folder or delete it")
    manifest = finished(target, EXPORTED, config, parents)
    for name, facts in manifest.files.items() if manifest else ():
        if hash_file(target / name) != facts["xxh3_128"]:
            raise CheckpointError(
                f"{target / name} is not what {MANIFEST_NAME} says was written; delete {target} and export again"
            )
    return read_report(target)


def _write(
    beside: Path, source: Path, settings: ExportSettings, config: Mapping[str, Any], parents: list[Manifest], say: Say
) -> Export:
    origin, trimmed = source, None
    if settings.trims:
        origin = beside / TRIMMED
        trimmed = trim(_trim_settings(settings, source, origin), say=say)
    say(f"reading {origin}")
    model, vocabulary = read_source(origin)
    rounding, compared = _write_graphs(beside, model, vocabulary, settings, say)
    _write_others(beside, origin, model)
    before = _vocabulary(source)
    covered = coverage_of(trimmed, before, vocabulary, languages=settings.languages) if trimmed is not None else {}
    if trimmed is not None:
        shutil.rmtree(origin)
    num_parameters = sum(parameter.numel() for parameter in model.parameters())
    done = Export(
        path=str(settings.output),
        head=head_of(model),
        precision=settings.precision,
        weight_bits=config["weight_bits"],
        num_parameters=num_parameters,
        opset=OPSET,
        inputs=input_names(our_encoder(model).settings),
        source_bytes=num_bytes(source),
        bytes=sum(path.stat().st_size for path in beside.rglob("*") if path.is_file()),
        source_pieces=before.size,
        pieces=vocabulary.size,
        outputs=compared.outputs,
        rounding=rounding,
        num_probes=compared.num_probes,
        longest_probe=compared.longest_probe,
        languages=covered,
        checks=(),
        versions={"isogloss": metadata.version("isogloss"), "torch": torch.__version__, **versions()},
    )
    facts = {
        "num_parameters": num_parameters,
        "languages": list(settings.languages or languages_of(source)),
        "described": describe(model, done.head),
    }
    del model

    def finish() -> Manifest:
        return write_manifest(beside, kind=EXPORTED, command=COMMAND, config=config, parents=parents, statistics=facts)

    if settings.check is not None:
        # The folder is asked as it will be once it is there.
        finish()
        say(f"asking both about {settings.check}")
        done = dataclasses.replace(done, checks=tuple(check_export(source, beside, settings)))
        _require_agreement(done, settings)
    write_report(beside, done)
    manifest = finish()
    # After the manifest and not in it: the card is the user's to edit.
    (beside / CARD_NAME).write_text(export_card(name_of(source), done, manifest), encoding="utf-8")
    return done


def _trim_settings(settings: ExportSettings, source: Path, target: Path) -> TrimSettings:
    chosen = settings.model_dump(include={"corpus", "languages", "coverage"})
    return TrimSettings(model=source, output=target, **chosen)


def _write_graphs(
    beside: Path, model: OurModel, vocabulary: Vocabulary, settings: ExportSettings, say: Say
) -> tuple[float, Comparison]:
    """Write the graph; returns the relative difference of the one in fp32, and how the one that stays compares.

    Raises CheckpointError where either differs by more than it may.
    """
    first = beside / (IN_FP32 if settings.int8 else GRAPH_NAME)
    say("tracing the model")
    write_graph(model, first)
    say("comparing in onnxruntime")
    compared = compare_graph(first, model, vocabulary)
    rounding = 0.0
    for output in compared.outputs:
        if not output.relative_difference <= TOLERANCE:
            raise CheckpointError(
                f"{settings.output}: in onnxruntime {output.name} differs by {output.largest_difference:.1e}, "
                f"{output.relative_difference:.1e} of its largest value, which is more than rounding; nothing is "
                "written. Please report this model"
            )
        rounding = max(rounding, output.relative_difference)
    if not settings.int8:
        return rounding, compared
    say("quantising")
    write_int8(first, beside / GRAPH_NAME, bits=settings.weight_bits)
    for path in beside.glob(f"{IN_FP32}*"):
        path.unlink()
    say("comparing in onnxruntime")
    compared = compare_graph(beside / GRAPH_NAME, model, vocabulary)
    for output in compared.outputs:
        if not output.mean_difference <= settings.most_difference:
            raise CheckpointError(
                f"{settings.output}: in int8 {output.name} differs by {output.mean_difference:.1%} (root mean square), "
                f"more than {settings.most_difference:.1%}; nothing is written. Export without --int8, or allow more "
                "(most_difference)"
            )
    return rounding, compared


def _write_others(beside: Path, origin: Path, model: OurModel) -> None:
    """Settings with the head's labels, the tokenizer's files, the pooling of an embedding model."""
    settings = our_encoder(model).settings
    write_json(beside / CONFIG_NAME, to_hub(model)[0])
    write_vocabulary(beside, origin, max_length=settings.max_length)
    if (modules := read_modules(origin)) is not None:
        # A pooling that we do not have is left to whoever runs the graph.
        with contextlib.suppress(ConfigError):
            length = min(modules.max_length, settings.max_length)
            write_modules(beside, modules.pooling(), width=settings.width, max_length=length)


def _vocabulary(source: Path) -> Vocabulary:
    if (source / MODEL_NAME).is_file():
        return Vocabulary.load(source)
    return Vocabulary.from_bytes(sentencepiece_model(source / TOKENIZER_JSON))


def _require_agreement(done: Export, settings: ExportSettings) -> None:
    """Raises CheckpointError where the export gives other answers than the model too often."""
    for checked in done.checks:
        if not checked.agreement >= settings.least_agreement:
            raise CheckpointError(
                f"{settings.output}: of {checked.n:,} {checked.of} on {checked.file} {checked.agreement:.2%} are those "
                f"of the model, fewer than {settings.least_agreement:.2%}; nothing is written. Keep more pieces "
                "(--corpus), export without --int8, or allow fewer (least_agreement)"
            )
