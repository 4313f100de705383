"""Which sentences are chosen: uncertainty by formula, distance by its twin, budgets by laws."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import oracles
import pytest
from slow_decoding import allowed, slow_scores
from test_decoding import ALPHABET, KINDS, LEGAL, TOKENS, TWO, VOCABULARY, network_of, sentences

from ladtl_np import select
from ladtl_np.arrays.workers import Workers
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.schemes import spans
from ladtl_np.errors import UsageError
from ladtl_np.kernels import farthest
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.network import TARGET
from ladtl_np.model.selection import choosing
from ladtl_np.model.selection.states import MOST_TOKENS, mean_states
from ladtl_np.model.selection.uncertainty import STRATEGIES, uncertainties
from ladtl_np.model.tag_names import allowed_tags, spelling_of
from ladtl_np.reference import crf
from ladtl_np.reference import selection as reference
from ladtl_np.reference.lstm import LstmWeights, bilstm_forward

MEASURES = STRATEGIES[:-1]


def of_reference(by, E, A, tags):
    """A measure by its twin, for the best path of a sentence's scores."""
    if by != "span":
        return getattr(reference, f"{by}_uncertainty")(E, A)
    path = np.array(crf.viterbi(E, A)[0])
    unary, _ = crf.marginals(E, A)
    named = [tags.tags[k] for k in path]
    found = [(a, b, 1 + tags.types.index(kind)) for a, b, kind in spans(named, tags.scheme)]
    return reference.span_uncertainty(E, A, *spelling_of(tags), unary, found, path)


def enumerated(E, A, tags):
    """All three measures from the probabilities of all paths."""
    paths = {p: q for p, q in oracles.path_probabilities(E, A).items() if q > 0}
    (best, first), (_, second) = sorted(paths.items(), key=lambda item: -item[1])[:2]
    entropy = -math.fsum(q * math.log(q) for q in paths.values())
    spelled = {p: set(spans([tags.tags[k] for k in p], tags.scheme)) for p in paths}
    right = [math.fsum(q for p, q in paths.items() if p[t] == best[t]) for t in range(len(E))]
    for span in spelled[best]:
        posterior = math.fsum(q for p, q in paths.items() if span in spelled[p])
        right[span[0] : span[1]] = [posterior] * (span[1] - span[0])
    return {
        "entropy": entropy / len(E),
        "margin": 2 * second / (first + second),
        "span": 1 - math.fsum(right) / len(E),
    }


@pytest.mark.parametrize("by", MEASURES)
@pytest.mark.parametrize("constrained", [True, False])
def test_the_twins_equal_enumeration(by, constrained):
    tags = TagSet.of_types("A")
    start, end, step = allowed_tags(tags, constrained=constrained)
    for seed, T in enumerate((1, 2, 4, 5)):
        rng = np.random.default_rng(seed)
        E, A = rng.normal(size=(T, len(tags))), rng.normal(size=(len(tags),) * 2)
        E[0, ~start] = E[-1, ~end] = A[~step] = -np.inf
        assert of_reference(by, E, A, tags) == pytest.approx(enumerated(E, A, tags)[by], rel=1e-10)


def test_of_a_single_path_nothing_is_uncertain():
    E, A = np.array([[0.0, -np.inf], [0.0, -np.inf]]), np.zeros((2, 2))
    assert reference.margin_uncertainty(E, A) == 0.0
    assert reference.entropy_uncertainty(E, A) == 0.0


@pytest.mark.parametrize("by", MEASURES)
@pytest.mark.parametrize("kind", ["emission bias", "characters"])
def test_a_sentence_is_as_uncertain_as_its_own_scores_say(by, kind):
    rng = np.random.default_rng(4)
    network = network_of(rng, TWO, TWO, **KINDS[kind])
    characters = ALPHABET if kind == "characters" else None
    text = [sentence for sentence in sentences(rng) if sentence]
    decoder = Decoder(network, VOCABULARY, TWO, characters=characters, **LEGAL)
    tagger = SimpleNamespace(
        sure_chunks=lambda given, asked: [decoder.start_sure(list(given), asked=asked)()]
    )
    found = uncertainties(tagger, text, by)
    start, end, step = allowed(TWO.tags, True, "BIOES")
    for sentence, value in zip(text, found, strict=True):
        E, A = slow_scores(network, VOCABULARY, sentence, TARGET, characters, True)
        E[0] += start
        E[-1] += end
        assert value == pytest.approx(of_reference(by, E, A + step, TWO), rel=2e-3, abs=2e-5)
        assert value >= 0


