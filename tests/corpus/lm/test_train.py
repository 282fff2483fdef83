"""Training by one command: the same bytes again, going on after a kill, refusals, memory."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from isogloss.config import make_settings
from isogloss.corpus.lm import LanguageModel
from isogloss.corpus.lm import train as room
from isogloss.corpus.lm.pieces import Pieces
from isogloss.corpus.lm.score import ARPA_NAME, CUTOFFS_NAME, PIECES_NAME
from isogloss.corpus.lm.train import LanguageModelSettings, train_models
from isogloss.errors import ConfigError, DataError, FolderError

from .conftest import read_arpa, sentences


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "xx.txt"
    path.write_text("\n\n".join(sentences(400, seed=2)), encoding="utf-8")
    return path


def small(text: Path, output: Path, **values: object) -> LanguageModelSettings:
    return LanguageModelSettings(input=text, output=output, num_pieces=120, **{"bytes_a_piece": 50, **values})


def test_a_folder_says_what_is_in_it(text: Path, tmp_path: Path) -> None:
    manifest = train_models(small(text, tmp_path / "lm", order=3, binary="no")).languages["xx"]
    folder = tmp_path / "lm" / "xx"
    assert set(manifest.files) == {ARPA_NAME, CUTOFFS_NAME, PIECES_NAME}
    assert manifest.config["normalisation"]["strip_accents"] is True
    assert manifest.statistics["lines"] == 392  # 8 of 400 documents are held out
    assert manifest.statistics["cutoffs"]["documents"] == 8
    entries = read_arpa(folder / ARPA_NAME)
    assert [facts["kept"] for facts in manifest.statistics["orders"]] == [
        sum(len(gram) == length for gram in entries) for length in (1, 2, 3)
    ]
    words = {gram[0] for gram in entries if len(gram) == 1}
    assert words <= set(Pieces((folder / PIECES_NAME).read_bytes()).words)
    assert LanguageModel.load(folder).cutoffs is not None


def test_killed_in_any_stage_it_goes_on_to_the_same_bytes(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = small(text, tmp_path / "lm", order=3)
    expected = train_models(small(text, tmp_path / "whole", order=3)).languages["xx"]
    for stage in ("train_pieces", "adjust_counts", "estimate", "write_arpa", "write_manifest"):
        with monkeypatch.context() as patched:
            patched.setattr(room, stage, _killed)
            with pytest.raises(KeyboardInterrupt):
                train_models(settings)
        assert not (tmp_path / "lm" / "xx").exists()
    with monkeypatch.context() as patched:
        patched.setattr(room, "train_pieces", _killed)  # done before, so not asked for again
        assert train_models(settings).languages["xx"] == expected
    assert [path.name for path in (tmp_path / "lm").iterdir()] == ["xx"]
    monkeypatch.setattr(room, "building", _killed)
    assert train_models(settings).languages["xx"] == expected, "a finished folder is found"


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_other_text_or_settings_are_refused(text: Path, tmp_path: Path) -> None:
    train_models(small(text, tmp_path / "lm", order=2, held_out_every=0))
    with pytest.raises(FolderError, match="order"):
        train_models(small(text, tmp_path / "lm", order=3, held_out_every=0))
    text.write_text("other words\n", encoding="utf-8")
    with pytest.raises(FolderError, match=r"xx\.txt"):
        train_models(small(text, tmp_path / "lm", order=2, held_out_every=0))


def test_a_corpus_gives_a_model_to_each_language_and_is_its_parent(write_corpus, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"en": sentences(80, seed=3), "sw": sentences(80, seed=4)})
    trained = train_models(small(corpus, tmp_path / "lm", order=2, held_out_every=10)).languages
    assert set(trained) == {"en", "sw"}
    assert all(set(manifest.parents) == {"corpus"} for manifest in trained.values())
    with pytest.raises(DataError, match="no text in 'de'"):
        train_models(small(corpus, tmp_path / "other", languages="de"))


def test_a_sentencepiece_model_can_be_taken(text: Path, tmp_path: Path) -> None:
    train_models(small(text, tmp_path / "one", order=2))
    taken = tmp_path / "one" / "xx" / PIECES_NAME
    train_models(small(text, tmp_path / "two", order=2, sentencepiece=taken, bytes_a_piece=9))
    one, two = (tmp_path / name / "xx" / ARPA_NAME for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_too_little_text_falls_back_and_says_so_or_is_refused(tmp_path: Path) -> None:
    (tmp_path / "xx.txt").write_text("aba abb\nbaa\n", encoding="utf-8")
    manifest = train_models(small(tmp_path / "xx.txt", tmp_path / "lm")).languages["xx"]
    assert len(manifest.statistics["warnings"]) == 5
    assert manifest.statistics["orders"][4]["discounts"] == [0.5, 1.0, 1.5]
    assert json.loads((tmp_path / "lm" / "xx" / CUTOFFS_NAME).read_text()) is None
    with pytest.raises(DataError, match="discount_fallback"):
        train_models(small(tmp_path / "xx.txt", tmp_path / "other", discount_fallback=None))


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["prune=[1]"], "give 0 first"),
        (["prune=[0, 2, 1]"], "give 0 first"),
        (["order=7"], "order"),
        (["sentencepiece=no.model"], "no.model cannot be read"),
        (["input=nowhere"], "nowhere does not exist"),
        (["languages=de"], "has no file of 'de'"),
    ],
)
def test_a_mistake_is_one_line(text: Path, tmp_path: Path, overrides: list[str], said: str) -> None:
    values = {"input": str(text.parent), "output": str(tmp_path / "lm"), "languages": "xx"}
    with pytest.raises((ConfigError, DataError), match=said) as caught:
        train_models(make_settings(LanguageModelSettings, values, overrides))
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_one_line_and_the_next_attempt_goes_on(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    settings = small(text, tmp_path / "lm", order=2)
    with monkeypatch.context() as patched:
        patched.setattr("isogloss.corpus.lm.counting.write_records", full)
        with pytest.raises(FolderError, match="make room"):
            train_models(settings)
    assert train_models(settings).languages["xx"].kind == "lm"


# A child says its highest resident memory: trained, or with the same modules loaded and nothing done.
PEAK = """
import json, sys
from isogloss.corpus.extras import load_kenlm, load_pyarrow
from isogloss.corpus.lm.train import LanguageModelSettings, train_models
load_kenlm()
# Arrow loads pandas, where it is installed, with the first list that it is given.
load_pyarrow().array(["x"])
if sys.argv[1] != "idle":
    train_models(LanguageModelSettings(**json.loads(sys.argv[1])))
with open("/proc/self/status") as stream:
    print(next(int(line.split()[1]) for line in stream if line.startswith("VmHWM")) / 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read a child's memory from")
def test_training_keeps_to_its_memory_where_every_word_is_new(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    letters = rng.choice(list("abcdefghijklmnopабвгдежз"), size=700_000)
    letters[np.cumsum(rng.integers(5, 10, size=80_000))] = " "
    text = "".join(letters)
    # One document is a single line.
    lines = [text[: len(text) // 3], *(text[place : place + 200] for place in range(len(text) // 3, len(text), 200))]
    (tmp_path / "xx.txt").write_text("\n\n".join(lines), encoding="utf-8")
    values = {"input": str(tmp_path / "xx.txt"), "output": str(tmp_path / "lm"), "memory_mb": 16, "held_out_every": 0}
    idle, trained = (
        float(subprocess.run([sys.executable, "-c", PEAK, what], capture_output=True, check=True, text=True).stdout)
        for what in ("idle", json.dumps(values))
    )
    assert trained - idle < 16 + room.BESIDE_MB
