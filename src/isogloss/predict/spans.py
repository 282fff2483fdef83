"""The question tag: entities or tagged words as characters of the text, each with the model's probability."""

from __future__ import annotations

from collections.abc import Sequence

from isogloss.predict.answers import TaggedSpan
from isogloss.predict.items import Words
from isogloss.predict.loaded import LoadedModel
from isogloss.tasks import FloatArray, Span, divide_words, join_words, word_scores, word_tags, word_windows
from isogloss.tasks.metrics import Entity, entities

__all__ = ["tag_spans"]


def tag_spans(loaded: LoadedModel, texts: Sequence[Words], *, language: str | None) -> list[list[TaggedSpan]]:
    """The entities of each text, or its words where the model's tags are not those of entities."""
    model = loaded.task_model("token")
    sentences = [_words(loaded, text, language or loaded.language) for text in texts]
    windows = word_windows(sentences, loaded.tokenizer, max_length=loaded.max_length)
    logits = list(loaded.ask(model, (window.ids for window in windows), num_rows=len))
    tags = word_tags(windows, logits, loaded.labels, num_examples=len(sentences))
    scores = word_scores(windows, logits, num_examples=len(sentences))
    entity_wise = "O" in loaded.labels
    return [
        _spans(text, entities(found) if entity_wise else _single(found), words, shares)
        for (text, words), found, shares in zip(sentences, tags, scores, strict=True)
    ]


def _words(loaded: LoadedModel, text: Words, language: str | None) -> tuple[str, list[Span]]:
    if not isinstance(text, str):
        return join_words(text, language=language)
    _, starts, ends = loaded.tokenizer.encode_with_offsets(text)
    return text, divide_words(text, starts, ends)


def _single(tags: Sequence[str]) -> list[Entity]:
    return [Entity(word, word + 1, tag) for word, tag in enumerate(tags)]


def _spans(text: str, found: Sequence[Entity], words: Sequence[Span], scores: FloatArray) -> list[TaggedSpan]:
    """Words `first` to `stop` of each entity as characters of the text."""
    spans = []
    for first, stop, tag in found:
        start, end = words[first][0], words[stop - 1][1]
        spans.append(TaggedSpan(start, end, text[start:end], tag, float(scores[first:stop].mean())))
    return spans
