"""Gradient checks of the encoder and of the whole objective, all coordinates."""

from __future__ import annotations

import numpy as np
from gradient_check import LENGTHS, Array, check_gradient, gradient_check
from objectives import objective_of
from shapes_at_random import random_batch, random_network

from ladtl_np.arrays.workers import Workers
from ladtl_np.model.network import EMBEDDING, TARGET, Network
from ladtl_np.objective import Objective, loss_and_gradients, variances_of
from ladtl_np.objective.batching import Batch
from ladtl_np.objective.encoder import encoder_backward, encoder_forward

CHARACTERS = {"characters": 4, "character_embedding": 2, "character_hidden": 2}
NOTHING = np.empty(0, np.int64), np.empty(0, np.int64)


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


@gradient_check("objective.step.loss_and_gradients")
def whole_objective() -> None:
    rng = np.random.default_rng(37)
    matched = np.array([0, 2, 1]), np.array([1, 3, 0])  # of 3 and 4 tags
    settings = {
        "matched": matched,
        "source_share": 0.4,
        "w_mmd": 0.7,
        "w_param": 0.2,
        "w_reg": 0.05,
        "kernel": (0.1, 1.0, 5.0),
    }
    for bias in (False, True):
        network = random_network(rng, bias=bias)
        for source, target in ((LENGTHS, LENGTHS[::-1]), ((1,), (1,)), ((2, 2), (4, 1, 1))):
            batch = random_batch(rng, network, source, target)
            mask = rng.choice([0.0, 2.0], size=(sum(source) + sum(target), 3), p=[0.3, 0.7])
            mu = np.array([1.0, 0.0, 0.4])
            plain = objective_of(**settings)
            weighted = objective_of(**settings, label_weights=mu)
            vanilla = objective_of(**settings, label_aware=False)
            check_objective(rng, network, batch, plain)
            check_objective(rng, network, batch, weighted, dropout_mask=mask)
            check_objective(rng, network, batch, vanilla, dropout_mask=mask)
        for aware in (True, False):  # the median heuristic's choice is a constant
            median = objective_of(**{**settings, "kernel": "median"}, label_aware=aware)
            batch = random_batch(rng, network, (4, 2), (1, 4))
            variances = variances_of(network, batch, median)
            check_objective(rng, network, batch, median, variances=variances)
        only_target = random_batch(rng, network, (), LENGTHS)
        only_source = random_batch(rng, network, (4, 1), ())
        check_objective(rng, network, only_target, objective_of(**settings))
        check_objective(rng, network, only_source, objective_of(**settings, label_aware=False))
    alone = random_network(rng, source_tags=0)
    batch = random_batch(rng, alone, (), LENGTHS)
    nothing = np.empty(0, np.int64), np.empty(0, np.int64)
    check_objective(rng, alone, batch, objective_of(matched=nothing, source_share=0.0))


@gradient_check("objective.encoder.encoder_backward")
def words_to_hidden_states() -> None:
    for characters in ({}, CHARACTERS):
        check_encoder(np.random.default_rng(40), **characters)


def check_encoder(rng: np.random.Generator, **characters: int) -> None:
    network = random_network(rng, **characters)
    batch = random_batch(rng, network, (2, 1), LENGTHS)
    N, named = batch.words.size, network.named()
    dhidden = rng.normal(size=(N, 2 * network.architecture.hidden))
    for mask in (None, rng.choice([0.0, 2.0], size=(N, network.architecture.word_inputs))):
        gradients = network.weights.zeros_like()
        _, cache = encoder_forward(network, batch, mask, Workers())
        rows, values = encoder_backward(gradients, dhidden, cache, network, Workers())
        table = np.zeros_like(network.embedding)
        table[rows] = values
        found = {EMBEDDING: table, **gradients}

        def function(*values, mask=mask):
            moved = with_values(network, dict(zip(named, values, strict=True)))
            return np.vdot(dhidden, encoder_forward(moved, batch, mask, Workers())[0])

        check_gradient(
            function,
            [found[name] for name in named],
            [array.copy() for array in named.values()],
            names=list(named),
        )


