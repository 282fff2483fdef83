"""Engines that benchmarks/encode.py times: each makes, of a folder, a function from texts to their mean vectors.

    answer = SIDES["openvino-bf16"](folder)
    vectors = answer(texts)                             # (texts, width) fp32, in their order

All read one model, in the files that `encode.py` has laid ready: `model/` in Hugging Face's layout, `onnx/model.onnx`,
`onnx-int8/model.onnx`, `ctranslate2/`. Where an engine leaves batching to its user, texts are sorted by length and go
in batches of 32, padded to their longest, which is its best use; transformers' defaults are timed as they are, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["BATCH", "MAX_LENGTH", "SIDES", "Answer"]

FloatArray = npt.NDArray[np.float32]
Answer = Callable[[Sequence[str]], FloatArray]
# Ids and mask of a padded batch, (B, L) each → hidden states (B, L, D).
Forward = Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], FloatArray]

BATCH = 32
MAX_LENGTH = 512


def isogloss(folder: Path, *, precision: str) -> Answer:
    import isogloss

    predictor = isogloss.load(folder / "model", precision=precision)
    return partial(predictor.embed, pooling="mean-all")


def pipeline(folder: Path) -> Answer:
    """transformers' pipeline as its documentation calls it: its defaults, texts one by one."""
    import transformers

    extract = transformers.pipeline("feature-extraction", model=str(folder / "model"), tokenizer=tokenizer_of(folder))

    def answer(texts: Sequence[str]) -> FloatArray:
        options = {"truncation": True, "max_length": MAX_LENGTH}
        return np.stack([np.mean(found[0], axis=0) for found in extract(list(texts), tokenize_kwargs=options)])

    return answer


def transformers_batches(folder: Path, *, dtype: torch.dtype, by_length: bool) -> Answer:
    import transformers

    model = transformers.AutoModel.from_pretrained(folder / "model", dtype=dtype).eval()

    def forward(ids_BL: npt.NDArray[np.int64], mask_BL: npt.NDArray[np.int64]) -> FloatArray:
        with torch.inference_mode():
            found = model(input_ids=torch.from_numpy(ids_BL), attention_mask=torch.from_numpy(mask_BL))
        states: FloatArray = found.last_hidden_state.float().numpy()
        return states

    return partial(in_batches, forward, tokenizer_of(folder), by_length=by_length)


def sentence_transformers(folder: Path, *, dtype: str) -> Answer:
    from sentence_transformers import SentenceTransformer, models

    transformer = models.Transformer(str(folder / "model"), max_seq_length=MAX_LENGTH, model_args={"dtype": dtype})
    model = SentenceTransformer(modules=[transformer, models.Pooling(transformer.get_word_embedding_dimension())])
    return lambda texts: np.asarray(model.encode(list(texts), batch_size=BATCH, show_progress_bar=False))


def onnxruntime(folder: Path, *, graph: str) -> Answer:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(folder / graph / "model.onnx", options, providers=["CPUExecutionProvider"])

    def forward(ids_BL: npt.NDArray[np.int64], mask_BL: npt.NDArray[np.int64]) -> FloatArray:
        states: FloatArray = session.run(["last_hidden_state"], {"input_ids": ids_BL, "attention_mask": mask_BL})[0]
        return states

    return partial(in_batches, forward, tokenizer_of(folder), by_length=True)


def openvino(folder: Path, *, graph: str, precision: str) -> Answer:
    import openvino

    core = openvino.Core()
    hints = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": torch.get_num_threads()}
    model = core.compile_model(core.read_model(folder / graph / "model.onnx"), "CPU", hints)

    def forward(ids_BL: npt.NDArray[np.int64], mask_BL: npt.NDArray[np.int64]) -> FloatArray:
        states: FloatArray = model({"input_ids": ids_BL, "attention_mask": mask_BL})["last_hidden_state"]
        return states

    return partial(in_batches, forward, tokenizer_of(folder), by_length=True)


def ctranslate2(folder: Path, *, compute: str) -> Answer:
    """Batches are given as lists; it pads and masks them itself."""
    import ctranslate2

    encoder = ctranslate2.Encoder(
        str(folder / "ctranslate2"), compute_type=compute, intra_threads=torch.get_num_threads()
    )

    def forward(ids_BL: npt.NDArray[np.int64], mask_BL: npt.NDArray[np.int64]) -> FloatArray:
        rows = [ids_L[mask_L == 1].tolist() for ids_L, mask_L in zip(ids_BL, mask_BL, strict=True)]
        states: FloatArray = np.array(encoder.forward_batch(rows).last_hidden_state)
        return states

    return partial(in_batches, forward, tokenizer_of(folder), by_length=True)


def in_batches(forward: Forward, tokenizer: Any, texts: Sequence[str], *, by_length: bool) -> FloatArray:
    """Texts cut to ids, padded in batches, and the mean of what `forward` gives for each one's tokens."""
    ids = tokenizer(list(texts), truncation=True, max_length=MAX_LENGTH)["input_ids"]
    order = sorted(range(len(ids)), key=lambda text: -len(ids[text])) if by_length else list(range(len(ids)))
    vectors: dict[int, FloatArray] = {}
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        length = max(len(ids[text]) for text in batch)
        ids_BL, mask_BL = (np.full((len(batch), length), fill, np.int64) for fill in (tokenizer.pad_token_id, 0))
        for row, text in enumerate(batch):
            ids_BL[row, : len(ids[text])], mask_BL[row, : len(ids[text])] = ids[text], 1
        states_BLD = forward(ids_BL, mask_BL)
        for row, text in enumerate(batch):
            vectors[text] = states_BLD[row, : len(ids[text])].mean(0)
    return np.stack([vectors[text] for text in range(len(ids))])


def tokenizer_of(folder: Path) -> Any:
    import transformers

    return transformers.AutoTokenizer.from_pretrained(folder / "model")


SIDES: dict[str, Callable[[Path], Answer]] = {
    "isogloss": partial(isogloss, precision="auto"),
    "isogloss-int8": partial(isogloss, precision="int8"),
    "transformers-pipeline": pipeline,
    "transformers-batches": partial(transformers_batches, dtype=torch.float32, by_length=False),
    "transformers-bf16": partial(transformers_batches, dtype=torch.bfloat16, by_length=True),
    "sentence-transformers": partial(sentence_transformers, dtype="float32"),
    "sentence-transformers-bf16": partial(sentence_transformers, dtype="bfloat16"),
    "onnxruntime": partial(onnxruntime, graph="onnx"),
    "onnxruntime-int8": partial(onnxruntime, graph="onnx-int8"),
    "openvino": partial(openvino, graph="onnx", precision="f32"),
    "openvino-bf16": partial(openvino, graph="onnx", precision="bf16"),
    "openvino-int8": partial(openvino, graph="onnx-int8", precision="bf16"),
    "ctranslate2": partial(ctranslate2, compute="float32"),
    "ctranslate2-int8": partial(ctranslate2, compute="int8_float32"),
}
