"""A run folder: resolved settings, versions, metrics.jsonl and TensorBoard, kept as the run goes.

run = RunFolder.open(Path("runs/demo"), config, seed=1)
run.log(step=10, loss=3.2)          # one line of metrics.jsonl, mirrored to TensorBoard
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from isogloss.config import Settings, filled_in
from isogloss.errors import FolderError
from isogloss.manifest import room_for, write_json

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["RunFolder", "installed_versions", "read_metrics"]

METRICS_NAME = "metrics.jsonl"
CONFIG_NAME = "config.json"


class RunFolder:
    """Where a run keeps its settings, versions, metrics and state; opened again, it goes on appending."""

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        self.path = path
        # Of several processes one writes; the others go the same way without a word.
        self._writes = writes
        self._metrics: IO[str] | None = None
        self._board: SummaryWriter | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        config: Mapping[str, Any],
        *,
        settings: Settings | None = None,
        may_differ: tuple[str, ...] = (),
    ) -> RunFolder:
        """Create the folder, or open an earlier one that has the same settings (top-level keys ``may_differ`` aside).

        With the ``settings`` that the config is written from, those that have come since an earlier version are the
        same while they are at their defaults. Raises FolderError naming the first setting that differs.
        """
        wanted = json.loads(json.dumps(config))
        known = path / CONFIG_NAME
        if known.exists():
            earlier = _config_of(known)
            if settings is not None:
                earlier = filled_in(earlier, wanted, settings)
            for key, before, now in _differences(earlier, wanted):
                if key.split(".")[0] not in may_differ:
                    raise FolderError(
                        f"{path} was started with {key} = {before!r}, now {now!r}; "
                        "choose another run folder or delete it"
                    )
        path.mkdir(parents=True, exist_ok=True)
        with room_for(path):
            write_json(known, {"config": wanted, "versions": installed_versions()})
        return cls(path)

    def log(self, step: int, **values: Any) -> None:
        """Append one line to metrics.jsonl and mirror its numbers to TensorBoard; without values, nothing."""
        if not self._writes or not values:
            return
        with room_for(self.path):
            if self._metrics is None:
                self._metrics = (self.path / METRICS_NAME).open("a", encoding="utf-8")
            self._metrics.write(json.dumps({"step": step, **values}, ensure_ascii=False) + "\n")
            self._metrics.flush()
            for name, value in _numbers("", values):
                self._tensorboard().add_scalar(name, value, step)

    def rewind(self, step: int) -> None:
        """Drop metric lines after ``step``: a continued run repeats them from its last checkpoint."""
        path = self.path / METRICS_NAME
        if not self._writes or not path.exists():
            return
        self.close()
        kept = [line for line in read_metrics(self.path) if line["step"] <= step]
        beside = path.with_name(path.name + ".tmp")
        with room_for(self.path):
            beside.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept), encoding="utf-8")
        beside.replace(path)

    def close(self) -> None:
        """Flush and close the files; logging again opens them again."""
        with room_for(self.path):
            if self._metrics is not None:
                self._metrics.close()
                self._metrics = None
            if self._board is not None:
                self._board.close()
                self._board = None

    def _tensorboard(self) -> SummaryWriter:
        if self._board is None:
            # Imported here because the writer costs a second and a run folder may also only be read.
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(self.path / "tensorboard"))
        return self._board


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Every whole line of a run's metrics.jsonl; a line cut off by a kill is left out."""
    lines: list[dict[str, Any]] = []
    for line in (path / METRICS_NAME).read_bytes().split(b"\n"):
        try:
            lines.append(json.loads(line))
        except ValueError:  # no JSON, or cut off within a character
            continue
    return lines


def installed_versions() -> dict[str, str]:
    """Versions of Python, the package and what its results depend on."""
    names = ("isogloss", "torch", "numpy", "sentencepiece", "safetensors", "pydantic")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in names}}


def _config_of(known: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(known.read_text(encoding="utf-8"))["config"])
    except (ValueError, KeyError, TypeError):
        raise FolderError(
            f"{known} is damaged, or not the settings of a run; choose another run folder or delete it"
        ) from None


def _differences(before: Any, now: Any, key: str = "") -> list[tuple[str, Any, Any]]:
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            difference
            for name in sorted(set(before) | set(now))
            for difference in _differences(before.get(name), now.get(name), f"{key}.{name}" if key else name)
        ]
    return [] if before == now else [(key, before, now)]


def _numbers(prefix: str, values: Mapping[str, Any]) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += _numbers(f"{prefix}{name}/", value)
        elif isinstance(value, int | float):
            found.append((f"{prefix}{name}", float(value)))
    return found
