"""The small markup of the data files.

``{slot}`` draws a term, ``{slot:text}`` is a term given literally, ``(a|b)`` is one or the other,
``<part>`` a word of that part, ``<#low-high>`` a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from ladtl_np.corpus.demo.draws import Draws

__all__ = ["Piece", "chosen", "expand", "parse", "with_numbers"]

_PART = re.compile(r"<([a-z_]+)>")
_SLOT = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
_NUMBER = re.compile(r"<#([\d.]+)-([\d.]+)>")


class Piece(NamedTuple):
    """A stretch of a term or clause.

    Attributes
    ----------
    slot
        Name of the slot, "" for text outside all entities.
    text
        The text, or None where a term of the slot is to be drawn.
    """

    slot: str
    text: str | None


def chosen(source: str, draws: Draws) -> str:
    """Replace every ``(a|b)`` by one of its alternatives; alternatives do not nest."""
    return _CHOICE.sub(lambda match: draws.choice(match[1].split("|")), source)


@cache
def parse(source: str) -> tuple[Piece, ...]:
    """Split a term or clause into its pieces.

    Examples
    --------
    >>> parse("诉{time}{symptom:咳嗽}")
    (Piece(slot='', text='诉'), Piece(slot='time', text=None), Piece(slot='symptom', text='咳嗽'))
    """
    pieces: list[Piece] = []
    end = 0
    for match in _SLOT.finditer(source):
        if match.start() > end:
            pieces.append(Piece("", source[end : match.start()]))
        pieces.append(Piece(match[1], match[2]))
        end = match.end()
    if end < len(source):
        pieces.append(Piece("", source[end:]))
    return tuple(pieces)


def expand(source: str, parts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the source with every ``<part>`` replaced by every word of that part.

    Examples
    --------
    >>> list(expand("<a>炎", {"a": ["肺", "胃"]}))
    ['肺炎', '胃炎']
    """
    match = _PART.search(source)
    if match is None:
        yield source
        return
    for word in parts[match[1]]:
        yield from expand(source[: match.start()] + word + source[match.end() :], parts)


def with_numbers(text: str, draws: Draws) -> str:
    """Replace every ``<#low-high>`` by a number in that range, with as many decimals as `low`."""

    def number(match: re.Match[str]) -> str:
        decimals = len(match[1].partition(".")[2])
        low, high = (round(float(bound) * 10**decimals) for bound in match.groups())
        digits = str(draws.between(low, high)).rjust(decimals + 1, "0")
        return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits

    return _NUMBER.sub(number, text) if "<#" in text else text
