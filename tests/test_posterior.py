"""Posteriors, entropy and best paths equal what all paths say, one by one."""

from __future__ import annotations

import math

import numpy as np
import oracles
import pytest
from shapes_at_random import RAGGED, by_sentence, in_list_order, packed_rows, random_chains

from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.schemes import spans
from ladtl_np.layers import posterior as layer
from ladtl_np.layers.crf import crf_viterbi
from ladtl_np.layers.posterior import chain_of, n_best, posteriors
from ladtl_np.model.tag_names import allowed_tags, spelling_of
from ladtl_np.reference import crf
from ladtl_np.reference import posterior as reference

SPACES = ("scaled", "log")
SETS = {
    "BIOES": TagSet(("O", "B-A", "E-A", "I-A", "S-A")),
    "two types": TagSet(("O", "B-A", "E-A", "S-A", "S-B")),
    "IOB2": TagSet(("O", "B-A", "I-A", "B-B", "I-B"), "IOB2"),
}
LENGTHS = (6, 1, 3, 2)


@pytest.fixture(params=SPACES)
def space(request, monkeypatch):
    """Take scaled or log space, whatever the scores."""
    if request.param == "log":
        monkeypatch.setattr(layer, "SAFE_RANGE", -1.0)
    else:
        monkeypatch.setattr(layer, "_mixes", lambda allowed: True)
    return request.param


def chains(tags: TagSet, lengths, *, constrained: bool, seed: int = 0, scale: float = 1.5):
    """A random batch with what decoding may not do in it, and its best paths."""
    packing, E, A, _ = random_chains(np.random.default_rng(seed), lengths, len(tags), scale)
    start, end, transition = allowed_tags(tags, constrained=constrained)
    A = np.where(transition, A, -np.inf)
    at = 0
    for n in lengths:
        E[packing.rows[at], ~start] = -np.inf
        E[packing.rows[at + n - 1], ~end] = -np.inf
        at += n
    return packing, E, A, crf_viterbi(E, A, packing.offsets)[0]


def enumerated(E, A, tags: TagSet, path):
    """What a sentence's paths say of one of them: log p, entropy, marginals, and its spans."""
    found = {p: q for p, q in oracles.path_probabilities(E, A).items() if q > 0}
    entropy = -math.fsum(p * math.log(p) for p in found.values())
    unary = np.zeros_like(E)
    for other, p in found.items():
        unary[range(len(E)), other] += p
    spelled = {other: set(spans([tags.tags[k] for k in other], tags.scheme)) for other in found}
    token = unary[range(len(E)), path].copy()
    for span in spans([tags.tags[k] for k in path], tags.scheme):
        token[span[0] : span[1]] = math.fsum(p for o, p in found.items() if span in spelled[o])
    return math.log(found[tuple(path)]), entropy, unary, token


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize("scheme", SETS)
def test_everything_equals_enumeration(scheme, constrained, space):
    tags = SETS[scheme]
    packing, E, A, best = chains(tags, LENGTHS, constrained=constrained)
    chain = chain_of(A, *spelling_of(tags))
    told = posteriors(E, chain, best, packing.offsets, unary=True)
    sums = in_list_order(packing, np.stack([told.log_path, told.entropy], axis=1))
    parts = (by_sentence(packing, x) for x in (E, best, told.token, told.unary))
    for (log_path, entropy), (e, y, token, unary) in zip(
        sums, zip(*parts, strict=True), strict=True
    ):
        expected = enumerated(e, A, tags, y.tolist())
        assert log_path == pytest.approx(expected[0], abs=1e-12)
        assert entropy == pytest.approx(expected[1], abs=1e-12)
        np.testing.assert_allclose(unary, expected[2], atol=1e-13)
        np.testing.assert_allclose(unary.sum(axis=1), 1.0, atol=1e-14)
        np.testing.assert_allclose(token, expected[3], atol=1e-13)
        assert reference.entropy(e, A) == pytest.approx(expected[1], abs=1e-12)
        kinds, goes_on = spelling_of(tags)
        for first, end, kind in spans([tags.tags[k] for k in y], tags.scheme):
            span = first, end, 1 + tags.types.index(kind)
            found = reference.span_posterior(e, A, kinds, goes_on, span)
            assert found == pytest.approx(token[first], abs=1e-13)


def listed(packing, E, A, chain, best, count):
    """Of each sentence the paths that were found, and their probabilities."""
    gain = posteriors(E, chain, best, packing.offsets).gain
    found = n_best(E, A, chain, gain, packing.offsets, count)
    probabilities = in_list_order(packing, np.exp(found.log_path.T))
    each = zip(by_sentence(packing, found.tags.T), probabilities, strict=True)
    return [(paths.T[p > 0].tolist(), p[p > 0]) for paths, p in each]


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize("scheme", ["BIOES", "IOB2"])
def test_best_paths_are_those_of_all_paths_in_their_order(scheme, constrained, space):
    tags = SETS[scheme]
    packing, E, A, best = chains(tags, LENGTHS, constrained=constrained, seed=1)
    chain = chain_of(A, *spelling_of(tags))
    found = listed(packing, E, A, chain, best, 7)
    parts = zip(by_sentence(packing, E), by_sentence(packing, best), found, strict=True)
    for e, y, (paths, probabilities) in parts:
        every = oracles.path_probabilities(e, A)
        order = sorted((p for p in every if every[p] > 0), key=lambda p: -every[p])[:7]
        assert [tuple(path) for path in paths] == order
        assert paths[0] == y.tolist()
        np.testing.assert_allclose(probabilities, [every[p] for p in order], rtol=1e-11)
        twin = reference.best_paths(e, A, 7)
        assert [path.tolist() for path, _ in twin] == paths


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_first_of_paths_that_tie_is_that_of_viterbi(seed, dtype):
    rng = np.random.default_rng(seed)
    packing = packed_rows((1, 5, 2, 20, 5))
    E = rng.integers(0, 2, size=(packing.tokens, 3)).astype(dtype)
    A = rng.integers(0, 2, size=(3, 3)).astype(dtype)
    best, _ = crf_viterbi(E, A, packing.offsets)
    chain = chain_of(A, np.arange(3), np.zeros((3, 3), np.bool_))
    found = listed(packing, E, A, chain, best, 5)
    for e, y, (paths, p) in zip(
        by_sentence(packing, E), by_sentence(packing, best), found, strict=True
    ):
        assert paths[0] == y.tolist() == reference.best_paths(e, A, 5)[0][0].tolist()
        assert len(set(map(tuple, paths))) == len(paths) == min(5, 3 ** len(y))
        assert (np.diff(p) <= 1e-12).all()


