"""How ``ladtl tag`` tags one input, wherever that is done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from ladtl_np.commands.support.converting import PAIR, write_documents, write_pair
from ladtl_np.commands.support.streams import open_output
from ladtl_np.commands.support.tag_options import Source, TagOptions
from ladtl_np.commands.support.units import (
    InputFormat,
    Tagged,
    Unit,
    conll_lines,
    conllu_lines,
    read,
)
from ladtl_np.corpus.conversion import merged
from ladtl_np.corpus.document import Document
from ladtl_np.corpus.formats import jsonl, prodigy, spacy_jsonl
from ladtl_np.corpus.formats.detection import LOOK, remark_on_form
from ladtl_np.corpus.formats.registry import FORMATS
from ladtl_np.corpus.lines import Digest, display_name, open_input
from ladtl_np.corpus.tally import Remark, Tally
from ladtl_np.corpus.unknown import UnknownTokens, remark_on_unknown
from ladtl_np.errors import LadtlError

if TYPE_CHECKING:
    from ladtl_np.model.confidence import Asked
    from ladtl_np.model.file import Model
    from ladtl_np.model.tagging import Tagger

__all__ = [
    "Outcome",
    "Report",
    "form_of",
    "make_tagger",
    "opened",
    "tag_file",
    "tag_opened",
    "tagged_units",
]

Report = Callable[[float], None]
"""Is told the share of an input that is done, after each chunk; may raise to stop."""
Writer = Callable[[Tagged], str]
_LINES = {"jsonl": jsonl.write, "spacy-jsonl": spacy_jsonl.write, "prodigy": prodigy.write}
_OF_WHOLE_TEXTS = ("brat", "html", "spacy")
"""Styles in which a file of text is one document, not one for each line."""


class Outcome(NamedTuple):
    """What a tagged input had that is no error.

    Attributes
    ----------
    note
        All in words; "" for nothing.
    unknown
        Tokens that the model does not know.
    """

    note: str
    unknown: UnknownTokens


def make_tagger(model: Model, options: TagOptions, *, live: bool = False) -> Tagger:
    """Make a tagger; `live` answers each line at once, for somebody who types."""
    from ladtl_np.model.tagging import CHUNK_SENTENCES, Tagger

    return Tagger(
        model,
        domain=options.domain,
        constrained=options.constrained,
        threads=options.threads,
        precision=options.precision,
        chunk_sentences=1 if live else CHUNK_SENTENCES,
    )


@contextmanager
def opened(source: str, options: TagOptions) -> Iterator[BinaryIO | Path]:
    """Open an input, once, as a pipe can be read no second time; a folder is its path.

    Raises
    ------
    UsageError
        If it is not there, or may not be read.
    """
    kind = options.kind_of(source)
    if kind != "text" and FORMATS[kind].folder:
        yield Path(source)
        return
    with open_input(source) as stream:
        yield stream


def tag_file(
    source: Source, output: str, tagger: Tagger, options: TagOptions, report: Report
) -> Outcome:
    """Tag a file or a folder as `tag_opened` does."""
    with opened(source.path, options) as content:
        return tag_opened(content, source, output, tagger, options, report)


def tag_opened(
    content: BinaryIO | Path,
    source: Source,
    output: str,
    tagger: Tagger,
    options: TagOptions,
    report: Report | None = None,
    *,
    overwrite: bool = True,
    coloured: bool = False,
) -> Outcome:
    """Tag an input; the output appears when all is written.

    Parameters
    ----------
    content
        The input, from `opened`.
    source
        What it is called, and its hash.
    output
        A file, a stream, or a folder; for brat, the file ``.ann`` of a pair, or a folder of pairs.
    tagger, options
        How to tag.
    report
        Is told the share that is done.
    overwrite
        Whether a file that another process has made meanwhile is replaced.
    coloured
        Whether the output is a terminal with colours.

    Raises
    ------
    LadtlError
        If the input cannot be read or tagged, or is not what `source` says it is.
    """
    kind, tally, before = options.kind_of(source.path), Tally(), tagger.decoder.counted
    form = form_of(content) if kind == "text" and options.kind is None else ()
    _tag(content, kind, source, output, tagger, options, report, overwrite, coloured, tally)
    unknown = tagger.decoder.counted - before
    odd = remark_on_unknown("", unknown, tagger.model.dev_unknown)
    return Outcome("; ".join(one.told for one in (*form, *tally.remarks(""), *odd)), unknown)


def form_of(content: BinaryIO | Path, option: str = "--from") -> list[Remark]:
    """Say where an input has another form than text, and the option that reads it.

    One that is read once is not looked at.
    """
    if isinstance(content, Path) or not content.seekable():
        return []
    place = content.tell()
    start = content.read(LOOK)
    content.seek(place)
    return list(remark_on_form(start, option + " {form} reads those"))


def _tag(
    stream: BinaryIO | Path,
    kind: InputFormat,
    source: Source,
    output: str,
    tagger: Tagger,
    options: TagOptions,
    report: Report | None,
    overwrite: bool,
    coloured: bool,
    tally: Tally,
) -> None:
    cut, name = options.cut(tagger.model), display_name(source.name)
    content = stream
    digest = Digest()
    if source.sha256 and not isinstance(stream, Path):
        content = digest.stream(stream)
    units = read(content, kind, cut, options.reading, name, tally)
    tagged = tagged_units(units, tagger, options.asked())
    chunks = _unchanged(_reporting(tagged, stream, report), digest, source)
    unit_writer = _unit_writer(options, name, tagger, coloured)
    if unit_writer is not None:
        write, opening = unit_writer
        with open_output(output, overwrite=overwrite) as put:
            put(opening)
            for text in _texts(chunks, write):
                put(text)
        return
    found = FORMATS[options.style]
    documents: Iterator[Document] = (
        tagged.document(tokens=found.tokens) for chunk in chunks for tagged in chunk
    )
    if kind == "text" and options.style in _OF_WHOLE_TEXTS:
        documents = iter([merged(documents, os.path.basename(name))])
    if output.endswith(PAIR) and found.folder:
        write_pair(list(documents), found, output, name)
    else:
        write_documents(documents, found, output, name, overwrite=overwrite)


def _unit_writer(
    options: TagOptions, name: str, tagger: Tagger, coloured: bool
) -> tuple[Writer, str] | None:
    """The function that writes a unit, and the start of the output; None where units do not do."""
    if options.style == "conll":
        return lambda tagged: conll_lines(tagged, options.scheme, name), ""
    if options.style == "conllu":
        return lambda tagged: conllu_lines(tagged, options.scheme, name), ""
    if options.style in _LINES:
        lines, tokens = _LINES[options.style], FORMATS[options.style].tokens
        return lambda tagged: "".join(lines([tagged.document(tokens=tokens)])), ""
    if options.style != "terminal":
        return None
    from ladtl_np.commands.support.highlight import Highlighter

    view = Highlighter(tagger.decoder.tags.types, coloured=coloured)
    return lambda tagged: view.document(tagged.document(tokens=False)), view.legend()


def tagged_units(
    units: Iterator[Unit], tagger: Tagger, asked: Asked | None
) -> Iterator[list[Tagged]]:
    """Tag all sentences; give the units that are done after each chunk, in their order."""
    ahead, behind = tee(units)  # `ahead` runs on by two chunks, which `behind` keeps until written
    sentences = (tokens for unit in ahead for tokens in unit.sentences())
    unit, waiting = None, list[Any]()
    chunks: Iterable[list[Any]] = (
        tagger.tag_chunks(sentences) if asked is None else tagger.sure_chunks(sentences, asked)
    )
    for chunk in chunks:
        done = []
        for of_sentence in chunk:
            unit = unit or next(behind)
            waiting.append(of_sentence)
            if len(waiting) == len(unit.firsts):
                sure = None if asked is None else waiting
                tags = waiting if sure is None else [of.tags for of in sure]
                done.append(Tagged(unit, tags, sure))
                unit, waiting = None, []
        yield done


def _reporting(
    chunks: Iterator[list[Tagged]], stream: BinaryIO | Path, report: Report | None
) -> Iterator[list[Tagged]]:
    """Pass chunks on, and tell how much of a file is done once they are written."""
    if report is None or isinstance(stream, Path):
        yield from chunks
        return
    size = max(1, os.fstat(stream.fileno()).st_size)
    for chunk in chunks:
        yield chunk
        report(min(1.0, stream.tell() / size))


def _unchanged(
    chunks: Iterator[list[Tagged]], digest: Digest, source: Source
) -> Iterator[list[Tagged]]:
    """Pass chunks on; after the last, before the output appears, see whether it was this input."""
    yield from chunks
    if source.sha256 and digest.hexdigest() != source.sha256:
        name = display_name(source.name)
        raise LadtlError(f"{name} has changed since the command started; tag it again")


def _texts(chunks: Iterator[list[Tagged]], write: Writer) -> Iterator[str]:
    """What is to be written after each chunk."""
    start = True
    for chunk in chunks:
        text = "".join(map(write, chunk))
        # Readers take a byte order mark from the start, so one that is data is written twice.
        yield "\ufeff" + text if start and text.startswith("\ufeff") else text
        start = start and not text
