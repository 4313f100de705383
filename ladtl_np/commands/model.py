"""``ladtl model``: what is inside a model file, and whether it and its probabilities are sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ladtl_np.commands.calibrate import calibrate
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
    from ladtl_np.model.verify import Check

__all__ = ["command"]


@click.group(name="model", cls=Group)
def command() -> None:
    r"""Show what is inside a model file, check it, and calibrate it.

    \b
    Examples:
      ladtl model info run/best.safetensors
      ladtl model calibrate run/best.safetensors --dev dev.txt -o calibrated.safetensors
      ladtl model verify run/best.safetensors
      ladtl model privacy run/best.safetensors
    """


command.add_command(calibrate)


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
    from ladtl_np.commands.support.described import (
        describe_model,
        describe_source,
        lines_of,
        lines_of_source,
    )
    from ladtl_np.commands.support.models import load
    from ladtl_np.model.source_file import is_source_file, load_source_file

    if is_source_file(file):
        description = describe_source(load_source_file(file, vocabulary_key))
        rows = lines_of_source(description)
    else:
        description = describe_model(load(file, vocabulary_key))
        rows = lines_of(description)
    if as_json:
        print_json({"file": file, **description})
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False, title=shown(file, LONG))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
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
        told = {file: [check._asdict() for check in checks] for file, checks in found.items()}
        print_json([{"file": f, "sound": _sound(found[f]), "checks": told[f]} for f in found])
    else:
        with naming_standard_output():
            for file, checks in found.items():
                click.echo("\n".join(_lines(file, checks)))
    if not all(map(_sound, found.values())):
        context.exit(1)


def _checks(file: str) -> list[Check]:
    from pathlib import Path

    from ladtl_np.model.source_file import is_source_file
    from ladtl_np.model.verify import is_checkpoint, verify_model, verify_source

    if is_source_file(file):
        return verify_source(file)
    if not is_checkpoint(file):
        return verify_model(file)
    from ladtl_np.runs.checkpoint import verify_checkpoint

    return verify_checkpoint(Path(file))


def _sound(checks: list[Check]) -> bool:
    return all(check.held for check in checks)


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
    r"""List what a model FILE, or an exported source, holds of the data that it was trained on.

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
    from ladtl_np.model.privacy import privacy_report, source_privacy_report
    from ladtl_np.model.source_file import is_source_file, load_source_file

    if is_source_file(file):
        report = source_privacy_report(load_source_file(file))
    else:
        report = privacy_report(load_model(file))
    if as_json:
        print_json({"file": file, **report.to_json(show_text=show_text)})
    else:
        print_table(privacy_table(file, report, show_text=show_text), width=100)
