"""What tagging computes is what training computes, without the caches."""

from __future__ import annotations

import numpy as np
import pytest
from shapes_at_random import START

from ladtl_np.arrays.packing import pack
from ladtl_np.arrays.workers import Workers
from ladtl_np.kernels.encoding import lstm_encode, project_words
from ladtl_np.layers.bilstm import DIRECTIONS, bilstm_forward
from ladtl_np.model.network import Architecture, initialise

RAGGED = [(1,), (3, 1), (5, 5, 2, 1), (1, 1, 1), (40, 33, 7)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("lengths", RAGGED, ids=str)
def test_states_are_those_of_training(lengths, dtype):
    sizes = Architecture.plain(vocabulary=7, embedding=4, hidden=5, source_tags=0, target_tags=3)
    network = initialise(sizes, np.random.default_rng(1), START, dtype)
    packing = pack(np.array(lengths))
    N, B, H = packing.tokens, packing.sentences, sizes.hidden
    words = np.random.default_rng(2).integers(0, 7, N)
    rows, place = np.unique(words, return_inverse=True)
    wanted, _ = bilstm_forward(
        network.embedding[words], network.weights, packing.offsets, Workers()
    )
    found = np.full((N, 2 * H), np.nan, dtype)
    for number, name in enumerate(DIRECTIONS):
        W, U, b = (network.weights[f"{name}.{kind}"] for kind in "WUb")
        projected = np.full((rows.size, 4 * H), np.nan, dtype)
        project_words(projected, np.empty((rows.size, 4), dtype), network.embedding, rows, W, b)
        scratch = [np.full((B, width), np.nan, dtype) for width in (4 * H, H, H)]
        offsets = packing.offsets
        lstm_encode(found, *scratch, projected, place, U, offsets, number * H, number == 1)
    tolerance = 1e-5 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)
