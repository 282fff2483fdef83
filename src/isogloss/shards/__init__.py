"""Shards: a corpus in the ids of a vocabulary, as memory-mapped files, and reading them back.

    build_shards(ShardSettings(corpus=Path("corpus"), vocabulary=Path("vocab"), output=Path("shards")))
    shards = Shards.open("shards", vocabulary=vocabulary)
    shards.tokens("sw")[:512]              # np.memmap, uint16 or uint32
    tokens, offsets, num_characters = shards.held_out("sw")

Per language: ``part-00000.bin`` holds each document's ids followed by ``</s>``, ``part-00000.offsets.npy`` where each
document starts and, last, where the file ends; ``held-out.bin`` and ``held-out.offsets.npy`` likewise. Sentences with
their translations are in ``pairs/en-sw/``, source and target in turn as if each were a document.
"""

from isogloss.shards.build import ShardSettings, build_shards
from isogloss.shards.read import Shards

__all__ = ["ShardSettings", "Shards", "build_shards"]
