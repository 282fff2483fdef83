"""Grammars: one file a language, each a table from frame to a small function, and what they share.

A frame function takes a Clause and the language's Lexicon and returns the words of the sentence in order, without
capital and full stop. ``realise`` adds those and gives the text with the place of every word in it.
"""

from __future__ import annotations

from isogloss.phrasebook.grammar.realise import (
    LANGUAGES,
    Sentence,
    Span,
    Writing,
    answer_word,
    ask_back,
    join_sentences,
    realise,
)

__all__ = ["LANGUAGES", "Sentence", "Span", "Writing", "answer_word", "ask_back", "join_sentences", "realise"]
