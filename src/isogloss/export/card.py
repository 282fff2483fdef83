"""The README.md of an exported folder: what it is, how it compares, and the lines that run it without isogloss.

text = export_card("nli", done, manifest)
"""

from __future__ import annotations

import json

from isogloss.export.outcome import Export, tables
from isogloss.interop.model_card import LICENCE, PIPELINES
from isogloss.manifest import Manifest
from isogloss.report import Block, Heading, Table, Text, to_markdown

__all__ = ["export_card"]

PRODUCTS = {
    "fp32": "Products are computed in fp32.",
    "int8": "Products are computed in int8: what comes in is quantised with one scale for the whole batch, so that an "
    "answer depends a little on what else is in its batch.",
}
# What each head's answer is read off.
ANSWERS = {
    "sequence": """labels = {labels}
(logits,) = session.run(["logits"], inputs)
print([labels[best] for best in logits.argmax(-1)])""",
    "token": """labels = {labels}
(logits,) = session.run(["logits"], inputs)
print([[labels[best] for best in row[mask == 1]] for row, mask in zip(logits.argmax(-1), inputs["attention_mask"])])""",
    "question": """starts, ends = session.run(["start_logits", "end_logits"], inputs)
print([(start, end) for start, end in zip(starts.argmax(-1), ends.argmax(-1))])  # the best places of the tokens""",
    "masked": """(logits,) = session.run(["logits"], inputs)
print([[tokenizer.id_to_token(best) for best in row.argmax(-1)] for row in logits])  # of every token""",
    "encoder": """(states,) = session.run(["last_hidden_state"], inputs)
mask = inputs["attention_mask"][:, :, None]
print((states * mask).sum(1) / mask.sum(1))  # a vector a text: the mean of all its tokens""",
}
TEXTS = {
    "question": '[("Who sees a dog?", "Anna sees a dog.")]',
    "masked": '["Anna sees a <mask>."]',
}
RUN = """import numpy as np
import onnxruntime
from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file("tokenizer.json")
tokenizer.enable_padding(pad_id=1, pad_token="<pad>")
tokenizer.enable_truncation({max_length})
session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])

encoded = tokenizer.encode_batch({texts})
inputs = {{
    "input_ids": np.array([one.ids for one in encoded]),
    "attention_mask": np.array([one.attention_mask for one in encoded]),
}}
{more}{answer}"""
MORE = {
    "language_ids": 'inputs["language_ids"] = np.zeros(len(encoded), np.int64)  # a row of languages in config.json',
    "token_type_ids": 'inputs["token_type_ids"] = np.zeros_like(inputs["input_ids"])',
}


def export_card(name: str, done: Export, manifest: Manifest) -> str:
    """The whole text, for an export of the model called `name`."""
    said = manifest.statistics["described"]
    codes = sorted({code.split("-")[0] for code in manifest.statistics["languages"]})
    rules = ["---", LICENCE, *(["language:"] if codes else []), *(f"- {json.dumps(code)}" for code in codes)]
    rules += ["library_name: onnx", f"pipeline_tag: {PIPELINES[done.head]}", "tags:", "- onnx", "- isogloss"]
    rules += [f"base_model: {json.dumps(name, ensure_ascii=False)}", "---", ""]
    blocks: list[Block] = [
        Heading(f"{name}, exported", level=1),
        Text(f"{name} as an ONNX graph for onnxruntime. {PRODUCTS[done.precision]}"),
    ]
    for title, head, rows in tables(done):
        blocks += [Heading(title), Table(head, rows)]
    answer = ANSWERS[done.head].format(labels=json.dumps(said["labels"], ensure_ascii=False))
    more = "".join(f"{MORE[key]}\n" for key in done.inputs if key in MORE)
    run = RUN.format(
        max_length=said["model"]["max_length"], texts=TEXTS.get(done.head, '["Anna sees a dog."]'), more=more,
        answer=answer,
    )  # fmt: skip
    text = to_markdown([*blocks, Heading("Use"), Text("Without isogloss, in this folder:")])
    return (
        "\n".join(rules)
        + f"{text}\n```python\n{run}\n```\n\nWith it, `isogloss.load(folder)` answers as from any model.\n"
    )
