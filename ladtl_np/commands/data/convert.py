"""``ladtl data convert``: a corpus from one format to another."""

from __future__ import annotations

from typing import Any

import click

from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.converting import VIEW, WRITABLE, check_place, format_to, write
from ladtl_np.commands.support.formats import tell
from ladtl_np.commands.support.held import hold
from ladtl_np.commands.support.reading import (
    corpus_options,
    read_options,
    refuse_idle_cutting,
    refuse_idle_reading,
    tell_of_changes,
)
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.formats.registry import Format
from ladtl_np.corpus.lines import display_name
from ladtl_np.corpus.read import format_of
from ladtl_np.corpus.schemes import SCHEMES
from ladtl_np.printable import LONG, counted, shown

__all__ = ["convert"]


@click.command(cls=Command)
@click.argument("source", metavar="IN")
@click.argument("output", metavar="OUT")
@click.option(
    "--to",
    "wanted",
    type=click.Choice((*WRITABLE, VIEW.name)),
    help="Format of OUT; terminal shows entities in colour.  [default: by its name]",
)
@click.option(
    "--to-scheme",
    type=click.Choice(SCHEMES),
    help="Tag scheme of columns.  [default: that of IN; of documents BIOES]",
)
@click.option(
    "--group",
    type=click.IntRange(min=1),
    help="Sentences in a document where columns tell none.  [default: 1; in a folder 100]",
)
@click.option("--overwrite", is_flag=True, help="Replace an output file that exists.")
@corpus_options
def convert(
    source: str,
    output: str,
    wanted: str | None,
    to_scheme: str | None,
    group: int | None,
    overwrite: bool,
    **options: Any,
) -> None:
    r"""Write the corpus IN as OUT, in another format.

    Columns become documents of one sentence a line, which begin where -DOCSTART- stands. Documents
    become columns by being cut into sentences and tokens; entities that do not end where tokens do
    are findings, or are repaired with --repair, and each change is told. Between formats of
    documents, entities stay as they are.

    \b
    Examples:
      ladtl data convert admin.jsonl train.conll
      ladtl data convert annotations/ train.conll --format brat --fragments split --repair
      ladtl data convert train.conll for-doccano.jsonl
      ladtl data convert train.conll for-brat/ --to brat
    """
    found = format_to(output, wanted)
    check_place(output, [source], found, overwrite=overwrite)
    reading = read_options(**options)
    _refuse_idle(source, reading, found)
    held = hold(source, reading)
    count = write(held, found, output, to_scheme, group, overwrite=overwrite)
    tell_of_changes(held.tally, held.name)
    tell(held.remarks())
    what = "sentences" if found.family == "columns" else "documents"
    place = shown(display_name(output) if output != "-" else "standard output", LONG)
    click.echo(f"{counted(count, what)} as {found.name} in {place}", err=True)


def _refuse_idle(source: str, reading: ReadOptions, found: Format) -> None:
    """Refuse options that change nothing from this input to this output."""
    refuse_idle_reading([source], reading)
    columns = found.family == "columns"
    if not columns:
        refuse_without_effect(["to_scheme"], f"with --to {found.name}", "choose columns")
    if columns or format_of(source, reading).family == "documents":
        where = "but from columns to documents"
        refuse_without_effect(["group"], where, "choose another input or output")
    if not columns and format_of(source, reading).family == "documents":
        refuse_idle_cutting(reading, found)
