"""What every test runs under: one torch thread, no network, no hub, and real data where it lies beside the checkout."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Before torch is imported anywhere: a second busy process slows a two-thread torch up to tenfold.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# pytest-timeout limits a test; a limit an example would fail on a machine that has other work.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real text and labels, where they are at hand."""
    if not (SHARED / "data").is_dir():
        pytest.skip("no folder shared/data beside the checkout: real text is not at hand")
    return SHARED / "data"


@pytest.fixture(scope="session")
def golden() -> Path:
    """Prediction files and the scores of the official scorers."""
    if not (SHARED / "golden").is_dir():
        pytest.skip("no folder shared/golden beside the checkout: official scores are not at hand")
    return SHARED / "golden"


NOUNS = {"en": ["dog", "house", "river", "moon"], "sw": ["mbwa", "nyumba", "mto", "mwezi"]}
VERBS = {"en": ["runs", "sleeps", "falls", "sings"], "sw": ["anakimbia", "analala", "anaanguka", "anaimba"]}


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with random weights: what a pretraining run leaves."""
    import sentencepiece

    from isogloss.checkpoint import save_model
    from isogloss.model import MaskedLM, ModelSettings, initialise
    from isogloss.vocab import MODEL_NAME, Vocabulary
    from isogloss.vocab.hub import write_hub_files

    folder = tmp_path_factory.mktemp("pretrained")
    lines = [f"{noun} {verb} ." for code in NOUNS for noun in NOUNS[code] for verb in VERBS[code]]
    content = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=content, model_type="bpe", vocab_size=110, minloglevel=2
    )
    vocabulary = Vocabulary.from_bytes(content.getvalue())
    (folder / "vocab").mkdir()
    (folder / "vocab" / MODEL_NAME).write_bytes(content.getvalue())
    write_hub_files(folder / "vocab", vocabulary)
    settings = ModelSettings(
        vocabulary_size=vocabulary.size, width=64, num_layers=1, num_heads=2, feedforward=64, max_length=32
    )
    model = MaskedLM(settings)
    initialise(model, seed=1)
    save_model(
        folder / "model", model, vocabulary_folder=folder / "vocab", parents=[], command="test", card="A test model."
    )
    return folder / "model"


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Words and their tags, texts and labels, questions and answers, in two languages, learnable by word."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "text").mkdir()
    for code in NOUNS:
        pairs = [(noun, verb) for noun in NOUNS[code] for verb in VERBS[code]]
        tagged = "\n\n".join(f"{noun}\tNOUN\n{verb}\tVERB\n.\tPUNCT" for noun, verb in pairs)
        texts = "\n".join(f"{noun} {verb}\t{verb}" for noun, verb in pairs)
        entries = [
            {
                "context": f"{n} {v}",
                "qas": [{"id": str(i), "question": ".", "answers": [{"text": v, "answer_start": len(n) + 1}]}],
            }
            for i, (n, v) in enumerate(pairs)
        ]
        for split in ("train", "dev"):
            (folder / f"{split}.{code}.tsv").write_text(tagged)
            (folder / "text" / f"{split}.{code}.tsv").write_text(texts)
            (folder / f"{split}.{code}.json").write_text(json.dumps({"data": [{"paragraphs": entries}]}))
    return folder


@pytest.fixture(scope="session")
def without_setting() -> Callable[[Path, str], None]:
    """Takes a setting out of a config.json or manifest.json, as written by a version that did not have it."""

    def forget(path: Path, key: str) -> None:
        content = json.loads(path.read_text(encoding="utf-8"))
        table, *rest = content["config"], *key.split(".")
        for name in rest[:-1]:
            table = table[name]
        del table[rest[-1]]
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    return forget


@pytest.fixture(scope="session")
def write_corpus() -> Callable[..., Path]:
    """Writes a corpus folder of the given documents, so many a part, without the room that builds them."""
    import zstandard

    from isogloss.manifest import write_manifest

    def write(folder: Path, texts: Mapping[str, Sequence[str]], *, documents_a_part: int = 1 << 20) -> Path:
        for code, language_texts in texts.items():
            (folder / code).mkdir(parents=True)
            rows = [json.dumps({"id": f"{code}:{n}", "text": text}) for n, text in enumerate(language_texts)]
            for number, start in enumerate(range(0, max(1, len(rows)), documents_a_part)):
                content = "".join(row + "\n" for row in rows[start : start + documents_a_part]).encode()
                part = folder / code / f"part-{number:05d}.jsonl.zst"
                part.write_bytes(zstandard.ZstdCompressor().compress(content))
        statistics = {
            code: {
                "documents": len(language_texts),
                "lines": sum(len(text.splitlines()) for text in language_texts),
                "characters": sum(len(text) for text in language_texts),
                "bytes": sum(len(text.encode("utf-8", "replace")) for text in language_texts),
                "words": sum(len(text.split()) for text in language_texts),
            }
            for code, language_texts in texts.items()
        }
        write_manifest(
            folder,
            kind="corpus",
            command="isogloss corpus build",
            config={},
            statistics={"languages": statistics, "dropped": {}},
        )
        return folder

    return write


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vocab folder and a shards folder of three invented languages."""
    import numpy as np
    import sentencepiece

    from isogloss.manifest import write_manifest
    from isogloss.vocab import MODEL_NAME, Vocabulary

    folder = tmp_path_factory.mktemp("inputs")
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefghijklmnop"), size=rng.integers(2, 6))) for _ in range(60)]
    (folder / "vocab").mkdir()
    with (folder / "vocab" / MODEL_NAME).open("wb") as model:
        sentences = (" ".join(rng.choice(words, size=12)) for _ in range(300))
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=sentences, model_writer=model, vocab_size=60, minloglevel=2, num_threads=1
        )
    of_vocab = write_manifest(folder / "vocab", kind="vocab", command="isogloss vocab train", config={})
    vocabulary = Vocabulary.load(folder / "vocab")
    statistics: dict[str, Any] = {}
    for index, code in enumerate(("en", "sw", "th")):
        own = words[20 * index : 20 * index + 20]
        statistics[code] = {"bytes": 10_000 // (index + 1), "held_out": {"characters": 0}}
        (folder / "shards" / code).mkdir(parents=True)
        for part, num_documents in (("part-00000", 60 // (index + 1)), ("held-out", 5)):
            texts = [" ".join(rng.choice(own, size=12)) for _ in range(num_documents)]
            documents = [[*ids.tolist(), 2] for ids in vocabulary.encode(texts)]
            np.concatenate(documents).astype(np.uint16).tofile(folder / "shards" / code / f"{part}.bin")
            offsets = np.cumsum([0, *map(len, documents)]).astype(np.uint64)
            np.save(folder / "shards" / code / f"{part}.offsets.npy", offsets)
        statistics[code]["held_out"]["characters"] = sum(map(len, texts))
    facts = {
        "vocabulary": {"size": vocabulary.size, "fingerprint": vocabulary.fingerprint},
        "languages": statistics,
    }
    write_manifest(
        folder / "shards", kind="shards", command="isogloss shards", config={}, parents=[of_vocab], statistics=facts
    )
    return folder


@pytest.fixture
def interrupt_pretraining(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, int], Any]:
    """Pretrains until SIGTERM comes while the batch of a step is made; gives the Preempted that ends it."""
    import os
    import signal
    import sys

    from isogloss.errors import Preempted
    from isogloss.loop import train
    from isogloss.pretrain import pretrain

    def run(settings: Any, step_of_signal: int) -> Any:
        def interrupted(*args: Any, batches: Any, **kwargs: Any) -> Any:
            def counted(step: int, micro: int, num_micros: int) -> Any:
                if step == step_of_signal:
                    os.kill(os.getpid(), signal.SIGTERM)
                return batches(step, micro=micro, num_micros=num_micros)

            return train(*args, batches=counted, **kwargs)

        with monkeypatch.context() as patched:
            patched.setattr(sys.modules["isogloss.pretrain"], "train", interrupted)
            with pytest.raises(Preempted) as caught:
                pretrain(settings)
        return caught.value

    return run
