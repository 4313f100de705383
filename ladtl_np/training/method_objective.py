"""The loss that a method and its options ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np

from ladtl_np.corpus.labels import TagSet, matched_tags
from ladtl_np.errors import UsageError
from ladtl_np.layers.random_features import random_frequencies
from ladtl_np.model.network import head_names, projection_name
from ladtl_np.model.source_head import SourceHead
from ladtl_np.objective.terms import Objective, SourceTie
from ladtl_np.options.config import Config
from ladtl_np.options.method_checks import require_equal_tags
from ladtl_np.options.methods import Method
from ladtl_np.options.seeds import stream
from ladtl_np.shapes import Floats

__all__ = ["objective_of", "sources_alone"]


def objective_of(
    config: Config,
    method: Method,
    shared_crf: bool,
    sources: Sequence[SourceHead],
    target: TagSet,
) -> Objective:
    """Weights of the loss's terms, matched tags, and what is frozen.

    Parameters
    ----------
    config, method
        The options, and the row of the method that they choose.
    shared_crf
        Whether all domains have one CRF.
    sources
        Tags, pairs of types and share of each source; none for a method without one.
    target
        Tags of the target.

    Raises
    ------
    UsageError
        If the exact divergence is wanted and tags are unmatched, or a tag that is to be left out is
        not there.
    """
    options = config.objective
    if options.parameter_transfer == "kl":
        need = "objective.parameter_transfer=kl"
        for source in sources:
            require_equal_tags(source.tags, target, source.label_map, need, "leave it out")
    _require_known(options.exclude_tags, sources)
    used = msgspec.structs.replace(
        options,
        source_share=options.source_share if method.source == "with the target" else 0.0,
        w_mmd=options.w_mmd if method.mmd != "none" else 0.0,
        w_param=options.w_param if method.parameter_transfer else 0.0,
    )
    frozen = method.projection == "linear" and config.projection.frozen
    return Objective(
        options=used,
        ties=tuple(_tie(source, target, shared_crf, options.exclude_tags) for source in sources),
        label_aware=method.mmd != "all tokens",
        frozen=tuple(map(projection_name, head_names(len(sources) + 1))) if frozen else (),
        frequencies=_frequencies(config) if used.w_mmd and sources else None,
    )


def _frequencies(config: Config) -> Floats | None:
    """Those of the random features, which the seed decides; None where the MMD is exact."""
    if config.objective.mmd_estimator == "exact":
        return None
    width = 2 * config.model.hidden
    count = config.objective.mmd_features or width
    return random_frequencies(stream(config.seed, "random features"), count, width)


def sources_alone(objective: Objective, share: float, shares: Sequence[float]) -> Objective:
    """What the sources are trained on before the target: their likelihoods alone.

    Parameters
    ----------
    objective
        Of the training on the target.
    share
        Of all sources but the first, which stands in the target's place.
    shares
        Of each of these among them.
    """
    none = np.zeros(0, dtype=np.int64)
    ties = tuple(SourceTie((none, none), None, own) for own in shares)
    alone = objective.changed(source_share=share if ties else 0.0, w_mmd=0.0, w_param=0.0)
    return replace(alone, ties=ties, frozen=())


def _require_known(excluded: Sequence[str], sources: Sequence[SourceHead]) -> None:
    """Refuse tags to leave out that no source has."""
    known = dict.fromkeys(tag for source in sources for tag in source.tags.tags)
    unknown = set(excluded) - known.keys()
    if unknown and sources:
        raise UsageError(
            f"objective.exclude_tags names {', '.join(sorted(unknown))}, "
            f"which are not tags of the source: {', '.join(known)}"
        )


def _tie(
    source: SourceHead, target: TagSet, shared_crf: bool, excluded: Sequence[str]
) -> SourceTie:
    """How one source is tied to the target; a shared CRF numbers its tags as the target's."""
    same = np.arange(len(target))
    matched = (same, same) if shared_crf else matched_tags(source.tags, target, source.label_map)
    kept = [source.tags.tags[row] not in excluded for row in matched[0]]
    return SourceTie(matched, np.array(kept, dtype=np.float64), source.share)
