"""Pretraining on tiny shards: exact after a stop or a kill, finished once, and clear about what does not fit."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
import torch
from safetensors.torch import load_file

from isogloss.batches import BatchSettings
from isogloss.checkpoint import languages_of, load_model
from isogloss.config import load_recipe, make_settings
from isogloss.errors import ConfigError, FolderError
from isogloss.manifest import read_manifest
from isogloss.model import MaskedLM
from isogloss.pretrain import PretrainSettings, bits_per_character, pretrain
from isogloss.runs import read_metrics
from isogloss.vocab import MODEL_NAME, Vocabulary

LANGUAGES = ("en", "sw", "th")
STEPS = 8


def settings_for(inputs: Path, run: Path, **more: Any) -> PretrainSettings:
    values: dict[str, Any] = {
        "run": run,
        "shards": inputs / "shards",
        "vocabulary": inputs / "vocab",
        "steps": STEPS,
        "model": {"width": 16, "num_layers": 2, "num_heads": 2, "feedforward": 32, "max_length": 24},
        "batches": {"sequence_length": 16, "batch_size": 8},
        "optim": {"peak_rate": 5e-3},
        "loop": {"log_every": "2 steps", "checkpoint_every": "3 steps"},
        "validation": {"every": "4 steps", "sequences": 8},
    }
    return make_settings(PretrainSettings, {**values, **more})


def weights(run: Path) -> Mapping[str, torch.Tensor]:
    return load_file(run / "model" / "model.safetensors")


def same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="session")
def unbroken(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that went through; never written to again."""
    return pretrain(settings_for(inputs, tmp_path_factory.mktemp("unbroken") / "run"))


def test_a_run_leaves_a_model_curves_and_ledger(inputs: Path, unbroken: Path) -> None:
    model = load_model(unbroken / "model", kind="masked")
    assert isinstance(model, MaskedLM)
    assert model.settings.vocabulary_size == Vocabulary.load(inputs / "vocab").size
    manifest = read_manifest(unbroken / "model", "model")
    assert manifest.parents == {"shards": read_manifest(inputs / "shards", "shards").fingerprint}
    lines = read_metrics(unbroken)
    logged = [line for line in lines if "ledger" in line]
    assert [line["step"] for line in logged] == [2, 4, 6, 8]
    for line in logged:
        assert {"tokens", "tokens_per_second", "loss", "learning_rate", "memory_bytes"} < set(line)
        assert 0 < line["peak_share"] < 1
        assert line["tokens"] == line["step"] * 8 * 16
        assert sum(entry["sequences"] for entry in line["ledger"].values()) == line["step"] * 8
    scored = [line for line in lines if "held_out" in line]
    assert [line["step"] for line in scored] == [4, 8]
    assert set(scored[0]["held_out"]) == set(LANGUAGES)
    assert scored[1]["held_out_mean"]["loss"] < scored[0]["held_out_mean"]["loss"]


def test_the_card_says_languages_corpus_and_last_scores(inputs: Path, unbroken: Path) -> None:
    card = (unbroken / "model" / "README.md").read_text(encoding="utf-8")
    assert f"# {unbroken.name}\n" in card
    assert 'language:\n- "en"\n- "sw"\n- "th"\n' in card
    assert "of text in 3 languages" in card
    assert languages_of(unbroken / "model") == LANGUAGES
    last = [line for line in read_metrics(unbroken) if "held_out" in line][-1]
    for code, values in last["held_out"].items():
        assert f"| {code} | held-out | bits_per_character | {values['bits_per_character']:.2f} |" in card


def test_held_out_loss_is_what_the_model_gives_and_bits_follow(inputs: Path, unbroken: Path) -> None:
    tokens = np.fromfile(inputs / "shards" / "sw" / "held-out.bin", dtype=np.uint16)
    statistics = read_manifest(inputs / "shards", "shards").statistics["languages"]["sw"]
    score = read_metrics(unbroken)[-1]["held_out"]["sw"]
    pieces = np.count_nonzero(tokens != 2)
    expected = score["loss"] * pieces / np.log(2) / statistics["held_out"]["characters"]
    assert score["bits_per_character"] == pytest.approx(expected, rel=1e-9)
    # A model that knows nothing of 64 pieces, one a character, needs 6 bits a character.
    assert bits_per_character(float(np.log(64)), pieces_per_character=1.0) == pytest.approx(6.0)
    assert bits_per_character(float(np.log(64)), pieces_per_character=0.25) == pytest.approx(1.5)


