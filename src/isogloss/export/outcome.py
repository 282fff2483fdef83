"""What an export says of itself: sizes, how graph and model compare, what the vocabulary covers; as data and as tables.

write_report(folder, done)                  # parity.json
done = read_report(folder)
for title, head, rows in tables(done): ...  # what the command line and the folder's card show
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from isogloss.export.check import Checked
from isogloss.export.coverage import Coverage
from isogloss.export.parity import OutputDifference
from isogloss.manifest import write_json

__all__ = ["REPORT_NAME", "Export", "read_report", "tables", "write_report"]

REPORT_NAME = "parity.json"


@dataclass(frozen=True)
class Export:
    """What an export wrote and how it compares: graph and model on the same ids, and both on the texts of a check.

    `outputs` are of the graph that is kept, whose products are in `precision`; `rounding` is the relative difference of
    the graph in fp32, on `num_probes` sequences, the longest of `longest_probe` tokens. `source_bytes` and
    `source_pieces` are the model's, bytes of all that its use takes; `languages` says what a smaller vocabulary covers.
    """

    path: str
    head: str
    precision: str
    weight_bits: int
    num_parameters: int
    opset: int
    inputs: tuple[str, ...]
    source_bytes: int
    bytes: int
    source_pieces: int
    pieces: int
    outputs: tuple[OutputDifference, ...]
    rounding: float
    num_probes: int
    longest_probe: int
    languages: Mapping[str, Coverage]
    checks: tuple[Checked, ...]
    versions: Mapping[str, str]


def write_report(folder: Path, done: Export) -> None:
    """Write parity.json."""
    said = {key: value for key, value in dataclasses.asdict(done).items() if key != "path"}
    write_json(folder / REPORT_NAME, said)


def read_report(folder: Path) -> Export:
    """What was written."""
    said = json.loads((folder / REPORT_NAME).read_text(encoding="utf-8"))
    said["inputs"] = tuple(said["inputs"])
    said["outputs"] = tuple(OutputDifference(**row) for row in said["outputs"])
    said["languages"] = {code: Coverage(**row) for code, row in said["languages"].items()}
    said["checks"] = tuple(Checked(**row) for row in said["checks"])
    return Export(path=str(folder), **said)


def tables(done: Export) -> Iterator[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    """The title, the head and the rows of each table; one without rows is left out."""
    yield (
        "Size",
        ("", "model", "exported", "share"),
        [
            ("bytes", f"{done.source_bytes:,}", f"{done.bytes:,}", f"{done.bytes / done.source_bytes:.1%}"),
            ("pieces", f"{done.source_pieces:,}", f"{done.pieces:,}", f"{done.pieces / done.source_pieces:.1%}"),
        ],
    )
    yield (
        f"On {done.num_probes} sequences of up to {done.longest_probe} tokens, in {done.precision}",
        ("output", "largest difference", "root mean square", "agreement", "of"),
        [
            (
                one.name,
                f"{one.largest_difference:.1e}",
                f"{one.mean_difference:.1e} of the values",
                f"{one.agreement:.2%}",
                one.measure,
            )
            for one in done.outputs
        ],
    )
    if done.languages:
        yield (
            "Pieces of the languages kept",
            ("language", "on", "texts", "divided as before", "unknown pieces", "before"),
            [
                (
                    code,
                    one.of,
                    f"{one.texts:,}",
                    f"{one.unchanged_share:.2%}",
                    f"{one.unknown_share:.3%}",
                    f"{one.unknown_share_before:.3%}",
                )
                for code, one in done.languages.items()
            ],
        )
    if done.checks:
        yield (
            "Model in fp32 and export, asked about texts",
            ("file", "same", "of", "metric", "model", "exported"),
            [
                (
                    one.file,
                    f"{one.agreement:.2%}",
                    f"{one.n:,} {one.of}",
                    metric,
                    f"{one.model[metric]:.2f}" if metric else "",
                    f"{one.exported[metric]:.2f}" if metric else "",
                )
                for one in done.checks
                for metric in one.model or [""]
            ],
        )
