"""Hindi. Tags and keys of the cells: see hindustani.py, which holds the grammar it shares with Urdu."""

from __future__ import annotations

from isogloss.phrasebook.grammar.hindustani import Tongue, frames
from isogloss.phrasebook.grammar.words import FrameTable

__all__ = ["FRAMES"]

HINDI = Tongue(
    masculine=(
        ("ा", "े", "े", "ों"),
        ("ी", "ी", "ी", "ियों"),
        ("ि", "ि", "ि", "ियों"),
        ("ू", "ू", "ू", "ुओं"),
        ("", "", "", "ों"),
    ),
    feminine=(
        ("िया", "िया", "ियाँ", "ियों"),
        ("ी", "ी", "ियाँ", "ियों"),
        ("ा", "ा", "ाएँ", "ाओं"),
        ("", "", "ें", "ों"),
    ),
    fixed=("", "", "", "ओं"),
    participle=("ता", "ते", "ती", "तीं"),
    adjective=("ा", "े", "ी"),
    infinitive="ना",
    is_are=("है", "हैं"),
    of=("का", "के", "की"),
    mein="में",
    par="पर",
    near="के पास",
    ko="को",
    se="से",
    beside="के साथ",
    for_="के लिए",
    not_="नहीं",
    and_="और",
    one="एक",
    any_=("कोई", "किसी"),
    some="कुछ",
    those=("वे", "उन"),
    more="ज़्यादा",
    year="साल",
    euro="यूरो",
    name="नाम",
    who="कौन",
    whom="किसे",
    whose="किस",
    what="क्या",
    where="कहाँ",
    how_many=("कितने", "कितनी"),
)

FRAMES: FrameTable = frames(HINDI)