@pytest.mark.parametrize("stop_after", [1, 4])
def test_stopped_and_continued_ends_in_the_same_bits(
    inputs: Path, unbroken: Path, tmp_path: Path, interrupt_pretraining: Callable[[Any, int], Any], stop_after: int
) -> None:
    settings = settings_for(inputs, tmp_path / "run")
    assert settings.model.dropout > 0

    preempted = interrupt_pretraining(settings, stop_after)
    assert preempted.exit_code == 75
    assert not (tmp_path / "run" / "model").exists()
    assert same(weights(pretrain(settings)), weights(unbroken))
    assert _losses(tmp_path / "run") == _losses(unbroken)


def _losses(run: Path) -> list[tuple[int, float]]:
    return [(line["step"], line["loss"]) for line in read_metrics(run) if "loss" in line]


def test_a_killed_process_started_again_ends_in_the_same_bits(inputs: Path, unbroken: Path, tmp_path: Path) -> None:
    """SIGKILL after the first checkpoint is there, wherever the process then is."""
    settings = settings_for(inputs, tmp_path / "run", loop={"log_every": "1 steps", "checkpoint_every": "1 steps"})
    (tmp_path / "settings.json").write_text(settings.model_dump_json(exclude_unset=True), encoding="utf-8")
    program = (
        "import sys, time, pathlib, torch\n"
        "from isogloss.loop import training\n"
        "from isogloss.pretrain import PretrainSettings, pretrain\n"
        "torch.set_num_threads(1)\n"
        "step = training._gradient\n"
        "def slow(*args, **kwargs):\n"
        "    time.sleep(0.2)\n"
        "    return step(*args, **kwargs)\n"
        "training._gradient = slow\n"
        "text = pathlib.Path(sys.argv[1]).read_text()\n"
        "pretrain(PretrainSettings.model_validate_json(text))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "settings.json")])
    try:
        deadline = time.monotonic() + 100
        while not (tmp_path / "run" / "checkpoints" / "step-2").exists():
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline, "no checkpoint in time"
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "run" / "model").exists()
    assert same(weights(pretrain(settings)), weights(unbroken))
    assert [line["step"] for line in read_metrics(tmp_path / "run") if "loss" in line] == list(range(1, STEPS + 1))


def test_a_finished_run_is_not_done_again_and_other_settings_are_refused(inputs: Path, unbroken: Path) -> None:
    before = (unbroken / "metrics.jsonl").stat().st_mtime_ns, (unbroken / "model" / "manifest.json").read_bytes()
    settings = settings_for(inputs, unbroken)
    assert pretrain(settings) == unbroken
    assert (
        (unbroken / "metrics.jsonl").stat().st_mtime_ns,
        (unbroken / "model" / "manifest.json").read_bytes(),
    ) == before
    with pytest.raises(FolderError, match=r"optim.peak_rate = 0.005, now 0.1"):
        pretrain(settings.model_copy(update={"optim": settings.optim.model_copy(update={"peak_rate": 0.1})}))


def test_a_run_of_an_earlier_version_is_gone_on_with(
    inputs: Path, unbroken: Path, tmp_path: Path, without_setting: Callable[[Path, str], None]
) -> None:
    run = Path(shutil.copytree(unbroken, tmp_path / "run"))
    for key in ("batches.tlm_share", "optim.clip", "language_embedding"):
        without_setting(run / "config.json", key)
    assert pretrain(settings_for(inputs, run)) == run
    without_setting(run / "config.json", "batches.sequence_length")
    with pytest.raises(FolderError, match=r"batches.sequence_length = \d+, now 16"):
        pretrain(settings_for(inputs, run))


