"""Text to ids in MB/s: ours beside bare SentencePiece and the Rust fast tokenizer, in one run.

    python benchmarks/tokenize.py --vocabulary vocab/                     # a folder or a .model file
    python benchmarks/tokenize.py --text texts/ --megabytes 20 --threads 1

Every side encodes the same lines with the same model and the same number of threads, in turns, so that a busy machine
slows all; the medians of the rounds are compared. Each turn gets new strings, as a string keeps its UTF-8 once it was
asked for. Ours ends in flat arrays. SentencePiece is asked for lists and for numpy arrays, and ours is compared with
the faster of the two. The Rust tokenizer reads the tokenizer.json that we write and gives its ids as lists. Without
--vocabulary one is trained on the text; without text the embedded phrasebook is encoded. The last line is JSON.
"""

from __future__ import annotations

import sys

if __name__ == "tokenize":
    # A script beside this file asked for the standard library's module of this name and found this one first.
    import importlib.util
    import sysconfig

    _file = f"{sysconfig.get_path('stdlib')}/tokenize.py"
    _spec = importlib.util.spec_from_file_location("tokenize", _file)
    sys.modules["tokenize"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["tokenize"])

# For the same reason what is heavy is imported where it is used: here it could be half loaded.
import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isogloss.vocab import Vocabulary

DEFAULT_TEXT = Path(__file__).resolve().parents[2] / "shared" / "data" / "text"


def main() -> None:
    options = parse()
    # Rust's threads are counted when its library is loaded.
    os.environ.update(RAYON_NUM_THREADS=str(options.threads), TOKENIZERS_PARALLELISM="true")
    from rich.console import Console
    from rich.progress import track

    lines = read_lines(options.text, round(options.megabytes * 1e6))
    sides = make_sides(lines, options)
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in track(range(options.rounds + 1), "rounds", console=Console(stderr=True), transient=True):
        for name, encode in sides.items():
            texts = [line.decode() for line in lines]
            start = time.perf_counter()
            encode(texts)
            seconds[name].append(time.perf_counter() - start)
    # The first round pays for threads and memory.
    report({name: times[1:] for name, times in seconds.items()}, lines, options)


def read_lines(text: Path | None, num_bytes: int) -> list[bytes]:
    """Lines of each file, as many bytes of one as of another, or of the phrasebook."""
    files = sorted(text.rglob("*.txt")) if text and text.is_dir() else [text] if text else []
    lines: list[bytes] = []
    for file in files:
        whole = file.read_bytes().splitlines()
        room = num_bytes / len(files)
        for line in filter(None, whole):
            if (room := room - len(line)) < 0:
                break
            lines.append(line)
    return lines or phrasebook_lines(num_bytes)


def phrasebook_lines(num_bytes: int) -> list[bytes]:
    from isogloss.phrasebook import LANGUAGES, parallel_sentences

    said = [text.encode() for row in parallel_sentences(list(LANGUAGES), 1000, seed=1) for text in row]
    size = sum(map(len, said))
    return said * max(1, num_bytes // size)


def make_sides(lines: list[bytes], options: argparse.Namespace) -> dict[str, Callable[[list[str]], object]]:
    """What each program does with the same strings."""
    import sentencepiece
    import tokenizers

    from isogloss.vocab import Vocabulary
    from isogloss.vocab.hub import write_hub_files

    vocabulary = Vocabulary.load(options.vocabulary) if options.vocabulary else trained(lines, options.size)
    options.size = vocabulary.size
    bare = sentencepiece.SentencePieceProcessor(model_proto=vocabulary.content)
    with tempfile.TemporaryDirectory() as folder:
        write_hub_files(Path(folder), vocabulary)
        rust = tokenizers.Tokenizer.from_file(f"{folder}/tokenizer.json")
    threads = options.threads
    return {
        "isogloss": lambda texts: vocabulary.encode_flat(texts, num_threads=threads),
        "sentencepiece, lists": lambda texts: bare.encode(texts, num_threads=threads),
        "sentencepiece, numpy": lambda texts: bare.encode(texts, num_threads=threads, return_type="numpy"),
        "tokenizers": lambda texts: [found.ids for found in rust.encode_batch_fast(texts, add_special_tokens=False)],
    }


def trained(lines: list[bytes], size: int) -> Vocabulary:
    """A vocabulary of the lines; smaller than asked where they hold too little."""
    import io

    import sentencepiece

    from isogloss.vocab import Vocabulary

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, vocab_size=size - 2, hard_vocab_limit=False, minloglevel=2
    )
    return Vocabulary.from_bytes(model.getvalue())


def report(seconds: dict[str, list[float]], lines: list[bytes], options: argparse.Namespace) -> None:
    import sentencepiece
    import tokenizers
    from rich.console import Console
    from rich.table import Table

    megabytes = sum(map(len, lines)) / 1e6
    title = f"{megabytes:.1f} MB in {len(lines):,} lines, {options.size:,} ids, {options.threads} threads"
    table = Table(title=title)
    for column in ("", "MB/s", "slowest", "fastest"):
        table.add_column(column, justify="right" if column else "left")
    speeds = {name: megabytes / statistics.median(times) for name, times in seconds.items()}
    for name, times in seconds.items():
        row = (speeds[name], megabytes / max(times), megabytes / min(times))
        table.add_row(name, *(f"{value:.1f}" for value in row))
    Console().print(table)
    bare = max(speeds["sentencepiece, lists"], speeds["sentencepiece, numpy"])
    result = {
        "benchmark": "tokenize",
        "megabytes": round(megabytes, 2),
        "lines": len(lines),
        "vocabulary_size": options.size,
        "threads": options.threads,
        "rounds": options.rounds,
        "versions": {"sentencepiece": sentencepiece.__version__, "tokenizers": tokenizers.__version__},
        "megabytes_per_second": {name: round(speed, 2) for name, speed in speeds.items()},
        "ratio": round(speeds["isogloss"] / bare, 3),
        "ratio_to_sentencepiece_lists": round(speeds["isogloss"] / speeds["sentencepiece, lists"], 3),
        "ratio_to_sentencepiece_numpy": round(speeds["isogloss"] / speeds["sentencepiece, numpy"], 3),
        "ratio_to_tokenizers": round(speeds["isogloss"] / speeds["tokenizers"], 2),
    }
    print(json.dumps(result))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = DEFAULT_TEXT if DEFAULT_TEXT.is_dir() else None
    parser.add_argument("--vocabulary", type=Path, help="a vocab or model folder, or a .model file")
    parser.add_argument("--size", type=int, default=8000, help="ids of the vocabulary that is trained without one")
    parser.add_argument("--text", type=Path, default=default, help="a text file or a folder of them")
    parser.add_argument("--megabytes", type=float, default=8.0, help="how much of it, evenly over the files")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads of each side")
    parser.add_argument("--rounds", type=int, default=5, help="measured turns of each side")
    return parser.parse_args()


if __name__ == "__main__":
    main()
