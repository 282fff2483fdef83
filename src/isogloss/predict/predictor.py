"""What users hold: `load` gives a Predictor, which answers the five questions and streams of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from isogloss.checkpoint import encoder_of, load_tokenizer, read_model
from isogloss.devices import InferencePrecision, choose, return_freed_memory
from isogloss.errors import ConfigError
from isogloss.heads import TaskModel
from isogloss.inference import for_inference
from isogloss.interop.onnx_model import GraphEncoder
from isogloss.interop.sentence_transformers import read_modules
from isogloss.lines import CHUNK, Question
from isogloss.loop.compiled import compile_layers
from isogloss.model import MaskedLM
from isogloss.predict.answers import FoundAnswer, MaskFill, TaggedSpan, TextLabel
from isogloss.predict.contexts import find_answers
from isogloss.predict.items import checked_pairs, checked_questions, checked_texts, checked_words
from isogloss.predict.labels import HYPOTHESIS, label_texts, label_zero_shot
from isogloss.predict.loaded import ASKED, LoadedModel
from isogloss.predict.masks import fill_masks
from isogloss.predict.spans import tag_spans
from isogloss.predict.vectors import Pooling, embed_texts
from isogloss.predict.windowed import in_chunks
from isogloss.run_models import model_folder
from isogloss.tasks import LONGEST_ANSWER, FloatArray, Long

__all__ = ["Predictor", "load"]


def load(
    folder: Path | str,
    *,
    device: str = "auto",
    precision: InferencePrecision = "auto",
    language: str | None = None,
    compiled: bool = False,
) -> Predictor:
    """A model folder, or the model of a run folder, ready to be asked; also a folder that sentence-transformers saved.

    `precision` is what questions are answered in: bf16 where the processor has it ("auto"), "bf16", "fp32", or "int8",
    which is faster still on x86 CPUs and changes each product by a percent or so. `language` is that of the texts, for
    a model that embeds it (XLM) and for words without spaces. `compiled` puts the layers under torch.compile, which
    takes the first texts a minute and is for CUDA: a CPU's maps are laid out for its kernels as they are. Raises
    ConfigError for a device or a precision that is not there, and CheckpointError, VocabularyError or FolderError for
    a folder that cannot be read whole.
    """
    folder = model_folder(Path(folder))
    place = choose(device, precision=precision)
    if compiled and place.device.type != "cuda":
        raise ConfigError(f"compiled is for CUDA; on {place.device} the layers are fastest as they are: leave it out")
    modules = read_modules(folder)
    folder = modules.encoder if modules else folder
    model = read_model(folder)
    tokenizer = load_tokenizer(folder, encoder_of(model))
    exact = functools.partial(read_model, folder) if precision == "auto" else None
    model = for_inference(place.place(model), place)
    return_freed_memory()  # of weights in fp32
    if compiled:
        compile_layers(model)
    return Predictor(model, tokenizer, place, exact=exact, language=language, modules=modules)


class Predictor(LoadedModel):
    """A model that answers questions about texts; made with `load`.

    Each question takes any number of items, as a list or any other iterable, and gives the answers in their order, all
    at once; `stream` gives them one by one and holds few of them. An empty text is answered too: by the vector of
    `<s>`, by no spans, by a label. A head that the model does not have, and an option that does not fit, raise
    ConfigError; an item that is no text raises DataError with its number, `first` being that of the first item.
    """

    @property
    def questions(self) -> tuple[Question, ...]:
        """What this model can be asked."""
        asked: list[Question] = ["fill-mask"] if isinstance(self.model, MaskedLM) else []
        if isinstance(self.model, TaskModel) and self.model.kind in ASKED:
            asked = [ASKED[self.model.kind]]
        # The graph of an exported model with a head gives no hidden states.
        if not isinstance(self.encoder, GraphEncoder) or self.encoder.gives_states:
            asked.append("embed")
        return tuple(asked)

    @property
    def runs_on(self) -> str:
        """What computes the answers, and in which type: "cpu in bf16"; of an exported model its graph says the type."""
        return "onnxruntime" if isinstance(self.encoder, GraphEncoder) else str(self.device)

    def fill_mask(
        self, texts: Iterable[str], *, top_k: int = 5, targets: Sequence[str] | None = None, first: int = 1
    ) -> list[list[list[MaskFill]]]:
        """For each text and each `<mask>` in it, the `top_k` most probable pieces, best first.

        `targets` are the words to choose from, each of which is one piece: one that begins a word, if there is such a
        piece, else one inside of a word. Probabilities remain those among all pieces. Raises DataError for a text
        without a mask or too long to hold its masks, ConfigError for a target that is not one piece.
        """
        return fill_masks(self, checked_texts(texts, first=first), top_k=top_k, targets=targets, first=first)

    def classify(
        self,
        texts: Iterable[str | tuple[str, str]],
        *,
        labels: Sequence[str] | None = None,
        hypothesis: str = HYPOTHESIS,
        several: bool = False,
        long: Long = "cut",
        first: int = 1,
    ) -> list[TextLabel]:
        """The label of each text or pair and the probability of each label, which a softmax gives (one: a sigmoid).

        `labels` of your own are for a model of natural language inference: each text is a premise, and `hypothesis`
        with a label in the place of its {} what it may entail. The labels' logits of entailment share one softmax; with
        `several`, or one label alone, a label's probability is that of entailment against contradiction, and several
        labels may be likely.

        With `long="cut"` text beyond the model's length is not read; of a pair the longer is cut. With "windows" it is
        read in overlapping windows, of a pair the longer beside the other one, and the probabilities are the means of
        the windows' (the logits, where labels of your own share a softmax).
        """
        pairs = checked_pairs(texts, first=first)
        if labels is None:
            if several or hypothesis != HYPOTHESIS:
                raise ConfigError("hypothesis and several are for labels of your own; give labels too")
            return label_texts(self, pairs, long=long)
        return label_zero_shot(
            self, pairs, labels, hypothesis=hypothesis, several=several, long=long, first=first
        )  # fmt: skip

    def tag(
        self, texts: Iterable[str | Sequence[str]], *, language: str | None = None, first: int = 1
    ) -> list[list[TaggedSpan]]:
        """The entities of each text, or its words with their tags where tags are not those of entities.

        A text is divided into words as `tasks.words` says. Words may also be given as a list; they are joined with
        spaces, or without if `language` (unless given, that of the predictor) has none; offsets refer to that text.
        Long texts are read to their end, through overlapping windows.
        """
        return tag_spans(self, checked_words(texts, first=first), language=language)

    def answer(
        self,
        questions: Iterable[tuple[str, str]],
        *,
        top_k: int = 1,
        longest_answer: int = LONGEST_ANSWER,
        first: int = 1,
    ) -> list[FoundAnswer]:
        """The best answer to each (question, context); a long context is searched through overlapping windows.

        With `top_k` more than 1 an answer's `others` are the next best ones. Answers of more than `longest_answer`
        pieces are not looked for. A context without visible text has the
        empty answer, which is not `answered`. A question takes at most half of a window.
        """
        asked = checked_questions(questions, first=first)
        return find_answers(self, asked, top_k=top_k, longest_answer=longest_answer)

    def embed(
        self,
        texts: Iterable[str],
        *,
        pooling: Pooling | None = None,
        normalise: bool | None = None,
        width: int | None = None,
        long: Long = "cut",
        first: int = 1,
    ) -> FloatArray:
        """A vector a text, (texts, width): the mean of its pieces' hidden states (`<s>` and `</s>` left out), or `<s>`.

        "mean-all" counts `<s>` and `</s>` in, as sentence-transformers' mean does. A text without pieces gives the
        vector of `<s>` in the first two. None given, an embedding model makes its vectors as its folder says (prompts
        are the caller's to add), any other takes "mean", not normalised. `width` keeps the first numbers of a vector,
        for models trained to be cut (Matryoshka); what is left is normalised. With `long="cut"` text beyond the model's
        length is not read, with "windows" the mean (of `<s>`: the mean of the windows') goes over all of them.
        Raises ConfigError for a folder that says what we do not have.
        """
        return embed_texts(
            self, checked_texts(texts, first=first), pooling=pooling, normalise=normalise, width=width, long=long
        )

    def count_tokens(self, texts: Iterable[str | tuple[str, str]], *, first: int = 1) -> list[int]:
        """How many tokens each text or pair is to the model, special ones too, before anything is cut.

        A `<mask>` counts as the characters that it is to all questions but fill_mask, to which it is one token.
        """
        pairs = checked_pairs(texts, first=first)
        encoded = iter(self.tokenizer.encode([text for parts in pairs for text in parts]))
        return [
            self.tokenizer.frame.num_added(len(parts)) + sum(len(next(encoded)) for _ in parts) for parts in pairs
        ]  # fmt: skip

    def stream(
        self, question: Question, items: Iterable[Any], *, at_once: int = CHUNK, **options: Any
    ) -> Iterator[Any]:
        """The answers to `question` ("fill-mask", "classify", …) one by one, in the order of `items`.

        `items` may be a generator that never ends: a limited number of them, and of their characters, is read ahead,
        sorted and packed together; `at_once` is that number. `options` are those of the question's method. What is
        wrong with them is raised here, what is wrong with an item when its answer is asked for.
        """
        methods: dict[Question, Callable[..., Any]] = {
            "fill-mask": self.fill_mask,
            "classify": self.classify,
            "tag": self.tag,
            "answer": self.answer,
            "embed": self.embed,
        }
        if question not in methods:
            raise ConfigError(f"question = '{question}' is not known: use {', '.join(methods)}")
        ask = functools.partial(methods[question], **options)
        ask([])
        return in_chunks(ask, items, at_once=at_once)
