"""The table of tasks: name, kind, languages, reader, metrics, source. A new benchmark of a known kind is one more row.

    task = find_task("xnli")
    files = find_files(task, Path("XNLI-1.0"), split="dev")            # every language there is
    examples = task.read(files["sw"], language="sw")

Every row reads our own files, `SPLIT.LANGUAGE.tsv` (`.json` for questions), the published ones as they are, and the
Hub's Parquet. The first seven rows are forms rather than benchmarks: any labels in our files.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import partial

from isogloss.errors import ConfigError
from isogloss.tasks import published
from isogloss.tasks.questions import read_questions
from isogloss.tasks.readers import PAIR, TEXT, read_choices, read_pairs, read_ratings, read_texts
from isogloss.tasks.scoring import (
    score_answers,
    score_classes,
    score_entities,
    score_labels,
    score_ratings,
    score_tags,
)
from isogloss.tasks.tagged import read_tagged
from isogloss.tasks.task import Task

__all__ = ["CATALOGUE", "find_task"]

JSON = "{split}.{language}.json"
ACCURACY, BOTH, ANSWERS = ("accuracy",), ("accuracy", "f1"), ("f1", "exact_match")
SPACED = "SQuAD's rules; MLQA's by letters where words have no spaces between them (`score` gives SQuAD's there too)"
NLI, YES_NO = ("entailment", "neutral", "contradiction"), ("0", "1")

_entities, _tags = partial(read_tagged, scheme="entities"), partial(read_tagged)
_nli, _pairs = partial(read_texts, columns=published.NLI), partial(read_texts, columns=published.PAIRS)
_two_classes = partial(score_classes, positive="1")
_mlqa, _squad = partial(score_answers, rules="mlqa"), partial(score_answers, rules="squad")
_squad_spaced = partial(score_answers, rules="squad-spaced")
# Some lines of its train.tsv are cut in two (nyu-mll/GLUE-baselines, issue 5).
_qqp = published.pair_columns(
    first=("question1",), second=("question2",), label=("is_duplicate", "label"), broken=True,
    not_duplicate="0", duplicate="1",
)  # fmt: skip
_mrpc = published.pair_columns(
    first=("#1 String", "sentence1"), second=("#2 String", "sentence2"), label=("Quality", "label"),
    not_equivalent="0", equivalent="1",
)  # fmt: skip
_qnli = published.pair_columns(first=("question",), second=("sentence",), label=("label",))

CATALOGUE: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task("nli", "classify", _nli, score_labels, ACCURACY, NLI, about="premise TAB hypothesis TAB label"),
        Task(
            "pair", "classify", partial(read_texts, columns=PAIR), score_labels, ACCURACY,
            about="text TAB text TAB any label",
        ),
        Task("text", "classify", partial(read_texts, columns=TEXT), score_labels, ACCURACY, about="text TAB any label"),
        Task(
            "ner", "tag", _entities, score_entities, ("f1",),
            about="word TAB entity tag; entity F1 as CoNLL counts",
        ),
        Task(
            "pos", "tag", _tags, score_tags, ACCURACY, published.UNIVERSAL_TAGS,
            about="word TAB universal part-of-speech tag",
        ),
        Task("qa", "answer", read_questions, _mlqa, ANSWERS, own=JSON, about="SQuAD JSON, MLQA's rules by language"),
        Task("squad", "answer", read_questions, _squad, ANSWERS, languages=("en",), own=JSON,
            files=("{split}-v1.1.json",), configurations=("plain_text",), counts=published.SQUAD_QUESTIONS,
            source="https://rajpurkar.github.io/SQuAD-explorer", about="SQuAD v1.1 with its own rules (English)",
        ),
        Task(
            "xnli", "classify", _nli, score_labels, ACCURACY, NLI, published.XNLI_LANGUAGES,
            files=("xnli.{split}.tsv", "xnli.{split}.jsonl", "multinli/multinli.{split}.{language}.tsv"),
            all_in_one=(".tsv", ".jsonl"),
            translated=("xnli.{split}.en.tsv", "xnli/xnli.{split}.en.tsv"),
            counts=published.XNLI_PAIRS, source="https://github.com/facebookresearch/XNLI",
        ),
        Task(
            "pawsx", "classify", partial(read_texts, columns=published.PAWSX), score_labels, ACCURACY, YES_NO,
            ("de", "en", "es", "fr", "ja", "ko", "zh"),
            files=("{language}/{split}.tsv", "x-final/{language}/{split}.tsv"),
            splits={"train": ("train", "translated_train"), "dev": ("dev_2k",), "test": ("test_2k",)},
            source="https://github.com/google-research-datasets/paws",
        ),
        Task(
            "xcopa", "choose", partial(read_choices, columns=published.XCOPA), score_labels, ACCURACY,
            languages=("et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh"),
            files=("{language}/{split}.{language}.jsonl", "data/{language}/{split}.{language}.jsonl"),
            source="https://github.com/cambridgeltl/xcopa", about="choices are counted from 0",
        ),
        *(
            Task(
                name, "classify", _nli, score_labels, ACCURACY, NLI, ("en",),
                files=("{split}.tsv", "MNLI/{split}.tsv"),
                splits={"dev": (f"dev_{part}", f"validation_{part}"), "test": (f"test_{part}",)},
                configurations=("mnli",),
                counts=published.MNLI_PAIRS, source="https://gluebenchmark.com",
            )
            for name, part in (("mnli", "matched"), ("mnli-mm", "mismatched"))
        ),
        Task(
            "qnli", "classify", partial(read_texts, columns=_qnli), score_labels, ACCURACY,
            ("entailment", "not_entailment"), ("en",), files=("{split}.tsv", "QNLI/{split}.tsv"),
            configurations=("qnli",), source="https://gluebenchmark.com",
        ),
        Task(
            "rte", "classify", _pairs, score_labels, ACCURACY, ("entailment", "not_entailment"), ("en",),
            files=("{split}.tsv", "RTE/{split}.tsv"), configurations=("rte",),
            source="https://gluebenchmark.com",
        ),
        Task(
            "qqp", "classify", partial(read_texts, columns=_qqp), _two_classes, BOTH, YES_NO, ("en",),
            files=("{split}.tsv", "QQP/{split}.tsv"), configurations=("qqp",),
            source="https://gluebenchmark.com",
        ),
        Task(
            "mrpc", "classify", partial(read_texts, columns=_mrpc), _two_classes, BOTH, YES_NO, ("en",),
            files=("{split}.tsv", "MRPC/{split}.tsv", "msr_paraphrase_{split}.txt"), configurations=("mrpc",),
            source="https://gluebenchmark.com",
        ),
        Task(
            "sst-2", "classify", partial(read_texts, columns=published.SENTENCE), score_labels, ACCURACY, YES_NO,
            ("en",), files=("{split}.tsv", "SST-2/{split}.tsv"), configurations=("sst2",),
            source="https://gluebenchmark.com",
        ),
        Task(
            "cola", "classify", partial(read_texts, columns=published.COLA), _two_classes, ("matthews", "accuracy"),
            YES_NO, ("en",), files=("{split}.tsv", "CoLA/{split}.tsv"), configurations=("cola",),
            source="https://gluebenchmark.com",
        ),
        Task(
            "sts-b", "rate", partial(read_ratings, columns=published.STSB), score_ratings, ("pearson", "spearman"),
            languages=("en",), files=("{split}.tsv", "STS-B/{split}.tsv"), configurations=("stsb",),
            source="https://gluebenchmark.com",
        ),
        Task(
            "conll", "tag", partial(read_tagged, scheme="entities", conll=True), score_entities, ("f1",),
            published.ENTITIES, ("de", "en", "es", "nl"),
            files=("{language}.{split}",), splits={"dev": ("testa",), "test": ("testb",)}, codes=published.CONLL_CODES,
            counts=published.CONLL_SENTENCES, slack=5, source="https://www.clips.uantwerpen.be/conll2003/ner",
            about="CoNLL-2002 (Spanish, Dutch) and CoNLL-2003 (English, German)",
        ),
        Task(
            "panx", "tag", _entities, score_entities, ("f1",),
            ("O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER"),
            files=("{language}/{split}", "{split}-{language}.tsv"), codes=published.PANX_CODES,
            source="https://github.com/afshinrahimi/mmner", about="WikiANN in the split that XTREME uses",
        ),
        Task(
            "masakhaner", "tag", _entities, score_entities, ("f1",),
            ("O", "B-DATE", "I-DATE", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER"),
            files=("{language}/{split}.txt", "data/{language}/{split}.txt"),
            source="https://github.com/masakhane-io/masakhane-ner", about="both versions",
        ),
        Task(
            "udpos", "tag", _tags, score_tags, ACCURACY, published.UNIVERSAL_TAGS,
            files=("{language}_*-ud-{split}.conllu", "*/{language}_*-ud-{split}.conllu", "{split}-{language}.tsv"),
            configurations=("{language}_*", "{language}"), source="https://universaldependencies.org",
            about="one treebank a language",
        ),
        Task(
            "mlqa", "answer", read_questions, _mlqa, ANSWERS, languages=published.MLQA_LANGUAGES,
            own=JSON, files=("{split}-{language}.json", "{split}/{split}-{language}.json"),
            codes=published.MLQA_CODES, counts=published.MLQA_QUESTIONS, source="https://github.com/facebookresearch/MLQA",
            about="every pair of languages of context and question, as context-de-question-en",
        ),
        Task(
            "xquad", "answer", read_questions, _squad_spaced, ANSWERS, own=JSON, files=("xquad.{language}.json",),
            splits={"test": ("validation",)}, configurations=("xquad.{language}", "{language}"),
            languages=("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh"),
            source="https://github.com/google-deepmind/xquad", about=SPACED,
        ),
        Task(
            "tydiqa-goldp", "answer", partial(read_questions, languages_in_ids=published.TYDIQA_NAMES), _squad_spaced,
            ANSWERS, languages=tuple(sorted(published.TYDIQA_NAMES.values())), own=JSON,
            all_in_one=(".json", ".parquet"),
            files=("tydiqa-goldp-v1.1-{split}.json", "tydiqa-goldp-{split}-{language}.json"),
            configurations=("secondary_task",), codes=published.TYDIQA_NAMES,
            source="https://github.com/google-research-datasets/tydiqa", about=SPACED,
        ),
        Task(
            "tatoeba", "retrieve", read_pairs, score_labels, ACCURACY, own="{split}.{language}-en.tsv",
            files=("tatoeba.{language}-eng.{language}",), codes=published.TATOEBA_CODES, found_in="en",
            source="https://github.com/facebookresearch/LASER", about="each sentence finds its English translation",
        ),
    )
}  # fmt: skip


def find_task(name: str) -> Task:
    """The task of this name. Raises ConfigError naming near ones."""
    if name not in CATALOGUE:
        near = difflib.get_close_matches(name, CATALOGUE, n=2, cutoff=0.4)
        way_out = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(CATALOGUE)}"
        raise ConfigError(f"task '{name}' is not known; {way_out}")
    return CATALOGUE[name]
