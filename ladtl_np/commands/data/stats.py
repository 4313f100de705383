"""``ladtl data stats``: corpora in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.formats import json_option, print_json, print_table, tell
from ladtl_np.commands.support.reading import (
    corpus_options,
    read_options,
    refuse_idle_reading,
)
from ladtl_np.commands.support.statistics import Overlap, Statistics, describe, overlaps
from ladtl_np.corpus.inspection import inspect
from ladtl_np.corpus.read import read_corpus
from ladtl_np.printable import LONG, shown

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["stats"]


@click.command(cls=Command)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@corpus_options
@json_option
def stats(files: tuple[str, ...], as_json: bool, **options: Any) -> None:
    r"""Count what is in FILEs of any format.

    Sentences, tokens, different tokens, tags and entities of each type; the tag scheme and the
    tags that it forbids; repeated sentences, and the share of one file's sentences that stand word
    for word in another, which test data should not. No text of the data is printed.

    \b
    Examples:
      ladtl data stats demo/neurology/train.txt demo/neurology/test.txt
      ladtl data stats --tag-column none --json raw.txt
    """
    if options["tag_column"] is None:
        refuse_without_effect(["scheme", "rename"], "without a tag column", "name that column")
    reading = read_options(**options)
    refuse_idle_reading(files, reading)
    corpora = [read_corpus(path, reading) for path in files]
    each = [inspect(corpus) for corpus in corpora]
    tagged = reading.tag_column is not None
    found = [describe(c, told, tagged=tagged) for c, told in zip(corpora, each, strict=True)]
    shared = overlaps(corpora)
    remarks = [remark for told in each for remark in told]
    if as_json:
        values: dict[str, Sequence[Any]]
        values = {"files": found, "overlaps": shared, "remarks": remarks}
        print_json({name: [one.to_json() for one in each] for name, each in values.items()})
    tell(remarks)
    if as_json:
        return
    for table in (_sizes_table(found), _entities_table(found), _overlap_table(shared)):
        if table.row_count:
            print_table(table)


_SIZES = {
    "tag scheme": lambda s: s.scheme or "untagged",
    "sentences": lambda s: f"{s.sentences:,}",
    "tokens": lambda s: f"{s.tokens:,}",
    "different tokens": lambda s: f"{s.vocabulary:,}",
    "longest sentence": lambda s: f"{s.longest:,} (line {s.longest_line:,})",
    "repeated sentences": lambda s: f"{s.repeated:,}",
    "entities": lambda s: f"{sum(s.entities.values()):,}",
    "entity types": lambda s: f"{len(s.entities):,}",
    "different tags": lambda s: f"{len(s.tags):,}",
    "illegal tags": lambda s: f"{s.illegal:,}",
}


def _table(heading: str, columns: Sequence[str]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column(heading, overflow="fold")
    for column in columns:
        table.add_column(shown(column, LONG), justify="right", overflow="fold")
    return table


def _sizes_table(found: Sequence[Statistics]) -> Table:
    table = _table("", [statistics.file for statistics in found])
    for name, cell in _SIZES.items():
        table.add_row(name, *map(cell, found))
    return table


def _entities_table(found: Sequence[Statistics]) -> Table:
    table = _table("entities of type", [statistics.file for statistics in found])
    total = {
        kind: sum(s.entities.get(kind, 0) for s in found) for s in found for kind in s.entities
    }
    for kind in sorted(total, key=lambda kind: (-total[kind], kind)):
        table.add_row(shown(kind), *(f"{s.entities.get(kind, 0):,}" for s in found))
    return table


def _overlap_table(shared: Sequence[Overlap]) -> Table:
    table = _table("sentences of", ["that stand in", "sentences", "share"])
    for overlap in shared:
        share = f"{100 * overlap.share:.2f} %"
        names = (shown(name, LONG) for name in (overlap.file, overlap.within))
        table.add_row(*names, f"{overlap.sentences:,}", share)
    return table
