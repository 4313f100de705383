"""The sources of a training: which of their sentences, under which tags, and how much each counts.

With several, each has a CRF of its own, or all are joined to one corpus.        docs/methods.md
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ladtl_np.corpus.labels import LabelMap, TagSet, describe_match, listed
from ladtl_np.corpus.sampling import sample
from ladtl_np.corpus.schemes import to_bioes
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DataError, UsageError
from ladtl_np.model.source_head import SourceHead
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.options.config import Config
from ladtl_np.options.method_checks import aligned_tags
from ladtl_np.options.seeds import stream
from ladtl_np.printable import LONG, shown
from ladtl_np.shapes import Floats
from ladtl_np.training.similarity import polynomial_similarity

__all__ = [
    "aligned_heads",
    "joined",
    "maps_of",
    "match_of",
    "matches_told",
    "paired",
    "sampled",
    "shares_of",
]


def sampled(config: Config, corpora: Sequence[Corpus]) -> tuple[Corpus, ...]:
    """Each source's share of sentences, by a shuffle of its own."""
    data = config.data
    seed = config.seed if data.sample_seed < 0 else data.sample_seed
    return tuple(
        sample(corpus, data.source_fraction, stream(seed, "source sample", number=number))
        for number, corpus in enumerate(corpora)
    )


def joined(corpora: Sequence[Corpus]) -> Corpus:
    """All sources as one corpus, in BIOES; of one source just that."""
    if len(corpora) == 1:
        return corpora[0]
    sentences = (
        sentence if sentence.tags is None else replace(sentence, tags=tuple(to_bioes(*tagged)))
        for corpus in corpora
        for sentence in corpus
        for tagged in [(sentence.tags or (), corpus.scheme)]
    )
    return Corpus(" + ".join(corpus.name for corpus in corpora), tuple(sentences), "BIOES")


def maps_of(
    corpora: Sequence[Corpus], maps: Sequence[LabelMap | None], *, concatenate: bool = False
) -> list[LabelMap]:
    """The pairs of types of each source.

    Parameters
    ----------
    corpora
        Sources as they are trained on; a single one where they were joined.
    maps
        None, one for all of them, or one for each. Sources that have the same one need not all have
        all of its types.
    concatenate
        Whether the sources were joined, to which there is one map alone.

    Raises
    ------
    UsageError
        If their number is another one.
    DataError
        If a map names a type that no source under it has.
    """
    given = [LabelMap() if one is None else one for one in maps] or [LabelMap()]
    if concatenate and all(one == given[0] for one in given):
        given = given[:1]
    if concatenate and len(given) > 1:
        raise UsageError(
            "data.concatenate makes one source of all, which has one label map; give one"
        )
    if len(given) == 1:
        given *= len(corpora)
    if len(given) != len(corpora):
        raise UsageError(
            f"{len(given)} label maps for {len(corpora)} sources; give one for all of them, or one "
            "for each in their order"
        )
    if len(corpora) == 1:
        return given
    return paired([set(TagSet.from_corpora([corpus]).types) for corpus in corpora], given)


def paired(types: Sequence[set[str]], given: Sequence[LabelMap]) -> list[LabelMap]:
    """What of each source's map is of its own types; each pair has some source.

    Raises
    ------
    DataError
        If a map names a type that no source under it has.
    """
    return [_own_pairs(one, given, types, number) for number, one in enumerate(given)]


def _own_pairs(
    one: LabelMap, given: Sequence[LabelMap], types: Sequence[set[str]], number: int
) -> LabelMap:
    """The pairs of a map whose source types this source has; each pair has some source."""
    known = set().union(*(own for own, other in zip(types, given, strict=True) if other is one))
    if unknown := sorted(set(one.pairs) - known):
        raise DataError(
            f"{one.name}: {listed(unknown)} not among the types of the sources under it, which "
            f"are: {listed(sorted(known))}"
        )
    kept = {kind: partner for kind, partner in one.pairs.items() if kind in types[number]}
    return LabelMap(kept, one.name)


def aligned_heads(
    corpora: Sequence[Corpus], maps: Sequence[LabelMap], target: TagSet, shared_by: str = ""
) -> list[SourceHead]:
    """Tags of each source, and its map; shares are still to come.

    `shared_by` says who needs one CRF for all domains; the tags then stand in the target's order.
    """
    heads = []
    for corpus, label_map in zip(corpora, maps, strict=True):
        tags = TagSet.from_corpora([corpus], target.scheme)
        if shared_by:
            tags = aligned_tags(tags, target, label_map, shared_by)
        heads.append(SourceHead(tags, label_map, 1.0 / len(corpora)))
    return heads


def match_of(corpora: Sequence[Corpus], heads: Sequence[SourceHead], target: TagSet) -> str:
    """Which types match, of each source, in words."""
    if not heads:
        return "One domain only: no tags to match."
    tags = [TagSet.from_corpora([corpus], target.scheme) for corpus in corpora]
    return matches_told([corpus.name for corpus in corpora], heads, tags, target)


def matches_told(
    names: Sequence[str], heads: Sequence[SourceHead], tags: Sequence[TagSet], target: TagSet
) -> str:
    """The same of sources that have these names and tags."""
    told = [
        describe_match(own, target, head.label_map) for own, head in zip(tags, heads, strict=True)
    ]
    if len(told) == 1:
        return told[0]
    return "\n".join(
        f"{shown(name, LONG)}, share {100 * head.share:.1f} %:\n{match}"
        for name, head, match in zip(names, heads, told, strict=True)
    )


def shares_of(
    config: Config,
    sources: Sequence[Sequence[EncodedSentence]],
    target: Sequence[EncodedSentence],
    table: Floats,
) -> list[float]:
    """What each source counts; the shares sum to 1.

    Parameters
    ----------
    config
        ``data.shares`` chooses: equal, the number of sentences, or the mean polynomial similarity
        to the target.
    sources, target
        Training sentences as they are used.
    table
        (V, D) initial word vectors.
    """
    if config.data.shares == "equal" or len(sources) == 1:
        parts = [1.0] * len(sources)
    elif config.data.shares == "size":
        parts = [float(len(source)) for source in sources]
    else:
        parts = [_likeness(source, target, table) for source in sources]
    total = sum(parts)
    # sources that are not alike at all are equally so
    return [part / total for part in parts] if total else [1.0 / len(parts)] * len(parts)


def _likeness(
    source: Iterable[EncodedSentence], target: Iterable[EncodedSentence], table: Floats
) -> float:
    own, others = ([sentence.words for sentence in side] for side in (source, target))
    return float(np.mean(polynomial_similarity(own, others, table)))
