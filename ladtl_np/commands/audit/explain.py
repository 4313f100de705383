"""``ladtl audit explain``: what a model does with one sentence."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ladtl_np.commands.support.auditing import (
    audit_options,
    check_page,
    model_file,
    present,
    tolerance_option,
)
from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.formats import (
    constrained_option,
    domain_option,
    embeddings_option,
    vocabulary_key_option,
)
from ladtl_np.commands.support.reading import (
    READING,
    corpus_options,
    read_options,
    refuse_idle_reading,
)
from ladtl_np.errors import DataError, UsageError
from ladtl_np.model.vocabulary_key import named_key
from ladtl_np.printable import LONG, shown

if TYPE_CHECKING:
    from ladtl_np.corpus.sentence import Sentence
    from ladtl_np.model.file import Model

__all__ = ["explain"]

_NOTE = "This page holds text of the data. Keep it where the data are kept."


class _Chosen(NamedTuple):
    """A sentence: tokens, gold tags in BIOES where they are known, and what it is called."""

    tokens: Sequence[str]
    gold: Sequence[str] | None
    name: str


@click.command(cls=Command)
@click.argument("model")
@click.argument("corpus", required=False)
@click.option("--text", metavar="TEXT", help="Text to explain; - reads it from standard input.")
@click.option(
    "--sentence",
    type=click.IntRange(min=1),
    metavar="N",
    help="Which sentence of the text, of CORPUS or of its line.  [default: the first]",
)
@click.option(
    "--line",
    type=click.IntRange(min=1),
    metavar="N",
    help="The sentence of CORPUS that this line of it belongs to.",
)
@domain_option
@constrained_option
@vocabulary_key_option
@embeddings_option
@corpus_options
@tolerance_option
@audit_options
def explain(
    model: str,
    corpus: str | None,
    text: str | None,
    sentence: int | None,
    line: int | None,
    domain: Any,
    constrained: bool | None,
    vocabulary_key: str | None,
    embeddings: str | None,
    tolerance: float,
    out: str | None,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    r"""Explain what MODEL does with one sentence, of a text or of CORPUS.

    Shows the lattice with the marginals of tags and transitions, the scores of the predicted path
    and of gold by token, both domains' heads, and the gates of the BiLSTM. Each number is computed
    twice, by the reference and by the kernels, and they are compared.

    MODEL is a model file or a run folder. Text is cut as the model's training data were. CORPUS is
    annotated, in the tags of --domain. Unlike other audits, this one prints text of the data.

    \b
    Examples:
      ladtl audit explain run --text "Chest pain since two days."
      ladtl audit explain run test.txt --sentence 3 --out explain.html
      ladtl audit explain run test.jsonl --line 12 --unconstrained --json
    """
    from ladtl_np.audit.explain import explain_sentence
    from ladtl_np.commands.support.models import load

    if (text is None) == (corpus is None):
        raise UsageError("give CORPUS, an annotated file, or --text, and not both")
    path = model_file(model)
    files = [path, corpus, vocabulary_key, embeddings]
    check_page(out, [file for file in files if file], overwrite=overwrite)
    reading = read_options(**options)
    if corpus is None:
        refuse_without_effect(["line", *READING], "with --text", "name a corpus")
    else:
        refuse_idle_reading([corpus], reading)
    held = load(path, named_key(vocabulary_key), embeddings)
    if corpus is not None:
        chosen = _of_corpus(corpus, reading, sentence, line)
    else:
        chosen = _of_text(text or "", held, sentence)
    try:
        audits = explain_sentence(
            held,
            chosen.tokens,
            chosen.gold,
            domain=domain,
            constrained=constrained,
            tolerance=tolerance,
        )
    except DataError as error:
        raise DataError(f"{chosen.name}: {error}") from None
    subject = f"{shown(model, LONG)}: {chosen.name}"
    present(audits, subject=subject, out=out, overwrite=overwrite, as_json=as_json, note=_NOTE)


def _of_text(text: str, model: Model, number: int | None) -> _Chosen:
    """A sentence of a text, which is cut as ``ladtl tag`` cuts it."""
    from ladtl_np.commands.support.units import Cut, read
    from ladtl_np.corpus.formats.reading import ReadOptions
    from ladtl_np.corpus.lines import display_name, open_input
    from ladtl_np.corpus.tally import Tally

    name = display_name("-") if text == "-" else "--text"
    literal = nullcontext(io.BytesIO(text.encode("utf-8", "surrogateescape")))
    cut = Cut(model.profile, model.vocabulary.knows)
    with open_input(text) if text == "-" else literal as stream:
        units = read(stream, "text", cut, ReadOptions(), name, Tally())
        sentences = [tokens for unit in units for tokens in unit.sentences() if tokens]
    place = _chosen_of(len(sentences), number, name)
    return _Chosen(sentences[place], None, f"sentence {place + 1} of {name}")


def _of_corpus(path: str, options: Any, number: int | None, line: int | None) -> _Chosen:
    """A sentence of an annotated corpus, by its number or its line."""
    from ladtl_np.corpus.read import read_corpus
    from ladtl_np.corpus.schemes import to_bioes

    corpus = read_corpus(path, options)
    name, sentences = corpus.name, list(corpus)
    if line is not None:
        name, sentences = f"line {line:,} of {corpus.name}", _at_line(sentences, line)
    place = _chosen_of(len(sentences), number, name)
    found = sentences[place]
    gold = None if found.tags is None else to_bioes(found.tags, corpus.scheme)
    where = f"sentence {place + 1:,} of {shown(name, LONG)}"
    return _Chosen(found.tokens, gold, where)


def _at_line(sentences: Sequence[Sentence], line: int) -> list[Sentence]:
    """Sentences that start at a line, or the one of columns that goes over it."""
    there = [sentence for sentence in sentences if sentence.line == line]
    over = (s for s in sentences if 0 < s.line < line < s.line + len(s))
    return there or [sentence for sentence, _ in zip(over, range(1), strict=False)]


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
