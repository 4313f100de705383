"""One sentence of a text or of an annotated corpus, as a user names it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

import click

from ladtl_np.commands.support.units import Cut, read
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.lines import display_name, open_input
from ladtl_np.corpus.read import format_of, read_corpus
from ladtl_np.corpus.schemes import to_bioes
from ladtl_np.corpus.sentence import Sentence
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import DataError, UsageError
from ladtl_np.printable import LONG, shown

if TYPE_CHECKING:
    from ladtl_np.model.file import Model

__all__ = ["OneSentence", "of_corpus", "of_text"]


class OneSentence(NamedTuple):
    """A sentence: tokens, gold tags in BIOES where they are known, and what it is called."""

    tokens: Sequence[str]
    gold: Sequence[str] | None
    name: str


def of_text(text: str, model: Model, number: int | None) -> OneSentence:
    """A sentence of a text, which is cut as ``ladtl tag`` cuts it."""
    name = display_name("-") if text == "-" else "--text"
    literal = nullcontext(io.BytesIO(text.encode("utf-8", "surrogateescape")))
    cut = Cut(model.profile, model.vocabulary.knows)
    with open_input(text) if text == "-" else literal as stream:
        units = read(stream, "text", cut, ReadOptions(), name, Tally())
        sentences = [tokens for unit in units for tokens in unit.sentences() if tokens]
    place = _chosen_of(len(sentences), number, name)
    return OneSentence(sentences[place], None, f"sentence {place + 1} of {name}")


def of_corpus(path: str, options: ReadOptions, number: int | None, line: int | None) -> OneSentence:
    """A sentence of an annotated corpus, by its number or its line."""
    corpus = read_corpus(path, options)
    name, sentences = corpus.name, list(corpus)
    if line is not None:
        columns = format_of(path, options).family == "columns"
        sentences = [found for found in sentences if _is_at(found, line, columns=columns)]
        name = f"line {line:,} of {corpus.name}"
    place = _chosen_of(len(sentences), number, name)
    found = sentences[place]
    gold = None if found.tags is None else to_bioes(found.tags, corpus.scheme)
    where = f"sentence {place + 1:,} of {shown(name, LONG)}"
    return OneSentence(found.tokens, gold, where)


def _is_at(sentence: Sentence, line: int, *, columns: bool) -> bool:
    """Whether a sentence starts at a line; in columns, where each token has one, is there."""
    return sentence.line <= line < sentence.line + (len(sentence) if columns else 1)


def _chosen_of(count: int, number: int | None, name: str) -> int:
    """Index of the chosen sentence; that there are others is told on standard error."""
    if not count:
        raise DataError(f"{shown(name, LONG)}: there is no sentence there")
    if number is not None and number > count:
        raise UsageError(
            f"--sentence {number:,}: {shown(name, LONG)} has {count:,}; give one of 1 to {count:,}"
        )
    if number is None and count > 1:
        told = f"{shown(name, LONG)} has {count:,} sentences; this is the first"
        click.echo(f"{told}, --sentence chooses another", err=True)
    return (number or 1) - 1
