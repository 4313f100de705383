"""Raw text in, a line at a time, cut into tokens whose places in the line are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ladtl_np.corpus.cutting.profile import Profile, TokenMode
from ladtl_np.corpus.cutting.words import PLAIN, Bounds, Known, cut_plainly, cut_words
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.lines import numbered_lines
from ladtl_np.corpus.schemes import Span
from ladtl_np.corpus.tally import Tally

__all__ = ["RawLine", "iterate_raw", "tokenise"]


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

    @property
    def bounds(self) -> list[Bounds]:
        """Both, of each token."""
        return [
            (start, start + len(token))
            for start, token in zip(self.starts, self.tokens, strict=True)
        ]

    def character_spans(self, spans: Sequence[Span]) -> list[Span]:
        """Turn spans of tokens into spans of code points of `text`."""
        starts = self.starts if spans else ()
        return [
            (starts[start], starts[end - 1] + len(self.tokens[end - 1]), kind)
            for start, end, kind in spans
        ]


def tokenise(
    text: str, how: TokenMode | Profile, line: int = 0, known: Known | None = None
) -> RawLine:
    """Cut a text into tokens.

    Parameters
    ----------
    text
        The text.
    how
        How the training data are cut; or only what a token is, and joints of words are as usual.
    line
        1-based line of the text in its file.
    known
        As for `corpus.cutting.words.cut_words`.
    """
    profile = how if isinstance(how, Profile) else Profile(tokens=how)
    if profile.tokens in PLAIN:  # bounds are seldom asked for
        return RawLine(text, cut_plainly(text, profile.tokens), line)
    bounds = cut_words(text, profile, known)
    tokens = tuple([text[start:end] for start, end in bounds])
    return RawLine(text, tokens, line, tuple([start for start, _ in bounds]))


def iterate_raw(
    stream: Iterable[bytes],
    how: TokenMode | Profile,
    name: str,
    *,
    encoding: str = "utf-8",
    tally: Tally | None = None,
    known: Known | None = None,
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
            yield tokenise(text, how, number, known)
    findings.raise_any()
