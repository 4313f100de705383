"""Laws and hazards of the whole objective."""

from __future__ import annotations

import numpy as np
import pytest
from gradient_check import check_direction
from gradient_checks_reference import random_parameters, random_sentences

from ladtl_np.reference.objective import ObjectiveWeights, objective_forward_backward

WEIGHTS = ObjectiveWeights(source_share=0.3, w_mmd=0.5, w_param=0.2, w_reg=0.1)
SETTINGS = {"pairs": (np.array([0, 2]), np.array([1, 3])), "variances": (0.5, 2.0)}


def batch(seed: int = 0):
    rng = np.random.default_rng(seed)
    parameters = random_parameters(rng)
    return parameters, random_sentences(rng, (3, 1), 5, 3), random_sentences(rng, (2, 4, 1), 5, 4)


def run(parameters, source, target, weights=WEIGHTS, **options):
    return objective_forward_backward(
        parameters, source, target, weights=weights, **{**SETTINGS, **options}
    )


def test_total_is_the_weighted_sum_of_the_terms():
    terms, _ = run(*batch())
    expected = (
        0.3 * terms["source_nll"]
        + 0.7 * terms["target_nll"]
        + 0.5 * terms["mmd"]
        + 0.2 * terms["param"]
        + 0.1 * terms["reg"]
    )
    assert terms["total"] == pytest.approx(expected, rel=1e-15)


def test_gradient_is_linear_in_the_weights():
    parameters, source, target = batch()
    _, whole = run(parameters, source, target)
    only = [
        ObjectiveWeights(1, 0, 0, 0),
        ObjectiveWeights(0, 0, 0, 0),
        *(ObjectiveWeights(0, *row) for row in np.diag([0.5, 0.2, 0.1])),
    ]
    source_nll, target_nll, *rest = (run(parameters, source, target, w)[1] for w in only)
    for name, gradient in whole.items():
        # Weights of zero leave the target's likelihood, which each of the other three then holds.
        parts = 0.3 * source_nll[name] + 0.7 * target_nll[name]
        parts = parts + sum(part[name] - target_nll[name] for part in rest)
        np.testing.assert_allclose(parts, gradient, atol=1e-13)


def test_a_sentence_counts_as_much_as_its_weight_in_value_and_gradient():
    parameters, _, target = batch()
    shares = ObjectiveWeights(0, 0, 0, 0)  # the target's likelihood alone
    each = (0.5, 2.0, 1.25)
    weighted = [(*sentence, w) for sentence, w in zip(target, each, strict=True)]
    terms, gradients = run(parameters, [], weighted, shares)
    single = [run(parameters, [], [sentence], shares) for sentence in target]
    parts = [(w / 3, *found) for w, found in zip(each, single, strict=True)]
    assert terms["total"] == pytest.approx(sum(w * t["total"] for w, t, _ in parts), rel=1e-13)
    for name, gradient in gradients.items():
        expected = sum(w * g[name] for w, _, g in parts)
        np.testing.assert_allclose(gradient, expected, atol=1e-13)


def test_order_of_the_sentences_changes_nothing():
    parameters, source, target = batch()
    terms, gradients = run(parameters, source, target)
    terms_reversed, gradients_reversed = run(parameters, source[::-1], target[::-1])
    assert terms_reversed == pytest.approx(terms, rel=1e-13)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradients_reversed[name], gradient, atol=1e-13)


def test_without_source_sentences_only_the_target_is_learnt():
    parameters, _, target = batch()
    weights = ObjectiveWeights(0, 0.5, 0, 0)
    terms, gradients = run(parameters, [], target, weights)
    assert (terms["source_nll"], terms["mmd"]) == (0, 0)
    assert terms["total"] == terms["target_nll"]
    for name in ("source_crf.W", "source_crf.A", "source_crf.b"):
        assert not gradients[name].any()
    alone = {name: p for name, p in parameters.items() if not name.startswith("source")}
    terms_alone, gradients_alone = run(alone, [], target, weights)
    assert (terms_alone["total"], terms_alone["param"]) == (terms["total"], 0)
    for name, gradient in gradients_alone.items():
        np.testing.assert_array_equal(gradient, gradients[name])


