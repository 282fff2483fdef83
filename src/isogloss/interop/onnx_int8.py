"""A graph with weights of one byte each: products quantised by onnxruntime's own quantiser, the piece table by rows.

    write_int8(Path("fp32.onnx"), Path("model.onnx"), bits=7)

Products with weights multiply integers: each weight's column has a scale of its own, what comes in is quantised as it
comes, with one scale for the whole batch (DynamicQuantizeLinear, MatMulInteger), so that an answer depends a little on
what else is in the batch. The quantiser gives a table one scale for all of its rows; ours has one a row, and rows are
read before they become fp32. A masked head that shares the table multiplies by that very table of integers, so the file
has it once. All operators are of the standard.

With 8 bits a processor without VNNI adds pairs of products in 16 bits, which can overflow and be cut off without a
word; with 7 they cannot, so that the answer is the same on every processor.

Shapes: V pieces, D width.
"""

from __future__ import annotations

import importlib
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from isogloss.interop.onnx import LARGEST_FILE, load_onnx

__all__ = ["BITS", "write_int8"]

BITS: tuple[int, ...] = (7, 8)
TABLE = "encoder.embeddings.pieces.weight"
# The largest integer of a weight.
LARGEST = {7: 63, 8: 127}
# Products with fewer columns, a head's last one above all, decide what is answered and weigh nothing.
FEWEST_COLUMNS = 32
TINY = 1e-30  # the scale of a row of zeros

Graph = Any
FloatArray = npt.NDArray[np.float32]


def write_int8(source: Path, target: Path, *, bits: Literal[7, 8] = 7) -> None:
    """Write the graph of `source`, one that `write_graph` wrote, in int8; with its weights beside it where it must.

    Raises MissingExtraError.
    """
    load_onnx()
    onnx = importlib.import_module("onnx")
    quantization = importlib.import_module("onnxruntime.quantization")
    model = onnx.load(source)
    _turn_weights(onnx, model.graph)
    _quantise_table(onnx, model.graph, LARGEST[bits])
    # The quantiser turns a product with a bias (Gemm) into a plain one, and would trip over the shapes noted before.
    del model.graph.value_info[:]
    # It says otherwise on stderr that shapes should have been inferred before.
    quantization.quant_utils.add_pre_process_metadata(model)
    num_bytes = sum(math.prod(tensor.dims) for tensor in model.graph.initializer)
    quantization.quantize_dynamic(
        model,
        target,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        reduce_range=bits == min(BITS),
        weight_type=quantization.QuantType.QInt8,
        nodes_to_exclude=list(_small_products(model.graph)),
        use_external_data_format=num_bytes > LARGEST_FILE,
    )


def _turn_weights(onnx: Any, graph: Graph) -> None:
    """Weights as the product takes them, in place of one that is turned whenever the graph is run."""
    weights = {tensor.name: tensor for tensor in graph.initializer}
    readers = Counter(name for node in graph.node for name in node.input)
    for node in [node for node in graph.node if node.op_type == "Transpose" and node.input[0] in weights]:
        weight = weights[node.input[0]]
        if readers[weight.name] == 1:
            turned = np.ascontiguousarray(onnx.numpy_helper.to_array(weight).T)
            weight.CopyFrom(onnx.numpy_helper.from_array(turned, node.output[0]))
            graph.node.remove(node)


def _small_products(graph: Graph) -> Iterator[str]:
    """The names, by the time that the quantiser looks at them, of products with few columns."""
    weights = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights and weights[node.input[1]].dims[1] < FEWEST_COLUMNS:
            yield node.name
        if node.op_type == "Gemm" and weights[node.input[1]].dims[0] < FEWEST_COLUMNS:
            yield f"{node.name}_MatMul"


