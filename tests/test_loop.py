"""The loop: accumulation, exact resume, skipped steps, signals, actions, throughput."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from isogloss import training_state
from isogloss.config import Duration
from isogloss.devices import Device, peak_memory
from isogloss.errors import CheckpointError, ConfigError, Preempted
from isogloss.loop import Action, LoopSettings, Throughput, train
from isogloss.loop import watch as watching
from isogloss.loop.watch import Hardware, shown
from isogloss.optim import OptimSettings, make_optimizer
from isogloss.processes import Processes
from isogloss.runs import RunFolder, read_metrics
from isogloss.training_state import Checkpoints, Progress, newest_checkpoint

CPU = Device(torch.device("cpu"), torch.float32)
STEPS = 12


class TinyModel(nn.Module):
    """Two layers, dropout, and a weight that never gets a gradient."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.inner = nn.Linear(6, 8)
        self.out = nn.Linear(8, 1)
        self.dropout = 0.3
        self.unused = nn.Parameter(torch.ones(2))
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.dropout(torch.tanh(self.inner(x)), self.dropout, self.training)
        return self.out(x).squeeze(-1)


@dataclass(frozen=True)
class Examples:
    """Rows of numbers; every third has no target, so micro-batches have unequal counts."""

    x: Tensor
    indices: range

    @property
    def num_targets(self) -> int:
        return int(self.targets.sum())

    @property
    def num_tokens(self) -> int:
        return len(self.x)

    @property
    def targets(self) -> Tensor:
        return torch.tensor([index % 3 > 0 for index in self.indices], dtype=torch.float32)

    def to(self, device: torch.device) -> Examples:
        return self


@dataclass(frozen=True)
class Spiked(Examples):
    """The loss of a sum of squares, a million times as high."""

    @property
    def targets(self) -> Tensor:
        return super().targets * 1e6

    @property
    def num_targets(self) -> int:
        return int(super().targets.sum())


