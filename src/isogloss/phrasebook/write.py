"""The phrasebook as files: text for the corpus room, labelled files in the usual forms for the task rooms.

    text/LANG.txt                 one document a line, a blank line between documents
    nli/train.en.tsv …            premise TAB hypothesis TAB label
    ner/train.en.tsv …            token TAB tag, a blank line between sentences
    qa/train.en.json …            SQuAD v1.1

and, when asked for, sentences with their translations, ``phrasebook.en-sw.en`` beside ``phrasebook.en-sw.sw``.

Train and dev files are in the source language, test files in every language. Test items and dev items are made of
clauses that occur in no document; dev and test differ in their seed.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from pydantic import Field, field_validator, model_validator
from rich.console import Console
from rich.progress import track

from isogloss.children import end_with_parent
from isogloss.config import Settings
from isogloss.phrasebook.grammar import LANGUAGES
from isogloss.phrasebook.labelled import Question, TaggedSentence, questions, tagged_sentences
from isogloss.phrasebook.pairs import Pair, pairs
from isogloss.phrasebook.text import documents, parallel_sentences

__all__ = ["PhrasebookSettings", "write_labelled", "write_parallel", "write_phrasebook", "write_text"]

Job = Callable[[], None]

# Seeds of the parts of a labelled set, added to the phrasebook's own.
PARTS = {"train": 0, "dev": 1, "test": 2}


class PhrasebookSettings(Settings):
    """How much of the phrasebook to write."""

    languages: tuple[str, ...] = Field(("en", "ru", "el", "hi", "sw"), description="Languages, the source among them")
    source: str = Field("en", description="The language of training labels")
    num_documents: int = Field(5000, ge=1, description="Documents a language")
    emoji_share: float = Field(
        1.0, ge=0, le=1, description="share of documents with emoji among the words, tokens all languages share"
    )
    num_pairs: int = Field(20000, ge=3, description="NLI training pairs")
    num_tagged: int = Field(3000, ge=1, description="Training sentences with entities")
    num_questions: int = Field(6000, ge=1, description="Training questions")
    num_test: int = Field(600, ge=3, description="Test items a language and task; dev has half as many")
    seed: int = Field(1, description="Everything drawn depends on it alone")

    @field_validator("languages")
    @classmethod
    def _spoken(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [language for language in languages if language not in LANGUAGES]
        if unknown:
            raise ValueError(f"the phrasebook does not speak {', '.join(unknown)}; it speaks {', '.join(LANGUAGES)}")
        return languages

    @model_validator(mode="after")
    def _taught(self) -> PhrasebookSettings:
        if self.source not in self.languages:
            spoken = ", ".join(self.languages)
            raise ValueError(
                f"source: '{self.source}' is not among the languages {spoken}; add it to phrasebook.languages"
            )
        return self


def write_phrasebook(folder: Path, settings: PhrasebookSettings) -> None:
    """Write everything: ``folder/text``, ``folder/nli``, ``folder/ner`` and ``folder/qa``."""
    _run([*_labelled_jobs(folder, settings), *_text_jobs(folder / "text", settings)])


def write_text(folder: Path, settings: PhrasebookSettings) -> None:
    """Write LANG.txt for every language."""
    _run(_text_jobs(folder, settings))


def write_labelled(folder: Path, settings: PhrasebookSettings) -> None:
    """Write the nli, ner and qa folders."""
    _run(_labelled_jobs(folder, settings))


def write_parallel(folder: Path, languages: tuple[str, str], num_sentences: int, *, seed: int) -> None:
    """Write sentences and their translations line by line, as ``isogloss shards parallel=FOLDER`` reads them.

    None is of a clause that tests are made of.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sides = zip(*parallel_sentences(list(languages), num_sentences, seed=seed, held_out=False), strict=True)
    for code, sentences in zip(languages, sides, strict=True):
        path = folder / f"phrasebook.{'-'.join(languages)}.{code}"
        path.write_text("".join(f"{sentence}\n" for sentence in sentences), encoding="utf-8")


def _text_jobs(folder: Path, settings: PhrasebookSettings) -> list[Job]:
    return [partial(_write_documents, folder, language, settings) for language in settings.languages]


def _labelled_jobs(folder: Path, settings: PhrasebookSettings) -> list[Job]:
    """The longest first, so that the others fit around it."""
    sizes = {"nli": settings.num_pairs, "qa": settings.num_questions, "ner": settings.num_tagged}
    return [
        partial(_write_part, folder / task, task, part, language, size, settings)
        for task, num_train in sizes.items()
        for part, size in (("train", num_train), ("dev", settings.num_test // 2), ("test", settings.num_test))
        for language in (settings.languages if part == "test" else [settings.source])
    ]


def _run(jobs: Sequence[Job]) -> None:
    """Two files at a time; each is drawn from its own seed, so the order they are written in does not matter."""
    # spawn: a forked child would inherit the threads and locks of whatever the parent has loaded.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(2, len(jobs)), fresh, end_with_parent) as pool:
        ended = as_completed([pool.submit(job) for job in jobs])
        quiet = not sys.stderr.isatty()
        for done in track(ended, "files", total=len(jobs), console=Console(stderr=True), disable=quiet):
            done.result()


def _write_documents(folder: Path, language: str, settings: PhrasebookSettings) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    drawn = documents(language, settings.num_documents, seed=settings.seed, emoji_share=settings.emoji_share)
    text = "\n\n".join(drawn)
    (folder / f"{language}.txt").write_text(text + "\n", encoding="utf-8")


def _write_part(folder: Path, task: str, part: str, language: str, size: int, settings: PhrasebookSettings) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    seed = settings.seed * len(PARTS) + PARTS[part]
    held_out = part != "train"
    if task == "nli":
        text = _nli(pairs(language, size, seed=seed, held_out=held_out))
    elif task == "ner":
        text = _ner(tagged_sentences(language, size, seed=seed, held_out=held_out))
    else:
        text = _qa(questions(language, size, seed=seed, held_out=held_out))
    name = f"{part}.{language}.{'json' if task == 'qa' else 'tsv'}"
    (folder / name).write_text(text, encoding="utf-8")


def _nli(items: Iterable[Pair]) -> str:
    return "".join(f"{pair.premise}\t{pair.hypothesis}\t{pair.label}\n" for pair in items)


def _ner(items: Iterable[TaggedSentence]) -> str:
    sentences = ["".join(f"{word}\t{tag}\n" for word, tag in zip(s.words, s.tags, strict=True)) for s in items]
    return "\n".join(sentences)


def _qa(items: Iterable[Question]) -> str:
    paragraphs: Sequence[object] = [
        {
            "context": item.context,
            "qas": [
                {
                    "id": str(number),
                    "question": item.question,
                    "answers": [{"text": item.answer, "answer_start": item.start}],
                }
            ],
        }
        for number, item in enumerate(items)
    ]
    return json.dumps(
        {"version": "1.1", "data": [{"title": "phrasebook", "paragraphs": paragraphs}]}, ensure_ascii=False
    )
