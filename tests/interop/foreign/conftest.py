"""A folder of each family, made once; data that a tiny encoder can learn, words and their tags in two languages."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("transformers", reason="transformers is not installed: there are no foreign encoders")

NOUNS = {"en": ["dog", "house", "river", "moon"], "sw": ["mbwa", "nyumba", "mto", "mwezi"]}
VERBS = {"en": ["runs", "sleeps", "falls", "sings"], "sw": ["anakimbia", "analala", "anaanguka", "anaimba"]}


def _families() -> ModuleType:
    spec = importlib.util.spec_from_file_location("families", Path(__file__).with_name("families.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


families: Any = _families()


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a family, by its name."""
    folder, made = tmp_path_factory.mktemp("families"), {}

    def of(name: str) -> Path:
        if name not in made:
            made[name] = families.FAMILIES[name](folder / name)
        return made[name]

    return of


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """pos, text (in its folder) and qa, in English and Swahili, learnable by word."""
    folder = tmp_path_factory.mktemp("labelled")
    (folder / "text").mkdir()
    for code in NOUNS:
        pairs = [(noun, verb) for noun in NOUNS[code] for verb in VERBS[code]]
        tagged = "\n\n".join(f"{noun}\tNOUN\n{verb}\tVERB\n.\tPUNCT" for noun, verb in pairs)
        classes = {verb: label for label, verb in enumerate(VERBS[code])}
        texts = "\n".join(f"{noun} {verb}\t{classes[verb]}" for noun, verb in pairs)
        questions = [
            {
                "context": f"{n} {v}",
                "qas": [{"id": str(i), "question": "?", "answers": [{"text": v, "answer_start": len(n) + 1}]}],
            }
            for i, (n, v) in enumerate(pairs)
        ]
        for split in ("train", "dev"):
            (folder / f"{split}.{code}.tsv").write_text(tagged)
            (folder / "text" / f"{split}.{code}.tsv").write_text(texts)
            (folder / f"{split}.{code}.json").write_text(json.dumps({"data": [{"paragraphs": questions}]}))
    return folder


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `name` runs for every family."""
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", sorted(families.FAMILIES))
