"""The files by which Hugging Face loads a vocabulary: tokenizer.json and its two companions.

``tokenizer.json`` describes the same model to the ``tokenizers`` library: SentencePiece's normaliser in the parts that
this library has (``normalizer.py``), a split at spaces, unigram scores (or merges, for bpe).

    write_hub_files(folder, vocabulary)
    AutoTokenizer.from_pretrained(folder)

Ids are equal to SentencePiece's but for three kinds of text: where two segmentations have the same score to the last
digit each program may take another (rows of dots, now and then a word); special pieces spelt out in text are special
ids to Hugging Face and characters to us; and letters added to Unicode since 2019 with a mark apart, which
``tokenizers`` does not know yet. A table of another normaliser than nmt_nfkc is read as ``tokenizers`` reads it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sentencepiece import sentencepiece_model_pb2

from isogloss.manifest import write_json
from isogloss.vocab.layout import FIRST_PIECES, MASK_PIECE, SPACE, Vocabulary
from isogloss.vocab.normalizer import hub_normalizer

__all__ = ["tokenizer_json", "write_hub_files"]

# Its classes are made when it is imported, so no type checker sees them.
_messages: Any = sentencepiece_model_pb2


def write_hub_files(folder: Path, vocabulary: Vocabulary, *, max_length: int = 512) -> None:
    """Write tokenizer.json, tokenizer_config.json and special_tokens_map.json into ``folder``."""
    specials = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "cls_token": "<s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": MASK_PIECE,
    }
    config = {
        # transformers 5 builds the backend of its XLM-R class anew, without our normaliser; this class takes the file.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": max_length,
        "clean_up_tokenization_spaces": False,
        **specials,
    }
    # One line a file of 250k pieces: indenting would triple it.
    (folder / "tokenizer.json").write_text(
        json.dumps(tokenizer_json(vocabulary), ensure_ascii=False) + "\n", encoding="utf-8"
    )
    write_json(folder / "tokenizer_config.json", config)
    write_json(folder / "special_tokens_map.json", specials)


def tokenizer_json(vocabulary: Vocabulary) -> dict[str, Any]:
    """The content of tokenizer.json for this vocabulary."""
    proto = _messages.ModelProto()
    proto.ParseFromString(vocabulary.content)
    is_bpe = proto.trainer_spec.model_type == _messages.TrainerSpec.BPE
    metaspace = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always"}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            *(_added_token(index, piece) for index, piece in enumerate(FIRST_PIECES)),
            # Hugging Face's XLM-R takes the space before <mask> into it.
            _added_token(vocabulary.mask_id, MASK_PIECE, lstrip=True),
        ],
        "normalizer": hub_normalizer(proto.normalizer_spec.precompiled_charsmap),
        "pre_tokenizer": {
            "type": "Sequence",
            # The normaliser makes a space of all that is one; U+0085, which Unicode counts among them, is none here.
            "pretokenizers": [{"type": "CharDelimiterSplit", "delimiter": " "}, {**metaspace, "split": True}],
        },
        "post_processor": _template(),
        "decoder": {**metaspace, "split": True},
        "model": _bpe_model(vocabulary) if is_bpe else _unigram_model(vocabulary),
    }


def _added_token(index: int, piece: str, *, lstrip: bool = False) -> dict[str, Any]:
    return {
        "id": index,
        "content": piece,
        "single_word": False,
        "lstrip": lstrip,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def _template() -> dict[str, Any]:
    """``<s> A </s>`` and ``<s> A </s> </s> B </s>``, as XLM-R marks one text and two."""

    def special(piece: str) -> dict[str, Any]:
        return {"SpecialToken": {"id": piece, "type_id": 0}}

    def text(name: str) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": 0}}

    start, end = special("<s>"), special("</s>")
    return {
        "type": "TemplateProcessing",
        "single": [start, text("A"), end],
        "pair": [start, text("A"), end, end, text("B"), end],
        "special_tokens": {
            piece: {"id": piece, "ids": [FIRST_PIECES.index(piece)], "tokens": [piece]} for piece in ("<s>", "</s>")
        },
    }


def _unigram_model(vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        "type": "Unigram",
        "unk_id": vocabulary.unk_id,
        "vocab": [list(pair) for pair in zip(vocabulary.pieces, vocabulary.scores, strict=True)],
        "byte_fallback": False,
    }


def _bpe_model(vocabulary: Vocabulary) -> dict[str, Any]:
    """SentencePiece keeps no merges: a piece may be merged from any two pieces, earlier pieces first."""
    ids = {piece: index for index, piece in enumerate(vocabulary.pieces)}
    merges = [
        [piece[:cut], piece[cut:]]
        for piece in vocabulary.pieces[len(FIRST_PIECES) : -1]
        for cut in range(1, len(piece))
        if piece[:cut] in ids and piece[cut:] in ids
    ]
    return {
        "type": "BPE",
        "vocab": ids,
        "merges": merges,
        "unk_token": "<unk>",
        "fuse_unk": True,
        "byte_fallback": False,
        "dropout": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "ignore_merges": False,
    }
