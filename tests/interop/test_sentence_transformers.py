"""The folder of an embedding model: the steps that sentence-transformers runs, each with its settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from isogloss.errors import ConfigError
from isogloss.interop.sentence_transformers import Pooling, write_modules


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
