"""Vocabularies measured on the same text: one mapping of plain values, which report.json is and reports are made from.

values = measure({"ours": subject, "theirs": other}, read_excerpts(Path("corpus")))
values["vocabularies"]["ours"]["languages"]["sw"]["pieces_per_word"]
values["overlap"][0]["jaccard"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from isogloss.errors import DataError
from isogloss.vocab.inventory import Usage, overlap
from isogloss.vocab.measuring import Subject, count_pieces

__all__ = ["REFERENCE", "measure", "premiums"]

# Whose pieces those of the others are compared with, where it is there.
REFERENCE = "en"

Texts = Iterable[tuple[str, Sequence[str]]]


def measure(
    subjects: Mapping[str, Subject],
    texts: Texts,
    *,
    parallel: Texts | None = None,
    on_language: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Every vocabulary on the text of every language; ``on_language`` is called after each.

    With ``parallel`` text, also the premium of each language (:func:`premiums`). Raises DataError for no text at all.
    """
    usages = {name: Usage(subject) for name, subject in subjects.items()}
    codes = []
    for code, lines in texts:
        for name, subject in subjects.items():
            usages[name].add(code, count_pieces(subject, lines, code))
        codes.append(code)
        on_language()
    if not codes:
        raise DataError("there is no text to measure a vocabulary on; give a corpus with some")
    return {
        "languages": codes,
        "vocabularies": {
            name: {"fingerprint": subjects[name].tokenizer.fingerprint, **usage.values()}
            for name, usage in usages.items()
        },
        "overlap": overlap(subjects),
        "parallel": None if parallel is None else premiums(subjects, parallel),
    }


def premiums(subjects: Mapping[str, Subject], parallel: Texts) -> dict[str, Any]:
    """How many more pieces the same text takes in each language than in English, or than in the first without it.

    What the premium is: Petrov et al. 2023, "Language Model Tokenizers Introduce Unfairness Between Languages".
    """
    pieces: dict[str, dict[str, int]] = {name: {} for name in subjects}
    num_lines = 0
    for code, lines in parallel:
        num_lines = len(lines)
        for name, subject in subjects.items():
            pieces[name][code] = count_pieces(subject, lines, code).row.pieces
    codes = list(next(iter(pieces.values())))
    if not codes:
        raise DataError("the parallel text is of no language; give a folder of LANG.txt")
    reference = REFERENCE if REFERENCE in codes else codes[0]
    return {
        "lines": num_lines,
        "reference": reference,
        "vocabularies": {
            name: {
                code: {"pieces": number, "premium": number / max(counted[reference], 1)}
                for code, number in counted.items()
            }
            for name, counted in pieces.items()
        },
    }
