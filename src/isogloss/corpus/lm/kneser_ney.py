"""Interpolated modified Kneser-Ney: from adjusted counts to probabilities and backoff weights, in bounded memory.

For an n-gram of the words c and w, with adjusted counts a, and three discounts D of its order:

    p(w | c) = (a(c w) - D(a(c w))) / sum_x a(c x) + gamma(c) p(w | c without its first word)
    gamma(c) = sum_x D(a(c x)) / sum_x a(c x)

down to unigrams, which are interpolated with 1 / (words + </s> + <unk>). gamma(c) is the backoff weight of c. <unk> has
the count nought and <s> the probability one, as ``lmplz`` has it. What is pruned gives its whole count to gamma.
Formulas: Chen and Goodman 1998, equation 26 for the discounts; Heafield, Pouzyrevsky, Clark and Koehn 2013.

``lmplz`` differs in one thing: the last n-gram of each order, in its order of sorting, is put among the counts of
counts with its count in the text in place of its adjusted count. That moves the discounts of small texts by a little
(3 MB of Swahili: log10 probabilities by up to 6e-5; with that mended in lmplz, all 1.8 million agree to 5e-7).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isogloss.corpus.lm.counting import gram_dtype, gram_file
from isogloss.corpus.lm.pieces import BOS, EOS, UNK
from isogloss.corpus.lm.sorting import Array, Block, Packing, Sorter, changes, read_records, write_records
from isogloss.errors import DataError

__all__ = ["Discounts", "Grams", "estimate", "find_discounts", "read_probabilities"]

# Bytes for a record that is read and worked on.
RECORD_BYTES = 200
_WEIGHTS = np.dtype([("direct", "<f8"), ("rest", "<f8")])


@dataclass(frozen=True)
class Discounts:
    """What is taken off the adjusted counts 1, 2, and 3 or more; ``reason`` says why these are not the text's own."""

    amounts: tuple[float, float, float]
    reason: str = ""

    def of(self, counts: Array) -> Array:
        """The discount of each count."""
        taken: Array = np.array((0.0, *self.amounts))[np.minimum(counts, 3)]
        return taken


@dataclass(frozen=True)
class Grams:
    """N-grams of one length: words (a column a place, first word first), probabilities and backoff weights in log10."""

    words: list[Array]
    probabilities: Array
    backoffs: Array | None


def find_discounts(
    counts_of_counts: Sequence[int], *, length: int, fallback: tuple[float, float, float] | None
) -> Discounts:
    """The three discounts of one order from how many n-grams have the adjusted counts 1, 2, 3 and 4.

    Where the formula gives none, ``fallback`` is taken; without one a DataError is raised.
    """
    n = [0, *counts_of_counts]
    missing = [count for count in (1, 2, 3) if not n[count]]
    reason = f"no {length}-gram has the adjusted count {missing[0]}" if missing else ""
    if not missing:
        y = n[1] / (n[1] + 2 * n[2])
        first, second, third = (count - (count + 1) * y * n[count + 1] / n[count] for count in (1, 2, 3))
        if 0 <= first <= 1 and 0 <= second <= 2 and 0 <= third <= 3:
            return Discounts((first, second, third))
        reason = f"the discounts of {length}-grams would be {first:.3g}, {second:.3g} and {third:.3g}"
    if fallback is None:
        raise DataError(
            f"the text has no Kneser-Ney discounts ({reason}): it is too small, or repeats itself; "
            "give more text, or set discount_fallback"
        )
    return Discounts(fallback, reason)


def estimate(
    folder: Path, orders: Sequence[dict[str, Any]], discounts: Sequence[Discounts], packing: Packing, *, memory: int
) -> None:
    """From the files of adjusted counts in ``folder`` make those that :func:`read_probabilities` reads."""
    for facts, discount in zip(orders, discounts, strict=True):
        if facts["length"] == 1:
            _estimate_unigrams(folder, facts, discount, packing)
        else:
            _estimate_order(folder, facts, discount, packing, memory)


