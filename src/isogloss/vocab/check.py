"""The certificate of a vocabulary: our ids, offsets and round trips beside SentencePiece and tokenizer.json.

    certificate = check_vocabulary("vocab")
    certificate.agrees, certificate.differences[0].script, certificate.differences[0].ours

Three programs read every probe (``probes.py``): ours; SentencePiece itself, asked by another of its calls than the one
we use; and the Rust library ``tokenizers`` with the folder's ``tokenizer.json`` as it stands (extra ``hub``). Compared
are the ids, the characters of the original text that each piece stands for, and the decoded text. Ours must also spell:
the characters of a piece normalise to it, and decoded text is normalised text.

Conventions are translated, faults are not. SentencePiece gives a character of several pieces to the last of them, we
and ``tokenizers`` to each. A space mark alone has no character with us and the first of its word with ``tokenizers``.
Decoded text is compared where no piece is unknown, as programs show unknown ones each in its own way. Special pieces
spelt in text are characters to us and to SentencePiece; ``tokenizers`` can read them as special ids only. There ours is
the special ids and what stands between them, encoded part by part, as ``predict`` does for masks; a note says so.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sentencepiece

from isogloss.errors import MissingExtraError, VocabularyError
from isogloss.vocab.layout import FIRST_PIECES, MASK_PIECE, SPACE, Vocabulary
from isogloss.vocab.probes import Probe, all_probes

__all__ = ["KINDS", "Certificate", "Difference", "check_vocabulary"]

KINDS = ("ids", "offsets", "round trip", "frame", "pieces")
TOKENIZER_FILE = "tokenizer.json"
SPECIALS_NOTE = (
    "special pieces spelt in text, such as <mask>, are characters to isogloss and SentencePiece and special ids to "
    "tokenizer.json; compared there as special ids on both sides"
)
# How much of a text, and how many pieces around the first difference, are shown.
SHOWN_CHARACTERS, SHOWN_PIECES = 60, 3

# What a terminal does not show, or shows as part of another character.
_HIDDEN = re.compile("[\0-\x1f\x7f-\xa0\xad\u0300-\u036f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufe0f\ufeff]")

Span = tuple[int, int]


@dataclass(frozen=True)
class Difference:
    """One thing in which two programs differ: of which probe, and what each says around the first difference."""

    against: str
    kind: str
    script: str
    name: str
    text: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        where = f"{self.script} ({self.name}): {self.kind} of '{_HIDDEN.sub(_escaped, self.text)}'"
        return f"{where}\n    isogloss: {self.ours}\n    {self.against}: {self.theirs}"


@dataclass(frozen=True)
class Certificate:
    """What was compared and where it differs; ``compared`` counts by program and kind."""

    vocabulary: str
    fingerprint: str
    size: int
    num_probes: int
    scripts: tuple[str, ...]
    compared: dict[str, dict[str, int]]
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def num_different(self, against: str, kind: str) -> int:
        """How many comparisons of this kind with this program differ."""
        return sum(found.against == against and found.kind == kind for found in self.differences)

    def table(self) -> str:
        """Equal of compared, a program a line."""
        rows = [["equal of compared", *KINDS]]
        for against, counts in self.compared.items():
            cells = (
                f"{counts[kind] - self.num_different(against, kind)}/{counts[kind]}" if kind in counts else "–"
                for kind in KINDS
            )
            rows.append([against, *cells])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        head = f"{self.vocabulary}: {self.size:,} ids, {self.num_probes} probes in {len(self.scripts)} scripts"
        return "\n".join([head, "", *lines, "", *(f"note: {note}" for note in self.notes)])


@dataclass(frozen=True)
class Reading:
    """What a program makes of a text: ids, each piece's characters, and the text decoded again."""

    ids: list[int]
    spans: list[Span]
    decoded: str


