"""The five questions a model can be asked: fill_mask, classify, tag, answer, embed.

    model = load("runs/ner/model")
    model.tag(["Anna anaishi Oslo."])      # [[TaggedSpan(start=0, end=4, text='Anna', tag='PER', score=0.98), …]]
    load("runs/demo/model").fill_mask(["Paris is the <mask> of France."], top_k=3)
    for spans in model.stream("tag", lines): ...                     # of a file of any length, in steady memory

Every answer is about the text as it was given: spans are characters of it, words are never cut. Texts come in any
number and order; they are sorted, packed without padding, and answered in their order.

`predictor` is what users hold, `loaded` the model in it, which turns ids into numbers; `masks`, `labels`, `spans`,
`contexts` and `vectors` each answer one question, `answers` are what they give, and `items` checks what they are given.
"""

from isogloss.predict.answers import AnswerSpan, FoundAnswer, MaskFill, TaggedSpan, TextLabel
from isogloss.predict.predictor import Predictor, load

__all__ = ["AnswerSpan", "FoundAnswer", "MaskFill", "Predictor", "TaggedSpan", "TextLabel", "load"]
