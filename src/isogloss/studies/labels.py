"""Labelled files of a study: the phrasebook's, with training files in every language, and texts cut before BPE.

write_labels(Path("stages/labels-…"), "nli", ("en", "sw"), {"num_pairs": 2000})
cut_labels(Path("xnli"), Path("stages/cut-labels-…"), "xnli", split="test", languages=("en", "sw"))
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from isogloss.config import make_settings
from isogloss.errors import ConfigError
from isogloss.languages import canonical_code
from isogloss.phrasebook import LANGUAGES, PhrasebookSettings, parallel_sentences, write_labelled
from isogloss.studies.words import plain, words
from isogloss.tasks import (
    Example,
    PairExample,
    TaggedExample,
    TextExample,
    data_language,
    find_files,
    find_task,
    splits_in,
)

__all__ = ["cut_labels", "form_of", "phrasebook_settings", "write_labels"]

# What a study calls a task → the form that the phrasebook's files of it have.
TASKS_OF_PHRASEBOOK = {"nli": "nli", "ner": "ner", "qa": "qa", "retrieval": "tatoeba"}
RETRIEVAL_SEED = 77


def phrasebook_settings(amounts: Mapping[str, Any], languages: Sequence[str], source: str) -> PhrasebookSettings:
    """The phrasebook's settings in some languages, called as it calls them."""
    own = {code.split("-")[0]: code for code in LANGUAGES}
    spoken = [own[code.split("-")[0]] for code in languages]
    return make_settings(
        PhrasebookSettings,
        {**amounts, "languages": spoken, "source": own[source.split("-")[0]]},
        where="phrasebook",
    )


def form_of(name: str) -> str | None:
    """The task of the catalogue whose form the phrasebook's files have, of what a study calls nli or nli-something."""
    return TASKS_OF_PHRASEBOOK.get(name.partition("-")[0])


def write_labels(folder: Path, task: str, languages: Sequence[str], amounts: Mapping[str, Any]) -> None:
    """Training, dev and test files of a task in every language that the phrasebook speaks among ``languages``."""
    own = {code.split("-")[0] for code in LANGUAGES}
    spoken = [code for code in dict.fromkeys(("en", *languages)) if code.split("-")[0] in own]
    target = folder
    if task == "retrieval":
        settings = phrasebook_settings(amounts, spoken, "en")
        for code in settings.languages:
            if code != "en":
                seed = settings.seed + RETRIEVAL_SEED
                pairs = parallel_sentences([code, "en"], settings.num_test, seed=seed, held_out=True)
                lines = (f"{foreign}\t{english}\n" for foreign, english in pairs)
                (target / f"test.{code}-en.tsv").write_text("".join(lines), encoding="utf-8")
        return
    for code in spoken:
        everything = folder / f"{code}.tmp"
        # Each language as the source of its own, so that it has training files too.
        write_labelled(everything, phrasebook_settings(amounts, [code], code))
        for path in (everything / task).iterdir():
            path.replace(target / path.name)
        shutil.rmtree(everything)


def cut_labels(source: Path, target: Path, task: str, *, split: str, languages: Collection[str]) -> None:
    """Write the files of a task in some languages, in whichever form they are, in ours with their texts cut: those of
    ``split``, and train, dev and test as far as they are there. Words that are divided already, as tags have them, are
    not cut again.

    Raises ConfigError for questions, whose answers are places in the text as it was, and for other kinds of task, and
    DataError for a folder without files of ``split``, and for what is wrong in them.
    """
    of_task = find_task(task)
    if of_task.kind == "answer":
        raise ConfigError(f"text.transform = words has no {task}: its answers are places in the text as it was written")
    if of_task.kind not in ("classify", "retrieve", "tag"):
        raise ConfigError(f"text.transform = words does not cut {task}; leave it out of the outcomes")
    for part in dict.fromkeys((split, *splits_in(of_task, source))):
        for code, path in find_files(of_task, source, split=part).items():
            if canonical_code(data_language(code)) in languages:
                examples = of_task.read(path, language=data_language(code), unlabelled=True)
                name = of_task.own.format(split=part, language=code)
                (target / name).write_text("".join(map(_cut, examples)), encoding="utf-8")


def _cut(example: Example) -> str:
    """An example in our form, cut; a text or a word of nothing but accents stays as it is."""
    match example:
        case TextExample(texts, label):
            return "\t".join([*map(_text, texts), *([label] if label else [])]) + "\n"
        case PairExample(sentence, translation):
            return f"{_text(sentence)}\t{_text(translation)}\n"
        case TaggedExample(tagged, tags):
            cells = [plain(word) or word for word in tagged]
            lines = [f"{word}\t{tag}" for word, tag in zip(cells, tags, strict=True)] if tags else cells
            return "".join(f"{line}\n" for line in lines) + "\n"
        case _:
            raise AssertionError(f"nothing that is cut: {example}")


def _text(text: str) -> str:
    return words(text).replace("\n", " ") or text
