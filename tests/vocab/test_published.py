"""The published vocabulary is known by its size and four pieces, and its ids are those that were published."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from sentencepiece import sentencepiece_model_pb2

from isogloss.vocab import Vocabulary
from isogloss.vocab.check import check_vocabulary
from isogloss.vocab.layout import FIRST_PIECES
from isogloss.vocab.published import MARKERS, PUBLISHED, SIZE, is_published

messages: Any = sentencepiece_model_pb2
ENVIRONMENT = "ISOGLOSS_XLMR_VOCABULARY"

# Pieces that spell the published sentences; those of the Hindi and Arabic words are our own cut of them.
PIECES = {
    **MARKERS,
    **{35378: "▁Hello", 8999: "▁world", 124084: "你好", 3221: "世界", 84602: "▁Bonjour", 11146: "▁monde"},
    **{68700: "▁नम", 97883: "स्ते", 29405: "▁दुनिया"},
    **{665: "▁م", 193478: "رح", 258: "با", 1705: "▁بال", 77796: "عالم"},
}


def model(pieces: dict[int, str], normalizer: Any) -> bytes:
    """A SentencePiece model of the published size with these pieces at these ids of ours and fillers elsewhere."""
    proto = messages.ModelProto()
    kinds = messages.ModelProto.SentencePiece
    for piece, kind in (("<unk>", kinds.UNKNOWN), ("<s>", kinds.CONTROL), ("</s>", kinds.CONTROL)):
        proto.pieces.add(piece=piece, score=0.0, type=kind)
    for index in range(len(FIRST_PIECES), SIZE - 1):
        score = -1.0 if index in pieces else -50.0
        proto.pieces.add(piece=pieces.get(index, f"\ue000{index}"), score=score, type=kinds.NORMAL)
    proto.trainer_spec.model_type = messages.TrainerSpec.UNIGRAM
    proto.trainer_spec.pad_id = -1
    proto.normalizer_spec.CopyFrom(normalizer)
    return bytes(proto.SerializeToString())


@pytest.fixture(scope="module")
def normalizer(vocabulary: Vocabulary) -> Any:
    """The normaliser of a vocabulary that SentencePiece trained: XLM-R has the same."""
    proto = messages.ModelProto()
    proto.ParseFromString(vocabulary.content)
    return proto.normalizer_spec


def test_a_vocabulary_of_another_size_is_another_one(vocabulary: Vocabulary) -> None:
    assert not is_published(vocabulary)


def test_at_full_size_the_published_ids_come_out_and_the_certificate_says_so(normalizer: Any, tmp_path: Path) -> None:
    file = tmp_path / "xlmr.model"
    file.write_bytes(model(PIECES, normalizer))
    assert is_published(Vocabulary.load(file))
    certificate = check_vocabulary(file, probes=())
    assert certificate.compared == {"published check values": {"ids": len(PUBLISHED)}}
    assert certificate.agrees, certificate.differences
    assert "published check values: 5 of 5" in certificate.table()


def test_exchanged_pieces_are_a_difference_that_names_script_and_text(normalizer: Any, tmp_path: Path) -> None:
    file = tmp_path / "xlmr.model"
    file.write_bytes(model(PIECES | {68700: PIECES[97883], 97883: PIECES[68700]}, normalizer))
    (found,) = check_vocabulary(file, probes=()).differences
    assert (found.against, found.script, found.text) == ("published check values", "Deva", "नमस्ते दुनिया")
    assert found.theirs == "[0, 68700, 97883, 29405, 2]"
    assert found.ours == "[0, 97883, 68700, 29405, 2]"


def test_other_first_pieces_are_another_vocabulary(normalizer: Any) -> None:
    moved = {index + 1 if index in MARKERS else index: piece for index, piece in PIECES.items()}
    assert not is_published(Vocabulary.from_bytes(model(moved, normalizer)))


@pytest.mark.skipif(ENVIRONMENT not in os.environ, reason=f"{ENVIRONMENT} names no file of the published vocabulary")
def test_the_published_file_gives_the_published_ids() -> None:
    certificate = check_vocabulary(os.environ[ENVIRONMENT])
    assert certificate.compared["published check values"]["ids"] == len(PUBLISHED)
    assert [found for found in certificate.differences if found.against == "published check values"] == []
