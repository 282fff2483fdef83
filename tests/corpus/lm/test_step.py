"""The Daft step: each language by its own model, languages without one in 'all', reasons for what goes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from isogloss.corpus.extras import load_daft
from isogloss.corpus.lm import (
    Cutoffs,
    LanguageModel,
    Perplexity,
    PerplexitySettings,
    corpus_cutoffs,
    drop_reasons,
    score_perplexity,
)
from isogloss.corpus.lm.step import REASONS

from .conftest import sentences

TEXTS = [*sentences(30, seed=8), "qq zz xx"]
LANGUAGES = ["yy", *["xx"] * 30]


def test_a_frame_gets_perplexity_and_bucket(models: Path) -> None:
    daft = load_daft()
    settings = PerplexitySettings(models=models)
    frame = daft.from_pydict({"text": TEXTS, "language": LANGUAGES, "place": list(range(31))})
    found = score_perplexity(frame, settings).sort("place").to_pydict()
    model = LanguageModel.load(models / "xx")
    expected = model.perplexities(TEXTS[1:])
    assert found["perplexity"][1:] == pytest.approx(expected.tolist())
    assert np.isnan(found["perplexity"][0])
    assert model.cutoffs is not None
    assert found["bucket"] == ["all", *model.cutoffs.buckets(expected)]
    assert set(found) == {"text", "language", "place", "perplexity", "bucket"}
    assert found["bucket"][-1] == "tail"


def test_reasons_are_named_and_every_document_has_one_fate(models: Path) -> None:
    settings = PerplexitySettings(models=models, keep=("head", "all"))
    buckets = Perplexity(settings)(pa.array(TEXTS), pa.array(LANGUAGES))[1]
    reasons = drop_reasons(buckets, settings)
    assert {reason for reason in reasons if reason} <= set(REASONS)
    counted = Counter(reason or "kept" for reason in reasons)
    assert counted["kept"] == (buckets == "head").sum() + 1
    assert counted["perplexity-tail"] == (buckets == "tail").sum() > 0
    assert drop_reasons(buckets, PerplexitySettings(models=models)) == [None] * 31


def test_cutoffs_of_the_corpus_stand_in_for_the_models(models: Path) -> None:
    settings = PerplexitySettings(models=models, cutoffs_from="corpus")
    columns = pa.array(TEXTS), pa.array(LANGUAGES)
    first = Perplexity(settings)(*columns)[0]
    cutoffs = corpus_cutoffs({"xx": first[1:], "yy": first[:1]}, settings)
    assert set(cutoffs) == {"xx"}
    buckets = Counter(Perplexity(settings, cutoffs)(*columns)[1].tolist())
    assert buckets == {"head": 9, "middle": 9, "tail": 12, "all": 1}
    assert set(Perplexity(settings, {"xx": Cutoffs(1e99, 2e99, 1)})(*columns)[1]) == {"head", "all"}
