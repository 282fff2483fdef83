"""Our models beside transformers' on tiny random weights, both directions: padded batches there, packed here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from isogloss.attention import Layout
from isogloss.checkpoint import load_encoder, load_model, save_model
from isogloss.heads import TaskModel
from isogloss.model import Encoder, MaskedLM, ModelSettings, initialise

transformers = pytest.importorskip("transformers", reason="transformers is not installed: nothing to compare with")

LENGTHS = (7, 3, 12, 7, 1)
SHAPE: dict[str, Any] = {"vocabulary_size": 50, "width": 24, "num_layers": 3, "num_heads": 3, "feedforward": 40}
AUTO = {
    "masked": "AutoModelForMaskedLM",
    "sequence": "AutoModelForSequenceClassification",
    "token": "AutoModelForTokenClassification",
    "question": "AutoModelForQuestionAnswering",
}
FAMILY = {"post": "XLMRoberta", "pre": "XLMRobertaXL"}


@pytest.fixture(autouse=True)
def _quiet() -> None:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def make_rough(model: torch.nn.Module) -> None:
    """Weights large enough that a swapped or dropped one shows far above rounding."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)


def theirs_new(kind: str, norm: str, *, num_types: int = 1) -> Any:
    config = getattr(transformers, FAMILY[norm] + "Config")(
        vocab_size=50, hidden_size=24, num_hidden_layers=3, num_attention_heads=3, intermediate_size=40,
        max_position_embeddings=22, type_vocab_size=num_types, layer_norm_eps=1e-5,
        **({} if kind in ("masked", "question") else {"id2label": {0: "a", 1: "b", 2: "c"}}),
    )  # fmt: skip
    torch.manual_seed(2)
    model = getattr(transformers, AUTO[kind].replace("AutoModel", FAMILY[norm]))(config).eval()
    make_rough(model)
    return model


def ours_new(kind: str, norm: str, *, num_types: int = 0) -> MaskedLM | TaskModel:
    settings = ModelSettings(**SHAPE, max_length=20, norm=norm, num_token_types=num_types)  # type: ignore[arg-type]
    model = MaskedLM(settings) if kind == "masked" else TaskModel(Encoder(settings), kind, ("a", "b", "c"))  # type: ignore[arg-type]
    initialise(model, 1)
    make_rough(model)
    return model.eval()


def save(model: MaskedLM | TaskModel, tmp_path: Path) -> Path:
    vocabulary = tmp_path / "vocab"
    vocabulary.mkdir()
    (vocabulary / "sentencepiece.bpe.model").write_bytes(b"")
    save_model(tmp_path / "m", model, vocabulary_folder=vocabulary, parents=[], command="test", card="")
    return tmp_path / "m"


def batch() -> tuple[torch.Tensor, Layout, torch.Tensor, torch.Tensor]:
    """Packed ids and their layout; the same padded, with its mask."""
    ids = torch.randint(4, 49, (sum(LENGTHS),), generator=torch.Generator().manual_seed(5))
    padded = torch.nn.utils.rnn.pad_sequence(list(ids.split(LENGTHS)), batch_first=True, padding_value=1)
    return ids, Layout.of(LENGTHS), padded, (padded != 1).long()


def packed(padded: torch.Tensor) -> torch.Tensor:
    return torch.cat([row[:length] for row, length in zip(padded, LENGTHS, strict=True)])


