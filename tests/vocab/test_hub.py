"""Hugging Face loads what we write and gives the same ids, but for the exceptions named in ``vocab/hub.py``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from isogloss.vocab import VocabSettings, Vocabulary, train_vocabulary

tokenizers = pytest.importorskip("tokenizers")
transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module", params=["XLMRobertaTokenizerFast", "AutoTokenizer", "AutoTokenizer of a model folder"])
def tokenizer(request: pytest.FixtureRequest, vocab_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
    """Each way in which people load an XLM-R tokenizer."""
    folder = tmp_path_factory.mktemp("hub") / "model"
    shutil.copytree(vocab_folder, folder)
    loader = transformers.AutoTokenizer
    if request.param == "XLMRobertaTokenizerFast":
        loader = transformers.XLMRobertaTokenizerFast
    if request.param == "AutoTokenizer of a model folder":
        (folder / "config.json").write_text(json.dumps({"model_type": "xlm-roberta"}), "utf-8")
    return loader.from_pretrained(folder)


def test_ids_are_equal_in_many_scripts(tokenizer: object, vocabulary: Vocabulary, probes: Sequence[str]) -> None:
    known = 0
    for text in probes:
        (ids,) = vocabulary.encode([text])
        assert tokenizer(text, add_special_tokens=False)["input_ids"] == ids.tolist(), text
        assert tokenizer(text)["input_ids"] == [0, *ids.tolist(), 2]
        known += sum(index != vocabulary.unk_id for index in ids)
    assert known > 300, "the comparison must be about real pieces"


def test_specials_and_pairs_are_those_of_xlm_r(tokenizer: object, vocabulary: Vocabulary) -> None:
    first, second = (ids.tolist() for ids in vocabulary.encode(["the door", "the bread"]))
    assert tokenizer("the door", "the bread")["input_ids"] == [0, *first, 2, 2, *second, 2]
    assert tokenizer.mask_token_id == vocabulary.mask_id
    assert (tokenizer.bos_token_id, tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id) == (
        0,
        1,
        2,
        3,
    )
    assert len(tokenizer) == vocabulary.size
    assert tokenizer.decode(first) == "the door"


def test_tokenizer_json_alone_gives_the_same_ids(
    vocab_folder: Path, vocabulary: Vocabulary, probes: Sequence[str]
) -> None:
    # transformers builds XLM-R's tokenizer anew from the pieces; other programs read the file as it stands.
    tokenizer = tokenizers.Tokenizer.from_file(str(vocab_folder / "tokenizer.json"))
    for text in probes:
        (ids,) = vocabulary.encode([text])
        assert tokenizer.encode(text).ids == [0, *ids.tolist(), 2], text
    first, second = (ids.tolist() for ids in vocabulary.encode(["the door", "the bread"]))
    assert tokenizer.encode("the door", "the bread").ids == [0, *first, 2, 2, *second, 2]
    assert tokenizer.token_to_id("<mask>") == vocabulary.mask_id


def test_the_named_exception_spelt_specials(tokenizer: object, vocabulary: Vocabulary) -> None:
    theirs = tokenizer("the <mask> door", add_special_tokens=False)["input_ids"]
    (ours,) = vocabulary.encode(["the <mask> door"])
    assert vocabulary.mask_id in theirs
    assert vocabulary.mask_id not in ours


def test_the_model_file_alone_loads_alike(vocab_folder: Path, vocabulary: Vocabulary, tmp_path: Path) -> None:
    shutil.copy(vocab_folder / "sentencepiece.bpe.model", tmp_path)
    tokenizer = transformers.XLMRobertaTokenizerFast.from_pretrained(tmp_path)
    (ids,) = vocabulary.encode(["the children buy bread"])
    assert tokenizer("the children buy bread")["input_ids"] == [0, *ids.tolist(), 2]
    assert tokenizer.mask_token_id == vocabulary.mask_id


def test_a_bpe_vocabulary_loads_too(corpus: Path, tmp_path: Path, probes: Sequence[str]) -> None:
    train_vocabulary(
        VocabSettings(corpus=corpus, output=tmp_path / "bpe", size=400, model_type="bpe", character_coverage=1.0)
    )
    vocabulary = Vocabulary.load(tmp_path / "bpe")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "bpe")
    for text in probes:
        (ids,) = vocabulary.encode([text])
        assert tokenizer(text)["input_ids"] == [0, *ids.tolist(), 2], text
    assert tokenizer.mask_token_id == vocabulary.mask_id == 399
