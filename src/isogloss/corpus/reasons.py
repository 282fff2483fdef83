"""Every reason why a document or a line is not in a corpus, by the step that finds it, in the order of the steps.

The steps' own tables stand beside their code; those of reading, which has several files, stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from isogloss.corpus import decontaminate, personal, rules
from isogloss.corpus.dedup import clusters, repeats
from isogloss.corpus.identify import identified
from isogloss.corpus.lm import step as perplexity

__all__ = ["DOCUMENT_REASONS", "LINE_REASONS", "NOTES", "STEPS", "Step", "step_of"]

READING_DOCUMENT_REASONS = {
    "bad-json": "a JSON line that cannot be parsed",
    "not-an-object": "a JSON line that is no object",
    "bad-utf8-record": "a JSON line or a WET record that is not UTF-8",
    "long-record": "a JSON line or crawl record over max_record_bytes, or a page over max_html_bytes or max_page_bytes",
    "cut-off-record": "the last JSON line of a damaged file, or a crawl record or a wiki's page that it breaks off in",
    "bad-member": "a compressed member of a crawl file that cannot be decompressed, whatever records it held",
    "bad-record-header": "what stands where a crawl record has to begin is no WARC header",
    "bad-length": "a crawl record without a length, or at whose end no other begins",
    "bad-digest": "a crawl record that is not what its digest says",
    "bad-http": "a crawl record that is no HTTP response, or whose body cannot be decoded",
    "bad-status": "a response other than 200",
    "not-html": "a response that is no HTML",
    "bad-encoding": "a page that is in none of the encodings it may be in",
    "deep-html": "a page of more than 2000 elements in each other",
    "bad-wikitext": "a page of a wiki whose text cannot be parsed",
    "no-text": "a record whose text is missing or is no string",
    "no-language": "a record without a language, in a file whose name has none either",
    "bad-language": "a record whose language is not a BCP 47 code",
    "other-language": "a record in a language that was not asked for",
    "empty-document": "no line is left in it",
}
READING_LINE_REASONS = {
    "bad-utf8-line": "not UTF-8, or a lone surrogate",
    "nul-line": "contains a NUL byte",
    "long-line": "over max_line_bytes",
    "cut-off-line": "the last line of a damaged file",
}
READING_NOTES = {
    "split-document": "cut at a line end to stay under max_document_bytes; nothing is lost",
    "other-page": "a page of a wiki that is no article: a redirect, or one of talk, files, templates, categories",
    "other-record": "a crawl record that holds no page: of the crawl, of a request, of a page fetched before",
}


class Step(NamedTuple):
    """What one step may say of documents and lines, each reason with its meaning."""

    documents: Mapping[str, str]
    lines: Mapping[str, str]
    notes: Mapping[str, str] = {}


STEPS = {
    "reading": Step(READING_DOCUMENT_REASONS, READING_LINE_REASONS, READING_NOTES),
    "rules": Step(rules.DOCUMENT_REASONS, rules.LINE_REASONS),
    "personal data": Step({}, personal.LINE_REASONS, personal.NOTES),
    "repeated lines": Step({}, repeats.LINE_REASONS),
    "identification": Step(identified.DOCUMENT_REASONS, identified.LINE_REASONS),
    "duplicates": Step({"duplicate-document": "the same text as an earlier document of the language"}, {}),
    "decontamination": Step(decontaminate.DOCUMENT_REASONS, decontaminate.LINE_REASONS),
    "perplexity": Step(perplexity.REASONS, {}),
    "near-duplicates": Step(clusters.DOCUMENT_REASONS, {}),
    "limits": Step({"over-limit": "no room within the size limit of the language"}, {}),
}
DOCUMENT_REASONS = {reason: meaning for step in STEPS.values() for reason, meaning in step.documents.items()}
LINE_REASONS = {reason: meaning for step in STEPS.values() for reason, meaning in step.lines.items()}
NOTES = {what: meaning for step in STEPS.values() for what, meaning in step.notes.items()}


def step_of(reason: str) -> str:
    """The name of the step that drops for this reason."""
    return next(name for name, step in STEPS.items() if reason in step.documents or reason in step.lines)
