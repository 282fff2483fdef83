"""Selections side by side, seeds, and what evaluation makes of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from isogloss.asked import source_languages
from isogloss.checkpoint import load_model, training_of
from isogloss.config import Duration
from isogloss.errors import ConfigError
from isogloss.evaluate import EvaluateSettings, evaluate
from isogloss.finetune import FinetuneOptim, FinetuneSettings, finetune
from isogloss.lean import LoraSettings
from isogloss.loop import LoopSettings
from isogloss.results import lines_of
from isogloss.run_models import chosen_models, model_names
from isogloss.runs import read_metrics
from isogloss.scores import table
from isogloss.selection import Chooser, Rule, rules_for

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


def test_a_language_that_is_not_scored_needs_no_model(
    pretrained: Path, labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = finetune(settings_for(pretrained, labelled, tmp_path / "run", also_select=("per-language-dev",), steps=3))
    settings = EvaluateSettings(
        models=(run,), task="pos", data=labelled, output=tmp_path / "r.json", languages=("en",), selections="all"
    )
    scores = [score for score in evaluate(settings) if score.setting != "majority"]
    assert [(score.selection, score.language) for score in scores] == [("source-dev", "en"), ("per-language-dev", "en")]
    assert (
        f"{run}/selected/per-language-dev/sw/model is for sw, which is not scored: left out" in capsys.readouterr().err
    )


@pytest.mark.parametrize("setting", ["each", "translate-train"])
def test_a_model_a_language_is_one_command_and_one_line(
    pretrained: Path, labelled: Path, tmp_path: Path, setting: str
) -> None:
    run = tmp_path / "run"
    finetune(settings_for(pretrained, labelled, run, setting=setting, seeds=(1, 2), steps=3))
    assert sorted(str(path.parent.relative_to(run)) for path in run.glob("*/languages/*/model")) == [
        f"seed-{seed}/languages/{language}" for seed in (1, 2) for language in ("en", "sw")
    ]
    for language in ("en", "sw"):
        alone = finetune(
            settings_for(
                pretrained, labelled, tmp_path / language, setting=setting, source_languages=(language,), steps=3
            )
        )
        for name, weight in weights(alone / "model").items():
            assert torch.equal(weight, weights(run / "seed-1" / "languages" / language / "model")[name]), name
    said = tmp_path / "said"
    settings = EvaluateSettings(
        models=(run,), task="pos", data=labelled, output=tmp_path / "r.json", predictions=said, device="cpu"
    )
    scores = evaluate(settings)
    mine = [score for score in scores if score.setting == setting]
    assert {(score.seed, score.language) for score in mine} == {
        (seed, code) for seed in (1, 2) for code in ("en", "sw")
    }
    assert len(mine) == 4, "each is asked in its own language alone"
    assert [score.language for score in scores[:2]] == ["en", "sw"], "one answer for all, in every language asked"
    assert table(scores, names=model_names([run])).count(setting) == 1
    (line,) = [line for line in lines_of(scores)["pos", "accuracy", "dev"] if line.setting == setting]
    assert (line.num_seeds, sorted(line.cells)) == (2, ["en", "sw"])
    # Two folders to compare: those of the seeds, each with the file of every language.
    assert sorted(str(path.relative_to(said)) for path in said.rglob("*.tsv")) == [
        f"seed-{seed}/dev.{code}.tsv" for seed in (1, 2) for code in ("en", "sw")
    ]


def test_a_model_of_one_language_is_asked_in_that_one(pretrained: Path, labelled: Path, tmp_path: Path) -> None:
    run = finetune(
        settings_for(pretrained, labelled, tmp_path / "run", setting="each", source_languages=("sw",), steps=3)
    )
    settings = EvaluateSettings(models=(run,), task="pos", data=labelled, output=tmp_path / "r.json", device="cpu")
    assert {score.language for score in evaluate(settings)} == {"sw"}
    with pytest.raises(ConfigError, match="is for sw alone, and what there is to score is en; name sw"):
        evaluate(settings.model_copy(update={"languages": ("en",)}))


def test_a_models_language_may_be_spelt_otherwise_in_the_test_files(
    pretrained: Path, labelled: Path, tmp_path: Path
) -> None:
    for split in ("train", "dev"):
        shutil.copy(labelled / f"{split}.sw.tsv", tmp_path / f"{split}.{'zh' if split == 'train' else 'zh-Hans'}.tsv")
    run = finetune(
        settings_for(pretrained, tmp_path, tmp_path / "run", setting="each", source_languages=("zh",), steps=3)
    )
    settings = EvaluateSettings(models=(run,), task="pos", data=tmp_path, output=tmp_path / "r.json", device="cpu")
    assert {score.language for score in evaluate(settings)} == {"zh-Hans"}


def test_what_cannot_be_selected_is_refused(pretrained: Path, labelled: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="also_select"):
        finetune(settings_for(pretrained, labelled, tmp_path / "run", selection="per-language-dev"))
    for selection in ("joint-dev", "per-language-dev"):
        with pytest.raises(ConfigError, match=f"is a model a language, and {selection} looks at other languages"):
            finetune(settings_for(pretrained, labelled, tmp_path / "run", setting="each", also_select=(selection,)))
    assert not (tmp_path / "run").exists()


def test_seeds_are_known_as_such_by_all_that_was_set_but_the_seed(
    pretrained: Path, labelled: Path, tmp_path: Path
) -> None:
    def recipe(name: str, **changes: Any) -> str:
        run = finetune(settings_for(pretrained, labelled, tmp_path / name, steps=1, selection="last", **changes))
        (model, *_) = (one.folder for one in chosen_models([run]))
        found: str = training_of(model)["recipe"]
        return found

    first = recipe("first")
    assert recipe("seed", seed=2) == first
    assert recipe("loop", loop=LoopSettings(accumulate=2)) == first, "how it is watched is not what is learned"
    others = [
        recipe("rate", optim=FinetuneOptim(peak_rate=1e-3)),
        recipe("language", source_languages=("sw",)),
        recipe("random", random_weights=True),
    ]
    assert len({first, *others}) == 4
    each = [recipe(code, setting="each", source_languages=(code,)) for code in ("en", "sw")]
    assert each[0] == each[1], "languages of a model a language are one way of training"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seeds": (1, 1)}, "one seed twice is one run"),
        ({"lora": LoraSettings(adapter=True)}, r"lora\.rank is 0"),
        ({"lora": LoraSettings(targets=("key",))}, r"lora\.rank is 0"),
    ],
)
def test_settings_that_would_say_nothing_are_refused(
    pretrained: Path, labelled: Path, tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        finetune(settings_for(pretrained, labelled, tmp_path / "run", **changes))


def test_others_are_the_languages_that_were_not_trained_on(pretrained: Path, labelled: Path, tmp_path: Path) -> None:
    run = finetune(
        settings_for(pretrained, labelled, tmp_path / "run", source_languages=("sw",), steps=1, selection="last")
    )
    assert source_languages([run]) == ("sw",)
    assert source_languages([pretrained]) == ("en",), "which does not say"
