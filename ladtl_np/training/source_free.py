"""Preparation of a training whose source is a file without text.            docs/source-free.md"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np

from ladtl_np.corpus.cutting.measuring import measure_profile
from ladtl_np.corpus.hashing import KEY_WANTED, HashKey
from ladtl_np.corpus.labels import LabelMap, TagSet
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.vocabulary import UNKNOWN, Vocabulary
from ladtl_np.errors import UsageError
from ladtl_np.model.network import EMBEDDING, Network, from_named, source_head
from ladtl_np.model.source_file import SourceFile, load_source_file
from ladtl_np.model.source_head import SourceHead
from ladtl_np.objective.terms import Objective
from ladtl_np.options.config import DEFAULTS, Config
from ladtl_np.options.method_options import ReloadOptions
from ladtl_np.options.methods import Method
from ladtl_np.training.encoding import encode_corpus
from ladtl_np.training.estimate import estimate, require_memory
from ladtl_np.training.method_objective import objective_of
from ladtl_np.training.prepared import Corpora, FromFile, Prepared
from ladtl_np.training.reloading import carry_layers
from ladtl_np.training.remarks import opening_remarks, unknown_tokens
from ladtl_np.training.source_domains import matches_told, paired
from ladtl_np.training.start_values import StartValues
from ladtl_np.training.word_vectors import known_words

__all__ = ["known_to_both", "prepare_source_free", "read_source", "started", "tied_to_sketches"]


def read_source(config: Config, label_map: LabelMap) -> FromFile:
    """Read the file that the options name, and refuse one that other options do not fit.

    Raises
    ------
    ModelFileError
        If it is no sound export.
    UsageError
        If sizes, scheme or normalisation are others than the options say, its words are hashed and
        the key is not given, or shares are wanted that its sources cannot have.
    DataError
        If the label map names types that are not there.
    """
    file = load_source_file(config.data.source_model, config.vocabulary.key or None)
    of, options = file.network.architecture, config
    alphabet = file.characters
    wanted = {
        "model.embedding": (options.model.embedding, of.embedding),
        "model.hidden": (options.model.hidden, of.hidden),
        "model.emission_bias": (options.model.emission_bias, of.emission_bias),
        "model.scheme": (options.model.scheme, file.own.tags.scheme.lower()),
        "characters.hidden": (options.characters.hidden, of.character_hidden),
        "vocabulary.lower": (options.vocabulary.lower, file.vocabulary.lower),
        "vocabulary.digits_to_zero": (
            options.vocabulary.digits_to_zero,
            file.vocabulary.digits_to_zero,
        ),
    }
    if alphabet is not None:
        wanted["characters.embedding"] = options.characters.embedding, of.character_embedding
        wanted["characters.lower"] = options.characters.lower, alphabet.lower
    for key, (own, its) in wanted.items():
        if own != its:
            written = str(its).lower()
            raise UsageError(
                f"{file.name}: the source's model has {key}={written}, and the options say "
                f"{str(own).lower()}; give --set {key}={written}, or export another model"
            )
    lock = file.vocabulary.lock
    if lock is not None and lock.key is None:
        raise UsageError(f"{file.name}: {KEY_WANTED}")
    if lock is None and config.vocabulary.key:
        raise UsageError(
            f"{file.name}: its words are not hashed, and vocabulary.key has no effect; leave it "
            "out, or export the source with it"
        )
    return FromFile(file, _heads_of(file, label_map, config.data.shares))


def _heads_of(file: SourceFile, label_map: LabelMap, shares: str) -> tuple[SourceHead, ...]:
    """Tags, pairs of types and share of each source in a file."""
    domains = file.domains()
    if shares == "likeness":
        raise UsageError(
            f"{file.name}: data.shares=likeness compares sentences, and the file has none; choose "
            "size, which counts tokens here, or equal"
        )
    if shares != DEFAULTS.data.shares and len(domains) == 1:
        raise UsageError(
            f"{file.name}: data.shares has no effect with a file of one source; leave it out"
        )
    parts = [sum(domain.counts) if shares == "size" else 1 for domain in domains]
    total = sum(parts) or 1
    maps = [label_map] * len(domains)
    if len(domains) > 1:
        maps = paired([set(domain.tags.types) for domain in domains], maps)
    return tuple(
        SourceHead(domain.tags, pairs, part / total)
        for domain, pairs, part in zip(domains, maps, parts, strict=True)
    )


def known_to_both(own: Vocabulary, file: SourceFile) -> Vocabulary:
    """Words of the target, then those that only the source has; all hashed where its are.

    A word that the source knows is never taken for an unknown one in training.
    """
    theirs = file.vocabulary
    known = np.array([theirs.knows(word) for word in own.words[1:]], np.bool_)
    singleton = own.singleton & ~np.concatenate([np.zeros(1, np.bool_), known])
    key = theirs.lock.key if theirs.lock is not None else None
    if key is None:
        further = [word for word in theirs.words[1:] if word not in own.index]
        return replace(own, singleton=singleton).extended(further)
    return _hashed_union(replace(own, singleton=singleton), theirs, key)


def _hashed_union(own: Vocabulary, theirs: Vocabulary, key: HashKey) -> Vocabulary:
    """Hashes of the words of both, in their order, which tells nothing of the words."""
    mine = {key.hash(word, "word"): row for row, word in enumerate(own.words) if row}
    hashes = sorted(mine.keys() | set(theirs.words[1:]))
    singleton = np.array([False, *(own.singleton[mine.get(each, 0)] for each in hashes)], np.bool_)
    return replace(own, words=(UNKNOWN, *hashes), singleton=singleton, lock=theirs.lock)


def started(
    start: StartValues, own: Vocabulary, both: Vocabulary, source: FromFile, target: TagSet
) -> Network:
    """The target's network: start values, then the words that the source knows, and its CRF.

    Parameters
    ----------
    start
        Of the target's own words.
    own, both
        These, and those of both from `known_to_both`.
    source
        Whose words are taken, and for whose CRFs there is room.
    target
        Tags of the target.
    """
    network = start.network([head.tags for head in source.heads], target)
    theirs = source.file.network
    table = np.zeros((len(both), network.embedding.shape[1]), np.float32)
    table[[0, *(both.index[word] for word in own.words[1:])]] = network.embedding
    row_of = {word: row for row, word in enumerate(both.words)}
    table[[row_of[word] for word in source.file.vocabulary.words]] = theirs.embedding
    sizes = msgspec.structs.replace(network.architecture, vocabulary=len(both))
    return from_named(sizes, {**network.named(), EMBEDDING: table})


def tied_to_sketches(objective: Objective, network: Network, file: SourceFile) -> Objective:
    """The loss with the sources' side as constants: CRFs frozen, rows by their sketches."""
    heads = tuple(f"{source_head(number)}." for number in range(len(objective.ties)))
    frozen = tuple(name for name in network.weights if name.startswith(heads))
    sketches = tuple(
        domain.sketch(row)
        for domain, tie in zip(file.domains(), objective.ties, strict=True)
        for row in tie.matched[0].tolist()
    )
    return replace(objective, frozen=frozen, frequencies=file.frequencies(), sketches=sketches)


