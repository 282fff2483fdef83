"""How a side tells what a step took: one line of JSON on stdout. The standard library alone, for any interpreter.

    measure.main(STEPS)      # python SIDE.py STEP FOLDER; STEPS: name → (folder → the work to be measured)

What a step needs is made ready first (imports, models, documents in memory) and is not counted. Counted is processor
time, of the process and its children, user and system; the clock stands beside it.
"""

from __future__ import annotations

import cProfile
import json
import os
import pstats
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# Gives what came out, to be compared between sides.
Work = Callable[[], Mapping[str, Any]]
KIBIBYTE = 1024


def main(steps: Mapping[str, Callable[[Path], Work]]) -> None:
    """Measure one step, or with a third word profile it."""
    step, folder = sys.argv[1], Path(sys.argv[2])
    work = steps[step](folder)
    if sys.argv[3:] == ["profile"]:
        profile(work)
        return
    _forget_peak()
    held, begun, clock = _status("VmRSS"), _processor(), time.perf_counter()
    told = work()
    seconds, wall = _processor() - begun, time.perf_counter() - clock
    peak = _status("VmHWM")
    # Behind whatever the libraries of a side have printed.
    print(flush=True)
    print(json.dumps({"seconds": seconds, "wall": wall, "peak": peak, "added": peak - held, "told": told}), flush=True)
    os._exit(0)


def profile(work: Work) -> None:
    """The functions that took most time themselves."""
    profiler = cProfile.Profile(time.process_time)
    profiler.enable()
    work()
    profiler.disable()
    statistics: Any = pstats.Stats(profiler)
    rows = sorted(statistics.stats.items(), key=lambda row: -row[1][2])[:14]
    table = [
        {"function": f"{Path(file).name}:{line} {name}".removeprefix("~:0 "), "calls": calls, "seconds": own}
        for (file, line, name), (_, calls, own, _, _) in rows
    ]
    print(flush=True)
    print(json.dumps({"total": statistics.total_tt, "rows": table}), flush=True)


def read_documents(folder: Path) -> list[dict[str, str]]:
    """The documents of the input: ``language`` and ``text``."""
    with (folder / "documents.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _processor() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _forget_peak() -> None:
    """Let the peak begin at what is held now; where the kernel does not, it is that of the whole process."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def _status(name: str) -> int:
    """Bytes of an entry of the process's status; 0 where there is none."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * KIBIBYTE for line in lines if line.startswith(f"{name}:")), 0)
