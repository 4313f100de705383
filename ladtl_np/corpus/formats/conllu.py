"""Columns with an index first: CoNLL-U, and the files of GermEval 2014 and Universal NER.

Every line that starts with ``#`` is a comment. In CoNLL-U the tag is the value of ``NER=`` in the
last column, MISC (``NER=B-PER``; tokens without it are O), unless another column is chosen. Lines
of multiword tokens (``1-2``) and of empty nodes (``1.1``) hold no token of the sentence. Documents
begin at the comments ``# newdoc``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.columns import Block, LineParser
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.tally import Tally

__all__ = ["ConlluParser", "IndexedParser", "format_conllu"]

_MISC = 9
_INDEX = re.compile("[0-9]+")
_MULTIWORD = re.compile("[0-9]+-[0-9]+")
_EMPTY_NODE = re.compile(r"[0-9]+\.[0-9]+")
_NEW_DOCUMENT = re.compile(r"#[ \t]*newdoc\b")
_UNWRITABLE = re.compile("[\0\t\n\r]")


class IndexedParser(LineParser):
    """Index, token, tag and further columns, as GermEval 2014 and Universal NER have them.

    Token and tag are in columns 1 and 2 unless others than the defaults of `ReadOptions` are
    chosen: the defaults would be the index, and GermEval's tags of inner entities.
    """

    tag_by_default = 2

    def __init__(self, options: ReadOptions, findings: Findings, tally: Tally) -> None:
        super().__init__(options, findings, tally)
        plain = ReadOptions()
        if self._delimiter == "auto":
            self._delimiter = "tab"
        if self._token_column == plain.token_column:
            self._token_column = 1
        if self._tag_column == plain.tag_column:
            self._tag_column = self.tag_by_default

    def settle(self, number: int, line: str, *, comments: bool = False) -> bool:
        """Take number of columns and delimiter from a line; comments are never data here."""
        return super().settle(number, line)

    def data(self, block: Block) -> Block:
        """Leave out the comments of a block, wherever they stand."""
        return self._counted(block, [row for row in block if not self._may_be_comment(row[1])])

    def _may_be_comment(self, line: str) -> bool:
        return line.startswith("#")

    def _row(self, number: int, cells: list[str]) -> tuple[str, str] | None:
        if _INDEX.fullmatch(cells[0]):
            return super()._row(number, cells)
        self._refuse(
            number,
            f"a value of {len(cells[0])} characters in the first column is no index",
            "tokens are counted from 1 there; are these plain columns?",
            cells[0],
        )
        return None


class ConlluParser(IndexedParser):
    """CoNLL-U: ten columns, with the tag in the last one as ``NER=B-PER``."""

    tag_by_default = _MISC

    def __init__(self, options: ReadOptions, findings: Findings, tally: Tally) -> None:
        super().__init__(options, findings, tally)
        self._tokens = self._named = 0

    def data(self, block: Block) -> Block:
        """Leave out the comments of a block; those that tell documents are used and not counted."""
        return super().data([row for row in block if not _NEW_DOCUMENT.match(row[1])])

    def begins_document(self, block: Block) -> bool:
        """Whether one of the comments is ``# newdoc``, with an id or without."""
        return any(_NEW_DOCUMENT.match(line) for _, line in block)

    def finish(self) -> None:
        """Report a file in which no token has a tag."""
        if self._tag_column == _MISC and self._tokens and not self._named:
            self._findings.add(
                0,
                "no NER= in the column MISC of any token",
                "choose the column of the tags, or declare the text as untagged",
            )

    def _row(self, number: int, cells: list[str]) -> tuple[str, str] | None:
        for pattern, name in ((_MULTIWORD, "multiword tokens"), (_EMPTY_NODE, "empty nodes")):
            if pattern.fullmatch(cells[0]):
                self._tally.left_out[name] += 1
                return None
        return super()._row(number, cells)

    def _tag(self, number: int, tag: str) -> str | None:
        self._tokens += 1
        if self._tag_column != _MISC:
            return super()._tag(number, "O" if tag == "_" else tag)
        pairs = [pair.partition("=") for pair in tag.split("|")]
        tags = [value for key, _, value in pairs if key.strip().lower() == "ner"]
        if not tags:
            return "O"
        self._named += 1
        if len(tags) > 1:
            self._refuse(number, "several NER= in the column MISC", "keep one tag a token", tag)
            return None
        return super()._tag(number, tags[0])


def format_conllu(
    tokens: tuple[str, ...], tags: tuple[str, ...] | None, sure: Sequence[str] = ()
) -> str:
    """Write a sentence as lines of CoNLL-U, each ended by LF; the last column has the tags.

    It also has how `sure` each tag is, where that is told, as ``NERProb=0.9312``.

    Raises
    ------
    ValueError
        If reading the lines would not give the same: an empty token, one with a tab, LF, CR or
        NUL, or a tag with one of these or ``|``.
    """
    lines = []
    for number, token in enumerate(tokens, 1):
        tag = "_" if tags is None else f"NER={tags[number - 1]}"
        if not token or _UNWRITABLE.search(token + tag) or "|" in tag:
            raise ValueError(
                f"token {number} cannot be written in CoNLL-U: it is empty, or it or its tag "
                "holds a tab, a line end, NUL or |; write JSONL instead"
            )
        tag += f"|NERProb={sure[number - 1]}" if sure else ""
        cells = [str(number), token, *["_"] * (_MISC - 2), tag]
        lines.append("\t".join(cells) + "\n")
    return "".join(lines)
