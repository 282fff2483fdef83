"""Text that a study writes itself: documents kept from all cells, documents changed, and sentences with translations.

split_documents(corpus, Path("stages/split-…"), ["en", "sw"])        # train/en.txt and held-out/en.txt
change_documents(corpus, Path("stages/changed-…"), ["en", "sw"], transform="mixed", mixed_share=0.3)
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
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
    limit = HELD_OUT_SHARE * 2**64
    for part in parts:
        (folder / part).mkdir(parents=True, exist_ok=True)
    for code in languages:
        if code not in corpus.languages:
            continue
        train, held = (folder / part / f"{code}.txt" for part in parts)
        with _Writer(train) as into_train, _Writer(held) as into_held:
            for text in corpus.documents(code):
                is_held = xxhash.xxh3_64(text.encode("utf-8", "replace")).intdigest() < limit
                (into_held if is_held else into_train).write(text)
        if not into_train.num_documents:
            held.replace(train)
        elif not into_held.num_documents:
            held.unlink()


def change_documents(
    corpus: Corpus, folder: Path, languages: Sequence[str], *, transform: str, mixed_share: float
) -> None:
    """Write the documents of a corpus changed into ``folder/text``, and how many characters they had and have."""
    (folder / "text").mkdir(parents=True, exist_ok=True)
    there = [code for code in languages if code in corpus.languages]
    lines = {code: _lines(corpus, code) for code in there} if transform == "mixed" else {}
    characters: dict[str, list[int]] = {}
    for code in there:
        others = {other: found for other, found in lines.items() if other != code}
        before = after = 0
        with _Writer(folder / "text" / f"{code}.txt") as writer:
            for number, text in enumerate(corpus.documents(code)):
                if transform == "mixed":
                    changed = _mixed(text, random.Random(f"mixed/{code}/{number}"), others, mixed_share)
                else:
                    changed = words(text)
                writer.write(changed)
                before, after = before + len(text), after + len(changed)
        characters[code] = [before, after]
    write_json(folder / CHARACTERS, characters)


def write_translations(folder: Path, languages: Sequence[str], source: str, *, num_sentences: int, seed: int) -> None:
    """The phrasebook's sentences in ``source`` and each other language."""
    for code in languages:
        if code != source:
            write_parallel(folder, (source, code.split("-")[0]), num_sentences, seed=seed)


def _mixed(text: str, rng: random.Random, others: dict[str, list[str]], share: float) -> str:
    """A document some of whose sentences are in another language."""
    sentences = _sentences(text)
    for place in range(len(sentences)):
        if others and rng.random() < share:
            sentences[place] = rng.choice(others[rng.choice(sorted(others))])
    return "\n".join(sentences)


def _sentences(text: str) -> list[str]:
    """Lines; a text of one line is cut behind its sentences, so that there is something to change."""
    lines = text.split("\n") if "\n" in text else _BEHIND_A_SENTENCE.split(text)
    return [line for line in lines if line.strip()]


def _lines(corpus: Corpus, code: str) -> list[str]:
    sentences = (sentence for text in corpus.documents(code) for sentence in _sentences(text))
    return list(islice(sentences, MOST_SENTENCES))


class _Writer:
    """Documents, one after another, into a text file: a blank line ends each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.num_documents = 0

    def __enter__(self) -> _Writer:
        self._file = self._path.open("w", encoding="utf-8", newline="\n")
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def write(self, text: str) -> None:
        """Write one; a blank line within it is left out."""
        lines = "\n".join(line for line in text.split("\n") if line.strip())
        self._file.write(f"{lines}\n" if not self.num_documents else f"\n{lines}\n")
        self.num_documents += 1
