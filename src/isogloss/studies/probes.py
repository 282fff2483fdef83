"""What each layer of an encoder knows of language: do translations meet, and can the language still be told?

    probed = probe(ProbeSettings(model=Path("runs/languages/cells/languages-7/seed-1/pretrain")))
    probed.layers[2].retrieval["sw"], probed.layers[2].similarity["sw"], probed.layers[2].language_identity

A sentence is the mean of its pieces' states. Retrieval: the share of sentences whose nearest neighbour by cosine is
their translation, both ways. Similarity: linear CKA (Kornblith et al. 2019) of a language's sentences and their
translations, 1 where one is a rotation of the other. Language identity: a linear classifier, held out by sentence.

Shapes: S sentences, L layers with the embeddings before them, D width, C languages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor

from isogloss.attention import Layout
from isogloss.checkpoint import encoder_of, load_tokenizer, read_model
from isogloss.config import Settings
from isogloss.devices import Device, choose
from isogloss.encode import in_language, run_packed
from isogloss.errors import ConfigError, DataError
from isogloss.heads import mean_of_pieces
from isogloss.languages import canonical_code
from isogloss.model import Encoder
from isogloss.phrasebook import LANGUAGES, parallel_sentences
from isogloss.run_models import model_folder
from isogloss.studies.recipe import PHRASEBOOK
from isogloss.tasks import PairExample, find_files, find_task, make_windows
from isogloss.vocab import Tokenizer

__all__ = ["ProbeSettings", "Probed", "ProbedLayer", "linear_cka", "probe"]

Numbers = npt.NDArray[np.float64]
SOURCE = "en"
PAIRS = "tatoeba"
SEED = 11
# Of the sentences, what the classifier of languages learns from; and what keeps its weights small, of the mean square.
LEARNED_SHARE, RIDGE = 2 / 3, 1e-3
FEWEST = 6


class ProbeSettings(Settings):
    """Which model is asked about which sentences."""

    model: Path = Field(description="a model folder, or a run's")
    data: str = Field(
        PHRASEBOOK, description="folder of SPLIT.LANG-en.tsv, sentences and translations, or 'phrasebook'"
    )
    split: str = Field("test", description="which of those files")
    languages: tuple[str, ...] = Field((), description="languages beside English; none given: all that there are")
    num_sentences: int = Field(300, ge=FEWEST, description="most sentences a language")
    max_length: int = Field(128, ge=8, description="longest sentence in tokens, at most the model's")
    device: str = Field("auto", description="auto, cpu, cuda")


@dataclass(frozen=True)
class ProbedLayer:
    """One layer, 0 the embeddings: retrieval and language identity in percent, similarity by `linear_cka`."""

    layer: int
    retrieval: Mapping[str, float]
    similarity: Mapping[str, float]
    language_identity: float


@dataclass(frozen=True)
class Probed:
    """All layers; ``chance`` is what guessing the language would reach, and one neighbour in so many sentences."""

    layers: Sequence[ProbedLayer]
    num_sentences: Mapping[str, int]
    chance: float


def probe(settings: ProbeSettings) -> Probed:
    """Ask every layer of a checkpoint. Raises ConfigError for a model whose layers cannot be read one by one, DataError
    for sentences that are not there or too few."""
    folder = model_folder(settings.model)
    encoder = encoder_of(read_model(folder))
    if not isinstance(encoder, Encoder):
        raise ConfigError(
            f"{folder} is a model of another family, whose layers are not read one by one; probe an XLM-R"
        )
    tokenizer = load_tokenizer(folder, encoder)
    device = choose(settings.device)
    device.place(encoder).eval()
    vectors = {
        code: _vectors(encoder, tokenizer, code, pairs, settings, device) for code, pairs in _pairs(settings).items()
    }
    num_layers = len(encoder.layers) + 1
    identity = _identity(vectors, num_layers)
    layers = [
        ProbedLayer(
            number,
            {code: _retrieval(own[:, number], other[:, number]) for code, (own, other) in vectors.items()},
            {code: linear_cka(own[:, number], other[:, number]) for code, (own, other) in vectors.items()},
            identity[number],
        )
        for number in range(num_layers)
    ]
    sizes = {code: len(own) for code, (own, _) in vectors.items()}
    return Probed(layers, sizes, 100 / (1 + len(vectors)))


def _pairs(settings: ProbeSettings) -> dict[str, list[PairExample]]:
    """Sentences with their English translations, by language."""
    if settings.data == PHRASEBOOK:
        codes = [code for code in settings.languages or LANGUAGES if code != SOURCE]
        if unknown := [code for code in codes if code not in LANGUAGES]:
            raise ConfigError(f"the phrasebook does not speak {unknown[0]}; it speaks {', '.join(LANGUAGES)}")
        return {
            code: [PairExample(*pair) for pair in parallel_sentences([code, SOURCE], settings.num_sentences, seed=SEED)]
            for code in codes
        }
    task = find_task(PAIRS)
    files = find_files(task, Path(settings.data), split=settings.split, languages=settings.languages)
    found = {code: task.read(path, language=code)[: settings.num_sentences] for code, path in files.items()}
    pairs = {code: [one for one in read if isinstance(one, PairExample)] for code, read in found.items()}
    if few := [code for code, read in pairs.items() if len(read) < FEWEST]:
        raise DataError(f"{files[few[0]]} has {len(pairs[few[0]])} sentences; {FEWEST} are the fewest")
    return pairs


def _vectors(
    encoder: Encoder,
    tokenizer: Tokenizer,
    code: str,
    pairs: Sequence[PairExample],
    settings: ProbeSettings,
    device: Device,
) -> tuple[Numbers, Numbers]:
    """Vectors of all layers, (S, L, D), of sentences and of their translations."""
    length = min(settings.max_length, encoder.settings.max_length)
    windows = make_windows("retrieve", pairs, tokenizer, language=code, max_length=length, found_in=SOURCE)

    def rows(language: str, part: slice) -> Numbers:
        forward = in_language(_every_layer(encoder), encoder.settings.row_of(canonical_code(language)))
        found = list(run_packed(forward, [window.ids for window in windows[part]], device=device))
        return np.stack(found).astype(np.float64)

    half = len(pairs)
    return rows(code, slice(None, half)), rows(SOURCE, slice(half, None))


def _every_layer(encoder: Encoder) -> Callable[..., Tensor]:
    def forward(ids_N: Tensor, layout: Layout, **more: Any) -> Tensor:
        """The mean of each sequence's pieces in every layer, (S, L, D)."""
        means = [mean_of_pieces(x_ND.float(), layout) for x_ND in encoder.states(ids_N, layout, **more)]
        return torch.stack(means, dim=1)

    return forward


