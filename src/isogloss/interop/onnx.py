"""A model as an ONNX graph: padded batches of any size and length in, hidden states or logits out.

    write_graph(model, Path("model.onnx"))
    outputs = Graph(Path("model.onnx")).run(padded_inputs(sequences))       # {"logits": …}, as onnxruntime gives them

Our encoder reads packed tokens, the tools that run ONNX give padded batches: `PaddedModel` computes the same from such
a batch with the weights and modules of the model itself, and is what is traced. Rows may be padded on either side, or
be nothing but padding; positions count the tokens of a row that are there.

Shapes: B sequences padded to length L, H heads, E width of a head, D width, V vocabulary.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from isogloss.errors import MissingExtraError
from isogloss.heads import SequenceHead, TaskModel, TokenHead
from isogloss.model import PAD_ID, Attention, Encoder, Layer, MaskedLM, ModelSettings

__all__ = [
    "OPSET",
    "PACKAGES",
    "Graph",
    "PaddedModel",
    "input_names",
    "load_onnx",
    "output_names",
    "padded_inputs",
    "versions",
    "write_graph",
]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]

# The operators' oldest version that torch's exporter writes without translating them: most runtimes know it.
OPSET = 18
# A protobuf file ends at 2 GiB, and the graph takes some MB of it. Larger models have their weights in a second file.
LARGEST_FILE = 2**31 - 2**26
PACKAGES = ("onnx", "onnxscript", "onnxruntime")


class PaddedAttention(nn.Module):
    """The attention of a padded batch, with the weights of a packed one."""

    def __init__(self, packed: Attention) -> None:
        super().__init__()
        self.num_heads, self.qkv, self.out = packed.num_heads, packed.qkv, packed.out

    def forward(self, x_BLD: Tensor, bias_B11L: Tensor) -> Tensor:
        B, L, D = x_BLD.shape
        qkv_BL3HE = self.qkv(x_BLD).view(B, L, 3, self.num_heads, D // self.num_heads)
        q_BHLE, k_BHLE, v_BHLE = qkv_BL3HE.permute(2, 0, 3, 1, 4).unbind(0)
        scores_BHLL = q_BHLE @ k_BHLE.transpose(2, 3) * (D // self.num_heads) ** -0.5 + bias_B11L
        x_BHLE = scores_BHLL.softmax(-1) @ v_BHLE
        out_BLD: Tensor = self.out(x_BHLE.transpose(1, 2).reshape(B, L, D))
        return out_BLD


class PaddedModel(nn.Module):
    """The same model on padded batches; it shares the weights, which are fp32, and computes in fp32.

    `inputs` and `outputs` are the names of what goes in and comes out, in order: the field's names.
    """

    def __init__(self, model: MaskedLM | TaskModel | Encoder) -> None:
        super().__init__()
        # Modules are new, so that the attention can be another; tensors that are in the memo are not copied.
        self.model = copy.deepcopy(model, {id(tensor): tensor for tensor in model.parameters()})
        encoder = self.model if isinstance(self.model, Encoder) else self.model.encoder
        assert isinstance(encoder, Encoder)
        self.encoder = encoder
        self.encoder.compute_dtype = torch.float32
        for layer in self.encoder.layers:
            assert isinstance(layer, Layer)
            layer.attention = PaddedAttention(layer.attention)  # type: ignore[assignment]
        self.inputs = input_names(self.encoder.settings)
        self.outputs = output_names(model)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Tensors in the order of `inputs`, int64: (B, L), but `language_ids` (B,). The outputs are in fp32.

        (B, L, D) of an encoder, (B, L, V) masked, (B, num_labels) sequence, (B, L, num_labels) token, twice (B, L)
        question.
        """
        given = dict(zip(self.inputs, inputs, strict=True))
        mask_BL = given["attention_mask"]
        x_BLD = self._hidden_states(given, mask_BL)
        if isinstance(self.model, Encoder):
            return (x_BLD,)
        if isinstance(self.model, MaskedLM):
            return (F.linear(self.model.head(x_BLD), self.model.product_VD, self.model.head.bias),)
        head = self.model.head
        if isinstance(head, SequenceHead):
            # The first token that is there, also of a row that is padded on the left.
            first_B = mask_BL.argmax(1)
            x_BD = x_BLD[torch.arange(first_B.shape[0]), first_B]
            return (head.out(torch.tanh(head.dense(x_BD))),)
        assert isinstance(head, TokenHead), "a head without weights is no model to export"
        logits_BLK = head.out(x_BLD)
        return logits_BLK.unbind(-1) if self.model.kind == "question" else (logits_BLK,)

    def _hidden_states(self, given: Mapping[str, Tensor], mask_BL: Tensor) -> Tensor:
        ids_BL = given["input_ids"]
        positions_BL = mask_BL.cumsum(1) - 1  # -1, the table's row for padding, before the first token
        languages_B1 = given["language_ids"][:, None] if "language_ids" in given else ids_BL
        x_BLD: Tensor = self.encoder.embeddings(ids_BL, positions_BL, languages_B1, given.get("token_type_ids", ids_BL))
        # Finite, so that a row of padding alone gives numbers and not NaN.
        bias_B11L = (1 - mask_BL)[:, None, None, :].to(x_BLD.dtype) * torch.finfo(x_BLD.dtype).min
        for layer in self.encoder.layers:
            x_BLD = layer(x_BLD, bias_B11L)
        if self.encoder.final_norm is not None:
            x_BLD = self.encoder.final_norm(x_BLD)
        return x_BLD


