"""A model without the pieces that its languages do not need: the same answers on what is covered, to the bit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import isogloss.trim.cut as room
from isogloss.attention import Layout
from isogloss.checkpoint import languages_of, load_vocabulary, read_model, save_model, training_of
from isogloss.cli import app
from isogloss.errors import CheckpointError, ConfigError, DataError, FolderError, IsoglossError, VocabularyError
from isogloss.heads import TaskModel
from isogloss.interop.sentence_transformers import Pooling, read_modules
from isogloss.manifest import read_manifest
from isogloss.model import Encoder, MaskedLM, ModelSettings, initialise
from isogloss.phrasebook import documents
from isogloss.trim import Trim, TrimSettings, trim
from isogloss.vocab import MODEL_NAME, VocabSettings, Vocabulary, train_vocabulary
from isogloss.vocab.check import check_vocabulary
from isogloss.vocab.probes import all_probes

LANGUAGES = ("en", "ru", "sw", "th")
LENGTH = 40
SIZE = 1200


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, write_corpus: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("trim") / "corpus"
    return write_corpus(folder, {code: list(documents(code, 60, seed=1)) for code in LANGUAGES})


@pytest.fixture(scope="module")
def vocabulary_folder(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Path:
    folder = tmp_path_factory.mktemp("trim") / "vocab"
    train_vocabulary(VocabSettings(corpus=corpus, output=folder, size=SIZE, character_coverage=1.0))
    return folder


@pytest.fixture(scope="module")
def write_model(vocabulary_folder: Path) -> Callable[..., Path]:
    """Writes a model folder of two layers; ``num_unused`` rows pad its tables."""

    def write(folder: Path, kind: str, *, num_unused: int = 0, tied: bool = True, **more: Any) -> Path:
        settings = ModelSettings(
            width=24, num_layers=2, num_heads=3, feedforward=40, vocabulary_size=SIZE + num_unused, max_length=LENGTH
        )
        model: MaskedLM | TaskModel | Encoder = MaskedLM(settings, tied=tied) if kind == "masked" else Encoder(settings)
        if isinstance(model, Encoder) and kind != "encoder":
            model = TaskModel(model, kind, ("yes", "no"))  # type: ignore[arg-type]
        initialise(model, 1, std=0.3)
        if isinstance(model, MaskedLM):
            torch.nn.init.normal_(model.head.bias)
        save_model(folder, model, vocabulary_folder=vocabulary_folder, parents=[], command="x", card=".", **more)
        return folder

    return write


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, write_model: Callable[..., Path], corpus: Path) -> tuple[Path, Trim]:
    """A masked model, and it trimmed to two languages."""
    folder = tmp_path_factory.mktemp("trim")
    source = write_model(folder / "model", "masked")
    settings = TrimSettings(model=source, corpus=corpus, languages=("sw", "en"), output=folder / "small")
    return source, trim(settings)


def both(source: Path, target: Path) -> tuple[Any, Vocabulary, Any, Vocabulary]:
    """Two models as they are read from their folders, with their vocabularies."""
    old, new = read_model(source).eval(), read_model(target).eval()
    return old, load_vocabulary(source, encoder(old)), new, load_vocabulary(target, encoder(new))


def encoder(model: Any) -> Encoder:
    found = model if isinstance(model, Encoder) else model.encoder
    assert isinstance(found, Encoder)
    return found


def rows_of(old: Vocabulary, new: Vocabulary) -> torch.Tensor:
    """The old id of each new one, by the pieces' own strings."""
    ids = {piece: index for index, piece in enumerate(old.pieces)}
    return torch.tensor([ids[piece] for piece in new.pieces])


def packed(vocabulary: Vocabulary, texts: list[str]) -> tuple[torch.Tensor, Layout]:
    rows = [[0, *ids[: LENGTH - 2].tolist(), 2] for ids in vocabulary.encode(texts)]
    return torch.tensor([index for row in rows for index in row]), Layout.of([len(row) for row in rows])


def lines(*codes: str, seed: int = 1) -> list[str]:
    return [line for code in codes for text in documents(code, 20, seed=seed) for line in text.splitlines()]


