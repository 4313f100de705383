"""What to annotate next: a budget spent on a pool.                       docs/selection.md"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import Literal, get_args

import numpy as np

from ladtl_np.errors import UsageError
from ladtl_np.kernels import farthest
from ladtl_np.model.file import Model
from ladtl_np.model.selection.states import mean_states
from ladtl_np.model.selection.uncertainty import STRATEGIES, Strategy, uncertainties
from ladtl_np.model.tagging import Tagger
from ladtl_np.options.config import DEFAULTS
from ladtl_np.options.seeds import stream
from ladtl_np.shapes import Floats, Integers

__all__ = ["CANDIDATES", "FEWEST", "MOST", "UNITS", "Selection", "Unit", "choose", "select"]

Unit = Literal["sentences", "documents", "tokens"]
"""What is counted; with ``tokens`` sentences are chosen."""
UNITS: tuple[Unit, ...] = get_args(Unit)

CANDIDATES = 10
"""Diversity chooses among the most uncertain units that come to so many times the budget,"""
FEWEST, MOST = 1_000, 50_000
"""but at least and at most among so many."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What was chosen of a pool.

    Attributes
    ----------
    chosen
        Numbers of the units, from 0, in the order in which they were chosen.
    uncertainty
        (n,) of every unit of the pool; 1 for all where a random choice asks no model.
    gains
        What each chosen one was chosen by: its uncertainty, with diversity times its distance.
    next_gain
        The same of the first that is left out; None if none is.
    tokens
        Of all that is chosen.
    copies
        How many units were not chosen from, as they equal one that is chosen or annotated.
    """

    chosen: tuple[int, ...]
    uncertainty: Floats
    gains: tuple[float, ...]
    next_gain: float | None
    tokens: int
    copies: int

    @property
    def mean_uncertainty(self) -> float:
        """Of the chosen units."""
        return float(self.uncertainty[list(self.chosen)].mean())


def select(
    model: Model,
    sentences: Sequence[Sequence[str]],
    budget: int,
    *,
    by: Strategy = "entropy",
    diverse: bool = False,
    unit: Unit = "sentences",
    documents: Sequence[int] = (),
    annotated: Sequence[Sequence[str]] = (),
    copies: bool = False,
    domain: str = "target",
    seed: int = DEFAULTS.seed,
    threads: int = DEFAULTS.threads,
) -> Selection:
    """Choose what to annotate next.

    Parameters
    ----------
    model
        From `load_model`; one that knows the source alone will do, with ``domain="source"``.
    sentences
        Tokens of each sentence of the pool.
    budget
        How many units are chosen; of tokens, how many their sentences come to at least.
    by
        What a sentence is chosen for: ``entropy`` (1), ``margin`` (2), ``span`` (3); or ``random``.
    diverse
        Whether what is chosen lies far from what was chosen before, (7).
    unit
        What the budget counts.
    documents
        First sentence of each document, from 0, where documents are the unit.
    annotated
        Sentences that have annotations: none equal to them is chosen, and diversity keeps away from
        them.
    copies
        Whether a unit may be chosen that equals an annotated or chosen one; not with `diverse`.
    domain, threads
        As for `Tagger`.
    seed
        Of the random choice.

    Returns
    -------
    Selection
        All units if the budget is larger than the pool.

    Raises
    ------
    UsageError
        If there is nothing to choose from, or an argument is none of those above.
    ScoreError
        If the scores of a sentence are not finite.
    """
    tagger = Tagger(model, domain=domain, threads=threads)
    return choose(
        tagger,
        sentences,
        budget,
        by=by,
        diverse=diverse,
        unit=unit,
        documents=documents,
        annotated=annotated,
        copies=copies,
        seed=seed,
    )


def choose(
    tagger: Tagger,
    sentences: Sequence[Sequence[str]],
    budget: int,
    *,
    by: Strategy = "entropy",
    diverse: bool = False,
    unit: Unit = "sentences",
    documents: Sequence[int] = (),
    annotated: Sequence[Sequence[str]] = (),
    copies: bool = False,
    seed: int = DEFAULTS.seed,
) -> Selection:
    """As `select`, with a model's tagger."""
    _check(budget, by, unit, documents, len(sentences), copies=copies and diverse)
    starts = documents if unit == "documents" else range(len(sentences))
    pool = _Pool(sentences, [*starts, len(sentences)], annotated)
    left = pool.there if copies else pool.distinct()
    if not left.size:
        raise UsageError(
            "there is nothing to choose from: no sentence has a token"
            if not pool.there.size
            else "there is nothing to choose from: all of the pool is annotated"
        )
    uncertain: Floats = np.ones(len(pool))
    if by == "random":
        ranked = stream(seed, "selection").permutation(left)
    else:
        uncertain = pool.means(uncertainties(tagger, pool.full, by))
        ranked = left[np.argsort(-uncertain[left], kind="stable")]
    sizes = pool.tokens if unit == "tokens" else np.ones(len(pool), np.int64)
    order, gains = ranked, uncertain[ranked]
    count = _within(sizes[ranked], budget)
    if diverse:
        some = ranked[: _candidates(sizes[ranked], budget)]
        order, gains, count = _apart(tagger, pool, some, uncertain, sizes, budget)
    after = float(gains[count]) if count < len(order) else None
    chosen = order[:count]
    return Selection(
        tuple(chosen.tolist()),
        uncertain,
        tuple(gains[:count].tolist()),
        after,
        int(pool.tokens[chosen].sum()),
        pool.there.size - left.size,
    )


