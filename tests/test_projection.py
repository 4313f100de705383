"""Laws of the maps and masks before a shared CRF, and equality with the readable twin."""

from __future__ import annotations

import numpy as np
import pytest
from objectives import objective_of
from shapes_at_random import random_network, random_sentences

from ladtl_np.layers import projection
from ladtl_np.objective import loss_and_gradients
from ladtl_np.objective.batching import domain_batch
from ladtl_np.reference import projection as reference
from ladtl_np.reference.objective import ObjectiveWeights, objective_forward_backward


@pytest.mark.parametrize("units", [1, 2, 5, 100])
@pytest.mark.parametrize("shared", [0.0, 1 / 3, 0.5, 1.0])
def test_masks_cut_every_direction_into_three_blocks(units, shared) -> None:
    source, target = (
        projection.domain_mask(domain, units, shared) for domain in ("source", "target")
    )
    for mask, domain in ((source, "source"), (target, "target")):
        np.testing.assert_array_equal(mask, reference.domain_mask(domain, units, shared))
        np.testing.assert_array_equal(mask[:units], mask[units:])
    assert ((source + target) >= 1).all()  # no unit is lost
    assert (source * target).sum() == 2 * round(shared * units)
    assert 0 <= target.sum() - source.sum() <= 2


def test_a_map_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="columns"):
        projection.projection_forward(np.zeros((3, 4)), np.eye(6))


def test_without_a_projection_the_hidden_states_pass_through() -> None:
    hidden = np.ones((2, 4))
    assert projection.projection_forward(hidden, None) is hidden
    assert projection.projection_backward(None, hidden, hidden, None) is hidden


def test_folding_into_the_emission_weights_gives_the_same_scores() -> None:
    rng = np.random.default_rng(0)
    hidden, W, T = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=(4, 4))
    for each in (T, projection.domain_mask("target", 2, 0.5), None):
        scores = projection.projection_forward(hidden, each) @ W
        np.testing.assert_allclose(hidden @ projection.fold(each, W), scores, rtol=1e-12)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", ["none", "linear", "mask"])
def test_a_shared_crf_equals_the_readable_twin(kind, bias) -> None:
    rng = np.random.default_rng(1)
    sizes = {"target_tags": 3, "shared_crf": True, "projection": kind, "shared_fraction": 1 / 3}
    network = random_network(rng, bias=bias, **sizes)
    source, target = (
        [s._replace(weight=float(rng.random())) for s in random_sentences(rng, lengths, 6, 3)]
        for lengths in ((4, 1, 3), (2, 5))
    )
    same = np.arange(3), np.arange(3)
    objective = objective_of(matched=same, source_share=0.4, w_mmd=0.0, w_param=0.3, w_reg=0.1)
    terms, gradients = loss_and_gradients(network, domain_batch([source, target]), objective)
    masks = tuple(reference.domain_mask(domain, 2, 1 / 3) for domain in ("source", "target"))
    expected, expected_gradients = objective_forward_backward(
        network.named(),
        [sentence[:3] for sentence in source],
        [sentence[:3] for sentence in target],
        weights=ObjectiveWeights(0.4, 0.0, 0.3, 0.1),
        pairs=same,
        variances=(1.0,),
        domain_masks=masks if kind == "mask" else None,
    )
    expected["mmd"] = 0.0  # a term with weight 0 is not computed
    assert terms._asdict() == pytest.approx(expected, rel=1e-10, abs=1e-12)
    assert ("source_projection.T" in gradients) == (kind == "linear")
    for name, gradient in expected_gradients.items():
        np.testing.assert_allclose(gradients[name], gradient, rtol=1e-10, atol=1e-12, err_msg=name)
