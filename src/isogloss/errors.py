"""The errors a user can meet: one line each, saying what, where, which value, and the way out.

    IsoglossError
    ├── ConfigError        a recipe or an override is wrong
    │   └── DivergedError  training has no usable loss any more: the rate is too high
    ├── DataError          input text or labels cannot be used
    ├── FolderError        a folder we write or read is missing, changed, or of another kind
    ├── VocabularyError    a vocabulary cannot be trained, or does not fit the model
    ├── CheckpointError    weights cannot be read, or belong to another model
    ├── MissingExtraError  an optional dependency is not installed
    ├── ProcessLost        another process of the run has ended, and this one cannot go on alone
    └── Preempted          the run was asked to stop, saved its state and can go on (exit 75)

The command line prints the message and exits with ``exit_code``; a traceback is for our own mistakes only.
"""

from __future__ import annotations

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "DivergedError",
    "FolderError",
    "IsoglossError",
    "MissingExtraError",
    "Preempted",
    "ProcessLost",
    "VocabularyError",
]


class IsoglossError(Exception):
    """Base of every error raised for a user's mistake; ``exit_code`` is what the command line returns."""

    exit_code = 2


class ConfigError(IsoglossError):
    """A recipe, a setting or a ``key=value`` override is wrong."""


class DivergedError(ConfigError):
    """Training went on without a usable loss or gradient for too long."""


class DataError(IsoglossError):
    """Input text or labels cannot be used as they are."""


class FolderError(IsoglossError):
    """A folder is missing, damaged, of another kind, or made from other parents than its manifest says."""


class VocabularyError(IsoglossError):
    """A vocabulary cannot be trained as asked, or does not fit what it is used with."""


class CheckpointError(IsoglossError):
    """Weights or training state cannot be read, or belong to another model."""


class MissingExtraError(IsoglossError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the package '{package}': pip install 'isogloss[{extra}]'")


class ProcessLost(IsoglossError):
    """Another process of the run has ended, and this one cannot go on alone."""


class Preempted(IsoglossError):
    """The run was asked to stop; its state is saved and the same command goes on from there."""

    exit_code = 75
