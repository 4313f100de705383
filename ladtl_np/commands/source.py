"""``ladtl source``: a source domain as a file without its text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ladtl_np.commands.support.command import Group, refuse_without_effect
from ladtl_np.commands.support.formats import json_option, print_json
from ladtl_np.commands.support.ranges import FiniteRange
from ladtl_np.commands.support.reading import format_setting

__all__ = ["command"]


@click.group(name="source", cls=Group)
def command() -> None:
    r"""Turn a trained model and its text into a file without the text, to learn from elsewhere.

    \b
    Examples:
      ladtl source export run/best.safetensors --out source.safetensors
    """


@command.command()
@click.argument("model", metavar="MODEL")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write.")
@click.option("--overwrite", is_flag=True, help="Replace a file at --out.")
@click.option(
    "--data",
    help="Text that the model was trained on.  [default: the target of the run's config.toml]",
)
@click.option(
    "--data-format",
    multiple=True,
    metavar="KEY=VALUE",
    help="How --data is read, such as token_column=1.",
)
@click.option(
    "--kernel",
    type=click.Choice(("reference", "median")),
    default="reference",
    show_default=True,
    help="Variances of the sketches' Gaussians.",
)
@click.option(
    "--features",
    type=click.IntRange(0, 100_000),
    default=0,
    show_default=True,
    help="Frequencies of the random features; 0 is 4 times the hidden units of a direction.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the frequencies."
)
@click.option(
    "--min-count",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Leave out words that are rarer than this in the text.",
)
@click.option(
    "--vocabulary-key",
    help="Hash words and characters with the key in this file, which is made if it is not there; "
    "of a hashed model the key that it was trained with.",
)
@click.option(
    "--noise",
    type=FiniteRange(0, 1e6),
    default=0.0,
    show_default=True,
    help="Gaussian noise on the sketches, as a multiple of what one sentence can change.",
)
@click.option(
    "--delta",
    type=FiniteRange(0, 1, min_open=True, max_open=True),
    help="Of the guarantee that is told with --noise.  [default: 1e-05]",
)
@click.option(
    "--pass-on",
    metavar="FILE",
    help="File of other sources that MODEL learned from by --source-model: they stay in this one.",
)
@json_option
def export(
    model: str, out: Path, overwrite: bool, as_json: bool, delta: float | None, **given: Any
) -> None:
    r"""Write encoder, CRF, label counts and sketches of hidden rows of MODEL's domain; no sentence.

    A sketch is the mean of random features of a label's hidden rows, by which training on a target
    measures its distance (docs/source-free.md). The text is read once, here. MODEL is best trained
    on that text alone, with method non-transfer. Words stand in the file as they are unless they
    are left out or hashed: look at it with `ladtl model privacy`.

    \b
    Examples:
      ladtl source export run/best.safetensors --out source.safetensors
      ladtl source export run/best.safetensors --data train.txt --min-count 5 \
          --vocabulary-key secret.key --noise 4 --out source.safetensors
      ladtl source export second/best.safetensors --pass-on source.safetensors \
          --out both.safetensors
    """
    from ladtl_np.commands.support.exporting import exported

    if delta is not None and not given["noise"]:
        raise click.UsageError("--delta has no effect without --noise; leave it out, or add that")
    if given["pass_on"]:
        where = "with --pass-on, whose file has frequencies of its own"
        refuse_without_effect(["features", "seed"], where, "leave that out")
    settings = [format_setting(setting) for setting in given.pop("data_format")]
    told = exported(model, out, overwrite=overwrite, settings=settings, delta=delta, **given)
    if as_json:
        print_json(told.to_json())
    else:
        click.echo(told.text())
