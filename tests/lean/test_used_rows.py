"""Rows that are used: the same hidden states, the same learning, and a whole table in what is saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from isogloss.attention import Layout
from isogloss.checkpoint import load_encoder
from isogloss.config import Duration
from isogloss.errors import CheckpointError, FolderError
from isogloss.finetune import FinetuneOptim
from isogloss.heads import TaskModel
from isogloss.lean import UsedRows, hold_used_rows, plain
from isogloss.model import Encoder, ModelSettings, initialise
from isogloss.selection import Chooser

resource = pytest.importorskip("resource", reason="no limits on the size of a file here")

SIZE = 40
NAME = "embeddings.pieces.weight"


def tiny() -> TaskModel:
    shape = ModelSettings(vocabulary_size=SIZE, width=16, num_layers=1, num_heads=2, feedforward=24, max_length=8)
    model = TaskModel(Encoder(shape), "sequence", ["a", "b"])
    initialise(model, seed=1, std=0.3)
    return model.eval()


@profile(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, SIZE - 1), min_size=1, max_size=30),
    st.lists(st.integers(0, SIZE - 1), min_size=1, max_size=8),
)
def test_any_text_gives_the_same_whatever_rows_are_held(tmp_path: Path, used: list[int], ids: list[int]) -> None:
    whole, held = tiny(), tiny()
    hold_used_rows(held, np.array(used), folder=tmp_path)
    pieces = held.get_submodule("encoder.embeddings.pieces")
    assert isinstance(pieces, UsedRows)
    assert len(pieces.weight) == len(set(used))
    text, layout = torch.tensor(ids), Layout.of([len(ids)])
    assert torch.equal(held(text, layout), whole(text, layout))
    states = plain(held).state_dict()
    assert states.keys() == whole.state_dict().keys()
    assert all(torch.equal(weight, states[name]) for name, weight in whole.state_dict().items())
    # In training, a row that is not there is our own mistake.
    if not set(ids) <= set(used):
        with pytest.raises(IndexError):
            held.train()(text, layout)
    assert not list(tmp_path.iterdir()), "the file has no name"


def test_what_was_learned_comes_back_into_the_whole_table(tmp_path: Path) -> None:
    model = tiny()
    before = model.state_dict()[f"encoder.{NAME}"].clone()
    hold_used_rows(model, np.array([3, 7, 7, 20]), folder=tmp_path)
    with torch.no_grad():
        model.get_parameter(f"encoder.{NAME}").add_(1.0)
    after = plain(model).state_dict()[f"encoder.{NAME}"]
    moved = (after != before).any(1).nonzero().flatten().tolist()
    assert moved == [3, 7, 20]
    assert torch.equal(after[moved], before[moved] + 1.0)


def table(folder: Path) -> torch.Tensor:
    return load_encoder(folder).state_dict()[NAME]


def test_training_is_that_with_the_whole_table(tuned: Callable[..., Path], pretrained: Path) -> None:
    """Weight decay is all that tells them apart, on the rows of pieces that are not in the training files."""
    base = table(pretrained)
    for decay in (0.0, 0.5):
        optim = FinetuneOptim(peak_rate=1e-2, schedule="constant", warmup=Duration("0 %"), weight_decay=decay)
        used, whole = (tuned(f"{rows}-{decay}", embedding_rows=rows, optim=optim) / "model" for rows in ("used", "all"))
        states = load_encoder(used).state_dict()
        for name, weight in load_encoder(whole).state_dict().items():
            if name != NAME:
                torch.testing.assert_close(states[name], weight, msg=name)
        held = (table(used) != base).any(1)
        assert 5 < held.sum() < len(base) - 5
        torch.testing.assert_close(table(used)[held], table(whole)[held])
        shrunk = table(whole)[~held] / base[~held]
        expected = torch.full_like(shrunk, (1 - 1e-2 * decay) ** 8)
        torch.testing.assert_close(shrunk[base[~held] != 0], expected[base[~held] != 0])


def test_a_run_whose_checkpoint_has_the_whole_table_goes_on_with_it(
    tuned: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, without_setting: Callable[[Path, str], None]
) -> None:
    """As versions wrote it that held nothing else."""
    whole = tuned("whole", embedding_rows="all")

    def cut_off(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Chooser, "finish", cut_off)
        with pytest.raises(KeyboardInterrupt):
            tuned("stopped", embedding_rows="all")
    without_setting(whole.parent / "stopped" / "config.json", "embedding_rows")
    with pytest.raises(CheckpointError, match=r"step-8 does not fit this model .*embeddings\.pieces"):
        tuned("stopped")
    assert torch.equal(table(tuned("stopped", embedding_rows="all") / "model"), table(whole / "model"))


def test_frozen_embeddings_are_held_and_stay(tuned: Callable[..., Path], pretrained: Path) -> None:
    optim = FinetuneOptim(peak_rate=1e-2, freeze_embeddings=True)
    assert torch.equal(table(tuned("frozen", optim=optim) / "model"), table(pretrained))


def test_a_disk_without_room_for_the_table_is_one_line(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(FolderError, match="make room and give the command again"):
            hold_used_rows(tiny(), np.array([3]), folder=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())
