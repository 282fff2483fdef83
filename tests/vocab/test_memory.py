"""Training in a process of its own: its peak is bounded by memory_mb, whatever the text."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

TRAIN = """
import json, sys
from pathlib import Path
from isogloss.vocab import VocabSettings, train_vocabulary
corpus, output, memory = sys.argv[1:]
def status(key):
    return int(Path("/proc/self/status").read_text().split(key)[1].split()[0])
before = status("VmRSS:")
made = train_vocabulary(VocabSettings(corpus=corpus, output=output, size=2000, alpha=1.0, memory_mb=memory))
print(json.dumps({"added": (status("VmHWM:") - before) / 1024, "words": made.statistics["words"]}))
"""
# Vocabulary, trainer and normaliser, and a block of text with its words, stand beside what is set.
BESIDE = 40


def sentences(num_sentences: int, draw: random.Random) -> Iterator[str]:
    """Of words of which there are always new ones."""
    syllables = [first + second for first in "bdfgklmnprstvz" for second in ("a", "e", "i", "o", "u", "я", "и")]
    for _ in range(num_sentences):
        yield " ".join("".join(draw.choices(syllables, k=draw.choice([1, 1, 2, 3, 4]))) for _ in range(20))


def trained(corpus: Path, output: Path, memory: int) -> dict[str, object]:
    words = [sys.executable, "-c", TRAIN, str(corpus), str(output), str(memory)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


@pytest.mark.slow
def test_memory_follows_its_limit_and_not_the_text(write_corpus: Callable[..., Path], tmp_path: Path) -> None:
    memory = 48
    peaks = []
    for times in (1, 3):
        texts = {"en": list(sentences(40_000 * times, random.Random(times)))}
        told = trained(write_corpus(tmp_path / f"corpus-{times}", texts), tmp_path / f"vocab-{times}", memory)
        peaks.append(told["added"])
        assert told["words"]["floor"] > 1, "there is more than fits"  # type: ignore[index]
    assert max(peaks) < memory + BESIDE, peaks
    assert peaks[1] < 1.15 * peaks[0], peaks
