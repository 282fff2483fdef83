"""Evaluation: scores know where they come from, constants stand beside models, clear errors."""

import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import sentencepiece

from isogloss.checkpoint import save_model
from isogloss.devices import choose
from isogloss.errors import ConfigError, DataError, FolderError
from isogloss.evaluate import EvaluateSettings, evaluate, majority_scores
from isogloss.heads import TaskModel
from isogloss.labelled import LabelledSet, predict_sets
from isogloss.model import Encoder, MaskedLM, ModelSettings, initialise
from isogloss.run_models import model_names
from isogloss.score import score_file
from isogloss.scores import read_results
from isogloss.tasks import CATALOGUE, find_task
from isogloss.vocab import MODEL_NAME, Vocabulary
from isogloss.vocab.hub import write_hub_files

TEXTS = ["the dog runs", "mbwa anakimbia", "狗在跑", "หมาวิ่ง", "the moon is here ."]


@pytest.fixture(scope="module")
def vocabulary_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vocab")
    content = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 5), model_writer=content, vocab_size=80, hard_vocab_limit=False, minloglevel=2
    )
    (folder / MODEL_NAME).write_bytes(content.getvalue())
    write_hub_files(folder, Vocabulary.load(folder))
    return folder


def save(
    folder: Path,
    vocabulary_folder: Path,
    kind: str,
    labels: tuple[str, ...] = (),
    *,
    seed: int = 4,
    languages: tuple[str, ...] = (),
    **more: Any,
) -> Path:
    settings = ModelSettings(
        vocabulary_size=Vocabulary.load(vocabulary_folder).size, width=16, num_layers=1, num_heads=2, feedforward=32,
        max_length=40, languages=languages,
    )  # fmt: skip
    model = MaskedLM(settings) if kind == "mlm" else TaskModel(Encoder(settings), kind, labels)  # type: ignore[arg-type]
    initialise(model, seed=seed)
    values = {"parents": [], "command": "test", "card": "A test model.", **more}
    save_model(folder, model, vocabulary_folder=vocabulary_folder, **values)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "dev.en.tsv").write_text("the\tDET\ndog\tNOUN\nruns\tVERB\n\ndog\tNOUN\n")
    (folder / "dev.zh.tsv").write_text("狗\tNOUN\n在\tADP\n跑\tVERB\n")
    (folder / "dev.sw.tsv").write_text("mbwa\tNOUN\nanakimbia\tVERB\n")
    return folder


TAGS = ("ADP", "DET", "NOUN", "VERB")
TRAINING = {"seed": 7, "setting": "zero-shot", "selection": "last", "random_weights": True}


