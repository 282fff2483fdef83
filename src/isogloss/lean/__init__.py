"""Fine-tuning in less memory: factors in place of weights, and of the piece embeddings the rows that are used.

    add_factors(model, LoraSettings(rank=8), seed=1)            # LoRA: the encoder stands still, factors learn
    hold_used_rows(model, training.ids.values, folder=run.path) # rows of pieces that do not occur are put aside
    ...training...
    save_model(folder, plain(model), …)                         # the whole model, as if it had been trained itself

`lora` has the factors, `used_rows` the table, `adapter` writes factors and head alone, as peft reads them.
"""

from isogloss.lean.adapter import write_adapter
from isogloss.lean.lora import LoraSettings, LowRank, add_factors
from isogloss.lean.plain import plain
from isogloss.lean.used_rows import UsedRows, hold_used_rows

__all__ = ["LoraSettings", "LowRank", "UsedRows", "add_factors", "hold_used_rows", "plain", "write_adapter"]
