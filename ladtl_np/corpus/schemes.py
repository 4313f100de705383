"""Tag schemes: which one a corpus uses, its spans, and conversion to and from BIOES.

Spans are read as the CoNLL script ``conlleval`` reads them, in every scheme: a tag that may not
open a span opens one all the same, and a span that is not closed ends where the next one starts.
Nothing is repaired in place; `illegal_positions` lists what the scheme does not allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "INSIDE_SCHEMES",
    "PREFIXES",
    "SCHEMES",
    "LegalTags",
    "Span",
    "converted",
    "decoded_tags",
    "detect_scheme",
    "from_bioes",
    "illegal_positions",
    "legal_start_end_transition",
    "spans",
    "spans_to_tags",
    "split_tag",
    "tags_of_types",
    "to_bioes",
]

PREFIXES = {
    "IOB1": "BI",
    "IOB2": "BI",
    "BIOES": "BIES",
    "BILOU": "BILU",
    "BMES": "BMES",
    "IO": "I",
}
"""Prefixes of each scheme beside O, in the order in which tags are listed."""

SCHEMES = tuple(PREFIXES)

INSIDE_SCHEMES = ("BIOES", "IOB2")
"""Schemes that a model's own tags may be in."""

Span = tuple[int, int, str]
"""First token, last token + 1, type."""

_LETTERS = frozenset("BIESLUM")
# BILOU's last and unit tokens are BIOES's end and single tokens under other names, and the middle
# tokens of BMES are its inside ones.
_AS_BIOES = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S", "M": "I", "O": "O"}
_CLOSED = ("BIOES", "BILOU", "BMES")  # schemes in which an entity says where it ends


class LegalTags(NamedTuple):
    """What constrained decoding may do, for m tags of a model."""

    start: NDArray[np.bool_]  # (m,) tags that may open a sentence
    end: NDArray[np.bool_]  # (m,) tags that may close a sentence
    transition: NDArray[np.bool_]  # (m, m) the row's tag may be followed by the column's


@lru_cache(maxsize=4096)
def split_tag(tag: str) -> tuple[str, str]:
    """Split a tag into its prefix and its type.

    Only the first dash divides, so types may hold dashes and dots.

    Returns
    -------
    tuple
        ``("B", "geo-loc")`` for ``B-geo-loc``, ``("O", "")`` for ``O``.

    Raises
    ------
    ValueError
        If the tag is neither O nor one of the prefixes B, I, E, S, L, U, M, a dash and a type.
    """
    if tag == "O":
        return "O", ""
    kind = tag[2:]
    if not kind or tag[1] != "-" or tag[0] not in _LETTERS or kind != kind.strip():
        raise ValueError(
            "a tag is O or one of B, I, E, S, L, U, M followed by a dash and a type; "
            f"a value of {len(tag)} characters is not"
        )
    return tag[0], kind


def _split_all(tags: Sequence[str], scheme: str) -> list[tuple[str, str]]:
    """Split every tag and insist on the scheme's prefixes."""
    allowed = _prefixes(scheme)
    pairs = [split_tag(tag) for tag in tags]
    for prefix, _ in pairs:
        if prefix != "O" and prefix not in allowed:
            raise ValueError(f"prefix {prefix}- does not belong to the scheme {scheme}")
    return pairs


def _prefixes(scheme: str) -> str:
    try:
        return PREFIXES[scheme]
    except KeyError:
        raise ValueError(f"unknown tag scheme {scheme!r}; wanted one of {SCHEMES}") from None


def detect_scheme(tag_sequences: Iterable[Sequence[str]]) -> str:
    """Find the scheme of a corpus from its tags.

    M- tags mean BMES, E- or S- tags BIOES, L- or U- tags BILOU. Otherwise the scheme is the one of
    IOB1 and IOB2 that fewer tags violate (IOB1: a B- that does not follow its own type; IOB2: an I-
    that does not), IOB2 if equally many; so strays of an annotator change nothing. A corpus with
    I- tags only has the same spans in IO and in IOB1 and counts as IOB1, which can also write two
    adjacent spans of a type; IO has to be declared. A corpus without entities is legal in every
    scheme and counts as BIOES.

    Raises
    ------
    ValueError
        If E- or S- tags stand beside L- or U- tags, M- tags beside I-, L- or U- tags, or a tag is
        malformed.
    """
    seen: set[str] = set()
    wrong = {"B": 0, "I": 0}  # tags that do not follow their own type
    for tags in tag_sequences:
        before = ""
        for tag in tags:
            prefix, kind = split_tag(tag)
            seen.add(prefix)
            if kind != before and prefix in wrong:
                wrong[prefix] += 1
            before = kind
    if "M" in seen:
        if strange := sorted(seen & {"I", "L", "U"}):
            raise ValueError(f"tags of BMES (M-) and of others ({strange[0]}-) in one corpus")
        return "BMES"
    if seen & {"E", "S"} and seen & {"L", "U"}:
        raise ValueError("tags of BIOES (E-, S-) and of BILOU (L-, U-) in one corpus")
    if seen & {"E", "S"}:
        return "BIOES"
    if seen & {"L", "U"}:
        return "BILOU"
    if seen <= {"O"}:
        return "BIOES"
    return "IOB1" if wrong["B"] < wrong["I"] else "IOB2"


def spans(tags: Sequence[str], scheme: str) -> list[Span]:
    """List the spans of a tag sequence as conlleval reads them.

    A span opens at B and S; at I and E after O, after E or S, or after another type. It closes
    after E and S, and before O, B, S or another type.

    Returns
    -------
    list of (start, end, type)
        In order, ``end`` exclusive.
    """
    found: list[Span] = []
    start, open_kind = 0, ""  # "" while no span is open
    for position, (letter, kind) in enumerate(_split_all(tags, scheme)):
        prefix = _AS_BIOES[letter]
        if open_kind and (prefix in "OBS" or kind != open_kind):
            found.append((start, position, open_kind))
            open_kind = ""
        if prefix != "O" and not open_kind:
            start, open_kind = position, kind
        if prefix in "ES":
            found.append((start, position + 1, open_kind))
            open_kind = ""
    if open_kind:
        found.append((start, len(tags), open_kind))
    return found


