"""L_LaMMD of a batch: which rows are compared, under which kernels.            docs/math/mmd.md"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.memory import Memory
from ladtl_np.arrays.workers import Workers
from ladtl_np.layers.mmd import (
    MmdLayout,
    RowPair,
    label_rows,
    mmd_backward,
    mmd_begin,
    mmd_layout,
)
from ladtl_np.layers.mmd_variances import median_variances
from ladtl_np.layers.random_features import FeatureWork, Sketch, features_begin, features_layout
from ladtl_np.objective.batching import Batch
from ladtl_np.objective.terms import Objective
from ladtl_np.shapes import Floats

__all__ = ["MmdTerm", "chosen_variances", "label_weights", "mmd_step", "row_pairs"]


def row_pairs(batch: Batch, objective: Objective) -> tuple[RowPair, ...]:
    """Samples to compare: a pair for each source and matched tag that source and target hold.

    Without labels one pair for each source, of all tokens. Labels are counted through the matched
    tags of all sources, one source after the other. Where the source is known by sketches, its side
    of a pair has no rows.
    """
    if objective.sketches:
        return _sketched_pairs(batch, objective)
    target, mu, pairs, first = batch.target, label_weights(objective), list[RowPair](), 0
    for tie, source in zip(objective.ties if batch.sources else (), batch.sources, strict=True):
        if objective.label_aware:
            found = label_rows(source.rows, source.tags, target.rows, target.tags, tie.matched)
            pairs += [pair._replace(label=first + pair.label) for pair in found]
            first += len(tie.matched[0])
        else:
            if source.rows.size and target.rows.size:
                pairs.append(RowPair(first, source.rows, target.rows))
            first += 1
    return tuple(pair for pair in pairs if mu[pair.label])


def _sketched_pairs(batch: Batch, objective: Objective) -> tuple[RowPair, ...]:
    """The target's rows of each source's matched tags that have a sketch."""
    target, mu, none = batch.target, label_weights(objective), np.zeros(0, np.int64)
    tags = np.concatenate([tie.matched[1] for tie in objective.ties])
    known = zip(objective.sketches, tags.tolist(), mu, strict=True)
    pairs = (
        RowPair(label, none, target.rows[target.tags == tag])
        for label, (sketch, tag, weight) in enumerate(known)
        if sketch is not None and weight
    )
    return tuple(pair for pair in pairs if pair.target.size)


ROWS_A_FREQUENCY = 3
"""With so many rows for each frequency, random features take as long as all pairs of rows do."""


class _Compared(NamedTuple):
    """Samples to compare, and in which way each pair is."""

    pairs: tuple[RowPair, ...]
    exact: list[int]  # pairs whose rows are all compared with each other
    exact_layout: MmdLayout
    featured: list[int]  # pairs that are compared by random features
    featured_layout: MmdLayout


def _compared(batch: Batch, objective: Objective) -> _Compared:
    """row_pairs and their layouts; kept with the batch, of which several steps may be made."""
    known = batch.compared.get(id(objective))
    if known is None or known[0] is not objective:
        pairs, ways = row_pairs(batch, objective), (list[int](), list[int]())
        for number, pair in enumerate(pairs):
            ways[_by_features(pair, objective)].append(number)
        exact, featured = ([pairs[number] for number in way] for way in ways)
        layouts = mmd_layout(exact), features_layout(featured)
        found = _Compared(pairs, ways[0], layouts[0], ways[1], layouts[1])
        known = batch.compared[id(objective)] = objective, found
    found = known[1]
    return found


def _by_features(pair: RowPair, objective: Objective) -> bool:
    """Whether random features are worth their error: fewer rows are sooner compared one by one."""
    if objective.frequencies is None or objective.sketches:
        return bool(objective.sketches)
    return pair.source.size + pair.target.size > ROWS_A_FREQUENCY * len(objective.frequencies)


def chosen_variances(
    hidden: Floats, pairs: Sequence[RowPair], objective: Objective
) -> list[tuple[float, ...]]:
    """Kernel variances for each pair of samples; those of a sketch are its own."""
    if objective.sketches:
        return [sketch.variances for sketch in _sketches_of(pairs, objective)]
    variances = objective.options.variances()
    if variances is not None:
        return [variances] * len(pairs)
    return [median_variances(hidden[pair.source], hidden[pair.target]) for pair in pairs]


def _sketches_of(pairs: Sequence[RowPair], objective: Objective) -> list[Sketch]:
    """The sketch of each pair's source; none where the source has rows."""
    known = (objective.sketches[pair.label] for pair in pairs if objective.sketches)
    return [sketch for sketch in known if sketch is not None]