@torch.inference_mode()
def assert_same_answers(source: Path, target: Path, texts: list[str]) -> None:
    old, its_vocabulary, new, vocabulary = both(source, target)
    ids_N, layout = packed(its_vocabulary, texts)
    new_N, new_layout = packed(vocabulary, texts)
    rows = rows_of(its_vocabulary, vocabulary)
    assert torch.equal(rows[new_N], ids_N)
    assert torch.equal(encoder(new)(new_N, new_layout), encoder(old)(ids_N, layout))
    if isinstance(old, TaskModel):
        assert torch.equal(new(new_N, new_layout), old(ids_N, layout))
        assert new.labels == old.labels
    if isinstance(old, MaskedLM):
        places = torch.arange(0, len(ids_N), 7)
        expected = old.logits(ids_N, layout, places)[:, rows]
        torch.testing.assert_close(new.logits(new_N, new_layout, places), expected, rtol=1e-6, atol=1e-5)
        assert torch.equal(new.product_VD, old.product_VD[rows])
        assert torch.equal(new.head.bias, old.head.bias[rows])


def test_a_trimmed_model_answers_as_before(made: tuple[Path, Trim]) -> None:
    source, done = made
    assert_same_answers(source, Path(done.path), lines("en", "sw"))


@pytest.mark.parametrize("kind", ["sequence", "token", "question", "encoder", "untied", "padded"])
def test_so_do_all_kinds_of_models(write_model: Callable[..., Path], corpus: Path, tmp_path: Path, kind: str) -> None:
    more = {"untied": {"tied": False}, "padded": {"num_unused": 1280 - SIZE}}.get(kind, {})
    head = "masked" if more else kind
    source = write_model(tmp_path / "model", head, **more)
    done = trim(TrimSettings(model=source, corpus=corpus, languages=("th",), output=tmp_path / "small"))
    assert done.head == head
    assert done.before.rows == (1280 if kind == "padded" else SIZE)
    assert done.after.rows == done.after.pieces < done.before.pieces
    assert_same_answers(source, tmp_path / "small", lines("th"))


def test_the_report_says_what_was_done(made: tuple[Path, Trim]) -> None:
    source, done = made
    target = Path(done.path)
    old, its_vocabulary, new, vocabulary = both(source, target)
    assert (done.before.pieces, done.after.pieces) == (its_vocabulary.size, vocabulary.size)
    for size, model, folder in ((done.before, old, source), (done.after, new, target)):
        assert size.parameters == sum(parameter.numel() for parameter in model.parameters())
        files = ("model.safetensors", "config.json", MODEL_NAME, "tokenizer.json")
        files += ("tokenizer_config.json", "special_tokens_map.json")
        assert size.bytes == sum((folder / name).stat().st_size for name in files)
    assert tuple(done.languages) == ("en", "sw")
    for row in done.languages.values():
        assert row.coverage == 1
        assert row.texts == row.unchanged > 0
        assert (row.dropped, row.unknown, row.unknown_after) == ((), 0, 0)
    assert done.num_compared == 8
    assert done.scripts["Cyrl"][1] == done.scripts["Thai"][1] == 0 < done.scripts["Cyrl"][0]
    said = json.loads((target / "trim.json").read_text(encoding="utf-8"))
    assert said["settings"] == {"languages": ["en", "sw"], "coverage": 1.0}
    assert said["after"]["bytes"] == done.after.bytes
    manifest = read_manifest(target, "model")
    assert manifest.parents.keys() == {"model", "corpus"}
    assert {"trim.json", "report.md", "report.html"} <= manifest.files.keys()
    assert languages_of(target) == ("en", "sw")
    assert f"{done.after.pieces:,} of its {done.before.pieces:,} pieces" in (target / "README.md").read_text()


def test_the_folder_passes_the_certificate(made: tuple[Path, Trim]) -> None:
    pytest.importorskip("tokenizers", reason="tokenizers is not installed: nothing to compare with")
    scripts = {"Latn", "Cyrl", "Thai", "Arab", "Zyyy"}
    certificate = check_vocabulary(
        made[1].path, probes=filter(lambda one: one.script in scripts and len(one.text) < 500, all_probes())
    )
    assert certificate.agrees, certificate.table()