class Graph:
    """A graph file in onnxruntime on the CPU, computing in the same order each time."""

    def __init__(self, path: Path) -> None:
        onnxruntime = load_onnx(PACKAGES[-1:], "running an exported model")
        options = onnxruntime.SessionOptions()
        options.use_deterministic_compute = True
        options.intra_op_num_threads, options.inter_op_num_threads = torch.get_num_threads(), 1
        self._session: Any = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(self, inputs: Mapping[str, IntArray]) -> dict[str, FloatArray]:
        """Every output by its name."""
        names = [output.name for output in self._session.get_outputs()]
        return dict(zip(names, self._session.run(names, dict(inputs)), strict=True))


def load_onnx(packages: Sequence[str] = PACKAGES, purpose: str = "exporting to ONNX") -> ModuleType:
    """onnxruntime, once everything that `purpose` needs is known to be there; raises MissingExtraError."""
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError:
            raise MissingExtraError(package, "onnx", purpose) from None
    return importlib.import_module("onnxruntime")


def versions() -> dict[str, str]:
    """Those of the packages themselves; a distribution may have another name (onnxruntime-gpu)."""
    return {package: str(importlib.import_module(package).__version__) for package in PACKAGES}


def input_names(settings: ModelSettings) -> tuple[str, ...]:
    """What goes into the graph of such a model, in order."""
    names = ["input_ids", "attention_mask"]
    names += ["language_ids"] if settings.languages else []
    names += ["token_type_ids"] if settings.num_token_types else []
    return tuple(names)


def output_names(model: MaskedLM | TaskModel | Encoder) -> tuple[str, ...]:
    """What comes out of its graph, by the names that transformers has for it."""
    if isinstance(model, Encoder):
        return ("last_hidden_state",)
    return ("start_logits", "end_logits") if isinstance(model, TaskModel) and model.kind == "question" else ("logits",)


def padded_inputs(sequences: Sequence[Sequence[int]], *, left: bool = False) -> dict[str, IntArray]:
    """`input_ids` and `attention_mask` of a batch, each (B, L) int64, padded on the right unless `left`."""
    length = max(map(len, sequences))
    ids_BL = np.full((len(sequences), length), PAD_ID, np.int64)
    mask_BL = np.zeros_like(ids_BL)
    for row, sequence in enumerate(sequences):
        place = slice(length - len(sequence), length) if left else slice(len(sequence))
        ids_BL[row, place], mask_BL[row, place] = sequence, 1
    return {"input_ids": ids_BL, "attention_mask": mask_BL}


def write_graph(model: MaskedLM | TaskModel | Encoder, path: Path) -> None:
    """Write the graph of a model to `path`, beyond LARGEST_FILE with its weights in `path`.data beside it.

    Raises MissingExtraError.
    """
    load_onnx()
    padded = PaddedModel(model).eval()
    # Two rows of three: an axis of one would be taken for a constant.
    example = {name: torch.zeros(2, dtype=torch.int64) for name in padded.inputs}
    batch, sequence = torch.export.Dim("batch"), torch.export.Dim("sequence")
    shapes: dict[str, Any] = {name: {0: batch} for name in padded.inputs}
    for name in padded.inputs:
        if name != "language_ids":
            example[name], shapes[name] = torch.ones(2, 3, dtype=torch.int64), {0: batch, 1: sequence}
    with _quiet_exporter():
        program = torch.onnx.export(
            padded,
            tuple(example.values()),
            input_names=padded.inputs,
            output_names=padded.outputs,
            dynamic_shapes=(tuple(shapes.values()),),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    for node in program.model.graph:
        node.metadata_props.clear()  # where in whose source files it was traced
    num_bytes = sum(tensor.numel() * tensor.element_size() for tensor in padded.parameters())
    program.save(path, external_data=num_bytes > LARGEST_FILE)


@contextlib.contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Nothing of what torch's exporter says of itself: each of these is known, and asks nothing of the user."""
    # It has operators of torchvision in its table, and says so where that is not installed.
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # Its tracing calls what its own pytree module is about to drop.
            warnings.filterwarnings("ignore", message=r".*LeafSpec.* is deprecated", category=FutureWarning)
            # All inputs have the axes "batch" and "sequence", as they are meant to.
            warnings.filterwarnings("ignore", message=r"# The axis name: \w+ will not be used", category=UserWarning)
            yield
    finally:
        logger.setLevel(level)
