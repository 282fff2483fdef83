"""Metrics: golden scores of the official scorers, ill-formed tag sequences, languages without spaces."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.tasks import find_task
from isogloss.tasks.metrics import EntityScores, accuracy, answer_scores, entities, entity_report, normalise_answer

QA_FOLDERS = {"mlqa": "mlqa", "squad": "squad_dev_minus_xquad"}
TAGS = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "I-ORG"])


@pytest.mark.parametrize("name", ["mlqa.dev.en", "mlqa.dev.ar", "mlqa.dev.vi", "mlqa.dev.zh", "squad.dev.en"])
def test_answers_equal_the_official_scorers_to_the_last_digit(name: str, shared_data: Path, golden: Path) -> None:
    benchmark, split, language = name.split(".")
    task = find_task("qa" if benchmark == "mlqa" else "squad")
    examples = task.read(shared_data / "qa" / QA_FOLDERS[benchmark] / f"{split}.{language}.json")
    predicted = json.loads((golden / f"{name}.predictions.json").read_text(encoding="utf-8"))
    assert len(predicted) < len(examples), "the golden file leaves some questions unanswered"
    right = {example.id: [answer.text for answer in example.answers] for example in examples}
    scores = answer_scores(right, predicted, language=language, rules="mlqa" if benchmark == "mlqa" else "squad")
    expected = json.loads((golden / "qa.expected.json").read_text(encoding="utf-8"))[name]
    assert (scores.exact_match, scores.f1) == (expected["exact_match"], expected["f1"])


def test_entities_equal_the_conll_scorer(golden: Path) -> None:
    text = (golden / "conll.tagged.txt").read_text(encoding="utf-8").strip()
    sentences = [[line.split() for line in block.split("\n")] for block in text.split("\n\n")]
    gold = [[columns[1] for columns in sentence] for sentence in sentences]
    predicted = [[columns[2] for columns in sentence] for sentence in sentences]
    report = entity_report(gold, predicted)
    expected = json.loads((golden / "conll.expected.json").read_text(encoding="utf-8"))
    flat = accuracy([tag for tags in gold for tag in tags], [tag for tags in predicted for tag in tags])
    assert f"{flat:.2f}" == f"{expected['overall'].pop('accuracy'):.2f}"
    assert report.keys() == expected.keys()
    for kind, scores in report.items():
        found = {name: f"{getattr(scores, name):.2f}" for name in ("precision", "recall", "f1")}
        assert found == {name: f"{value:.2f}" for name, value in expected[kind].items()}, kind


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["B-PER", "I-PER", "O"], [(0, 2, "PER")]),
        (["B-PER", "B-PER"], [(0, 1, "PER"), (1, 2, "PER")]),
        (["O", "I-LOC", "I-LOC"], [(1, 3, "LOC")]),
        (["B-PER", "I-LOC"], [(0, 1, "PER"), (1, 2, "LOC")]),
        (["I-LOC", "I-PER", "B-PER"], [(0, 1, "LOC"), (1, 2, "PER"), (2, 3, "PER")]),
        ([], []),
    ],
)
def test_ill_formed_sequences_make_the_entities_the_official_scorer_sees(
    tags: list[str], expected: list[tuple[int, int, str]]
) -> None:
    assert entities(tags) == expected


@given(st.lists(st.lists(TAGS, max_size=12), min_size=1, max_size=5))
def test_entities_cover_exactly_the_tagged_words_and_equal_tags_score_100(sentences: list[list[str]]) -> None:
    for tags in sentences:
        covered = [position for entity in entities(tags) for position in range(entity.start, entity.stop)]
        assert covered == [position for position, tag in enumerate(tags) if tag != "O"]
    overall = entity_report(sentences, sentences)["overall"]
    assert overall.f1 == (100.0 if overall.num_gold else 0.0)


def test_an_entity_with_a_wrong_end_or_type_is_wrong() -> None:
    gold = [["B-PER", "I-PER", "O", "B-LOC"]]
    report = entity_report(gold, [["B-PER", "O", "O", "B-ORG"]])
    assert (report["overall"].num_right, report["overall"].f1) == (0, 0.0)
    assert entity_report(gold, [["B-PER", "I-PER", "O", "O"]])["overall"].f1 == pytest.approx(200 / 3)


def test_f1_at_ties_has_the_last_digit_of_conlleval() -> None:
    """It adds roundings of its own on the way from counts to F1, which decide where 3.125 goes."""
    scores = EntityScores(num_gold=1, num_predicted=63, num_right=1)
    assert f"{scores.f1:.2f}" == "3.13"
    assert EntityScores(7, 7, 7).f1 == 100.0
    assert EntityScores(0, 3, 0).f1 == EntityScores(0, 0, 0).f1 == EntityScores(2, 2, 0).f1 == 0.0


def test_a_question_without_a_prediction_counts_as_wrong() -> None:
    scores = answer_scores({"a": ["Oslo"], "b": ["Rome"]}, {"a": "oslo!"}, language="en")
    assert (scores.exact_match, scores.f1) == (50.0, 50.0)


def test_the_best_of_several_right_answers_counts() -> None:
    scores = answer_scores({"a": ["nothing", "in the house"]}, {"a": "house"}, language="en")
    assert scores.exact_match == 0.0
    assert scores.f1 == pytest.approx(100 * 2 / 3)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "The  «Red» house!", "red house"),
        ("de", "Das Haus der Frau", "haus frau"),
        ("de", "The house", "the house"),
        ("hi", "वह घर।", "वह घर"),
        ("zh", "在1990年，iPhone", "在 1990 年 iphone"),
        ("zh-Hant", "在1990年", "在 1990 年"),
        ("th", "อยู่ในOslo 12", "อ ยู่ ใ น oslo 12"),
        ("ja", "ガラス、1号", "ガ ラ ス 1 号"),
        ("sw", "Nyumba ya Ana", "nyumba ya ana"),
        # Other spellings of a code are the same language.
        ("eng", "The house", "house"),
        ("ENG_Latn", "The house", "house"),
        ("ara", "الكتاب", "كتاب"),
        ("zho", "在1990年", "在 1990 年"),
        ("jpn", "ガラス、1号", "ガ ラ ス 1 号"),
    ],
)
def test_answers_are_compared_by_the_rules_of_their_language(language: str, text: str, expected: str) -> None:
    assert normalise_answer(text, language=language) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "The «Red» house!", "«red» house"),
        ("de", "Das Haus, the house", "das haus house"),
        ("ar", "الكتاب", "الكتاب"),
        ("vi", "của nhà", "của nhà"),
        ("ko", "서울 대학교", "서울 대학교"),
        ("fr", "L'eau", "leau"),
        ("th", "อยู่ในOslo 12", "อ ยู่ ใ น oslo 12"),
        ("zh", "在1990年，the", "在 1990 年 the"),
        ("zh-Hant", "在1990年", "在 1990 年"),
        ("jpn", "ガラス", "ガ ラ ス"),
    ],
)
def test_squads_rules_hold_where_words_stand_between_spaces(language: str, text: str, expected: str) -> None:
    """As SQuAD v1.1's scorer in every such language, English articles and ASCII punctuation alone; else MLQA's."""
    assert normalise_answer(text, language=language, rules="squad-spaced") == expected
    other = "mlqa" if language in ("th", "zh", "zh-Hant", "jpn") else "squad"
    assert normalise_answer(text, language=language, rules=other) == expected  # type: ignore[arg-type]


def test_answers_in_unspaced_scripts_get_partial_credit_without_spaces() -> None:
    for language, gold, given_text in (
        ("th", "สภากาชาดไทย", "กาชาดไทย"),
        ("ja", "東京大学", "東京"),
        ("km", "ភ្នំពេញ", "ភ្នំ"),
    ):
        scores = answer_scores({"a": [gold]}, {"a": given_text}, language=language)
        assert scores.exact_match == 0.0
        assert 50 < scores.f1 < 100, language


@given(st.text(max_size=40), st.sampled_from(["en", "de", "vi", "zh", "th", "ja", "hi", "xx"]))
def test_every_text_matches_itself(text: str, language: str) -> None:
    assert answer_scores({"a": [text]}, {"a": text}, language=language).exact_match == 100.0
