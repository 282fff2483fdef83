"""Sub-commands that ask a model: lines on stdin are questions, JSON lines on stdout their answers, in order."""

from __future__ import annotations

import enum
import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isogloss.cli.stage import ModelFolder, OfLanguage, OnDevice
from isogloss.errors import ConfigError

if TYPE_CHECKING:
    from isogloss.lines import Question

__all__ = [
    "InPrecision",
    "LongTexts",
    "Pooling",
    "predict_answer",
    "predict_classify",
    "predict_embed",
    "predict_fill_mask",
    "predict_tag",
]


class InPrecision(enum.StrEnum):
    """What a model computes in."""

    auto = "auto"
    bf16 = "bf16"
    fp32 = "fp32"
    int8 = "int8"


class LongTexts(enum.StrEnum):
    """What becomes of a text that is longer than the model reads."""

    cut = "cut"
    windows = "windows"


class Pooling(enum.StrEnum):
    """How a text's hidden states become one vector."""

    mean = "mean"
    cls = "cls"
    mean_all = "mean-all"


Precision = Annotated[
    InPrecision,
    typer.Option(
        "--precision", help="auto: bf16 where the processor has it; int8: faster on x86 CPUs with VNNI, less exact."
    ),
]
Long = Annotated[LongTexts, typer.Option("--long", help="Longer texts than the model reads: cut, or read in windows.")]


def predict_fill_mask(
    model: ModelFolder,
    top_k: Annotated[int, typer.Option(help="Pieces for each <mask>.", min=1)] = 5,
    target: Annotated[
        list[str] | None, typer.Option(help="Of these words alone, each one piece; may be given several times.")
    ] = None,
    language: OfLanguage = None,
    device: OnDevice = "auto",
    precision: Precision = InPrecision.auto,
) -> None:
    """The most probable pieces at each <mask> of a text; for a pretrained model.

    \b
    echo "Anna sees a <mask>." | isogloss predict fill-mask runs/demo/pretrain
    isogloss predict fill-mask runs/demo/pretrain --top-k 1 < texts.txt
    """
    _answer("fill-mask", model, device, precision, language, top_k=top_k, targets=target)


def predict_classify(
    model: ModelFolder,
    label: Annotated[
        list[str] | None, typer.Option(help="A label of your own, for a model fine-tuned on NLI; several times.")
    ] = None,
    hypothesis: Annotated[
        str | None, typer.Option(help='What a text is asked to entail, {} being the label; else "This example is {}."')
    ] = None,
    several: Annotated[bool, typer.Option("--several", help="Each label of your own is judged by itself.")] = False,
    long: Long = LongTexts.cut,
    language: OfLanguage = None,
    device: OnDevice = "auto",
    precision: Precision = InPrecision.auto,
) -> None:
    """The label of a text, or of two texts with a TAB between them, and the probability of each label.

    \b
    printf "Anna sleeps.\\tNobody sleeps.\\n" | isogloss predict classify runs/demo/nli-pretrained
    isogloss predict classify runs/demo/nli-pretrained --label politics --label sport < texts.txt
    """
    options: dict[str, Any] = {"labels": label, "several": several, "long": long.value}
    if hypothesis is not None:
        if not label:
            raise ConfigError("--hypothesis is for labels of your own; give --label too")
        options["hypothesis"] = hypothesis
    _answer("classify", model, device, precision, language, **options)


def predict_tag(
    model: ModelFolder,
    language: OfLanguage = None,
    device: OnDevice = "auto",
    precision: Precision = InPrecision.auto,
) -> None:
    """The entities of a text, or its words with their tags, as characters of the text.

    \b
    echo "Anna anaishi Oslo." | isogloss predict tag runs/demo/ner-pretrained
    isogloss predict tag runs/smoke-pos < texts.txt > words.jsonl
    """
    _answer("tag", model, device, precision, language)


def predict_answer(
    model: ModelFolder,
    top_k: Annotated[int, typer.Option(help="The best answer, and the next best ones as others.", min=1)] = 1,
    longest_answer: Annotated[int, typer.Option(help="Pieces of the longest answer that is looked for.", min=1)] = 30,
    language: OfLanguage = None,
    device: OnDevice = "auto",
    precision: Precision = InPrecision.auto,
) -> None:
    """The best answer to a question in its context: question TAB context, or JSON with both.

    \b
    printf "Who sleeps?\\tAnna sleeps in Oslo.\\n" | isogloss predict answer runs/demo/qa-pretrained
    isogloss predict answer runs/demo/qa-pretrained < questions.jsonl > answers.jsonl
    """
    _answer("answer", model, device, precision, language, top_k=top_k, longest_answer=longest_answer)


def predict_embed(
    model: ModelFolder,
    pooling: Annotated[
        Pooling | None,
        typer.Option(
            help="mean of the pieces, cls: the state of <s>, mean-all: <s> and </s> count too. Not given: as an "
            "embedding model's folder says, else mean."
        ),
    ] = None,
    normalise: Annotated[
        bool | None, typer.Option("--normalise/--as-is", help="Vectors of length one; not given: as the folder says.")
    ] = None,
    width: Annotated[
        int | None, typer.Option(help="Keep so many numbers of each vector (Matryoshka), then normalise.")
    ] = None,
    long: Long = LongTexts.cut,
    language: OfLanguage = None,
    device: OnDevice = "auto",
    precision: Precision = InPrecision.auto,
) -> None:
    """A vector for each text.

    \b
    echo "Anna sees a dog." | isogloss predict embed runs/demo/pretrain
    isogloss predict embed runs/demo/pretrain --normalise < texts.txt > vectors.jsonl
    """
    options = {"pooling": pooling and pooling.value, "normalise": normalise, "width": width, "long": long.value}
    _answer("embed", model, device, precision, language, **options)


def _answer(
    question: Question, model: Path, device: str, precision: InPrecision, language: str | None, **options: Any
) -> None:
    """Answer stdin line by line; a person at the keyboard is answered after each line."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    from isogloss.lines import CHUNK, answer_lines
    from isogloss.predict import load

    predictor = load(model, device=device, precision=precision.value, language=language)
    at_once = 1 if sys.stdin.isatty() else CHUNK
    ask = functools.partial(predictor.stream, question, at_once=at_once, **options)
    columns = (TextColumn("{task.completed:,.0f} lines"), TimeElapsedColumn())
    # Answers that go to the same terminal would run through the count of lines.
    shown = sys.stderr.isatty() and not sys.stdout.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        advance = functools.partial(progress.advance, progress.add_task(question))
        for line in answer_lines(question, ask, sys.stdin.buffer, advance=advance):
            typer.echo(line)
