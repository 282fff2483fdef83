"""A score: one number and where it comes from, and the form of a results.json, which is made of scores.

    score = Score("xnli", "sw", "test", "accuracy", 66.5, 5010, "higher", 1, "zero-shot", "joint-dev", {"model": "5d…"})
    str(score)                         # "xnli, sw, test, accuracy, zero-shot, joint-dev, seed 1"

A value of another type or outside of its range raises pydantic's ValidationError.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

__all__ = ["Score"]

Word = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid", allow_inf_nan=False))
class Score:
    """One number and where it comes from."""

    task: Annotated[str, Field(min_length=1, description="a task of the catalogue, or a form: nli, pos, ner, qa")]
    language: Annotated[
        str,
        Field(
            min_length=1,
            description="of the test, a BCP 47 code, or context-de-question-en; of a translated test that it came from",
        ),
    ]
    split: Annotated[str, Field(min_length=1, description="which files were scored: dev, test")]
    metric: Annotated[
        str, Field(min_length=1, description="accuracy, f1, exact_match, matthews, pearson, spearman, as the task has")
    ]
    value: Annotated[float, Field(ge=-100, le=100, description="percent; correlations are 100 times what is usual")]
    n: Annotated[int, Field(ge=1, description="examples scored: texts, sentences, questions")]
    direction: Annotated[Literal["higher", "lower"], Field(description="which values are better")]
    seed: Annotated[int | None, Field(ge=0, description="of the fine-tuning; null for what has none or does not say")]
    setting: Annotated[
        str,
        Field(
            description="whose labels were trained on: zero-shot, each, translate-train, translate-train-all, all; or "
            "translate-test; or majority, one answer for all; with ', random weights' behind it where pretraining was "
            "left out; empty where the model does not say"
        ),
    ]
    selection: Annotated[
        str,
        Field(
            description="which checkpoint was kept: source-dev, joint-dev, per-language-dev, last, average; empty "
            "where the model does not say"
        ),
    ]
    fingerprints: Annotated[
        dict[str, Word],
        Field(
            description="hashes that tell apart: 'model' the model (none for majority), 'data' the files scored, "
            "'training' how the model was fine-tuned, but for the seed"
        ),
    ]
    restarts: Annotated[
        int, Field(ge=0, description="how often the fine-tuning was begun anew because it learned nothing")
    ] = 0
    drop_types: Annotated[
        tuple[Word, ...],
        Field(strict=False, description="types of entities that counted for nothing, in labels and answers alike"),
    ] = ()
    architecture: Annotated[
        str, Field(description="what a model that is no encoder is: BiLSTM-CRF; empty for encoders")
    ] = ""

    @property
    def shown_setting(self) -> str:
        """The setting as tables have it: with the types of entities that were left out."""
        without = f"without {', '.join(self.drop_types)}" if self.drop_types else ""
        return ", ".join(part for part in (self.setting, without) if part)

    @property
    def question(self) -> tuple[object, ...]:
        """What it is the answer to: two scores that agree in it should have one value."""
        model = self.fingerprints.get("model", "")
        return (
            *(self.task, self.language, self.split, self.metric, self.seed, self.setting, self.selection),
            *(tuple(sorted(self.drop_types)), model),
        )

    def __str__(self) -> str:
        seed = "" if self.seed is None else f"seed {self.seed}"
        where = (self.task, self.language, self.split, self.metric, self.shown_setting, self.selection)
        words = (*where, seed, self.architecture)
        return ", ".join(word for word in words if word)
