"""A model folder as ONNX: written, run in onnxruntime, compared with our own model, then kept.

    done = export(Path("runs/demo/nli-pretrained"), Path("nli-onnx"))
    done.outputs            # of each output, how much it differs on the probes
    session = onnxruntime.InferenceSession("nli-onnx/model.onnx")

The folder has `model.onnx` (above 2 GB with its weights in `model.onnx.data`), `config.json`, the tokenizer's files,
the pooling of an embedding model, and `parity.json`, the report. A graph that differs by more than rounding is not
kept. The target is written beside and renamed last, is never written over, and the same command again finds it and
compares it once more.

Shapes: T tokens of one sequence, L tokens of a padded row, D width.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from isogloss.attention import Layout
from isogloss.checkpoint import (
    languages_of,
    load_vocabulary,
    manifest_of,
    read_model,
    require_ours,
    write_vocabulary,
)
from isogloss.errors import CheckpointError, ConfigError, FolderError
from isogloss.heads import TaskModel
from isogloss.interop.foreign import ForeignEncoder
from isogloss.interop.huggingface import to_hub
from isogloss.interop.model_card import head_of
from isogloss.interop.onnx import (
    OPSET,
    Graph,
    input_names,
    load_onnx,
    output_names,
    padded_inputs,
    versions,
    write_graph,
)
from isogloss.interop.probes import probe_sequences
from isogloss.interop.sentence_transformers import read_modules, write_modules
from isogloss.manifest import MANIFEST_NAME, Manifest, building, finished, hash_file, write_json, write_manifest
from isogloss.model import Encoder, MaskedLM
from isogloss.randomness import key_of, spread
from isogloss.run_models import model_folder
from isogloss.vocab import Vocabulary

__all__ = ["Export", "OutputDifference", "export"]

COMMAND = "isogloss export"
GRAPH_NAME, REPORT_NAME = "model.onnx", "parity.json"
# Of an output's largest value. Two correct programs differ by rounding, some 1e-6 of it.
TOLERANCE = 1e-4
TINY = 1e-30  # divides where all of an output is zero


@dataclass(frozen=True)
class OutputDifference:
    """How much an output of the graph differs from ours: at most, and as a share of our largest value."""

    name: str
    largest_difference: float
    relative_difference: float


@dataclass(frozen=True)
class Export:
    """What an export wrote, and how it compares on `num_probes` sequences, the longest of `longest_probe` tokens."""

    path: str
    head: str
    num_parameters: int
    opset: int
    inputs: tuple[str, ...]
    outputs: tuple[OutputDifference, ...]
    num_probes: int
    longest_probe: int
    versions: dict[str, str]


def export(source: Path, target: Path, *, say: Callable[[str], None] = lambda _: None) -> Export:
    """Write at `target` the graph of the model at `source`, a model or run folder; `say` hears each step.

    Raises MissingExtraError without the extra "onnx", and CheckpointError, VocabularyError or FolderError in one line;
    then nothing is left at `target`.
    """
    load_onnx()
    source = model_folder(source)
    parent = manifest_of(source)
    config = {"precision": "fp32", "opset": OPSET}
    made_before = _made_before(target, config, parent)
    say(f"reading {source}")
    model = read_model(source).eval()
    require_ours(model, source)
    assert not isinstance(model, ForeignEncoder)
    encoder = model if isinstance(model, Encoder) else model.encoder
    vocabulary = load_vocabulary(source, encoder)
    if made_before:
        say("comparing in onnxruntime")
        return _compare(target, target, model, vocabulary)
    with building(target) as beside:
        for leftover in beside.iterdir():  # of an attempt that was cut off
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        say("tracing the model")
        write_graph(model, beside / GRAPH_NAME)
        say("comparing in onnxruntime")
        try:
            done = _compare(beside, target, model, vocabulary)
        except CheckpointError:
            shutil.rmtree(beside)
            raise
        report = dataclasses.asdict(done)
        write_json(beside / REPORT_NAME, {key: value for key, value in report.items() if key != "path"})
        write_json(beside / "config.json", to_hub(model)[0])
        write_vocabulary(beside, source, max_length=encoder.settings.max_length)
        if (modules := read_modules(source)) is not None:
            # A pooling that we do not have is left to whoever runs the graph.
            with contextlib.suppress(ConfigError):
                length = min(modules.max_length, encoder.settings.max_length)
                write_modules(beside, modules.pooling(), width=encoder.settings.width, max_length=length)
        facts = {"num_parameters": done.num_parameters, "languages": list(languages_of(source))}
        write_manifest(beside, kind="onnx", command=COMMAND, config=config, parents=[parent], statistics=facts)
    return done


def _made_before(target: Path, config: dict[str, object], parent: Manifest) -> bool:
    """Is `target` the whole result of this very export? Raises FolderError where anything else lies there."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return False
    if not (target / MANIFEST_NAME).is_file():
        raise FolderError(f"{target} is there already and is no export; choose another folder or delete it")
    manifest = finished(target, "onnx", config, [parent])
    for name, facts in manifest.files.items() if manifest else ():
        if hash_file(target / name) != facts["xxh3_128"]:
            raise CheckpointError(
                f"{target / name} is not what {MANIFEST_NAME} says was written; delete {target} and export again"
            )
    return True


