"""Perplexities by kenlm are those of the ARPA file by hand; batches, blanks and order change nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from isogloss.corpus.lm.cutoffs import Cutoffs, CutoffSettings
from isogloss.corpus.lm.pieces import Pieces
from isogloss.corpus.lm.score import ARPA_NAME, PIECES_NAME, LanguageModel, models_in
from isogloss.errors import FolderError

from .conftest import log_probability, read_arpa, sentences

TEXTS = ["\n".join(sentences(3, seed=seed, num_words=60)) for seed in (11, 12)]
TEXTS += [TEXTS[0][:25], "Un mot ☃ inconnu", "abc\n\n \nabc", "猫"]


@pytest.fixture
def model(models: Path) -> LanguageModel:
    return LanguageModel.load(models / "xx")


def test_perplexity_is_that_of_the_arpa_file(models: Path, model: LanguageModel) -> None:
    entries = read_arpa(models / "xx" / ARPA_NAME)
    pieces = Pieces((models / "xx" / PIECES_NAME).read_bytes())
    order = max(map(len, entries))
    expected = []
    for text in TEXTS:
        total, length = 0.0, 0
        for line in text.split("\n"):
            words = pieces.encode_text(pa.array([line]))[0][0].decode().split()
            if words:
                words = ["<s>", *words, "</s>"]
                for place in range(1, len(words)):
                    context = tuple(words[max(0, place - order + 1) : place])
                    total += log_probability(entries, context, words[place])
                length += len(words) - 1
        expected.append(10 ** (-total / length))
    assert model.perplexities(TEXTS) == pytest.approx(expected, rel=1e-4)


def test_batches_and_forms_of_input_change_nothing(model: LanguageModel) -> None:
    whole = model.perplexities(TEXTS)
    for texts in (
        pa.array(TEXTS),
        pa.array(["", *TEXTS], pa.large_string())[1:],
        pa.chunked_array([TEXTS[:2], TEXTS[2:]], pa.string()),
    ):
        assert (model.perplexities(texts) == whole).all()
    assert np.concatenate([model.perplexities([text]) for text in TEXTS]).tolist() == whole.tolist()
    assert model.perplexities(TEXTS[::-1]).tolist() == whole[::-1].tolist()
    assert (model.perplexities([f"\n{text.upper()}\n\n" for text in TEXTS]) == whole).all()


def test_a_document_without_text_has_no_perplexity_and_is_tail(model: LanguageModel) -> None:
    found = model.perplexities(pa.array(["", "\n\n", None, "\u0301"]))
    assert np.isnan(found).all()
    assert model.perplexities([]).shape == (0,)
    assert Cutoffs(1.0, 2.0, 9).buckets(found).tolist() == ["tail"] * 4


def test_text_of_the_language_is_likelier_than_other(model: LanguageModel) -> None:
    own, other = model.perplexities(["\n".join(sentences(20, seed=5, num_words=60)), "qqq zzz xxx qqxzzx"])
    assert own < other


def test_cutoffs_divide_as_asked() -> None:
    values = np.arange(1.0, 1001.0)
    cutoffs = Cutoffs.of([*values, np.nan, np.inf], CutoffSettings())
    assert cutoffs is not None
    assert cutoffs.documents == 1000
    names, numbers = np.unique(cutoffs.buckets(values), return_counts=True)
    assert dict(zip(names.tolist(), numbers.tolist(), strict=True)) == {"head": 300, "middle": 300, "tail": 400}
    assert Cutoffs.from_json(cutoffs.to_json()) == cutoffs
    assert Cutoffs.of([np.nan], CutoffSettings()) is None
    with pytest.raises(ValueError, match="not below"):
        CutoffSettings(head_percent=60, middle_percent=30)


def test_a_damaged_or_missing_model_is_one_line(models: Path, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="isogloss corpus lm train"):
        models_in(tmp_path)
    (tmp_path / "bad.arpa").write_text("\\data\\\nnothing\n", encoding="utf-8")
    with pytest.raises(FolderError, match=r"bad\.arpa cannot be read") as caught:
        LanguageModel(models / "xx" / PIECES_NAME, tmp_path / "bad.arpa")
    assert "\n" not in str(caught.value)
