"""Fakes of the corpus tests: a folder of inputs made from a dictionary, and a build of it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from isogloss.corpus import CorpusSettings, build_corpus
from isogloss.corpus.reasons import DOCUMENT_REASONS
from isogloss.manifest import Manifest

# Eight documents in eight scripts.
EIGHT = {
    "en": "The cat sleeps.\nIt dreams of fish.",
    "ru": "Кошка спит.\nЕй снится рыба.",
    "ar": "القطة نائمة.\nتحلم بالسمك.",
    "hi": "बिल्ली सोती है।\nउसे मछली दिखती है।",
    "th": "แมวนอนหลับ\nมันฝันถึงปลา",
    "zh-Hans": "猫在睡觉。\n它梦见了鱼。",
    "ko": "고양이가 잔다.\n물고기 꿈을 꾼다.",
    "el": "Η γάτα κοιμάται.\nΟνειρεύεται ψάρια.",
}


@pytest.fixture(scope="session")
def servers() -> ModuleType:
    """crawl_server.py: a server on loopback, and what goes wrong with it."""
    spec = importlib.util.spec_from_file_location("crawl_server", Path(__file__).with_name("crawl_server.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Data classes look their module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def eight() -> dict[str, str]:
    return dict(EIGHT)


@pytest.fixture
def write_input(tmp_path: Path) -> Callable[[Mapping[str, bytes | str]], Path]:
    """Write files under tmp_path/input; returns that folder."""

    def write(files: Mapping[str, bytes | str]) -> Path:
        folder = tmp_path / "input"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return write


@pytest.fixture
def build(tmp_path: Path, write_input) -> Callable[..., tuple[Path, Manifest]]:
    """Build a corpus of the files given; returns its folder and manifest, after checking that the sums hold."""

    def run(files: Mapping[str, bytes | str], **settings: Any) -> tuple[Path, Manifest]:
        output = tmp_path / settings.pop("output", "corpus")
        manifest = build_corpus(CorpusSettings(input=write_input(files), output=output, **settings))
        check_sums(manifest)
        return output, manifest

    return run


def check_sums(manifest: Manifest) -> None:
    """What was read is what was kept and what was dropped, in documents and in lines."""
    statistics = manifest.statistics
    for code, read in statistics["read"].items():
        kept = statistics["languages"].get(code, {"documents": 0, "lines": 0})
        dropped = statistics["dropped"].get(code, {})
        documents = sum(number for reason, number in dropped.items() if reason in DOCUMENT_REASONS)
        lines = sum(statistics["dropped_lines"].get(code, {}).values())
        assert read["documents"] == kept["documents"] + documents, code
        assert read["lines"] == kept["lines"] + lines, code
