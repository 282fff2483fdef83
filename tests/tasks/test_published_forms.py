"""Sets as they were published: names of files, headers, columns; sentences here are our own."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from isogloss.errors import DataError
from isogloss.tasks import (
    CATALOGUE,
    ChoiceExample,
    PairExample,
    QuestionExample,
    RatedExample,
    TaggedExample,
    TextExample,
    find_files,
    find_task,
    gold_labels,
    is_labelled,
)

XNLI_HEADER = "language\tgold_label\tsentence1_binary_parse\tsentence1\tsentence2\tpromptID"
STSB_HEADER = "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore"
CONLLU = """# sent_id = 1
1-2\tdello\t_\t_\t_\t_\t_\t_\t_\t_
1\tdi\tdi\tADP\tE\t_\t0\troot\t_\t_
2\tlo\til\tDET\tRD\t_\t1\tdet\t_\t_
2.1\tmangia\t_\tVERB\t_\t_\t_\t_\t_\t_

"""


def squad(*ids: str) -> str:
    qas = [{"id": name, "question": "?", "answers": [{"text": "moja", "answer_start": 0}]} for name in ids]
    return json.dumps({"data": [{"paragraphs": [{"context": "moja mbili", "qas": qas}]}]})


def xcopa(label: int) -> str:
    values = {"premise": "p", "choice1": "a", "choice2": "b", "question": "cause", "label": label, "idx": 0}
    return json.dumps({**values, "changed": False}) + "\n"


PAIR, QUESTION = ("a b", "c"), QuestionExample("q", "?", "moja mbili", ())
# task, files, split, language, first example; of several languages in one file the others are read elsewhere.
FORMS: list[tuple[str, Mapping[str, str], str, str, Any]] = [
    ("xnli", {"xnli.dev.tsv": f"{XNLI_HEADER}\nen\tneutral\tx\tx\tx\t1\nsw\tcontradiction\tx\ta b\tc\t1\n"},
     "dev", "sw", TextExample(PAIR, "contradiction")),
    ("xnli", {"xnli.dev.jsonl": "".join(
        json.dumps({"language": code, "gold_label": "neutral", "sentence1": "a b", "sentence2": "c"}) + "\n"
        for code in ("en", "sw"))}, "dev", "sw", TextExample(PAIR, "neutral")),
    ("xnli", {"multinli/multinli.train.sw.tsv": "premise\thypo\tlabel\na b\tc\tcontradictory\n"}, "train", "sw",
     TextExample(PAIR, "contradiction")),
    ("pawsx", {"de/dev_2k.tsv": "id\tsentence1\tsentence2\tlabel\n1\ta b\tc\t0\n"}, "dev", "de",
     TextExample(PAIR, "0")),
    ("pawsx", {"de/translated_train.tsv": "id\tsentence1\tsentence2\tlabel\n1\ta b\tc\t1\n"}, "train", "de",
     TextExample(PAIR, "1")),
    ("xcopa", {"sw/val.sw.jsonl": xcopa(1)}, "dev", "sw", ChoiceExample("p", "cause", ("a", "b"), "1")),
    ("mnli", {"MNLI/dev_matched.tsv": "index\tsentence1\tsentence2\tlabel1\tgold_label\n0\ta b\tc\tx\tneutral\n"},
     "dev", "en", TextExample(PAIR, "neutral")),
    ("mnli-mm", {"dev_mismatched.tsv": "index\tsentence1\tsentence2\tgold_label\n0\ta b\tc\tentailment\n"},
     "dev", "en", TextExample(PAIR, "entailment")),
    ("qnli", {"dev.tsv": "index\tquestion\tsentence\tlabel\n0\ta b\tc\tnot_entailment\n"}, "dev", "en",
     TextExample(PAIR, "not_entailment")),
    ("rte", {"RTE/train.tsv": "index\tsentence1\tsentence2\tlabel\n0\ta b\tc\tentailment\n"}, "train", "en",
     TextExample(PAIR, "entailment")),
    ("qqp", {"dev.tsv": "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n0\t1\t2\ta b\tc\t1\n"}, "dev", "en",
     TextExample(PAIR, "1")),
    ("mrpc", {"dev.tsv": "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t5\t6\ta b\tc\n"}, "dev", "en",
     TextExample(PAIR, "1")),
    ("mrpc", {"msr_paraphrase_train.txt": "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t5\t6\ta b\t\"c\n"}, "train",
     "en", TextExample(("a b", '"c'), "0")),
    ("sst-2", {"SST-2/dev.tsv": "sentence\tlabel\na b\t1\n"}, "dev", "en", TextExample(("a b",), "1")),
    ("cola", {"dev.tsv": "gj04\t0\t*\ta b\ngj04\t1\t\tc\n"}, "dev", "en", TextExample(("a b",), "0")),
    ("sts-b", {"dev.tsv": f"{STSB_HEADER}\n0\tnews\tf\t2012\t1\tnone\tnone\ta b\tc\t3.800\n"}, "dev", "en",
     RatedExample(PAIR, 3.8)),
    ("conll", {"ned.testa": "-DOCSTART- -DOCSTART- O\nAnna N B-PER\nslaapt V O\n\n"}, "dev", "nl",
     TaggedExample(("Anna", "slaapt"), ("B-PER", "O"))),
    ("conll", {"esp.testb": "Anna B-PER\nduerme O\n\n"}, "test", "es",
     TaggedExample(("Anna", "duerme"), ("B-PER", "O"))),
    ("conll", {"eng.train": "-DOCSTART- -X- O O\n\nAnna NNP I-NP I-PER\nBo NNP I-NP I-PER\n"}, "train", "en",
     TaggedExample(("Anna", "Bo"), ("B-PER", "I-PER"))),
    ("conll", {"deu.testa": "Anna Anna NE I-NC I-PER\n"}, "dev", "de", TaggedExample(("Anna",), ("B-PER",))),
    ("panx", {"sw/dev": "sw:Anna\tB-PER\nsw:10:30\tO\n\n"}, "dev", "sw",
     TaggedExample(("Anna", "10:30"), ("B-PER", "O"))),
    ("masakhaner", {"data/swa/dev.txt": "Anna B-PER\nJumatatu B-DATE\n"}, "dev", "sw",
     TaggedExample(("Anna", "Jumatatu"), ("B-PER", "B-DATE"))),
    ("udpos", {"UD_Italian-X/it_x-ud-dev.conllu": CONLLU}, "dev", "it", TaggedExample(("di", "lo"), ("ADP", "DET"))),
    ("squad", {"dev-v1.1.json": squad("q")}, "dev", "en", "q"),
    ("mlqa", {"dev/dev-context-de-question-en.json": squad("q")}, "dev", "context-de-question-en", "q"),
    ("mlqa", {"test-context-de-question-de.json": squad("q")}, "test", "de", "q"),
    ("xquad", {"xquad.th.json": squad("q")}, "test", "th", "q"),
    ("tydiqa-goldp", {"tydiqa-goldp-v1.1-dev.json": squad("english-1", "swahili-2")}, "dev", "sw", "swahili-2"),
    ("tydiqa-goldp", {"tydiqa-goldp-dev-swahili.json": squad("swahili-1")}, "dev", "sw", "swahili-1"),
    ("tatoeba", {"tatoeba.swh-eng.swh": "moja\nmbili\n", "tatoeba.swh-eng.eng": "one\ntwo\n"}, "test", "sw",
     PairExample("moja", "one")),
]  # fmt: skip


def lay_out(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


@pytest.mark.parametrize(("task", "files", "split", "language", "first"), FORMS)
def test_a_published_set_is_read_as_it_lies(
    tmp_path: Path, task: str, files: Mapping[str, str], split: str, language: str, first: Any
) -> None:
    lay_out(tmp_path, files)
    found = find_files(find_task(task), tmp_path, split=split, languages=[language])
    assert list(found) == [language]
    examples = find_task(task).read(found[language], language=language)
    assert (examples[0].id if isinstance(first, str) else examples[0]) == first  # type: ignore[union-attr]
    assert language in find_files(find_task(task), tmp_path, split=split), "also among all there are"
    assert len(examples) == (1 if task not in ("cola", "tatoeba") else 2)


def test_a_third_column_may_be_a_prediction(tmp_path: Path) -> None:
    path = tmp_path / "ned.testa"
    path.write_text("Anna N B-PER\n")
    for task in ("ner", "panx", "masakhaner", "pos"):
        with pytest.raises(DataError, match="3 columns"):
            find_task(task).read(path)
    path.write_text("slaapt O O\nAnna B-PER O\n\n")
    with pytest.raises(DataError, match=r"ned\.testa:1: two columns of entity tags"):
        find_task("conll").read(path)


@pytest.mark.parametrize(
    ("name", "line", "word"), [("esp.testa", "Añoso NC B-PER", "Añoso"), ("deu.testa", "Für f X O O", "Für")]
)
def test_conll_in_iso_8859_1_is_read_as_it_was_published_and_said(
    tmp_path: Path, name: str, line: str, word: str
) -> None:
    path = tmp_path / name
    path.write_bytes(f"{line.replace(word, 'a')}\n{line}\n".encode("latin-1"))
    said: list[str] = []
    (sentence,) = find_task("conll").read(path, tell=said.append)
    assert sentence.words == ("a", word)  # type: ignore[union-attr]
    (about,) = [one for one in said if "ISO-8859-1" in one]
    assert about.startswith(f"{path}:2: byte ")
    path.write_bytes(path.read_bytes().decode("latin-1").encode())
    said.clear()
    (again,) = find_task("conll").read(path, tell=said.append)
    assert (again, [one for one in said if "ISO" in one]) == (sentence, [])
    path.write_bytes("Für O\n".encode("latin-1"))
    with pytest.raises(DataError, match=r":1: byte 1 is not UTF-8"):
        find_task("ner").read(path)


def test_every_benchmark_is_a_row_with_its_source() -> None:
    forms = {"nli", "pair", "text", "ner", "pos", "qa"}
    assert {name for name, task in CATALOGUE.items() if not task.source} == forms
    for task in CATALOGUE.values():
        assert (task.source == "") == (not task.files), task.name
        assert task.about or task.source, task.name


@pytest.mark.parametrize("task", ["qqp", "mrpc", "cola", "sst-2", "sts-b", "rte", "xnli"])
def test_a_test_set_without_labels_is_read_where_that_is_allowed(tmp_path: Path, task: str) -> None:
    headers = {
        "qqp": "id\tquestion1\tquestion2", "mrpc": "index\t#1 ID\t#2 ID\t#1 String\t#2 String",
        "cola": "index\tsentence", "sst-2": "index\tsentence", "sts-b": "index\tsentence1\tsentence2",
        "rte": "index\tsentence1\tsentence2", "xnli": "language\tsentence1\tsentence2",
    }  # fmt: skip
    path = tmp_path / "test.tsv"
    rows = [["en" if name == "language" else text for name in headers[task].split("\t")] for text in "xy"]
    path.write_text("\n".join([headers[task], *map("\t".join, rows)]))
    examples = find_task(task).read(path, language="en", unlabelled=True)
    assert len(examples) == 2
    with pytest.raises(DataError, match=r"test\.tsv:2: no label"):
        find_task(task).read(path, language="en")


def test_some_labels_are_neither_a_test_set_nor_a_labelled_one(tmp_path: Path) -> None:
    path = tmp_path / "test.en.tsv"
    for text, line in (("a\tb\na\tb\tneutral\n", 2), ("a\tb\tneutral\na\tb\tneutral\na\tb\n", 3)):
        path.write_text(text)
        with pytest.raises(DataError, match=rf"test\.en\.tsv:{line}: "):
            find_task("nli").read(path, unlabelled=True)
    path.write_text("Anna\nlala\n\nBo\n")
    tagged = find_task("pos").read(path, unlabelled=True)
    assert tagged == [TaggedExample(("Anna", "lala"), ()), TaggedExample(("Bo",), ())]
    document = json.loads(squad("q1", "q2"))
    del document["data"][0]["paragraphs"][0]["qas"][1]["answers"]
    (tmp_path / "test.en.json").write_text(json.dumps(document, indent=1))
    with pytest.raises(DataError, match="question 'q2': no answers, where others have some"):
        find_task("qa").read(tmp_path / "test.en.json", unlabelled=True)


@pytest.mark.parametrize(
    ("task", "name", "text", "says"),
    [
        ("rte", "dev.tsv", "index\tsentence1\tlabel\n0\ta\tentailment\n", "dev.tsv:1: no column 'sentence2'"),
        ("rte", "dev.tsv", "index\tsentence1\tsentence2\tlabel\n0\ta\tb\n", "dev.tsv:2: 3 columns, the header has 4"),
        ("sts-b", "dev.tsv", "a\tb\tgood\n", "dev.tsv:1: 'good' is no number"),
        ("sts-b", "dev.tsv", "a\tb\tnan\n", "dev.tsv:1: 'nan' is no number"),
        ("xcopa", "val.jsonl", '{"premise": "p"}\n', "val.jsonl:1: no 'question'"),
        ("xcopa", "val.jsonl", xcopa(0) + "{\n", "val.jsonl:2: not valid JSON"),
        ("xcopa", "val.jsonl", xcopa(0) + "\n", "val.jsonl:2: "),
        ("xcopa", "val.jsonl", xcopa(2), "val.jsonl:1: unknown label '2'; known are 0, 1"),
        ("xcopa", "val.jsonl", '{"premise": "p", "premise": "q"}\n', "val.jsonl:1: 'premise' stands twice"),
        ("udpos", "x.conllu", "1\tdi\tADP\n", "x.conllu:1: '1\\tdi\\tADP' is no line of CoNLL-U"),
        ("udpos", "x.conllu", CONLLU.replace("ADP", "_"), "x.conllu:3: no tag in 'di'"),
        ("xnli", "dev.tsv", f"{XNLI_HEADER}\nen\tneutral\tx\tx\tx\t1\n", "no row in language 'sw'; it has en"),
        ("tatoeba", "tatoeba.swh-eng.swh", "a\nb\n", "tatoeba.swh-eng.eng cannot be read"),
    ],
)  # fmt: skip
def test_what_a_published_form_lacks_is_named(tmp_path: Path, task: str, name: str, text: str, says: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError) as caught:
        find_task(task).read(tmp_path / name, language="sw")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("task", "name", "first", "second"),
    [
        ("pawsx", "dev.tsv", "id\tsentence1\tsentence2\tlabel", "7\ta b\tc\t0"),
        ("rte", "dev.tsv", "index\tsentence1\tsentence2\tlabel", "7\ta b\tc\tentailment"),
        ("mnli", "dev.tsv", "index\tsentence1\tsentence2\tgold_label", "7\ta b\tc\tneutral"),
        ("sts-b", "dev.tsv", "index\tsentence1\tsentence2\tscore", "7\ta b\tc\t3"),
        ("xcopa", "val.jsonl", xcopa(1).strip(), xcopa(0).strip()),
    ],
)
def test_a_number_that_two_examples_have_is_named_with_its_line(
    tmp_path: Path, task: str, name: str, first: str, second: str
) -> None:
    path = tmp_path / name
    path.write_text(f"{first}\n{second}\n{second}\n" if name == "dev.tsv" else f"{first}\n{second}\n")
    line, earlier = (3, 2) if name == "dev.tsv" else (2, 1)
    with pytest.raises(DataError) as caught:
        find_task(task).read(path)
    own = "7" if name == "dev.tsv" else "0"
    assert str(caught.value).startswith(f"{path}:{line}: a second example with the id '{own}', as {path}:{earlier} has")


@pytest.mark.parametrize(
    ("task", "header", "row"),
    [
        ("xnli", "language\tgold_label\tsentence1\tsentence2\tpromptID\tpairID", "en\tneutral\ta\tb\t1\t1"),
        ("mnli", "promptID\tpairID\tsentence1\tsentence2\tgold_label", "1\t1e\ta\tb\tneutral"),
        ("qqp", "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate", "1\t2\t3\ta\tb\t0"),
        ("mrpc", "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String", "1\t2\t3\ta\tb"),
    ],
)
def test_what_several_rows_may_share_is_no_number_of_an_example(
    tmp_path: Path, task: str, header: str, row: str
) -> None:
    path = tmp_path / "dev.tsv"
    path.write_text(f"{header}\n{row}\n{row}\n")
    assert len(find_task(task).read(path, language="en")) == 2


@pytest.mark.parametrize("task", ["sts-b", "xcopa", "text", "rte"])
def test_minus_one_in_every_row_stands_for_no_label(tmp_path: Path, task: str) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    row = find_task(task)
    texts = {
        "sentence1": ["a", "b"], "sentence2": ["c", "d"], "text": ["e", "f"], "premise": ["g", "h"],
        "choice1": ["i", "j"], "choice2": ["k", "l"], "question": ["cause", "effect"],
    }  # fmt: skip
    number = float if task == "sts-b" else int
    pq.write_table(pa.table({**texts, "label": [number(-1), number(-1)]}), tmp_path / "test.parquet")
    examples = row.read(tmp_path / "test.parquet", unlabelled=True)
    assert [is_labelled(example) for example in examples] == [False, False]
    with pytest.raises(DataError, match=r"test\.parquet: row 1: the label is empty"):
        row.read(tmp_path / "test.parquet")
    # Beside others it is what it says.
    pq.write_table(pa.table({**texts, "label": [number(-1), number(1)]}), tmp_path / "dev.parquet")
    if task in ("sts-b", "text"):
        first = row.read(tmp_path / "dev.parquet", unlabelled=True)[0]
        assert gold_labels([first]) == [str(number(-1))]
    else:
        with pytest.raises(DataError, match=r"dev\.parquet: row 1: unknown label '-1'"):
            row.read(tmp_path / "dev.parquet", unlabelled=True)


def test_line_files_of_different_length_are_no_pairs(tmp_path: Path) -> None:
    lay_out(tmp_path, {"tatoeba.fra-eng.fra": "un\ndeux\ntrois\n", "tatoeba.fra-eng.eng": "one\n"})
    with pytest.raises(DataError, match=r"fra:2: no line beside it.*has 3.*1 lines"):
        find_task("tatoeba").read(tmp_path / "tatoeba.fra-eng.fra")


def test_another_number_than_published_is_said() -> None:
    xnli, conll = find_task("xnli"), find_task("conll")
    assert xnli.odd_number(2490, split="dev", language="sw") is None
    for split in ("dev", "val", "validation"):
        assert xnli.odd_number(2489, split=split, language="sw") == (
            f"xnli {split} in sw has 2,489 examples, the published one 2,490"
        )
    assert xnli.odd_number(10, split="dev", language="ja") is None
    assert xnli.odd_number(10, split="extra", language="sw") is None
    assert conll.odd_number(3251, split="dev", language="en") is None, "copies differ by document starts"
    for split in ("dev", "testa"):
        assert conll.odd_number(3260, split=split, language="en") is not None
    assert conll.odd_number(3453, split="testb", language="en") is None


def test_where_the_split_is_not_known_any_published_number_will_do() -> None:
    xnli = find_task("xnli")
    assert xnli.odd_number(2490, split="", language="sw") is None
    assert xnli.odd_number(5010, split="", language="sw") is None
    assert xnli.odd_number(500, split="", language="sw") == (
        "xnli in sw has 500 examples, published are dev 2,490, test 5,010"
    )


@pytest.mark.parametrize("metadata", [True, False])
def test_parquet_of_the_hub_is_read_with_the_names_of_its_classes(tmp_path: Path, metadata: bool) -> None:
    datasets = pytest.importorskip("datasets")
    names = ["entailment", "neutral", "contradiction"]
    label = datasets.ClassLabel(names=names) if metadata else datasets.Value("string")
    features = datasets.Features(
        {"premise": datasets.Value("string"), "hypothesis": datasets.Value("string"), "label": label}
    )
    rows = {"premise": ["a b", "d"], "hypothesis": ["c", "e"], "label": [2, 1] if metadata else names[:0:-1]}
    (tmp_path / "sw").mkdir()
    table = datasets.Dataset.from_dict(rows, features=features)
    table.to_parquet(str(tmp_path / "sw" / "validation-00000-of-00001.parquet"))
    found = find_files(find_task("xnli"), tmp_path, split="dev")
    assert list(found) == ["sw"]
    assert find_task("xnli").read(found["sw"], language="sw") == [
        TextExample(PAIR, "contradiction"),
        TextExample(("d", "e"), "neutral"),
    ]


def test_parquet_of_words_questions_and_no_labels(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    tags = datasets.Sequence(datasets.ClassLabel(names=["O", "B-PER"]))
    words = datasets.Sequence(datasets.Value("string"))
    path = tmp_path / "x.parquet"
    features = datasets.Features({"tokens": words, "ner_tags": tags})
    table = datasets.Dataset.from_dict({"tokens": [["Anna", "lala"]], "ner_tags": [[1, 0]]}, features=features)
    table.to_parquet(str(path))
    assert find_task("panx").read(path) == [TaggedExample(("Anna", "lala"), ("B-PER", "O"))]
    question = {"id": "q", "question": "?", "context": "moja mbili", "answers": {"text": ["moja"], "answer_start": [0]}}
    datasets.Dataset.from_list([question]).to_parquet(str(path))
    (read,) = find_task("qa").read(path)
    assert isinstance(read, QuestionExample)
    assert [(answer.text, answer.start) for answer in read.answers] == [("moja", 0)]
    features = datasets.Features({"sentence": datasets.Value("string"), "label": datasets.ClassLabel(names=["a", "b"])})
    datasets.Dataset.from_dict({"sentence": ["x"], "label": [-1]}, features=features).to_parquet(str(path))
    assert find_task("cola").read(path, unlabelled=True) == [TextExample(("x",), "")]
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"x\.parquet cannot be read as Parquet"):
        find_task("cola").read(path)


def test_words_of_ranges_have_no_tag_in_parquet_either(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    (tmp_path / "x.conllu").write_text(CONLLU)
    rows = {"tokens": [["dello", "di", "lo"], ["_"]], "upos": [["_", "ADP", "DET"], ["_"]]}
    pq.write_table(pa.table(rows), tmp_path / "x.parquet")
    udpos = find_task("udpos")
    assert udpos.read(tmp_path / "x.parquet") == udpos.read(tmp_path / "x.conllu")


def test_lines_that_were_published_broken_are_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "train.tsv"
    path.write_text("id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n0\t1\t2\ta b\tc\t1\n7\t1\t2\tcut\n\tc\t0\n")
    said: list[str] = []
    assert find_task("qqp").read(path, tell=said.append) == [TextExample(PAIR, "1")]
    assert said == [f"{path}:3: 2 lines have not the columns of the header, as published; left out"]
