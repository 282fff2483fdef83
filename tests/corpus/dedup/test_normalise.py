"""Normalised lines and their hashes are what a plain loop over characters gives, on real text and on odd text."""

from __future__ import annotations

import hashlib
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from isogloss.corpus.dedup.normalise import NormaliseSettings, normalise_lines, num_lines, text_blocks
from isogloss.corpus.dedup.paragraphs import append_hashes, hash_lines, read_hashes

PAPER = NormaliseSettings()
SETTINGS = st.builds(NormaliseSettings, **dict.fromkeys(NormaliseSettings.model_fields, st.booleans()))
# Every kind of character, those that mean something to the code more often, none that UTF-8 cannot hold.
CHARACTERS = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from(" \t\n\r\u3000\u2028.,-「」\u0301\u0308İßΣςǅ٣१𝟗😀ạ́ñЙが한क़\u200c\xad\x00"),
)
TEXTS = st.lists(st.text(CHARACTERS, max_size=30), max_size=6)


def plain_character(character: str, settings: NormaliseSettings) -> str:
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category in {"Cc", "Cf"}:
        return ""
    if category[0] == "P" and settings.drop_punctuation:
        return ""
    if unicodedata.decimal(character, None) is not None:
        return "0" if settings.zero_digits else character
    changed = character
    if settings.lower:
        changed = {"Σ": "σ", "ς": "σ"}.get(character, character.lower())
    if settings.drop_accents:
        parts = unicodedata.normalize("NFD", changed)
        if any(map(is_diacritic, parts)):
            changed = unicodedata.normalize("NFC", "".join(part for part in parts if not is_diacritic(part)))
    return changed if len(changed) <= 1 else character


def is_diacritic(character: str) -> bool:
    """Whether a character lies in a block of combining diacritical marks."""
    blocks = ("0300-036F", "1AB0-1AFF", "1DC0-1DFF", "20D0-20FF", "FE20-FE2F")
    return any(int(block[:4], 16) <= ord(character) <= int(block[5:], 16) for block in blocks)


def plain_line(line: str, settings: NormaliseSettings = PAPER) -> str:
    changed = "".join(plain_character(character, settings) for character in line)
    return " ".join(word for word in changed.split(" ") if word)


def plain_hash(line: str) -> int:
    return int.from_bytes(hashlib.sha1(plain_line(line).encode()).digest()[:8], "little")


@given(text=st.text(CHARACTERS, max_size=80), settings=SETTINGS)
@example(text=" - a  .\n . \n\n", settings=PAPER)
def test_normalised_as_by_the_plain_loop(text: str, settings: NormaliseSettings) -> None:
    lines = text.split("\n")
    found = normalise_lines("".join(f"{line}\n" for line in lines), settings)
    assert found == "".join(plain_line(line, settings) + "\n" for line in lines)


@pytest.mark.slow
def test_every_code_point_is_what_the_plain_loop_says() -> None:
    """Blocks that the table's builder leaves out change nothing; a mistake there would show here."""
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    for start, end in ((0, 0x10000), (0x10000, sys.maxunicode + 1)):
        chosen = [character for character in characters if start <= ord(character) < end and character != "\n"]
        found = normalise_lines("".join(f"x{character}x\n" for character in chosen)).split("\n")
        for character, line in zip(chosen, found, strict=False):
            assert line == plain_line(f"x{character}x"), hex(ord(character))


@given(texts=TEXTS, block_bytes=st.integers(1, 40), offset=st.integers(0, 2))
def test_blocks_hold_every_line_once(texts: list[str], block_bytes: int, offset: int) -> None:
    column = pa.array(["ahead"] * offset + texts, pa.string())[offset:]
    lines = [line for text in texts for line in text.split("\n")]
    blocks = list(text_blocks(column, block_bytes))
    assert "".join(blocks) == "".join(f"{line}\n" for line in lines)
    assert all(block.endswith("\n") for block in blocks)
    assert num_lines(column).tolist() == [text.count("\n") + 1 for text in texts]


@given(texts=TEXTS, cut=st.integers(0, 6))
def test_hashes_are_sha1_of_the_plain_line(texts: list[str], cut: int) -> None:
    column = pa.chunked_array([pa.array(part, pa.large_string()) for part in (texts[:cut], texts[cut:])])
    assert hash_lines(column).to_pylist() == [[plain_hash(line) for line in text.split("\n")] for text in texts]


def test_hashes_of_real_text_in_all_scripts(shared_data: Path) -> None:
    texts = []
    for path in sorted((shared_data / "text").glob("*.txt")):
        texts += path.read_text(encoding="utf-8")[:4000].split("\n\n")
    found = hash_lines(pa.array(texts, pa.large_string())).to_pylist()
    assert found == [[plain_hash(line) for line in text.split("\n")] for text in texts]


@pytest.mark.parametrize("text", ["को की कि कु", "ก็ ก่ ก้ กิ", "كِتَاب كُتُب", "கி கு", "が か", "שָׁלוֹם"])
def test_signs_that_are_letters_stay(text: str) -> None:
    assert normalise_lines(f"{text}\n") == f"{text}\n"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_and_digits_of_every_form_are_one(form: str) -> None:
    line = unicodedata.normalize(form, "Ça VÁ — Ёлка, Ώρα İi ạ́ ١٢३１")
    assert normalise_lines(f"{line}\n") == "ca va елка ωρα ii a 0000\n"


def test_hash_files_are_read_across_their_borders(tmp_path: Path) -> None:
    columns = [pa.array(["a\nb", "c"]), pa.array(["d"]), pa.array([], pa.string()), pa.array(["e\nf\ng"])]
    paths = [tmp_path / f"{number}.u64" for number in range(len(columns))]
    for path, column in zip(paths, columns, strict=True):
        append_hashes(path, hash_lines(column))
    blocks = [block.copy() for block in read_hashes(paths, 3)]
    assert [len(block) for block in blocks] == [3, 3, 1]
    assert np.concatenate(blocks).tolist() == [plain_hash(line) for line in "abcdefg"]
