"""Our models beside transformers' on tiny random weights, both directions: padded batches there, packed here.

Differences are measured against the largest value: 1e-5 of it for states, logits and losses, 1e-4 for gradients.
"""

from __future__ import annotations

import copy
import logging
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from isogloss.attention import Layout
from isogloss.checkpoint import load_encoder, load_model, read_model, save_model
from isogloss.finetune import loss_of
from isogloss.heads import HeadKind, TaskModel
from isogloss.interop.huggingface import TYPE_NAME, to_hub
from isogloss.model import Encoder, MaskedLM, ModelSettings, initialise
from isogloss.predict import load
from isogloss.tasks.training import ExampleBatch

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
both_norms = pytest.mark.parametrize("norm", ["post", "pre"])
every_kind = pytest.mark.parametrize("kind", AUTO)


def make_rough(model: torch.nn.Module) -> None:
    """Weights large enough that a swapped or dropped one shows far above rounding."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)


def theirs_new(kind: str, norm: str, *, num_types: int = 1, **values: Any) -> Any:
    config = getattr(transformers, FAMILY[norm] + "Config")(
        vocab_size=50, hidden_size=24, num_hidden_layers=3, num_attention_heads=3, intermediate_size=40,
        max_position_embeddings=22, type_vocab_size=num_types, layer_norm_eps=1e-5,
        **({} if kind in ("masked", "question") else {"id2label": {0: "a", 1: "b", 2: "c"}}), **values,
    )  # fmt: skip
    torch.manual_seed(2)
    model = getattr(transformers, AUTO[kind].replace("AutoModel", FAMILY[norm]))(config).eval()
    make_rough(model)
    return model


def ours_new(kind: str, norm: str, *, num_types: int = 0, tied: bool = True) -> MaskedLM | TaskModel:
    settings = ModelSettings(**SHAPE, max_length=20, norm=norm, num_token_types=num_types)  # type: ignore[arg-type]
    model: MaskedLM | TaskModel = MaskedLM(settings, tied=tied)
    if kind != "masked":
        model = TaskModel(Encoder(settings), cast(HeadKind, kind), ("a", "b", "c"))
    initialise(model, 1)
    make_rough(model)
    return model.eval()


def save(model: MaskedLM | TaskModel | Encoder, tmp_path: Path, vocabulary_folder: Path) -> Path:
    save_model(tmp_path / "m", model, vocabulary_folder=vocabulary_folder, parents=[], command="test", card="")
    return tmp_path / "m"


def batch(lengths: tuple[int, ...] = LENGTHS) -> tuple[torch.Tensor, Layout, torch.Tensor, torch.Tensor]:
    """Packed ids and their layout; the same padded, with its mask."""
    ids = torch.randint(4, 49, (sum(lengths),), generator=torch.Generator().manual_seed(5))
    padded = torch.nn.utils.rnn.pad_sequence(list(ids.split(lengths)), batch_first=True, padding_value=1)
    return ids, Layout.of(lengths), padded, (padded != 1).long()


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


def assert_near(one: torch.Tensor, other: torch.Tensor, tolerance: float, name: object = "") -> None:
    assert one.shape == other.shape, name
    difference, largest = (one - other).abs().max().item(), other.abs().max().item()
    assert difference <= tolerance * largest, f"{name}: differs by {difference:.2e}, largest value {largest:.2e}"


def assert_same(model: MaskedLM | TaskModel, other: Any, kind: str) -> None:
    ids, layout, padded, mask = batch()
    with torch.no_grad():
        logits = our_logits(model, ids, layout)
        assert logits.std() > 0.05
        assert_near(logits, their_logits(other, kind, padded, mask), 1e-5, "logits")
        theirs = other.base_model(input_ids=padded, attention_mask=mask, output_hidden_states=True).hidden_states
        ours = list(model.encoder.states(ids, layout))
    assert len(ours) == len(theirs) == SHAPE["num_layers"] + 1
    for number, (one, two) in enumerate(zip(ours, theirs, strict=True)):
        assert_near(one, packed(two), 1e-5, f"state {number}")


@both_norms
@every_kind
def test_they_read_what_we_write(
    tmp_path: Path, vocabulary_folder: Path, caplog: pytest.LogCaptureFixture, kind: str, norm: str
) -> None:
    model = ours_new(kind, norm)
    folder = save(model, tmp_path, vocabulary_folder)
    transformers.logging.set_verbosity_warning()
    transformers.logging.enable_propagation()
    with caplog.at_level(logging.WARNING):
        other, report = getattr(transformers, AUTO[kind]).from_pretrained(folder, output_loading_info=True)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert not caplog.records
    assert not any(report.values()), report
    assert_same(model, other.eval(), kind)
    if kind in ("sequence", "token"):
        assert other.config.id2label == {0: "a", 1: "b", 2: "c"}
    text = "anna loni nairobi  一the ½ Xyz"
    (ids,) = load(folder, device="cpu").tokenizer.encode([text])
    assert tokenizer(text)["input_ids"] == [0, *ids.tolist(), 2]
    assert tokenizer.model_max_length == 20


@both_norms
@every_kind
def test_ours_to_theirs_to_ours_is_equal_to_the_bit(
    tmp_path: Path, vocabulary_folder: Path, kind: str, norm: str
) -> None:
    model = ours_new(kind, norm)
    with torch.no_grad():  # equal numbers of unequal bits
        model.encoder.embeddings.positions.weight[3] = -0.0
    other = getattr(transformers, AUTO[kind]).from_pretrained(save(model, tmp_path, vocabulary_folder))
    other.save_pretrained(tmp_path / "theirs")
    loaded = load_model(tmp_path / "theirs")
    assert loaded.encoder.settings == model.encoder.settings
    weights = loaded.state_dict()
    assert weights.keys() == model.state_dict().keys()
    for name, weight in model.state_dict().items():
        assert weights[name].numpy().tobytes() == weight.numpy().tobytes(), name


@both_norms
@every_kind
def test_we_read_what_they_write(tmp_path: Path, kind: str, norm: str) -> None:
    other = theirs_new(kind, norm)
    other.save_pretrained(tmp_path)
    model = load_model(tmp_path, kind=kind).eval()  # type: ignore[arg-type]
    assert_same(model, other, kind)
    if isinstance(model, TaskModel) and kind != "question":
        assert model.labels == ("a", "b", "c")


def test_an_untied_head_stays_untied(tmp_path: Path, vocabulary_folder: Path) -> None:
    other = theirs_new("masked", "post", tie_word_embeddings=False)
    other.save_pretrained(tmp_path / "theirs")
    model = load_model(tmp_path / "theirs").eval()
    assert isinstance(model, MaskedLM)
    assert model.head.pieces is not None
    assert_same(model, other, "masked")
    folder = save(model, tmp_path, vocabulary_folder)
    again, report = transformers.AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values()), report
    assert_same(model, again.eval(), "masked")
    ours = load_model(folder).state_dict()
    assert all(torch.equal(ours[name], weight) for name, weight in model.state_dict().items())


@pytest.mark.parametrize("kind", ["masked", "token"])
def test_several_token_types(tmp_path: Path, vocabulary_folder: Path, kind: str) -> None:
    other = theirs_new(kind, "post", num_types=2)
    other.save_pretrained(tmp_path / "theirs")
    assert_same(load_model(tmp_path / "theirs").eval(), other, kind)
    folder = save(ours_new(kind, "post", num_types=2), tmp_path, vocabulary_folder)
    assert_same(load_model(folder).eval(), getattr(transformers, AUTO[kind]).from_pretrained(folder).eval(), kind)


@both_norms
def test_a_bare_encoder_with_its_pooler(tmp_path: Path, vocabulary_folder: Path, norm: str) -> None:
    other = getattr(transformers, FAMILY[norm] + "Model")(theirs_new("masked", norm).config).eval()
    make_rough(other)
    other.save_pretrained(tmp_path)
    for file in vocabulary_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    ids, layout, padded, mask = batch()
    with torch.no_grad():
        expected = packed(other(input_ids=padded, attention_mask=mask).last_hidden_state)
        assert_near(load_encoder(tmp_path).eval()(ids, layout), expected, 1e-5)
    states = load(tmp_path, device="cpu").hidden_states([part.tolist() for part in ids.split(LENGTHS)])
    assert_near(torch.cat(states), expected, 1e-5)


def test_they_refuse_what_they_cannot_compute(tmp_path: Path, vocabulary_folder: Path) -> None:
    model = MaskedLM(ModelSettings(**SHAPE, max_length=20, languages=("en", "sw")))
    initialise(model, 1)
    with pytest.raises(ValueError, match="isogloss"):
        transformers.AutoModelForMaskedLM.from_pretrained(save(model, tmp_path, vocabulary_folder))


@both_norms
@every_kind
def test_loss_and_every_gradient(tmp_path: Path, vocabulary_folder: Path, kind: str, norm: str) -> None:
    model = ours_new(kind, norm)
    other = getattr(transformers, AUTO[kind]).from_pretrained(save(model, tmp_path, vocabulary_folder)).eval()
    # Their start and end are chosen among padding as well, so questions are compared where there is none.
    lengths = (7, 7, 7) if kind == "question" else LENGTHS
    ids, layout, padded, mask = batch(lengths)
    rows = torch.tensor([0, 2, 8, 15, 29])
    labels: dict[str, torch.Tensor]
    if kind == "question":
        starts, ends = torch.tensor([1, 0, 6]), torch.tensor([2, 5, 6])
        labels = {"start_positions": starts, "end_positions": ends}
        rows = (torch.stack((starts, ends), 1) + layout.offsets[:-1, None]).flatten()
        targets, num_targets = torch.empty(0), len(lengths)
    elif kind == "sequence":
        targets, num_targets = torch.tensor([0, 2, 1, 1, 0]), len(lengths)
        labels = {"labels": targets}
    else:
        targets, num_targets = (ids[rows] if kind == "masked" else rows % 3), len(rows)
        places = torch.full_like(ids, -100)
        places[rows] = targets
        labels = {"labels": torch.full_like(padded, -100)}
        labels["labels"][mask.bool()] = places
    if isinstance(model, MaskedLM):
        total = model.masked_loss(ids, layout, rows, targets)
    else:
        total = loss_of(model, ExampleBatch(ids, layout, rows, targets, num_targets, ()))
    loss = total / num_targets
    expected = other(input_ids=padded, attention_mask=mask, **labels).loss
    assert_near(loss.detach(), expected.detach(), 1e-5, "loss")
    loss.backward()
    expected.backward()
    # Our gradients, put in the place of the weights, get their names by the table that the weights go by.
    of_gradients = copy.deepcopy(model)
    with torch.no_grad():
        for weight, trained in zip(of_gradients.parameters(), model.parameters(), strict=True):
            assert trained.grad is not None
            weight.copy_(trained.grad)
    gradients = to_hub(of_gradients)[1]
    theirs = other.state_dict(keep_vars=True)
    assert gradients.keys() == theirs.keys() - {"lm_head.decoder.weight", "lm_head.decoder.bias"}
    largest = max(gradient.abs().max() for gradient in gradients.values())
    nothing = []
    for name, gradient in gradients.items():
        if name == TYPE_NAME:  # theirs alone; with us it is part of the positions
            continue
        if gradient.abs().max() > 1e-6 * largest:
            assert_near(gradient, theirs[name].grad, 1e-4, name)
        else:
            assert theirs[name].grad.abs().max() <= 1e-6 * largest, name
            nothing.append(name)
    # A constant added to all scores of a softmax changes nothing: that of keys, and where an answer is chosen.
    allowed = ("key.bias", "qa_outputs.bias", "2.output.LayerNorm.bias", "encoder.LayerNorm.bias")
    assert all(name.endswith(allowed) for name in nothing), nothing
    assert len(nothing) <= 5


@both_norms
def test_an_embedding_model(tmp_path: Path, vocabulary_folder: Path, norm: str) -> None:
    encoder = ours_new("masked", norm).encoder
    folder = save(encoder, tmp_path, vocabulary_folder)
    assert isinstance(read_model(folder), Encoder)
    other, report = transformers.AutoModel.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values()), report
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    texts = ["anna oslo nani", "themoon", ""]
    fed = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        states = other.eval()(**fed).last_hidden_state
    mask = fed["attention_mask"][..., None]
    mean = ((states * mask).sum(1) / mask.sum(1)).numpy()
    ours = load(folder, device="cpu", precision="fp32")
    np.testing.assert_allclose(ours.embed(texts, pooling="mean-all"), mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.embed(texts, pooling="cls"), states[:, 0].numpy(), rtol=1e-4, atol=1e-5)
    assert not np.allclose(ours.embed(texts[:1], pooling="mean"), mean[:1], atol=1e-3)


def test_sentence_transformers_gives_the_same_vectors(tmp_path: Path, vocabulary_folder: Path) -> None:
    library = pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    folder = save(ours_new("masked", "post").encoder, tmp_path, vocabulary_folder)
    texts = ["anna oslo nani", "themoon"]
    ours = load(folder, device="cpu", precision="fp32").embed(texts, pooling="mean-all")
    np.testing.assert_allclose(library.SentenceTransformer(str(folder)).encode(texts), ours, rtol=1e-4, atol=1e-5)