def their_logits(model: Any, kind: str, padded: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    out = model(input_ids=padded, attention_mask=mask)
    if kind == "question":
        return packed(torch.stack((out.start_logits, out.end_logits), -1))
    logits: torch.Tensor = out.logits
    return logits if kind == "sequence" else packed(logits)


def our_logits(model: MaskedLM | TaskModel, ids: torch.Tensor, layout: Layout) -> torch.Tensor:
    if isinstance(model, MaskedLM):
        return model.logits(ids, layout, torch.arange(len(ids)))
    logits: torch.Tensor = model(ids, layout)
    return logits


def assert_same(model: MaskedLM | TaskModel, other: Any, kind: str) -> None:
    ids, layout, padded, mask = batch()
    logits = our_logits(model, ids, layout)
    assert logits.std() > 0.05
    torch.testing.assert_close(logits, their_logits(other, kind, padded, mask), rtol=1e-5, atol=1e-5)
    theirs = other.base_model(input_ids=padded, attention_mask=mask, output_hidden_states=True).hidden_states
    ours = list(model.encoder.states(ids, layout))
    assert len(ours) == len(theirs) == SHAPE["num_layers"] + 1
    for number, (one, two) in enumerate(zip(ours, theirs, strict=True)):
        torch.testing.assert_close(one, packed(two), rtol=1e-5, atol=1e-5, msg=lambda text, n=number: f"{n}: {text}")


@pytest.mark.parametrize("norm", ["post", "pre"])
@pytest.mark.parametrize("kind", AUTO)
def test_they_read_what_we_write(tmp_path: Path, kind: str, norm: str) -> None:
    model = ours_new(kind, norm)
    folder = save(model, tmp_path)
    other, report = getattr(transformers, AUTO[kind]).from_pretrained(folder, output_loading_info=True)
    assert not any(report.values()), report
    assert_same(model, other.eval(), kind)
    if kind in ("sequence", "token"):
        assert other.config.id2label == {0: "a", 1: "b", 2: "c"}


@pytest.mark.parametrize("norm", ["post", "pre"])
@pytest.mark.parametrize("kind", AUTO)
def test_we_read_what_they_write(tmp_path: Path, kind: str, norm: str) -> None:
    other = theirs_new(kind, norm)
    other.save_pretrained(tmp_path)
    model = load_model(tmp_path, kind=kind).eval()  # type: ignore[arg-type]
    assert_same(model, other, kind)
    if isinstance(model, TaskModel) and kind != "question":
        assert model.labels == ("a", "b", "c")


@pytest.mark.parametrize("kind", ["masked", "token"])
def test_several_token_types(tmp_path: Path, kind: str) -> None:
    other = theirs_new(kind, "post", num_types=2)
    other.save_pretrained(tmp_path / "theirs")
    assert_same(load_model(tmp_path / "theirs").eval(), other, kind)
    model = ours_new(kind, "post", num_types=2)
    assert_same(model, getattr(transformers, AUTO[kind]).from_pretrained(save(model, tmp_path)).eval(), kind)


def test_a_bare_encoder_with_its_pooler(tmp_path: Path) -> None:
    other = transformers.XLMRobertaModel(theirs_new("masked", "post").config).eval()
    make_rough(other)
    other.save_pretrained(tmp_path)
    ids, layout, padded, mask = batch()
    expected = packed(other(input_ids=padded, attention_mask=mask).last_hidden_state)
    torch.testing.assert_close(load_encoder(tmp_path).eval()(ids, layout), expected, rtol=1e-5, atol=1e-5)


def test_they_refuse_what_they_cannot_compute(tmp_path: Path) -> None:
    settings = ModelSettings(**SHAPE, max_length=20, num_languages=2)
    model = MaskedLM(settings)
    initialise(model, 1)
    with pytest.raises(ValueError, match="isogloss"):
        transformers.AutoModelForMaskedLM.from_pretrained(save(model, tmp_path))


def test_loss_and_every_gradient(tmp_path: Path) -> None:
    model = ours_new("masked", "post")
    assert isinstance(model, MaskedLM)
    other = transformers.AutoModelForMaskedLM.from_pretrained(save(model, tmp_path)).eval()
    ids, layout, padded, mask = batch()
    rows = torch.tensor([0, 2, 8, 15, 29])
    (model.masked_loss(ids, layout, rows, ids[rows]) / len(rows)).backward()
    chosen = torch.zeros(len(ids), dtype=torch.bool)
    chosen[rows] = True
    labels = torch.full_like(padded, -100)
    labels[mask.bool()] = torch.where(chosen, ids, -100)
    other(input_ids=padded, attention_mask=mask, labels=labels).loss.backward()
    names = other.state_dict(keep_vars=True)
    layer, their = model.encoder.layers[1], "roberta.encoder.layer.1"
    query, key, value = layer.attention.qkv.weight.grad.chunk(3)  # type: ignore[union-attr,operator]
    pairs = {
        f"{their}.attention.self.query.weight": query,
        f"{their}.attention.self.key.weight": key,
        f"{their}.attention.self.value.weight": value,
        f"{their}.attention.output.dense.weight": layer.attention.out.weight.grad,  # type: ignore[union-attr]
        f"{their}.attention.output.LayerNorm.weight": layer.attention_norm.weight.grad,  # type: ignore[union-attr]
        f"{their}.intermediate.dense.weight": layer.feedforward.inner.weight.grad,  # type: ignore[union-attr]
        f"{their}.output.dense.bias": layer.feedforward.out.bias.grad,  # type: ignore[union-attr]
        "roberta.embeddings.word_embeddings.weight": model.encoder.embeddings.pieces.weight.grad,
        "roberta.embeddings.position_embeddings.weight": model.encoder.embeddings.positions.weight.grad,
        "roberta.embeddings.LayerNorm.weight": model.encoder.embeddings.norm.weight.grad,  # type: ignore[union-attr]
        "lm_head.dense.weight": model.head.dense.weight.grad,
        "lm_head.bias": model.head.bias.grad,
    }
    for name, grad in pairs.items():
        assert grad is not None
        assert grad.abs().max() > 1e-4, name
        torch.testing.assert_close(
            grad, names[name].grad, rtol=1e-4, atol=1e-5, msg=lambda text, n=name: f"{n}: {text}"
        )


@pytest.mark.parametrize("kind", ["sequence", "token"])
def test_gradients_through_task_heads(tmp_path: Path, kind: str) -> None:
    other = theirs_new(kind, "post")
    other.save_pretrained(tmp_path)
    model = load_model(tmp_path).eval()
    ids, layout, padded, mask = batch()
    F.log_softmax(our_logits(model, ids, layout), -1)[:, 1].sum().backward()
    F.log_softmax(their_logits(other, kind, padded, mask), -1)[:, 1].sum().backward()
    grad = other.roberta.encoder.layer[0].intermediate.dense.weight.grad
    ours = model.encoder.layers[0].feedforward.inner.weight.grad  # type: ignore[union-attr]
    assert grad.abs().max() > 1e-4
    torch.testing.assert_close(ours, grad, rtol=1e-4, atol=1e-5)
