"""Text into tokens: each has its exact bounds, and whatever is in none is white space."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import regex

from ladtl_np.corpus.cutting.abbreviations import OPENERS
from ladtl_np.corpus.cutting.pattern import GAP, piece_pattern
from ladtl_np.corpus.cutting.profile import Joints, Profile

__all__ = ["PLAIN", "Bounds", "Known", "cut_plainly", "cut_words"]

Bounds = tuple[int, int]
"""First code point of a token, and the one after its last."""

Known = Callable[[str], bool]
"""Whether a token is one of those that the training data have."""

# White space that parts tokens and is none itself. In these two modes every other code point is
# data: U+3000 and U+00A0 are tokens of Chinese corpora.
PLAIN = {"characters": re.compile(r"[^ \t\r\n]"), "spaces": re.compile(r"[^ \t\r\n]+")}
_PIECE = re.compile(rf"[^{GAP}]+")

_CACHED_PIECES = 50_000
_CACHED_LENGTH = 40  # of a piece; longer ones come once

# A period that may belong to the word before it: an acronym's, an initial's, an abbreviation's.
_ACRONYM = regex.compile(r"(?:\p{L}\p{M}*+\.)+\p{L}\p{M}*+")
_INITIAL = regex.compile(r"\p{Lu}\p{M}*+")
_ABBREVIATION = regex.compile(r"\p{L}[\p{L}\p{M}.'\-]{1,19}+")
_INDENT = 20  # code points before a number that starts a line
_NUMBER = regex.compile(r"\d{1,3}+")
_NEXT = re.compile(r"[^\W_]|\n")
_NEXT_WORD = re.compile(r"[^\W\d_]{1,12}")

_Cut = tuple[tuple[Bounds, ...], int]
"""Bounds within a piece; and which of its tokens is a period that may belong to a word, or -1."""


def cut_plainly(text: str, tokens: str) -> tuple[str, ...]:
    """Tokens of a mode of PLAIN, without their bounds.

    What its pattern finds, in half the time: while kernels run on other threads, Python reads text
    on one.
    """
    for gap in "\t\r\n":
        if gap in text:
            text = text.replace(gap, " ")
    pieces = text.split(" ")
    return tuple("".join(pieces)) if tokens == "characters" else tuple(filter(None, pieces))


def cut_words(text: str, profile: Profile, known: Known | None = None) -> list[Bounds]:
    """Cut a text into tokens, as the training data are cut.

    Parameters
    ----------
    text
        Any text, of one line or more.
    profile
        How the training data are cut.
    known
        Whether the training data have a token; it decides about periods of abbreviations. Without
        it, only those of acronyms and initials belong to their words.

    Returns
    -------
    list of (int, int)
        Bounds of each token in code points, in order, without overlap. What lies between them is
        white space, and code points without a width that stand between words.
    """
    plain = PLAIN.get(profile.tokens)
    if plain is not None:
        return [found.span() for found in plain.finditer(text)]
    if profile.tokens != "words":
        raise ValueError(
            f"tokens must be 'words', 'characters' or 'spaces', got {profile.tokens!r}"
        )
    joints = profile.joints
    cached = _cache_of(joints)
    bounds: list[Bounds] = []
    add, more = bounds.append, bounds.extend
    for found in _PIECE.finditer(text):
        piece, start = found[0], found.start()
        cut = cached.get(piece)
        if cut is None:
            cut = _cut_piece(piece, joints)
            if len(piece) <= _CACHED_LENGTH:
                if len(cached) >= _CACHED_PIECES:
                    cached.clear()
                cached[piece] = cut
        inner: Sequence[Bounds] = cut[0]
        period = cut[1]
        if len(inner) == 1:
            add((start, start + len(piece)))
            continue
        if period >= 0:
            inner = _with_periods(text, start, inner, period, joints, known)
        more([(start + a, start + b) for a, b in inner])
    return bounds


_CACHES: dict[Joints, dict[str, _Cut]] = {}


def _cache_of(joints: Joints) -> dict[str, _Cut]:
    if len(_CACHES) > 16 and joints not in _CACHES:
        _CACHES.clear()
    return _CACHES.setdefault(joints, {})


def _cut_piece(piece: str, joints: Joints) -> _Cut:
    inner = tuple(found.span() for found in piece_pattern(joints).finditer(piece))
    for n in range(1, len(inner)):
        start, end = inner[n]
        if end - start == 1 and piece[start] == "." and piece[start - 1].isalnum():
            return inner, n
    return inner, -1


def _with_periods(
    text: str,
    start: int,
    inner: Sequence[Bounds],
    first: int,
    joints: Joints,
    known: Known | None,
) -> list[Bounds]:
    """Give the periods that belong to words to them."""
    joined: list[Bounds] = list(inner[:first])
    for a, b in inner[first:]:
        if b - a == 1 and text[start + a] == "." and joined:
            before, end = joined[-1]
            if end == a and _belongs(text, start + before, start + end, joints, known):
                joined[-1] = (before, b)
                continue
        joined.append((a, b))
    return joined


def _belongs(text: str, start: int, end: int, joints: Joints, known: Known | None) -> bool:
    """Whether the period at `end` belongs to the word that ends there.

    Behind the last word of a sentence it does so only if the word is not known without it.
    """
    if end - start > 20:
        return False
    word = text[start:end]
    if _NUMBER.fullmatch(word):
        _, line_end, indent = text[max(0, start - _INDENT) : start].rpartition("\n")
        starts_line = not indent.strip() and (bool(line_end) or start <= _INDENT)
        return joints.ordinal and starts_line
    if _ACRONYM.fullmatch(word):
        if not joints.acronym:
            return False
        only = known is not None and known(word + ".") and not known(word)
        return only or not _is_last(text, end)
    if _INITIAL.fullmatch(word):
        return joints.initial and not _is_last(text, end)
    if known is None or not _ABBREVIATION.fullmatch(word):
        return False
    return known(word + ".") and not (_is_last(text, end) and known(word))


def _is_last(text: str, period: int) -> bool:
    """Whether a word's period ends a sentence: the line ends, or a word that opens one follows."""
    found = _NEXT.search(text, period + 1)
    if found is None or found[0] == "\n":
        return True
    word = _NEXT_WORD.match(text, found.start())
    return word is not None and word[0] in OPENERS
