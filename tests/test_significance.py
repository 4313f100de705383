"""The randomisation tests against enumeration, SciPy, examples by hand and laws."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import scipy.stats
from scoring_cases import legal_tags, random_pair, random_tags

from ladtl_np.scoring import SEMANTICS, score, sentence_counts
from ladtl_np.scoring.significance import (
    EXACT_LIMIT,
    counts_test,
    least_possible_p,
    mean_and_interval,
    null_differences,
    paired_test,
    sentence_test,
    smallest_resolvable_difference,
)

ALTERNATIVES = ("greater", "two-sided")


def generator(seed=0):
    return np.random.default_rng(seed)


def paired(differences, **options):
    zeros = np.zeros(len(differences))
    return paired_test(differences, zeros, rng=options.pop("rng", generator()), **options)


def enumerated(differences, alternative):
    """Share of all sign patterns whose mean is at least the one seen, in whole numbers."""
    sides = abs if alternative == "two-sided" else int
    seen = sides(sum(differences))
    patterns = list(product((1, -1), repeat=len(differences)))
    sums = [sides(sum(s * d for s, d in zip(p, differences, strict=True))) for p in patterns]
    return sum(total >= seen for total in sums) / len(patterns)


# --- pairs


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 10])
def test_all_sign_patterns_are_counted_for_few_pairs(n, alternative):
    rng = generator(n)
    for _ in range(10):
        d = rng.integers(-4, 6, n)  # whole numbers, so that many patterns tie
        test = paired(d / 10, alternative=alternative)  # tenths, which do not add up exactly
        assert test.exact
        assert test.patterns == 2**n
        assert test.p == enumerated([int(x) for x in d], alternative)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("n", [6, 20])
def test_p_is_that_of_scipy(n, alternative):
    d = generator(n).normal(0.3, 1, n)
    ours = paired(d, alternative=alternative, resamples=999)
    theirs = scipy.stats.permutation_test(
        (d,),
        lambda x, axis: np.mean(x, axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf if n == 6 else 999,
        alternative=alternative,
        random_state=generator(),
    )
    assert ours.exact == (n == 6)
    # two-sided, SciPy doubles the smaller side: the same by enumeration, nearly by sampling
    tolerance = 0.0 if ours.exact or alternative == "greater" else 0.05
    assert ours.p == pytest.approx(theirs.pvalue, abs=tolerance)


def test_an_example_by_hand():
    # d = 1, 2, -0.5; sums of the 8 patterns: +-3.5, +-2.5, +-1.5, +-0.5; 2.5 is reached by two
    test = paired_test([3, 5, 4], [2, 3, 4.5], rng=generator())
    assert (test.n, test.first, test.second) == (3, 4.0, pytest.approx(9.5 / 3))
    assert test.difference == pytest.approx(2.5 / 3)
    assert (test.p, test.least_p) == (0.25, 0.125)
    assert paired_test([3, 5, 4], [2, 3, 4.5], alternative="two-sided", rng=generator()).p == 0.5


def test_four_wins_of_four_reach_the_least_p_and_no_more():
    test = paired([0.1, 0.2, 0.3, 0.4])
    assert test.p == test.least_p == 0.0625
    assert not test.decidable
    assert paired([0.1] * 5).decidable
    assert not paired([0.1] * 5, alternative="two-sided").decidable
    assert paired([0.1] * 6, alternative="two-sided").p == 2 / 64


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("n", [1, 3, EXACT_LIMIT, EXACT_LIMIT + 1, 40])
def test_no_p_is_below_the_least_one(n, alternative):
    test = paired(np.linspace(1, 2, n), alternative=alternative, resamples=99)
    assert test.p >= test.least_p >= least_possible_p(n, alternative)
    assert test.exact == (n <= EXACT_LIMIT)
    if test.exact:
        assert test.p == test.least_p
    else:
        assert test.least_p == 0.01


def test_the_other_system_has_the_other_side():
    rng = generator(3)
    first, second = rng.normal(size=(2, 9))
    forth = paired_test(first, second, rng=generator())
    back = paired_test(second, first, rng=generator())
    assert forth.p + back.p == pytest.approx(1 + 2**-9)  # both count the pattern seen
    both = [
        paired_test(*pair, alternative="two-sided", rng=generator())
        for pair in ((first, second), (second, first))
    ]
    assert both[0].p == both[1].p == pytest.approx(2 * min(forth.p, back.p))
    assert forth.difference == -back.difference


@pytest.mark.parametrize("n", [1, 5, 30])
@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_equal_scores_have_p_1(n, alternative):
    values = generator(n).normal(size=n)
    test = paired_test(values, values, alternative=alternative, resamples=99, rng=generator())
    assert (test.p, test.difference) == (1.0, 0.0)


@pytest.mark.parametrize("n", [8, 20])
def test_p_is_uniform_if_the_systems_are_equally_good(n):
    rng = generator(11)
    p = [paired(rng.normal(size=n), rng=rng, resamples=199).p for _ in range(400)]
    assert scipy.stats.kstest(p, "uniform").pvalue > 0.01
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.08


def test_a_seed_fixes_p_and_scale_does_not_matter():
    d = generator(5).normal(0.2, 1, 25)
    p = [paired(scale * d, rng=generator(1), resamples=199).p for scale in (1, 1, 1e-9, 1e9)]
    assert len(set(p)) == 1


@pytest.mark.parametrize(
    ("first", "second", "options", "message"),
    [
        ([], [], {}, "one or more"),
        ([1.0], [1.0, 2.0], {}, "got 1 and 2"),
        ([float("nan")], [1.0], {}, "finite"),
        ([1.0], [0.0], {"alternative": "less"}, "alternative"),
        ([1.0], [0.0], {"resamples": 0}, "resamples"),
    ],
)
def test_wrong_arguments_are_named(first, second, options, message):
    with pytest.raises(ValueError, match=message):
        paired_test(first, second, rng=generator(), **options)


# --- means


def test_mean_and_interval_of_a_textbook_sample():
    # 1 .. 5: mean 3, deviation sqrt(2.5), t(4) = 2.776
    n, mean, deviation, interval = mean_and_interval([1, 2, 3, 4, 5])
    assert (n, mean) == (5, 3.0)
    assert deviation == pytest.approx(2.5**0.5)
    assert interval == pytest.approx((3 - 1.96324, 3 + 1.96324), abs=1e-5)
    assert mean_and_interval([7.0]) == (1, 7.0, None, None)


def test_the_interval_of_a_difference_is_scipys():
    first, second = generator(2).normal(size=(2, 12))
    test = paired_test(first, second, rng=generator())
    theirs = scipy.stats.ttest_rel(first, second).confidence_interval(0.95)
    assert test.interval == pytest.approx((theirs.low, theirs.high))
    assert paired([0.3]).interval is None


# --- sentences


def three_systems(sentences, seed=1, make=legal_tags, scheme="IOB2"):
    """Gold tags and two predictions of the same lengths."""
    gold, first = random_pair(seed, scheme, make, sentences)
    rng = generator(seed)
    second = [
        list(guess) if rng.random() < 0.4 else list(truth)
        for truth, guess in zip(gold, first, strict=True)
    ]
    for number in range(0, sentences, 3):  # some where the second is worse
        second[number] = ["O"] * len(gold[number])
    return gold, first, second


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("semantics", SEMANTICS)
@pytest.mark.parametrize("seed", range(4))
def test_by_sentence_is_the_scorer_on_swapped_predictions(seed, semantics, alternative):
    gold, first, second = three_systems(6, seed, random_tags)

    def f1(tags):
        return getattr(score(gold, tags, "IOB2"), semantics).overall.f1

    sides = abs if alternative == "two-sided" else float
    differences = []
    for swaps in product((False, True), repeat=6):
        one = [b if swap else a for a, b, swap in zip(first, second, swaps, strict=True)]
        other = [a if swap else b for a, b, swap in zip(first, second, swaps, strict=True)]
        differences.append(sides(f1(one) - f1(other)))
    wanted = np.mean(np.array(differences) >= differences[0] - 1e-12)
    test = sentence_test(
        gold, first, second, "IOB2", semantics=semantics, alternative=alternative, rng=generator()
    )
    assert test.exact
    assert test.p == pytest.approx(wanted)
    assert test.first == pytest.approx(f1(first))
    assert test.difference == pytest.approx(f1(first) - f1(second))
    assert test.p >= test.least_p == least_possible_p(test.differing, alternative)


def test_sampling_comes_near_to_enumeration(monkeypatch):
    gold, first, second = three_systems(16, 5)
    exact = sentence_test(gold, first, second, "IOB2", rng=generator())
    assert 4 < exact.differing <= EXACT_LIMIT
    assert exact.patterns == 2**exact.differing < 2**16
    monkeypatch.setattr("ladtl_np.scoring.significance.sentences.EXACT_LIMIT", 0)
    sampled = sentence_test(gold, first, second, "IOB2", resamples=20_000, rng=generator())
    assert (exact.exact, sampled.exact, sampled.patterns) == (True, False, 20_000)
    assert sampled.p == pytest.approx(exact.p, abs=0.015)


def test_a_clear_difference_has_the_least_p_of_the_sample():
    gold, first, _ = three_systems(60)
    nothing = [["O"] * len(tags) for tags in gold]
    test = sentence_test(gold, first, nothing, "IOB2", resamples=499, rng=generator())
    assert test.p == test.least_p == 1 / 500
    assert sentence_test(gold, nothing, first, "IOB2", resamples=499, rng=generator()).p == 1.0


def test_random_swaps_may_come_in_several_blocks(monkeypatch):
    gold, first, second = three_systems(100)
    counts = [sentence_counts(gold, tags, "IOB2") for tags in (first, second)]
    whole = null_differences(*counts, resamples=2001, rng=generator())
    monkeypatch.setattr("ladtl_np.scoring.significance.sentences.BLOCK", 5000)
    parts = null_differences(*counts, resamples=2001, rng=generator())
    assert len(parts) == len(whole) == 2001
    assert len(np.unique(parts)) > 500
    assert scipy.stats.ks_2samp(parts, whole).pvalue > 0.01


def test_one_system_against_itself_has_p_1():
    gold, first, _ = three_systems(50)
    for alternative in ALTERNATIVES:
        test = sentence_test(gold, first, first, "IOB2", alternative=alternative, rng=generator())
        assert (test.p, test.difference, test.differing, test.least_p) == (1.0, 0.0, 0, 1.0)
        assert test.resolvable is None
        assert test.interval == (0.0, 0.0)


def test_p_by_sentence_is_uniform_if_chance_deals_out_the_predictions():
    gold, good, bad = three_systems(150)
    counts = np.stack([sentence_counts(gold, tags, "IOB2") for tags in (good, bad)])
    rng, rows, found = generator(8), np.arange(150), []
    for _ in range(300):
        swap = rng.integers(0, 2, 150)
        one, other = counts[swap, rows], counts[1 - swap, rows]
        found.append(counts_test(one, other, resamples=199, rng=rng).p)
    assert scipy.stats.kstest(found, "uniform").pvalue > 0.01


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_a_resolvable_difference_is_where_p_crosses_the_level(alternative):
    gold, first, second = three_systems(200)
    counts = [sentence_counts(gold, tags, "IOB2") for tags in (first, second)]
    null = null_differences(*counts, resamples=4000, rng=generator())
    least = smallest_resolvable_difference(null, exact=False, alternative=alternative)
    sides = np.abs if alternative == "two-sided" else np.asarray
    assert np.mean(sides(null) >= least) == pytest.approx(0.05, abs=0.005)
    test = counts_test(*counts, alternative=alternative, resamples=4000, rng=generator())
    assert test.resolvable == least
    assert (test.p < 0.05) == (sides(test.difference) >= least)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("differing", [*range(1, 9), 20])
def test_the_resolvable_difference_is_significant_and_no_smaller_one_is(differing, alternative):
    """Few and discrete differences: one entity more or less in each of a few sentences."""
    sides = np.abs if alternative == "two-sided" else np.asarray
    for entities in ([1] * differing, [1 + n % 3 for n in range(differing)]):
        first = np.stack([np.full(differing, 4), np.full(differing, 4), 1 + np.array(entities)], 1)
        second = first - [0, 0, 1] * np.array(entities)[:, None]
        null = sides(null_differences(first, second, resamples=2000, rng=generator()))
        exact = differing <= EXACT_LIMIT
        extra = 0 if exact else 1

        def p_of(difference, null=null, extra=extra):
            return (np.sum(null >= difference - 1e-12) + extra) / (len(null) + extra)

        test = counts_test(first, second, alternative=alternative, resamples=2000, rng=generator())
        significant = [value for value in sorted(set(null.tolist())) if p_of(value) < 0.05]
        if not significant:
            assert test.resolvable is None
            continue
        assert test.resolvable == pytest.approx(significant[0], abs=1e-12)
        assert p_of(test.resolvable) < 0.05
        below = null[null < test.resolvable - 1e-12]
        assert p_of(below.max()) >= 0.05
        assert (test.p < 0.05) == (sides(test.difference) >= test.resolvable - 1e-12)


def test_more_sentences_resolve_smaller_differences():
    gold, first, second = three_systems(100)
    counts = [sentence_counts(gold, tags, "IOB2") for tags in (first, second)]
    few = counts_test(*counts, rng=generator())
    many = counts_test(*(np.tile(c, (4, 1)) for c in counts), rng=generator())
    assert many.resolvable == pytest.approx(few.resolvable / 2, rel=0.1)
    assert np.ptp(many.interval) == pytest.approx(np.ptp(few.interval) / 2, rel=0.02)


def test_the_interval_by_sentence_is_the_t_interval_where_f1_is_a_mean():
    # one gold and one predicted entity a sentence: F1 is the share of correct sentences
    hits = generator(4).integers(0, 2, (2, 60))
    first, second = (np.stack([np.ones(60), np.ones(60), h], 1).astype(np.int64) for h in hits)
    test = counts_test(first, second, rng=generator())
    assert test.interval == pytest.approx(mean_and_interval(hits[0] - hits[1]).interval)
    assert counts_test(first[:1], second[:1], rng=generator()).interval is None


def test_counts_of_two_files_are_refused():
    with pytest.raises(ValueError, match=r"\(S, 3\)"):
        counts_test(np.ones((3, 3), np.int64), np.ones((4, 3), np.int64), rng=generator())
