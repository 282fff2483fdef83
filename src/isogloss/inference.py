"""A model made ready to answer: its linear maps laid out as the processor's kernels read them fastest.

    device = choose(precision="auto")                                  # or "int8": sooner yet, a percent off a product
    model = for_inference(device.place(read_model(folder)), device)

Training keeps weights in fp32 and casts them where they are used. A model that only answers casts them once; on x86
its bf16 maps are reordered once into oneDNN's blocks (a tenth faster at thousands of tokens, twice as fast at twenty)
and GELU is part of the product before it. In int8, each output's weights have a scale of their own, and so has each
token's input at each map: what a text is answered does not depend on the texts that share its pack.

Shapes: N packed tokens, I inputs and O outputs of a linear map.
"""

from __future__ import annotations

import platform
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn

from isogloss.devices import Device
from isogloss.errors import ConfigError
from isogloss.interop.onnx_model import GraphEncoder
from isogloss.model import Encoder, FeedForward, Layer, Linear

__all__ = ["PackedFeedForward", "PackedInt8", "PackedLinear", "for_inference"]

Model = TypeVar("Model", bound=nn.Module)

# Rows that are quantised, multiplied and scaled before the next: so many stay in the processor's cache.
ROWS = 1024
# Quantised inputs lie in 0 to 255 around this zero: oneDNN has fast kernels for unsigned inputs, and for signed ones
# only slow ones (a thousand times). One short of 127, as the scale is rounded to bf16.
ZERO, LARGEST = 128, 126


class PackedLinear(nn.Module):
    """A linear map in bf16 on an x86 CPU, weights in oneDNN's blocks, GELU on its result if asked."""

    def __init__(self, linear: nn.Linear, *, activation: Literal["none", "gelu"] = "none") -> None:
        super().__init__()
        # No size of input is given: the blocks are as good for any.
        weight = linear.weight.detach().bfloat16()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, None)
        self.bias = nn.Parameter(linear.bias.detach().bfloat16(), requires_grad=False)
        self.activation = activation

    def forward(self, x_NI: Tensor) -> Tensor:
        out_NO: Tensor = torch.ops.mkldnn._linear_pointwise(
            x_NI, self._weight, self.bias, self.activation, [], "none" if self.activation == "gelu" else ""
        )
        return out_NO


class PackedInt8(nn.Module):
    """A linear map in int8 on an x86 CPU, inputs and results in `dtype`.

    Weights have a scale an output, inputs one a token, which is found anew each time.
    """

    def __init__(self, linear: nn.Linear, dtype: torch.dtype) -> None:
        super().__init__()
        weight_OI = linear.weight.detach().float()
        scales_O = weight_OI.abs().amax(1).clamp(min=torch.finfo(torch.float32).tiny) / 127
        quantised_OI = (weight_OI / scales_O[:, None]).round_().to(torch.int8)
        self._weight = torch.ops.onednn.qlinear_prepack(quantised_OI, None)
        self._scales_O, self._zeros_O = scales_O, torch.zeros(len(scales_O), dtype=torch.int64)
        self.bias = nn.Parameter(linear.bias.detach().to(dtype), requires_grad=False)

    def forward(self, x_NI: Tensor) -> Tensor:
        out_NO = x_NI.new_empty(len(x_NI), len(self.bias))
        for x_RI, out_RO in zip(torch.split(x_NI, ROWS), torch.split(out_NO, ROWS), strict=True):
            largest_R1 = x_RI.abs().amax(1, keepdim=True).clamp_(min=1e-30)
            quantised_RI = (x_RI * (LARGEST / largest_R1)).round_().add_(ZERO).to(torch.uint8)
            product_RO = torch.ops.onednn.qlinear_pointwise(
                quantised_RI, 1.0, ZERO, self._weight, self._scales_O, self._zeros_O, None, 1.0, 0, x_NI.dtype,
                "none", [], "",
            )  # fmt: skip
            torch.addcmul(self.bias, product_RO, largest_R1 / LARGEST, out=out_RO)
        return out_NO


class PackedFeedForward(nn.Module):
    """D → F and GELU in one product, F → D."""

    def __init__(self, feedforward: FeedForward) -> None:
        super().__init__()
        self.inner = PackedLinear(feedforward.inner, activation="gelu")
        self.out = PackedLinear(feedforward.out)

    def forward(self, x_ND: Tensor) -> Tensor:
        out_ND: Tensor = self.out(self.inner(x_ND))
        return out_ND


def for_inference(model: Model, device: Device) -> Model:
    """`model`, placed on `device`, with weights in the type it computes in there; it is changed, for it to answer only.

    With `device.int8` the linear maps of the layers are quantised; heads and tables are not. An encoder that is not
    ours, and the graph of an exported model, are left as they are; in int8 that raises ConfigError.
    """
    encoders = [module for module in model.modules() if isinstance(module, Encoder)]
    if device.int8 and not encoders:
        if any(isinstance(module, GraphEncoder) for module in model.modules()):
            raise ConfigError(
                "precision = 'int8': this is an exported model, which computes in what it was exported in; use auto "
                "(for int8, export the model with --int8)"
            )
        raise ConfigError("precision = 'int8': this encoder is run by transformers; use auto, bf16 or fp32")
    for encoder in encoders:
        for layer in encoder.layers:
            assert isinstance(layer, Layer)
            _replace_maps(layer, device)
        encoder.embeddings.pieces.to(device.dtype)
    for module in model.modules():
        if isinstance(module, Linear):
            module.to(device.dtype)
    return model.requires_grad_(False)


def _replace_maps(layer: Layer, device: Device) -> None:
    """Put the fast maps in the place of those of one layer, where this device has them."""
    attention, feedforward = layer.attention, layer.feedforward
    maps: list[tuple[nn.Module, str]] = [(attention, "qkv"), (attention, "out")]
    if device.int8:
        for part, name in [*maps, (feedforward, "inner"), (feedforward, "out")]:
            setattr(part, name, PackedInt8(getattr(part, name), device.dtype))
    elif device.device.type == "cpu" and device.dtype == torch.bfloat16 and _has_onednn_blocks():
        for part, name in maps:
            setattr(part, name, PackedLinear(getattr(part, name)))
        layer.register_module("feedforward", PackedFeedForward(feedforward))


def _has_onednn_blocks() -> bool:
    """On x86 with AVX512, without which oneDNN has none in bf16; what it does on other processors was not tried."""
    on_x86 = platform.machine() in ("x86_64", "AMD64") and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return on_x86 and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
