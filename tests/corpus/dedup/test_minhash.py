"""Signatures estimate how much two texts have in common, and clusters find the near-duplicates of real text."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.config import make_settings
from isogloss.corpus.dedup import clusters, minhash
from isogloss.corpus.dedup.clusters import SignatureWriter, find_clusters
from isogloss.corpus.dedup.minhash import MinHashSettings, chance_of_meeting, share_equal, sign
from isogloss.errors import ConfigError, DataError

LETTERS = str.maketrans("0123456789", "abcdefghij")
SMALL = MinHashSettings(num_hashes=16, num_bands=8, words=1, memory_bytes=1 << 20)


@settings(max_examples=20)
@given(common=st.integers(0, 300), own=st.integers(0, 300), other=st.integers(0, 300), seed=st.integers(0, 9))
def test_the_estimate_is_near_the_truth(common: int, own: int, other: int, seed: int) -> None:
    chosen = MinHashSettings(num_hashes=512, num_bands=1, words=1, seed=seed)
    # In letters: to the normaliser all numbers of a length are one.
    words = [str(number).translate(LETTERS) for number in range(common + own + other)]
    texts = [" ".join(words[: common + own]), " ".join(words[:common] + words[common + own :])]
    if not all(texts):
        return
    signatures = sign(pa.array(texts), language="en", settings=chosen)
    truth = common / len(words)
    deviation = (truth * (1 - truth) / 512) ** 0.5
    assert abs(share_equal(signatures[0], signatures[1]) - truth) <= 6 * deviation + 1 / 512


@settings(max_examples=40)
@given(texts=st.lists(st.text(st.sampled_from("ab c\n"), max_size=30), max_size=8), block=st.integers(1, 9))
def test_a_signature_is_the_least_of_each_permutation_whatever_the_blocks(texts: list[str], block: int) -> None:
    column = pa.array(texts, pa.string())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minhash, "BLOCK_SHINGLES", block)
        found = sign(column, language="en", settings=SMALL)
    alone = [sign(pa.array([text]), language="en", settings=SMALL)[0] for text in texts]
    assert found.tolist() == [row.tolist() for row in alone]
    for text, row in zip(texts, found, strict=True):
        words = [sign(pa.array([word]), language="en", settings=SMALL)[0] for word in text.split()]
        assert row.tolist() == np.min([np.full(16, 2**32 - 1), *words], axis=0).tolist()


def changed(text: str, share: float, generator: random.Random) -> str:
    """The text with this share of its words replaced by others of its own."""
    words = text.split()
    for place in generator.sample(range(len(words)), round(share * len(words))):
        words[place] = generator.choice(words) + "x"
    return " ".join(words)


def test_near_duplicates_of_real_text_are_found_and_little_else(shared_data: Path, tmp_path: Path) -> None:
    """500 documents, then each of 200 again with words changed; recall by how many, precision over all."""
    generator = random.Random(3)
    text = (shared_data / "text" / "en.txt").read_text(encoding="utf-8")
    documents = list(
        {document[:60]: document for document in text.split("\n\n") if 300 < len(document) < 4000}.values()
    )
    originals = documents[:500]
    chosen = MinHashSettings()
    write(tmp_path / "alone", originals, chosen)
    # What resembles something before anything is injected is no mistake of ours, and no original either.
    resembling = find_clusters(tmp_path / "alone", chosen)
    taken = set(resembling.gone.tolist()) | set(resembling.kept.tolist())
    originals = [document for number, document in enumerate(originals) if number not in taken]
    for share, least in ((0.02, 0.99), (0.05, 0.97), (0.1, 0.75)):
        copies = [changed(document, share, generator) for document in originals[:200]]
        path = tmp_path / f"{share}"
        write(path, originals + copies, chosen)
        found = find_clusters(path, chosen)
        right = sum(gone - len(originals) == kept for gone, kept in zip(*found, strict=True))
        assert right / len(copies) >= least, share
        assert right == len(found.gone), share


def write(path: Path, texts: list[str], chosen: MinHashSettings) -> None:
    with SignatureWriter(path) as writer:
        for start in range(0, len(texts), 64):
            writer.add(sign(pa.array(texts[start : start + 64]), language="en", settings=chosen))


def plain_clusters(signatures: np.ndarray, chosen: MinHashSettings) -> dict[int, int]:
    """Each document that goes and what stays for it, by loops."""
    root = list(range(len(signatures)))
    rows = chosen.num_hashes // chosen.num_bands
    for band in range(chosen.num_bands):
        first: dict[bytes, int] = {}
        for number, row in enumerate(signatures):
            if (row == 2**32 - 1).all():
                continue
            other = first.setdefault(row[band * rows : (band + 1) * rows].tobytes(), number)
            if (signatures[other] == row).mean() >= chosen.threshold:
                both = {root[other], root[number]}
                root = [min(both) if value in both else value for value in root]
    return {number: kept for number, kept in enumerate(root) if kept != number}


@given(
    rows=st.lists(st.lists(st.integers(0, 2), min_size=4, max_size=4), max_size=14),
    num_bands=st.sampled_from([1, 2, 4]),
    threshold=st.sampled_from([0, 0.5, 0.75, 1]),
    bytes_a_row=st.sampled_from([96, 1 << 14, 1 << 16, 1 << 18]),
)
def test_clusters_are_those_of_the_plain_loop_in_any_memory(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[int]],
    num_bands: int,
    threshold: float,
    bytes_a_row: int,
) -> None:
    chosen = MinHashSettings(num_hashes=4, num_bands=num_bands, threshold=threshold, memory_bytes=1 << 20)
    signatures = np.array(rows, np.uint32).reshape(-1, 4)
    signatures[(signatures == 2).all(axis=1)] = 2**32 - 1
    folder = tmp_path_factory.mktemp("clusters")
    with SignatureWriter(folder / "x") as writer:
        writer.add(signatures)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clusters, "BYTES_A_ROW", bytes_a_row)
        patch.setattr(clusters, "PAIRS", 3)
        patch.setattr(clusters, "DOCUMENTS", 5)
        found = find_clusters(folder / "x", chosen)
    assert dict(zip(found.gone.tolist(), found.kept.tolist(), strict=True)) == plain_clusters(signatures, chosen)
    assert [path.name for path in folder.iterdir()] == ["x"], "what lay on the disk is gone"


PEAK = """
import json, resource, sys
from pathlib import Path
import numpy as np
from isogloss.corpus.dedup.clusters import SignatureWriter, find_clusters
from isogloss.corpus.dedup.minhash import MinHashSettings
path, memory, documents = Path(sys.argv[1]), *json.loads(sys.argv[2])
chosen = MinHashSettings(num_hashes=32, num_bands=16, memory_bytes=memory)
with SignatureWriter(path) as writer:
    for part in range(10):
        rows = np.random.default_rng(part).integers(0, 2**32 - 1, (documents // 10, 32), np.uint32)
        rows[::2] = 5
        writer.add(rows)
del rows
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
gone = len(find_clusters(path, chosen).gone)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
sys.stdout.write(json.dumps({"before": before, "after": after, "gone": gone}))
"""


def test_memory_stays_under_its_bound_when_half_the_documents_are_one(tmp_path: Path) -> None:
    memory, documents = 6 << 20, 40_000
    words = [sys.executable, "-c", PEAK, str(tmp_path / "x"), json.dumps([memory, documents])]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    peak = json.loads(done.stdout)
    assert peak["gone"] == documents // 2 - 1
    assert peak["after"] - peak["before"] < memory + 24 * documents


def test_bands_make_meeting_likely_above_the_threshold_only() -> None:
    chosen = MinHashSettings()
    assert chance_of_meeting(chosen.threshold + 0.1, chosen) > 0.95
    assert chance_of_meeting(chosen.threshold / 3, chosen) < 0.05


def test_wrong_settings_and_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="num_bands = 30"):
        make_settings(MinHashSettings, {"num_bands": 30})
    (tmp_path / "x").write_bytes(b"1234")
    with pytest.raises(DataError, match="128 hashes"):
        find_clusters(tmp_path / "x", MinHashSettings())
