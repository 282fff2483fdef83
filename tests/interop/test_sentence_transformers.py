"""The folder of an embedding model: the steps that sentence-transformers runs, each with its settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from isogloss.errors import CheckpointError, ConfigError
from isogloss.interop.sentence_transformers import Pooling, read_modules, write_modules


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize(("mode", "key"), [("mean-all", "pooling_mode_mean_tokens"), ("cls", "pooling_mode_cls_token")])
def test_steps_and_their_settings(tmp_path: Path, mode: Any, key: str, normalise: bool) -> None:
    write_modules(tmp_path, Pooling(mode, normalise=normalise), width=24, max_length=20)
    modules = read(tmp_path / "modules.json")
    kinds = [module["type"].removeprefix("sentence_transformers.models.") for module in modules]
    assert kinds == ["Transformer", "Pooling", "Normalize"][: 2 + normalise]
    assert [module["idx"] for module in modules] == list(range(len(modules)))
    assert all((tmp_path / module["path"]).is_dir() for module in modules)
    pooling = read(tmp_path / "1_Pooling" / "config.json")
    assert pooling.pop("word_embedding_dimension") == 24
    assert [name for name, chosen in pooling.items() if chosen] == [key]
    assert read(tmp_path / "sentence_bert_config.json")["max_seq_length"] == 20


def test_a_mean_that_it_does_not_have_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"pooling = 'mean' is none of sentence-transformers' own; use cls or mean-all"
    ):
        Pooling("mean")  # type: ignore[arg-type]


def saved(folder: Path, pooling: dict[str, Any], *, kinds: tuple[str, ...], encoder: str = "", limit: int = 0) -> Path:
    """The files by which sentence-transformers says how vectors are made."""
    paths = {"Transformer": encoder, "Pooling": "1_Pooling", "Normalize": "2_Normalize", "Dense": "2_Dense"}
    (folder / encoder).mkdir(parents=True, exist_ok=True)
    (folder / "1_Pooling").mkdir()
    modules = [{"path": paths[kind], "type": f"sentence_transformers.of.some.version.{kind}"} for kind in kinds]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling), encoding="utf-8")
    if limit:
        (folder / encoder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": limit}))
    (folder / encoder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 512}))
    return folder


BASIC = ("Transformer", "Pooling")


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("mode", ["cls", "mean-all"])
def test_what_is_written_is_read(tmp_path: Path, mode: Any, normalise: bool) -> None:
    write_modules(tmp_path, Pooling(mode, normalise=normalise), width=24, max_length=20)
    modules = read_modules(tmp_path)
    assert modules is not None
    assert modules.pooling() == Pooling(mode, normalise=normalise)
    assert (modules.encoder, modules.max_length) == (tmp_path, 20)


@pytest.mark.parametrize(
    ("pooling", "mode"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode": "cls"}, "cls"),
        ({"pooling_mode": ["mean"], "include_prompt": True}, "mean-all"),
        ({"word_embedding_dimension": 24}, "mean-all"),
    ],
)
def test_each_version_says_it_in_its_own_way(tmp_path: Path, pooling: dict[str, Any], mode: str) -> None:
    folder = saved(tmp_path / "m", pooling, kinds=BASIC, encoder="0_Transformer", limit=128)
    modules = read_modules(folder)
    assert modules is not None
    assert modules.pooling() == Pooling(mode)  # type: ignore[arg-type]
    assert (modules.encoder, modules.max_length) == (folder / "0_Transformer", 128)
    (modules.encoder / "sentence_bert_config.json").unlink()
    again = read_modules(folder)
    assert again is not None
    assert again.max_length == 512, "the tokenizer's limit where the model gives none of its own"


@pytest.mark.parametrize(
    ("pooling", "kinds", "said"),
    [
        ({"pooling_mode": "max"}, BASIC, "the pooling max"),
        ({"pooling_mode": ["cls", "mean"]}, BASIC, "the pooling cls and mean"),
        ({"pooling_mode_max_tokens": True}, BASIC, "the pooling pooling_mode_max_tokens"),
        ({"pooling_mode": "mean"}, (*BASIC, "Dense"), "Transformer → Pooling → Dense"),
    ],
)
def test_other_ways_to_a_vector_are_named(
    tmp_path: Path, pooling: dict[str, Any], kinds: tuple[str, ...], said: str
) -> None:
    modules = read_modules(saved(tmp_path / "m", pooling, kinds=kinds))
    assert modules is not None
    with pytest.raises(ConfigError, match=f"makes its vectors by {said}, which isogloss does not have"):
        modules.pooling()


def test_damaged_files_are_named(tmp_path: Path) -> None:
    assert read_modules(tmp_path) is None
    folder = saved(tmp_path / "m", {"pooling_mode": "cls"}, kinds=BASIC)
    (folder / "1_Pooling" / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"1_Pooling.config\.json cannot be read .*, but modules\.json names it"):
        read_modules(folder)
    for content in ("{", "[]", '{"a": 1}'):
        (folder / "modules.json").write_text(content)
        with pytest.raises(CheckpointError, match=r"modules\.json is damaged"):
            read_modules(folder)
