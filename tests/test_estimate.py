"""The estimate of a training's memory is what docs/memory.md says, part by part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from small_corpora import small_config

from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.model.decoding import BATCH_TOKENS, GROUP_TOKENS
from ladtl_np.model.network import Architecture, Start, initialise
from ladtl_np.model.pieces import LONG_TOKENS
from ladtl_np.options.methods import METHODS
from ladtl_np.training.estimate import OVERHEAD, Estimate, Longest, estimate

V, D, H, M_S, M_T = 100, 10, 7, 5, 9
PLAIN = Architecture.plain(vocabulary=V, embedding=D, hidden=H, source_tags=M_S, target_tags=M_T)


def corpus(name: str, *lengths: int) -> Corpus:
    """Sentences of so many tokens, on lines 10, 20, ...; words are numbers from 1 on."""
    sentences = [
        Sentence(tuple(str(k + 1) for k in range(size)), ("O",) * size, 10 * n)
        for n, size in enumerate(lengths, 1)
    ]
    return Corpus(name, tuple(sentences), "BIO")


SOURCE, TARGET = corpus("s", 4, 6, 2), corpus("t", 3, 1, 5)
DEV = corpus("d", 2, 7)


def estimated(
    method: str = "crf-l2",
    sizes: Architecture = PLAIN,
    dev: Corpus | None = None,
    source: Corpus | None = SOURCE,
    **changes: Any,
) -> Estimate:
    batches = {"source_batch": 2, "target_batch": 4}
    config = small_config(method=method, training=batches, **changes)
    sources = [] if source is None else [source]
    return estimate(config, METHODS[method], sizes, sources, TARGET, dev)


def bytes_of(sizes: Architecture) -> tuple[int, int]:
    """Of a network's parameters as they are: all, and those without the words."""
    start = Start(recurrent="glorot", projection="identity")
    network = initialise(sizes, np.random.default_rng(0), start)
    dense = sum(array.nbytes for array in network.weights.values())
    return dense + network.embedding.nbytes, dense


# the two longest of the source, and all of the target once, its longest again
TOKENS = (6 + 4) + (3 + 1 + 5 + 5)
ENCODER = 4 * (2 * D + 16 * H) + 80


@pytest.mark.parametrize(
    ("method", "sizes", "changes", "per_token"),
    [
        ("crf-l2", PLAIN, {}, 4 * (4 * H + 7 * M_T + 8)),
        ("crf-l2", replace(PLAIN, source_tags=11), {}, 4 * (4 * H + 7 * 11 + 8)),
        ("la-mmd", replace(PLAIN, hidden=40), {"threads": 1}, 4 * (80 * 6 + 3)),
        ("la-mmd", replace(PLAIN, hidden=40), {"threads": 9}, 4 * (80 * 12 + 12)),
        ("linear-projection", replace(PLAIN, projection="linear"), {}, 4 * (8 * H + 7 * M_T + 8)),
        ("crf-l2", replace(PLAIN, embedding=90), {}, 4 * (2 * H + 6 * 90)),
        (
            "crf-l2",
            PLAIN,
            {"objective": {"parameter_transfer": "kl"}},
            4 * (17 * M_T + 4 * H),
        ),
        (
            "crf-l2",
            PLAIN,
            {"objective": {"parameter_transfer": "kl", "divergence_gradient": "both"}},
            4 * (31 * M_T + 4 * H),
        ),
    ],
)
def test_a_batch_takes_the_largest_of_what_is_done_with_it(method, sizes, changes, per_token):
    encoder = 4 * (2 * sizes.embedding + 16 * sizes.hidden) + 80
    assert estimated(method, sizes, **changes).batch == TOKENS * (encoder + per_token)


def test_one_domain_at_a_time_and_one_domain_alone():
    per_token = ENCODER + 4 * (4 * H + 7 * M_T + 8)
    assert estimated("re-training").batch == max(10, 14) * per_token
    assert estimated("non-transfer", source=None).batch == 14 * per_token


def test_characters_count_by_the_distinct_words_of_a_sentence():
    sizes = replace(PLAIN, characters=30, character_embedding=3, character_hidden=2)
    plain = TOKENS * (4 * (2 * (D + 4) + 16 * H) + 80 + 4 * (4 * H + 7 * M_T + 8))
    words = len("123456")  # all that occur; the batch holds more, as it repeats them
    assert estimated(sizes=sizes).batch == plain + 4 * (20 * 2 + 8 * 3 + 16) * words


def test_parameters_are_held_three_times_and_written_twice():
    for sizes in (PLAIN, replace(PLAIN, emission_bias=True, projection="linear")):
        everything, dense = bytes_of(sizes)
        found = estimated(sizes=sizes)
        assert found.weights == 3 * everything
        assert found.writing == 2 * everything
        assert found.step == dense + 2 * 4 * M_T**2  # with one thread the larger head's
    two = estimated(threads=2)
    assert two.step == bytes_of(PLAIN)[1] + 2 * 4 * (M_T**2 + M_S**2)
    exact = estimated(objective={"parameter_transfer": "kl"})
    assert exact.step == bytes_of(PLAIN)[1] + 8 * 4 * M_T**2


def test_corpora_take_their_tokens_sentences_and_words():
    assert estimated().corpora == 40 * (12 + 9) + 500 * 6 + 250 * V
    assert estimated(source=None).corpora == 40 * 9 + 500 * 3 + 250 * V


def test_an_evaluation_takes_groups_of_projected_words_and_a_batch_for_each_thread():
    assert estimated().evaluation == 0
    batch = BATCH_TOKENS * (2 * H + 2 * M_T + 8)
    few = 4 * (9 * 8 * H + batch) + 10 * M_T**2 + 60 * 9
    assert estimated(dev=DEV).evaluation == few
    long = corpus("d", 2 * LONG_TOKENS, 3)
    tokens = long.token_count
    for threads, groups in ((1, 1), (2, 2), (3, 2)):
        batch = LONG_TOKENS * (2 * H + 2 * M_T + 8)
        floats = groups * V * 8 * H + threads * batch
        found = estimated(dev=long, threads=threads)
        assert found.evaluation == 4 * floats + 10 * M_T**2 + 60 * tokens
    many = estimated(dev=long, sizes=replace(PLAIN, vocabulary=3 * GROUP_TOKENS))
    assert many.evaluation == 4 * (GROUP_TOKENS * 8 * H + batch) + 10 * M_T**2 + 60 * tokens


def test_the_total_is_what_is_held_and_the_largest_of_what_comes_and_goes():
    part = Estimate(1.0, 2.0, 4.0, 8.0, 16.0, 32.0, Longest("t", 1, 1), PLAIN)
    assert part.total == OVERHEAD + 7 + 32
    assert part._replace(step=64.0).total == OVERHEAD + 7 + 64
    assert part._replace(evaluation=64.0).total == OVERHEAD + 7 + 64
    shown = str(part._replace(weights=2.0**30, writing=2.0**20))
    for name in ("weights", "batch", "corpora", "step", "evaluation", "writing"):
        assert f"{name} " in shown
    assert estimated().longest == Longest("s", 20, 6)
    assert estimated(source=None).longest == Longest("t", 30, 5)
    assert estimated().sizes == PLAIN
