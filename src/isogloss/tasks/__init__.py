"""Tasks: what is asked of a model, not how it is learned. Readers, alignment, metrics, and the table that joins them.

    task = find_task("pos")
    examples = task.read(Path("data/pos/dev.sw.tsv"))
    windows = make_windows(task.kind, examples, tokenizer, language="sw", max_length=512)
    ...the model's logits of each window...
    tags = predictions(task.kind, windows, logits, labels, num_examples=len(examples))
    task.score(examples, tags, language="sw")                          # {"accuracy": 71.4}

`catalogue` the table, `readers` files, `words` words and pieces, `windows` model inputs, `outputs` what comes
back, `metrics` scores.
"""

from isogloss.tasks.catalogue import CATALOGUE, Task, data_language, find_files, find_task, gold_labels, labels_of
from isogloss.tasks.outputs import FloatArray, FoundSpan, best_spans, predictions, word_tags
from isogloss.tasks.readers import Answer, Example, QuestionExample, TaggedExample, TextExample
from isogloss.tasks.windows import (
    Kind,
    Target,
    Window,
    make_targets,
    make_windows,
    question_windows,
    text_windows,
    word_windows,
)
from isogloss.tasks.words import IntArray, Span, divide_words, join_words, word_rows

__all__ = [
    "CATALOGUE",
    "Answer",
    "Example",
    "FloatArray",
    "FoundSpan",
    "IntArray",
    "Kind",
    "QuestionExample",
    "Span",
    "TaggedExample",
    "Target",
    "Task",
    "TextExample",
    "Window",
    "best_spans",
    "data_language",
    "divide_words",
    "find_files",
    "find_task",
    "gold_labels",
    "join_words",
    "labels_of",
    "make_targets",
    "make_windows",
    "predictions",
    "question_windows",
    "text_windows",
    "word_rows",
    "word_tags",
    "word_windows",
]
