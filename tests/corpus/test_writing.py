"""The size limit of a language: what finds room is kept, in order, wherever its batches are cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus.writing import without_room


@given(sizes=st.lists(st.integers(0, 50), max_size=40), left=st.integers(0, 400))
def test_a_document_is_dropped_only_where_it_has_no_room(sizes: list[int], left: int) -> None:
    kept = 0
    for size, over in zip(sizes, without_room(np.array(sizes, np.int64), left).tolist(), strict=True):
        assert over == (kept + size > left)
        kept += 0 if over else size
    assert kept <= left


@given(sizes=st.lists(st.integers(0, 50), max_size=40), left=st.integers(0, 400), cut=st.integers(0, 40))
def test_batches_may_be_cut_anywhere(sizes: list[int], left: int, cut: int) -> None:
    whole = np.array(sizes, np.int64)
    first = without_room(whole[:cut], left)
    rest = without_room(whole[cut:], left - int(whole[:cut][~first].sum()))
    assert np.array_equal(without_room(whole, left), np.concatenate([first, rest]))


def test_a_book_in_front_takes_nothing_from_what_follows() -> None:
    assert without_room(np.array([1000, 3, 900, 4, 2]), 8).tolist() == [True, False, True, False, True]
