"""What the five questions are asked in: the JSON of a request, as pydantic models, with an example that works.

form = read_form(TagForm, value, settings)       # Problem 413 or 422, which names the part: texts[3]
form.items(), form.options()
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from isogloss.serve.models import Item, Options, Question
from isogloss.serve.problems import Problem
from isogloss.serve.settings import ServeSettings

__all__ = [
    "FORMS",
    "AnswerForm",
    "ClassifyForm",
    "EmbedForm",
    "FillMaskForm",
    "Form",
    "QuestionForm",
    "TagForm",
    "read_form",
]

MOST_LABELS = 64

Text = Annotated[str, Field(min_length=1)]
MaskedText = Annotated[str, Field(min_length=1, pattern="<mask>")]


class Form(BaseModel):
    """A request; unknown keys and other types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    model: str | None = Field(None, description="Name of a served model; may be left out where one alone is for it")


class QuestionForm(Form):
    """A request of our own routes."""

    question: ClassVar[Question]

    def items(self) -> list[Item]:
        """What is asked, one by one."""
        raise AssertionError("each question says what its items are")

    def options(self) -> Options:
        """What the predictor is given beside the items."""
        return {}


class FillMaskForm(QuestionForm):
    """Texts with `<mask>` in them."""

    question: ClassVar[Question] = "fill-mask"
    texts: list[MaskedText] = Field(min_length=1, description="Texts that hold <mask> where a piece is missing")
    top_k: int = Field(5, ge=1, le=1000, description="Pieces for each <mask>")
    targets: list[Text] | None = Field(None, min_length=1, description="Words to choose from, each of one piece")

    def items(self) -> list[Item]:
        return list(self.texts)

    def options(self) -> Options:
        return {"top_k": self.top_k, "targets": self.targets and tuple(self.targets)}


class ClassifyForm(QuestionForm):
    """Texts, or pairs of texts, that get a label."""

    question: ClassVar[Question] = "classify"
    texts: list[Text | Annotated[list[Text], Field(min_length=2, max_length=2)]] = Field(
        min_length=1, description="Texts, or pairs of texts as lists of two"
    )
    labels: list[Text] | None = Field(
        None,
        min_length=1,
        max_length=MOST_LABELS,
        description="Labels of your own, for a model of natural language inference (zero-shot classification)",
    )
    hypothesis: str | None = Field(
        None, max_length=1000, description="What a text may entail, with {} for the label: 'This example is {}.'"
    )
    several: bool = Field(False, description="Each of your labels judged by itself, so that several may be likely")
    long: Literal["cut", "windows"] = Field(
        "cut", description="Text beyond the model's length: not read, or read in overlapping windows"
    )

    def items(self) -> list[Item]:
        return [text if isinstance(text, str) else (text[0], text[1]) for text in self.texts]

    def options(self) -> Options:
        own = {"labels": self.labels and tuple(self.labels), "several": self.several, "long": self.long}
        return own if self.hypothesis is None else {**own, "hypothesis": self.hypothesis}


class TagForm(QuestionForm):
    """Texts whose entities or words are marked."""

    question: ClassVar[Question] = "tag"
    texts: list[Text | Annotated[list[Text], Field(min_length=1)]] = Field(
        min_length=1, description="Texts, or their words as lists; offsets of words refer to them with spaces between"
    )

    def items(self) -> list[Item]:
        return list(self.texts)


class QuestionInContext(BaseModel):
    """A question and the text that holds its answer."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    question: Text
    context: Text


class AnswerForm(QuestionForm):
    """Questions about texts."""

    question: ClassVar[Question] = "answer"
    questions: list[QuestionInContext] = Field(min_length=1, description="Questions, each with its context")
    top_k: int = Field(1, ge=1, le=100, description="The best answer, and the next best ones in its `others`")
    longest_answer: int = Field(30, ge=1, le=512, description="Pieces of the longest answer that is looked for")

    def items(self) -> list[Item]:
        return [(one.question, one.context) for one in self.questions]

    def options(self) -> Options:
        return {"top_k": self.top_k, "longest_answer": self.longest_answer}


class EmbedForm(QuestionForm):
    """Texts that become vectors."""

    question: ClassVar[Question] = "embed"
    texts: list[Text] = Field(min_length=1)
    pooling: Literal["mean", "cls", "mean-all"] | None = Field(
        None,
        description="mean of the pieces, cls: the state of <s>, mean-all: <s> and </s> count too; not given: as an "
        "embedding model's folder says, else mean",
    )
    normalise: bool | None = Field(None, description="Vectors of length one; not given: as the folder says, else no")
    width: int | None = Field(None, ge=1, description="Numbers of a vector that are kept, the first ones (Matryoshka)")
    long: Literal["cut", "windows"] = Field(
        "cut", description="Text beyond the model's length: not read, or read in overlapping windows"
    )

    def items(self) -> list[Item]:
        return list(self.texts)

    def options(self) -> Options:
        return {"pooling": self.pooling, "normalise": self.normalise, "width": self.width, "long": self.long}


FORMS: Mapping[Question, type[QuestionForm]] = {
    form.question: form for form in (FillMaskForm, ClassifyForm, TagForm, AnswerForm, EmbedForm)
}
FormType = TypeVar("FormType", bound=Form)


def read_form(kind: type[FormType], value: Any, settings: ServeSettings) -> FormType:
    """Checked values. Raises Problem: 413 for too many texts or a text that is too long, 422 for all else."""
    if not isinstance(value, dict):
        raise Problem(422, "invalid_request", f"the body is {_name_of(value)}; send an object")
    for name, field in value.items():
        _check_length(name, field, settings.max_texts)
        for at, one in enumerate(field if isinstance(field, list) else ()):
            _check_length(f"{name}[{at}]", one, settings.max_texts)
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        problems = [_told(problem["loc"], problem["type"], problem["msg"], value) for problem in found]
        _, param, message = min(problems, key=lambda problem: problem[0])
        known = f"; known: {', '.join(kind.model_fields)}" if message.startswith("Extra") else ""
        raise Problem(422, "invalid_request", f"{param or 'the body'}: {message}{known}", param=param or None) from None


def _check_length(place: str, value: Any, longest: int) -> None:
    """Raises Problem (413) for a list that is too long, before anything looks at what is in it."""
    if isinstance(value, list) and len(value) > longest:
        message = f"{place[:100]} has {len(value):,} entries, there may be {longest:,}; send fewer at once"
        raise Problem(413, "too_many_texts", message, param=place[:100])


def _told(location: tuple[int | str, ...], kind: str, message: str, value: Any) -> tuple[bool, str, str]:
    """Whether the problem is beside the point, where in the request it is, and what.

    A location also names the form that was tried where there are several, which is no place in the request; and that a
    list is no string is beside the point where a list was one of the forms.
    """
    place = ""
    for part in location:
        if isinstance(value, dict) and (part in value or kind == "missing"):
            place += f".{part}"
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            place += f"[{part}]"
            value = value[part]
    return kind == "string_type" and isinstance(value, list), place[1:101], message.removeprefix("Value error, ")


def _name_of(value: Any) -> str:
    names = {list: "a list", str: "a string", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
