"""A graph and our own model on the same ids: how much each output differs, and how often the best answer is the same.

    compared = compare_graph(Path("model.onnx"), model, vocabulary)
    compared.outputs[0].relative_difference

The probes are sentences in many scripts, padded on either side, and sequences of every length in pieces of any kind.

Shapes: T tokens of one sequence, L tokens of a padded row, D width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from isogloss.attention import Layout
from isogloss.heads import TaskModel
from isogloss.interop.model_card import head_of
from isogloss.interop.onnx import Graph, input_names, output_names, padded_inputs
from isogloss.interop.probes import probe_sequences
from isogloss.model import Encoder, MaskedLM
from isogloss.randomness import key_of, spread
from isogloss.resized import OurModel, our_encoder
from isogloss.vocab import Vocabulary

__all__ = ["Comparison", "OutputDifference", "compare_graph"]

TINY = 1e-30  # divides where all of an output is zero
# What `agreement` is of, by the head.
MEASURES = {
    "sequence": "share of sequences with the same best label",
    "token": "share of tokens with the same best label",
    "question": "share of sequences with the same best place",
    "masked": "share of masks with the same best piece",
    "encoder": "mean cosine of the hidden states",
}

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class OutputDifference:
    """How much an output of the graph differs from ours: at most, that as a share of our largest value, and the root
    mean square as a share of ours. `agreement` is what `measure` says.
    """

    name: str
    largest_difference: float
    relative_difference: float
    mean_difference: float
    agreement: float
    measure: str


@dataclass(frozen=True)
class Comparison:
    """Each output on `num_probes` sequences, the longest of `longest_probe` tokens."""

    outputs: tuple[OutputDifference, ...]
    num_probes: int
    longest_probe: int


def compare_graph(path: Path, model: OurModel, vocabulary: Vocabulary) -> Comparison:
    """Run the graph on every probe, padded as it comes, and our model on each sequence by itself."""
    graph, head = Graph(path), head_of(model)
    settings = our_encoder(model).settings
    seen = {name: _Seen(head) for name in output_names(model)}
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
            asked_T = np.array(sequence) == vocabulary.mask_id
            for (name, one), ours in zip(seen.items(), expected, strict=True):
                theirs = found[name][row] if head == "sequence" else found[name][row][there_L]
                one.add(theirs, ours.numpy(), asked_T)
            lengths.append(len(sequence))
    return Comparison(tuple(one.outcome(name) for name, one in seen.items()), len(lengths), max(lengths))


class _Seen:
    """What was seen of one output so far."""

    def __init__(self, head: str) -> None:
        self._head = head
        self._largest: list[float] = []
        self._values: list[float] = []
        self._squares = np.zeros(2)
        self._agreements: list[float] = []

    def add(self, theirs: FloatArray, ours: FloatArray, asked_T: npt.NDArray[np.bool_]) -> None:
        difference = theirs.astype(np.float64) - ours
        self._largest.append(float(np.abs(difference).max()))
        self._values.append(float(np.abs(ours).max()))
        self._squares += [np.square(difference).sum(), np.square(ours, dtype=np.float64).sum()]
        if self._head == "masked":
            theirs, ours = theirs[asked_T], ours[asked_T]
        if self._head == "encoder":
            lengths = np.linalg.norm(theirs, axis=-1) * np.linalg.norm(ours, axis=-1)
            self._agreements += ((theirs * ours).sum(axis=-1) / np.maximum(lengths, TINY)).tolist()
        else:
            self._agreements += np.atleast_1d(theirs.argmax(axis=-1) == ours.argmax(axis=-1)).tolist()

    def outcome(self, name: str) -> OutputDifference:
        # numpy's max, to which a NaN is the largest of all.
        largest, value = float(np.max(self._largest)), float(np.max(self._values))
        mean = float(np.sqrt(self._squares[0] / max(self._squares[1], TINY)))
        agreement = float(np.mean(self._agreements))
        return OutputDifference(name, largest, largest / max(value, TINY), mean, agreement, MEASURES[self._head])


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
def _packed_outputs(model: OurModel, ids_T: Tensor, languages: Tensor, types_T: Tensor) -> Sequence[Tensor]:
    """What our own model says of one sequence, in the order of the graph's outputs: a row for each token, or one."""
    layout = Layout.of([len(ids_T)])
    x_TD: Tensor = our_encoder(model)(ids_T, layout, languages_S=languages, token_types_N=types_T)
    if isinstance(model, Encoder):
        return [x_TD]
    if isinstance(model, MaskedLM):
        return [F.linear(model.head(x_TD), model.product_VD, model.head.bias)]
    assert isinstance(model, TaskModel)
    logits: Tensor = model.head(x_TD, layout)
    return logits.unbind(-1) if model.kind == "question" else [logits[0] if model.kind == "sequence" else logits]
