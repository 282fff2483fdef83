"""The one training loop: pretraining and fine-tuning, any model, any task, one process or many.

    progress = train(
        model, run=run, batches=batches.batch, loss_of=lambda network, batch: …, total_steps=1000,
        optim=OptimSettings(), settings=LoopSettings(), seed=1, device=choose(),
        actions=[Action("validate", Duration("500 steps"), validate)],
    )

``training`` is the loop, ``feed`` makes batches ahead, ``safety`` says which steps are not learned from, ``stop`` hears
signals, ``watch`` shows how it goes.
"""

from isogloss.loop.feed import TrainingBatch
from isogloss.loop.training import Action, LoopSettings, train
from isogloss.loop.watch import Throughput

__all__ = ["Action", "LoopSettings", "Throughput", "TrainingBatch", "train"]
