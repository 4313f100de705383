"""``ladtl data split``: a corpus in parts, such as training, development and test data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ladtl_np.commands.support.command import Command
from ladtl_np.commands.support.converting import check_place, write
from ladtl_np.commands.support.formats import tell
from ladtl_np.commands.support.held import Held, hold
from ladtl_np.commands.support.reading import (
    corpus_options,
    read_options,
    refuse_idle_cutting,
    refuse_idle_reading,
    tell_of_changes,
)
from ladtl_np.corpus.conversion import joined, sentence_groups
from ladtl_np.corpus.formats.registry import FORMATS
from ladtl_np.corpus.read import Documents
from ladtl_np.corpus.schemes import spans
from ladtl_np.corpus.sentence import Sentence
from ladtl_np.corpus.splitting import split as split_units
from ladtl_np.errors import UsageError
from ladtl_np.files import make_private_folder
from ladtl_np.options.seeds import stream
from ladtl_np.printable import LONG, counted, shown

__all__ = ["split"]


def _numbers(context: click.Context, parameter: click.Parameter, value: str) -> list[float]:
    try:
        return [float(number) for number in value.split(",")]
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of numbers such as 0.8,0.1,0.1") from None


@click.command(cls=Command)
@click.argument("source", metavar="IN")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--shares",
    default="0.8,0.1,0.1",
    show_default=True,
    callback=_numbers,
    help="Share of each part.",
)
@click.option(
    "--names", default="train,dev,test", show_default=True, help="Name of each part's file."
)
@click.option(
    "--by",
    type=click.Choice(["document", "sentence"]),
    default="document",
    show_default=True,
    help="What is never cut in two.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws it.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@corpus_options
def split(
    source: str,
    folder: Path,
    shares: list[float],
    names: str,
    by: str,
    seed: int,
    overwrite: bool,
    **options: Any,
) -> None:
    r"""Split the corpus IN into parts in DIR, in the same format.

    Every entity type has about the same share of its entities in each part as all have (iterative
    stratification). Documents stay whole; where columns tell no documents by -DOCSTART- lines, each
    sentence is one. The same seed gives the same parts.

    \b
    Examples:
      ladtl data split all.conll parts/
      ladtl data split admin.jsonl parts/ --shares 0.7,0.3 --names train,test --seed 1
    """
    labels = names.split(",")
    if len(labels) != len(shares) or len(set(labels)) != len(labels) or not all(labels):
        raise UsageError(
            f"--names wants a name for each of the {len(shares)} shares, each once; got {names!r}"
        )
    reading = read_options(**options)
    refuse_idle_reading([source], reading)
    held = hold(source, reading)
    found = FORMATS[held.options.format]
    if not found.writes:
        raise UsageError(
            f"{found.name} is not written; make {shown(source, LONG)} conll or jsonl first, with "
            "ladtl data convert"
        )
    if held.documents is not None and by == "document":
        refuse_idle_cutting(reading, found)
    outputs = [
        str(folder / (name if found.folder else name + (Path(source).suffix or found.suffixes[0])))
        for name in labels
    ]
    for output in outputs:
        make_private_folder(folder)
        check_place(output, [source], found, overwrite=overwrite)
    parts = _parts(held, by, shares, seed)
    for output, part in zip(outputs, parts, strict=True):
        count = write(part, found, output, None, 1)
        what = "sentences" if found.family == "columns" else "documents"
        click.echo(f"{shown(output, LONG)}: {counted(count, what)}", err=True)
    tell_of_changes(held.tally, held.name)
    tell(held.remarks())


def _parts(held: Held, by: str, shares: list[float], seed: int) -> list[Held]:
    """The parts, each as what was read would be if there were no others."""
    chance = stream(seed, "corpus split")
    if held.corpus is not None:
        corpus = held.corpus
        pieces = sentence_groups(corpus, whole=by == "document")
        counts = [Counter(_kinds(piece, corpus.scheme)) for piece in pieces]
        chosen = split_units(counts, shares, chance)
        return [
            replace(held, corpus=joined(corpus, [pieces[row] for row in rows])) for rows in chosen
        ]
    documents = held.by_sentence() if by == "sentence" else held.as_documents(1)
    counts = [Counter(kind for _, _, kind in one.entities or ()) for one in documents]
    return [
        replace(held, documents=Documents(tuple(documents[row] for row in rows), ""))
        for rows in split_units(counts, shares, chance)
    ]


def _kinds(sentences: Sequence[Sentence], scheme: str) -> Iterator[str]:
    for sentence in sentences:
        yield from (kind for _, _, kind in spans(sentence.tags or (), scheme))
