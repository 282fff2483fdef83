"""ONNX graphs in onnxruntime: every head and setting says what our own model says, however a batch is padded."""

from __future__ import annotations

import copy
import logging
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import isogloss.interop.onnx as room
from isogloss.attention import Layout
from isogloss.errors import MissingExtraError
from isogloss.heads import TaskModel
from isogloss.interop.onnx import Graph, PaddedModel, load_onnx, padded_inputs, write_graph
from isogloss.model import Attention, Encoder, MaskedLM, ModelSettings, initialise

onnx = pytest.importorskip("onnx", reason="onnx is not installed: nothing to export with")
pytest.importorskip("onnxscript", reason="onnxscript is not installed: nothing to export with")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: nothing to run a graph with")

LENGTH, PIECES = 12, 30
KINDS = ["encoder", "masked", "untied", "sequence", "token", "question"]
EXTRAS: dict[str, dict[str, int]] = {
    "plain": {},
    "languages": {"languages": ("en", "sw", "zh")},
    "types": {"num_token_types": 2},
    "both": {"languages": ("en", "sw", "zh"), "num_token_types": 2},
}
Model = MaskedLM | TaskModel | Encoder
# Tracing takes a second or two, so each graph is written once and the quick ones are few.
QUICK = [
    ("encoder", "post", "plain"),
    ("masked", "pre", "plain"),
    ("untied", "post", "types"),
    ("sequence", "post", "plain"),
    ("token", "pre", "languages"),
    ("question", "post", "both"),
]


def make(kind: str, norm: str = "post", extras: str = "plain", *, num_layers: int = 1) -> Model:
    settings = ModelSettings(
        width=8, num_layers=num_layers, num_heads=2, feedforward=12, vocabulary_size=PIECES, max_length=LENGTH,
        norm=norm, **EXTRAS[extras],  # type: ignore[arg-type]
    )  # fmt: skip
    model: Model
    if kind == "encoder":
        model = Encoder(settings)
    elif kind in ("masked", "untied"):
        model = MaskedLM(settings, tied=kind == "masked")
    else:
        model = TaskModel(Encoder(settings), kind, ("a", "b", "c"))  # type: ignore[arg-type]
    initialise(model, 7, std=0.4)
    with torch.no_grad():  # fresh biases are zero and fresh norms one: a lost one would not show
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
    return model


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Model, Graph, Path]]:
    """A model, its graph in onnxruntime and the file, written once."""
    made: dict[tuple[Any, ...], tuple[Model, Graph, Path]] = {}

    def get(*what: str, num_layers: int = 1) -> tuple[Model, Graph, Path]:
        if (what, num_layers) not in made:
            model, path = make(*what, num_layers=num_layers).eval(), tmp_path_factory.mktemp("graph") / "model.onnx"
            write_graph(model, path)
            made[what, num_layers] = model, Graph(path), path
        return made[what, num_layers]

    return get


@torch.inference_mode()
def packed(model: Model, sequences: Sequence[Sequence[int]], languages: Any, types: Sequence[Any]) -> list[Tensor]:
    """What our own model gives for each sequence: (T, …), or (L,) of a sequence head."""
    ids_N, layout = torch.tensor(np.concatenate(sequences)), Layout.of([len(sequence) for sequence in sequences])
    encoder = model if isinstance(model, Encoder) else model.encoder
    types_N = torch.tensor(np.concatenate(types))
    x_ND = encoder(ids_N, layout, languages_S=torch.tensor(languages), token_types_N=types_N)
    if isinstance(model, Encoder):
        rows = x_ND
    elif isinstance(model, MaskedLM):
        rows = model.head(x_ND) @ model.product_VD.T + model.head.bias
    else:
        rows = model.head(x_ND, layout)
        if model.kind == "sequence":
            return list(rows)
    return list(rows.split(layout.lengths))


