"""The probes: many scripts, each in its own letters, and every trap that is promised."""

from __future__ import annotations

import unicodedata
from collections import Counter

import pytest

from isogloss.vocab.probes import LETTERS, LONG_LINE, SENTENCES, Probe, all_probes

PROBES = list(all_probes())
IN_A_SCRIPT = PROBES[: len(SENTENCES) + len(LETTERS)]


def test_there_are_sixty_scripts_and_no_probe_twice() -> None:
    assert len({probe.script for probe in IN_A_SCRIPT}) >= 60
    assert [text for text, number in Counter(probe.text for probe in PROBES).items() if number > 1] == []


@pytest.mark.parametrize("probe", IN_A_SCRIPT, ids=lambda probe: f"{probe.script}-{probe.text[:5]}")
def test_a_probe_is_written_in_the_script_it_names(probe: Probe) -> None:
    letters = [character for character in probe.text if unicodedata.category(character)[0] in "LM"]
    named = [unicodedata.name(character, "").startswith(probe.name.upper()) for character in letters]
    # Japanese is written in three scripts at once, Greek and Latin take common marks.
    assert sum(named) >= len(letters) / 2
    assert " " in probe.text or probe.script in {"Hans", "Hant", "Jpan", "Kana"}


@pytest.mark.parametrize(
    "held",
    [
        *("\u3000", "  ", "\u200d", "\u200c", "e\u0301", "\u200f", "\u200e", "\u202b", "\0", "\t", "\n", "▁", "\ufeff"),
        *("<mask>", "<s>", "</s>", "ﬁ", "½", "ﷺ", "ｶﾞ", "\u1112\u1161\u11ab", "\u0e33", "\u0378", "\U0001f468\u200d"),
    ],
)
def test_a_trap_is_there(held: str) -> None:
    assert any(held in probe.text for probe in PROBES)


def test_special_pieces_are_marked_and_one_text_is_empty_and_one_begins_with_a_space() -> None:
    for probe in PROBES:
        assert probe.special == ("<" in probe.text), probe
    assert any(probe.text == "" for probe in PROBES)
    assert any(probe.text == " the door" for probe in PROBES)


def test_unassigned_code_points_are_unassigned() -> None:
    (probe,) = (probe for probe in PROBES if probe.name == "unassigned code points")
    assert sum(unicodedata.category(character) == "Cn" for character in probe.text) >= 4


def test_the_long_line_has_a_megabyte_and_no_space() -> None:
    (probe,) = (probe for probe in PROBES if probe.name == LONG_LINE)
    assert 1_000_000 <= len(probe.text.encode()) < 1_000_100
    assert not any(character.isspace() for character in probe.text)
    assert unicodedata.normalize("NFKC", probe.text) == probe.text
