"""Metrics, equal to the official scorers to the last digit: accuracy, entity F1, exact match and F1 of answers.

All values are percent. Entities are counted as the CoNLL scorer counts them, ill-formed tag sequences included;
answers are compared by one of three rules, whatever the spelling of the language's code:

    mlqa            MLQA's scorer, with the articles and tokens of the answer's language; of others by their spaces
    squad           SQuAD v1.1's scorer: English articles, ASCII punctuation, tokens between spaces
    squad-spaced    squad where words stand between spaces, mlqa where not: there a whole sentence would be one word

    accuracy(["a", "b"], ["a", "a"])                              # 50.0
    entity_report(gold_sentences, predicted_sentences)["overall"].f1
    answer_scores({"q1": ["the house"]}, {"q1": "house"}, language="en")   # exact_match 100.0, f1 100.0
"""

from __future__ import annotations

import functools
import re
import string
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from isogloss.languages import canonical_code, is_unspaced, script_of

__all__ = [
    "AnswerRules",
    "AnswerScores",
    "Entity",
    "EntityScores",
    "accuracy",
    "answer_scores",
    "entities",
    "entity_report",
    "general_rules",
    "normalise_answer",
]

AnswerRules = Literal["mlqa", "squad", "squad-spaced"]

# Words that MLQA's scorer takes out of answers before it compares them.
ARTICLES = {
    "en": ("a", "an", "the"),
    "es": ("un", "una", "unos", "unas", "el", "la", "los", "las"),
    "de": ("ein", "eine", "einen", "einem", "eines", "einer", "der", "die", "das", "den", "dem", "des"),
    "vi": ("của", "là", "cái", "chiếc", "những"),
}
ARABIC_ARTICLE = "ال"
# Chinese characters as MLQA's scorer knows them, a token each.
MLQA_CHINESE = re.compile("[\u4e00-\u9fa5]")
# Scripts written without spaces, for the languages MLQA does not have: Thai, Lao, Tibetan, Myanmar, Khmer, kana, Han.
UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


class Entity(NamedTuple):
    """Words `start` to `stop` (exclusive) of a sentence, and what they name."""

    start: int
    stop: int
    kind: str


@dataclass(frozen=True)
class EntityScores:
    """Counts and what follows from them, in percent; a share of nothing is 0."""

    num_gold: int
    num_predicted: int
    num_right: int

    @property
    def precision(self) -> float:
        return _percent(self.num_right, self.num_predicted)

    @property
    def recall(self) -> float:
        return _percent(self.num_right, self.num_gold)

    @property
    def f1(self) -> float:
        # Of the two percentages, as conlleval has it: of the counts the last digit printed is another one at ties.
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True)
class AnswerScores:
    """Exact match and word F1 in percent over all gold questions; one without a prediction counts as wrong."""

    exact_match: float
    f1: float


