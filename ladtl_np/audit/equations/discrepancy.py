"""Eq. (2), (4) and (5): the MMD of each label, four times over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.workers import Workers
from ladtl_np.audit.comparing import Comparisons
from ladtl_np.audit.subject import Subject
from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.schemes import split_tag
from ladtl_np.layers.mmd import RowPair, label_rows, mmd_forward
from ladtl_np.layers.mmd_variances import (
    MEDIAN_FACTORS,
    MEDIAN_ROWS,
    REFERENCE_VARIANCES,
    evenly_spaced,
    median_variances,
)
from ladtl_np.objective.batching import Batch
from ladtl_np.reference.mmd import mmd_forward as literal_mmd
from ladtl_np.shapes import Floats, Integers

__all__ = ["LabelMmd", "check_mmd_terms", "matched_by_name", "mean_embedding", "written_out"]

_ROWS = 120  # of each domain, where every pair of rows is added one by one


class LabelMmd(NamedTuple):
    """One label's MMD in a mini-batch."""

    label: str
    rows: tuple[int, int]  # of source and target
    value: float
    error: float


def matched_by_name(subject: Subject) -> list[tuple[int, int]]:
    """Pairs of tags that mean the same, told by their names and the label map alone."""
    if subject.source_tags is None:
        return []
    pairs = []
    for i, of_source in enumerate(subject.source_tags.tags):
        for j, of_target in enumerate(subject.target_tags.tags):
            (letter, kind), (other, wanted) = split_tag(of_source), split_tag(of_target)
            if letter == other and _same(kind, wanted, subject.label_map):
                pairs.append((i, j))
    return pairs


def _same(source: str, target: str, label_map: LabelMap) -> bool:
    if not source:  # O
        return not target
    if source in label_map.pairs:
        return label_map.pairs[source] == target
    return source == target and target not in label_map.pairs.values()


def written_out(X: Floats, Z: Floats, variances: Sequence[float]) -> float:
    """Eq. (2) squared, as one double sum over both samples: ``sum_ij u_i u_j k(p_i, p_j)``.

    The mean embeddings' difference has the weight 1/S at every row of X and -1/R at every row of Z.
    Every term is added without rounding.
    """
    P, u = _pooled(X, Z)
    return math.fsum((np.outer(u, u) * _gram(P, variances)).ravel().tolist())


def mean_embedding(X: Floats, Z: Floats, variances: Sequence[float]) -> float:
    """Eq. (2) as printed: the norm of the difference of the mean embeddings.

    The rows of a square root of the Gram matrix are coordinates of every phi(p_i).
    """
    P, _ = _pooled(X, Z)
    values, vectors = np.linalg.eigh(_gram(P, variances))
    phi = vectors * np.sqrt(np.maximum(values, 0.0))
    return float(np.linalg.norm(phi[: len(X)].mean(axis=0) - phi[len(X) :].mean(axis=0)))


def _pooled(X: Floats, Z: Floats) -> tuple[Floats, Floats]:
    u = np.concatenate([np.full(len(X), 1 / len(X)), np.full(len(Z), -1 / len(Z))])
    return np.concatenate([X, Z]), u


def _gram(P: Floats, variances: Sequence[float]) -> Floats:
    K = np.zeros((len(P), len(P)))
    for i, p in enumerate(P):
        squared = ((P - p) ** 2).sum(axis=1)
        for s in variances:
            K[i] += np.exp(-squared / (2 * s))
    return K


def check_mmd_terms(
    book: Comparisons, subject: Subject, batch: Batch, hidden: Floats
) -> list[LabelMmd]:
    """Compare the MMD of every label that both halves of a mini-batch hold.

    Parameters
    ----------
    book
        Where comparisons go.
    subject
        For tags and the kernel.
    batch
        Sentences of both domains.
    hidden
        (N, 2H) in packed order.
    """
    by_name = matched_by_name(subject)
    matched = subject.objective.matched
    found = sorted(zip(*(side.tolist() for side in matched), strict=True))
    book.add("matched tags, by number against by name", found, by_name, "label map")
    source, target = batch.source, batch.target
    rows = label_rows(source.rows, source.tags, target.rows, target.tags, matched)
    variances = subject.objective.options.variances() or REFERENCE_VARIANCES
    values, _ = mmd_forward(hidden, rows, [variances] * len(rows), Workers())
    # by name, a label without rows is none of them
    wanted = {}
    for i, j in by_name:
        own = source.rows[source.tags == i], target.rows[target.tags == j]
        if all(part.size for part in own):
            wanted[i] = own
    there = [int(matched[0][pair.label]) for pair in rows]
    book.add("Eq. (5): labels that both halves hold", sorted(there), sorted(wanted), "mini-batch")
    return [
        _check_label(book, subject, hidden, wanted[tag], float(value), variances, tag)
        for tag, value in zip(there, values, strict=True)
        if tag in wanted
    ]


def _check_label(
    book: Comparisons,
    subject: Subject,
    hidden: Floats,
    rows: tuple[Integers, Integers],
    value: float,
    variances: Sequence[float],
    tag: int,
) -> LabelMmd:
    assert subject.source_tags is not None
    name = subject.source_tags.tags[tag]
    X, Z = hidden[rows[0]], hidden[rows[1]]
    where = f"{name}, {len(X)} and {len(Z)} rows"
    error = book.add(
        "Eq. (4): MMD² of a label, kernels against reference",
        value,
        literal_mmd(X, Z, variances),
        where,
    )
    some = evenly_spaced(rows[0], _ROWS), evenly_spaced(rows[1], _ROWS)
    X, Z = hidden[some[0]], hidden[some[1]]
    where = f"{name}, {len(X)} and {len(Z)} rows"
    values, _ = mmd_forward(hidden, [RowPair(0, *some)], [variances], Workers())
    written = written_out(X, Z, variances)
    book.add("Eq. (4): kernels against the double sum", float(values[0]), written, where)
    literal = literal_mmd(X, Z, variances)
    book.add("Eq. (4): reference against the double sum", literal, written, where)
    # squared, because the root of a rounding error is a large one
    squared = mean_embedding(X, Z, variances) ** 2
    book.add("Eq. (2): norm of mean embeddings against Eq. (4)", squared, written, where)
    _check_median(book, X, Z, where)
    return LabelMmd(name, (rows[0].size, rows[1].size), value, error)


def _check_median(book: Comparisons, X: Floats, Z: Floats, where: str) -> None:
    """The median heuristic, from every pair of different rows."""
    P = np.concatenate([evenly_spaced(X, MEDIAN_ROWS), evenly_spaced(Z, MEDIAN_ROWS)])
    distances = [((P[i] - P[j]) ** 2).sum() for i in range(len(P)) for j in range(i)]
    median = float(np.median(distances))
    wanted = [factor * (median or 1.0) for factor in MEDIAN_FACTORS]
    book.add("median heuristic, against all pairs", median_variances(X, Z), wanted, where)
