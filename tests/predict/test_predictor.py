"""The five questions: spans are characters of the text, batches equal single questions, wrong heads are named."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.checkpoint import save_model
from isogloss.devices import has_native_bf16
from isogloss.errors import ConfigError, DataError
from isogloss.interop.sentence_transformers import Pooling
from isogloss.predict import Predictor, load

TEXTS = [
    "Anna lives in Oslo.",
    "the moon is here and the dog runs near the river",
    "安娜住在奥斯陆。",
    "แอนนาอาศัยอยู่ในออสโล",
    "آنا تعيش في أوسلو",
    "",
]


def model(folder: Path, name: str) -> Predictor:
    return load(folder / name, device="cpu", precision="fp32")


def test_an_encoder_without_a_head_embeds_and_answers_no_question(folder: Path, tmp_path: Path) -> None:
    whole = model(folder, "mlm")
    save_model(
        tmp_path / "m", whole.encoder, vocabulary_folder=folder / "vocab", parents=[], command="test", card=""
    )  # fmt: skip
    bare = load(tmp_path / "m", device="cpu", precision="fp32")
    np.testing.assert_array_equal(bare.embed(TEXTS, pooling="mean"), whole.embed(TEXTS))
    ids = [[0, 5, 6, 2]]
    assert torch.equal(bare.hidden_states(ids)[0], whole.hidden_states(ids)[0])
    assert bare.labels == ()
    for ask in (
        lambda: bare.logits(ids),
        lambda: bare.fill_mask(["<mask>"]),
        lambda: bare.classify(["a"]),
        lambda: bare.tag(["a"]),
        lambda: bare.answer([("a", "b")]),
    ):
        with pytest.raises(ConfigError, match=r"this model has no head; .* needs? "):
            ask()


def test_states_and_logits_are_exact_unless_half_precision_is_asked_for(folder: Path) -> None:
    ids = [[0, 5, 6, 2]]
    exact, half = model(folder, "mlm"), load(folder / "mlm", device="cpu", precision="bf16")
    default = load(folder / "mlm", device="cpu")
    for found in (default.logits(ids)[0], default.hidden_states(ids)[0]):
        assert found.dtype == torch.float32
    assert torch.equal(default.logits(ids)[0], exact.logits(ids)[0])
    # As it was loaded: in bf16 where the processor has it.
    has_bf16 = has_native_bf16(torch.device("cpu"))
    assert default.encoder.compute_dtype == (torch.bfloat16 if has_bf16 else torch.float32)
    assert not torch.equal(half.logits(ids)[0], exact.logits(ids)[0])


def test_the_mean_of_all_tokens_counts_the_special_ones(folder: Path) -> None:
    predictor = model(folder, "mlm")
    (states_TD,) = predictor.hidden_states([[0, *predictor.tokenizer.encode(TEXTS[:1])[0].tolist(), 2]])
    (vector,) = predictor.embed(TEXTS[:1], pooling="mean-all")
    np.testing.assert_allclose(vector, states_TD.mean(0), rtol=1e-4, atol=1e-6)
    assert not np.allclose(vector, predictor.embed(TEXTS[:1])[0], atol=1e-4)
    with pytest.raises(ConfigError, match=r"pooling = 'max' is not known: use mean, cls or mean-all"):
        predictor.embed(TEXTS[:1], pooling="max")  # type: ignore[arg-type]


@pytest.mark.parametrize("said", [Pooling("cls"), Pooling("mean-all", normalise=True)])
def test_an_embedding_model_makes_vectors_as_its_folder_says(folder: Path, tmp_path: Path, said: Pooling) -> None:
    whole = model(folder, "mlm")
    save_model(
        tmp_path / "m", whole.encoder, vocabulary_folder=folder / "vocab", parents=[], command="test", card="",
        pooling=said,
    )  # fmt: skip
    bare = load(tmp_path / "m", device="cpu", precision="fp32")
    expected = whole.embed(TEXTS, pooling=said.mode, normalise=said.normalise)
    np.testing.assert_array_equal(bare.embed(TEXTS), expected)
    np.testing.assert_array_equal(bare.embed(TEXTS, normalise=False), whole.embed(TEXTS, pooling=said.mode))
    np.testing.assert_array_equal(bare.embed(TEXTS, pooling="mean"), whole.embed(TEXTS))
    (tmp_path / "m" / "manifest.json").unlink()  # as in a folder of others, which may read less than the model can
    (tmp_path / "m" / "sentence_bert_config.json").write_text('{"max_seq_length": 5}', encoding="utf-8")
    short = load(tmp_path / "m", device="cpu", precision="fp32")
    np.testing.assert_array_equal(short.embed(["the moon is here"]), short.embed(["the moon is here and the dog runs"]))
    assert (bare.embed(["the moon is here"]) != bare.embed(["the moon is here and the dog runs"])).any()


def test_a_mask_gets_the_pieces_the_model_finds_most_probable(folder: Path) -> None:
    predictor = model(folder, "mlm")
    tokenizer = predictor.tokenizer
    (two, one) = predictor.fill_mask(["Anna <mask> in <mask>.", "the <mask>"], top_k=4)
    assert (len(two), len(one)) == (2, 1)
    first, second = tokenizer.encode(["Anna", "in"])
    ids = [0, *first, tokenizer.mask_id, *second, tokenizer.mask_id, *tokenizer.encode(["."])[0], 2]
    (logits_TV,) = predictor.logits([ids])
    shares_TV = logits_TV.softmax(-1)
    for mask, row in zip(two, [index for index, piece in enumerate(ids) if piece == tokenizer.mask_id], strict=True):
        best = shares_TV[row].topk(4)
        assert [fill.id for fill in mask] == best.indices.tolist()
        np.testing.assert_allclose([fill.probability for fill in mask], best.values, rtol=1e-4)
        assert [fill.text for fill in mask] == [tokenizer.piece(fill.id).replace("▁", " ") for fill in mask]


def test_classify_gives_probabilities_for_texts_and_pairs(folder: Path) -> None:
    predictor = model(folder, "sequence")
    questions = [TEXTS[0], (TEXTS[1], TEXTS[2]), "", ("", ""), "Oslo " * 300]
    found = predictor.classify(questions)
    assert predictor.labels == ("no", "yes")
    for label in found:
        assert set(label.probabilities) == {"no", "yes"}
        assert sum(label.probabilities.values()) == pytest.approx(1)
        assert label.probability == max(label.probabilities.values())
    for question, together in zip(questions, found, strict=True):
        (alone,) = predictor.classify([question])
        assert alone.probabilities == pytest.approx(together.probabilities, rel=1e-3)
    assert len({round(label.probability, 4) for label in found}) > 2, "different texts, different answers"


@given(texts=st.lists(st.text("Anaoslo .,-'\u200b安娜住ออสโล😀أ", max_size=60), max_size=6))
@settings(max_examples=40, deadline=None)
def test_entities_are_whole_words_of_the_text(folder: Path, texts: list[str]) -> None:
    predictor = _cached(folder, "token")
    for text, spans in zip(texts, predictor.tag(texts), strict=True):
        last = 0
        for span in spans:
            assert last <= span.start < span.end <= len(text)
            assert span.text == text[span.start : span.end]
            assert span.tag in ("PER", "LOC")
            assert not (span.start and _cuts(text, span.start))
            assert not (span.end < len(text) and _cuts(text, span.end))
            last = span.end


def _cuts(text: str, position: int) -> bool:
    """Whether a boundary here stands inside a word of a script with spaces."""
    left, right = text[position - 1], text[position]
    return left.isascii() and right.isascii() and left.isalpha() and right.isalpha()


_predictors: dict[str, Predictor] = {}


def _cached(folder: Path, name: str) -> Predictor:
    return _predictors.setdefault(f"{folder}/{name}", model(folder, name))


def test_tags_that_are_not_of_entities_come_word_by_word(folder: Path) -> None:
    (spans,) = model(folder, "tags").tag(["Anna lives in Oslo."])
    assert [span.text for span in spans] == ["Anna", "lives", "in", "Oslo", "."]
    assert {span.tag for span in spans} <= {"NOUN", "VERB", "PUNCT"}
    (spans,) = model(folder, "tags").tag([["安娜", "住在"]], language="zh")
    assert [(span.start, span.end, span.text) for span in spans] == [(0, 2, "安娜"), (2, 4, "住在")]


def test_long_texts_are_tagged_to_the_end(folder: Path) -> None:
    text = "Anna lives in Oslo. " * 60
    (spans,) = model(folder, "tags").tag([text])
    assert len(spans) == 300
    assert spans[-1].end == len(text) - 1


def test_answers_are_substrings_and_the_same_alone(folder: Path) -> None:
    predictor = model(folder, "question")
    contexts = [*TEXTS[:-1], "Anna lives in Oslo. " * 40, "安娜住在奥斯陆。" * 30]
    questions = [("Where?", context) for context in contexts] + [("Where? " * 50, contexts[0])]
    found = predictor.answer(questions)
    for (question, context), answer in zip(questions, found, strict=True):
        assert answer.text == context[answer.start : answer.end] == answer.text.strip()
        assert answer.text
        (alone,) = predictor.answer([(question, context)])
        assert (alone.start, alone.end) == (answer.start, answer.end)
        assert alone.score == pytest.approx(answer.score, rel=1e-3)
    (empty,) = predictor.answer([("Where?", "")])
    assert (empty.text, empty.start, empty.end) == ("", 0, 0)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_vectors_are_those_of_the_hidden_states(folder: Path, pooling: str) -> None:
    predictor = model(folder, "mlm")
    vectors = predictor.embed(TEXTS, pooling=pooling)  # type: ignore[arg-type]
    assert vectors.shape == (len(TEXTS), 32)
    for text, vector in zip(TEXTS, vectors, strict=True):
        (states_TD,) = predictor.hidden_states([[0, *predictor.tokenizer.encode([text])[0], 2]])
        inner_TD = states_TD[1:-1] if pooling == "mean" and len(states_TD) > 2 else states_TD[:1]
        np.testing.assert_allclose(vector, inner_TD.mean(0), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(predictor.embed(TEXTS, normalise=True), axis=1), 1, rtol=1e-5)
    assert predictor.embed([]).shape == (0, 32)


def test_nothing_in_nothing_out(folder: Path) -> None:
    assert model(folder, "mlm").fill_mask([]) == []
    assert model(folder, "sequence").classify([]) == []
    assert model(folder, "token").tag([]) == []
    assert model(folder, "question").answer([]) == []


def test_every_head_gives_logits_of_its_shape(folder: Path) -> None:
    ids = [[0, 5, 6, 2], [0, 2]]
    size = model(folder, "mlm").tokenizer.size
    shapes = {
        "mlm": [(4, size), (2, size)],
        "sequence": [(2,), (2,)],
        "token": [(4, 5), (2, 5)],
        "question": [(4, 2), (2, 2)],
    }
    for name, expected in shapes.items():
        predictor = model(folder, name)
        assert [tuple(logits.shape) for logits in predictor.logits(ids)] == expected
        assert [tuple(states.shape) for states in predictor.hidden_states(ids)] == [(4, 32), (2, 32)]
        assert all(logits.dtype == torch.float32 for logits in predictor.logits(ids))


def test_wrong_questions_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="has a sequence head; fill_mask needs"):
        model(folder, "sequence").fill_mask(["<mask>"])
    with pytest.raises(ConfigError, match="masked-language-model head; classify needs a sequence head"):
        model(folder, "mlm").classify(["a"])
    with pytest.raises(ConfigError, match="has a question head; tag needs a token head"):
        model(folder, "question").tag(["a"])
    with pytest.raises(ConfigError, match="pooling = 'max'"):
        model(folder, "mlm").embed(["a"], pooling="max")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="top_k = 0"):
        model(folder, "mlm").fill_mask(["<mask>"], top_k=0)
    with pytest.raises(DataError, match="text 2 has no <mask>"):
        model(folder, "mlm").fill_mask(["<mask>", "none"])
    with pytest.raises(DataError, match="the model reads 64"):
        model(folder, "mlm").fill_mask(["Oslo " * 90 + "<mask>"])
