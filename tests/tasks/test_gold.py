"""Labelled files for scores: any spelling of a language, what official scorers need and no more, and what is told."""

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.compare import compare_predictions
from isogloss.errors import DataError
from isogloss.score import Scored, score_file
from isogloss.tasks import find_task
from isogloss.tasks.gold import language_of

CONTEXT = "Anna saw the cat in Oslo."


def write(folder: Path, name: str, value: Any) -> Path:
    path = folder / name
    path.write_bytes((value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode())
    return path


def squad(*questions: tuple[Any, dict[str, Any]], context: str = CONTEXT) -> dict[str, Any]:
    qas = [{"id": name, "question": "?", "answers": [answer]} for name, answer in questions]
    return {"data": [{"paragraphs": [{"context": context, "qas": qas}]}]}


def answered(folder: Path, task: str, language: str, text: str, said: str) -> Scored:
    """The score of one answer, given the right one."""
    data = write(folder, "data.json", squad(("q", {"text": text, "answer_start": 0}), context=text))
    return score_file(task, data=data, predictions=write(folder, "said.json", {"q": said}), language=language)


@pytest.mark.parametrize(
    ("codes", "text", "said"),
    [
        (("en", "eng", "EN", "eng_Latn", "en-GB"), "the cat", "cat"),
        (("ar", "ara", "arb", "ar-EG"), "الكتاب", "كتاب"),
        (("zh", "zho", "cmn", "zh-CN", "zh_Hans", "zh-TW"), "北京大学", "北京"),
        (("de", "deu", "context-de-question-en"), "die Katze", "Katze"),
    ],
)
def test_every_spelling_of_a_language_has_its_rules_and_no_note(
    tmp_path: Path, codes: tuple[str, ...], text: str, said: str
) -> None:
    scores = [answered(tmp_path, "mlqa", code, text, said) for code in codes]
    assert all(one.metrics == scores[0].metrics for one in scores)
    assert not any("has no language" in note for one in scores for note in one.notes)
    assert scores[0].metrics["f1"] > 50


@pytest.mark.parametrize(
    ("task", "code", "how"),
    [
        ("mlqa", "th", "by the general rules: a token each letter of a script without spaces"),
        ("mlqa", "jpn", "by the general rules: a token each letter of a script without spaces"),
        ("mlqa", "sw", "by the general rules: tokens between spaces"),
        # Nobody's code, and no word of Chinese.
        ("mlqa", "cn", "by the general rules: tokens between spaces"),
        ("xquad", "fr", "by the general rules: SQuAD's, tokens between spaces"),
        ("squad", "ja", "by the general rules: SQuAD's, tokens between spaces"),
        ("xnli", "fi", "all the same"),
    ],
)
def test_a_language_that_the_task_does_not_have_is_scored_and_told(task: str, code: str, how: str) -> None:
    told: list[str] = []
    language_of(find_task(task), code, told.append)
    assert told == [f"task {task} has no language '{code}'; scored {how}"]


def test_such_a_language_is_told_of_by_the_commands(tmp_path: Path) -> None:
    scored = answered(tmp_path, "mlqa", "th", "สภากาชาดไทย", "กาชาดไทย")
    assert 50 < scored.metrics["f1"] < 100
    assert [note.partition(";")[0] for note in scored.notes] == ["task mlqa has no language 'th'"]
    told: list[str] = []
    said = tmp_path / "said.json"
    compare_predictions(
        "mlqa", data=tmp_path / "data.json", first=said, second=said, language="th", num_draws=5, tell=told.append
    )
    assert told == list(scored.notes)
    columns = write(tmp_path, "columns", "Anna B-PER B-PER\n")
    assert (
        "task conll has no language 'fi'" in score_file("conll", data=None, predictions=columns, language="fi").notes[0]
    )
    with pytest.raises(DataError, match="'klingon' is not a language code"):
        language_of(find_task("mlqa"), "klingon")


@pytest.mark.parametrize("task", ["xquad", "tydiqa-goldp"])
def test_sets_with_squads_scorer_have_its_figures_in_every_language(tmp_path: Path, task: str) -> None:
    german = answered(tmp_path, task, "de", "die Katze «Anna»", "die Katze Anna").metrics
    assert (german["f1"], german["exact_match"]) == (german["squad_f1"], german["squad_exact_match"])
    assert german["f1"] == pytest.approx(200 / 3), "«Anna» keeps its quotes, which are not ASCII"
    thai = answered(tmp_path, task, "th", "สภากาชาดไทย", "กาชาดไทย").metrics
    assert thai["squad_f1"] == 0.0, "one word"
    assert thai["f1"] == answered(tmp_path, "mlqa", "th", "สภากาชาดไทย", "กาชาดไทย").metrics["f1"] > 50


def test_answers_to_other_languages_of_the_file_are_left_out_and_told(tmp_path: Path) -> None:
    answer = {"text": "cat", "answer_start": CONTEXT.index("cat")}
    data = write(tmp_path, "all.json", squad(("swahili-1", answer), ("english-1", answer)))
    said = write(tmp_path, "said.json", {"swahili-1": "cat", "english-1": "dog"})
    scored = score_file("tydiqa-goldp", data=data, predictions=said, language="swh")
    assert (scored.n, scored.metrics["f1"]) == (1, 100.0)
    assert scored.notes == (f"{said}: 1 answers are to questions of the data in other languages and left out",)
    same = compare_predictions("tydiqa-goldp", data=data, first=said, second=said, language="sw", num_draws=5)
    assert same["f1"].first == 100.0
    with pytest.raises(DataError, match="no question has the id 'swahili-2'"):
        score_file(
            "tydiqa-goldp", data=data, predictions=write(tmp_path, "odd.json", {"swahili-2": "cat"}), language="sw"
        )


def test_scores_need_no_offsets_and_training_does(tmp_path: Path) -> None:
    data = write(tmp_path, "data.json", squad((7, {"text": "cat"}), ("b", {"text": "not there"})))
    said = write(tmp_path, "said.json", {"7": "the cat", "b": "there"})
    scored = score_file("squad", data=data, predictions=said, language="en")
    assert (scored.n, scored.metrics["exact_match"]) == (2, 50.0)
    with pytest.raises(DataError, match=r"question '7': an answer has 'text' and 'answer_start'"):
        find_task("squad").read(data)
    for wrong in ({"text": "cat", "answer_start": 0}, {"text": "cat", "answer_start": None}, {"text": ""}, {}, "cat"):
        odd: Any = wrong
        with pytest.raises(DataError, match=r"data\.json:1: question 'a'"):
            score_file("squad", data=write(tmp_path, "data.json", squad(("a", odd))), predictions=said, language="en")


def spans(tags: list[str]) -> set[tuple[int, int, str]]:
    """Entities by where they begin and end, each asked of two neighbours."""
    kinds = ["", *(tag[2:] for tag in tags), ""]
    letters = ["O", *(tag[0] for tag in tags), "O"]
    bounds = [place for place in range(1, len(kinds)) if letters[place] == "B" or kinds[place] != kinds[place - 1]]
    return {(one, two, kinds[one]) for one, two in itertools.pairwise(bounds) if kinds[one]}


TAGS = ("O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC")
# Of sentences and their lengths: which tags stand there, and how much of the gold is said again.
SEQUENCES = st.tuples(
    st.lists(st.integers(1, 7), min_size=1, max_size=6),
    st.sampled_from([TAGS, ("O", "I-PER", "I-LOC", "I-LOC"), ("O", "B-PER", "I-PER"), ("O", "B-LOC", "B-PER")]),
    st.sampled_from([TAGS, ("O", "I-PER", "I-LOC"), ("O", "B-PER", "B-LOC")]),
    st.floats(0, 1),
    st.integers(0, 10_000),
)


@given(SEQUENCES)
def test_ill_formed_tags_score_alike_beside_the_data_and_in_columns(
    tmp_path_factory: pytest.TempPathFactory, sequences: tuple[list[int], tuple[str, ...], tuple[str, ...], float, int]
) -> None:
    """And as an independent count has it of the tags as they are written, whatever scheme they look like."""
    lengths, gold_tags, said_tags, share, seed = sequences
    draw, folder = random.Random(seed), tmp_path_factory.mktemp("tags")
    gold = [[draw.choice(gold_tags) for _ in range(length)] for length in lengths]
    said = [[tag if draw.random() < share else draw.choice(said_tags) for tag in tags] for tags in gold]

    def columns(name: str, *several: list[list[str]]) -> Path:
        blocks = (zip(*sentence, strict=True) for sentence in zip(*several, strict=True))
        return write(folder, name, "".join("".join(f"w {' '.join(row)}\n" for row in rows) + "\n" for rows in blocks))

    data = columns("data", gold)
    beside = score_file("ner", data=data, predictions=columns("said", said), language="en")
    alone = score_file("ner", data=None, predictions=columns("both", gold, said), language="en")
    assert (beside.metrics, beside.types, beside.n) == (alone.metrics, alone.types, alone.n)
    pairs = [(spans(one), spans(two)) for one, two in zip(gold, said, strict=True)]
    num_right, num_gold, num_said = (
        sum(map(len, sets)) for sets in ([a & b for a, b in pairs], [a for a, _ in pairs], [b for _, b in pairs])
    )
    precision, recall = (100 * num_right / whole if whole else 0.0 for whole in (num_said, num_gold))
    flat = [(a, b) for one, two in zip(gold, said, strict=True) for a, b in zip(one, two, strict=True)]
    assert beside.metrics == {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if precision + recall else 0.0,
        "accuracy": 100 * sum(a == b for a, b in flat) / len(flat),
    }


@pytest.mark.parametrize("gold", ["B-PER E-PER S-LOC", "I-PER I-PER I-LOC", "B-PER I-PER I-LOC"])
@pytest.mark.parametrize("said", ["B-PER L-PER U-LOC", "B-PER E-PER S-LOC", "S-PER S-PER S-LOC"])
def test_schemes_with_endings_make_both_sides_iob2(tmp_path: Path, gold: str, said: str) -> None:
    rows = list(zip(gold.split(), said.split(), strict=True))
    data = write(tmp_path, "data", "".join(f"w {one}\n" for one, _ in rows))
    beside = score_file(
        "ner", data=data, predictions=write(tmp_path, "said", "".join(f"w {two}\n" for _, two in rows)), language="en"
    )
    whole = said != "S-PER S-PER S-LOC"
    assert beside.metrics["f1"] == (100.0 if whole else 40.0)
    assert beside.metrics["accuracy"] == pytest.approx(100.0 if whole else 200 / 3)
    both = write(tmp_path, "both", "".join(f"w {one} {two}\n" for one, two in rows))
    assert score_file("ner", data=None, predictions=both, language="en").metrics == beside.metrics
