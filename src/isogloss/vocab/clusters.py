"""Groups of languages that share words, found by their own vocabularies.

    fingerprints = {"en": Fingerprint.of(pieces_of_en), "sw": Fingerprint.of(pieces_of_sw), ...}
    group_languages(fingerprints, 8, seed=1)            # [["am", "ti"], ["ar", "fa", "ur"], ...]

A language is a vector: for each piece that any language has, minus the logarithm of its probability in the language's
own unigram model, 0 where that has no such piece (Liang et al. 2023, "XLM-V", after Chung et al. 2020). Vectors are
made one unit long here, as else the languages of little text, which have few pieces, would be near each other whatever
they are. Groups are those of k-means. Its usual way does not move a vector out of a small group, whose middle is near
for the vector's own sake; here a language moves where that lowers the sum of squares (Hartigan 1975), from several
beginnings (k-means++), and the lowest sum wins.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xxhash

from isogloss.errors import ConfigError

__all__ = ["Fingerprint", "check_number", "group_languages", "listed_groups"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
NUM_BEGINNINGS = 32
# What a move must gain, so that rounding does not move a language to and fro.
LEAST_GAIN = 1e-9


@dataclass(frozen=True)
class Fingerprint:
    """A language's pieces as 64-bit hashes, characters first and then the more probable first; ``weights`` beside.

    A weight is minus the logarithm of a piece's probability.
    """

    hashes: npt.NDArray[np.uint64]
    weights: Floats

    @classmethod
    def of(cls, pieces: Mapping[str, float]) -> Fingerprint:
        """Of the learned pieces of a unigram model and their scores."""
        ordered = sorted(pieces.items(), key=lambda item: (len(item[0]) > 1, -item[1], item[0]))
        hashes = np.array([xxhash.xxh3_64_intdigest(piece.encode()) for piece, _ in ordered], np.uint64)
        return cls(hashes, np.array([-score for _, score in ordered], np.float64))


def group_languages(fingerprints: Mapping[str, Fingerprint], num_groups: int, *, seed: int) -> list[list[str]]:
    """Every language in one of ``num_groups`` groups, none of them empty; codes and groups are sorted.

    Raises ConfigError for more groups than languages.
    """
    codes = sorted(fingerprints)
    check_number(num_groups, codes)
    products = _products([fingerprints[code] for code in codes])
    draw = random.Random(f"clusters/{seed}")
    found = [_settled(products, _beginning(products, num_groups, draw)) for _ in range(NUM_BEGINNINGS)]
    groups = min(found, key=lambda labels: round(_spread(products, labels), 9))
    named = [[code for code, label in zip(codes, groups.tolist(), strict=True) if label == n] for n in set(groups)]
    return sorted(named)


def check_number(num_groups: int, languages: Sequence[str]) -> None:
    """Raises ConfigError for more groups than languages."""
    if num_groups > len(languages):
        raise ConfigError(
            f"clusters = {num_groups} is more than the {len(languages)} languages ({', '.join(languages)}); set "
            f"clusters={len(languages)} or lower"
        )


def listed_groups(listed: Sequence[Sequence[str]], languages: Sequence[str]) -> list[list[str]]:
    """Groups that a user has listed, sorted. Raises ConfigError unless every language stands in exactly one."""
    named = list(itertools.chain.from_iterable(listed))
    for code in named:
        if code not in languages:
            raise ConfigError(f"clusters: '{code}' is no language of this training; it has {', '.join(languages)}")
        if named.count(code) > 1:
            raise ConfigError(f"clusters: '{code}' is listed more than once; leave it in one cluster")
    if missing := [code for code in languages if code not in named]:
        raise ConfigError(f"clusters: no cluster has {', '.join(missing)}; add them to one, or set languages without")
    return sorted(sorted(group) for group in listed)


def _products(fingerprints: Sequence[Fingerprint]) -> Floats:
    """(languages, languages): the inner products of the unit vectors."""
    counts = [len(fingerprint.hashes) for fingerprint in fingerprints]
    hashes = np.concatenate([fingerprint.hashes for fingerprint in fingerprints])
    units = np.concatenate([each.weights / max(np.sqrt(np.sum(each.weights**2)), 1e-300) for each in fingerprints])
    owners = np.repeat(np.arange(len(fingerprints)), counts)
    distinct, columns = np.unique(hashes, return_inverse=True)
    products = np.empty((len(fingerprints), len(fingerprints)))
    for number in range(len(fingerprints)):
        vector = np.zeros(len(distinct))
        vector[columns[owners == number]] = units[owners == number]
        products[number] = np.bincount(owners, vector[columns] * units, len(fingerprints))
    return products


def _beginning(products: Floats, num_groups: int, draw: random.Random) -> Integers:
    """A group for each vector: that of the nearest of some vectors that are far from each other."""
    squares = np.diag(products)
    chosen = [draw.randrange(len(products))]
    while len(chosen) < num_groups:
        distances = np.min(_distances(products, chosen), axis=1)
        distances[chosen] = 0.0
        left = [index for index in range(len(squares)) if index not in chosen]
        # Vectors that are all alike have no distances to draw by.
        weights = [max(float(distances[index]), 1e-12) for index in left]
        chosen += draw.choices(left, weights)
    labels: Integers = np.argmin(_distances(products, chosen), axis=1)
    labels[chosen] = np.arange(num_groups)
    return labels


def _distances(products: Floats, chosen: Sequence[int]) -> Floats:
    """(vectors, chosen): squared distances, never below 0."""
    squares = np.diag(products)
    return np.maximum(squares[:, None] - 2 * products[:, chosen] + squares[None, chosen], 0.0)


def _settled(products: Floats, labels: Integers) -> Integers:
    """Vectors moved, one at a time, until no move lowers the sum of squares; no group is left empty."""
    labels = labels.copy()
    num_groups = int(labels.max()) + 1
    moved = True
    while moved:
        moved = False
        for number in range(len(labels)):
            member = np.eye(num_groups)[labels]
            sizes = member.sum(axis=0)
            own = labels[number]
            if sizes[own] == 1:
                continue
            inner = products[number] @ member
            within = np.einsum("ig,ij,jg->g", member, products, member, optimize=True)
            distances = products[number, number] - 2 * inner / sizes + within / sizes**2
            costs = sizes / (sizes + 1) * distances
            leaving = sizes[own] / (sizes[own] - 1) * distances[own]
            costs[own] = leaving - LEAST_GAIN
            best = int(np.argmin(costs))
            if best != own:
                labels[number], moved = best, True
    return labels


def _spread(products: Floats, labels: Integers) -> float:
    """The sum of squared distances to the middles of the groups."""
    member = np.eye(int(labels.max()) + 1)[labels]
    within = np.einsum("ig,ij,jg->g", member, products, member, optimize=True)
    return float(np.trace(products) - np.sum(within / member.sum(axis=0)))
