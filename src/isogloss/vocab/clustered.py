"""A large vocabulary of many languages: one model a cluster of languages, and their union (XLM-V, Liang et al. 2023).

    content, told = train_clusters(corpus, plan, settings, folder, progress)

A small model of each language by itself says which languages share pieces (``clusters``) and how many pieces each
cluster is worth (``capacity``); a model of each cluster is learned from its text alone, a language after another and a
cluster after another, so the memory is that of one; ``union`` makes them one model of exactly the size, and
``rescoring`` finds its scores. XLM-V joined whole models and had fewer pieces than it asked for; here a cluster's model
is learned with some to spare, and again with more where the clusters have more in common than was thought.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import Progress

from isogloss.corpus import Corpus
from isogloss.errors import VocabularyError
from isogloss.vocab.capacity import Curve, capacities, measure_bits
from isogloss.vocab.clusters import Fingerprint, check_number, group_languages, listed_groups
from isogloss.vocab.learning import NUM_ADDED, NUM_SPECIAL, Asked
from isogloss.vocab.pieces import learned_pieces, with_pieces
from isogloss.vocab.rescoring import rescored
from isogloss.vocab.sample import LanguageSample, plan_sample
from isogloss.vocab.settings import VocabSettings
from isogloss.vocab.stages import Learned, learn_from_text, stage
from isogloss.vocab.union import Part, union

__all__ = ["train_clusters"]

MEBIBYTE = 1 << 20
# Languages are compared by their frequent pieces, which so much text shows, in so much memory.
LANGUAGE_BYTES = 100_000_000
LANGUAGE_MEMORY = 512 * MEBIBYTE
# So many times as many pieces are learned of a cluster as it is to bring: some others bring too.
SPARE = 1.2


@dataclass(frozen=True)
class _Cluster:
    """Languages, their share of the sample, how many pieces they are worth; the model of ``wanted`` pieces at most."""

    languages: list[str]
    share: float
    capacity: int
    wanted: int
    learned: Learned
    pieces: dict[str, float]

    @property
    def part(self) -> Part:
        return Part(self.pieces, self.share, self.capacity)


@dataclass(frozen=True)
class _Training:
    """What all stages need."""

    corpus: Corpus
    plan: Mapping[str, LanguageSample]
    settings: VocabSettings
    folder: Path
    progress: Progress

    @property
    def asked(self) -> Asked:
        settings = self.settings
        return Asked(settings.size, settings.model_type, settings.max_piece_length, settings.memory_mb * MEBIBYTE)

    @property
    def num_pieces(self) -> int:
        return self.settings.size - NUM_SPECIAL - NUM_ADDED

    def learn(self, languages: Sequence[str], size: int, *, most: float, memory: int) -> Learned:
        """A model of some languages of as many ids or fewer, from ``most`` bytes of text."""
        plan = plan_sample(
            {code: self.corpus.statistics[code]["bytes"] for code in languages},
            alpha=self.settings.alpha,
            sample_bytes=max(int(most), 1) if math.isfinite(most) else None,
        )
        asked = Asked(size, "unigram", self.settings.max_piece_length, memory, exact=False)
        folder = self.folder / languages[0]
        folder.mkdir(exist_ok=True)
        return learn_from_text(self.corpus, plan, asked, self.settings, folder, self.progress, excerpts=self.folder)

    def most_bytes(self, share: float) -> float:
        """How much text a share of the sample is, at most."""
        return math.inf if self.settings.sample_bytes is None else share * self.settings.sample_bytes


def train_clusters(
    corpus: Corpus, plan: Mapping[str, LanguageSample], settings: VocabSettings, folder: Path, progress: Progress
) -> tuple[bytes, dict[str, Any]]:
    """The serialised model of ``settings.size`` ids, and what is told of its words and clusters.

    Raises ConfigError for clusters that do not fit the languages, VocabularyError where the size cannot hold the
    characters of all clusters, and where all clusters together yield fewer pieces, saying how many.
    """
    training = _Training(corpus, plan, settings, folder, progress)
    languages = sorted(plan)
    wanted = settings.clusters
    if isinstance(wanted, int):
        check_number(wanted, languages)
        fingerprints, curves = _measured(training, languages)
        groups = group_languages(fingerprints, wanted, seed=settings.seed)
    else:
        groups = listed_groups(wanted, languages)
        fingerprints, curves = _measured(training, languages)
    shares = {code: plan[code].share for code in languages}
    worth = capacities(fingerprints, curves, shares, groups, size=training.num_pieces)
    clusters = [_learned(training, group, capacity) for group, capacity in zip(groups, worth, strict=True)]
    clusters, pieces = _joined(training, clusters)
    with stage(progress, f"scoring {len(pieces):,} pieces"):
        words = [(cluster.learned.kept, cluster.share) for cluster in clusters]
        content = rescored(with_pieces(clusters[0].learned.content, pieces), words)
    return content, _told(clusters, pieces)


def _measured(training: _Training, languages: Sequence[str]) -> tuple[dict[str, Fingerprint], dict[str, Curve]]:
    """Of each language what its own small model says."""
    fingerprints, curves, alphabet = {}, {}, Counter[str]()
    memory = min(training.asked.memory, LANGUAGE_MEMORY)
    for code in languages:
        most = min(LANGUAGE_BYTES, training.most_bytes(training.plan[code].share))
        learned = training.learn([code], training.settings.pieces_a_language, most=most, memory=memory)
        fingerprints[code] = Fingerprint.of(learned_pieces(learned.content))
        curves[code] = measure_bits(learned.content, learned.kept)
        alphabet.update(learned.alphabet)
    # A size that cannot hold the characters is told before there is more work.
    training.asked.room(alphabet)
    return fingerprints, curves


def _learned(training: _Training, languages: list[str], capacity: int, *, wanted: int = 0) -> _Cluster:
    wanted = wanted or math.ceil(SPARE * capacity)
    share = math.fsum(training.plan[code].share for code in languages)
    size = wanted + NUM_SPECIAL + NUM_ADDED
    learned = training.learn(languages, size, most=training.most_bytes(share), memory=training.asked.memory)
    return _Cluster(languages, share, capacity, wanted, learned, learned_pieces(learned.content))


def _joined(training: _Training, clusters: list[_Cluster]) -> tuple[list[_Cluster], dict[str, float]]:
    """The clusters and their union of exactly the size; where they have too much in common, larger ones."""
    while True:
        alphabet = Counter[str]()
        for cluster in clusters:
            alphabet.update(cluster.learned.alphabet)
        training.asked.room(alphabet)
        pieces = union([cluster.part for cluster in clusters], training.num_pieces)
        if len(pieces) == training.num_pieces:
            return clusters, pieces
        if all(len(cluster.pieces) < cluster.wanted for cluster in clusters):
            raise VocabularyError(_explain(training, clusters, len(pieces)))
        factor = SPARE * training.num_pieces / len(pieces)
        clusters = [
            _learned(training, cluster.languages, cluster.capacity, wanted=math.ceil(factor * cluster.wanted))
            if len(cluster.pieces) >= cluster.wanted
            else cluster
            for cluster in clusters
        ]


def _explain(training: _Training, clusters: Sequence[_Cluster], num_pieces: int) -> str:
    settings = training.settings
    floor = max(cluster.learned.kept.floor for cluster in clusters)
    way_out = "give more text" if floor == 1 else f"raise memory_mb ({settings.memory_mb}) or give more text"
    return (
        f"size = {settings.size} is more than {len(clusters)} clusters of the words of {settings.corpus} yield; "
        f"set size={num_pieces + NUM_SPECIAL + NUM_ADDED} or lower, or {way_out}"
    )


def _told(clusters: Sequence[_Cluster], pieces: Mapping[str, float]) -> dict[str, Any]:
    """What the manifest says of words and clusters."""
    owners = Counter(piece for cluster in clusters for piece in cluster.pieces if piece in pieces)
    kept = [cluster.learned.kept for cluster in clusters]
    return {
        "words": {
            "met": sum(words.num_met for words in kept),
            "kept": sum(words.num_words for words in kept),
            "characters": sum(words.num_characters for words in kept),
            "floor": max(words.floor for words in kept),
            "alphabet": sum(len(piece) == 1 for piece in pieces),
        },
        "clusters": [
            {
                "languages": cluster.languages,
                "share": cluster.share,
                "capacity": cluster.capacity,
                "pieces": sum(piece in pieces for piece in cluster.pieces),
                "alone": sum(owners[piece] == 1 for piece in cluster.pieces),
                "words": cluster.learned.kept.num_words,
            }
            for cluster in clusters
        ],
        "shared": sum(number > 1 for number in owners.values()),
    }
