"""Strings for a unigram model: those that counting every string of every word finds, in any memory."""

from __future__ import annotations

from collections import Counter, defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.vocab.seeds import WordTable, find_seeds

LONGEST = 4
SCRIPTS = {**dict.fromkeys("ab", "Latn"), "я": "Cyrl", ",": "Zyyy", **dict.fromkeys("の今", "Hani")}
WORDS = st.dictionaries(
    st.tuples(st.sampled_from(["", "▁"]), st.text(alphabet="abя,の今", min_size=1, max_size=7)).map("".join),
    st.integers(1, 9),
    min_size=1,
    max_size=60,
)


def table(words: dict[str, int]) -> WordTable:
    lines = [f"{word}\t{times}".encode() for word, times in words.items()]
    return WordTable(lines, num_characters=sum(map(len, words)), num_words=len(words), longest=LONGEST)


def counted_one_by_one(words: dict[str, int]) -> dict[str, int]:
    """Strings of one script that come twice or more, followed by different things or words, times their length."""
    times: Counter[str] = Counter()
    followed: dict[str, set[str]] = defaultdict(set)
    for word, count in words.items():
        for start in range(len(word)):
            for end in range(start + 2, min(len(word), start + LONGEST) + 1):
                string = word[start:end]
                if len({SCRIPTS[character] for character in string if character != "▁"}) == 1:
                    times[string] += count
                    followed[string].add(word[end : end + 1])
    words_alone = {string for string in times if string.startswith("▁") and followed[string] == {""}}
    good = {string for string in times if len(followed[string]) > 1} | words_alone
    return {string: count * len(string) for string, count in times.items() if count > 1 and string in good}


@settings(deadline=None)
@given(words=WORDS, memory=st.sampled_from([1, 2000, 1 << 20]))
def test_all_strings_are_found_with_their_weights(words: dict[str, int], memory: int) -> None:
    assert dict(find_seeds(table(words), most=10_000, memory=memory)) == counted_one_by_one(words)


@settings(deadline=None)
@given(words=WORDS, most=st.integers(1, 30))
def test_the_heaviest_are_taken_the_same_in_any_memory(words: dict[str, int], most: int) -> None:
    found = list(find_seeds(table(words), most=most, memory=1 << 20))
    wanted = sorted(counted_one_by_one(words).values(), reverse=True)[:most]
    assert [weight for _, weight in found] == wanted
    assert found == list(find_seeds(table(words), most=most, memory=1))
