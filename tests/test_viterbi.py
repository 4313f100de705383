"""Laws and hazards of the packed Viterbi search."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
from shapes_at_random import (
    RAGGED,
    by_sentence,
    in_list_order,
    packed_rows,
    random_chains,
    to_packed,
)

from ladtl_np.layers.crf import crf_viterbi
from ladtl_np.reference import crf as reference

TAGS = (1, 2, 7, 30, 130)


def decode(packing, E, A):
    tags, score = crf_viterbi(E, A, packing.offsets)
    return by_sentence(packing, tags), in_list_order(packing, score)


@pytest.mark.parametrize("m", TAGS)
@pytest.mark.parametrize("lengths", RAGGED.values(), ids=RAGGED)
def test_packed_batch_equals_its_sentences_one_by_one(lengths, m):
    packing, E, A, _ = random_chains(np.random.default_rng(m), lengths, m)
    tags, scores = decode(packing, E, A)
    for ours, score, e in zip(tags, scores, by_sentence(packing, E), strict=True):
        theirs, their_score = reference.viterbi(e, A)
        np.testing.assert_array_equal(ours, theirs)
        assert score == pytest.approx(their_score, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_best_path_equals_enumeration_and_ties_go_to_the_lowest_tag_from_the_last_back(seed):
    rng = np.random.default_rng(seed)
    packing = packed_rows((1, 5, 2, 4, 5))
    # small whole numbers, so that many paths tie exactly
    E = rng.integers(0, 2, size=(packing.tokens, 3)).astype(float)
    A = rng.integers(0, 2, size=(3, 3)).astype(float)
    for dtype in (np.float32, np.float64):
        tags, scores = decode(packing, E.astype(dtype), A.astype(dtype))
        for ours, score, e in zip(tags, scores, by_sentence(packing, E), strict=True):
            path, best = oracles.enumerated_viterbi(e, A)
            assert ours.tolist() == path
            assert score == best


def test_all_scores_equal_gives_tag_zero_everywhere():
    packing = packed_rows(RAGGED["mixed"])
    for value in (0.0, -3.5, 1e4):
        tags, _ = crf_viterbi(
            np.full((packing.tokens, 9), value), np.zeros((9, 9)), packing.offsets
        )
        assert not tags.any()


def test_order_of_the_sentences_permutes_the_paths():
    lengths = RAGGED["mixed"]
    packing, E, A, _ = random_chains(np.random.default_rng(0), lengths, 5)
    tags, scores = decode(packing, E, A)
    order = np.random.default_rng(1).permutation(len(lengths))
    sentences = by_sentence(packing, E)
    moved = packed_rows([lengths[k] for k in order])
    moved_tags, moved_scores = decode(moved, to_packed(moved, [sentences[k] for k in order]), A)
    for place, k in enumerate(order):
        np.testing.assert_array_equal(moved_tags[place], tags[k])
        assert moved_scores[place] == scores[k]


def test_constant_added_to_the_emissions_of_a_token_changes_only_the_score():
    packing, E, A, _ = random_chains(np.random.default_rng(2), (4, 2, 1), 3)
    added = np.array([0.5, -64.0, 8.0, 0.0, 1024.0, 2.0, -1.0])
    tags, scores = crf_viterbi(E, A, packing.offsets)
    moved_tags, moved_scores = crf_viterbi(E + added[:, None], A, packing.offsets)
    np.testing.assert_array_equal(moved_tags, tags)
    total = np.array([part.sum() for part in by_sentence(packing, added)])
    np.testing.assert_allclose(in_list_order(packing, moved_scores - scores), total, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_forbidden_transitions_and_tags_are_never_chosen_while_a_path_exists(dtype):
    rng = np.random.default_rng(3)
    packing, E, A, _ = random_chains(rng, (5, 4, 5, 1, 2), 4)
    E, A = E.astype(dtype), A.astype(dtype)
    A[rng.random((4, 4)) < 0.5] = -np.inf
    A[np.arange(4), (np.arange(4) + 1) % 4] = 0.0  # one way on from every tag
    E[rng.random(E.shape) < 0.1] = -np.inf
    tags, scores = decode(packing, E, A)
    for ours, score, e in zip(tags, scores, by_sentence(packing, E), strict=True):
        _, best = oracles.enumerated_viterbi(e.astype(float), A.astype(float))
        assert score == pytest.approx(best, rel=1e-6)
        if best > -np.inf:
            path = oracles.path_score(e.astype(float), A.astype(float), ours.tolist())
            assert path == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("m", [1, 3])
def test_no_path_at_all_scores_minus_infinity_and_gives_tags_in_range(m):
    packing, E, _, _ = random_chains(np.random.default_rng(4), (3, 1, 2), m)
    tags, scores = decode(packing, E, np.full((m, m), -np.inf))
    assert np.isneginf(scores[[0, 2]]).all()
    assert scores[1] == E.max(axis=1)[packing.rows[3]]  # one token needs no transition
    for path in tags:
        assert path.min() >= 0
        assert path.max() < m


def test_sentence_without_a_path_leaves_the_others_alone():
    packing, E, A, _ = random_chains(np.random.default_rng(5), (3, 4, 2), 3)
    tags, scores = decode(packing, E, A)
    E[packing.rows[3 + 1]] = -np.inf  # the second token of the second sentence
    after_tags, after_scores = decode(packing, E, A)
    assert after_scores[1] == -np.inf
    for k in (0, 2):
        np.testing.assert_array_equal(after_tags[k], tags[k])
        assert after_scores[k] == scores[k]


def test_float32_keeps_its_digits_over_ten_thousand_tokens():
    rng = np.random.default_rng(6)
    E = (100.0 + rng.normal(size=(10_000, 3))).astype(np.float32)
    A = rng.normal(size=(3, 3)).astype(np.float32)
    offsets = packed_rows((10_000,)).offsets
    tags, score = crf_viterbi(E, A, offsets)
    exact_tags, exact_score = crf_viterbi(E.astype(np.float64), A.astype(np.float64), offsets)
    assert score[0] == pytest.approx(exact_score[0], rel=1e-7)
    assert (tags != exact_tags).sum() <= 5
    own = reference.sequence_score(E.astype(np.float64), A.astype(np.float64), tags)
    assert exact_score[0] - own <= 1e-3  # of a score of a million


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_promise_22_ten_thousand_tokens_and_scores_give_the_best_path(dtype):
    rng = np.random.default_rng(7)
    E = rng.uniform(-1e4, 1e4, size=(10_000, 3)).astype(dtype)
    A = rng.uniform(-1e4, 1e4, size=(3, 3)).astype(dtype)
    tags, score = crf_viterbi(E, A, packed_rows((10_000,)).offsets)
    wide = E.astype(np.float64), A.astype(np.float64)
    _, best = reference.viterbi(*wide)
    assert score[0] == pytest.approx(best, rel=1e-12 if dtype == np.float64 else 1e-7)
    assert reference.sequence_score(*wide, tags) == pytest.approx(best, rel=1e-9)
