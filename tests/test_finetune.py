"""Fine-tuning: settings and selections, exact continuation, the loss of every head, errors."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from isogloss.attention import Layout
from isogloss.checkpoint import load_encoder, load_model
from isogloss.config import Duration
from isogloss.errors import CheckpointError, ConfigError, DataError, FolderError
from isogloss.finetune import SETTINGS, FinetuneOptim, FinetuneSettings, finetune, loss_of
from isogloss.heads import TaskModel
from isogloss.loop import LoopSettings
from isogloss.manifest import read_manifest
from isogloss.model import Encoder, ModelSettings, initialise
from isogloss.runs import read_metrics
from isogloss.tasks.training import ExampleBatch


@pytest.fixture(scope="module")
def data(labelled: Path) -> Path:
    return labelled


def settings_for(pretrained: Path, data: Path, run: Path, **changes: Any) -> FinetuneSettings:
    values: dict[str, Any] = {
        "run": run,
        "model": pretrained,
        "task": "pos",
        "data": data,
        "steps": 12,
        "batch_size": 8,
        "precision": "fp32",
        "device": "cpu",
        "optim": FinetuneOptim(peak_rate=3e-3, schedule="constant", warmup=Duration("0 %")),
        "loop": LoopSettings(log_every=Duration("4 steps"), checkpoint_every=Duration("4 steps")),
    }
    return FinetuneSettings(**{**values, **changes})


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    return load_model(run / "model").state_dict()


@pytest.mark.parametrize(
    ("task", "metric", "reach"), [("pos", "accuracy", 90.0), ("text", "accuracy", 90.0), ("qa", "f1", 90.0)]
)
def test_every_kind_of_task_learns(
    pretrained: Path, data: Path, tmp_path: Path, task: str, metric: str, reach: float
) -> None:
    folder = data / "text" if task == "text" else data
    settings = settings_for(pretrained, folder, tmp_path / "run", task=task, steps=60, validate_every="20 steps")
    run = finetune(settings)
    lines = [line for line in read_metrics(run) if "dev_mean" in line]
    assert [line["step"] for line in lines] == [20, 40, 60]
    assert max(line["dev_mean"] for line in lines) >= reach
    model = load_model(run / "model")
    assert isinstance(model, TaskModel)
    if task == "text":
        assert tuple(model.labels) == ("falls", "runs", "sings", "sleeps")
    # The model says how it came to be, as it may be copied out of its run.
    training = read_manifest(run / "model", "model").config["training"]
    assert len(training.pop("recipe")) == 16
    assert training == {
        "task": task,
        "setting": "zero-shot",
        "source_languages": ["en"],
        "selection": "source-dev",
        "random_weights": False,
        "seed": 1,
        "restarts": 0,
    }


def test_the_best_checkpoint_is_kept_and_the_last_one_when_asked(pretrained: Path, data: Path, tmp_path: Path) -> None:
    scores = {}
    for selection in ("source-dev", "last"):
        # A rate that destroys what the first steps learned, from the seventh step on.
        optim = FinetuneOptim(peak_rate=1.0, schedule="constant", warmup=Duration("30 steps"), clip=0)
        run = finetune(
            settings_for(
                pretrained,
                data,
                tmp_path / selection,
                selection=selection,
                steps=16,
                validate_every="2 steps",
                optim=optim,
            )
        )
        scores[selection] = [line for line in read_metrics(run) if "dev_mean" in line]
    best = max(scores["source-dev"], key=lambda line: (line["dev_mean"], -line["step"]))
    assert scores["last"] == [], "nothing is scored that chooses nothing"
    assert best["step"] < 16
    assert scores["source-dev"][-1]["best_step"] == best["step"]
    assert "step " + str(best["step"]) in (tmp_path / "source-dev" / "model" / "README.md").read_text()
    chosen, last = weights_of(tmp_path / "source-dev"), weights_of(tmp_path / "last")
    assert any(not torch.equal(chosen[name], last[name]) for name in chosen)


def test_joint_dev_scores_all_languages(pretrained: Path, data: Path, tmp_path: Path) -> None:
    run = finetune(settings_for(pretrained, data, tmp_path / "run", selection="joint-dev", validate_every="100 %"))
    (line,) = [line for line in read_metrics(run) if "dev_mean" in line]
    assert list(line["dev"]) == ["en", "sw"]
    assert line["dev_mean"] == pytest.approx(np.mean(list(line["dev"].values())))
    card = (run / "model" / "README.md").read_text(encoding="utf-8")
    for code, value in line["dev"].items():
        assert f"| pos | {code} | dev | accuracy | {value:.2f} |" in card
    assert f"# {run.name}\n" in card
    assert f'base_model: "{pretrained.parent.name}"' in card
    assert "labels of pos in en" in card


def test_a_run_that_was_stopped_ends_in_the_same_weights(
    pretrained: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = finetune(settings_for(pretrained, data, tmp_path / "whole"))

    class StoppedError(Exception):
        pass

    calls = 0

    def breaks(model: TaskModel, batch: ExampleBatch) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls > 10:
            raise StoppedError
        return loss_of(model, batch)

    settings = settings_for(pretrained, data, tmp_path / "stopped")
    monkeypatch.setattr(sys.modules["isogloss.finetune"], "loss_of", breaks)
    with pytest.raises(StoppedError):
        finetune(settings)
    monkeypatch.setattr(sys.modules["isogloss.finetune"], "loss_of", loss_of)
    stopped = finetune(settings)
    for name, weight in weights_of(whole).items():
        assert torch.equal(weight, weights_of(stopped)[name]), name
    # Finished: the same command again finds it and changes nothing.
    before = (stopped / "metrics.jsonl").read_text()
    assert finetune(settings) == stopped
    assert (stopped / "metrics.jsonl").read_text() == before


def test_dev_files_may_be_those_of_another_set(
    pretrained: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As SQuAD has the training part and MLQA the dev part: of its form, scored by its rules."""
    squad, mlqa = tmp_path / "squad", tmp_path / "MLQA_V1"
    squad.mkdir()
    (mlqa / "dev").mkdir(parents=True)
    shutil.copy(data / "train.en.json", squad / "train-v1.1.json")
    for language in ("en", "de"):
        name = f"dev-context-{language}-question-{language}.json"
        shutil.copy(data / "dev.en.json", mlqa / "dev" / name)
    elsewhere = {"task": "squad", "dev_data": mlqa, "dev_task": "mlqa", "selection": "joint-dev", "steps": 1}
    run = finetune(settings_for(pretrained, squad, tmp_path / "run", **elsewhere))
    (line,) = [line for line in read_metrics(run) if "dev_mean" in line]
    assert list(line["dev"]) == ["de", "en"]
    card = (run / "model" / "README.md").read_text(encoding="utf-8")
    assert f"| mlqa | de | dev | f1 | {line['dev']['de']:.2f} |" in card
    assert "labels of squad in en" in card
    said = capsys.readouterr().err
    assert "squad train in en has 16 examples, the published one 87,599" in said
    assert "mlqa dev in de has 16 examples, the published one 512" in said
    # Where they lie may differ when the run goes on.
    moved = mlqa.rename(tmp_path / "moved")
    assert finetune(settings_for(pretrained, squad, tmp_path / "run", **{**elsewhere, "dev_data": moved})) == run


