"""Factors and head alone, in the files of peft, which puts them on the base model again.

write_adapter(folder / "adapter", model, settings, base="xlm-roberta-base")

base = AutoModelForSequenceClassification.from_pretrained("xlm-roberta-base", num_labels=3)
model = PeftModel.from_pretrained(base, folder / "adapter")
"""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from isogloss.heads import TaskModel
from isogloss.interop.huggingface import hub_names
from isogloss.lean.lora import LoraSettings, LowRank
from isogloss.manifest import write_json

__all__ = ["write_adapter"]

# What peft calls the heads of transformers' classes.
TASK_TYPES = {"sequence": "SEQ_CLS", "token": "TOKEN_CLS", "question": "QUESTION_ANS"}
PREFIX = "base_model.model."


def write_adapter(folder: Path, model: TaskModel, settings: LoraSettings, *, base: str) -> None:
    """Write adapter_config.json and adapter_model.safetensors; `base` is the path or name of the model underneath."""
    names = hub_names(model.encoder.settings, model.kind)
    tensors: dict[str, Tensor] = {}
    adapted: list[str] = []
    for name, module in model.named_modules():
        if isinstance(module, LowRank):
            downs = module.down.chunk(len(module.parts))
            for part, down, up in zip(module.parts, downs, module.up, strict=True):
                their = names[f"{name}.weight"][part].removesuffix(".weight")
                adapted.append(their)
                tensors |= {f"{their}.lora_A.weight": down, f"{their}.lora_B.weight": up}
    head = {names[name][0]: tensor for name, tensor in model.state_dict().items() if name.startswith("head.")}
    config = {
        "peft_type": "LORA",
        "task_type": TASK_TYPES[model.kind],
        "base_model_name_or_path": base,
        "r": settings.rank,
        "lora_alpha": settings.alpha,
        "lora_dropout": settings.dropout,
        "target_modules": adapted,
        "modules_to_save": sorted({name.split(".")[0] for name in head}),
        "bias": "none",
        "inference_mode": True,
    }
    folder.mkdir()
    write_json(folder / "adapter_config.json", config)
    kept = {PREFIX + name: tensor.detach().cpu().clone() for name, tensor in (tensors | head).items()}
    save_file(kept, folder / "adapter_model.safetensors", metadata={"format": "pt"})