def accuracy(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """Share of equal labels, in percent."""
    assert len(gold) == len(predicted), f"{len(gold)} gold labels, {len(predicted)} predictions"
    return _percent(sum(a == b for a, b in zip(gold, predicted, strict=True)), len(gold))


def entities(tags: Sequence[str]) -> list[Entity]:
    """The entities of a tag sequence. An I-X that no X precedes begins one, as in the CoNLL scorer."""
    found: list[Entity] = []
    start, kind = 0, ""
    for position, tag in enumerate([*tags, "O"]):
        prefix, _, now = tag.partition("-")
        if kind and (prefix != "I" or now != kind):
            found.append(Entity(start, position, kind))
            kind = ""
        if now and not kind:
            start, kind = position, now
    return found


def entity_report(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> dict[str, EntityScores]:
    """Scores over all sentences: "overall" (every type, micro) first, then each type by name."""
    assert len(gold) == len(predicted), f"{len(gold)} gold sentences, {len(predicted)} predicted"
    in_gold, in_predicted, right = Counter[str](), Counter[str](), Counter[str]()
    for gold_tags, predicted_tags in zip(gold, predicted, strict=True):
        assert len(gold_tags) == len(predicted_tags), f"{len(gold_tags)} gold tags, {len(predicted_tags)} predicted"
        gold_entities, predicted_entities = set(entities(gold_tags)), set(entities(predicted_tags))
        in_gold.update(entity.kind for entity in gold_entities)
        in_predicted.update(entity.kind for entity in predicted_entities)
        right.update(entity.kind for entity in gold_entities & predicted_entities)
    report = {"overall": EntityScores(in_gold.total(), in_predicted.total(), right.total())}
    for kind in sorted(in_gold | in_predicted):
        report[kind] = EntityScores(in_gold[kind], in_predicted[kind], right[kind])
    return report


def answer_scores(
    gold: Mapping[str, Sequence[str]], predicted: Mapping[str, str], *, language: str, rules: AnswerRules = "mlqa"
) -> AnswerScores:
    """Scores of `predicted` (question id → answer) against `gold` (question id → right answers, best one counts)."""
    normalise = functools.partial(normalise_answer, language=language, rules=rules)
    total_match = total_f1 = 0.0
    for question_id, answers in gold.items():
        if question_id not in predicted:
            continue
        given = normalise(predicted[question_id])
        right = [normalise(answer) for answer in answers]
        total_match += max(float(given == answer) for answer in right)
        total_f1 += max(_word_f1(given.split(), answer.split()) for answer in right)
    # The order of these operations is the official scorers': another one changes the last digit.
    return AnswerScores(100.0 * total_match / len(gold), 100.0 * total_f1 / len(gold))


def normalise_answer(text: str, *, language: str, rules: AnswerRules = "mlqa") -> str:
    """Lower case, no punctuation, no articles, tokens joined by one space. `rules` squad knows English only.

    Raises DataError for a language that is no code.
    """
    code = canonical_code(language)
    if _are_squads(code, rules):
        text = text.lower().translate(_deletions(string.punctuation))
        return " ".join(_articles("en").sub(" ", text).split())
    text = text.lower().translate(_deletions(_punctuation()))
    own = code.split("-")[0]
    if own == "ar":
        # MLQA's scorer replaces these two letters wherever they stand, inside words too: scores depend on it.
        text = text.replace(ARABIC_ARTICLE, " ")
    elif own in ARTICLES:
        text = _articles(own).sub(" ", text)
    return " ".join(_segmentation(code)(text))


def general_rules(code: str, rules: AnswerRules) -> str:
    """What the rules come to in a language that they were not written for, in words."""
    if _are_squads(code, rules):
        return "SQuAD's, tokens between spaces"
    return "tokens between spaces" if _is_spaced(code) else "a token each letter of a script without spaces"


def _word_f1(predicted: Sequence[str], gold: Sequence[str]) -> float:
    num_common = (Counter(predicted) & Counter(gold)).total()
    if num_common == 0:
        return 0.0
    precision, recall = num_common / len(predicted), num_common / len(gold)
    return 2 * precision * recall / (precision + recall)


def _are_squads(code: str, rules: AnswerRules) -> bool:
    return rules == "squad" or (rules == "squad-spaced" and _is_spaced(code))


def _is_spaced(code: str) -> bool:
    return not is_unspaced(code)


def _segmentation(code: str) -> Callable[[str], list[str]]:
    """How a language's answers become tokens: at spaces, or also at each character where none divide words."""
    if _is_spaced(code):
        return str.split
    return _segment_chinese if script_of(code).startswith("Han") else _segment_unspaced


def _segment_chinese(text: str) -> list[str]:
    return MLQA_CHINESE.sub(lambda match: f" {match[0]} ", text).split()


def _segment_unspaced(text: str) -> list[str]:
    """Each letter of a script without spaces is a token, together with the marks on it."""
    return _unspaced_letter().sub(lambda match: f" {match[0]} ", text).split()


@functools.cache
def _unspaced_letter() -> re.Pattern[str]:
    characters = (chr(code) for code in range(0x10000))
    marks = "".join(mark for mark in characters if unicodedata.category(mark).startswith("M"))
    return re.compile(f"{UNSPACED.pattern}[{marks}]*")


@functools.cache
def _articles(code: str) -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(ARTICLES[code])})\b")


@functools.cache
def _punctuation() -> str:
    """Every code point of a category P, and ASCII's punctuation, which has symbols such as $ and + too."""
    marks = (chr(code) for code in range(sys.maxunicode + 1))
    return "".join(mark for mark in marks if unicodedata.category(mark).startswith("P")) + string.punctuation


@functools.cache
def _deletions(characters: str) -> dict[int, None]:
    return dict.fromkeys(map(ord, characters))


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0
