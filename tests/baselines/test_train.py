"""A tagger's run: it learns, goes on exactly, is saved and read back, and stands in the table beside an encoder."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from isogloss.baselines import Tagger, load_tagger, train_baseline
from isogloss.baselines.sentences import SentenceBatch
from isogloss.baselines.tagger import loss_of
from isogloss.checkpoint import load_model
from isogloss.errors import CheckpointError, ConfigError, DataError, FolderError
from isogloss.evaluate import EvaluateSettings, evaluate
from isogloss.finetune import FinetuneSettings, finetune
from isogloss.paper_tables import paper_tables
from isogloss.report import to_markdown
from isogloss.results import lines_of
from isogloss.run_models import model_names
from isogloss.runs import read_metrics
from isogloss.score import score_file
from isogloss.scores import read_results, table
from isogloss.tasks import find_task

Make = Callable[..., Any]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_tagger(run / "model").state_dict()


@pytest.fixture(scope="module")
def learned(settings_for: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds that have learned the entities of the phrasebook in English."""
    run = tmp_path_factory.mktemp("runs") / "bilstm"
    return train_baseline(settings_for(run, steps=120, validate_every="60 steps", seeds=[1, 2]))


def test_the_phrasebook_is_learned_in_seconds(learned: Path, entities: Path) -> None:
    for seed in ("seed-1", "seed-2"):
        assert max(line["dev_mean"] for line in read_metrics(learned / seed) if "dev_mean" in line) > 90
    assert any(
        not torch.equal(one, weights(learned / "seed-2")[name]) for name, one in weights(learned / "seed-1").items()
    )
    # Words of the dev file have tags, and as many as there are words.
    examples = find_task("ner").read(entities / "dev.en.tsv")
    tags = load_tagger(learned / "seed-1" / "model").tag([example.words for example in examples])  # type: ignore[union-attr]
    assert [len(of_words) for of_words in tags] == [len(example.words) for example in examples]  # type: ignore[union-attr]


def test_it_stands_in_the_table_beside_an_encoder(
    learned: Path, entities: Path, pretrained: Path, tmp_path: Path
) -> None:
    encoder = finetune(
        FinetuneSettings(run=tmp_path / "encoder", model=pretrained, task="ner", data=entities, steps=2, device="cpu")
    )
    models, output, said = (learned, encoder), tmp_path / "results.json", tmp_path / "said"
    settings = EvaluateSettings(
        models=models, task="ner", data=entities, split="test", output=output, predictions=said, device="cpu"
    )
    scores = evaluate(settings)
    assert read_results(output) == scores
    of_encoder, of_tagger = (
        [score for score in scores if score.setting == "zero-shot" and bool(score.architecture) is is_tagger]
        for is_tagger in (False, True)
    )
    assert {(score.architecture, score.seed) for score in of_tagger} == {("BiLSTM-CRF", 1), ("BiLSTM-CRF", 2)}
    assert len(of_tagger) == 2 * len(of_encoder) == 2 * 3
    for score in of_tagger:
        (same,) = [other for other in of_encoder if other.language == score.language]
        assert (score.n, score.metric, score.split, score.selection) == (same.n, same.metric, same.split, "source-dev")
        assert score.fingerprints["data"] == same.fingerprints["data"]
        (predictions,) = said.rglob(f"bilstm/seed-{score.seed}/test.{score.language}.tsv")
        again = score_file("ner", data=None, predictions=predictions, language=score.language)
        assert again.metrics["f1"] == pytest.approx(score.value)
    # A line each, in both tables, though setting and selection are the same.
    ((_, lines),) = lines_of(scores).items()
    assert [(line.model, line.setting, line.num_seeds) for line in lines] == [
        ("", "majority", 1), ("ours, BiLSTM-CRF", "zero-shot", 2), ("", "zero-shot", 1)
    ]  # fmt: skip
    assert "ours, BiLSTM-CRF" in to_markdown(paper_tables(scores))
    text = table(scores, names=model_names(models))
    assert "│ zero-shot, BiLSTM-CRF" in text
    assert "│ zero-shot  " in text


def test_types_of_entities_are_left_out(learned: Path, entities: Path, tmp_path: Path) -> None:
    settings = EvaluateSettings(
        models=(learned,), task="ner", data=entities, output=tmp_path, predictions=tmp_path, drop_types=("PER",)
    )
    assert {score.drop_types for score in evaluate(settings)} == {("PER",)}
    assert "PER" not in next(tmp_path.rglob("dev.en.tsv")).read_text(encoding="utf-8")


