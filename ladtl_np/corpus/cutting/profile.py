"""How a corpus is cut into tokens and sentences, as a few plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

__all__ = ["Clitic", "Joints", "Profile", "SentenceMode", "TokenMode"]

TokenMode = Literal["words", "characters", "spaces"]
"""What a token is: a word or a mark, one code point, or what stands between white space."""

SentenceMode = Literal["lines", "rules"]
"""What a sentence is: a line of the text, or what ends by rules within a line."""

Clitic = Literal["inside", "own", "pieces"]
"""``he's`` is one token; two, ``he`` and ``'s``; or three, ``he``, ``'`` and ``s``."""


class Joints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which joints stay inside a token; where a corpus shows none, these are the usual ones.

    Attributes
    ----------
    hyphen, range
        ``follow-up``; ``8-10``.
    slash, fraction
        ``and/or``; ``120/80``.
    dot
        Periods between letters, as in ``U.S``, ``q.d`` and ``page.html``.
    acronym, initial
        The last period of ``U.S.``; of ``J.`` before a name.
    ordinal
        The period of a number at the start of a line, as in ``2.``
    decimal, time
        Period or comma, and colon, between digits.
    unit, percent, sign, currency
        ``5mg``; ``10%``; ``-5``; ``$5``.
    ampersand, underscore, plus
        ``AT&T``; ``a_b``; ``CD4+``.
    mention, hashtag, link, entity, emoticon
        ``@name``; ``#tag``; addresses of pages and of e-mail; ``&amp;``; ``:-)``.
    marks, quotes
        ``...``, ``--`` and ``!!``; two backquotes or two apostrophes that stand for a quote.
    apostrophe
        ``O'Brien``.
    possessive, clitic, negation
        ``'s``; ``'re``, ``'ll`` and the like; ``n't``.
    han
        Runs of Chinese characters and hiragana; otherwise each is a token.
    """

    hyphen: bool = True
    range: bool = True
    slash: bool = True
    fraction: bool = True
    dot: bool = True
    acronym: bool = True
    initial: bool = True
    ordinal: bool = False
    decimal: bool = True
    time: bool = True
    unit: bool = True
    percent: bool = False
    sign: bool = True
    currency: bool = False
    ampersand: bool = True
    underscore: bool = True
    plus: bool = True
    mention: bool = True
    hashtag: bool = True
    link: bool = True
    entity: bool = True
    emoticon: bool = True
    marks: bool = True
    quotes: bool = True
    apostrophe: bool = True
    possessive: Clitic = "own"
    clitic: Clitic = "own"
    negation: Clitic = "own"
    han: bool = False


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a training corpus is cut, and so how text that is to be tagged has to be.

    Attributes
    ----------
    tokens
        What a token is.
    sentences
        What a sentence is.
    semicolons
        Whether a Chinese semicolon ends a sentence.
    joints
        Which joints stay inside a word; it has no effect on other kinds of tokens.
    """

    tokens: TokenMode = "spaces"
    sentences: SentenceMode = "lines"
    semicolons: bool = False
    joints: Joints = Joints()

    def to_state(self) -> dict[str, Any]:
        """Return everything as plain values, for a JSON file."""
        state: dict[str, Any] = msgspec.to_builtins(self)
        return state

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Profile:
        """Rebuild a profile from `to_state`.

        A joint that is not named has the value that it had before there was a name for it.

        Raises
        ------
        ValueError
            If a value is none that `to_state` writes, or belongs to nothing here.
        """
        try:
            return msgspec.convert(dict(state), cls)
        except msgspec.ValidationError as error:
            raise ValueError(f"how text is cut: {error}") from None