def agrees(model: Model, graph: Graph, sequences: Sequence[Sequence[int]], *, left: bool) -> None:
    settings = model.settings if isinstance(model, Encoder) else model.encoder.settings
    inputs = padded_inputs(sequences, left=left)
    there = inputs["attention_mask"] == 1
    inputs["language_ids"] = np.arange(len(sequences)) % max(len(settings.languages), 1)
    inputs["token_type_ids"] = inputs["input_ids"] % max(settings.num_token_types, 1)
    types = [inputs["token_type_ids"][row][there[row]] for row in range(len(sequences))]
    found = graph.run({name: inputs[name] for name in PaddedModel(model).inputs})
    for row, ours in enumerate(packed(model, sequences, inputs["language_ids"], types)):
        if isinstance(model, TaskModel) and model.kind == "question":
            theirs = np.stack([found["start_logits"][row], found["end_logits"][row]], axis=-1)[there[row]]
        else:
            (values,) = found.values()
            theirs = (
                values[row] if isinstance(model, TaskModel) and model.kind == "sequence" else values[row][there[row]]
            )
        assert theirs.shape == ours.shape
        assert np.allclose(theirs, ours.numpy(), atol=1e-5), (row, left)


BATCHES: list[list[list[int]]] = [
    [[0, 5, 6, 7, 2], [0], [0, 9, 2]],
    [[3]],
    [list(range(4, 4 + LENGTH))],
    [[4, 5], [6, 7]],
]


@pytest.mark.parametrize("left", [False, True], ids=["right", "left"])
@pytest.mark.parametrize("what", QUICK, ids="-".join)
def test_onnxruntime_says_what_our_model_says(written: Callable[..., Any], what: tuple[str, ...], left: bool) -> None:
    model, graph, _ = written(*what)
    for batch in BATCHES:
        agrees(model, graph, batch, left=left)


