"""Readers: what each form holds, and one clear line with file and line number for what cannot be used."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.errors import ConfigError, DataError
from isogloss.tasks import (
    CATALOGUE,
    QuestionExample,
    TaggedExample,
    TextExample,
    data_language,
    find_files,
    find_task,
    labels_of,
)
from isogloss.tasks.files import line_at, parse_json


def write(folder: Path, text: str, name: str = "train.en.tsv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def squad(*entries: dict[str, Any], context: str = "Anna lives in Oslo.") -> str:
    return json.dumps({"data": [{"title": "t", "paragraphs": [{"context": context, "qas": list(entries)}]}]}, indent=1)


def question(name: str = "q1", text: str = "Oslo", start: int = 14) -> dict[str, Any]:
    return {"id": name, "question": "Where?", "answers": [{"text": text, "answer_start": start}]}


def test_pairs_keep_their_texts_and_odd_line_breaks(tmp_path: Path) -> None:
    path = write(tmp_path, "a\u2028b\tc \tneutral\r\n\td\tentailment")
    assert find_task("nli").read(path) == [
        TextExample(("a\u2028b", "c "), "neutral"),
        TextExample(("", "d"), "entailment"),
    ]


def test_tagged_sentences_end_at_blank_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "\nAnna\tB-PER\nlives\tO\n\n\nOslo\tB-LOC\n\n")
    assert find_task("ner").read(path) == [
        TaggedExample(("Anna", "lives"), ("B-PER", "O")),
        TaggedExample(("Oslo",), ("B-LOC",)),
    ]


def test_questions_keep_every_right_answer(tmp_path: Path) -> None:
    entry = question()
    entry["answers"].append({"text": "in Oslo", "answer_start": 11})
    (example,) = find_task("qa").read(write(tmp_path, squad(entry)))
    assert isinstance(example, QuestionExample)
    assert [answer.text for answer in example.answers] == ["Oslo", "in Oslo"]


@pytest.mark.parametrize(
    ("task", "text", "line", "says"),
    [
        ("nli", "a\tb\tneutral\na\tb\tmaybe\n", 2, "unknown label 'maybe'; known are entailment"),
        ("nli", "a\tb\tneutral\na\tb\n", 2, "no label"),
        ("nli", "a\tb\tneutral\n\na\tb\tneutral\n", 2, "a blank line"),
        ("text", "a\tb\n\n", 2, "a blank line"),
        ("text", "a b\n", 1, "no label"),
        ("nli", "a\n", 1, "1 column,"),
        ("ner", "a\tO\n \nb\tO\n", 2, "spaces alone"),
        ("nli", "a\tb\tc\tneutral\n", 1, "4 columns"),
        ("text", "a\t\n", 1, "label is empty"),
        ("text", "only text\n", 1, "no label"),
        ("pos", "a\tNOUN\nb\tNOUNS\n", 2, "unknown tag 'NOUNS'"),
        ("pos", "a\tNOUN\nb\n", 2, "no tag"),
        ("ner", "a\tO\nb\tPER\n", 2, "unknown tag 'PER'; schemes are IOB2 and IOB1"),
        ("ner", "a\tO\nb\tB-\n", 2, "unknown tag 'B-'"),
        ("ner", "a\tO\nb\tX-PER\n", 2, "unknown tag 'X-PER'"),
        ("conll", "a\tO\nb\tB-DATE\n", 2, "unknown tag 'B-DATE'; known are O, B-LOC"),
        ("ner", "a N X O\nb N X O\nc N O\n", 3, "3 columns"),
        ("ner", "a N X O\nb O\n", 2, "2 columns, others of this file 4"),
        ("ner", "a\tB-PER\tO\n", 1, "3 columns"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path, task: str, text: str, line: int, says: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(DataError) as caught:
        find_task(task).read(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("task", sorted(CATALOGUE))
@pytest.mark.parametrize("content", [b"", b"\n", b"caf\xe9\tneutral\n", None], ids=["empty", "blank", "latin1", "none"])
def test_empty_foreign_and_missing_files_are_refused(tmp_path: Path, task: str, content: bytes | None) -> None:
    path = tmp_path / "train.en.tsv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"train\.en\.tsv"):
        find_task(task).read(path)


@pytest.mark.parametrize(
    ("entries", "line_of", "says"),
    [
        ([question(start=13)], "q1", "offset 13"),
        ([question(start=-5)], "q1", "offset -5"),
        ([question(text="")], "q1", "the answer is ''"),
        ([question(), question("q2"), question()], "last", "second question"),
        ([{"id": "q1", "question": "Where?", "answers": []}], "q1", "no answers"),
        ([{"id": "q1", "question": "Where?"}], "q1", "no answers"),
        ([{"id": "q1", "question": "Where?", "answers": ["Oslo"]}], "q1", "'text' and 'answer_start'"),
        ([question(start="14")], "q1", "a number"),  # type: ignore[arg-type]
        ([question(start=False)], "q1", "a number"),
    ],
)
def test_questions_that_cannot_be_used_are_named_with_their_line(
    tmp_path: Path, entries: list[dict[str, Any]], line_of: str, says: str
) -> None:
    text = squad(*entries)
    path = write(tmp_path, text, "train.en.json")
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if '"id": "q1"' in line]
    with pytest.raises(DataError) as caught:
        find_task("qa").read(path)
    assert str(caught.value).startswith(f"{path}:{lines[-1] if line_of == 'last' else lines[0]}: question 'q1'")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "1",
        '{"data": []}',
        '{"data": {}}',
        '{"data": [1]}',
        '{"data": [{}]}',
        '{"data": [{"paragraphs": null}]}',
        '{"data": [{"paragraphs": [1]}]}',
        '{"data": [{"paragraphs": {"a": 1}}]}',
        '{"data": [{"paragraphs": [{"context": 1, "qas": []}]}]}',
        '{"data": [{"paragraphs": [{"context": "a", "qas": [1]}]}]}',
    ],
)
def test_json_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"train\.en\.json"):
        find_task("qa").read(write(tmp_path, text, "train.en.json"))


WRONG_ENTRIES: list[tuple[Any, str]] = [
    ({**question("q2"), "id": 2.5}, "'id' of a question is 2.5, not text"),
    ({"question": "Where?", "answers": []}, "'id' of a question is not there"),
    ({"id": "q2", "answers": []}, "'question' of a question is not there"),
    ({**question("q2"), "question": ["Where?"]}, "'question' of a question is ['Where?'], not text"),
    (7, "'id' of a question is not there"),
]


@pytest.mark.parametrize(("entry", "says"), WRONG_ENTRIES)
@pytest.mark.parametrize("indent", [None, 1])
def test_an_entry_that_is_none_is_named_with_its_line(
    tmp_path: Path, entry: Any, says: str, indent: int | None
) -> None:
    # Brackets and quotes are in texts before it, and one paragraph has no questions.
    document = json.loads(squad(question() | {"question": 'Where\\ "[{?'}, context="Anna lives in Oslo. ]}"))
    paragraphs = document["data"][0]["paragraphs"]
    paragraphs += [{"qas": [], "context": "x"}, {"context": "Anna lives in Oslo.", "qas": [question("q3"), "HERE"]}]
    before, after = ("\n" + json.dumps(document, indent=indent)).split('"HERE"')
    path = write(tmp_path, before + json.dumps(entry) + after, "train.en.json")
    with pytest.raises(DataError) as caught:
        find_task("qa").read(path)
    line = before.count("\n") + 1
    assert str(caught.value).startswith(f"{path}:{line}: {says}")


def test_no_part_of_a_json_file_is_passed_over(tmp_path: Path) -> None:
    document = json.loads(squad(question()))
    for article in (1, {"title": "t"}, {"paragraphs": [{"context": "a"}]}):
        text = json.dumps({"data": document["data"]})[:-2] + ",\n" + json.dumps(article) + "]}"
        path = write(tmp_path, text, "train.en.json")
        with pytest.raises(DataError, match=r"train\.en\.json:2: data\[1\]"):
            find_task("qa").read(path)


def test_a_stray_inside_tag_in_an_iob2_file_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path, "a\tB-PER\nb\tO\nc\tI-PER\n\nd\tB-LOC\n")
    assert find_task("ner").read(path)[0].tags == ("B-PER", "O", "I-PER")  # type: ignore[union-attr]


def test_entity_labels_are_complete_and_sorted(tmp_path: Path) -> None:
    ner = find_task("ner")
    examples = ner.read(write(tmp_path, "a\tB-PER\nb\tB-LOC\nc\tI-LOC\n"))
    assert labels_of(ner, examples) == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


def test_other_labels_come_from_the_task_or_the_examples(tmp_path: Path) -> None:
    pair = find_task("pair")
    assert labels_of(pair, pair.read(write(tmp_path, "a\tb\t1\nc\td\t0\n"))) == ("0", "1")
    assert labels_of(find_task("nli"), []) == ("entailment", "neutral", "contradiction")
    assert labels_of(find_task("qa"), []) == ()


def test_files_are_found_by_split_and_language(tmp_path: Path) -> None:
    for name in ("dev.sw.tsv", "dev.zh-Hant.tsv", "dev.en.json", "train.en.tsv", "dev.context-de-question-en.tsv"):
        (tmp_path / name).write_text("x")
    nli = find_task("nli")
    assert list(find_files(nli, tmp_path, split="dev")) == ["context-de-question-en", "sw", "zh-Hant"]
    assert find_files(nli, tmp_path, split="dev", languages=["sw"]) == {"sw": tmp_path / "dev.sw.tsv"}
    with pytest.raises(DataError, match=r"has no dev\.ur\.tsv; it has dev in context-de-question-en, sw, zh-Hant"):
        find_files(nli, tmp_path, split="dev", languages=["sw", "ur"])
    with pytest.raises(DataError, match="splits there: dev, train"):
        find_files(nli, tmp_path, split="test")
    with pytest.raises(DataError, match="does not exist"):
        find_files(nli, tmp_path / "nowhere", split="dev")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="is no folder"):
        find_files(nli, tmp_path / "file", split="dev")


@pytest.mark.parametrize("code", ["klingon", "en.old", "english", "context-klingon-question-en"])
def test_a_file_of_no_language_is_refused_unless_others_are_asked_for(tmp_path: Path, code: str) -> None:
    for name in ("dev.en.tsv", f"dev.{code}.tsv"):
        (tmp_path / name).write_text("x")
    nli = find_task("nli")
    with pytest.raises(DataError, match=rf"dev\.{code}\.tsv: '.*' is not a language code") as caught:
        find_files(nli, tmp_path, split="dev")
    assert "\n" not in str(caught.value)
    assert list(find_files(nli, tmp_path, split="dev", languages=["en"])) == ["en"]
    # A language outside the table is one all the same.
    (tmp_path / f"dev.{code}.tsv").rename(tmp_path / "dev.yo.tsv")
    assert list(find_files(nli, tmp_path, split="dev")) == ["en", "yo"]


def test_the_language_of_a_cross_pair_is_that_of_its_context() -> None:
    assert (data_language("context-de-question-en"), data_language("zh-Hant")) == ("de", "zh-Hant")


def test_an_unknown_task_names_its_neighbour() -> None:
    with pytest.raises(ConfigError, match="did you mean xnli"):
        find_task("xxnli")


@pytest.mark.parametrize(
    ("task", "folder", "split", "language", "num_examples"),
    [
        ("nli", "nli/xnli", "dev", "th", 2490),
        ("pair", "nli/pawsx", "dev", "fr", 500),
        ("pair", "glue/qnli", "dev", "en", 1000),
        ("ner", "ner/panx", "dev", "zh", 800),
        ("ner", "ner/wikineural", "val", "en", 700),
        ("pos", "pos/udpos", "dev", "ja", 200),
        ("qa", "qa/mlqa", "dev", "context-de-question-en", 512),
    ],
)
def test_published_files_read_whole(
    shared_data: Path, task: str, folder: str, split: str, language: str, num_examples: int
) -> None:
    row = find_task(task)
    files = find_files(row, shared_data / folder, split=split, languages=[language])
    assert len(row.read(files[language])) == num_examples


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 100_000, "file.json:7: JSON that cannot be read: maximum recursion depth"),
        ("[" + "1" * 5000 + "]", "file.json:7: JSON that cannot be read: Exceeds the limit"),
        ('["a",\n"\\ud83d"]', r"file.json:8: \ud83d is half of a character"),
        ('["a",\n\n"b\\uDE00"]', r"file.json:9: \uDE00 is half of a character"),
    ],
)
def test_json_that_no_text_is_made_of_is_one_line(text: str, says: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_json(Path("file.json"), text, first_line=7)
    assert str(caught.value).startswith(says)


def test_characters_beyond_the_first_plane_are_read_from_their_halves() -> None:
    assert parse_json(Path("file.json"), r'["\ud83d\ude00", "\\ud83d"]') == ["\U0001f600", r"\ud83d"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=40)
@given(
    before=st.lists(VALUES, max_size=3), key=st.text(max_size=6), others=st.dictionaries(st.text(max_size=6), VALUES)
)
def test_a_part_of_json_is_found_by_the_way_to_it(before: list[Any], key: str, others: dict[str, Any]) -> None:
    others.pop(key, None)
    text = "\n " + json.dumps([*before, {**others, key: [*before, "\0here"]}], indent=1)
    steps = (len(before), key, len(before))
    assert line_at(text, steps) == text[: text.index('"\\u0000here"')].count("\n") + 1