def _retrieval(own_SD: Numbers, other_SD: Numbers) -> float:
    """Percent of sentences whose nearest neighbour is their translation, the mean of both ways."""
    cosines_SS = _unit(own_SD) @ _unit(other_SD).T
    right = np.arange(len(own_SD))
    return float(50 * ((cosines_SS.argmax(1) == right).mean() + (cosines_SS.argmax(0) == right).mean()))


def _unit(x_SD: Numbers) -> Numbers:
    lengths: Numbers = np.linalg.norm(x_SD, axis=1, keepdims=True)
    return x_SD / np.maximum(lengths, 1e-12)


def linear_cka(x_SD: Numbers, y_SD: Numbers) -> float:
    """Linear centred kernel alignment of two sets of vectors of the same S things, 4 or more: 1 for the same up to
    rotation and size, 0 in the mean for sets that have nothing to do with each other (and by chance a little below).

    By the unbiased estimator of Song et al. 2012 (equation 5, with kernels x x^T), as Nguyen, Raghu and Kornblith 2021.
    The usual one gives unrelated sets about D / (S + D): 0.3 for 300 sentences at width 128, 0.7 at 768.
    """
    x_SS, y_SS = (_without_diagonal(vectors - vectors.mean(0)) for vectors in (x_SD, y_SD))
    both = _independence(x_SS, x_SS) * _independence(y_SS, y_SS)
    return float(_independence(x_SS, y_SS) / np.sqrt(both)) if both > 0 else 0.0


def _without_diagonal(x_SD: Numbers) -> Numbers:
    kernel_SS: Numbers = x_SD @ x_SD.T
    np.fill_diagonal(kernel_SS, 0.0)
    return kernel_SS


def _independence(x_SS: Numbers, y_SS: Numbers) -> float:
    """The Hilbert-Schmidt independence criterion of two kernels without diagonal, but for a factor of S alone."""
    size = len(x_SS)
    pairs = float((x_SS * y_SS).sum())
    sums = float(x_SS.sum() * y_SS.sum()) / ((size - 1) * (size - 2))
    return pairs + sums - 2 * float(x_SS.sum(0) @ y_SS.sum(0)) / (size - 2)


def _identity(vectors: Mapping[str, tuple[Numbers, Numbers]], num_layers: int) -> list[float]:
    """Percent of held-out sentences whose language a linear map tells, in each layer."""
    # English once: its sentences beside each language are often the same ones.
    sets = [own for own, _ in vectors.values()] + [next(iter(vectors.values()))[1]]
    size = min(map(len, sets))
    num_learned = max(1, int(size * LEARNED_SHARE))
    labels = np.repeat(np.arange(len(sets)), num_learned), np.repeat(np.arange(len(sets)), size - num_learned)
    found = []
    for number in range(num_layers):
        learned = np.concatenate([one[:num_learned, number] for one in sets])
        asked = np.concatenate([one[num_learned:size, number] for one in sets])
        guessed = _linear(learned, labels[0], asked, num_classes=len(sets))
        found.append(float(100 * (guessed == labels[1]).mean()))
    return found


def _linear(
    x_SD: Numbers, labels_S: npt.NDArray[np.int64], asked_SD: Numbers, *, num_classes: int
) -> npt.NDArray[np.int64]:
    """Ridge regression onto one column a class, in closed form; the largest column is the answer."""
    mean, scale = x_SD.mean(0), x_SD.std(0) + 1e-8
    x_SD, asked_SD = (x_SD - mean) / scale, (asked_SD - mean) / scale
    wanted_SC = np.eye(num_classes)[labels_S] - 1 / num_classes
    weights_DC = np.linalg.solve(x_SD.T @ x_SD + RIDGE * len(x_SD) * np.eye(x_SD.shape[1]), x_SD.T @ wanted_SC)
    return np.asarray((asked_SD @ weights_DC).argmax(1))
