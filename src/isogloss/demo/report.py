"""The demo's report: one self-contained HTML page, with plots drawn as SVG, and the same tables for the terminal.

write_report(Path("runs/demo"), scores, timings)      → runs/demo/report.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from isogloss.demo.chain import TASKS, Timing
from isogloss.evaluate import Score
from isogloss.languages import canonical_code, is_known, language
from isogloss.manifest import read_manifest
from isogloss.report import Block, Figure, Heading, Table, Text, to_page
from isogloss.report.plots import bars_svg, curves_svg
from isogloss.runs import installed_versions, read_metrics

__all__ = ["write_report"]

# How the settings of the scores are called in the report, in order.
ROWS = {
    "zero-shot": "pretrained, fine-tuned on English",
    "zero-shot, random weights": "random weights, fine-tuned on English",
    "majority": "most frequent answer",
}
METRICS = {"accuracy": "accuracy", "f1": "F1", "exact_match": "exact match"}


def write_report(folder: Path, scores: Sequence[Score], timings: Sequence[Timing]) -> Path:
    """Write ``folder/report.html`` from what the demo's stages left there; returns its path."""
    metrics = read_metrics(folder / "pretrain")
    blocks = [
        Heading("isogloss demo", level=1),
        Text(_lead(folder, metrics)),
        Heading("Zero-shot transfer"),
        *[block for task in TASKS for block in _task_section(task.name, task.title, scores)],
        Heading("What the model saw"),
        *_languages_section(folder, metrics),
        Heading("Pretraining"),
        *_training_section(metrics),
        Heading("Time"),
        _timing_table(timings),
        *_origin(folder),
    ]
    path = folder / "report.html"
    path.write_text(to_page("isogloss demo", blocks), encoding="utf-8")
    return path


def _lead(folder: Path, metrics: Sequence[dict[str, Any]]) -> str:
    config = json.loads((folder / "pretrain" / "config.json").read_text(encoding="utf-8"))["config"]
    shape, last = config["model"], [line for line in metrics if "loss" in line][-1]
    return (
        f"A {shape['num_layers']}-layer XLM-R of width {shape['width']} with {shape['vocabulary_size']:,} pieces, "
        f"pretrained on {last['tokens']:,} tokens of the phrasebook without parallel text, then fine-tuned on English "
        "labels alone and asked in every language. In the documents emoji stand behind many words or in their place: "
        "tokens that all languages share. The labelled sentences have none."
    )


def _task_section(task: str, title: str, scores: Sequence[Score]) -> Iterator[Block]:
    mine = [score for score in scores if score.task == task]
    if not mine:
        return
    languages = list(dict.fromkeys(score.language for score in mine))
    yield Heading(title, level=3)
    for metric in dict.fromkeys(score.metric for score in mine):
        rows = _metric_rows([score for score in mine if score.metric == metric], languages)
        head = [METRICS.get(metric, metric) + ", %", *languages, "others"]
        yield Table(head, [[name, *[f"{value:.1f}" for value in values]] for name, values in rows], strong=0)
        if metric == mine[0].metric:
            shown = {name: dict(zip(languages, values, strict=False)) for name, values in rows}
            yield Figure(bars_svg(shown, ylabel=f"{METRICS.get(metric, metric)}, %"), _caption(mine))


def _metric_rows(scores: Sequence[Score], languages: Sequence[str]) -> list[tuple[str, list[float]]]:
    """One row a setting: each language's value, then the mean of the languages after the first, the source."""
    rows = []
    for setting, name in ROWS.items():
        by_language = {score.language: score.value for score in scores if score.setting == setting}
        if by_language:
            values = [by_language[code] for code in languages]
            others = [by_language[code] for code in languages if code != "en"]
            rows.append((name, [*values, sum(others) / max(1, len(others))]))
    return rows


def _caption(scores: Sequence[Score]) -> str:
    return f"{scores[0].n:,} test items a language; no label of a language but English was used."


def _languages_section(folder: Path, metrics: Sequence[dict[str, Any]]) -> Iterator[Block]:
    corpus = read_manifest(folder / "corpus", "corpus").statistics["languages"]
    shards = read_manifest(folder / "shards", "shards").statistics["languages"]
    ledger = [line for line in metrics if "ledger" in line][-1]["ledger"]
    held_out = [line for line in metrics if "held_out" in line][-1]["held_out"]
    total = sum(entry["tokens"] for entry in ledger.values())
    head = ["language", "documents", "characters", "pieces", "tokens seen", "share", "epochs", "bits a character"]
    rows = [
        [
            _language_name(code),
            f"{corpus[code]['documents']:,}",
            f"{corpus[code]['characters']:,}",
            f"{shards[code]['training']['tokens']:,}",
            f"{ledger[code]['tokens']:,}",
            f"{ledger[code]['tokens'] / total:.1%}",
            f"{ledger[code]['epochs']:.2f}",
            f"{held_out[code]['bits_per_character']:.3f}",
        ]
        for code in ledger
    ]
    shares = {"share of tokens seen, %": {code: 100 * entry["tokens"] / total for code, entry in ledger.items()}}
    yield Table(head, rows)
    yield Figure(bars_svg(shares, ylabel="tokens seen, %"), "Languages are drawn by q ∝ p^alpha.")


def _training_section(metrics: Sequence[dict[str, Any]]) -> Iterator[Block]:
    losses = [(line["step"], line["loss"]) for line in metrics if "loss" in line]
    scored = [line for line in metrics if "held_out" in line]
    held_out = {
        code: [(line["step"], line["held_out"][code]["loss"]) for line in scored] for code in scored[-1]["held_out"]
    }
    bits = {
        code: [(line["step"], line["held_out"][code]["bits_per_character"]) for line in scored]
        for code in scored[-1]["held_out"]
    }
    nats = "loss, nats a masked piece"
    yield Figure(curves_svg({"training": losses}, ylabel=nats), "Training loss.")
    yield Figure(curves_svg(held_out, ylabel=nats), "Loss on held-out documents, by language.")
    yield Figure(curves_svg(bits, ylabel="bits a character"), "The same in bits a character of held-out text.")


def _timing_table(timings: Sequence[Timing]) -> Table:
    rows = [[timing.stage, f"{timing.seconds:.1f}"] for timing in timings]
    rows.append(["all", f"{sum(timing.seconds for timing in timings):.1f}"])
    return Table(["stage", "seconds"], rows)


def _origin(folder: Path) -> Iterator[Block]:
    fingerprints = ", ".join(
        f"{kind} {read_manifest(folder / name, kind).fingerprint[:12]}"
        for kind, name in (("corpus", "corpus"), ("vocab", "vocab"), ("shards", "shards"), ("model", "pretrain/model"))
    )
    versions = ", ".join(f"{name} {version}" for name, version in installed_versions().items())
    yield Text(f"Fingerprints: {fingerprints}.", soft=True)
    yield Text(f"Versions: {versions}.", soft=True)


def _language_name(code: str) -> str:
    return f"{code} {language(code).name}" if is_known(canonical_code(code)) else code
