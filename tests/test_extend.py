"""A model with more pieces: rows that begin where they should, old text as it was, a folder that loads everywhere."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
import torch
from typer.testing import CliRunner

from isogloss.attention import Layout
from isogloss.checkpoint import load_model, load_vocabulary, read_model, save_model, training_of
from isogloss.cli import app
from isogloss.errors import ConfigError, DataError, FolderError, IsoglossError, VocabularyError
from isogloss.extend import Extended, ExtendSettings, extend
from isogloss.heads import TaskModel
from isogloss.manifest import read_manifest
from isogloss.model import Encoder, MaskedLM, ModelSettings, initialise
from isogloss.vocab import MODEL_NAME, Vocabulary
from isogloss.vocab.check import check_vocabulary
from isogloss.vocab.extending import reading_pieces

OLD = ["Anna sees a dog in the garden", "the baker opens the door", "Хлеб утром пекарь открывает дверь", "早上 门"]
# Written for these tests; one language shares letters with the old ones, one does not.
TEXTS = {
    "en": ["The baker sees the garden.\nAnna opens the door."],
    "eu": ["Goizean okinak denda irekitzen du.\nOgiaren usainak kalea betetzen du goizean.\nOgia erosten dute."],
    "ka": ["დილით მცხობელი მაღაზიას აღებს.\nპურის სუნი ქუჩას ავსებს.\nბავშვები დილით პურს ყიდულობენ."],
}
ADDED = 45


def train_pieces(lines: list[str], **more: Any) -> bytes:
    content = io.BytesIO()
    options = {"vocab_size": 70, "hard_vocab_limit": False, "character_coverage": 1.0, "minloglevel": 2} | more
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines * 3), model_writer=content, **options)
    return content.getvalue()


@pytest.fixture(scope="module")
def write_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    def write(folder: Path, kind: str = "masked", content: bytes = b"", padding: int = 0) -> Path:
        vocabulary_folder = tmp_path_factory.mktemp("vocab")
        (vocabulary_folder / MODEL_NAME).write_bytes(content or train_pieces(OLD))
        size = Vocabulary.load(vocabulary_folder).size + padding
        settings = ModelSettings(
            width=8, num_layers=2, num_heads=2, feedforward=12, vocabulary_size=size, max_length=30
        )
        model: MaskedLM | TaskModel | Encoder = Encoder(settings)
        if kind != "encoder":
            model = MaskedLM(settings) if kind == "masked" else TaskModel(model, kind, ("yes", "no"))  # type: ignore
        initialise(model, 1, std=0.3)
        if isinstance(model, MaskedLM):
            torch.nn.init.normal_(model.head.bias)
        training = {"seed": 7} if kind == "sequence" else None
        save_model(
            folder, model, vocabulary_folder=vocabulary_folder, parents=[], command="isogloss x", card=".",
            training=training,
        )  # fmt: skip
        return folder

    return write


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, write_corpus: Callable[..., Path]) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "corpus", {**TEXTS, "yo": []})


def asked(folder: Path, text: Path, **more: Any) -> ExtendSettings:
    values = {"languages": ("ka", "eu"), "add": ADDED, "character_coverage": 1.0, "output": folder / "more"} | more
    return ExtendSettings(**({"model": folder / "model", "corpus": text} | values))


@pytest.fixture(scope="module")
def done(
    tmp_path_factory: pytest.TempPathFactory, write_model: Callable[..., Path], corpus: Path
) -> tuple[Path, Extended]:
    """A folder with a masked model and its extension by means."""
    folder = tmp_path_factory.mktemp("extended")
    write_model(folder / "model")
    return folder, extend(asked(folder, corpus))


def masked(folder: Path) -> tuple[MaskedLM, Vocabulary]:
    model = load_model(folder, kind="masked")
    assert isinstance(model, MaskedLM)
    return model.eval(), load_vocabulary(folder, model.encoder)


def test_a_new_row_is_the_mean_of_the_pieces_it_was_cut_into(done: tuple[Path, Extended]) -> None:
    (model, old), (larger, new) = masked(done[0] / "model"), masked(done[0] / "more")
    assert new.size == old.size + ADDED == larger.settings.vocabulary_size
    reader, num_means = reading_pieces(old.content), 0
    for index in range(old.mask_id, new.mask_id):
        parts = [part for part in reader.encode([new.pieces[index]])[0].tolist() if part != old.unk_id]
        if [part for part in parts if old.pieces[part] != "▁"]:
            torch.testing.assert_close(larger.product_VD[index], model.product_VD[parts].mean(0))
            torch.testing.assert_close(larger.head.bias[index], model.head.bias[parts].mean())
            num_means += 1
    assert num_means == done[1].rows["mean"] > 5
    drawn = [row for index, row in enumerate(larger.product_VD.tolist()) if new.pieces[index] in ("დ", "პ", "ს")]
    assert len({tuple(row) for row in drawn}) == 3, "pieces of which nothing was known begin apart"


def test_old_rows_and_the_mask_are_copied_to_the_bit(done: tuple[Path, Extended]) -> None:
    (model, old), (larger, new) = masked(done[0] / "model"), masked(done[0] / "more")
    sources, targets = [*range(old.mask_id), old.mask_id], [*range(old.mask_id), new.mask_id]
    assert torch.equal(larger.product_VD[targets], model.product_VD[sources])
    assert torch.equal(larger.head.bias[targets], model.head.bias[sources])
    assert [new.pieces[index] for index in targets] == [old.pieces[index] for index in sources]


def test_text_that_is_cut_as_before_has_the_same_hidden_states(done: tuple[Path, Extended]) -> None:
    (model, old), (larger, new) = masked(done[0] / "model"), masked(done[0] / "more")
    assert done[1].num_compared > 0
    same = 0
    for text in OLD:
        before, after = old.encode([text])[0], new.encode([text])[0]
        if np.array_equal(before, after):
            ids = torch.from_numpy(np.array([0, *before[:20], 2]))
            layout = Layout.of([len(ids)])
            assert torch.equal(larger.encoder(ids, layout), model.encoder(ids, layout))
            same += 1
    assert same > 1


def test_it_loads_in_transformers_and_passes_the_certificate(done: tuple[Path, Extended]) -> None:
    transformers = pytest.importorskip("transformers", reason="the extra hub is not installed")
    folder = done[0] / "more"
    model, vocabulary = masked(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    theirs = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
    for text in [*OLD, *TEXTS["eu"][0].splitlines(), *TEXTS["ka"][0].splitlines()]:
        ids = [0, *vocabulary.encode([text])[0].tolist()[:20], 2]
        assert tokenizer(text)["input_ids"][: len(ids) - 1] == ids[:-1]
        with torch.inference_mode():
            logits = theirs(torch.tensor([ids])).logits[0]
            ours = model.logits(torch.tensor(ids), Layout.of([len(ids)]), torch.arange(len(ids)))
        torch.testing.assert_close(ours, logits, rtol=1e-4, atol=1e-4)
    assert tokenizer.mask_token_id == vocabulary.mask_id
    certificate = check_vocabulary(folder)
    assert certificate.agrees, certificate.table()


def test_the_report_says_what_changed(done: tuple[Path, Extended]) -> None:
    folder, result = done
    assert set(result.languages) == {"eu", "ka"}
    assert set(result.others) == {"en"}
    assert all(change.after.unknown_characters == 0 for change in result.languages.values())
    assert sum(result.rows.values()) == result.num_added == ADDED
    said = (folder / "more" / "report.md").read_text(encoding="utf-8")
    assert "| en |" in said.replace("  ", " ")
    manifest = read_manifest(folder / "more", "model")
    assert set(manifest.parents) == {"model", "corpus"}
    assert {"extend.json", "report.md", "report.html"} <= set(manifest.files)
    assert "eu, ka" in (folder / "more" / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in folder.iterdir()} == {"model", "more"}, "nothing half done"


def test_the_same_again_finds_it_done_and_another_is_refused(done: tuple[Path, Extended], corpus: Path) -> None:
    folder, result = done
    written = (folder / "more" / "model.safetensors").stat().st_mtime_ns
    assert extend(asked(folder, corpus)) == result
    assert (folder / "more" / "model.safetensors").stat().st_mtime_ns == written
    for change in ({"add": ADDED - 1}, {"init": "random"}, {"languages": ("ka",)}):
        with pytest.raises(FolderError, match="choose another folder"):
            extend(asked(folder, corpus, **change))


@pytest.mark.parametrize(("init", "kinds"), [("similar", {"similar", "mean", "drawn"}), ("random", {"drawn"})])
def test_other_beginnings_keep_the_old_rows(
    done: tuple[Path, Extended], corpus: Path, tmp_path: Path, init: str, kinds: set[str]
) -> None:
    result = extend(asked(done[0], corpus, init=init, output=tmp_path / "more"))
    assert set(result.rows) <= kinds
    assert init != "similar" or result.rows["similar"] > 3
    (larger, new), (by_means, _) = masked(tmp_path / "more"), masked(done[0] / "more")
    assert new.fingerprint == masked(done[0] / "more")[1].fingerprint
    assert torch.equal(larger.product_VD[: new.size - ADDED - 1], by_means.product_VD[: new.size - ADDED - 1])
    assert not torch.equal(larger.product_VD, by_means.product_VD)


@pytest.mark.parametrize("kind", ["sequence", "token", "encoder"])
def test_heads_labels_and_training_stay(
    write_model: Callable[..., Path], corpus: Path, tmp_path: Path, kind: str
) -> None:
    write_model(tmp_path / "model", kind, padding=4)
    extend(asked(tmp_path, corpus))
    model, larger = read_model(tmp_path / "model"), read_model(tmp_path / "more")
    assert type(larger) is type(model)
    assert training_of(tmp_path / "more") == training_of(tmp_path / "model")
    if isinstance(model, TaskModel) and isinstance(larger, TaskModel):
        assert larger.labels == model.labels
        assert all(
            torch.equal(ours, theirs)
            for ours, theirs in zip(larger.head.parameters(), model.head.parameters(), strict=True)
        )
    size = Vocabulary.load(tmp_path / "more").size
    encoder = larger if isinstance(larger, Encoder) else larger.encoder  # type: ignore[union-attr]
    assert encoder.settings.vocabulary_size == size, "rows that padded the table are gone"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"languages": ("sw",)}, ConfigError, "has no 'sw'; it has en, eu, ka, yo"),
        ({"languages": ("yo",)}, DataError, "holds no text of 'yo'"),
        ({"add": 9000}, VocabularyError, "set add="),
        ({"add": 2}, VocabularyError, "characters of the text that the vocabulary lacks; set add="),
        ({"model": "nowhere"}, IsoglossError, "nowhere"),
        ({"corpus": "nowhere"}, FolderError, "isogloss corpus build"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    done: tuple[Path, Extended], corpus: Path, tmp_path: Path, change: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        extend(asked(done[0], corpus, **({"output": tmp_path / "more"} | change)))
    assert len(str(caught.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_vocabularies_that_cannot_be_extended(
    write_model: Callable[..., Path], done: tuple[Path, Extended], corpus: Path, tmp_path: Path
) -> None:
    write_model(tmp_path / "bpe" / "model", content=train_pieces(OLD, model_type="bpe"))
    with pytest.raises(VocabularyError, match="its vocabulary is BPE"):
        extend(asked(tmp_path / "bpe", corpus))
    write_model(tmp_path / "bytes" / "model", content=train_pieces(OLD, byte_fallback=True, vocab_size=330))
    with pytest.raises(VocabularyError, match="of the kind BYTE"):
        extend(asked(tmp_path / "bytes", corpus))
    shutil.copytree(done[0] / "model", tmp_path / "other" / "model")
    (tmp_path / "other" / "model" / "manifest.json").unlink()
    (tmp_path / "other" / "model" / MODEL_NAME).write_bytes(train_pieces(OLD[:2], vocab_size=30))
    (tmp_path / "other" / "model" / "tokenizer.json").unlink()
    with pytest.raises(VocabularyError, match="one of them is another model's"):
        extend(asked(tmp_path / "other", corpus))
    shutil.copytree(done[0] / "model", tmp_path / "tokens" / "model")
    path = tmp_path / "tokens" / "model" / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    size = Vocabulary.load(tmp_path / "tokens" / "model").size
    content["added_tokens"].append({"id": size, "content": "<x>"})
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(IsoglossError):
        extend(asked(tmp_path / "tokens", corpus))


def test_the_command(write_model: Callable[..., Path], corpus: Path, tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    words = ["vocab", "extend", str(tmp_path / "model"), str(corpus), "--languages", "eu", "--add", "12"]
    words += ["--output", str(tmp_path / "more")]
    tried = CliRunner().invoke(app, [*words, "--dry-run", "share=0.2"])
    assert json.loads(tried.stdout)["share"] == 0.2
    assert not (tmp_path / "more").exists()
    made = CliRunner().invoke(app, [*words, "--init", "similar", "--json"], catch_exceptions=False)
    result = json.loads(made.stdout)
    assert result["num_added"] == 12
    assert set(result["languages"]) == {"eu"}
    again = CliRunner().invoke(app, [*words, "--init", "similar"], catch_exceptions=False)
    assert again.stdout.startswith("eu: ")
