"""Look-up with dropout and the gradient of the touched rows, by tokens."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.bench import operations
from ladtl_np.layers.embedding import dropout_mask, embedding_backward, embedding_forward
from ladtl_np.reference import embedding as reference

VOCABULARY, D = 5000, 128


@pytest.mark.parametrize("tokens", [100, 1000, 10_000, 100_000])
def test_embedding_by_tokens(measure, tokens: int) -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(VOCABULARY, D)).astype(np.float32)
    words = (rng.zipf(1.3, tokens) % VOCABULARY).astype(np.int64)
    mask = dropout_mask(rng, (tokens, D), 0.5, np.float32)

    def call():
        return embedding_forward(table, words, mask), embedding_backward(mask, words, mask)

    X, (rows, values) = call()
    np.testing.assert_allclose(X, reference.embedding_forward(words, table, mask))
    wanted = reference.embedding_backward(mask.astype(np.float64), words, table, mask)
    np.testing.assert_allclose(values, wanted[rows], rtol=1e-4)
    count = operations.embedding(tokens, D)
    measure(call, curve="embedding", axis="tokens", size=tokens, threads=1, operations=count)
