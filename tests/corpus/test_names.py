"""Names of files, folders and configurations, as data sets have them, and the languages they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus import names
from isogloss.corpus.names import language_of_name
from isogloss.languages import all_languages, canonical_code


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("swwiki", "sw"),
        ("swwiki-20231101-pages-articles", "sw"),
        ("nowiki-latest-pages-articles-multistream1", "no"),
        ("zh_min_nanwiki", "nan"),
        ("zh_classicalwiki", "lzh"),
        ("simplewiki", "en"),
        ("alswiki", "gsw"),
        ("zhwiktionary-20231101-pages-articles", "zh-Hans"),
        ("be_x_oldwiki", "be-tarask"),
        ("20231101.sw", "sw"),
        ("20231101.zh-min-nan", "nan"),
        ("20231101.als", "gsw"),
        ("c4-sw", "sw"),
        ("c4-iw", "he"),
        ("sw_head_0000", "sw"),
        ("swh_Latn", "sw"),
        ("bn_rom", "bn-Latn"),
        ("commonswiki", None),
        ("wiki", None),
        ("README", None),
        ("000_00000", None),
        ("train-00000-of-00001", None),
        ("data-00000-of-00001", None),
    ],
)
def test_names_say_the_language(name: str, language: str | None) -> None:
    assert language_of_name(name) == language


@given(st.sampled_from(all_languages()))
def test_a_code_names_its_language_in_every_fashion(row) -> None:
    if len(row.code) == 2:
        assert {
            language_of_name(name) for name in (row.code, f"{row.code}wiki", f"c4-{row.code}", f"{row.code}_all")
        } == {row.code}


def test_wikimedia_codes_lead_to_codes() -> None:
    for code, language in names.WIKIMEDIA.items():
        assert canonical_code(language) == language
        assert language_of_name(code.replace("-", "_") + "wiki") == language
