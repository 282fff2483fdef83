"""Sentences in many scripts, on which two forms of one model are compared; the empty one is `<s> </s>` alone."""

__all__ = ["PROBES"]

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
