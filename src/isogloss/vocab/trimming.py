"""Which pieces some languages need, the vocabulary of those alone, and what it does to text.

    used = {code: count_pieces(vocabulary, texts.blocks(code)) for code in texts.languages}
    kept = choose_pieces(vocabulary, used, languages=texts.languages, coverage=1.0)     # ids, ascending
    smaller = trimmed(vocabulary, kept)                                 # its id i is kept[i]
    done = compare(vocabulary, smaller, kept, used["sw"], texts.blocks("sw"))

A text is *covered* when all pieces it is divided into are kept; the smaller vocabulary then divides it in the same way,
whether the text was read here or not. With unigram: SentencePiece takes the best way to each place of a text, the one
with the earliest last piece where several are equal. Pieces that are not on the way taken only offer others, and
without them none gets better; an unknown character in a dropped one's place has a lower score than it had. What an
unknown character scores hangs on the lowest score of all pieces, so that piece stays. With BPE: merges that are done
are done in the same order without those that are not, and the pieces on the way to a kept one are kept (``merges_of``).
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isogloss.corpus.identify.scripts import BLOCKS, SCRIPTS, count_scripts
from isogloss.errors import ConfigError, VocabularyError
from isogloss.languages import script_of
from isogloss.vocab.layout import FIRST_PIECES, Vocabulary
from isogloss.vocab.pieces import is_bpe, is_unigram, learned_pieces, merges_of, with_pieces
from isogloss.vocab.tokenizer import Ids

__all__ = [
    "LanguageTrim",
    "PieceUse",
    "choose_pieces",
    "compare",
    "count_pieces",
    "pieces_by_script",
    "require_pieces",
    "require_spelling",
    "trimmed",
]

# Languages' scripts whose letters lie in blocks of other names; Hangul and kana stand for Korean and Japanese.
LETTERS_OF = {"Hans": ("Hani",), "Hant": ("Hani", "Bopo"), "Jpan": ("Kana", "Hani"), "Kore": ("Hang",)}
LETTERS_OF |= {"Qaag": ("Mymr",)}
# Places in SCRIPTS that say nothing of a script: no letter, unfit for text, a letter of no block that has a name.
NO_SCRIPT = 3
PIECES_AT_A_TIME = 1 << 14
NUM_SHOWN = 100
NUM_EXAMPLES = 4


@dataclass(frozen=True)
class PieceUse:
    """Which pieces the text of a language is divided into: learned ``ids_U``, ascending, and how often each comes."""

    ids_U: Ids
    counts_U: npt.NDArray[np.int64]
    num_texts: int
    num_unknown: int
    unknown_characters: tuple[tuple[str, int], ...]

    def most_frequent(self, coverage: float) -> Ids:
        """The fewest ids that make up this share of all occurrences; with 1 all of them."""
        order = np.lexsort((self.ids_U, -self.counts_U))
        total = np.cumsum(self.counts_U[order])
        needed = int(np.searchsorted(total, coverage * total[-1])) + 1 if len(total) else 0
        return self.ids_U[order[:needed]]


@dataclass(frozen=True)
class LanguageTrim:
    """What a smaller vocabulary does to the texts of a language. Texts are lines; counts but for the last two fields.

    ``pieces`` are occurrences, ``<unk>`` among them, and ``covered`` those whose piece is kept; ``unchanged`` are texts
    that are divided as before. ``dropped`` are pieces that were used and are no more, the most frequent first, with
    their occurrences; ``unknown_characters`` had no piece before either.
    """

    texts: int
    unchanged: int
    pieces: int
    covered: int
    pieces_after: int
    unknown: int
    unknown_after: int
    distinct: int
    distinct_kept: int
    met_once: int
    dropped: tuple[tuple[str, int], ...]
    unknown_characters: tuple[tuple[str, int], ...]

    @property
    def coverage(self) -> float:
        """Share of the occurrences whose piece is kept."""
        return self.covered / self.pieces if self.pieces else 1.0

    @property
    def unmet_share(self) -> float:
        """About the largest share of occurrences in more text of this kind whose piece was not met here.

        Good's and Turing's estimate (Good 1953): the share of those met once.
        """
        return self.met_once / self.pieces if self.pieces else 0.0


def require_spelling(vocabulary: Vocabulary, where: str) -> None:
    """Raises VocabularyError for a model whose pieces cannot be dropped: of words or characters, or with bytes."""
    if not is_unigram(vocabulary.content) and not is_bpe(vocabulary.content):
        raise VocabularyError(f"{where} is a SentencePiece model of words or characters; only unigram and BPE are cut")
    learned_pieces(vocabulary.content)


def count_pieces(vocabulary: Vocabulary, blocks: Iterable[Sequence[str]]) -> PieceUse:
    """Divide all texts and count; memory for one block and one count a piece."""
    counts = np.zeros(vocabulary.size, np.int64)
    num_texts = 0
    unknown: Counter[str] = Counter()
    alphabet = {piece for piece in vocabulary.pieces if len(piece) == 1} | {" "}
    for block in blocks:
        ids, bounds = vocabulary.encode_flat(block)
        counts += np.bincount(ids, minlength=vocabulary.size)
        num_texts += len(block)
        for number in np.flatnonzero(_sums(ids == vocabulary.unk_id, bounds)).tolist():
            strange = Counter(vocabulary.normalize(block[number]))
            unknown.update({character: times for character, times in strange.items() if character not in alphabet})
    num_unknown = int(counts[vocabulary.unk_id])
    counts[list(vocabulary.special_ids)] = 0
    ids_U = np.flatnonzero(counts).astype(np.int32)
    return PieceUse(ids_U, counts[ids_U], num_texts, num_unknown, tuple(unknown.most_common(NUM_SHOWN)))


def choose_pieces(
    vocabulary: Vocabulary,
    used: Mapping[str, PieceUse],
    *,
    languages: Collection[str],
    coverage: float = 1.0,
    also: Collection[int] = (),
) -> Ids:
    """The ids to keep, ascending: special ones, ``also``, and what the languages need.

    Of text in them (``used``) the most frequent pieces that make up ``coverage`` of each language, and every character
    of it; without text every piece that has no letter of another script than theirs. In both cases the single
    characters of those scripts, of no script, and of English stay, and what keeps the segmentation as it is. Raises
    ConfigError without text for a language in a script whose letters we do not know.
    """
    learned = vocabulary.pieces[len(FIRST_PIECES) : vocabulary.mask_id]
    scores = vocabulary.scores[len(FIRST_PIECES) : vocabulary.mask_id]
    kept_L = np.zeros(len(learned), np.bool_)
    met = set(string.ascii_letters)
    for use in used.values():
        kept_L[use.most_frequent(coverage) - len(FIRST_PIECES)] = True
        met.update(*(vocabulary.pieces[index] for index in use.ids_U.tolist()))
    candidates = [place for place, piece in enumerate(learned) if len(piece) == 1 or not used]
    fit = _without_other_letters([learned[place] for place in candidates], _blocks_of(languages, needed=not used))
    kept_L[[place for place, good in zip(candidates, fit, strict=True) if good or learned[place] in met]] = True
    kept_L[np.argmin(scores)] = True
    kept_L[[index - len(FIRST_PIECES) for index in also if index not in vocabulary.special_ids]] = True
    if is_bpe(vocabulary.content):
        ranks = dict(zip(learned, scores, strict=True))
        places = {piece: place for place, piece in enumerate(learned)}
        on_the_way = {places[made] for at in np.flatnonzero(kept_L) for made in merges_of(learned[at], ranks)}
        kept_L[sorted(on_the_way)] = True
    first = range(len(FIRST_PIECES))
    return np.array([*first, *np.flatnonzero(kept_L) + len(FIRST_PIECES), vocabulary.mask_id], np.int32)


def require_pieces(vocabulary: Vocabulary, used: Mapping[str, PieceUse], *, languages: Collection[str]) -> None:
    """Raises VocabularyError for a language that the vocabulary does not know: most of its text is unknown, or without
    text no piece has a letter of its script.
    """
    for code in languages:
        if code in used:
            use = used[code]
            has = _letters([vocabulary.pieces[index] for index in use.ids_U.tolist()]).any(axis=1)
            num_known = int(use.counts_U[has].sum())
            if use.num_unknown <= num_known:
                continue
            why = f"{use.num_unknown:,} stretches of its text are unknown, {num_known:,} pieces with a letter are not"
        else:
            places = [SCRIPTS.index(script) for script in _blocks_of([code], needed=True)]
            if _letters(vocabulary.pieces[len(FIRST_PIECES) : vocabulary.mask_id])[:, places].any():
                continue
            why = f"none has a letter of its script ({script_of(code)})"
        raise VocabularyError(
            f"languages: this vocabulary has no pieces of '{code}': {why}; leave it out, or give it some by "
            "'isogloss vocab extend'"
        )


def trimmed(vocabulary: Vocabulary, kept: Sequence[int] | Ids) -> Vocabulary:
    """The vocabulary of these ids alone, ascending and special ones among them: its piece ``i`` is ``kept[i]``."""
    pieces = list(learned_pieces(vocabulary.content).items())
    first = len(FIRST_PIECES)
    assert [*kept[:first], kept[-1]] == [*range(first), vocabulary.mask_id], "special ids stay"
    return Vocabulary.from_bytes(
        with_pieces(vocabulary.content, dict(pieces[int(index) - first] for index in kept[first:-1]))
    )


def compare(
    vocabulary: Vocabulary, smaller: Vocabulary, kept: Ids, use: PieceUse, blocks: Iterable[Sequence[str]]
) -> tuple[LanguageTrim, list[Ids]]:
    """What became of the texts of a language; with it the old ids of a few texts that are divided as before.

    Raises VocabularyError where a covered text is divided in another way than before.
    """
    new_of_V = np.full(vocabulary.size, -1, np.int32)
    new_of_V[kept] = np.arange(len(kept), dtype=np.int32)
    sums: Counter[str] = Counter()
    examples: list[Ids] = []
    for block in blocks:
        ids, bounds = vocabulary.encode_flat(block)
        found, found_bounds = smaller.encode_flat(block)
        mapped = new_of_V[ids]
        covered = _sums(mapped < 0, bounds) == 0
        lengths, found_lengths = np.diff(bounds), np.diff(found_bounds)
        same = lengths[covered] == found_lengths[covered]
        if not same.all() or not np.array_equal(
            mapped[np.repeat(covered, lengths)], found[np.repeat(covered, found_lengths)]
        ):
            raise VocabularyError(
                "a text whose pieces are all kept is divided in another way without the others: please report this "
                f"vocabulary (fingerprint {vocabulary.fingerprint})"
            )
        sums.update(unchanged=int(covered.sum()), pieces=len(ids), covered=int((mapped >= 0).sum()), after=len(found))
        sums.update(unknown_after=int((found == smaller.unk_id).sum()))
        few = np.flatnonzero(covered)[: NUM_EXAMPLES - len(examples)]
        examples += [ids[bounds[text] : bounds[text + 1]] for text in few]
    gone = new_of_V[use.ids_U] < 0
    dropped = sorted(
        zip(use.counts_U[gone].tolist(), use.ids_U[gone].tolist(), strict=True), key=lambda x: (-x[0], x[1])
    )
    return LanguageTrim(
        texts=use.num_texts,
        unchanged=sums["unchanged"],
        pieces=sums["pieces"],
        covered=sums["covered"],
        pieces_after=sums["after"],
        unknown=use.num_unknown,
        unknown_after=sums["unknown_after"],
        distinct=len(use.ids_U),
        distinct_kept=int((~gone).sum()),
        met_once=int((use.counts_U == 1).sum()),
        dropped=tuple((vocabulary.piece(index), count) for count, index in dropped[:NUM_SHOWN]),
        unknown_characters=use.unknown_characters,
    ), examples


def pieces_by_script(vocabulary: Vocabulary, kept: Ids) -> dict[str, tuple[int, int]]:
    """How many learned pieces each script has, and how many of them are kept; a piece of several is of the first.

    ``Zyyy`` are pieces without a letter, ``Zzzz`` those of scripts that have no name here.
    """
    learned = vocabulary.pieces[len(FIRST_PIECES) : vocabulary.mask_id]
    has = _letters(learned)
    scripts = np.where(has.any(axis=1), has.argmax(axis=1), 0)
    is_kept = np.isin(np.arange(len(learned)) + len(FIRST_PIECES), kept)
    before, after = (np.bincount(which, minlength=len(SCRIPTS)) for which in (scripts, scripts[is_kept]))
    order = sorted(np.flatnonzero(before).tolist(), key=lambda script: -before[script])
    return {SCRIPTS[script]: (int(before[script]), int(after[script])) for script in order}


def _blocks_of(languages: Collection[str], *, needed: bool) -> set[str]:
    """The names of the blocks of letters that these languages are written in."""
    found: set[str] = set()
    for code in languages:
        script = script_of(code)
        blocks = LETTERS_OF.get(script, (script,))
        if needed and not set(blocks) <= set(BLOCKS):
            raise ConfigError(
                f"languages: which letters '{code}' is written in (script {script}) is not known here; give text of it "
                "(--corpus)"
            )
        found.update(blocks)
    return found


def _without_other_letters(pieces: Sequence[str], blocks: Collection[str]) -> npt.NDArray[np.bool_]:
    """Which pieces have no letter of another script."""
    others = [place for place, script in enumerate(SCRIPTS) if place >= NO_SCRIPT and script not in blocks]
    counts: npt.NDArray[np.int64] = np.count_nonzero(_letters(pieces)[:, others], axis=1)
    fit: npt.NDArray[np.bool_] = counts == 0
    return fit


def _letters(pieces: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Whether each piece has a letter of each of SCRIPTS."""
    parts = [pieces[at : at + PIECES_AT_A_TIME] for at in range(0, len(pieces), PIECES_AT_A_TIME)]
    none = np.zeros((0, len(SCRIPTS)), np.bool_)
    return np.concatenate([none, *(count_scripts(part).counts > 0 for part in parts)])


def _sums(values: npt.NDArray[np.bool_], bounds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many are true between each two bounds."""
    total = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
    sums: npt.NDArray[np.int64] = np.diff(total[bounds])
    return sums
