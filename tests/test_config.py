"""Recipes: overrides win, what is unknown stops and names its neighbour, durations keep their unit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from isogloss.config import Duration, Settings, filled_in, load_recipe, make_settings, parse_override
from isogloss.errors import ConfigError


class Oven(Settings):
    peak_rate: float = Field(1e-3, gt=0, description="how hot")
    warmup: Duration = Field(Duration("6 %"), description="how long until then")


class Bakery(Settings):
    name: str = Field(description="over the door")
    loaves: int = Field(3, ge=1, description="how many a day")
    languages: tuple[str, ...] = Field((), description="spoken at the counter")
    oven: Oven = Field(Oven(), description="where they are baked")
    spare: Oven | None = Field(None, description="when the other is cold")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "bakery.toml"
    path.write_text('# A bakery.\nname = "Anna"\nloaves = 5\n\n[oven]\npeak_rate = 0.5\n', encoding="utf-8")
    return path


def test_a_recipe_is_read_and_overrides_win(recipe: Path) -> None:
    assert load_recipe(recipe, Bakery) == Bakery(name="Anna", loaves=5, oven=Oven(peak_rate=0.5))
    changed = load_recipe(recipe, Bakery, ["loaves=7", "oven.warmup=10_000 steps", 'languages=["sw", "ur"]'])
    assert (changed.loaves, changed.languages, changed.name) == (7, ("sw", "ur"), "Anna")
    assert changed.oven == Oven(peak_rate=0.5, warmup=Duration("10_000 steps"))


def test_overrides_reach_into_tables_that_no_recipe_names() -> None:
    made = make_settings(Bakery, {"name": "Anna"}, ["spare.peak_rate=2"])
    assert made.spare == Oven(peak_rate=2.0)


class Cafe(Settings):
    oven: Oven = Field(Oven(peak_rate=0.2), description="a small one")


def test_a_table_in_part_leaves_the_rest_at_the_default_of_the_field() -> None:
    """Not at the default of the table's type: the café's oven stays a small one."""
    made = make_settings(Cafe, {}, ["oven.warmup=500 steps"])
    assert made.oven == Oven(peak_rate=0.2, warmup=Duration("500 steps"))
    assert Cafe.model_validate({"oven": {"warmup": "500 steps"}}) == made
    assert make_settings(Cafe, {}, ["oven.peak_rate=3"]).oven.peak_rate == 3
    assert Cafe(oven=Oven()).oven == Oven()


def test_the_given_values_stay_as_they_are() -> None:
    values: dict[str, Any] = {"name": "Anna", "oven": {"peak_rate": 0.5}}
    make_settings(Bakery, values, ["oven.peak_rate=2"])
    assert values == {"name": "Anna", "oven": {"peak_rate": 0.5}}


@given(st.sampled_from(["name", "loaves", "languages", "oven", "spare"]), st.integers(0, 20), st.sampled_from("xqj"))
def test_an_unknown_key_names_its_neighbour(key: str, place: int, letter: str) -> None:
    wrong = key[: place % (len(key) + 1)] + letter + key[place % (len(key) + 1) :]
    with pytest.raises(ConfigError, match=f"unknown key '{wrong}'; did you mean .*'{key}'"):
        make_settings(Bakery, {"name": "Anna", wrong: 1})


@pytest.mark.parametrize("table", ["oven", "spare"])
def test_an_unknown_key_in_a_table_names_that_tables_keys(table: str) -> None:
    with pytest.raises(ConfigError, match=rf"unknown key '{table}\.peak_lr'; did you mean 'peak_rate'"):
        make_settings(Bakery, {"name": "Anna"}, [f"{table}.peak_lr=1"])
    with pytest.raises(ConfigError, match=rf"unknown key '{table}\.zzz'; known: peak_rate, warmup"):
        make_settings(Bakery, {"name": "Anna"}, [f"{table}.zzz=1"])


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["loaves=0"], "loaves = 0: Input should be greater than or equal to 1"),
        (["loaves=many"], "loaves = 'many'"),
        (["oven.warmup=6"], "oven.warmup = 6: '6' is not a duration"),
        (["loaves"], "override 'loaves' is not key=value"),
        (["=3"], "override '=3' is not key=value"),
        (["name.first=A"], "'name', which is a value, not a table"),
    ],
)
def test_a_wrong_value_is_one_line_with_its_place(recipe: Path, overrides: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_recipe(recipe, Bakery, overrides)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ConfigError, match="'name' is missing; set it in the recipe or as name=VALUE"):
        make_settings(Bakery, {})


def test_recipes_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.toml cannot be read: No such file"):
        load_recipe(tmp_path / "no.toml", Bakery)
    (tmp_path / "bad.toml").write_text("name = ", encoding="utf-8")
    (tmp_path / "latin.toml").write_bytes('name = "café"'.encode("latin-1"))
    for name in ("bad.toml", "latin.toml"):
        with pytest.raises(ConfigError, match=f"{name} is not valid TOML"):
            load_recipe(tmp_path / name, Bakery)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Bakery(name="Anna").loaves = 4  # type: ignore[misc]


plain = st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), min_size=1, max_size=4), plain)
def test_numbers_come_back_from_an_override(keys: list[str], value: bool | int | float) -> None:
    """JSON writes them as TOML does."""
    assert parse_override(f"{'.'.join(keys)}={json.dumps(value)}") == (keys, value)


def test_a_value_that_is_no_toml_is_a_string() -> None:
    assert parse_override("run=runs/a=b") == (["run"], "runs/a=b")
    assert parse_override("name=") == (["name"], "")


@given(st.integers(0, 10**9))
def test_steps_are_steps(number: int) -> None:
    assert Duration(f"{number} steps").steps(total_steps=7, tokens_per_step=3) == number
    assert Duration(f"{number:_} steps") == Duration(f" {number}steps ")


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_tokens_are_rounded_up_to_whole_steps(tokens: int, per_step: int) -> None:
    steps = Duration(f"{tokens} tokens").steps(tokens_per_step=per_step)
    assert (steps - 1) * per_step < tokens <= steps * per_step


@given(st.integers(0, 100), st.integers(0, 10**6))
def test_percent_are_of_all_steps(percent: int, total: int) -> None:
    steps = Duration(f"{percent} %").steps(total_steps=total)
    assert abs(steps - percent * total / 100) <= 0.5


@given(
    st.sampled_from(
        ["10_000 steps", "1 step", "2e9 tokens", "6.5 %", "6 percent", "0 steps", "123_456_789 tokens", "0.00000125 %"]
    )
)
def test_a_duration_survives_being_written(text: str) -> None:
    duration = Duration(text)
    assert Duration(repr(duration)) == duration
    assert hash(Duration(repr(duration))) == hash(duration)
    written = Oven(warmup=duration).model_dump_json()
    assert Oven.model_validate_json(written).warmup == duration


@pytest.mark.parametrize("text", ["", "6", "steps", "-3 steps", "6 epochs", "1__0e steps", "six steps", "6 % of steps"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write a number and its unit"):
        Duration(text)


class Chain(Settings):
    shops: tuple[Bakery, ...] = Field((), description="one after the other")
    cafe: Cafe = Field(Cafe(oven=Oven(peak_rate=0.7)), description="at the end of the street")
    till: str = Field(description="where the money is")


CHAIN = Chain(shops=(Bakery(name="Anna", spare=Oven(peak_rate=2)), Bakery(name="Juma", loaves=9)), till="here")


def keys_of(value: Any, *above: Any) -> list[tuple[Any, ...]]:
    """Every key of tables within tables and lists, the whole way down to it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [(*above, key) for key in value] if isinstance(value, dict) else []
    return found + [key for name, part in inner for key in keys_of(part, *above, name)]


