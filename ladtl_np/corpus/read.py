"""Corpora of every format: one function for whoever trains on them, scores them or counts them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec
import regex

from ladtl_np.corpus.alignment import Aligned, Cutter, align
from ladtl_np.corpus.cutting.profile import Profile
from ladtl_np.corpus.cutting.sentences import cut_sentences
from ladtl_np.corpus.cutting.words import cut_words
from ladtl_np.corpus.document import Bounds, Document
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.conll import read_conll
from ladtl_np.corpus.formats.detection import detect
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.formats.registry import FORMATS, NEEDS, Format
from ladtl_np.corpus.limits import FINDINGS
from ladtl_np.corpus.lines import Digest, display_name, open_input
from ladtl_np.corpus.renaming import renamed
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import UsageError
from ladtl_np.printable import LONG, shown

__all__ = ["Documents", "cutter_for", "format_of", "idle_in", "read_corpus", "read_documents"]


def format_of(path: str | PathLike[str], options: ReadOptions) -> Format:
    """Tell the format of an input: what the options say, or its name and its start.

    Raises
    ------
    UsageError
        If it is a folder where a file is wanted, or the other way round, or cannot be told.
    """
    name = detect(path) if options.format == "auto" else options.format
    found = FORMATS.get(name)
    if found is None or not found.reads:
        readable = ", ".join(one.name for one in FORMATS.values() if one.reads)
        raise UsageError(f"no format {shown(name)} is read; there are: {readable}")
    place = shown(os.fspath(path), LONG)
    if found.folder and not os.path.isdir(path):
        raise UsageError(f"{place} is no folder; {found.name} wants {found.what}")
    if not found.folder and os.path.isdir(path):
        raise UsageError(f"{place} is a folder; {found.name} is a file")
    return found


def idle_in(inputs: Iterable[tuple[str | PathLike[str], ReadOptions]]) -> list[str]:
    """Options that change nothing in reading any of these inputs, by the inputs' formats.

    An input whose format cannot be told may need all of them: reading it says what is wrong. Text
    without a tag column may be of any format, so that option always counts.
    """
    formats, plain = [], False
    for path, options in inputs:
        plain = plain or options.tag_column is None
        try:
            formats.append(format_of(path, options))
        except UsageError:
            return []
    idle = [name for name in NEEDS if not any(found.uses(name) for found in formats)]
    return [name for name in idle if formats and not (plain and name == "tag_column")]


def read_corpus(
    path: str | PathLike[str],
    options: ReadOptions | None = None,
    *,
    name: str | None = None,
    require_renames: bool = False,
    tally: Tally | None = None,
    limit: int = FINDINGS,
) -> Corpus:
    """Read an annotated corpus in any of the formats that are read.

    Parameters
    ----------
    path
        A file, ``-`` for standard input, or a folder.
    options
        How to read it; the defaults when None.
    name
        Name of the corpus, by default the path.
    require_renames
        Whether a key of `options.rename` that fits no type is an error.
    tally
        Filled with what is no error.
    limit
        Findings after which reading stops.

    Returns
    -------
    Corpus
        Of columns, the tags as they stand and their scheme; of documents, their sentences with tags
        in BIOES. With ``tag_column`` None there are no tags.

    Raises
    ------
    UsageError
        If the path cannot be opened, or its format cannot be told.
    FindingsError
        With everything wrong in the input, up to a limit.
    DataError
        If the scheme cannot be told, or a key of `options.rename` fits nothing.
    """
    options = ReadOptions() if options is None else options
    found = format_of(path, options)
    options = msgspec.structs.replace(options, format=found.name)
    name = display_name(path) if name is None else name
    if found.family == "columns":
        return read_conll(
            path, options, name=name, require_renames=require_renames, tally=tally, limit=limit
        )
    findings, tally = Findings(name, limit), Tally() if tally is None else tally
    documents = read_documents(path, options, findings, tally)
    corpus = documents.corpus(options, name, findings, tally)
    findings.raise_any()
    return renamed(corpus, options.rename, require=require_renames)


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of an input.

    Attributes
    ----------
    items
        The documents, in the input's order.
    sha256
        Hash of the input's bytes; of a folder, of its files' names and bytes. "" of a stream.
    """

    items: tuple[Document, ...]
    sha256: str

    def aligned(self, options: ReadOptions, findings: Findings, tally: Tally) -> Iterator[Aligned]:
        """Cut all documents; what is wrong with one goes to `findings`, and it is left out."""
        cutter = cutter_for(options, (document.text for document in self.items))
        for document in self.items:
            found = align(document, cutter, options, findings, tally)
            if found is None:
                continue
            if found.bounds:
                yield found
            else:
                tally.tokenless += 1

    def corpus(self, options: ReadOptions, name: str, findings: Findings, tally: Tally) -> Corpus:
        """All sentences; what is wrong goes to `findings`."""
        tagged = options.tag_column is not None
        sentences: list[Sentence] = []
        starts: list[int] = []
        for found in self.aligned(options, findings, tally):
            if tagged and found.spans is None:
                tally.left_out["documents without annotation"] += 1
                continue
            starts.append(len(sentences))
            sentences += found.sentences()
        if not sentences and not findings:
            findings.add(
                0,
                "no document with a token and an annotation in it",
                "is it the right file, and complete? Documents without entities need an empty list",
            )
        remarks = tally.remarks(name)
        return Corpus(name, tuple(sentences), "BIOES", self.sha256, remarks, tuple(starts))


