"""Which checkpoints of a fine-tuning are kept: the best on dev files, the last one, the mean of the last few.

    rules = rules_for("source-dev", ("joint-dev", "per-language-dev"), source=("en",), dev=("en", "sw"))
    chooser = Chooser(rules, run=run.path, model=model, dev_sets=sets, metric="accuracy", device=device, save=save)
    chooser.validate(step)                     # once in a while
    chooser.finish()                           # RUN/model and RUN/selected/joint-dev/model, …/per-language-dev/sw/model

One training serves all rules that are asked for: each dev file is scored once, and every rule keeps its own best. The
paper's tables have one model for all languages, chosen on their dev sets together (#M = 1), others one a language
(#M = N), and zero-shot work proper may look at the source language alone.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from safetensors.torch import load_file, save_file

from isogloss.config import Duration
from isogloss.devices import Device
from isogloss.errors import FolderError
from isogloss.labelled import AnyModel, LabelledSet, score_sets
from isogloss.loop import Action
from isogloss.manifest import write_json
from isogloss.run_models import PER_LANGUAGE, SELECTED

__all__ = ["BEST", "Chooser", "Rule", "Save", "Selection", "rules_for"]

Selection = Literal["source-dev", "joint-dev", "per-language-dev", "last", "average"]

BEST = "best"
SCORE_NAME = "score.json"


class Save(Protocol):
    """Writes the model as it is now; ``chosen`` says why this one, ``scores`` are those of dev files by language."""

    def __call__(
        self, folder: Path, selection: Selection, chosen: str, scores: Mapping[str, Mapping[str, float]]
    ) -> None: ...


@dataclass(frozen=True)
class Rule:
    """One model that is kept. By dev files, ``languages`` are those whose mean chooses; else there are none.

    The chosen selection's model is RUN/model, any other's has a folder by its name.
    """

    selection: Selection
    name: str
    languages: tuple[str, ...] = ()

    def target(self, run: Path) -> Path:
        """Where the model lies in the end."""
        return run / SELECTED / self.name / "model" if self.name else run / "model"

    def beside(self, run: Path) -> Path:
        """Where what is kept so far lies."""
        return run / BEST / self.name


def rules_for(
    selection: Selection, also: Sequence[Selection], *, source: Sequence[str], dev: Sequence[str]
) -> tuple[Rule, ...]:
    """The rules of a run, that of ``selection`` first; ``dev`` are the languages whose dev files are to be used."""
    rules: list[Rule] = []
    for asked in dict.fromkeys([selection, *also]):
        name = "" if asked == selection else asked
        if asked == PER_LANGUAGE:
            rules += [Rule(asked, f"{name}/{language}", (language,)) for language in dev]
        else:
            languages = {"source-dev": tuple(source), "joint-dev": tuple(dev)}.get(asked, ())
            rules.append(Rule(asked, name, languages))
    return tuple(rules)


class Chooser:
    """Scores the dev files once in a while, and keeps for each rule the best model so far beside the run."""

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        run: Path,
        model: AnyModel,
        dev_sets: Sequence[LabelledSet],
        metric: str,
        device: Device,
        save: Save,
        average_last: int,
    ) -> None:
        self._rules, self._run, self._model, self._metric = tuple(rules), run, model, metric
        self._dev_sets, self._device, self._save = tuple(dev_sets), device, save
        self._average_last = average_last

    @property
    def is_needed(self) -> bool:
        """Whether anything is done before the end."""
        return any(rule.languages or rule.selection == "average" for rule in self._rules)

    def action(self, every: Duration) -> Action:
        """`validate` as the loop does it."""
        return Action("validate", every, lambda progress: self.validate(progress.step))

    def validate(self, step: int) -> Mapping[str, Any]:
        """Score of each dev file, and for each rule the mean and the best step; its model is kept where it is best."""
        values = list(score_sets(self._model, self._dev_sets, device=self._device))
        by_language = {data.language: of_set for data, of_set in zip(self._dev_sets, values, strict=True)}
        scores = {language: of_set[self._metric] for language, of_set in by_language.items()}
        told: dict[str, Any] = {"dev": scores} if scores else {}
        for rule in self._rules:
            if rule.languages:
                said = self._keep_best(rule, step, by_language, scores)
                told |= said if not rule.name else {"selected": {**told.get("selected", {}), rule.name: said}}
            elif rule.selection == "average":
                self._keep_last(rule, step)
        return told

    def finish(self) -> None:
        """Put every chosen model in its place; RUN/model last, as it says that all are there."""
        for rule in reversed(self._rules):
            target = rule.target(self._run)
            if target.exists():  # of a finish that was cut off
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if rule.selection == "last":
                self._save(target, rule.selection, "last step", {})
            elif rule.selection == "average":
                self._save_average(rule, target)
            else:
                self._move(rule, target)

    def _keep_best(
        self, rule: Rule, step: int, by_language: Mapping[str, Mapping[str, float]], scores: Mapping[str, float]
    ) -> dict[str, Any]:
        mean = sum(scores[language] for language in rule.languages) / len(rule.languages)
        folder = rule.beside(self._run)
        best = _known(folder)
        # A run that goes on repeats to the bit what came after its checkpoint: there an equal score is the same step's.
        if best is None or mean > best["mean"]:
            chosen = f"step {step}, {self._metric} {mean:.2f} on {rule.selection}"
            self._save(folder / "model", rule.selection, chosen, {code: by_language[code] for code in rule.languages})
            best = {"step": step, "mean": mean}
            write_json(folder / SCORE_NAME, best)
        return {"dev_mean": mean, "best_step": best["step"]}

    def _move(self, rule: Rule, target: Path) -> None:
        kept = rule.beside(self._run) / "model"
        if not kept.exists():
            raise FolderError(
                f"{target} was taken away, and no other copy of the chosen model is kept; put it back, "
                f"or delete {self._run} and start again"
            )
        kept.rename(target)

    def _keep_last(self, rule: Rule, step: int) -> None:
        """The weights of this step, and not those of more than so many before it."""
        folder = rule.beside(self._run) / "weights"
        folder.mkdir(parents=True, exist_ok=True)
        file = _weights_file(folder, step)
        unfinished = file.with_suffix(".tmp")
        save_file(dict(_learning(self._model)), unfinished)
        unfinished.replace(file)
        # Later ones are of a run that went back to a checkpoint.
        known = sorted(folder.glob("*.safetensors"))
        for old in [*known[: known.index(file) + 1][: -self._average_last], *known[known.index(file) + 1 :]]:
            old.unlink()

    def _save_average(self, rule: Rule, target: Path) -> None:
        folder = rule.beside(self._run) / "weights"
        files = sorted(folder.glob("*.safetensors"))
        assert files, "validation comes at the last step at the latest"
        weights = [load_file(file) for file in files]
        own = {name: tensor.clone() for name, tensor in _learning(self._model).items()}
        for name, tensor in _learning(self._model).items():
            tensor.copy_(torch.stack([of_step[name].double() for of_step in weights]).mean(0))
        steps = ", ".join(str(int(file.stem)) for file in files)
        self._save(target, rule.selection, f"mean of the weights of steps {steps}", {})
        # Other selections may want the weights of the last step.
        for name, tensor in _learning(self._model).items():
            tensor.copy_(own[name])
        shutil.rmtree(folder)


def _learning(model: AnyModel) -> dict[str, torch.Tensor]:
    """The weights that learn and so have a mean, by name; one that has several names has one here."""
    return {name: parameter.data for name, parameter in model.named_parameters() if parameter.requires_grad}


def _weights_file(folder: Path, step: int) -> Path:
    return folder / f"{step:010}.safetensors"


def _known(folder: Path) -> dict[str, Any] | None:
    """What is known of the best so far; None: nothing yet, or killed while one model took the place of another."""
    if not ((folder / "model").exists() and (folder / SCORE_NAME).exists()):
        return None
    known: dict[str, Any] = json.loads((folder / SCORE_NAME).read_text(encoding="utf-8"))
    return known
