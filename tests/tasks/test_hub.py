"""Labelled sets by name, from a Hub on loopback through the real libraries: configurations, splits, a copy kept."""

import importlib.util
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from isogloss.errors import DataError
from isogloss.tasks import TextExample, find_files, find_task


def parquet(label: int) -> bytes:
    """Two pairs as `datasets` writes them, with the names of the classes beside."""
    datasets = pytest.importorskip("datasets")
    names = ["entailment", "neutral", "contradiction"]
    features = datasets.Features(
        {
            "premise": datasets.Value("string"),
            "hypothesis": datasets.Value("string"),
            "label": datasets.ClassLabel(names=names),
        }
    )
    rows = {"premise": ["a", "c"], "hypothesis": ["b", "d"], "label": [label, 0]}
    stream = io.BytesIO()
    datasets.Dataset.from_dict(rows, features=features).to_parquet(stream)
    return stream.getvalue()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    pytest.importorskip("datasets")
    server_file = Path(__file__).parents[1] / "corpus" / "hub_server.py"
    spec = importlib.util.spec_from_file_location("hub_server", server_file)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    readme = ["---", "configs:"]
    files = {}
    for number, code in enumerate(("sw", "ur")):
        readme += [f"- config_name: {code}", "  data_files:"]
        for split in ("train", "validation"):
            path = f"{code}/{split}-00000-of-00001.parquet"
            readme += [f"  - split: {split}", f"    path: {path}"]
            files[path] = parquet(number + 1)
    files["README.md"] = "\n".join([*readme, "---", ""]).encode()
    with module.served("acme/xnli", files, tmp_path_factory.mktemp("hub")) as server:
        yield server


def test_a_set_has_a_configuration_a_language(hub: Any) -> None:
    xnli = find_task("xnli")
    # As settings have it: a Path, of which // is no part.
    found = find_files(xnli, Path("hf://acme/xnli"), split="dev", languages=["sw", "ur"])
    assert list(found) == ["sw", "ur"]
    assert xnli.read(found["ur"], language="ur") == [
        TextExample(("a", "b"), "contradiction"),
        TextExample(("c", "d"), "entailment"),
    ]
    assert xnli.read(found["sw"], language="sw")[0] == TextExample(("a", "b"), "neutral")
    before = len(hub.requests)
    again = find_files(xnli, Path("hf://acme/xnli"), split="dev", languages=["sw"])
    assert again["sw"] == found["sw"]
    asked = hub.requests[before:]
    assert not [path for kind, path, _ in asked if kind == "GET" and "validation-00000" in path and "resolve" in path]


def test_a_configuration_that_is_named_is_taken_as_it_is(hub: Any) -> None:
    found = find_files(find_task("mnli"), Path("hf://acme/xnli/sw"), split="dev")
    assert list(found) == ["en"]
    with pytest.raises(DataError, match="one configuration, 2 languages are wanted"):
        find_files(find_task("panx"), Path("hf://acme/xnli/sw"), split="dev", languages=["sw", "ur"])


def test_what_the_hub_does_not_have_is_said(hub: Any) -> None:
    with pytest.raises(DataError, match="has no split 'test'; it has train, validation"):
        find_files(find_task("xnli"), Path("hf://acme/xnli"), split="test", languages=["sw"])
    with pytest.raises(DataError, match="has no configuration 'de'"):
        find_files(find_task("xnli"), Path("hf://acme/xnli"), split="dev", languages=["de"])
    with pytest.raises(DataError, match="no configuration and task ner no languages"):
        find_files(find_task("ner"), Path("hf://acme/xnli"), split="dev")
