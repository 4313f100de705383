"""The columns of one line, and the parser that reads them."""

from __future__ import annotations

import contextlib
import re
import sys

from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.limits import COLUMNS, TYPE_CHARACTERS
from ladtl_np.corpus.schemes import PREFIXES, split_tag
from ladtl_np.corpus.tally import Tally
from ladtl_np.printable import counted

__all__ = ["Block", "LineParser", "is_docstart"]

Block = list[tuple[int, str]]
"""Numbers and texts of the lines between two blank lines."""

_DOCSTART = "-DOCSTART-"
_SPACES = re.compile(" +")
# A character outside the basic plane that was destroyed before release counts as one character,
# though it left two U+FFFD (WeiboNER has such lines).
_WITH_POSITION = re.compile("(?:\ufffd(?=\ufffd[0-9]))?(.)[0-9]+", re.DOTALL)
# A whole tag behind a mark that joins: B-X,B-Y; ORG|O; B-X;I-Y
_JOINED = re.compile(r"[,;|](?:O|[BIESLUM]-[^,;|]+)(?=[,;|]|$)", re.DOTALL)


def is_docstart(line: str) -> bool:
    """Whether a line marks the start of a document, as CoNLL-2003 and Label Studio have it."""
    return line == _DOCSTART or line.startswith((_DOCSTART + " ", _DOCSTART + "\t"))


