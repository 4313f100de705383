"""Gradient checks of ladtl_np.layers and of the whole objective, all coordinates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from gradient_check import LENGTHS, Array, check_gradient, gradient_check
from gradient_checks_kernels import what_is_added
from shapes_at_random import (
    architecture_of,
    packed_rows,
    random_chains,
    random_weights,
)

from ladtl_np.arrays.parameters import Parameters
from ladtl_np.arrays.workers import Workers
from ladtl_np.layers import (
    bilstm,
    crf,
    divergence,
    embedding,
    linear,
    mmd,
    parameter_transfer,
    projection,
)

D, H, M_TAGS, V = 3, 2, 3, 5
BATCHES = ((1,), (4,), LENGTHS, (2, 2, 2))
ONE_WORKER = Workers()


def encoder_weights(rng: np.random.Generator) -> dict[str, Array]:
    shapes = {"W": (D, 4 * H), "U": (H, 4 * H), "b": (4 * H,)}
    return {
        f"{direction}.{part}": rng.normal(size=shape)
        for direction in bilstm.DIRECTIONS
        for part, shape in shapes.items()
    }


def added_to(backward, weights: Mapping[str, Array], rng: np.random.Generator) -> dict[str, Array]:
    """What ``backward(gradients)`` adds to buffers of the names and shapes of ``weights``."""

    def on_list(*buffers: Array) -> None:
        backward(dict(zip(weights, buffers, strict=True)))

    added = what_is_added(on_list, list(weights.values()), rng)
    return dict(zip(weights, added, strict=True))


@gradient_check("layers.bilstm.bilstm_backward")
def both_directions_of_a_packed_batch() -> None:
    rng = np.random.default_rng(30)
    for lengths in BATCHES:
        offsets = packed_rows(lengths).offsets
        X, weights = rng.normal(size=(sum(lengths), D)), encoder_weights(rng)
        dhidden = rng.normal(size=(len(X), 2 * H))
        _, cache = bilstm.bilstm_forward(X, weights, offsets, ONE_WORKER)
        dX = []

        def backward(gradients, *, dX=dX, dhidden=dhidden, cache=cache, weights=weights):
            dX.append(bilstm.bilstm_backward(gradients, dhidden, cache, weights, ONE_WORKER))

        def function(X, *values, names=tuple(weights), dhidden=dhidden, offsets=offsets):
            weights = dict(zip(names, values, strict=True))
            return np.vdot(dhidden, bilstm.bilstm_forward(X, weights, offsets, ONE_WORKER)[0])

        added = added_to(backward, weights, rng)
        check_gradient(
            function, [*dX, *added.values()], [X, *weights.values()], names=["X", *weights]
        )


@gradient_check("layers.crf.crf_backward")
def negative_log_likelihood() -> None:
    rng = np.random.default_rng(31)
    # scores of the second scale leave the guard of scaled space and are done in log space
    for scale in (1.0, 200.0):
        for lengths in BATCHES:
            packing, E, A, tags = random_chains(rng, lengths, M_TAGS)
            E[:, 0] *= scale
            _, cache = crf.crf_forward(E, A, tags, packing.offsets)
            dnll = rng.normal(size=packing.sentences)

            def function(E, A, *, tags=tags, offsets=packing.offsets, dnll=dnll):
                return np.vdot(dnll, crf.crf_forward(E, A, tags, offsets)[0])

            def backward(dE, dA, *, dnll=dnll, cache=cache):
                crf.crf_backward(dE, dA, dnll, cache)

            added = what_is_added(backward, (E, A), rng)
            check_gradient(function, added, at=(E, A), names=("E", "A"))


@gradient_check("layers.embedding.embedding_backward")
def rows_in_use() -> None:
    rng = np.random.default_rng(32)
    for N in LENGTHS:
        words, table = rng.integers(1, 3, size=N), rng.normal(size=(V, D))
        dX = rng.normal(size=(N, D))
        for mask in (None, rng.choice([0.0, 2.0], size=(N, D), p=[0.3, 0.7])):
            rows, values = embedding.embedding_backward(dX, words, mask)
            dtable = np.zeros_like(table)
            dtable[rows] = values
            check_gradient(
                lambda table, words=words, mask=mask, dX=dX: np.vdot(
                    dX, embedding.embedding_forward(table, words, mask)
                ),
                [dtable],
                at=[table],
            )


@gradient_check("layers.linear.affine_backward")
def affine() -> None:
    rng = np.random.default_rng(33)
    for N in LENGTHS:
        X, W, b = rng.normal(size=(N, D)), rng.normal(size=(D, M_TAGS)), rng.normal(size=M_TAGS)
        dP, dX = rng.normal(size=(N, M_TAGS)), []

        def backward(dW, db, *, dX=dX, dP=dP, X=X, W=W):
            dX.append(linear.affine_backward(dW, db, dP, X, W))

        check_gradient(
            lambda W, b, X, dP=dP: np.vdot(dP, linear.affine_forward(X, W, b)),
            [*what_is_added(backward, (W, b), rng), *dX],
            at=(W, b, X),
            names=("W", "b", "X"),
        )


@gradient_check("layers.mmd.mmd_backward")
def mmd_of_some_rows() -> None:
    rng = np.random.default_rng(34)
    hidden = rng.normal(size=(9, D))
    pairs = (
        mmd.RowPair(0, np.array([0, 5]), np.array([1, 2, 7])),
        mmd.RowPair(2, np.array([3]), np.array([8])),  # rows 4 and 6 belong to no pair
    )
    variances = ((0.3, 1.0), (2.0, 5.0))
    for count in (1, 2):
        dvalues = rng.normal(size=count)
        chosen = pairs[:count], variances[:count]
        _, cache = mmd.mmd_forward(hidden, *chosen, ONE_WORKER)

        def function(hidden, *, d=dvalues, chosen=chosen):
            return np.vdot(d, mmd.mmd_forward(hidden, *chosen, ONE_WORKER)[0])

        def backward(dhidden, *, d=dvalues, cache=cache):
            mmd.mmd_backward(dhidden, d, cache, ONE_WORKER)

        check_gradient(function, what_is_added(backward, [hidden], rng), [hidden])


def crf_weights(rng: np.random.Generator, bias: bool) -> Parameters:
    return random_weights(
        rng,
        architecture_of(
            vocabulary=V, embedding=1, hidden=1, source_tags=3, target_tags=4, emission_bias=bias
        ),
    )


@gradient_check("layers.parameter_transfer.parameter_transfer_backward")
def transfer_of_parameters() -> None:
    rng = np.random.default_rng(35)
    matched = np.array([0, 2]), np.array([3, 1])
    for bias in (False, True):
        weights, d = crf_weights(rng, bias), rng.normal()

        def function(*values, names=tuple(weights), d=d):
            weights = dict(zip(names, values, strict=True))
            return d * parameter_transfer.parameter_transfer_forward(weights, matched)

        def backward(gradients, *, weights=weights, d=d):
            parameter_transfer.parameter_transfer_backward(gradients, d, weights, matched)

        added = added_to(backward, weights, rng)
        for name, gradient in added.items():
            assert name.startswith(("source_crf", "target_crf")) or not gradient.any()
        check_gradient(function, list(added.values()), list(weights.values()), names=list(weights))


@gradient_check("layers.parameter_transfer.regulariser_backward")
def regulariser() -> None:
    rng = np.random.default_rng(36)
    weights, d = crf_weights(rng, bias=True), rng.normal()
    gradients = weights.zeros_like()
    before = rng.normal(size=gradients.flat.size)
    gradients.flat[:] = before
    parameter_transfer.regulariser_backward(gradients, d, weights)

    def function(flat):
        moved = weights.zeros_like()
        moved.flat[:] = flat
        return d * parameter_transfer.regulariser_forward(moved)

    check_gradient(function, [gradients.flat - before], [weights.flat])


@gradient_check("layers.projection.projection_backward")
def map_or_mask_before_a_shared_crf() -> None:
    rng = np.random.default_rng(38)
    for N in LENGTHS:
        hidden, dP = rng.normal(size=(N, 2 * H)), rng.normal(size=(N, 2 * H))
        T, found = rng.normal(size=(2 * H, 2 * H)), []

        def backward(dT, *, found=found, dP=dP, hidden=hidden, T=T):
            found.append(projection.projection_backward(dT, dP, hidden, T))

        check_gradient(
            lambda T, hidden, dP=dP: np.vdot(dP, projection.projection_forward(hidden, T)),
            [*what_is_added(backward, [T], rng), *found],
            at=(T, hidden),
            names=("T", "hidden"),
        )
        for fixed in (projection.domain_mask("source", H, 0.5), None):
            check_gradient(
                lambda hidden, dP=dP, fixed=fixed: np.vdot(
                    dP, projection.projection_forward(hidden, fixed)
                ),
                [projection.projection_backward(None, dP, hidden, fixed)],
                at=[hidden],
            )


@gradient_check("layers.divergence.divergence_backward")
def divergence_by_the_scores_of_the_target() -> None:
    rng = np.random.default_rng(39)
    for lengths in BATCHES:
        packing, E_s, A_s, _ = random_chains(rng, lengths, M_TAGS)
        _, E_t, A_t, _ = random_chains(rng, lengths, M_TAGS)
        source, offsets, d = (E_s, A_s), packing.offsets, rng.normal()
        _, cache = divergence.divergence_forward(*source, E_t, A_t, offsets)

        def function(E_t, A_t, *, source=source, offsets=offsets, d=d):
            return d * divergence.divergence_forward(*source, E_t, A_t, offsets)[0]

        def backward(dE_t, dA_t, *, cache=cache, d=d):
            divergence.divergence_backward(dE_t, dA_t, d, cache)

        check_gradient(
            function, what_is_added(backward, (E_t, A_t), rng), at=(E_t, A_t), names=("E_t", "A_t")
        )


@gradient_check("layers.divergence.divergence_source_backward")
def divergence_by_the_scores_of_the_source() -> None:
    rng = np.random.default_rng(40)
    for lengths in BATCHES:
        packing, E_s, A_s, _ = random_chains(rng, lengths, M_TAGS)
        _, E_t, A_t, _ = random_chains(rng, lengths, M_TAGS)
        target, offsets, d = (E_t, A_t), packing.offsets, rng.normal()
        _, cache = divergence.divergence_forward(E_s, A_s, *target, offsets)

        def function(E_s, A_s, *, target=target, offsets=offsets, d=d):
            return d * divergence.divergence_forward(E_s, A_s, *target, offsets)[0]

        def backward(dE_s, dA_s, *, cache=cache, d=d):
            divergence.divergence_source_backward(dE_s, dA_s, d, cache)

        check_gradient(
            function, what_is_added(backward, (E_s, A_s), rng), at=(E_s, A_s), names=("E_s", "A_s")
        )
