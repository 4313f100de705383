"""How sure the CRF of one domain is: of paths, of spans, of tokens.          docs/math/crf.md"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.memory import Empty
from ladtl_np.kernels import best_paths as search
from ladtl_np.kernels import posterior
from ladtl_np.kernels.posterior import Chain, Kinds, Steps, Told
from ladtl_np.kernels.posterior_log import Spelling
from ladtl_np.layers.crf import check_scores
from ladtl_np.shapes import Booleans, Floats, Integers

__all__ = ["Paths", "chain_of", "n_best", "posteriors"]

# Steps in which every tag can be reached from every other, illegal ones aside: E-X, B-Y, I-Y.
STEPS = 3
# Transitions of a tag that are not taken as a whole row.
FEW = 2
# Largest STEPS (range of E_t + range of A) + (STEPS - 1) log m, docs/math/crf.md (33)
SAFE_RANGE = 400.0


class Paths(NamedTuple):
    """The K best paths of each sentence of a packed batch, best first."""

    tags: Integers  # (K, N)
    log_path: Floats  # (K, B), -inf where there are fewer than K


def chain_of(A: Floats, kinds: Integers, goes_on: Booleans, temperature: float = 1.0) -> Chain:
    """Transitions as `posteriors` wants them, all in float64.

    Parameters
    ----------
    A
        (m, m) transition scores, ``-inf`` where a tag may not follow.
    kinds
        (m,) number of each tag's type, 0 for O.
    goes_on
        (m, m) whether the column's tag goes on with the span of the row's.
    temperature
        What all scores are divided by.
    """
    m = A.shape[0]
    if A.shape != (m, m) or kinds.shape != (m,) or goes_on.shape != (m, m):
        raise ValueError(
            f"transitions and goes_on must be (m, m) and kinds (m,), got {A.shape}, "
            f"{goes_on.shape} and {kinds.shape}"
        )
    if not 0.0 < temperature < math.inf:
        raise ValueError(f"temperature must be a number above 0, got {temperature}")
    A = np.ascontiguousarray(A.astype(np.float64) / temperature)
    allowed = A > -np.inf
    top = float(A.max())
    with np.errstate(invalid="ignore"):
        a = np.exp(A - top)
        expected = np.where(a > 0, a * (A - top), 0.0)
    spread = posterior.spread_of_allowed(A[allowed].reshape(1, -1))
    limit = (SAFE_RANGE - (STEPS - 1) * math.log(m)) / STEPS - spread
    if not _mixes(allowed):
        limit = -np.inf
    turned = np.ascontiguousarray(a.T), np.ascontiguousarray(expected.T)
    spelling = Spelling(kinds.astype(np.int64), np.ascontiguousarray(goes_on))
    steps = _steps_of(a), _steps_of(a.T)
    found = _kinds_of(spelling)
    return Chain(A, a, *turned, top, limit, 1.0 / temperature, found, *steps, spelling)


def _kinds_of(spelling: Spelling) -> Kinds:
    """Tags by their types."""
    kinds, goes_on = spelling
    members = np.argsort(kinds, kind="stable")
    first = np.searchsorted(kinds[members], np.arange(kinds.max() + 2))
    opens, closes = (np.logical_not(goes_on.any(axis=axis)) for axis in (0, 1))
    return Kinds(members, first, opens, closes)


def _steps_of(a: Floats) -> Steps:
    """Where a is not 0; rows that have few such places are told one by one."""
    there = a > 0
    whole = there.sum(axis=1) > FEW
    pairs = np.argwhere(there & ~whole[:, None])
    return Steps(np.flatnonzero(whole), np.ascontiguousarray(pairs, dtype=np.int64))


def _mixes(allowed: Booleans) -> bool:
    """Whether every tag leads to every other in STEPS steps."""
    reached = allowed
    for _ in range(STEPS - 1):
        reached = (reached.astype(np.float32) @ allowed.astype(np.float32)) > 0
    return bool(reached.all())


def posteriors(
    E: Floats,
    chain: Chain,
    tags: Integers,
    offsets: Integers,
    empty: Empty = np.empty,
    *,
    unary: bool = False,
) -> Told:
    """What the scores of a packed batch say of given tags, such as the best ones.

    Parameters
    ----------
    E
        (N, m) emission scores in packed order, float32 or float64; ``-inf`` where a sentence may
        not start or end.
    chain
        From `chain_of`.
    tags
        (N,) tags, legal or not.
    offsets
        (T + 1,) steps of the packed layout.
    empty
        Makes scratch arrays.
    unary
        Whether the token marginals are wanted.

    Returns
    -------
    Told
        In packed order; NaN in sentences whose scores are NaN.
    """
    check_scores(E, chain.A, offsets)
    m = chain.A.shape[0]
    if tags.shape != E.shape[:1]:
        raise ValueError(f"tags must be one a token, ({E.shape[0]},), got {tags.shape}")
    if tags.size and not 0 <= tags.min() <= tags.max() < m:
        raise ValueError(f"tags must lie in [0, {m}), got [{tags.min()}, {tags.max()}]")
    T, N = max(0, offsets.size - 1), E.shape[0]
    B = int(offsets[1]) if T else 0
    told = Told(
        np.empty(B), np.empty(B), np.empty(N), np.empty(N), np.empty((N if unary else 0, m))
    )
    if T:
        room = posterior.Room(
            empty((T, m), np.float64),
            empty((T, m), np.float64),
            empty((T, m), np.float64),
            empty(T, np.int64),
            empty(T, np.float64),
            empty(T, np.float64),
            empty((5, m), np.float64),
        )
        posterior.posteriors(told, room, tags, E, chain, offsets)
    return told


def n_best(
    E: Floats,
    A: Floats,
    chain: Chain,
    gain: Floats,
    offsets: Integers,
    count: int,
    empty: Empty = np.empty,
) -> Paths:
    """The best paths of each sentence; the first is that of `crf_viterbi`.

    Parameters
    ----------
    E, offsets
        As for `posteriors`.
    A
        (m, m) transition scores of E's dtype, which rank the paths.
    chain
        From `chain_of`.
    gain
        (N,) from `posteriors`.
    count
        How many paths.
    """
    check_scores(E, A, offsets)
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    T, (N, m) = max(0, offsets.size - 1), E.shape
    B = int(offsets[1]) if T else 0
    paths = Paths(np.empty((count, N), np.int64), np.empty((count, B)))
    if T:
        lists = search.Lists(empty((T + 1, m, count), E.dtype), empty((T + 1, m, count), np.int64))
        search.best_paths(*paths, lists, E, gain, A, chain, offsets)
    return paths
