"""How the predicted entities of a text differ from its gold ones, entity by entity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, get_args

from ladtl_np.corpus.schemes import Span

__all__ = ["KINDS", "Difference", "Kind", "differences"]

Kind = Literal["right", "missed", "spurious", "type", "boundary", "both"]
"""``type``: same place, another type. ``boundary``: they overlap, with one type. ``both``: they
overlap, with two types."""
KINDS: tuple[Kind, ...] = get_args(Kind)


class Difference(NamedTuple):
    """A gold entity and the predicted one in its place, either of which may be None."""

    kind: Kind
    gold: Span | None
    predicted: Span | None


def differences(gold: Sequence[Span], predicted: Sequence[Span]) -> list[Difference]:
    """Pair entities with each other, each with one at most.

    Equal ones first; then those with the same bounds; then those that overlap, of one type before
    two, and the longest overlap first. Each pair or single one is what `conlleval` counts once in
    gold, once in predicted, or both; only ``right`` ones are correct.

    Parameters
    ----------
    gold, predicted
        Entities as spans; those of one side do not overlap.

    Returns
    -------
    list of Difference
        In the order of the text.
    """
    left, right = set(gold), set(predicted)
    found: list[Difference] = []
    for _, kind, truth, guess in sorted(_touching(sorted(gold), sorted(predicted))):
        if truth in left and guess in right:
            left.remove(truth)
            right.remove(guess)
            found.append(Difference(kind, truth, guess))
    found += [Difference("missed", span, None) for span in left]
    found += [Difference("spurious", None, span) for span in right]
    return sorted(found, key=lambda one: one.gold or one.predicted or ())


def _touching(
    gold: Sequence[Span], predicted: Sequence[Span]
) -> Iterator[tuple[tuple[int, int], Kind, Span, Span]]:
    """Pairs that overlap, each with a rank of which the least is paired first; in linear time."""
    first = 0
    for truth in gold:
        while first < len(predicted) and predicted[first][1] <= truth[0]:
            first += 1
        at = first
        while at < len(predicted) and predicted[at][0] < truth[1]:
            guess = predicted[at]
            at += 1
            overlap = min(truth[1], guess[1]) - max(truth[0], guess[0])
            same_type = truth[2] == guess[2]
            if truth[:2] == guess[:2]:
                yield (0 if same_type else 1, 0), "right" if same_type else "type", truth, guess
            else:
                kind: Kind = "boundary" if same_type else "both"
                yield (2 if same_type else 3, -overlap), kind, truth, guess
