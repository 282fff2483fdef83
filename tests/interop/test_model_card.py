"""The model card: its metadata is YAML that the hub reads, it says what is known and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from isogloss.checkpoint import Card, CardScore, languages_of, load_model, save_model
from isogloss.heads import TaskModel
from isogloss.interop.model_card import with_scores
from isogloss.manifest import Manifest
from isogloss.model import Encoder, MaskedLM, ModelSettings, initialise

yaml = pytest.importorskip("yaml", reason="PyYAML, which comes with transformers, is not installed")

SHAPE = ModelSettings(vocabulary_size=40, width=16, num_layers=1, num_heads=2, feedforward=32, max_length=12)
PARENT = Manifest("shards", "isogloss shards", "0", {}, {}, {}, {}, "abcdef0123456789abcdef")


def write(folder: Path, model: MaskedLM | TaskModel | Encoder, card: Card | str) -> tuple[dict[str, Any], str]:
    """The metadata block and the text below it."""
    initialise(model, 1)
    (folder / "vocab").mkdir()
    for name in ("sentencepiece.bpe.model", "tokenizer.json"):
        (folder / "vocab" / name).write_text("{}", encoding="utf-8")
    save_model(
        folder / "nli" / "model", model, vocabulary_folder=folder / "vocab", parents=[PARENT], command="make it",
        card=card,
    )  # fmt: skip
    _, block, text = (folder / "nli" / "model" / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    metadata: dict[str, Any] = yaml.safe_load(block)
    assert "# license: choose one" in block
    assert "license" not in metadata, "the licence is the user's to choose"
    return metadata, text


def test_everything_that_is_known(tmp_path: Path) -> None:
    card = Card(
        "Fine-tuned on NLI.", name='nli "three": way', languages=["sw", "zh-Hans", "zh-Hant"], base_model="xlm-r: base",
        corpus="5 MB of text", scores=[CardScore("nli", "zh-Hant", "dev", "accuracy", 71.254)],
    )  # fmt: skip
    metadata, text = write(tmp_path, TaskModel(Encoder(SHAPE), "sequence", ("no|pe", "yes")), card)
    assert metadata == {
        "language": ["sw", "zh"],
        "library_name": "transformers",
        "pipeline_tag": "text-classification",
        "tags": ["xlm-roberta", "isogloss"],
        "base_model": "xlm-r: base",
        "model-index": [
            {
                "name": 'nli "three": way',
                "results": [
                    {
                        "task": {"type": "text-classification"},
                        "dataset": {"type": "nli", "name": "nli", "config": "zh-Hant", "split": "dev"},
                        "metrics": [{"type": "accuracy", "value": 71.254}],
                    }
                ],
            }
        ],
    }
    for said in (
        '# nli "three": way', "Fine-tuned on NLI.", "XLMRobertaForSequenceClassification", "1 × 16 × 2", "40 pieces",
        "Swahili (`sw`)", "5 MB of text", "no\\|pe, yes", "xlm-r: base",
        "| from shards | fingerprint `abcdef0123456789`", "| nli | zh-Hant | dev | accuracy | 71.25 |", "`make it`",
    ):  # fmt: skip
        assert said in text, said
    assert languages_of(tmp_path / "nli" / "model") == ("sw", "zh-Hans", "zh-Hant")


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    metadata, text = write(tmp_path, MaskedLM(SHAPE), "Made by a test.")
    assert metadata == {
        "library_name": "transformers",
        "pipeline_tag": "fill-mask",
        "tags": ["xlm-roberta", "isogloss"],
    }
    assert text.startswith("\n# nli\n\nMade by a test.\n"), "a model of a run has the run's name"
    assert not any(word in text for word in ("languages", "corpus", "base model", "labels", "Scores"))


@pytest.mark.parametrize(
    ("model", "pipeline"),
    [
        (TaskModel(Encoder(SHAPE), "token", ("O", "B-X")), "token-classification"),
        (TaskModel(Encoder(SHAPE), "question"), "question-answering"),
        (Encoder(SHAPE), "sentence-similarity"),
    ],
)
def test_each_head_has_its_pipeline(tmp_path: Path, model: TaskModel | Encoder, pipeline: str) -> None:
    metadata, _ = write(tmp_path, model, "")
    assert metadata["pipeline_tag"] == pipeline
    assert metadata["library_name"] == ("sentence-transformers" if isinstance(model, Encoder) else "transformers")


def test_the_card_is_the_users_to_edit(tmp_path: Path) -> None:
    write(tmp_path, MaskedLM(SHAPE), "")
    card = tmp_path / "nli" / "model" / "README.md"
    card.write_text(card.read_text(encoding="utf-8").replace("# license: choose", "license: mit #"), encoding="utf-8")
    assert isinstance(load_model(tmp_path / "nli" / "model", kind="masked"), MaskedLM)
    assert "license: mit" in card.read_text(encoding="utf-8")


def test_scores_are_added_to_a_card(tmp_path: Path) -> None:
    first = CardScore("nli", "sw", "dev", "accuracy", 50.0)
    write(tmp_path, TaskModel(Encoder(SHAPE), "sequence", ("no", "yes")), Card("By a test.", scores=[first]))
    text = (tmp_path / "nli" / "model" / "README.md").read_text(encoding="utf-8")
    assert with_scores(text, "nli", "sequence", [first]) == text
    better = CardScore("nli", "sw", "dev", "accuracy", 60.0)
    changed = with_scores(text, "another name", "sequence", [better, CardScore("nli", "sw", "test", "accuracy", 55.0)])
    assert changed.replace('"value": 60.0', '"value": 50.0') != changed, "the earlier score of this set has gone"
    assert '"value": 50.0' not in changed
    (index,) = yaml.safe_load(changed.split("---\n")[1])["model-index"]
    assert index["name"] == "nli"
    assert [row["metrics"][0]["value"] for row in index["results"]] == [60.0, 55.0]
    assert changed.split("---\n", 2)[2] == text.split("---\n", 2)[2]
    with pytest.raises(ValueError, match="no block of metadata"):
        with_scores("# A model\n", "nli", "sequence", [first])
