"""The demo's report: one self-contained HTML page, with plots drawn as SVG, and the same tables for the terminal.

write_report(Path("runs/demo"), scores, timings)      → runs/demo/report.html
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from isogloss.demo.chain import TASKS, Timing
from isogloss.demo.plots import bars_svg, curves_svg
from isogloss.evaluate import Score
from isogloss.languages import canonical_code, is_known, language
from isogloss.manifest import read_manifest
from isogloss.runs import installed_versions, read_metrics

__all__ = ["write_report"]

STYLE = """
:root { color-scheme: light; --ink: #1c2430; --soft: #5b6675; --line: #d9dee5; --accent: #1f5fa8; }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); max-width: 60rem;
  margin: 2.5rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; margin-bottom: .2rem; } h2 { font-size: 1.2rem; margin-top: 2.4rem; }
p.lead, figcaption, .note { color: var(--soft); } figure { margin: 1rem 0; } svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .8rem 0; }
th, td { padding: .28rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } tr.strong td { font-weight: 600; } .scroll { overflow-x: auto; }
"""

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
    parts = [
        "<h1>isogloss demo</h1>",
        f'<p class="lead">{_lead(folder, metrics)}</p>',
        "<h2>Zero-shot transfer</h2>",
        *[_task_section(task.name, task.title, scores) for task in TASKS],
        "<h2>What the model saw</h2>",
        _languages_section(folder, metrics),
        "<h2>Pretraining</h2>",
        _training_section(metrics),
        "<h2>Time</h2>",
        _timing_section(timings),
        _footer(folder),
    ]
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>isogloss demo</title>'
        f"<style>{STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
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


def _task_section(task: str, title: str, scores: Sequence[Score]) -> str:
    mine = [score for score in scores if score.task == task]
    if not mine:
        return ""
    languages = list(dict.fromkeys(score.language for score in mine))
    parts = [f"<h3>{html.escape(title)}</h3>"]
    for metric in dict.fromkeys(score.metric for score in mine):
        rows = _metric_rows([score for score in mine if score.metric == metric], languages)
        head = [METRICS.get(metric, metric) + ", %", *languages, "others"]
        parts.append(_table(head, [[name, *[f"{value:.1f}" for value in values]] for name, values in rows], strong=0))
        if metric == mine[0].metric:
            shown = {name: dict(zip(languages, values, strict=False)) for name, values in rows}
            parts.append(_figure(bars_svg(shown, ylabel=f"{METRICS.get(metric, metric)}, %"), _caption(mine)))
    return "".join(parts)


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


def _languages_section(folder: Path, metrics: Sequence[dict[str, Any]]) -> str:
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
    return _table(head, rows) + _figure(
        bars_svg(shares, ylabel="tokens seen, %"), "Languages are drawn by q ∝ p^alpha."
    )


def _training_section(metrics: Sequence[dict[str, Any]]) -> str:
    losses = [(line["step"], line["loss"]) for line in metrics if "loss" in line]
    scored = [line for line in metrics if "held_out" in line]
    held_out = {
        code: [(line["step"], line["held_out"][code]["loss"]) for line in scored] for code in scored[-1]["held_out"]
    }
    bits = {
        code: [(line["step"], line["held_out"][code]["bits_per_character"]) for line in scored]
        for code in scored[-1]["held_out"]
    }
    return (
        _figure(curves_svg({"training": losses}, ylabel="loss, nats a masked piece"), "Training loss.")
        + _figure(curves_svg(held_out, ylabel="loss, nats a masked piece"), "Loss on held-out documents, by language.")
        + _figure(curves_svg(bits, ylabel="bits a character"), "The same in bits a character of held-out text.")
    )


def _timing_section(timings: Sequence[Timing]) -> str:
    rows = [[timing.stage, f"{timing.seconds:.1f}"] for timing in timings]
    rows.append(["all", f"{sum(timing.seconds for timing in timings):.1f}"])
    return _table(["stage", "seconds"], rows)


def _footer(folder: Path) -> str:
    fingerprints = ", ".join(
        f"{kind} {read_manifest(folder / name, kind).fingerprint[:12]}"
        for kind, name in (("corpus", "corpus"), ("vocab", "vocab"), ("shards", "shards"), ("model", "pretrain/model"))
    )
    versions = ", ".join(f"{name} {version}" for name, version in installed_versions().items())
    return f'<p class="note">Fingerprints: {html.escape(fingerprints)}.<br>Versions: {html.escape(versions)}.</p>'


def _language_name(code: str) -> str:
    return f"{code} {language(code).name}" if is_known(canonical_code(code)) else code


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, strong: int | None = None) -> str:
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = ""
    for number, row in enumerate(rows):
        cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in row)
        body += f"<tr{' class=strong' if number == strong else ''}>{cells}</tr>"
    return f'<div class="scroll"><table><tr>{top}</tr>{body}</table></div>'


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{html.escape(caption)}</figcaption></figure>"
