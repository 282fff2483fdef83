"""XLM-R: ids → hidden states → logits of masked tokens, to be read from top to bottom.

    model = MaskedLM(ModelSettings(preset="base"))
    initialise(model, seed=1)
    x_ND = model.encoder(ids_N, layout)                                 # hidden states, packed
    total = model.masked_loss(ids_N, layout, rows_M, targets_M)         # nats, summed over masked rows

What a study or a baseline needs (pre-norm, language embeddings, token types, width) is a setting of the one encoder.
Weights are kept in fp32 and read in `compute_dtype`: each is cast once where it is used, so that optimizers,
accumulation and data parallelism only ever meet fp32.

Shapes: N packed tokens, S sequences, M masked rows, D width, F feed-forward width, H heads, E width of a head,
V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from isogloss.attention import Layout, attend
from isogloss.config import Settings
from isogloss.dropout import drop
from isogloss.errors import DataError
from isogloss.languages import canonical_code
from isogloss.loss import linear_cross_entropy

__all__ = [
    "PRESETS",
    "Attention",
    "Encoder",
    "Layer",
    "Linear",
    "MaskedLM",
    "MaskedLMHead",
    "ModelSettings",
    "Norm",
    "initialise",
]

PAD_ID = 1
# The first token sits at this row of the position table: fairseq counts on from its padding id.
POSITION_OFFSET = PAD_ID + 1

PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {"num_layers": 2, "width": 128, "num_heads": 4, "feedforward": 512},
    "mini": {"num_layers": 4, "width": 256, "num_heads": 4, "feedforward": 1024},
    "base": {"num_layers": 12, "width": 768, "num_heads": 12, "feedforward": 3072},
    "large": {"num_layers": 24, "width": 1024, "num_heads": 16, "feedforward": 4096},
    "xl": {
        "num_layers": 36, "width": 2560, "num_heads": 32, "feedforward": 10240, "norm": "pre",
        "vocabulary_size": 250_880,
    },
    "xxl": {
        "num_layers": 48, "width": 4096, "num_heads": 32, "feedforward": 16384, "norm": "pre",
        "vocabulary_size": 250_880,
    },
    # The paper's ablations: the body of BERT-Base with 150k pieces; widened for 30 and for 100 languages (figure 4;
    # it gives the width only, heads and feed-forward follow BERT-Base's proportions).
    "ablation": {
        "num_layers": 12, "width": 768, "num_heads": 12, "feedforward": 3072, "vocabulary_size": 150_002,
    },
    "ablation-960": {
        "num_layers": 12, "width": 960, "num_heads": 12, "feedforward": 3840, "vocabulary_size": 150_002,
    },
    "ablation-1152": {
        "num_layers": 12, "width": 1152, "num_heads": 12, "feedforward": 4608, "vocabulary_size": 150_002,
    },
}  # fmt: skip


class ModelSettings(Settings):
    """The shape of a model. A preset fills what is not given."""

    preset: str | None = Field(None, description="Named shape that fills what is not set here: " + ", ".join(PRESETS))
    vocabulary_size: int = Field(250_002, ge=5, description="Pieces, with the special ones; <mask> is the last")
    width: int = Field(768, ge=1, description="Width of the hidden states")
    num_layers: int = Field(12, ge=0, description="Layers")
    num_heads: int = Field(12, ge=1, description="Attention heads; they divide the width")
    feedforward: int = Field(3072, ge=1, description="Inner width of the feed-forward part")
    max_length: int = Field(512, ge=1, description="Longest sequence in tokens (the table has two more rows)")
    dropout: float = Field(0.1, ge=0, lt=1, description="Share of hidden values dropped in training")
    attention_dropout: float = Field(0.1, ge=0, lt=1, description="Share of attention weights dropped in training")
    norm: Literal["post", "pre"] = Field("post", description="LayerNorm after each part (XLM-R) or before (XL, XXL)")
    layer_norm_eps: float = Field(1e-5, gt=0, description="Added to the variance in LayerNorm")
    initial_std: float = Field(0.02, gt=0, description="Spread of fresh weights; narrow models want more (0.05)")
    languages: tuple[str, ...] = Field((), description="Codes of a language embedding's rows; none in XLM-R")
    num_token_types: int = Field(0, ge=0, description="Rows of a token-type embedding, 0 for none (XLM-R has none)")

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, values: Any) -> Any:
        preset = values.get("preset") if isinstance(values, dict) else None
        if preset is None:
            return values
        if preset not in PRESETS:
            raise ValueError(f"no preset '{preset}'; there are {', '.join(PRESETS)}")
        return {**PRESETS[preset], **values}

    @model_validator(mode="after")
    def _heads_divide_width(self) -> ModelSettings:
        if self.width % self.num_heads:
            raise ValueError(f"num_heads = {self.num_heads} does not divide width = {self.width}")
        return self

    def row_of(self, language: str | None) -> int:
        """The row of a language in the language embedding, by its code in any spelling, or without its script.

        0 for a model without such an embedding. Raises DataError for a language that has no row, and for none.
        """
        if not self.languages:
            return 0
        if language in self.languages:  # whatever it is: a model of others may have codes that are none
            return self.languages.index(language)
        # Of some the usual script is part of the code: "zh" is "zh-Hans" too.
        for code in (canonical_code(language), language.split("-")[0]) if language else ():
            if code in self.languages:
                return self.languages.index(code)
        problem = f"has no row for {language}" if language else "none is given"
        raise DataError(f"the model embeds the language of a text, but {problem}; it knows {', '.join(self.languages)}")


class Linear(nn.Linear):
    """A linear map in the type of its input, whatever type the weights are kept in."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x.dtype), self.bias.to(x.dtype))


