"""The certificate of a vocabulary: our ids, offsets and round trips beside SentencePiece and tokenizer.json.

    certificate = check_vocabulary("vocab")
    certificate.agrees, certificate.differences[0].script, certificate.differences[0].ours

These programs read every probe (``probes.py``): ours; SentencePiece itself, asked by another of its calls than the one
we use; the Rust library ``tokenizers`` with the folder's ``tokenizer.json`` as it stands (extra ``hub``); and, where
transformers is installed, what ``AutoTokenizer`` makes of the folder, which may be something else than its file.
Compared are the ids, the characters of the original text that each piece stands for, and the decoded text. Ours must
also spell: the characters of a piece normalise to it, and decoded text is normalised text. The vocabulary of XLM-R is
compared with the values that were published for it, too.

Conventions are translated, faults are not. SentencePiece gives a character of several pieces to the last of them, we
and ``tokenizers`` to each. To a letter and its marks, composed, ``tokenizers`` gives the first character only. A space
mark alone has no character with us and the first of its word with ``tokenizers``. Decoded text is compared where no
piece is unknown, as programs show unknown ones each in its own way. Special pieces spelt in text are characters to us
and to SentencePiece; ``tokenizers`` can read them as special ids only. There ours is the special ids and what stands
between them, encoded part by part, as ``predict`` does for masks; a note says so. Of two segmentations with one score
(``ties.py``) each program may take its own: not a difference either, but counted.
"""

from __future__ import annotations

import importlib.util
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import sentencepiece

from isogloss.errors import MissingExtraError, VocabularyError
from isogloss.vocab.certificate import SHOWN_CHARACTERS, Certificate, Difference
from isogloss.vocab.layout import FIRST_PIECES, MASK_PIECE, SPACE, Vocabulary
from isogloss.vocab.probes import Probe, all_probes
from isogloss.vocab.published import PUBLISHED, is_published
from isogloss.vocab.readings import Reading, Span, as_partition, character_positions, sharing
from isogloss.vocab.ties import same_score

__all__ = ["Certificate", "Difference", "check_vocabulary"]

TOKENIZER_FILE, TOKENIZER_CONFIG = "tokenizer.json", "tokenizer_config.json"
AUTO_TOKENIZER, PUBLISHED_VALUES = "AutoTokenizer", "published check values"
SPECIALS_NOTE = (
    "special pieces spelt in text, such as <mask>, are characters to isogloss and SentencePiece and special ids to "
    "Hugging Face; compared there as special ids on both sides"
)
# How many pieces around the first difference are shown.
SHOWN_PIECES = 3


def check_vocabulary(path: Path | str, *, probes: Iterable[Probe] | None = None) -> Certificate:
    """Compare on ``probes`` (all of ours, if none are given) what the programs make of a vocab or model folder.

    A folder without tokenizer.json, or a bare ``.model`` file, is compared with SentencePiece alone; a note says so.
    Raises VocabularyError for a damaged vocabulary or tokenizer.json, MissingExtraError where there is a
    tokenizer.json and no library to read it.
    """
    vocabulary = Vocabulary.load(path)
    comparison = _Comparison(vocabulary)
    tokenizers = _load_tokenizers(Path(path))
    scripts: set[str] = set()
    num_probes = 0
    for probe in all_probes() if probes is None else probes:
        comparison.against_sentencepiece(probe)
        for name, tokenizer in tokenizers.items():
            comparison.against_tokenizer(probe, name, tokenizer)
        scripts.add(probe.script)
        num_probes += 1
    for name, tokenizer in tokenizers.items():
        comparison.frames_and_pieces(name, tokenizer)
    if is_published(vocabulary):
        comparison.against_published()
    return Certificate(
        vocabulary=str(path),
        fingerprint=vocabulary.fingerprint,
        size=vocabulary.size,
        num_probes=num_probes,
        scripts=tuple(sorted(scripts - {"Zyyy"})),
        compared={against: dict(counts) for against, counts in comparison.compared.items()},
        differences=tuple(comparison.differences),
        notes=tuple(_notes(Path(path), tokenizers, comparison)),
    )


