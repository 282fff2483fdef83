"""Translate-test: a zero-shot model asked about translated test files; what it is not for; published rows beside it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from typer.testing import CliRunner

from isogloss.checkpoint import save_model
from isogloss.cli import app
from isogloss.config import make_settings
from isogloss.errors import ConfigError, DataError
from isogloss.evaluate import EvaluateSettings, evaluate
from isogloss.finetune import FinetuneSettings
from isogloss.heads import TaskModel
from isogloss.model import Encoder, ModelSettings, initialise
from isogloss.paper_tables import paper_tables
from isogloss.published import MEAN, published_row
from isogloss.report import to_markdown
from isogloss.reproduction import compare_with_published
from isogloss.scores import Score, read_results
from isogloss.tasks import find_task
from isogloss.transfer import TRANSLATE_TEST, translated_tests
from isogloss.vocab import MODEL_NAME, Vocabulary
from isogloss.vocab.hub import write_hub_files

TEXTS = ["the dog runs", "nobody runs here", "the moon is here .", "mbwa anakimbia"]
NLI = ("entailment", "neutral", "contradiction")
ENGLISH = "the dog runs\tnobody runs here\tcontradiction\nthe dog runs\tthe moon is here .\tneutral\n"
ZERO_SHOT = {"seed": 3, "setting": "zero-shot", "source_languages": ["en"], "selection": "last"}


@pytest.fixture(scope="module")
def vocabulary_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vocab")
    content = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 5), model_writer=content, vocab_size=60, hard_vocab_limit=False, minloglevel=2
    )
    (folder / MODEL_NAME).write_bytes(content.getvalue())
    write_hub_files(folder, Vocabulary.load(folder))
    return folder


def save(folder: Path, vocabulary_folder: Path, *, training: dict[str, Any] | None = None, **shape: Any) -> Path:
    settings = ModelSettings(
        vocabulary_size=Vocabulary.load(vocabulary_folder).size, width=16, num_layers=1, num_heads=2, feedforward=32,
        max_length=40, **shape,
    )  # fmt: skip
    model = TaskModel(Encoder(settings), "sequence", NLI)
    initialise(model, seed=5)
    told = {} if training is None else {"training": training}
    save_model(
        folder, model, vocabulary_folder=vocabulary_folder, parents=[], command="test", card="A test model.", **told
    )
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Originals, the Swahili one such that nobody could score by it, and English in the place of Swahili."""
    for folder in ("data", "translated"):
        (tmp_path / folder).mkdir()
    (tmp_path / "data" / "test.en.tsv").write_text(ENGLISH)
    (tmp_path / "data" / "test.sw.tsv").write_text("mbwa\tmbwa\tmistake\n")
    (tmp_path / "translated" / "test.sw.tsv").write_text(ENGLISH)
    return tmp_path


def settings_for(data: Path, model: Path, **changes: Any) -> EvaluateSettings:
    values = {
        "models": (model,), "task": "nli", "data": data / "data", "translated": data / "translated", "split": "test",
        "output": data / "r.json", "precision": "fp32", **changes,
    }  # fmt: skip
    return EvaluateSettings(**values)


def test_a_translated_file_is_read_in_the_source_language_and_scored_as_the_one_it_came_from(
    vocabulary_folder: Path, data: Path
) -> None:
    # It embeds English alone: Swahili has no row, so a sequence read as Swahili would be an error.
    model = save(data / "run" / "model", vocabulary_folder, training=ZERO_SHOT, languages=("en",))
    scores = evaluate(settings_for(data, model, predictions=data / "said"))
    assert read_results(data / "r.json") == scores
    mine = [score for score in scores if score.setting != "majority"]
    assert [(score.language, score.setting, score.seed, score.n) for score in mine] == [
        ("en", TRANSLATE_TEST, 3, 2),
        ("sw", TRANSLATE_TEST, 3, 2),
    ]
    english, swahili = mine
    assert english.value == swahili.value, "the same English text"
    said = {path.name: path.read_text() for path in (data / "said" / "run").iterdir()}
    assert said["test.sw.txt"] == said["test.en.txt"]
    (data / "data" / "test.sw.tsv").write_text("mbwa\tmbwa\tneutral\n")
    with pytest.raises(DataError, match="no row for sw"):
        evaluate(settings_for(data, model, translated=None))
    alone = evaluate(settings_for(data, model, languages=("sw",)))
    assert {score.language for score in alone} == {"sw"}


def test_random_weights_stay_said_and_a_foreign_model_counts_as_english(vocabulary_folder: Path, data: Path) -> None:
    random = save(data / "random", vocabulary_folder, training={**ZERO_SHOT, "random_weights": True})
    foreign = save(data / "foreign", vocabulary_folder)
    (foreign / "manifest.json").unlink()
    settings = {score.setting for score in evaluate(settings_for(data, random, models=(random, foreign)))}
    assert settings == {"majority", "translate-test, random weights", "translate-test"}


@pytest.mark.parametrize(
    ("training", "said"),
    [
        (
            {"source_languages": ["en", "de"]},
            "setting = zero-shot in en, de; translated test files are for a model of one",
        ),
        ({"setting": "translate-train", "source_languages": ["sw"]}, "setting = translate-train in sw"),
        ({"setting": "all", "source_languages": ["en", "sw"]}, "setting = all in en, sw"),
    ],
)
def test_a_model_of_other_labels_is_refused(
    vocabulary_folder: Path, data: Path, training: dict[str, Any], said: str
) -> None:
    model = save(data / "other", vocabulary_folder, training={**ZERO_SHOT, **training})
    with pytest.raises(ConfigError, match=said):
        evaluate(settings_for(data, model))
    assert not (data / "r.json").exists()


