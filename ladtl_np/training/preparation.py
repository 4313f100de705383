"""From corpora to what training works on: vocabulary, tags, encoded sentences, a fresh network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec

from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.chosen import Chosen, read_chosen, take
from ladtl_np.corpus.cutting.measuring import measure_profile
from ladtl_np.corpus.cutting.profile import Profile
from ladtl_np.corpus.hashing import HashKey
from ladtl_np.corpus.labels import LabelMap, TagSet
from ladtl_np.corpus.sampling import sample
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.vectors.used import UsedVectors
from ladtl_np.errors import DataError
from ladtl_np.model.vocabulary_key import read_or_make_key
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.options.config import Config
from ladtl_np.options.method_checks import chosen_method, shares_crf
from ladtl_np.options.methods import Method, method_named
from ladtl_np.options.seeds import stream
from ladtl_np.shapes import Integers
from ladtl_np.training.encoding import encode_corpus
from ladtl_np.training.estimate import estimate, require_memory
from ladtl_np.training.method_objective import objective_of, sources_alone
from ladtl_np.training.prepared import Corpora, Prepared, Source
from ladtl_np.training.remarks import opening_remarks, unknown_tokens
from ladtl_np.training.similarity import (
    cross_entropy_similarity,
    gaussian_similarity,
    polynomial_similarity,
)
from ladtl_np.training.source_domains import (
    aligned_heads,
    joined,
    maps_of,
    match_of,
    sampled,
    shares_of,
)
from ladtl_np.training.source_free import prepare_source_free
from ladtl_np.training.start_values import StartValues
from ladtl_np.training.word_vectors import known_words

__all__ = ["Corpora", "Prepared", "prepare", "target_sample"]


def prepare(config: Config, corpora: Corpora, *label_maps: LabelMap | None) -> Prepared:
    """Sample the corpora, build vocabulary and tags, encode, and draw start values.

    Parameters
    ----------
    config
        Every option.
    corpora
        As read.
    *label_maps
        Pairs of types: none, one for all sources, or one for each.

    Raises
    ------
    UsageError
        If the method needs a source and there is none, needs equal tags and they differ, or an
        option has no effect under it.
    DataError
        If a corpus has no tags, the label map names types that are not there, or the file of chosen
        sentences is none of this corpus.
    LadtlError
        If training would take more memory than there is.
    """
    method = chosen_method(config, has_source=corpora.source is not None)
    chosen = read_chosen(config.data.target_chosen) if config.data.target_chosen else None
    sources, target = _samples(config, method, corpora, chosen)
    training = [*sources, target]
    for corpus in training:
        _require_tags(corpus)
    if method.source == "as a file":
        free = prepare_source_free(config, method, corpora, target, _only(label_maps))
        return replace(free, chosen=chosen)
    if config.data.concatenate and sources:
        sources = (joined(sources),)
    maps = maps_of(sources, label_maps, concatenate=config.data.concatenate) if sources else []
    first, more = (sources[0], sources[1:]) if sources else (None, ())
    used = replace(corpora, source=first, target=target, more_sources=more)
    words = _words(config, method, training, used)
    prepared = _joined_parts(words, corpora, used, maps)
    prepared = replace(prepared, chosen=chosen, label_map=maps[0] if maps else _only(label_maps))
    return _with_method(prepared, words.start)


class _Words(NamedTuple):
    """What words and characters are to a run.

    Attributes
    ----------
    start
        Start values, with vocabulary and alphabet.
    key
        Under which the model's words are hashed; None where they stand as they are.
    vectors
        What a file of word vectors gave.
    profile
        How raw text has to be cut to look like the training data.
    numbers
        Number of each distinct word as it is written, to be filled in by encoding; None where
        characters are not read.
    """

    start: StartValues
    key: HashKey | None
    vectors: UsedVectors | None
    profile: Profile
    numbers: dict[str, int] | None


def _words(config: Config, method: Method, training: Sequence[Corpus], used: Corpora) -> _Words:
    """Vocabulary and alphabet of the training sentences, and the vectors of words."""
    key = read_or_make_key(config.vocabulary.key) if config.vocabulary.key else None
    vocabulary, rows, vectors = known_words(config, training, used.roles())
    characters = None
    if config.characters.hidden:
        least = config.vocabulary.min_count
        characters = Characters.build(training, lower=config.characters.lower, min_count=least)
    shared = shares_crf(method, config.joint)
    start = StartValues(config, method, shared, vocabulary, characters, rows)
    profile = measure_profile(training[::-1])  # the target decides
    return _Words(start, key, vectors, profile, None if characters is None else {})


def _joined_parts(
    words: _Words, corpora: Corpora, used: Corpora, maps: Sequence[LabelMap]
) -> Prepared:
    """Heads, start values, encoded sentences and loss, before what only some methods do.

    Parameters
    ----------
    words
        What words are.
    corpora
        As read.
    used
        The same, with the sentences that are trained on.
    maps
        Pairs of types of each source.
    """
    start, numbers = words.start, words.numbers
    config, method, sources, target = start.config, start.method, used.sources, used.target
    tags = TagSet.from_corpora([target], config.model.scheme.upper())
    need = f"method {config.method} with one CRF for both domains" if start.shared_crf else ""
    heads = aligned_heads(sources, maps, tags, need)
    sizes = start.architecture([head.tags for head in heads], tags)
    memory = require_memory(estimate(config, method, sizes, sources, target, corpora.dev))
    network = start.network([head.tags for head in heads], tags)
    encoded = [
        encode_corpus(corpus, start.vocabulary, head.tags, numbers)
        for corpus, head in zip(sources, heads, strict=True)
    ]
    of_target = encode_corpus(target, start.vocabulary, tags, numbers)
    shares = shares_of(config, encoded, of_target, network.embedding) if sources else []
    heads = [head._replace(share=share) for head, share in zip(heads, shares, strict=True)]
    unknown, characters = unknown_tokens(corpora, start.vocabulary), start.characters
    return Prepared(
        config=config,
        method=method,
        sources=tuple(
            Source(corpus.name, sentences, head)
            for corpus, sentences, head in zip(sources, encoded, heads, strict=True)
        ),
        target=of_target,
        dev=corpora.dev,
        vocabulary=start.vocabulary,
        target_tags=tags,
        objective=objective_of(config, method, start.shared_crf, heads, tags),
        network=network,
        label_map=LabelMap(),
        match=match_of(sources, heads, tags),
        profile=words.profile,
        vectors=words.vectors,
        characters=characters,
        spelled=None if characters is None else tuple(map(characters.spell, numbers or ())),
        key=words.key,
        target_name=target.name,
        target_tokens=target.token_count,
        memory=memory,
        target_scheme=corpora.target.scheme,
        unknown=unknown,
        remarks=opening_remarks(corpora, used, maps, unknown),
    )


def _with_method(prepared: Prepared, start: StartValues) -> Prepared:
    """What the method does before training: a first stage, weights of the source's sentences."""
    method = prepared.method
    if method.source == "before the target" or prepared.config.training.start == "source-model":
        prepared = replace(prepared, first_stage=_source_stage(prepared, start))
    if method.source == "before the target":
        return replace(prepared, sources=(), network=start.network([], prepared.target_tags))
    if method.source_weights == "similarity":
        return replace(prepared, sources=_weighted(prepared, start.trained_words))
    return prepared