def read_probabilities(
    folder: Path, orders: Sequence[dict[str, Any]], length: int, packing: Packing, *, memory: int
) -> Iterator[Grams]:
    """The n-grams of one length that pruning keeps, sorted by their last word, then the one before it, and so on.

    To be read for length 1, 2, … in turn: each leaves the probabilities that the next one needs.
    """
    num_grams, is_longest = orders[length - 1]["grams"], length == len(orders)
    step = max(memory // RECORD_BYTES, 1024)
    num_contexts = 0
    with (folder / f"probabilities-{length}.bin").open("wb") as stream:
        for start in range(0, num_grams, step):
            records = read_records(gram_file(folder, length), gram_dtype(packing, length), start, step)
            weights = read_records(folder / f"weights-{length}.bin", _WEIGHTS, start, step)
            lower = _lower_probabilities(folder, length, orders, records["suffix"])
            probabilities = weights["direct"] + weights["rest"] * lower
            keys = [records[f"key{number}"] for number in range(packing.num_keys(length))]
            words = [packing.column(keys, place) for place in reversed(range(length))]
            kept = records["kept"]
            backoffs = None
            if not is_longest:
                write_records(stream, probabilities)
                is_context = (words[-1] != EOS) & (words[-1] != UNK)
                number = int(np.count_nonzero(is_context))
                backoffs = np.ones(len(records))
                backoffs[is_context] = read_records(folder / f"gammas-{length}.bin", np.float64, num_contexts, number)
                num_contexts += number
                backoffs = np.log10(backoffs[kept])
            yield Grams([word[kept] for word in words], np.log10(np.minimum(probabilities[kept], 1.0)), backoffs)


def _estimate_unigrams(folder: Path, facts: dict[str, Any], discounts: Discounts, packing: Packing) -> None:
    records = read_records(gram_file(folder, 1), gram_dtype(packing, 1), 0, facts["grams"])
    words = packing.column([records["key0"]], 0)
    counts = records["count"].astype(np.float64)
    taken = discounts.of(records["count"])
    weights = np.empty(len(records), _WEIGHTS)
    weights["direct"] = (counts - taken) / counts.sum()
    weights["rest"] = taken.sum() / counts.sum()
    weights[words == BOS] = (1.0, 0.0)
    with (folder / "weights-1.bin").open("wb") as stream:
        write_records(stream, weights)


def _estimate_order(folder: Path, facts: dict[str, Any], discounts: Discounts, packing: Packing, memory: int) -> None:
    """Sums for each context, then for each n-gram what it has of its own and how much of the lower order it gets.

    Contexts come sorted as the file of the order below is, so their backoff weights lie beside it without a key.
    """
    length, num_grams = facts["length"], facts["grams"]
    sorter = Sorter(
        folder / "by-context",
        num_keys=packing.num_keys(length - 1),
        columns={"count": np.uint32, "kept": np.bool_, "place": np.uint64},
        memory=memory // 3,
    )
    step = max(memory // 3 // RECORD_BYTES, 1024)
    for start in range(0, num_grams, step):
        records = read_records(gram_file(folder, length), gram_dtype(packing, length), start, step)
        keys = [records[f"key{number}"] for number in range(packing.num_keys(length))]
        context = packing.pack([packing.column(keys, place) for place in range(1, length)])
        places = np.arange(start, start + len(records), dtype=np.uint64)
        sorter.add(context, count=records["count"], kept=records["kept"], place=places)
    back = Sorter(
        folder / "by-place", num_keys=1, columns={"direct": np.float64, "rest": np.float64}, memory=memory // 3
    )
    with (folder / f"gammas-{length - 1}.bin").open("wb") as stream:
        for group in _whole_contexts(sorter.blocks()):
            starts = np.flatnonzero(changes(group.keys))
            counts, kept = group.columns["count"], group.columns["kept"]
            totals = np.add.reduceat(counts.astype(np.float64), starts)
            taken = np.where(kept, discounts.of(counts), counts)
            gammas = np.add.reduceat(taken, starts) / totals
            write_records(stream, gammas)
            which = np.cumsum(changes(group.keys)) - 1
            back.add([group.columns["place"]], direct=(counts - taken) / totals[which], rest=gammas[which])
    with (folder / f"weights-{length}.bin").open("wb") as stream:
        for block in back.blocks():
            weights = np.empty(len(block), _WEIGHTS)
            weights["direct"], weights["rest"] = block.columns["direct"], block.columns["rest"]
            write_records(stream, weights)


def _whole_contexts(blocks: Iterator[Block]) -> Iterator[Block]:
    """The same records, cut between contexts; one context has no more of them than there are words."""
    held: Block | None = None
    for block in blocks:
        if held is not None:
            block = _joined(held, block)
        end = int(np.flatnonzero(changes(block.keys))[-1])
        held = _rows(block, slice(end, None))
        if end:
            yield _rows(block, slice(end))
    if held is not None:
        yield held


def _joined(first: Block, second: Block) -> Block:
    return Block(
        [np.concatenate(pair) for pair in zip(first.keys, second.keys, strict=True)],
        {name: np.concatenate([values, second.columns[name]]) for name, values in first.columns.items()},
    )


def _rows(block: Block, rows: slice) -> Block:
    return Block([key[rows] for key in block.keys], {name: values[rows] for name, values in block.columns.items()})


def _lower_probabilities(folder: Path, length: int, orders: Sequence[dict[str, Any]], suffix: Array) -> Array:
    if length == 1:
        # <s> is no word that a text can go on with.
        return np.full(len(suffix), 1.0 / (orders[0]["grams"] - 1))
    lower = np.memmap(folder / f"probabilities-{length - 1}.bin", np.float64, "r")
    values: Array = np.asarray(lower[suffix])
    return values