def _check(
    budget: int, by: str, unit: str, documents: Sequence[int], total: int, *, copies: bool
) -> None:
    for name, value, known in (("by", by, STRATEGIES), ("unit", unit, UNITS)):
        if value not in known:
            raise UsageError(f"{name} must be one of {', '.join(known)}; got {value!r}")
    if budget < 1:
        raise UsageError(f"the budget must be at least 1, got {budget}")
    if (unit == "documents") != bool(len(documents)):
        raise UsageError('unit="documents" wants the first sentence of each, and others have none')
    bounds = [-1, *documents, total]
    if len(documents) and (documents[0] != 0 or any(a >= b for a, b in pairwise(bounds))):
        raise UsageError(f"documents must rise from 0 and stay below {total}, got {documents}")
    if copies:
        raise UsageError("copies has no effect with diverse, which chooses none")


class _Pool:
    """Units of a pool, and what is annotated already.

    Attributes
    ----------
    full
        Sentences that have a token.
    tokens
        (n,) tokens of each unit.
    there
        Numbers of the units that have one.
    """

    def __init__(
        self,
        sentences: Sequence[Sequence[str]],
        bounds: Sequence[int],
        annotated: Iterable[Sequence[str]],
    ) -> None:
        self.sentences, self.bounds = sentences, bounds
        self.annotated = list(dict.fromkeys(tuple(s) for s in annotated if len(s)))
        self.full = [sentence for sentence in sentences if len(sentence)]
        self._lengths = np.array([len(sentence) for sentence in self.full], np.int64)
        per_unit = [sum(map(len, sentences[a:b])) for a, b in pairwise(bounds)]
        self.tokens = np.array(per_unit, np.int64)
        self.there = np.flatnonzero(self.tokens)

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def distinct(self) -> Integers:
        """Numbers of the units of which no earlier one, and nothing annotated, is a copy."""
        known = set(self.annotated)
        seen: set[Hashable] = set()
        kept = []
        for n in self.there.tolist():
            own = [tuple(s) for s in self.sentences[self.bounds[n] : self.bounds[n + 1]] if len(s)]
            whole = tuple(own)
            if whole not in seen and not known.issuperset(own):
                kept.append(n)
            seen.add(whole)
        return np.array(kept, np.int64)

    def means(self, values: Floats) -> Floats:
        """Of each unit the mean over its tokens of what is known of its sentences, (4), (5)."""
        numbers = [sum(1 for s in self.sentences[a:b] if len(s)) for a, b in pairwise(self.bounds)]
        weighted = values * self._lengths.reshape(-1, *[1] * (values.ndim - 1))
        sums = np.zeros((len(self), *values.shape[1:]))
        ends = list(accumulate(numbers, initial=0))
        for n, (a, b) in enumerate(pairwise(ends)):
            sums[n] = weighted[a:b].sum(axis=0)
        return sums / np.maximum(1, self.tokens).reshape(-1, *[1] * (values.ndim - 1))


def _within(sizes: Integers, budget: int) -> int:
    """How many of the first units come to the budget; all if they do not."""
    return min(len(sizes), int(np.searchsorted(np.cumsum(sizes), budget)) + 1)


def _candidates(sizes: Integers, budget: int) -> int:
    """Among how many of the first units diversity chooses: more than the budget takes."""
    wanted = _within(sizes, CANDIDATES * budget)
    return max(_within(sizes, budget) + 1, min(MOST, max(FEWEST, wanted)))


def _apart(
    tagger: Tagger,
    pool: _Pool,
    some: Integers,
    uncertain: Floats,
    sizes: Integers,
    budget: int,
) -> tuple[Integers, Floats, int]:
    """Choose farthest first among some units; their order, gains, and how many are chosen."""
    part = [list(pool.sentences[pool.bounds[n] : pool.bounds[n + 1]]) for n in some.tolist()]
    starts = list(accumulate(map(len, part), initial=0))
    own = _Pool(list(chain.from_iterable(part)), starts, ())
    X = own.means(mean_states(tagger.decoder, own.full)).astype(np.float32)
    squares = np.full(len(some), np.inf)
    if pool.annotated:
        for centre in mean_states(tagger.decoder, pool.annotated[:MOST]).astype(np.float32):
            farthest.nearest_squares(squares, X, centre)
    order, gains = np.empty(len(some), np.int64), np.empty(len(some))
    given = X, uncertain[some], sizes[some], budget
    count = farthest.farthest_first(order, gains, squares, *given)
    written = min(count + 1, len(some))
    return some[order[:written]], gains[:written], count
