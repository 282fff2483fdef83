"""Training: exact size or a way out, shares by alpha, the same bytes again, the report, no noise."""

from __future__ import annotations

import io
import itertools
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.config import make_settings
from isogloss.errors import ConfigError, DataError, FolderError, VocabularyError
from isogloss.manifest import read_manifest
from isogloss.phrasebook import parallel_sentences
from isogloss.vocab import MODEL_NAME, VocabSettings, Vocabulary, train_vocabulary
from isogloss.vocab.sample import LanguageSample, plan_sample, sample_text


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
        "report.html",
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
    (one,) = report["vocabularies"].values()
    assert one["size"] == vocabulary.size
    assert set(one["languages"]) == set(documents)
    assert sum(row["share"] for row in report["sample"].values()) == pytest.approx(1)
    rows = read_manifest(vocab_folder, "vocab").statistics["languages"]
    assert rows == {code: {**report["sample"][code], **one["languages"][code]} for code in documents}
    for code, text in documents.items():
        row = one["languages"][code]
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
    corpus = write_corpus(tmp_path / "corpus", {"en": [documents["en"]] * 5, "zh-Hans": [documents["zh-Hans"]]})
    train(corpus, tmp_path / "vocab", size=58, character_coverage=0.98, alpha=1.0)
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
    lines = "\n".join(sample_text(documents, plan, seed="1/en")).split("\n")
    assert len(lines) * plan.weight == pytest.approx(4000 * repeats, rel=0.06)
    assert set(Counter(lines).values()) == {1}
    assert lines == "\n".join(sample_text(documents, plan, seed="1/en")).split("\n")
    other = "\n".join(sample_text(documents, plan, seed="2/en")).split("\n")
    assert (lines == other) == (repeats >= 1)


def test_texts_come_in_blocks_and_nothing_of_them_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isogloss.vocab.sample.BLOCK_CHARACTERS", 50)
    documents = [f"{number} " * number + "面" * 3 * number + "\nshort" for number in range(60)]
    blocks = list(sample_text(documents, LanguageSample(share=1.0, repeats=1.0), seed="1/en"))
    assert max(map(len, blocks)) <= 150
    assert "".join("".join(blocks).split()) == "".join("".join(documents).split())


def test_any_memory_that_has_room_for_all_words_gives_the_same_bytes(
    corpus: Path, vocab_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = train(corpus, tmp_path / "small", memory_mb=16)
    # Every table of words is spilled after its first block, and every file read in several passes.
    monkeypatch.setattr("isogloss.vocab.counting.BYTES_A_WORD", 1 << 23)
    monkeypatch.setattr("isogloss.vocab.counting.BYTES_A_LINE", 1 << 23)
    monkeypatch.setattr("isogloss.vocab.sample.BLOCK_CHARACTERS", 40)
    spilled = train(corpus, tmp_path / "spilled", memory_mb=16)
    assert Vocabulary.load(vocab_folder).content == small.content == spilled.content
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".work"] == []


def test_a_vocabulary_with_a_limit_of_text_of_an_earlier_version_is_done(
    corpus: Path, tmp_path: Path, without_setting: Callable[[Path, str], None]
) -> None:
    made = train(corpus, tmp_path / "vocab", sample_bytes=100_000_000)
    for setting in ("span", "memory_mb"):
        without_setting(tmp_path / "vocab" / "manifest.json", setting)
    assert train(corpus, tmp_path / "vocab", sample_bytes=100_000_000).content == made.content


def test_a_memory_too_small_says_how_much_it_takes(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match=r"memory_mb = 16 has no room .* set memory_mb=(\d+) or higher") as told:
        train(corpus, tmp_path / "vocab", size=100_000, memory_mb=16)
    enough = int(re.search(r"set memory_mb=(\d+)", str(told.value))[1])  # type: ignore[index]
    with pytest.raises(
        VocabularyError, match=r"size = 100000 is more than .* set size=\d+ or lower, or give more text"
    ):
        train(corpus, tmp_path / "vocab", size=100_000, memory_mb=enough)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("coverage", [1.0, 0.98])
