"""Vectors of texts on this machine: ours beside the engines that people use, in one run.

    python benchmarks/encode.py                                           # XLM-R Base shape; text of the phrasebook
    python benchmarks/encode.py --text FOLDER --vocabulary runs/vocab     # LANG.txt files: a sentence a line
    python benchmarks/encode.py --sides isogloss transformers-pipeline openvino-bf16 --threads 2

Every side answers the same question, the mean of a text's hidden states, from text to vector, with one model of random
weights. Two sets: sentences as they lie in 15 languages, in their order, and long documents (cut at 512 tokens by all).
A side runs in a process of its own: it loads, goes once through both sets for its kernels to be chosen, and then is
timed on each. Rounds take turns and medians are compared. `difference` is that of its vectors from those of
transformers in fp32, as a share of their length; memory is the process's own peak. The share of the peak is that of our
packed products (no padding) beside a large product in the type we compute in, measured in the same process.

The last line is JSON: `ratio` is how much faster we are than transformers' pipeline with its defaults on sentences,
`ratio_bf16` than transformers in bf16 on sorted batches, `ratio_next` than the fastest other side whose vectors differ
by no more than twice ours. A side whose package is not there, or which cannot read the model, is said and left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from encode_sides import MAX_LENGTH, SIDES
from random_model import fill_vocabulary, make_vocabulary
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from isogloss.checkpoint import save_model
from isogloss.devices import choose, peak_flops, peak_memory
from isogloss.interop.onnx import write_graph
from isogloss.model import Encoder, ModelSettings, initialise
from isogloss.phrasebook import pairs
from isogloss.plan.arithmetic import BatchShape, flops_per_token

LANGUAGES = ("ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh")
SETS = ("sentences", "documents")
# Characters of a line that is taken for a sentence; of a document at least.
SENTENCE, DOCUMENT = range(10, 400), 2000
REFERENCE, PIPELINE, SORTED = "transformers-batches", "transformers-pipeline", "transformers-bf16"
MEGABYTE = 1 << 20


def main() -> None:
    options = parse()
    if options.side:
        print(json.dumps(time_side(options)), flush=True)
        os._exit(0)  # some engines' threads do not end by themselves
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        make_files(Path(folder), options)
        told = run_sides(folder, options)
        differences = {side: difference(Path(folder), side) for side in told}
    print(json.dumps(summary(told, differences, options)))


def make_files(folder: Path, options: argparse.Namespace) -> None:
    """Texts, the model, and the model in the forms that the sides asked for read."""
    console = Console(stderr=True)
    size = options.vocabulary_size
    if options.text:
        texts = real_texts(options)
        vocabulary = fill_vocabulary(Path(options.vocabulary), folder / "vocab", size)
    else:
        texts = phrasebook_texts(options)
        vocabulary = make_vocabulary(folder, documents=options.phrasebook, pieces=options.pieces, size=size)
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    layers = {} if options.layers is None else {"num_layers": options.layers}
    encoder = Encoder(ModelSettings(preset=options.preset, vocabulary_size=size, max_length=MAX_LENGTH, **layers))
    initialise(encoder, 1)
    console.print("writing the model")
    save_model(folder / "model", encoder, vocabulary_folder=vocabulary, parents=[], command="benchmark", card="")
    if any(side.startswith(("onnx", "openvino")) for side in options.sides):
        console.print("writing the graph")
        (folder / "onnx").mkdir()
        write_graph(encoder, folder / "onnx" / "model.onnx")
    del encoder
    if any(side in options.sides for side in ("onnxruntime-int8", "openvino-int8")):
        quantise(folder)
    if any(side.startswith("ctranslate2") for side in options.sides):
        convert_for_ctranslate2(folder)


def real_texts(options: argparse.Namespace) -> dict[str, list[str]]:
    """Lines and whole documents of LANG.txt files, as many of each language."""
    if not options.vocabulary:
        raise SystemExit("--text needs --vocabulary, a folder of 'isogloss vocab train' for these languages")
    sentences, documents = [], []
    random = np.random.default_rng(1)
    files = [Path(options.text) / f"{language}.txt" for language in LANGUAGES]
    for path in (path for path in files if path.is_file()):
        blocks = path.read_text(encoding="utf-8").split("\n\n")
        lines = [line for block in blocks for line in block.splitlines() if len(line) in SENTENCE]
        sentences += random.choice(lines, -(-options.sentences // len(LANGUAGES)), replace=False).tolist()
        long = [" ".join(block.split()) for block in blocks if len(block) >= DOCUMENT]
        documents += long[: -(-options.documents // len(LANGUAGES))]
    # In no order, as they come in use.
    return {
        "sentences": random.permutation(sentences)[: options.sentences].tolist(),
        "documents": random.permutation(documents)[: options.documents].tolist(),
    }


def phrasebook_texts(options: argparse.Namespace) -> dict[str, list[str]]:
    """One to three sentences of the embedded phrasebook as a sentence, sixty as a document."""
    random = np.random.default_rng(1)
    drawn = {
        language: [pair.premise for pair in pairs(language, 200, seed=1, held_out=False)] for language in LANGUAGES
    }

    def joined(number: int, length: int) -> str:
        return " ".join(random.choice(drawn[LANGUAGES[number % len(LANGUAGES)]], length).tolist())

    return {
        "sentences": [joined(number, random.integers(1, 4)) for number in range(options.sentences)],
        "documents": [joined(number, 60) for number in range(options.documents)],
    }


def quantise(folder: Path) -> None:
    """onnxruntime's own dynamic quantisation, a scale for each output."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    (folder / "onnx-int8").mkdir()
    source, target = folder / "onnx" / "model.onnx", folder / "onnx-int8" / "model.onnx"
    quantize_dynamic(source, target, per_channel=True, weight_type=QuantType.QInt8)