def test_transformers_loads_it_and_answers_the_same(made: tuple[Path, Trim]) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed: nothing to load it with")
    source, done = made
    texts = lines("en", "sw")[:8]
    logits, hidden = [], []
    for folder in (source, Path(done.path)):
        batch = transformers.AutoTokenizer.from_pretrained(folder)(
            texts, return_tensors="pt", padding=True, truncation=True, max_length=LENGTH
        )
        model = transformers.AutoModelForMaskedLM.from_pretrained(folder).eval()
        with torch.inference_mode():
            said = model(**batch, output_hidden_states=True)
        logits.append(said.logits)
        hidden.append(said.hidden_states[-1])
    assert torch.equal(hidden[0], hidden[1])
    rows = rows_of(Vocabulary.load(source), Vocabulary.load(done.path))
    torch.testing.assert_close(logits[1], logits[0][..., rows], rtol=1e-6, atol=1e-5)


def test_what_a_finetuned_model_says_of_itself_stays(
    write_model: Callable[..., Path], corpus: Path, tmp_path: Path
) -> None:
    source = write_model(tmp_path / "model", "sequence", training={"seed": 7, "setting": "zero-shot"})
    trim(TrimSettings(model=source, corpus=corpus, languages=("en",), output=tmp_path / "small"))
    assert training_of(tmp_path / "small") == training_of(source) == {"seed": 7, "setting": "zero-shot"}


def test_an_embedding_model_keeps_its_pooling_and_length(
    write_model: Callable[..., Path], corpus: Path, tmp_path: Path
) -> None:
    source = write_model(tmp_path / "model", "encoder", pooling=Pooling("cls", normalise=True))
    (source / "manifest.json").unlink()
    (source / "sentence_bert_config.json").write_text('{"max_seq_length": 16, "do_lower_case": false}')
    trim(TrimSettings(model=source, corpus=corpus, languages=("en",), output=tmp_path / "small"))
    modules = read_modules(tmp_path / "small")
    assert modules is not None
    assert (modules.pooling(), modules.max_length) == (Pooling("cls", normalise=True), 16)


