"""Gradient checks of ladtl_np.kernels: several sentences a batch, all coordinates, NaN as scratch.

Buffers that a kernel must write start as NaN, so that reading one before it is written shows;
gradient buffers start at random numbers that are taken away again, because gradients are added.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from gradient_check import LENGTHS, Array, check_gradient, gradient_check
from shapes_at_random import packed_rows, random_chains

from ladtl_np.kernels import (
    crf,
    crf_log,
    embedding,
    linear,
    lstm,
    mmd,
    mmd_blocks,
    parameter_transfer,
)

D, H, M_TAGS = 3, 2, 3
NOTHING = np.empty(0)
BATCHES = ((1,), (2,), (4,), LENGTHS, (2, 2, 2), (4, 1, 1))


def unwritten(*shape: int) -> Array:
    return np.full(shape, np.nan)


def what_is_added(
    backward: Callable[..., None], like: Sequence[Array], rng: np.random.Generator
) -> list[Array]:
    """Run ``backward`` on random buffers and return what it added to each."""
    before = [rng.normal(size=array.shape) for array in like]
    after = [array.copy() for array in before]
    backward(*after)
    return [a - b for a, b in zip(after, before, strict=True)]


def run_lstm(
    X: Array, W: Array, U: Array, b: Array, offsets: np.ndarray, column: int, reverse: bool
) -> tuple[Array, tuple[Array, Array, Array, Array]]:
    N, width = len(X), 2 * H
    output = unwritten(N, width)
    cache = lstm.LstmCache(unwritten(N, 4 * H), unwritten(N, H), unwritten(N, H))
    weights = lstm.LstmWeights(W, U, b)
    lstm.lstm_forward(output, cache, X, weights, offsets, column, reverse)
    return output[:, column : column + H], (output, *cache)


@gradient_check(
    "kernels.lstm.lstm_backward",
    "kernels.lstm_step.step_backward",
    "kernels.lstm_step._hidden_backward",
    "kernels.lstm_step._cell_backward",
    "kernels.lstm_step._first_cell_backward",
)
def one_direction_of_a_packed_batch() -> None:
    rng = np.random.default_rng(20)
    for lengths in BATCHES:
        offsets = packed_rows(lengths).offsets
        N, widest = int(offsets[-1]), int(offsets[1])
        for reverse in (False, True):
            at = [rng.normal(size=shape) for shape in ((N, D), (D, 4 * H), (H, 4 * H), (4 * H,))]
            X, W, U, b = at
            column = H if reverse else 0
            doutput = unwritten(N, 2 * H)
            doutput[:, column : column + H] = rng.normal(size=(N, H))
            _, cache = run_lstm(X, W, U, b, offsets, column, reverse)
            dX = unwritten(N, D)

            def backward(
                dW,
                dU,
                db,
                *,
                dX=dX,
                X=X,
                W=W,
                U=U,
                b=b,
                doutput=doutput,
                cache=cache,
                offsets=offsets,
                column=column,
                reverse=reverse,
                N=N,
                widest=widest,
            ):
                scratch = lstm.LstmScratch(
                    unwritten(widest, H), unwritten(widest, H), unwritten(N, D + H)
                )
                output, *rest = cache
                lstm.lstm_backward(
                    dX,
                    lstm.LstmWeights(dW, dU, db),
                    doutput,
                    scratch,
                    output,
                    lstm.LstmCache(*rest),
                    X,
                    lstm.LstmWeights(W, U, b),
                    offsets,
                    column,
                    reverse,
                )

            added = what_is_added(backward, (W, U, b), rng)
            upstream = doutput[:, column : column + H]
            check_gradient(
                lambda X, W, U, b, dh=upstream, where=(offsets, column, reverse): np.vdot(
                    dh, run_lstm(X, W, U, b, *where)[0]
                ),
                [dX, *added],
                at=at,
                names=("X", "W", "U", "b"),
            )


def by_sentence(values: Array, offsets: np.ndarray, c: Array = NOTHING) -> Array:
    """Sums of a value per token over each sentence of a packed batch."""
    sums = unwritten(int(offsets[1]))
    crf.sum_nll(sums, values, c, np.zeros_like(values), offsets)
    return sums


def scaled_forward(E: Array, A: Array, offsets: np.ndarray) -> tuple[Array, list[Array]]:
    z = unwritten(len(E))
    cache = [unwritten(*E.shape), unwritten(*E.shape), unwritten(len(E))]
    a = np.exp(A - A.max())
    crf.crf_scaled_forward(z, *cache, E, a, float(A.max()), offsets)
    return by_sentence(z, offsets, cache[-1]), cache


@gradient_check("kernels.crf.crf_scaled_backward")
def log_partition_in_scaled_space() -> None:
    rng = np.random.default_rng(21)
    for lengths, m in (*((lengths, M_TAGS) for lengths in BATCHES), (LENGTHS, 12)):
        packing, E, A, _ = random_chains(rng, lengths, m)
        offsets, dlog_z = packing.offsets, rng.normal(size=packing.sentences)
        _, cache = scaled_forward(E, A, offsets)
        a = np.exp(A - A.max())

        def backward(dE, dA, *, a=a, cache=cache, offsets=offsets, dlog_z=dlog_z):
            scratch = [unwritten(*dE.shape) for _ in range(3)] + [unwritten(*a.shape)]
            crf.crf_scaled_backward(dE, dA, dlog_z, *scratch, *cache, a, offsets)

        check_gradient(
            lambda E, A, d=dlog_z, offsets=offsets: np.vdot(d, scaled_forward(E, A, offsets)[0]),
            what_is_added(backward, (E, A), rng),
            at=(E, A),
            names=("E", "A"),
        )


def log_forward(E: Array, A: Array, offsets: np.ndarray) -> tuple[Array, list[Array]]:
    log_z = unwritten(int(offsets[1]))
    cache = [unwritten(*E.shape), unwritten(len(E))]
    crf_log.crf_log_forward(log_z, *cache, unwritten(len(A)), E, A, offsets)
    return log_z, cache


@gradient_check("kernels.crf_log.crf_log_backward")
def log_partition_in_log_space() -> None:
    rng = np.random.default_rng(22)
    for lengths in BATCHES:
        packing, E, A, _ = random_chains(rng, lengths, M_TAGS)
        offsets, dlog_z = packing.offsets, rng.normal(size=packing.sentences)
        log_z, cache = log_forward(E, A, offsets)

        def backward(dE, dA, *, E=E, A=A, log_z=log_z, cache=cache, offsets=offsets, d=dlog_z):
            scratch = unwritten(*E.shape), unwritten(len(A))
            crf_log.crf_log_backward(dE, dA, d, *scratch, log_z, *cache, E, A, offsets)

        check_gradient(
            lambda E, A, d=dlog_z, offsets=offsets: np.vdot(d, log_forward(E, A, offsets)[0]),
            what_is_added(backward, (E, A), rng),
            at=(E, A),
            names=("E", "A"),
        )


@gradient_check("kernels.crf.gold_score_backward")
def score_of_the_gold_tags() -> None:
    rng = np.random.default_rng(23)
    for lengths in BATCHES:
        packing, E, A, tags = random_chains(rng, lengths, M_TAGS)
        dscore = rng.normal(size=packing.sentences)

        def score(E, A, *, tags=tags, offsets=packing.offsets, dscore=dscore):
            gold = unwritten(len(E))
            crf.gold_score(gold, E, A, tags, offsets)
            return np.vdot(dscore, by_sentence(gold, offsets))

        def backward(dE, dA, *, E=E, A=A, tags=tags, offsets=packing.offsets, dscore=dscore):
            crf.gold_score_backward(dE, dA, dscore, E, A, tags, offsets)

        added = what_is_added(backward, (E, A), rng)
        check_gradient(score, added, at=(E, A), names=("E", "A"))


@gradient_check("kernels.linear.affine_backward")
def emission_scores() -> None:
    rng = np.random.default_rng(26)
    for N in LENGTHS:
        at = X, W, b = [rng.normal(size=shape) for shape in ((N, D), (D, M_TAGS), (M_TAGS,))]
        dP, dX = rng.normal(size=(N, M_TAGS)), unwritten(N, D)

        def scores(X, W, b, *, dP=dP):
            P = unwritten(*dP.shape)
            linear.affine_forward(P, X, W, b)
            return np.vdot(dP, P)

        def backward(dW, db, *, dX=dX, dP=dP, X=X, W=W):
            linear.affine_backward(dX, dW, db, dP, X, W)

        added = what_is_added(backward, (W, b), rng)
        check_gradient(scores, [dX, *added], at=at, names=("X", "W", "b"))


@gradient_check("kernels.parameter_transfer.matched_difference_backward")
def matched_weights() -> None:
    rng = np.random.default_rng(27)
    at = rng.normal(size=(3, 4)), rng.normal(size=(5, 3))
    places = tuple(np.array(part) for part in ([0, 2], [3, 1, 0], [4, 1], [2, 0, 1]))

    def backward(dX, dY):
        parameter_transfer.matched_difference_backward(dX, dY, 2.0 * 0.7, *at, *places)

    check_gradient(
        lambda X, Y: 0.7 * parameter_transfer.matched_difference(X, Y, *places),
        what_is_added(backward, at, rng),
        at=at,
    )


@gradient_check("kernels.embedding.embedding_backward")
def rows_of_the_embedding_table() -> None:
    rng = np.random.default_rng(24)
    for N in LENGTHS:
        words = rng.integers(0, 2, size=N)  # two words only, so that they repeat
        table, dX = rng.normal(size=(2, D)), rng.normal(size=(N, D))
        for mask in (np.empty((0, D)), rng.choice([0.0, 2.0], size=(N, D), p=[0.3, 0.7])):

            def function(table, *, words=words, mask=mask, dX=dX):
                X = unwritten(*dX.shape)
                embedding.embedding_forward(X, table, words, mask)
                return np.vdot(dX, X)

            def backward(dtable, *, words=words, mask=mask, dX=dX):
                embedding.embedding_backward(dtable, dX, words, mask)

            check_gradient(function, what_is_added(backward, [table], rng), at=[table])


def run_mmd(P: Array, S: int, variances: Sequence[float], tiles: bool) -> tuple[float, Array]:
    rows, width = P.shape
    R = rows - S
    u = np.concatenate([np.full(S, 1 / S), np.full(R, -1 / R)])
    dP = unwritten(rows, width)
    half_inverse = 0.5 / np.array(variances)
    if not tiles:
        pairs = unwritten(3, rows * (rows - 1) // 2)
        return mmd.few_rows_with_gradient(dP, pairs, P, u, half_inverse), dP
    scratch = (
        unwritten(mmd_blocks.BLOCK, mmd_blocks.BLOCK_STRIDE),
        unwritten(3, mmd_blocks.BLOCK),
        unwritten(rows),
    )
    norms = np.sum(P**2, axis=1)
    return mmd_blocks.blocks_with_gradient(dP, *scratch, P, u, norms, half_inverse, 0, 1), dP


@gradient_check("kernels.mmd_blocks.blocks_with_gradient", "kernels.mmd.few_rows_with_gradient")
def squared_mmd() -> None:
    for tiles in (True, False):
        check_squared_mmd(tiles)


def check_squared_mmd(tiles: bool) -> None:
    rng = np.random.default_rng(25)
    # the second list has wide Gaussians, which are one polynomial, some of them multiples
    for variances in ((0.3, 1.0, 4.0), (6.0, 0.3, 1e-6, 12.001, 24.0, 6.0, 1e9)):
        for S, R in ((1, 1), (2, 4), (4, 1)):
            P = rng.normal(size=(S + R, D))
            check_gradient(
                lambda P, S=S, variances=variances: run_mmd(P, S, variances, tiles)[0],
                [run_mmd(P, S, variances, tiles)[1]],
                [P],
            )
    # near pairs, which are done by differences, within and across the samples; and equal rows
    P = 3.0 + rng.normal(size=(7, D))
    P[1], P[4], P[5] = P[0] + 1e-3, P[0] - 2e-3, P[2]
    narrow = (1e-4, 1.0)
    check_gradient(
        lambda P: run_mmd(P, 3, narrow, tiles)[0], [run_mmd(P, 3, narrow, tiles)[1]], [P], step=1e-6
    )
