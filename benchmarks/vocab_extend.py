"""New languages for a small model: pretrained further as it is, and with a vocabulary extended in three ways.

    python benchmarks/vocab_extend.py
    python benchmarks/vocab_extend.py --new yo --add 2000 --steps 1000 --more-steps 400

A vocabulary and a model are trained on the old languages of a folder of LANG.txt (or the embedded phrasebook). Then the
model goes on for as many steps, from the same seed, on old and new languages together: with the vocabulary it has, and
extended for the new ones, their rows begun as means, from similar pieces, or drawn at random. Bits a character of
held-out text (``pretrain.bits_per_character``) compare vocabularies; for the old languages they are shown after the
pretraining too. A run of unknown characters is one piece, which is easily guessed: beside the bits of a language that
the old vocabulary cannot spell stands how much of it is unknown.
The last line is JSON; ``ratio`` is bits without extension over bits with it (means), the mean of new languages that the
old vocabulary spells, or of all where it spells none.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from isogloss.config import make_settings
from isogloss.corpus import CorpusSettings, build_corpus
from isogloss.extend import Extended, ExtendSettings, extend
from isogloss.pretrain import PretrainSettings, pretrain
from isogloss.runs import read_metrics
from isogloss.shards import ShardSettings, build_shards
from isogloss.vocab import VocabSettings, train_vocabulary

DEFAULT_TEXT = Path(__file__).resolve().parents[2] / "shared" / "data" / "text"
INITS = ("mean", "similar", "random")
BASE, PLAIN = "old languages alone", "not extended"
# Above this a vocabulary does not spell a language.
SPELT = 0.01
SMALL = {
    "norm": "pre", "initial_std": 0.05, "dropout": 0.0, "attention_dropout": 0.0, "max_length": 64,
}  # fmt: skip


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=options.work) as name:
        folder = Path(name)
        if options.phrasebook:
            write_phrasebook(folder / "text", [*options.old, *options.new], options.sentences)
        text = folder / "text" if options.phrasebook else options.text
        build_corpus(CorpusSettings(input=text, output=folder / "corpus", languages=(*options.old, *options.new)))
        train_vocabulary(
            VocabSettings(
                corpus=folder / "corpus", output=folder / "vocab", size=options.pieces, languages=tuple(options.old)
            )
        )
        bits = {BASE: pretrained(folder, "base", options.old, options.steps, options.rate, options)}
        bits[PLAIN] = pretrained(
            folder, PLAIN, (), options.more_steps, options.rate / 2, options, init="runs/base/model"
        )
        done = {init: extended(folder, init, options) for init in INITS}
        for init in INITS:
            bits[init] = pretrained(
                folder, init, (), options.more_steps, options.rate / 2, options, init=f"more/{init}"
            )
        report(bits, done["mean"], options)


def write_phrasebook(folder: Path, languages: Sequence[str], num_sentences: int) -> None:
    from isogloss.phrasebook import parallel_sentences

    folder.mkdir()
    rows = list(parallel_sentences(list(languages), num_sentences, seed=1))
    for column, code in enumerate(languages):
        # A blank line ends a document.
        (folder / f"{code}.txt").write_text("\n\n".join(row[column] for row in rows), encoding="utf-8")


def extended(folder: Path, init: str, options: argparse.Namespace) -> Extended:
    say(f"extending: {init}")
    values = {"model": folder / "runs" / "base", "corpus": folder / "corpus", "languages": tuple(options.new)}
    values |= {"add": options.add, "output": folder / "more" / init, "init": init, "share": options.share}
    return extend(ExtendSettings(**values))


def pretrained(
    folder: Path, name: str, languages: Sequence[str], steps: int, rate: float, options: argparse.Namespace, *,
    init: str = "",
) -> dict[str, float]:  # fmt: skip
    """Bits a character of held-out text of each language, at the end."""
    say(f"pretraining: {name}")
    vocabulary = folder / init if init.startswith("more") else folder / "vocab"
    shards = folder / "shards" / name
    build_shards(
        ShardSettings(
            corpus=folder / "corpus", vocabulary=vocabulary, output=shards, languages=tuple(languages),
            held_out_share=0.02,
        )
    )  # fmt: skip
    shape = {"num_layers": options.layers, "width": options.width, "num_heads": max(options.width // 64, 1)}
    values: dict[str, Any] = {
        "run": str(folder / "runs" / name), "shards": str(shards), "vocabulary": str(vocabulary), "steps": steps,
        "device": "cpu", "precision": options.precision,
        "batches": {"sequence_length": 64, "batch_size": options.batch, "mask_rate": 0.3},
        "optim": {"peak_rate": rate, "weight_decay": 0.1}, "validation": {"every": "100 %", "sequences": 128},
        "loop": {"log_every": "100 %", "checkpoint_every": "100 %"},
    }  # fmt: skip
    values |= {"init": str(folder / init)} if init else {"model": {**SMALL, **shape, "feedforward": 4 * options.width}}
    run = pretrain(make_settings(PretrainSettings, values, []))
    held_out = [line["held_out"] for line in read_metrics(run) if "held_out" in line][-1]
    return {code: score["bits_per_character"] for code, score in held_out.items()}


def report(bits: dict[str, dict[str, float]], done: Extended, options: argparse.Namespace) -> None:
    languages = [*done.others, *done.languages]
    table = Table(title=f"bits a character of held-out text; {done.num_added:,} pieces more than {done.num_before:,}")
    for column in ("", *languages):
        table.add_column(column, justify="right" if column else "left")
    for name, scores in bits.items():
        table.add_row(name, *(f"{scores[code]:.3f}" if code in scores else "–" for code in languages))
    changes = done.others | done.languages
    unknown = {code: row.before.unknown_character_rate for code, row in changes.items()}
    by_code = [changes[code] for code in languages]
    table.add_section()
    table.add_row("unknown before", *(f"{unknown[code]:.1%}" for code in languages))
    table.add_row(
        "pieces a character",
        *(f"{row.before.pieces_per_character:.3f} → {row.after.pieces_per_character:.3f}" for row in by_code),
    )
    table.add_row("words cut otherwise", *(f"{changes[code].share_changed:.1%}" for code in languages))
    Console(width=140).print(table)
    spelt = [code for code in done.languages if unknown[code] <= SPELT] or list(done.languages)
    means = {name: sum(scores[code] for code in spelt) / len(spelt) for name, scores in bits.items() if name != BASE}
    print(
        json.dumps(
            {
                "benchmark": "vocab_extend",
                "old": options.old,
                "new": options.new,
                "steps": [options.steps, options.more_steps],
                "pieces": [done.num_before, done.num_added],
                "share": options.share,
                "machine": platform.machine(),
                "bits_per_character": {name: {k: round(v, 4) for k, v in row.items()} for name, row in bits.items()},
                "compared": spelt,
                "ratio": round(means[PLAIN] / means["mean"], 4),
            }
        )
    )


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = DEFAULT_TEXT if DEFAULT_TEXT.is_dir() else None
    parser.add_argument("--text", type=Path, default=default, help="a folder of LANG.txt")
    parser.add_argument("--phrasebook", action="store_true", help="the embedded phrasebook in its place")
    parser.add_argument("--sentences", type=int, default=4000, help="of the phrasebook, a language")
    parser.add_argument("--old", nargs="+", default=["de", "en", "ru", "sw"], help="languages of the model")
    parser.add_argument("--new", nargs="+", help="languages it is extended for; eu ka yo, of the phrasebook th tr")
    parser.add_argument("--pieces", type=int, default=8000, help="ids of the vocabulary")
    parser.add_argument("--add", type=int, default=3000, help="pieces to add")
    parser.add_argument("--share", type=float, default=0.1, help="of new text that the scores are made for")
    parser.add_argument("--steps", type=int, default=600, help="of pretraining")
    parser.add_argument("--more-steps", type=int, default=250, help="of pretraining further")
    parser.add_argument("--rate", type=float, default=2e-3, help="of learning, at its peak; half of it further on")
    parser.add_argument("--batch", type=int, default=48, help="sequences of 64 a step")
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--precision", default="auto", choices=("auto", "bf16", "fp32"))
    parser.add_argument("--work", type=Path, help="where everything is written; none: the system's place")
    options = parser.parse_args()
    options.phrasebook |= options.text is None
    options.new = options.new or (["th", "tr"] if options.phrasebook else ["eu", "ka", "yo"])
    return options


if __name__ == "__main__":
    main()
