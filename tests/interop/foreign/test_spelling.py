"""Pieces of every family in one spelling, which is that of the text they come from; the report beside one of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from isogloss.cli import app
from isogloss.interop.foreign import read_folder_tokenizer
from isogloss.vocab.measuring import Subject, count_pieces

Family = Callable[[str], Path]
TEXT = "Anna anaishi Oslo"


def test_the_pieces_of_a_text_spell_it(family: Family, name: str) -> None:
    tokenizer = read_folder_tokenizer(family(name))
    texts = tokenizer.texts
    assert len(texts) == tokenizer.size
    (ids,) = tokenizer.encode([f" {TEXT}"])
    spelt = "".join(texts[index] for index in ids if index != tokenizer.unknown_id)
    known = "".join(
        TEXT[start:end]
        for index, start, end in zip(*tokenizer.encode_with_offsets(TEXT), strict=True)
        if index != tokenizer.unknown_id
    )
    assert spelt.replace("▁", "").casefold() == known.replace(" ", "").casefold()
    assert not any(texts[index] for index in tokenizer.tokenizer.all_special_ids if index < tokenizer.size)


def test_what_begins_a_word_says_so(family: Family, name: str) -> None:
    if name == "xlm":
        pytest.skip("XLM marks the ends of words, and its pieces say nothing of their beginnings")
    tokenizer = read_folder_tokenizer(family(name))
    (ids,) = tokenizer.encode([" Anna"])
    assert tokenizer.texts[ids[0]].startswith("▁")
    assert not any(tokenizer.texts[index].startswith("▁") for index in ids[1:])


def test_a_language_is_counted_as_encoded(family: Family, name: str) -> None:
    tokenizer = read_folder_tokenizer(family(name))
    subject = Subject(tokenizer, tokenizer.texts, tokenizer.unknown_id)
    row = count_pieces(subject, [TEXT, f"{TEXT} 龘龘"], "sw").row
    encoded = tokenizer.encode([f" {word}" for word in (*TEXT.split() * 2, "龘龘")])
    assert row.pieces == sum(map(len, encoded))
    assert row.words == 7
    assert (row.bits, row.folded) == (None, None)


def test_the_report_takes_a_folder_of_another_family(family: Family, tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_text(f"{TEXT}\n", "utf-8")
    words = ["vocab", "report", str(family("bert")), str(family("roberta")), "--corpus", str(tmp_path), "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    assert list(values["vocabularies"]) == ["bert", "roberta"]
    assert values["vocabularies"]["bert"]["languages"]["en"]["words"] == 3
    (pair,) = values["overlap"]
    assert pair["shared"] > 0, "one spelling, so pieces of different families can be the same"
