"""What is counted of a language is what encoding its text by hand gives."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.vocab import Vocabulary
from isogloss.vocab.inventory import Usage, overlap, scripts_of
from isogloss.vocab.measuring import Subject, characters_of, count_pieces


@pytest.fixture(scope="session")
def subject(vocabulary: Vocabulary) -> Subject:
    return Subject.of(vocabulary)


def test_counts_are_those_of_the_running_text(
    subject: Subject, vocabulary: Vocabulary, documents: Mapping[str, str], probes: Sequence[str]
) -> None:
    for code, text in [*documents.items(), *(("mul", probe) for probe in probes if probe.strip())]:
        (ids,) = vocabulary.encode([text])
        counted = count_pieces(subject, [*text.splitlines(), *text.splitlines()], code)
        expected = Counter(ids.tolist() * 2)
        assert {index: int(times) for index, times in enumerate(counted.times) if times} == dict(expected), text
        row = counted.row
        assert (row.pieces, row.distinct) == (2 * len(ids), len(expected))
        assert row.unknown == expected[vocabulary.unk_id]
        assert row.characters == 2 * len("".join(text.split()))
        if code in documents:
            assert row.words == (None if code in ("th", "zh-Hans") else 2 * len(text.split()))
        known = [index for index in ids.tolist() if index != vocabulary.unk_id]
        if len(known) == len(ids):
            assert row.bits == pytest.approx(-2 * sum(vocabulary.scores[index] for index in known) / math.log(2))
            assert row.unknown_characters == 0


def test_words_whole_are_those_of_one_piece(subject: Subject, vocabulary: Vocabulary) -> None:
    text = "the bread . 龘 the strangely 龘 the"
    words = text.split()
    whole = [word for word in words if len(ids := vocabulary.encode([word])[0]) == 1 and ids[0] != vocabulary.unk_id]
    row = count_pieces(subject, [text], "en").row
    assert (row.words, row.whole_words) == (len(words), len(whole))
    assert 0 < len(whole) < len(words)
    assert row.whole_word_rate == len(whole) / len(words)


def test_unknown_characters_are_counted_one_by_one(subject: Subject) -> None:
    row = count_pieces(subject, ["the龘龘the 龘 ◊", "龘"], "en").row
    assert row.unknown_most == {"龘": 4, "◊": 1}
    assert row.unknown_characters == 5
    assert row.unknown == 4, "a run of unknown characters is one piece"
    assert row.unknown_character_rate == 5 / 11
    more = count_pieces(subject, ["the龘龘the 龘 ◊", "龘龘"], "en").row
    assert row.bits is not None
    assert more.bits is not None
    assert more.bits > row.bits, "unknown text takes bits"


def test_what_normalisation_folds_is_counted(subject: Subject) -> None:
    # NFKC: the full-width letters and the ligature become others, the decomposed é one character.
    row = count_pieces(subject, ["ＡＢ ﬁ e\u0301 the"] * 3, "en").row
    assert row.folded == 3 * (2 + 1 + 2)
    assert count_pieces(subject, ["the bread"], "en").row.folded_rate == 0


def test_languages_not_in_the_table_are_looked_at(subject: Subject) -> None:
    assert count_pieces(subject, ["香港嘅麵包好好食" * 5, "面包" * 12], "yue").row.words is None
    assert count_pieces(subject, ["in this morning the baker"], "co").row.words == 5


def test_no_text_gives_no_figures(subject: Subject) -> None:
    row = count_pieces(subject, [], "en").row
    assert (row.pieces, row.characters, row.pieces_per_word, row.unknown_rate) == (0, 0, None, 0)
    assert row.values()["bits_per_character"] is None


@settings(deadline=None)
@given(st.lists(st.text(max_size=12), max_size=6))
def test_any_text_can_be_counted(subject: Subject, lines: list[str]) -> None:
    counted = count_pieces(subject, lines, "en")
    assert counted.row.characters == sum(len("".join(line.split())) for line in lines)
    assert counted.row.unknown_characters <= counted.row.characters
    assert sum(counted.unknown.values()) <= sum(counted.met.values())
    assert counted.row.pieces == counted.times.sum()


@given(st.dictionaries(st.text(min_size=1, max_size=6), st.integers(1, 9), max_size=8))
def test_characters_count_as_often_as_their_words(words: dict[str, int]) -> None:
    assert characters_of(words) == Counter("".join(word * times for word, times in words.items()))


def test_usage_says_who_uses_what(subject: Subject, documents: Mapping[str, str]) -> None:
    usage = Usage(subject)
    counts = {code: count_pieces(subject, text.splitlines(), code) for code, text in documents.items()}
    for code, counted in counts.items():
        usage.add(code, counted)
    values = usage.values()
    used = {code: set(counted.times.nonzero()[0].tolist()) for code, counted in counts.items()}
    users = Counter(index for ids in used.values() for index in ids)
    learned = [index for index, text in enumerate(subject.texts) if text]
    use = values["use"]
    assert use["by_none"] == sum(users[index] == 0 for index in learned)
    assert use["by_one"] == sum(users[index] == 1 for index in learned)
    assert use["by_several"] + use["by_all"] == sum(users[index] > 1 for index in learned)
    assert use["by_all"] == sum(users[index] == len(used) for index in learned)
    for code, row in values["languages"].items():
        assert row["own"] == sum(users[index] == 1 for index in used[code])
        assert row["used_share"] == len(used[code]) / len(learned)
    assert values["pieces"] == len(learned) == sum(row["pieces"] for row in values["scripts"].values())
    assert values["word_starts"] == sum(subject.texts[index].startswith("▁") for index in learned)
    shares = [share for _, share in use["curve"]]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert use["pieces_for"]["0.5"] <= use["pieces_for"]["0.9"] <= use["pieces_for"]["0.99"] <= use["curve"][-1][0]


def test_pieces_and_characters_are_told_by_script(subject: Subject, documents: Mapping[str, str]) -> None:
    usage = Usage(subject)
    usage.add("ar", count_pieces(subject, [documents["ar"], "龘 the"], "ar"))
    values = usage.values()
    assert values["characters"]["Hani"] == {"met": 1, "known": 0, "times": 1, "times_known": 0}
    assert values["characters"]["Arab"]["met"] == values["characters"]["Arab"]["known"] > 10
    # The longest used in a language are of its own script.
    assert set(scripts_of(values["languages"]["ar"]["longest"])) == set(scripts_of(["ا"]))
    assert {"Latn", "Arab", "Grek", "Deva", "Hang", "Cyrl", "Thai", "Hani", "Zyyy"} <= set(values["scripts"])
    lengths = [len(text.removeprefix("▁")) for text in values["longest"]]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] == max(len(text.removeprefix("▁")) for text in subject.texts)


def test_overlap_is_of_pieces_and_not_of_ids(subject: Subject, other_models: tuple[bytes, bytes]) -> None:
    other = Subject.of(Vocabulary.from_bytes(other_models[0]))
    (pair,) = overlap({"ours": subject, "other": other})
    ours, theirs = ({text for text in one.texts if text} for one in (subject, other))
    assert pair["shared"] == len(ours & theirs) > 0
    assert pair["jaccard"] == len(ours & theirs) / len(ours | theirs)
    assert [pair["jaccard"] for pair in overlap({"a": subject, "b": subject})] == [1]
