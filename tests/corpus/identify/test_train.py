"""The trained model of romanised text: from a corpus by one command, the same bytes twice, used where it is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from isogloss.corpus.identify import Identifier, IdentifySettings
from isogloss.corpus.identify.romanise import romanise
from isogloss.corpus.identify.romanised_model import CLASSES, count_runs, read_model
from isogloss.corpus.identify.train import IdentifyTrainSettings, train_romanised
from isogloss.errors import DataError, FolderError
from isogloss.phrasebook import parallel_sentences

BUCKETS = 1 << 12


def lines(code: str, number: int, seed: int) -> list[str]:
    """Three sentences a line: alone they are too short to be told apart."""
    rows = [row[0] for row in parallel_sentences([code], 3 * number, seed=seed)]
    return [" ".join(rows[start : start + 3]) for start in range(0, len(rows), 3)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, write_corpus: Callable[..., Path]) -> Path:
    texts = {code: ["\n".join(lines(code, 150, seed=1))] for code in ("hi", "en", "sw", "tr", "ru")}
    return write_corpus(tmp_path_factory.mktemp("corpus"), texts)


@pytest.fixture(scope="module")
def model(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("model") / "romanised"
    manifest = train_romanised(IdentifyTrainSettings(corpus=corpus, output=output, buckets=BUCKETS))
    counts = manifest.statistics["lines"]
    assert counts["hi-Latn"] == 300, "in both styles"
    assert counts["other"] == 450, "what is not in Latin letters is left out"
    return output


def test_the_same_bytes_twice_and_done_when_it_is_there(corpus: Path, model: Path, tmp_path: Path) -> None:
    again = IdentifyTrainSettings(corpus=corpus, output=tmp_path / "again", buckets=BUCKETS)
    train_romanised(again)
    assert (tmp_path / "again" / "weights.npy").read_bytes() == (model / "weights.npy").read_bytes()
    before = (tmp_path / "again" / "weights.npy").stat().st_mtime_ns
    train_romanised(again)
    assert (tmp_path / "again" / "weights.npy").stat().st_mtime_ns == before


def test_it_knows_sentences_it_has_not_seen(model: Path) -> None:
    romanised = [romanise(line, "hi-Latn", style="loose", seed=9) for line in lines("hi", 40, seed=2)]
    others = [line for code in ("en", "sw", "tr") for line in lines(code, 20, seed=2)]
    verdict = read_model(model).judge(romanised)
    assert (verdict.language == CLASSES.index("hi-Latn")).mean() > 0.9
    assert (read_model(model).judge(others).language == -1).all()


def test_an_identifier_uses_it(model: Path) -> None:
    text = "ladaka apanaa kamaraa saaph karataa thaa, phir khidakiyaan kholataa thaa aur gaataa thaa"
    with_model = Identifier(IdentifySettings(romanised_model=model))
    assert with_model.texts([text]).language(0) == "hi-Latn"
    assert with_model.texts(["The children are playing in the garden today."]).language(0) == "en"


def test_runs_stay_within_words() -> None:
    together, apart = count_runs(["ab cd"], BUCKETS), count_runs(["ab", "cd"], BUCKETS)
    assert sorted(together[1]) == sorted(apart[1])
    assert np.bincount(apart[0]).tolist() == [len(together[1]) // 2] * 2
    assert len(count_runs(["", "1 2"], BUCKETS)[1]) == 0
    assert count_runs(["A-B"], BUCKETS)[1].tolist() == count_runs(["a b"], BUCKETS)[1].tolist()


def test_a_corpus_without_what_it_needs_is_refused(tmp_path: Path, write_corpus: Callable[..., Path]) -> None:
    english = write_corpus(tmp_path / "english", {"en": lines("en", 3, seed=1)})
    with pytest.raises(DataError, match="none of bn, hi, ta, te, ur"):
        train_romanised(IdentifyTrainSettings(corpus=english, output=tmp_path / "out"))
    hindi = write_corpus(tmp_path / "hindi", {"hi": lines("hi", 3, seed=1)})
    with pytest.raises(DataError, match="Latin letters"):
        train_romanised(IdentifyTrainSettings(corpus=hindi, output=tmp_path / "out"))
    with pytest.raises(FolderError, match="identify-train"):
        read_model(tmp_path / "out")
