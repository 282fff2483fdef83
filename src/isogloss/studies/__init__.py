"""Studies: questions asked of the whole chain, as data. A recipe names the changes; the report shows what they did.

    study = load_study(Path("recipes/studies/languages.toml"), ["budget=cpu", "output=runs/studies/languages"])
    run = run_study(study, command="isogloss study recipes/studies/languages.toml budget=cpu")
    run.report                                           # report.html, with report.md and results.json beside it

``recipe`` is the study as data, ``grid`` its cells; ``stages`` and ``making`` are what cells share, ``cell`` what each
does (``together``: on several GPUs), ``workers`` where; ``outcomes``, ``fits`` and ``report`` are what came of it.
"""

from __future__ import annotations

from isogloss.studies.grid import Cell, cells_of
from isogloss.studies.recipe import StudySettings, is_study, load_study
from isogloss.studies.run import StudyRun, check_study, run_study

__all__ = ["Cell", "StudyRun", "StudySettings", "cells_of", "check_study", "is_study", "load_study", "run_study"]
