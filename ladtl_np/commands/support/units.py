"""What ``ladtl tag`` reads: lines, documents or sentences, and what it writes of each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import accumulate, pairwise, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import msgspec

from ladtl_np.corpus.cutting.profile import Profile, TokenMode
from ladtl_np.corpus.cutting.sentences import LONGEST, first_tokens, sentence_ends
from ladtl_np.corpus.cutting.words import Known
from ladtl_np.corpus.document import Alternative, Certainty, Document, Identity
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.conll import format_sentence, iterate_conll
from ladtl_np.corpus.formats.conllu import format_conllu
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.formats.registry import FORMATS
from ladtl_np.corpus.lines import numbered_lines
from ladtl_np.corpus.raw import RawLine, tokenise
from ladtl_np.corpus.schemes import Span, decoded_tags, spans
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import DataError

if TYPE_CHECKING:
    from ladtl_np.model.confidence import Sure

__all__ = [
    "INPUTS",
    "Cut",
    "InputFormat",
    "Tagged",
    "Unit",
    "conll_lines",
    "conllu_lines",
    "read",
]

Tokens = tuple[str, ...]

InputFormat = str
"""``text``, or the name of a format that is read."""

INPUTS = ("text", *(found.name for found in FORMATS.values() if found.reads))
"""All input formats."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A line, a document or a sentence of columns: what is one piece of input and of output.

    Attributes
    ----------
    raw
        Its text and tokens.
    id
        Id of a document.
    file
        File within a folder.
    firsts
        First token of each of its sentences; what has no token is one sentence.
    """

    raw: RawLine
    id: Identity = None
    firsts: tuple[int, ...] = (0,)
    file: str = ""

    def sentences(self) -> list[tuple[str, ...]]:
        """Tokens of each sentence."""
        tokens = self.raw.tokens
        if len(self.firsts) == 1:
            return [tokens]
        return [tokens[a:b] for a, b in pairwise((*self.firsts, len(tokens)))]

    def entities(self, tags: Sequence[Sequence[str]]) -> list[Span]:
        """Spans of code points that the BIOES tags of each sentence mean."""
        found = [
            (first + start, first + end, kind)
            for first, of_sentence in zip(self.firsts, tags, strict=True)
            for start, end, kind in spans(of_sentence, "BIOES")
        ]
        return self.raw.character_spans(found)

    def _entities(self, first: int, tags: Sequence[str]) -> tuple[Span, ...]:
        """The same of one sentence."""
        found = [(first + start, first + end, kind) for start, end, kind in spans(tags, "BIOES")]
        return tuple(self.raw.character_spans(found))

    def document(
        self,
        tags: Sequence[Sequence[str]],
        *,
        tokens: bool,
        sure: Sequence[Sure] | None = None,
    ) -> Document:
        """The tagged text, with its tokens and sentences where they are asked for.

        What is known of how `sure` the tags of each sentence are stands beside.
        """
        bounds, starts = None, None
        if tokens:
            bounds = tuple(self.raw.bounds)
            starts = (0, *(bounds[first][0] for first in self.firsts[1:]))
        raw = self.raw
        entities = tuple(self.entities(tags))
        found = Document(raw.text, entities, self.id, raw.line, self.file, bounds, starts)
        if sure is None:
            return found
        certainties = tuple(self._certainties(sure))
        return replace(found, probabilities=probabilities_of(sure), certainties=certainties)

    def _certainties(self, sure: Sequence[Sure]) -> Iterator[Certainty]:
        """How sure the tags of each sentence are; a sentence reaches to the next one."""
        raw, starts = self.raw, self.raw.starts
        cuts = (0, *(starts[first] for first in self.firsts[1:]), len(raw.text))
        for first, (start, end), of in zip(self.firsts, pairwise(cuts), sure, strict=True):
            best = (
                Alternative(path.probability, self._entities(first, path.tags)) for path in of.paths
            )
            yield Certainty(start, end, of.probability, of.entropy, tuple(best))


class Tagged(NamedTuple):
    """A unit, the tags of each of its sentences, and how sure they are if that was asked for."""

    unit: Unit
    tags: list[tuple[str, ...]]
    sure: list[Sure] | None = None

    def document(self, *, tokens: bool) -> Document:
        """As `Unit.document`."""
        return self.unit.document(self.tags, tokens=tokens, sure=self.sure)


def probabilities_of(sure: Iterable[Sure]) -> tuple[float, ...]:
    """Probability of each entity of some sentences, in their order."""
    return tuple(float(of.tokens[start]) for of in sure for start, _, _ in spans(of.tags, "BIOES"))


@dataclass(frozen=True, slots=True)
class Cut:
    """How text becomes tokens and sentences.

    Attributes
    ----------
    profile
        As the training data are cut, or as it is asked for.
    known
        Whether the training data have a token.
    own
        Whether tokens that a file gives are left aside.
    """

    profile: Profile
    known: Known | None = None

    own: bool = False

    def document(self, document: Document) -> Unit:
        """Cut a document; what its file says of tokens and sentences stays, unless `own` is on."""
        if self.own or document.tokens is None:
            return replace(self.unit(document.text, document.line, document.id), file=document.file)
        bounds, text = document.tokens, document.text
        starts = tuple(start for start, _ in bounds)
        tokens = tuple(text[start:end] for start, end in bounds)
        firsts = {0} | {bisect_left(starts, place) for place in document.sentences or ()}
        kept = tuple(sorted(first for first in firsts if first < max(1, len(bounds))))
        raw = RawLine(text, tokens, document.line, starts)
        return Unit(raw, document.id, kept, document.file)

    def unit(self, text: str, line: int, identity: Identity = None) -> Unit:
        """Cut a text."""
        profile = self.profile
        raw = tokenise(text, profile, line, self.known)
        rules = profile.sentences == "rules"
        places = sentence_ends(
            text, profile.sentences, semicolons=profile.semicolons, known=self.known
        )
        if not places and not (rules and len(raw) > LONGEST):
            return Unit(raw, identity)
        firsts = first_tokens(text, raw.bounds, places, LONGEST if rules else None)
        return Unit(raw, identity, tuple(firsts) or (0,))


def read(
    stream: BinaryIO | Path,
    kind: InputFormat,
    cut: Cut,
    options: ReadOptions,
    name: str,
    tally: Tally,
) -> Iterator[Unit]:
    """Yield the units of an input.

    Parameters
    ----------
    stream
        The input, opened in binary mode; or a folder.
    kind
        ``text``: a line is a unit. Columns: tokens of one column, a sentence is a unit. Others: a
        document is a unit; entities that it may have are left aside.
    cut
        How text is cut; and how the text of columns is put together: without anything between its
        tokens, or with a space.
    options
        How the input is read.
    name
        Name of the input in messages.
    tally
        Filled with counts of what is no error.
    """
    findings = Findings(name)
    untagged = msgspec.structs.replace(options, tag_column=None, format=kind)
    if kind == "text":
        assert not isinstance(stream, Path)
        lines = numbered_lines(stream, findings, encoding=options.encoding, tally=tally)
        for number, text in lines:
            if not findings:
                yield cut.unit(text, number)
        findings.raise_any()
    elif FORMATS[kind].family == "columns":
        assert not isinstance(stream, Path)
        for sentence in iterate_conll(stream, untagged, name, tally=tally):
            yield Unit(_joined(sentence.tokens, cut.profile.tokens, sentence.line))
    else:
        module: Any = import_module(f"ladtl_np.corpus.formats.{FORMATS[kind].module}")
        found = module.read_folder if isinstance(stream, Path) else module.read
        yield from map(cut.document, found(stream, untagged, findings, tally))


def _joined(tokens: tuple[str, ...], mode: TokenMode, line: int) -> RawLine:
    """Put the tokens of columns together to a text."""
    gap = "" if mode == "characters" else " "
    ends = accumulate(len(token) + len(gap) for token in tokens)
    starts = (0, *ends)[:-1]
    return RawLine(gap.join(tokens), tokens, line, starts)


def conll_lines(tagged: Tagged, scheme: str, name: str) -> str:
    """Token and tag of each token, and a blank line after each sentence, also an empty one.

    Where it is known how sure the tags are, that is a column between the two.
    """
    return _lines(tagged, scheme, name, _columns)


def conllu_lines(tagged: Tagged, scheme: str, name: str) -> str:
    """The same in CoNLL-U; it has no empty sentences."""
    return _lines(tagged, scheme, name, _conllu)


def _columns(tokens: Tokens, tags: Tokens, sure: Sequence[str]) -> str:
    return format_sentence(tokens, *([sure] if sure else []), tags) + "\n"


def _conllu(tokens: Tokens, tags: Tokens, sure: Sequence[str]) -> str:
    return format_conllu(tokens, tags, sure) + "\n" if tokens else ""


def _lines(
    tagged: Tagged, scheme: str, name: str, line: Callable[[Tokens, Tokens, Sequence[str]], str]
) -> str:
    told = [[f"{p:.4f}" for p in of.tokens] for of in tagged.sure or ()]
    parts = zip(tagged.unit.sentences(), tagged.tags, told or repeat(()), strict=False)
    try:
        return "".join(
            line(tokens, decoded_tags(tags, scheme), sure) for tokens, tags, sure in parts
        )
    except ValueError as error:
        raise DataError(f"{name}:{tagged.unit.raw.line}: {error}") from None
