"""Slips of the keyboard: a homophone, a lost comma or full stop, a doubled character."""

from __future__ import annotations

from functools import cache

from ladtl_np.corpus.demo.draws import Draws
from ladtl_np.corpus.demo.lexicon import read_data
from ladtl_np.corpus.demo.mention import Mention

__all__ = ["noisy"]


def noisy(mentions: list[Mention], draws: Draws) -> list[Mention]:
    """Make the slips of a hurried writer; entities keep their types.

    Parameters
    ----------
    mentions
        A clean sentence that ends with its full stop.
    draws
        Where the slips are drawn from; their rates are in ``data/noise.toml``.
    """
    rates = read_data("noise")
    kept = [
        mention
        for mention in mentions[:-1]
        if mention.text != "，" or not draws.chance(rates["lost_comma_permille"])
    ]
    if not draws.chance(rates["lost_stop_permille"]):
        kept.append(mentions[-1])
    if draws.chance(rates["typo_permille"]):
        kept = _with_typo(kept, draws)
    if draws.chance(rates["doubled_permille"]):
        kept = _with_doubled(kept, draws)
    return kept


def _with_typo(mentions: list[Mention], draws: Draws) -> list[Mention]:
    """Replace one character by a homophone, if the drawn mention holds one."""
    chosen = draws.below(len(mentions))
    text, kind = mentions[chosen]
    places = [place for place, character in enumerate(text) if character in _homophones()]
    if not places:
        return mentions
    place = draws.choice(places)
    typo = text[:place] + _homophones()[text[place]] + text[place + 1 :]
    return [*mentions[:chosen], Mention(typo, kind), *mentions[chosen + 1 :]]


def _with_doubled(mentions: list[Mention], draws: Draws) -> list[Mention]:
    """Write one character twice."""
    chosen = draws.below(len(mentions))
    text, kind = mentions[chosen]
    place = draws.below(len(text))
    return [
        *mentions[:chosen],
        Mention(text[:place] + text[place] + text[place:], kind),
        *mentions[chosen + 1 :],
    ]


@cache
def _homophones() -> dict[str, str]:
    """Map each character of a pair to the other."""
    pairs: list[str] = read_data("noise")["homophones"].split()
    return {pair[0]: pair[1] for pair in pairs} | {pair[1]: pair[0] for pair in pairs}