def test_models_of_two_source_languages_cannot_share_translations(vocabulary_folder: Path, data: Path) -> None:
    models = tuple(
        save(data / code, vocabulary_folder, training={**ZERO_SHOT, "source_languages": [code]})
        for code in ("en", "de")
    )
    with pytest.raises(ConfigError, match=r"fine-tuned in en, .* in de; .*evaluate the two apart"):
        evaluate(settings_for(data, models[0], models=models))


@pytest.mark.parametrize(
    ("task", "why"),
    [("ner", "tags belong"), ("pos", "tags belong"), ("mlqa", "pieces of the original"), ("tatoeba", "is")],
)
def test_where_labels_would_have_to_be_projected_it_is_refused(data: Path, task: str, why: str) -> None:
    with pytest.raises(ConfigError, match=rf"task {task} has no translate-test: .*{why}.*; leave out translated"):
        translated_tests(find_task(task), data, data, source="en", split="test")


def test_cards_do_not_take_scores_of_another_test(vocabulary_folder: Path, data: Path) -> None:
    model = save(data / "run" / "model", vocabulary_folder, training=ZERO_SHOT)
    with pytest.raises(ConfigError, match="leave out cards=true"):
        evaluate(settings_for(data, model, cards=True))


def test_the_published_file_of_all_languages_is_found_and_missing_ones_are_named(tmp_path: Path) -> None:
    head = "language\tgold_label\tsentence1\tsentence2\n"
    rows = "".join(f"{code}\tneutral\tfrom {code}\tnobody runs\n" for code in ("fr", "sw"))
    (tmp_path / "MT" / "xnli").mkdir(parents=True)
    (tmp_path / "MT" / "xnli" / "xnli.test.en.tsv").write_text(head + rows)
    (tmp_path / "XNLI").mkdir()
    (tmp_path / "XNLI" / "xnli.test.tsv").write_text(head + "en\tneutral\tfrom en\tnobody\n")
    task = find_task("xnli")
    files = translated_tests(
        task, tmp_path / "XNLI", tmp_path / "MT", source="en", split="test", languages=("sw", "en", "fr")
    )
    assert list(files) == ["sw", "en", "fr"]
    texts = [task.read(path, language=code)[0].texts[0] for code, path in files.items()]  # type: ignore[union-attr]
    assert texts == ["from sw", "from en", "from fr"]
    with pytest.raises(DataError, match=r"XNLI has no test\.de\.tsv|has no file"):
        translated_tests(task, tmp_path / "XNLI", tmp_path / "XNLI", source="de", split="dev")
    with pytest.raises(DataError, match="nowhere does not exist"):
        translated_tests(task, tmp_path / "XNLI", tmp_path / "nowhere", source="en", split="test")


def test_fine_tuning_says_that_it_is_a_setting_of_evaluation() -> None:
    given = ["run=r", "model=m", "task=xnli", "data=d", "setting=translate-test"]
    with pytest.raises(ConfigError, match="is fine-tuned with zero-shot, then 'isogloss evaluate … translated=FOLDER'"):
        make_settings(FinetuneSettings, {}, given)


def test_published_rows_of_translate_test_are_compared_with_and_shown() -> None:
    row = published_row("RoBERTa", task="xnli", metric="accuracy", setting=TRANSLATE_TEST)
    scores = [
        Score("xnli", code, "test", "accuracy", value, 5010, "higher", 1, TRANSLATE_TEST, "joint-dev", {"model": "a"})
        for code, value in row.values.items()
        if code != MEAN
    ]
    (compared,) = compare_with_published(scores, "RoBERTa", tolerance=0.1)
    assert compared.reproduced
    assert compared.row.table == "table 1"
    with pytest.raises(ConfigError, match="BERT-en"):
        compare_with_published(scores, "XLM-R base", tolerance=0.1)
    text = to_markdown(paper_tables(scores))
    _, _, own = text.partition("*Translate-test: ")
    lines, _, _ = own.partition("| *")
    assert [line.split(" | ")[0] for line in lines.splitlines()[1:]] == ["| BERT-en", "| RoBERTa", "| ours"]


def test_the_command_takes_it(vocabulary_folder: Path, data: Path) -> None:
    model = save(data / "run" / "model", vocabulary_folder, training=ZERO_SHOT)
    said = CliRunner().invoke(
        app,
        ["evaluate", f"models=['{model}']", "task=nli", f"data={data / 'data'}", f"translated={data / 'translated'}",
         "split=test", f"output={data / 'out'}", "--json"],
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    rows = json.loads(said.stdout)
    assert {row["setting"] for row in rows} == {"majority", "translate-test"}


def test_a_row_that_was_never_published_is_said_before_anything_is_scored(vocabulary_folder: Path, data: Path) -> None:
    model = save(data / "run" / "model", vocabulary_folder, training=ZERO_SHOT)
    words = [f"models=['{model}']", "task=xnli", f"data={data}", f"translated={data}", f"output={data / 'out'}"]
    done = CliRunner().invoke(app, ["evaluate", *words, "--expect", "published", "--published-model", "XLM-R base"])
    assert isinstance(done.exception, ConfigError)
    assert "there are BERT-en, RoBERTa" in str(done.exception)
    assert not (data / "out").exists()
