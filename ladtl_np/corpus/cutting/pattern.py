"""The regular expression that cuts what stands between white space into words.

The order of the alternatives is the rule: the first that fits at a place wins. Every part of it
either cannot go back (possessive) or is bounded, so that the time is linear in the text.
"""

from __future__ import annotations

from functools import lru_cache

import regex

from ladtl_np.corpus.cutting.profile import Joints

__all__ = ["GAP", "UNITS", "piece_pattern"]

# White space, controls and what has no width of its own, but for joiners and soft hyphens: they
# part words and are no tokens. Written out, so that both engines of expressions agree on it.
GAP = r"\x00-\x20\x7f-\xa0\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"

UNITS = (
    "mg|mcg|ug|µg|μg|ng|kg|g|ml|mL|dl|dL|cl|l|L|mm|cm|km|m|mmHg|mmol|mol|mEq|meq|IU|U|Hz|kHz|MHz|"
    "kb|Mb|Gb|kDa|bp|bpm|h|hr|hrs|min|mins|s|sec|secs|ms|wk|wks|mo|mos|yr|yrs|cc|kcal|kJ|F|C|K"
)
"""Units of measure that may be written without a space behind a number."""

_HAN = r"\p{Han}\p{Hiragana}"
_JOINERS = r"\u200c\u200d\u00ad"
_APOSTROPHE = "['\u2019]"
_MARKS = r"[.!?\-_*=~\u2026\u2014\u2013。！？…—～]"


@lru_cache(maxsize=64)
def piece_pattern(joints: Joints) -> regex.Pattern[str]:
    """Compile the expression for one corpus; each match is a token, and together they are all."""
    less = "" if joints.han else f"--[{_HAN}]"
    word = rf"[[\p{{L}}\p{{M}}\p{{N}}{_JOINERS}]--\u20e3{less}]"
    first = rf"[[\p{{L}}\p{{M}}\p{{N}}]{less}]"
    letter = rf"[\p{{L}}--[{_HAN}]]"
    end = rf"(?!{word})"
    bare = r"(?![\p{M}\u200d\ufe0f])"  # a mark keeps what combines with it
    parts = [
        # pairs are counted here, as \X would go back to the first flag for each
        r"[0-9\#*]\ufe0f?\u20e3",  # a key
        r"\p{Regional_Indicator}{1,2}+\p{M}*+",
        r"(?=\p{Extended_Pictographic})\X",
        *_addresses(joints, word),
        *_clitics(joints, letter, end, bare),
        *_numbers(joints, end),
        _word(joints, first, word, letter, end),
        *([] if joints.han else [rf"[{_HAN}]\p{{M}}*+"]),
    ]
    if joints.quotes:
        parts.append(rf"(?:``|''){bare}")
    if joints.marks:
        parts.append(rf"(?:[!?]{{2,}}+|({_MARKS})\1++){bare}")
    parts += [r"\X", r"(?s:.)"]
    return regex.compile("(?V1)" + "|".join(parts))


def _addresses(joints: Joints, word: str) -> list[str]:
    """Links, addresses of e-mail, names, tags, entities of HTML, emoticons."""
    parts = []
    before = rf"(?<!{word})"
    if joints.link:
        parts += [
            rf"{before}(?i:https?://|ftp://|www\.)(?>[!-~--[\"<>\\^`{{|}}]]*[a-zA-Z0-9/_=&\#\-+])",
            rf"{before}[a-zA-Z0-9._+\-]{{1,64}}+@[a-zA-Z0-9\-]{{1,63}}+(?:\.[a-zA-Z0-9\-]{{1,63}}+)+",
            rf"{before}(?:[a-zA-Z0-9\-]{{1,63}}\.){{1,4}}[a-zA-Z]{{2,6}}/[!-~--[\"<>\\^`{{|}},;:)\]]]*"
            r"(?<=[a-zA-Z0-9/])",
        ]
    if joints.mention:
        parts.append(rf"{before}@[{word}_]++")
    if joints.hashtag:
        parts.append(rf"{before}\#[{word}_]++")
    if joints.entity:
        parts.append(r"&(?:[a-zA-Z]{2,8}|\#[xX]?[0-9a-fA-F]{1,6});")
    if joints.emoticon:
        parts.append(
            rf"{before}(?:[:;=][\-o^']?(?:[)(\]\[|\\/*]++|[DPpOo3](?!{word}))|-_+-|\^_*\^|</?3(?!\d))"
        )
    return parts


