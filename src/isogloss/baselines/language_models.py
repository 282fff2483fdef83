"""Character language models for contextual strings: those that are given, or two trained on our text through flair.

    strings = StringsSettings(corpus="corpus", languages=("en", "sw"))
    forward = train_character_model(strings, Path("runs/flair/strings/forward"), is_forward=True, seed=1, device=device)

flair's LanguageModelTrainer does the training: it has its own loop and does not go on where it was stopped, so that a
direction is trained whole or again. The models are small: they show what there is, and replace nothing trained on a
billion words.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path

from pydantic import Field, model_validator

from isogloss.baselines.character_model import CharacterModel
from isogloss.baselines.flair_library import flair_on, require_flair
from isogloss.config import Settings
from isogloss.devices import Device
from isogloss.errors import ConfigError, DataError
from isogloss.labelled import say
from isogloss.manifest import building, finished, write_manifest
from isogloss.vocab.texts import Texts, open_texts

__all__ = ["StringsSettings", "train_character_model", "train_if_asked"]

KIND = "character-model"
# Lines that tell when to learn slower: one of so many.
HELD_OUT = 50
# Characters of a file that flair reads at once; it shuffles the lines of each, and their order.
PART_CHARACTERS = 10_000_000
# A rarer character has too little to learn from.
LEAST_OCCURRENCES = 2


class StringsSettings(Settings):
    """The character language models of contextual strings: given, or trained on text."""

    forward: Path | None = Field(None, description="a model that reads forwards: flair's file, or a folder of ours")
    backward: Path | None = Field(None, description="one that reads backwards")
    corpus: Path | None = Field(
        None, description="train both on this text instead: a corpus folder, or a folder of LANGUAGE.txt"
    )
    languages: tuple[str, ...] = Field((), description="languages of the text; none given: all that are there")
    hidden: int = Field(128, ge=1, description="width of their LSTM (published ones: 1024 and 2048)")
    character_size: int = Field(50, ge=1, description="width of their character vectors")
    epochs: int = Field(2, ge=1, description="passes over the text")
    batch_size: int = Field(32, ge=1, description="stretches of text read at once")
    sequence_length: int = Field(125, ge=2, description="characters of a stretch that a step learns from")
    rate: float = Field(10.0, gt=0, description="learning rate of plain SGD, quartered where nothing is gained")
    seed: int = Field(
        1, ge=0, description="weights, dropout and order of the lines; the tagger's seeds share the models"
    )

    @model_validator(mode="after")
    def _either(self) -> StringsSettings:
        if self.corpus is not None and (self.forward is not None or self.backward is not None):
            raise ValueError("strings.corpus trains both models; leave out strings.forward and strings.backward")
        return self

    @property
    def models(self) -> tuple[tuple[str, Path | None], tuple[str, Path | None]]:
        """Both by name."""
        return ("forward", self.forward), ("backward", self.backward)


def train_if_asked(run: Path, strings: StringsSettings, *, asked: bool, device: Device) -> StringsSettings:
    """The settings with both models' places, which are trained now if there is text; they lie in `RUN/strings`.

    Raises ConfigError where strings are given and not used, or used and not given, and MissingExtraError.
    """
    given = [path for path in (strings.forward, strings.backward, strings.corpus) if path is not None]
    if not asked:
        if given:
            raise ConfigError(
                f'strings are given ({given[0]}), but tagger.embeddings has no "contextual-strings"; add it there'
            )
        return strings
    if not given:
        raise ConfigError(
            "contextual-strings need character language models: strings.forward=FILE and strings.backward=FILE, or "
            "strings.corpus=FOLDER to train small ones"
        )
    require_flair()
    if strings.corpus is None:
        return strings
    places = {name: run / "strings" / name for name in ("forward", "backward")}
    for name, place in places.items():
        train_character_model(strings, place, is_forward=name == "forward", device=device)
    return strings.model_copy(update=places)


def train_character_model(settings: StringsSettings, target: Path, *, is_forward: bool, device: Device) -> None:
    """Train one direction into `target`; a finished one stays as it is.

    Raises FolderError for one of other settings or text, DataError for too little text, MissingExtraError.
    """
    assert settings.corpus is not None, "text to train on"
    texts = open_texts(settings.corpus, settings.languages)
    config = settings.model_dump(mode="json", exclude={"forward", "backward", "corpus"})
    config |= {"is_forward": is_forward, "text": texts.origin.fingerprint}
    if finished(target, KIND, config) is not None:
        return
    say(f"{target}: training a character language model on {', '.join(texts.languages)}, which flair does in silence")
    target.parent.mkdir(parents=True, exist_ok=True)
    with building(target) as beside, tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        for leftover in beside.iterdir():  # of an attempt that was cut off
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        characters = _write_parts(texts, Path(scratch), settings)
        model = _train(settings, Path(scratch), characters, is_forward=is_forward, device=device)
        model.save(beside)
        write_manifest(beside, kind=KIND, command="isogloss baseline", config=config)


def _write_parts(texts: Texts, folder: Path, settings: StringsSettings) -> list[str]:
    """The text as flair wants it, the languages in turn; returns its characters, the frequent ones first."""
    counts: Counter[str] = Counter()
    (folder / "train").mkdir()
    held_out: list[str] = []
    part: list[str] = []
    size, num_parts = 0, 0
    for number, line in enumerate(_in_turn(texts)):
        if number % HELD_OUT == 0:
            held_out.append(line)
            continue
        counts.update(line)
        part.append(line)
        size += len(line)
        if size >= PART_CHARACTERS:
            _write(folder / "train" / f"{num_parts:05}.txt", part)
            part, size, num_parts = [], 0, num_parts + 1
    if part:
        _write(folder / "train" / f"{num_parts:05}.txt", part)
    least = 2 * settings.batch_size
    for what, number in (("to train on", counts.total()), ("held out", sum(len(line) + 1 for line in held_out))):
        if number < 2 * least:
            raise DataError(
                f"{texts.where}: {number} characters {what} are too few for a language model in batches of "
                f"{settings.batch_size}; give more text, or set strings.batch_size lower"
            )
    for name in ("valid.txt", "test.txt"):
        _write(folder / name, held_out)
    frequent = sorted(counts, key=lambda character: (-counts[character], character))
    return ["\n", *(character for character in frequent if counts[character] >= LEAST_OCCURRENCES)]


def _in_turn(texts: Texts) -> Iterator[str]:
    """A line of each language after another, as long as there are any."""
    lines = [chain.from_iterable(texts.blocks(language)) for language in texts.languages]
    return (line for together in zip_longest(*lines) for line in together if line is not None)


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def _train(
    settings: StringsSettings, folder: Path, characters: list[str], *, is_forward: bool, device: Device
) -> CharacterModel:
    with flair_on(device.device) as flair:
        from flair.data import Dictionary
        from flair.models import LanguageModel
        from flair.trainers.language_model_trainer import LanguageModelTrainer, TextCorpus

        flair.set_seed(settings.seed)
        dictionary = Dictionary()
        for character in characters:
            dictionary.add_item(character)
        corpus = TextCorpus(folder, dictionary, is_forward, character_level=True)
        network = LanguageModel(
            dictionary, is_forward, settings.hidden, nlayers=1, embedding_size=settings.character_size
        )
        LanguageModelTrainer(network, corpus).train(
            folder / "trained",
            sequence_length=settings.sequence_length,
            learning_rate=settings.rate,
            mini_batch_size=settings.batch_size,
            max_epochs=settings.epochs,
            num_workers=0,
        )
        best = folder / "trained" / "best-lm.pt"
        if not best.exists():
            raise ConfigError(f"strings.rate = {settings.rate}: no step made the language model better; lower it")
    return CharacterModel.read(best)
