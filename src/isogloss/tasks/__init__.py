"""Tasks: what is asked of a model, not how it is learned. Readers, alignment, metrics, and the table that joins them.

    task = find_task("pos")
    examples = task.read(Path("data/pos/dev.sw.tsv"))
    windows = make_windows(task.kind, examples, tokenizer, language="sw", max_length=512)
    ...the model's logits of each window...
    tags = predictions(task.kind, windows, logits, labels, num_examples=len(examples))
    task.score(examples, tags, language="sw")                          # {"accuracy": 71.4}

`catalogue` the table, with `published` facts; `finding` their files, with `codes` and `hub`; `readers`, `tagged` and
`questions` read them; `words` words and pieces, `windows` model inputs, `targets` what they should give, `outputs` what
comes back, `predicted` as files, which `scoring` compares with what `gold` reads.
"""

from isogloss.tasks.catalogue import CATALOGUE, find_task
from isogloss.tasks.codes import data_language, same_language
from isogloss.tasks.examples import (
    Answer,
    ChoiceExample,
    Example,
    Kind,
    PairExample,
    QuestionExample,
    RatedExample,
    TaggedExample,
    TextExample,
    gold_labels,
    is_labelled,
)
from isogloss.tasks.files import Tell
from isogloss.tasks.finding import find_files, splits_in
from isogloss.tasks.outputs import (
    LONGEST_ANSWER,
    FloatArray,
    FoundSpan,
    best_spans,
    no_answers,
    predictions,
    ranked_spans,
    word_scores,
    word_tags,
)
from isogloss.tasks.scoring import Report
from isogloss.tasks.targets import Target, answer_lengths, make_targets
from isogloss.tasks.task import Task, labels_of
from isogloss.tasks.windows import (
    Long,
    Window,
    make_windows,
    question_windows,
    text_windows,
    word_windows,
)
from isogloss.tasks.words import IntArray, Span, divide_words, join_words, word_rows

__all__ = [
    "CATALOGUE",
    "LONGEST_ANSWER",
    "Answer",
    "ChoiceExample",
    "Example",
    "FloatArray",
    "FoundSpan",
    "IntArray",
    "Kind",
    "Long",
    "PairExample",
    "QuestionExample",
    "RatedExample",
    "Report",
    "Span",
    "TaggedExample",
    "Target",
    "Task",
    "Tell",
    "TextExample",
    "Window",
    "answer_lengths",
    "best_spans",
    "data_language",
    "divide_words",
    "find_files",
    "find_task",
    "gold_labels",
    "is_labelled",
    "join_words",
    "labels_of",
    "make_targets",
    "make_windows",
    "no_answers",
    "predictions",
    "question_windows",
    "ranked_spans",
    "same_language",
    "splits_in",
    "text_windows",
    "word_rows",
    "word_scores",
    "word_tags",
    "word_windows",
]
