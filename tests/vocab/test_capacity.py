"""How many pieces a group of languages is worth: curves that fall, capacities that add up and follow shares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from isogloss.vocab import Vocabulary
from isogloss.vocab.capacity import Curve, capacities, measure_bits
from isogloss.vocab.choosing import KeptWords
from isogloss.vocab.clusters import Fingerprint
from isogloss.vocab.layout import SPACE
from isogloss.vocab.pieces import learned_pieces
from isogloss.vocab.rescoring import cut_words, rescored


@pytest.fixture
def kept(tmp_path: Path, documents: Mapping[str, str], vocabulary: Vocabulary) -> KeptWords:
    """The words of the eight documents, each three times, as the trainer is given them."""
    words = sorted({word for text in documents.values() for word in vocabulary.normalize(text).split()})
    path = tmp_path / "words.tsv"
    path.write_text("".join(f"{SPACE}{word}\t3\n" for word in words), encoding="utf-8")
    return KeptWords(path, 1.0, len(words), len(words), sum(len(word) + 1 for word in words))


def test_more_pieces_take_fewer_bits(vocabulary: Vocabulary, kept: KeptWords) -> None:
    curve = measure_bits(vocabulary.content, kept)
    pieces = learned_pieces(vocabulary.content)
    assert (curve.sizes[0], curve.sizes[-1]) == (sum(len(piece) == 1 for piece in pieces), len(pieces))
    assert (np.diff(curve.sizes) > 0).all()
    assert curve.bits[0] == 1
    assert curve.bits[-1] < 1


def test_steps_reach_the_last_size_and_never_gain_more_than_before() -> None:
    curve = Curve(np.array([10, 20, 40, 80]), np.array([1.0, 0.9, 0.95, 0.5]))
    ends, gains = curve.steps()
    assert ends[-1] == 80
    assert (gains >= 0).all()
    assert (np.diff(gains) <= 0).all()


def fingerprint(prefix: str, num_pieces: int) -> Fingerprint:
    return Fingerprint.of({f"{prefix}{number:03}": -1.0 - number / 1000 for number in range(num_pieces)})


def falling(num_pieces: int) -> Curve:
    sizes = np.array([10, num_pieces // 2, num_pieces])
    return Curve(sizes, 1 - 0.1 * np.log(sizes / 10))


def test_capacities_add_up_to_the_size_and_follow_the_shares() -> None:
    fingerprints = {code: fingerprint(code, 400) for code in ("de", "en", "ja")}
    curves = dict.fromkeys(fingerprints, falling(400))
    even = capacities(fingerprints, curves, {"de": 0.3, "en": 0.3, "ja": 0.4}, [["de", "en"], ["ja"]], size=600)
    assert sum(even) == pytest.approx(600, abs=40)
    assert even[0] > even[1] > even[0] / 2
    more = capacities(fingerprints, curves, {"de": 0.1, "en": 0.1, "ja": 0.8}, [["de", "en"], ["ja"]], size=600)
    assert more[1] > even[1]


def test_pieces_that_languages_of_a_group_share_count_once() -> None:
    fingerprints = {"de": fingerprint("x", 400), "en": fingerprint("x", 400), "ja": fingerprint("y", 400)}
    curves = dict.fromkeys(fingerprints, falling(400))
    shares = dict.fromkeys(fingerprints, 1 / 3)
    together, alone = capacities(fingerprints, curves, shares, [["de", "en"], ["ja"]], size=300)
    assert together == pytest.approx(alone, abs=20)
    # The languages have 800 different pieces, and twice as many are asked for.
    assert capacities(fingerprints, curves, shares, [["de", "en"], ["ja"]], size=1600) == [800, 800]


def test_words_are_cut_into_the_pieces_that_make_them_up(vocabulary: Vocabulary, kept: KeptWords) -> None:
    words = [line.split(b"\t")[0].decode() for line in kept.lines()]
    ((cut, counts),) = cut_words(vocabulary.content, kept.lines())
    assert counts.tolist() == [3] * len(words)
    # SentencePiece's ids are one lower.
    spelt = [""] * len(words)
    for piece, owner in zip(cut.pieces.tolist(), cut.owners.tolist(), strict=True):
        spelt[owner] += vocabulary.pieces[piece + 1]
    assert spelt == words


def test_new_scores_fit_the_words_better_and_are_probabilities(vocabulary: Vocabulary, kept: KeptWords) -> None:
    def bits(content: bytes) -> float:
        ((cut, counts),) = cut_words(content, kept.lines())
        scores = np.array([0.0, 0.0, 0.0, *learned_pieces(content).values()])
        return -float(np.sum(scores[cut.pieces] * counts[cut.owners]))

    # The documents' words without their punctuation and other counts: not what the scores were learned from.
    content = rescored(vocabulary.content, [(kept, 1.0)])
    pieces = learned_pieces(content)
    assert set(pieces) == set(learned_pieces(vocabulary.content))
    assert math.fsum(map(math.exp, pieces.values())) == pytest.approx(1, abs=1e-4)
    assert bits(content) < bits(vocabulary.content)
