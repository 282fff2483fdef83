"""Small fairseq checkpoints under fairseq's own names, written without the code that reads them."""

from __future__ import annotations

import io
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import torch
from torch import Tensor

WIDTH, HEADS, FEEDFORWARD, LAYERS, LENGTH = 16, 2, 24, 2, 20


@pytest.fixture(scope="session")
def sentencepiece_model() -> bytes:
    """A SentencePiece model with the default ids, over letters of several scripts."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["Anna sees a dog", "the baker opens", "Хлеб утром", "早上 门"] * 3),
        model_writer=model,
        vocab_size=48,
        hard_vocab_limit=False,
        character_coverage=1.0,
        minloglevel=2,
    )
    return model.getvalue()


@pytest.fixture(scope="session")
def pieces(sentencepiece_model: bytes) -> list[str]:
    """Its learned pieces, in their order: the lines of dict.txt."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=sentencepiece_model)
    return [processor.id_to_piece(index) for index in range(3, processor.get_piece_size())]


def _random_tensors(num_rows: int, *, norm: str = "post", classes: dict[str, int] | None = None) -> dict[str, Tensor]:
    """Weights of the newer form: `encoder.sentence_encoder`, queries, keys and values apart."""
    generator = torch.Generator().manual_seed(5)

    def draw(*shape: int) -> Tensor:
        return 0.3 * torch.randn(shape, generator=generator)

    tensors: dict[str, Tensor] = {}

    def linear(name: str, rows: int, columns: int) -> None:
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = draw(rows, columns), draw(rows)

    def layer_norm(name: str) -> None:
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = 1 + draw(WIDTH), draw(WIDTH)

    body = "encoder.sentence_encoder"
    tensors[f"{body}.version"] = torch.tensor([3.0])
    tensors[f"{body}.embed_tokens.weight"] = draw(num_rows, WIDTH)
    tensors[f"{body}.embed_positions.weight"] = draw(LENGTH + 2, WIDTH)
    layer_norm(f"{body}.layernorm_embedding" if norm == "post" else f"{body}.layer_norm")
    for number in range(LAYERS):
        layer = f"{body}.layers.{number}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            linear(f"{layer}.self_attn.{part}", WIDTH, WIDTH)
        linear(f"{layer}.fc1", FEEDFORWARD, WIDTH)
        linear(f"{layer}.fc2", WIDTH, FEEDFORWARD)
        layer_norm(f"{layer}.self_attn_layer_norm")
        layer_norm(f"{layer}.final_layer_norm")
    linear("encoder.lm_head.dense", WIDTH, WIDTH)
    layer_norm("encoder.lm_head.layer_norm")
    tensors["encoder.lm_head.weight"] = tensors[f"{body}.embed_tokens.weight"]
    tensors["encoder.lm_head.bias"] = draw(num_rows)
    for name, num_labels in (classes or {}).items():
        linear(f"classification_heads.{name}.dense", WIDTH, WIDTH)
        linear(f"classification_heads.{name}.out_proj", num_labels, WIDTH)
    return tensors


def _as_older(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights as fairseq of 2019 stored them."""
    older = {}
    for name, tensor in tensors.items():
        name = name.replace("encoder.", "decoder.", 1) if name.startswith("encoder.") else name
        name = name.replace(".layernorm_embedding.", ".emb_layer_norm.")
        if ".q_proj." in name:
            parts = [tensors[name.replace("decoder.", "encoder.", 1).replace(".q_", f".{part}_")] for part in "qkv"]
            older[name.replace("q_proj.", "in_proj_")] = torch.cat(parts)
        elif ".k_proj." not in name and ".v_proj." not in name:
            older[name] = tensor
    return older


ARGS: dict[str, Any] = {
    "arch": "roberta_base",
    "task": "multilingual_masked_lm",
    "encoder_layers": LAYERS,
    "encoder_embed_dim": WIDTH,
    "encoder_ffn_embed_dim": FEEDFORWARD,
    "encoder_attention_heads": HEADS,
    "activation_fn": "gelu",
    "pooler_activation_fn": "tanh",
    "dropout": 0.1,
    "attention_dropout": 0.2,
    "pooler_dropout": 0.3,
    "max_positions": LENGTH,
    "untie_weights_roberta": False,
}


@pytest.fixture
def fairseq_folder(tmp_path: Path, sentencepiece_model: bytes, pieces: list[str]) -> Callable[..., Path]:
    """Writes a checkpoint folder: `form` is newer, older or prenorm, `state` replaces parts of model.pt."""

    def write(
        name: str = "theirs",
        *,
        form: str = "newer",
        lines: list[str] | None = None,
        classes: dict[str, int] | None = None,
        change: Callable[[dict[str, Tensor]], Any] = lambda _: None,
        **state: Any,
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        lines = [f"{piece} 7" for piece in pieces] if lines is None else lines
        has_mask = any(line.startswith("<mask> ") for line in lines)
        (folder / "dict.txt").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        (folder / "sentencepiece.bpe.model").write_bytes(sentencepiece_model)
        norm = "pre" if form == "prenorm" else "post"
        tensors = _random_tensors(4 + len(lines) + (not has_mask), norm=norm, classes=classes)
        tensors = _as_older(tensors) if form == "older" else tensors
        change(tensors)
        settings = {"args": Namespace(**ARGS)} if form == "older" else {"args": None, "cfg": {"model": dict(ARGS)}}
        whole = {"model": tensors, "extra_state": {"epoch": 3}, "optimizer_history": [], **settings, **state}
        # What wrote the older checkpoints knew no zip files.
        torch.save(whole, folder / "model.pt", _use_new_zipfile_serialization=form != "older")
        return folder

    return write


@pytest.fixture(scope="session")
def args() -> dict[str, Any]:
    """The settings that those checkpoints carry."""
    return dict(ARGS)


@pytest.fixture(scope="session")
def random_tensors() -> Callable[..., dict[str, Tensor]]:
    """The weights of those checkpoints: the same ones whenever they are asked for."""
    return _random_tensors


@pytest.fixture
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `isogloss convert`."""

    def convert(*words: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "isogloss", "convert", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return convert
