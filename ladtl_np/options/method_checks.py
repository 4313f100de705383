"""What a method needs of its options and of the two domains' tags, refused with a cure if amiss."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ladtl_np.corpus.labels import LabelMap, TagSet, listed, matched_tags, unmatched_types
from ladtl_np.errors import UsageError
from ladtl_np.options.config import DEFAULTS, Config
from ladtl_np.options.method_options import JointOptions
from ladtl_np.options.methods import METHODS, Method, method_named

__all__ = [
    "aligned_tags",
    "chosen_method",
    "has_effect",
    "require_equal_tags",
    "shares_crf",
]

# what a method has to do for an option that is not its own to have an effect
_NEEDED: dict[str, Callable[[Method], bool]] = {
    "objective.w_mmd": lambda method: method.mmd != "none",
    "objective.kernel": lambda method: method.mmd != "none" and method.reads_source,
    "objective.mmd_estimator": lambda method: method.mmd != "none" and method.reads_source,
    "objective.mmd_features": lambda method: method.mmd != "none" and method.reads_source,
    "objective.mmd_floor": lambda method: method.mmd != "none",
    "objective.exclude_tags": lambda method: method.mmd == "each label",
    "objective.w_param": lambda method: method.parameter_transfer,
    "objective.source_share": lambda method: method.source == "with the target",
    "training.epoch": lambda method: method.source == "with the target",
    "training.start": lambda method: method.source == "with the target",
    "training.batches": lambda method: method.mmd != "none" and method.reads_source,
    "training.source_batch": lambda method: method.reads_source,
    "data.source_fraction": lambda method: method.reads_source,
    "data.shares": lambda method: method.reads_source or method.source == "as a file",
    "data.concatenate": lambda method: method.reads_source,
    "data.source_model": lambda method: method.source == "as a file",
}


def has_effect(key: str, method: Method) -> bool:
    """Whether an option, by its dotted key, changes anything under a method."""
    return key not in _NEEDED or _NEEDED[key](method)


def chosen_method(config: Config, *, has_source: bool | None = None) -> Method:
    """The row of the chosen method, found to fit the options: looked up once, then handed on.

    Parameters
    ----------
    config
        Every option.
    has_source
        Whether there is a source domain to learn from; None where that is not known yet.

    Raises
    ------
    UsageError
        If there is no such method, it needs a source and there is none, or an option would have no
        effect under it: naming option and method.
    """
    method = method_named(config.method)
    _require_effect(config, method)
    _require_kept_vectors(config)
    _require_source_file(config, method)
    if method.reads_source and has_source is False:
        raise UsageError(
            f"method {config.method} learns from a source domain; give one with --source, "
            "or choose --method non-transfer"
        )
    return method


def _require_source_file(config: Config, method: Method) -> None:
    """Refuse a method without the file that it learns from, and a corpus in its place."""
    if method.source != "as a file":
        return
    data = config.data
    if data.source or data.more_sources:
        raise UsageError(
            f"method {config.method} reads no corpus of a source; leave --source out, or choose "
            "another method"
        )
    if not data.source_model:
        raise UsageError(
            f"method {config.method} learns from a source's file; give one with --source-model, "
            "which ladtl source export writes"
        )


def shares_crf(method: Method, joint: JointOptions) -> bool:
    """Whether the two domains have one CRF."""
    return joint.crf == "shared" if method.crf == "joint.crf" else method.crf == "shared"


def _require_effect(config: Config, method: Method) -> None:
    """Refuse options that would have no effect under the method."""
    warm = config.training.start == "source-model" and has_effect("training.start", method)
    for name, other in METHODS.items():
        if not other.options or other.options == method.options:
            continue
        if warm and other.options == "reload":
            continue
        section = getattr(config, other.options)
        for field in msgspec.structs.fields(section):
            if getattr(section, field.name) != field.default:
                also = " or training.start=source-model" if other.options == "reload" else ""
                raise UsageError(
                    f"{other.options}.{field.name} has no effect with method {config.method}; "
                    f"leave it out, or choose --method {name}{also}"
                )
    exact = config.objective.parameter_transfer == "kl"
    if config.objective.divergence_gradient != "target" and not exact:
        raise UsageError(
            "objective.divergence_gradient has no effect without --parameter-transfer kl; "
            "leave it out, or add that"
        )
    if exact and not method.parameter_transfer:
        able = [name for name, other in METHODS.items() if other.parameter_transfer]
        raise UsageError(
            f"objective.parameter_transfer has no effect with method {config.method}; "
            f"leave it out, or choose one of: {', '.join(able)}"
        )


def _require_kept_vectors(config: Config) -> None:
    """Refuse a choice among a file's words where there is no file, or none of them is taken."""
    keep = config.vectors.keep
    if keep == DEFAULTS.vectors.keep:
        return
    if not config.data.embeddings:
        raise UsageError(
            "vectors.keep has no effect without word vectors; leave it out, or give --embeddings"
        )
    if keep != "training" and config.vocabulary.min_count > 1:
        raise UsageError(
            f"vectors.keep={keep} has no effect with vocabulary.min_count above 1, with which a "
            "model holds no other words than its training data's; leave one of them out"
        )


def aligned_tags(source: TagSet, target: TagSet, label_map: LabelMap | None, need: str) -> TagSet:
    """The source's tags in the order of the target's, for a CRF of both.

    Raises
    ------
    UsageError
        If some tag has no partner: which types differ, and which methods work all the same.
    """
    able = [
        f"{name} with joint.crf=separate" if method.crf == "joint.crf" else name
        for name, method in METHODS.items()
        if method.crf != "shared"
    ]
    cure = f"choose a method that works with different types: {', '.join(able)}"
    require_equal_tags(source, target, label_map, need, cure)
    rows, partners = matched_tags(source, target, label_map)
    name_of = {int(partner): source.tags[row] for row, partner in zip(rows, partners, strict=True)}
    return TagSet(tuple(name_of[row] for row in range(len(target))), source.scheme)


def require_equal_tags(
    source: TagSet, target: TagSet, label_map: LabelMap | None, need: str, cure: str
) -> None:
    """Refuse tag sets that differ; `need` says what needs them equal, `cure` what else to do."""
    only_source, only_target = unmatched_types(source, target, label_map)
    if not only_source and not only_target:
        return
    raise UsageError(
        f"{need} needs the same entity types in both domains; only the source has "
        f"{listed(only_source)}, only the target has {listed(only_target)}. Pair types with "
        f"--label-map, or {cure}"
    )
