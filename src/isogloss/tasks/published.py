"""Facts about published sets: columns, labels, languages, what files and languages are called, numbers of examples.

Numbers are those of XNLI and SQuAD as commonly given, of MLQA's repository, and sentences of the CoNLL shared tasks,
which differ by a few between copies; of other sets we know none that we would hold a file against.
"""

from __future__ import annotations

from collections.abc import Mapping

from isogloss.corpus.names import WIKIMEDIA
from isogloss.tasks.tables import Columns

__all__ = [
    "COLA",
    "CONLL_CODES",
    "CONLL_SENTENCES",
    "ENTITIES",
    "MLQA_CODES",
    "MLQA_LANGUAGES",
    "MLQA_QUESTIONS",
    "MNLI_PAIRS",
    "NLI",
    "PAIRS",
    "PANX_CODES",
    "PAWSX",
    "SENTENCE",
    "SQUAD_QUESTIONS",
    "STSB",
    "TATOEBA_CODES",
    "TYDIQA_NAMES",
    "UNIVERSAL_TAGS",
    "XCOPA",
    "XNLI_LANGUAGES",
    "XNLI_PAIRS",
    "pair_columns",
]

Counts = Mapping[str, Mapping[str, int]]

ENTITIES = ("O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG", "B-PER", "I-PER")
UNIVERSAL_TAGS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ",
    "SYM", "VERB", "X",
)  # fmt: skip

# Of GLUE's files, its copy on the Hub and XCOPA's: the number of an example. What other sets call ids is another thing:
# XNLI's and MNLI's promptID and pairID, which several rows share, MRPC's and QQP's of each text. QQP's own id is left
# alone too, as lines that were published broken put another cell in its place.
_IDS = {"id": ("index", "idx"), "other": ("id", "pairID", "#1 ID", "qid1")}


def pair_columns(
    *, first: tuple[str, ...], second: tuple[str, ...], label: tuple[str, ...], broken: bool = False, **renamed: str
) -> Columns:
    """Columns of a pair and its label by their published names; `renamed` are labels of the Hub's copy and ours."""
    published = {"text": first, "text_pair": second, "label": label, **_IDS}
    return Columns(own=("text", "text_pair", "label"), published=published, renamed=renamed, broken=broken)


# XNLI and MNLI (gold_label), the machine translations of MNLI (hypo, contradictory), the Hub's copies (hypothesis).
NLI = Columns(
    own=("text", "text_pair", "label"),
    published={
        "text": ("sentence1", "premise"),
        "text_pair": ("sentence2", "hypothesis", "hypo"),
        "label": ("gold_label", "label"),
        "language": ("language",),
        **_IDS,
    },
    renamed={"contradictory": "contradiction"},
)
PAIRS = pair_columns(first=("sentence1",), second=("sentence2",), label=("label",))
PAWSX = Columns(own=PAIRS.own, published={**PAIRS.published, "id": ("id",)})
SENTENCE = Columns(
    own=("text", "label"),
    published={"text": ("sentence",), "label": ("label",), **_IDS},
    renamed={"negative": "0", "positive": "1"},
)
# Its files have no header: source, label, the author's mark, sentence.
COLA = Columns(
    own=("text", "label"),
    published=SENTENCE.published,
    bare=("", "label", "", "text"),
    renamed={"unacceptable": "0", "acceptable": "1"},
)
STSB = Columns(
    own=("text", "text_pair", "label"),
    published={"text": ("sentence1",), "text_pair": ("sentence2",), "label": ("score", "label"), **_IDS},
)
XCOPA = Columns(
    own=("premise", "question", "choice1", "choice2", "label"),
    published={name: (name,) for name in ("premise", "question", "choice1", "choice2", "label")} | {"id": ("idx",)},
)

XNLI_LANGUAGES = ("ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh")
# XNLI's training part is MNLI's.
MNLI_PAIRS: Counts = {"train": {"en": 392_702}}
XNLI_PAIRS: Counts = {
    **MNLI_PAIRS,
    "dev": dict.fromkeys(XNLI_LANGUAGES, 2490),
    "test": dict.fromkeys(XNLI_LANGUAGES, 5010),
}
MLQA_QUESTIONS: Counts = {
    "dev": {"en": 1148, "de": 512, "es": 500, "ar": 517, "zh": 504, "vi": 511, "hi": 507},
    "test": {"en": 11590, "de": 4517, "es": 5254, "ar": 5335, "zh": 5137, "vi": 5495, "hi": 4918},
}
SQUAD_QUESTIONS: Counts = {"train": {"en": 87_599}, "dev": {"en": 10_570}}
CONLL_SENTENCES: Counts = {
    "train": {"en": 14_041, "de": 12_152, "es": 8323, "nl": 15_806},
    "dev": {"en": 3250, "de": 2867, "es": 1915, "nl": 2895},
    "test": {"en": 3453, "de": 3005, "es": 1517, "nl": 5195},
}

# With the one configuration of the Hub's CoNLL-2003, which is English.
CONLL_CODES = {"eng": "en", "deu": "de", "esp": "es", "ned": "nl", "conll2003": "en"}
MLQA_LANGUAGES = ("ar", "de", "en", "es", "hi", "vi", "zh")
# The Hub's configurations: language of the context, then of the question.
MLQA_CODES = {
    f"mlqa.{context}.{question}": context if context == question else f"context-{context}-question-{question}"
    for context in MLQA_LANGUAGES
    for question in MLQA_LANGUAGES
}
# WikiANN is called after editions of Wikipedia; that in simple words is beside the English one.
PANX_CODES = {**WIKIMEDIA, "simple": "en-simple"}
TATOEBA_CODES = {"cmn": "zh", "pes": "fa", "nob": "no"}
TYDIQA_NAMES = {
    "arabic": "ar", "bengali": "bn", "english": "en", "finnish": "fi", "indonesian": "id", "korean": "ko",
    "russian": "ru", "swahili": "sw", "telugu": "te",
}  # fmt: skip
