"""A character language model of flair as plain files, settings, characters, weights; and flair's own, read safely.

    model = CharacterModel.read(Path("news-forward-0.4.1.pt"))      # or a folder of ours
    model.save(folder)                                              # JSON and safetensors
    embeddings = model.embeddings(torch.device("cpu"))              # flair's FlairEmbeddings

flair keeps a model as a pickle, which may carry code, and of a protocol that torch's weights_only reader does not read.
Ours reads it as that one would: a pickle may name tensors, dictionaries and flair's list of characters, for which
a class of ours stands that does nothing; a file that names anything else is refused before it is looked up.
"""

from __future__ import annotations

import json
import pickle
import tarfile
import types
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import xxhash
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from isogloss.baselines.flair_library import flair_on
from isogloss.errors import CheckpointError
from isogloss.manifest import hash_file, write_json

__all__ = ["CharacterModel", "model_hash"]

CONFIG_NAME, CHARACTERS_NAME, WEIGHTS_NAME = "config.json", "characters.json", "model.safetensors"
# What flair's files say of a model, and what those of earlier versions leave out.
FIELDS = ("is_forward_lm", "hidden_size", "nlayers", "embedding_size", "nout", "dropout")
LATER_FIELDS = {"document_delimiter": "\n", "recurrent_type": "LSTM"}


class _Characters:
    """Stands for flair's Dictionary: keeps what it is given."""

    def __setstate__(self, state: object) -> None:
        if isinstance(state, dict):
            self.items = state.get("idx2item")


def _plain_dict(*_: object) -> dict[object, object]:
    """Stands for collections.defaultdict, whose factory would be a call at every missing key."""
    return {}


ALLOWED: dict[tuple[str, str], Any] = {
    ("flair.data", "Dictionary"): _Characters,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): _plain_dict,
    ("builtins", "int"): int,
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
}


class _Unpickler(pickle.Unpickler):
    """Knows the names above and no others."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no character model needs; nothing was run")
        return ALLOWED[module, name]


# What torch.load asks of a pickle module.
_SAFE_PICKLE = types.SimpleNamespace(
    __name__="safe_pickle", Unpickler=_Unpickler, load=lambda stream, **options: _Unpickler(stream, **options).load()
)


@dataclass(frozen=True, eq=False)
class CharacterModel:
    """Settings by flair's names, the characters by number, and the weights but for the layer that predicts."""

    settings: dict[str, Any]
    characters: tuple[str, ...]
    weights: dict[str, Tensor]

    @classmethod
    def read(cls, path: Path) -> CharacterModel:
        """From a folder of ours or a file of flair. Raises CheckpointError for what is neither, or damaged."""
        try:
            return cls._of_folder(path) if path.is_dir() else cls._of_flair(path)
        except OSError as error:
            raise CheckpointError(f"{path} cannot be read ({error.strerror or error})") from None
        except (pickle.UnpicklingError, SafetensorError, RuntimeError, EOFError, KeyError, ValueError) as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise CheckpointError(f"{path} is no character language model of flair: {lines[0][:200]}") from None

    @classmethod
    def _of_folder(cls, folder: Path) -> CharacterModel:
        settings, characters = (
            json.loads((folder / name).read_text(encoding="utf-8")) for name in (CONFIG_NAME, CHARACTERS_NAME)
        )
        return cls(settings, tuple(characters), load_file(folder / WEIGHTS_NAME))

    @classmethod
    def _of_flair(cls, path: Path) -> CharacterModel:
        if tarfile.is_tarfile(path):  # torch's oldest form, which is unpacked to disk to be read
            raise ValueError("a tar archive, which is not read")
        state = torch.load(path, map_location="cpu", pickle_module=_SAFE_PICKLE, weights_only=False)
        if not isinstance(state, dict) or not isinstance(state.get("dictionary"), _Characters):
            raise ValueError("it has no list of characters")
        weights = {
            name: tensor.float().contiguous()
            for name, tensor in state["state_dict"].items()
            if isinstance(tensor, Tensor) and not name.startswith("decoder.")
        }
        settings = {name: state[name] for name in FIELDS} | {
            name: state.get(name, usual) for name, usual in LATER_FIELDS.items()
        }
        return cls(settings, tuple(item.decode("utf-8") for item in state["dictionary"].items), weights)

    def save(self, folder: Path) -> None:
        """Write the model as JSON and safetensors."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / CONFIG_NAME, self.settings)
        write_json(folder / CHARACTERS_NAME, self.characters)
        save_file(self.weights, folder / WEIGHTS_NAME)

    @property
    def is_forward(self) -> bool:
        return bool(self.settings["is_forward_lm"])

    @property
    def width(self) -> int:
        """Width of a word's state."""
        return int(self.settings["nout"] or self.settings["hidden_size"])

    def embeddings(self, device: torch.device) -> Any:
        """As flair's FlairEmbeddings. Raises MissingExtraError, CheckpointError for weights that do not fit."""
        with flair_on(device):
            from flair.data import Dictionary
            from flair.embeddings import FlairEmbeddings
            from flair.models import LanguageModel

            dictionary = Dictionary(add_unk=False)
            for character in self.characters:
                dictionary.add_item(character)
            dictionary.add_unk = True
            network = LanguageModel(dictionary, has_decoder=False, **self.settings)
            try:
                network.load_state_dict(self.weights)
            except RuntimeError as error:
                reason = str(error).strip().splitlines()[-1].strip()
                raise CheckpointError(f"a character language model's weights are not its own: {reason}") from None
            return FlairEmbeddings(network.eval(), name="forward" if self.is_forward else "backward")


def model_hash(path: Path) -> str:
    """What tells a model from others, whatever lies at `path`."""
    if path.is_file():
        return hash_file(path)
    names = (CONFIG_NAME, CHARACTERS_NAME, WEIGHTS_NAME)
    hashes = [hash_file(path / name) for name in names if (path / name).is_file()]
    return xxhash.xxh3_128(json.dumps(hashes).encode()).hexdigest()
