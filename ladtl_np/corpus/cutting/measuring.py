"""How training corpora are cut, found from their tokens alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from ladtl_np.corpus.cutting.pattern import UNITS
from ladtl_np.corpus.cutting.profile import Clitic, Joints, Profile, SentenceMode, TokenMode
from ladtl_np.corpus.cutting.sentences import cut_sentences
from ladtl_np.corpus.cutting.words import Bounds
from ladtl_np.corpus.sentence import Corpus

__all__ = ["measure_profile"]

_LEAST = 3  # places at which a joint is seen, before the other corpora are asked
_LEAST_TOKENS = 100
_SENTENCES = 5_000  # of a corpus that are looked at for ends within
_LEAST_SENTENCES = 50
_INNER_ENDS = 0.1  # share of sentences with an end within, from which on a sentence is a line
_RARE = 0.01  # share of tokens of several code points that single characters may have among them

_L = r"[^\W\d_]"
_HAN = "[\u3040-\u309f\u3400-\u4dbf\u4e00-\u9fff]"

# Each joint as it stands in tokens: ~ is where they part, or do not. Then the share of places kept
# from which on it counts as kept: low where what parts may as well be two words with a space.
_SEEN: dict[str, tuple[str, float]] = {
    "hyphen": (rf"{_L}~-~{_L}", 0.3),
    "range": (r"\d~-~\d", 0.3),
    "slash": (rf"{_L}~/~{_L}", 0.5),
    "fraction": (r"\d~/~\d", 0.5),
    "dot": (rf"\b{_L}~\.~{_L}\b", 0.5),
    "acronym": (rf"\.{_L}~\.\0", 0.5),
    "initial": (r"\0[A-Z]~\.\0[A-Z][a-z]", 0.5),
    "ordinal": (r"\n\0\d{1,3}~\.\0", 0.5),
    "decimal": (r"\d~[.,]~\d", 0.5),
    "time": (r"\d~:~\d", 0.5),
    "unit": (rf"\d~(?:{UNITS})\0", 0.1),
    "percent": (r"\d~%", 0.5),
    "sign": (r"\0[+\-]~\d", 0.3),
    "currency": (r"[$£€¥]~\d", 0.5),
    "ampersand": (rf"{_L}~&~{_L}", 0.1),
    "underscore": (r"[^\W_]~_~[^\W_]", 0.5),
    "plus": (r"[^\W_]~\+\0", 0.3),
    "mention": (r"\0@~\w", 0.3),
    "hashtag": (rf"\0\#~{_L}", 0.5),
    "link": (r"\0(?:https?~:~/|www~\.)", 0.5),
    "entity": (r"&~[a-z]{2,6}~;", 0.5),
    "emoticon": (r"\0[:;=]~[)(DP]\0", 0.3),
    "marks": (r"([.!?\-])~\1", 0.5),
    "quotes": (r"([`'])~\1\0", 0.5),
    "apostrophe": (rf"{_L}~['’]~(?!(?:[sStTmMdD]|re|ve|ll)\0){_L}", 0.02),
    "han": (rf"{_HAN}~{_HAN}", 0.2),
}
_CLITICS: dict[str, tuple[str, str, str]] = {
    "possessive": (rf"{_L}['’][sS]\0", r"\0['’][sS]\0", r"\0['’]\0[sS]\0"),
    "clitic": tuple(
        rf"{before}(?:m|M|re|ve|ll|d)\0" for before in (rf"{_L}['’]", r"\0['’]", r"\0['’]\0")
    ),  # type: ignore[dict-item]
    "negation": (rf"{_L}[nN]['’][tT]\0", r"\0[nN]['’][tT]\0", r"[nN]\0['’]\0[tT]\0"),
}
_HOW: tuple[Clitic, Clitic, Clitic] = ("inside", "own", "pieces")


def measure_profile(corpora: Sequence[Corpus]) -> Profile:
    """Find how corpora are cut.

    Parameters
    ----------
    corpora
        Training corpora. What the first one shows decides; the others are asked about joints that
        it does not have. So the target's comes first.

    Returns
    -------
    Profile
    """
    texts = [_text(corpus) for corpus in corpora]
    tokens = _token_mode(texts)
    semicolons = _semicolons(corpora)
    sentences = _sentence_mode(corpora, tokens, semicolons)
    joints = _joints(texts) if tokens == "words" else Joints()
    return Profile(tokens, sentences, semicolons, joints)


def _text(corpus: Corpus) -> str:
    """All tokens, each between two NUL, and LF before each sentence."""
    return "".join("\n\0" + "\0".join(sentence.tokens) + "\0" for sentence in corpus)


def _count(texts: Iterable[str], *patterns: str) -> list[int]:
    """How often each pattern is found: in the first text, or in all if it has too few."""
    counts = [0] * len(patterns)
    for text in texts:
        for n, pattern in enumerate(patterns):
            counts[n] += sum(1 for _ in re.finditer(pattern, text))
        if sum(counts) >= _LEAST:
            break
    return counts


def _token_mode(texts: Sequence[str]) -> TokenMode:
    enough = texts[0].count("\0") > _LEAST_TOKENS
    every = texts[0] if enough else "".join(texts)
    single, several = _count([every], r"\0[^\0\n](?=\0)", r"\0[^\0\n]{2,}(?=\0)")
    if not several:
        return "characters"
    if several <= _RARE * single:
        whole, parted = _count([every], r"\0[a-zA-Z0-9]{2,}(?=\0)", r"[a-zA-Z0-9]\0[a-zA-Z0-9]\0")
        if whole < parted:
            return "characters"
    attached, apart = _count(texts, r"[^\W\d_][,，。]\0", r"[^\W\d_]\0[,，。]\0")
    return "spaces" if attached > apart else "words"


def _joints(texts: Sequence[str]) -> Joints:
    found: dict[str, Any] = {}
    for name, (pattern, least) in _SEEN.items():
        kept, parted = _count(texts, pattern.replace("~", ""), pattern.replace("~", r"\0"))
        if kept + parted:
            found[name] = kept >= least * (kept + parted)
    for name, patterns in _CLITICS.items():
        counts = _count(texts, *patterns)
        if any(counts):
            found[name] = _HOW[counts.index(max(counts))]
    return Joints(**found)


def _semicolons(corpora: Sequence[Corpus]) -> bool:
    """Whether Chinese semicolons stand at ends of sentences rather than within them."""
    last = within = 0
    for corpus in corpora:
        for sentence in corpus:
            *before, end = sentence.tokens
            last += end == "；"
            within += before.count("；")
        if last + within >= _LEAST:
            break
    return last > within


def _sentence_mode(corpora: Sequence[Corpus], tokens: TokenMode, semicolons: bool) -> SentenceMode:
    """Lines, if sentences of the corpora have ends within them."""
    seen = several = 0
    for corpus in corpora:
        known = {token for sentence in corpus for token in sentence.tokens if token[-1:] == "."}
        for sentence in islice(corpus, _SENTENCES):
            text, bounds = _as_written(sentence.tokens, tokens)
            found = cut_sentences(
                text, bounds, "rules", len(bounds), semicolons=semicolons,
                known=known.__contains__,
            )  # fmt: skip
            seen += 1
            several += len(found) > 1
        if seen >= _LEAST_SENTENCES:
            break
    return "lines" if several > _INNER_ENDS * seen else "rules"


_CLOSING = re.compile(r"[.!?,;:)\]}”’。！？，；：…]+")


def _as_written(tokens: Sequence[str], mode: TokenMode) -> tuple[str, list[Bounds]]:
    """Tokens as a text: marks follow words at once."""
    text, bounds = [], []
    at = 0
    for token in tokens:
        if at and mode != "characters" and not _CLOSING.fullmatch(token):
            text.append(" ")
            at += 1
        text.append(token)
        bounds.append((at, at + len(token)))
        at += len(token)
    return "".join(text), bounds