@pytest.mark.parametrize("kind", ["two CRFs", "characters"])
def test_a_sentence_stands_at_the_mean_of_its_hidden_states(kind, monkeypatch):
    rng = np.random.default_rng(7)
    network = network_of(rng, TWO, TWO, **KINDS[kind])
    text = [sentence for sentence in sentences(rng) if sentence]
    characters = ALPHABET if kind == "characters" else None
    one, two = (
        mean_states(
            Decoder(
                network, VOCABULARY, TWO, characters=characters, workers=Workers(threads), **LEGAL
            ),
            text,
        )
        for threads in (1, 2)
    )
    assert one.tobytes() == two.tobytes()
    if characters is not None:
        return
    named = {name: array.astype(np.float64) for name, array in network.named().items()}
    directions = (
        LstmWeights(*(named[f"{lead}.{part}"] for part in "WUb"))
        for lead in ("forward", "backward")
    )
    forward, backward = directions
    for sentence, state in zip(text, one, strict=True):
        rows = VOCABULARY.encode(sentence)
        H, _ = bilstm_forward(named["word_embedding"][rows], forward, backward)
        np.testing.assert_allclose(state, H.mean(axis=0), rtol=1e-4, atol=1e-6)


def test_of_a_very_long_sentence_the_start_says_where_it_stands():
    rng = np.random.default_rng(1)
    decoder = Decoder(network_of(rng, TWO, TWO), VOCABULARY, TWO, **LEGAL)
    tokens = tuple(rng.choice(TOKENS, size=MOST_TOKENS + 9).tolist())
    long, cut = mean_states(decoder, [tokens, tokens[:MOST_TOKENS]])
    np.testing.assert_array_equal(long, cut)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("centres", [0, 3])
def test_the_farthest_rows_are_those_of_the_twin(dtype, centres):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        n, K = 14, 5
        X, before = rng.normal(size=(n, K)).astype(dtype), rng.normal(size=(centres, K))
        weight, sizes = rng.random(n), rng.integers(1, 6, n)
        X[3] = X[9]
        for budget in (1, 7, int(sizes.sum()), 1_000):
            squares, order, gains = np.full(n, np.inf), np.empty(n, np.int64), np.empty(n)
            for centre in before.astype(dtype):
                farthest.nearest_squares(squares, X, centre)
            given = X, weight, sizes, budget
            count = farthest.farthest_first(order, gains, squares, *given)
            wide = X.astype(np.float64), weight, sizes, budget, before.astype(dtype).astype(float)
            twin = reference.farthest_first(*wide)
            assert order[: len(twin)].tolist() == [row for row, _ in twin]
            np.testing.assert_allclose(gains[: len(twin)], [gain for _, gain in twin], rtol=1e-10)
            assert count == min(len(twin), n) - (len(twin) > count)
            assert sizes[order[:count]].sum() >= min(budget, sizes.sum())
            assert sizes[order[: count - 1]].sum() < budget


def test_a_row_that_stands_where_one_was_chosen_comes_last():
    X = np.array([[0.0, 1.0], [0.0, 1.0], [5.0, 5.0], [0.0, 1.5]])
    order, gains = np.empty(4, np.int64), np.empty(4)
    weight, sizes = np.array([9.0, 9.0, 0.1, 0.1]), np.ones(4, np.int64)
    assert farthest.farthest_first(order, gains, np.full(4, np.inf), X, weight, sizes, 4) == 4
    assert order.tolist() == [0, 2, 3, 1]
    assert gains[-1] == 0.0


@pytest.fixture(scope="module")
def pool(tiny_corpus) -> list[tuple[str, ...]]:
    """Sentences, some of them twice, one of them empty."""
    found = [sentence.tokens for sentence in (*tiny_corpus.source, *tiny_corpus.target)]
    return [*found[:20], (), *found[20:], *found[:5]]


def test_the_most_uncertain_are_chosen_in_order(tiny_model, pool):
    found = select(tiny_model, pool, 6)
    values = [found.uncertainty[n] for n in found.chosen]
    assert values == sorted(values, reverse=True) == list(found.gains)
    assert found.next_gain is not None
    assert found.next_gain <= values[-1]
    assert found.tokens == sum(len(pool[n]) for n in found.chosen)
    assert found.mean_uncertainty == pytest.approx(sum(values) / 6)
    left = set(range(len(pool))) - set(found.chosen)
    tokens = {pool[n] for n in found.chosen}
    assert all(found.uncertainty[n] <= values[-1] or pool[n] in tokens for n in left)


