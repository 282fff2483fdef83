"""Sentences in many scripts, on which two forms of one model are compared; the empty one is `<s> </s>` alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isogloss.vocab import Vocabulary

__all__ = ["PROBES", "probe_sequences"]

PROBES = (
    "",
    "Anna sees a dog in the garden, and it is not hers.",
    "Am Morgen öffnet der Bäcker die Tür um 7:30 Uhr.",
    "Утром пекарь открывает дверь.",
    "Το πρωί ο φούρναρης ανοίγει την πόρτα.",
    "في الصباح يفتح الخباز باب الدكان.",
    "सुबह बेकर दुकान का दरवाज़ा खोलता है।",
    "早上面包师打开店门。",
    "朝、パン屋さんがドアを開けます。",
    "아침에 빵집 주인이 문을 연다.",
    "ตอนเช้าคนทำขนมปังเปิดประตูร้าน",
    "Asubuhi mwokaji anafungua mlango.",
)


def probe_sequences(vocabulary: Vocabulary, *, max_length: int) -> Iterator[list[int]]:
    """Each sentence as `<s> … </s>` of at most `max_length` ids, with a <mask> in the middle, as in training."""
    for encoded in vocabulary.encode(PROBES):
        body = encoded.tolist()[: max(max_length - 3, 0)]
        body.insert(len(body) // 2, vocabulary.mask_id)
        yield [vocabulary.bos_id, *body, vocabulary.eos_id][:max_length]
