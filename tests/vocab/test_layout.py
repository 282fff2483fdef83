"""Ids and offsets: round trips, spans of the original text, specials that text cannot produce, damaged files."""

from __future__ import annotations

import functools
import io
import itertools
import json
import shutil
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.errors import VocabularyError
from isogloss.vocab import MODEL_NAME, Vocabulary, layout
from isogloss.vocab.layout import SPACE

FIXTURES = Path(__file__).parents[3] / "shared" / "data" / "tokenizer"

any_text = st.text(alphabet=st.characters(), max_size=40)
# Text that folds, drops out or divides oddly, mixed with known and unknown letters.
ODD = (
    *(
        "the",
        " ",
        "  ",
        "\n",
        "ﬁ",
        "½",
        "…",
        "ＡＢＣ",
        "e\u0301",
        "\u200b",
        "\u200d",
        "\u00a0",
        "ำ",
        "▁",
        "\ufeff",
        "㈱",
        "ĳ",
        "ﷺ",
        "¨",
        "\x85",
        "\x01",
    ),
    *("पे", "खबर", "빵", "面包", "хлеб", "😀", "<mask>", "</s>", "\0", "\ud83d"),
)
odd_text = st.lists(st.sampled_from(ODD), max_size=12).map("".join)


def test_the_ids_are_those_of_xlm_r(vocabulary: Vocabulary) -> None:
    assert [vocabulary.piece(index) for index in range(4)] == ["<s>", "<pad>", "</s>", "<unk>"]
    assert vocabulary.piece(vocabulary.size - 1) == "<mask>"
    assert (vocabulary.bos_id, vocabulary.pad_id, vocabulary.eos_id, vocabulary.unk_id) == (0, 1, 2, 3)
    assert vocabulary.mask_id == vocabulary.size - 1 == len(vocabulary) - 1
    reference = sentencepiece.SentencePieceProcessor(model_proto=vocabulary.content)
    for index in range(3, reference.get_piece_size()):
        assert vocabulary.piece(index + 1) == reference.id_to_piece(index)


def test_known_text_round_trips(vocabulary: Vocabulary, documents: Mapping[str, str]) -> None:
    for text in documents.values():
        (ids,) = vocabulary.encode([text])
        assert ids.dtype == np.int32
        assert vocabulary.unk_id not in ids
        assert (
            vocabulary.decode(ids)
            == vocabulary.normalize(text)
            == " ".join(unicodedata.normalize("NFKC", text).split())
        )


def test_special_ids_vanish_from_decoded_text_and_unknown_ones_show(vocabulary: Vocabulary) -> None:
    (ids,) = vocabulary.encode(["the door"])
    assert vocabulary.decode([0, *ids, 2, 1, 1, vocabulary.mask_id]) == "the door"
    assert "⁇" in vocabulary.decode([*ids, vocabulary.unk_id])


@settings(deadline=None)
@given(text=any_text | odd_text)
def test_text_never_gives_a_special_id(vocabulary: Vocabulary, text: str) -> None:
    for spelt in ("<mask>", "<s>", "</s>", "<pad>", "<unk>"):
        (ids,) = vocabulary.encode([f"{text} {spelt}{text}"])
        assert not set(ids.tolist()) & (set(vocabulary.special_ids) - {vocabulary.unk_id})
        assert ids.max(initial=0) < vocabulary.mask_id


def spelt(vocabulary: Vocabulary, index: int) -> str:
    return vocabulary.piece(index).replace(SPACE, "")


def assert_offsets_hold(vocabulary: Vocabulary, text: str) -> None:
    """Spans go forward, leave out blanks alone, and what shares characters normalises to its pieces."""
    ids, starts, ends = vocabulary.encode_with_offsets(text)
    np.testing.assert_array_equal(ids, vocabulary.encode([text])[0])
    assert len(ids) == len(starts) == len(ends)
    assert np.all(np.diff(starts) >= 0)
    assert np.all(np.diff(ends) >= 0)
    assert np.all((starts >= 0) & (starts <= ends) & (ends <= len(text)))
    # Groups of pieces: one shares characters with the one before it, or a new group begins.
    groups: list[tuple[int, int, list[int]]] = []
    for index, start, end in zip(ids.tolist(), starts.tolist(), ends.tolist(), strict=True):
        assert start < end or vocabulary.piece(index) == SPACE, "only the lone space mark has no character"
        if groups and start < groups[-1][1]:
            groups[-1] = (groups[-1][0], end, [*groups[-1][2], index])
        else:
            groups.append((start, end, [index]))
    position = 0
    for start, end, pieces in groups:
        assert vocabulary.normalize(text[position:start]) == "", "only blanks lie between two spans"
        assert text[start:end] == text[start:end].strip(" ")
        if vocabulary.unk_id not in pieces:
            said = "".join(spelt(vocabulary, index) for index in pieces)
            assert vocabulary.normalize(text[start:end]).replace(" ", "") == said
        position = end
    assert vocabulary.normalize(text[position:]) == ""


