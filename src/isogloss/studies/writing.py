"""Text that a study writes itself: documents kept from all cells, documents changed, and sentences with translations.

split_documents(corpus, Path("stages/split-…"), ["en", "sw"])        # train/en.txt and held-out/en.txt
change_documents(corpus, Path("stages/changed-…"), ["en", "sw"], transform="mixed", mixed_share=0.3)
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import xxhash

from isogloss.corpus import Corpus
from isogloss.manifest import write_json
from isogloss.phrasebook import write_parallel
from isogloss.studies.words import words

__all__ = ["CHARACTERS", "HELD_OUT_SHARE", "change_documents", "split_documents", "write_translations"]

# Documents with the smallest hashes: the same ones however much of the text a cell is given.
HELD_OUT_SHARE = 0.04
_BEHIND_A_SENTENCE = re.compile(r"(?<=[.!?\u0964\u06d4])\s+|(?<=\u3002)")
# Sentences that are put into documents of other languages.
MOST_SENTENCES = 20_000
# How many characters became how many, by language.
CHARACTERS = "characters.json"


def split_documents(corpus: Corpus, folder: Path, languages: Sequence[str], *, parts: tuple[str, str]) -> None:
    """Write every document into one of two ``parts`` of the folder; a language of too few stays whole in the first."""
    for part in parts:
        (folder / part).mkdir(parents=True, exist_ok=True)
    for code in languages:
        if code not in corpus.languages:
            continue
        texts = list(corpus.documents(code))
        limit = HELD_OUT_SHARE * 2**64
        is_held = [xxhash.xxh3_64(text.encode("utf-8", "replace")).intdigest() < limit for text in texts]
        if not any(is_held) or all(is_held):
            is_held = [False] * len(texts)
        for part, held in zip(parts, (False, True), strict=True):
            chosen = [text for text, is_one in zip(texts, is_held, strict=True) if is_one == held]
            if chosen:
                _write(folder / part / f"{code}.txt", chosen)


def change_documents(
    corpus: Corpus, folder: Path, languages: Sequence[str], *, transform: str, mixed_share: float
) -> None:
    """Write the documents of a corpus changed into ``folder/text``, and how many characters they had and have."""
    (folder / "text").mkdir(parents=True, exist_ok=True)
    there = [code for code in languages if code in corpus.languages]
    characters: dict[str, list[int]] = {}
    for code in there:
        texts = list(corpus.documents(code))
        if transform == "mixed":
            changed = _mixed(
                texts, code, {other: _lines(corpus, other) for other in there if other != code}, mixed_share
            )
        else:
            changed = [words(text) for text in texts]
        characters[code] = [sum(map(len, texts)), sum(map(len, changed))]
        _write(folder / "text" / f"{code}.txt", changed)
    write_json(folder / CHARACTERS, characters)


def write_translations(folder: Path, languages: Sequence[str], source: str, *, num_sentences: int, seed: int) -> None:
    """The phrasebook's sentences in ``source`` and each other language."""
    for code in languages:
        if code != source:
            write_parallel(folder, (source, code.split("-")[0]), num_sentences, seed=seed)


def _mixed(texts: Iterable[str], code: str, others: dict[str, list[str]], share: float) -> list[str]:
    """Documents some of whose sentences are in another language, one or two in a row."""
    found = []
    for number, text in enumerate(texts):
        rng = random.Random(f"mixed/{code}/{number}")
        sentences = _sentences(text)
        for place in range(len(sentences)):
            if others and rng.random() < share:
                sentences[place] = rng.choice(others[rng.choice(sorted(others))])
        found.append("\n".join(sentences))
    return found


def _sentences(text: str) -> list[str]:
    """Lines; a text of one line is cut behind its sentences, so that there is something to change."""
    lines = text.split("\n") if "\n" in text else _BEHIND_A_SENTENCE.split(text)
    return [line for line in lines if line.strip()]


def _lines(corpus: Corpus, code: str) -> list[str]:
    sentences = (sentence for text in corpus.documents(code) for sentence in _sentences(text))
    return list(islice(sentences, MOST_SENTENCES))


def _write(path: Path, documents: Sequence[str]) -> None:
    # A blank line ends a document.
    texts = ("\n".join(line for line in text.split("\n") if line.strip()) for text in documents)
    path.write_text("\n\n".join(texts) + "\n", encoding="utf-8")
