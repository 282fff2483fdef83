"""Tag schemes: whatever a sentence is written in, it has the same entities as IOB2."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.tasks import TaggedExample, find_task
from isogloss.tasks.metrics import Entity, entities
from isogloss.tasks.schemes import scheme_of, to_iob2, types_of, without_types

# Gaps and entities of a sentence: how many words outside, how many inside, of which type.
PARTS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from(["PER", "LOC", "A-B"])), max_size=6)
LETTERS = {"IOB2": "BIIB", "IOBES": "BIES", "BILOU": "BILU"}


def written(parts: list[tuple[int, int, str]], scheme: str) -> tuple[list[str], list[Entity]]:
    """The tags of a sentence in a scheme, and its entities."""
    tags: list[str] = []
    found: list[Entity] = []
    for gap, length, kind in parts:
        tags += ["O"] * gap
        beside = bool(found) and found[-1].stop == len(tags) and found[-1].kind == kind
        found.append(Entity(len(tags), len(tags) + length, kind))
        if scheme == "IOB1":
            tags += [f"{'B' if beside else 'I'}-{kind}", *[f"I-{kind}"] * (length - 1)]
            continue
        first, inside, last, alone = LETTERS[scheme]
        whole = alone if length == 1 else first + inside * (length - 2) + last
        tags += [f"{letter}-{kind}" for letter in whole]
    return tags, found


@pytest.mark.parametrize("scheme", ["IOB2", "IOB1", "IOBES", "BILOU"])
@given(parts=PARTS)
def test_every_scheme_becomes_the_same_iob2(scheme: str, parts: list[tuple[int, int, str]]) -> None:
    tags, found = written(parts, scheme)
    converted = to_iob2(tags)
    assert converted == written(parts, "IOB2")[0]
    assert entities(converted) == found
    assert to_iob2(converted) == converted


@given(st.lists(st.sampled_from(["O", "B-PER", "I-PER", "I-LOC", "B-LOC"]), max_size=12))
def test_an_ill_formed_sequence_keeps_the_entities_the_scorer_sees(tags: list[str]) -> None:
    assert entities(to_iob2(tags)) == entities(tags)


def test_letters_that_end_or_stand_alone_count_in_ill_formed_sequences_too() -> None:
    assert to_iob2(["B-PER", "E-PER", "I-PER"]) == ["B-PER", "I-PER", "B-PER"]
    assert to_iob2(["B-PER", "U-PER", "L-PER"]) == ["B-PER", "B-PER", "B-PER"]
    assert to_iob2(["I-PER", "S-PER", "O", "E-LOC"]) == ["B-PER", "B-PER", "O", "B-LOC"]


@pytest.mark.parametrize(
    ("sentences", "scheme"),
    [
        ([["O"], []], "IOB2"),
        ([["B-PER", "I-PER"], ["O", "I-LOC"]], "IOB2"),
        ([["I-PER", "I-PER"], ["O", "I-LOC", "B-LOC"]], "IOB1"),
        ([["B-PER", "E-PER"]], "IOBES"),
        ([["O"], ["S-PER"]], "IOBES"),
        ([["U-PER"]], "BILOU"),
        ([["B-PER", "L-PER"]], "BILOU"),
    ],
)
def test_the_scheme_is_told_by_its_letters_or_its_openings(sentences: list[list[str]], scheme: str) -> None:
    assert scheme_of(sentences) == scheme


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("a\tI-PER\nb\tI-PER\n\nc\tI-PER\nd\tB-PER\n", "IOB1"),
        ("a\tB-PER\nb\tE-PER\n\nc\tS-PER\nd\tS-PER\n", "IOBES"),
        ("a\tB-PER\nb\tL-PER\n\nc\tU-PER\nd\tU-PER\n", "BILOU"),
    ],
)
def test_a_file_of_another_scheme_is_read_and_said_so(tmp_path: Path, text: str, scheme: str) -> None:
    path = tmp_path / "dev.en.tsv"
    path.write_text(text)
    said: list[str] = []
    assert find_task("ner").read(path, tell=said.append) == [
        TaggedExample(("a", "b"), ("B-PER", "I-PER")),
        TaggedExample(("c", "d"), ("B-PER", "B-PER")),
    ]
    assert said == [f"{path}: tags of scheme {scheme}, read as IOB2"]
    # Tags that are not of entities have no scheme.
    (tmp_path / "pos.tsv").write_text("a\tNOUN\n")
    find_task("pos").read(tmp_path / "pos.tsv", tell=said.append)
    assert len(said) == 1


@given(parts=PARTS)
def test_without_a_type_the_other_entities_are_what_they_were(parts: list[tuple[int, int, str]]) -> None:
    tags, found = written(parts, "IOB2")
    kept = without_types(tags, ["LOC"])
    assert entities(kept) == [entity for entity in found if entity.kind != "LOC"]
    assert len(kept) == len(tags)
    assert types_of(kept) == tuple(sorted({entity.kind for entity in found} - {"LOC"}))