@gradient_check("objective.likelihood.likelihood_step")
def one_crf_for_both_domains() -> None:
    rng = np.random.default_rng(41)
    same = np.arange(3), np.arange(3)
    for projection in ("none", "linear", "mask"):
        for bias in (False, True):
            network = random_network(
                rng,
                target_tags=3,
                bias=bias,
                shared_crf=True,
                projection=projection,
                shared_fraction=0.5,
            )
            for source, target in (((2, 1), LENGTHS), ((4, 1), ()), ((), (1, 2))):
                batch = random_batch(rng, network, source, target, weighted=True)
                objective = objective_of(matched=same, source_share=0.4, w_mmd=0.0, w_param=0.5)
                check_objective(rng, network, batch, objective)
    network = random_network(rng, target_tags=3, shared_crf=True, projection="linear")
    maps = network.architecture.projections()
    frozen = objective_of(matched=same, frozen=maps)
    _, gradients = loss_and_gradients(network, random_batch(rng, network, (3,), (2,)), frozen)
    assert not any(gradients[name].any() for name in maps)


@gradient_check("objective.mmd.mmd_step")
def squared_mmd_with_a_floor() -> None:
    rng = np.random.default_rng(42)
    network = random_network(rng)
    matched = np.array([0, 2, 1]), np.array([1, 3, 0])
    some, every = ((4, 2), (4, 2, 1)), ((4, 4, 4), (4, 4, 3))
    for lengths, least in ((some, 0), (every, 3)):
        batch = random_batch(rng, network, *lengths)
        values = [
            loss_and_gradients(
                network, batch, objective_of(matched=matched, label_weights=mu, kernel=(1.0,))
            )[0].mmd
            for mu in np.eye(3)
        ]
        # a label that is absent is below any floor, and has no gradient that could be sent back
        assert np.count_nonzero(values) >= least
        floor = float(np.median(values)) * 0.99  # at least one label below it, at least one above
        assert min(values) < floor < max(values)
        options = {"kernel": (1.0,), "w_mmd": 2.0, "mmd_floor": floor}
        check_objective(rng, network, batch, objective_of(matched=matched, **options))


@gradient_check("objective.divergence.divergence_step")
def divergence_by_the_weights_of_the_target() -> None:
    """With a constant source distribution only the target's own weights can be checked."""
    rng = np.random.default_rng(43)
    matched = np.array([0, 2, 1]), np.array([0, 1, 2])
    for bias in (False, True):
        network = random_network(rng, target_tags=3, bias=bias)
        batch = random_batch(rng, network, (4, 2), (2, 1))
        objective = objective_of(matched=matched, w_param=0.7, w_mmd=0.0, parameter_transfer="kl")
        check_target_head(network, batch, objective)
        # with the source's side every parameter can be
        check_objective(rng, network, batch, objective.changed(divergence_gradient="both"))


@gradient_check("objective.step.loss_step")
def characters_in_the_whole_objective() -> None:
    rng = np.random.default_rng(44)
    network = random_network(rng, **CHARACTERS)
    batch = random_batch(rng, network, (2, 1), (3,))
    matched = np.array([0, 2, 1]), np.array([1, 3, 0])
    mask = rng.choice([0.0, 2.0], size=(6, network.architecture.word_inputs))
    objective = objective_of(matched=matched, kernel=(1.0,), w_mmd=0.5, w_param=0.2, w_reg=0.1)
    check_objective(rng, network, batch, objective, dropout_mask=mask)


def check_target_head(network: Network, batch: Batch, objective: Objective) -> None:
    named = network.named()
    names = [name for name in named if name.startswith(TARGET)]

    def function(*values: Array) -> float:
        moved = with_values(network, {**named, **dict(zip(names, values, strict=True))})
        return loss_and_gradients(moved, batch, objective)[0].total

    _, gradients = loss_and_gradients(network, batch, objective)
    check_gradient(
        function,
        [gradients[name] for name in names],
        [named[name].copy() for name in names],
        names=names,
    )
