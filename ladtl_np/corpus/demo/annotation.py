"""How annotators of a specialty mark a sentence: their habits, and their slips."""

from __future__ import annotations

from functools import cache

from ladtl_np.corpus.demo.draws import Draws
from ladtl_np.corpus.demo.lexicon import SPECIALTIES, entity_type, read_data, style_of
from ladtl_np.corpus.demo.mention import Mention

__all__ = ["annotated"]

Pair = tuple[str, str]


def annotated(mentions: list[Mention], specialty: str, draws: Draws) -> list[Mention]:
    """Mark a sentence the way of one specialty.

    Its annotators join some neighbouring entities into one (a habit), sometimes fail to, or follow
    a habit of another specialty. Rarely an entity is missed or given a type that is near to its
    own. The rates are in ``data/noise.toml``.
    """
    return [_slipped(mention, draws) for mention in _joined(mentions, specialty, draws)]


def _joined(mentions: list[Mention], specialty: str, draws: Draws) -> list[Mention]:
    """Join neighbouring entities by habit; the joined one gets the second's type."""
    rates = read_data("noise")
    own = style_of(specialty).merge
    joined: list[Mention] = []
    for mention in mentions:
        pair = (joined[-1].kind, mention.kind) if joined else ("", "")
        rate = rates["own_habit_permille" if pair in own else "foreign_habit_permille"]
        if pair in _habits() and draws.chance(rate):
            mention = Mention(joined.pop().text + mention.text, mention.kind)
        joined.append(mention)
    return joined


@cache
def _habits() -> frozenset[Pair]:
    """All pairs that some specialty joins."""
    return frozenset().union(*(style_of(specialty).merge for specialty in SPECIALTIES))


def _slipped(mention: Mention, draws: Draws) -> Mention:
    """Miss a mention, or mistake its type, now and then."""
    rates = read_data("noise")
    if not mention.kind:
        return mention
    if draws.chance(rates["missed_permille"]):
        return Mention(mention.text, "")
    near = _near_types().get(mention.kind, ())
    if near and draws.chance(rates["confused_permille"]):
        return Mention(mention.text, draws.choice(near))
    return mention


@cache
def _near_types() -> dict[str, tuple[str, ...]]:
    """Types that each type is taken for."""
    near: dict[str, tuple[str, ...]] = {}
    for pair in read_data("noise")["confused"].split():
        first, second = (entity_type(slot) for slot in pair.split("-"))
        near[first] = (*near.get(first, ()), second)
        near[second] = (*near.get(second, ()), first)
    return near
