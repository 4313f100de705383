"""The loss of several sources: gradients, the readable twin, laws, and the same bytes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from gradient_checks_objective import check_objective
from shapes_at_random import random_domains, random_network

from ladtl_np.arrays import team
from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.layers.projection import domain_mask
from ladtl_np.model.network import Network, source_head, source_number
from ladtl_np.objective import Objective, loss_and_gradients, loss_step, variances_of
from ladtl_np.objective.batching import Batch, EncodedSentence, domain_batch
from ladtl_np.reference.objective import ObjectiveWeights
from ladtl_np.reference.projection import domain_mask as reference_mask
from ladtl_np.reference.sources import SourceSide, sources_forward_backward
from ladtl_np.shapes import Floats

SHARES = (0.5, 0.3, 0.2)
LENGTHS = ((2, 1), (3,), (1, 2), (2, 4))  # of three sources and the target
MATCHED = (
    (np.array([0, 2, 1]), np.array([1, 3, 0])),
    (np.array([1, 0]), np.array([3, 2])),
    (np.array([0, 4, 2]), np.array([0, 1, 2])),
)
WEIGHTS = {"source_share": 0.4, "w_mmd": 0.7, "w_param": 0.2, "w_reg": 0.05}
KERNEL = [0.1, 1.0, 5.0]


def apart(rng: np.random.Generator, **changes: Any) -> Network:
    """Three sources of 3, 2 and 5 tags and a target of 4."""
    return random_network(rng, **{"more_source_tags": (2, 5)} | changes)


def alike(rng: np.random.Generator, **changes: Any) -> Network:
    """Three sources and a target of 3 tags each."""
    return random_network(rng, target_tags=3, more_source_tags=(3, 3), **changes)


def separate() -> Objective:
    return Objective.la_dtl(*MATCHED, shares=SHARES, kernel=KERNEL, **WEIGHTS)


def of_shared(**changes: Any) -> Objective:
    same = np.arange(3), np.arange(3)
    return Objective.la_dtl(same, same, same, shares=SHARES, kernel=KERNEL, **WEIGHTS | changes)


@pytest.mark.parametrize("bias", [False, True])
def test_the_gradient_of_three_sources_with_a_crf_each(bias: bool) -> None:
    rng = np.random.default_rng(70)
    network = apart(rng, bias=bias)
    batch = random_domains(rng, network, LENGTHS, weighted=True)
    mask = rng.choice([0.0, 2.0], size=(batch.words.size, 3), p=[0.3, 0.7])
    weighted = separate().tied(1, label_weights=np.array([0.0, 0.6]))
    check_objective(rng, network, batch, weighted, dropout_mask=mask)
    check_objective(rng, network, batch, replace(separate(), label_aware=False))
    median = separate().changed(kernel="median")
    variances = variances_of(network, batch, median)
    check_objective(rng, network, batch, median, variances=variances)


@pytest.mark.parametrize("projection", ["none", "linear", "mask"])
def test_the_gradient_of_three_sources_with_one_crf(projection: str) -> None:
    rng = np.random.default_rng(71)
    network = alike(rng, hidden=4, shared_crf=True, projection=projection, shared_fraction=0.25)
    batch = random_domains(rng, network, LENGTHS, weighted=True)
    check_objective(rng, network, batch, of_shared(w_mmd=0.0))


def test_the_gradient_of_the_divergence_from_three_sources() -> None:
    rng = np.random.default_rng(72)
    network = alike(rng, bias=True)
    batch = random_domains(rng, network, LENGTHS)
    both = of_shared(parameter_transfer="kl", divergence_gradient="both")
    turned = both.tied(1, matched=(np.array([2, 0, 1]), np.array([0, 1, 2])))
    check_objective(rng, network, batch, turned)
    terms, _ = loss_and_gradients(network, batch, turned)
    *sources, target = sentences_of(batch)
    together = domain_batch([[sentence for part in sources for sentence in part], target])
    parts = [
        loss_and_gradients(network.pair(k), together, turned.alone(k))[0].param for k in range(3)
    ]
    assert terms.param == pytest.approx(np.dot(SHARES, parts), rel=1e-12)


def sentences_of(batch: Batch) -> list[list[EncodedSentence]]:
    """The sentences of each half again, the longest first."""
    found = []
    for half in batch.halves:
        rows: list[list[int]] = [[] for _ in range(half.sentences)]
        for start, end in pairwise(half.offsets.tolist()):
            for place, row in enumerate(range(start, end)):
                rows[place].append(row)
        found.append(
            [
                EncodedSentence(batch.words[half.rows[own]], half.tags[own], float(weight))
                for own, weight in zip(map(np.array, rows), half.weights, strict=True)
            ]
        )
    return found


def pair_of(batch: Batch, number: int) -> Batch:
    """One source's sentences and the target's."""
    *sources, target = sentences_of(batch)
    return domain_batch([sources[number], target])


def test_the_loss_equals_the_readable_twin_term_by_term() -> None:
    rng = np.random.default_rng(73)
    for network, objective, aware in (
        (apart(rng, bias=True), separate().tied(2, label_weights=np.array([1.0, 0.0, 0.4])), True),
        (apart(rng), replace(separate(), label_aware=False), False),
        (alike(rng, shared_crf=True, projection="linear"), of_shared(w_param=0.0), True),
        (alike(rng, hidden=5, shared_crf=True, projection="mask"), of_shared(w_param=0.0), True),
    ):
        batch, sides, target = drawn(rng, network, objective)
        terms, gradients = loss_and_gradients(network, batch, objective)
        options = objective.options
        expected, wanted = sources_forward_backward(
            network.named(),
            sides,
            target,
            weights=ObjectiveWeights(
                options.source_share, options.w_mmd, options.w_param, options.w_reg
            ),
            variances=KERNEL,
            label_aware=aware,
        )
        if not options.w_param:
            expected["param"] = 0.0
        assert terms._asdict() == pytest.approx(expected, rel=1e-10, abs=1e-12)
        for name, gradient in wanted.items():
            np.testing.assert_allclose(
                gradients[name], gradient, rtol=1e-10, atol=1e-12, err_msg=name
            )


def drawn(
    rng: np.random.Generator, network: Network, objective: Objective
) -> tuple[Batch, list[SourceSide], list[Any]]:
    """A batch, and the same sentences as the twin takes them."""
    batch = random_domains(rng, network, LENGTHS, weighted=True)
    *sources, target = ([sentence[:3] for sentence in half] for half in sentences_of(batch))
    sides = [
        SourceSide(half, tie.matched, tie.share, tie.label_weights, None, masks(network, number))
        for number, (half, tie) in enumerate(zip(sources, objective.ties, strict=True))
    ]
    return batch, sides, target


def masks(network: Network, number: int) -> tuple[Floats, Floats] | None:
    sizes = network.architecture
    if sizes.projection != "mask":
        return None
    given = sizes.hidden, sizes.shared_fraction
    own = reference_mask("source", *given, number=number, sources=3)
    return own, reference_mask("target", *given, sources=3)


def test_a_source_that_has_every_share_is_the_only_one() -> None:
    """Every term is then what it is without the others, but for the regulariser."""
    rng = np.random.default_rng(74)
    network = apart(rng)
    batch = random_domains(rng, network, LENGTHS)
    for number in range(3):
        shares = [float(k == number) for k in range(3)]
        objective = Objective.la_dtl(*MATCHED, shares=shares, kernel=KERNEL, **WEIGHTS)
        found, gradients = loss_and_gradients(network, batch, objective.changed(w_reg=0.0))
        alone = objective.alone(number).changed(w_reg=0.0)
        wanted, others = loss_and_gradients(network.pair(number), pair_of(batch, number), alone)
        assert found == pytest.approx(wanted, rel=1e-12)
        own, kept = source_head(number), "source_crf"
        for name, gradient in others.items():
            there = name.replace(kept, own)
            np.testing.assert_allclose(gradients[there], gradient, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_bytes_of_several_sources_do_not_depend_on_the_number_of_threads(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team, "allowed", lambda: 8)
    rng = np.random.default_rng(75)
    for network, objective in (
        (apart(rng), separate()),
        (alike(rng, shared_crf=True, projection="linear"), of_shared()),
        (alike(rng), of_shared(parameter_transfer="kl", divergence_gradient="both")),
    ):
        narrow = network.astype(np.float32)
        batch = random_domains(rng, narrow, [[n * 4 for n in each] * 9 for each in LENGTHS])
        found = []
        for count in (1, threads):
            with single_threaded_blas():
                terms, gradients = loss_step(narrow, batch, objective, None, None, Workers(count))
            found.append(
                (terms, gradients.weights.flat.tobytes(), gradients.embedding[1].tobytes())
            )
        assert found[0] == found[1]


@pytest.mark.parametrize("sources", [1, 2, 3])
def test_masks_of_several_sources_part_the_units(sources: int) -> None:
    for units, shared in ((7, 1 / 3), (12, 0.25), (3, 0.0), (5, 1.0)):
        given = units, shared
        own = [
            domain_mask("source", *given, number=number, sources=sources)
            for number in range(sources)
        ]
        every = [*own, domain_mask("target", *given, sources=sources)]
        for number, mask in enumerate(own):
            twin = reference_mask("source", *given, number=number, sources=sources)
            np.testing.assert_array_equal(mask, twin)
        np.testing.assert_array_equal(every[-1], reference_mask("target", *given, sources=sources))
        seen = np.sum(every, axis=0)
        assert set(seen.tolist()) <= {1.0, sources + 1.0}
        assert (seen == sources + 1).sum() == 2 * round(shared * units)


def test_heads_have_the_names_of_their_domains() -> None:
    names = [source_head(number) for number in range(11)]
    assert names[:3] == ["source_crf", "source2_crf", "source3_crf"]
    assert list(map(source_number, [*names, "target_crf"])) == [*range(11), None]


def test_sources_without_tags_or_of_other_sizes_than_a_shared_crf_are_refused() -> None:
    rng = np.random.default_rng(76)
    with pytest.raises(ValueError, match=r"every one of several sources needs tags.* \[2, 0\]"):
        apart(rng, more_source_tags=(2, 0))
    with pytest.raises(ValueError, match="every one of several sources needs tags"):
        apart(rng, source_tags=0)
    with pytest.raises(ValueError, match="as many source tags as target tags, got 4 and 3"):
        alike(rng, shared_crf=True).architecture.__class__(
            **{**structure(alike(rng, shared_crf=True)), "more_source_tags": (3, 4)}
        )


def structure(network: Network) -> dict[str, Any]:
    sizes = network.architecture
    return {name: getattr(sizes, name) for name in sizes.__struct_fields__}
