"""The certificate agrees where programs agree, and names what differs when one of them is wrong."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from isogloss.cli import app
from isogloss.errors import MissingExtraError, VocabularyError
from isogloss.vocab import VocabSettings, Vocabulary, train_vocabulary
from isogloss.vocab.certificate import KINDS
from isogloss.vocab.check import check_vocabulary
from isogloss.vocab.probes import Probe, all_probes

pytest.importorskip("tokenizers")

PLAIN = (
    Probe("Latn", "plain", "the door  opens ½ ﬁ aĳb"),
    Probe("Arab", "plain", "رائحة الخبز تملأ الشارع"),
    Probe("Latn", "special", "the <mask> door</s><s> opens", special=True),
    Probe("Zyyy", "empty", ""),
)
WITHOUT_LONG = [probe for probe in all_probes() if len(probe.text) < 1000]


@pytest.fixture
def folder(vocab_folder: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    copy = tmp_path / "vocab"
    shutil.copytree(vocab_folder, copy)
    return copy


def change(folder: Path, edit: Callable[[dict[str, object]], object]) -> None:
    content = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    edit(content)
    (folder / "tokenizer.json").write_text(json.dumps(content), "utf-8")


def test_programs_agree_on_plain_text(folder: Path) -> None:
    certificate = check_vocabulary(folder, probes=PLAIN)
    assert certificate.agrees, certificate.differences
    assert certificate.num_probes == len(PLAIN)
    assert certificate.scripts == ("Arab", "Latn")
    assert certificate.compared["tokenizer.json"]["ids"] == len(PLAIN)
    assert certificate.compared["SentencePiece"]["offsets"] == len(PLAIN)
    assert "ids" not in certificate.compared["the text itself"]
    assert "tokenizer.json" in certificate.table()


def test_on_every_probe_all_programs_agree(vocab_folder: Path) -> None:
    certificate = check_vocabulary(vocab_folder)
    assert certificate.agrees, certificate.differences
    assert len(certificate.scripts) >= 40
    for against in ("SentencePiece", "tokenizer.json", "AutoTokenizer"):
        assert certificate.compared[against]["ids"] == certificate.num_probes == len(list(all_probes()))


def test_a_bpe_vocabulary_agrees_too(corpus: Path, tmp_path: Path) -> None:
    train_vocabulary(VocabSettings(corpus=corpus, output=tmp_path / "bpe", size=400, model_type="bpe"))
    certificate = check_vocabulary(tmp_path / "bpe", probes=WITHOUT_LONG)
    assert certificate.agrees, certificate.differences


def test_the_form_that_transformers_writes_differs_in_marks_that_stand_apart(
    vocab_folder: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transformers = pytest.importorskip("transformers")
    transformers.XLMRobertaTokenizerFast.from_pretrained(vocab_folder).save_pretrained(folder)
    monkeypatch.setattr("isogloss.vocab.check.all_probes", lambda: iter(WITHOUT_LONG))
    done = CliRunner().invoke(app, ["vocab", "check", str(folder)])
    assert isinstance(done.exception, VocabularyError)
    assert done.exception.exit_code == 2
    assert "beside tokenizer.json" in str(done.exception)
    assert "beside AutoTokenizer" in str(done.exception)
    certificate = check_vocabulary(folder)
    assert {found.name for found in certificate.differences} >= {"jamo", "NFKC: many become one"}
    assert {found.against for found in certificate.differences} == {"tokenizer.json", "AutoTokenizer"}
    for found in certificate.differences:
        assert found.script in done.stdout
        assert found.ours in done.stdout
        assert found.theirs in done.stdout
        assert found.ours != found.theirs


def test_what_auto_tokenizer_makes_of_the_folder_is_compared_and_not_its_file_alone(folder: Path) -> None:
    pytest.importorskip("transformers")
    config = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    config["tokenizer_class"] = "XLMRobertaTokenizer"  # builds its backend anew, with the table alone
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    certificate = check_vocabulary(folder, probes=WITHOUT_LONG)
    assert {found.against for found in certificate.differences} == {"AutoTokenizer"}


def test_what_auto_tokenizer_cannot_open_is_left_out_and_a_note_says_so(folder: Path) -> None:
    (folder / "tokenizer_config.json").unlink()
    certificate = check_vocabulary(folder, probes=PLAIN)
    assert "AutoTokenizer" not in certificate.compared
    assert any("not compared with AutoTokenizer" in note for note in certificate.notes)


def test_without_tokenizer_json_sentencepiece_is_left_and_a_note_says_so(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    certificate = check_vocabulary(folder)
    assert certificate.agrees, certificate.differences
    assert set(certificate.compared) == {"SentencePiece", "the text itself"}
    assert "has no tokenizer.json" in certificate.notes[0]
    assert "has no tokenizer.json" in certificate.table()


def test_what_a_terminal_hides_is_shown_escaped(folder: Path) -> None:
    change(folder, lambda content: content.update(normalizer=None))
    found, *_ = check_vocabulary(folder, probes=[Probe("Latn", "marks", "e\u0301 \u3000ｄoor")]).differences
    assert found.text == "e\u0301 \u3000ｄoor"
    assert "'e\\u0301 \\u3000ｄoor'" in str(found)


def test_a_lost_normaliser_is_a_difference_of_ids(folder: Path) -> None:
    change(folder, lambda content: content.update(normalizer=None))
    found, *_ = check_vocabulary(folder, probes=PLAIN).differences
    assert (found.against, found.kind, found.script, found.name) == ("tokenizer.json", "ids", "Latn", "plain")
    assert "½" in found.text
    assert "Latn" in str(found)
    assert found.ours in str(found)
    assert found.theirs in str(found)


def test_exchanged_pieces_are_a_difference_of_pieces(folder: Path) -> None:
    def exchange(content: dict[str, object]) -> None:
        vocab = content["model"]["vocab"]  # type: ignore[index]
        vocab[10], vocab[11] = vocab[11], vocab[10]

    change(folder, exchange)
    kinds = {found.kind for found in check_vocabulary(folder, probes=PLAIN).differences}
    assert "pieces" in kinds


def test_a_lost_frame_is_a_difference_of_frame(folder: Path) -> None:
    change(folder, lambda content: content.update(post_processor=None))
    assert {found.kind for found in check_vocabulary(folder, probes=PLAIN).differences} == {"frame"}


def test_offsets_of_ours_that_are_wrong_are_found_by_each(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Vocabulary.encode_with_offsets

    def late(self: Vocabulary, text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        ids, starts, ends = right(self, text)
        return ids, np.minimum(starts + 1, ends), ends

    monkeypatch.setattr(Vocabulary, "encode_with_offsets", late)
    found = check_vocabulary(folder, probes=PLAIN[:1]).differences
    assert {(difference.against, difference.kind) for difference in found} == {
        (against, "offsets") for against in ("SentencePiece", "the text itself", "tokenizer.json", "AutoTokenizer")
    }


def test_ids_of_ours_that_are_wrong_are_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Vocabulary.encode_with_offsets
    monkeypatch.setattr(
        Vocabulary, "encode_with_offsets", lambda self, text: (right(self, text)[0] - 1, *right(self, text)[1:])
    )
    found = check_vocabulary(folder, probes=PLAIN[1:2]).differences
    assert {difference.against for difference in found if difference.kind == "ids"} >= {"SentencePiece"}


def test_a_damaged_tokenizer_json_is_one_line(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"model": 3', "utf-8")
    with pytest.raises(VocabularyError, match=r"tokenizer\.json is no tokenizer") as caught:
        check_vocabulary(folder, probes=PLAIN)
    assert "\n" not in str(caught.value)


def test_a_missing_library_is_one_line_that_names_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingExtraError, match=r"isogloss\[hub\]"):
        check_vocabulary(folder, probes=PLAIN)


def test_the_command_prints_what_differs_and_exits_two(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isogloss.vocab.check.all_probes", lambda: iter(PLAIN))
    good = CliRunner().invoke(app, ["vocab", "check", str(folder)])
    assert (good.exit_code, good.exception) == (0, None)
    assert all(kind in good.stdout for kind in KINDS)
    assert dataclasses.asdict(check_vocabulary(folder))["differences"] == ()

    change(folder, lambda content: content.update(normalizer=None))
    done = CliRunner().invoke(app, ["vocab", "check", str(folder)])
    assert isinstance(done.exception, VocabularyError)
    assert done.exception.exit_code == 2
    assert "beside tokenizer.json" in str(done.exception)
    assert "Latn (" in done.stdout
    told = CliRunner().invoke(app, ["vocab", "check", str(folder), "--json"])
    data = json.loads(told.stdout)
    assert data["agrees"] is False
    assert set(data["differences"][0]) == {"against", "kind", "script", "name", "text", "ours", "theirs"}
