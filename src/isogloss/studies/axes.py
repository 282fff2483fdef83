"""Where the values of an axis stand in a plot: at their numbers, or side by side where they have none.

places = own_places(study.axes["languages"], ["7", "30"])
places.of["30"], places.ticks, places.log, places.ordered
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isogloss.studies.recipe import AxisSettings

__all__ = ["Places", "own_places", "paper_places", "spoken"]


@dataclass(frozen=True)
class Places:
    """A place for each name; ``ordered`` where places are numbers, so that a line between them means something."""

    of: Mapping[str, float]
    log: bool
    ordered: bool

    @property
    def ticks(self) -> dict[float, str]:
        return {place: name for name, place in self.of.items()}


def spoken(axes: Sequence[str], labels: Sequence[str]) -> str:
    """Values with the names of their axes: "batch x2, length x4"."""
    return ", ".join(f"{axis} {label}" for axis, label in zip(axes, labels, strict=True))


def own_places(settings: AxisSettings, names: Sequence[str]) -> Places:
    """The places of an axis's values, or of what some of them are together."""
    numbers = {name: settings.values[name].number for name in names if name in settings.values}
    return _places(settings, names, {name: number for name, number in numbers.items() if number is not None})


def paper_places(settings: AxisSettings, names: Sequence[str]) -> Places:
    """The same for points of the paper, whose names may be numbers that the axis has not; "32k" is 32,000."""
    numbers = {name: number for name in names if (number := _number_of(settings, name)) is not None}
    return _places(settings, names, numbers)


def _number_of(settings: AxisSettings, name: str) -> float | None:
    plain = name.replace(",", "").replace("k", "000")
    if plain.replace(".", "", 1).isdigit():
        return float(plain)
    return settings.values[name].number if name in settings.values else None


def _places(settings: AxisSettings, names: Sequence[str], numbers: Mapping[str, float]) -> Places:
    if len(numbers) < len(names) or len(set(numbers.values())) < len(numbers):
        return Places({name: float(place) for place, name in enumerate(names)}, log=False, ordered=False)
    return Places(dict(numbers), log=settings.log and min(numbers.values()) > 0, ordered=True)
