"""Grammars: one file a language, each ending in a table from frame to the parts that say it, and what they share.

A frame is a function: ``in_order(…)`` of its parts, or one of its own where order is not all. It takes a Clause and
the language's Lexicon and returns the words of the sentence, without capital and full stop. ``realise`` adds those and
gives the text with the place of every word in it.
"""

from __future__ import annotations

from isogloss.phrasebook.grammar.realise import LANGUAGES, Sentence, Span, Writing, join_sentences, realise

__all__ = ["LANGUAGES", "Sentence", "Span", "Writing", "join_sentences", "realise"]