@settings(deadline=None, max_examples=300)
@given(text=any_text | odd_text)
def test_offsets_name_the_original_characters(vocabulary: Vocabulary, text: str) -> None:
    assert_offsets_hold(vocabulary, text)


def test_offsets_name_the_original_characters_of_every_document(
    vocabulary: Vocabulary, documents: Mapping[str, str]
) -> None:
    for text in documents.values():
        assert_offsets_hold(vocabulary, f"  {text.replace(' ', '  ')}\n")


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("ﬁ", [("▁", 0, 0), ("f", 0, 1), ("i", 0, 1)]),
        ("  ½ ", [("▁", 2, 2), ("1⁄2", 2, 3)]),
        ("  ال", [("▁ال", 2, 4)]),
        ("\u200bп\x01 \x01п\x01", [("▁", 1, 1), ("п", 1, 2), ("▁", 5, 5), ("п", 5, 6)]),
        ("¨п¨", [("▁", 0, 0), ("̈", 0, 1), ("п", 1, 2), ("▁", 2, 3), ("̈", 2, 3)]),
    ],
)
def test_one_character_of_several_pieces_lies_in_each(
    vocabulary: Vocabulary, text: str, spans: list[tuple[str, int, int]]
) -> None:
    ids, starts, ends = vocabulary.encode_with_offsets(text)
    # Unknown characters beside each other are one piece, so these have one name.
    names = ["<unk>" if index == 3 else vocabulary.piece(index) for index in ids.tolist()]
    wanted = [(name if name in vocabulary.pieces else "<unk>", start, end) for name, start, end in spans]
    assert list(zip(names, starts.tolist(), ends.tolist(), strict=True)) == wanted


def test_a_piece_of_two_characters_and_half_a_ligature_has_both() -> None:
    content = trained(["ai ai ai ai", "j jo ja"], vocab_size=12)
    vocabulary = Vocabulary.from_bytes(content)
    assert_offsets_hold(vocabulary, "aĳ jĳ")
    ids, starts, ends = vocabulary.encode_with_offsets("aĳ")
    assert [vocabulary.piece(int(index)) for index in ids] == ["▁ai", "j"]
    assert (starts.tolist(), ends.tolist()) == ([0, 1], [2, 2])


@settings(deadline=None, max_examples=30)
@given(text=any_text | odd_text)
def test_offsets_of_a_model_with_byte_fallback(text: str) -> None:
    vocabulary = byte_vocabulary()
    ids, starts, ends = vocabulary.encode_with_offsets(text)
    assert np.all(np.diff(starts) >= 0)
    assert np.all(starts <= ends)
    assert np.all(ends <= len(text))
    position = 0
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        assert vocabulary.normalize(text[position : max(position, start)]) == ""
        position = max(position, end)
    assert vocabulary.unk_id not in ids


@functools.cache
def byte_vocabulary() -> Vocabulary:
    return Vocabulary.from_bytes(trained(["the bread", "the door"], vocab_size=280, byte_fallback=True))


def trained(lines: list[str], **options: object) -> bytes:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, minloglevel=2, hard_vocab_limit=False, **options
    )
    return model.getvalue()


@settings(deadline=None)
@given(texts=st.lists(any_text | odd_text, max_size=5))
def test_a_batch_equals_its_texts_one_by_one(vocabulary: Vocabulary, texts: list[str]) -> None:
    alone = [vocabulary.encode([text])[0].tolist() for text in texts]
    for few in (layout.FEW_CHARACTERS, 0):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(layout, "FEW_CHARACTERS", few)  # 0: short texts too go to SentencePiece's threads
            assert [ids.tolist() for ids in vocabulary.encode(texts, num_threads=2)] == alone
            for num_threads in (1, 2, -1):
                ids, bounds = vocabulary.encode_flat(texts, num_threads=num_threads)
                assert (ids.dtype, bounds.dtype) == (np.int32, np.int64)
                assert bounds[0] == 0
                assert [ids[start:end].tolist() for start, end in itertools.pairwise(bounds)] == alone
                assert bounds[-1] == len(ids)