def test_embeddings_are_not_regularised_and_unread_rows_have_no_gradient():
    parameters, source, target = batch()
    parameters["word_embedding"] = np.vstack([parameters["word_embedding"], np.full((1, 3), 9.0)])
    terms, gradients = run(parameters, source, target)
    weights = [p for name, p in parameters.items() if name != "word_embedding"]
    assert terms["reg"] == pytest.approx(sum((p**2).sum() for p in weights))
    assert not gradients["word_embedding"][-1].any()


def test_parameter_transfer_pulls_matched_tags_only():
    parameters, source, target = batch()
    before = run(parameters, source, target, WEIGHTS._replace(w_param=0))[1]
    after = run(parameters, source, target)[1]
    for name, unmatched in (("source_crf", [1]), ("target_crf", [0, 2])):
        for matrix in "WA":
            pull = after[f"{name}.{matrix}"] - before[f"{name}.{matrix}"]
            assert (pull[:, unmatched] == 0).all()
            assert pull.any()
        assert (pull[unmatched] == 0).all()
        pull = after[f"{name}.b"] - before[f"{name}.b"]
        assert (pull[unmatched] == 0).all()
        assert pull.any()


def test_equal_heads_have_no_distance():
    parameters, source, target = batch()
    pairs = np.array([0, 1, 2]), np.array([2, 0, 3])
    for part in "WAb":
        s, t = parameters[f"source_crf.{part}"], parameters[f"target_crf.{part}"]
        t[np.ix_(pairs[1], pairs[1]) if part == "A" else (..., pairs[1])] = s
    assert run(parameters, source, target, pairs=pairs)[0]["param"] == 0
    parameters["target_crf.b"][2] += 0.5
    assert run(parameters, source, target, pairs=pairs)[0]["param"] == pytest.approx(0.25)


def test_mask_of_ones_is_no_dropout_and_mask_of_zeros_hides_the_words():
    parameters, source, target = batch()
    plain = run(parameters, source, target)
    ones, zeros = (
        {
            f"{half}_masks": [np.full((len(rows), 3), value) for rows, _ in sentences]
            for half, sentences in (("source", source), ("target", target))
        }
        for value in (1.0, 0.0)
    )
    assert run(parameters, source, target, **ones)[0] == plain[0]
    assert not run(parameters, source, target, **zeros)[1]["word_embedding"].any()


def test_vanilla_mmd_ignores_the_labels():
    parameters, source, target = batch()
    relabelled = [(rows, (tags + 1) % 3) for rows, tags in source]
    values = [
        run(parameters, sentences, target, label_aware=aware)[0]["mmd"]
        for aware in (False, True)
        for sentences in (source, relabelled)
    ]
    assert values[0] == values[1]
    assert values[2] != values[3]


def test_float32_stays_near_float64():
    parameters, source, target = batch()
    single = {name: p.astype(np.float32) for name, p in parameters.items()}
    terms, gradients = run(parameters, source, target)
    terms_single, gradients_single = run(single, source, target)
    assert terms_single == pytest.approx(terms, rel=1e-5)
    for name, gradient in gradients.items():
        assert gradients_single[name].dtype == np.float32
        np.testing.assert_allclose(gradients_single[name], gradient, rtol=1e-4, atol=1e-5)


def test_slope_along_a_random_direction_at_real_size():
    rng = np.random.default_rng(1)
    sizes = {"words": 200, "embedding": 32, "hidden": 24, "source_tags": 9, "target_tags": 13}
    parameters = random_parameters(rng, scale=0.2, **sizes)
    source = random_sentences(rng, (20, 7, 1, 12), 200, 9)
    target = random_sentences(rng, (15, 30, 2), 200, 13)
    options = {"pairs": (np.arange(9), np.arange(9)[::-1] + 2), "variances": (0.1, 1.0, 10.0)}
    _, gradients = run(parameters, source, target, **options)
    names = list(parameters)
    check_direction(
        lambda *values: run(dict(zip(names, values, strict=True)), source, target, **options)[0][
            "total"
        ],
        [gradients[name] for name in names],
        [parameters[name] for name in names],
        rng,
    )