def test_settings_and_selections_are_those_of_fine_tuning(settings_for: Make, labelled: Path, tmp_path: Path) -> None:
    """Labels of both languages, another task, every selection side by side."""
    also = ["per-language-dev", "last", "average"]
    changes = {"task": "pos", "data": labelled, "setting": "all", "selection": "joint-dev", "also_select": also}
    run = train_baseline(settings_for(tmp_path / "run", **changes, steps=40, validate_every="10 steps"))
    asked = EvaluateSettings(models=(run,), task="pos", data=labelled, output=tmp_path, selections="all")
    found = [score for score in evaluate(asked) if score.architecture]
    assert {(score.selection, score.language) for score in found} == {
        (selection, language) for selection in ("joint-dev", *also) for language in ("en", "sw")
    }
    assert {score.setting for score in found} == {"all"}
    assert all(score.value > 90 for score in found if score.selection == "joint-dev")


def test_dev_files_may_lie_elsewhere(settings_for: Make, labelled: Path, tmp_path: Path) -> None:
    for split in ("train", "dev"):
        (tmp_path / split).mkdir()
        shutil.copy(labelled / f"{split}.en.tsv", tmp_path / split)
    # udpos has the labels of pos.
    changes = {"task": "udpos", "data": tmp_path / "train", "steps": 2}
    run = train_baseline(settings_for(tmp_path / "run", **changes, dev_data=tmp_path / "dev", dev_task="pos"))
    assert [list(line["dev"]) for line in read_metrics(run) if "dev" in line] == [["en"]]
    with pytest.raises(DataError, match=r"no file dev\.LANGUAGE\.tsv.*set dev_data"):
        train_baseline(settings_for(tmp_path / "other", **changes))