def test_accumulation_does_not_change_what_is_learned(pretrained: Path, data: Path, tmp_path: Path) -> None:
    losses = []
    for accumulate in (1, 4):
        loop = LoopSettings(log_every=Duration("1 steps"), accumulate=accumulate)
        run = finetune(settings_for(pretrained, data, tmp_path / str(accumulate), loop=loop, steps=1, selection="last"))
        losses.append(next(line["loss"] for line in read_metrics(run) if "loss" in line))
    assert losses[0] == pytest.approx(losses[1], rel=0.05), "dropout differs between micro-batches, nothing else does"


def test_random_weights_forget_the_pretrained_ones(pretrained: Path, data: Path, tmp_path: Path) -> None:
    kept, fresh = (
        finetune(
            settings_for(
                pretrained,
                data,
                tmp_path / str(random_weights),
                random_weights=random_weights,
                steps=1,
                optim=FinetuneOptim(peak_rate=1e-9),
                seed=5,
                selection="last",
            )
        )
        for random_weights in (False, True)
    )
    before = load_encoder(pretrained).state_dict()
    for run, is_kept in ((kept, True), (fresh, False)):
        after = load_encoder(run / "model").state_dict()
        name = "embeddings.pieces.weight"
        assert torch.allclose(before[name], after[name], atol=1e-6) == is_kept
    assert before.keys() == load_encoder(fresh / "model").state_dict().keys()


