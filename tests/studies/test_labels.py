"""Labelled files as BPE's text was cut: what is tagged stays a word, and what is asked stays beside its label."""

from __future__ import annotations

from pathlib import Path

import pytest

from isogloss.errors import ConfigError
from isogloss.studies.labels import cut_labels, write_labels
from isogloss.studies.words import plain, words


def cut(tmp_path: Path, name: str, text: str, task: str) -> str:
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "from" / name).write_text(text, encoding="utf-8")
    cut_labels(tmp_path / "from", tmp_path / "to", task)
    return (tmp_path / "to" / name).read_text(encoding="utf-8")


def test_tagged_words_are_as_the_text_and_stay_as_many(tmp_path: Path) -> None:
    given = "Orléans\tB-LOC\n's\tO\n北京\tB-LOC\n\u0301\tO\n\nCafé\u2028au\tO\n"
    assert cut(tmp_path, "dev.fr.tsv", given, "panx") == (
        "orleans\tB-LOC\n's\tO\n北京\tB-LOC\n\u0301\tO\n\ncafe\u2028au\tO\n"
    )


def test_two_texts_are_cut_and_their_label_is_not(tmp_path: Path) -> None:
    given = "Él, no.\t¿Sí?\tNeutral\n"
    assert cut(tmp_path, "dev.es.tsv", given, "xnli") == "el , no .\t¿ si ?\tNeutral\n"


@pytest.mark.parametrize("task", ["mlqa", "xcopa"])
def test_what_cannot_be_cut_is_refused(tmp_path: Path, task: str) -> None:
    with pytest.raises(ConfigError, match=f"words .*{task}"):
        cut_labels(tmp_path, tmp_path, task)


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