def prepare_source_free(
    config: Config, method: Method, corpora: Corpora, target: Corpus, label_map: LabelMap
) -> Prepared:
    """What a training on a target and the file of a source starts from.

    Parameters
    ----------
    config, method
        The options, and the row of the method.
    corpora
        As read; no source is among them.
    target
        Its sentences that are used.
    label_map
        Pairs of types.

    Raises
    ------
    UsageError, ModelFileError, DataError
        As `read_source`, and as `training.preparation.prepare`.
    """
    source = read_source(config, label_map)
    used = replace(corpora, source=None, target=target, more_sources=())
    own, rows, vectors = known_words(config, [target], used.roles())
    vocabulary, characters = known_to_both(own, source.file), source.file.characters
    numbers: dict[str, int] | None = None if characters is None else {}
    tags = TagSet.from_corpora([target], config.model.scheme.upper())
    for head in source.heads:
        head.label_map.check(head.tags, tags)
    objective = objective_of(config, method, False, source.heads, tags)
    start = StartValues(config, method, False, own, characters, rows)
    sizes = start.architecture([head.tags for head in source.heads], tags)
    sizes = msgspec.structs.replace(sizes, vocabulary=len(vocabulary))
    memory = require_memory(estimate(config, method, sizes, (), target, corpora.dev))
    network = started(start, own, vocabulary, source, tags)
    carried = ReloadOptions(words=False)
    carry_layers(network, source.file.network, objective.ties, carried)
    encoded = encode_corpus(target, vocabulary, tags, numbers)
    unknown = unknown_tokens(corpora, vocabulary)
    lock = source.file.vocabulary.lock
    return Prepared(
        config=config,
        method=method,
        sources=(),
        target=encoded,
        dev=corpora.dev,
        vocabulary=vocabulary,
        target_tags=tags,
        objective=tied_to_sketches(objective, network, source.file),
        network=network,
        label_map=source.heads[0].label_map,
        match=matches_told(source.names(), source.heads, [h.tags for h in source.heads], tags),
        profile=measure_profile([target]),
        vectors=vectors,
        characters=characters,
        spelled=None if characters is None else tuple(map(characters.spell, numbers or ())),
        key=None if lock is None else lock.key,
        target_name=target.name,
        memory=memory,
        target_scheme=corpora.target.scheme,
        unknown=unknown,
        remarks=opening_remarks(corpora, used, (), unknown),
        from_file=source,
    )
