from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice

import numpy as np
import pytest
from small_corpora import small_config, small_corpora

from ladtl_np.bench.tagging_case import build_tagging_case
from ladtl_np.bench.workloads import WEIBO, build_case
from ladtl_np.errors import DataError, UsageError
from ladtl_np.model.file import Model
from ladtl_np.model.tagging import Tagger, make_decoder
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer

SENTENCES = [tuple("Czxab"), (), tuple("x"), tuple("Dz"), tuple("aDzEz")]


def test_tags_come_in_input_order_and_equal_the_decoders(tiny_model: Model) -> None:
    wanted = make_decoder(tiny_model).tag(SENTENCES)
    assert list(Tagger(tiny_model).tag(SENTENCES)) == wanted
    assert wanted[0] == ("B-Drug", "E-Drug", "S-Sign", "O", "O")
    assert wanted[1] == ()


@pytest.mark.parametrize("chunk", [{"chunk_tokens": 1}, {"chunk_sentences": 2}])
@pytest.mark.parametrize("threads", [1, 2])
def test_neither_chunks_nor_threads_change_tags(
    tiny_model: Model, tiny_corpus: Corpora, chunk: dict[str, int], threads: int
) -> None:
    sentences = [sentence.tokens for sentence in tiny_corpus.tests[0]]
    whole = list(Tagger(tiny_model).tag(sentences))
    assert list(Tagger(tiny_model, threads=threads, **chunk).tag(sentences)) == whole


@pytest.mark.parametrize("threads", [2, 8])
def test_more_threads_than_processors_tag_alike(threads: int) -> None:
    """Many batches, which end in any order."""
    case = build_case(replace(WEIBO, embedding=4, hidden=3, vocabulary=50))
    text = build_tagging_case(case, sentences=200)
    sentences = [line.split(" ") for line in text.lines]
    tagger = Tagger(text.model, threads=threads, chunk_tokens=2_048)
    assert list(tagger.tag(sentences)) == list(Tagger(text.model).tag(sentences))


@pytest.mark.parametrize(
    ("limits", "sizes"),
    [
        ({"chunk_tokens": 4}, [3, 2, 1]),  # 1 + 2 + 1, 3 + 1, 2
        ({"chunk_tokens": 1}, [1] * 6),
        ({"chunk_sentences": 4}, [4, 2]),
        ({"chunk_tokens": 4, "chunk_sentences": 2}, [2, 2, 2]),
        ({}, [6]),
    ],
)
def test_a_chunk_ends_at_its_tokens_or_its_sentences(
    tiny_model: Model, limits: dict[str, int], sizes: list[int]
) -> None:
    sentences = [("x",) * size for size in (1, 2, 1, 3, 1, 2)]
    chunks = list(Tagger(tiny_model, **limits)._chunks(sentences))
    assert [len(chunk) for chunk in chunks] == sizes
    assert [sentence for chunk in chunks for sentence in chunk] == sentences


def test_spans_are_the_entities_of_the_tags(tiny_model: Model) -> None:
    found = list(Tagger(tiny_model).spans(SENTENCES))
    assert found[0] == [(0, 2, "Drug"), (2, 3, "Sign")]
    assert found[1] == []
    assert found[4] == [(1, 3, "Drug"), (3, 5, "Drug")]


def test_an_endless_input_is_tagged_as_it_comes(tiny_model: Model) -> None:
    taken = 0

    def endless() -> Iterator[tuple[str, ...]]:
        nonlocal taken
        for _ in count():
            taken += 1
            yield ("x", "a")

    tagger = Tagger(tiny_model, chunk_sentences=10)
    assert list(islice(tagger.tag(endless()), 25)) == [("S-Sign", "O")] * 25
    assert taken == 40  # one chunk ahead


def test_the_sources_tagger_is_another_one(tiny_model: Model) -> None:
    decoder = make_decoder(tiny_model, domain="source")
    assert decoder.head == "source_crf"
    assert decoder.tags is tiny_model.source_tags


def test_a_model_without_a_source_says_so(tiny_model: Model) -> None:
    with pytest.raises(UsageError, match="no tagger of a source domain"):
        Tagger(replace(tiny_model, source_tags=None), domain="source")


def test_unknown_domains_and_empty_chunks_are_refused(tiny_model: Model) -> None:
    with pytest.raises(UsageError, match="one of target, source for this model"):
        Tagger(tiny_model, domain="both")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="room"):
        Tagger(tiny_model, chunk_tokens=0)


def test_unconstrained_decoding_may_break_the_scheme(tiny_model: Model) -> None:
    network = tiny_model.network.copy()
    forced = tiny_model.target_tags.index["I-Sign"]
    network.weights["target_crf.A"][:, forced] = 1e4
    bent = replace(tiny_model, network=network)
    assert next(Tagger(bent, constrained=False).tag([("a", "a")]))[1] == "I-Sign"
    assert next(Tagger(bent).tag([("a", "a")]))[1] != "I-Sign"


def test_a_very_long_sentence_is_tagged_whole(tiny_model: Model) -> None:
    (tags,) = Tagger(tiny_model).tag([tuple("Czxa" * 50_000)])
    assert len(tags) == 200_000
    assert tags[4000:4004] == ("B-Drug", "E-Drug", "S-Sign", "O")


@pytest.mark.parametrize("threads", [1, 2])
def test_what_was_read_before_an_error_is_tagged(tiny_model: Model, threads: int) -> None:
    def broken() -> Iterator[tuple[str, ...]]:
        yield from [("x", "a")] * 25
        raise DataError("line 26 is damaged")

    found: list[tuple[str, ...]] = []
    tagger = Tagger(tiny_model, chunk_sentences=10, threads=threads)
    with pytest.raises(DataError, match="line 26"):
        found.extend(tagger.tag(broken()))
    assert len(found) == 20  # whole chunks


@pytest.mark.parametrize("method", ["linear-projection", "domain-mask", "cd-learning"])
def test_a_shared_crf_tags_either_domain_through_its_own_projection(method: str) -> None:
    prepared = prepare(small_config(method=method), small_corpora())
    trainer = Trainer(prepared)
    for _ in trainer.run():
        pass
    model = build_model(prepared, trainer.best, {}, {})
    sentences = [sentence.tokens for sentence in small_corpora().tests[0]]
    rng = np.random.default_rng(0)
    model.network.weights["shared_crf.W"][...] += rng.normal(size=(12, 9))  # far from certain
    tagged = [list(Tagger(model, domain=domain).tag(sentences)) for domain in ("target", "source")]
    # without a projection both domains are one
    assert (tagged[0] == tagged[1]) == (method == "cd-learning")


def test_the_emission_bias_can_be_left_out_of_decoding() -> None:
    options = {"model": {"emission_bias": True}}
    kept = prepare(small_config(**options), small_corpora())
    kept.network.weights["target_crf.b"][...] = np.linspace(0, 100, 9)
    without = small_config(**options, decoding={"emission_bias": False})
    sentences = [sentence.tokens for sentence in small_corpora().tests[0]]
    with_bias, plain = (
        list(Tagger(build_model(replace(kept, config=c), kept.network, {}, {})).tag(sentences))
        for c in (kept.config, without)
    )
    assert with_bias != plain
    kept.network.weights["target_crf.b"][...] = 0.0
    zero = list(Tagger(build_model(kept, kept.network, {}, {})).tag(sentences))
    assert zero == plain
