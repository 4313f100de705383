"""Scores, marginals and paths of one sentence under one head, by the reference and the kernels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ladtl_np.audit.equations.literal import literal_mask
from ladtl_np.audit.explain.encoding import Words
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.schemes import legal_start_end_transition
from ladtl_np.layers import linear, projection
from ladtl_np.layers.crf import crf_backward, crf_forward, crf_viterbi
from ladtl_np.model.network import domain_of, projection_name
from ladtl_np.reference.crf import log_partition, sequence_score, token_marginals, viterbi
from ladtl_np.reference.linear import affine_forward
from ladtl_np.reference.projection import (
    linear_projection_forward,
    mask_forward,
)
from ladtl_np.shapes import Floats, Integers

__all__ = [
    "GOLD",
    "PREDICTED",
    "Head",
    "KernelHead",
    "Path",
    "chain_log_probability",
    "kernel_head",
    "reference_head",
]

PREDICTED, GOLD = "predicted", "gold"


class Path(NamedTuple):
    """A tag for each token, and what the head gives for it."""

    name: str
    tags: Integers  # (T,)
    emission: Floats  # (T,)  E[t, y_t]
    transition: Floats  # (T,)  A[y_{t-1}, y_t]; 0 at the first token
    marginal: Floats  # (T,)  p(y_t)
    score: float
    log_p: float

    @property
    def sums(self) -> Floats:
        """(T,) score up to each token."""
        return np.cumsum(self.emission + self.transition)


@dataclass(frozen=True, slots=True)
class Head:
    """A head on a sentence; everything in float64.

    Attributes
    ----------
    name
        Of the head, as the network has it.
    tags
        Its tags.
    E, A
        (T, m) emission scores and (m, m) transition scores.
    unary, neighbours
        (T, m) marginals of tags, and (T - 1, m, m) of transitions.
    log_z
        Of all tag sequences, whether legal or not: as in Eq. (3), and in training.
    log_legal
        Logarithm of the probability that a tag sequence is legal in the tags' scheme.
    paths
        ``predicted`` first; then gold where it is known, and the best path of the other way of
        decoding, constrained or not, where that is another one.
    """

    name: str
    tags: TagSet
    E: Floats
    A: Floats
    unary: Floats
    neighbours: Floats
    log_z: float
    log_legal: float
    paths: list[Path] = field(default_factory=list)

    @property
    def domain(self) -> str:
        """``source``, ``source2``, ..., or ``target``."""
        return domain_of(self.name)

    @property
    def predicted(self) -> Path:
        """What tagging with this head gives."""
        return self.paths[0]

    @property
    def gold(self) -> Path | None:
        """The annotated path."""
        return next((path for path in self.paths if path.name == GOLD), None)

    def distinct(self) -> list[Path]:
        """The paths without those that are the predicted one under another name."""
        best = self.predicted
        others = (path for path in self.paths[1:] if not np.array_equal(path.tags, best.tags))
        return [best, *others]

    def path(self, name: str, tags: Integers) -> Path:
        """What this head gives for some tags."""
        T = len(self.E)
        before, after = tags[:-1], tags[1:]
        score = sequence_score(self.E, self.A, tags)
        return Path(
            name,
            tags,
            emission=self.E[np.arange(T), tags],
            transition=np.concatenate([[0.0], self.A[before, after]]),
            marginal=self.unary[np.arange(T), tags],
            score=score,
            log_p=score - self.log_z,
        )

    def names(self, path: Path) -> tuple[str, ...]:
        """Tags of a path in words."""
        return self.tags.decode(path.tags.tolist())


def reference_head(
    words: Words,
    hidden: Floats,
    name: str,
    tags: TagSet,
    *,
    gold: Sequence[int] | None,
    constrained: bool,
    bias: bool,
) -> Head:
    """Scores and paths as `reference` has them.

    Parameters
    ----------
    words, hidden
        The sentence and its hidden states (T, 2H).
    name, tags
        Of the head.
    gold
        Annotated tags by number; None where they are not known.
    constrained
        Whether the predicted path is the best of the legal ones.
    bias
        Whether the emission bias counts, where there is one.
    """
    E, A = _scores(words, hidden, name, bias=bias)
    unary, neighbours = token_marginals(E, A)
    start, end, follow = legal_start_end_transition(tags.tags, tags.scheme)
    E_legal = E.copy()
    E_legal[0, ~start] = -np.inf
    E_legal[-1, ~end] = -np.inf
    A_legal = np.where(follow, A, -np.inf)
    log_z = log_partition(E, A)
    log_legal = log_partition(E_legal, A_legal) - log_z
    head = Head(name, tags, E, A, unary, neighbours, log_z, log_legal)
    legal, free = viterbi(E_legal, A_legal)[0], viterbi(E, A)[0]
    best, other = (legal, free) if constrained else (free, legal)
    head.paths.append(head.path(PREDICTED, best))
    if gold is not None:
        head.paths.append(head.path(GOLD, np.array(gold, np.int64)))
    if not np.array_equal(best, other):
        way = "unconstrained" if constrained else "constrained"
        head.paths.append(head.path(way, other))
    return head


def _scores(words: Words, hidden: Floats, name: str, *, bias: bool) -> tuple[Floats, Floats]:
    """E (T, m) and A (m, m), with what stands before a shared CRF."""
    network, weights = words.network, words.network.weights
    sizes, crf = network.architecture, network.architecture.crf_of(name)
    P = hidden
    if sizes.projection == "linear":
        P = linear_projection_forward(hidden, weights[projection_name(name)])
    elif sizes.projection == "mask":
        P = mask_forward(hidden, literal_mask(sizes, name))
    b = weights.get(f"{crf}.b") if bias else None
    return affine_forward(P, weights[f"{crf}.W"], b), weights[f"{crf}.A"]


class KernelHead(NamedTuple):
    """The same numbers by the kernels, as far as these compute them."""

    E: Floats  # (T, m)
    nll: list[float]  # of each path
    unary: Floats  # (T, m)
    pairwise: Floats  # (m, m)  summed over the sentence
    best: Integers  # (T,)  unconstrained
    best_score: float


def kernel_head(words: Words, hidden: Floats, head: Head, *, bias: bool) -> KernelHead:
    """Compute with the kernels' own hidden states what `reference_head` did."""
    network, weights = words.network, words.network.weights
    crf = network.architecture.crf_of(head.name)
    P = projection.projection_forward(hidden, network.projection(head.name))
    b = weights.get(f"{crf}.b") if bias else None
    E, A = linear.affine_forward(np.ascontiguousarray(P), weights[f"{crf}.W"], b), head.A
    T = len(E)
    offsets = np.arange(T + 1)
    nll = [float(crf_forward(E, A, path.tags, offsets)[0][0]) for path in head.paths]
    tags = head.predicted.tags
    _, cache = crf_forward(E, A, tags, offsets)
    unary, pairwise = np.zeros_like(E), np.zeros_like(A)
    crf_backward(unary, pairwise, np.ones(1), cache)
    # the gradient is what the model expects minus what was seen
    unary[np.arange(T), tags] += 1.0
    np.add.at(pairwise, (tags[:-1], tags[1:]), 1.0)
    best, score = crf_viterbi(E, A, offsets)
    return KernelHead(E, nll, unary, pairwise, best, float(score[0]))


def chain_log_probability(head: Head, path: Path) -> float:
    """``log p(y_1) + sum_t log p(y_t | y_{t-1})``: the same as log p by the marginals alone.

    NaN where a marginal on the way is too small for float64.
    """
    total = [math.nan if path.marginal[0] <= 0 else math.log(path.marginal[0])]
    for t in range(1, len(path.tags)):
        joint = float(head.neighbours[t - 1, path.tags[t - 1], path.tags[t]])
        before = float(path.marginal[t - 1])
        total.append(math.log(joint) - math.log(before) if min(joint, before) > 0 else math.nan)
    return math.fsum(total) if not any(map(math.isnan, total)) else math.nan
