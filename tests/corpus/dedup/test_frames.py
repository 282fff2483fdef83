"""The columns that Daft adds are those the plain functions give, on the native runner and on Ray's."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, os, sys
os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
import pyarrow as pa
from isogloss.corpus.dedup.frames import with_judgement, with_line_hashes, with_signatures
from isogloss.corpus.dedup.minhash import MinHashSettings, sign
from isogloss.corpus.dedup.normalise import NormaliseSettings
from isogloss.corpus.dedup.paragraphs import hash_lines
from isogloss.corpus.extras import load_daft
from isogloss.corpus.rules import RuleSettings, judge_documents
daft = load_daft()
if sys.argv[1] == "ray":
    import ray
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    daft.set_runner_ray()
texts = [f"Line one of {chr(97 + n % 26) * (1 + n)}.\\nÉté {n}\\n猫" for n in range(700)]
few, rules = MinHashSettings(num_hashes=8, num_bands=2), RuleSettings()
frame = daft.from_pydict({"document": list(range(len(texts))), "text": texts})
frame = with_line_hashes(frame, NormaliseSettings())
frame = with_signatures(frame, few, "en")
frame = with_judgement(frame, rules, "en")
found = frame.sort("document").to_pydict()
column = pa.array(texts)
equal = {
    "line_hashes": found["line_hashes"] == hash_lines(column).to_pylist(),
    "signature": [list(row) for row in found["signature"]] == sign(column, language="en", settings=few).tolist(),
    "judgement": found["judgement"] == judge_documents(column, rules, language="en").tolist(),
    "rows": len(found["text"]) == len(texts),
}
sys.stdout.write(json.dumps(equal))
"""


@pytest.mark.parametrize("runner", ["native", pytest.param("ray", marks=pytest.mark.slow)])
def test_columns_are_those_of_the_plain_functions(runner: str) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, runner], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    equal = json.loads(done.stdout.splitlines()[-1])
    assert all(equal.values()), equal
