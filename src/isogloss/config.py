"""Settings: a TOML recipe plus ``key=value`` overrides become one frozen, checked object.

A room's settings are a subclass of :class:`Settings` beside the code that reads them; the description of each
field is its help. An unknown key stops the program and names its nearest neighbour.

    settings = load_recipe("recipes/smoke/pretrain.toml", PretrainSettings, ["optim.peak_rate=5e-4"])
"""

from __future__ import annotations

import difflib
import re
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import core_schema

from isogloss.errors import ConfigError

__all__ = ["Duration", "Settings", "filled_in", "load_recipe", "make_settings", "parse_override"]


class Settings(BaseModel):
    """Base of every settings object: frozen, unknown keys refused, defaults checked too."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _complete_tables(cls, values: Any) -> Any:
        """A table that sets some of its keys leaves the others at this field's default, not at their type's."""
        if not isinstance(values, dict):
            return values
        defaults = {name: cls.model_fields[name].default for name in values if name in cls.model_fields}
        tables = {
            name: {**default.model_dump(exclude_unset=True), **values[name]}
            for name, default in defaults.items()
            # A preset says itself what is not set.
            if isinstance(default, Settings) and isinstance(values[name], dict) and "preset" not in values[name]
        }
        return {**values, **tables}


SettingsType = TypeVar("SettingsType", bound=Settings)


class Duration:
    """A length of training that carries its unit: ``"10_000 steps"``, ``"6 %"`` or ``"2e9 tokens"``.

    ``steps(total_steps=…, tokens_per_step=…)`` turns it into whole steps.
    """

    UNITS = ("steps", "%", "tokens")
    _PATTERN = re.compile(r"^\s*([0-9][0-9_]*(?:\.[0-9]+)?(?:[eE]\+?[0-9]+)?)\s*(steps?|%|percent|tokens?)\s*$")

    def __init__(self, text: str) -> None:
        match = self._PATTERN.match(text)
        if match is None:
            raise ValueError(
                f"'{text}' is not a duration: write a number and its unit, as '500 steps', '6 %', '2e9 tokens'"
            )
        self.amount = float(match[1].replace("_", ""))
        self.unit = {"step": "steps", "percent": "%", "token": "tokens"}.get(match[2], match[2])

    def steps(self, *, total_steps: int = 0, tokens_per_step: int = 0) -> int:
        """Whole steps; ``total_steps`` resolves percent and ``tokens_per_step`` tokens (rounded up)."""
        if self.unit == "steps":
            return int(self.amount)
        if self.unit == "%":
            return round(self.amount / 100 * total_steps)
        assert tokens_per_step > 0, "a duration in tokens needs tokens_per_step"
        return -int(-self.amount // tokens_per_step)

    def __repr__(self) -> str:
        # Every digit, and no exponent: it is read again from a run's config.json.
        amount = Decimal(repr(self.amount)).normalize()
        return f"{amount:f} {self.unit}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and (self.amount, self.unit) == (other.amount, other.unit)

    def __hash__(self) -> int:
        return hash((self.amount, self.unit))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        def check(value: Any) -> Duration:
            return value if isinstance(value, Duration) else cls(str(value))

        return core_schema.no_info_plain_validator_function(
            check, serialization=core_schema.plain_serializer_function_ser_schema(repr)
        )


def parse_override(text: str) -> tuple[list[str], Any]:
    """``"optim.peak_rate=5e-4"`` → ``(["optim", "peak_rate"], 0.0005)``; a value that is no TOML is a string."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"override '{text}' is not key=value, for example optim.peak_rate=5e-4")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value
    return key.strip().split("."), parsed


def load_recipe(path: Path | str, kind: type[SettingsType], overrides: Sequence[str] = ()) -> SettingsType:
    """Read a TOML recipe, apply ``key=value`` overrides, and check it against ``kind``.

    Raises ConfigError for a missing file, bad TOML, an unknown key (with its neighbour) or a bad value.
    """
    path = Path(path)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"recipe {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"recipe {path} is not valid TOML: {error}") from None
    return make_settings(kind, values, overrides, where=f"recipe {path}")


def make_settings(
    kind: type[SettingsType], values: Mapping[str, Any], overrides: Sequence[str] = (), *, where: str = "settings"
) -> SettingsType:
    """Check ``values`` plus overrides against ``kind``; ``where`` opens the error message."""
    merged: dict[str, Any] = _copy_tables(values)
    for text in overrides:
        keys, value = parse_override(text)
        table = merged
        for key in keys[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                raise ConfigError(f"{where}: override '{text}' reaches into '{key}', which is a value, not a table")
        table[keys[-1]] = value
    try:
        return kind.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(f"{where}: {_first_problem(kind, error)}") from None


def filled_in(earlier: Mapping[str, Any], config: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """What an earlier version wrote of such settings, with the defaults of those that have come since, at any depth.

    ``config`` is what is written of ``settings`` now, as JSON: some may be left out, and other things stand beside
    them. What can no longer be read as such settings is given back as it is.
    """
    now = settings.model_dump(mode="json")
    written = [name for name in now if name in config and config[name] == now[name]]
    values = {name: value for name, value in now.items() if name not in written}
    values |= {name: earlier[name] for name in written if name in earlier}
    try:
        known = type(settings).model_validate(values).model_dump(mode="json")
    except ValidationError:
        return dict(earlier)
    return {**earlier, **{name: known[name] for name in written}}


def _copy_tables(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copy_tables(value) if isinstance(value, Mapping) else value for key, value in values.items()}


def _first_problem(kind: type[BaseModel], error: ValidationError) -> str:
    """One line for the first problem, an unknown key before others, with the nearest known keys."""
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    problem = problems[0]
    location = [str(part) for part in problem["loc"]]
    key = ".".join(location)
    if problem["type"] == "extra_forbidden":
        known = _known_keys(kind, location[:-1])
        near = difflib.get_close_matches(location[-1], known, n=3, cutoff=0.5)
        way_out = f"did you mean {' or '.join(repr(name) for name in near)}?" if near else f"known: {', '.join(known)}"
        return f"unknown key '{key}'; {way_out}"
    if problem["type"] == "missing":
        return f"'{key}' is missing; set it in the recipe or as {key}=VALUE"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{key} = {problem['input']!r}: {message}" if key else message


def _known_keys(kind: type[BaseModel], location: Sequence[str]) -> list[str]:
    for name in location:
        if name.isdigit():  # a place in a list of tables
            continue
        field = kind.model_fields.get(name)
        nested = _settings_type(field.annotation) if field is not None else None
        if nested is None:
            return []
        kind = nested
    return sorted(kind.model_fields)


def _settings_type(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is not None:
        for argument in typing.get_args(annotation):
            if (found := _settings_type(argument)) is not None:
                return found
    return None
