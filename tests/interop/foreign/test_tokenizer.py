"""Foreign tokenizers: offsets into the original text, nothing in a text taken for a special, languages."""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.errors import ConfigError, VocabularyError
from isogloss.interop.foreign import read_folder_tokenizer
from isogloss.interop.foreign.align import align

Family = Callable[[str], Path]
TEXTS = [
    "Anna anaishi  Oslo, na Juma anaishi Nairobi.",
    "  Élodie “sleeps” … at the door ",
    "早上面包师打开店门。",
    "सुबह बेकर दरवाज़ा खोलता है।",
    "",
    " \t ",
    "ﬁn ½ ﷺ ①",
]


@pytest.mark.parametrize("text", TEXTS)
def test_spans_go_forward_and_cover_every_letter_that_is_known(family: Family, name: str, text: str) -> None:
    tokenizer = read_folder_tokenizer(family(name))
    ids, starts, ends = tokenizer.encode_with_offsets(text)
    assert ids.tolist() == tokenizer.encode([text])[0].tolist()
    assert len(ids) == len(starts) == len(ends)
    assert (starts[1:] >= starts[:-1]).all()
    assert (ends >= starts).all()
    assert ends.max(initial=0) <= len(text)
    covered = {place for start, end in zip(starts.tolist(), ends.tolist(), strict=True) for place in range(start, end)}
    letters = {place for place, character in enumerate(text) if character.isalnum()}
    # A tokenizer may drop what it does not know (XLNet drops marks and ﷺ's kin), but not plain letters.
    plain = {place for place in letters if unicodedata.normalize("NFKD", text[place])[0] == text[place]}
    assert plain <= covered


def test_words_begin_where_their_first_piece_does(family: Family, name: str) -> None:
    text = "Anna anaishi Oslo"
    tokenizer = read_folder_tokenizer(family(name))
    _, starts, ends = tokenizer.encode_with_offsets(text)
    begun = {start for start, end in zip(starts.tolist(), ends.tolist(), strict=True) if end > start}
    if name != "mmbert":  # whose pieces may span two words
        assert {0, 5, 13} <= begun


def test_special_pieces_in_a_text_are_text(family: Family, name: str) -> None:
    tokenizer = read_folder_tokenizer(family(name))
    spelt = " ".join(tokenizer.tokenizer.all_special_tokens)
    special = {*tokenizer.tokenizer.all_special_ids} - {tokenizer.tokenizer.unk_token_id}
    assert not special & set(tokenizer.encode([f"Anna {spelt} Oslo"])[0].tolist())


def test_half_a_surrogate_pair_is_one_character(family: Family, name: str) -> None:
    tokenizer = read_folder_tokenizer(family(name))
    _, _, ends = tokenizer.encode_with_offsets("Anna \ud83d Oslo")
    assert ends.max() == 11


def test_tokenizers_are_told_apart_by_their_fingerprints(family: Family, tmp_path: Path) -> None:
    folder = shutil.copytree(family("bert"), tmp_path / "bert")
    first = read_folder_tokenizer(folder).fingerprint
    assert first == read_folder_tokenizer(folder).fingerprint
    path = folder / "vocab.txt"
    path.write_text(path.read_text(encoding="utf-8").replace("Anna", "Otto"), encoding="utf-8")
    assert read_folder_tokenizer(folder).fingerprint != first


def test_xlm_divides_by_language_and_names_the_package_it_lacks(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    tokenizer = read_folder_tokenizer(family("xlm"))
    assert tokenizer.for_language("sw") is not tokenizer
    assert read_folder_tokenizer(family("bert")).for_language("sw").language is None
    monkeypatch.setitem(sys.modules, "rjieba", None)
    with pytest.raises(
        ConfigError, match=r"its tokenizer divides zh-Hans by a package that is not here .*; install it"
    ):
        tokenizer.for_language("zh-Hans").encode(["早上"])


def test_a_folder_without_a_tokenizer(family: Family, tmp_path: Path) -> None:
    folder = shutil.copytree(family("xlm"), tmp_path / "xlm")
    (folder / "vocab.json").unlink()
    with pytest.raises(
        VocabularyError, match=r"its tokenizer cannot be read .*; copy the whole folder again"
    ) as caught:
        read_folder_tokenizer(folder)
    assert "\n" not in str(caught.value)


def test_a_folder_with_tokenizer_settings_alone(family: Family, tmp_path: Path, name: str) -> None:
    """transformers makes some tokenizer all the same, to which every text is unknown."""
    folder = tmp_path / name
    folder.mkdir()
    for file in ("config.json", "tokenizer_config.json"):
        shutil.copy(family(name) / file, folder)
    with pytest.raises(
        VocabularyError, match=r"holds no tokenizer; copy|its tokenizer cannot be read .*; copy"
    ) as caught:
        read_folder_tokenizer(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("direction", ["left", "right"])
def test_padding_and_cutting_that_the_file_asks_for_are_ours_to_do(
    family: Family, tmp_path: Path, direction: str
) -> None:
    """sentence-transformers writes both into tokenizer.json; padding is no part of what stands around a text."""
    folder = shutil.copytree(family("modernbert"), tmp_path / "padded")
    plain = read_folder_tokenizer(folder)
    backend = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    backend.enable_padding(length=24, pad_id=plain.format.pad_id, pad_token="[PAD]", direction=direction)
    backend.enable_truncation(4)
    backend.save(str(folder / "tokenizer.json"))
    padded = read_folder_tokenizer(folder)
    assert padded.format == plain.format
    assert padded.encode([TEXTS[0]])[0].tolist() == plain.encode([TEXTS[0]])[0].tolist()


def test_a_tokenizer_that_frames_nothing_is_refused(family: Family, tmp_path: Path) -> None:
    folder = shutil.copytree(family("modernbert"), tmp_path / "bare")
    said = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    (folder / "tokenizer.json").write_text(json.dumps(said | {"post_processor": None}), encoding="utf-8")
    with pytest.raises(VocabularyError, match="puts no special piece around a text, but heads read one; give"):
        read_folder_tokenizer(folder)


@settings(max_examples=200)
@given(st.lists(st.text(alphabet="abcdéßö “”…早्", min_size=1, max_size=6), max_size=8), st.integers(0, 3))
def test_align_finds_pieces_that_are_the_text_itself(words: list[str], cut: int) -> None:
    """Whatever a text is divided into, folded or not, each visible letter belongs to the piece that has it."""
    text = " ".join(words)
    pieces = [piece for word in text.split() for piece in (word[:cut], word[cut:]) if piece]
    starts, ends = align(text, [piece.lower() for piece in pieces])
    position = 0
    for piece, start, end in zip(pieces, starts.tolist(), ends.tolist(), strict=True):
        position = text.index(piece, position)
        visible = [place for place, letter in enumerate(piece, position) if not unicodedata.combining(letter)]
        assert all(start <= place < end for place in visible), (text, piece, start, end)
        position += len(piece)


def test_align_follows_what_was_exchanged_and_dropped() -> None:
    text = "«Élan»  […] \u00adx 10 000"
    pieces = ['"', "el", "an</w>", '"</w>', "[", "...</w>", "]</w>", "x</w>", "10000</w>", "&"]
    starts, ends = align(text, pieces)
    spans = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    assert spans[1:3] == ["Él", "an"]
    assert spans[5:6] == ["…"]
    assert spans[7] == "x"
    assert spans[8] == "10 000"
