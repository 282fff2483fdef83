"""Reading `model.pt`: settings in each of their forms, and nothing but what the list of names allows."""

from __future__ import annotations

import sys
import types
import typing
from argparse import Namespace
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from isogloss.errors import CheckpointError
from isogloss.interop.fairseq import read_checkpoint, write_checkpoint
from isogloss.interop.fairseq.file import ALLOWED, INERT_NAMES

MODEL = {"encoder_layers": 2, "encoder_attention_heads": 4, "dropout": 0.1}
WEIGHTS = {"encoder.weight": torch.arange(4.0)}


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], type]:
    """Makes a class of a package that is not installed, so that an object of it can be saved."""

    def make(name: str) -> type:
        module, _, short = name.rpartition(".")
        made = type(short, (), {"__module__": module})
        for depth in range(module.count(".") + 1):
            package = module.rsplit(".", depth)[0]
            monkeypatch.setitem(sys.modules, package, sys.modules.get(package, types.ModuleType(package)))
        monkeypatch.setattr(sys.modules[module], short, made, raising=False)
        return made

    return make


def of(kind: type, **fields: Any) -> Any:
    made = kind.__new__(kind)
    vars(made).update(fields)
    return made


def save(path: Path, **state: Any) -> Path:
    torch.save({"model": WEIGHTS, **state}, path)
    return path


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "state",
    [
        {"args": Namespace(**MODEL)},
        {"args": Namespace(**MODEL), "cfg": None},
        {"args": None, "cfg": {"model": MODEL, "task": {"data": "x"}}},
        {"args": None, "cfg": {"model": Namespace(**MODEL), "task": None}},
    ],
    ids=["args", "args and cfg", "cfg", "cfg with a Namespace"],
)
def test_settings_in_each_form(tmp_path: Path, state: dict[str, Any], zipped: bool) -> None:
    torch.save({"model": WEIGHTS, **state}, tmp_path / "model.pt", _use_new_zipfile_serialization=zipped)
    args, tensors = read_checkpoint(tmp_path / "model.pt")
    assert args == MODEL
    assert torch.equal(tensors["encoder.weight"], WEIGHTS["encoder.weight"])


def test_settings_that_omegaconf_kept(tmp_path: Path, foreign: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As omegaconf pickles a DictConfig: nodes with their types, metadata and a parent that closes a circle."""
    config, any_node = foreign("omegaconf.dictconfig.DictConfig"), foreign("omegaconf.nodes.AnyNode")
    metadata = foreign("omegaconf.base.ContainerMetadata")
    dataclass = foreign("fairseq.dataclass.configs.FairseqConfig")

    def container(parent: Any, content: dict[str, Any]) -> Any:
        about = of(metadata, ref_type=typing.Any, object_type=dict, key_type=str, resolver_cache=defaultdict(dict))
        made = of(config, _metadata=about, _parent=parent)
        vars(made)["_content"] = {
            key: container(made, value) if isinstance(value, dict) else of(any_node, _val=value, _parent=made)
            for key, value in content.items()
        }
        return made

    cfg = container(None, {"model": MODEL, "task": {"data": "x"}})
    vars(vars(cfg)["_metadata"])["object_type"] = dataclass
    # Pickled as a call, operator.getitem(List, int): of the settings of a dataclass, every version of omegaconf has it.
    vars(vars(cfg)["_metadata"])["ref_type"] = typing.List[int]  # noqa: UP006
    save(tmp_path / "model.pt", args=None, cfg=cfg)
    for name in list(sys.modules):
        if name.split(".")[0] in ("omegaconf", "fairseq"):
            monkeypatch.delitem(sys.modules, name)
    args, _ = read_checkpoint(tmp_path / "model.pt")
    assert args == MODEL


def test_the_state_of_the_training_is_left_out(tmp_path: Path, foreign: Any) -> None:
    meter = of(foreign("fairseq.meters.AverageMeter"), val=1.0, sum=2.0)
    save(tmp_path / "model.pt", args=Namespace(**MODEL), extra_state={"train_meters": {"loss": meter}})
    assert read_checkpoint(tmp_path / "model.pt")[0] == MODEL


def test_what_is_not_on_the_list_is_refused_by_name(tmp_path: Path, foreign: Any) -> None:
    for name in ("fairseq.models.roberta.RobertaModel", "omegaconf.omegaconf.OmegaConf", "argparse.FileType"):
        save(tmp_path / "model.pt", args=Namespace(**MODEL), extra_state=of(foreign(name)))
        with pytest.raises(CheckpointError, match=f"asks for '{name}'"):
            read_checkpoint(tmp_path / "model.pt")


def test_the_list_can_do_nothing() -> None:
    """Called or given a state, nothing on it does more than keep fields; Namespace is the only class not ours."""
    assert len(ALLOWED) == len(INERT_NAMES) + 2
    for entry in ALLOWED[1:]:
        stand_in, name = entry
        made = stand_in(1, "two", [3])
        assert made == {} or type(made).__module__ == "isogloss.interop.fairseq.file", name
        assert stand_in.__module__ == "isogloss.interop.fairseq.file", name
    assert ALLOWED[0] is Namespace


def test_nothing_stays_allowed_afterwards(tmp_path: Path) -> None:
    before = set(torch.serialization.get_safe_globals())
    read_checkpoint(save(tmp_path / "model.pt", args=Namespace(**MODEL)))
    assert set(torch.serialization.get_safe_globals()) == before


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"args": None}, "neither 'args' nor 'cfg'"),
        ({"args": Namespace(**MODEL), "model": [1]}, "no table 'model'"),
        ({"args": Namespace(**MODEL), "model": {"a": 1}}, "'a' of its table 'model' is a int"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, state: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        read_checkpoint(save(tmp_path / "model.pt", **state))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "model.pt", MODEL, WEIGHTS)
    args, tensors = read_checkpoint(tmp_path / "model.pt")
    assert args == MODEL
    assert torch.equal(tensors["encoder.weight"], WEIGHTS["encoder.weight"])
    # fairseq upgrades a file without these as one of its first format, whose keys are not there.
    whole = torch.load(tmp_path / "model.pt", weights_only=False)
    assert {"optimizer_history", "extra_state"} <= set(whole)