@pytest.mark.parametrize("scale", [300.0, 60.0, 1e-3])
def test_scores_that_leave_scaled_space_and_dtypes_keep_their_digits(scale):
    tags = SETS["BIOES"]
    packing, E, A, best = chains(tags, (9, 30, 1), constrained=True, scale=scale)
    single = E.astype(np.float32)
    chain = chain_of(A.astype(np.float32), *spelling_of(tags))
    told = posteriors(single, chain, best, packing.offsets, unary=True)
    log_path = in_list_order(packing, told.log_path)
    parts = (by_sentence(packing, x) for x in (single.astype(float), best, told.unary))
    for value, e, y, unary in zip(log_path, *parts, strict=True):
        exact, _ = crf.marginals(e, chain.A)
        np.testing.assert_allclose(unary, exact, atol=1e-11)
        assert value == pytest.approx(crf.log_likelihood(e, chain.A, y), abs=1e-11 * scale)


def test_scaled_space_stays_exact_up_to_its_limit_where_paths_vanish():
    """Long stretches in which one type's tags lose what scaled space can hold, then win."""
    tags = SETS["two types"]
    packing, E, A, _ = chains(tags, (60,), constrained=True, scale=1.0)
    chain = chain_of(A, *spelling_of(tags))
    E[1:-1] *= 0.999 * chain.limit / np.ptp(E[1:-1], axis=1).max()
    E[:30, 1:4] -= np.where(E[:30, 1:4] > E[:30].min(), 0.5, 0.0)
    best = crf_viterbi(E, A, packing.offsets)[0]
    told = posteriors(E, chain, best, packing.offsets, unary=True)
    never = posteriors(E, chain._replace(limit=-1.0), best, packing.offsets, unary=True)
    for name in ("log_path", "entropy", "token", "unary"):
        np.testing.assert_allclose(getattr(told, name), getattr(never, name), rtol=0, atol=1e-11)


def test_tags_that_lead_nowhere_take_log_space():
    tags = TagSet(("O", "B-A", "S-A"))  # nothing may follow B-A
    transition = allowed_tags(tags, constrained=True).transition
    assert chain_of(np.where(transition, 0.0, -np.inf), *spelling_of(tags)).limit == -np.inf
    whole = allowed_tags(SETS["BIOES"], constrained=True).transition
    assert chain_of(np.where(whole, 0.0, -np.inf), *spelling_of(SETS["BIOES"])).limit > 100


def test_what_shares_a_batch_changes_no_bit_and_temperature_is_a_division():
    tags = SETS["BIOES"]
    packing, E, A, best = chains(tags, RAGGED["mixed"], constrained=True)
    chain = chain_of(A, *spelling_of(tags))
    told = posteriors(E, chain, best, packing.offsets)
    for e, y, token in zip(*(by_sentence(packing, x) for x in (E, best, told.token)), strict=True):
        alone = posteriors(e, chain, y, np.arange(len(e) + 1))
        assert alone.token.tobytes() == token.tobytes()
    warm = posteriors(E, chain_of(A, *spelling_of(tags), 2.0), best, packing.offsets)
    halved = posteriors(E / 2.0, chain_of(A / 2.0, *spelling_of(tags)), best, packing.offsets)
    assert warm.token.tobytes() == halved.token.tobytes()
    assert (warm.entropy > told.entropy).all()


def test_scores_that_are_no_numbers_give_none():
    tags = SETS["BIOES"]
    packing, E, A, best = chains(tags, (3, 2), constrained=True)
    E[packing.rows[1], 2] = np.nan
    told = posteriors(E, chain_of(A, *spelling_of(tags)), best, packing.offsets)
    assert np.isnan(told.log_path[0])
    assert np.isfinite(told.log_path[1])


def test_shapes_that_do_not_fit_are_refused():
    kinds, goes_on = spelling_of(SETS["BIOES"])
    chain = chain_of(np.zeros((5, 5)), kinds, goes_on)
    E, offsets = np.zeros((2, 5)), np.arange(3)
    with pytest.raises(ValueError, match=r"tags must lie in \[0, 5\)"):
        posteriors(E, chain, np.array([0, 5]), offsets)
    with pytest.raises(ValueError, match="one a token"):
        posteriors(E, chain, np.zeros(3, np.int64), offsets)
    with pytest.raises(ValueError, match="temperature"):
        chain_of(np.zeros((5, 5)), kinds, goes_on, 0.0)
    with pytest.raises(ValueError, match="kinds"):
        chain_of(np.zeros((4, 4)), kinds, goes_on)
    with pytest.raises(ValueError, match="count"):
        n_best(E, np.zeros((5, 5)), chain, np.zeros(2), offsets, 0)
    assert posteriors(E[:0], chain, np.zeros(0, np.int64), np.zeros(1, np.int64)).token.size == 0
