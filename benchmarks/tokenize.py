"""Text to ids, and a corpus to token files, in MB/s: ours beside what the libraries' own calls reach, in one run.

    python benchmarks/tokenize.py --vocabulary vocab/                     # a folder or a .model file
    python benchmarks/tokenize.py --text texts/ --megabytes 20 --threads 1 --whole-megabytes 0
    python benchmarks/tokenize.py --rounds 3 --whole-megabytes 300 --workers 1 2

Every side encodes the same lines with the same model and the same number of threads, in turns, so that a busy machine
slows all; the medians of the rounds are compared. Each turn gets new strings, as a string keeps its UTF-8 once it was
asked for. Ours ends in flat arrays. SentencePiece is asked for lists and for numpy arrays, and ours is compared with
the faster of the two. The Rust tokenizer reads the tokenizer.json that we write and gives its ids as lists. Without
--vocabulary one is trained on the text; without text the embedded phrasebook is encoded.

Then the whole of `isogloss shards`: a corpus folder of the same lines, repeated up to --whole-megabytes, becomes token
files, by every number of --workers, and in turns with it by what people write around a library: read the same JSON
lines, encode a file in one call (SentencePiece to numpy arrays with its threads; tokenizers' encode_batch), write the
tokens; and a map of datasets with the fast tokenizer of transformers and num_proc, which leaves Arrow files and not yet
tokens in a row. Each is a process of its own, timed from its start to its end, by the clock and by the processor time
of it and its children; "per core" is by the latter. Only `shards` makes offsets, a held-out part and checks of what it
reads. Best of --rounds. The last line is JSON; its "ratio" is of text to ids, its "whole" of the command.
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
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isogloss.vocab import Vocabulary

SIDES = ("sentencepiece", "tokenizers", "datasets")
DEFAULT_TEXT = Path(__file__).resolve().parents[2] / "shared" / "data" / "text"


def main() -> None:
    options = parse()
    # Rust's threads are counted when its library is loaded.
    # Those of datasets are processes.
    parallel = str(options.side != "datasets").lower()
    os.environ.update(RAYON_NUM_THREADS=str(options.threads), TOKENIZERS_PARALLELISM=parallel, HF_HUB_OFFLINE="1")
    from rich.console import Console
    from rich.progress import track

    if options.side:
        plain_side(options.side, options.folder, options.threads)
        return
    lines = read_lines(options.text, round(options.megabytes * 1e6))
    sides = make_sides(lines, options)
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in track(range(options.rounds + 1), "text to ids", console=Console(stderr=True), transient=True):
        for name, encode in sides.items():
            texts = [line.decode() for line in lines]
            start = time.perf_counter()
            encode(texts)
            seconds[name].append(time.perf_counter() - start)
    # The first round pays for threads and memory.
    result = report({name: times[1:] for name, times in seconds.items()}, lines, options)
    if options.whole_megabytes:
        result["whole"] = whole(lines, options)
    print(json.dumps(result))


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


def whole(lines: list[bytes], options: argparse.Namespace) -> dict[str, Any]:
    """A corpus to token files by every side, the best of its rounds."""
    from rich.console import Console
    from rich.table import Table

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        megabytes = write_inputs(folder, lines, options)
        commands = {
            f"shards, {workers}": [
                *(sys.executable, "-m", "isogloss", "shards", f"corpus={folder}/corpus", f"vocabulary={folder}/vocab"),
                *(f"output={folder}/made", f"workers={workers}"),
            ]
            for workers in options.workers
        }
        for side in options.sides:
            words = [sys.executable, __file__, "--side", side, "--folder", str(folder)]
            commands |= {f"{side}, {n}": [*words, "--threads", str(n)] for n in options.workers}
        runs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, words in commands.items():
                runs[name].append(timed(words, folder))
    table = Table(title=f"{megabytes:.0f} MB of a corpus to token files, on so many cores")
    for column in ("", "processor s", "s by the clock", "MB/s per core", "MB/s"):
        table.add_column(column, justify="right" if column else "left")
    best = {name: (min(cpu for cpu, _ in own), min(wall for _, wall in own)) for name, own in runs.items()}
    for name, (cpu, wall) in best.items():
        table.add_row(name, *(f"{value:.1f}" for value in (cpu, wall, megabytes / cpu, megabytes / wall)))
    Console().print(table)
    ours = f"shards, {options.workers[0]}"
    return {
        "megabytes": round(megabytes, 2),
        "megabytes_per_second_per_core": {name: round(megabytes / cpu, 2) for name, (cpu, _) in best.items()},
        "megabytes_per_second": {name: round(megabytes / wall, 2) for name, (_, wall) in best.items()},
        "ratio_per_core": {name: round(cpu / best[ours][0], 3) for name, (cpu, _) in best.items() if name != ours},
    }


def write_inputs(folder: Path, lines: list[bytes], options: argparse.Namespace) -> float:
    """A corpus of documents of twenty lines in parts of some 30 MB, and the vocabulary; returns the megabytes."""
    from isogloss.corpus.parts import PartWriter
    from isogloss.manifest import write_manifest
    from isogloss.vocab import Vocabulary
    from isogloss.vocab.hub import write_hub_files

    documents = [b"\n".join(lines[start : start + 20]).decode() for start in range(0, len(lines), 20)]
    once = sum(len(document.encode()) for document in documents)
    times = max(1, round(options.whole_megabytes * 1e6 / once))
    with PartWriter(folder / "corpus" / "en", 30_000_000) as writer:
        for number in range(times):
            for index, document in enumerate(documents):
                writer.write(json.dumps({"id": f"{number}:{index}", "text": document}, ensure_ascii=False))
    counts = {"documents": times * len(documents), "bytes": times * once}
    write_manifest(
        folder / "corpus", kind="corpus", command="", config={}, statistics={"languages": {"en": counts}, "dropped": {}}
    )
    vocabulary = Vocabulary.load(options.vocabulary) if options.vocabulary else trained(lines, options.size)
    (folder / "vocab").mkdir()
    (folder / "vocab" / "sentencepiece.bpe.model").write_bytes(vocabulary.content)
    write_hub_files(folder / "vocab", vocabulary)
    return times * once / 1e6


def timed(words: list[str], folder: Path) -> tuple[float, float]:
    """Processor time and time by the clock of a command and its children."""
    import shutil

    start = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, words
    shutil.rmtree(folder / "made")
    return usage.ru_utime + usage.ru_stime, wall


def plain_side(side: str, folder: Path, threads: int) -> None:
    """What people write around a library: each file read, encoded in one call, written."""
    import numpy as np

    made = folder / "made"
    made.mkdir()
    files = sorted((folder / "corpus" / "en").iterdir())
    if side == "datasets":
        import datasets
        import transformers

        fast = transformers.PreTrainedTokenizerFast(tokenizer_file=f"{folder}/vocab/tokenizer.json")
        # Without a fresh cache a second run would find the first one's work.
        texts = datasets.load_dataset(
            "json", data_files=list(map(str, files)), split="train", cache_dir=f"{made}/cache"
        )
        texts.map(
            lambda rows: {"input_ids": fast(rows["text"], add_special_tokens=False)["input_ids"]},
            batched=True,
            num_proc=threads,
            remove_columns=texts.column_names,
        ).save_to_disk(made / "tokens")
        return
    size, encode = encoder(side, folder / "vocab", threads)
    dtype = np.uint16 if size <= 1 << 16 else np.uint32
    for number, file in enumerate(files):
        texts = read_texts(file)
        with (made / f"{number}.bin").open("wb") as stream:
            for ids in encode(texts):
                np.append(np.asarray(ids, dtype), dtype(2)).tofile(stream)


def read_texts(file: Path) -> list[str]:
    import io

    import zstandard

    with file.open("rb") as stream:
        blocks = zstandard.ZstdDecompressor().stream_reader(stream)
        return [json.loads(line)["text"] for line in io.TextIOWrapper(blocks, encoding="utf-8", newline="\n")]


def encoder(side: str, vocab: Path, threads: int) -> tuple[int, Callable[[list[str]], Iterable[Any]]]:
    """The number of its pieces, and texts to ids."""
    if side == "sentencepiece":
        import sentencepiece

        bare = sentencepiece.SentencePieceProcessor(model_file=f"{vocab}/sentencepiece.bpe.model")
        return len(bare), lambda texts: bare.encode(texts, num_threads=threads, return_type="numpy")
    import tokenizers

    rust = tokenizers.Tokenizer.from_file(f"{vocab}/tokenizer.json")
    return rust.get_vocab_size(), lambda texts: (
        found.ids for found in rust.encode_batch(texts, add_special_tokens=False)
    )


def report(seconds: dict[str, list[float]], lines: list[bytes], options: argparse.Namespace) -> dict[str, Any]:
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
    return {
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


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = DEFAULT_TEXT if DEFAULT_TEXT.is_dir() else None
    parser.add_argument("--vocabulary", type=Path, help="a vocab or model folder, or a .model file")
    parser.add_argument("--size", type=int, default=8000, help="ids of the vocabulary that is trained without one")
    parser.add_argument("--text", type=Path, default=default, help="a text file or a folder of them")
    parser.add_argument("--megabytes", type=float, default=8.0, help="how much of it, evenly over the files")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads of each side")
    parser.add_argument("--rounds", type=int, default=5, help="measured turns of each side")
    parser.add_argument("--whole-megabytes", type=float, default=30.0, help="size of the corpus; 0: text to ids alone")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="cores of each side of the whole")
    parser.add_argument("--sides", nargs="*", default=list(SIDES), choices=SIDES, help="beside isogloss shards")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