def test_settings_choose_the_training_files(pretrained: Path, data: Path, tmp_path: Path) -> None:
    for setting, given, used in (
        ("zero-shot", (), ["en"]),
        ("zero-shot", ("sw",), ["sw"]),
        ("each", ("sw",), ["sw"]),
        ("translate-train", ("sw",), ["sw"]),
        ("all", (), ["en", "sw"]),
        ("translate-train-all", ("sw", "en"), ["sw", "en"]),
    ):
        run = tmp_path / f"{setting}-{'-'.join(given)}"
        finetune(
            settings_for(pretrained, data, run, setting=setting, source_languages=given, steps=1, selection="last")
        )
        config = json.loads((run / "config.json").read_text())["config"]
        assert config["source_languages"] == used
        assert list(config["origin"]["training_files"]) == used
    assert set(SETTINGS) == {"zero-shot", "each", "translate-train", "translate-train-all", "all"}


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"setting": "each", "source_languages": ("en", "fr")}, DataError, r"no train\.fr\.tsv"),
        ({"setting": "all", "source_languages": ("en",)}, ConfigError, "several languages"),
        ({"dev_languages": ("sw",)}, ConfigError, "selection=joint-dev"),
        ({"source_languages": ("fr",)}, DataError, r"no train\.fr\.tsv"),
        ({"dev_split": "test"}, DataError, r"no file test\..*set dev_data, and dev_task"),
        ({"dev_data": Path("nowhere")}, DataError, "dev_data: data folder nowhere does not exist"),
        ({"dev_data": Path("x"), "selection": "last"}, ConfigError, "dev_data is given, but selection = last"),
        ({"dev_task": "text"}, ConfigError, "dev_task = text cannot choose a model of pos: one is of kind classify"),
        ({"dev_task": "ner"}, ConfigError, "dev_task = ner cannot choose a model of pos"),
        ({"task": "conll", "dev_task": "panx"}, ConfigError, "its labels are O, B-LOC"),
        ({"dev_task": "udposs"}, ConfigError, "task 'udposs' is not known; did you mean udpos"),
        ({"task": "poss"}, ConfigError, "did you mean pos"),
        ({"task": "nli"}, DataError, r"train\.en\.tsv:1: "),
        ({"task": "ner"}, DataError, "unknown tag 'NOUN'"),
        ({"model": Path("nowhere")}, FolderError, "model folder nowhere does not exist; give"),
        ({"model": Path("src")}, CheckpointError, "is src a model folder"),
        ({"device": "gpu"}, ConfigError, "device = 'gpu'"),
        ({"loop": LoopSettings(accumulate=9)}, ConfigError, "loop.accumulate = 9 is more than batch_size = 8"),
    ],
)
def test_what_does_not_go_together_is_refused(
    pretrained: Path,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    error: type[Exception],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    with pytest.raises(error, match=says) as caught:
        finetune(settings_for(pretrained, data, tmp_path / "run", **changes))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists(), "a run that did not begin leaves nothing to differ from"


def test_a_command_that_was_corrected_begins_in_the_same_folder(pretrained: Path, data: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "data"
    wrong.mkdir()
    (wrong / "train.en.tsv").write_text("dog\tNOUN\n")
    (wrong / "dev.en.tsv").touch()
    with pytest.raises(DataError, match=r"dev\.en\.tsv holds no examples"):
        finetune(settings_for(pretrained, wrong, tmp_path / "run", steps=1))
    assert finetune(settings_for(pretrained, data, tmp_path / "run", steps=1)) == tmp_path / "run"


def test_a_folder_that_something_else_made_is_no_run(pretrained: Path, data: Path, tmp_path: Path) -> None:
    model = tmp_path / "x" / "model"
    shutil.copytree(pretrained, model)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(FolderError, match=r"x holds a model but no config\.json of a run"):
        finetune(settings_for(pretrained, data, model.parent))
    with pytest.raises(FolderError, match="model is a finished folder of another command"):
        finetune(settings_for(pretrained, data, model))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_run_that_has_made_no_model_yet_is_told_from_a_model(data: Path, tmp_path: Path) -> None:
    (tmp_path / "pretrain").mkdir()
    (tmp_path / "pretrain" / "metrics.jsonl").touch()
    with pytest.raises(FolderError, match="pretrain is a run that has made no model yet"):
        finetune(settings_for(tmp_path / "pretrain", data, tmp_path / "run"))


def test_a_chosen_model_that_was_taken_away_is_missed_with_a_way_out(
    pretrained: Path, data: Path, tmp_path: Path
) -> None:
    settings = settings_for(pretrained, data, tmp_path / "run", steps=1)
    finetune(settings)
    (tmp_path / "run" / "model").rename(tmp_path / "elsewhere")
    with pytest.raises(FolderError, match=r"run/model was taken away.*delete .*run and"):
        finetune(settings)


def test_a_file_with_one_label_teaches_nothing(pretrained: Path, tmp_path: Path) -> None:
    (tmp_path / "train.en.tsv").write_text("dog runs\tyes\nmoon falls\tyes\n")
    with pytest.raises(DataError, match="one label only"):
        finetune(settings_for(pretrained, tmp_path, tmp_path / "run", task="text", selection="last"))


def test_types_of_entities_can_be_left_unlearned(pretrained: Path, tmp_path: Path) -> None:
    for name in ("train", "dev"):
        (tmp_path / f"{name}.en.tsv").write_text("Anna\tB-PER\nruns\tO\ntoday\tB-DATE\n\nOslo\tB-LOC\n\n" * 4)
    settings = settings_for(pretrained, tmp_path, tmp_path / "run", task="ner", steps=2, drop_types=("DATE",))
    labels = load_model(finetune(settings) / "model").labels
    assert set(labels) >= {"O", "B-PER", "B-LOC"}
    assert not any(label.endswith("DATE") for label in labels)
    with pytest.raises(ConfigError, match="task pos has no entities"):
        finetune(settings.model_copy(update={"task": "pos", "run": tmp_path / "other"}))


def test_words_without_a_visible_character_teach_nothing(pretrained: Path, tmp_path: Path) -> None:
    (tmp_path / "train.en.tsv").write_text("\u200b\tNOUN\n\u200b\tVERB\n")
    with pytest.raises(DataError, match="no word"):
        finetune(settings_for(pretrained, tmp_path, tmp_path / "run", selection="last"))
    assert not (tmp_path / "run").exists()


def test_what_pieces_and_the_longest_answer_keep_from_being_right_is_said_of_both_files(
    pretrained: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for split in ("train", "dev"):
        (tmp_path / f"{split}.zh.tsv").write_text("\u200b\tNOUN\ndog\tVERB\n")
    run = {"task": "pos", "source_languages": ("zh",), "steps": 1}
    finetune(settings_for(pretrained, tmp_path, tmp_path / "pos", **run))
    told = capsys.readouterr().err
    assert [told.count(f"{split}.zh.tsv: 1 of 2 words share a piece") for split in ("train", "dev")] == [1, 1]
    asked = {"id": "q", "question": "?", "answers": [{"text": "the dog runs", "answer_start": 0}]}
    document = {"data": [{"paragraphs": [{"context": "the dog runs", "qas": [asked]}]}]}
    for split in ("train", "dev"):
        (tmp_path / f"{split}.en.json").write_text(json.dumps(document))
    finetune(settings_for(pretrained, tmp_path, tmp_path / "qa", task="qa", steps=1, longest_answer=2))
    told = capsys.readouterr().err
    assert [told.count(f"{split}.en.json: 1 of 1 answers") for split in ("train", "dev")] == [1, 1]
    assert "longest_answer = 2 pieces" in told


def test_other_settings_or_data_in_the_same_run_are_refused(pretrained: Path, data: Path, tmp_path: Path) -> None:
    settings = settings_for(pretrained, data, tmp_path / "run", steps=1, selection="last")
    finetune(settings)
    with pytest.raises(FolderError, match=r"steps = 1, now 2"):
        finetune(settings.model_copy(update={"steps": 2}))
    moved = tmp_path / "data"
    moved.mkdir()
    (moved / "train.en.tsv").write_text("dog\tNOUN\n")
    with pytest.raises(FolderError, match="training_files"):
        finetune(settings.model_copy(update={"data": moved}))


def test_a_run_of_an_earlier_version_is_gone_on_with(
    pretrained: Path, data: Path, tmp_path: Path, without_setting: Callable[[Path, str], None]
) -> None:
    settings = settings_for(pretrained, data, tmp_path / "run", steps=1, selection="last")
    finetune(settings)
    for key in ("optim.clip", "random_weights"):
        without_setting(tmp_path / "run" / "config.json", key)
    assert finetune(settings) == tmp_path / "run"
    without_setting(tmp_path / "run" / "config.json", "selection")
    with pytest.raises(FolderError, match="selection = 'source-dev', now 'last'"):
        finetune(settings)


@pytest.mark.parametrize("kind", ["sequence", "token", "question"])
def test_the_loss_is_the_sum_over_sequences(kind: Any) -> None:
    labels = () if kind == "question" else ("a", "b", "c")
    model = TaskModel(
        Encoder(ModelSettings(vocabulary_size=40, width=16, num_layers=1, num_heads=2, feedforward=32)), kind, labels
    )
    initialise(model, seed=2)
    model.eval()
    random = np.random.default_rng(0)
    lengths = [5, 9, 3]
    ids = [torch.from_numpy(random.integers(4, 40, size=length)) for length in lengths]
    rows = {"sequence": [[0]] * 3, "token": [[1, 3], [0, 2, 8], [2]], "question": [[1, 3], [0, 0], [2, 2]]}[kind]
    targets = [[1], [2], [0]] if kind == "sequence" else [[row % 3 for row in found] for found in rows]

    def batch(chosen: list[int]) -> ExampleBatch:
        begins = np.cumsum([0, *(lengths[i] for i in chosen)])
        return ExampleBatch(
            ids_N=torch.cat([ids[i] for i in chosen]),
            layout=Layout.of([lengths[i] for i in chosen]),
            rows_M=torch.tensor(
                [row + int(begin) for i, begin in zip(chosen, begins, strict=False) for row in rows[i]]
            ),
            labels_M=torch.tensor([label for i in chosen for label in targets[i]]),
            num_targets=3,
            indices=tuple(chosen),
        )

    with torch.no_grad():
        together = float(loss_of(model, batch([0, 1, 2])))
        apart = [float(loss_of(model, batch([i]))) for i in range(3)]
        assert together == pytest.approx(sum(apart), rel=1e-4)
        # Against the definition, on the last sequence.
        logits = model(ids[2], Layout.of([3]))
        if kind == "question":
            shares = logits.log_softmax(dim=0)
            expected = -(shares[2, 0] + shares[2, 1]) / 2
        else:
            expected = -logits.view(-1, 3)[0 if kind == "sequence" else 2].log_softmax(-1)[targets[2][0]]
        assert apart[2] == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize(("task", "metric", "reach"), [("xcopa", "accuracy", 90.0), ("sts-b", "pearson", 90.0)])
def test_choices_and_ratings_are_learned_with_one_logit(
    pretrained: Path, tmp_path: Path, task: str, metric: str, reach: float
) -> None:
    nouns, verbs = ("dog", "house", "river", "moon"), ("runs", "sleeps", "falls", "sings")
    data = tmp_path / "data"
    data.mkdir()
    for split in ("train", "dev"):
        rows = []
        for number, (noun, verb) in enumerate((noun, verb) for noun in nouns for verb in verbs):
            choices = (verb, noun) if number % 3 else (noun, verb)
            if task == "xcopa":  # a verb is right, first or second
                rows.append("\t".join((noun, "effect", *choices, str(choices.index(verb)))))
            else:
                rows.append(f"{noun} {verb} .\t{noun}\t{verbs.index(verb) / 2 - 0.5}")
        (data / f"{split}.en.tsv").write_text("\n".join(rows))
    settings = settings_for(pretrained, data, tmp_path / "run", task=task, steps=150, validate_every="50 steps")
    run = finetune(settings)
    scores = [row["dev"]["en"] for row in read_metrics(run) if "dev" in row]
    assert max(scores) >= reach, scores
    model = load_model(run / "model")
    assert isinstance(model, TaskModel)
    assert len(model.labels) == 1


def test_retrieval_needs_no_fine_tuning(pretrained: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="task tatoeba needs no fine-tuning; 'isogloss evaluate' takes"):
        finetune(settings_for(pretrained, tmp_path, tmp_path / "run", task="tatoeba"))
