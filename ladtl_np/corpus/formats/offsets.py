"""Offsets as files give them: checked for what they are, and counted as `Document` counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ladtl_np.corpus.document import Bounds, Identity
from ladtl_np.corpus.findings import Findings
from ladtl_np.corpus.formats.reading import Ends
from ladtl_np.corpus.limits import INTEGER_BITS
from ladtl_np.corpus.schemes import Span
from ladtl_np.printable import shown

__all__ = ["EndRule", "Marked", "MisfitError", "bounds_of", "doubts", "identity_of", "integer"]

_HALF = 1 << (INTEGER_BITS - 1)


class MisfitError(ValueError):
    """A value of a file is of another kind than wanted; the message holds no text of the data."""


@dataclass(frozen=True, slots=True)
class Marked:
    """An entity as a file has it.

    Attributes
    ----------
    start, end
        Offsets; whether the end is inclusive is for `EndRule` to say.
    kind
        Its type.
    text
        The text that the file says it covers, None where it does not say.
    """

    start: int
    end: int
    kind: str
    text: str | None = None

    def fits(self, text: str, shift: int) -> bool:
        """Whether it covers its text with `shift` added to its end."""
        inside = 0 <= self.start < self.end + shift <= len(text)
        return inside and text[self.start : self.end + shift] == self.text


class EndRule:
    """Turns entities of one file into spans with exclusive ends.

    The first document that has entities decides for the file if nothing else does; in it and in all
    others the texts of the entities have to fit.

    Parameters
    ----------
    ends
        What the user chose.
    findings
        Takes what is wrong.
    """

    def __init__(self, ends: Ends, findings: Findings) -> None:
        self._findings = findings
        self._ends: Ends = ends

    def spans(
        self, text: str, marked: Sequence[Marked], line: int, where: str = "", known: Ends = "auto"
    ) -> tuple[Span, ...] | None:
        """Return the spans of a document in their order, None after a finding.

        Parameters
        ----------
        text
            The document's text.
        marked
            Its entities.
        line, where
            Its line, and what else tells it in messages, such as ``task 7: ``.
        known
            Convention of the file's dialect, which holds unless the user chose another.

        Raises
        ------
        FindingsError
            If nothing tells whether ends are inclusive.
        """
        if self._ends == "auto":
            self._ends = known
        if self._ends == "auto" and marked:
            self._ends = self._told_by_texts(text, marked, line, where)
        shift = int(self._ends == "inclusive")
        wrong = [one for one in marked if one.text is not None and not one.fits(text, shift)]
        for one in wrong:
            self._findings.add(
                line,
                f"{where}entity {_place(one)} covers another text than the file says",
                f"offsets count characters from 0, and ends were taken for {self._ends}"
                + doubts(text),
                one.text,
            )
        if wrong:
            return None
        return tuple((one.start, one.end + shift, one.kind) for one in marked)

    def _told_by_texts(self, text: str, marked: Sequence[Marked], line: int, where: str) -> Ends:
        with_text = [one for one in marked if one.text]
        exclusive = sum(one.fits(text, 0) for one in with_text)
        inclusive = sum(one.fits(text, 1) for one in with_text)
        if exclusive and not inclusive:
            return "exclusive"
        if inclusive and not exclusive:
            return "inclusive"
        if exclusive:
            what = f"{exclusive} entities whose texts have exclusive ends, {inclusive} inclusive"
        elif with_text:
            what = f"no entity covers the text that the file says, {_place(with_text[0])} first"
        else:
            what = "nothing tells whether the ends of entities are inclusive"
        cure = "choose ends (--ends, ends=exclusive or inclusive)"
        self._findings.fail(line, where + what, cure + doubts(text))


def _place(one: Marked) -> str:
    return shown(f"{one.start}..{one.end}", 60)


def doubts(text: str) -> str:
    """Ask, at the end of a message, for other ways to count that make a difference in a text."""
    asked = ""
    if "\r\n" in text:
        asked += "; were they counted before line ends became CRLF?"
    if any(ord(character) > 0xFFFF for character in text):
        asked += "; were they counted in UTF-16 units, where this text has two for some characters?"
    return asked


def integer(value: Any, name: str) -> int:
    """Insist on an integer of 64 bits.

    Raises
    ------
    MisfitError
        Naming what it should be.
    """
    if type(value) is not int:
        raise MisfitError(f"{name} is no integer")
    if not -_HALF <= value < _HALF:
        raise MisfitError(f"{name} has more than {INTEGER_BITS} bits")
    return value


def identity_of(value: Any) -> Identity:
    """Insist on an id: an integer of 64 bits, a text or nothing.

    Raises
    ------
    MisfitError
        Otherwise.
    """
    if value is None or isinstance(value, str):
        return value
    if type(value) is not int:
        raise MisfitError("an id that is neither text nor an integer")
    if not -_HALF <= value < _HALF:
        raise MisfitError(f"an id of more than {INTEGER_BITS} bits; write long ids as text")
    return value


def bounds_of(pairs: Sequence[Bounds], size: int, name: str = "tokens") -> tuple[Bounds, ...]:
    """Insist on tokens, or others of that `name`, in order within a text of `size` characters.

    Raises
    ------
    MisfitError
        Naming the first that does not, by its number.
    """
    before = 0
    for number, (start, end) in enumerate(pairs, 1):
        if not before <= start < end <= size:
            raise MisfitError(
                f"number {number} of {name} is empty, out of order or leaves the text"
            )
        before = end
    return tuple(pairs)