class LineParser:
    """Turns data lines into tokens and tags; reports what is wrong with a line.

    `settle` has to have seen the first data line before others are parsed: all lines have its
    number of columns and its delimiter.

    Parameters
    ----------
    options
        How to read.
    findings
        Takes what is wrong.
    tally
        Takes what is left out.
    """

    def __init__(self, options: ReadOptions, findings: Findings, tally: Tally) -> None:
        self._options = options
        self._findings = findings
        self._tally = tally
        self._delimiter = options.delimiter
        self._token_column = options.token_column
        self._tag_column = options.tag_column
        self._width = 0  # columns of the first data line, which all others must have
        self._first = 0  # its number
        self._good_tags: dict[str, str] = {}
        self._prefixes = PREFIXES.get(options.scheme, "BIESLUM")

    def settle(self, number: int, line: str, *, comments: bool = False) -> bool:
        """Take number of columns and delimiter from a line, unless it may be none of data.

        Parameters
        ----------
        number, line
            A line that is not blank.
        comments
            Whether a line that may be a comment is taken as well: for files that have no other.

        Returns
        -------
        bool
            Whether it was taken.
        """
        docstart = is_docstart(line) and not self._options.keep_docstart
        if docstart or (self._may_be_comment(line) and not comments):
            return False
        if self._delimiter == "auto":
            self._delimiter = "tab" if "\t" in line else "space"
        cells = self._cells(line)
        if cells is None:
            return False
        self._set_width(number, len(cells))
        return True

    def data(self, block: Block) -> Block:
        """Leave out the comments of a block.

        A line that looks like one may be data all the same: tweets have the token ``#``. So in
        plain columns only lines before a sentence are left out, and of those only the ones that
        have not as many columns as data have.
        """
        start = 0
        for _, line in block:
            cells = self._cells(line) if self._may_be_comment(line) else []
            if cells == [] or (cells is not None and len(cells) == self._width):
                break
            start += 1
        return self._counted(block, block[start:])

    def parse(self, number: int, line: str) -> tuple[str, str] | None:
        """Return token and tag of a line (tag "" in untagged text), None if it holds no token."""
        # a million lines come here, so the usual case is one split
        cells = line.split("\t", COLUMNS) if self._delimiter == "tab" else self._cells(line)
        if cells is None:
            self._refuse(
                number,
                "a tab in a file whose columns end at spaces",
                "use one delimiter throughout, or declare it",
            )
            return None
        if len(cells) != self._width:
            self._refuse(
                number,
                f"{counted(len(cells), 'columns')} where line {self._first} has {self._width}",
                "is a delimiter or a tag missing, or is the delimiter part of a token?",
            )
            return None
        return self._row(number, cells)

    def begins_document(self, block: Block) -> bool:
        """Whether the comments of a block say that a document begins there."""
        return False

    def finish(self) -> None:
        """Report what is wrong with the file as a whole."""

    def _row(self, number: int, cells: list[str]) -> tuple[str, str] | None:
        token = self._token(number, cells[self._token_column])
        tag = "" if self._tag_column is None else self._tag(number, cells[self._tag_column])
        return None if token is None or tag is None else (token, tag)

    def _may_be_comment(self, line: str) -> bool:
        return line.startswith(("# ", "#\t"))

    def _counted(self, block: Block, kept: Block) -> Block:
        if len(block) > len(kept):
            self._tally.left_out["comment lines"] += len(block) - len(kept)
        return kept

    def _cells(self, line: str) -> list[str] | None:
        """Cut a line; None for a tab where columns end at spaces."""
        if self._delimiter == "tab":
            return line.split("\t", COLUMNS)
        return None if "\t" in line else _SPACES.split(line.strip(" "), COLUMNS)

    def _refuse(self, number: int, what: str, cure: str, value: str | None = None) -> None:
        self._findings.add(number, what, cure, value)

    def _set_width(self, number: int, width: int) -> None:
        if width > COLUMNS:
            what = f"more than {COLUMNS:,} columns"
            self._findings.fail(number, what, "is it one token a line, and the delimiter right?")
        self._width, self._first = width, number
        chosen = [self._token_column]
        if self._tag_column is not None:
            chosen.append(self._tag_column)
        within = all(-width <= column < width for column in chosen)
        if within and len({column % width for column in chosen}) == len(chosen):
            return
        self._findings.fail(
            number,
            f"{width} {'column' if width == 1 else 'columns'} (delimiter: {self._delimiter}), "
            f"where token and tag were looked for in columns {', '.join(map(str, chosen))}",
            "choose the columns and the delimiter, or declare the text as untagged",
        )

    def _token(self, number: int, token: str) -> str | None:
        if not token:
            self._refuse(number, "an empty token", "is a delimiter doubled on this line?")
            return None
        if not self._options.position_digits:
            return sys.intern(token)
        match = _WITH_POSITION.fullmatch(token)
        if match is None:
            self._refuse(
                number,
                f"a token of {len(token)} characters where one character and its position "
                "digits were wanted",
                "read this file without position digits?",
                token,
            )
            return None
        return sys.intern(match[1])

    def _tag(self, number: int, tag: str) -> str | None:
        good = self._good_tags.get(tag)
        if good is not None:
            return good
        prefix = ""
        if len(tag) <= TYPE_CHARACTERS + 2:
            with contextlib.suppress(ValueError):
                prefix, _ = split_tag(tag)
        if _JOINED.search(tag) or (prefix != "O" and (not prefix or prefix not in self._prefixes)):
            self._refuse(number, *self._about_tag(tag), tag)
            return None
        self._good_tags[tag] = tag
        return tag

    def _about_tag(self, tag: str) -> tuple[str, str]:
        # Even what looks like a tag may be a word of the data, as T-cell: its length is told.
        value = f"a value of {len(tag)} characters in the tag column"
        if _JOINED.search(tag):
            return (
                f"{value} is several tags joined by , ; or |",
                "keep one tag a token, or give each a column of its own and choose one",
            )
        wanted = ", ".join(f"{prefix}-TYPE" for prefix in self._prefixes)
        cure = "is the tag column right?"
        if tag != tag.strip():
            cure = "remove the white space beside the tag"
        elif self._options.scheme != "detect":
            cure = f"is the declared scheme {self._options.scheme} right, and the tag column?"
        return f"{value} is not a tag; wanted O, {wanted}", cure
