"""A vocabulary from much text: processor time and memory of ours and of SentencePiece by itself, each in a child.

    python benchmarks/vocab_train.py --megabytes 1000 --pieces 250002 --plain-megabytes 100
    python benchmarks/vocab_train.py --megabytes 200 --pieces 64002 --plain-megabytes 200 --memory-mb 1024

The text is a folder of LANG.txt (or the embedded phrasebook), repeated until there is enough of it, with words changed
from copy to copy: a letter replaced, or the beginning of one word put before the end of another, so that different
words go on coming as they do in real text. It is written as a corpus folder that all sides read. SentencePiece by
itself is given the same lines with its defaults; ours trains on as much too, as well as on all. MB are 10^6 bytes of
text, seconds are processor time of all threads with start and imports, peak is the child's VmHWM in MiB. The models
of the same text are compared: how many pieces are the same, and how many pieces and bits they take on a part of the
unchanged text, in all, in the language in the middle and in the three where ours is worst. The last line is JSON;
``ratio`` is SentencePiece's seconds over ours on the same text.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import math
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sentencepiece
from rich.console import Console
from rich.progress import track
from rich.table import Table

from isogloss.corpus import Corpus
from isogloss.corpus.parts import PartWriter
from isogloss.languages import canonical_code
from isogloss.manifest import write_manifest
from isogloss.vocab import MODEL_NAME, VocabSettings, Vocabulary, train_vocabulary

DEFAULT_TEXT = Path(__file__).resolve().parents[2] / "shared" / "data" / "text"
MEGABYTE, MEBIBYTE_KIB = 1_000_000, 1 << 10
PART_BYTES = 1 << 26
# One in so many words is another in a later copy.
CHANGED = 20
# Text of a language that the models are compared on.
COMPARED_CHARACTERS = 20_000
OURS, PLAIN = "isogloss", "sentencepiece"


def main() -> None:
    options = parse()
    if options.side:
        print(json.dumps(work(options)))
        return
    with tempfile.TemporaryDirectory(dir=options.work) as name:
        folder = Path(name)
        texts = read_texts(options.text)
        for size in {options.megabytes, options.plain_megabytes}:
            write_corpus(folder / f"corpus-{size:g}", texts, round(size * MEGABYTE))
        told = {
            (OURS, size): run(OURS, size, folder, options)
            for size in sorted({options.plain_megabytes, options.megabytes})
        }
        told[PLAIN, options.plain_megabytes] = run(PLAIN, options.plain_megabytes, folder, options)
        report(told, compared(told, texts, options), options)


def read_texts(folder: Path | None) -> dict[str, list[str]]:
    """The lines of each language."""
    if folder is None:
        from isogloss.phrasebook import LANGUAGES, parallel_sentences

        rows = list(parallel_sentences(list(LANGUAGES), 2000, seed=1))
        return {code: [row[column] for row in rows] for column, code in enumerate(map(canonical_code, LANGUAGES))}
    files = sorted(folder.glob("*.txt"))
    return {canonical_code(file.stem): [line for line in file.read_text("utf-8").split("\n") if line] for file in files}


def write_corpus(folder: Path, texts: dict[str, list[str]], num_bytes: int) -> None:
    """A corpus folder of as many bytes, each language by its share of the text."""
    share = num_bytes / sum(len(line.encode()) for lines in texts.values() for line in lines)
    statistics = {}
    for code, lines in track(texts.items(), "writing text", console=Console(stderr=True), transient=True):
        room = share * sum(len(line.encode()) for line in lines)
        (folder / code).mkdir(parents=True)
        tally = {"documents": 0, "lines": 0, "characters": 0, "bytes": 0, "words": 0}
        with PartWriter(folder / code, PART_BYTES) as parts:
            for line in copies(lines, random.Random(code)):
                if tally["bytes"] >= room:
                    break
                parts.write(json.dumps({"id": f"{code}:{tally['lines']}", "text": line}, ensure_ascii=False))
                for key, more in (("documents", 1), ("lines", 1), ("characters", len(line))):
                    tally[key] += more
                tally["bytes"] += len(line.encode())
                tally["words"] += line.count(" ") + 1
        statistics[code] = tally
    write_manifest(
        folder, kind="corpus", command="isogloss corpus build", config={}, statistics={"languages": statistics}
    )


def copies(lines: list[str], draw: random.Random) -> Iterator[str]:
    """The lines as they are, then again and again with some words changed."""
    yield from lines
    for _ in itertools.count():
        for line in lines:
            words = line.split(" ")
            num_changed = len(words) // CHANGED + (draw.randrange(CHANGED) < len(words) % CHANGED)
            for _ in range(num_changed):
                place = draw.randrange(len(words))
                words[place] = changed(words[place], draw.choice(words), draw)
            yield " ".join(words)


def changed(word: str, other: str, draw: random.Random) -> str:
    if not word or not other:
        return word
    place = draw.randrange(len(word))
    if draw.random() < 0.5:
        return word[:place] + draw.choice(other) + word[place + 1 :]
    return word[:place] + other[draw.randrange(len(other)) :]


def run(side: str, megabytes: float, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """One side in a process of its own."""
    model = folder / f"{side}-{megabytes:g}"
    numbers = ["--pieces", str(options.pieces), "--memory-mb", str(options.memory_mb), "--type", options.type]
    words = [sys.executable, __file__, "--side", side, str(folder / f"corpus-{megabytes:g}"), str(model), *numbers]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{side} on {megabytes:g} MB failed:\n{done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**told, "model": (model / MODEL_NAME).read_bytes()}


def work(options: argparse.Namespace) -> dict[str, Any]:
    """What a child does and tells."""
    side, corpus, output = options.side[0], Path(options.side[1]), Path(options.side[2])
    start = time.perf_counter()
    told: dict[str, Any] = {}
    if side == OURS:
        settings = VocabSettings(
            corpus=corpus,
            output=output,
            size=options.pieces,
            alpha=1.0,
            model_type=options.type,
            memory_mb=options.memory_mb,
        )
        told["words"] = train_vocabulary(settings).statistics["words"]
    else:
        train_plainly(Corpus.open(corpus), output, options)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"seconds": used.ru_utime + used.ru_stime, "wall": time.perf_counter() - start, "peak": peak(), **told}


def train_plainly(corpus: Corpus, output: Path, options: argparse.Namespace) -> None:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(line for code in corpus.languages for line in corpus.documents(code)),
        model_writer=model,
        model_type=options.type,
        vocab_size=options.pieces - 2,
        minloglevel=2,
    )
    output.mkdir()
    (output / MODEL_NAME).write_bytes(model.getvalue())


def peak() -> float:
    """MiB; ru_maxrss would begin with what the parent had."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / MEBIBYTE_KIB


