"""Errors: one tree, an exit code each, and a way out in the message of a missing extra."""

import pytest

from isogloss import errors
from isogloss.errors import IsoglossError, MissingExtraError, Preempted

CLASSES = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_is_of_the_tree_and_drawn_in_it(kind: type[IsoglossError]) -> None:
    assert issubclass(kind, IsoglossError)
    assert kind.__name__ in (errors.__doc__ or "")
    assert kind.exit_code == (75 if kind is Preempted else 2)


def test_a_missing_extra_says_how_to_get_it() -> None:
    said = str(MissingExtraError("daft", "corpus", "building a corpus"))
    assert said == "building a corpus needs the package 'daft': pip install 'isogloss[corpus]'"
