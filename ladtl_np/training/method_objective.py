"""The loss that a method and its options ask for."""

from __future__ import annotations

import msgspec
import numpy as np

from ladtl_np.corpus.labels import LabelMap, TagSet, matched_tags
from ladtl_np.errors import UsageError
from ladtl_np.model.network import PROJECTIONS
from ladtl_np.objective.terms import Objective
from ladtl_np.options.config import Config
from ladtl_np.options.method_checks import require_equal_tags
from ladtl_np.options.methods import Method

__all__ = ["objective_of"]


def objective_of(
    config: Config,
    method: Method,
    shared_crf: bool,
    source: TagSet | None,
    target: TagSet,
    label_map: LabelMap | None,
) -> Objective:
    """Weights of the loss's terms, matched tags, and what is frozen.

    Parameters
    ----------
    config, method
        The options, and the row of the method that they choose.
    shared_crf
        Whether both domains have one CRF.
    source, target
        Tags of either domain; None for a method without a source.
    label_map
        Pairs of types with other names.

    Raises
    ------
    UsageError
        If the exact divergence is wanted and tags are unmatched, or a tag that is to be left out is
        not there.
    """
    options = config.objective
    none = np.zeros(0, dtype=np.int64)
    matched, weights = (none, none), None
    if source is not None:
        same = np.arange(len(target))
        matched = (same, same) if shared_crf else matched_tags(source, target, label_map)
        if options.parameter_transfer == "kl":
            need = "objective.parameter_transfer=kl"
            require_equal_tags(source, target, label_map, need, "leave it out")
        unknown = set(options.exclude_tags) - source.index.keys()
        if unknown:
            raise UsageError(
                f"objective.exclude_tags names {', '.join(sorted(unknown))}, "
                f"which are not tags of the source: {', '.join(source.tags)}"
            )
        kept = [source.tags[row] not in options.exclude_tags for row in matched[0]]
        weights = np.array(kept, dtype=np.float64)
    used = msgspec.structs.replace(
        options,
        source_share=options.source_share if method.source == "with the target" else 0.0,
        w_mmd=options.w_mmd if method.mmd != "none" else 0.0,
        w_param=options.w_param if method.parameter_transfer else 0.0,
    )
    frozen = method.projection == "linear" and config.projection.frozen
    return Objective(
        options=used,
        matched=matched,
        label_aware=method.mmd != "all tokens",
        label_weights=weights,
        frozen=PROJECTIONS if frozen else (),
    )