def test_a_run_that_was_stopped_ends_in_the_same_weights(
    settings_for: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_baseline(settings_for(tmp_path / "whole", selection="last"))

    class StoppedError(Exception):
        pass

    calls = 0

    def breaks(tagger: Tagger, batch: SentenceBatch) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls > 10:
            raise StoppedError
        return loss_of(tagger, batch)

    settings = settings_for(tmp_path / "stopped", selection="last")
    monkeypatch.setattr(sys.modules["isogloss.baselines.train"], "loss_of", breaks)
    with pytest.raises(StoppedError):
        train_baseline(settings)
    assert not (tmp_path / "stopped" / "model").exists()
    monkeypatch.setattr(sys.modules["isogloss.baselines.train"], "loss_of", loss_of)
    stopped = train_baseline(settings)
    for name, weight in weights(whole).items():
        assert torch.equal(weight, weights(stopped)[name]), name
    before = (stopped / "metrics.jsonl").read_text()
    assert train_baseline(settings) == stopped
    assert (stopped / "metrics.jsonl").read_text() == before
    with pytest.raises(FolderError, match=r"was started with tagger.hidden = 16, now 32"):
        train_baseline(settings_for(tmp_path / "stopped", selection="last", tagger={"hidden": 32, **SMALL}))


SMALL = {"word_size": 16, "character_size": 8, "character_hidden": 8}


def test_what_is_saved_is_what_was_learned(learned: Path, tmp_path: Path) -> None:
    tagger = load_tagger(learned / "seed-1" / "model")
    sentences = [["Anna", "sees", "Oslo", "."], ["", "1999", "狗"], ["x" * 1000]]
    together = tagger.tag(sentences)
    assert [len(tags) for tags in together] == [4, 3, 1]
    # Neither neighbours nor padding change what is said, and an empty sentence has no tags.
    assert [tagger.tag([words])[0] for words in sentences] == together
    assert tagger.tag([*sentences, []]) == [*together, ()]
    assert sorted(path.suffix for path in (learned / "seed-1" / "model").iterdir()) == [
        ".json", ".json", ".json", ".json", ".safetensors"
    ]  # fmt: skip
    copied = shutil.copytree(learned / "seed-1" / "model", tmp_path / "copied")
    assert load_tagger(copied).tag(sentences) == together
    (copied / "words.json").write_text((copied / "words.json").read_text().replace("Anna", "Anne"))
    with pytest.raises(CheckpointError, match=r"words.json is not what manifest.json says"):
        load_tagger(copied)


def test_other_commands_say_that_it_is_no_encoder(learned: Path, entities: Path, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="is a tagger folder, but a model folder is needed"):
        load_model(learned / "seed-1" / "model")
    asked = EvaluateSettings(models=(learned,), task="qa", data=entities.parent / "qa", output=tmp_path, split="test")
    with pytest.raises(ConfigError, match="is a tagger of words, task qa needs a question head"):
        evaluate(asked)


def test_vectors_are_where_it_begins(settings_for: Make, tmp_path: Path) -> None:
    """A known word begins with its vector; one that only the vectors know is known at the end, and unchanged."""
    path = tmp_path / "vectors.txt"
    path.write_text("anna 1 2\nnowhereland 3 4\n", encoding="utf-8")
    changes = {"vectors": path, "tagger": {"word_size": 2, "hidden": 4, "embeddings": ["words"]}, "selection": "last"}
    settings = settings_for(tmp_path / "run", **changes, optim={"peak_rate": 1e-12}, steps=1)
    tagger = load_tagger(train_baseline(settings) / "model")
    number = tagger.lexicon.word_id("Anna")
    assert tagger.words.weight[number].tolist() == pytest.approx([1, 2])
    further = tagger.lexicon.word_id("nowhereland") - 1 - tagger.lexicon.num_learned
    assert tagger.get_buffer("further_words")[further].tolist() == [3, 4]
    assert tagger.tag([["nowhereland"]]) is not None
    # Moved, they are the same vectors; others are others.
    moved = path.rename(tmp_path / "moved.txt")
    train_baseline(settings.model_copy(update={"vectors": moved}))
    moved.write_text("anna 1 3\n", encoding="utf-8")
    with pytest.raises(FolderError, match=r"origin.vectors"):
        train_baseline(settings.model_copy(update={"vectors": moved}))


def test_a_singleton_is_an_unknown_word_half_of_the_time(learned: Path) -> None:
    tagger = load_tagger(learned / "seed-1" / "model").train()
    num_words = 4000
    batch = SentenceBatch(
        words_U=torch.arange(1, 3).repeat(num_words // 2),
        singletons_U=torch.tensor([True, False]).repeat(num_words // 2),
        characters_UC=torch.zeros(num_words, 1, dtype=torch.long),
        characters_U=torch.ones(num_words, dtype=torch.long),
        different_BT=torch.zeros(1, 1, dtype=torch.long),
        lengths_B=torch.ones(1, dtype=torch.long),
        labels_BT=torch.zeros(1, 1, dtype=torch.long),
        states_BTD=None,
        indices=(0,),
    )
    torch.manual_seed(1)
    unknown = (tagger._word_vectors(batch) == tagger.words.weight[0]).all(dim=1)
    assert unknown[::2].float().mean().item() == pytest.approx(0.5, abs=0.05)
    assert not unknown[1::2].any()
    assert not (tagger.eval()._word_vectors(batch) == tagger.words.weight[0]).all(dim=1).any()


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"task": "nli"}, ConfigError, "task = nli does not tag words"),
        ({"setting": "all"}, ConfigError, "trains on several languages"),
        ({"vectors": "v.txt", "tagger": {"embeddings": ["characters"]}}, ConfigError, 'has no "words"'),
        ({"strings": {"forward": "f.pt"}}, ConfigError, 'has no "contextual-strings"'),
        ({"tagger": {"embeddings": ["contextual-strings"]}}, ConfigError, "strings.forward=FILE"),
        ({"vectors": "nowhere.txt"}, DataError, "vectors = nowhere.txt cannot be read"),
    ],
)
def test_what_does_not_go_together_is_refused(
    settings_for: Make, tmp_path: Path, changes: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said.replace("(", r"\(")):
        train_baseline(settings_for(tmp_path / "run", **changes))
    assert not (tmp_path / "run").exists()


def test_labels_that_training_did_not_have_are_refused_with_file_and_line(
    settings_for: Make, entities: Path, tmp_path: Path
) -> None:
    data = shutil.copytree(entities, tmp_path / "data")
    with (data / "dev.en.tsv").open("a", encoding="utf-8") as stream:
        stream.write("\nAnna\tB-MISC\n")
    number = len((data / "dev.en.tsv").read_text(encoding="utf-8").splitlines())
    with pytest.raises(DataError, match=rf"dev.en.tsv:{number}: unknown tag 'B-MISC'; known are O, B-"):
        train_baseline(settings_for(tmp_path / "run", data=data))
    (data / "train.en.tsv").write_text("a\tO\nb\tO\n", encoding="utf-8")
    with pytest.raises(DataError, match="one label only, 'O'"):
        train_baseline(settings_for(tmp_path / "run", data=data))
