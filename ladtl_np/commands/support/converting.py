"""Corpora written in every format."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from ladtl_np.commands.support.held import Held
from ladtl_np.commands.support.streams import check_output, open_output
from ladtl_np.corpus.conversion import column_lines
from ladtl_np.corpus.document import Document
from ladtl_np.corpus.formats.registry import FORMATS, Format
from ladtl_np.errors import DataError, UsageError
from ladtl_np.files import make_private_folder, new_file
from ladtl_np.printable import LONG, shown

__all__ = [
    "PAIR",
    "VIEW",
    "WRITABLE",
    "check_place",
    "coloured",
    "format_to",
    "write",
    "write_documents",
    "write_pair",
]

WRITABLE = tuple(found.name for found in FORMATS.values() if found.writes)
"""Formats that are written."""

VIEW = Format(
    "terminal", "entities in brackets or in colour", "view", (), "", reads=False, tokens=True
)
"""What people look at; its documents have entities that do not overlap."""

PAIR = ".ann"
"""End of the file that stands for a pair of brat's."""

_AT_ONCE = 1 << 16  # characters written at a time
_FOLDER_GROUP = 100  # sentences in a file of a folder, where the input tells no documents
_SAFE = re.compile(r"[\w][\w.\-]{0,99}")


def format_to(output: str, wanted: str | None) -> Format:
    """Tell the format of an output: what was asked for, or what its name says.

    Raises
    ------
    UsageError
        If the name does not tell.
    """
    if wanted is not None:
        return VIEW if wanted == VIEW.name else FORMATS[wanted]
    suffix = os.path.splitext(output)[1].lower()
    for found in FORMATS.values():
        if found.writes and not found.folder and suffix in found.suffixes:
            return found
    raise UsageError(
        f"{shown(output, LONG)}: its name tells no format; give --to, one of {', '.join(WRITABLE)}"
    )


def check_place(output: str, inputs: Iterable[str], found: Format, *, overwrite: bool) -> None:
    """Refuse an output that cannot or should not be written, before any work is done.

    Raises
    ------
    UsageError
        As `check_output`; or if a folder that is wanted is a file, or holds something.
    """
    if not found.folder:
        check_output(output, inputs, overwrite=overwrite)
        return
    if output == "-":
        raise UsageError(f"{found.name} is a folder of files; name one")
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{shown(output, LONG)} is a file; {found.name} wants a folder")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise UsageError(
            f"{shown(output, LONG)} is not empty; give --overwrite to replace files of the same "
            "names, or name another folder"
        )
    for path in inputs:  # whose names the new files might have
        if path != "-" and folder.resolve() in (Path(path).resolve(), Path(path).resolve().parent):
            raise UsageError(
                f"{shown(output, LONG)} holds the input {shown(path, LONG)}; name another folder"
            )


def write(
    held: Held,
    found: Format,
    output: str,
    scheme: str | None,
    group: int | None,
    *,
    overwrite: bool = True,
) -> int:
    """Write what is held; return how many sentences or documents that are.

    Parameters
    ----------
    held
        The input.
    found
        Format of the output.
    output
        A file, ``-``, or a folder.
    scheme
        Tag scheme of columns; None keeps the one of columns, and is BIOES for documents.
    group
        Sentences in a document where the input tells none.
    overwrite
        Whether a file that another process has made meanwhile is replaced.
    """
    if found.family == "columns":
        corpus = held.as_corpus()
        lines = column_lines(corpus, scheme or corpus.scheme, conllu=found.name == "conllu")
        _write_pieces(output, lines, overwrite=overwrite)
        return len(corpus)
    group = group or (_FOLDER_GROUP if found.folder else 1)
    documents = held.as_documents(group, tokens=found.tokens)
    if found is VIEW:
        _write_pieces(output, _shown(documents, coloured(output)), overwrite=overwrite)
    else:
        write_documents(documents, found, output, held.name, overwrite=overwrite)
    return len(documents)


def coloured(output: str) -> bool:
    """Whether an output is a terminal that may have colours."""
    return output == "-" and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _shown(documents: Sequence[Document], colours: bool) -> Iterator[str]:
    """A legend, and the documents with their entities marked."""
    from ladtl_np.commands.support.highlight import Highlighter

    kinds = {kind for document in documents for _, _, kind in document.entities or ()}
    view = Highlighter(sorted(kinds), coloured=colours)
    yield view.legend()
    for document in documents:
        yield view.document(document)


def write_documents(
    documents: Iterable[Document], found: Format, output: str, name: str, *, overwrite: bool
) -> None:
    """Write documents in a format of documents, or as a page.

    Parameters
    ----------
    documents
        The documents; written as they come, but into a folder or a file of bytes.
    found
        The format.
    output
        A file, ``-``, or a folder.
    name
        The input, for messages.
    overwrite
        Whether a file that another process has made meanwhile is replaced.

    Raises
    ------
    DataError
        If the format cannot hold a document.
    """
    module: Any = import_module(f"ladtl_np.corpus.formats.{found.module}")
    try:
        if found.folder:
            _write_folder(Path(output), list(documents), module)
        elif hasattr(module, "write_bytes"):
            content = module.write_bytes(documents)
            if output == "-":
                raise UsageError(f"{found.name} is no text; name a file with -o")
            with new_file(Path(output), overwrite=overwrite) as file:
                file.write(content)
        else:
            _write_pieces(output, module.write(documents), overwrite=overwrite)
    except ValueError as error:
        raise DataError(f"{shown(name, LONG)}: {error}") from None


def write_pair(documents: Sequence[Document], found: Format, output: str, name: str) -> None:
    """Write one document as two files beside each other; `output` is the one that ends in `PAIR`.

    Raises
    ------
    DataError
        If there are several documents, or the format cannot hold the one.
    """
    if len(documents) != 1:
        raise DataError(
            f"{shown(name, LONG)}: {len(documents):,} documents, which are no one pair of files; "
            f"tag it alone, with -o FOLDER"
        )
    module: Any = import_module(f"ladtl_np.corpus.formats.{found.module}")
    path = Path(output)
    try:
        files = module.write_files(documents[0], path.stem)
    except ValueError as error:
        raise DataError(f"{shown(name, LONG)}: {error}") from None
    for file, text in sorted(files.items(), key=lambda item: item[0].endswith(PAIR)):
        with new_file(path.with_name(file)) as stream:
            stream.write(text.encode("utf-8"))


def _write_pieces(output: str, pieces: Iterable[str], *, overwrite: bool) -> None:
    """Write text, some of it at a time."""
    with open_output(output, overwrite=overwrite) as put:
        waiting, size = [], 0
        for piece in pieces:
            waiting.append(piece)
            size += len(piece)
            if size >= _AT_ONCE:
                put("".join(waiting))
                waiting, size = [], 0
        put("".join(waiting))


def _write_folder(folder: Path, documents: Sequence[Document], module: Any) -> None:
    make_private_folder(folder)
    taken: set[str] = set()
    for number, document in enumerate(documents, 1):
        name = _name_of(document, number, len(documents))
        if name.lower() in taken:  # some file systems do not tell the case of letters
            name = f"{name}-{number}"
        taken.add(name.lower())
        for file, text in module.write_files(document, name).items():
            with new_file(folder / file) as stream:
                stream.write(text.encode("utf-8"))


def _name_of(document: Document, number: int, total: int) -> str:
    """The document's file without its ending, or its id where that can be a file, or a number."""
    told = os.path.splitext(os.path.basename(document.file))[0] or str(document.id or "")
    return told if _SAFE.fullmatch(told) else f"{number:0{len(str(total))}}"
