"""How a corpus is to be read, whatever its format."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

__all__ = [
    "Delimiter",
    "Ends",
    "Fragments",
    "Overlaps",
    "ReadOptions",
    "Scheme",
    "Sentences",
    "Tokens",
]

Delimiter = Literal["auto", "tab", "space"]
Scheme = Literal["detect", "IOB1", "IOB2", "BIOES", "BILOU", "BMES", "IO"]

Tokens = Literal["auto", "words", "characters", "spaces"]
Sentences = Literal["auto", "lines", "rules", "whole"]
Ends = Literal["auto", "exclusive", "inclusive"]
Fragments = Literal["refuse", "join", "split"]
Overlaps = Literal["refuse", "longest", "first"]

_CHOICES = {
    "delimiter": get_args(Delimiter),
    "scheme": get_args(Scheme),
    "tokens": get_args(Tokens),
    "sentences": get_args(Sentences),
    "ends": get_args(Ends),
    "fragments": get_args(Fragments),
    "overlaps": get_args(Overlaps),
}


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a corpus is to be read.

    Attributes
    ----------
    format
        Name of its format in `corpus.formats.registry`, or ``auto``: by its name and its start.
    token_column
        Column of the token; negative numbers count from the last column.
    tag_column
        Column of the tag, None for untagged text.
    delimiter
        ``tab``, ``space`` (a run of U+0020), or ``auto``: tab if the first line has one.
    position_digits
        Whether each token is one character and its position in its word, such as ``p10``; the
        digits are removed.
    scheme
        Tag scheme, or ``detect``.
    rename
        Old type or ``fnmatch`` pattern to new type; the new type "" drops the type.
    encoding
        Text encoding; a byte order mark of UTF-8 is removed.
    keep_docstart
        Whether blocks of one ``-DOCSTART-`` line count as sentences.
    tokens
        How texts are cut: ``words``, ``characters`` (each code point), ``spaces`` (at white space
        only), or ``auto``: characters where most letters are Chinese, else words. Tokens that the
        file gives are kept.
    sentences
        Where texts are parted: ``lines`` (at line ends), ``rules`` (there and behind marks that end
        sentences), ``whole`` (nowhere), or ``auto``: rules. Sentences that the file gives are kept.
    ends
        Whether the end of an entity is the character behind its last (``exclusive``), its last
        (``inclusive``), or whichever fits the texts of the entities (``auto``).
    fragments
        What becomes of an entity of several fragments: ``refuse``, ``join`` (one entity over all of
        them and what is between), or ``split`` (an entity for each).
    overlaps
        What becomes of entities that overlap: ``refuse``, ``longest`` or ``first``, which is kept.
    repair
        Whether white space and punctuation at the ends of entities are left out, and ends within a
        token are moved to the token's; each change is told.
    """

    format: str = "auto"
    token_column: int = 0
    tag_column: int | None = -1
    delimiter: Delimiter = "auto"
    position_digits: bool = False
    scheme: Scheme = "detect"
    rename: dict[str, str] = {}
    encoding: str = "utf-8"
    keep_docstart: bool = False
    tokens: Tokens = "auto"
    sentences: Sentences = "auto"
    ends: Ends = "auto"
    fragments: Fragments = "refuse"
    overlaps: Overlaps = "refuse"
    repair: bool = False

    def __post_init__(self) -> None:
        for field, choices in _CHOICES.items():
            value = getattr(self, field)
            if value not in choices:
                raise ValueError(f"{field} must be one of {', '.join(choices)}; got {value!r}")
        for old, new in self.rename.items():
            if not old or new != new.strip() or not new.isprintable():
                raise ValueError(f"rename cannot turn {old!r} into {new!r}: that is no entity type")
