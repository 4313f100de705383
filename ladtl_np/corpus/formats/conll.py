"""CoNLL columns in and out: one token a line, blank lines between sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from os import PathLike, fspath
from typing import TextIO

import msgspec

from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.columns import Block, LineParser, is_docstart
from ladtl_np.corpus.formats.conllu import ConlluParser, IndexedParser
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.limits import FINDINGS
from ladtl_np.corpus.lines import Digest, display_name, numbered_lines, open_input
from ladtl_np.corpus.renaming import Renamer, renamed
from ladtl_np.corpus.schemes import detect_scheme
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import DataError, UsageError

__all__ = ["ReadOptions", "format_sentence", "iterate_conll", "read_conll", "write_conll"]

_SPECIAL = frozenset(("", " ", "\t", "-"))
"""What blank lines and ``-DOCSTART-`` lines start with."""
# an empty cell, a line that begins with what blank lines have, or a character of no text
_DOUBTFUL = re.compile("[\n\t][\t\n]|\n |[\0\r]")
_UNWRITABLE = re.compile("[\0\t\n\r]")

_PARSERS: dict[str, type[LineParser]] = {"conllu": ConlluParser, "germeval": IndexedParser}
"""Who parses the lines of a format; `LineParser` those of all others."""


def read_conll(
    path: str | PathLike[str],
    options: ReadOptions | None = None,
    *,
    name: str | None = None,
    require_renames: bool = False,
    tally: Tally | None = None,
    limit: int = FINDINGS,
) -> Corpus:
    """Read a file of CoNLL columns.

    Parameters
    ----------
    path
        The file; ``-`` is standard input.
    options
        How to read it; the defaults when None.
    name
        Name of the corpus, by default the path.
    require_renames
        Whether a key of `options.rename` that fits no type of this file is an error. Meant for
        training files; a smaller file may well lack a type.
    tally
        Filled with counts of what is no error, such as blocks left out.
    limit
        Findings after which reading stops.

    Returns
    -------
    Corpus
        Tags as they stand in the file (renamed where asked for), and the file's scheme.

    Raises
    ------
    UsageError
        If the path cannot be opened.
    FindingsError
        With everything wrong in the file, up to a limit.
    DataError
        If the scheme cannot be told, or a key of `options.rename` fits nothing.
    """
    options = ReadOptions() if options is None else options
    name = display_name(path) if name is None else name
    plain = msgspec.structs.replace(options, rename={})
    digest, tally = Digest(), Tally() if tally is None else tally
    with open_input(path) as stream:
        sentences = tuple(
            iterate_conll(digest.lines(stream), plain, name, tally=tally, limit=limit)
        )
    sha256 = "" if fspath(path) == "-" else digest.hexdigest()
    documents = tuple(dict.fromkeys(n for n in tally.documents if n < len(sentences)))
    if options.tag_column is None:
        remarks = tally.remarks(name)
        return Corpus(name, sentences, sha256=sha256, remarks=remarks, documents=documents)
    scheme: str = options.scheme
    if scheme == "detect":
        try:
            scheme = detect_scheme(sentence.tags or () for sentence in sentences)
        except ValueError as error:
            raise DataError(f"{name}: {error}; declare the scheme to see which lines") from None
    corpus = Corpus(name, sentences, scheme, sha256, tally.remarks(name), documents)
    return renamed(corpus, options.rename, require=require_renames)


def iterate_conll(
    stream: Iterable[bytes],
    options: ReadOptions,
    name: str,
    *,
    tally: Tally | None = None,
    limit: int = FINDINGS,
) -> Iterator[Sentence]:
    """Yield the sentences of a binary stream one at a time, in constant memory.

    After the first finding no more sentences are yielded; the rest is read for further findings.

    Parameters
    ----------
    stream
        Lines as bytes, such as a file opened in binary mode.
    options
        How to read; `rename` needs a declared scheme here. The formats ``conllu`` and ``germeval``
        have columns, comments and indices of their own.
    name
        Name of the stream in messages.
    tally
        Filled with counts of what is no error, such as blocks left out.
    limit
        Findings after which reading stops.

    Raises
    ------
    FindingsError
        With everything wrong in the stream, up to a limit.
    """
    if options.rename and options.scheme == "detect" and options.tag_column is not None:
        raise UsageError("renaming types in a stream needs a declared tag scheme, not 'detect'")
    renamer = Renamer(options.rename, options.scheme) if options.rename else None
    tagged = options.tag_column is not None
    tally = Tally() if tally is None else tally
    findings = Findings(name, limit)
    parser = _PARSERS.get(options.format, LineParser)(options, findings, tally)
    lines = numbered_lines(stream, findings, encoding=options.encoding, tally=tally)
    count, empty = 0, True
    for block in _settled(_blocks(lines, tally, keep=options.keep_docstart), parser):
        if is_docstart(block[0][1]) and not options.keep_docstart:
            tally.docstart += 1
            tally.documents.append(count)
            continue
        if parser.begins_document(block):
            tally.documents.append(count)
        data = parser.data(block)
        rows = [row for number, line in data if (row := parser.parse(number, line))]
        empty = empty and not rows
        if findings or not rows:
            continue
        count += 1
        tokens = tuple(token for token, _ in rows)
        tags = tuple(tag for _, tag in rows) if tagged else None
        sentence = Sentence(tokens, tags, data[0][0])
        yield _renamed(sentence, renamer) if renamer and tagged else sentence
    parser.finish()
    if empty and not findings:
        findings.add(0, "no sentence in it", "is it the right file, and complete?")
    findings.raise_any()


def _blocks(lines: Iterable[tuple[int, str]], tally: Tally, *, keep: bool) -> Iterator[Block]:
    """Part lines at blank ones; unless they are kept, lines of ``-DOCSTART-`` are blocks too.

    Label Studio writes no blank line behind them.
    """
    block: Block = []
    for number, line in lines:
        if line[:1] not in _SPECIAL:
            block.append((number, line))
            continue
        blank = not line.strip(" \t")
        mark = not keep and is_docstart(line)
        if not blank and not mark:
            block.append((number, line))
            continue
        if block:
            yield block
            block = []
        if mark:
            yield [(number, line)]
        else:
            tally.white_blank += line != ""
    if block:
        yield block


def _settled(blocks: Iterator[Block], parser: LineParser) -> Iterator[Block]:
    """Let the first data line rule how lines are cut, before the lines in front of it are read."""
    held: list[Block] = []
    for block in blocks:
        held.append(block)
        if any(parser.settle(number, line) for number, line in block):
            break
    else:
        rows = (row for block in held for row in block)
        any(parser.settle(number, line, comments=True) for number, line in rows)
    yield from held
    yield from blocks


def _renamed(sentence: Sentence, renamer: Renamer) -> Sentence:
    return Sentence(sentence.tokens, renamer.apply(sentence.tags or ()), sentence.line)


def format_sentence(tokens: Sequence[str], *columns: Sequence[str]) -> str:
    """Write a sentence as lines of columns with tabs between them, each line ended by LF.

    Raises
    ------
    ValueError
        If the columns differ in length, or reading the lines would not give the same cells: an
        empty cell, one with a tab, LF, CR or NUL, or a line of nothing but spaces.
    """
    text = "\n".join(map("\t".join, zip(tokens, *columns, strict=True)))
    cells, rows = len(tokens) * len(columns), len(tokens) - 1
    if (
        text.count("\t") == cells
        and text.count("\n") == rows
        and not _DOUBTFUL.search(f"\n{text}\n")
    ):
        return text + "\n"
    lines = []
    for number, row in enumerate(zip(tokens, *columns, strict=True), 1):
        line = "\t".join(row)
        if not all(row) or not line.strip(" \t") or any(map(_UNWRITABLE.search, row)):
            raise ValueError(
                f"token {number} cannot be written in columns: a cell is empty or blank, "
                "or holds a tab, a line end or NUL; write JSONL instead"
            )
        lines.append(line + "\n")
    return "".join(lines)


def write_conll(
    stream: TextIO, sentences: Iterable[Sentence], *columns: Iterable[Sequence[str]]
) -> None:
    r"""Write sentences as CoNLL columns: token, the sentence's own tags, then further columns.

    Read with ``delimiter="tab"``, the file gives the same tokens and tags. (Tokens
    ``-DOCSTART-`` also need ``keep_docstart``.)

    Parameters
    ----------
    stream
        Text stream; open files with ``encoding="utf-8", newline="\n"``.
    sentences
        What to write; consumed one at a time.
    columns
        Further columns, each with one sequence of tags a sentence, such as predictions.
    """
    start = True
    for sentence, *more in zip(sentences, *columns, strict=True):
        own = [] if sentence.tags is None else [sentence.tags]
        text = format_sentence(sentence.tokens, *own, *more)
        # Readers take a byte order mark from the start, so one that is data is written twice.
        lead = "\ufeff" if start and text.startswith("\ufeff") else "" if start else "\n"
        stream.write(lead + text)
        start = False
