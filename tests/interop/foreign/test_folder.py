"""Foreign encoders through the same tasks: fine-tuned, kept, read again, scored, asked, by the name of their folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

import isogloss
from isogloss.checkpoint import load_encoder, load_model
from isogloss.config import Duration
from isogloss.convert import convert
from isogloss.errors import CheckpointError, ConfigError, DataError
from isogloss.evaluate import EvaluateSettings, evaluate
from isogloss.export import ExportSettings, export
from isogloss.finetune import FinetuneOptim, FinetuneSettings, finetune, loss_of
from isogloss.heads import TaskModel
from isogloss.interop.foreign.quiet import quiet
from isogloss.loop import LoopSettings
from isogloss.optim import OptimSettings, parameter_groups

Family = Callable[[str], Path]


def settings_for(model: Path, data: Path, run: Path, **changes: Any) -> FinetuneSettings:
    values: dict[str, Any] = {
        "run": run,
        "model": model,
        "task": "pos",
        "data": data,
        "steps": 6,
        "batch_size": 8,
        "max_length": 32,
        "precision": "fp32",
        "device": "cpu",
        "optim": FinetuneOptim(peak_rate=3e-3, schedule="constant", warmup=Duration("0 %")),
        "loop": LoopSettings(log_every=Duration("4 steps"), checkpoint_every=Duration("4 steps")),
    }
    return FinetuneSettings(**{**values, **changes})


def states(model: TaskModel) -> torch.Tensor:
    return torch.cat([tensor.flatten() for tensor in model.state_dict().values() if tensor.is_floating_point()])


@pytest.mark.parametrize("task", ["pos", "text", "qa"])
def test_every_family_goes_through_every_kind_of_task(
    family: Family, labelled: Path, tmp_path: Path, name: str, task: str
) -> None:
    data = labelled / "text" if task == "text" else labelled
    run = finetune(settings_for(family(name), data, tmp_path / "run", task=task))
    languages = ("en",) if name == "xlm" else ("en", "sw")
    scores = evaluate(
        EvaluateSettings(
            models=(run,), task=task, data=data, output=tmp_path / "r.json", languages=languages, device="cpu"
        )
    )
    assert {score.language for score in scores if score.setting == "zero-shot"} == set(languages)
    predictor = isogloss.load(run, device="cpu", language="en")
    if task == "pos":
        (found,) = predictor.tag(["dog runs ."])
        assert [span.text for span in found] == ["dog", "runs", "."]
    elif task == "text":
        (label,) = predictor.classify([("dog", "runs")])
        assert label.label in "0123"
    else:
        (answer,) = predictor.answer([("?", "dog runs")])
        assert answer.text == "dog runs"[answer.start : answer.end]


def test_it_learns(family: Family, labelled: Path, tmp_path: Path) -> None:
    run = finetune(settings_for(family("bert"), labelled, tmp_path / "run", steps=40))
    scores = evaluate(
        EvaluateSettings(models=(run,), task="pos", data=labelled, output=tmp_path / "r.json", device="cpu")
    )
    value = {(score.language, score.setting): score.value for score in scores}
    assert value["en", "zero-shot"] >= 90 > value["en", "majority"]


def test_what_is_written_is_read_again_and_autoloads(family: Family, labelled: Path, tmp_path: Path, name: str) -> None:
    run = finetune(settings_for(family(name), labelled, tmp_path / "run", steps=2))
    model = load_model(run / "model", kind="token")
    assert isinstance(model, TaskModel)
    again = load_model(run / "model")
    assert isinstance(again, TaskModel)
    assert torch.equal(states(model), states(again))
    with quiet():
        encoder, told = transformers.AutoModel.from_pretrained(run / "model", output_loading_info=True)
    assert not told["unexpected_keys"]
    assert all("pooler" in key for key in told["missing_keys"])
    theirs = encoder.state_dict()
    ours: Any = model.encoder
    assert all(torch.equal(tensor, theirs[key]) for key, tensor in ours.model.state_dict().items())
    card = (run / "model" / "README.md").read_text(encoding="utf-8")
    assert f"- {encoder.config.model_type}\n" in card
    assert "head.safetensors" in card
    assert "xlm-roberta" not in card


def test_layers_and_embeddings_are_known_in_every_family(family: Family, name: str) -> None:
    """Freezing and rates by layer mean the same parts everywhere."""
    model = TaskModel(load_encoder(family(name)), "token", ["a", "b"])
    parameter_groups(model, OptimSettings(freeze_embeddings=True, freeze_layers=2))
    learning = {key.removeprefix("encoder.model.") for key, tensor in model.named_parameters() if tensor.requires_grad}
    rest = {
        "xlnet": {"mask_emb"},
        "mdeberta": {"encoder.LayerNorm.weight", "encoder.LayerNorm.bias"},
        "modernbert": {"final_norm.weight"},
        "mmbert": {"final_norm.weight"},
    }
    assert learning == {"head.out.weight", "head.out.bias"} | rest.get(name, set())


def test_a_run_goes_on_to_the_same_weights(
    family: Family, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dropout inside their layers follows the step as ours does."""
    room = sys.modules[FinetuneSettings.__module__]
    unbroken = finetune(settings_for(family("bert"), labelled, tmp_path / "unbroken", steps=8))
    calls = 0

    def breaks(*arguments: Any) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls > 6:
            raise KeyboardInterrupt
        return whole(*arguments)

    whole = loss_of
    monkeypatch.setattr(room, "loss_of", breaks)
    settings = settings_for(family("bert"), labelled, tmp_path / "broken", steps=8)
    with pytest.raises(KeyboardInterrupt):
        finetune(settings)
    monkeypatch.setattr(room, "loss_of", whole)
    weights = [states(load_model(finetune(settings) / "model")), states(load_model(unbroken / "model"))]  # type: ignore[arg-type]
    assert torch.equal(*weights)