def check_vocabulary(path: Path | str, *, probes: Iterable[Probe] | None = None) -> Certificate:
    """Compare on ``probes`` (all of ours, if none are given) what the programs make of a vocab or model folder.

    A folder without tokenizer.json, or a bare ``.model`` file, is compared with SentencePiece alone; a note says so.
    Raises VocabularyError for a damaged vocabulary or tokenizer.json, MissingExtraError where there is a
    tokenizer.json and no library to read it.
    """
    vocabulary = Vocabulary.load(path)
    comparison = _Comparison(vocabulary)
    file = Path(path) / TOKENIZER_FILE
    tokenizer = _load_tokenizer(file) if file.is_file() else None
    note = SPECIALS_NOTE if tokenizer else f"{path} has no {TOKENIZER_FILE}: compared with SentencePiece alone"
    scripts: set[str] = set()
    num_probes = 0
    for probe in all_probes() if probes is None else probes:
        comparison.against_sentencepiece(probe)
        if tokenizer:
            comparison.against_tokenizer(probe, tokenizer)
        scripts.add(probe.script)
        num_probes += 1
    if tokenizer:
        comparison.frames_and_pieces(tokenizer)
    return Certificate(
        vocabulary=str(path),
        fingerprint=vocabulary.fingerprint,
        size=vocabulary.size,
        num_probes=num_probes,
        scripts=tuple(sorted(scripts - {"Zyyy"})),
        compared={against: dict(counts) for against, counts in comparison.compared.items()},
        differences=tuple(comparison.differences),
        notes=(note,),
    )


def _load_tokenizer(file: Path) -> Any:
    """The Rust tokenizer of a file, as it stands but for cutting and padding."""
    try:
        import tokenizers
    except ImportError:
        raise MissingExtraError("tokenizers", "hub", f"comparing with {file}") from None
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises nothing narrower
        reason = " ".join(str(error).split())
        raise VocabularyError(f"{file} is no tokenizer that can be read ({reason}); make or copy it again") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


