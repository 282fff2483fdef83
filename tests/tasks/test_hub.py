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
        for split, shards in (("train", 2), ("validation", 1)):
            readme += [f"  - split: {split}", f"    path: {code}/{split}-*"]
            for shard in range(shards):
                files[f"{code}/{split}-{shard:05}-of-{shards:05}.parquet"] = parquet(number + 1 - shard)
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
    assert list(found) == ["en"], "all there is of this task"
    for task in ("xnli", "panx"):
        assert list(find_files(find_task(task), Path("hf://acme/xnli/sw"), split="dev")) == ["sw"], "not the first"
        with pytest.raises(DataError, match="acme/xnli/sw is in sw, not in de"):
            find_files(find_task(task), Path("hf://acme/xnli/sw"), split="dev", languages=["de"])
        with pytest.raises(DataError, match="one configuration, 2 languages are wanted"):
            find_files(find_task(task), Path("hf://acme/xnli/sw"), split="dev", languages=["sw", "ur"])


# task, configurations of a set, languages asked for, and which configuration is fetched for each or what is said.
CONFIGURATIONS: list[tuple[str, list[str], list[str], Any]] = [
    ("xquad", ["xquad.de", "xquad.ar"], ["de"], {"de": "xquad.de"}),
    ("mlqa", ["mlqa.de.de", "mlqa.de.en", "mlqa-translate-train.de"], [], {"de": "mlqa.de.de"}),
    ("mlqa", ["mlqa.de.de", "mlqa.de.en"], ["context-de-question-en"], {"context-de-question-en": "mlqa.de.en"}),
    ("masakhaner", ["swa", "hau", "yor"], ["ha", "sw"], {"ha": "hau", "sw": "swa"}),
    ("panx", ["simple", "als", "sq"], ["gsw"], {"gsw": "als"}),
    ("conll", ["conll2003"], [], {"en": "conll2003"}),
    ("squad", ["plain_text"], [], {"en": "plain_text"}),
    ("rte", ["ax", "qqp", "rte"], [], {"en": "rte"}),
    ("xcopa", ["et", "translation-et", "sw"], [], {"et": "et", "sw": "sw"}),
    ("tydiqa-goldp", ["primary_task", "secondary_task"], ["ar", "sw"], dict.fromkeys(("ar", "sw"), "secondary_task")),
    ("udpos", ["en_ewt", "en_gum", "sw_x"], ["sw"], {"sw": "sw_x"}),
    ("udpos", ["en_ewt", "en_gum", "sw_x"], ["en"], "has en_ewt and en_gum in en; name one, as hf://a/b/en_ewt"),
    ("tatoeba", ["default"], ["fr"], {"fr": "default"}),
    ("tatoeba", ["default"], ["fr", "sw"], "one configuration, 2 languages are wanted"),
    ("xnli", ["default"], [], "does not say its language"),
    ("xnli", ["en", "sw"], ["de"], "has no configuration 'de'; it has en, sw"),
]


@pytest.mark.parametrize(("task", "there", "languages", "fetched"), CONFIGURATIONS)
def test_configurations_are_found_by_what_sets_call_them(
    monkeypatch: pytest.MonkeyPatch, task: str, there: list[str], languages: list[str], fetched: Any
) -> None:
    module = sys.modules["isogloss.tasks.hub"]
    monkeypatch.setattr(module, "configurations", lambda address: there)
    monkeypatch.setattr(module, "_fetch", lambda address, names: Path(address).name)
    find = lambda: find_files(find_task(task), Path("hf://a/b"), split="dev", languages=languages)  # noqa: E731
    if isinstance(fetched, str):
        with pytest.raises(DataError) as caught:
            find()
        assert fetched in str(caught.value)
    else:
        assert find() == fetched


def test_every_shard_of_a_split_is_fetched_and_read(hub: Any) -> None:
    xnli = find_task("xnli")
    found = find_files(xnli, Path("hf://acme/xnli"), split="train", languages=["ur"])
    labels = [example.label for example in xnli.read(found["ur"], language="ur")]  # type: ignore[union-attr]
    assert labels == ["contradiction", "entailment", "neutral", "entailment"]


def test_what_the_hub_does_not_have_is_said(hub: Any) -> None:
    with pytest.raises(DataError, match="has no split 'test'; it has train, validation"):
        find_files(find_task("xnli"), Path("hf://acme/xnli"), split="test", languages=["sw"])
    with pytest.raises(DataError, match="has no configuration 'de'"):
        find_files(find_task("xnli"), Path("hf://acme/xnli"), split="dev", languages=["de"])
    with pytest.raises(DataError, match="no configuration and task ner no languages"):
        find_files(find_task("ner"), Path("hf://acme/xnli"), split="dev")
