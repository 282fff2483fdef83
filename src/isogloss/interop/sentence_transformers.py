"""The files by which sentence-transformers loads an encoder as an embedding model.

    write_modules(folder, Pooling("mean-all", normalise=True), width=768, max_length=512)
    steps = read_modules(folder)                # None for a folder that is no embedding model
    steps.pooling(), steps.max_length

They lie beside config.json and the weights: `modules.json` says which steps follow each other (encoder, pooling, norm),
`1_Pooling/config.json` how hidden states become one vector. `Predictor.embed` with the same pooling gives the same
vectors; its own "mean", which leaves `<s>` and `</s>` out, is none that sentence-transformers has. Folders that it
saved itself are read in the forms of its versions 2 to 6.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from isogloss.errors import CheckpointError, ConfigError
from isogloss.manifest import write_json

__all__ = ["Modules", "Pooling", "read_modules", "write_modules"]

MODULES_NAME = "modules.json"

# The steps by the names they have had since version 2, which later versions go on reading.
STEPS = {
    "": "sentence_transformers.models.Transformer",
    "1_Pooling": "sentence_transformers.models.Pooling",
    "2_Normalize": "sentence_transformers.models.Normalize",
}
MODES = {"cls": "pooling_mode_cls_token", "mean-all": "pooling_mode_mean_tokens"}
OTHER_MODES = ("pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens")
# A pooling by its name in the settings of versions 2 to 5, and of version 6.
READ_AS: dict[str, Literal["cls", "mean-all"]] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean-all",
    "cls": "cls",
    "mean": "mean-all",
}
LENGTHS = (("sentence_bert_config.json", "max_seq_length"), ("tokenizer_config.json", "model_max_length"))
# A tokenizer without a limit is given 10^30.
NO_LIMIT = 1 << 31


@dataclass(frozen=True)
class Pooling:
    """How the hidden states of a text become one vector: `<s>` ("cls") or the mean of all tokens ("mean-all").

    Raises ConfigError for a pooling that sentence-transformers does not have.
    """

    mode: Literal["cls", "mean-all"] = "mean-all"
    normalise: bool = False

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ConfigError(
                f"pooling = '{self.mode}' is none of sentence-transformers' own; use {' or '.join(MODES)}"
            )


@dataclass(frozen=True)
class Modules:
    """The steps of an embedding model by their kind ("Transformer", "Pooling", …), and the settings of the pooling.

    `encoder` is the folder with config.json and the weights; text beyond `max_length` tokens is not read.
    """

    folder: Path
    kinds: tuple[str, ...]
    encoder: Path
    settings: dict[str, Any]
    max_length: int

    def pooling(self) -> Pooling:
        """How vectors are made. Raises ConfigError where that is a way which we do not have."""
        names = [key for key, chosen in self.settings.items() if key.startswith("pooling_mode_") and chosen is True]
        if (later := self.settings.get("pooling_mode", "" if names else "mean")) != "":
            names = [later] if isinstance(later, str) else [str(name) for name in later]
        if self.kinds not in (("Transformer", "Pooling"), ("Transformer", "Pooling", "Normalize")):
            steps = " → ".join(self.kinds)
        elif len(names) == 1 and names[0] in READ_AS:
            return Pooling(READ_AS[names[0]], normalise="Normalize" in self.kinds)
        else:
            steps = f"the pooling {' and '.join(names)}"
        raise ConfigError(
            f"{self.folder} makes its vectors by {steps}, which isogloss does not have; ask for a pooling of your own"
        )


def read_modules(folder: Path) -> Modules | None:
    """What modules.json and the files it names say; None where there is no such file.

    Raises CheckpointError for a file that is damaged.
    """
    if not (folder / MODULES_NAME).is_file():
        return None
    rows = _read(folder / MODULES_NAME)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise CheckpointError(f"{folder / MODULES_NAME} is damaged (no list of steps); copy it again")
    kinds = tuple(str(row.get("type", "")).rpartition(".")[2] for row in rows)
    paths = {kind: folder / str(row.get("path", "")) for kind, row in zip(kinds, rows, strict=True)}
    encoder = paths.get("Transformer", folder)
    settings = _read(paths["Pooling"] / "config.json") if "Pooling" in paths else {}
    found = (_read(encoder / name).get(key) for name, key in LENGTHS if (encoder / name).is_file())
    max_length = next((length for length in found if isinstance(length, int) and length > 0), NO_LIMIT)
    return Modules(folder, kinds, encoder, settings, max_length)


def write_modules(folder: Path, pooling: Pooling, *, width: int, max_length: int) -> None:
    """Write modules.json and the settings of each step; vectors are as wide as the encoder."""
    steps = [path for path in STEPS if path != "2_Normalize" or pooling.normalise]
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": STEPS[path]} for number, path in enumerate(steps)
    ]
    chosen = {name: mode == pooling.mode for mode, name in MODES.items()} | dict.fromkeys(OTHER_MODES, False)
    for path in steps[1:]:
        (folder / path).mkdir()
    write_json(folder / MODULES_NAME, modules)
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": width, **chosen})
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_length, "do_lower_case": False})
    similarity: dict[str, Any] = {"similarity_fn_name": "cosine", "prompts": {}, "default_prompt_name": None}
    write_json(folder / "config_sentence_transformers.json", similarity)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}), but {MODULES_NAME} names it") from None
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged ({error}); copy it again") from None
