"""What ``ladtl model info`` says of a model, or of an exported source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ladtl_np.printable import LONG, counted, shown

if TYPE_CHECKING:
    from ladtl_np.model.file import Model
    from ladtl_np.model.sketched import Sketched
    from ladtl_np.model.source_file import SourceFile
    from ladtl_np.model.source_head import SourceHead

__all__ = ["describe_model", "describe_source", "lines_of", "lines_of_source"]


def describe_model(model: Model) -> dict[str, Any]:
    """Everything about a model but its numbers and its words, as plain values."""
    sizes, heads = model.network.architecture, model.tag_sets()
    matches = [_match(model, head) for head in model.sources]
    first = matches[0] if matches else {"share": 1.0, "matched_tags": 0, "matched_types": {}}
    return {
        "method": model.config.method,
        "seed": model.config.seed,
        "embedding": sizes.embedding,
        "hidden": sizes.hidden,
        "emission_bias": sizes.emission_bias,
        "shared_crf": sizes.shared_crf,
        "projection": sizes.projection,
        "character_hidden": sizes.character_hidden,
        "parameters": sum(int(array.size) for array in model.network.named().values()),
        "dtype": str(model.network.embedding.dtype),
        "vocabulary": len(model.vocabulary),
        "hashed": model.vocabulary.lock is not None,
        "singletons": int(model.vocabulary.singleton.sum()),
        "lower": model.vocabulary.lower,
        "digits_to_zero": model.vocabulary.digits_to_zero,
        "token_mode": model.token_mode,
        "profile": model.profile.to_state(),
        "scheme": model.target_tags.scheme,
        "target_scheme": model.target_scheme,
        "temperature": model.temperature,
        "dev_unknown": msgspec.to_builtins(model.dev_unknown),
        "tags": {name: len(tags) for name, tags in heads.items()},
        "types": {name: list(tags.types) for name, tags in heads.items()},
        "matched_tags": first["matched_tags"],
        "matched_types": first["matched_types"],
        "sources": dict(zip(heads, matches, strict=False)),
        "scores": model.scores,
        "provenance": model.provenance,
    }


def describe_source(source: SourceFile) -> dict[str, Any]:
    """Everything about an exported source but its numbers and its words, as plain values."""
    sizes, own, *passed_on = source.network.architecture, *map(_sketched, source.domains())
    return {
        "kind": "source without its text",
        "embedding": sizes.embedding,
        "hidden": sizes.hidden,
        "emission_bias": sizes.emission_bias,
        "character_hidden": sizes.character_hidden,
        "vocabulary": len(source.vocabulary),
        "hashed": source.vocabulary.lock is not None,
        "lower": source.vocabulary.lower,
        "digits_to_zero": source.vocabulary.digits_to_zero,
        "scheme": source.own.tags.scheme,
        **own,
        "features": source.features,
        "passed_on": passed_on,
        "provenance": source.provenance,
    }


def _sketched(source: Sketched) -> dict[str, Any]:
    """What a file says of one source."""
    tags = source.tags
    return {
        "types": list(tags.types),
        "counts": dict(zip(tags.tags, source.counts, strict=True)),
        "sketches": [tags.tags[row] for row in sorted(source.sketches)],
        "variances": list(source.variances),
        "noise": msgspec.to_builtins(source.noise),
    }


def _match(model: Model, head: SourceHead) -> dict[str, Any]:
    """What one source counts, and which of its types match the target's."""
    from ladtl_np.corpus.labels import matched_tags

    tags, target, label_map = head.tags, model.target_tags, head.label_map
    partners = label_map.partners(tags.types, target.types)
    return {
        "share": head.share,
        "matched_tags": len(matched_tags(tags, target, label_map)[0]),
        "matched_types": {kind: partner for kind, partner in partners.items() if partner},
    }


def lines_of_source(description: dict[str, Any]) -> list[tuple[str, str]]:
    """Bring the description of an exported source into lines; those it passes on come last."""
    own = {name: value for name, value in description.items() if name != "passed_on"}
    for number, source in enumerate(description["passed_on"], 2):
        own |= {f"source{number} {name}": value for name, value in source.items()}
    return [(name, shown(str(value), LONG)) for name, value in own.items()]


