"""The README.md of a model folder: a model card with the metadata block that Hugging Face's hub reads.

    card = Card("Pretrained on …", languages=("sw", "zh-Hant"), corpus="…", scores=(CardScore("nli", "sw", …),))
    text = model_card("nli-sw", model, config, card, vocabulary=…, manifest=manifest)

What is known is said, what is not is left out; the licence is the user's to choose, so a comment stands in its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isogloss.errors import FolderError
from isogloss.heads import TaskModel
from isogloss.languages import is_known, language
from isogloss.manifest import Manifest
from isogloss.model import Encoder, MaskedLM

__all__ = ["LICENCE", "PIPELINES", "Card", "CardScore", "head_of", "model_card", "put_scores", "with_scores"]

PIPELINES = {
    "masked": "fill-mask",
    "sequence": "text-classification",
    "token": "token-classification",
    "question": "question-answering",
    "encoder": "sentence-similarity",
}
USES = {
    True: "so do the `Auto` classes of transformers",
    False: "`AutoModel` of transformers reads its encoder (the head lies in `head.safetensors`)",
}
LICENCE = "# license: choose one and write it here, as in 'license: apache-2.0', before you publish"


# The block between the rules, what it says of scores, and each score as we write it.
BLOCK = re.compile(r"---\n(.*?\n)---\n", re.DOTALL)
INDEX = re.compile(r"^model-index:[^\n]*\n(?:[ -][^\n]*\n)*", re.MULTILINE)
RESULT = re.compile(r"  - task: \{.*\}\n    dataset: (\{.*\})\n    metrics: \[(\{.*\})\]\n")


@dataclass(frozen=True)
class CardScore:
    """One score on the card: of which task, language and split, by which metric (`f1`, `accuracy`, …)."""

    task: str
    language: str
    split: str
    metric: str
    value: float


@dataclass(frozen=True)
class Card:
    """What a card says beyond what the model shows of itself.

    `text` is the first sentence; `name` what the model is called, unless its folder says it; `base_model` the name of
    the model this one started from; `corpus` a line on the text or the labels it was trained on.
    """

    text: str
    name: str = ""
    languages: Sequence[str] = ()
    base_model: str = ""
    corpus: str = ""
    scores: Sequence[CardScore] = ()


def model_card(
    name: str,
    model: MaskedLM | TaskModel | Encoder,
    config: Mapping[str, Any],
    card: Card,
    *,
    vocabulary: str,
    manifest: Manifest,
) -> str:
    """The whole text; `config` is the content of config.json, `vocabulary` a line about the vocabulary."""
    settings = model.settings if isinstance(model, Encoder) else model.encoder.settings
    # Other families keep their own class, which has no place for our head.
    whole = config["model_type"].startswith("xlm-roberta")
    facts = {
        "class": config["architectures"][0],
        "layers × width × heads": f"{settings.num_layers} × {settings.width} × {settings.num_heads}",
        "parameters": f"{sum(parameter.numel() for parameter in model.parameters()):,}",
        "longest sequence": f"{settings.max_length} tokens",
        "vocabulary": vocabulary,
        "labels": ", ".join(model.labels) if isinstance(model, TaskModel) else "",
        "languages": ", ".join(_language(code) for code in card.languages),
        "corpus": card.corpus,
    }
    lineage = {
        "base model": card.base_model,
        "made by": f"`{manifest.command}`, isogloss {manifest.version}",
        **{f"from {kind}": f"fingerprint `{fingerprint[:16]}`" for kind, fingerprint in manifest.parents.items()},
        "this model": f"fingerprint `{manifest.fingerprint[:16]}`",
    }
    parts = [
        _metadata(name, model, card, config["model_type"]),
        f"# {name}\n\n{card.text}\n" if card.text else f"# {name}\n",
        _table(("", ""), [(key, value) for key, value in facts.items() if value]),
        "## Lineage\n\n" + _table(("", ""), [(key, value) for key, value in lineage.items() if value]),
    ]
    if card.scores:
        rows = [(score.task, score.language, score.split, score.metric, f"{score.value:.2f}") for score in card.scores]
        parts.append("## Scores\n\n" + _table(("task", "language", "split", "metric", "value"), rows))
    parts.append(
        f"## Use\n\n`isogloss.load(folder)` reads it, and {USES[whole]}; `manifest.json` says from what it was made.\n"
    )
    return "\n".join(parts)


def with_scores(text: str, name: str, head: str, scores: Sequence[CardScore]) -> str:
    """A card with these scores in its metadata; an earlier score of the same set and metric goes, all else stays.

    `name` is that of a model which the card does not name yet, `head` the word for its head. Raises ValueError for a
    card without a block of metadata, or whose scores are not written as we write them.
    """
    if (block := BLOCK.match(text)) is None:
        raise ValueError("it has no block of metadata at its top")
    found = INDEX.search(block[1])
    before = found[0] if found else ""
    title = f"model-index:\n- name: {json.dumps(name, ensure_ascii=False)}\n  results:\n"
    if found:
        title = "".join(before.splitlines(keepends=True)[:3])
    rows = {(match[1], json.loads(match[2])["type"]): match[0] for match in RESULT.finditer(before)}
    if found and (title + "".join(rows.values()) != before or not title.endswith("  results:\n")):
        raise ValueError("its model-index was changed by hand")
    for score in scores:
        row = _result(head, score)
        match = RESULT.fullmatch(row)
        assert match is not None
        rows[match[1], score.metric] = row
    index = title + "".join(rows.values())
    inner = block[1].replace(before, index, 1) if found else block[1] + index
    return f"---\n{inner}---\n{text[block.end() :]}"


def put_scores(path: Path, name: str, head: str, scores: Sequence[CardScore]) -> None:
    """Write a card's file anew with these scores; without any, only see whether that can be done.

    Raises FolderError for a card that cannot be read or written, and for one that cannot take scores.
    """
    try:
        changed = with_scores(path.read_bytes().decode("utf-8"), name, head, scores)
        if scores:
            path.write_bytes(changed.encode("utf-8"))
    except OSError as error:
        raise FolderError(f"{path} cannot be read or written ({error.strerror}); leave out cards=true") from None
    except ValueError as error:
        raise FolderError(f"{path} cannot take scores: {error}; leave out cards=true, or write them there") from None


def head_of(model: MaskedLM | TaskModel | Encoder) -> str:
    """The word for a model's head: masked, sequence, token, question, or encoder where there is none."""
    if isinstance(model, Encoder):
        return "encoder"
    return model.kind if isinstance(model, TaskModel) else "masked"


