"""Scores: one number and where it comes from, the `results.json` that holds many, and the table a reader sees.

    scores = read_results(Path("runs/pos/results.json"))
    table(scores, width=80)

`score` is the record, `file` the results.json and its schema, `table` the text.
"""

from isogloss.scores.file import (
    SCHEMA_NAME,
    join_results,
    made_schema,
    model_origins,
    read_results,
    results_file,
    shipped_schema,
    write_results,
)
from isogloss.scores.score import Score
from isogloss.scores.table import table

__all__ = [
    "SCHEMA_NAME",
    "Score",
    "join_results",
    "made_schema",
    "model_origins",
    "read_results",
    "results_file",
    "shipped_schema",
    "table",
    "write_results",
]