def examples(step: int, micro: int, num_micros: int) -> Examples:
    generator = torch.Generator().manual_seed(step)
    first, last = (8 * part // num_micros for part in (micro, micro + 1))
    return Examples(torch.randn(8, 6, generator=generator)[first:last], range(8 * step + first, 8 * step + last))


def run_to(
    folder: Path,
    *,
    model: TinyModel | None = None,
    batches: Callable[[int, int, int], Examples] = examples,
    optim: Mapping[str, Any] | None = None,
    actions: list[Action] | None = None,
    flops_of: Callable[[Examples], float] | None = None,
    total_steps: int = STEPS,
    **settings: Any,
) -> TinyModel:
    model = model or TinyModel()
    chosen = {"log_every": "2 steps", "checkpoint_every": "4 steps", **settings}
    train(
        model,
        run=RunFolder.open(folder, {}),
        batches=batches,
        loss_of=lambda network, batch: (network(batch.x).square() * batch.targets).sum(),
        total_steps=total_steps,
        optim=OptimSettings(peak_rate=0.05, warmup="2 steps", **(optim or {})),
        settings=LoopSettings(**chosen),
        seed=3,
        device=CPU,
        actions=actions or [],
        flops_of=flops_of,
        ledger=lambda progress: {"ledger": {"en": progress.step}},
    )
    return model


def weights(model: nn.Module) -> list[list[float]]:
    return [parameter.flatten().tolist() for parameter in model.parameters()]


def killed_at(step: int) -> Callable[[int, int, int], Examples]:
    """Batches that end the process's luck when step ``step`` is asked for."""

    def batches(asked: int, micro: int, num_micros: int) -> Examples:
        if asked == step:
            raise MemoryError("killed")
        return examples(asked, micro, num_micros)

    return batches


def test_training_changes_weights_and_lowers_the_loss(tmp_path: Path) -> None:
    trained = run_to(tmp_path)
    assert weights(trained) != weights(TinyModel())
    losses = [line["loss"] for line in read_metrics(tmp_path)]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("accumulate", [2, 4, 8])
def test_accumulation_gives_the_same_gradient(tmp_path: Path, accumulate: int) -> None:
    models = []
    for number in (1, accumulate):
        model = TinyModel()
        model.dropout = 0.0
        # One plain step per batch: AdamW would hide a factor on the gradient.
        seen: list[Tensor] = []
        model.inner.weight.register_post_accumulate_grad_hook(lambda p, seen=seen: seen.append(p.grad.clone()))
        run_to(tmp_path / str(number), model=model, accumulate=number, optim={"clip": 0.0})
        models.append((model, seen[number - 1 :: number]))
    (whole, of_whole), (cut, of_cut) = models
    for one, other in zip(of_whole, of_cut, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    for one, other in zip(whole.parameters(), cut.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)


def test_the_loss_is_the_mean_over_all_targets(tmp_path: Path) -> None:
    model = TinyModel()
    model.dropout = 0.0
    first = examples(0, 0, 1)
    with torch.no_grad():
        expected = float((model(first.x).square() * first.targets).sum() / first.targets.sum())
    run_to(tmp_path, model=model, accumulate=4, log_every="1 steps")
    assert read_metrics(tmp_path)[0]["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("step", [1, 4, 7, 11])
def test_a_killed_run_ends_in_the_same_bits_and_lines(tmp_path: Path, step: int) -> None:
    unbroken = run_to(tmp_path / "unbroken")
    with pytest.raises(MemoryError):
        run_to(tmp_path / "killed", batches=killed_at(step))
    continued = run_to(tmp_path / "killed")
    assert weights(continued) == weights(unbroken)
    lines = [_timeless(read_metrics(tmp_path / name)) for name in ("unbroken", "killed")]
    assert lines[0] == lines[1]


def _timeless(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    measured = ("tokens_per_second", "memory_bytes")
    return [{key: value for key, value in line.items() if key not in measured} for line in lines]


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)])
def test_a_signal_saves_and_the_same_command_goes_on(tmp_path: Path, number: int, exit_code: int) -> None:
    unbroken = run_to(tmp_path / "unbroken")

    def send(progress: Progress) -> dict[str, Any]:
        if progress.step == 5:
            os.kill(os.getpid(), number)
        return {}

    before = signal.getsignal(number)
    with pytest.raises(Preempted, match="saved at step 5") as caught:
        run_to(tmp_path / "stopped", actions=[Action("send", Duration("1 steps"), send)], checkpoint_every="100 steps")
    assert caught.value.exit_code == exit_code
    assert signal.getsignal(number) == before
    assert newest_checkpoint(tmp_path / "stopped" / "checkpoints") == tmp_path / "stopped" / "checkpoints" / "step-5"
    assert weights(run_to(tmp_path / "stopped")) == weights(unbroken)


def test_a_step_that_is_not_finite_is_skipped_counted_and_logged(tmp_path: Path) -> None:
    def spoiled(step: int, micro: int, num_micros: int) -> Examples:
        batch = examples(step, micro, num_micros)
        return Examples(batch.x * float("nan"), batch.indices) if step in (0, 6) else batch

    model = run_to(tmp_path / "run", batches=spoiled)
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
    lines = read_metrics(tmp_path / "run")
    skipped = [line for line in lines if "examples" in line]
    assert [(line["step"], line["examples"]) for line in skipped] == [(1, [*range(8)]), (7, [*range(48, 56)])]
    assert lines[-1]["skipped"] == 2
    assert lines[-1]["tokens"] == STEPS * 8
    # The first step is among them: a checkpoint taken before AdamW ever stepped must not count a step.
    with pytest.raises(MemoryError):
        run_to(
            tmp_path / "killed",
            batches=lambda *at, **cut: killed_at(3)(*at, **cut) if at[0] == 3 else spoiled(*at, **cut),
            checkpoint_every="1 steps",
        )
    assert weights(run_to(tmp_path / "killed", batches=spoiled)) == weights(model)


def spiking(steps: Sequence[int]) -> Callable[[int, int, int], Examples]:
    """Batches a thousand times as large at some steps of the data."""

    def batches(step: int, micro: int, num_micros: int) -> Examples:
        batch = examples(step, micro, num_micros)
        return Spiked(batch.x, batch.indices) if step in steps else batch

    return batches


def test_a_spike_is_not_learned_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isogloss.loop.safety.STEPS_TO_KNOW", 3)
    model = run_to(tmp_path / "run", batches=spiking([5, 9]), spike=20.0)
    faults = [line for line in read_metrics(tmp_path / "run") if "fault" in line]
    assert [(line["step"], line["fault"]) for line in faults] == [(6, "spike"), (10, "spike")]
    assert faults[0]["examples"] == [*range(40, 48)]
    assert read_metrics(tmp_path / "run")[-1]["skipped"] == 2
    # A run that goes on knows what is usual: it skips the same.
    killed = killed_at(7)
    with pytest.raises(MemoryError):
        run_to(
            tmp_path / "killed",
            batches=lambda *at, **cut: killed(*at, **cut) if at[0] == 7 else spiking([5, 9])(*at, **cut),
            spike=20.0,
        )
    assert weights(run_to(tmp_path / "killed", batches=spiking([5, 9]), spike=20.0)) == weights(model)
    assert weights(run_to(tmp_path / "all", batches=spiking([5, 9]))) != weights(model)


def test_after_several_skips_the_run_goes_back_and_on_behind_the_data_that_did_it(tmp_path: Path) -> None:
    """Data of steps 5 to 9 are spoiled: no state is kept among them, they are passed over, and all steps are made."""
    seen: list[int] = []

    def spoiled(step: int, micro: int, num_micros: int) -> Examples:
        seen.append(step)
        batch = examples(step, micro, num_micros)
        return Examples(batch.x * float("nan"), batch.indices) if 5 <= step <= 9 else batch

    model = run_to(tmp_path / "run", batches=spoiled, checkpoint_every="4 steps", keep_checkpoints=9)
    lines = read_metrics(tmp_path / "run")
    (back,) = [line for line in lines if "went_back_from" in line]
    assert (back["step"], back["went_back_from"], back["passed_over"]) == (4, 10, [4, 10])
    assert [skip["step"] for skip in back["skips"]] == [6, 7, 8, 9, 10]
    assert lines[-1]["step"] == STEPS
    assert lines[-1]["skipped"] == 5
    assert set(seen) == set(range(STEPS + 6))
    assert sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir()) == ["step-12", "step-4", "step-8"]
    # Killed behind the return and started again, it ends in the same bits.
    killed = killed_at(13)
    with pytest.raises(MemoryError):
        run_to(
            tmp_path / "killed", batches=lambda *at, **cut: killed(*at, **cut) if at[0] == 13 else spoiled(*at, **cut)
        )
    assert weights(run_to(tmp_path / "killed", batches=spoiled)) == weights(model)