def _clitics(joints: Joints, letter: str, end: str, bare: str) -> list[str]:
    """What is parted from the end of a word, and the word before ``n't``."""
    parts = []
    own = []
    if joints.negation == "own":
        follows = rf"[nN]{_APOSTROPHE}[tT]{end}"
        parts.append(rf"(?={letter}{{1,40}}+{_APOSTROPHE}[tT]{end}){letter}+?(?={follows})")
        own.append(follows)
    if joints.possessive == "own":
        own.append(rf"{_APOSTROPHE}[sS]{end}")
    if joints.clitic == "own":
        own.append(rf"{_APOSTROPHE}(?i:m|re|ve|ll|d){end}")
    if own:
        parts.append(f"(?:{'|'.join(own)})")  # in text that is cut already, it stands alone
    return parts


def _numbers(joints: Joints, end: str) -> list[str]:
    """Numbers that are parted from the unit that follows at once."""
    if joints.unit:
        return []
    inner = r"(?:[.,]\d++)*+" if joints.decimal else ""
    return [rf"\d++{inner}(?=(?:{UNITS}){end})"]


def _word(joints: Joints, first: str, word: str, letter: str, end: str) -> str:
    """A run of letters, marks and digits, and the joints that may stand within it."""
    inner = []
    if joints.hyphen:
        inner.append(rf"(?<!\d)[-\u2010\u2011](?={word})|[-\u2010\u2011](?={letter})")
        if joints.dot:
            inner.append(rf"(?<=\.{letter})\.-(?={word})")
    if joints.range:
        inner.append(r"(?<=\d)[-\u2010-\u2013](?=\d)")
    if joints.slash:
        inner.append(rf"(?<!\d)/(?={word})|/(?={letter})")
    if joints.fraction:
        inner.append(r"(?<=\d)/(?=\d)")
    if joints.dot:
        # not where a space is missing behind a sentence: `fever.Patient`
        inner.append(rf"(?<=(?<!{word}){letter})\.(?={letter}{end})|(?<={letter})\.(?=\p{{Ll}})")
    if joints.decimal:
        inner.append(r"(?<=\d)[.,](?=\d)")
    if joints.time:
        inner.append(r"(?<=\d):(?=\d)")
    if joints.ampersand:
        entity = rf"&amp;(?={letter})|&(?![a-z]{{2,8}};)" if joints.entity else "&"
        inner.append(rf"{entity}(?={letter})")
    if joints.underscore:
        inner.append(rf"_++(?={word})")
    if joints.apostrophe or "inside" in (joints.possessive, joints.clitic, joints.negation):
        inner.append(_apostrophes(joints, letter, end))
    before = []
    if joints.sign:
        before.append(rf"(?<!{word})[+\-\u2212](?=\d)")
    if joints.decimal:
        before.append(rf"(?<!{word})\.(?=\d)")
    if joints.currency:
        before.append(r"(?:[A-Z]{1,3}+)?\p{Sc}(?=\d)")
    start = rf"(?:{'|'.join(before)})?+" if before else ""
    after = []
    if joints.percent:
        after.append(r"(?<=\d)%")
    if joints.plus:
        after.append(rf"(?<={word})\++{end}")
    tail = rf"(?:{'|'.join(after)})?+" if after else ""
    run = rf"{first}{word}*+"
    dollars = r"[A-Z]{1,3}+\p{Sc}" + (r"\Z" if joints.currency else r"(?=\d|\Z)")
    joined = rf"(?:(?:{'|'.join(inner)}){word}++)*+" if inner else ""
    return rf"{dollars}|{start}{run}{joined}{tail}"


def _apostrophes(joints: Joints, letter: str, end: str) -> str:
    """An apostrophe within a word, unless it begins something that is parted."""
    kinds = (("[sS]", joints.possessive), ("(?i:m|re|ve|ll|d)", joints.clitic))
    inside = [rf"{_APOSTROPHE}(?={kind}{end})" for kind, how in kinds if how == "inside"]
    if joints.negation == "inside":
        inside.append(rf"(?<=[nN]){_APOSTROPHE}(?=[tT]{end})")
    if joints.apostrophe:
        parted = "".join(rf"(?!{kind}{end})" for kind, how in kinds if how != "inside")
        if joints.negation != "inside":
            parted += rf"(?!(?<=[nN]{_APOSTROPHE})[tT]{end})"
        inside.append(rf"{_APOSTROPHE}{parted}(?={letter})")
    return f"(?:{'|'.join(inside)})"
