"""Labelled files as BPE's text was cut: what is tagged stays a word, and what is asked stays beside its label."""

from __future__ import annotations

from pathlib import Path

import pytest

from isogloss.errors import ConfigError, DataError
from isogloss.languages import canonical_code
from isogloss.studies.labels import cut_labels, write_labels
from isogloss.studies.words import plain, words
from isogloss.tasks import find_task

LANGUAGES = [canonical_code(code) for code in find_task("xnli").languages]


def cut(tmp_path: Path, name: str, text: str, task: str, *, split: str = "dev") -> dict[str, str]:
    """The files that come of one file."""
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "from" / name).write_text(text, encoding="utf-8")
    cut_labels(tmp_path / "from", tmp_path / "to", task, split=split, languages=LANGUAGES)
    return {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "to").iterdir()}


def test_tagged_words_are_as_the_text_and_stay_as_many(tmp_path: Path) -> None:
    given = "Orléans\tB-LOC\n's\tO\n北京\tB-LOC\n\u0301\tO\n\nCafé\u2028au\tO\n"
    expected = "orleans\tB-LOC\n's\tO\n北京\tB-LOC\n\u0301\tO\n\ncafe\u2028au\tO\n\n"
    assert cut(tmp_path, "dev.fr.tsv", given, "panx") == {"dev.fr.tsv": expected}


def test_two_texts_are_cut_and_their_label_is_not(tmp_path: Path) -> None:
    given = "Él, no.\t¿Sí?\tneutral\n"
    assert cut(tmp_path, "dev.es.tsv", given, "xnli") == {"dev.es.tsv": "el , no .\t¿ si ?\tneutral\n"}


def test_published_files_are_cut_too(tmp_path: Path) -> None:
    languages = find_task("xnli").languages
    given = "language\tgold_label\tsentence1\tsentence2\n"
    given += "".join(f"{code}\tneutral\tÉl, {code}.\t¿Sí?\n" for code in languages)
    expected = {f"dev.{code}.tsv": f"el , {code} .\t¿ si ?\tneutral\n" for code in languages}
    assert cut(tmp_path, "xnli.dev.tsv", given, "xnli") == expected


def test_treebanks_are_cut_too(tmp_path: Path) -> None:
    rows = (("1", "Él", "él", "PRON"), ("2", "Corre", "correr", "VERB"))
    given = "".join("\t".join([*row, *"______"]) + "\n" for row in rows) + "\n"
    assert cut(tmp_path, "es_gsd-ud-dev.conllu", given, "udpos") == {"dev.es.tsv": "el\tPRON\ncorre\tVERB\n\n"}


def test_sentences_stay_beside_their_translations(tmp_path: Path) -> None:
    given = "Él, no.\tNot him.\n"
    assert cut(tmp_path, "test.es-en.tsv", given, "tatoeba", split="test") == {
        "test.es-en.tsv": "el , no .\tnot him .\n"
    }


def test_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no file dev\.LANGUAGE\.tsv"):
        cut_labels(tmp_path, tmp_path, "xnli", split="dev", languages=["en"])


def test_a_split_of_another_name_is_cut_and_a_language_that_nobody_asks_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "dev.yo.tsv").write_text("broken", encoding="utf-8")
    (tmp_path / "from" / "hard.en.tsv").write_text("No.\tYes.\tneutral\n", encoding="utf-8")
    cut_labels(tmp_path / "from", tmp_path, "xnli", split="hard", languages=["en"])
    assert [path.name for path in tmp_path.glob("*.tsv")] == ["hard.en.tsv"]


@pytest.mark.parametrize("task", ["mlqa", "xcopa"])
def test_what_cannot_be_cut_is_refused(tmp_path: Path, task: str) -> None:
    with pytest.raises(ConfigError, match=f"words .*{task}"):
        cut_labels(tmp_path, tmp_path, task, split="dev", languages=["en"])


@pytest.mark.parametrize("text", ["Ça va? Très bien.", "İstanbul'da", "हिन्दी भाषा", "ΌΧΙ"])
def test_a_plain_word_is_what_cutting_would_leave_of_it(text: str) -> None:
    assert words(text).replace(" ", "") == plain(text).replace(" ", "")


def test_retrieval_asks_for_no_sentence_that_could_be_learned(tmp_path: Path) -> None:
    """Translations to learn from are of other clauses than those that are looked for."""
    from isogloss.phrasebook import parallel_sentences

    write_labels(tmp_path, "retrieval", ("en", "sw"), {"num_test": 60})
    asked = {line.split("\t")[1] for line in (tmp_path / "test.sw-en.tsv").read_text(encoding="utf-8").splitlines()}
    learned = {english for (english,) in parallel_sentences(["en"], 3000, seed=1, held_out=False)}
    assert len(asked) > 30
    assert not asked & learned
    # Without the rule they would meet.
    assert asked & {english for (english,) in parallel_sentences(["en"], 20_000, seed=1)}
