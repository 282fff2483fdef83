"""Extension: a pretrained model with pieces of other languages more, to be pretrained further on them.

    done = extend(ExtendSettings(model="xlm-roberta-base", corpus="corpus", languages=("yo", "ti"), add=20_000,
                                 output="xlmr-yo-ti"))
    print(done.num_added, done.languages["yo"].after.pieces_per_word)

``grow`` does it, ``outcome`` is what it says of itself; which pieces come is chosen in ``vocab.extending``.
"""

from isogloss.extend.grow import ExtendSettings, extend, extend_model
from isogloss.extend.outcome import Extended

__all__ = ["ExtendSettings", "Extended", "extend", "extend_model"]
