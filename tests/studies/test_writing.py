"""Text that a study writes: the same documents are kept from all cells at any size, and mixed text keeps its length."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from isogloss.corpus import Corpus
from isogloss.studies.writing import CHARACTERS, change_documents, split_documents

WriteCorpus = Callable[..., Path]
TEXTS = {code: [f"{code} {number}. And more." for number in range(300)] for code in ("en", "sw")}


def documents(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").strip().split("\n\n")


def test_a_split_keeps_the_same_documents_back_however_much_text_there_is(
    write_corpus: WriteCorpus, tmp_path: Path
) -> None:
    held = {}
    for number in (100, 300):
        some = {code: texts[:number] for code, texts in TEXTS.items()}
        corpus = Corpus.open(write_corpus(tmp_path / f"corpus-{number}", some))
        split_documents(corpus, tmp_path / f"split-{number}", ["en", "sw"], parts=("train", "held"))
        train, held[number] = (documents(tmp_path / f"split-{number}" / part / "en.txt") for part in ("train", "held"))
        assert sorted(train + held[number]) == sorted(some["en"])
        assert 0 < len(held[number]) < number / 5
    assert set(held[100]) == set(held[300]) & set(TEXTS["en"][:100])


def test_a_language_of_one_document_is_not_split(write_corpus: WriteCorpus, tmp_path: Path) -> None:
    corpus = Corpus.open(write_corpus(tmp_path / "corpus", {"en": ["Alone."]}))
    split_documents(corpus, tmp_path / "split", ["en"], parts=("train", "held"))
    assert documents(tmp_path / "split" / "train" / "en.txt") == ["Alone."]
    assert not (tmp_path / "split" / "held" / "en.txt").exists()


def test_mixed_documents_have_sentences_of_other_languages_in_their_places(
    write_corpus: WriteCorpus, tmp_path: Path
) -> None:
    corpus = Corpus.open(write_corpus(tmp_path / "corpus", TEXTS))
    change_documents(corpus, tmp_path / "mixed", ["en", "sw"], transform="mixed", mixed_share=0.5)
    found = documents(tmp_path / "mixed" / "text" / "en.txt")
    assert len(found) == 300
    lines = [line for document in found for line in document.splitlines()]
    assert len(lines) == 600
    assert 100 < sum(line.startswith("sw") for line in lines) < 200


def test_cut_documents_say_how_much_longer_they_are(write_corpus: WriteCorpus, tmp_path: Path) -> None:
    corpus = Corpus.open(write_corpus(tmp_path / "corpus", TEXTS))
    change_documents(corpus, tmp_path / "cut", ["sw"], transform="words", mixed_share=0.0)
    before, after = json.loads((tmp_path / "cut" / CHARACTERS).read_text(encoding="utf-8"))["sw"]
    text = (tmp_path / "cut" / "text" / "sw.txt").read_text(encoding="utf-8")
    assert before == sum(map(len, TEXTS["sw"]))
    assert after == len(text) - 2 * 299 - 1 > before