def test_micro_batches_change_nothing_that_is_learned(inputs: Path, tmp_path: Path) -> None:
    model = {"width": 16, "num_layers": 1, "num_heads": 2, "feedforward": 32, "max_length": 24}
    model |= {"dropout": 0.0, "attention_dropout": 0.0}
    runs = [
        pretrain(
            settings_for(inputs, tmp_path / str(n), model=model, loop={"accumulate": n}, precision="fp32", steps=3)
        )
        for n in (1, 4)
    ]
    one, four = map(weights, runs)
    for name in one:
        torch.testing.assert_close(one[name], four[name], rtol=1e-3, atol=2e-5)


def test_going_on_from_a_model_folder(inputs: Path, unbroken: Path, tmp_path: Path) -> None:
    frozen = {"freeze_embeddings": True, "peak_rate": 1e-3}
    with_shape = settings_for(inputs, tmp_path / "run", init=unbroken / "model", optim=frozen, steps=2)
    with pytest.raises(ConfigError, match="brings the model's shape"):
        pretrain(with_shape)
    settings = make_settings(PretrainSettings, with_shape.model_dump(exclude_unset=True, exclude={"model"}))
    with pytest.raises(ConfigError, match=r"sequence_length = 25 is more than the model's max_length = 24"):
        pretrain(settings.model_copy(update={"batches": BatchSettings(sequence_length=25)}))
    run = pretrain(settings)
    assert load_model(run / "model").encoder.settings == load_model(unbroken / "model").encoder.settings
    assert (
        read_manifest(run / "model", "model").parents["model"] == read_manifest(unbroken / "model", "model").fingerprint
    )
    before, after = weights(unbroken), weights(run)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert not any("embeddings" in name for name in moved)
    assert any("layer" in name for name in moved)


def test_what_does_not_go_together_is_said_before_any_training(inputs: Path, tmp_path: Path) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"model": {"vocabulary_size": 77}}, r"the model has 77 pieces, the shards have 62; set model.vocabulary_size"),
        ({"batches": {"sequence_length": 513}}, r"sequence_length = 513 is more than the model's max_length = 512"),
        ({"vocabulary": inputs / "vocab" / MODEL_NAME}, r"must be a folder"),
        ({"batches": {"batch_size": 2}, "loop": {"accumulate": 4}}, r"loop.accumulate = 4 is more than"),
    ]
    for values, message in wrong:
        with pytest.raises(ConfigError, match=message):
            pretrain(settings_for(inputs, tmp_path / "run", **{"model": {}, **values}))
    assert not (tmp_path / "run").exists()


def test_shards_of_another_vocabulary_are_refused(inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "vocab").mkdir()
    with (tmp_path / "vocab" / MODEL_NAME).open("wb") as model:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["other words here"] * 20), model_writer=model, vocab_size=14, minloglevel=2
        )
    with pytest.raises(FolderError, match="another vocabulary"):
        pretrain(settings_for(inputs, tmp_path / "run", vocabulary=tmp_path / "vocab"))


def test_a_misspelt_recipe_key_is_refused_with_its_neighbour(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        'run = "r"\nshards = "s"\nvocabulary = "v"\nsteps = 3\n[batches]\nmask_rat = 0.2\n', encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=r"unknown key 'batches.mask_rat'; did you mean 'mask_rate'"):
        load_recipe(recipe, PretrainSettings)
    with pytest.raises(ConfigError, match=r"batches.alpha = 1.5"):
        make_settings(
            PretrainSettings, {"run": "r", "shards": "s", "vocabulary": "v", "steps": 3, "batches": {"alpha": 1.5}}
        )


def test_after_fifty_steps_the_plan_stands_beside_what_was_measured(
    inputs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    often = {"log_every": "10 steps", "checkpoint_every": "100 steps"}
    values = {"loop": often, "validation": {"every": "100 %", "sequences": 2}}
    run = pretrain(settings_for(inputs, tmp_path / "run", steps=52, **values))
    (line,) = [row for row in read_metrics(run) if "plan" in row]
    assert line["step"] == 50
    assert min(line["plan"][f"{said}_tokens_per_second"] for said in ("predicted", "measured")) > 0
    assert line["plan"]["predicted_peak_bytes"] > 0
    assert "plan: predicted" in capfd.readouterr().err