def test_every_character_that_is_covered_is_a_piece(
    write_corpus: Callable[..., Path], documents: Mapping[str, str], tmp_path: Path, coverage: float
) -> None:
    texts = {code: [text, "Żółw ☃ ꙮ"] for code, text in documents.items()}
    vocabulary = train(
        write_corpus(tmp_path / "corpus", texts), tmp_path / "vocab", size=260, alpha=1.0, character_coverage=coverage
    )
    known = {piece for piece in vocabulary.pieces if len(piece) == 1}
    written = Counter("".join(vocabulary.normalize("\n".join(part)) for part in texts.values()).replace(" ", ""))
    missing = sum(count for character, count in written.items() if character not in known)
    assert missing == 0 if coverage == 1 else 0 < missing <= 0.025 * written.total()


def pieces_of(vocabulary: Vocabulary, texts: Sequence[str]) -> int:
    return len(vocabulary.encode_flat(texts)[0])


def bits_of(vocabulary: Vocabulary, texts: Sequence[str]) -> float:
    return -sum(vocabulary.scores[index] for index in vocabulary.encode_flat(texts)[0].tolist())


@pytest.mark.parametrize("model_type", ["unigram", "bpe"])
def test_as_good_as_sentencepiece_by_itself(
    write_corpus: Callable[..., Path], tmp_path: Path, model_type: Literal["unigram", "bpe"]
) -> None:
    """On the phrasebook's sentences: the same pieces but for a few, as many of them a text, as many bits."""
    languages = ["en", "ru", "th", "zh-Hans"]
    rows = list(parallel_sentences(["en", "ru", "th", "zh"], 1500, seed=1))
    texts = {code: [row[column] for row in rows] for column, code in enumerate(languages)}
    corpus = write_corpus(tmp_path / "corpus", texts)
    ours = train(corpus, tmp_path / "vocab", size=700, alpha=1.0, character_coverage=0.9995, model_type=model_type)
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=itertools.chain.from_iterable(texts.values()),
        model_writer=model,
        vocab_size=698,
        model_type=model_type,
        minloglevel=2,
    )
    plain = Vocabulary.from_bytes(model.getvalue())
    same = len(set(ours.pieces) & set(plain.pieces)) / ours.size
    assert same > (0.85 if model_type == "unigram" else 0.97)
    everything = list(itertools.chain.from_iterable(texts.values()))
    assert pieces_of(ours, everything) <= 1.002 * pieces_of(plain, everything)
    if model_type == "unigram":
        assert bits_of(ours, everything) <= 1.01 * bits_of(plain, everything)
    for code in languages:
        assert pieces_of(ours, texts[code]) <= 1.05 * pieces_of(plain, texts[code]), code
    assert [ours.normalize(text) for text in ("ﬁ ½", " a  b ")] == [plain.normalize(t) for t in ("ﬁ ½", " a  b ")]


def test_a_way_out_is_one(corpus: Path, write_corpus: Callable[..., Path], tmp_path: Path) -> None:
    """What an error says to set works; where nothing but more text helps, no size is named."""
    with pytest.raises(VocabularyError, match=r"no room for .*; set memory_mb=(\d+) or") as low:
        train(corpus, tmp_path / "vocab", size=500_000, memory_mb=16)
    enough = int(re.search(r"memory_mb=(\d+)", str(low.value))[1])  # type: ignore[index]
    with pytest.raises(VocabularyError, match=r"more than .* yield; set size="):
        train(corpus, tmp_path / "vocab", size=500_000, memory_mb=enough)
    tiny = write_corpus(tmp_path / "tiny", {"en": ["a"]})
    with pytest.raises(
        VocabularyError, match=r"yield, and they have no pieces longer than a character; give more text$"
    ):
        train(tiny, tmp_path / "vocab", size=60)
    with pytest.raises(VocabularyError, match=r"longer than a character; give more text or raise max_piece_length$"):
        train(corpus, tmp_path / "vocab", size=240, max_piece_length=1)
    assert train(corpus, tmp_path / "vocab", max_piece_length=2).size == 240


def test_languages_may_be_given_as_one_word(corpus: Path, tmp_path: Path) -> None:
    chosen = make_settings(VocabSettings, {}, ["corpus=c", "output=o", "size=9", "languages=en, zh"])
    assert chosen.languages == ("en", "zh")
    train(corpus, tmp_path / "vocab", languages="en", size=30)
    assert list(read_manifest(tmp_path / "vocab", "vocab").statistics["languages"]) == ["en"]
