"""A model on its device with its tokenizer: sequences of ids in, rows of numbers out, whatever its head.

loaded.hidden_states([[0, 5, 6, 2]])                       # [(4, D)]
for row in loaded.ask(forward, sequences): ...             # what the five questions are answered from
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from isogloss.attention import Layout
from isogloss.checkpoint import encoder_of
from isogloss.devices import Device
from isogloss.encode import TOKEN_BUDGET, in_language, one_row, run_packed
from isogloss.errors import ConfigError
from isogloss.heads import AnyEncoder, TaskModel
from isogloss.interop.foreign import ForeignEncoder
from isogloss.interop.onnx_model import GraphEncoder
from isogloss.interop.sentence_transformers import Modules
from isogloss.lines import Question
from isogloss.model import Encoder, MaskedLM
from isogloss.tasks import FloatArray, IntArray
from isogloss.vocab import Tokenizer, Vocabulary

__all__ = ["LoadedModel"]

AnyModel = MaskedLM | TaskModel | Encoder | ForeignEncoder | GraphEncoder

# Logits of a pack when every row of a masked language model is asked for: 256 MB in fp32.
MOST_LOGITS = 1 << 26
# The question that each head answers.
ASKED: Mapping[str, Question] = {"sequence": "classify", "token": "tag", "question": "answer"}


class LoadedModel:
    """A model, its tokenizer, the language of its texts and the device it computes on.

    `exact` reads the model again, when `hidden_states` or `logits` are asked for, to compute them in fp32 where the
    answers to questions are computed in bf16; `modules` are the steps by which an embedding model makes its vectors.
    """

    def __init__(
        self,
        model: AnyModel,
        tokenizer: Tokenizer,
        device: Device,
        *,
        exact: Callable[[], AnyModel] | None = None,
        language: str | None = None,
        modules: Modules | None = None,
    ) -> None:
        self.model = device.place(model).eval()
        self._exact = exact
        self.modules = modules
        self.encoder: AnyEncoder = encoder_of(self.model)
        self.tokenizer = tokenizer.for_language(language)
        self.language = language
        self.device = device
        self.max_length = self.encoder.settings.max_length

    @property
    def labels(self) -> tuple[str, ...]:
        """What the model's head tells apart; empty for a model without labels."""
        return tuple(self.model.labels) if isinstance(self.model, TaskModel) else ()

    @functools.cached_property
    def exact_model(self) -> AnyModel:
        """The model that `hidden_states` and `logits` are computed by."""
        if self._exact is None or self.device.dtype == torch.float32:
            return self.model
        return Device(self.device.device, torch.float32).place(self._exact()).eval()

    def hidden_states(self, ids: Sequence[Sequence[int]]) -> list[Tensor]:
        """Last hidden states, (T, D) fp32 for each list of ids (special ids included, nothing padded)."""
        return self._run(encoder_of(self.exact_model), ids, num_rows=len)

    def logits(self, ids: Sequence[Sequence[int]]) -> list[Tensor]:
        """What the head says, fp32: (T, V), (num_labels,), (T, num_labels) or (T, 2)."""
        model = self.exact_model
        if not isinstance(model, MaskedLM | TaskModel):
            raise ConfigError("this model has no head; logits need one, which 'isogloss finetune' makes")
        if isinstance(model, TaskModel):
            return self._run(model, ids, num_rows=one_row if model.kind == "sequence" else len)

        def every_row(ids_N: Tensor, layout: Layout, languages_S: Tensor) -> Tensor:
            return model.logits(ids_N, layout, torch.arange(len(ids_N), device=ids_N.device), languages_S=languages_S)

        # A row a piece of the vocabulary wide: packs are kept as small as such rows are large.
        return self._run(
            every_row, ids, num_rows=len, token_budget=max(1, MOST_LOGITS // model.settings.vocabulary_size)
        )

    def ask(
        self,
        forward: Callable[..., Tensor],
        sequences: Iterable[IntArray],
        *,
        num_rows: Callable[[IntArray], int] = one_row,
        token_budget: int = TOKEN_BUDGET,
    ) -> Iterator[FloatArray]:
        """What `forward` gives for each sequence, all of them of the predictor's language."""
        spoken = in_language(forward, self.encoder.settings.row_of(self.language))
        return run_packed(spoken, sequences, device=self.device, num_rows=num_rows, token_budget=token_budget)

    def _run(
        self,
        forward: Callable[..., Tensor],
        ids: Sequence[Sequence[int]],
        *,
        num_rows: Callable[[IntArray], int],
        token_budget: int = TOKEN_BUDGET,
    ) -> list[Tensor]:
        arrays = [np.asarray(one, np.int32) for one in ids]
        found = self.ask(forward, arrays, num_rows=num_rows, token_budget=token_budget)
        return [torch.from_numpy(rows) for rows in found]

    def vocabulary(self) -> Vocabulary:
        """The tokenizer of a masked language model."""
        assert isinstance(self.tokenizer, Vocabulary), "a masked language model has a vocabulary of ours"
        return self.tokenizer

    def masked_lm(self) -> MaskedLM:
        """The model, if it can fill masks. Raises ConfigError for any other."""
        if isinstance(self.model, MaskedLM):
            return self.model
        raise ConfigError(f"this model has {self._head()}; fill_mask needs a pretrained masked-language model")

    def task_model(self, kind: Literal["sequence", "token", "question"]) -> TaskModel:
        """The model, if it has a head of this kind. Raises ConfigError for any other."""
        if isinstance(self.model, TaskModel) and self.model.kind == kind:
            return self.model
        raise ConfigError(
            f"this model has {self._head()}; {ASKED[kind]} needs a {kind} head, which 'isogloss finetune' makes"
        )

    def _head(self) -> str:
        if isinstance(self.model, TaskModel):
            return f"a {self.model.kind} head"
        return "a masked-language-model head" if isinstance(self.model, MaskedLM) else "no head"
