"""``ladtl audit gradients``: every hand-written gradient against finite differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ladtl_np.audit.defaults import COORDINATES, DIRECTIONS, LONGEST, SENTENCES
from ladtl_np.commands.support.auditing import (
    audit_options,
    check_page,
    named_subject,
    present,
    source_option,
    subject_options,
    tolerance_option,
)
from ladtl_np.commands.support.command import Command

if TYPE_CHECKING:
    pass

__all__ = ["gradients"]


@click.command(cls=Command)
@click.argument("model", required=False, metavar="[MODEL]")
@click.argument("corpora", nargs=-1, metavar="[CORPUS...]")
@source_option
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=SENTENCES,
    show_default=True,
    help="Look at so many sentences of either domain, evenly spaced.",
)
@click.option(
    "--longest",
    type=click.IntRange(min=1),
    default=LONGEST,
    show_default=True,
    help="Leave out sentences of more tokens, where there are shorter ones.",
)
@click.option(
    "--coordinates",
    type=click.IntRange(min=1),
    default=COORDINATES,
    show_default=True,
    help="Coordinates of each parameter block.",
)
@click.option(
    "--directions",
    type=click.IntRange(min=0),
    default=DIRECTIONS,
    show_default=True,
    help="Random directions through each parameter block.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Decides coordinates, directions, dropout mask and the sentences' weights.",
)
@tolerance_option
@subject_options
@audit_options
def gradients(
    model: str | None,
    corpora: tuple[str, ...],
    source: str | None,
    out: str | None,
    overwrite: bool,
    as_json: bool,
    vocabulary_key: str | None,
    limit: int,
    longest: int,
    coordinates: int,
    directions: int,
    seed: int,
    tolerance: float,
    **reading: Any,
) -> None:
    r"""Compare every gradient of MODEL with finite differences, on sentences of CORPUS files.

    MODEL is a model file or a run's folder, each CORPUS is annotated in the target's tags. Without
    CORPUS a run's own training sentences are used; without MODEL a small network and invented
    sentences. Every parameter block is moved, every term of the loss is looked at, in the kernels
    and in the reference. One line for each block, with the largest relative error and where it is.
    Exit code 1 if one is larger than the tolerance.

    \b
    Examples:
      ladtl audit gradients
      ladtl audit gradients run/
      ladtl audit gradients run/best.safetensors dev.txt --source source.txt --out audit.html
    """
    from ladtl_np.audit.gradients import check_gradients
    from ladtl_np.commands.support.audit_display import AuditDisplay

    check_page(out, [*([model] if model else []), *corpora], overwrite=overwrite)
    subject = named_subject(model, corpora, source, vocabulary_key, **reading)
    with AuditDisplay("gradients") as display:
        audit = check_gradients(
            subject,
            coordinates=coordinates,
            directions=directions,
            sentences=limit,
            longest=longest,
            tolerance=tolerance,
            seed=seed,
            tell=display.tell,
        )
    present([audit], subject=subject.name, out=out, overwrite=overwrite, as_json=as_json)