def lines_of(description: dict[str, Any]) -> list[tuple[str, str]]:
    """Bring the description into lines for people."""
    d = description
    rows = [
        ("method", f"{d['method']}, seed {d['seed']}"),
        ("sizes", f"embedding {d['embedding']:,}, hidden {d['hidden']:,} per direction"),
        *_structure(d),
        ("parameters", f"{d['parameters']:,} ({d['dtype']})"),
        ("vocabulary", _vocabulary(d)),
        *_unknown(d["dev_unknown"]),
        ("temperature", f"{d['temperature']:.4f}"),
        ("tokens", _tokens(d["profile"])),
        ("sentences", d["profile"]["sentences"]),
        ("tag scheme", f"{d['scheme']}; trained on {d['target_scheme']}"),
    ]
    for name, count in d["tags"].items():
        kinds = ", ".join(map(shown, d["types"][name]))
        types = counted(len(d["types"][name]), "types")
        rows.append((f"{name} tags", f"{counted(count, 'tags')} of {types}: {kinds}"))
    for name, match in d["sources"].items():
        pairs = (
            shown(kind) if kind == partner else f"{shown(kind)} = {shown(partner)}"
            for kind, partner in match["matched_types"].items()
        )
        told = f"{match['matched_tags']:,} tags; types: {', '.join(pairs) or 'none'}"
        if len(d["sources"]) == 1:
            rows.append(("matched", told))
        else:
            rows.append((f"{name} matched", f"share {100 * match['share']:.1f} %, {told}"))
    origins = dict(d["provenance"])
    rows += _vectors(origins)
    return rows + _flat("scores", d["scores"]) + _flat("provenance", origins)


def _vectors(origins: dict[str, Any]) -> list[tuple[str, str]]:
    """Take what is told of word vectors out, as lines for people; what makes no sense stays."""
    from ladtl_np.commands.support.vectors_told import coverage_told, file_told
    from ladtl_np.corpus.vectors.used import read_used

    used = read_used(origins.get("vectors"))
    if used is None:
        return []
    del origins["vectors"]
    rows = [("vectors", file_told(used)), ("vectors' SHA-256", shown(used.file.sha256, 80))]
    return rows + [
        (f"{shown(split.role, 20)} vectors", coverage_told(split)) for split in used.coverage
    ]


def _unknown(counted: dict[str, int] | None) -> list[tuple[str, str]]:
    """How much of the development data is not in the vocabulary."""
    if not counted or not counted["tokens"]:
        return []
    unknown, tokens = counted["unknown"], counted["tokens"]
    share = f"{100 * unknown / tokens:.1f} %"
    return [("unknown", f"{share} of the {tokens:,} tokens of the development data")]


def _vocabulary(d: dict[str, Any]) -> str:
    count = f"{d['vocabulary']:,} words"
    return f"{count}, hashed" if d["hashed"] else f"{count}, {d['singletons']:,} once in training"


def _tokens(profile: dict[str, Any]) -> str:
    """What a token of text is, and for words where they part."""
    if profile["tokens"] != "words":
        return str(profile["tokens"])
    parted = [name for name, kept in profile["joints"].items() if kept is False]
    clitics = [f"{name} {how}" for name, how in profile["joints"].items() if isinstance(how, str)]
    return f"words; parted: {', '.join(parted) or 'none'}; {', '.join(clitics)}"


def _structure(d: dict[str, Any]) -> list[tuple[str, str]]:
    """What a model has beside an encoder and a CRF for each domain."""
    rows = []
    if d["shared_crf"]:
        before = {"none": "", "linear": ", behind a map for each", "mask": ", behind fixed masks"}
        among = "both" if len(d["sources"]) < 2 else "all"
        rows.append(("CRF", f"one for {among} domains{before[d['projection']]}"))
    if d["character_hidden"]:
        rows.append(("characters", f"BiLSTM with {d['character_hidden']:,} units per direction"))
    return rows


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    """Write nested values as one line each; the scores of single types are left to ``--json``."""
    if not isinstance(value, dict):
        text = f"{value:.4f}" if isinstance(value, float) else str(value)
        return [(shown(name, 80), shown(text, 80))]
    rows = []
    for key, inner in value.items():
        if key != "per_type":
            rows += _flat(f"{name}.{key}", inner)
    return rows
