"""Steps that are not to be learned from: losses or gradients that are not finite, and spikes of the loss."""

from __future__ import annotations

import math

from isogloss.training_state import Progress

__all__ = ["fault_of", "note_usual"]

# What is usual is known from so many steps, and follows the last hundred or so.
STEPS_TO_KNOW, MEMORY = 100, 0.99


def fault_of(loss: float, norm: float, progress: Progress, *, spike: float) -> str:
    """Why a step is skipped: "not finite", "spike" or, as it is not, nothing.

    A spike is a mean loss of the step (nats) more than `spike` mean deviations above the usual; 0 lets all pass.
    """
    if not (math.isfinite(loss) and math.isfinite(norm)):
        return "not finite"
    known = progress.step - progress.skipped >= STEPS_TO_KNOW
    if spike and known and loss > progress.usual_loss + spike * progress.usual_deviation:
        return "spike"
    return ""


def note_usual(loss: float, progress: Progress) -> None:
    """Remember the loss of a step that was learned from."""
    first = progress.step == progress.skipped
    progress.usual_loss = loss if first else MEMORY * progress.usual_loss + (1 - MEMORY) * loss
    deviation = abs(loss - progress.usual_loss)
    progress.usual_deviation = MEMORY * progress.usual_deviation + (1 - MEMORY) * deviation