def convert_for_ctranslate2(folder: Path) -> None:
    """Its loader reads a model with a classification head, and an attribute that transformers 5 no longer has."""
    import transformers
    from ctranslate2.converters import TransformersConverter

    transformers.PretrainedConfig.position_embedding_type = "absolute"
    try:
        TransformersConverter(str(folder / "model")).convert(str(folder / "ctranslate2"))
    except (AttributeError, ValueError) as error:
        Console(stderr=True).print(f"ctranslate2 cannot convert the model: {error}")


def run_sides(folder: str, options: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """Rounds of each side in turns; one that fails at first is left out."""
    told: dict[str, list[dict[str, Any]]] = {side: [] for side in options.sides}
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=options.rounds * len(told))
        for number in range(options.rounds):
            for side in list(told):
                bar.update(task, description=side, advance=1)
                done = subprocess.run(command_of(side, folder, options), capture_output=True, text=True, env=offline())
                if done.returncode == 0:
                    told[side].append(json.loads(done.stdout.splitlines()[-1]))
                elif number == 0:
                    bar.console.print(f"{side} is left out: {done.stderr.strip().splitlines()[-1]}")
                    del told[side]
                else:
                    raise SystemExit(f"{side} failed:\n{done.stderr}")
    return told


def command_of(side: str, folder: str, options: argparse.Namespace) -> list[str]:
    return [sys.executable, __file__, "--side", side, "--folder", folder, "--threads", str(options.threads)]


