"""The character BiLSTM, forward and backward, by distinct words of a batch."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from ladtl_np.arrays.spelling import pack_spellings
from ladtl_np.arrays.workers import Workers
from ladtl_np.bench.workloads import START
from ladtl_np.layers.characters import characters_backward, characters_forward
from ladtl_np.model.network import Architecture, initialise
from ladtl_np.reference import characters as reference
from ladtl_np.reference.lstm import LstmWeights

SIZES = msgspec.structs.replace(
    Architecture.plain(vocabulary=2, embedding=2, hidden=2, source_tags=2, target_tags=2),
    characters=60,
    character_embedding=25,
    character_hidden=25,
)


@pytest.mark.parametrize("words", [10, 100, 1000, 10_000])
def test_characters_by_words(measure, words: int, threads: int) -> None:
    rng = np.random.default_rng(0)
    weights = initialise(SIZES, rng, START).weights
    spelled = [rng.integers(0, 60, size=length) for length in 1 + rng.poisson(4.0, words)]
    spellings, workers = pack_spellings(spelled), Workers(threads)
    dF = rng.normal(size=(words, 50)).astype(np.float32)

    def call():
        workers.memory.reuse()
        gradients = weights.zeros_like()
        F, cache = characters_forward(spellings, weights, workers)
        characters_backward(gradients, dF, cache, weights, workers)
        return F

    directions = [
        LstmWeights(*(weights[f"characters.{direction}.{part}"] for part in "WUb"))
        for direction in ("forward", "backward")
    ]
    table = weights["characters.embedding"]
    for word, f in list(zip(spelled, call(), strict=True))[:5]:
        wanted, _ = reference.characters_forward(word, table, *directions)
        np.testing.assert_allclose(f, wanted, rtol=1e-3, atol=1e-5)
    measure(call, curve="characters", axis="words", size=words, threads=threads)