KEYS = [key for key in keys_of(CHAIN.model_dump(mode="json")) if key != ("till",)]

# Where a default of today stands in CHAIN.
AT_DEFAULT = {
    *(("cafe",), ("cafe", "oven"), ("cafe", "oven", "warmup"), ("shops", 0, "loaves"), ("shops", 0, "languages")),
    *(("shops", 0, "oven"), ("shops", 0, "oven", "peak_rate"), ("shops", 0, "oven", "warmup")),
    *(("shops", 0, "spare", "warmup"), ("shops", 1, "languages"), ("shops", 1, "oven"), ("shops", 1, "spare")),
    *(("shops", 1, "oven", "peak_rate"), ("shops", 1, "oven", "warmup")),
}


@pytest.mark.parametrize("lacking", KEYS, ids=str)
def test_what_an_earlier_version_did_not_know_is_at_its_default(lacking: tuple[Any, ...]) -> None:
    now = CHAIN.model_dump(mode="json")
    config = {name: value for name, value in now.items() if name != "till"} | {"parents": {"corpus": "ab"}}
    earlier = json.loads(json.dumps(config))
    table = earlier
    for key in lacking[:-1]:
        table = table[key]
    del table[lacking[-1]]
    # As in a recipe: without its whole oven the café has the chain's, with half of one the rest is any café's.
    assert (filled_in(earlier, config, CHAIN) == config) == (lacking in AT_DEFAULT)


def test_what_is_gone_or_stands_beside_the_settings_is_left_as_it_was_written() -> None:
    config = CHAIN.model_dump(mode="json", exclude={"till"})
    beside = {**config, "parents": {"corpus": "ab"}, "doors": 3}
    assert filled_in(beside, config, CHAIN) == beside
    gone = {**config, "cafe": {**config["cafe"], "stove": 5}}
    assert filled_in(gone, config, CHAIN) == gone