@pytest.mark.slow
@pytest.mark.parametrize("extras", EXTRAS)
@pytest.mark.parametrize("norm", ["post", "pre"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_head_with_every_setting(written: Callable[..., Any], kind: str, norm: str, extras: str) -> None:
    for num_layers in (0, 2):
        model, graph, _ = written(kind, norm, extras, num_layers=num_layers)
        for batch in BATCHES:
            for left in (False, True):
                agrees(model, graph, batch, left=left)


@given(lengths=st.lists(st.integers(1, LENGTH), min_size=1, max_size=5), before=st.integers(0, 4), data=st.data())
def test_a_row_is_the_same_however_it_is_padded(
    written: Callable[..., Any], lengths: list[int], before: int, data: st.DataObject
) -> None:
    """On either side, by any number of places, whatever ids stand there."""
    _, graph, _ = written("encoder", "post", "plain")
    width = before + max(lengths) + data.draw(st.integers(0, 4))
    ids_BL = np.array(data.draw(st.lists(st.lists(st.integers(0, PIECES - 1), min_size=width, max_size=width),
                                         min_size=len(lengths), max_size=len(lengths))))  # fmt: skip
    mask_BL = np.zeros_like(ids_BL)
    for row, length in enumerate(lengths):
        mask_BL[row, before : before + length] = 1
    together = graph.run({"input_ids": ids_BL, "attention_mask": mask_BL})["last_hidden_state"]
    for row, length in enumerate(lengths):
        alone = graph.run(padded_inputs([ids_BL[row, before : before + length].tolist()]))["last_hidden_state"]
        assert np.allclose(together[row, before : before + length], alone[0], atol=1e-5)


@pytest.mark.parametrize("what", QUICK, ids="-".join)
def test_a_row_of_padding_gives_numbers(written: Callable[..., Any], what: tuple[str, ...]) -> None:
    model, graph, _ = written(*what)
    inputs = padded_inputs([[0, 5, 2], []])
    inputs |= {"language_ids": np.zeros(2, np.int64), "token_type_ids": np.zeros_like(inputs["input_ids"])}
    found = graph.run({name: inputs[name] for name in PaddedModel(model).inputs})
    assert all(np.isfinite(values).all() for values in found.values())


@pytest.mark.parametrize(
    ("what", "inputs", "outputs"),
    [
        (QUICK[0], {}, {"last_hidden_state": ["batch", "sequence", 8]}),
        (QUICK[1], {}, {"logits": ["batch", "sequence", PIECES]}),
        (QUICK[3], {}, {"logits": ["batch", 3]}),
        (QUICK[4], {"language_ids": ["batch"]}, {"logits": ["batch", "sequence", 3]}),
        (
            QUICK[5],
            {"language_ids": ["batch"], "token_type_ids": ["batch", "sequence"]},
            {"start_logits": ["batch", "sequence"], "end_logits": ["batch", "sequence"]},
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_names_and_axes_are_the_fields(
    written: Callable[..., Any], what: tuple[str, ...], inputs: dict[str, Any], outputs: dict[str, Any]
) -> None:
    _, _, path = written(*what)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)

    def axes(values: Any) -> dict[str, list[str | int]]:
        return {
            value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
            for value in values
        }

    assert axes(model.graph.input) == {
        "input_ids": ["batch", "sequence"],
        "attention_mask": ["batch", "sequence"],
        **inputs,
    }
    assert axes(model.graph.output) == outputs
    assert {value.type.tensor_type.elem_type for value in model.graph.input} == {onnx.TensorProto.INT64}
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", room.OPSET)]


def test_a_large_model_has_its_weights_in_a_second_file(
    written: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, graph, _ = written(*QUICK[0])
    monkeypatch.setattr(room, "LARGEST_FILE", 100)
    (tmp_path / "here").mkdir()
    write_graph(model, tmp_path / "here" / "model.onnx")
    (tmp_path / "here").rename(tmp_path / "there")
    path = tmp_path / "there" / "model.onnx"
    assert sorted(file.name for file in path.parent.iterdir()) == ["model.onnx", "model.onnx.data"]
    inputs = padded_inputs(BATCHES[0])
    assert np.array_equal(Graph(path).run(inputs)["last_hidden_state"], graph.run(inputs)["last_hidden_state"])


def test_writing_again_gives_the_same_file_and_leaves_everything_as_it_was(
    written: Callable[..., Any], tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _, path = written(*QUICK[0])
    model = copy.deepcopy(first).train()
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    level, filters = logger.level, list(warnings.filters)
    heard: list[str] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", lambda record: heard.append(record.getMessage()))
    for name in ("torch", "torch.onnx", "torch.export", logger.name):  # those of torch do not pass on what they hear
        logging.getLogger(name).addHandler(handler)
    try:
        write_graph(model, tmp_path / "again.onnx")
    finally:
        for name in ("torch", "torch.onnx", "torch.export", logger.name):
            logging.getLogger(name).removeHandler(handler)
    content = path.read_bytes()
    assert (tmp_path / "again.onnx").read_bytes() == content
    for word in (b"stack_trace", b".py", b"File "):
        assert word not in content, f"the file says where it was made: {word!r}"
    assert (capfd.readouterr(), heard) == (("", ""), [])
    assert (logger.level, list(warnings.filters)) == (level, filters)
    assert model.training
    assert all(isinstance(layer.attention, Attention) for layer in model.layers)
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in first.state_dict().items())


def test_the_padded_model_has_the_weights_and_not_copies() -> None:
    model = make("masked", "pre", "both")
    addresses = {parameter.data_ptr() for parameter in model.parameters()}
    assert {parameter.data_ptr() for parameter in PaddedModel(model).parameters()} == addresses


@pytest.mark.parametrize("package", room.PACKAGES)
def test_a_missing_package_is_named(package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"needs the package '{package}': pip install 'isogloss\[onnx\]'"):
        load_onnx()
    with pytest.raises(MissingExtraError):
        write_graph(make("encoder"), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
