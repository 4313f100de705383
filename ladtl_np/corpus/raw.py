"""Raw text in: one sentence a line, cut into tokens whose places in the line are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.lines import numbered_lines
from ladtl_np.corpus.schemes import Span
from ladtl_np.corpus.tally import Tally

__all__ = ["RawLine", "TokenMode", "iterate_raw", "tokenise"]

TokenMode = Literal["characters", "spaces"]
"""What a token is: one code point, or what stands between white space."""

# White space that parts tokens and is none itself. Every other code point is data: U+3000 and
# U+00A0 are tokens of Chinese corpora.
_TOKEN = {"characters": re.compile(r"[^ \t\r\n]"), "spaces": re.compile(r"[^ \t\r\n]+")}


@dataclass(frozen=True, slots=True)
class RawLine:
    """A text and its tokens.

    Attributes
    ----------
    text
        The text as it stands in the file, without its line end.
    tokens
        Its tokens; none in an empty line.
    line
        1-based line in the file.
    known_starts
        `starts`, where white space alone does not tell them.
    """

    text: str
    tokens: tuple[str, ...]
    line: int = 0
    known_starts: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def starts(self) -> tuple[int, ...]:
        """Offset of each token's first code point in `text`."""
        if self.known_starts is not None:
            return self.known_starts
        starts, end = [], 0
        for token in self.tokens:  # between tokens there is nothing but white space
            starts.append(self.text.index(token, end))
            end = starts[-1] + len(token)
        return tuple(starts)

    @property
    def ends(self) -> tuple[int, ...]:
        """Offset after each token's last code point."""
        return tuple(
            start + len(token) for start, token in zip(self.starts, self.tokens, strict=True)
        )

    def character_spans(self, spans: Sequence[Span]) -> list[Span]:
        """Turn spans of tokens into spans of code points of `text`."""
        starts = self.starts if spans else ()
        return [
            (starts[start], starts[end - 1] + len(self.tokens[end - 1]), kind)
            for start, end, kind in spans
        ]


def tokenise(text: str, mode: TokenMode, line: int = 0) -> RawLine:
    """Cut a text into tokens.

    Parameters
    ----------
    text
        The text; space, tab and line ends are the only white space.
    mode
        ``characters``: each code point is a token. ``spaces``: runs between white space are.
    line
        1-based line of the text in its file.
    """
    if mode not in _TOKEN:
        raise ValueError(f"tokens must be 'characters' or 'spaces', got {mode!r}")
    return RawLine(text, tuple(_TOKEN[mode].findall(text)), line)


def iterate_raw(
    stream: Iterable[bytes],
    mode: TokenMode,
    name: str,
    *,
    encoding: str = "utf-8",
    tally: Tally | None = None,
) -> Iterator[RawLine]:
    """Yield the lines of a binary stream one at a time, empty ones as well.

    Lines end at LF or CRLF. After the first finding no more lines are yielded; the rest is read for
    further findings.

    Raises
    ------
    FindingsError
        For lines that cannot be decoded, or hold a NUL byte or a lone CR.
    """
    findings = Findings(name)
    for number, text in numbered_lines(stream, findings, encoding=encoding, tally=tally):
        if not findings:
            yield tokenise(text, mode, number)
    findings.raise_any()