def _metadata(name: str, model: MaskedLM | TaskModel | Encoder, card: Card, model_type: str) -> str:
    """The block between the rules. Strings are written as JSON, which every YAML reader reads."""
    head = head_of(model)
    lines = ["---", LICENCE]
    # The hub knows languages without their script: zh-Hans and zh-Hant are both zh there.
    if codes := sorted({code.split("-")[0] for code in card.languages}):
        lines += ["language:", *(f"- {json.dumps(code)}" for code in codes)]
    library = "sentence-transformers" if head == "encoder" else "transformers"
    lines += [f"library_name: {library}", f"pipeline_tag: {PIPELINES[head]}", "tags:", f"- {model_type}", "- isogloss"]
    if head == "encoder":
        lines += ["- sentence-transformers", "- feature-extraction"]
    if card.base_model:
        lines.append(f"base_model: {json.dumps(card.base_model, ensure_ascii=False)}")
    if card.scores:
        lines += ["model-index:", f"- name: {json.dumps(name, ensure_ascii=False)}", "  results:"]
    results = "".join(_result(head, score) for score in card.scores)
    return "\n".join([*lines, f"{results}---", ""])


def _result(head: str, score: CardScore) -> str:
    """A score as the hub reads it, on three lines."""
    dataset = {"type": score.task, "name": score.task, "config": score.language, "split": score.split}
    metric = {"type": score.metric, "value": round(score.value, 4)}
    return (
        f"  - task: {json.dumps({'type': PIPELINES[head]})}\n"
        f"    dataset: {json.dumps(dataset, ensure_ascii=False)}\n"
        f"    metrics: [{json.dumps(metric)}]\n"
    )


def _language(code: str) -> str:
    return f"{language(code).name} (`{code}`)" if is_known(code) else f"`{code}`"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [head, ["---"] * len(head), *rows]
    # A bar or a line break in a label would end its cell.
    clean = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in cells]
    return "".join(f"| {' | '.join(row)} |\n" for row in clean)
