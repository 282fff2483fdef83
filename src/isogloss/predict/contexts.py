"""The question answer: where in a context the answer to a question stands, and how likely there is none."""

from __future__ import annotations

from collections.abc import Sequence

from isogloss.errors import ConfigError
from isogloss.predict.answers import AnswerSpan, FoundAnswer
from isogloss.predict.loaded import LoadedModel
from isogloss.tasks import FoundSpan, no_answers, question_windows, ranked_spans

__all__ = ["find_answers"]


def find_answers(
    loaded: LoadedModel, questions: Sequence[tuple[str, str]], *, top_k: int, longest_answer: int
) -> list[FoundAnswer]:
    """The best answer to each (question, context) over all windows of the context, with the next best ones."""
    model = loaded.task_model("question")
    if top_k < 1:
        raise ConfigError(f"top_k = {top_k} is no number of answers; give 1 or more")
    if longest_answer < 1:
        raise ConfigError(f"longest_answer = {longest_answer} is no number of pieces; give 1 or more")
    windows = question_windows(questions, loaded.tokenizer, max_length=loaded.max_length)
    logits = list(loaded.ask(model, (window.ids for window in windows), num_rows=len))
    contexts = [context for _, context in questions]
    ranked = ranked_spans(windows, logits, contexts, top_k=top_k, longest_answer=longest_answer)
    without = no_answers(windows, logits, num_examples=len(questions))
    return [_answer(*found) for found in zip(contexts, ranked, without, strict=True)]


def _answer(context: str, spans: Sequence[FoundSpan], without: FoundSpan) -> FoundAnswer:
    """Where nothing can be answered with, the empty answer."""
    best, *others = (
        AnswerSpan(span.start, span.end, context[span.start : span.end], span.score, span.probability)
        for span in spans or [without]
    )
    return FoundAnswer(
        best.start, best.end, best.text, best.score, best.probability, without.score, others=tuple(others)
    )
