"""Duplicates: the paragraphs of CCNet by hash, near-duplicate documents by MinHash, both in stated memory.

Each step is arrays in, verdicts out: nothing here carries text through a join or decides by order of arrival.
"""

from __future__ import annotations

__all__: list[str] = []
