"""The columns of one line, and the parser that reads them."""

from __future__ import annotations

import contextlib
import re
import sys

from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.limits import COLUMNS, TYPE_CHARACTERS
from ladtl_np.corpus.schemes import PREFIXES, split_tag

__all__ = ["LineParser"]

_SPACES = re.compile(" +")
# A character outside the basic plane that was destroyed before release counts as one character,
# though it left two U+FFFD (WeiboNER has such lines).
_WITH_POSITION = re.compile("(?:\ufffd(?=\ufffd[0-9]))?(.)[0-9]+", re.DOTALL)


class LineParser:
    """Turns data lines into tokens and tags; reports what is wrong with a line."""

    def __init__(self, options: ReadOptions, findings: Findings) -> None:
        self._options = options
        self._findings = findings
        self._delimiter = options.delimiter
        self._width = 0  # columns of the first data line, which all others must have
        self._first = 0  # its number
        self._good_tags: dict[str, str] = {}
        self._prefixes = PREFIXES.get(options.scheme, "BIESLU")

    def parse(self, number: int, line: str) -> tuple[str, str] | None:
        """Return token and tag of a line (tag "" in untagged text), None after a finding."""
        if self._delimiter == "auto":
            self._delimiter = "tab" if "\t" in line else "space"
        if self._delimiter == "tab":
            cells = line.split("\t", COLUMNS)
        elif "\t" not in line:
            cells = _SPACES.split(line.strip(" "), COLUMNS)
        else:
            self._refuse(
                number,
                "a tab in a file whose columns end at spaces",
                "use one delimiter throughout, or declare it",
            )
            return None
        if len(cells) != self._width and not self._set_width(number, len(cells)):
            return None
        token = self._token(number, cells[self._options.token_column])
        tag = self._tag(number, cells)
        return None if token is None or tag is None else (token, tag)

    def _refuse(self, number: int, what: str, cure: str, value: str | None = None) -> None:
        self._findings.add(number, what, cure, value)

    def _set_width(self, number: int, width: int) -> bool:
        if width > COLUMNS:
            what = f"more than {COLUMNS:,} columns"
            self._refuse(number, what, "is it one token a line, and the delimiter right?")
            return False
        if self._width:
            self._refuse(
                number,
                f"{width} column{'s' * (width != 1)} where line {self._first} has {self._width}",
                "is a delimiter or a tag missing, or is the delimiter part of a token?",
            )
            return False
        self._width, self._first = width, number
        chosen = [self._options.token_column]
        if self._options.tag_column is not None:
            chosen.append(self._options.tag_column)
        within = all(-width <= column < width for column in chosen)
        if within and len({column % width for column in chosen}) == len(chosen):
            return True
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

    def _tag(self, number: int, cells: list[str]) -> str | None:
        if self._options.tag_column is None:
            return ""
        tag = cells[self._options.tag_column]
        good = self._good_tags.get(tag)
        if good is not None:
            return good
        prefix = ""
        if len(tag) <= TYPE_CHARACTERS + 2:
            with contextlib.suppress(ValueError):
                prefix, _ = split_tag(tag)
        if prefix != "O" and (not prefix or prefix not in self._prefixes):
            self._refuse(number, *self._about_tag(tag), tag)
            return None
        self._good_tags[tag] = tag
        return tag

    def _about_tag(self, tag: str) -> tuple[str, str]:
        # Even what looks like a tag may be a word of the data, as T-cell: its length is told.
        value = f"a value of {len(tag)} characters in the tag column"
        wanted = ", ".join(f"{prefix}-TYPE" for prefix in self._prefixes)
        cure = "is the tag column right?"
        if tag.startswith("M-"):
            cure = "in BMES tags, write I- for M-"
        elif tag != tag.strip():
            cure = "remove the white space beside the tag"
        elif self._options.scheme != "detect":
            cure = f"is the declared scheme {self._options.scheme} right, and the tag column?"
        return f"{value} is not a tag; wanted O, {wanted}", cure