def test_going_back_again_and_again_is_given_up(tmp_path: Path) -> None:
    def spoiled(step: int, micro: int, num_micros: int) -> Examples:
        batch = examples(step, micro, num_micros)
        return Examples(batch.x * float("nan"), batch.indices) if step >= 4 else batch

    with pytest.raises(ConfigError, match=r"were skipped; lower optim\.peak_rate"):
        run_to(tmp_path, batches=spoiled, checkpoint_every="4 steps", total_steps=60)


def test_a_run_without_any_finite_step_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isogloss.loop.training.MOST_SKIPPED_IN_A_ROW", 5)
    with pytest.raises(ConfigError, match=r"last 5 steps, to step 5, .*peak_rate"):
        run_to(
            tmp_path,
            batches=lambda *at, **cut: Examples(examples(*at, **cut).x * float("inf"), examples(*at, **cut).indices),
        )


def test_actions_are_done_in_evaluation_mode_at_their_times_and_at_the_end(tmp_path: Path) -> None:
    model = TinyModel()
    seen: list[int] = []

    def act(progress: Progress) -> dict[str, Any]:
        assert not model.training
        assert not torch.is_grad_enabled()
        seen.append(progress.step)
        return {"held_out": {"en": 1.5}}

    run_to(tmp_path, model=model, actions=[Action("look", Duration("5 steps"), act)])
    assert seen == [5, 10, 12]
    assert model.training
    assert [line["step"] for line in read_metrics(tmp_path) if "held_out" in line] == seen


