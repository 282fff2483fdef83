"""fairseq's checkpoints in and out: the same logits, the same bits back, in the forms of every age."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import isogloss.convert as room
from isogloss.checkpoint import load_encoder, load_model, load_vocabulary
from isogloss.convert import convert
from isogloss.errors import CheckpointError, ConfigError, FolderError
from isogloss.heads import TaskModel
from isogloss.interop.fairseq import names, plain_logits, read_checkpoint
from isogloss.interop.sentence_transformers import Pooling, read_modules
from isogloss.manifest import read_manifest
from isogloss.model import MaskedLM


def same_weights(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("form", ["newer", "older", "prenorm"])
def test_a_checkpoint_becomes_a_model_folder(
    fairseq_folder: Callable[..., Path], pieces: list[str], tmp_path: Path, form: str, args: dict[str, Any]
) -> None:
    source = fairseq_folder(form=form)
    done = convert(source, tmp_path / "ours", to="hf")
    assert done.largest_difference < 1e-4
    assert done.head == "masked"
    model = load_model(tmp_path / "ours", kind="masked")
    settings = model.encoder.settings
    assert (settings.norm, settings.max_length) == ("pre" if form == "prenorm" else "post", args["max_positions"])
    assert (settings.dropout, settings.attention_dropout) == (0.1, 0.2)
    assert settings.vocabulary_size == len(pieces) + 5
    vocabulary = load_vocabulary(tmp_path / "ours", model.encoder)
    assert vocabulary.size == settings.vocabulary_size
    assert read_manifest(tmp_path / "ours", "model").parents.keys() == {"fairseq"}


def test_older_and_newer_forms_are_one_model(fairseq_folder: Callable[..., Path], tmp_path: Path) -> None:
    for form in ("newer", "older"):
        convert(fairseq_folder(form, form=form), tmp_path / f"ours-{form}", to="hf")
    assert same_weights(load_model(tmp_path / "ours-newer"), load_model(tmp_path / "ours-older"))


def test_half_precision_is_read(fairseq_folder: Callable[..., Path], tmp_path: Path) -> None:
    def halve(tensors: dict[str, Tensor]) -> None:
        for name, tensor in list(tensors.items()):
            tensors[name] = tensor.half()

    assert convert(fairseq_folder(change=halve), tmp_path / "ours", to="hf").largest_difference < 1e-4
    assert {tensor.dtype for tensor in load_model(tmp_path / "ours").state_dict().values()} == {torch.float32}


def test_an_untied_head_keeps_its_own_table(fairseq_folder: Callable[..., Path], tmp_path: Path) -> None:
    def untie(tensors: dict[str, Tensor]) -> None:
        tensors["encoder.lm_head.weight"] = tensors["encoder.lm_head.weight"] + 1

    source = fairseq_folder(change=untie)
    assert convert(source, tmp_path / "ours", to="hf").largest_difference < 1e-4
    assert convert(tmp_path / "ours", tmp_path / "again", to="fairseq").largest_difference < 1e-4
    _, first = read_checkpoint(source / "model.pt")
    written, second = read_checkpoint(tmp_path / "again" / "model.pt")
    assert written["untie_weights_roberta"] is True
    assert torch.equal(first["encoder.lm_head.weight"], second["encoder.lm_head.weight"])


@pytest.mark.parametrize("form", ["newer", "older", "prenorm"])
def test_there_and_back_is_equal_to_the_bit(
    fairseq_folder: Callable[..., Path], tmp_path: Path, form: str, args: dict[str, Any]
) -> None:
    source = fairseq_folder(form=form)
    convert(source, tmp_path / "ours", to="hf")
    done = convert(tmp_path / "ours", tmp_path / "theirs-again", to="fairseq")
    assert done.largest_difference < 1e-4
    convert(tmp_path / "theirs-again", tmp_path / "ours-again", to="hf")
    assert same_weights(load_model(tmp_path / "ours"), load_model(tmp_path / "ours-again"))
    _, first = read_checkpoint(source / "model.pt")
    written, second = read_checkpoint(tmp_path / "theirs-again" / "model.pt")
    if form != "older":
        assert first.keys() == second.keys()
        assert all(torch.equal(first[name], second[name]) for name in first)
    ids = torch.tensor([0, 9, 4, 2])
    assert torch.allclose(plain_logits(args, first, ids), plain_logits(written, second, ids), atol=1e-5)
    model_name = "sentencepiece.bpe.model"
    assert (source / model_name).read_bytes() == (tmp_path / "theirs-again" / model_name).read_bytes()
    first_lines, second_lines = (
        [line.split(" ")[0] for line in (folder / "dict.txt").read_text(encoding="utf-8").split("\n")]
        for folder in (source, tmp_path / "theirs-again")
    )
    assert first_lines == second_lines


def test_the_order_of_dict_txt_is_that_of_the_ids(
    fairseq_folder: Callable[..., Path],
    pieces: list[str],
    tmp_path: Path,
    random_tensors: Callable[..., dict[str, Tensor]],
) -> None:
    """fairseq sorts by frequency where it makes dict.txt: a row belongs to its piece, wherever the line stands."""
    source = fairseq_folder(lines=[f"{piece} 1" for piece in reversed(pieces)])
    assert convert(source, tmp_path / "ours", to="hf").largest_difference < 1e-4
    model = load_model(tmp_path / "ours")
    table = model.encoder.embeddings.pieces.weight
    theirs = random_tensors(len(pieces) + 5)["encoder.sentence_encoder.embed_tokens.weight"]
    assert torch.equal(table[4], theirs[4 + len(pieces) - 1])
    assert torch.equal(table[-1], theirs[-1]), "<mask>"


@pytest.mark.parametrize("kept", [True, False])
def test_made_up_words(
    fairseq_folder: Callable[..., Path],
    pieces: list[str],
    tmp_path: Path,
    kept: bool,
    random_tensors: Callable[..., dict[str, Tensor]],
) -> None:
    """Rows without a piece stay where they round the table up; `<mask>` follows the pieces and they follow it."""
    num_rows = 64 if kept else 57
    assert len(pieces) + 5 < 56, "both sizes leave rows without a piece"
    fillers = [f"madeupword{number:04} 0" for number in range(num_rows - len(pieces) - 5)]
    source = fairseq_folder(lines=[*(f"{piece} 1" for piece in pieces), *fillers])
    done = convert(source, tmp_path / "ours", to="hf")
    model = load_model(tmp_path / "ours")
    table = model.encoder.embeddings.pieces.weight
    theirs = random_tensors(num_rows)["encoder.sentence_encoder.embed_tokens.weight"]
    vocabulary = load_vocabulary(tmp_path / "ours", model.encoder)
    assert torch.equal(table[vocabulary.mask_id], theirs[-1])
    assert len(table) == (num_rows if kept else vocabulary.size)
    assert bool(done.notes) is not kept
    convert(tmp_path / "ours", tmp_path / "again", to="fairseq")
    if kept:
        _, again = read_checkpoint(tmp_path / "again" / "model.pt")
        assert torch.equal(again["encoder.sentence_encoder.embed_tokens.weight"], theirs)


def test_a_mask_that_dict_txt_names_keeps_its_line(
    fairseq_folder: Callable[..., Path],
    pieces: list[str],
    tmp_path: Path,
    random_tensors: Callable[..., dict[str, Tensor]],
) -> None:
    source = fairseq_folder(lines=["<mask> 1", *(f"{piece} 1" for piece in pieces)])
    convert(source, tmp_path / "ours", to="hf")
    theirs = random_tensors(len(pieces) + 5)["encoder.sentence_encoder.embed_tokens.weight"]
    assert torch.equal(load_model(tmp_path / "ours").encoder.embeddings.pieces.weight[-1], theirs[4])


def test_the_second_copy_of_a_layer_is_left_out(fairseq_folder: Callable[..., Path], tmp_path: Path) -> None:
    """fairseq 0.12 saves zeros under these names where a training began with it, or copies where it went on."""

    def add(tensors: dict[str, Tensor]) -> None:
        layer = "encoder.sentence_encoder.layers.0"
        for name in ("fc1", "fc2"):
            for end in ("weight", "bias"):
                tensors[f"{layer}.{name}_{end}"] = torch.zeros_like(tensors[f"{layer}.{name}.{end}"])
                tensors[f"{layer}.out_proj_{end}"] = tensors[f"{layer}.self_attn.out_proj.{end}"]
        tensors[f"{layer}.in_proj_weight"] = torch.zeros(3 * 16, 16)
        tensors[f"{layer}.in_proj_bias"] = torch.zeros(3 * 16)

    convert(fairseq_folder("plain"), tmp_path / "one", to="hf")
    convert(fairseq_folder("copies", change=add), tmp_path / "two", to="hf")
    assert same_weights(load_model(tmp_path / "one"), load_model(tmp_path / "two"))


def test_fairseq_is_told_that_a_norm_comes_last(fairseq_folder: Callable[..., Path], tmp_path: Path) -> None:
    """Below version 2, or without one, fairseq takes a pre-norm model to have no final norm, and says nothing."""
    convert(fairseq_folder(form="prenorm"), tmp_path / "ours", to="hf")
    convert(tmp_path / "ours", tmp_path / "again", to="fairseq")
    _, tensors = read_checkpoint(tmp_path / "again" / "model.pt")
    assert tensors["encoder.sentence_encoder.version"].tolist() == [3.0]


def test_a_classification_head_is_carried(fairseq_folder: Callable[..., Path], tmp_path: Path) -> None:
    source = fairseq_folder(classes={"mnli": 3})
    (source / "label").mkdir()
    (source / "label" / "dict.txt").write_text("entailment 5\nneutral 4\ncontradiction 3\nmadeupword0000 0\n")
    done = convert(source, tmp_path / "ours", to="hf")
    assert done.head == "mnli"
    assert done.largest_difference < 1e-4
    assert done.notes == ("the head masked is left out",)
    model = load_model(tmp_path / "ours", kind="sequence")
    assert isinstance(model, TaskModel)
    assert model.labels == ("entailment", "neutral", "contradiction")
    convert(tmp_path / "ours", tmp_path / "theirs-again", to="fairseq")
    # Where fairseq's task of classification looks for the pieces, and for nothing else.
    pieces = (tmp_path / "theirs-again" / "input0" / "dict.txt").read_bytes()
    assert pieces == (tmp_path / "theirs-again" / "dict.txt").read_bytes()
    convert(tmp_path / "theirs-again", tmp_path / "ours-again", to="hf")
    again = load_model(tmp_path / "ours-again")
    assert isinstance(again, TaskModel)
    assert same_weights(model, again)
    assert again.labels == model.labels


def test_of_several_heads_one_is_chosen(fairseq_folder: Callable[..., Path], tmp_path: Path) -> None:
    source = fairseq_folder(classes={"a": 2, "b": 4})
    with pytest.raises(CheckpointError, match=r"choose one of a, b, masked with --head"):
        convert(source, tmp_path / "ours", to="hf")
    with pytest.raises(CheckpointError, match=r"no head 'c'; it has a, b, masked"):
        convert(source, tmp_path / "ours", to="hf", head="c")
    for head, num_labels in (("a", 2), ("b", 4)):
        convert(source, tmp_path / head, to="hf", head=head)
        model = load_model(tmp_path / head, kind="sequence")
        assert isinstance(model, TaskModel)
        assert len(model.labels) == num_labels
    convert(source, tmp_path / "masked", to="hf", head="masked")
    assert isinstance(load_model(tmp_path / "masked"), MaskedLM)


def test_the_same_command_again_compares_and_writes_nothing(
    fairseq_folder: Callable[..., Path], tmp_path: Path
) -> None:
    source, target = fairseq_folder(), tmp_path / "ours"
    first = convert(source, target, to="hf")
    written = (target / "model.safetensors").stat().st_mtime_ns
    assert convert(source, target, to="hf") == first
    assert (target / "model.safetensors").stat().st_mtime_ns == written
    back = convert(target, tmp_path / "theirs-again", to="fairseq")
    assert convert(target, tmp_path / "theirs-again", to="fairseq") == back
    assert {path.name for path in tmp_path.iterdir()} == {"theirs", "ours", "theirs-again"}, "nothing half done"
    with pytest.raises(FolderError, match="was not made from"):
        convert(fairseq_folder("others", form="prenorm"), target, to="hf")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(FolderError, match="mine is there already"):
        convert(source, tmp_path / "mine", to="hf")
    assert (tmp_path / "mine" / "thesis.tex").exists()


@pytest.mark.parametrize("swap", [("q", "k", "v"), ("v", "k", "q")])
def test_a_wrong_table_is_seen_before_anything_is_written(
    fairseq_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swap: tuple[str, ...]
) -> None:
    parts = tuple(f"{names.LAYER}.self_attn.{part}_proj" for part in swap)
    monkeypatch.setitem(names.BODY_NAMES, "encoder.layers.{}.attention.qkv", parts)
    source = fairseq_folder()
    if swap == ("q", "k", "v"):
        convert(source, tmp_path / "ours", to="hf")
    else:
        with pytest.raises(CheckpointError, match="more than rounding"):
            convert(source, tmp_path / "ours", to="hf")
        assert not (tmp_path / "ours").exists()


def test_an_encoder_becomes_an_embedding_model(
    fairseq_folder: Callable[..., Path], tmp_path: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    convert(fairseq_folder(), tmp_path / "ours", to="hf")
    source, target = tmp_path / "ours", tmp_path / "vectors"
    first = convert(source, target, to="sentence-transformers", pooling=Pooling("cls", normalise=True))
    assert (first.head, first.largest_difference) == ("encoder", 0.0)
    assert same_weights(load_encoder(target), load_encoder(source))
    modules = read_modules(target)
    assert modules is not None
    assert modules.pooling() == Pooling("cls", normalise=True)
    assert convert(target, tmp_path / "once more", to="sentence-transformers").largest_difference == 0
    assert 'base_model: "ours"' in (target / "README.md").read_text(encoding="utf-8")
    words = (source, target, "--to", "sentence-transformers")
    done = run(*words, "--pooling", "cls", "--normalise")
    assert done.stdout.startswith("largest difference of hidden states: 0.0e+00"), done.stderr
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "was made with another pooling; choose another folder or delete it" in done.stderr
    with pytest.raises(
        ConfigError, match="a pooling is for --to sentence-transformers; with --to fairseq leave it out"
    ):
        convert(source, tmp_path / "other", to="fairseq", pooling=Pooling())
    with pytest.raises(ConfigError, match="--head chooses a head of a fairseq checkpoint"):
        convert(source, tmp_path / "other", to="sentence-transformers", head="masked")


def test_transformers_gives_the_logits_of_fairseq(
    fairseq_folder: Callable[..., Path], pieces: list[str], tmp_path: Path, args: dict[str, Any]
) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed: nothing to compare with")
    source = fairseq_folder(form="older")
    convert(source, tmp_path / "ours", to="hf")
    model = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "ours").eval()
    _, tensors = read_checkpoint(source / "model.pt")
    ids = torch.tensor([0, 9, 17, len(pieces) + 4, 5, 2])
    with torch.no_grad():
        assert torch.allclose(model(ids[None]).logits[0], plain_logits(args, tensors, ids), atol=1e-4)


def test_the_command_prints_the_difference(
    fairseq_folder: Callable[..., Path], tmp_path: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = run(fairseq_folder(), tmp_path / "ours", "--to", "hf")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("largest difference of logits: ")
    done = run(tmp_path / "ours", tmp_path / "theirs-again", "--to", "fairseq", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["path"] == str(tmp_path / "theirs-again")
    assert 0 <= said["largest_difference"] < 1e-4
    assert said["num_probes"] == len(room.PROBES)
