"""``ladtl model``: what is inside a model file, and whether it is sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import msgspec

from ladtl_np.commands.support.command import Group
from ladtl_np.commands.support.formats import (
    json_option,
    naming_standard_output,
    print_json,
    print_table,
    vocabulary_key_option,
)
from ladtl_np.printable import LONG, shown

if TYPE_CHECKING:
    from ladtl_np.model.file import Model
    from ladtl_np.model.source_head import SourceHead
    from ladtl_np.model.verify import Check

__all__ = ["command", "describe_model"]


@click.group(name="model", cls=Group)
def command() -> None:
    r"""Show what is inside a model file, and check it.

    \b
    Examples:
      ladtl model info run/best.safetensors
      ladtl model verify run/best.safetensors
      ladtl model privacy run/best.safetensors
    """


@command.command()
@click.argument("file", metavar="FILE")
@vocabulary_key_option
@json_option
def info(file: str, vocabulary_key: str | None, as_json: bool) -> None:
    r"""Describe a model FILE, which is checked in full while it is read.

    Method, sizes, number of parameters, tags and types, how text is cut into tokens, stored
    scores, versions and hashes of the training data. Words of the vocabulary are counted, not
    shown. A model whose words are hashed needs no key here; one that is given is checked.

    \b
    Examples:
      ladtl model info run/best.safetensors
      ladtl model info run/best.safetensors --json
    """
    from ladtl_np.commands.support.models import load

    description = describe_model(load(file, vocabulary_key))
    if as_json:
        print_json({"file": file, **description})
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False, title=shown(file, LONG))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(description):
        table.add_row(name, value)
    print_table(table, width=100)


@command.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@json_option
@click.pass_context
def verify(context: click.Context, files: tuple[str, ...], as_json: bool) -> None:
    r"""Check model FILEs and checkpoints, and say what each check found.

    Checks are those that loading makes: the file's form, format and version, tags and pairs of
    types, sizes, the checksum of all that was written, and that every number is finite. A line for
    each; after one that fails, the file's others are not made. Exit code 1 if any file fails.

    \b
    Examples:
      ladtl model verify run/best.safetensors
      ladtl model verify runs/*/*.safetensors --json
    """
    found = {file: _checks(file) for file in files}
    if as_json:
        print_json([_verdict(file, checks) for file, checks in found.items()])
    else:
        with naming_standard_output():
            for file, checks in found.items():
                click.echo("\n".join(_lines(file, checks)))
    if not all(map(_sound, found.values())):
        context.exit(1)


def _checks(file: str) -> list[Check]:
    from pathlib import Path

    from ladtl_np.model.verify import is_checkpoint, verify_model

    if not is_checkpoint(file):
        return verify_model(file)
    from ladtl_np.runs.checkpoint import verify_checkpoint

    return verify_checkpoint(Path(file))


def _sound(checks: list[Check]) -> bool:
    return all(check.held for check in checks)


def _verdict(file: str, checks: list[Check]) -> dict[str, Any]:
    return {"file": file, "sound": _sound(checks), "checks": [check._asdict() for check in checks]}


def _lines(file: str, checks: list[Check]) -> list[str]:
    """What a file's checks found, a line each."""
    words = {True: "ok", False: "FAILED", None: "-"}
    return [f"{shown(file, LONG)}: {'sound' if _sound(checks) else 'NOT SOUND'}"] + [
        f"  {check.name:<9} {words[check.held]:<7} {shown(check.found, LONG)}" for check in checks
    ]


@command.command()
@click.argument("file", metavar="FILE")
@click.option("--show-text", is_flag=True, help="Show the words and characters themselves.")
@json_option
def privacy(file: str, show_text: bool, as_json: bool) -> None:
    r"""List what a model FILE holds of the data that it was trained on.

    Words and characters are counted, among them those that occur once in training and those that
    look like names, dates, numbers or addresses by simple rules; docs/privacy.md says what they
    mean. Types, label map, names of files, hashes of training files and scores are listed. A model
    whose words are hashed needs no key here.

    \b
    Examples:
      ladtl model privacy run/best.safetensors
      ladtl model privacy run/best.safetensors --show-text --json
    """
    from ladtl_np.commands.support.contents import privacy_table
    from ladtl_np.model.file import load_model
    from ladtl_np.model.privacy import privacy_report

    report = privacy_report(load_model(file))
    if as_json:
        print_json({"file": file, **report.to_json(show_text=show_text)})
    else:
        print_table(privacy_table(file, report, show_text=show_text), width=100)


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
        "dev_unknown": msgspec.to_builtins(model.dev_unknown),
        "tags": {name: len(tags) for name, tags in heads.items()},
        "types": {name: list(tags.types) for name, tags in heads.items()},
        "matched_tags": first["matched_tags"],
        "matched_types": first["matched_types"],
        "sources": dict(zip(heads, matches, strict=False)),
        "scores": model.scores,
        "provenance": model.provenance,
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


def _rows(description: dict[str, Any]) -> list[tuple[str, str]]:
    """Bring the description into lines for people."""
    d = description
    rows = [
        ("method", f"{d['method']}, seed {d['seed']}"),
        ("sizes", f"embedding {d['embedding']:,}, hidden {d['hidden']:,} per direction"),
        *_structure(d),
        ("parameters", f"{d['parameters']:,} ({d['dtype']})"),
        ("vocabulary", _vocabulary(d)),
        *_unknown(d["dev_unknown"]),
        ("tokens", _tokens(d["profile"])),
        ("sentences", d["profile"]["sentences"]),
        ("tag scheme", f"{d['scheme']}; trained on {d['target_scheme']}"),
    ]
    for name, count in d["tags"].items():
        kinds = ", ".join(map(shown, d["types"][name]))
        rows.append((f"{name} tags", f"{count:,} tags of {len(d['types'][name]):,} types: {kinds}"))
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
