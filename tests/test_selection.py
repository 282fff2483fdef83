"""Selections side by side, seeds, and what evaluation makes of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from isogloss.checkpoint import load_model, training_of
from isogloss.config import Duration
from isogloss.errors import ConfigError
from isogloss.evaluate import EvaluateSettings, evaluate
from isogloss.finetune import FinetuneOptim, FinetuneSettings, finetune
from isogloss.loop import LoopSettings
from isogloss.run_models import chosen_models, model_names
from isogloss.runs import read_metrics
from isogloss.scores import table
from isogloss.selection import Chooser, Rule, rules_for
from isogloss.transfer import training_files

ALSO = ("joint-dev", "per-language-dev", "last", "average")


def settings_for(pretrained: Path, data: Path, run: Path, **changes: Any) -> FinetuneSettings:
    values: dict[str, Any] = {
        "run": run,
        "model": pretrained,
        "task": "pos",
        "data": data,
        "steps": 12,
        "batch_size": 8,
        "precision": "fp32",
        "device": "cpu",
        "validate_every": Duration("3 steps"),
        "optim": FinetuneOptim(peak_rate=3e-3, schedule="constant", warmup=Duration("0 %")),
        "loop": LoopSettings(log_every=Duration("4 steps"), checkpoint_every=Duration("4 steps")),
    }
    return FinetuneSettings(**{**values, **changes})


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_model(folder).state_dict()


def test_a_rule_for_each_selection_and_language() -> None:
    rules = rules_for("joint-dev", ("per-language-dev", "joint-dev", "last"), source=("en",), dev=("en", "sw"))
    assert [(rule.name, rule.languages) for rule in rules] == [
        ("", ("en", "sw")),
        ("per-language-dev/en", ("en",)),
        ("per-language-dev/sw", ("sw",)),
        ("last", ()),
    ]


def test_one_training_keeps_what_every_selection_would_have_kept(
    pretrained: Path, labelled: Path, tmp_path: Path
) -> None:
    side_by_side = finetune(settings_for(pretrained, labelled, tmp_path / "all", also_select=ALSO))
    for selection in ("source-dev", "joint-dev", "last", "average"):
        alone = finetune(settings_for(pretrained, labelled, tmp_path / selection, selection=selection))
        there = side_by_side if selection == "source-dev" else side_by_side / "selected" / selection
        for name, weight in weights(alone / "model").items():
            assert torch.equal(weight, weights(there / "model")[name]), (selection, name)
        assert training_of(there / "model")["selection"] == selection
    lines = [line for line in read_metrics(side_by_side) if "dev" in line]
    for language in ("en", "sw"):
        best = max(lines, key=lambda line: (line["dev"][language], -line["step"]))
        assert lines[-1]["selected"][f"per-language-dev/{language}"]["best_step"] == best["step"]


def test_the_average_is_that_of_the_last_validations(pretrained: Path, labelled: Path, tmp_path: Path) -> None:
    ends = [
        finetune(settings_for(pretrained, labelled, tmp_path / f"{steps}", selection="last", steps=steps))
        for steps in (9, 12)
    ]
    run = finetune(settings_for(pretrained, labelled, tmp_path / "run", selection="average", average_last=2))
    first, second = (weights(end / "model") for end in ends)
    for name, weight in weights(run / "model").items():
        torch.testing.assert_close(weight, (first[name] + second[name]) / 2)
    assert "steps 9, 12" in (run / "model" / "README.md").read_text(encoding="utf-8")
    assert not (run / "best" / "weights").exists()


def test_a_run_that_was_cut_off_while_its_models_were_put_in_place_is_finished(
    pretrained: Path, labelled: Path, tmp_path: Path
) -> None:
    settings = settings_for(pretrained, labelled, tmp_path / "run", also_select=ALSO)
    run = finetune(settings)
    whole = {path.relative_to(run): path.read_bytes() for path in run.rglob("model.safetensors")}
    # As it is after the further selections have been moved, and before the run's own model has.
    (run / "best").mkdir(exist_ok=True)
    (run / "model").rename(run / "best" / "model")
    finetune(settings)
    assert {path.relative_to(run): path.read_bytes() for path in run.rglob("model.safetensors")} == whole


def test_a_runs_own_model_comes_last_whatever_chooses_it(
    pretrained: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(
        pretrained, labelled, tmp_path / "run", selection="last", also_select=("joint-dev", "average"), steps=6
    )

    def cut_off(chooser: Chooser, rule: Rule, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Chooser, "_move", cut_off)
        with pytest.raises(KeyboardInterrupt):
            finetune(settings)
    assert not (settings.run / "model").exists()
    finetune(settings)
    alone = finetune(settings_for(pretrained, labelled, tmp_path / "alone", selection="last", steps=6))
    for name, weight in weights(alone / "model").items():
        assert torch.equal(weight, weights(settings.run / "model")[name]), name
    assert (settings.run / "selected" / "joint-dev" / "model").is_dir()


def test_seeds_are_runs_of_their_own_and_one_line_of_the_table(
    pretrained: Path, labelled: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    finetune(settings_for(pretrained, labelled, run, seeds=(1, 2), also_select=("per-language-dev",), steps=6))
    assert sorted(path.name for path in run.iterdir()) == ["seed-1", "seed-2"]
    settings = EvaluateSettings(
        models=(run,), task="pos", data=labelled, output=tmp_path / "results.json", selections="all", device="cpu"
    )
    scores = [score for score in evaluate(settings) if score.setting != "majority"]
    assert {(score.seed, score.selection, score.language) for score in scores} == {
        (seed, selection, language)
        for seed in (1, 2)
        for selection in ("source-dev", "per-language-dev")
        for language in ("en", "sw")
    }
    assert len(scores) == 8, "a model that was chosen for a language is scored in that one alone"
    assert all(score.restarts == 0 for score in scores)
    shown = table(scores, names=model_names([run]))
    assert shown.count("zero-shot, run") == 2
    assert [one.language for one in chosen_models([run], selections="all")] == ["", "en", "sw", "", "en", "sw"]


def test_a_language_that_is_not_scored_needs_no_model(pretrained: Path, labelled: Path, tmp_path: Path) -> None:
    run = finetune(settings_for(pretrained, labelled, tmp_path / "run", also_select=("per-language-dev",), steps=3))
    settings = EvaluateSettings(
        models=(run,), task="pos", data=labelled, output=tmp_path / "r.json", languages=("en",), selections="all"
    )
    with pytest.raises(ConfigError, match="selected for sw, which is not scored"):
        evaluate(settings)


def test_what_cannot_be_selected_is_refused(pretrained: Path, labelled: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="also_select"):
        finetune(settings_for(pretrained, labelled, tmp_path / "run", selection="per-language-dev"))
    shutil.copytree(labelled, tmp_path / "one")
    (tmp_path / "one" / "dev.sw.tsv").unlink()
    with pytest.raises(ConfigError, match="trains on one language"):
        training_files(_pos(), labelled, "each", ())


def _pos() -> Any:
    from isogloss.tasks import find_task

    return find_task("pos")
