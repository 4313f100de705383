from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.corpus.sampling import sample
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import UsageError

WHOLE = Corpus("c", tuple(Sentence((str(n),), line=n) for n in range(1, 96)), "IOB2", "abc")


def draw(fraction: float, seed: int) -> Corpus:
    return sample(WHOLE, fraction, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("fraction", "count"), [(1, 95), (0.1, 10), (0.5, 48), (0.001, 1), (0.01, 1)]
)
def test_sizes_are_rounded_and_at_least_one(fraction: float, count: int) -> None:
    assert len(draw(fraction, 0)) == count


def test_a_sample_is_a_part_in_file_order_under_the_same_name() -> None:
    part = draw(0.2, 7)
    lines = [sentence.line for sentence in part]
    assert lines == sorted(set(lines))
    assert (part.name, part.scheme, part.sha256) == ("c", "IOB2", "abc")
    assert draw(1.0, 7) == WHOLE


def test_the_seed_decides_and_samples_of_one_seed_are_nested() -> None:
    assert draw(0.2, 7) == draw(0.2, 7)
    assert draw(0.2, 7) != draw(0.2, 8)
    assert set(draw(0.1, 7)) < set(draw(0.2, 7))


def test_the_draw_never_changes_between_versions() -> None:
    assert [s.line for s in draw(0.05, 1)] == [9, 17, 39, 68, 90]


def test_an_empty_corpus_stays_empty() -> None:
    assert len(sample(Corpus("e", ()), 0.5, np.random.default_rng(0))) == 0


@pytest.mark.parametrize("fraction", [0, -0.1, 1.5, float("nan"), float("inf")])
def test_shares_out_of_range_are_refused(fraction: float) -> None:
    with pytest.raises(UsageError, match=r"\(0, 1\]"):
        draw(fraction, 0)