def _quantise_table(onnx: Any, graph: Graph, largest: int) -> None:
    """The piece table as integers with a scale a row, and what reads it: rows by id, and the product of a tied head."""
    (table,) = [tensor for tensor in graph.initializer if tensor.name == TABLE]
    table_VD: FloatArray = onnx.numpy_helper.to_array(table)
    readers = [(place, node) for place, node in enumerate(graph.node) if TABLE in node.input]
    is_multiplied = any(node.op_type != "Gather" for _, node in readers)
    whole_VD, scales_V = _rows_as_integers(table_VD, largest if is_multiplied else max(LARGEST.values()))
    names = f"{TABLE}_quantized", f"{TABLE}_scale"
    table.CopyFrom(onnx.numpy_helper.from_array(whole_VD, names[0]))
    graph.initializer.append(onnx.numpy_helper.from_array(scales_V, names[1]))
    graph.initializer.append(onnx.numpy_helper.from_array(np.array([-1], np.int64), f"{TABLE}_last_axis"))
    # From the end, so that the places of those before stay.
    for place, node in reversed(readers):
        if node.op_type == "Gather":
            replaced, new = node, _gathered(onnx, node, *names)
        else:
            assert node.op_type == "Transpose", "the head turns its table"
            (replaced,) = [other for other in graph.node if node.output[0] in other.input]
            place = list(graph.node).index(replaced)
            new = [_copy(onnx, node, names[0]), *_multiplied(onnx, replaced, names[1])]
            graph.node.remove(node)
            place -= 1
        graph.node.remove(replaced)
        for offset, one in enumerate(new):
            graph.node.insert(place + offset, one)


def _rows_as_integers(table_VD: FloatArray, largest: int) -> tuple[npt.NDArray[np.int8], FloatArray]:
    scales_V = np.maximum(np.abs(table_VD).max(axis=1) / largest, TINY).astype(np.float32)
    whole_VD = np.rint(table_VD / scales_V[:, None]).astype(np.int8)
    return whole_VD, scales_V


def _gathered(onnx: Any, node: Any, table: str, scales: str) -> list[Any]:
    """Rows by id in fp32: the integers times the scale of each row."""
    make, out, ids = onnx.helper.make_node, node.output[0], node.input[1]
    return [
        make("Gather", [table, ids], [f"{out}_whole"], name=f"{out}_rows", axis=0),
        make("Cast", [f"{out}_whole"], [f"{out}_cast"], name=f"{out}_to_float", to=onnx.TensorProto.FLOAT),
        make("Gather", [scales, ids], [f"{out}_scale"], name=f"{out}_scales", axis=0),
        make("Unsqueeze", [f"{out}_scale", f"{TABLE}_last_axis"], [f"{out}_column"], name=f"{out}_unsqueeze"),
        make("Mul", [f"{out}_cast", f"{out}_column"], [out], name=f"{out}_scaled"),
    ]


def _copy(onnx: Any, turn: Any, table: str) -> Any:
    return onnx.helper.make_node("Transpose", [table], [f"{turn.output[0]}_whole"], name=turn.name, perm=[1, 0])


def _multiplied(onnx: Any, product: Any, scales: str) -> list[Any]:
    """The product of what comes in with the table's rows, as the quantiser writes one."""
    make, out = onnx.helper.make_node, product.output[0]
    x, turned = product.input
    whole = [f"{out}_x_{part}" for part in ("whole", "scale", "zero")]
    return [
        make("DynamicQuantizeLinear", [x], whole, name=f"{out}_quantize"),
        make("MatMulInteger", [whole[0], f"{turned}_whole", whole[2]], [f"{out}_sum"], name=f"{out}_product"),
        make("Cast", [f"{out}_sum"], [f"{out}_cast"], name=f"{out}_to_float", to=onnx.TensorProto.FLOAT),
        make("Mul", [whole[1], scales], [f"{out}_scale"], name=f"{out}_scales"),
        make("Mul", [f"{out}_cast", f"{out}_scale"], [out], name=f"{out}_scaled"),
    ]
