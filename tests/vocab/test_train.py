"""Training: exact size or a way out, shares by alpha, the same bytes again, the report, no noise."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.config import make_settings
from isogloss.errors import ConfigError, DataError, FolderError, VocabularyError
from isogloss.manifest import read_manifest
from isogloss.vocab import MODEL_NAME, VocabSettings, Vocabulary, train_vocabulary
from isogloss.vocab.sample import LanguageSample, plan_sample, sample_lines


def train(corpus: Path, output: Path, **values: object) -> Vocabulary:
    wanted = {"corpus": corpus, "output": output, "size": 240, "character_coverage": 1.0, **values}
    train_vocabulary(make_settings(VocabSettings, wanted))
    return Vocabulary.load(output)


def test_the_folder_is_whole_and_names_its_corpus(vocab_folder: Path, corpus: Path) -> None:
    manifest = read_manifest(vocab_folder, "vocab")
    assert manifest.parents == {"corpus": read_manifest(corpus, "corpus").fingerprint}
    assert manifest.statistics["size"] == 240
    assert manifest.statistics["fingerprint"] == Vocabulary.load(vocab_folder).fingerprint
    assert set(manifest.files) == {
        MODEL_NAME,
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "report.json",
        "report.md",
    }


def test_the_same_settings_give_the_same_bytes_and_another_seed_others(corpus: Path, tmp_path: Path) -> None:
    values = {"sample_bytes": 1400, "size": 198, "character_coverage": 0.98}
    first = train(corpus, tmp_path / "first", **values)
    again = train(corpus, tmp_path / "again", **values)
    other = train(corpus, tmp_path / "other", **values, seed=2)
    assert first.content == again.content
    assert first.content != other.content
    fingerprints = [read_manifest(tmp_path / name, "vocab").fingerprint for name in ("first", "again")]
    assert fingerprints[0] == fingerprints[1], "where a folder lies is no part of its fingerprint"


def test_a_finished_folder_is_kept_and_other_settings_are_refused(
    corpus: Path, vocab_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(**values: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("sentencepiece.SentencePieceTrainer.train", never)
    train(corpus, vocab_folder)
    with pytest.raises(FolderError, match=r"was made with alpha = 0\.3, now 1\.0"):
        train(corpus, vocab_folder, alpha=1.0)


def test_a_vocabulary_of_an_earlier_version_is_done(
    corpus: Path, vocab_folder: Path, tmp_path: Path, without_setting: Callable[[Path, str], None]
) -> None:
    folder = Path(shutil.copytree(vocab_folder, tmp_path / "vocab"))
    without_setting(folder / "manifest.json", "max_piece_length")
    assert train(corpus, folder).content == Vocabulary.load(vocab_folder).content
    with pytest.raises(FolderError, match="max_piece_length = 16, now 8"):
        train(corpus, folder, max_piece_length=8)


def test_the_size_is_exact_or_the_error_names_the_largest_and_the_smallest(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match=r"size = 5000 is more than .* yield; set size=(\d+) or lower") as high:
        train(corpus, tmp_path / "vocab", size=5000)
    largest = int(re.search(r"set size=(\d+)", str(high.value))[1])  # type: ignore[index]
    with pytest.raises(VocabularyError, match=r"size = 50 is too small .* set size=(\d+) or higher") as low:
        train(corpus, tmp_path / "vocab", size=50)
    smallest = int(re.search(r"set size=(\d+)", str(low.value))[1])  # type: ignore[index]
    assert not (tmp_path / "vocab").exists()
    for size in (smallest, largest):
        assert train(corpus, tmp_path / str(size), size=size).size == size


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_training_makes_no_noise(
    corpus: Path, tmp_path: Path, model_type: str, capfd: pytest.CaptureFixture[str]
) -> None:
    train(corpus, tmp_path / "vocab", model_type=model_type)
    assert capfd.readouterr() == ("", "")


def test_languages_are_chosen_by_name_and_those_without_text_named(
    write_corpus: Callable[..., Path], documents: Mapping[str, str], tmp_path: Path
) -> None:
    corpus = write_corpus(
        tmp_path / "corpus",
        {"en": [documents["en"]], "ru": [documents["ru"]], "zh-Hans": [documents["zh-Hans"]], "sw": []},
    )
    train(corpus, tmp_path / "all", size=92)
    statistics = read_manifest(tmp_path / "all", "vocab").statistics
    assert list(statistics["languages"]) == ["en", "ru", "zh-Hans"]
    assert statistics["warnings"] == {"sw": "left out: the corpus holds no text of it"}
    chosen = train(corpus, tmp_path / "two", size=62, languages=["en", "zh"])
    assert set("面包") <= set("".join(chosen.pieces))
    assert "х" not in "".join(chosen.pieces)
    with pytest.raises(DataError, match=r"holds no text of 'sw'"):
        train(corpus, tmp_path / "none", languages=["sw"])
    with pytest.raises(ConfigError, match=r"has no 'yo'; it has en, ru, sw, zh-Hans"):
        train(corpus, tmp_path / "none", languages=["yo"])


def test_special_pieces_are_never_learned_from_text(
    write_corpus: Callable[..., Path], documents: Mapping[str, str], tmp_path: Path
) -> None:
    spelt = "<mask> </s> <pad> <unk> <s> ▅ \0 \ud83d"
    corpus_texts = {"en": [f"{spelt}{documents['en']}{spelt}"] * 20}
    corpus = write_corpus(tmp_path / "corpus", {"en": [text.replace("\ud83d", "") for text in corpus_texts["en"]]})
    pieces = train(corpus, tmp_path / "vocab", size=38).pieces
    assert [piece for piece, number in Counter(pieces).items() if number > 1] == []
    assert not any(mark in piece for piece in pieces[4:-1] for mark in "<>▅\0")


def test_the_report_counts_what_the_vocabulary_does(
    vocab_folder: Path, vocabulary: Vocabulary, documents: Mapping[str, str]
) -> None:
    report = json.loads((vocab_folder / "report.json").read_text("utf-8"))
    assert report["size"] == vocabulary.size
    assert set(report["languages"]) == set(documents)
    assert sum(row["share"] for row in report["languages"].values()) == pytest.approx(1)
    for code, text in documents.items():
        row = report["languages"][code]
        (ids,) = vocabulary.encode([text])
        words = text.split()
        assert row["pieces"] == len(ids)
        assert row["pieces_per_character"] == pytest.approx(len(ids) / len("".join(words)))
        assert row["unknown_rate"] == 0
        if code in ("th", "zh-Hans"):
            assert row["pieces_per_word"] is None
        else:
            assert row["pieces_per_word"] == pytest.approx(len(ids) / len(words))
        assert f"| {code} |" in (vocab_folder / "report.md").read_text("utf-8")


def test_unknown_text_shows_in_the_report(
    write_corpus: Callable[..., Path], documents: Mapping[str, str], tmp_path: Path
) -> None:
    corpus = write_corpus(tmp_path / "corpus", {"en": [documents["en"]], "zh-Hans": [documents["zh-Hans"]]})
    train(corpus, tmp_path / "vocab", size=62, character_coverage=0.98)
    rows = read_manifest(tmp_path / "vocab", "vocab").statistics["languages"]
    assert rows["zh-Hans"]["unknown_rate"] > rows["en"]["unknown_rate"]
    assert rows["zh-Hans"]["unknown"] > 0


@settings(deadline=None)
@given(
    sizes=st.dictionaries(st.sampled_from(["en", "ru", "sw", "ur", "zh-Hans"]), st.integers(1, 10**12), min_size=1),
    alpha=st.floats(0, 1),
    sample_bytes=st.integers(1, 10**12),
)
def test_the_plan_takes_shares_by_alpha_and_no_more_than_asked(
    sizes: dict[str, int], alpha: float, sample_bytes: int
) -> None:
    plan = plan_sample(sizes, alpha=alpha, sample_bytes=sample_bytes)
    taken = {code: plan[code].repeats * sizes[code] for code in sizes}
    total = sum(taken.values())
    assert total <= sample_bytes * (1 + 1e-9)
    powers = {code: (size / sum(sizes.values())) ** alpha for code, size in sizes.items()}
    for code in sizes:
        assert taken[code] / total == pytest.approx(powers[code] / sum(powers.values()), rel=1e-6)
    # Either the sample is as large as allowed, or every language is taken whole.
    assert total == pytest.approx(sample_bytes) or min(part.repeats for part in plan.values()) == pytest.approx(1)


@pytest.mark.parametrize("repeats", [0.25, 1.0, 2.5])
def test_lines_are_taken_as_often_as_planned(repeats: float) -> None:
    documents = [f"line {n} a\nline {n} b" for n in range(2000)]
    plan = LanguageSample(share=0.5, repeats=repeats)
    lines = list(sample_lines(documents, plan, seed="1/en"))
    assert len(lines) == pytest.approx(4000 * repeats, rel=0.06)
    times = Counter(lines).values()
    assert set(times) <= {int(repeats), int(repeats) + 1} - {0}
    assert lines == list(sample_lines(documents, plan, seed="1/en"))
    if repeats != 1.0:
        assert lines != list(sample_lines(documents, plan, seed="2/en"))


@settings(deadline=None)
@given(text=st.text(alphabet="ab c面", max_size=5000))
def test_long_lines_are_cut_and_nothing_of_them_lost(text: str) -> None:
    lines = list(sample_lines([text], LanguageSample(share=1.0, repeats=1.0), seed="1/en"))
    assert all(len(line.encode()) <= 4192 for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
