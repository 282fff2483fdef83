"""Labelled text is found where it was put, in every form its owners ship, and counted for the set it came from."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from isogloss.config import make_settings
from isogloss.corpus.decontaminate import (
    DecontaminateSettings,
    LabelledIndex,
    LabelledSet,
    count_by_set,
    find_contaminated,
    index_sets,
)
from isogloss.errors import ConfigError, DataError

PREMISE = "The committee of seven met on a rainy Tuesday in 1984 to settle the long dispute about the old mill."
SHORT = "Seven people met there on a rainy day."
CHINESE = "七人委员会在一九八四年一个下雨的星期二开会，以解决关于老磨坊的长期争端。"
TAGS = "\tX" * 8
FORMS = {
    "dev.en.tsv": f"{PREMISE}\t{SHORT}\tentailment\n",
    "dev.tagged.tsv": "".join(f"{word}\tX\n" for word in PREMISE.split()) + "\nNext\tX\n",
    "dev.json": json.dumps({"data": [{"paragraphs": [{"context": PREMISE, "qas": [{"id": "1", "question": "?"}]}]}]}),
    "dev.jsonl": json.dumps({"sentence": PREMISE, "n": 3}) + "\n",
    "dev.conll": "".join(f"{word} NNP B-X\n" for word in PREMISE.split()),
    "plain.txt": f"{PREMISE}\n",
    "dev.conllu": "# text\n" + "".join(f"{n}\t{w}{TAGS}\n" for n, w in enumerate(PREMISE.split(), 1)) + "\n",
}


def chosen(path: Path, **settings: object) -> DecontaminateSettings:
    return make_settings(DecontaminateSettings, {"sets": [{"name": "held-out", "path": path}], **settings})


def found_lines(texts: list[str], settings: DecontaminateSettings, language: str = "en") -> list[int]:
    return find_contaminated(pa.array(texts), index_sets(settings, language=language), settings).lines.tolist()


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("compressed", [False, True])
def test_a_labelled_text_is_found_in_any_form(tmp_path: Path, name: str, compressed: bool) -> None:
    content = FORMS[name].encode()
    path = tmp_path / (f"{name}.gz" if compressed else name)
    path.write_bytes(gzip.compress(content) if compressed else content)
    texts = ["A quiet line.\nWe read: " + PREMISE.upper().replace(",", " -") + " And so on.", "Another."]
    found = find_contaminated(pa.array(texts), index_sets(chosen(path), language="sw"), chosen(path))
    assert (found.documents.tolist(), found.lines.tolist(), found.sets.tolist()) == ([0], [1], [0])


def test_how_much_must_be_common(tmp_path: Path) -> None:
    path = tmp_path / "dev.tsv"
    path.write_text(f"{PREMISE}\t{SHORT}\tneutral\n")
    words = PREMISE.split()
    texts = [
        " ".join(words[:13]),
        " ".join(words[:12]),
        " ".join([*words[:10], "other", *words[10:19]]),
        PREMISE.replace("1984", "1985"),
        SHORT.lower(),
        f"{SHORT} Then they left.",
        "neutral",
        "",
    ]
    assert found_lines(texts, chosen(path)) == [0, 4]
    assert found_lines([PREMISE, *texts], chosen(path, min_matches=3)) == [0, 1, 5], (
        "a line's own stretches may be fewer"
    )
    assert found_lines(texts, chosen(path, min_share=1.0)) == [0]
    assert found_lines(texts, chosen(path, words=7)) == [0, 1, 2, 3, 4, 5]


def test_languages_without_spaces_are_compared_by_characters(tmp_path: Path) -> None:
    path = tmp_path / "dev.zh.tsv"
    path.write_text(f"{CHINESE}\t{PREMISE}\tneutral\n")
    texts = [f"他说：{CHINESE[:24]}好。", CHINESE[:15], PREMISE[:60]]
    assert found_lines(texts, chosen(path), "zh") == [0]
    assert found_lines(["กขค" * 40], chosen(path), "th") == []


def test_lines_and_documents_are_counted_by_set(tmp_path: Path) -> None:
    for name, text in (("a", PREMISE), ("b", f"{PREMISE}\n{SHORT}")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "dev.txt").write_text(text)
        (tmp_path / name / ".hidden").write_text("\0")
    settings = DecontaminateSettings(sets=[LabelledSet(name=name, path=tmp_path / name) for name in "ab"])
    index = index_sets(settings, language="en")
    found = [find_contaminated(pa.array(texts), index, settings) for texts in ([f"{SHORT}\n{PREMISE}", SHORT], ["no"])]
    assert count_by_set(found, index, drop="line") == {"a": 1, "b": 2}
    assert count_by_set(found, index, drop="document") == {"a": 1, "b": 1}
    assert count_by_set([], index, drop="line") == {}


def test_no_labelled_set_finds_nothing() -> None:
    settings = DecontaminateSettings()
    found = find_contaminated(pa.array([PREMISE, ""]), index_sets(settings, language="en"), settings)
    assert [len(part) for part in found] == [0, 0, 0]


def test_the_index_finds_all_its_own_and_little_else() -> None:
    generator = np.random.default_rng(1)
    own = np.unique(generator.integers(0, 2**64, 5000, np.uint64))
    index = LabelledIndex.of("words", ("x",), own, np.zeros(len(own), np.uint16))
    others = generator.integers(0, 2**64, 50_000, np.uint64)
    places, _ = index.look_up(np.concatenate([own, others]))
    assert places.tolist() == list(range(len(own)))


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [("a.json", b"{", "not valid JSON"), ("a.tsv", b"\xff", "not UTF-8"), ("a.txt.gz", b"no", "again")],
)
def test_a_labelled_set_that_cannot_be_read_stops_the_build(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=problem):
        index_sets(chosen(tmp_path / name), language="en")


def test_a_set_that_is_not_there_or_has_no_name_of_its_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        index_sets(chosen(tmp_path / "none"), language="en")
    two = [{"name": "x", "path": "a"}, {"name": "x", "path": "b"}]
    with pytest.raises(ConfigError, match="'x'"):
        make_settings(DecontaminateSettings, {"sets": two})


@pytest.mark.parametrize(("language", "division_language"), [("en", "en"), ("zh", "zh"), ("th", "th"), ("ar", "ar")])
def test_injected_sentences_of_real_sets_are_found(shared_data: Path, language: str, division_language: str) -> None:
    """XNLI's premises put into real text: all that are long enough are found, and the text around them stays."""
    path = shared_data / "nli" / "xnli" / f"dev.{language}.tsv"
    settings = chosen(path)
    index = index_sets(settings, language=division_language)
    lines = (shared_data / "text" / f"{language}.txt").read_text(encoding="utf-8").split("\n")[:3000]
    before = set(find_contaminated(pa.array(["\n".join(lines)]), index, settings).lines.tolist())
    assert len(before) <= 3
    premises = sorted({row.split("\t")[0] for row in path.read_text(encoding="utf-8").split("\n")[:600] if row})
    mixed = [line for pair in zip(lines, premises, strict=False) for line in pair]
    found = find_contaminated(pa.array(["\n".join(mixed)]), index, settings).lines
    injected = set(range(1, len(mixed), 2))
    assert len(injected & set(found.tolist())) >= 0.8 * len(injected)
    assert len(set(found.tolist()) - injected) <= 3
