"""Tiny random encoders of other families, in the files that their published folders have.

Tokenizers are made from a few sentences, so that every family divides words in its own way; the weights are random.
"""

from __future__ import annotations

import collections
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sentencepiece
import tokenizers
import torch
import transformers

from isogloss.interop.foreign.quiet import quiet

TEXTS = [
    "Anna anaishi Oslo, na Juma anaishi Nairobi.",
    "The old baker opens the door in the morning.",
    "Der Bäcker öffnet morgens die Tür; Élodie schläft.",
    "Пекарь открывает дверь утром.",
    "早上面包师打开店门。",
    "सुबह बेकर दरवाज़ा खोलता है।",
]
BODY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
BERT_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def save(folder: Path, model_class: str, config: Any, tokenizer_config: dict[str, Any]) -> Path:
    """The model with random weights, all of them different from their defaults, and tokenizer_config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(7)
    model = getattr(transformers, model_class)(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.05)
    with quiet():
        model.save_pretrained(folder)
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config), encoding="utf-8")
    return folder


def bert(folder: Path) -> Path:
    """mBERT and BERT: vocab.txt with ## inside words, two token types."""
    folder.mkdir()
    words = collections.Counter(word for text in TEXTS for word in text.split())
    characters = sorted({character for word in words for character in word})
    pieces = [
        *BERT_SPECIALS,
        *characters,
        *(f"##{character}" for character in characters),
        "Anna",
        "##ishi",
        "##orning",
    ]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    config = transformers.BertConfig(vocab_size=len(pieces), max_position_embeddings=64, **BODY)
    told = {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "model_max_length": 64}
    return save(folder, "BertForMaskedLM", config, told)


def _byte_level(folder: Path, specials: list[str]) -> int:
    trained = tokenizers.ByteLevelBPETokenizer()
    trained.train_from_iterator(TEXTS, vocab_size=400, special_tokens=specials, show_progress=False)
    trained.save_model(str(folder))
    return int(trained.get_vocab_size())


def roberta(folder: Path) -> Path:
    """Byte-level BPE, positions counted on from the padding id, `</s></s>` between two texts."""
    folder.mkdir()
    size = _byte_level(folder, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    config = transformers.RobertaConfig(vocab_size=size, max_position_embeddings=66, type_vocab_size=1, **BODY)
    return save(folder, "RobertaForMaskedLM", config, {"tokenizer_class": "RobertaTokenizer", "model_max_length": 64})


def xlm(folder: Path) -> Path:
    """Moses and BPE, lower-cased, a language embedding."""
    folder.mkdir()
    specials = ["<s>", "</s>", "<pad>", "<unk>", *(f"<special{number}>" for number in range(10))]
    lowered = " ".join(TEXTS).lower()
    characters = sorted({character for character in lowered if not character.isspace()})
    merges = ["a n", "t h", "th e</w>"]
    pieces = [*specials, *characters, *(f"{character}</w>" for character in characters), "an", "th", "the</w>"]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(merges) + "\n", encoding="utf-8")
    languages = {"en": 0, "de": 1, "sw": 2}
    config = transformers.XLMConfig(
        vocab_size=len(vocabulary), emb_dim=32, n_layers=2, n_heads=2, max_position_embeddings=64,
        n_langs=3, lang2id=languages, id2lang={number: code for code, number in languages.items()}, use_lang_emb=True,
        bos_index=0, eos_index=1, pad_index=2, unk_index=3, mask_index=5, pad_token_id=2,
    )  # fmt: skip
    return save(folder, "XLMWithLMHeadModel", config, {"tokenizer_class": "XLMTokenizer", "model_max_length": 64})


def _sentencepiece(path: Path, **options: Any) -> int:
    sentencepiece.set_min_log_level(2)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 20),
        model_prefix=str(path.with_suffix("")),
        vocab_size=150,
        hard_vocab_limit=False,
        **options,
    )
    path.with_suffix(".vocab").unlink()
    return int(sentencepiece.SentencePieceProcessor(model_file=str(path)).get_piece_size())


