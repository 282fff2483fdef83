"""Kneser-Ney is what the formulas say, sums to one, and takes no more memory than it is given."""

from __future__ import annotations

import itertools
import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isogloss.corpus.lm.kneser_ney import find_discounts
from isogloss.errors import DataError

from .conftest import log_probability, read_arpa, reference

LINES = st.lists(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=9), min_size=1, max_size=25)
EXAMPLES = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@EXAMPLES
@given(lines=LINES, order=st.integers(2, 5), pruned=st.integers(0, 2), small=st.booleans())
def test_an_arpa_file_is_what_the_formulas_say(estimate_arpa, lines, order, pruned, small) -> None:
    thresholds = [0, *[pruned] * (order - 1)]
    with tempfile.TemporaryDirectory() as folder:
        path = estimate_arpa(Path(folder), lines, order=order, thresholds=thresholds, memory=1 if small else 1 << 24)
        found, expected = read_arpa(path), reference(lines, order, thresholds)
    assert set(found) == set(expected)
    for gram, values in expected.items():
        assert found[gram] == pytest.approx(values, abs=1e-5), gram


@EXAMPLES
@given(lines=LINES, order=st.integers(2, 4), pruned=st.integers(0, 2), data=st.data())
def test_all_words_sum_to_one_in_any_context(estimate_arpa, lines, order, pruned, data) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = estimate_arpa(Path(folder), lines, order=order, thresholds=[0, *[pruned] * (order - 1)], memory=1 << 24)
        entries = read_arpa(path)
    words = [gram[0] for gram in entries if len(gram) == 1 and gram != ("<s>",)]
    seen = data.draw(st.sampled_from([gram for gram in entries if gram[-1] not in ("</s>", "<unk>")]))
    unseen = tuple(data.draw(st.lists(st.sampled_from("abcdefgx"), max_size=order - 1)))
    for context in (seen[-(order - 1) :], unseen, ()):
        total = math.fsum(10 ** log_probability(entries, context, word) for word in words)
        assert total == pytest.approx(1, abs=1e-4), context


def test_runs_on_disk_change_no_byte(estimate_arpa, tmp_path: Path) -> None:
    lines = [list(text) for text in itertools.islice(itertools.cycle(["abcabd", "bcadda", "dabcc", "c"]), 3000)]
    lines += [[f"w{number * number % 977}", f"w{number % 61}"] for number in range(3000)]
    files = []
    for name, memory in (("small", 1), ("large", 1 << 26)):
        (tmp_path / name).mkdir()
        files.append(estimate_arpa(tmp_path / name, lines, order=5, thresholds=[0] * 5, memory=memory).read_bytes())
        assert (tmp_path / name / "by-context").exists() == (name == "small")
    assert files[0] == files[1]


@pytest.mark.parametrize("counts", [[0, 5, 3, 1], [9, 0, 3, 1], [9, 5, 0, 1], [1, 100, 1, 1000]])
def test_a_text_without_discounts_of_its_own_gets_the_fallback_or_is_refused(counts) -> None:
    found = find_discounts(counts, length=3, fallback=(0.5, 1.0, 1.5))
    assert found.amounts == (0.5, 1.0, 1.5)
    assert "3-gram" in found.reason
    with pytest.raises(DataError, match="discount_fallback"):
        find_discounts(counts, length=3, fallback=None)


def test_discounts_are_chen_and_goodmans() -> None:
    y = 100 / (100 + 2 * 40)
    expected = (1 - 2 * y * 40 / 100, 2 - 3 * y * 20 / 40, 3 - 4 * y * 12 / 20)
    assert find_discounts([100, 40, 20, 12], length=1, fallback=None).amounts == pytest.approx(expected)
