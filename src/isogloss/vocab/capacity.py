"""How many pieces each group of languages gets: as many as save its text the most bits, the same pieces counted once.

    bits = measure_bits(model, kept)                                    # a Curve: bits by number of pieces
    capacities(fingerprints, curves, shares, groups, size=1_000_000)    # one number a group

After VoCap (Zheng et al. 2021, "Allocating Large Vocabulary Capacity"): a language's text is cut by more and more
pieces of its own model, the average log probability (ALP) of each cut gives a curve, and the next pieces go, a step at
a time, to the language whose share times gain is largest. Here the probabilities come from one half of the text and
are asked of the other, as else little text, of which every word can be a piece, seems to gain most; and a gain is told
as a share of the language's bits, as sentences are of other lengths from one corpus to another. A group's capacity is
the number of different pieces of its languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isogloss.vocab.choosing import KeptWords
from isogloss.vocab.clusters import Fingerprint
from isogloss.vocab.pieces import learned_pieces, with_pieces
from isogloss.vocab.rescoring import cut_words

__all__ = ["Curve", "capacities", "measure_bits"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
# A language's pieces are given in so many steps at most; Zheng's are of 1,000.
NUM_STEPS = 32
# Of a piece that one half has and the other has not.
SMOOTHING = 0.5


@dataclass(frozen=True)
class Curve:
    """Numbers of pieces, rising, and what share of the first one's bits a language's text takes with each."""

    sizes: Integers
    bits: Floats

    def steps(self) -> tuple[Integers, Floats]:
        """Numbers of pieces after each step, and what each of its pieces saves: never more than those before."""
        first, last = int(self.sizes[0]), int(self.sizes[-1])
        ends = np.unique(np.linspace(first, last, NUM_STEPS + 1).astype(np.int64))
        bits = np.interp(np.log(ends), np.log(self.sizes), self.bits)
        gains = -np.diff(bits) / np.diff(ends)
        return ends[1:], np.minimum.accumulate(np.maximum(gains, 0.0))


def measure_bits(content: bytes, kept: KeptWords) -> Curve:
    """The curve of the model's characters, and of these and its most probable pieces, twice as many each time."""
    pieces = learned_pieces(content)
    ordered = sorted(pieces, key=lambda piece: (len(piece) > 1, -pieces[piece], piece))
    num_characters = sum(len(piece) == 1 for piece in pieces)
    sizes = [len(pieces)]
    while sizes[0] // 2 > num_characters:
        sizes.insert(0, sizes[0] // 2)
    if sizes[0] > num_characters:
        sizes.insert(0, num_characters)
    bits = []
    for size in sizes:
        halves = np.zeros((2, size + 3))
        smaller = with_pieces(content, {piece: pieces[piece] for piece in ordered[:size]})
        for ids, counts in cut_words(smaller, kept.lines()):
            # A word that comes an odd number of times gives its odd one to either half in turn.
            for half in (0, 1):
                turns = (counts + (np.arange(len(counts)) + half) % 2) // 2
                halves[half] += np.bincount(ids.pieces, turns[ids.owners], size + 3)
        bits.append(sum(_cross_entropy(halves[half], halves[1 - half]) for half in (0, 1)))
    return Curve(np.array(sizes, np.int64), np.array(bits) / max(bits[0], 1e-9))


def capacities(
    fingerprints: Mapping[str, Fingerprint],
    curves: Mapping[str, Curve],
    shares: Mapping[str, float],
    groups: Sequence[Sequence[str]],
    *,
    size: int,
) -> list[int]:
    """How many pieces each group gets, so that all groups together have ``size`` different ones, about."""
    codes = sorted(fingerprints)
    when = _turns(curves, shares, codes)
    hashes = np.concatenate([fingerprints[code].hashes for code in codes])
    turns = np.concatenate([_of_places(when[code], curves[code], len(fingerprints[code].hashes)) for code in codes])
    owners = np.repeat(np.arange(len(codes)), [len(fingerprints[code].hashes) for code in codes])
    last = _last_turn(hashes, turns, size)
    taken = turns <= last
    total = max(len(np.unique(hashes[taken])), 1)
    # Where all that the languages have is less than the size, in proportion to it.
    scale = max(size / total, 1.0) if taken.all() else 1.0
    return [
        round(scale * len(np.unique(hashes[taken & np.isin(owners, [codes.index(code) for code in group])])))
        for group in groups
    ]


def _cross_entropy(asked: Floats, known: Floats) -> float:
    probabilities = (known + SMOOTHING) / np.sum(known + SMOOTHING)
    return float(-np.sum(asked * np.log2(probabilities)))


def _turns(curves: Mapping[str, Curve], shares: Mapping[str, float], codes: Sequence[str]) -> dict[str, Integers]:
    """For each step of each language when it is its turn, among the steps of all."""
    steps = [
        (-shares[code] * gain, code, number) for code in codes for number, gain in enumerate(curves[code].steps()[1])
    ]
    when = {code: np.zeros(len(curves[code].steps()[0]), np.int64) for code in codes}
    for turn, (_, code, number) in enumerate(sorted(steps), start=1):
        when[code][number] = turn
    return when


def _of_places(when: Integers, curve: Curve, num_pieces: int) -> Integers:
    """The turn of each piece of a language; characters come before all turns."""
    ends, _ = curve.steps()
    places = np.arange(num_pieces)
    turns = np.concatenate([when, [0]])[np.searchsorted(ends, places, side="right")]
    return np.where(places < curve.sizes[0], 0, turns)


def _last_turn(hashes: npt.NDArray[np.uint64], turns: Integers, size: int) -> int:
    """The last turn with at most ``size`` different pieces until then, the first one at least."""
    order = np.lexsort((turns, hashes))
    firsts = np.concatenate([[True], hashes[order][1:] != hashes[order][:-1]])
    first_turns = np.sort(turns[order][firsts])
    if len(first_turns) <= size:
        return int(turns.max())
    return int(first_turns[size]) - 1
