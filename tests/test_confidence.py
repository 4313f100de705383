"""How sure a decoder is: the same for any batch, piece and number of threads."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from slow_decoding import allowed, slow_scores
from test_decoding import ALPHABET, KINDS, LEGAL, TOKENS, TWO, VOCABULARY, network_of, sentences

from ladtl_np.arrays.workers import Workers
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.schemes import spans
from ladtl_np.errors import ScoreError
from ladtl_np.kernels.algebra.bfloat16 import has_dot_products
from ladtl_np.model import confidence, decoding, pieces
from ladtl_np.model.confidence import Asked
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.network import TARGET
from ladtl_np.model.tag_names import spelling_of
from ladtl_np.reference import crf, posterior

# uncompiled, products of NumPy in float32 depend on their sizes, in the last bits
NEAR = {"rtol": 1e-3, "atol": 1e-5} if numba.config.DISABLE_JIT else {"rtol": 1e-9, "atol": 1e-12}
ALL = Asked(paths=4, marginals=True)
IOB2 = TagSet.of_types("AB", "IOB2")


def sure_of(network, tags, text, *, threads=1, asked=ALL, **how):
    workers = Workers(threads)
    decoder = Decoder(network, VOCABULARY, tags, workers=workers, **{**LEGAL, **how})
    return decoder.start_sure(text, asked=asked)()


def same(one, other, *, exactly: bool) -> None:
    for a, b in zip(one, other, strict=True):
        assert a.tags == b.tags
        assert [path.tags for path in a.paths] == [path.tags for path in b.paths]
        numbers = [
            np.array([sure.probability, sure.entropy, *(path.probability for path in sure.paths)])
            for sure in (a, b)
        ]
        pairs = [numbers, (a.tokens, b.tokens), (a.marginals, b.marginals)]
        for x, y in pairs:
            assert x.shape == y.shape
            if exactly:
                assert x.tobytes() == y.tobytes()
            np.testing.assert_allclose(x, y, **NEAR)


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize(("kind", "tags"), [("emission bias", TWO), ("characters", IOB2)])
def test_each_sentence_is_told_what_its_own_scores_say(kind, tags, constrained):
    rng = np.random.default_rng(3)
    network = network_of(rng, tags, tags, **KINDS[kind])
    characters = ALPHABET if kind == "characters" else None
    text = sentences(rng)
    how = {"constrained": constrained, "characters": characters, "own_scheme": True}
    for sentence, sure in zip(text, sure_of(network, tags, text, **how), strict=True):
        if not sentence:
            assert (sure.tags, sure.probability, sure.entropy, len(sure.tokens)) == (
                (),
                1.0,
                0.0,
                0,
            )
            assert sure.paths == (((), 1.0),)
            continue
        E, A = slow_scores(network, VOCABULARY, sentence, TARGET, characters, True)
        start, end, step = allowed(tags.tags, constrained, tags.scheme)
        E[0] += start
        E[-1] += end
        A = A + step
        unary, _ = crf.marginals(E, A)
        numbers = np.array([tags.index[tag] for tag in sure.tags])
        token = unary[np.arange(len(E)), numbers]
        for first, last, of in spans(sure.tags, tags.scheme):
            span = first, last, 1 + tags.types.index(of)
            token[first:last] = posterior.span_posterior(E, A, *spelling_of(tags), span)
        near = {"rtol": 2e-4, "atol": 1e-5}  # the network is of float32
        np.testing.assert_allclose(sure.marginals, unary, **near)
        np.testing.assert_allclose(sure.tokens, token, **near)
        np.testing.assert_allclose(sure.entropy, posterior.entropy(E, A), rtol=1e-3, atol=1e-4)
        probability = np.exp(crf.log_likelihood(E, A, numbers))
        np.testing.assert_allclose(sure.probability, probability, rtol=2e-4)
        assert sure.paths[0].tags == sure.tags
        twin = [tuple(tags.tags[k] for k in path) for path, _ in posterior.best_paths(E, A, 4)]
        assert [path.tags for path in sure.paths] == twin


@pytest.mark.parametrize("size", [1, 7, 20])
@pytest.mark.parametrize("tags", [TWO, IOB2], ids=["BIOES", "IOB2"])
def test_pieces_say_what_the_whole_says(monkeypatch, tags, size):
    rng = np.random.default_rng(size)
    network = network_of(rng, tags, tags)
    text = [tuple(rng.choice(TOKENS, size=T).tolist()) for T in (60, 3, 21, 1, 0)]
    for constrained in (True, False):
        whole = sure_of(network, tags, text, constrained=constrained)
        with monkeypatch.context() as patch:
            patch.setattr(decoding, "LONG_TOKENS", 2)
            patch.setattr(pieces, "PIECE_TOKENS", size)
            same(whole, sure_of(network, tags, text, constrained=constrained), exactly=False)


def test_best_paths_of_a_long_sentence_are_found_in_pieces(monkeypatch):
    rng = np.random.default_rng(2)
    network, text = network_of(rng, TWO, TWO), [tuple(rng.choice(TOKENS, size=30).tolist())]
    whole = sure_of(network, TWO, text)
    monkeypatch.setattr(confidence, "LISTED_TOKENS", 10)
    monkeypatch.setattr(pieces, "PIECE_TOKENS", 7)
    same(whole, sure_of(network, TWO, text), exactly=False)
    plain = sure_of(network, TWO, text, asked=Asked())
    assert plain[0].paths == ()
    assert plain[0].marginals.shape == (0, len(TWO))
    assert plain[0].tokens.tobytes() == whole[0].tokens.tobytes()


def test_neither_batches_nor_threads_change_a_bit(monkeypatch):
    rng = np.random.default_rng(8)
    network, text = network_of(rng, TWO, TWO, bias=True), sentences(rng)
    first = sure_of(network, TWO, text)
    for batch, threads in ((1, 1), (8, 2), (100, 2)):
        monkeypatch.setattr(decoding, "BATCH_TOKENS", batch)
        same(first, sure_of(network, TWO, text, threads=threads), exactly=False)
    same(
        sure_of(network, TWO, text, threads=1), sure_of(network, TWO, text, threads=2), exactly=True
    )
    tags = Decoder(network, VOCABULARY, TWO, **LEGAL).tag(text)
    assert [sure.tags for sure in first] == tags


def test_temperature_changes_how_sure_tags_are_and_no_tag():
    rng = np.random.default_rng(5)
    network, text = network_of(rng, TWO, TWO), sentences(rng)
    first, warm = (sure_of(network, TWO, text, temperature=T) for T in (1.0, 3.0))
    assert [sure.tags for sure in first] == [sure.tags for sure in warm]
    for a, b in zip(first, warm, strict=True):
        assert [path.tags for path in a.paths] == [path.tags for path in b.paths]
        assert b.entropy >= a.entropy
    assert sum(b.probability < a.probability for a, b in zip(first, warm, strict=True)) > 10


def test_scores_that_are_not_finite_are_refused_as_in_plain_tagging(monkeypatch):
    network = network_of(np.random.default_rng(4), TWO, TWO)
    network.embedding[VOCABULARY.encode(["a"])] = np.nan
    for longest in (2, 100):
        monkeypatch.setattr(decoding, "LONG_TOKENS", longest)
        with pytest.raises(ScoreError, match="sentence 2 are not finite"):
            sure_of(network, TWO, [("b",) * 5, ("a", "b", "b")])


@pytest.mark.skipif(not has_dot_products(), reason="the processor has no dot products of bfloat16")
def test_bfloat16_says_nearly_the_same():
    rng = np.random.default_rng(6)
    network, text = network_of(rng, TWO, TWO), sentences(rng)
    exact = sure_of(network, TWO, text)
    for a, b in zip(exact, sure_of(network, TWO, text, precision="bfloat16"), strict=True):
        np.testing.assert_allclose(b.marginals, a.marginals, atol=0.1)


def test_more_paths_than_there_is_room_for_are_refused():
    with pytest.raises(ValueError, match=r"paths must lie in \[0, 100\], got 101"):
        sure_of(network_of(np.random.default_rng(0), TWO, TWO), TWO, [("a",)], asked=Asked(101))