def test_scores_say_where_they_come_from(vocabulary_folder: Path, data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    save(run / "model", vocabulary_folder, "token", TAGS, training=TRAINING)
    output = tmp_path / "scores" / "results.json"
    scores = evaluate(EvaluateSettings(models=(run,), task="pos", data=data, output=output, precision="fp32"))
    assert [(score.language, score.setting) for score in scores] == [
        (code, setting) for setting in ("majority", "zero-shot, random weights") for code in ("en", "sw", "zh")
    ]
    for score in scores:
        assert (score.task, score.split, score.metric, score.direction) == ("pos", "dev", "accuracy", "higher")
        assert 0 <= score.value <= 100
    mine = [score for score in scores if score.setting != "majority"]
    assert {(score.seed, score.selection) for score in mine} == {(7, "last")}
    assert [score.n for score in mine] == [2, 1, 1]
    assert len({score.fingerprints["model"] for score in mine}) == 1
    assert len({score.fingerprints["data"] for score in mine}) == 3
    assert read_results(output) == scores
    # The same question has the same answer, wherever the model lies.
    copied = shutil.copytree(run / "model", tmp_path / "elsewhere")
    again = evaluate(EvaluateSettings(models=(copied,), task="pos", data=data, output=output, precision="fp32"))
    assert again == scores


def test_a_plain_hugging_face_folder_is_told_by_its_weights(
    vocabulary_folder: Path, data: Path, tmp_path: Path
) -> None:
    models = [save(tmp_path / str(seed), vocabulary_folder, "token", TAGS, seed=seed) for seed in (4, 5)]
    for model in models:
        (model / "manifest.json").unlink()
    output = tmp_path / "results.json"
    scores = evaluate(EvaluateSettings(models=tuple(models), task="pos", data=data, output=output, precision="fp32"))
    mine = [score for score in scores if score.setting != "majority"]
    names = model_names(models)
    assert {(score.seed, score.setting, score.selection) for score in mine} == {(None, "", "")}
    assert len({score.fingerprints["model"] for score in mine}) == 2
    assert {names[score.fingerprints["model"]] for score in mine} == {"4", "5"}


def test_every_model_is_looked_for_before_any_is_scored(
    vocabulary_folder: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = save(tmp_path / "model", vocabulary_folder, "token", TAGS)
    scored: list[Path] = []
    monkeypatch.setattr(sys.modules["isogloss.evaluate"], "load_task_model", lambda folder, task: scored.append(folder))
    with pytest.raises(FolderError, match="nowhere does not exist"):
        evaluate(
            EvaluateSettings(models=(model, tmp_path / "nowhere"), task="pos", data=data, output=tmp_path / "r.json")
        )
    assert scored == []


def test_results_go_into_a_file_or_into_a_folder(vocabulary_folder: Path, data: Path, tmp_path: Path) -> None:
    model = save(tmp_path / "model", vocabulary_folder, "token", TAGS)
    (tmp_path / "there").mkdir()
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "file").touch()

    def write(output: str) -> list[str]:
        before = set(tmp_path.rglob("*"))
        evaluate(EvaluateSettings(models=(model,), task="pos", data=data, output=tmp_path / output, precision="fp32"))
        files = (path for path in set(tmp_path.rglob("*")) - before if path.is_file())
        return [path.relative_to(tmp_path).as_posix() for path in files]

    assert write("new/pos.json") == ["new/pos.json"]
    assert write("there") == ["there/results.json"]
    assert write("another") == ["another/results.json"]
    for output in ("folder.json", "file", "file/deep/pos.json"):
        with pytest.raises(FolderError, match=f"output = .*{output}"):
            write(output)


def test_a_fine_tuned_model_that_does_not_say_how_is_refused(
    vocabulary_folder: Path, data: Path, tmp_path: Path
) -> None:
    model = save(tmp_path / "model", vocabulary_folder, "token", TAGS, command="isogloss finetune")
    with pytest.raises(FolderError, match=r"manifest\.json does not say how it was fine-tuned.*fine-tune it again"):
        evaluate(EvaluateSettings(models=(model,), task="pos", data=data, output=tmp_path / "results.json"))


def test_the_majority_is_the_best_constant(vocabulary_folder: Path, data: Path, tmp_path: Path) -> None:
    vocabulary = Vocabulary.load(vocabulary_folder)

    def majority(task: str, text: str) -> list[float]:
        path = tmp_path / f"dev.en.{find_task(task).suffix}"
        path.write_text(text)
        labelled = LabelledSet.read(
            find_task(task), path, vocabulary, language="en", split="dev", labels=(), max_length=40
        )
        return [score.value for score in majority_scores(labelled)]

    assert majority("pos", "a\tNOUN\nb\tNOUN\nc\tVERB\n\nd\tNOUN\n") == [75.0]
    assert majority("nli", "a\tb\tneutral\na\tb\tneutral\na\tb\tentailment\n") == [pytest.approx(200 / 3)]
    assert majority("ner", "a\tB-PER\nb\tO\nc\tO\n") == [0.0]
    questions = [
        {"id": str(n), "question": "?", "answers": [{"text": text, "answer_start": "the dog ran".index(text)}]}
        for n, text in enumerate(("dog", "the dog ran", "dog", "ran"))
    ]
    paragraph = {"context": "the dog ran", "qas": questions}
    f1, exact = majority("qa", json.dumps({"data": [{"paragraphs": [paragraph]}]}))
    assert exact == 50.0
    assert f1 == pytest.approx(100 * (1 + 2 / 3 + 1 + 0) / 4)  # "dog" in "the dog ran", without its article


SQUAD = {"context": "the dog", "qas": [{"id": "1", "question": "?", "answers": [{"text": "dog", "answer_start": 4}]}]}
# Of each kind of task: head and labels of a model, and two examples in our form.
KINDS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "classify": ("sequence", ("0", "1"), "the dog\tthe moon\t0\nruns\truns\t1\n"),
    "tag": ("token", ("O", "B-LOC"), "dog\tO\nmoon\tB-LOC\n"),
    "answer": ("question", (), json.dumps({"data": [{"paragraphs": [SQUAD]}]})),
    "choose": ("sequence", ("right",), "the dog\tcause\truns\tis\t0\nthe moon\teffect\tis\truns\t1\n"),
    "rate": ("sequence", ("rating",), "the dog\tthe moon\t3.8\nruns\tis\t1\n"),
    "retrieve": ("mlm", (), "mbwa\tdog\nanakimbia\truns\n"),
}


