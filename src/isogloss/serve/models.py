"""The models that are served: their names, which questions each is for, and one way to ask each of them.

models = load_models(settings)
model = models.find("ner", "tag")           # or models.find(None, "tag") where one model alone is for it
model.sizes(["Anna sleeps."])               # tokens of each text
model.ask("tag", ["Anna sleeps."], {})      # in the thread that runs models
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from isogloss.errors import ConfigError
from isogloss.heads import TaskModel
from isogloss.model import MaskedLM
from isogloss.predict import Predictor, load
from isogloss.serve.problems import Problem
from isogloss.serve.settings import ServeSettings
from isogloss.tasks import text_windows
from isogloss.vocab.layout import MASK_PIECE

__all__ = [
    "MOST_MASKS",
    "Item",
    "Models",
    "Options",
    "Question",
    "ServedModel",
    "check_width",
    "load_models",
    "parts_of",
]

# "score" is what rerankers are asked: the raw logits of a pair.
Question = Literal["fill-mask", "classify", "tag", "answer", "embed", "score"]
# A text, a text and its pair, or the words of a text.
Item = str | tuple[str, ...] | list[str]
Options = Mapping[str, Any]

# Beside a mask's token stand the logits of a whole vocabulary, in two copies: so many tokens it counts as.
MASK_COST = 64
MOST_MASKS = 64


@dataclasses.dataclass(frozen=True)
class ServedModel:
    """A model by its name."""

    name: str
    predictor: Predictor

    @property
    def head(self) -> str:
        """What it was trained for: mask, sequence, token, question, or none."""
        model = self.predictor.model
        if isinstance(model, MaskedLM):
            return "mask"
        return model.kind if isinstance(model, TaskModel) and model.kind != "mean" else "none"

    @property
    def questions(self) -> tuple[Question, ...]:
        """What it can be asked."""
        return (*self.predictor.questions, "score") if self.head == "sequence" else self.predictor.questions

    @property
    def max_length(self) -> int:
        """Tokens of a text that it reads, `<s>` and `</s>` among them."""
        modules = self.predictor.modules
        return min(self.predictor.max_length, modules.max_length) if modules else self.predictor.max_length

    @property
    def width(self) -> int:
        return self.predictor.encoder.settings.width

    def sizes(self, items: Sequence[Item]) -> list[int]:
        """Tokens of each item, special ones among them, as if the model read texts of any length."""
        parts = [parts_of(item) for item in items]
        return self.predictor.count_tokens([one[0] if len(one) == 1 else (one[0], one[1]) for one in parts])

    def costs(self, question: Question, items: Sequence[Item], sizes: Sequence[int], options: Options) -> list[int]:
        """What each item takes to run, in tokens: fewer where its end is not read, more for masks and many labels."""
        if question == "fill-mask":
            masks = [text.count(MASK_PIECE) for item in items for text in parts_of(item)]
            return [size + MASK_COST * number for size, number in zip(sizes, masks, strict=True)]
        if question in ("classify", "embed", "score") and options.get("long", "cut") == "cut":
            sizes = [min(size, self.max_length) for size in sizes]
        return [size * len(options.get("labels") or (1,)) for size in sizes]

    def ask(self, question: Question, items: Sequence[Item], options: Options, *, first: int = 1) -> list[Any]:
        """The answers of the predictor, one an item. Raises what it raises; `first` is the first item's number."""
        if question == "score":
            windows = text_windows(
                [parts_of(item) for item in items], self.predictor.tokenizer, max_length=self.max_length
            )
            return list(self.predictor.ask(self.predictor.task_model("sequence"), (one.ids for one in windows)))
        return list(getattr(self.predictor, question.replace("-", "_"))(items, first=first, **options))

    def warm_up(self) -> None:
        """Answer something, as the first answer of a process takes several times as long."""
        items: dict[Question, list[Item]] = {"fill-mask": [MASK_PIECE], "answer": [("a", "a")]}
        for question in self.questions:
            self.ask(question, items.get(question, ["a"]), {})


def parts_of(item: Item) -> tuple[str, ...]:
    """The texts of an item: one, or the two of a pair; words count as a text with spaces between them."""
    if isinstance(item, list):
        return (" ".join(item),)
    return (item,) if isinstance(item, str) else item


def check_width(width: int | None, model: ServedModel) -> None:
    """Raises Problem (422) for vectors wider than the model's, as other people's routes say it."""
    if width is not None and width > model.width:
        message = f"dimensions = {width} is more than the {model.width} of the model '{model.name}'"
        raise Problem(422, "invalid_request", message, param="dimensions")


class Models:
    """All that are served, in the order they were named in."""

    def __init__(self, models: Sequence[ServedModel]) -> None:
        self.by_name = {model.name: model for model in models}

    def __iter__(self) -> Any:
        return iter(self.by_name.values())

    def able(self, question: Question) -> list[ServedModel]:
        """Those that can be asked this."""
        return [model for model in self if question in model.questions]

    def default(self, question: Question) -> ServedModel | None:
        """The one that is asked where none is named: the only one that is for it.

        For vectors that is a model without a head for a task, where there is one: those of the others are a by-product.
        """
        able = self.able(question)
        if question == "embed":
            able = [model for model in able if not isinstance(model.predictor.model, TaskModel)] or able
        if question == "score":
            able = [model for model in able if len(model.predictor.labels) == 1]
        return able[0] if len(able) == 1 else None

    def find(self, name: str | None, question: Question, *, unfit: int = 422) -> ServedModel:
        """The model of this name, or the default; Problem (404, or the status `unfit`) where there is none."""
        able = self.able(question)
        names = ", ".join(model.name for model in able)
        if name is not None and name not in self.by_name:
            known = ", ".join(self.by_name)
            raise Problem(404, "model_not_found", f"there is no model {name[:100]!r} here, but {known}", param="model")
        if not able:
            raise Problem(unfit, "model_unfit", f"no model that is served here answers '{question}'")
        if name is not None:
            model = self.by_name[name]
            if model not in able:
                message = f"the model '{name}' ({model.head} head) does not answer '{question}'; use {names}"
                raise Problem(unfit, "model_unfit", message, param="model")
            return model
        if (model_or_none := self.default(question)) is None:
            raise Problem(
                422, "model_missing", f"several models answer '{question}'; name one of {names}", param="model"
            )
        return model_or_none


def load_models(settings: ServeSettings) -> Models:
    """Every model folder of the settings, read and asked once.

    Raises ConfigError for two of one name, and CheckpointError, VocabularyError or FolderError for what cannot be read.
    """
    folders: dict[str, Path] = {}
    for given in settings.models:
        name, equals, folder = given.rpartition("=")
        path = Path(folder)
        name = name if equals else name_of(path)
        if name in folders:
            raise ConfigError(f"two models are called '{name}': {folders[name]} and {path}; name one as NAME={path}")
        folders[name] = path
    loaded = []
    for name, path in folders.items():
        predictor = load(path, device=settings.device, precision=settings.precision, language=settings.language)
        loaded.append(ServedModel(name, predictor))
        loaded[-1].warm_up()
    return Models(loaded)


def name_of(folder: Path) -> str:
    """What a folder is called: its own name, or its run's where it is only called `model`."""
    resolved = folder.resolve()
    return resolved.parent.name if resolved.name == "model" and resolved.parent.name else resolved.name
