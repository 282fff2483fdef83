"""Graphs with weights of one byte: the standard's operators, tables by rows, sums that no processor cuts off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import isogloss.interop.onnx_int8 as room
from isogloss.devices import has_native_int8
from isogloss.heads import TaskModel
from isogloss.interop.onnx import OPSET, Graph, padded_inputs, write_graph
from isogloss.interop.onnx_int8 import LARGEST, write_int8
from isogloss.model import Encoder, MaskedLM, ModelSettings, initialise

onnx = pytest.importorskip("onnx", reason="onnx is not installed: nothing to export with")
pytest.importorskip("onnxscript", reason="onnxscript is not installed: nothing to export with")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: nothing to run a graph with")

PIECES, WIDTH = 5000, 64
KINDS = ["encoder", "masked", "untied", "sequence"]
BATCH = padded_inputs([[0, 5, 6, 4999, 2], [0, 8, 9, 100, 2000, 77, 2]])
TABLE = f"{room.TABLE}_quantized"


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], tuple[Path, Path]]:
    """The graph of a model in fp32 and in int8, each written once."""
    made: dict[tuple[str, int], tuple[Path, Path]] = {}

    def get(kind: str, bits: int) -> tuple[Path, Path]:
        if (kind, bits) not in made:
            settings = ModelSettings(
                width=WIDTH, num_layers=1, num_heads=2, feedforward=128, vocabulary_size=PIECES, max_length=16
            )
            model: MaskedLM | TaskModel | Encoder
            if kind == "encoder":
                model = Encoder(settings)
            elif kind == "sequence":
                model = TaskModel(Encoder(settings), "sequence", ("a", "b"))
            else:
                model = MaskedLM(settings, tied=kind == "masked")
            initialise(model, 5, std=0.1)
            folder = tmp_path_factory.mktemp("graph")
            write_graph(model, folder / "fp32.onnx")
            write_int8(folder / "fp32.onnx", folder / "int8.onnx", bits=bits)  # type: ignore[arg-type]
            made[kind, bits] = folder / "fp32.onnx", folder / "int8.onnx"
        return made[kind, bits]

    return get


def whole_weights(path: Path) -> dict[str, Any]:
    """The weights of a graph that are integers of one byte."""
    tensors = onnx.load(path).graph.initializer
    return {one.name: onnx.numpy_helper.to_array(one) for one in tensors if one.data_type == onnx.TensorProto.INT8}


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_are_near_and_the_file_is_small(written: Callable[..., Any], kind: str) -> None:
    first, second = written(kind, 8)
    ours, theirs = Graph(first).run(BATCH), Graph(second).run(BATCH)
    for name in ours:
        # Without VNNI, onnxruntime's sums of two products end at 16 bits.
        most = 0.05 if has_native_int8(torch.device("cpu")) else 0.1
        assert 0 < np.linalg.norm(theirs[name] - ours[name]) < most * np.linalg.norm(ours[name])
    assert second.stat().st_size < 0.3 * first.stat().st_size


@pytest.mark.parametrize("kind", KINDS)
def test_operators_are_of_the_standard(written: Callable[..., Any], kind: str) -> None:
    _, path = written(kind, 7)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", OPSET)]


@pytest.mark.parametrize("kind", KINDS)
def test_seven_bits_cannot_be_cut_off(written: Callable[..., Any], kind: str) -> None:
    """A pair of products of an unsigned byte and a weight stays in 16 bits; a table that is only read may have 8."""
    _, path = written(kind, 7)
    weights = whole_weights(path)
    multiplied = [values for name, values in weights.items() if name != TABLE or kind == "masked"]
    assert multiplied
    assert all(2 * 255 * np.abs(values.astype(int)).max() <= 2**15 for values in multiplied)
    if kind != "masked":
        assert np.abs(weights[TABLE].astype(int)).max() == LARGEST[8]


def test_a_tied_table_is_in_the_file_once(written: Callable[..., Any]) -> None:
    _, path = written("masked", 7)
    large = [one for one in onnx.load(path).graph.initializer if int(np.prod(one.dims)) >= PIECES * WIDTH]
    assert [one.name for one in large] == [TABLE]


def test_the_last_product_of_a_head_is_left_as_it_is(written: Callable[..., Any]) -> None:
    graph = onnx.load(written("sequence", 7)[1]).graph
    weights = {one.name: one for one in graph.initializer}
    in_fp32 = [
        weights[node.input[1]].dims for node in graph.node if node.op_type == "MatMul" and node.input[1] in weights
    ]
    assert [list(dims) for dims in in_fp32] == [[WIDTH, 2]]


@given(st.integers(1, 6), st.sampled_from(sorted(LARGEST.values())), st.integers(0, 99), st.floats(1e-6, 1e6))
def test_a_row_is_itself_but_for_half_a_step(rows: int, largest: int, seed: int, size: float) -> None:
    """Whatever stands in other rows; a row of zeros stays one."""
    table_VD = np.random.default_rng(seed).normal(size=(rows, 8)).astype(np.float32) * np.float32(size)
    table_VD[0] *= np.float32(1e3)
    table_VD[-1] = 0
    whole_VD, scales_V = room._rows_as_integers(table_VD, largest)
    assert np.abs(whole_VD.astype(int)).max(initial=0) <= largest
    assert not whole_VD[-1].any()
    steps_V1 = np.abs(table_VD).max(axis=1, keepdims=True) / largest
    assert (np.abs(whole_VD * scales_V[:, None] - table_VD) <= 0.5001 * steps_V1).all()


def test_a_large_graph_has_its_weights_beside_it(
    written: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = written("encoder", 7)
    monkeypatch.setattr(room, "LARGEST_FILE", 100)
    write_int8(first, tmp_path / "model.onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "model.onnx.data"]
    (name,) = Graph(second).run(BATCH)
    assert np.array_equal(Graph(tmp_path / "model.onnx").run(BATCH)[name], Graph(second).run(BATCH)[name])


def test_nothing_is_said_and_it_is_the_same_again(
    written: Callable[..., Any], tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    first, second = written("encoder", 7)
    capfd.readouterr()
    caplog.clear()
    write_int8(first, tmp_path / "model.onnx")
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert (tmp_path / "model.onnx").read_bytes() == second.read_bytes()