@pytest.mark.parametrize("kind", sorted({task.kind for task in CATALOGUE.values()}))
def test_a_model_and_a_constant_are_scored_in_every_kind_of_task(
    vocabulary_folder: Path, tmp_path: Path, kind: str
) -> None:
    head, labels, text = KINDS[kind]
    examples = {"classify": "pawsx", "tag": "ner", "answer": "qa", "choose": "xcopa", "rate": "sts-b"}
    task = find_task(examples.get(kind, "tatoeba"))
    assert task.kind == kind
    (tmp_path / task.own.format(split="dev", language="en")).write_text(text)
    model = save(tmp_path / "model", vocabulary_folder, head, labels)
    scores = evaluate(
        EvaluateSettings(
            models=(model,), task=task.name, data=tmp_path, output=tmp_path / "r.json", languages=("en",), device="cpu",
            precision="fp32",
        )
    )  # fmt: skip
    for constant in (True, False):
        found = [score.metric for score in scores if (score.setting == "majority") == constant]
        assert found == list(task.metrics)


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_row_has_a_constant_to_be_compared_with(tmp_path: Path, name: str) -> None:
    task = find_task(name)
    text = {"text": "the dog\t0\n", "nli": "a\tb\tneutral\n"}.get(name, KINDS[task.kind][2])
    if task.labels and task.kind == "classify":
        texts = "the dog\t" if task.name in ("sst-2", "cola") else "the dog\tthe moon\t"
        text = texts + task.labels[0] + "\n"
    if task.labels and not task.has_entities and task.kind == "tag":
        text = "dog\tNOUN\n"
    path = tmp_path / f"dev.en.{task.suffix}"
    path.write_text(text)
    data = LabelledSet.read(task, path, None, language="en", split="dev", labels=())
    scores = majority_scores(data)
    assert [score.metric for score in scores] == list(task.metrics)
    assert all(0 <= score.value <= 100 for score in scores)


def test_questions_get_both_metrics_in_the_language_of_the_context(vocabulary_folder: Path, tmp_path: Path) -> None:
    question = {"id": "q", "question": "狗", "answers": [{"text": "狗在跑", "answer_start": 0}]}
    document = {"data": [{"paragraphs": [{"context": "狗在跑", "qas": [question]}]}]}
    for name in ("dev.zh.json", "dev.context-zh-question-en.json"):
        (tmp_path / name).write_text(json.dumps(document))
    model = save(tmp_path / "model", vocabulary_folder, "question")
    settings = EvaluateSettings(models=(model,), task="qa", data=tmp_path, output=tmp_path / "r.json", precision="fp32")
    scores = [score for score in evaluate(settings) if score.setting != "majority"]
    assert [(score.language, score.metric) for score in scores] == [
        (code, metric) for code in ("context-zh-question-en", "zh") for metric in ("f1", "exact_match")
    ]
    # Whatever part of 狗在跑 is found, tokens are characters, so that something of it is right.
    assert all(score.value > 0 for score in scores if score.metric == "f1")


