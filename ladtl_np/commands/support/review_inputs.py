"""What ``ladtl review`` puts on its page: notes that a model tags, or what files already say."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ladtl_np.commands.support.held import hold
from ladtl_np.commands.support.tag_options import Source, TagOptions
from ladtl_np.commands.support.tag_outputs import files_below
from ladtl_np.commands.support.tagging import form_of, opened, tagged_units
from ladtl_np.commands.support.units import read
from ladtl_np.corpus.conversion import merged
from ladtl_np.corpus.document import Document
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.lines import display_name, open_input
from ladtl_np.corpus.tally import Remark, Tally
from ladtl_np.errors import DataError
from ladtl_np.pages.review import Measure, ReviewSentence, sentences_of
from ladtl_np.printable import LONG, shown
from ladtl_np.runs.names import BEST

if TYPE_CHECKING:
    from ladtl_np.model.tagging import Tagger

__all__ = ["annotated_sentences", "is_model", "notes_in", "tagged_sentences"]

_ANNOTATION = ".ann"


def is_model(place: str) -> bool:
    """Whether an argument names a model file by its content, or the folder of a run with one."""
    if not os.path.isfile(place):
        return os.path.isdir(place) and (Path(place) / BEST).is_file()
    with open_input(place) as stream:
        start = stream.read(9)  # the length of a header of JSON, then the header
    return start[4:] == b"\0\0\0\0{"


def notes_in(places: Iterable[str], *, annotated: bool) -> list[Source]:
    """Find all inputs, and short names for them; a folder of brat is one where it is annotated.

    Raises
    ------
    UsageError
        If one cannot be read.
    """
    found = []
    for place in places:
        if place == "-" or (annotated and _is_of_pairs(place)):
            found.append(Source(place, place))
        else:
            found += [Source(path, below) for path, below in files_below(place)]
    names = Counter(source.name for source in found)
    return [one if names[one.name] == 1 else Source(one.path, one.path) for one in found]


def _is_of_pairs(place: str) -> bool:
    """Whether a folder has annotation in files of its own."""
    return os.path.isdir(place) and any(Path(place).rglob(f"*{_ANNOTATION}"))


def tagged_sentences(
    sources: Sequence[Source],
    tagger: Tagger,
    options: TagOptions,
    by: Measure,
    remarks: list[Remark],
) -> Iterator[ReviewSentence]:
    """Tag all sources; a file of text is one document, as in other pages.

    What was met is added to `remarks`.

    Raises
    ------
    LadtlError
        If one cannot be read or tagged.
    """
    from ladtl_np.model.confidence import PLAIN

    cut = options.cut(tagger.model)
    for source in sources:
        tally, kind = Tally(), options.kind_of(source.path)
        with opened(source.path, options) as content:
            if kind == "text" and options.kind is None:
                form = form_of(content, "--format")
                remarks += (replace(one, corpus=source.name) for one in form)
            units = read(content, kind, cut, options.reading, source.name, tally)
            documents: Iterator[Document] = (
                tagged.document(tokens=True)
                for chunk in tagged_units(units, tagger, PLAIN)
                for tagged in chunk
            )
            if kind == "text":
                documents = iter([merged(documents)])
            yield from _named(documents, source.name, by)
        remarks += tally.remarks(source.name)


def annotated_sentences(
    sources: Sequence[Source], options: ReadOptions, by: Measure, remarks: list[Remark]
) -> Iterator[ReviewSentence]:
    """Read the entities that files have; what was met is added to `remarks`.

    Raises
    ------
    FindingsError
        If entities do not fit tokens.
    """
    for source in sources:
        held = hold(source.path, options)
        yield from _named(held.as_documents(1, tokens=True), source.name, by)
        remarks += held.remarks()


def _named(documents: Iterable[Document], source: str, by: Measure) -> Iterator[ReviewSentence]:
    """Sentences of documents that are told by file and id, or by file and number."""
    for number, document in enumerate(documents, 1):
        name = document.file or display_name(source)
        if document.id is not None and not document.file:
            name += f" {document.id}"
        elif number > 1 or document.line > 1:
            name += f" {number}"
        try:
            yield from sentences_of(document, name, by)
        except ValueError as error:
            raise DataError(f"{shown(source, LONG)}: document {number}: {error}") from None
