"""Trimming: a model for fewer languages, without the pieces that they do not need and with the same answers.

    done = trim(TrimSettings(model="xlm-roberta-base", corpus="corpus", languages=("en", "sw"), output="xlmr-en-sw"))
    print(done.share, done.languages["sw"].coverage)

``cut`` does it, ``outcome`` is what it says of itself; which pieces stay is chosen in ``vocab.trimming``.
"""

from isogloss.trim.cut import TrimSettings, num_bytes, trim, trim_model
from isogloss.trim.outcome import Size, Trim

__all__ = ["Size", "Trim", "TrimSettings", "num_bytes", "trim", "trim_model"]