def test_logged_lines_carry_what_they_must(tmp_path: Path) -> None:
    run_to(tmp_path)
    lines = read_metrics(tmp_path)
    assert [line["step"] for line in lines] == [2, 4, 6, 8, 10, 12]
    for line in lines:
        assert line["tokens"] == 8 * line["step"]
        assert line["ledger"] == {"en": line["step"]}
        assert line["tokens_per_second"] > 0
        assert {"loss", "learning_rate", "gradient_norm"} < set(line)
    assert lines[0]["learning_rate"] == pytest.approx(0.05)


def test_the_last_checkpoints_are_kept_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    run_to(tmp_path, checkpoint_every="3 steps", keep_checkpoints=2)
    folder = tmp_path / "checkpoints"
    assert sorted(path.name for path in folder.iterdir()) == ["step-12", "step-9"]
    (folder / "step-20.tmp").mkdir()  # what a kill in the middle of a save leaves
    assert newest_checkpoint(folder) == folder / "step-12"
    tensors = folder / "step-12" / "__0_0.distcp"
    tensors.write_bytes(tensors.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match=r"__0_0.distcp has .* bytes"):
        run_to(tmp_path)


def test_some_checkpoints_are_kept_for_good(tmp_path: Path) -> None:
    run_to(tmp_path, checkpoint_every="2 steps", keep_checkpoints=1, keep_every=4)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step-12", "step-4", "step-8"]


def test_what_is_being_written_is_the_state_of_its_step(tmp_path: Path) -> None:
    """The tensors go on changing while a checkpoint is written."""
    model = nn.Linear(1000, 1000)
    optimizer = make_optimizer(model, OptimSettings())
    before = model.weight.detach().clone()
    checkpoints = Checkpoints(tmp_path, keep=2)
    checkpoints.save(model, optimizer, Progress(step=3, passed_over=[(1, 2)]))
    with torch.no_grad():
        model.weight.zero_()
    assert not (tmp_path / "step-3").exists()
    checkpoints.settle(wait=True)
    progress = Checkpoints(tmp_path, keep=2).load(model, optimizer)
    assert progress == Progress(step=3, passed_over=[(1, 2)])
    assert progress is not None
    assert progress.data_step == 4
    assert torch.equal(model.weight, before)


def test_a_state_too_large_to_be_copied_is_written_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unbroken = run_to(tmp_path / "copied")
    (tmp_path / "meminfo").write_text("MemTotal:  64 kB\nMemAvailable:  1 kB\n", encoding="ascii")
    assert training_state._available_bytes(tmp_path / "meminfo") == 1024
    assert training_state._available_bytes(tmp_path / "none") is None
    monkeypatch.setattr(training_state, "_available_bytes", lambda: 1024)  # the state has 804 bytes
    monkeypatch.delattr(training_state, "async_save")
    with pytest.raises(MemoryError):
        run_to(tmp_path / "run", batches=killed_at(6))
    assert weights(run_to(tmp_path / "run")) == weights(unbroken)


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    run_to(tmp_path)
    other = TinyModel()
    other.inner = nn.Linear(6, 9)
    other.out = nn.Linear(9, 1)
    with pytest.raises(CheckpointError, match="does not fit this model"):
        run_to(tmp_path, model=other)


def test_a_checkpoint_index_with_foreign_objects_is_not_unpickled(tmp_path: Path) -> None:
    run_to(tmp_path)
    newest = tmp_path / "checkpoints" / "step-12"
    evil = b"cos\nsystem\n(S'touch " + str(tmp_path / "owned").encode() + b"'\ntR."
    (newest / ".metadata").write_bytes(evil)
    progress = json.loads((newest / "progress.json").read_text(encoding="utf-8"))
    progress["files"][".metadata"] = len(evil)
    (newest / "progress.json").write_text(json.dumps(progress), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"os\.system"):
        run_to(tmp_path)
    assert not (tmp_path / "owned").exists()


