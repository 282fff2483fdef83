"""The five questions a model can be asked: fill_mask, classify, tag, answer, embed.

    model = load("runs/ner/model")
    model.tag(["Anna anaishi Oslo."])         # [[TaggedSpan(start=0, end=4, text='Anna', tag='PER'), …]]
    load("runs/demo/model").fill_mask(["Paris is the <mask> of France."], top_k=3)

Every answer is about the text as it was given: spans are characters of it, words are never cut. Texts come in any
number and order; they are sorted, packed without padding, and answered in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from isogloss.attention import Layout
from isogloss.checkpoint import encoder_of, load_tokenizer, read_model
from isogloss.devices import Device, Precision, choose
from isogloss.encode import TOKEN_BUDGET, in_language, one_row, run_packed
from isogloss.errors import ConfigError, DataError
from isogloss.heads import AnyEncoder, TaskModel, mean_of_pieces
from isogloss.interop.foreign import ForeignEncoder
from isogloss.interop.sentence_transformers import Modules, read_modules
from isogloss.model import Encoder, MaskedLM
from isogloss.run_models import model_folder
from isogloss.tasks import (
    FloatArray,
    IntArray,
    Span,
    best_spans,
    divide_words,
    join_words,
    question_windows,
    text_windows,
    word_tags,
    word_windows,
)
from isogloss.tasks.metrics import entities
from isogloss.vocab import Tokenizer, Vocabulary

__all__ = ["FoundAnswer", "MaskFill", "Predictor", "TaggedSpan", "TextLabel", "load"]

MASK = "<mask>"
# Logits of a pack when every row of a masked language model is asked for: 256 MB in fp32.
MOST_LOGITS = 1 << 26


@dataclass(frozen=True)
class MaskFill:
    """A piece that may stand at a mask; `text` is the piece with its mark of a new word as a space."""

    text: str
    id: int
    probability: float


@dataclass(frozen=True)
class TextLabel:
    """The most probable label, and the probability of each."""

    label: str
    probabilities: dict[str, float]

    @property
    def probability(self) -> float:
        return self.probabilities[self.label]


@dataclass(frozen=True)
class TaggedSpan:
    """Characters `start` to `end` of the text and what they are: an entity's type, or a word's tag."""

    start: int
    end: int
    text: str
    tag: str


@dataclass(frozen=True)
class FoundAnswer:
    """Characters `start` to `end` of the context; `score`, the sum of both logits, compares answers of one model."""

    start: int
    end: int
    text: str
    score: float


def load(
    folder: Path | str, *, device: str = "auto", precision: Precision = "auto", language: str | None = None
) -> Predictor:
    """A model folder, or the model of a run folder, ready to be asked; also a folder that sentence-transformers saved.

    `language` is that of the texts, for a model that embeds it (XLM) and for words without spaces.
    Raises CheckpointError, VocabularyError or FolderError for a folder that cannot be read whole.
    """
    folder = model_folder(Path(folder))
    place = choose(device, precision=precision)
    modules = read_modules(folder)
    folder = modules.encoder if modules else folder
    model = read_model(folder)
    tokenizer = load_tokenizer(folder, encoder_of(model))
    return Predictor(model, tokenizer, place, exact=precision == "auto", language=language, modules=modules)


class Predictor:
    """A model, its vocabulary and the device it answers on; made with `load`.

    An encoder without a head gives `embed` and `hidden_states`; the other questions raise ConfigError. `exact` lets
    `hidden_states` and `logits` compute in fp32 where the answers to questions are computed in bf16; `modules` are the
    steps by which an embedding model makes its vectors.
    """

    def __init__(
        self,
        model: MaskedLM | TaskModel | Encoder | ForeignEncoder,
        tokenizer: Tokenizer,
        device: Device,
        *,
        exact: bool = True,
        language: str | None = None,
        modules: Modules | None = None,
    ) -> None:
        self.model = device.place(model).eval()
        self.exact = exact
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

    def fill_mask(self, texts: Sequence[str], *, top_k: int = 5) -> list[list[list[MaskFill]]]:
        """For each text and each `<mask>` in it, the `top_k` most probable pieces, best first.

        Raises DataError for a text without a mask or too long to hold its masks.
        """
        model = self._masked_lm()
        vocabulary = self._vocabulary()
        if not 1 <= top_k <= vocabulary.size:
            raise ConfigError(f"top_k = {top_k} is outside 1 to {vocabulary.size}, the size of the vocabulary")
        mask_id = vocabulary.mask_id

        def best(ids_N: Tensor, layout: Layout, languages_S: Tensor) -> Tensor:
            (rows_M,) = torch.nonzero(ids_N == mask_id, as_tuple=True)
            # Weights may be padded with rows that are no piece.
            logits_MV = model.logits(ids_N, layout, rows_M, languages_S=languages_S)[:, : vocabulary.size]
            top = logits_MV.softmax(-1).topk(top_k)
            # Ids as fp32 beside their probabilities: exact to 16 million pieces.
            return torch.stack([top.values, top.indices.float()], dim=-1)

        sequences = [self._masked_sequence(number, text) for number, text in enumerate(texts, start=1)]
        filled = self._ask(best, sequences, num_rows=lambda ids: int((ids == mask_id).sum()))
        return [[[_fill(vocabulary, *pair) for pair in mask.tolist()] for mask in masks] for masks in filled]

    def classify(self, texts: Sequence[str | tuple[str, str]]) -> list[TextLabel]:
        """The label of each text or pair. Text beyond the model's length is not read; of a pair the longer is cut."""
        model = self._task_model("sequence")
        pairs = [(text,) if isinstance(text, str) else tuple(text) for text in texts]
        windows = text_windows(pairs, self.tokenizer, max_length=self.max_length)
        labelled: list[TextLabel] = []
        for logits in self._ask(model, (window.ids for window in windows)):
            shares = dict(zip(self.labels, _softmax(logits).tolist(), strict=True))
            labelled.append(TextLabel(max(shares, key=lambda label: shares[label]), shares))
        return labelled

    def tag(self, texts: Sequence[str | Sequence[str]], *, language: str | None = None) -> list[list[TaggedSpan]]:
        """The entities of each text, or its words with their tags where tags are not those of entities.

        A text is divided into words as `tasks.words` says. Words may also be given as a list; they are joined with
        spaces, or without if `language` (unless given, that of the predictor) has none; offsets refer to that text.
        """
        model = self._task_model("token")
        sentences = [self._words(text, language or self.language) for text in texts]
        windows = word_windows(sentences, self.tokenizer, max_length=self.max_length)
        logits = self._ask(model, (window.ids for window in windows), num_rows=len)
        tags = word_tags(windows, list(logits), self.labels, num_examples=len(sentences))
        return [self._spans(text, words, found) for (text, words), found in zip(sentences, tags, strict=True)]

    def answer(self, questions: Sequence[tuple[str, str]]) -> list[FoundAnswer]:
        """The best answer to each (question, context); a long context is searched through overlapping windows."""
        model = self._task_model("question")
        windows = question_windows(questions, self.tokenizer, max_length=self.max_length)
        logits = self._ask(model, (window.ids for window in windows), num_rows=len)
        contexts = [context for _, context in questions]
        return [
            FoundAnswer(span.start, span.end, context[span.start : span.end], span.score)
            for span, context in zip(best_spans(windows, list(logits), contexts), contexts, strict=True)
        ]

    def embed(
        self,
        texts: Sequence[str],
        *,
        pooling: Literal["mean", "cls", "mean-all"] | None = None,
        normalise: bool | None = None,
    ) -> FloatArray:
        """A vector a text, (texts, width): the mean of its pieces' hidden states (`<s>` and `</s>` left out), or `<s>`.

        "mean-all" counts `<s>` and `</s>` in, as sentence-transformers' mean does. A text without pieces gives the
        vector of `<s>` in the first two. Text beyond the model's length is not read. None given, an embedding model
        makes its vectors as its folder says (prompts are the caller's to add), any other takes "mean", not normalised.
        Raises ConfigError for a folder that says what we do not have.
        """
        if pooling not in (None, "mean", "cls", "mean-all"):
            raise ConfigError(f"pooling = '{pooling}' is not known: use mean, cls or mean-all")
        max_length = self.max_length
        if pooling is None and self.modules is not None:
            said = self.modules.pooling()
            pooling, normalise = said.mode, said.normalise if normalise is None else normalise
            max_length = min(max_length, self.modules.max_length)
        encoder = self.encoder

        def pooled(ids_N: Tensor, layout: Layout, languages_S: Tensor) -> Tensor:
            x_ND = encoder(ids_N, layout, languages_S=languages_S).float()
            if pooling == "cls":
                return x_ND[layout.offsets[:-1].long()]
            if pooling == "mean-all":
                lengths_S = layout.offsets.diff()
                sums_SD = x_ND.new_zeros(layout.num_sequences, x_ND.shape[1]).index_add_(0, layout.sequences_N, x_ND)
                return sums_SD / lengths_S[:, None]
            return mean_of_pieces(x_ND, layout)

        windows = text_windows([(text,) for text in texts], self.tokenizer, max_length=max_length)
        rows = list(self._ask(pooled, (window.ids for window in windows)))
        vectors: FloatArray = np.stack(rows) if rows else np.empty((0, encoder.settings.width), np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12) if normalise else vectors

    def hidden_states(self, ids: Sequence[Sequence[int]]) -> list[Tensor]:
        """Last hidden states, (T, D) fp32 for each list of ids (special ids included, nothing padded)."""
        return self._run(self.encoder, ids, num_rows=len)

    def logits(self, ids: Sequence[Sequence[int]]) -> list[Tensor]:
        """What the head says, fp32: (T, V), (num_labels,), (T, num_labels) or (T, 2)."""
        model = self.model
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

    def _ask(
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
        dtype = self.encoder.compute_dtype
        try:
            self.encoder.compute_dtype = torch.float32 if self.exact else dtype
            found = list(self._ask(forward, arrays, num_rows=num_rows, token_budget=token_budget))
        finally:
            self.encoder.compute_dtype = dtype
        return [torch.from_numpy(rows) for rows in found]

    def _masked_sequence(self, number: int, text: str) -> IntArray:
        """`<s> … </s>` with the mask's id where the text has `<mask>`, which takes the space before it."""
        parts = [part.rstrip() for part in text.split(MASK)]
        if len(parts) == 1:
            raise DataError(f"text {number} has no {MASK}: {text[:60]!r}; write {MASK} where a piece is missing")
        vocabulary = self._vocabulary()
        ids: list[IntArray] = []
        for piece_ids in vocabulary.encode(parts):
            ids += [piece_ids, np.array([vocabulary.mask_id], np.int32)]
        sequence = vocabulary.frame.around(np.concatenate(ids[:-1]))
        if len(sequence) > self.max_length:
            raise DataError(f"text {number} has {len(sequence)} pieces, the model reads {self.max_length}; shorten it")
        return sequence

    def _words(self, text: str | Sequence[str], language: str | None) -> tuple[str, list[Span]]:
        if not isinstance(text, str):
            return join_words(text, language=language)
        _, starts, ends = self.tokenizer.encode_with_offsets(text)
        return text, divide_words(text, starts, ends)

    def _spans(self, text: str, words: Sequence[Span], tags: Sequence[str]) -> list[TaggedSpan]:
        if "O" in self.labels:
            found = [(words[start][0], words[stop - 1][1], kind) for start, stop, kind in entities(tags)]
        else:
            found = [(start, end, tag) for (start, end), tag in zip(words, tags, strict=True)]
        return [TaggedSpan(start, end, text[start:end], tag) for start, end, tag in found]

    def _vocabulary(self) -> Vocabulary:
        assert isinstance(self.tokenizer, Vocabulary), "a masked language model has a vocabulary of ours"
        return self.tokenizer

    def _masked_lm(self) -> MaskedLM:
        if isinstance(self.model, MaskedLM):
            return self.model
        raise ConfigError(f"this model has {self._head()}; fill_mask needs a pretrained masked-language model")

    def _task_model(self, kind: Literal["sequence", "token", "question"]) -> TaskModel:
        if isinstance(self.model, TaskModel) and self.model.kind == kind:
            return self.model
        asked = {"sequence": "classify", "token": "tag", "question": "answer"}[kind]
        raise ConfigError(
            f"this model has {self._head()}; {asked} needs a {kind} head, which 'isogloss finetune' makes"
        )

    def _head(self) -> str:
        if isinstance(self.model, TaskModel):
            return f"a {self.model.kind} head"
        return "a masked-language-model head" if isinstance(self.model, MaskedLM) else "no head"


def _fill(vocabulary: Vocabulary, probability: float, index: float) -> MaskFill:
    return MaskFill(vocabulary.piece(int(index)).replace("▁", " "), int(index), probability)


def _softmax(logits: FloatArray) -> FloatArray:
    powers = np.exp(logits - logits.max())
    shares: FloatArray = powers / powers.sum()
    return shares
