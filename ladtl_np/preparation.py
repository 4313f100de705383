"""From corpora to what training works on: vocabulary, tags, encoded sentences, a fresh network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import numpy as np

from ladtl_np.batching import EncodedSentence
from ladtl_np.config import Config
from ladtl_np.corpus.labels import LabelMap, TagSet, describe_match, matched_tags
from ladtl_np.corpus.raw import TokenMode
from ladtl_np.corpus.sampling import sample
from ladtl_np.corpus.schemes import to_bioes
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.vectors import VectorReport, load_vectors
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.errors import DataError, UsageError
from ladtl_np.methods import method_named
from ladtl_np.network import Architecture, Network, initialise
from ladtl_np.objective import Objective
from ladtl_np.shapes import Floats

__all__ = ["Corpora", "Prepared", "prepare"]


@dataclass(frozen=True, slots=True)
class Corpora:
    """The corpora of one run, as read.

    Attributes
    ----------
    source
        Training corpus of the source; None for a method without one.
    target
        Training corpus of the target, before sampling.
    dev
        Development corpus of the target, or None.
    tests
        Test corpora of the target by name.
    """

    source: Corpus | None
    target: Corpus
    dev: Corpus | None = None
    tests: tuple[Corpus, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything training needs, and nothing that it changes but `network`."""

    config: Config
    source: tuple[EncodedSentence, ...]
    target: tuple[EncodedSentence, ...]
    dev: Corpus | None
    vocabulary: Vocabulary
    source_tags: TagSet | None
    target_tags: TagSet
    objective: Objective
    network: Network
    label_map: LabelMap
    match: str  # which tags match, in words
    token_mode: TokenMode
    vectors: VectorReport | None


def prepare(config: Config, corpora: Corpora, label_map: LabelMap | None = None) -> Prepared:
    """Sample the target, build vocabulary and tags, encode, and draw start values.

    Raises
    ------
    UsageError
        If the method needs a source and there is none.
    DataError
        If a corpus has no tags, or the label map names types that are not there.
    """
    method = method_named(config.method)
    if method.uses_source and corpora.source is None:
        raise UsageError(
            f"method {config.method} learns from a source domain; give one with --source, "
            "or choose --method non-transfer"
        )
    source = corpora.source if method.uses_source else None
    data = config.data
    seed = config.seed if data.sample_seed < 0 else data.sample_seed
    target = sample(corpora.target, data.target_fraction, seed)
    training = [corpus for corpus in (source, target) if corpus is not None]
    for corpus in training:
        _require_tags(corpus)

    vocabulary, vectors, report = _vocabulary(config, training, corpora)
    source_tags = TagSet.from_corpora([source]) if source is not None else None
    target_tags = TagSet.from_corpora([target])
    objective, match = _objective(config, source_tags, target_tags, label_map)
    architecture = Architecture(
        vocabulary=len(vocabulary),
        embedding=config.model.embedding,
        hidden=config.model.hidden,
        source_tags=len(source_tags) if source_tags else 0,
        target_tags=len(target_tags),
        emission_bias=config.model.emission_bias,
    )
    network = initialise(architecture, np.random.default_rng([config.seed, 0]))
    for word, vector in vectors.items():
        network.embedding[vocabulary.index[word]] = vector
    return Prepared(
        config=config,
        source=_encode(source, vocabulary, source_tags),
        target=_encode(target, vocabulary, target_tags),
        dev=corpora.dev,
        vocabulary=vocabulary,
        source_tags=source_tags,
        target_tags=target_tags,
        objective=objective,
        network=network,
        label_map=label_map or LabelMap(),
        match=match,
        token_mode=_token_mode(training),
        vectors=report,
    )


def _token_mode(training: Iterable[Corpus]) -> TokenMode:
    """How raw text has to be cut to look like the training data."""
    tokens = (token for corpus in training for sentence in corpus for token in sentence.tokens)
    return "characters" if all(len(token) == 1 for token in tokens) else "spaces"


def _require_tags(corpus: Corpus) -> None:
    if not corpus.sentences:
        raise DataError(f"{corpus.name}: there is no sentence to train on")
    if any(sentence.tags is None for sentence in corpus):
        raise DataError(f"{corpus.name}: training needs tags, and some sentences have none")


def _vocabulary(
    config: Config, training: Iterable[Corpus], corpora: Corpora
) -> tuple[Vocabulary, dict[str, Floats], VectorReport | None]:
    """Words of the training corpora; with vectors, also evaluated words that have one."""
    options = msgspec.structs.asdict(config.vocabulary)
    path = config.data.embeddings
    if not path:
        return Vocabulary.build(training, **options), {}, None
    evaluated = [corpus for corpus in (corpora.dev, *corpora.tests) if corpus is not None]
    words = {token for corpus in evaluated for sentence in corpus for token in sentence.tokens}
    everything = Vocabulary.build(training, extra_words=words, **options)
    rows, values, report = load_vectors(path, everything.words, dimension=config.model.embedding)
    vectors = {everything.words[row]: value for row, value in zip(rows, values, strict=True)}
    return Vocabulary.build(training, extra_words=vectors, **options), vectors, report


def _objective(
    config: Config, source: TagSet | None, target: TagSet, label_map: LabelMap | None
) -> tuple[Objective, str]:
    method = method_named(config.method)
    options = method.objective(config.objective)
    none = np.zeros(0, dtype=np.int64)
    matched, match, weights = (none, none), "One domain only: no tags to match.", None
    if source is not None:
        matched = matched_tags(source, target, label_map)
        match = describe_match(source, target, label_map)
        unknown = set(options.exclude_tags) - source.index.keys()
        if unknown:
            raise UsageError(
                f"objective.exclude_tags names {', '.join(sorted(unknown))}, "
                f"which are not tags of the source: {', '.join(source.tags)}"
            )
        weights = np.array([source.tags[row] not in options.exclude_tags for row in matched[0]])
    objective = Objective(
        matched=matched,
        source_share=options.source_share,
        w_mmd=options.w_mmd,
        w_param=options.w_param,
        w_reg=options.w_reg,
        label_aware=method.label_aware,
        label_weights=None if weights is None else weights.astype(np.float64),
        variances=options.variances(),
    )
    return objective, match


def _encode(
    corpus: Corpus | None, vocabulary: Vocabulary, tags: TagSet | None
) -> tuple[EncodedSentence, ...]:
    if corpus is None or tags is None:
        return ()
    return tuple(
        EncodedSentence(
            vocabulary.encode(sentence.tokens),
            tags.encode(to_bioes(sentence.tags or (), corpus.scheme)),
        )
        for sentence in corpus
    )
