"""Probes: what is the same up to a rotation is the same, and languages are told where they differ."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from isogloss.cli import app
from isogloss.errors import ConfigError, DataError
from isogloss.studies.probes import ProbeSettings, linear_cka, probe

RNG = np.random.default_rng(0)


def test_cka_does_not_see_rotation_and_size() -> None:
    x = RNG.normal(size=(60, 8))
    rotation, _ = np.linalg.qr(RNG.normal(size=(8, 8)))
    assert linear_cka(x, 3 * x @ rotation + 5) == pytest.approx(1)
    assert linear_cka(x, np.zeros((60, 8))) == 0


@pytest.mark.parametrize("width", [8, 128, 768])
def test_cka_of_unrelated_vectors_is_none_at_any_width(width: int) -> None:
    rng = np.random.default_rng(3)
    found = [linear_cka(rng.normal(size=(60, width)), rng.normal(size=(60, width))) for _ in range(20)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(20) + 1e-3
    assert np.std(found) < 0.1


def written(folder: Path, pairs: list[tuple[str, str]]) -> Path:
    folder.mkdir()
    (folder / "test.sw-en.tsv").write_text("".join(f"{own}\t{other}\n" for own, other in pairs), encoding="utf-8")
    return folder


def test_a_sentence_is_its_own_translation_in_every_layer(pretrained: Path, tmp_path: Path) -> None:
    sentences = [f"{noun} {verb}" for noun in ("dog", "house", "moon") for verb in ("runs", "sleeps", "falls")]
    same = written(tmp_path / "same", [(text, text) for text in sentences])
    probed = probe(ProbeSettings(model=pretrained, data=str(same), device="cpu"))
    assert [layer.layer for layer in probed.layers] == [0, 1]
    for layer in probed.layers:
        assert layer.retrieval == {"sw": 100.0}
        assert layer.similarity["sw"] == pytest.approx(1)
        # Of two sets of the same sentences nobody can tell which is which.
        assert layer.language_identity == pytest.approx(probed.chance)


def test_languages_of_other_words_are_told_apart(pretrained: Path, tmp_path: Path) -> None:
    nouns, verbs = ("dog", "house", "river", "moon"), ("runs", "sleeps", "falls", "sings")
    others = {"dog": "mbwa", "house": "nyumba", "river": "mto", "moon": "mwezi"}
    pairs = [(f"{others[noun]} anakimbia", f"{noun} {verb}") for noun in nouns for verb in verbs]
    probed = probe(ProbeSettings(model=pretrained, data=str(written(tmp_path / "pairs", pairs)), device="cpu"))
    assert probed.layers[0].language_identity == 100.0
    assert probed.num_sentences == {"sw": 16}


def test_the_command_prints_a_row_a_layer(pretrained: Path) -> None:
    words = ["probe", str(pretrained), "languages=['sw', 'th']", "num_sentences=12", "device=cpu"]
    shown = CliRunner().invoke(app, words, catch_exceptions=False).stdout
    assert [line.split(" ")[1] for line in shown.splitlines() if line.startswith("| ")] == ["layer", "---", "0", "1"]
    data = json.loads(CliRunner().invoke(app, [*words, "--json"], catch_exceptions=False).stdout)
    assert len(data["layers"]) == 2
    assert data["chance"] == pytest.approx(100 / 3)


def test_what_cannot_be_probed_is_said(pretrained: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 1 sentences; 6 are the fewest"):
        probe(ProbeSettings(model=pretrained, data=str(written(tmp_path / "few", [("a", "b")]))))
    with pytest.raises(ConfigError, match="does not speak xx"):
        probe(ProbeSettings(model=pretrained, languages=("xx",)))
