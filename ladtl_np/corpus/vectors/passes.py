"""Sentences of several files, read anew for each pass over them, so that none is kept in memory."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache, partial
from typing import BinaryIO, cast

import msgspec

from ladtl_np.corpus.cutting.profile import TokenMode
from ladtl_np.corpus.formats.conll import ReadOptions, iterate_conll
from ladtl_np.corpus.formats.detection import LOOK, remark_on_form
from ladtl_np.corpus.lines import display_name, open_input
from ladtl_np.corpus.raw import iterate_raw
from ladtl_np.corpus.tally import Remark, Tally
from ladtl_np.errors import UsageError

__all__ = ["Passes", "Reader", "column_reader", "open_passes", "text_reader"]

Reader = Callable[[Iterable[bytes], str, Tally], Iterator[tuple[str, ...]]]
"""Turns a binary stream, its name in messages and a tally to fill into the tokens of sentences."""

Opener = Callable[[], AbstractContextManager[BinaryIO]]


def text_reader(mode: TokenMode, encoding: str) -> Reader:
    """Read plain text, one sentence a line; empty lines are none."""

    def read(stream: Iterable[bytes], name: str, tally: Tally) -> Iterator[tuple[str, ...]]:
        for line in iterate_raw(stream, mode, name, encoding=encoding, tally=tally):
            if line.tokens:
                yield line.tokens

    return read


def column_reader(options: ReadOptions) -> Reader:
    """Read the token column of CoNLL columns; whatever stands in the tag column is left aside."""
    untagged = msgspec.structs.replace(options, tag_column=None)

    def read(stream: Iterable[bytes], name: str, tally: Tally) -> Iterator[tuple[str, ...]]:
        for sentence in iterate_conll(stream, untagged, name, tally=tally):
            yield sentence.tokens

    return read


class Passes:
    """The sentences of all files in their order, as often as they are iterated.

    Attributes
    ----------
    tally
        What the last pass met that is no error, by the name of the file.
    """

    def __init__(
        self, files: Sequence[tuple[str, Opener, Reader]], normalise: Callable[[str], str] | None
    ) -> None:
        self._files = files
        self._normalise = cache(normalise) if normalise else None
        self.tally: dict[str, Tally] = {}

    def forms(self, texts: int, cure: str) -> Iterator[Remark]:
        """Say which of the first files, so many texts, have another form, whose tags are words."""
        for name, opener, _ in self._files[:texts]:
            with opener() as stream:
                start = stream.read(LOOK)
            yield from (replace(one, corpus=name) for one in remark_on_form(start, cure))

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        self.tally = {}
        for name, opener, read in self._files:
            tally = self.tally[name] = Tally()
            with opener() as stream:
                sentences = read(stream, name, tally)
                if self._normalise is None:
                    yield from sentences
                else:
                    yield from (tuple(map(self._normalise, tokens)) for tokens in sentences)


@contextlib.contextmanager
def open_passes(
    inputs: Iterable[tuple[str, Reader]], normalise: Callable[[str], str] | None = None
) -> Iterator[Passes]:
    """Make files ready to be read several times.

    Files are opened anew for each pass. Standard input and pipes, which can be read only once, are
    copied to a temporary file that has no name and that nobody else can open.

    Parameters
    ----------
    inputs
        Paths, ``-`` for standard input, each with its reader.
    normalise
        The form of a token that is wanted; it is asked once for each distinct token.

    Raises
    ------
    UsageError
        If a path cannot be opened, or standard input stands there twice.
    """
    inputs = list(inputs)
    if [path for path, _ in inputs].count("-") > 1:
        raise UsageError("standard input can be read only once; name it once")
    with contextlib.ExitStack() as stack:
        files = [
            (display_name(path), stack.enter_context(_repeatable(path)), reader)
            for path, reader in inputs
        ]
        yield Passes(files, normalise)


@contextlib.contextmanager
def _repeatable(path: str) -> Iterator[Opener]:
    """Give the function that opens an input for one more pass."""
    with open_input(path) as stream:
        if path == "-" or not os.path.isfile(path):
            with tempfile.TemporaryFile() as copy:
                shutil.copyfileobj(stream, copy)
                yield partial(_rewound, cast(BinaryIO, copy))
            return
    yield partial(open_input, path)


@contextlib.contextmanager
def _rewound(stream: BinaryIO) -> Iterator[BinaryIO]:
    stream.seek(0)
    yield stream