class Norm(nn.LayerNorm):
    """LayerNorm in the type of its input (its sums are fp32 in any case)."""

    def forward(self, x: Tensor) -> Tensor:
        # The CPU's kernel takes fp32 weights beside bf16 values, and is faster so.
        dtype = self.weight.dtype if x.device.type == "cpu" else x.dtype
        return F.layer_norm(x, self.normalized_shape, self.weight.to(dtype), self.bias.to(dtype), self.eps)


class Embeddings(nn.Module):
    """Piece + position (+ language, + token type), normed in the post-norm model."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        width = settings.width
        self.dropout = settings.dropout
        self.pieces = nn.Embedding(settings.vocabulary_size, width)
        self.positions = nn.Embedding(settings.max_length + POSITION_OFFSET, width)
        self.languages = nn.Embedding(len(settings.languages), width) if settings.languages else None
        self.token_types = nn.Embedding(settings.num_token_types, width) if settings.num_token_types else None
        self.norm = Norm(width, eps=settings.layer_norm_eps) if settings.norm == "post" else None

    def forward(self, ids_N: Tensor, positions_N: Tensor, languages_N: Tensor, token_types_N: Tensor) -> Tensor:
        x_ND: Tensor = self.pieces(ids_N) + self.positions(positions_N + POSITION_OFFSET)
        if self.languages is not None:
            x_ND = x_ND + self.languages(languages_N)
        if self.token_types is not None:
            x_ND = x_ND + self.token_types(token_types_N)
        if self.norm is not None:
            x_ND = self.norm(x_ND)
        return drop(x_ND, self.dropout) if self.training else x_ND


class Attention(nn.Module):
    """Self-attention; queries, keys and values come from one product."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.num_heads = settings.num_heads
        self.dropout = settings.attention_dropout
        self.qkv = Linear(settings.width, 3 * settings.width)
        self.out = Linear(settings.width, settings.width)
        self.attend = attend

    def forward(self, x_ND: Tensor, layout: Layout) -> Tensor:
        N, D = x_ND.shape
        qkv_N3HE = self.qkv(x_ND).view(N, 3, self.num_heads, D // self.num_heads)
        x_NHE = self.attend(qkv_N3HE, layout, dropout=self.dropout if self.training else 0.0)
        out_ND: Tensor = self.out(x_NHE.reshape(N, D))
        return out_ND


class FeedForward(nn.Module):
    """D → F, exact GELU, F → D."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.inner = Linear(settings.width, settings.feedforward)
        self.out = Linear(settings.feedforward, settings.width)

    def forward(self, x_ND: Tensor) -> Tensor:
        out_ND: Tensor = self.out(F.gelu(self.inner(x_ND)))
        return out_ND


class Layer(nn.Module):
    """Attention and feed-forward, each with a residual; LayerNorm after the sum (post) or before the part (pre)."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.pre = settings.norm == "pre"
        self.dropout = settings.dropout
        self.attention = Attention(settings)
        self.attention_norm = Norm(settings.width, eps=settings.layer_norm_eps)
        self.feedforward = FeedForward(settings)
        self.feedforward_norm = Norm(settings.width, eps=settings.layer_norm_eps)

    def forward(self, x_ND: Tensor, layout: Layout) -> Tensor:
        if self.pre:
            x_ND = x_ND + self._drop(self.attention(self.attention_norm(x_ND), layout))
            return x_ND + self._drop(self.feedforward(self.feedforward_norm(x_ND)))
        x_ND = self.attention_norm(x_ND + self._drop(self.attention(x_ND, layout)))
        out_ND: Tensor = self.feedforward_norm(x_ND + self._drop(self.feedforward(x_ND)))
        return out_ND

    def _drop(self, x_ND: Tensor) -> Tensor:
        return drop(x_ND, self.dropout) if self.training else x_ND


class Encoder(nn.Module):
    """Packed ids → hidden states, in `compute_dtype` (fp32 unless set)."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.settings = settings
        self.compute_dtype = torch.float32
        self.embeddings = Embeddings(settings)
        self.layers = nn.ModuleList(Layer(settings) for _ in range(settings.num_layers))
        self.final_norm = Norm(settings.width, eps=settings.layer_norm_eps) if settings.norm == "pre" else None

    def forward(
        self,
        ids_N: Tensor,
        layout: Layout,
        *,
        languages_S: Tensor | None = None,
        token_types_N: Tensor | None = None,
        segments: Layout | None = None,
    ) -> Tensor:
        """Hidden states of the last layer, (N, D). Without `languages_S` or `token_types_N` each is row 0.

        `segments` cuts sequences into parts: positions start again at each, and `languages_S` are theirs.
        """
        more = {"languages_S": languages_S, "token_types_N": token_types_N}
        for x_ND in self.states(ids_N, layout, segments=segments, **more):
            last_ND = x_ND
        return last_ND

    def states(
        self,
        ids_N: Tensor,
        layout: Layout,
        *,
        languages_S: Tensor | None = None,
        token_types_N: Tensor | None = None,
        segments: Layout | None = None,
    ) -> Iterator[Tensor]:
        """The embeddings, then each layer's output; the last one is what `forward` returns."""
        self._check(ids_N, layout)
        segments = layout if segments is None else segments
        zeros_N = torch.zeros_like(ids_N)
        languages_N = zeros_N if languages_S is None else languages_S[segments.sequences_N]
        token_types_N = zeros_N if token_types_N is None else token_types_N
        x_ND = self.embeddings(ids_N, segments.positions_N, languages_N, token_types_N).to(self.compute_dtype)
        last = len(self.layers) - 1
        if self.final_norm is not None and last < 0:
            x_ND = self.final_norm(x_ND)
        yield x_ND
        for number, layer in enumerate(self.layers):
            x_ND = layer(x_ND, layout)
            if self.final_norm is not None and number == last:
                x_ND = self.final_norm(x_ND)
            yield x_ND

    def _check(self, ids_N: Tensor, layout: Layout) -> None:
        assert ids_N.shape == (layout.num_tokens,), f"{tuple(ids_N.shape)} ids, layout of {layout.num_tokens} tokens"
        if layout.max_length > self.settings.max_length:
            raise DataError(
                f"a sequence has {layout.max_length} tokens, the model reads at most {self.settings.max_length}; "
                "cut it or split it into windows"
            )


class MaskedLMHead(nn.Module):
    """Dense, GELU, LayerNorm; then the product with the piece embeddings (tied) plus a bias of its own.

    An untied head, which other people's checkpoints may have, holds `pieces` of its own for the product.
    """

    def __init__(self, settings: ModelSettings, *, tied: bool = True) -> None:
        super().__init__()
        self.dense = Linear(settings.width, settings.width)
        self.norm = Norm(settings.width, eps=settings.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(settings.vocabulary_size))
        self.pieces = None if tied else nn.Embedding(settings.vocabulary_size, settings.width)

    def forward(self, x_MD: Tensor) -> Tensor:
        """What is multiplied with the piece embeddings, (M, D)."""
        h_MD: Tensor = self.norm(F.gelu(self.dense(x_MD)))
        return h_MD


class MaskedLM(nn.Module):
    """The encoder with the head that names masked pieces."""

    def __init__(self, settings: ModelSettings, *, tied: bool = True) -> None:
        super().__init__()
        self.settings = settings
        self.encoder = Encoder(settings)
        self.head = MaskedLMHead(settings, tied=tied)

    @property
    def product_VD(self) -> Tensor:
        """What the head is multiplied with: the piece embeddings, unless the head is untied."""
        pieces = self.encoder.embeddings.pieces if self.head.pieces is None else self.head.pieces
        return pieces.weight

    def forward(
        self,
        ids_N: Tensor,
        layout: Layout,
        rows_M: Tensor,
        targets_M: Tensor,
        *,
        languages_S: Tensor | None = None,
        segments: Layout | None = None,
    ) -> Tensor:
        """Cross-entropy in nats, summed over the masked rows; the caller divides by its global count."""
        x_ND = self.encoder(ids_N, layout, languages_S=languages_S, segments=segments)
        h_MD = self.head(x_ND.index_select(0, rows_M))
        return linear_cross_entropy(h_MD, self.product_VD, self.head.bias, targets_M)

    masked_loss = forward

    def logits(self, ids_N: Tensor, layout: Layout, rows_M: Tensor, *, languages_S: Tensor | None = None) -> Tensor:
        """Logits of the pieces at these rows, (M, V), fp32."""
        h_MD = self.head(self.encoder(ids_N, layout, languages_S=languages_S).index_select(0, rows_M))
        return F.linear(h_MD, self.product_VD.to(h_MD.dtype), self.head.bias.to(h_MD.dtype)).float()


def initialise(model: nn.Module, seed: int, *, std: float = 0.02) -> None:
    """Fresh weights from `seed` alone: N(0, std) for products and embeddings, zero biases and padding rows.

    Drawn on the CPU, in the order of the parameters, so that every device starts from the same weights.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                module.weight.copy_(torch.randn(module.weight.shape, generator=generator) * std)
            if isinstance(module, nn.Linear | MaskedLMHead):
                module.bias.zero_()
            if isinstance(module, nn.LayerNorm):
                module.reset_parameters()
        for module in model.modules():
            if isinstance(module, Embeddings):
                module.pieces.weight[PAD_ID] = 0
                module.positions.weight[PAD_ID] = 0
