"""Scores of prediction files: the official scorers' figures without a model, and a line for what does not fit."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from isogloss.errors import ConfigError, DataError
from isogloss.score import score_file
from isogloss.tasks import find_task
from isogloss.tasks.predicted import SUFFIXES, read_predictions, write_predictions

QA = {"mlqa": "mlqa", "squad": "squad_dev_minus_xquad"}


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def squad(*answers: tuple[str, str]) -> str:
    """Questions by id and answer, which is searched for in one context."""
    context = "Anna lives in Oslo."
    qas = [
        {"id": name, "question": "?", "answers": [{"text": text, "answer_start": context.index(text)}]}
        for name, text in answers
    ]
    return json.dumps({"data": [{"paragraphs": [{"context": context, "qas": qas}]}]})


@pytest.mark.parametrize("name", ["mlqa.dev.en", "mlqa.dev.ar", "mlqa.dev.vi", "mlqa.dev.zh", "squad.dev.en"])
def test_a_file_of_answers_has_the_official_score_to_the_last_digit(name: str, shared_data: Path, golden: Path) -> None:
    task, split, language = name.split(".")
    data = shared_data / "qa" / QA[task] / f"{split}.{language}.json"
    scored = score_file(task, data=data, predictions=golden / f"{name}.predictions.json", language=language)
    expected = json.loads((golden / "qa.expected.json").read_text(encoding="utf-8"))[name]
    assert {metric: scored.metrics[metric] for metric in expected} == expected
    assert any("have no answer, which counts as wrong" in note for note in scored.notes)


def test_columns_have_the_score_of_conlleval_by_type_too(golden: Path) -> None:
    scored = score_file("conll", data=None, predictions=golden / "conll.tagged.txt", language="en")
    expected = json.loads((golden / "conll.expected.json").read_text(encoding="utf-8"))
    overall = expected.pop("overall")
    assert {name: f"{value:.2f}" for name, value in scored.metrics.items()} == {
        name: f"{value:.2f}" for name, value in overall.items()
    }
    assert scored.types.keys() == expected.keys()
    for kind, values in expected.items():
        assert {name: f"{scored.types[kind][name]:.2f}" for name in values} == {
            name: f"{value:.2f}" for name, value in values.items()
        }


def test_tags_beside_the_data_score_as_columns_do(golden: Path, tmp_path: Path) -> None:
    lines = (golden / "conll.tagged.txt").read_text(encoding="utf-8").splitlines()
    cells = [line.split() for line in lines]
    gold = write(tmp_path, "dev.en.tsv", "".join(f"{c[0]}\t{c[1]}\n" if c else "\n" for c in cells))
    predicted = write(tmp_path, "predicted.tsv", "".join(f"{c[0]}\t{c[2]}\n" if c else "\n" for c in cells))
    whole = score_file("conll", data=None, predictions=golden / "conll.tagged.txt", language="en")
    beside = score_file("ner", data=gold, predictions=predicted, language="en")
    assert (beside.metrics, beside.types, beside.n) == (whole.metrics, whole.types, whole.n)


@pytest.mark.parametrize(
    ("task", "data", "predicted", "expected"),
    [
        ("xnli", "a\tb\tneutral\na\tb\tneutral\n", "neutral\nentailment\n", {"accuracy": 50.0}),
        ("sst-2", "a\t1\nb\t0\n", "1\n0\n", {"accuracy": 100.0}),
        ("mrpc", "a\tb\t1\na\tb\t1\na\tb\t0\n", "1\n0\n0\n", {"accuracy": 200 / 3, "f1": 200 / 3, "recall": 50.0}),
        ("cola", "a\t1\nb\t0\n", "0\n1\n", {"matthews": -100.0, "accuracy": 0.0}),
        ("sts-b", "a\tb\t1\na\tb\t3\na\tb\t2\n", "0.5\n9\n1e0\n", {"spearman": 100.0}),
        ("xcopa", "p\tcause\ta\tb\t1\np\teffect\ta\tb\t0\n", "1\n1\n", {"accuracy": 50.0}),
        ("tatoeba", "moja\tone\nmbili\ttwo\n", "0\n0\n", {"accuracy": 50.0}),
        ("pos", "a\tNOUN\nb\tVERB\n\nc\tVERB\n", "a\tNOUN\nb\tVERB\n\nc\tNOUN\n\n", {"accuracy": 200 / 3}),
        ("squad", squad(("q", "Oslo")), '{"q": "oslo!"}', {"exact_match": 100.0, "f1": 100.0}),
    ],
)
def test_every_kind_of_prediction_is_scored(
    tmp_path: Path, task: str, data: str, predicted: str, expected: dict[str, float]
) -> None:
    suffix = SUFFIXES[find_task(task).kind]
    scored = score_file(
        task,
        data=write(tmp_path, f"dev.en.{find_task(task).suffix}", data),
        predictions=write(tmp_path, f"predicted{suffix}", predicted),
        language="en",
    )
    assert {name: scored.metrics[name] for name in expected} == pytest.approx(expected)
    assert set(find_task(task).metrics) <= scored.metrics.keys()
    assert scored.as_object()["n"] == scored.n > 0
    assert f"{task}, en" in scored.table()


@pytest.mark.parametrize(
    ("task", "data", "predicted"),
    [
        ("ner", "a\tI-PER\nb\tI-PER\nc\tB-PER\nd\tI-LOC\n", "a\tI-PER\nb\tI-PER\nc\tB-PER\nd\tI-LOC\n"),
        ("panx", "a\tB-PER\nb\tI-PER\nc\tB-LOC\n", "a\tB-PER\nb\tE-PER\nc\tS-LOC\n"),
    ],
)
def test_right_tags_are_right_in_any_scheme(tmp_path: Path, task: str, data: str, predicted: str) -> None:
    gold, found = write(tmp_path, "dev.en.tsv", data), write(tmp_path, "predicted.tsv", predicted)
    scored = score_file(task, data=gold, predictions=found, language="en")
    assert set(scored.metrics.values()) == {100.0}


def test_the_accuracy_of_ill_formed_tags_is_that_of_the_official_scorer(tmp_path: Path) -> None:
    """It compares tags as they stand, gold ones of IOB2 with ill-formed ones; the entities are right all the same."""
    gold = write(tmp_path, "dev.en.tsv", "a\tB-PER\nb\tI-PER\nc\tB-LOC\n")
    found = write(tmp_path, "predicted.tsv", "a\tI-PER\nb\tI-PER\nc\tI-LOC\n")
    scored = score_file("panx", data=gold, predictions=found, language="en")
    assert scored.metrics["f1"] == 100.0
    assert scored.metrics["accuracy"] == pytest.approx(100 / 3)


@pytest.mark.parametrize(
    ("task", "line", "says"),
    [
        ("ner", "a\tPER\tPER\n", "predicted.tsv:3: unknown tag 'PER'"),
        ("conll", "a\tB-PER\tB-DATE\n", "predicted.tsv:3: unknown tag 'B-DATE'; known are O"),
        ("pos", "a\tVERBX\tVERB\n", "predicted.tsv:3: unknown tag 'VERBX'; known are ADJ"),
    ],
)
def test_columns_with_tags_that_are_none_are_named_with_their_line(
    tmp_path: Path, task: str, line: str, says: str
) -> None:
    right = "b\tNOUN\tNOUN\n\n" if task == "pos" else "b\tO\tO\n\n"
    with pytest.raises(DataError) as caught:
        score_file(task, data=None, predictions=write(tmp_path, "predicted.tsv", right + line), language="en")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("task", "data", "predicted", "says"),
    [
        ("xnli", "a\tb\tneutral\n" * 2, "neutral\n", "predicted:1: too few: 1 predictions, the data has 2 examples"),
        ("xnli", "a\tb\tneutral\n", "neutral\n" * 3, "predicted:2: too many: 3 predictions, the data has 1 examples"),
        ("xnli", "a\tb\tneutral\n", "maybe\n", "predicted:1: unknown label 'maybe'; known are entailment, neutral"),
        ("text", "a\tb\nc\td\n", "b\n\n", "predicted:2: unknown label ''; a line is a label"),
        ("xcopa", "p\tcause\ta\tb\t1\n", "2\n", "predicted:1: unknown label '2'; known are 0, 1"),
        ("tatoeba", "a\tb\n", "1\n", "predicted:1: unknown label '1'; known are 0"),
        ("sts-b", "a\tb\t1\n", "good\n", "predicted:1: 'good' is no number"),
        ("squad", squad(("q", "Oslo")), '{"q": "Oslo",\n "r": "x"}', "predicted:2: no question has the id 'r'"),
        ("squad", squad(("q", "Oslo")), '{"q": "Oslo",\n "q": "x"}', "predicted:2: 'q' stands twice"),
        ("squad", squad(("q", "Oslo")), '{"q": 7}', "predicted:1: the answer to 'q' is 7, not a text"),
        ("squad", squad(("q", "Oslo")), '["Oslo"]', "predicted:1: no JSON object"),
        ("squad", squad(("q", "Oslo")), '\n\n["Oslo"]', "predicted:3: no JSON object"),
        ("ner", "a\tO\nb\tO\n", "a\tO\n", "predicted:1: the sentence has 1 words, in the data 2"),
        ("ner", "a\tO\n\nb\tO\n", "a\tO\n", "predicted:1: too few: 1 sentences, the data has 2 examples"),
        ("ner", "a\tO\n", "a\tO\n\nb\tO\n", "predicted:3: too many: 2 sentences, the data has 1 examples"),
        ("ner", "a\tO\n\nb\tO\n\nc\tO\n", "a\tO\n\nb\tO\n", "predicted:3: too few: 2 sentences, the data has 3"),
        ("ner", "a\tO\n", "", "predicted:1: too few: 0 sentences, the data has 1 examples"),
        ("ner", "a\tO\nb\tO\n", "a\tO\nb\tO\tO\n", "predicted:2: 3 columns, the lines before have 2"),
        ("xnli", "a\tb\tneutral\n", "", "predicted:1: too few: 0 predictions, the data has 1 examples"),
        ("xnli", "a\tb\tneutral\n", "neutral \n", "predicted:1: unknown label 'neutral '; known are entailment"),
        ("sts-b", "a\tb\t1\n", "", "predicted:1: too few: 0 predictions"),
        ("ner", "a\tO\nb\tO\n", "a\tO\nc\tO\n", "predicted:2: 'c O', where the data has the word 'b'"),
        ("pos", "a\tNOUN\n", "a\tNOUNS\n", "predicted:1: unknown tag 'NOUNS'; known are ADJ"),
        ("ner", "a\tB-PER\n", "a\tPER\n", "predicted:1: unknown tag 'PER'; entities are O, B-X and I-X"),
        ("ner", "a\tB-PER\n", "a\tB-PER \n", "predicted:1: unknown tag 'B-PER '"),
        ("ner", "a\tB-PER \n", "a\tB-PER\n", "dev.en.tsv:1: unknown tag 'B-PER '"),
        ("panx", "a\tB-PER\n", "a\tB-DATE\n", "predicted:1: unknown tag 'B-DATE'; known are O, B-LOC"),
        ("xnli", "a\tb\n", "neutral\n", "has no labels: there is nothing to score against"),
        ("pos", "a\n", "a\tNOUN\n", "has no labels: there is nothing to score against"),
    ],
)  # fmt: skip
def test_predictions_that_do_not_fit_are_named_with_their_line(
    tmp_path: Path, task: str, data: str, predicted: str, says: str
) -> None:
    gold = write(tmp_path, f"dev.en.{find_task(task).suffix}", data)
    with pytest.raises(DataError) as caught:
        score_file(task, data=gold, predictions=write(tmp_path, "predicted", predicted), language="en")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("task", "data", "predicted"),
    [
        ("xnli", "a\tb\tneutral\n" * 2, "neutral\nneutral\n\n\n"),
        ("sts-b", "a\tb\t1\na\tb\t2\n", "1\n2\n \n"),
        ("tatoeba", "a\tb\nc\td\n", "0\r\n1\r\n\r\n"),
    ],
)
def test_blank_lines_at_the_end_of_predictions_change_nothing(
    tmp_path: Path, task: str, data: str, predicted: str
) -> None:
    gold, found = write(tmp_path, "dev.en.tsv", data), write(tmp_path, "predicted", predicted)
    assert set(score_file(task, data=gold, predictions=found, language="en").metrics.values()) == {100.0}


def test_columns_of_several_widths_are_refused(tmp_path: Path) -> None:
    """The official scorer stops at them: which column is the gold would be a guess."""
    path = write(tmp_path, "predicted", "a B-PER B-PER\n\nb c O O\n")
    with pytest.raises(DataError, match="predicted:3: 4 columns, the lines before have 3"):
        score_file("ner", data=None, predictions=path, language="en")


def test_columns_without_gold_and_other_kinds_need_the_data(tmp_path: Path) -> None:
    path = write(tmp_path, "predicted", "a B-PER\nb O\n")
    with pytest.raises(DataError, match=r"predicted:1: 2 columns.*give the gold as --data"):
        score_file("ner", data=None, predictions=path, language="en")
    with pytest.raises(ConfigError, match="give --data FILE"):
        score_file("xnli", data=None, predictions=path, language="en")
    with pytest.raises(DataError, match="'klingon' is not a language code"):
        score_file("ner", data=None, predictions=path, language="klingon")


def test_predictions_of_other_schemes_are_the_same_entities(tmp_path: Path) -> None:
    gold = write(tmp_path, "dev.en.tsv", "a\tI-PER\nb\tI-PER\nc\tB-PER\n")
    predicted = write(tmp_path, "predicted", "a\tB-PER\nb\tE-PER\nc\tS-PER\n")
    scored = score_file("ner", data=gold, predictions=predicted, language="en")
    assert (scored.metrics["f1"], scored.metrics["accuracy"]) == (100.0, 100.0)
    assert scored.notes == (f"{gold}: tags of scheme IOB1, read as written",)
    columns = write(tmp_path, "columns", "a X U-PER U-PER\nb X B-LOC B-LOC\nc X L-LOC O\n")
    scored = score_file("ner", data=None, predictions=columns, language="en")
    assert scored.types["PER"]["f1"] == 100.0
    assert scored.types["LOC"]["f1"] == 0.0


def test_thai_and_japanese_answers_need_no_spaces(tmp_path: Path) -> None:
    for language, context, near in (("th", "สภากาชาดไทย", "กาชาดไทย"), ("ja", "東京大学", "東京")):
        question = {"id": "q", "question": "?", "answers": [{"text": context, "answer_start": 0}]}
        document = {"data": [{"paragraphs": [{"context": context, "qas": [question]}]}]}
        data = write(tmp_path, f"dev.{language}.json", json.dumps(document))
        predicted = write(tmp_path, "p.json", json.dumps({"q": near}))
        scored = score_file("xquad", data=data, predictions=predicted, language=language)
        assert scored.metrics["exact_match"] == 0.0
        assert 50 < scored.metrics["f1"] < 100


@pytest.mark.parametrize(
    ("task", "data", "predicted"),
    [
        ("ner", "Anna\tB-PER\n10 000\tO\n\nBo\tB-PER\n", [("B-PER", "O"), ("I-LOC",)]),
        ("ner", "Anna\n10\u2028000\n\nBo\n", [("B-PER", "O"), ("I-LOC",)]),
        ("squad", squad(("q", "Oslo"), ("ü\n", "Anna")), ["a\nb", "\u2028"]),
        ("xnli", "a\tb\tneutral\n" * 2, ["neutral", "entailment"]),
        ("sts-b", "a\tb\t1\n" * 2, [1.25, -3e-9]),
    ],
)
def test_what_is_written_is_read_again(tmp_path: Path, task: str, data: str, predicted: list[Any]) -> None:
    found = find_task(task)
    gold = write(tmp_path, f"test.en.{found.suffix}", data)
    examples = found.read(gold, unlabelled=True)
    path = tmp_path / "deep" / f"x{SUFFIXES[found.kind]}"
    write_predictions(path, found.kind, examples, predicted)
    assert read_predictions(path, found, examples, labels=()) == predicted


def test_gold_tags_may_be_as_conll_2002_published_them(tmp_path: Path) -> None:
    data, predictions = tmp_path / "esp.testa", tmp_path / "dev.es.tsv"
    data.write_bytes("Añoso NC B-PER\nduerme VMI O\n\nAnna NP B-PER\n\n".encode("latin-1"))
    predictions.write_text("Añoso\tB-PER\nduerme\tO\n\nAnna\tO\n\n", encoding="utf-8")
    scored = score_file("conll", data=data, predictions=predictions, language="es")
    assert scored.metrics["f1"] == pytest.approx(200 / 3)
    assert [note.partition(": ")[2] for note in scored.notes] == [
        "byte 1 is not UTF-8; the file is read as ISO-8859-1",
        "conll in es has 2 examples, published are train 8,323, dev 1,915, test 1,517",
    ]


def test_the_command_prints_one_object_and_loads_no_torch(tmp_path: Path) -> None:
    predicted = write(tmp_path, "tagged.txt", "Anna B-PER B-PER\nsleeps O B-LOC\n\n")
    code = (
        "import sys; from isogloss.cli import main; sys.argv = ['isogloss', *sys.argv[1:]]\n"
        "try: main()\nfinally: assert not {'torch', 'daft', 'transformers'} & set(sys.modules)"
    )
    words = ["score", "conll", "--predictions", str(predicted), "--language", "en", "--json"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["precision"], found["recall"], found["accuracy"]) == (50.0, 100.0, 50.0)
    assert found["f1"] == pytest.approx(200 / 3)
    assert found["types"]["PER"]["f1"] == 100.0
    assert found["types"]["LOC"] == {
        "precision": 0.0, "recall": 0.0, "f1": 0.0, "gold": 0, "predicted": 1, "right": 0,
    }  # fmt: skip
