"""A sentence tagged in pieces gets exactly the tags that it gets as a whole."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from slow_decoding import is_legal
from test_decoding import ALPHABET, KINDS, LEGAL, TOKENS, TWO, VOCABULARY, network_of

from ladtl_np.arrays.workers import Workers
from ladtl_np.errors import ScoreError
from ladtl_np.model import decoding, pieces
from ladtl_np.model.decoding import Decoder

LENGTHS = (700, 3, 64, 65, 1, 129, 0, 128)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_pieces_of_any_size_give_the_tags_of_the_whole(monkeypatch, kind, threads):
    rng = np.random.default_rng(len(kind))
    network = network_of(rng, TWO, TWO, **KINDS[kind])
    text = [tuple(rng.choice(TOKENS, size=T).tolist()) for T in LENGTHS]
    for constrained in (True, False):
        decoder = Decoder(
            network,
            VOCABULARY,
            TWO,
            characters=ALPHABET if kind == "characters" else None,
            workers=Workers(threads),
            **{**LEGAL, "constrained": constrained},
        )
        monkeypatch.setattr(decoding, "LONG_TOKENS", 10_000)
        whole = decoder.tag(text)
        monkeypatch.setattr(decoding, "LONG_TOKENS", 2)
        for size in (1, 7, 64, 1000):
            monkeypatch.setattr(pieces, "PIECE_TOKENS", size)
            assert decoder.tag(text) == whole
        assert not constrained or all(map(is_legal, whole))


@pytest.mark.parametrize("seed", range(4))
def test_of_paths_that_tie_pieces_choose_the_one_that_the_whole_chooses(monkeypatch, seed):
    rng = np.random.default_rng(seed)
    network = network_of(rng, TWO, TWO, bias=True)
    network.weights.flat[:] = 0.0
    for name in ("target_crf.A", "target_crf.b"):  # small whole numbers: sums are exact
        network.weights[name][...] = rng.integers(0, 2, network.weights[name].shape)
    decoder = Decoder(network, VOCABULARY, TWO, **{**LEGAL, "constrained": False})
    text = [tuple(rng.choice(TOKENS, size=T).tolist()) for T in (1, 2, 9, 40)]
    monkeypatch.setattr(decoding, "LONG_TOKENS", 10_000)
    whole = decoder.tag(text)
    monkeypatch.setattr(decoding, "LONG_TOKENS", 1)
    for size in (1, 4, 7, 100):
        monkeypatch.setattr(pieces, "PIECE_TOKENS", size)
        assert decoder.tag(text) == whole


def test_the_score_is_that_of_the_whole(monkeypatch):
    rng = np.random.default_rng(3)
    network = network_of(rng, TWO, TWO)
    decoder = Decoder(network, VOCABULARY, TWO, **LEGAL)
    tokens = rng.choice(TOKENS, size=90).tolist()
    scores = []
    for size in (5, 11, 90):
        monkeypatch.setattr(pieces, "PIECE_TOKENS", size)
        given = decoder.inputs, network.weights, decoder._head(), decoder.workers, decoder.products
        scores.append(pieces.best_tags_in_pieces(tokens, *given)[1])
    if numba.config.DISABLE_JIT:  # NumPy's products depend on their sizes, in the last bits
        np.testing.assert_allclose(scores, scores[0], rtol=1e-7)
    else:
        assert len(set(scores)) == 1  # to the last bit: the same sums, moved at the same tokens
    assert abs(scores[0]) > 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_not_finite_are_refused_in_any_piece(monkeypatch, value):
    monkeypatch.setattr(decoding, "LONG_TOKENS", 2)
    monkeypatch.setattr(pieces, "PIECE_TOKENS", 4)
    network = network_of(np.random.default_rng(4), TWO, TWO)
    decoder = Decoder(network, VOCABULARY, TWO, **LEGAL)
    decoder.tag([("a",) * 9])
    network.weights["target_crf.W"][0, 1] = value
    with pytest.raises(ScoreError, match="sentence 2 are not finite"):
        decoder.tag([(), ("a",) * 9])


@pytest.mark.parametrize("broken", [1, 2, 3])
def test_one_sentence_without_scores_is_named_wherever_it_stands(monkeypatch, broken):
    monkeypatch.setattr(decoding, "LONG_TOKENS", 2)
    network = network_of(np.random.default_rng(4), TWO, TWO)
    decoder = Decoder(network, VOCABULARY, TWO, **LEGAL)
    (row,) = VOCABULARY.encode(["a"])
    network.embedding[row] = np.nan
    text = [("a",) * 9 if number == broken else ("b",) * 9 for number in (1, 2, 3)]
    with pytest.raises(ScoreError, match=f"sentence {broken} are not finite"):
        decoder.tag(text)
