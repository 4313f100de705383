"""How many floating-point operations each part needs, in the letters of ``shapes``.

An addition, a multiplication, a division, a comparison, a root and an exponential count 1 each, so
a product of (a, b) and (b, c) counts 2abc. What is counted is the mathematics, not a way to compute
it: recomputation and padding earn nothing, and a symmetric matrix counts half.

Parts that memory limits have their traffic instead: each array counts once for each time that it
has to be read or written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ladtl_np.model.network import Architecture
from ladtl_np.objective.batching import Batch, Half

__all__ = [
    "Traffic",
    "adagrad",
    "adagrad_traffic",
    "affine",
    "bilstm",
    "crf",
    "embedding",
    "embedding_traffic",
    "mmd",
    "product",
    "step",
    "viterbi",
]

FLOAT32, INTEGER = 4, 8  # bytes


class Traffic(NamedTuple):
    """Bytes that a part cannot do without."""

    moved: int  # read or written
    resident: int  # of the arrays, which decide which cache or memory holds them


def product(a: int, b: int, c: int) -> int:
    """Count (a, b) times (b, c)."""
    return 2 * a * b * c


def bilstm(N: int, D: int, H: int, *, backward: bool = True) -> int:
    """Count both directions.

    Forward, a token: X W and h U, and 17 H for two additions to each of 4H pre-activations, 4H
    squashings, 3H for the cell, 2H for the state. Backward, a token: dX, dh, dW and dU, and 27 H.
    """
    forward = N * (product(1, D, 4 * H) + product(1, H, 4 * H) + 17 * H)
    back = N * (2 * product(1, D, 4 * H) + 2 * product(1, H, 4 * H) + 27 * H)
    return 2 * (forward + (back if backward else 0))


def affine(N: int, H: int, m: int, *, backward: bool = True) -> int:
    """Count E = h W with h of (N, 2H); backward is two products of the same size."""
    return (3 if backward else 1) * product(N, 2 * H, m)


def crf(N: int, B: int, m: int, *, backward: bool = True) -> int:
    """Count log Z and the marginals of N tokens in B sentences, which have N - B transitions.

    Forward: one vector-matrix product a transition, and an exponential, a product, a sum and a
    division for each score. Backward: the mirrored product, an outer product a transition for the
    pairs' marginals, and 4 for each score.
    """
    transitions = N - B
    forward = transitions * 2 * m * m + 4 * N * m
    back = transitions * 4 * m * m + 4 * N * m
    return forward + (back if backward else 0)


def viterbi(N: int, B: int, m: int) -> int:
    """Count an addition and a comparison for each pair of tags and transition."""
    return (N - B) * 2 * m * m + N * m


def mmd(rows: int, width: int, Q: int) -> int:
    """Count one pair of samples with S + R = rows, forward and backward.

    Products of all pairs of rows (symmetric, so half), 3 for each distance, and 5 for each pair and
    Gaussian: scale, exponential, sum, and scale and sum of its derivative. Then one product of the
    (rows, rows) coefficients with the rows.
    """
    pairs = rows * (rows + 1) // 2
    return 2 * pairs * width + pairs * (3 + 5 * Q) + product(rows, rows, width)


def adagrad(size: int) -> int:
    """Count 7 for each parameter: g g, +, root, + epsilon, rate g, /, -."""
    return 7 * size


def embedding(N: int, D: int) -> int:
    """Count the dropout factor forward and backward, and the sum over tokens of a word."""
    return 3 * N * D


def adagrad_traffic(size: int) -> Traffic:
    """Read gradient, accumulator and parameter; write accumulator and parameter."""
    return Traffic(5 * FLOAT32 * size, 3 * FLOAT32 * size)


def embedding_traffic(N: int, D: int, distinct: int) -> Traffic:
    """Read words, distinct rows and mask, write X; read words, dX and mask, write distinct rows."""
    tokens, rows = FLOAT32 * N * D, FLOAT32 * distinct * D
    return Traffic(4 * tokens + 2 * rows + 2 * INTEGER * N, 3 * tokens + 2 * rows + INTEGER * N)


def step(
    sizes: Architecture, batch: Batch, label_rows: Sequence[int], Q: int, touched_words: int
) -> int:
    """Count one training step of both domains.

    Parameters
    ----------
    sizes
        Of the network.
    batch
        The batch.
    label_rows
        Rows S + R of each pair of samples of the label-aware MMD.
    Q
        Gaussians.
    touched_words
        Rows of the embedding table with a gradient.
    """
    N, D, H = int(batch.words.size), sizes.embedding, sizes.hidden
    weights = 8 * H * (D + H + 1)
    total = embedding(N, D) + bilstm(N, D, H)
    for half, m in ((batch.source, sizes.source_tags), (batch.target, sizes.target_tags)):
        total += _head(half, H, m)
        weights += 2 * H * m + m * m
    total += sum(mmd(rows, 2 * H, Q) for rows in label_rows)
    # L_p and its gradient: 5 for each pair of matched parameters; L_r and its gradient: 4 for each
    matched = 2 * H * sizes.target_tags + sizes.target_tags**2
    return total + 5 * matched + 4 * weights + adagrad(weights + touched_words * D)


def _head(half: Half, H: int, m: int) -> int:
    N = int(half.rows.size)
    return affine(N, H, m) + crf(N, half.sentences, m)
