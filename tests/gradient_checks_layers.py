"""Gradient checks of ladtl_np.layers and of the whole objective, all coordinates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from gradient_check import LENGTHS, Array, check_gradient, gradient_check
from gradient_checks_kernels import what_is_added
from shapes_at_random import (
    packed_rows,
    random_batch,
    random_chains,
    random_network,
    random_weights,
)

from ladtl_np.layers import bilstm, crf, embedding, linear, mmd, parameter_transfer
from ladtl_np.network import EMBEDDING, Architecture, Network
from ladtl_np.objective import Objective, loss_and_gradients, variances_of
from ladtl_np.parameters import Parameters
from ladtl_np.workers import Workers

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
        Architecture(
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


def with_values(network: Network, values: dict[str, Array]) -> Network:
    weights = network.weights.zeros_like()
    for name, view in weights.items():
        view[...] = values[name]
    return Network(network.architecture, values[EMBEDDING], weights)


def check_objective(rng: np.random.Generator, network: Network, batch, objective, **options):
    named = network.named()

    def function(*values):
        moved = with_values(network, dict(zip(named, values, strict=True)))
        return loss_and_gradients(moved, batch, objective, **options)[0].total

    _, gradients = loss_and_gradients(network, batch, objective, **options)
    assert gradients.keys() == named.keys()
    check_gradient(
        function,
        [gradients[name] for name in named],
        [array.copy() for array in named.values()],
        names=list(named),
    )


@gradient_check("objective.loss_and_gradients")
def whole_objective() -> None:
    rng = np.random.default_rng(37)
    matched = np.array([0, 2, 1]), np.array([1, 3, 0])  # of 3 and 4 tags
    settings = {
        "matched": matched,
        "source_share": 0.4,
        "w_mmd": 0.7,
        "w_param": 0.2,
        "w_reg": 0.05,
        "variances": (0.1, 1.0, 5.0),
    }
    for bias in (False, True):
        network = random_network(rng, bias=bias)
        for source, target in ((LENGTHS, LENGTHS[::-1]), ((1,), (1,)), ((2, 2), (4, 1, 1))):
            batch = random_batch(rng, network, source, target)
            mask = rng.choice([0.0, 2.0], size=(sum(source) + sum(target), 3), p=[0.3, 0.7])
            mu = np.array([1.0, 0.0, 0.4])
            plain = Objective(**settings)
            weighted = Objective(**settings, label_weights=mu)
            vanilla = Objective(**settings, label_aware=False)
            check_objective(rng, network, batch, plain)
            check_objective(rng, network, batch, weighted, dropout_mask=mask)
            check_objective(rng, network, batch, vanilla, dropout_mask=mask)
        for aware in (True, False):  # the median heuristic's choice is a constant
            median = Objective(**{**settings, "variances": None}, label_aware=aware)
            batch = random_batch(rng, network, (4, 2), (1, 4))
            variances = variances_of(network, batch, median)
            check_objective(rng, network, batch, median, variances=variances)
        only_target = random_batch(rng, network, (), LENGTHS)
        only_source = random_batch(rng, network, (4, 1), ())
        check_objective(rng, network, only_target, Objective(**settings))
        check_objective(rng, network, only_source, Objective(**settings, label_aware=False))
    alone = random_network(rng, source_tags=0)
    batch = random_batch(rng, alone, (), LENGTHS)
    nothing = np.empty(0, np.int64), np.empty(0, np.int64)
    check_objective(rng, alone, batch, Objective(matched=nothing, source_share=0.0))