class MmdTerm:
    """L_LaMMD of a batch, Eq. (5), or Eq. (4) over all tokens, and its weighted gradient.

    Its tasks need nothing but the hidden states, and share no output with each other or with the
    two heads.

    Attributes
    ----------
    tasks
        Calls to make before `finish`, in any order and on any thread.
    """

    def __init__(
        self,
        hidden: Floats,
        batch: Batch,
        objective: Objective,
        variances: Sequence[Sequence[float]] | None,
        memory: Memory,
    ) -> None:
        found = self._found = _compared(batch, objective)
        pairs = found.pairs
        chosen = chosen_variances(hidden, pairs, objective) if variances is None else variances
        self.objective, self.labels = objective, [pair.label for pair in pairs]
        own = [chosen[number] for number in found.exact]
        self.work = mmd_begin(hidden, found.exact_layout, own, memory)
        self.tasks = self.work.tasks
        self.features: FeatureWork | None = None
        if found.featured and objective.frequencies is not None:
            others: Sequence[Sequence[float] | Sketch] = _sketches_of(pairs, objective)
            if not objective.sketches:
                others = [chosen[number] for number in found.featured]
            given = found.featured_layout, others, objective.frequencies, memory
            self.features = features_begin(hidden, *given)
            self.tasks = (*self.features.tasks, *self.tasks)

    def _values(self) -> Floats:
        """Squared MMD of each pair, once all tasks have returned."""
        values = np.zeros(len(self._found.pairs))
        values[self._found.exact] = self.work.values()
        if self.features is not None:
            values[self._found.featured] = self.features.values()
        return values

    def finish(self, dhidden: Floats, workers: Workers) -> float:
        """Return the value; adds its gradient, times w_mmd, to dhidden (N, 2H)."""
        options, values = self.objective.options, self._values()
        all_mu = label_weights(self.objective)
        mu = all_mu[self.labels]
        total, sent_back = float(mu @ values), mu
        floor = options.mmd_floor
        if floor:
            # max(floor, .), which also makes an absent label count as the floor
            total = float(mu @ np.maximum(values, floor)) + floor * float(all_mu.sum() - mu.sum())
            sent_back = np.where(values > floor, mu, 0.0)
        dvalues = self.objective.weights.w_mmd * sent_back
        mmd_backward(dhidden, dvalues[self._found.exact], self.work.cache, workers)
        if self.features is not None:
            calls, cache = self.features.back()
            workers.run(*calls)
            mmd_backward(dhidden, dvalues[self._found.featured], cache, workers)
        return total


def mmd_step(
    dhidden: Floats,
    hidden: Floats,
    batch: Batch,
    objective: Objective,
    variances: Sequence[Sequence[float]] | None,
    workers: Workers,
) -> float:
    """MmdTerm by itself: returns its value and adds its weighted gradient to dhidden."""
    term = MmdTerm(hidden, batch, objective, variances, workers.memory)
    workers.run(*term.tasks)
    return term.finish(dhidden, workers)


def label_weights(objective: Objective) -> Floats:
    """The paper's mu of every matched tag times its source's share; else the shares alone."""
    parts: list[Floats] = [np.zeros(0)]
    for tie in objective.ties:
        mu: Floats = np.ones(len(tie.matched[0])) if objective.label_aware else np.ones(1)
        if objective.label_aware and tie.label_weights is not None:
            mu = tie.label_weights
        parts.append(tie.share * mu)
    return np.concatenate(parts)