def _notes(path: Path, tokenizers: dict[str, Any], comparison: _Comparison) -> Iterator[str]:
    if PUBLISHED_VALUES in comparison.compared:
        wrong = sum(found.against == PUBLISHED_VALUES for found in comparison.differences)
        yield f"XLM-R's own vocabulary; {PUBLISHED_VALUES}: {len(PUBLISHED) - wrong} of {len(PUBLISHED)}"
    if not tokenizers:
        yield f"{path} has no {TOKENIZER_FILE}: compared with SentencePiece alone"
        return
    yield SPECIALS_NOTE
    if AUTO_TOKENIZER not in tokenizers:
        yield f"not compared with {AUTO_TOKENIZER}: that takes transformers (isogloss[hub]) and {TOKENIZER_CONFIG}"
    for against, names in comparison.ties.items():
        yield f"{against} takes the other of two segmentations with one score in {len(names)}: {', '.join(names)}"


def _load_tokenizers(folder: Path) -> dict[str, Any]:
    """By name, what reads the folder's tokenizer.json: the Rust library, and transformers if it is installed."""
    file = folder / TOKENIZER_FILE
    if not file.is_file():
        return {}
    try:
        import tokenizers
    except ImportError:
        raise MissingExtraError("tokenizers", "hub", f"comparing with {file}") from None
    found = {TOKENIZER_FILE: _opened(lambda: tokenizers.Tokenizer.from_file(str(file)), file)}
    if (folder / TOKENIZER_CONFIG).is_file() and importlib.util.find_spec("transformers"):
        from transformers import AutoTokenizer

        found[AUTO_TOKENIZER] = _opened(lambda: AutoTokenizer.from_pretrained(folder).backend_tokenizer, folder)
    return found


