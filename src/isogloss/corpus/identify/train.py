"""Training the model of romanised text from a corpus: real script romanised by rule, against other Latin text.

    train_romanised(IdentifyTrainSettings(corpus="corpus", output="romanised"))

Logistic regression over hashed n-grams, one text at a time in a fixed order, so the same corpus and settings give the
same bytes. What is romanised by rule is no chat: the model knows what our rules write (see romanise.py).
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any, get_args

import numpy as np
from pydantic import Field

from isogloss.config import Settings
from isogloss.corpus.folder import Corpus
from isogloss.corpus.identify.romanise import SCRIPT_CODES, Style, romanise
from isogloss.corpus.identify.romanised_model import CLASSES, KIND, count_runs
from isogloss.corpus.identify.scripts import WRITINGS, count_scripts, writings
from isogloss.errors import DataError
from isogloss.manifest import Manifest, building, finished, write_manifest
from isogloss.randomness import key_of, permute

__all__ = ["IdentifyTrainSettings", "train_romanised"]

COMMAND = "isogloss corpus identify-train"
LATIN = WRITINGS.index("Latn")
Floats = np.ndarray[Any, np.dtype[np.float32]]


class IdentifyTrainSettings(Settings):
    """From which corpus the model of romanised text learns, and how long."""

    corpus: Path = Field(description="corpus folder with some of bn, hi, ta, te, ur and languages in Latin letters")
    output: Path = Field(description="the model folder to write, for the setting romanised_model")
    lines_a_language: int = Field(2000, gt=0, description="lines of each language to learn from, from its beginning")
    other_lines: int = Field(20_000, gt=0, description="lines of all other languages together")
    min_characters: int = Field(20, gt=0, description="a shorter line is left out")
    passes: int = Field(4, gt=0, description="how often each line is seen")
    rate: float = Field(0.5, gt=0, description="learning rate of the first line; it falls to zero in a straight line")
    buckets: int = Field(1 << 16, gt=0, description="rows of the table that n-grams are hashed to")
    seed: int = Field(1, description="another seed, another order of lines and other loose spellings")


def train_romanised(settings: IdentifyTrainSettings) -> Manifest:
    """Train the model and write its folder; a finished one made by the same settings is kept.

    Raises DataError if the corpus has none of the five languages, or no other text in Latin letters.
    """
    config = settings.model_dump(mode="json", exclude={"corpus", "output"})
    corpus = Corpus.open(settings.corpus)
    if (done := finished(settings.output, KIND, config, [corpus.manifest])) is not None:
        return done
    texts, classes = _examples(corpus, settings)
    with building(settings.output) as folder:
        weights, right = _fit(texts, classes, settings)
        np.save(folder / "weights.npy", weights)
        counts = dict(zip(CLASSES, np.bincount(classes, minlength=len(CLASSES)).tolist(), strict=True))
        return write_manifest(
            folder,
            kind=KIND,
            command=COMMAND,
            config=config,
            parents=[corpus.manifest],
            statistics={"lines": counts, "right_in_last_pass": right},
        )


def _examples(corpus: Corpus, settings: IdentifyTrainSettings) -> tuple[list[str], np.ndarray[Any, np.dtype[np.int64]]]:
    texts: list[str] = []
    classes: list[int] = []
    for place, code in enumerate(SCRIPT_CODES):
        if SCRIPT_CODES[code] in corpus.languages:
            lines = _lines(corpus, SCRIPT_CODES[code], settings, settings.lines_a_language)
            # In both styles: a corpus has both, and half of each text is what the other one tells from other languages.
            for style in get_args(Style):
                texts += [romanise(line, code, style=style, seed=settings.seed + n % 7) for n, line in enumerate(lines)]
            classes += [place] * (len(texts) - len(classes))
    if not texts:
        raise DataError(
            f"corpus {settings.corpus} has none of {', '.join(SCRIPT_CODES.values())}, whose text is romanised to "
            f"learn from; it has {', '.join(corpus.languages)}"
        )
    others = [code for code in corpus.languages if code not in SCRIPT_CODES]
    share = -(-settings.other_lines // max(len(others), 1))
    found = [line for code in others for line in _latin(_lines(corpus, code, settings, share))]
    if not found:
        raise DataError(f"corpus {settings.corpus} has no language in Latin letters to tell romanised text from")
    return texts + found, np.array(classes + [len(SCRIPT_CODES)] * len(found), np.int64)


def _lines(corpus: Corpus, code: str, settings: IdentifyTrainSettings, number: int) -> list[str]:
    lines = (line for text in corpus.documents(code) for line in text.split("\n"))
    return list(islice((line for line in lines if len(line) >= settings.min_characters), number))


def _latin(lines: list[str]) -> list[str]:
    writing = writings(count_scripts(lines), min_kana=0.05) if lines else ()
    return [line for line, found in zip(lines, writing, strict=True) if found == LATIN]


def _fit(
    texts: list[str], classes: np.ndarray[Any, np.dtype[np.int64]], settings: IdentifyTrainSettings
) -> tuple[Floats, float]:
    """Weights (buckets, 6), and the share of lines that were right in the last pass, before each was learned from."""
    runs = []
    for text in texts:
        buckets, counts = np.unique(count_runs([text], settings.buckets)[1], return_counts=True)
        runs.append((buckets.astype(np.int32), (counts / np.sqrt(max(counts.sum(), 1))).astype(np.float32)))
    # The classes are not of one size: each counts the same in all.
    sizes = np.bincount(classes, minlength=len(CLASSES))
    importance = sizes.sum() / (len(CLASSES) * np.maximum(sizes, 1))
    weights = np.zeros((settings.buckets, len(CLASSES)), np.float32)
    right = 0
    for number in range(settings.passes):
        order = permute(np.arange(len(texts)), size=len(texts), key=key_of(settings.seed, "pass", number))
        right = 0
        for step, place in enumerate(order.astype(np.int64)):
            buckets, values = runs[place]
            scores = values @ weights[buckets]
            right += int(scores.argmax() == classes[place])
            error = np.exp(scores - scores.max())
            error /= error.sum()
            error[classes[place]] -= 1
            done = (number + step / len(texts)) / settings.passes
            rate = settings.rate * (1 - done) * min(float(importance[classes[place]]), 3.0)
            weights[buckets] -= np.outer(values * np.float32(rate), error)
    return weights, right / len(texts)