def offline() -> dict[str, str]:
    return os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def time_side(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of each set, once warm; the vectors are left beside the model."""
    warnings.simplefilter("ignore")
    if options.threads:
        torch.set_num_threads(options.threads)
    folder = Path(options.folder)
    texts: dict[str, list[str]] = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    device = choose()
    held = peak_memory(device)
    answer = SIDES[options.side](folder)
    vectors = {name: answer(some) for name, some in texts.items()}
    np.savez(folder / f"{options.side}.npz", **vectors)
    told: dict[str, Any] = {"seconds": {}, "threads": torch.get_num_threads()}
    for name, some in texts.items():
        begun = time.perf_counter()
        answer(some)
        told["seconds"][name] = time.perf_counter() - begun
    told["peak_bytes"] = peak_memory(device) - held
    if options.side == "isogloss":
        told |= work(folder, texts) | {"device": str(device), "peak_flops": peak_flops(device)}
    return told


def work(folder: Path, texts: dict[str, list[str]]) -> dict[str, Any]:
    """Tokens of each set, and the operations of its products without padding."""
    import isogloss

    predictor = isogloss.load(folder / "model")
    tokens, flops = {}, {}
    for name, some in texts.items():
        lengths = np.minimum(predictor.count_tokens(some), MAX_LENGTH)
        attended = float((lengths**2).sum() / lengths.sum())
        shape = BatchShape(float(lengths.mean()), 0, attended, int(lengths.max()))
        tokens[name] = int(lengths.sum())
        # Those of a step of training are three times forward's.
        flops[name] = flops_per_token(predictor.encoder.settings, shape).total / 3 * tokens[name]
    return {"tokens": tokens, "flops": flops}


def difference(folder: Path, side: str) -> float | None:
    """The mean distance of a side's vectors from those of transformers in fp32, as a share of the latter's length."""
    if not (folder / f"{REFERENCE}.npz").is_file():
        return None
    ours, theirs = (np.load(folder / f"{name}.npz") for name in (side, REFERENCE))
    shares = [np.linalg.norm(ours[name] - theirs[name], axis=1) / np.linalg.norm(theirs[name], axis=1) for name in SETS]
    return float(np.concatenate(shares).mean())


def summary(
    told: dict[str, list[dict[str, Any]]], differences: dict[str, float | None], options: argparse.Namespace
) -> dict[str, Any]:
    """Medians, ratios, and a table for the reader."""
    facts = told["isogloss"][0]
    median = {
        side: {name: statistics.median(one["seconds"][name] for one in some) for name in SETS}
        for side, some in told.items()
    }
    speed = {side: {name: facts["tokens"][name] / median[side][name] for name in SETS} for side in told}
    counts = {"sentences": options.sentences, "documents": options.documents}
    table = Table(title=f"{options.preset}, {facts['threads']} threads")
    columns = ("", *(f"{name}/s" for name in SETS), *(f"tokens/s, {name}" for name in SETS), "difference", "peak, MB")
    for column in columns:
        table.add_column(column, justify="right" if column else "left")
    for side in sorted(told, key=lambda side: median[side]["sentences"]):
        rates = [f"{counts[name] / median[side][name]:.2f}" for name in SETS]
        tokens = [f"{speed[side][name]:,.0f}" for name in SETS]
        differs = "" if differences[side] is None else f"{differences[side]:.1e}"
        peak = max(one["peak_bytes"] for one in told[side]) / MEGABYTE
        table.add_row(side, *rates, *tokens, differs, f"{peak:,.0f}")
    Console(stderr=True).print(table)
    shares = {
        name: statistics.median(
            one["flops"][name] / one["seconds"][name] / one["peak_flops"] for one in told["isogloss"]
        )
        for name in SETS
    }
    return {
        "benchmark": "encode",
        "ratio": ratio(median, PIPELINE),
        "ratio_bf16": ratio(median, SORTED),
        **beside_the_next(median, differences),
        "share_of_peak": {name: round(share, 3) for name, share in shares.items()},
        "seconds": {side: {name: round(value, 3) for name, value in some.items()} for side, some in median.items()},
        "differences": {side: None if value is None else float(f"{value:.2g}") for side, value in differences.items()},
        "tokens": facts["tokens"],
        "threads": facts["threads"],
        "device": facts["device"],
        "machine": platform.machine(),
        "torch": torch.__version__,
    }


def ratio(median: dict[str, dict[str, float]], side: str, name: str = "sentences") -> float | None:
    return round(median[side][name] / median["isogloss"][name], 2) if side in median else None


def beside_the_next(median: dict[str, dict[str, float]], differences: dict[str, float | None]) -> dict[str, Any]:
    """The fastest other side of our accuracy on each set, and how much faster we are."""
    own = differences["isogloss"] or float("inf")
    equals = [side for side in median if not side.startswith("isogloss") and (differences[side] or 0) <= 2 * own]
    if not equals:
        return {}
    next_to_us = {name: min(equals, key=lambda side: median[side][name]) for name in SETS}
    return {
        "next": next_to_us,
        "ratio_next": {name: ratio(median, side, name) for name, side in next_to_us.items()},
    }


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="base", help="of isogloss.model")
    parser.add_argument("--vocabulary-size", type=int, default=250_002, help="rows of the table; most are not drawn")
    parser.add_argument("--layers", type=int, help="layers (as in the preset)")
    parser.add_argument("--sides", nargs="+", default=list(SIDES), choices=list(SIDES), help="'isogloss' is always one")
    parser.add_argument("--sentences", type=int, default=150)
    parser.add_argument("--documents", type=int, default=10)
    parser.add_argument("--text", help="a folder of LANG.txt: a sentence a line, a blank line between documents")
    parser.add_argument("--vocabulary", help="a vocabulary folder, with --text")
    parser.add_argument("--phrasebook", type=int, default=1500, help="documents a language that the vocabulary is from")
    parser.add_argument("--pieces", type=int, default=8000, help="of a vocabulary of the phrasebook")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each side")
    parser.add_argument("--threads", type=int, default=0, help="0: as torch chooses")
    parser.add_argument("--scratch", help="where several GB are laid meanwhile (the system's folder for such)")
    parser.add_argument("--side", default="", help=argparse.SUPPRESS)
    parser.add_argument("--folder", default="", help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    options.sides = ["isogloss", *(side for side in options.sides if side != "isogloss")]
    return options


if __name__ == "__main__":
    main()
