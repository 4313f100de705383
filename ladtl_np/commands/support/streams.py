"""What ``ladtl tag`` reads and writes, one sentence at a time."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Literal

import msgspec

from ladtl_np.commands.support.formats import naming_standard_output
from ladtl_np.corpus.formats.conll import format_sentence, iterate_conll
from ladtl_np.corpus.formats.jsonl import format_document, iterate_jsonl
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.raw import RawLine, TokenMode, iterate_raw
from ladtl_np.corpus.schemes import decoded_tags, spans
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import DataError, UsageError
from ladtl_np.files import new_file, require_apart
from ladtl_np.runs.marker import is_kept

__all__ = [
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
    """One sentence of the input.

    Attributes
    ----------
    raw
        Its text and tokens.
    id
        Id of a JSONL document.
    """

    raw: RawLine
    id: int | str | None = None


def read(
    stream: Iterable[bytes],
    kind: InputFormat,
    mode: TokenMode,
    options: ReadOptions,
    name: str,
    tally: Tally,
) -> Iterator[Unit]:
    """Yield the sentences of a stream in one of the three formats.

    Parameters
    ----------
    stream
        The lines of the input.
    kind
        ``text``: a line is a sentence. ``conll``: tokens of one column. ``jsonl``: a document is a
        sentence; labels it may have are left aside.
    mode
        What a token of text is; and how the text of columns is put together for JSONL: without
        anything between its tokens, or with a space.
    options
        How columns are read.
    name
        Name of the input in messages.
    tally
        Filled with counts of what is no error.
    """
    if kind == "text":
        lines = iterate_raw(stream, mode, name, encoding=options.encoding, tally=tally)
        yield from map(Unit, lines)
    elif kind == "jsonl":
        for document in iterate_jsonl(stream, mode, name, tally=tally):
            yield Unit(document.raw, document.id)
    else:
        untagged = msgspec.structs.replace(options, tag_column=None)
        for sentence in iterate_conll(stream, untagged, name, tally=tally):
            yield Unit(_joined(sentence.tokens, mode, sentence.line))


def _joined(tokens: tuple[str, ...], mode: TokenMode, line: int) -> RawLine:
    """Put the tokens of columns together to a text."""
    gap = "" if mode == "characters" else " "
    ends = accumulate(len(token) + len(gap) for token in tokens)
    starts = (0, *ends)[:-1]
    return RawLine(gap.join(tokens), tokens, line, starts)


def conll_lines(unit: Unit, tags: Sequence[str], scheme: str, name: str) -> str:
    """Token and tag of each token, and a blank line; an empty sentence is a blank line."""
    written = decoded_tags(tags, scheme)
    try:
        return format_sentence(unit.raw.tokens, written) + "\n"
    except ValueError as error:
        raise DataError(f"{name}:{unit.raw.line}: {error}") from None


def jsonl_line(unit: Unit, tags: Sequence[str]) -> str:
    """Text, entities by character offsets, and id of a sentence."""
    entities = unit.raw.character_spans(spans(tags, "BIOES"))
    return format_document(unit.raw.text, entities, unit.id) + "\n"


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