def test_a_line_end_of_old_machines_is_no_blank_where_sentencepiece_keeps_it(vocabulary: Vocabulary) -> None:
    # U+0085 is white space to Python and a character to SentencePiece.
    assert vocabulary.normalize("the\x85") == "the\x85"
    _, _, ends = vocabulary.encode_with_offsets("the\x85")
    assert ends[-1] == 4


def test_word_starts_are_the_pieces_with_the_space_mark(vocabulary: Vocabulary) -> None:
    starts = vocabulary.word_starts
    assert starts.dtype == np.bool_
    assert starts.shape == (vocabulary.size,)
    assert not starts[list(vocabulary.special_ids)].any()
    (ids,) = vocabulary.encode(["the door the bread"])
    assert starts[ids].sum() == 4


def test_the_fingerprint_follows_the_model_not_the_folder(
    vocabulary: Vocabulary, vocab_folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copied.model"
    shutil.copy(vocab_folder / MODEL_NAME, copy)
    assert Vocabulary.load(copy).fingerprint == vocabulary.fingerprint


@pytest.mark.parametrize("index", [-1, 240, 10**6])
def test_an_id_outside_the_vocabulary_is_refused(vocabulary: Vocabulary, index: int) -> None:
    with pytest.raises(VocabularyError, match=f"id {index} is not in this vocabulary of 240"):
        vocabulary.piece(index)
    with pytest.raises(VocabularyError, match=f"id {index} "):
        vocabulary.decode([5, index])


@pytest.mark.parametrize("damage", ["empty", "cut", "cut-last", "zeros", "text"])
def test_a_damaged_model_is_one_clear_line(
    vocab_folder: Path, tmp_path: Path, damage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    content = (vocab_folder / MODEL_NAME).read_bytes()
    damaged = {
        "empty": b"",
        "cut": content[: len(content) // 2],
        "cut-last": content[:-1],
        "zeros": bytes(1000),
        "text": b"<s>\n<pad>\n" * 50,
    }[damage]
    (tmp_path / "x.model").write_bytes(damaged)
    with pytest.raises(VocabularyError, match=r"x\.model is not a SentencePiece model or is damaged") as caught:
        Vocabulary.load(tmp_path / "x.model")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_missing_model_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match=r"sentencepiece\.bpe\.model cannot be read .*isogloss vocab train"):
        Vocabulary.load(tmp_path)


def test_a_model_other_than_the_manifest_says_is_refused(
    vocab_folder: Path, tmp_path: Path, other_models: Sequence[bytes]
) -> None:
    folder = tmp_path / "vocab"
    shutil.copytree(vocab_folder, folder)
    (folder / MODEL_NAME).write_bytes(other_models[0])
    with pytest.raises(VocabularyError, match=r"differs from what manifest\.json recorded"):
        Vocabulary.load(folder)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    del manifest["files"][MODEL_NAME]
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(VocabularyError, match="does not list"):
        Vocabulary.load(folder)


def test_other_ids_than_the_default_are_refused(tmp_path: Path, other_models: Sequence[bytes]) -> None:
    (tmp_path / "fairseq-ids.model").write_bytes(other_models[1])
    with pytest.raises(VocabularyError, match=r"opens with the pieces <s> <pad> </s>.*default <unk> <s> </s>"):
        Vocabulary.load(tmp_path / "fairseq-ids.model")


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="needs ../shared/data/tokenizer beside the checkout")
@pytest.mark.parametrize(
    ("name", "size", "text"),
    [("en", 1002, "I saw a girl with a telescope."), ("ja", 8002, "朝、パン屋がドアを開ける。")],
)
def test_models_of_other_makers_load(name: str, size: int, text: str) -> None:
    vocabulary = Vocabulary.load(FIXTURES / f"spm_test_{name}.model")
    assert vocabulary.size == size
    (ids,) = vocabulary.encode([text])
    assert vocabulary.decode(ids) == vocabulary.normalize(text)
    found, starts, ends = vocabulary.encode_with_offsets(text)
    assert found.tolist() == ids.tolist()
    assert "".join(text[a:b] for a, b in zip(starts, ends, strict=True)) == text.replace(" ", "")
