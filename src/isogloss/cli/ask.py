"""Sub-commands that ask a model: lines on stdin are questions, JSON lines on stdout their answers, in order."""

from __future__ import annotations

import enum
import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isogloss.cli.stage import ModelFolder, OfLanguage, OnDevice

if TYPE_CHECKING:
    from isogloss.lines import Question

__all__ = ["Pooling", "predict_answer", "predict_classify", "predict_embed", "predict_fill_mask", "predict_tag"]


def predict_fill_mask(
    model: ModelFolder,
    top_k: Annotated[int, typer.Option(help="Pieces for each <mask>.", min=1)] = 5,
    language: OfLanguage = None,
    device: OnDevice = "auto",
) -> None:
    """The most probable pieces at each <mask> of a text; for a pretrained model.

    \b
    echo "Anna sees a <mask>." | isogloss predict fill-mask runs/demo/pretrain
    isogloss predict fill-mask runs/demo/pretrain --top-k 1 < texts.txt
    """
    _answer("fill-mask", model, device, language, top_k=top_k)


def predict_classify(model: ModelFolder, language: OfLanguage = None, device: OnDevice = "auto") -> None:
    """The label of a text, or of two texts with a TAB between them, and the probability of each label.

    \b
    printf "Anna sleeps.\\tNobody sleeps.\\n" | isogloss predict classify runs/demo/nli-pretrained
    isogloss predict classify runs/demo/nli-pretrained < pairs.jsonl > labels.jsonl
    """
    _answer("classify", model, device, language)


def predict_tag(model: ModelFolder, language: OfLanguage = None, device: OnDevice = "auto") -> None:
    """The entities of a text, or its words with their tags, as characters of the text.

    \b
    echo "Anna anaishi Oslo." | isogloss predict tag runs/demo/ner-pretrained
    isogloss predict tag runs/smoke-pos < texts.txt > words.jsonl
    """
    _answer("tag", model, device, language)


def predict_answer(model: ModelFolder, language: OfLanguage = None, device: OnDevice = "auto") -> None:
    """The best answer to a question in its context: question TAB context, or JSON with both.

    \b
    printf "Who sleeps?\\tAnna sleeps in Oslo.\\n" | isogloss predict answer runs/demo/qa-pretrained
    isogloss predict answer runs/demo/qa-pretrained < questions.jsonl > answers.jsonl
    """
    _answer("answer", model, device, language)


class Pooling(enum.StrEnum):
    """How a text's hidden states become one vector."""

    mean = "mean"
    cls = "cls"
    mean_all = "mean-all"


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
    language: OfLanguage = None,
    device: OnDevice = "auto",
) -> None:
    """A vector for each text.

    \b
    echo "Anna sees a dog." | isogloss predict embed runs/demo/pretrain
    isogloss predict embed runs/demo/pretrain --normalise < texts.txt > vectors.jsonl
    """
    _answer("embed", model, device, language, pooling=pooling and pooling.value, normalise=normalise)


def _answer(question: Question, model: Path, device: str, language: str | None, **options: Any) -> None:
    """Answer stdin line by line; a person at the keyboard is answered after each line."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    from isogloss.lines import CHUNK, answer_lines
    from isogloss.predict import load

    predictor = load(model, device=device, language=language)
    ask = functools.partial(getattr(predictor, question.replace("-", "_")), **options)
    columns = (TextColumn("{task.completed:,.0f} lines"), TimeElapsedColumn())
    # Answers that go to the same terminal would run through the count of lines.
    shown = sys.stderr.isatty() and not sys.stdout.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as progress:
        advance = functools.partial(progress.advance, progress.add_task(question))
        at_once = 1 if sys.stdin.isatty() else CHUNK
        for line in answer_lines(question, ask, sys.stdin.buffer, at_once=at_once, advance=advance):
            typer.echo(line)
