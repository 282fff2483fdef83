"""transformers' Trainer beside our loop: a model of one of our shapes, trained with Trainer's defaults, step by step.

    model = transformers.XLMRobertaForMaskedLM(config_of(shape))
    train_beside(model, rows, tick, output=folder, device=device, batch_size=8, bf16=False, max_steps=7, …)

`tick` is given the loss at the end of each step, and may end the process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import transformers

from isogloss.devices import Device
from isogloss.model import POSITION_OFFSET, ModelSettings

__all__ = ["config_of", "train_beside"]

# What Trainer itself is given; everything else it is asked for are its arguments.
OF_TRAINER = ("data_collator", "processing_class")


def config_of(shape: ModelSettings, **more: Any) -> transformers.XLMRobertaConfig:
    """Their settings of our shape."""
    return transformers.XLMRobertaConfig(
        vocab_size=shape.vocabulary_size,
        hidden_size=shape.width,
        num_hidden_layers=shape.num_layers,
        num_attention_heads=shape.num_heads,
        intermediate_size=shape.feedforward,
        hidden_dropout_prob=shape.dropout,
        attention_probs_dropout_prob=shape.attention_dropout,
        max_position_embeddings=shape.max_length + POSITION_OFFSET,
        type_vocab_size=1,
        layer_norm_eps=shape.layer_norm_eps,
        **more,
    )


def train_beside(
    model: Any,
    rows: Sequence[Any],
    tick: Callable[[float], None],
    *,
    output: Path,
    device: Device,
    batch_size: int,
    bf16: bool,
    **more: Any,
) -> None:
    """Trainer with its defaults, but that it writes nothing; `more` are arguments of it or of its TrainingArguments."""
    transformers.logging.set_verbosity_error()
    latest: list[float] = []

    class Ticking(transformers.TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            tick(latest[0])

    class Trainer(transformers.Trainer):
        def compute_loss(self, *given: Any, **named: Any) -> Any:
            loss = super().compute_loss(*given, **named)
            latest[:] = [float(loss.detach())]
            return loss

    of_trainer = {name: more.pop(name) for name in OF_TRAINER if name in more}
    arguments = transformers.TrainingArguments(
        output_dir=str(output),
        per_device_train_batch_size=batch_size,
        bf16=bf16,
        use_cpu=device.device.type == "cpu",
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        **more,
    )
    Trainer(model=model, args=arguments, train_dataset=rows, callbacks=[Ticking()], **of_trainer).train()
