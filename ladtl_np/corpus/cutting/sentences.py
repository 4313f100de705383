"""Tokens of a text into sentences: by lines, or by rules within lines.

The rules look at the text and not at the tokens, so they are the same whatever a token is. A place
that lies inside a token, or inside a span that is to stay whole, is no end.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import regex

from ladtl_np.corpus.cutting.abbreviations import BEFORE_NUMBERS, NEVER_LAST, OPENERS
from ladtl_np.corpus.cutting.profile import SentenceMode
from ladtl_np.corpus.cutting.words import Bounds, Known

__all__ = ["LONGEST", "cut_sentences", "first_tokens", "sentence_ends"]

LONGEST = 512
"""Tokens of a sentence beyond which rules cut it at the best place."""

_CLOSERS = r"[\"'\u2019\u201d)\]}»›」』）】》〉〕］｝”’]"
_LINE_END = re.compile(r"[\r\n]")
_END = re.compile(
    r"(?:[。！？｡…]|；(?P<semicolon>)|[.!?](?P<western>))(?P<more>[。！？｡….!?]*)" + f"{_CLOSERS}*"
)
# What stands before a period, as far back as an abbreviation reaches.
_WORD_BEFORE = regex.compile(r"[\p{L}\p{M}\p{N}.'\u2019\-]*+$")
_REACH = 20
_ACRONYM = regex.compile(r"(?:\p{L}\p{M}*+\.)+\p{L}\p{M}*+")
_OPENING = re.compile(r"[\s\"'‘“(\[{«‹「『（【《〈*•\-]*")
_NEXT_WORD = re.compile(r"[^\W\d_]{1,12}")
_WINDOW_MARKS = "；;。.!?！？,，、:："  # where a long sentence is cut: the first of them rather
_FIRST_MARKS = 8


def cut_sentences(
    text: str,
    bounds: Sequence[Bounds],
    mode: SentenceMode,
    longest: int = LONGEST,
    keep: Iterable[Bounds] = (),
    *,
    semicolons: bool = True,
    known: Known | None = None,
) -> list[int]:
    """Cut the tokens of a text into sentences.

    Parameters
    ----------
    text
        The text, of one line or more.
    bounds
        Bounds of its tokens, from `cut_words`.
    mode
        ``lines``: a sentence is a line. ``rules``: sentences end within lines, too.
    longest
        Most tokens of a sentence by ``rules``; a longer one is cut at a mark or a space in the
        second half of as many. Lines are never cut in this way.
    keep
        Spans of code points that no sentence may part, such as entities.
    semicolons
        Whether a Chinese semicolon ends a sentence.
    known
        Whether the training data have a token; ``word.`` is then an abbreviation.

    Returns
    -------
    list of int
        Index of each sentence's first token: 0 and rising; empty if there is no token.
    """
    if longest < 1:
        raise ValueError(f"longest must be at least 1, got {longest}")
    places = sentence_ends(text, mode, semicolons=semicolons, known=known)
    return first_tokens(text, bounds, places, longest if mode == "rules" else None, keep)


def sentence_ends(
    text: str, mode: SentenceMode, *, semicolons: bool = True, known: Known | None = None
) -> list[int]:
    """Offsets behind the ends of sentences, as `cut_sentences` finds them, but for the text's own.

    Some of them may lie inside tokens or behind the last one.
    """
    if mode not in ("lines", "rules"):
        raise ValueError(f"sentences must be 'lines' or 'rules', got {mode!r}")
    places = [found.end() for found in _LINE_END.finditer(text)]
    return places if mode == "lines" else places + list(_ends(text, semicolons, known))


def first_tokens(
    text: str,
    bounds: Sequence[Bounds],
    places: Iterable[int],
    longest: int | None,
    keep: Iterable[Bounds] = (),
) -> list[int]:
    """Index of the first token of each sentence, where ends of sentences are known.

    Parameters
    ----------
    text, bounds, keep
        As for `cut_sentences`.
    places
        Offsets at which sentences may be parted, in any order.
    longest
        Most tokens of a sentence; None for any number.
    """
    if not bounds:
        return []
    whole = _Whole(keep)
    firsts = {0}
    for place in places:
        token = bisect_left(bounds, (place,))
        if 0 < token < len(bounds) and bounds[token - 1][1] <= place:
            if not whole.holds(bounds[token][0]):
                firsts.add(token)
    found = sorted(firsts)
    return found if longest is None else list(_windows(text, bounds, found, longest, whole))


class _Whole:
    """Spans that stay whole."""

    def __init__(self, spans: Iterable[Bounds]) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        for start, end in sorted(spans):
            if self.ends and start < self.ends[-1]:
                self.ends[-1] = max(end, self.ends[-1])
            else:
                self.starts.append(start)
                self.ends.append(end)

    def holds(self, place: int) -> bool:
        """Whether a cut before this code point would part a span."""
        n = bisect_left(self.starts, place) - 1
        return n >= 0 and place < self.ends[n]


def _ends(text: str, semicolons: bool, known: Known | None) -> Iterator[int]:
    """Offsets behind the marks that end sentences."""
    for found in _END.finditer(text):
        if found["semicolon"] is not None:
            if semicolons:
                yield found.end()
        elif found["western"] is None or _ends_here(text, found, known):
            yield found.end()


def _ends_here(text: str, found: re.Match[str], known: Known | None) -> bool:
    """Whether a Western mark ends a sentence: by what stands before it, and what follows."""
    mark, end = text[found.start()], found.end()
    opening = _OPENING.match(text, end)
    following = opening.end() if opening is not None else end
    if following == len(text):
        return False  # the text ends anyway
    if following == end and not _opens_at_once(text, found):
        return False
    next_one = text[following]
    if next_one.islower():
        return False
    if mark != "." or found["more"]:
        return True
    return not _is_abbreviation(text, found.start(), following, known)


def _opens_at_once(text: str, found: re.Match[str]) -> bool:
    """Whether a sentence begins without a space: ``well.The``, or in Chinese."""
    before, after = text[max(0, found.start() - 2) : found.start()], text[found.end()]
    if ord(after) >= 0x2E80:
        return found.start() > 0 and not text[found.start() - 1].isdecimal()
    if text[found.start()] != ".":
        return after.isupper()
    return len(before) == 2 and before.islower() and before.isalpha() and after.isupper()


def _is_abbreviation(text: str, period: int, following: int, known: Known | None) -> bool:
    """Whether a period behind a word marks an abbreviation, an initial or a number of a list."""
    line = max(text.rfind("\n", max(0, period - _REACH), period), max(0, period - _REACH) - 1) + 1
    before = text[line:period].rstrip(" ") if period else ""
    match = _WORD_BEFORE.search(before)
    word = match[0].lstrip("'\u2019-.") if match is not None else ""
    if not word:
        return False
    if word.isdecimal():
        return len(word) <= 3 and not before[: -len(word)].strip()
    next_word = _NEXT_WORD.match(text, following)
    opens = next_word is not None and next_word[0] in OPENERS
    last = word.rpartition("-")[2]
    plain = last.replace(".", "").lower()
    if plain in NEVER_LAST or (plain in BEFORE_NUMBERS and text[following].isdecimal()):
        return True
    if (len(last) == 1 and last.isupper()) or _ACRONYM.fullmatch(last):
        return not opens
    return known is not None and len(last) <= 6 and known(last + ".") and not opens


def _windows(
    text: str, bounds: Sequence[Bounds], firsts: list[int], longest: int, whole: _Whole
) -> Iterator[int]:
    """The same starts, and those within sentences that are too long."""
    for start, end in pairwise([*firsts, len(bounds)]):
        yield start
        while end - start > longest:
            start = _best_cut(text, bounds, start, end, longest, whole)
            if start == end:
                break
            yield start


def _best_cut(
    text: str, bounds: Sequence[Bounds], start: int, end: int, longest: int, whole: _Whole
) -> int:
    """Where the next window begins: at most `longest` tokens on, unless a span is longer."""
    best, rank = 0, 0
    for token in range(start + longest, start + longest // 2, -1):
        before, place = bounds[token - 1][1], bounds[token][0]
        if whole.holds(place):
            continue
        last = text[before - 1]
        kind = 1 + (before < place)
        if last in _WINDOW_MARKS:
            kind = 3 + (_WINDOW_MARKS.index(last) < _FIRST_MARKS)
        if kind > rank:
            best, rank = token, kind
    if best:
        return best
    for token in range(start + longest // 2, start, -1):
        if not whole.holds(bounds[token][0]):
            return token
    # one span fills the window: go on behind it
    n = bisect_right(whole.starts, bounds[start + longest][0]) - 1
    return min(end, bisect_left(bounds, (whole.ends[n], 0)))
