"""Urdu. Tags and keys of the cells: see hindustani.py, which holds the grammar it shares with Hindi."""

from __future__ import annotations

from isogloss.phrasebook.grammar.hindustani import Tongue, frames
from isogloss.phrasebook.grammar.words import FrameTable

__all__ = ["FRAMES"]

URDU = Tongue(
    masculine=(
        ("ا", "ے", "ے", "وں"),
        ("ہ", "ے", "ے", "وں"),
        ("", "", "", "وں"),
    ),
    feminine=(
        ("ی", "ی", "یاں", "یوں"),
        ("", "", "یں", "وں"),
    ),
    fixed=("", "", "", "وں"),
    participle=("تا", "تے", "تی", "تیں"),
    adjective=("ا", "ے", "ی"),
    infinitive="نا",
    is_are=("ہے", "ہیں"),
    of=("کا", "کے", "کی"),
    mein="میں",
    par="پر",
    near="کے پاس",
    ko="کو",
    se="سے",
    beside="کے ساتھ",
    for_="کے لیے",
    not_="نہیں",
    and_="اور",
    one="ایک",
    any_=("کوئی", "کسی"),
    some="کچھ",
    those=("وہ", "ان"),
    more="زیادہ",
    year="سال",
    euro="یورو",
    name="نام",
    who="کون",
    whom="کسے",
    whose="کس ",  # written apart from what follows, as in کس کی
    what="کیا",
    where="کہاں",
    how_many=("کتنے", "کتنی"),
)

FRAMES: FrameTable = frames(URDU)