def spans_to_tags(spans: Iterable[Span], n: int, scheme: str) -> tuple[str, ...]:
    """Write spans as the tags of a sentence of n tokens.

    Raises
    ------
    ValueError
        If a span is empty, reversed, out of range or overlaps another one.
    """
    _prefixes(scheme)
    tags = ["O"] * n
    last_end, last_kind = 0, ""
    for start, end, kind in sorted(spans):
        if not (last_end <= start < end <= n) or not kind:
            raise ValueError(
                f"span {start}..{end} must have a type, hold a token, lie in 0..{n} "
                "and overlap no other span"
            )
        adjacent = start == last_end and kind == last_kind
        for position, prefix in enumerate(_written(end - start, adjacent, scheme), start):
            tags[position] = f"{prefix}-{kind}"
        last_end, last_kind = end, kind
    return tuple(tags)


def _written(length: int, adjacent: bool, scheme: str) -> str:
    """Return the prefixes of one span; `adjacent` if a span of its type ends just before it."""
    if scheme == "IO" or (scheme == "IOB1" and not adjacent):
        return "I" * length
    if scheme in ("IOB1", "IOB2"):
        return "B" + "I" * (length - 1)
    first, inside, last, unit = tuple(PREFIXES[scheme])
    return unit if length == 1 else first + inside * (length - 2) + last


def converted(tags: Sequence[str], scheme: str, wanted: str) -> tuple[str, ...]:
    """Write the spans of a sequence in another scheme, or in the same without illegal tags.

    Lossless for every legal sequence but for IO, which joins adjacent spans of one type.
    """
    return spans_to_tags(spans(tags, scheme), len(tags), wanted)


def to_bioes(tags: Sequence[str], scheme: str) -> tuple[str, ...]:
    """Convert to BIOES; lossless for every legal sequence (IO cannot part adjacent spans)."""
    return converted(tags, scheme, "BIOES")


def from_bioes(tags: Sequence[str], scheme: str) -> tuple[str, ...]:
    """Convert from BIOES; lossless but for IO, which joins adjacent spans of one type."""
    return converted(tags, "BIOES", scheme)


def decoded_tags(tags: Sequence[str], scheme: str) -> tuple[str, ...]:
    """Write the BIOES tags of a decoder in a scheme.

    Tags that unconstrained decoding leaves illegal stay so in BIOES, and become the tags of the
    spans that conlleval reads in any other scheme.
    """
    return tuple(tags) if scheme == "BIOES" else from_bioes(tags, scheme)


def illegal_positions(tags: Sequence[str], scheme: str) -> list[int]:
    """List the tags that the scheme does not allow where they stand.

    IOB2: an I- that continues nothing. IOB1: a B- that parts nothing. BIOES, BILOU and BMES: a tag
    that continues nothing, and a B-, I- or M- that nothing continues.
    """
    pairs = _split_all(tags, scheme)
    if scheme == "IO":
        return []
    illegal = []
    for position, (letter, kind) in enumerate(pairs):
        before = pairs[position - 1] if position else ("O", "")
        after = pairs[position + 1] if position + 1 < len(pairs) else ("O", "")
        if scheme == "IOB1":
            wrong = letter == "B" and before[1] != kind
        else:
            wrong = letter in "IMEL" and not (before[0] in "BIM" and before[1] == kind)
        if scheme in _CLOSED and letter in "BIM":
            wrong = wrong or not (after[0] in "IMEL" and after[1] == kind)
        if wrong:
            illegal.append(position)
    return illegal


def tags_of_types(types: Iterable[str], scheme: str = "BIOES") -> list[str]:
    """List O and then, for each type in sorted order, all tags of the scheme, seen or not."""
    kinds = sorted(set(types))
    if "" in kinds:
        raise ValueError("an entity type may not be empty")
    return ["O", *(f"{prefix}-{kind}" for kind in kinds for prefix in _prefixes(scheme))]


def legal_start_end_transition(tags: Sequence[str], scheme: str = "BIOES") -> LegalTags:
    """Find which tags may open a sentence, close it, and follow each other.

    The arrays are ``start`` (m,), ``end`` (m,) and ``transition`` (m, m), from row to column.

    Raises
    ------
    ValueError
        If the scheme is none of those that a model's tags are in, or a tag is not one of it.
    """
    if scheme not in INSIDE_SCHEMES:
        raise ValueError(f"a model's tags are in one of {INSIDE_SCHEMES}, not in {scheme!r}")
    pairs = _split_all(tags, scheme)
    prefix = np.array([letter for letter, _ in pairs], dtype="U1")
    number = {kind: row for row, kind in enumerate(dict.fromkeys(kind for _, kind in pairs))}
    kind = np.array([number[name] for _, name in pairs], dtype=np.int64)
    outside_before = np.isin(prefix, ["O", "B", "S"])  # no span may go on with these
    goes_on = np.isin(prefix, ["B", "I"])  # a span may go on after these
    # where it need not be closed, it may as well have ended with any of its tags
    outside_after = ~goes_on if scheme in _CLOSED else np.ones(len(tags), np.bool_)
    same = kind[:, None] == kind[None, :]
    inside = goes_on[:, None] & ~outside_before[None, :] & same
    transition = inside | (outside_after[:, None] & outside_before[None, :])
    return LegalTags(outside_before, outside_after, transition)