def _compare(folder: Path, target: Path, model: MaskedLM | TaskModel | Encoder, vocabulary: Vocabulary) -> Export:
    """Run the graph in `folder` on every probe; raises CheckpointError where it differs by more than rounding."""
    graph, names = Graph(folder / GRAPH_NAME), output_names(model)
    settings = model.settings if isinstance(model, Encoder) else model.encoder.settings
    differences: dict[str, list[float]] = {name: [] for name in names}
    largest: dict[str, list[float]] = {name: [] for name in names}
    lengths: list[int] = []
    for sequences, left in _probes(vocabulary, settings.max_length):
        inputs = padded_inputs(sequences, left=left)
        # Neighbours differ, so that a row of either table that is taken at another's place shows.
        inputs["language_ids"] = np.arange(1, len(sequences) + 1) % max(len(settings.languages), 1)
        inputs["token_type_ids"] = inputs["input_ids"] % max(settings.num_token_types, 1)
        found = graph.run({name: inputs[name] for name in input_names(settings)})
        for row, sequence in enumerate(sequences):
            there_L = inputs["attention_mask"][row] == 1
            expected = _packed_outputs(
                model,
                torch.tensor(sequence),
                torch.from_numpy(inputs["language_ids"][row : row + 1]),
                torch.from_numpy(inputs["token_type_ids"][row][there_L]),
            )
            for name, ours in zip(names, expected, strict=True):
                theirs = found[name][row] if head_of(model) == "sequence" else found[name][row][there_L]
                differences[name].append(float((torch.from_numpy(theirs) - ours).abs().max()))
                largest[name].append(float(ours.abs().max()))
            lengths.append(len(sequence))
    outputs = []
    for name in names:
        # numpy's max, to which a NaN is the largest of all.
        difference, value = float(np.max(differences[name])), float(np.max(largest[name]))
        outputs.append(OutputDifference(name, difference, difference / max(value, TINY)))
    for output in outputs:
        if not output.relative_difference <= TOLERANCE:
            raise CheckpointError(
                f"{target}: in onnxruntime {output.name} differs by {output.largest_difference:.1e}, "
                f"{output.relative_difference:.1e} of its largest value, which is more than rounding; nothing is "
                "written. Please report this model"
            )
    return Export(
        path=str(target),
        head=head_of(model),
        num_parameters=sum(parameter.numel() for parameter in model.parameters()),
        opset=OPSET,
        inputs=input_names(settings),
        outputs=tuple(outputs),
        num_probes=len(lengths),
        longest_probe=max(lengths),
        versions={"isogloss": metadata.version("isogloss"), "torch": torch.__version__, **versions()},
    )


def _probes(vocabulary: Vocabulary, max_length: int) -> Iterator[tuple[list[list[int]], bool]]:
    """Batches of sequences, and whether each is padded on the left."""
    sentences = list(probe_sequences(vocabulary, max_length=max_length))
    yield sentences, False
    yield sentences, True
    # Lengths of every size in pieces of any kind: each alone, then the longest beside the shortest.
    lengths = [*(1 << power for power in range(max_length.bit_length()) if 1 << power < max_length), max_length]
    pieces = [(spread(key_of("probe", length), np.arange(length)) % vocabulary.size).tolist() for length in lengths]
    for sequence in pieces:
        yield [sequence], False
    yield [pieces[0], pieces[-1]], False


@torch.inference_mode()
def _packed_outputs(
    model: MaskedLM | TaskModel | Encoder, ids_T: Tensor, languages: Tensor, types_T: Tensor
) -> Sequence[Tensor]:
    """What our own model says of one sequence, in the order of the graph's outputs: a row for each token, or one."""
    layout = Layout.of([len(ids_T)])
    encoder = model if isinstance(model, Encoder) else model.encoder
    assert isinstance(encoder, Encoder)
    x_TD: Tensor = encoder(ids_T, layout, languages_S=languages, token_types_N=types_T)
    if isinstance(model, Encoder):
        return [x_TD]
    if isinstance(model, MaskedLM):
        return [F.linear(model.head(x_TD), model.product_VD, model.head.bias)]
    logits: Tensor = model.head(x_TD, layout)
    return logits.unbind(-1) if model.kind == "question" else [logits[0] if model.kind == "sequence" else logits]
