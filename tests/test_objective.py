"""Laws of the whole objective: its twin, its terms, its gradients at real size, its threads."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from gradient_check import check_direction
from gradient_checks_objective import with_values
from objectives import objective_of
from shapes_at_random import random_batch, random_network, random_sentences, workload

from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.model.network import EMBEDDING
from ladtl_np.objective import loss_and_gradients, loss_step, variances_of
from ladtl_np.objective.batching import EncodedSentence, domain_batch
from ladtl_np.reference.objective import ObjectiveWeights, objective_forward_backward

VARIANCES = (0.1, 1.0, 10.0)
MATCHED = np.array([0, 2, 1]), np.array([1, 3, 0])
SETTINGS = {
    "matched": MATCHED,
    "source_share": 0.4,
    "w_mmd": 0.5,
    "w_param": 0.2,
    "w_reg": 0.1,
    "kernel": VARIANCES,
}
SPLITS = {
    "one token each": ((1,), (1,)),
    "interleaved lengths": ((4, 1, 6, 3), (5, 2, 3, 3, 1)),
    "long source": ((9, 8, 7), (1, 1)),
    "equal lengths": ((3, 3, 3), (3, 3)),
    "no source": ((), (4, 2)),
    "no target": ((5, 1), ()),
}


def case(split="interleaved lengths", seed=0, **sizes):
    rng = np.random.default_rng(seed)
    network = random_network(rng, words=9, embedding=4, hidden=3, **sizes)
    sizes = network.architecture
    halves = [
        random_sentences(rng, lengths, 9, tags)
        for lengths, tags in zip(SPLITS[split], (sizes.source_tags, sizes.target_tags), strict=True)
    ]
    return network, *halves


def packed_mask(source, target, masks):
    """Masks of the sentences in the packed order of their batch."""
    numbered = np.arange(sum(s.words.size for s in (*source, *target)))
    parts = np.split(numbered, np.cumsum([s.words.size for s in (*source, *target)])[:-1])
    halves = parts[: len(source)], parts[len(source) :]
    tagged = [[EncodedSentence(numbers, numbers) for numbers in half] for half in halves]
    return np.concatenate(masks)[domain_batch(tagged).words]


@pytest.fixture(autouse=True)
def one_blas_thread():
    """As in training; it also keeps these tests from waiting for busy cores."""
    with single_threaded_blas():
        yield


# ---- the twin ------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("label_aware", [True, False])
@pytest.mark.parametrize("split", SPLITS)
def test_equals_the_readable_twin(split, label_aware, bias):
    network, source, target = case(split, bias=bias)
    rng = np.random.default_rng(1)
    masks = [rng.choice([0.0, 2.0], size=(s.words.size, 4)) for s in (*source, *target)]
    mu = np.array([1.0, 0.0, 0.3])
    objective = objective_of(**SETTINGS, label_aware=label_aware, label_weights=mu)
    terms, gradients = loss_and_gradients(
        network,
        domain_batch([source, target]),
        objective,
        dropout_mask=packed_mask(source, target, masks),
    )
    expected, expected_gradients = objective_forward_backward(
        network.named(),
        [sentence[:3] for sentence in source],
        [sentence[:3] for sentence in target],
        weights=ObjectiveWeights(0.4, 0.5, 0.2, 0.1),
        pairs=MATCHED,
        variances=VARIANCES,
        label_weights=mu,
        label_aware=label_aware,
        source_masks=masks[: len(source)],
        target_masks=masks[len(source) :],
    )
    assert terms._asdict() == pytest.approx(expected, rel=1e-10, abs=1e-12)
    assert gradients.keys() == expected_gradients.keys()
    for name, gradient in expected_gradients.items():
        np.testing.assert_allclose(gradients[name], gradient, rtol=1e-10, atol=1e-12, err_msg=name)


# ---- laws ----------------------------------------------------------------------------------------


def test_total_is_the_weighted_sum_of_the_terms():
    network, source, target = case()
    terms, _ = loss_and_gradients(network, domain_batch([source, target]), objective_of(**SETTINGS))
    expected = (
        0.4 * terms.source_nll
        + 0.6 * terms.target_nll
        + 0.5 * terms.mmd
        + 0.2 * terms.param
        + 0.1 * terms.reg
    )
    assert terms.total == pytest.approx(expected, rel=1e-14)


def test_gradient_is_linear_in_the_weights_of_the_terms():
    network, source, target = case()
    batch = domain_batch([source, target])

    def gradients(share, w_mmd, w_param, w_reg):
        weights = dict(source_share=share, w_mmd=w_mmd, w_param=w_param, w_reg=w_reg)
        return loss_and_gradients(network, batch, objective_of(**{**SETTINGS, **weights}))[1]

    whole, halves, only_target = (
        gradients(0.4, 0.5, 0.2, 0.1),
        gradients(0.5, 0, 0, 0),
        gradients(0, 0, 0, 0),
    )
    terms = [gradients(0, *row) for row in np.diag([0.5, 0.2, 0.1])]
    for name, gradient in whole.items():
        parts = 0.8 * halves[name] + 0.2 * only_target[name]
        parts = parts + sum(term[name] - only_target[name] for term in terms)
        np.testing.assert_allclose(parts, gradient, atol=1e-12, err_msg=name)


def test_term_of_weight_zero_changes_no_byte():
    network, source, target = case()
    batch = domain_batch([source, target])
    off = {**SETTINGS, "w_mmd": 0.0, "w_param": 0.0}
    terms, gradients = loss_and_gradients(network, batch, objective_of(**off))
    assert (terms.mmd, terms.param) == (0, 0)
    other = {**off, "kernel": (3.0,), "matched": (np.array([0]), np.array([0]))}
    terms_other, gradients_other = loss_and_gradients(network, batch, objective_of(**other))
    assert terms == terms_other
    for name, gradient in gradients.items():
        assert gradient.tobytes() == gradients_other[name].tobytes()


def test_order_of_the_sentences_changes_only_rounding():
    network, source, target = case()
    terms, gradients = loss_and_gradients(
        network, domain_batch([source, target]), objective_of(**SETTINGS)
    )
    turned = domain_batch([source[::-1], target[::-1]])
    terms_turned, gradients_turned = loss_and_gradients(network, turned, objective_of(**SETTINGS))
    assert terms_turned == pytest.approx(terms, rel=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradients_turned[name], gradient, atol=1e-12, err_msg=name)


def test_swapping_the_domains_swaps_the_heads():
    network, source, target = case(source_tags=4, target_tags=4)
    terms, gradients = loss_and_gradients(
        network, domain_batch([source, target]), objective_of(**SETTINGS)
    )
    swap = {"source_crf": "target_crf", "target_crf": "source_crf"}

    def swapped(name):
        head, dot, part = name.partition(".")
        return swap.get(head, head) + dot + part

    other = with_values(network, {swapped(name): a for name, a in network.named().items()})
    settings = {**SETTINGS, "matched": MATCHED[::-1], "source_share": 0.6}
    terms_swapped, gradients_swapped = loss_and_gradients(
        other, domain_batch([target, source]), objective_of(**settings)
    )
    assert terms_swapped.total == pytest.approx(terms.total, rel=1e-13)
    assert terms_swapped.source_nll == pytest.approx(terms.target_nll, rel=1e-13)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(
            gradients_swapped[swapped(name)], gradient, atol=1e-12, err_msg=name
        )


def test_label_absent_from_one_half_contributes_exactly_nothing():
    network, source, target = case()
    absent = [s._replace(tags=np.where(s.tags == 1, 3, s.tags)) for s in target]  # pair 0 of 3
    batch = domain_batch([source, absent])
    two = MATCHED[0][1:], MATCHED[1][1:]
    settings = {**SETTINGS, "w_param": 0.0}
    results = [
        loss_and_gradients(network, batch, objective_of(**{**settings, "matched": matched}))
        for matched in (MATCHED, two)
    ]
    assert results[0][0] == results[1][0]
    for name, gradient in results[0][1].items():
        assert gradient.tobytes() == results[1][1][name].tobytes()


def test_label_of_weight_zero_contributes_exactly_nothing():
    network, source, target = case()
    batch = domain_batch([source, target])
    settings = {**SETTINGS, "w_param": 0.0}
    weighted = objective_of(**settings, label_weights=np.array([0.0, 1.0, 1.0]))
    two = objective_of(**{**settings, "matched": (MATCHED[0][1:], MATCHED[1][1:])})
    assert len(variances_of(network, batch, weighted)) == 2  # not even computed
    results = [loss_and_gradients(network, batch, objective) for objective in (weighted, two)]
    assert results[0][0] == results[1][0]
    for name, gradient in results[0][1].items():
        assert gradient.tobytes() == results[1][1][name].tobytes()


def test_vanilla_mmd_ignores_the_labels_and_label_aware_does_not():
    network, source, target = case()
    relabelled = [s._replace(tags=(s.tags + 1) % 3) for s in source]
    values = [
        loss_and_gradients(
            network, domain_batch([half, target]), objective_of(**SETTINGS, label_aware=aware)
        )[0].mmd
        for aware in (False, True)
        for half in (source, relabelled)
    ]
    assert values[0] == values[1]
    assert values[2] != values[3]


def test_empty_source_half_trains_the_target_alone():
    network, source, target = case("no source")
    settings = {**SETTINGS, "source_share": 0.0, "w_param": 0.0, "w_reg": 0.0}
    for aware in (True, False):
        terms, gradients = loss_and_gradients(
            network, domain_batch([source, target]), objective_of(**settings, label_aware=aware)
        )
        assert (terms.source_nll, terms.mmd) == (0, 0)
        assert terms.total == terms.target_nll
        assert not gradients["source_crf.W"].any()
        assert not gradients["source_crf.A"].any()
        assert gradients["target_crf.W"].any()


def test_model_without_a_source_head_has_the_same_target_gradients():
    network, source, target = case("no source")
    alone, _, _ = case("no source", source_tags=0)
    alone = with_values(alone, network.named())
    settings = {**SETTINGS, "w_reg": 0.0, "w_param": 0.0}
    batch = domain_batch([source, target])
    terms, gradients = loss_and_gradients(network, batch, objective_of(**settings))
    terms_alone, gradients_alone = loss_and_gradients(
        alone, batch, objective_of(**{**settings, "w_param": 0.2})
    )
    assert terms_alone == terms
    assert not any(name.startswith("source") for name in gradients_alone)
    for name, gradient in gradients_alone.items():
        np.testing.assert_array_equal(gradient, gradients[name], err_msg=name)


def test_words_that_the_batch_does_not_hold_have_no_gradient_and_embeddings_no_regulariser():
    network, source, target = case()
    source = [s._replace(words=s.words % 5) for s in source]
    target = [s._replace(words=s.words % 5) for s in target]
    batch = domain_batch([source, target])
    terms, gradients = loss_and_gradients(network, batch, objective_of(**SETTINGS))
    assert not gradients[EMBEDDING][5:].any()
    assert terms.reg == pytest.approx(np.square(network.weights.flat).sum(), rel=1e-13)
    _, by_row = loss_step(network, batch, objective_of(**SETTINGS), None, None, Workers())
    assert set(by_row.embedding.rows) == set(batch.words)
    np.testing.assert_array_equal(gradients[EMBEDDING][by_row.embedding.rows], by_row[1].values)


def test_mask_of_ones_is_no_dropout_and_mask_of_zeros_hides_the_words():
    network, source, target = case()
    batch = domain_batch([source, target])
    plain, ones, zeros = (
        loss_and_gradients(network, batch, objective_of(**SETTINGS), dropout_mask=mask)
        for mask in (None, np.ones((batch.words.size, 4)), np.zeros((batch.words.size, 4)))
    )
    assert plain[0] == ones[0]
    assert not zeros[1][EMBEDDING].any()


def test_median_variances_are_what_variances_of_reports_for_each_pair():
    network, source, target = case()
    batch = domain_batch([source, target])
    median = objective_of(**{**SETTINGS, "kernel": "median"})
    variances = variances_of(network, batch, median)
    assert len(variances) == 3
    assert len(set(variances)) == 3  # each pair of samples has its own
    by_itself = loss_and_gradients(network, batch, median)
    given = loss_and_gradients(network, batch, median, variances=variances)
    assert by_itself[0] == given[0]
    for name, gradient in by_itself[1].items():
        np.testing.assert_array_equal(gradient, given[1][name])
    fixed = variances_of(network, batch, objective_of(**SETTINGS))
    assert fixed == [VARIANCES] * 3


def test_the_call_changes_neither_model_nor_batch_and_repeats_to_the_byte():
    network, source, target = case()
    batch = domain_batch([source, target])
    before = {name: array.copy() for name, array in network.named().items()}
    first, second = (loss_and_gradients(network, batch, objective_of(**SETTINGS)) for _ in range(2))
    assert first[0] == second[0]
    for name, array in network.named().items():
        assert array.tobytes() == before[name].tobytes()
        assert first[1][name].tobytes() == second[1][name].tobytes()


# ---- real sizes ----------------------------------------------------------------------------------

WORKLOADS = {
    "weibo": {"D": 100, "H": 100, "m": 7, "words": 5017, "sentences": 15, "mean_length": 54},
    "medical": {"D": 128, "H": 200, "m": 121, "words": 5000, "sentences": 32, "mean_length": 40},
}
compiled_only = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT), reason="real sizes take minutes without compilation"
)


def real_objective(name, variances=(0.3, 3.0, 30.0)):
    tags = np.arange(WORKLOADS[name]["m"])
    return objective_of(
        matched=(tags, tags[::-1].copy()), w_mmd=2.0, w_param=0.03, kernel=variances
    )


@compiled_only
@pytest.mark.parametrize(
    "variances", [(0.3, 3.0, 30.0), REFERENCE_VARIANCES], ids=["three kernels", "nineteen kernels"]
)
@pytest.mark.parametrize("name", WORKLOADS)
def test_slope_along_a_random_direction_at_real_size(name, variances):
    rng = np.random.default_rng(3)
    network, batch, mask = workload(rng, **WORKLOADS[name])
    objective, named = real_objective(name, variances), network.named()
    _, gradients = loss_and_gradients(network, batch, objective, dropout_mask=mask)

    def function(*values):
        moved = with_values(network, dict(zip(named, values, strict=True)))
        return loss_and_gradients(moved, batch, objective, dropout_mask=mask)[0].total

    check_direction(
        function,
        [gradients[key] for key in named],
        [array.copy() for array in named.values()],
        rng,
    )


@compiled_only
def test_float32_stays_within_a_ten_thousandth_of_float64_at_real_size():
    rng = np.random.default_rng(4)
    network, batch, mask = workload(rng, **WORKLOADS["weibo"])
    tags = np.arange(7)
    objective = objective_of(matched=(tags, tags), w_mmd=1.0, kernel=REFERENCE_VARIANCES)
    terms, gradients = loss_and_gradients(network, batch, objective, dropout_mask=mask)
    single_terms, single = loss_and_gradients(
        network.astype(np.float32), batch, objective, dropout_mask=mask.astype(np.float32)
    )
    assert single_terms == pytest.approx(terms, rel=1e-4)
    for name, gradient in gradients.items():
        assert single[name].dtype == np.float32
        distance = np.linalg.norm(single[name] - gradient) / np.linalg.norm(gradient)
        assert distance <= 1e-4, name


@compiled_only
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("label_aware", [True, False])
def test_loss_and_gradients_are_the_same_bytes_for_one_two_and_four_threads(label_aware, dtype):
    rng = np.random.default_rng(5)
    sizes = {"D": 20, "H": 24, "m": 26, "words": 300, "sentences": 12, "mean_length": 20}
    network, batch, mask = workload(rng, **sizes)
    network, mask = network.astype(dtype), mask.astype(dtype)
    tags = np.arange(26)
    objective = objective_of(matched=(tags, tags), label_aware=label_aware)
    results = []
    for threads in (1, 2, 4):
        terms, gradients = loss_and_gradients(
            network, batch, objective, dropout_mask=mask, workers=Workers(threads)
        )
        results.append((terms, {name: g.tobytes() for name, g in gradients.items()}))
    assert results[0] == results[1]
    assert results[0] == results[2]


# ---- bad input -----------------------------------------------------------------------------------


def test_tags_and_words_of_another_model_are_refused():
    network, source, target = case()
    objective = objective_of(**SETTINGS)
    strange = [target[0]._replace(tags=target[0].tags + 4), *target[1:]]
    with pytest.raises(ValueError, match=r"tags must lie in \[0, 4\)"):
        loss_and_gradients(network, domain_batch([source, strange]), objective)
    strange = [target[0]._replace(words=target[0].words + 9), *target[1:]]
    with pytest.raises(ValueError, match=r"words must lie in \[0, 9\)"):
        loss_and_gradients(network, domain_batch([source, strange]), objective)


@pytest.mark.parametrize("threads", [1, 2])
def test_error_in_the_second_head_reaches_the_caller_from_any_thread(threads):
    network, source, target = case()
    source = [s._replace(tags=s.tags + 3) for s in source]
    with pytest.raises(ValueError, match=r"tags must lie in \[0, 3\)"):
        loss_and_gradients(
            network,
            domain_batch([source, target]),
            objective_of(**SETTINGS),
            workers=Workers(threads),
        )


def test_random_batches_of_any_split_have_finite_gradients_of_the_parameters_shapes():
    rng = np.random.default_rng(6)
    for seed in range(8):
        network = random_network(np.random.default_rng(seed), bias=bool(seed % 2))
        source, target = (rng.integers(1, 7, size=rng.integers(0, 5)) for _ in range(2))
        if source.size + target.size == 0:
            continue
        batch = random_batch(rng, network, source, target)
        terms, gradients = loss_and_gradients(network, batch, objective_of(**SETTINGS))
        assert np.isfinite(terms).all()
        for name, array in network.named().items():
            assert gradients[name].shape == array.shape
            assert np.isfinite(gradients[name]).all()