@pytest.mark.parametrize("diverse", [False, True])
@pytest.mark.parametrize("by", STRATEGIES)
def test_every_strategy_chooses_each_text_once_whatever_the_threads(tiny_model, pool, by, diverse):
    one, two = (
        select(tiny_model, pool, 9, by=by, diverse=diverse, threads=threads) for threads in (1, 2)
    )
    assert (one.chosen, one.gains, one.next_gain) == (two.chosen, two.gains, two.next_gain)
    assert len({pool[n] for n in one.chosen}) == len(one.chosen) == 9
    assert one.copies == len([s for s in pool if s]) - len({s for s in pool if s})
    source = select(tiny_model, pool, 9, by=by, diverse=diverse, domain="source")
    assert (source.chosen == one.chosen) == (by == "random")


def test_diversity_chooses_among_the_most_uncertain(tiny_model, pool, monkeypatch):
    monkeypatch.setattr(choosing, "FEWEST", 1)
    monkeypatch.setattr(choosing, "CANDIDATES", 2)
    plain = select(tiny_model, pool, 12)
    found = select(tiny_model, pool, 6, diverse=True)
    assert set(found.chosen) < set(plain.chosen)
    assert found.chosen[0] == plain.chosen[0]
    assert found.chosen != plain.chosen[:6]


def test_the_seed_decides_what_is_chosen_at_random(tiny_model, pool):
    first, again, other = (select(tiny_model, pool, 8, by="random", seed=s) for s in (1, 1, 2))
    assert first.chosen == again.chosen != other.chosen
    doubled = select(tiny_model, pool, 99, by="random", copies=True)
    assert doubled.copies == 0
    assert len(doubled.chosen) == len([s for s in pool if s])


def test_a_budget_of_tokens_ends_with_the_sentence_that_reaches_it(tiny_model, pool):
    for diverse in (False, True):
        found = select(tiny_model, pool, 20, unit="tokens", diverse=diverse)
        assert found.tokens >= 20 > found.tokens - len(pool[found.chosen[-1]])


def test_what_is_annotated_is_not_chosen_and_kept_away_from(tiny_model, pool):
    annotated = pool[:30]
    found = select(tiny_model, pool, 99, annotated=annotated)
    assert not {pool[n] for n in found.chosen} & set(annotated)
    assert found.next_gain is None
    near = select(tiny_model, pool, 5, diverse=True, annotated=annotated)
    assert near.chosen != select(tiny_model, pool, 5, diverse=True).chosen
    with pytest.raises(UsageError, match="all of the pool is annotated"):
        select(tiny_model, pool, 5, annotated=pool)


def test_of_documents_the_tokens_decide_together(tiny_model):
    texts = [("A", "z"), ("x", "q", "q"), ("a",), (), ("x", "q", "q"), ("A", "z")]
    of_sentences = select(tiny_model, [s for s in texts if s], 1).uncertainty
    found = select(tiny_model, texts, 2, unit="documents", documents=(0, 2, 4))
    mean = (2 * of_sentences[0] + 3 * of_sentences[1]) / 5
    assert found.uncertainty == pytest.approx([mean, of_sentences[2], mean])
    assert len(found.chosen) == 2
    assert found.copies == 0  # the same sentences in another order are another document
    apart = select(tiny_model, texts, 9, unit="documents", documents=(0, 2, 4), diverse=True)
    assert apart.gains[-1] == pytest.approx(0.0, abs=1e-6)  # which stands where the first does


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"by": "luck"}, "by must be one of entropy, margin, span, random"),
        ({"unit": "pages"}, "unit must be one of"),
        ({"budget": 0}, "at least 1"),
        ({"unit": "documents"}, "wants the first sentence of each"),
        ({"documents": (0,)}, "wants the first sentence of each"),
        ({"unit": "documents", "documents": (0, 9)}, "rise from 0 and stay below 2"),
        ({"unit": "documents", "documents": (1,)}, "rise from 0"),
        ({"copies": True, "diverse": True}, "copies has no effect"),
        ({"sentences": [(), ()]}, "no sentence has a token"),
        ({"domain": "source3"}, "domain must be one of"),
    ],
)
def test_what_cannot_be_done_is_refused(tiny_model, changes, named):
    given = {"sentences": [("a",), ("x", "b")], "budget": 1, **changes}
    with pytest.raises(UsageError, match=named):
        select(tiny_model, **given)
