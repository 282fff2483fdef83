"""What a unit of a build's work took: seconds, and the most memory its process held meanwhile.

    answer, cost = measured(unit.work, own_process=True)
    write_cost(unit.done, cost)                     # beside the answer: 00003.json has 00003.cost.json
    read_costs(work / "reading")["00003"].processor_seconds

Costs lie in the work folder alone: what a build puts out is the same however long it took.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from isogloss.manifest import write_json

__all__ = ["COST_SUFFIX", "Cost", "measured", "read_costs", "write_cost"]

COST_SUFFIX = ".cost.json"
Answer = TypeVar("Answer")


class Cost(NamedTuple):
    """Seconds of all threads of the process and by the clock; ``peak_bytes`` counts mapped files that were read."""

    processor_seconds: float
    wall_seconds: float
    peak_bytes: int


def measured(work: Callable[[], Answer], *, own_process: bool) -> tuple[Answer, Cost]:
    """Do the work and say what it took.

    In a process of its own the highest mark of memory is set back first, where the system can (Linux); otherwise
    ``peak_bytes`` is that of the process since its start.
    """
    if own_process:
        _forget_peak()
    processor, wall = time.process_time(), time.perf_counter()
    answer = work()
    return answer, Cost(time.process_time() - processor, time.perf_counter() - wall, _peak_bytes())


def write_cost(done: Path, cost: Cost) -> None:
    """Write the cost of the unit whose answer is ``done``."""
    write_json(done.with_suffix(COST_SUFFIX), cost._asdict())


def read_costs(folder: Path) -> dict[str, Cost]:
    """The costs of the units of one phase, by the names of their answers."""
    files = sorted(folder.glob(f"*{COST_SUFFIX}"))
    return {path.name.removesuffix(COST_SUFFIX): Cost(**json.loads(path.read_text(encoding="utf-8"))) for path in files}


def _forget_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:  # another system, or one that does not allow it
        return


def _peak_bytes() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10
