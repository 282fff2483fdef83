"""The files by which sentence-transformers loads an encoder as an embedding model.

    write_modules(folder, Pooling("mean-all", normalise=True), width=768, max_length=512)

They lie beside config.json and the weights: `modules.json` says which steps follow each other (encoder, pooling, norm),
`1_Pooling/config.json` how hidden states become one vector. `Predictor.embed` with the same pooling gives the same
vectors; its own "mean", which leaves `<s>` and `</s>` out, is none that sentence-transformers has.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from isogloss.errors import ConfigError
from isogloss.manifest import write_json

__all__ = ["Pooling", "write_modules"]

# The steps by the names they have had since version 2, which later versions go on reading.
STEPS = {
    "": "sentence_transformers.models.Transformer",
    "1_Pooling": "sentence_transformers.models.Pooling",
    "2_Normalize": "sentence_transformers.models.Normalize",
}
MODES = {"cls": "pooling_mode_cls_token", "mean-all": "pooling_mode_mean_tokens"}
OTHER_MODES = ("pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens")


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


def write_modules(folder: Path, pooling: Pooling, *, width: int, max_length: int) -> None:
    """Write modules.json and the settings of each step; vectors are as wide as the encoder."""
    steps = [path for path in STEPS if path != "2_Normalize" or pooling.normalise]
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": STEPS[path]} for number, path in enumerate(steps)
    ]
    chosen = {name: mode == pooling.mode for mode, name in MODES.items()} | dict.fromkeys(OTHER_MODES, False)
    for path in steps[1:]:
        (folder / path).mkdir()
    write_json(folder / "modules.json", modules)
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": width, **chosen})
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_length, "do_lower_case": False})
    similarity: dict[str, Any] = {"similarity_fn_name": "cosine", "prompts": {}, "default_prompt_name": None}
    write_json(folder / "config_sentence_transformers.json", similarity)