def test_answers_are_as_long_as_asked_for(
    vocabulary_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    context = "the dog runs the dog runs"
    question = {"id": "q", "question": "?", "answers": [{"text": context, "answer_start": 0}]}
    (tmp_path / "dev.en.json").write_text(
        json.dumps({"data": [{"paragraphs": [{"context": context, "qas": [question]}]}]})
    )
    model = save(tmp_path / "model", vocabulary_folder, "question")
    said = {}
    for longest in (1, 3, 40):
        settings = EvaluateSettings(
            models=(model,),
            task="qa",
            data=tmp_path,
            output=tmp_path / "r.json",
            precision="fp32",
            predictions=tmp_path / str(longest),
            longest_answer=longest,
        )
        evaluate(settings)
        (written,) = (tmp_path / str(longest)).rglob("dev.en.json")
        said[longest] = written.read_text()
        told = f"dev.en.json: 1 of 1 answers are longer than longest_answer = {longest} pieces"
        assert (told in capsys.readouterr().err) == (longest < 40)
    assert "dog runs" not in said[1]
    assert len(said[1]) < len(said[40])


def test_wrong_heads_labels_and_languages_are_refused(vocabulary_folder: Path, data: Path, tmp_path: Path) -> None:
    def run(model: Path, **changes: object) -> None:
        values = {"models": (model,), "task": "pos", "data": data, "output": tmp_path / "r.json", **changes}
        evaluate(EvaluateSettings(**values))  # type: ignore[arg-type]

    with pytest.raises(ConfigError, match="masked-language-model head, task pos needs a token head"):
        run(save(tmp_path / "mlm", vocabulary_folder, "mlm"))
    with pytest.raises(ConfigError, match="a sequence head"):
        run(save(tmp_path / "sequence", vocabulary_folder, "sequence", ("a", "b")))
    tagger = save(tmp_path / "token", vocabulary_folder, "token", ("NOUN", "VERB"))
    with pytest.raises(DataError, match=r"dev\.en\.tsv:1: unknown tag 'DET'"):
        run(tagger)
    with pytest.raises(DataError, match=r"no dev\.ur\.tsv"):
        run(tagger, languages=("ur",))
    assert not (tmp_path / "r.json").exists(), "no half results"


def test_models_are_called_by_their_run_and_by_their_path_where_two_runs_share_a_name(
    vocabulary_folder: Path, tmp_path: Path
) -> None:
    runs = [tmp_path / "a" / "pos", tmp_path / "b" / "pos", tmp_path / "ner"]
    for seed, run in enumerate(runs):
        save(run / "model", vocabulary_folder, "token", TAGS, seed=seed)
    assert list(model_names(runs).values()) == [str(runs[0]), str(runs[1]), "ner"]


def test_scores_go_to_the_card_where_that_is_asked_for(vocabulary_folder: Path, data: Path, tmp_path: Path) -> None:
    model = save(tmp_path / "run" / "model", vocabulary_folder, "token", ("ADP", "DET", "NOUN", "VERB"))
    card = model / "README.md"
    written = card.read_text(encoding="utf-8").replace("# license: choose", "license: mit #") + "By hand: é\r\n"
    card.write_bytes(written.encode())
    values: dict[str, Any] = {"models": (model,), "task": "pos", "data": data, "output": tmp_path, "precision": "fp32"}
    evaluate(EvaluateSettings(**values))
    assert card.read_bytes() == written.encode(), "not asked for"
    scores = [score for score in evaluate(EvaluateSettings(**values, cards=True)) if score.setting != "majority"]
    once = card.read_bytes()
    text = once.decode()
    for score in scores:
        assert f'"config": "{score.language}", "split": "dev"}}\n    metrics: [{{"type": "{score.metric}"' in text
    assert '- name: "run"' in text
    start, end = text.index("model-index:"), text.index("---\n", 4)
    assert text[:start] + text[end:] == written, "all else stays"
    evaluate(EvaluateSettings(**values, cards=True))
    assert card.read_bytes() == once
    card.write_bytes(text.replace("  results:", "  results: # mine").encode())
    with pytest.raises(FolderError, match=r"README\.md cannot take scores: its model-index was changed by hand"):
        evaluate(EvaluateSettings(**values, cards=True))
    card.unlink()
    with pytest.raises(FolderError, match=r"README\.md cannot be read or written .*; leave out cards=true"):
        evaluate(EvaluateSettings(**values, cards=True))


def test_what_a_model_said_is_written_and_scores_the_same(vocabulary_folder: Path, data: Path, tmp_path: Path) -> None:
    models = [
        save(tmp_path / name / "model", vocabulary_folder, "token", TAGS, seed=seed)
        for name, seed in (("a", 4), ("b", 5))
    ]
    settings = EvaluateSettings(
        models=tuple(model.parent for model in models), task="pos", data=data, output=tmp_path / "r.json",
        precision="fp32", predictions=tmp_path / "said",
    )  # fmt: skip
    scores = {(score.language, score.fingerprints.get("model")): score.value for score in evaluate(settings)}
    names = {name: model for model, name in model_names(settings.models).items()}
    assert sorted(path.name for path in (tmp_path / "said").iterdir()) == ["a", "b"]
    for name, fingerprint in names.items():
        for language in ("en", "sw", "zh"):
            said = tmp_path / "said" / name / f"dev.{language}.tsv"
            beside = score_file("pos", data=data / f"dev.{language}.tsv", predictions=said, language=language)
            assert beside.metrics["accuracy"] == scores[language, fingerprint]
            assert score_file("pos", data=None, predictions=said, language=language) == beside


def test_a_test_set_without_labels_gets_predictions_and_no_score(
    vocabulary_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save(tmp_path / "run" / "model", vocabulary_folder, "token", TAGS)
    (tmp_path / "test.en.tsv").write_text("the\ndog\n\nruns\n")
    values = {"models": (model,), "task": "pos", "data": tmp_path, "output": tmp_path / "r.json", "split": "test"}
    with pytest.raises(
        DataError, match=r"test\.en\.tsv:1: no tag in 'the'.*; nothing in this file.*predictions=FOLDER"
    ):
        evaluate(EvaluateSettings(**values))
    assert "no labels" not in capsys.readouterr().err
    (tmp_path / "test.en.tsv").write_text("the\tDET\ndog\n\nruns\n")
    with pytest.raises(DataError, match=r"test\.en\.tsv:2: no tag in 'dog'; a line is word TAB tag$"):
        evaluate(EvaluateSettings(**values))
    (tmp_path / "test.en.tsv").write_text("the\ndog\n\nruns\n")
    assert evaluate(EvaluateSettings(**values, predictions=tmp_path / "said", precision="fp32")) == []
    assert "test.en.tsv: no labels, so what is predicted is written and has no score" in capsys.readouterr().err
    lines = (tmp_path / "said" / "run" / "test.en.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["the", "dog", "", "runs", ""]
    assert {line.split("\t")[1] for line in lines if line} <= set(TAGS)


def test_translations_are_found_by_the_encoder_of_any_model(vocabulary_folder: Path, tmp_path: Path) -> None:
    sentences = ["the dog runs", "the moon is here .", "mbwa"]
    (tmp_path / "test.sw-en.tsv").write_text("".join(f"{text}\t{text}\n" for text in sentences))
    models = (
        save(tmp_path / "mlm", vocabulary_folder, "mlm"),
        save(tmp_path / "token", vocabulary_folder, "token", TAGS),
    )
    settings = EvaluateSettings(
        models=models, task="tatoeba", data=tmp_path, output=tmp_path / "r.json", split="test", precision="fp32",
        predictions=tmp_path / "said",
    )  # fmt: skip
    scores = evaluate(settings)
    assert [(score.language, score.metric, score.n) for score in scores] == [("sw", "accuracy", 3)] * 3
    assert [score.value for score in scores] == [pytest.approx(100 / 3), 100.0, 100.0], "each is its own translation"
    assert (tmp_path / "said" / "mlm" / "test.sw.txt").read_text() == "0\n1\n2\n"


def test_a_model_of_several_labels_chooses_nothing(vocabulary_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "dev.en.tsv").write_text("the dog\tcause\truns\tmoon\t0\n")
    model = save(tmp_path / "two", vocabulary_folder, "sequence", ("a", "b"))
    settings = EvaluateSettings(models=(model,), task="xcopa", data=tmp_path, output=tmp_path / "r.json")
    with pytest.raises(ConfigError, match="tells 2 labels apart, task xcopa needs one logit"):
        evaluate(settings)
    one = save(tmp_path / "one", vocabulary_folder, "sequence", ("right",))
    scores = evaluate(settings.model_copy(update={"models": (one,)}))
    assert {score.value for score in scores} <= {0.0, 100.0}


def test_what_a_reader_says_goes_to_stderr(
    vocabulary_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dev.en.tsv").write_text("the\tU-PER\ndog\tO\n")
    model = save(tmp_path / "model", vocabulary_folder, "token", ("O", "B-PER", "I-PER"))
    evaluate(EvaluateSettings(models=(model,), task="ner", data=tmp_path, output=tmp_path / "r.json"))
    assert capsys.readouterr().err == f"{tmp_path / 'dev.en.tsv'}: tags of scheme BILOU, read as IOB2\n"


def test_entities_that_a_model_does_not_know_are_left_out_where_that_is_asked_for(
    vocabulary_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "dev.sw.tsv"
    path.write_text("the\tB-PER\ndog\tO\nruns\tB-DATE\n\nmbwa\tB-LOC\n")
    model = save(tmp_path / "panx", vocabulary_folder, "token", ("O", "B-LOC", "I-LOC", "B-PER", "I-PER"))
    values = {"models": (model,), "task": "masakhaner", "data": tmp_path, "output": tmp_path / "r.json"}
    with pytest.raises(DataError, match=r"dev\.sw\.tsv:3: unknown tag 'B-DATE'.*drop_types"):
        evaluate(EvaluateSettings(**values))  # type: ignore[arg-type]
    settings = EvaluateSettings(**values, drop_types=("DATE",), predictions=tmp_path / "said")  # type: ignore[arg-type]
    scores = evaluate(settings)
    assert capsys.readouterr().err == f"{path}: entities of type DATE left out: 1\n"
    assert {(score.drop_types, score.n) for score in scores} == {(("DATE",), 2)}
    assert read_results(tmp_path / "r.json") == scores
    said = score_file("masakhaner", data=None, predictions=tmp_path / "said" / "panx" / "dev.sw.tsv", language="sw")
    assert said.metrics["f1"] == scores[-1].value
    beside = score_file(
        "masakhaner", data=path, predictions=tmp_path / "said" / "panx" / "dev.sw.tsv", language="sw",
        drop_types=["DATE"],
    )  # fmt: skip
    assert beside.metrics == said.metrics
    with pytest.raises(ConfigError, match="leave out cards=true"):
        evaluate(settings.model_copy(update={"cards": True}))


def test_predicted_types_that_the_data_never_has_are_said_and_can_be_left_out(
    vocabulary_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dev.en.tsv").write_text("the\tB-PER\ndog\tO\n")
    model = save(tmp_path / "conll", vocabulary_folder, "token", ("O", "B-MISC", "I-MISC", "B-PER", "I-PER"))
    # What a model that finds its MISC everywhere else would say.
    monkeypatch.setattr(
        sys.modules["isogloss.labelled"], "predictions", lambda *_, num_examples, **__: [("B-PER", "B-MISC")]
    )
    settings = EvaluateSettings(
        models=(model,), task="panx", data=tmp_path, output=tmp_path / "r.json", predictions=tmp_path / "said"
    )
    assert evaluate(settings)[-1].value == pytest.approx(200 / 3)
    told = capsys.readouterr().err
    assert told == (
        f"{model}: predicted entities of type MISC count as wrong, as panx has none; "
        'drop_types=["MISC"] leaves them out\n'
    )
    assert evaluate(settings.model_copy(update={"drop_types": ("MISC",)}))[-1].value == 100.0
    assert "count as wrong" not in capsys.readouterr().err
    assert (tmp_path / "said" / "conll" / "dev.en.tsv").read_text() == "the\tB-PER\tB-PER\ndog\tO\tO\n\n"
    # Where the form says nothing of types, the files do.
    evaluate(settings.model_copy(update={"task": "ner"}))
    assert "type MISC count as wrong, as ner has none" in capsys.readouterr().err


def test_a_model_named_twice_is_scored_once(
    vocabulary_folder: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = save(tmp_path / "a" / "model", vocabulary_folder, "token", TAGS, training=TRAINING).parent
    copied = shutil.copytree(run, tmp_path / "b")
    output = tmp_path / "r.json"
    scores = evaluate(EvaluateSettings(models=(run, run, copied), task="pos", data=data, output=output))
    assert len(scores) == 6, "of three languages, the constant's and the model's"
    assert read_results(output) == scores
    assert capsys.readouterr().err.count("is the same model as") == 2


def test_translations_are_read_in_their_own_language(
    vocabulary_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row of the language embedding, and the tokenizer's rules, are English's for the English side."""
    (tmp_path / "test.sw-en.tsv").write_text("mbwa\tthe dog\nmbwa anakimbia\tthe dog runs\nmbwa\tthe moon\n")
    model = save(tmp_path / "mlm", vocabulary_folder, "mlm", languages=("sw", "en"))
    asked: list[str | None] = []
    divide = Vocabulary.for_language
    monkeypatch.setattr(
        Vocabulary, "for_language", lambda self, language: asked.append(language) or divide(self, language)
    )
    rows: list[int] = []
    embed = Encoder.forward

    def seen(self: Encoder, ids_N: Any, layout: Any, *, languages_S: Any = None) -> Any:
        rows.extend(languages_S.tolist())
        return embed(self, ids_N, layout, languages_S=languages_S)

    monkeypatch.setattr(Encoder, "forward", seen)
    settings = EvaluateSettings(
        models=(model,), task="tatoeba", data=tmp_path, output=tmp_path / "r.json", split="test", precision="fp32"
    )
    evaluate(settings)
    assert rows == [0, 0, 0, 1, 1, 1]
    assert sorted(code for code in asked if code) == ["en", "sw"]


def test_both_files_of_translations_are_in_the_fingerprint(vocabulary_folder: Path, tmp_path: Path) -> None:
    model = save(tmp_path / "mlm", vocabulary_folder, "mlm")
    foreign, english = tmp_path / "tatoeba.swh-eng.swh", tmp_path / "tatoeba.swh-eng.eng"

    def fingerprint() -> str:
        settings = EvaluateSettings(
            models=(model,), task="tatoeba", data=tmp_path, output=tmp_path / "r.json", split="test"
        )
        return evaluate(settings)[-1].fingerprints["data"]

    foreign.write_text("mbwa\nanakimbia\n")
    english.write_text("the dog\nruns\n")
    found = [fingerprint()]
    english.write_text("the dog\nis here\n")
    found.append(fingerprint())
    foreign.write_text("mbwa\nmbwa\n")
    found.append(fingerprint())
    assert len(set(found)) == 3


def test_a_model_that_reads_words_leaves_types_out_too(tmp_path: Path) -> None:
    class Dates:
        def tag(self, sentences: Any) -> list[tuple[str, ...]]:
            return [("B-DATE",) * len(words) for words in sentences]

    path = tmp_path / "dev.sw.tsv"
    path.write_text("Juni\tB-DATE\nAnna\tB-PER\n")
    labelled = LabelledSet.read(
        find_task("masakhaner").without(["DATE"]), path, None, language="sw", split="dev", labels=()
    )
    (predicted,) = predict_sets(Dates(), [labelled], device=choose("cpu"))  # type: ignore[arg-type]
    assert predicted == [("O", "O")]