def _samples(
    config: Config, method: Method, corpora: Corpora, chosen: Chosen | None
) -> tuple[tuple[Corpus, ...], Corpus]:
    target = target_sample(config, corpora.target, chosen)
    return (sampled(config, corpora.sources) if method.reads_source else ()), target


def target_sample(config: Config, corpus: Corpus, chosen: Chosen | None) -> Corpus:
    """The target's sentences that a run is trained on: those chosen, or a share of all."""
    if chosen is not None:
        return take(corpus, chosen)
    data = config.data
    seed = config.seed if data.sample_seed < 0 else data.sample_seed
    return sample(corpus, data.target_fraction, stream(seed, "target sample"))


def _only(maps: Sequence[LabelMap | None]) -> LabelMap:
    """The pairs of types that a training without a source was given."""
    return next((one for one in maps if one is not None), LabelMap())


def _weighted(prepared: Prepared, words: int) -> tuple[Source, ...]:
    """Each source with its sentences weighted by their likeness to the target's (cd-learning).

    `words` are those of the training data, row 0 among them; others do not count.
    """
    target = [sentence.words for sentence in prepared.target]
    return tuple(
        replace(source, sentences=_alike(prepared, source.sentences, target, words))
        for source in prepared.sources
    )


def _alike(
    prepared: Prepared,
    sentences: Sequence[EncodedSentence],
    target: Sequence[Integers],
    words: int,
) -> tuple[EncodedSentence, ...]:
    options, table = prepared.config.cd, prepared.network.embedding
    source = [sentence.words for sentence in sentences]
    if options.similarity == "polynomial":
        weights = polynomial_similarity(source, target, table)
    elif options.similarity == "gaussian":
        weights = gaussian_similarity(source, target, table, options.width)
    else:
        weights = cross_entropy_similarity(source, target, words, options.order)
    return tuple(
        sentence._replace(weight=float(weight))
        for sentence, weight in zip(sentences, weights, strict=True)
    )


def _source_stage(prepared: Prepared, start: StartValues) -> Prepared:
    """Training on the sources alone: what re-training and a warm start begin with.

    One source is trained with a single CRF. Several are trained jointly, each with its own: the
    first one stands in the target's place, and its share is 1 - epsilon.
    """
    config, (source, *others) = prepared.config, prepared.sources
    alone, share = method_named("non-transfer"), 1.0 - prepared.sources[0].head.share
    more = tuple(
        replace(other, head=other.head._replace(share=other.head.share / share)) for other in others
    )
    training = msgspec.structs.replace(
        config.training,
        steps=config.reload.source_steps or config.training.steps,
        target_batch=config.training.source_batch,
    )
    start = start._replace(method=alone, shared_crf=False)
    return replace(
        prepared,
        config=msgspec.structs.replace(config, training=training),
        method=alone,
        sources=more,
        target=source.sentences,
        dev=None,
        target_tags=source.head.tags,
        objective=sources_alone(prepared.objective, share, [one.head.share for one in more]),
        network=start.network([one.head.tags for one in more], source.head.tags, first_stage=True),
        target_name=source.name,
    )


def _require_tags(corpus: Corpus) -> None:
    if not corpus.sentences:
        raise DataError(f"{corpus.name}: there is no sentence to train on")
    if any(sentence.tags is None for sentence in corpus):
        raise DataError(f"{corpus.name}: training needs tags, and some sentences have none")
