"""The corpus step: the same answers through Daft as without it, in order, under either runner."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from isogloss.corpus.identify import Identifier, IdentifySettings, identify_documents, identify_step
from isogloss.corpus.identify.step import COLUMNS, identify_batch

daft = pytest.importorskip("daft")
pyarrow = pytest.importorskip("pyarrow")

TEXTS = [
    "Die Kinder spielen im Garten und die Mutter kocht.\nThe weather in the mountains was cold and wet today.\n"
    "Am Abend sitzen alle zusammen am Tisch und essen Suppe.\nDanach liest der Vater eine lange Geschichte vor.",
    "Дети играют в саду, а мама готовит ужин.",
    "",
    None,
]


def rows(settings: IdentifySettings) -> list[dict[str, Any]]:
    frame = daft.from_pydict({"place": list(range(len(TEXTS))), "text": TEXTS})
    return identify_step(frame, settings).to_pylist()


def test_the_step_says_what_the_identifier_says(identifier: Identifier) -> None:
    found = rows(IdentifySettings())
    direct = list(identify_documents(identifier, [text or "" for text in TEXTS]).records())
    assert [row["place"] for row in found] == [0, 1, 2, 3]
    assert set(found[0]) == {"place", "text", *COLUMNS}
    for row, record in zip(found, direct, strict=True):
        assert (row["language"] or None, row["reason"]) == (record["language"], record["reason"])
        assert row["confidence"] == pytest.approx(record["confidence"], abs=0.001)
        assert [code or None for code in row["languages"]] == record["lines"]
        assert [place for place, foreign in enumerate(row["foreign"]) if foreign] == record["foreign"]


def test_foreign_lines_are_dropped_or_kept_as_the_settings_say() -> None:
    dropped, kept = rows(IdentifySettings())[0], rows(IdentifySettings(drop_foreign_lines=False))[0]
    assert dropped["num_foreign"] == kept["num_foreign"] == 1
    assert kept["text"] == TEXTS[0]
    assert dropped["text"].split("\n") == [line for line in TEXTS[0].split("\n") if "weather" not in line]


def test_types_are_those_stated() -> None:
    found = identify_batch(pyarrow.array(TEXTS), IdentifySettings())
    types = {field.name: str(field.type) for field in found.type}
    assert types.pop("text") == "string"
    assert {name: said.replace("item: ", "").replace("float", "float32") for name, said in types.items()} == COLUMNS
    assert len(found) == len(TEXTS)
    assert len(identify_batch(pyarrow.array([], pyarrow.string()), IdentifySettings())) == 0


@pytest.mark.slow
def test_ray_gives_the_same(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    program = (
        "import sys, json, daft\n"
        "from isogloss.corpus.identify import IdentifySettings, identify_step\n"
        "getattr(daft, 'set_runner_' + sys.argv[1])()\n"
        "frame = daft.from_pydict({'text': json.loads(sys.argv[2])}).into_partitions(2)\n"
        "print('ROWS ' + json.dumps(identify_step(frame, IdentifySettings()).to_pylist()))\n"
    )
    said = []
    for runner in ("native", "ray"):
        words = [sys.executable, "-W", "ignore", "-c", program, runner, json.dumps(TEXTS[:3])]
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr[-2000:]
        said.append([line for line in done.stdout.splitlines() if line.startswith("ROWS ")])
    assert said[0] == said[1]
    assert len(said[0]) == 1
