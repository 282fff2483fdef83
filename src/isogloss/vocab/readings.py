"""What a program makes of a text, in one form for all: ids, each piece's characters, and the text decoded again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Reading", "Span", "as_partition", "character_positions", "sharing"]

Span = tuple[int, int]


@dataclass(frozen=True)
class Reading:
    """What a program makes of a text: ids, each piece's characters, and the text decoded again."""

    ids: list[int]
    spans: list[Span]
    decoded: str


def as_partition(ours: Reading) -> Reading:
    """Spans as SentencePiece gives them: a character of several pieces lies in the last one only."""
    following = [*(start for start, _ in ours.spans[1:]), *(end for _, end in ours.spans[-1:])]
    spans = [(start, min(end, later)) for (start, end), later in zip(ours.spans, following, strict=True)]
    return Reading(ours.ids, spans, ours.decoded)


def sharing(spans: Sequence[Span]) -> Iterator[list[int]]:
    """Pieces in groups: those of one group share characters."""
    group: list[int] = []
    for number, (start, _) in enumerate(spans):
        if group and start >= spans[group[-1]][1]:
            yield group
            group = []
        group.append(number)
    if group:
        yield group


def character_positions(text: str) -> list[int]:
    """For each byte of the text's UTF-8, and its end, which character it belongs to."""
    sizes = [len(character.encode()) for character in text]
    return [number for number, size in enumerate(sizes) for _ in range(size)] + [len(text)]