def test_random_weights_are_worth_what_they_are(family: Family, labelled: Path, tmp_path: Path) -> None:
    first, again = (
        finetune(settings_for(family("xlnet"), labelled, tmp_path / run, steps=1, random_weights=True))
        for run in ("first", "again")
    )
    kept = finetune(settings_for(family("xlnet"), labelled, tmp_path / "kept", steps=1))
    one, two, three = (states(load_model(run / "model")) for run in (first, again, kept))  # type: ignore[arg-type]
    assert torch.equal(one, two)
    assert not torch.allclose(one, three, atol=0.05)


def test_languages_reach_the_embedding(family: Family, labelled: Path, tmp_path: Path) -> None:
    """XLM reads the same text differently as another language; one that it has no row for is refused."""
    run = finetune(settings_for(family("xlm"), labelled, tmp_path / "run", source_languages=["sw"], steps=2))
    logits = [
        isogloss.load(run, device="cpu", language=code).logits([[0, 20, 21, 1]])[0] for code in ("en", "sw", "sw-Latn")
    ]
    assert not torch.allclose(logits[0], logits[1])
    assert torch.equal(logits[1], logits[2])
    with pytest.raises(DataError, match="has no row for fr; it knows en, de, sw"):
        isogloss.load(run, device="cpu", language="fr").tag(["dog"])
    with pytest.raises(DataError, match="but none is given; it knows en, de, sw"):
        isogloss.load(run, device="cpu").tag(["dog"])


def test_an_encoder_without_a_head_embeds_and_says_what_it_lacks(family: Family) -> None:
    predictor = isogloss.load(family("roberta"), device="cpu")
    vectors = predictor.embed(["Anna", "Oslo", ""], pooling="cls")
    assert vectors.shape == (3, 32)
    assert np.isfinite(vectors).all()
    with pytest.raises(ConfigError, match="this model has no head; classify needs a sequence head"):
        predictor.classify(["Anna"])
    with pytest.raises(ConfigError, match="no head; fill_mask"):
        predictor.fill_mask(["Anna <mask>"])


def test_a_damaged_head_gives_no_model(family: Family, labelled: Path, tmp_path: Path) -> None:
    run = finetune(settings_for(family("bert"), labelled, tmp_path / "run", steps=1))
    path = run / "model" / "head.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-8] + b"\xff" * 8)
    with pytest.raises(CheckpointError, match=r"head.safetensors is not what manifest.json says"):
        load_model(run / "model")
    (run / "model" / "manifest.json").unlink()
    path.write_bytes(whole[:40])
    with pytest.raises(CheckpointError, match=r"head.safetensors cannot be read .*; copy or make"):
        load_model(run / "model")
    said = json.loads((run / "model" / "head.json").read_text())
    (run / "model" / "head.json").write_text(json.dumps(said | {"labels": ["one"]}))
    path.write_bytes(whole)
    with pytest.raises(CheckpointError, match=r"head.safetensors cannot be read"):
        load_model(run / "model")


def test_what_only_our_encoder_can_become(family: Family, labelled: Path, tmp_path: Path) -> None:
    run = finetune(settings_for(family("bert"), labelled / "text", tmp_path / "run", task="text", steps=1))
    with pytest.raises(CheckpointError, match=r"an encoder of another family: .* use transformers for it"):
        convert(run / "model", tmp_path / "fairseq", to="fairseq")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    with pytest.raises(CheckpointError, match="an encoder of another family"):
        export(ExportSettings(model=run, output=tmp_path / "onnx"))
    assert not (tmp_path / "fairseq").exists()
    assert not (tmp_path / "onnx").exists()
