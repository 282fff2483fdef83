"""An exported model run by onnxruntime behind the interface of ours: packed ids → hidden states or logits.

    model = read_exported(Path("nli-onnx"), read_manifest("nli-onnx", "onnx"))      # a TaskModel, as the manifest says
    logits_SL = model(ids_N, layout)

Sequences of similar length are padded together and the rest is not, so that little is computed for nothing; rows come
back packed and in order. Graphs compute on the CPU, wherever the ids lie.

Shapes: N packed tokens, S sequences, M chosen rows, V vocabulary, K outputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from isogloss.attention import Layout
from isogloss.config import make_settings
from isogloss.errors import CheckpointError, ConfigError, DataError
from isogloss.heads import TaskModel
from isogloss.interop.onnx import Graph, input_names, padded_inputs
from isogloss.manifest import Manifest, hash_file
from isogloss.model import Encoder, MaskedLM, ModelSettings

__all__ = ["GRAPH_NAME", "GraphEncoder", "GraphMaskedLM", "GraphTaskModel", "describe", "read_exported"]

GRAPH_NAME = "model.onnx"
# Of the tokens that are computed, how many may be padding; fewer make more and smaller batches.
PADDING_SHARE = 0.1
# Tokens of a batch. More are no faster on a CPU and take memory.
TOKEN_BUDGET = 2048
# Numbers of a batch's output where each token has a row as wide as the vocabulary: 256 MB.
MOST_LOGITS = 1 << 26


def describe(model: MaskedLM | TaskModel | Encoder, head: str) -> dict[str, Any]:
    """What an exported folder's manifest says of its model, for `read_exported`."""
    settings = model.settings if isinstance(model, Encoder) else model.encoder.settings
    labels = list(model.labels) if isinstance(model, TaskModel) else []
    return {"model": settings.model_dump(mode="json"), "head": head, "labels": labels}


def read_exported(folder: Path, manifest: Manifest) -> GraphEncoder | GraphMaskedLM | GraphTaskModel:
    """The model whose graph lies in a folder that `isogloss export` wrote, by the head that it has.

    Raises MissingExtraError without onnxruntime, CheckpointError for files that were changed, and for a folder of a
    version that did not say of which model it is.
    """
    said = manifest.statistics.get("described")
    if said is None:
        raise CheckpointError(
            f"{folder} does not say of which model its graph is: an earlier isogloss wrote it; export the model again"
        )
    for name, facts in manifest.files.items():
        if hash_file(folder / name) != facts["xxh3_128"]:
            raise CheckpointError(f"{folder / name} is not what manifest.json says was written; export the model again")
    settings = make_settings(ModelSettings, said["model"], where=str(folder))
    graph = PackedGraph(Graph(folder / GRAPH_NAME), settings, head=said["head"])
    if said["head"] == "encoder":
        return GraphEncoder(graph, settings)
    without = GraphEncoder(None, settings, where=f"{folder} is an exported model with a {said['head']} head")
    if said["head"] == "masked":
        return GraphMaskedLM(graph, without)
    return GraphTaskModel(graph, without, said["head"], said["labels"])


class PackedGraph:
    """A graph asked about packed tokens. `head` is the word for what it computes, as in the manifest."""

    def __init__(self, graph: Graph, settings: ModelSettings, *, head: str) -> None:
        self._graph, self._settings = graph, settings
        self._a_sequence = head == "sequence"
        self._budget = max(1, MOST_LOGITS // settings.vocabulary_size) if head == "masked" else TOKEN_BUDGET

    def __call__(self, ids_N: Tensor, layout: Layout, languages_S: Tensor | None = None) -> Tensor:
        """fp32 rows: one a sequence for a sequence head, else one a token; a question's two outputs side by side.

        Raises DataError for a sequence that is longer than the model reads.
        """
        if layout.max_length > self._settings.max_length:
            raise DataError(
                f"a sequence has {layout.max_length} tokens, the model reads at most {self._settings.max_length}; "
                "cut it or split it into windows"
            )
        sequences = np.split(ids_N.cpu().numpy(), np.cumsum(layout.lengths)[:-1])
        languages = np.zeros(len(sequences), np.int64) if languages_S is None else languages_S.cpu().numpy()
        rows: list[Any] = [None] * len(sequences)
        for group in similar_lengths(layout.lengths, token_budget=self._budget):
            inputs = padded_inputs([sequences[place].tolist() for place in group])
            inputs["language_ids"] = languages[list(group)]
            inputs["token_type_ids"] = np.zeros_like(inputs["input_ids"])
            found = self._graph.run({name: inputs[name] for name in input_names(self._settings)})
            values = next(iter(found.values())) if len(found) == 1 else np.stack(list(found.values()), axis=-1)
            for row, place in enumerate(group):
                rows[place] = values[row] if self._a_sequence else values[row, : layout.lengths[place]]
        whole = np.stack(rows) if self._a_sequence else np.concatenate(rows)
        return torch.from_numpy(whole).to(ids_N.device)


def similar_lengths(lengths: Sequence[int], *, token_budget: int) -> Iterator[list[int]]:
    """Places of sequences that are padded together, longest first: little padding, at most `token_budget` tokens."""
    group: list[int] = []
    num_tokens = 0
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if group:
            computed = lengths[group[0]] * (len(group) + 1)
            if computed > token_budget or num_tokens + lengths[place] < (1 - PADDING_SHARE) * computed:
                yield group
                group, num_tokens = [], 0
        group.append(place)
        num_tokens += lengths[place]
    if group:
        yield group


class GraphEncoder(nn.Module):
    """Hidden states of an exported encoder; of a model with a head its settings alone, as its graph gives no states.

    `where` opens the error that asking such a one for hidden states raises.
    """

    def __init__(self, graph: PackedGraph | None, settings: ModelSettings, *, where: str = "") -> None:
        super().__init__()
        self._graph, self._where = graph, where
        self.settings = settings
        # What it computes in is the graph's own; a device's choice changes nothing.
        self.compute_dtype = torch.float32

    @property
    def gives_states(self) -> bool:
        """Whether there are hidden states to be had."""
        return self._graph is not None

    def forward(self, ids_N: Tensor, layout: Layout, *, languages_S: Tensor | None = None) -> Tensor:
        if self._graph is None:
            raise ConfigError(f"{self._where}, its graph gives no hidden states; ask the model it was exported from")
        return self._graph(ids_N, layout, languages_S)


class GraphMaskedLM(MaskedLM):
    """An exported masked language model; it answers and is not trained."""

    def __init__(self, graph: PackedGraph, encoder: GraphEncoder) -> None:
        nn.Module.__init__(self)
        self._graph = graph
        self.settings = encoder.settings
        self.encoder = encoder  # type: ignore[assignment]

    def logits(self, ids_N: Tensor, layout: Layout, rows_M: Tensor, *, languages_S: Tensor | None = None) -> Tensor:
        return self._graph(ids_N, layout, languages_S).index_select(0, rows_M)


class GraphTaskModel(TaskModel):
    """An exported model with a head; it answers and is not trained."""

    def __init__(self, graph: PackedGraph, encoder: GraphEncoder, kind: Any, labels: Sequence[str]) -> None:
        nn.Module.__init__(self)
        self._graph = graph
        self.encoder, self.kind, self.labels = encoder, kind, tuple(labels)

    def forward(self, ids_N: Tensor, layout: Layout, *, languages_S: Tensor | None = None) -> Tensor:
        return self._graph(ids_N, layout, languages_S)
