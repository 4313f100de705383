"""From corpora to what training works on: vocabulary, tags, encoded sentences, a fresh network."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.cutting.measuring import measure_profile
from ladtl_np.corpus.labels import LabelMap, TagSet, describe_match
from ladtl_np.corpus.sampling import sample
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DataError
from ladtl_np.model.vocabulary_key import read_or_make_key
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.options.config import Config
from ladtl_np.options.method_checks import (
    aligned_tags,
    chosen_method,
    shares_crf,
)
from ladtl_np.options.methods import Method, method_named
from ladtl_np.options.seeds import stream
from ladtl_np.training.encoding import encode_corpus
from ladtl_np.training.estimate import estimate, require_memory
from ladtl_np.training.method_objective import objective_of
from ladtl_np.training.prepared import Corpora, Prepared
from ladtl_np.training.remarks import opening_remarks, unknown_tokens
from ladtl_np.training.similarity import (
    cross_entropy_similarity,
    gaussian_similarity,
    polynomial_similarity,
)
from ladtl_np.training.start_values import StartValues
from ladtl_np.training.word_vectors import known_words

__all__ = ["Corpora", "Prepared", "prepare"]


def prepare(config: Config, corpora: Corpora, label_map: LabelMap | None = None) -> Prepared:
    """Sample the target, build vocabulary and tags, encode, and draw start values.

    Raises
    ------
    UsageError
        If the method needs a source and there is none, needs equal tags and they differ, or an
        option has no effect under it.
    DataError
        If a corpus has no tags, or the label map names types that are not there.
    LadtlError
        If training would take more memory than there is.
    """
    method = chosen_method(config, has_source=corpora.source is not None)
    source, target = _samples(config, method, corpora)
    training = [corpus for corpus in (source, target) if corpus is not None]
    for corpus in training:
        _require_tags(corpus)
    key = read_or_make_key(config.vocabulary.key) if config.vocabulary.key else None
    used = replace(corpora, source=source, target=target)
    vocabulary, rows, vectors = known_words(config, training, used.roles())
    characters = None
    if config.characters.hidden:
        least = config.vocabulary.min_count
        characters = Characters.build(training, lower=config.characters.lower, min_count=least)
    # of the distinct words as they are written, where their characters are read
    numbers: dict[str, int] | None = None if characters is None else {}
    shared = shares_crf(method, config.joint)
    scheme = config.model.scheme.upper()
    target_tags = TagSet.from_corpora([target], scheme)
    source_tags = None
    match = "One domain only: no tags to match."
    if source is not None:
        source_tags = TagSet.from_corpora([source], scheme)
        match = describe_match(source_tags, target_tags, label_map)
        if shared:
            need = f"method {config.method} with one CRF for both domains"
            source_tags = aligned_tags(source_tags, target_tags, label_map, need)
    start = StartValues(config, method, shared, vocabulary, characters, rows)
    sizes = start.architecture(source_tags, target_tags)
    memory = require_memory(estimate(config, method, sizes, source, target, corpora.dev))
    prepared = Prepared(
        config=config,
        method=method,
        source=encode_corpus(source, vocabulary, source_tags, numbers),
        target=encode_corpus(target, vocabulary, target_tags, numbers),
        dev=corpora.dev,
        vocabulary=vocabulary,
        source_tags=source_tags,
        target_tags=target_tags,
        objective=objective_of(config, method, shared, source_tags, target_tags, label_map),
        network=start.network(source_tags, target_tags),
        label_map=label_map or LabelMap(),
        match=match,
        profile=measure_profile(training[::-1]),  # the target decides
        vectors=vectors,
        characters=characters,
        key=key,
        names=(source.name if source is not None else "", target.name),
        memory=memory,
        target_scheme=corpora.target.scheme,
        unknown=(unknown := unknown_tokens(corpora, vocabulary)),
        remarks=opening_remarks(corpora, used, label_map, unknown),
    )
    if characters is not None and numbers is not None:
        prepared = replace(prepared, spelled=tuple(map(characters.spell, numbers)))
    if method.source == "before the target" or config.training.start == "source-model":
        prepared = replace(prepared, first_stage=_source_stage(prepared, start))
    if method.source == "before the target":
        alone = start.network(None, target_tags)
        return replace(prepared, source=(), source_tags=None, network=alone)
    if method.source_weights == "similarity":
        return replace(prepared, source=_weighted(prepared, start.trained_words))
    return prepared


def _samples(config: Config, method: Method, corpora: Corpora) -> tuple[Corpus | None, Corpus]:
    data = config.data
    seed = config.seed if data.sample_seed < 0 else data.sample_seed
    target = sample(corpora.target, data.target_fraction, stream(seed, "target sample"))
    if corpora.source is None or method.source == "unused":
        return None, target
    chance = stream(seed, "source sample")
    return sample(corpora.source, data.source_fraction, chance), target


def _weighted(prepared: Prepared, words: int) -> tuple[EncodedSentence, ...]:
    """The source's sentences, weighted by their likeness to the target's (cd-learning).

    `words` are those of the training data, row 0 among them; others do not count.
    """
    options, table = prepared.config.cd, prepared.network.embedding
    source = [sentence.words for sentence in prepared.source]
    target = [sentence.words for sentence in prepared.target]
    if options.similarity == "polynomial":
        weights = polynomial_similarity(source, target, table)
    elif options.similarity == "gaussian":
        weights = gaussian_similarity(source, target, table, options.width)
    else:
        weights = cross_entropy_similarity(source, target, words, options.order)
    return tuple(
        sentence._replace(weight=float(weight))
        for sentence, weight in zip(prepared.source, weights, strict=True)
    )


def _source_stage(prepared: Prepared, start: StartValues) -> Prepared:
    """Training on the source alone, with one CRF: what re-training and a warm start begin with."""
    config, source_tags = prepared.config, prepared.source_tags
    if source_tags is None:
        raise ValueError("two stages need a source")
    alone = method_named("non-transfer")
    training = msgspec.structs.replace(
        config.training,
        steps=config.reload.source_steps or config.training.steps,
        target_batch=config.training.source_batch,
    )
    start = start._replace(method=alone, shared_crf=False)
    objective = prepared.objective.changed(source_share=0.0, w_mmd=0.0, w_param=0.0)
    return replace(
        prepared,
        config=msgspec.structs.replace(config, training=training),
        method=alone,
        source=(),
        target=prepared.source,
        dev=None,
        source_tags=None,
        target_tags=source_tags,
        objective=replace(objective, frozen=()),
        network=start.network(None, source_tags, first_stage=True),
        names=("", prepared.names[0]),
    )


def _require_tags(corpus: Corpus) -> None:
    if not corpus.sentences:
        raise DataError(f"{corpus.name}: there is no sentence to train on")
    if any(sentence.tags is None for sentence in corpus):
        raise DataError(f"{corpus.name}: training needs tags, and some sentences have none")