def read_documents(
    path: str | PathLike[str], options: ReadOptions, findings: Findings, tally: Tally
) -> Documents:
    """Read the documents of an input whose format `options` names.

    Raises
    ------
    UsageError
        If the path cannot be opened.
    FindingsError
        If there is so much wrong that reading stopped.
    """
    found = FORMATS[options.format]
    module: Any = import_module(f"ladtl_np.corpus.formats.{found.module}")
    if found.folder:
        items = tuple(module.read_folder(Path(path), options, findings, tally))
        return Documents(items, _folder_sha256(Path(path), found.suffixes))
    digest = Digest()
    with open_input(path) as stream:
        items = tuple(module.read(digest.stream(stream), options, findings, tally))
    sha256 = "" if os.fspath(path) == "-" else digest.hexdigest()
    return Documents(items, sha256)


def _folder_sha256(folder: Path, suffixes: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in suffixes and path.is_file():
            digest.update(os.fsencode(path.relative_to(folder)) + b"\0")
            with open(path, "rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


_LETTER, _CHINESE = regex.compile(r"\p{L}"), regex.compile(r"\p{Han}")
_LETTERS_READ = 100_000  # letters by which is decided how texts are cut


def cutter_for(options: ReadOptions, texts: Iterable[str]) -> Cutter:
    """Decide how texts are cut.

    Parameters
    ----------
    options
        What was asked for.
    texts
        By which ``auto`` decides: characters where most letters are Chinese, else words.
    """
    tokens = options.tokens
    if tokens == "auto":
        tokens = "characters" if _mostly_chinese(texts) else "words"
    mode = "rules" if options.sentences == "auto" else options.sentences
    profile = Profile(tokens)

    def words(text: str) -> list[Bounds]:
        return cut_words(text, profile)

    def starts(text: str, bounds: Sequence[Bounds], whole: Sequence[Bounds]) -> list[int]:
        return [0] if mode == "whole" else cut_sentences(text, bounds, mode, keep=whole)

    return Cutter(words, starts)


def _mostly_chinese(texts: Iterable[str]) -> bool:
    letters = chinese = 0
    for text in texts:
        letters += len(_LETTER.findall(text))
        chinese += len(_CHINESE.findall(text))
        if letters > _LETTERS_READ:
            break
    return 2 * chinese > letters