def _opened(load: Callable[[], Any], path: Path) -> Any:
    """The tokenizer as it stands but for cutting and padding."""
    try:
        tokenizer = load()
    except Exception as error:  # the libraries raise nothing narrower
        reason = " ".join(str(error).split())
        raise VocabularyError(f"{path} is no tokenizer that can be read ({reason}); make or copy it again") from None
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
        self.ties: dict[str, list[str]] = {}
        self.specials = re.compile(f" *{re.escape(MASK_PIECE)}|" + "|".join(map(re.escape, FIRST_PIECES)))

    def against_sentencepiece(self, probe: Probe) -> None:
        """Ours beside SentencePiece's, and beside the text: what spans and decoded text must spell."""
        ours = self._ours(probe.text)
        found = self.processor.encode(probe.text, return_type="proto")
        to_characters = character_positions(probe.text)
        spans = [(to_characters[piece.begin], to_characters[piece.end]) for piece in found.pieces]
        raw = [piece.id for piece in found.pieces]
        theirs = Reading([_our_id(index) for index in raw], spans, self.processor.decode(raw))
        self._compare("SentencePiece", probe, as_partition(ours), theirs, self._trimmed(probe.text))
        spelt = Reading(ours.ids, self._spelling_spans(probe.text, ours), self.vocabulary.normalize(probe.text))
        self._compare("the text itself", probe, ours, spelt, lambda spans: spans)

    def against_tokenizer(self, probe: Probe, name: str, tokenizer: Any) -> None:
        """Ours beside Hugging Face's; special pieces in the text are read as such on both sides."""
        ours = self._with_specials(probe.text) if probe.special else self._ours(probe.text)
        self._compare(name, probe, ours, self._theirs(tokenizer, probe.text), self._trimmed(probe.text))

    def against_published(self) -> None:
        """Ours beside the ids that fairseq published for the vocabulary of XLM-R."""
        for script, text, theirs in PUBLISHED:
            ours = [0, *self.vocabulary.encode([text])[0].tolist(), 2]
            said = _constant(str(ours), str(list(theirs)))
            self._note(PUBLISHED_VALUES, "ids", Probe(script, "published", text), ours == list(theirs), said)

    def frames_and_pieces(self, against: str, tokenizer: Any) -> None:
        """``<s> A </s>``, ``<s> A </s></s> B </s>``, and the id of every piece."""
        first, second = (ids.tolist() for ids in self.vocabulary.encode(["a", "b"]))
        probe = Probe("Zyyy", "one text and two", "a, b")
        for texts, ours in ((("a",), [0, *first, 2]), (("a", "b"), [0, *first, 2, 2, *second, 2])):
            theirs = tokenizer.encode(*texts).ids
            self._note(against, "frame", probe, ours == theirs, _constant(str(ours), str(theirs)))
        known = tokenizer.get_vocab()
        wrong = [(piece, index) for index, piece in enumerate(self.vocabulary.pieces) if known.get(piece) != index]
        same = not wrong and len(known) == self.vocabulary.size
        first = wrong[0] if wrong else None
        own = f"{self.vocabulary.size} pieces" + (f", {first[0]!r} is {first[1]}" if first else "")
        other = f"{len(known)} pieces" + (f", {first[0]!r} is {known.get(first[0])}" if first else "")
        probe = Probe("Zyyy", "ids of all pieces", "")
        self._note(against, "pieces", probe, same, _constant(own, other))

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
        return Reading(
            found.ids, self._composed(text, found.offsets), tokenizer.decode(found.ids, skip_special_tokens=True)
        )

    def _compare(
        self, against: str, probe: Probe, ours: Reading, theirs: Reading, trimmed: Callable[[list[Span]], list[Span]]
    ) -> None:
        same = ours.ids == theirs.ids
        tied = not same and same_score(self.vocabulary, ours.ids, theirs.ids)
        if tied:
            self.ties.setdefault(against, []).append(probe.name)
        if theirs.ids is not ours.ids:  # the text itself has no ids to compare
            self._note(against, "ids", probe, same or tied, lambda: self._pieces_around(ours.ids, theirs.ids))
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
        for group in sharing(spans):
            ids = [ours.ids[number] for number in group]
            start, end = spans[group[0]][0], spans[group[-1]][1]
            said = "".join(self.vocabulary.piece(index) for index in ids).replace(SPACE, "")
            if self.vocabulary.unk_id not in ids and said != self.vocabulary.normalize(text[start:end]).replace(
                " ", ""
            ):
                for number in group:
                    spans[number] = (-1, -1)
        return spans

    def _composed(self, text: str, spans: Sequence[Span]) -> list[Span]:
        """Spans that reach over the marks of their last letter: composed, it has its first character only."""
        found = []

        def size(part: str) -> int:
            return len(self.vocabulary.normalize(part))

        for number, (start, end) in enumerate(spans):
            last = spans[number + 1][0] if number + 1 < len(spans) else len(text)
            while start < end < last and size(text[start : end + 1]) <= size(text[start:end]):
                end += 1
            found.append((start, end))
        return found

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


def _our_id(raw: int) -> int:
    """SentencePiece's id as ours, said once more so that a mistake in layout.py shows."""
    return 3 if raw == 0 else raw + 1


def _first_difference(ours: Sequence[object], theirs: Sequence[object]) -> int:
    pairs = enumerate(zip(ours, theirs, strict=False))
    return next((number for number, (own, other) in pairs if own != other), min(len(ours), len(theirs)))


def _text_around(ours: str, theirs: str) -> tuple[str, str]:
    first = max(0, _first_difference(ours, theirs) - SHOWN_CHARACTERS // 2)
    return repr(ours[first : first + SHOWN_CHARACTERS]), repr(theirs[first : first + SHOWN_CHARACTERS])


def _constant(ours: str, theirs: str) -> Callable[[], tuple[str, str]]:
    return lambda: (ours, theirs)
