"""One cell of a study: a run folder of pretraining, fine-tunings from it, and their scores, by the commands' functions.

    run_cell(CellWork(study, cell))

    CELL/cell.json              what it is made with
    CELL/pretrain/              as `isogloss pretrain` leaves it
    CELL/held-out/NAME.json     bits a character: held_out.json of its own text, the others of texts that all cells have
    CELL/pos/ CELL/scores/pos.json    a fine-tuning, and its scores as `isogloss evaluate` writes them
    CELL/done.json              when all of that is there

What is done is left alone, so a cell goes on where it was stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isogloss.checkpoint import load_model
from isogloss.corpus import Corpus
from isogloss.devices import choose
from isogloss.errors import FolderError
from isogloss.evaluate import HEADS, EvaluateSettings, evaluate
from isogloss.finetune import finetune
from isogloss.languages import canonical_code
from isogloss.manifest import write_json
from isogloss.model import MaskedLM
from isogloss.pretrain import Validation, pretrain
from isogloss.processes import Processes
from isogloss.runs import installed_versions
from isogloss.shards import Shards
from isogloss.studies.grid import Cell, finetuning, pretraining
from isogloss.studies.recipe import HELD_OUT, PHRASEBOOK, StudySettings, TaskSettings
from isogloss.studies.stages import SOURCE, CellStages, Stage, asked_languages, stages_of
from isogloss.studies.texts import find_source
from isogloss.studies.together import pretrain_together
from isogloss.studies.writing import CHARACTERS
from isogloss.tasks import data_language, find_files, find_task
from isogloss.vocab import Vocabulary

__all__ = ["CELL_NAME", "DONE_NAME", "CellWork", "cell_folder", "differences", "is_done", "run_cell"]

CELL_NAME = "cell.json"
DONE_NAME = "done.json"
FOLDER = "cells"
# What a cell is asked, by name: more may be asked later.
ASKED = ("tasks", "held_out")
# Most sequences of a language whose held-out text is scored: with text of megabytes, all of it. The few that a run
# looks at on its way would be other excerpts for each vocabulary, and their noise larger than what is looked for.
MOST_SEQUENCES = 2048


@dataclass(frozen=True)
class CellWork:
    """What a process is told to do."""

    study: StudySettings
    cell: Cell


def cell_folder(study: StudySettings, cell: Cell) -> Path:
    """Where a cell lies."""
    return study.output / FOLDER / cell.name


def run_cell(work: CellWork) -> None:
    """Do what is left of a cell; raises what its stages raise, and Preempted after SIGTERM, its state saved."""
    study, cell = work.study, work.cell
    folder = cell_folder(study, cell)
    if is_done(study, cell):
        return
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / CELL_NAME, _with_earlier(folder, _made_with(study, cell)))
    stages = stages_of(study, cell)
    start = time.monotonic()
    try:
        settings = pretraining(
            cell,
            run=folder / "pretrain",
            shards=stages.shards.path(study.output),
            vocabulary=stages.vocab.path(study.output),
            device=study.device,
        )
        num_processes = int(study.gpus_per_cell)
        run = pretrain_together(settings, num_processes) if num_processes > 1 else pretrain(settings)
        for name, stage in {HELD_OUT: stages.shards, **stages.held_out}.items():
            _score_held_out(study, cell, stages, name, stage, run)
        for name in stages.labels:
            _score_task(study, cell, stages, name)
    finally:
        _add_seconds(folder, time.monotonic() - start)
    outcomes = dict.fromkeys([*_outcomes(folder), HELD_OUT, *stages.held_out, *stages.labels])
    write_json(
        folder / DONE_NAME, {"outcomes": [*outcomes], "seconds": _seconds(folder), "versions": installed_versions()}
    )


def is_done(study: StudySettings, cell: Cell) -> bool:
    """Whether all that the study asks of a cell now is there."""
    return {HELD_OUT, *study.held_out, *cell.settings.tasks} <= {*_outcomes(cell_folder(study, cell))}


def _outcomes(folder: Path) -> list[str]:
    """What a cell has finished."""
    path = folder / DONE_NAME
    return list(json.loads(path.read_text(encoding="utf-8"))["outcomes"]) if path.is_file() else []


def _made_with(study: StudySettings, cell: Cell) -> dict[str, Any]:
    """What the cell is, as JSON: what must not change under what it has made."""
    made = {"seed": cell.seed, **cell.settings.model_dump(mode="json")}
    if study.data != PHRASEBOOK:
        for task in made["tasks"].values():
            task["files"] = [_said_of(Path(study.data) / task[part]) for part in ("train", "test") if task[part]]
    made["held_out"] = {
        name: {"transform": text.transform, **_text(study, text.source, asked_languages(study))}
        for name, text in study.held_out.items()
    }
    given: dict[str, Any] = {"asked": list(asked_languages(study)), "some_text_is_kept_from_all": bool(study.held_out)}
    given |= _text(study, cell.settings.text.source, cell.settings.languages)
    if PHRASEBOOK in (study.data, given["text"]):
        given["phrasebook"] = study.phrasebook
    if cell.settings.parallel:
        given["parallel"] = study.parallel if study.parallel == PHRASEBOOK else _said_of(Path(study.parallel))
    return {**made, "from": given}


def _with_earlier(folder: Path, made: dict[str, Any]) -> dict[str, Any]:
    """With the tasks and texts that were asked before and are not now: their scores lie there still."""
    before = _before(folder / CELL_NAME) or {}
    return {**made, **{key: {**before.get(key, {}), **made[key]} for key in ASKED}}


def _lies_there(folder: Path, key: str, name: str) -> bool:
    """Whether anything was made of a task or a text that was asked."""
    places = {"tasks": (f"{name}/config.json", f"scores/{name}.json"), "held_out": (f"held-out/{name}.json",)}
    return any((folder / place).exists() for place in places[key])


def _before(path: Path) -> dict[str, Any] | None:
    """What a cell was made with; None where it was not begun."""
    if not path.is_file():
        return None
    try:
        before: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise FolderError(f"{path} is damaged; delete the cell's folder, and it is made again") from None
    return before


def _text(study: StudySettings, name: str, languages: Sequence[str]) -> dict[str, Any]:
    """What a text is known by. Where it lies may change, and what is in it is looked at by the corpus made of it."""
    source = find_source(study, name)
    if source.kind == "corpus":
        return {"text": "corpus", "corpus": Corpus.open(source.path).manifest.fingerprint}
    sizes = {code: size for code, size in source.sizes.items() if code in languages or not code}
    return {"text": source.kind} | ({"bytes": sizes} if sizes else {})


def _said_of(folder: Path) -> str:
    sizes = [path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()]
    return f"{len(sizes)} files, {sum(sizes):,} bytes"


def differences(study: StudySettings, cell: Cell) -> list[str]:
    """What a started cell was made with that is otherwise now, as "KEY was …, is …"; nothing for one not started."""
    folder = cell_folder(study, cell)
    before = _before(folder / CELL_NAME)
    if before is None:
        return []
    now = json.loads(json.dumps(_made_with(study, cell)))
    # What is asked for the first time, or no longer, or has failed, changes nothing that was made.
    for key in ASKED:
        both = {name for name in before.get(key, {}) if name in now[key] and _lies_there(folder, key, name)}
        for made in (before, now):
            made[key] = {name: one for name, one in made.get(key, {}).items() if name in both}
    return list(_changes("", before, now))


def _changes(key: str, before: Any, now: Any) -> Sequence[str]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        names = sorted({*before, *now})
        return [one for name in names for one in _changes(f"{key}.{name}".strip("."), before.get(name), now.get(name))]
    return [] if before == now else [f"{key} was {_said(before)}, is {_said(now)}"]


def _said(value: Any) -> str:
    return "not set" if value is None else json.dumps(value, ensure_ascii=False)


def _score_held_out(study: StudySettings, cell: Cell, stages: CellStages, name: str, stage: Stage, run: Path) -> None:
    """Bits a character of the held-out text of shards, of characters as they were before the text was cut."""
    target = cell_folder(study, cell) / "held-out" / f"{name}.json"
    if target.is_file():
        return
    model = load_model(run / "model", kind="masked")
    assert isinstance(model, MaskedLM)
    device = choose(study.device)
    device.place(model).eval()
    vocabulary = Vocabulary.load(stages.vocab.path(study.output))
    shards = Shards.open(stage.path(study.output), vocabulary=vocabulary)
    settings = pretraining(cell, run=run, shards=shards.path, vocabulary=run, device=study.device)
    plain = settings.batches.model_copy(update={"tlm_share": 0.0})
    validation = settings.validation.model_copy(update={"sequences": MOST_SEQUENCES})
    settings = settings.model_copy(update={"model": model.settings, "batches": plain, "validation": validation})
    found = Validation(shards, settings, vocabulary.word_starts).scores(model, device, Processes()).get("held_out", {})
    longer = _lengthened(stage, study.output)
    target.parent.mkdir(exist_ok=True)
    write_json(
        target,
        {
            code: {"bits_per_character": score["bits_per_character"] * longer.get(code, 1.0)}
            for code, score in found.items()
        },
    )


def _lengthened(shards: Stage, output: Path) -> dict[str, float]:
    """How many characters each character of a text became when it was cut."""
    text = shards.inputs["corpus"].inputs.get("text")
    if text is None or text.settings.get("transform") != "words":
        return {}
    counted = json.loads((text.path(output) / CHARACTERS).read_text(encoding="utf-8"))
    return {code: now / before for code, (before, now) in counted.items()}


def _score_task(study: StudySettings, cell: Cell, stages: CellStages, name: str) -> None:
    """Fine-tune where the task is learned, and score every language that is asked and has files."""
    folder, task = cell_folder(study, cell), cell.settings.tasks[name]
    results = folder / "scores" / f"{name}.json"
    if results.is_file():
        return
    train, test = (stage.path(study.output) for stage in stages.labels[name])
    languages = _asked(study, cell, task, test)
    if not languages:
        return
    model = folder / "pretrain"
    if HEADS[find_task(task.task).kind] != "mean":
        given = finetuning(cell, task, run=folder / name, model=model / "model", data=train, device=study.device)
        model = finetune(given)
    results.parent.mkdir(exist_ok=True)
    evaluate(
        EvaluateSettings(
            models=(model,), task=task.task, data=test, output=results, split=task.split, languages=languages,
            device=study.device,
        )
    )  # fmt: skip


def _asked(study: StudySettings, cell: Cell, task: TaskSettings, data: Path) -> tuple[str, ...]:
    """The languages of the study's groups that have files of the split, as the files call them.

    None where a cell has not been pretrained on the one language whose labels it would learn from.
    """
    wanted, own = {*asked_languages(study)}, {*cell.settings.languages}
    kind = find_task(task.task)
    if task.each:
        wanted = wanted & own if len(own) == 1 else set()
    elif HEADS[kind.kind] != "mean" and SOURCE not in own:
        wanted = set()
    there = find_files(kind, data, split=task.split)
    return tuple(code for code in there if code == data_language(code) and canonical_code(code) in wanted)


def _seconds(folder: Path) -> float:
    path = folder / "seconds.json"
    return float(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else 0.0


def _add_seconds(folder: Path, seconds: float) -> None:
    write_json(folder / "seconds.json", _seconds(folder) + seconds)
