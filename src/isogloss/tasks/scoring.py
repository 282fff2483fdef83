"""Scorers: examples and one prediction each → every metric by name, in percent; entities also by type.

    score_answers(examples, texts, language="zh", rules="mlqa").metrics      # {"f1": …, "exact_match": …}
    score_entities(examples, tags, language="en").types["PER"]            # precision, recall, f1, as conlleval prints

A task's `metrics` say which of them stand in tables; a prediction file is scored by all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from isogloss.tasks.examples import gold_labels
from isogloss.tasks.metrics import AnswerRules, EntityScores, accuracy, answer_scores, entity_report
from isogloss.tasks.statistics import class_scores, matthews, pearson, spearman

__all__ = [
    "Report",
    "score_answers",
    "score_classes",
    "score_entities",
    "score_labels",
    "score_ratings",
    "score_tags",
]


@dataclass(frozen=True)
class Report:
    """Percent by metric; of entities also by type and metric, beside the numbers `gold`, `predicted` and `right`."""

    metrics: dict[str, float]
    types: dict[str, dict[str, float]] = field(default_factory=dict)


def score_labels(examples: Sequence[Any], predicted: Sequence[Any], *, language: str) -> Report:
    """Accuracy of labels, of choices and of translations that were found."""
    return Report({"accuracy": accuracy(gold_labels(examples), predicted)})


def score_classes(examples: Sequence[Any], predicted: Sequence[Any], *, language: str, positive: str) -> Report:
    """Of two classes: accuracy, precision, recall and F1 of the positive one, Matthews' correlation."""
    gold = gold_labels(examples)
    scores = class_scores(gold, predicted, positive=positive)
    return Report({"accuracy": accuracy(gold, predicted), **scores, "matthews": matthews(gold, predicted)})


def score_ratings(examples: Sequence[Any], predicted: Sequence[Any], *, language: str) -> Report:
    """Pearson's and Spearman's correlation of ratings."""
    gold = [example.rating for example in examples]
    return Report({"pearson": pearson(gold, predicted), "spearman": spearman(gold, predicted)})


def score_tags(examples: Sequence[Any], predicted: Sequence[Any], *, language: str) -> Report:
    """Accuracy of tags; by tag precision, recall and F1."""
    gold, flat = gold_labels(examples), [tag for tags in predicted for tag in tags]
    types = {tag: _of_tag(gold, flat, tag) for tag in sorted({*gold, *flat})}
    return Report({"accuracy": accuracy(gold, flat)}, types)


def score_entities(examples: Sequence[Any], predicted: Sequence[Any], *, language: str) -> Report:
    """As the CoNLL scorer counts: precision, recall and F1 of whole entities, and accuracy of tags."""
    report = entity_report([example.tags for example in examples], predicted)
    flat = [tag for tags in predicted for tag in tags]
    overall = _of_entities(report.pop("overall"))
    metrics = {name: overall[name] for name in ("precision", "recall", "f1")}
    metrics["accuracy"] = accuracy(gold_labels(examples), flat)
    return Report(metrics, {kind: _of_entities(scores) for kind, scores in report.items()})


def score_answers(examples: Sequence[Any], predicted: Sequence[Any], *, language: str, rules: AnswerRules) -> Report:
    """Exact match and F1 of answers; None stands for no prediction, which counts as wrong.

    Sets that are published with SQuAD's scores in every language have those too, as `squad_f1` and
    `squad_exact_match`: by `squad-spaced` rules Thai and Chinese are compared by letters, which SQuAD's scorer takes
    for one word a sentence.
    """
    gold = {example.id: [answer.text for answer in example.answers] for example in examples}
    given: Mapping[str, str] = {
        example.id: text for example, text in zip(examples, predicted, strict=True) if text is not None
    }
    scores = answer_scores(gold, given, language=language, rules=rules)
    metrics = {"f1": scores.f1, "exact_match": scores.exact_match}
    if rules == "squad-spaced":
        official = answer_scores(gold, given, language=language, rules="squad")
        metrics |= {"squad_f1": official.f1, "squad_exact_match": official.exact_match}
    return Report(metrics)


def _of_entities(scores: EntityScores) -> dict[str, float]:
    return {
        "precision": scores.precision,
        "recall": scores.recall,
        "f1": scores.f1,
        "gold": scores.num_gold,
        "predicted": scores.num_predicted,
        "right": scores.num_right,
    }


def _of_tag(gold: Sequence[str], predicted: Sequence[str], tag: str) -> dict[str, float]:
    numbers = {"gold": gold.count(tag), "predicted": predicted.count(tag)}
    right = sum(a == b == tag for a, b in zip(gold, predicted, strict=True))
    return {**class_scores(gold, predicted, positive=tag), **numbers, "right": right}