def xlnet(folder: Path) -> Path:
    """SentencePiece; the token for the whole text stands last and has a type of its own."""
    folder.mkdir()
    controls = ["<cls>", "<sep>", "<pad>", "<mask>", "<eod>"]
    size = _sentencepiece(folder / "spiece.model", control_symbols=controls, user_defined_symbols=["<eop>"])
    config = transformers.XLNetConfig(vocab_size=size, d_model=32, n_layer=2, n_head=2, d_inner=48)
    return save(folder, "XLNetLMHeadModel", config, {"tokenizer_class": "XLNetTokenizer", "model_max_length": 64})


def mdeberta(folder: Path) -> Path:
    """SentencePiece, relative positions, no token types."""
    folder.mkdir()
    ids = {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3}
    names = {"pad_piece": "[PAD]", "bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]"}
    size = _sentencepiece(folder / "spm.model", **ids, **names) + 1
    config = transformers.DebertaV2Config(
        vocab_size=size, max_position_embeddings=64, type_vocab_size=0, relative_attention=True, position_buckets=16,
        pos_att_type=["p2c", "c2p"], share_att_key=True, norm_rel_ebd="layer_norm", **BODY,
    )  # fmt: skip
    told = {"tokenizer_class": "DebertaV2Tokenizer", "do_lower_case": False, "model_max_length": 64}
    return save(folder, "DebertaV2Model", config, told)


def _template(tokenizer: Any, start: str, end: str) -> None:
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single=f"{start} $A {end}",
        pair=f"{start} $A {end} $B {end}",
        special_tokens=[(piece, tokenizer.token_to_id(piece)) for piece in (start, end)],
    )


def modernbert(folder: Path) -> Path:
    """ModernBERT: tokenizer.json alone, byte-level BPE, rotary positions."""
    folder.mkdir()
    trained = tokenizers.ByteLevelBPETokenizer()
    trained.train_from_iterator(TEXTS, vocab_size=400, special_tokens=BERT_SPECIALS, show_progress=False)
    backend = tokenizers.Tokenizer.from_str(trained._tokenizer.to_str())
    _template(backend, "[CLS]", "[SEP]")
    return _modern(folder, backend, "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]")


def mmbert(folder: Path) -> Path:
    """mmBERT: ModernBERT's layers with Gemma's kind of tokenizer, BPE over ▁ with `<bos> A <eos>`."""
    folder.mkdir()
    specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    backend = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="<unk>", fuse_unk=True))
    backend.normalizer = tokenizers.normalizers.Replace(" ", "▁")
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=300, special_tokens=specials, show_progress=False)
    backend.train_from_iterator(TEXTS, trainer)
    _template(backend, "<bos>", "<eos>")
    return _modern(folder, backend, "<bos>", "<eos>", "<pad>", "<unk>", "<mask>")


def _modern(folder: Path, backend: Any, start: str, end: str, padding: str, unknown: str, mask: str) -> Path:
    backend.save(str(folder / "tokenizer.json"))
    ids = {
        "pad_token_id": backend.token_to_id(padding),
        "bos_token_id": backend.token_to_id(start),
        "cls_token_id": backend.token_to_id(start),
        "eos_token_id": backend.token_to_id(end),
        "sep_token_id": backend.token_to_id(end),
    }
    config = transformers.ModernBertConfig(
        vocab_size=backend.get_vocab_size(), max_position_embeddings=64, global_attn_every_n_layers=2,
        local_attention=16, **ids, **BODY,
    )  # fmt: skip
    told = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 64,
        "cls_token": start,
        "sep_token": end,
        "pad_token": padding,
        "unk_token": unknown,
        "mask_token": mask,
    }
    return save(folder, "ModernBertForMaskedLM", config, told)


FAMILIES: dict[str, Callable[[Path], Path]] = {
    function.__name__: function for function in (bert, roberta, xlm, xlnet, mdeberta, modernbert, mmbert)
}