def test_added_tokens_keep_their_rows(write_model: Callable[..., Path], corpus: Path, tmp_path: Path) -> None:
    """Tokens put behind the vocabulary by transformers, and a piece of it that was made a token."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed: it reads added tokens")
    source = write_model(tmp_path / "model", "masked", num_unused=2)
    (source / "manifest.json").unlink()
    piece = next(piece for piece in Vocabulary.load(source).pieces if "ж" in piece and len(piece) > 2)
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    tokenizer.add_tokens(["<one>", "<two>", piece])
    assert len(tokenizer) == SIZE + 2
    tokenizer.save_pretrained(source)
    done = trim(TrimSettings(model=source, corpus=corpus, languages=("en",), output=tmp_path / "small"))
    assert done.after.rows == done.after.pieces + 2
    old, new = read_model(source), read_model(tmp_path / "small")
    again = transformers.AutoTokenizer.from_pretrained(tmp_path / "small")
    for token in ("<one>", "<two>", piece, "<mask>", "</s>"):
        before, after = tokenizer.convert_tokens_to_ids(token), again.convert_tokens_to_ids(token)
        tables = [encoder(model).embeddings.pieces.weight for model in (old, new)]
        assert torch.equal(tables[0][before], tables[1][after]), token
    assert again("a <two> b")["input_ids"].count(done.after.pieces + 1) == 1


def test_a_folder_with_tokenizer_json_alone(write_model: Callable[..., Path], corpus: Path, tmp_path: Path) -> None:
    source = write_model(tmp_path / "model", "token")
    (source / "manifest.json").unlink()
    (source / MODEL_NAME).unlink()
    trim(TrimSettings(model=source, corpus=corpus, languages=("ru",), output=tmp_path / "small"))
    assert_same_answers(source, tmp_path / "small", lines("ru"))


def test_less_coverage_gives_less_and_says_of_what(made: tuple[Path, Trim], corpus: Path, tmp_path: Path) -> None:
    source, whole = made
    done = trim(
        TrimSettings(model=source, corpus=corpus, languages=("en", "sw"), coverage=0.9, output=tmp_path / "small")
    )
    assert done.after.pieces < whole.after.pieces
    _, old, _, new = both(source, tmp_path / "small")
    for code, row in done.languages.items():
        assert 0.9 <= row.coverage < 1
        assert row.unchanged < row.texts
        assert row.unknown_after == row.unknown == 0
        assert row.pieces_after > row.pieces
        assert row.dropped
        assert all(piece in old.pieces and piece not in new.pieces for piece, _ in row.dropped)
        report = (tmp_path / "small" / "report.md").read_text(encoding="utf-8")
        assert code in report
        assert row.dropped[0][0].strip("▁") in report


def test_without_text_the_scripts_decide(made: tuple[Path, Trim], tmp_path: Path) -> None:
    source, with_text = made
    done = trim(TrimSettings(model=source, languages=("en", "sw"), output=tmp_path / "small"))
    assert with_text.after.pieces <= done.after.pieces < done.before.pieces
    assert done.scripts["Latn"][0] == done.scripts["Latn"][1]
    assert done.scripts["Cyrl"][1] == 0
    assert_same_answers(source, tmp_path / "small", lines("en", "sw", seed=9))
    assert "Chosen without text" in (tmp_path / "small" / "report.md").read_text(encoding="utf-8")


def test_the_same_command_again_is_done(
    made: tuple[Path, Trim], corpus: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source, first = made
    monkeypatch.setattr(room, "read_source", lambda _: pytest.fail("read again"))
    settings = TrimSettings(model=source, corpus=corpus, languages=("en", "sw"), output=Path(first.path))
    assert trim(settings) == first
    for change in ({"coverage": 0.5}, {"languages": ("en",)}, {"output": source}, {"corpus": None}):
        with pytest.raises(FolderError, match="is there already"):
            trim(settings.model_copy(update=change))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(FolderError, match="is there already"):
        trim(settings.model_copy(update={"output": tmp_path / "mine"}))


def test_a_model_that_answers_otherwise_is_not_kept(
    made: tuple[Path, Trim], corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _ = made

    def off_by_one(model: Any, vocabulary: Vocabulary, kept: Any, *, num_added: int = 0) -> Any:
        smaller, fewer = trim_model(model, vocabulary, kept, num_added=num_added)
        with torch.no_grad():
            encoder(smaller).embeddings.pieces.weight[10] += 1e-6
        return smaller, fewer

    trim_model = room.trim_model
    monkeypatch.setattr(room, "trim_model", off_by_one)
    with pytest.raises(CheckpointError, match="answers otherwise"):
        trim(TrimSettings(model=source, corpus=corpus, languages=("en",), output=tmp_path / "small"))
    assert not (tmp_path / "small").exists()


def test_mistakes_are_one_line(
    made: tuple[Path, Trim], corpus: Path, tmp_path: Path, vocabulary_folder: Path, other: bytes
) -> None:
    source, _ = made

    def fails(kind: type[IsoglossError], match: str, **change: Any) -> None:
        values = {"model": source, "corpus": corpus, "output": tmp_path / "out"} | change
        with pytest.raises(kind, match=match) as error:
            trim(TrimSettings(**values))
        assert len(str(error.value).splitlines()) == 1
        assert not (tmp_path / "out").exists()

    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "en.txt").write_text("Anna sees a dog.\n", encoding="utf-8")
    (tmp_path / "texts" / "sw.txt").write_text("\n \n", encoding="utf-8")
    (tmp_path / "texts" / "fr.txt").write_bytes(b"\xff\xfe\n")
    fails(ConfigError, "has no 'de'", languages=("de",))
    fails(DataError, "has no text of 'de'; it has en, fr, sw", corpus=tmp_path / "texts", languages=("de",))
    fails(DataError, "holds no text of 'sw'", corpus=tmp_path / "texts", languages=("sw",))
    fails(DataError, "is not UTF-8", corpus=tmp_path / "texts", languages=("fr",))
    fails(FolderError, "holds no text", corpus=tmp_path / "nowhere")
    fails(FolderError, "is a vocab folder, but a corpus folder is needed", corpus=vocabulary_folder)
    fails(ConfigError, "say what to keep", corpus=None)
    fails(ConfigError, "is a share of text", corpus=None, languages=("en",), coverage=0.5)
    fails(ConfigError, "script Java", corpus=None, languages=("jv-Java",))
    fails(FolderError, "does not exist", model=tmp_path / "nowhere")
    wrong = shutil.copytree(source, tmp_path / "wrong")
    (wrong / "manifest.json").unlink()
    (wrong / MODEL_NAME).write_bytes(other)
    fails(VocabularyError, "one of them is another model's", model=wrong)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> bytes:
    """Another vocabulary of the same text."""
    folder = tmp_path_factory.mktemp("trim") / "other"
    train_vocabulary(VocabSettings(corpus=corpus, output=folder, size=600))
    return (folder / MODEL_NAME).read_bytes()


def test_a_model_of_another_family_is_refused(tmp_path: Path, corpus: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed: no other family")
    config = transformers.BertConfig(
        vocab_size=40, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    transformers.BertModel(config).save_pretrained(tmp_path / "bert")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh"]
    (tmp_path / "bert" / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    (tmp_path / "bert" / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}', encoding="utf-8")
    with pytest.raises(CheckpointError, match="another family"):
        trim(TrimSettings(model=tmp_path / "bert", corpus=corpus, output=tmp_path / "out"))


def test_the_command(made: tuple[Path, Trim], corpus: Path, tmp_path: Path) -> None:
    source, first = made
    words = ["vocab", "trim", str(source), "--corpus", str(corpus), "--languages", "en,sw"]
    done = CliRunner().invoke(app, [*words, "--output", first.path])
    assert done.exit_code == 0, done.exception
    assert f"pieces: {first.before.pieces:,} → {first.after.pieces:,}" in done.stdout
    assert "sw: 100.000% of pieces covered" in done.stdout
    assert done.stderr == f"done: {first.path}\n"
    done = CliRunner().invoke(app, [*words, "--output", first.path, "--json"])
    assert json.loads(done.stdout)["after"]["pieces"] == first.after.pieces
    done = CliRunner().invoke(app, [*words, "--output", str(tmp_path / "x"), "--coverage", "1.5"])
    assert isinstance(done.exception, ConfigError)
    assert "coverage = 1.5" in str(done.exception)
    done = CliRunner().invoke(app, [*words, "--output", str(tmp_path / "x"), "--dry-run"])
    assert json.loads(done.stdout)["languages"] == ["en", "sw"]
    assert not (tmp_path / "x").exists()


def test_real_text_in_two_scripts(
    shared_data: Path, tmp_path: Path, write_corpus: Callable[..., Path], request: pytest.FixtureRequest
) -> None:
    """Trimmed on half of real text: all of that half as before, and of the other half what is covered."""
    texts = {
        code: [line for line in (shared_data / "text" / f"{code}.txt").read_text(encoding="utf-8").splitlines() if line]
        for code in ("ar", "en", "ru", "th")
    }
    texts = {code: found[:300] for code, found in texts.items()}
    corpus = write_corpus(tmp_path / "corpus", texts)
    train_vocabulary(VocabSettings(corpus=corpus, output=tmp_path / "vocab", size=3000))
    vocabulary = Vocabulary.load(tmp_path / "vocab")
    model = MaskedLM(
        ModelSettings(width=24, num_layers=2, num_heads=3, feedforward=40, vocabulary_size=3000, max_length=LENGTH)
    )
    initialise(model, 2, std=0.3)
    source = tmp_path / "model"
    save_model(source, model, vocabulary_folder=tmp_path / "vocab", parents=[], command="x", card=".")
    (tmp_path / "texts").mkdir()
    for code in ("en", "th"):
        (tmp_path / "texts" / f"{code}.txt").write_text("\n".join(texts[code][:150]), encoding="utf-8")
    done = trim(TrimSettings(model=source, corpus=tmp_path / "texts", output=tmp_path / "small"))
    assert all(row.unchanged == row.texts == 150 for row in done.languages.values())
    assert_same_answers(source, tmp_path / "small", [text for code in ("en", "th") for text in texts[code][:150]])
    smaller = Vocabulary.load(tmp_path / "small")
    kept = rows_of(vocabulary, smaller).numpy()
    unseen = [text for found in texts.values() for text in found[150:]]
    covered = [text for text, ids in zip(unseen, vocabulary.encode(unseen), strict=True) if np.isin(ids, kept).all()]
    assert 20 < len(covered) < len(unseen) - 20
    assert_same_answers(source, tmp_path / "small", covered)