class _Comparison:
    """Reads probes with each program and keeps count of what was compared and what differs."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.processor = sentencepiece.SentencePieceProcessor(model_proto=vocabulary.content)
        self.compared: dict[str, Counter[str]] = {}
        self.differences: list[Difference] = []
        self.specials = re.compile(f" *{re.escape(MASK_PIECE)}|" + "|".join(map(re.escape, FIRST_PIECES)))

    def against_sentencepiece(self, probe: Probe) -> None:
        """Ours beside SentencePiece's, and beside the text: what spans and decoded text must spell."""
        ours = self._ours(probe.text)
        found = self.processor.encode(probe.text, return_type="proto")
        to_characters = _character_positions(probe.text)
        spans = [(to_characters[piece.begin], to_characters[piece.end]) for piece in found.pieces]
        raw = [piece.id for piece in found.pieces]
        theirs = Reading([_our_id(index) for index in raw], spans, self.processor.decode(raw))
        self._compare("SentencePiece", probe, _as_partition(ours), theirs, self._trimmed(probe.text))
        spelt = Reading(ours.ids, self._spelling_spans(probe.text, ours), self.vocabulary.normalize(probe.text))
        self._compare("the text itself", probe, ours, spelt, lambda spans: spans)

    def against_tokenizer(self, probe: Probe, tokenizer: Any) -> None:
        """Ours beside tokenizer.json; special pieces in the text are read as such on both sides."""
        ours = self._with_specials(probe.text) if probe.special else self._ours(probe.text)
        self._compare(TOKENIZER_FILE, probe, ours, self._theirs(tokenizer, probe.text), self._trimmed(probe.text))

    def frames_and_pieces(self, tokenizer: Any) -> None:
        """``<s> A </s>``, ``<s> A </s></s> B </s>``, and the id of every piece."""
        first, second = (ids.tolist() for ids in self.vocabulary.encode(["a", "b"]))
        probe = Probe("Zyyy", "one text and two", "a, b")
        for texts, ours in ((("a",), [0, *first, 2]), (("a", "b"), [0, *first, 2, 2, *second, 2])):
            theirs = tokenizer.encode(*texts).ids
            self._note(TOKENIZER_FILE, "frame", probe, ours == theirs, _constant(str(ours), str(theirs)))
        known = tokenizer.get_vocab()
        wrong = [(piece, index) for index, piece in enumerate(self.vocabulary.pieces) if known.get(piece) != index]
        same = not wrong and len(known) == self.vocabulary.size
        first = wrong[0] if wrong else None
        own = f"{self.vocabulary.size} pieces" + (f", {first[0]!r} is {first[1]}" if first else "")
        other = f"{len(known)} pieces" + (f", {first[0]!r} is {known.get(first[0])}" if first else "")
        probe = Probe("Zyyy", "ids of all pieces", "")
        self._note(TOKENIZER_FILE, "pieces", probe, same, _constant(own, other))

    def _ours(self, text: str) -> Reading:
        ids, starts, ends = (values.tolist() for values in self.vocabulary.encode_with_offsets(text))
        return Reading(ids, list(zip(starts, ends, strict=True)), self.vocabulary.decode(ids))

    def _with_specials(self, text: str) -> Reading:
        """Ours with special pieces read as such; <mask> takes the spaces before it, as Hugging Face has it."""
        ids: list[int] = []
        spans: list[Span] = []
        position = 0
        for match in itertools.chain(self.specials.finditer(text), [None]):
            part = self._ours(text[position : match.start() if match else len(text)])
            ids += part.ids
            spans += [(position + start, position + end) for start, end in part.spans]
            if match:
                piece = match[0].lstrip(" ")
                ids.append(self.vocabulary.mask_id if piece == MASK_PIECE else FIRST_PIECES.index(piece))
                spans.append(match.span())
                position = match.end()
        return Reading(ids, spans, self.vocabulary.decode(ids))

    def _theirs(self, tokenizer: Any, text: str) -> Reading:
        found = tokenizer.encode(text, add_special_tokens=False)
        return Reading(found.ids, found.offsets, tokenizer.decode(found.ids, skip_special_tokens=True))

    def _compare(
        self, against: str, probe: Probe, ours: Reading, theirs: Reading, trimmed: Callable[[list[Span]], list[Span]]
    ) -> None:
        same = ours.ids == theirs.ids
        if theirs.ids is not ours.ids:  # the text itself has no ids to compare
            self._note(against, "ids", probe, same, lambda: self._pieces_around(ours.ids, theirs.ids))
        if not same:
            return  # offsets and text of other pieces would repeat the one difference
        lone = [self.vocabulary.piece(index) == SPACE for index in ours.ids]
        own, other = (
            [None if alone else span for alone, span in zip(lone, trimmed(spans), strict=True)]
            for spans in (ours.spans, theirs.spans)
        )
        self._note(against, "offsets", probe, own == other, lambda: self._spans_around(ours.ids, own, other))
        # Decoded text leaves special ids out, and programs differ in the spaces around them.
        if not set(ours.ids) & set(self.vocabulary.special_ids):
            matches = ours.decoded == theirs.decoded
            self._note(against, "round trip", probe, matches, lambda: _text_around(ours.decoded, theirs.decoded))

    def _note(self, against: str, kind: str, probe: Probe, same: bool, said: Callable[[], tuple[str, str]]) -> None:
        self.compared.setdefault(against, Counter())[kind] += 1
        if not same:
            ours, theirs = said()
            text = probe.text if len(probe.text) <= SHOWN_CHARACTERS else probe.text[:SHOWN_CHARACTERS] + "…"
            self.differences.append(Difference(against, kind, probe.script, probe.name, text, ours, theirs))

    def _spelling_spans(self, text: str, ours: Reading) -> list[Span]:
        """Our spans where they spell the pieces; (-1, -1) at the pieces that their characters do not normalise to."""
        spans = list(ours.spans)
        for group in _sharing(spans):
            ids = [ours.ids[number] for number in group]
            start, end = spans[group[0]][0], spans[group[-1]][1]
            said = "".join(self.vocabulary.piece(index) for index in ids).replace(SPACE, "")
            if self.vocabulary.unk_id not in ids and said != self.vocabulary.normalize(text[start:end]).replace(
                " ", ""
            ):
                for number in group:
                    spans[number] = (-1, -1)
        return spans

    def _trimmed(self, text: str) -> Callable[[list[Span]], list[Span]]:
        """Spans without spaces and dropped characters at their ends, which programs count to one piece or another."""
        blank = {character: not self.vocabulary.normalize(character) for character in set(text)}

        def trim(span: Span) -> Span:
            start, end = span
            while start < end and blank[text[start]]:
                start += 1
            while start < end and blank[text[end - 1]]:
                end -= 1
            return start, end

        return lambda spans: [trim(span) for span in spans]

    def _pieces_around(self, ours: Sequence[int], theirs: Sequence[int]) -> tuple[str, str]:
        first = _first_difference(ours, theirs)

        def show(ids: Sequence[int]) -> str:
            shown = ids[max(0, first - SHOWN_PIECES) : first + SHOWN_PIECES + 1]
            known = (f"{index}={self._piece(index)!r}" for index in shown)
            return f"{len(ids)} pieces, from {max(0, first - SHOWN_PIECES)}: {' '.join(known)}"

        return show(ours), show(theirs)

    def _spans_around(
        self, ids: Sequence[int], ours: Sequence[Span | None], theirs: Sequence[Span | None]
    ) -> tuple[str, str]:
        first = _first_difference(ours, theirs)
        piece = f"piece {first} {self._piece(ids[first])!r}"
        return f"{piece} at {ours[first]}", f"{piece} at {theirs[first]}"

    def _piece(self, index: int) -> str:
        return self.vocabulary.pieces[index] if 0 <= index < self.vocabulary.size else "not in the vocabulary"


