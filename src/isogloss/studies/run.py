"""A study from its settings to its report: shared stages, then cells, then what they say.

    outcome = run_study(load_study(path, ["budget=cpu", "text=TEXTS", "output=runs/languages"]), command="isogloss …")
    outcome.report, outcome.failed            # report.html, and errors by cell

The same study again does what is left: cells that are done stay, those that failed are tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from isogloss.corpus.continuing import alone
from isogloss.corpus.engine import num_cores
from isogloss.corpus.remote import is_remote
from isogloss.devices import visible_gpus
from isogloss.errors import ConfigError, FolderError
from isogloss.manifest import room_for, write_json
from isogloss.scores import write_results
from isogloss.studies.cell import CellWork, cell_folder, differences, is_done, run_cell
from isogloss.studies.grid import Cell, cells_of
from isogloss.studies.making import is_made, make_stage
from isogloss.studies.outcomes import all_scores, read_result
from isogloss.studies.recipe import PHRASEBOOK, StudySettings
from isogloss.studies.report import write_reports
from isogloss.studies.stages import GIVEN_TEXT, Stage, stages_of
from isogloss.studies.texts import check_languages
from isogloss.studies.workers import Job, LocalPool, Pool, RayPool, run_jobs

__all__ = ["StudyRun", "check_study", "gpus_of", "run_study", "write_study_report"]

MOST_DIFFERENCES = 3


@dataclass(frozen=True)
class StudyRun:
    """What came of a study: its report, how many cells there are, and the errors of those that failed."""

    report: Path
    num_cells: int
    failed: dict[str, str]


def run_study(study: StudySettings, *, command: str, tell: Callable[[str], object] = lambda line: None) -> StudyRun:
    """Run what is left of the grid and write report.html, report.md and results.json.

    ``tell`` hears what has ended. Raises ConfigError, DataError or FolderError before anything runs where settings,
    text or earlier cells do not go with the study, and Preempted after SIGTERM (75) or Ctrl-C (130), all state saved.
    """
    study = _with_whole_paths(study)
    cells = check_study(study)
    study.output.mkdir(parents=True, exist_ok=True)
    with alone(study.output, study.output), room_for(study.output):
        write_json(study.output / "study.json", {"command": command, **study.model_dump(mode="json")})
        left = [cell for cell in cells if not is_done(study, cell)]
        failed: dict[str, str] = {}
        if left:
            jobs = _jobs(study, left)
            numbers = {job.name: number for number, job in enumerate(jobs, 1)}

            def say(name: str, error: str) -> None:
                tell(f"[{numbers[name]}/{len(jobs)}] {name}: {error or 'done'}")

            errors = run_jobs(jobs, _pool(study), tell=say)
            failed = {cell.name: error for cell in left if (error := errors.get(cell.name) or _unseen(study, cell))}
        write_json(study.output / "errors.json", failed)
        return StudyRun(write_study_report(study, cells, failed, command=command), len(cells), failed)


def _with_whole_paths(study: StudySettings) -> StudySettings:
    """A cluster's machines do not work in the folder that the command was given in. Paths in the settings of stages, as
    a block list's, are left as they are."""

    def whole(path: str) -> str:
        return path if path in ("", PHRASEBOOK) or is_remote(path) else str(Path(path).absolute())

    return study.model_copy(
        update={
            "output": study.output.absolute(),
            "texts": {name: whole(path) for name, path in study.texts.items()},
            **{name: whole(getattr(study, name)) for name in ("text", "data", "parallel")},
        }
    )


def _unseen(study: StudySettings, cell: Cell) -> str:
    """What is wrong with a cell that was said to be done and is not."""
    folder = cell_folder(study, cell)
    return "" if is_done(study, cell) else f"a machine made it in its own {folder}; give an output that all share"


def write_study_report(study: StudySettings, cells: Sequence[Cell], failed: dict[str, str], *, command: str) -> Path:
    """Write the reports and results.json of what is there; returns the page."""
    results = [read_result(study, cell, failed) for cell in cells]
    write_results(study.output / "results.json", all_scores(results))
    return write_reports(study, results, command=command)


def check_study(study: StudySettings) -> list[Cell]:
    """The cells, after all that can be known to be wrong has been looked for."""
    cells = cells_of(study)
    check_languages(study, cells)
    for cell in cells:
        stages_of(study, cell)
        if changed := differences(study, cell):
            shown = "; ".join(changed[:MOST_DIFFERENCES])
            more = f", and {len(changed) - MOST_DIFFERENCES} more" if len(changed) > MOST_DIFFERENCES else ""
            raise FolderError(
                f"{cell_folder(study, cell)} was made with other settings: {shown}{more}; choose another output "
                "folder, or delete that cell"
            )
    return cells


def _jobs(study: StudySettings, cells: Sequence[Cell]) -> list[Job]:
    """Stages first, each once, then the cells."""
    stages: dict[str, Stage] = {}
    of_cells = []
    for cell in cells:
        needed = stages_of(study, cell).all()
        stages |= {stage.name: stage for stage in needed if stage.given is None}
        names = tuple(stage.name for stage in needed if stage.given is None)
        gpus = 0.0 if study.device == "cpu" else study.gpus_per_cell
        of_cells.append(Job(cell.name, partial(run_cell, CellWork(study, cell)), names, gpus))
    num_of_each = max(1, num_cores() // study.processes)
    # A corpus looks whether its text is still the same.
    from_text = {name for name, stage in stages.items() if any(one.kind == GIVEN_TEXT for one in stage.inputs.values())}
    made = {name for name, stage in stages.items() if is_made(stage, study.output)} - from_text
    of_stages = [
        Job(
            name,
            partial(make_stage, stage, study.output, num_cores=num_of_each),
            tuple(one.name for one in stage.inputs.values() if one.given is None and one.name not in made),
        )
        for name, stage in stages.items()
        if name not in made
    ]
    left = {job.name for job in of_stages}
    return [
        *of_stages,
        *(replace(job, needs=tuple(name for name in job.needs if name in left)) for job in of_cells),
    ]


def _pool(study: StudySettings) -> Pool:
    if study.runner == "ray":
        return RayPool(study.processes, address=study.ray_address)
    return LocalPool(study.processes, gpus=gpus_of(study))


def gpus_of(study: StudySettings) -> list[str]:
    """The GPUs that each process sees, where cells have their own; nothing on a machine without.

    Raises ConfigError where there are too few.
    """
    visible = visible_gpus() if study.device != "cpu" and study.gpus_per_cell else []
    if not visible:
        return []
    if study.processes * study.gpus_per_cell > len(visible):
        raise ConfigError(
            f"{study.processes} processes with gpus_per_cell={study.gpus_per_cell:g} need more than the "
            f"{len(visible)} GPUs that are visible; take fewer processes"
        )
    starts = [int(number * study.gpus_per_cell) for number in range(study.processes)]
    return [",".join(visible[start : start + max(1, int(study.gpus_per_cell))]) for start in starts]