def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(MemoryError):
        run_to(tmp_path, batches=killed_at(6))
    with monkeypatch.context() as patched:
        patched.setattr("isogloss.training_state.async_save", full)
        with pytest.raises(CheckpointError, match=r"No space left on device\); the last good one is .*step-4"):
            run_to(tmp_path)
    assert weights(run_to(tmp_path)) == weights(run_to(tmp_path / "unbroken"))


def test_throughput_counts_training_time_only() -> None:
    now = 100.0
    throughput = Throughput(lambda: now)
    throughput.count(300)
    now += 2
    with throughput.paused():
        now += 50
    throughput.count(300)
    now += 1
    assert throughput.take_line() == {"tokens_per_second": 200.0}
    throughput.count(100)
    now += 10
    assert throughput.take_line() == {"tokens_per_second": 10.0}
    assert throughput.take_line() == {"tokens_per_second": 10.0}  # no time has passed: the last figure stands


def test_the_rate_is_known_before_the_first_line() -> None:
    now = 0.0
    throughput = Throughput(lambda: now)
    throughput.count(300)
    now += 3
    assert throughput.rate == 100.0
    throughput.take_line()
    throughput.count(900)
    now += 1
    assert throughput.rate == 100.0, "until the next line that of the last one"


@pytest.fixture
def peak_of_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "peak_flops", lambda device: 1000.0)


def test_the_share_of_the_peak_is_of_the_operations_since_the_last_line(peak_of_thousand: None) -> None:
    now = 0.0
    hardware = Hardware(CPU, Processes(), lambda batch: 50.0 * batch.num_tokens, clock=lambda: now)
    four = Examples(torch.zeros(4, 6), range(4))
    hardware.count(8, [four, four])
    now += 2
    line = hardware.take_line()
    assert line["tokens_per_second"] == 4.0
    assert line["peak_share"] == pytest.approx(50 * 8 / 2 / 1000)
    hardware.count(4, [four])
    now += 2
    assert hardware.take_line()["peak_share"] == pytest.approx(50 * 4 / 2 / 1000)
    assert hardware.take_line()["peak_share"] == hardware.share == pytest.approx(0.1), "no time: the last one stands"


def test_of_several_processes_it_is_the_mean_of_their_devices(peak_of_thousand: None) -> None:
    @dataclass(frozen=True)
    class Four(Processes):
        """One of four that are all alike, but for the last, which does nothing."""

        count: int = 4

        def sum(self, *values: float) -> tuple[float, ...]:
            return tuple(3 * value for value in values)

    now = 0.0
    hardware = Hardware(CPU, Four(), lambda batch: 400.0, clock=lambda: now)
    hardware.count(16, [Examples(torch.zeros(4, 6), range(4))])
    now += 1
    line = hardware.take_line()
    assert line["peak_share"] == pytest.approx(0.4 * 3 / 4)
    assert line["memory_bytes"] < peak_memory(CPU)


def test_lines_say_share_and_memory_and_training_stays_the_same(tmp_path: Path) -> None:
    plain = run_to(tmp_path / "plain")
    told = run_to(tmp_path / "told", flops_of=lambda batch: 1e5 * batch.num_tokens)
    assert weights(plain) == weights(told)
    logged = [line for line in read_metrics(tmp_path / "told") if "loss" in line]
    assert len(logged) == STEPS // 2
    assert all(0 < line["peak_share"] < 1 and line["memory_bytes"] > 50 << 20 for line in logged)
    assert not any("peak_share" in line for line in read_metrics(tmp_path / "plain")), "nobody counts operations"


def test_a_terminal_shows_step_loss_speed_share_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    screen.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    with shown(0, 40, quiet=False) as show:
        show(10, 2.5, 12_345.6, 0.437)
    assert "10/40" in screen.getvalue()
    assert "loss 2.500  12,346 tokens/s  44% of the peak" in screen.getvalue()
