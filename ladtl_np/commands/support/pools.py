"""Pools of texts to choose from, and what is chosen, tagged and written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from ladtl_np.commands.support.converting import write_documents
from ladtl_np.commands.support.streams import open_output
from ladtl_np.commands.support.tag_options import TagOptions, kind_by_name
from ladtl_np.commands.support.tag_outputs import files_below
from ladtl_np.commands.support.tagging import form_of, opened
from ladtl_np.commands.support.units import (
    InputFormat,
    Tagged,
    Unit,
    conll_lines,
    conllu_lines,
    read,
)
from ladtl_np.corpus.formats.detection import LOOK, form_of_text
from ladtl_np.corpus.formats.registry import FORMATS, Format
from ladtl_np.corpus.lines import display_name, open_input
from ladtl_np.corpus.raw import RawLine
from ladtl_np.corpus.tally import Remark, Tally
from ladtl_np.errors import UsageError
from ladtl_np.printable import LONG, shown

if TYPE_CHECKING:
    from ladtl_np.model.file import Model
    from ladtl_np.model.tagging import Tagger

__all__ = [
    "annotated_kind",
    "by_sentence",
    "pool_files",
    "read_pool",
    "tagged_units",
    "write_units",
]


def pool_files(places: Iterable[str], output: str, kind: str | None) -> list[str]:
    """All files that some arguments stand for; a folder of brat's is one where `kind` says so.

    Raises
    ------
    UsageError
        If one is not there or cannot be read, or the output would lie in a folder of the pool.
    """
    found: list[str] = []
    for place in places:
        if kind is not None and kind != "text" and FORMATS[kind].folder and os.path.isdir(place):
            found.append(place)
        else:
            _require_outside(place, output)
            found += [path for path, _ in files_below(place)]
    return list(dict.fromkeys(found))


def _require_outside(place: str, output: str) -> None:
    """Refuse an output in a folder of the pool, where it would be chosen from the next time."""
    inside, real = os.path.realpath(place), os.path.realpath(output)
    if os.path.isdir(place) and os.path.commonpath([inside, real]) == inside:
        raise UsageError(
            f"{shown(output, LONG)} lies in {shown(place, LONG)}, so it would be an input the next "
            "time; choose another --out"
        )


def annotated_kind(path: str) -> InputFormat:
    """Input format of a file of annotated sentences, by its start where its name says text."""
    kind = kind_by_name(path)
    if kind != "text":
        return kind
    with open_input(path) as stream:
        return form_of_text(stream.read(LOOK)) or kind


def read_pool(
    files: Iterable[str],
    options: TagOptions,
    model: Model,
    *,
    whole: bool,
    kind_of: Callable[[str], InputFormat] | None = None,
) -> tuple[list[Unit], list[Remark]]:
    """Read the units of a pool, each with an id that tells where it stands; and what is remarkable.

    Parameters
    ----------
    files
        From `pool_files`.
    options, model
        How they are read and cut.
    whole
        Whether a file that tells no documents, one of text or columns, is one.
    kind_of
        Tells a file's format; by default the options do.
    """
    told, kind_of = kind_of is None and options.kind is None, kind_of or options.kind_of
    units: list[Unit] = []
    remarks: list[Remark] = []
    cut = options.cut(model)
    for path in files:
        kind, name, tally = kind_of(path), display_name(path), Tally()
        with opened(path, options) as content:
            if told and kind == "text":
                remarks += (replace(one, corpus=name) for one in form_of(content))
            of_file = list(read(content, kind, cut, options.reading, name, tally))
        remarks += tally.remarks(name)
        if whole and (kind == "text" or FORMATS[kind].family == "columns"):
            of_file = [_together(of_file, os.path.basename(path))] if of_file else []
        units += [_named(unit, path) for unit in of_file]
    return units, remarks


def _named(unit: Unit, path: str) -> Unit:
    told = unit.id if unit.id is not None else os.path.splitext(os.path.basename(unit.file))[0]
    stem = os.path.splitext(os.path.basename(path))[0]
    place = f"{stem}.{unit.raw.line}" if unit.raw.line else stem
    if told == "":
        told = place
    return replace(unit, id=shown(told, LONG) if isinstance(told, str) else told)


def _together(units: Sequence[Unit], file: str) -> Unit:
    """Units below each other as one, each on a line of its own."""
    lengths = [len(unit.raw.text) + 1 for unit in units]
    counts = [len(unit.raw.tokens) for unit in units]
    places = list(zip(units, accumulate(lengths, initial=0), strict=False))
    before = list(zip(units, accumulate(counts, initial=0), strict=False))
    raw = RawLine(
        "\n".join(unit.raw.text for unit in units),
        tuple(token for unit in units for token in unit.raw.tokens),
        0,
        tuple(at + start for unit, at in places for start in unit.raw.starts),
    )
    firsts = dict.fromkeys(at + first for unit, at in before for first in unit.firsts)
    kept = tuple(first for first in firsts if first < max(1, len(raw.tokens)))
    return Unit(raw, None, kept, file)


def by_sentence(units: Iterable[Unit]) -> Iterator[Unit]:
    """Yield a unit for each sentence that has a token; of several in one its number ends the id."""
    for unit in units:
        raw = unit.raw
        if len(unit.firsts) == 1:
            yield replace(unit, file="")
            continue
        bounds = list(raw.bounds)
        for number, (a, b) in enumerate(pairwise((*unit.firsts, len(raw.tokens))), 1):
            if a == b:
                continue
            begin, end = bounds[a][0], bounds[b - 1][1]
            starts = tuple(start - begin for start in raw.starts[a:b])
            part = RawLine(raw.text[begin:end], raw.tokens[a:b], raw.line, starts)
            yield Unit(part, f"{unit.id}.{number}")


def tagged_units(units: Sequence[Unit], tagger: Tagger) -> Iterator[Tagged]:
    """Tag units, and say how sure that is."""
    told = tagger.sure(tokens for unit in units for tokens in unit.sentences())
    for unit in units:
        sure = [next(told) for _ in unit.firsts]
        yield Tagged(unit, [of.tags for of in sure], sure)


def write_units(
    tagged: Iterable[Tagged], found: Format, output: str, scheme: str, *, overwrite: bool
) -> None:
    """Write tagged units in a format; the output appears when all is written.

    Raises
    ------
    DataError
        If the format cannot hold one.
    """
    if found.family == "columns":
        lines = conllu_lines if found.name == "conllu" else conll_lines
        with open_output(output, overwrite=overwrite) as put:
            for one in tagged:
                put(lines(one, scheme, str(one.unit.id)))
        return
    documents = (one.document(tokens=found.tokens) for one in tagged)
    write_documents(documents, found, output, "the pool", overwrite=overwrite)