def compared(
    told: dict[tuple[str, float], dict[str, Any]], texts: dict[str, list[str]], options: argparse.Namespace
) -> dict[str, Any]:
    """Ours against SentencePiece's, both of as much text."""
    sides = [Vocabulary.from_bytes(told[side, options.plain_megabytes]["model"]) for side in (OURS, PLAIN)]
    shown = {code: " ".join(lines)[:COMPARED_CHARACTERS] for code, lines in texts.items()}
    pieces, bits = np.array([[measure(side, text) for text in shown.values()] for side in sides]).transpose(2, 0, 1)
    return {
        "same_pieces": round(len(set(sides[0].pieces) & set(sides[1].pieces)) / sides[1].size, 4),
        **ratios("pieces", pieces, list(shown)),
        **(ratios("bits", bits, list(shown)) if options.type == "unigram" else {}),
    }


def measure(vocabulary: Vocabulary, text: str) -> tuple[int, float]:
    """The pieces and bits that a text takes."""
    ids = vocabulary.encode_flat([text])[0]
    return len(ids), -sum(vocabulary.scores[index] for index in ids.tolist()) / math.log(2)


def ratios(name: str, taken: npt.NDArray[np.float64], codes: list[str]) -> dict[str, Any]:
    """Ours over SentencePiece's: of all text together, of the language in the middle, and of the worst three."""
    by_language = dict(zip(codes, (taken[0] / taken[1]).tolist(), strict=True))
    worst = sorted(by_language, key=by_language.__getitem__, reverse=True)[:3]
    return {
        f"{name}_ratio": round(float(taken[0].sum() / taken[1].sum()), 4),
        f"{name}_ratio_median": round(float(np.median(list(by_language.values()))), 4),
        f"{name}_ratio_worst": {code: round(by_language[code], 4) for code in worst},
    }


def report(
    told: dict[tuple[str, float], dict[str, Any]], comparison: dict[str, Any], options: argparse.Namespace
) -> None:
    table = Table(title=f"{options.pieces:,} pieces, {options.type}, memory_mb={options.memory_mb}")
    for column in ("", "MB of text", "seconds", "wall", "peak, MiB", "words met", "kept", "floor"):
        table.add_column(column, justify="right" if column else "left")
    for (side, megabytes), facts in told.items():
        words = facts.get("words")
        more = (f"{words['met']:,}", f"{words['kept']:,}", f"{words['floor']:.2f}") if words else ()
        numbers = (f"{facts['seconds']:,.1f}", f"{facts['wall']:,.1f}", f"{facts['peak']:,.0f}")
        table.add_row(side, f"{megabytes:g}", *numbers, *more)
    Console(width=120).print(table)
    ours, plain = (told[side, options.plain_megabytes] for side in (OURS, PLAIN))
    print(
        json.dumps(
            {
                "benchmark": "vocab_train",
                "megabytes": options.megabytes,
                "plain_megabytes": options.plain_megabytes,
                "pieces": options.pieces,
                "type": options.type,
                "memory_mb": options.memory_mb,
                "machine": platform.machine(),
                "versions": {"sentencepiece": sentencepiece.__version__},
                "seconds": {f"{side} {size:g}": round(facts["seconds"], 1) for (side, size), facts in told.items()},
                "peak_mebibytes": {f"{side} {size:g}": round(facts["peak"]) for (side, size), facts in told.items()},
                **comparison,
                "peak_ratio": round(plain["peak"] / ours["peak"], 2),
                "ratio": round(plain["seconds"] / ours["seconds"], 2),
            }
        )
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = DEFAULT_TEXT if DEFAULT_TEXT.is_dir() else None
    parser.add_argument("--text", type=Path, default=default, help="a folder of LANG.txt")
    parser.add_argument("--phrasebook", action="store_true", help="the embedded phrasebook in its place")
    parser.add_argument("--megabytes", type=float, default=200.0, help="of text for ours")
    parser.add_argument("--plain-megabytes", type=float, default=100.0, help="of text for SentencePiece and for ours")
    parser.add_argument("--pieces", type=int, default=250_002, help="ids of the vocabulary")
    parser.add_argument("--type", default="unigram", choices=("unigram", "bpe"), help="SentencePiece's model")
    parser.add_argument("--memory-mb", type=int, default=3500, help="our limit, in MiB")
    parser.add_argument("--work", type=Path, help="where the text is written; none: the system's place")
    parser.add_argument("--side", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.text = None if options.phrasebook else options.text
    return options


if __name__ == "__main__":
    main()
