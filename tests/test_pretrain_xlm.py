"""XLM on the phrasebook: sentences with their translations and a language embedding, learned, kept and gone on with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from isogloss.attention import Layout
from isogloss.checkpoint import load_model
from isogloss.config import make_settings
from isogloss.errors import ConfigError, DataError
from isogloss.model import MaskedLM, initialise
from isogloss.phrasebook import documents, write_parallel
from isogloss.pretrain import PretrainSettings, pretrain
from isogloss.runs import read_metrics
from isogloss.shards import ShardSettings, build_shards
from isogloss.vocab import VocabSettings, train_vocabulary

LANGUAGES = ("en", "sw")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, write_corpus: Callable[..., Path]) -> Path:
    """Vocabulary and shards of phrasebook text and sentence pairs in two languages."""
    folder = tmp_path_factory.mktemp("xlm")
    write_corpus(folder / "corpus", {code: list(documents(code, 60, seed=1)) for code in LANGUAGES})
    train_vocabulary(
        VocabSettings(
            corpus=folder / "corpus", output=folder / "vocab", size=300, character_coverage=1.0, model_type="bpe"
        )
    )
    write_parallel(folder / "parallel", LANGUAGES, 300, seed=1)
    build_shards(
        ShardSettings(
            corpus=folder / "corpus",
            vocabulary=folder / "vocab",
            parallel=folder / "parallel",
            output=folder / "shards",
            held_out_share=0.1,
        )
    )
    return folder


def settings_for(inputs: Path, run: Path, **more: Any) -> PretrainSettings:
    values: dict[str, Any] = {
        "run": run,
        "shards": inputs / "shards",
        "vocabulary": inputs / "vocab",
        "steps": 8,
        "language_embedding": True,
        "model": {"width": 32, "num_layers": 2, "num_heads": 2, "feedforward": 64, "max_length": 64},
        "batches": {"sequence_length": 64, "batch_size": 8, "tlm_share": 0.5},
        "optim": {"peak_rate": 1e-2},
        "loop": {"log_every": "4 steps", "checkpoint_every": "3 steps"},
        "validation": {"every": "25 %", "sequences": 16},
    }
    return make_settings(PretrainSettings, {**values, **more})


def test_translations_are_learned_from_and_the_model_keeps_its_languages(inputs: Path, tmp_path: Path) -> None:
    run = pretrain(settings_for(inputs, tmp_path / "run", steps=80))
    scored = [line for line in read_metrics(run) if "held_out_pairs" in line]
    losses = [line["held_out_pairs"]["en-sw"]["loss"] for line in scored]
    assert len(losses) == 4
    assert losses[-1] < losses[0] - 0.1
    assert set(scored[0]["held_out"]) == set(LANGUAGES)
    logged = [line for line in read_metrics(run) if "ledger" in line][-1]
    ledger = logged["ledger"]
    assert logged["too_long"] == {"en-sw": 0}
    assert ledger["en-sw"]["sequences"] == 80 * 4
    assert ledger["en"]["sequences"] + ledger["sw"]["sequences"] == 80 * 4
    card = (run / "model" / "README.md").read_text(encoding="utf-8")
    assert "masked-language modelling and translation language modelling" in card
    model = load_model(run / "model", kind="masked")
    assert model.settings.languages == LANGUAGES
    fresh = MaskedLM(model.settings)
    initialise(fresh, 1, std=model.settings.initial_std)
    before, after = (each.encoder.embeddings.languages.weight for each in (fresh, model))
    moved = (after - before).abs().amax(dim=1)
    assert all(moved > 0.02), f"rows of both languages learn: {moved}"


def test_a_translation_in_view_changes_what_the_model_says(inputs: Path, tmp_path: Path) -> None:
    """Attention goes from side to side: another target is another state of the source."""
    model = load_model(pretrain(settings_for(inputs, tmp_path / "run", steps=1)) / "model", kind="masked").eval()
    layout, segments = Layout.of([7]), Layout.of([4, 3])
    rows = torch.tensor([0, 1])
    one, other = (
        model.encoder(torch.tensor([0, 9, 10, 2, 2, piece, 2]), layout, languages_S=rows, segments=segments)
        for piece in (20, 21)
    )
    assert not torch.allclose(one[1], other[1])
    alone = model.encoder(torch.tensor([2, 20, 2]), Layout.of([3]), languages_S=rows[1:])
    cut = model.encoder.states(torch.tensor([0, 9, 10, 2, 2, 20, 2]), layout, languages_S=rows, segments=segments)
    embedded = next(cut)
    first = next(model.encoder.states(torch.tensor([2, 20, 2]), Layout.of([3]), languages_S=rows[1:]))
    assert torch.equal(embedded[4:], first), "the target's embeddings are those of a text of its own"
    assert not torch.allclose(one[4:], alone)


@pytest.mark.parametrize("stop_after", [3, 4])
def test_stopped_around_a_change_of_phase_a_run_ends_in_the_same_bits(
    inputs: Path, tmp_path: Path, interrupt_pretraining: Callable[[Any, int], Any], stop_after: int
) -> None:
    phases = [{"start": "50 %", "mask_rate": 0.3, "sequence_length": 48, "alpha": 1.0, "join": ["sw"]}]
    batches = {"sequence_length": 64, "batch_size": 8, "tlm_share": 0.5, "phases": phases}
    whole, stopped = (settings_for(inputs, tmp_path / name, batches=batches) for name in ("whole", "stopped"))
    pretrain(whole)

    interrupt_pretraining(stopped, stop_after)
    one, other = (load_file(pretrain(run).joinpath("model", "model.safetensors")) for run in (whole, stopped))
    assert all(torch.equal(one[name], other[name]) for name in one)
    ledgers = [
        [line["ledger"] for line in read_metrics(run.run) if "ledger" in line and line["step"] == 8]
        for run in (whole, stopped)
    ]
    assert ledgers[0] == ledgers[1]


def test_a_language_without_a_row_is_one_error_before_anything_is_written(inputs: Path, tmp_path: Path) -> None:
    shape = {"width": 32, "num_layers": 1, "num_heads": 2, "feedforward": 64, "max_length": 64}
    with pytest.raises(DataError, match="embeds the language of a text, but has no row for sw; it knows de, en"):
        pretrain(settings_for(inputs, tmp_path / "run", model={**shape, "languages": ["de", "en"]}))
    long = {"sequence_length": 32, "phases": [{"start": "2 steps", "sequence_length": 65}]}
    with pytest.raises(ConfigError, match="sequence_length = 65 is more than the model's max_length = 64"):
        pretrain(settings_for(inputs, tmp_path / "run", batches=long))
    assert not (tmp_path / "run").exists()
    plain = pretrain(settings_for(inputs, tmp_path / "plain", language_embedding=False, steps=1))
    settings = settings_for(inputs, tmp_path / "run", init=plain / "model").model_dump(exclude_unset=True)
    del settings["model"]
    with pytest.raises(ConfigError, match=r"language_embedding = true, but init = .* has no language embedding"):
        pretrain(make_settings(PretrainSettings, settings))
