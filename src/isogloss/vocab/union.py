"""The vocabularies of several clusters of languages made one, of an exact size.

    parts = [Part({"▁the": -3.2, ...}, share=0.7, capacity=40_000), Part(...)]
    pieces = union(parts, 60_000)              # as many learned pieces, or all there are

Every character of every cluster is taken. Of the other pieces those come first that stand highest in a cluster, by
their place among its own over the cluster's capacity: so each cluster has its part, and a piece of several counts once.
Scores are those of a model that draws from the clusters by their shares.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isogloss.vocab.pieces import mixture

__all__ = ["Part", "union"]


@dataclass(frozen=True)
class Part:
    """A cluster's learned pieces with their scores, its share of the sample, and how many pieces it may bring."""

    pieces: Mapping[str, float]
    share: float
    capacity: int


def union(parts: Sequence[Part], num_pieces: int) -> dict[str, float]:
    """At most ``num_pieces`` pieces of the parts and their scores, the most probable first.

    Their probabilities sum to 1.
    """
    places: dict[str, float] = {}
    for part in parts:
        ranked = sorted(part.pieces, key=lambda piece: (-part.pieces[piece], piece))
        for number, piece in enumerate(ranked, start=1):
            place = number / part.capacity if len(piece) > 1 else 0.0
            places[piece] = min(place, places.get(piece, math.inf))
    chosen = set(sorted(places, key=lambda piece: (places[piece], piece))[:num_pieces])
    mixed = mixture(
        ({piece: score for piece, score in part.pieces.items() if piece in chosen}, part.share) for part in parts
    )
    # What was cut off, and what SentencePiece itself holds back, is shared out.
    total = math.log(math.fsum(map(math.exp, mixed.values())))
    scores = {piece: score - total for piece, score in mixed.items()}
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))