def _escaped(hidden: re.Match[str]) -> str:
    return f"\\u{ord(hidden[0]):04x}"


def _our_id(raw: int) -> int:
    """SentencePiece's id as ours, said once more so that a mistake in layout.py shows."""
    return 3 if raw == 0 else raw + 1


def _as_partition(ours: Reading) -> Reading:
    """Spans as SentencePiece gives them: a character of several pieces lies in the last one only."""
    following = [*(start for start, _ in ours.spans[1:]), *(end for _, end in ours.spans[-1:])]
    spans = [(start, min(end, later)) for (start, end), later in zip(ours.spans, following, strict=True)]
    return Reading(ours.ids, spans, ours.decoded)


def _sharing(spans: Sequence[Span]) -> Iterator[list[int]]:
    """Pieces in groups: those of one group share characters."""
    group: list[int] = []
    for number, (start, _) in enumerate(spans):
        if group and start >= spans[group[-1]][1]:
            yield group
            group = []
        group.append(number)
    if group:
        yield group


def _character_positions(text: str) -> list[int]:
    """For each byte of the text's UTF-8, and its end, which character it belongs to."""
    sizes = [len(character.encode()) for character in text]
    return [number for number, size in enumerate(sizes) for _ in range(size)] + [len(text)]


def _first_difference(ours: Sequence[object], theirs: Sequence[object]) -> int:
    pairs = enumerate(zip(ours, theirs, strict=False))
    return next((number for number, (own, other) in pairs if own != other), min(len(ours), len(theirs)))


def _text_around(ours: str, theirs: str) -> tuple[str, str]:
    first = max(0, _first_difference(ours, theirs) - SHOWN_CHARACTERS // 2)
    return repr(ours[first : first + SHOWN_CHARACTERS]), repr(theirs[first : first + SHOWN_CHARACTERS])


def _constant(ours: str, theirs: str) -> Callable[[], tuple[str, str]]:
    return lambda: (ours, theirs)
