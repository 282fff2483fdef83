"""The optional packages that building a corpus needs, loaded when first used; reading a finished corpus needs none."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from isogloss.errors import MissingExtraError

__all__ = [
    "load_cld2",
    "load_daft",
    "load_datasets",
    "load_fasttext",
    "load_fastwarc",
    "load_huggingface_hub",
    "load_kenlm",
    "load_mwparserfromhell",
    "load_pyarrow",
    "load_ray",
    "load_resiliparse",
]


def load_daft() -> ModuleType:
    """The data-frame engine; raises MissingExtraError."""
    # Daft reports each import to its makers over the network unless told not to, and draws its own progress bars.
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("DAFT_PROGRESS_BAR", "0")
    # In a task of Ray's it would choose its Ray runner, though the task is one of many that share the machine.
    os.environ.setdefault("DAFT_RUNNER", "native")
    try:
        import daft
    except ImportError:
        raise MissingExtraError("daft", "corpus", "building a corpus") from None
    return daft


def load_datasets() -> ModuleType:
    """What knows the data sets of the Hugging Face Hub; raises MissingExtraError."""
    # It counts what it opens for its makers and draws bars of its own unless told not to.
    for name in ("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS", "HF_DATASETS_DISABLE_PROGRESS_BARS"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("HF_UPDATE_DOWNLOAD_COUNTS", "0")
    try:
        return importlib.import_module("datasets")
    except ImportError:
        raise MissingExtraError("datasets", "hub", "reading data sets of the Hugging Face Hub") from None


def load_fastwarc() -> ModuleType:
    """The reader of WARC files; raises MissingExtraError."""
    try:
        import fastwarc
    except ImportError:
        raise MissingExtraError("fastwarc", "corpus", "reading crawl files") from None
    module: ModuleType = fastwarc
    return module


def load_huggingface_hub() -> ModuleType:
    """What reads files of the Hugging Face Hub, a part of ``datasets``; raises MissingExtraError."""
    load_datasets()
    return importlib.import_module("huggingface_hub")


def load_kenlm() -> ModuleType:
    """The reader of n-gram models; raises MissingExtraError."""
    try:
        return importlib.import_module("kenlm")
    except ImportError:
        raise MissingExtraError("kenlm", "lm", "scoring by a language model") from None


def load_mwparserfromhell() -> ModuleType:
    """The parser of wikitext; raises MissingExtraError."""
    try:
        return importlib.import_module("mwparserfromhell")
    except ImportError:
        raise MissingExtraError("mwparserfromhell", "corpus", "reading dumps of wikis") from None


def load_pyarrow() -> ModuleType:
    """Arrow, with its ``compute`` and ``parquet`` submodules loaded; raises MissingExtraError."""
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "corpus", "building a corpus") from None
    module: ModuleType = pyarrow
    return module


def load_ray() -> ModuleType:
    """The cluster's side of the engine; raises MissingExtraError."""
    # Ray sends what it is used for to its makers unless told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise MissingExtraError("ray", "cluster", "runner = 'ray'") from None
    module: ModuleType = ray
    return module


def load_resiliparse() -> ModuleType:
    """Text of HTML, with its parts ``extract.html2text`` and ``parse.encoding`` loaded; raises MissingExtraError."""
    try:
        import resiliparse
        import resiliparse.extract.html2text
        import resiliparse.parse.encoding
    except ImportError:
        raise MissingExtraError("resiliparse", "corpus", "text of HTML pages in crawl files") from None
    module: ModuleType = resiliparse
    return module


def load_cld2() -> ModuleType:
    """Chrome's language detector; raises MissingExtraError."""
    try:
        import pycld2
    except ImportError:
        raise MissingExtraError("pycld2", "corpus", "identifying languages") from None
    module: ModuleType = pycld2
    return module


def load_fasttext() -> ModuleType:
    """fastText's reader of models, from whichever package has it; raises MissingExtraError."""
    try:
        import fasttext
    except ImportError:
        raise MissingExtraError("fasttext-predict", "corpus", "identifying languages") from None
    module: ModuleType = fasttext
    return module
