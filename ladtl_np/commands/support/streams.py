"""What ``ladtl tag`` reads and writes, one line, document or sentence at a time."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Literal

import msgspec

from ladtl_np.commands.support.formats import naming_standard_output
from ladtl_np.corpus.cutting.profile import Profile, TokenMode
from ladtl_np.corpus.cutting.sentences import LONGEST, first_tokens, sentence_ends
from ladtl_np.corpus.cutting.words import Known
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.conll import format_sentence, iterate_conll
from ladtl_np.corpus.formats.jsonl import format_document, iterate_jsonl
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.lines import numbered_lines
from ladtl_np.corpus.raw import RawLine, tokenise
from ladtl_np.corpus.schemes import Span, decoded_tags, spans
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import DataError, UsageError
from ladtl_np.files import new_file, require_apart
from ladtl_np.runs.marker import is_kept

__all__ = [
    "Cut",
    "InputFormat",
    "Unit",
    "check_output",
    "conll_lines",
    "jsonl_line",
    "open_output",
    "read",
]

InputFormat = Literal["text", "conll", "jsonl"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A line, a document or a sentence of columns: what is one piece of input and of output.

    Attributes
    ----------
    raw
        Its text and tokens.
    id
        Id of a JSONL document.
    firsts
        First token of each of its sentences; what has no token is one sentence.
    """

    raw: RawLine
    id: int | str | None = None
    firsts: tuple[int, ...] = (0,)

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


@dataclass(frozen=True, slots=True)
class Cut:
    """How text becomes tokens and sentences.

    Attributes
    ----------
    profile
        As the training data are cut, or as it is asked for.
    known
        Whether the training data have a token.
    """

    profile: Profile
    known: Known | None = None

    def unit(self, text: str, line: int, identity: int | str | None = None) -> Unit:
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
    stream: Iterable[bytes],
    kind: InputFormat,
    cut: Cut,
    options: ReadOptions,
    name: str,
    tally: Tally,
) -> Iterator[Unit]:
    """Yield the units of a stream in one of the three formats.

    Parameters
    ----------
    stream
        The lines of the input.
    kind
        ``text``: a line is a unit. ``conll``: tokens of one column, a sentence is a unit.
        ``jsonl``: a document is a unit; labels it may have are left aside.
    cut
        How text is cut; and how the text of columns is put together for JSONL: without anything
        between its tokens, or with a space.
    options
        How columns are read.
    name
        Name of the input in messages.
    tally
        Filled with counts of what is no error.
    """
    if kind == "text":
        findings = Findings(name)
        lines = numbered_lines(stream, findings, encoding=options.encoding, tally=tally)
        for number, text in lines:
            if not findings:
                yield cut.unit(text, number)
        findings.raise_any()
    elif kind == "jsonl":
        for document in iterate_jsonl(stream, "spaces", name, labels=False, tally=tally):
            yield cut.unit(document.raw.text, document.raw.line, document.id)
    else:
        untagged = msgspec.structs.replace(options, tag_column=None)
        for sentence in iterate_conll(stream, untagged, name, tally=tally):
            yield Unit(_joined(sentence.tokens, cut.profile.tokens, sentence.line))


def _joined(tokens: tuple[str, ...], mode: TokenMode, line: int) -> RawLine:
    """Put the tokens of columns together to a text."""
    gap = "" if mode == "characters" else " "
    ends = accumulate(len(token) + len(gap) for token in tokens)
    starts = (0, *ends)[:-1]
    return RawLine(gap.join(tokens), tokens, line, starts)


def conll_lines(unit: Unit, tags: Sequence[Sequence[str]], scheme: str, name: str) -> str:
    """Token and tag of each token, and a blank line after each sentence, also an empty one."""
    try:
        return "".join(
            format_sentence(tokens, decoded_tags(of_sentence, scheme)) + "\n"
            for tokens, of_sentence in zip(unit.sentences(), tags, strict=True)
        )
    except ValueError as error:
        raise DataError(f"{name}:{unit.raw.line}: {error}") from None


def jsonl_line(unit: Unit, tags: Sequence[Sequence[str]]) -> str:
    """Text, entities by character offsets, and id of a unit."""
    return format_document(unit.raw.text, unit.entities(tags), unit.id) + "\n"


def check_output(output: str, inputs: Iterable[str], *, overwrite: bool) -> None:
    """Refuse an output that cannot or should not be written, before any work is done.

    Raises
    ------
    UsageError
        If it is one of the inputs, a folder, in no folder, one of a run's own files, or exists
        without `overwrite`.
    """
    require_apart([output], inputs)
    if output == "-":
        return
    path = Path(output)
    if path.is_dir():
        raise UsageError(f"{output} is a folder; name a file inside it")
    if path.is_file() and not overwrite:
        raise UsageError(f"{output} exists; give --overwrite, or name another output")
    real = Path(os.path.realpath(path))
    if is_kept(real):
        raise UsageError(
            f"{output} is part of a run or an experiment, which only train and experiment may "
            "replace; name another output"
        )
    folder = real.parent
    if not folder.is_dir():
        raise UsageError(f"{output}: its folder does not exist; make it first")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise UsageError(f"{output} may not be written by you; name another output")
    if path.is_file() and not os.access(folder, os.W_OK):
        raise UsageError(
            f"{output}: its folder may not be written by you, and the file is written beside the "
            "earlier one; name another output"
        )


@contextlib.contextmanager
def open_output(output: str, *, overwrite: bool = True) -> Iterator[Callable[[str], None]]:
    """Open an output for writing text piece by piece, in UTF-8; ``-`` is standard output.

    A file is readable by its owner only, and appears under its name when all is written: after an
    error there is the earlier file, or none. Without `overwrite` none is replaced that another
    process has made meanwhile.
    """
    if output == "-":
        yield _write_standard_output
        return
    direct = os.path.exists(output) and not os.path.isfile(output)
    with new_file(Path(output), overwrite=overwrite) as file:

        def write(text: str) -> None:
            file.write(text.encode("utf-8"))
            if direct:
                file.flush()

        yield write


def _write_standard_output(text: str) -> None:
    with naming_standard_output():
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
