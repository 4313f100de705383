"""``ladtl audit gradients``: every hand-written gradient against finite differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ladtl_np.audit.defaults import COORDINATES, DIRECTIONS, LONGEST, SENTENCES
from ladtl_np.commands.support.auditing import (
    audit_options,
    check_page,
    model_file,
    named_subject,
    present,
    seed_option,
    source_option,
    subject_options,
    tolerance_option,
)
from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.reading import READING, read_options, refuse_idle_reading

if TYPE_CHECKING:
    from ladtl_np.audit.outcome import Audit
    from ladtl_np.audit.planting import Looked

__all__ = ["gradients"]

SIZES = ("limit", "longest", "coordinates", "directions")


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
@seed_option("coordinates, directions, dropout mask and the sentences' weights")
@tolerance_option
@click.option(
    "--plant",
    metavar="NAME",
    help="Plant an error in the mathematics, to see that it is noticed; all: each in turn.",
)
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
    plant: str | None,
    **reading: Any,
) -> None:
    r"""Compare every gradient of MODEL with finite differences, on sentences of CORPUS files.

    MODEL is a model file or a run's folder, each CORPUS is annotated in the target's tags. Without
    CORPUS a run's own training sentences are used; without MODEL a small network and invented
    sentences. Every parameter block is moved, every term of the loss is looked at, in the kernels
    and in the reference. One line for each block, with the largest relative error and where it is.
    Exit code 1 if one is larger than the tolerance.

    With --plant the audit runs in a process of its own, with an error in it: then exit code 1 says
    that it was noticed. With --plant all every error of the table is planted, one at a
    time, and exit code 1 says that one was not.

    \b
    Examples:
      ladtl audit gradients
      ladtl audit gradients run/
      ladtl audit gradients run/best.safetensors dev.txt --source source.txt --out audit.html
      ladtl audit gradients --plant forget-gate
      ladtl audit gradients --plant all
    """
    from ladtl_np.audit.gradients import check_gradients
    from ladtl_np.commands.support.audit_display import AuditDisplay

    inputs = [path for path in (model, *corpora, source) if path]
    check_page(out, inputs, overwrite=overwrite)
    if plant is not None:
        refuse_without_effect([*SIZES, "tolerance"], "with --plant", "leave --plant out")
        on = _looked(model, corpora, source, vocabulary_key, reading)
        audit = _planted(plant, on, seed)
        present([audit], subject=model or "demo", out=out, overwrite=overwrite, as_json=as_json)
        return
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


def _planted(plant: str, on: Looked | None, seed: int) -> Audit:
    from ladtl_np.audit.planting import check_plants, planted_audit
    from ladtl_np.commands.support.audit_display import AuditDisplay

    if plant != "all":
        return planted_audit(plant, on=on, seed=seed)
    with AuditDisplay("planted errors") as display:
        return check_plants(on=on, seed=seed, tell=display.tell)


def _looked(
    model: str | None,
    corpora: tuple[str, ...],
    source: str | None,
    vocabulary_key: str | None,
    reading: dict[str, Any],
) -> Looked | None:
    """What planted errors are looked for on; a process of its own reads it."""
    from ladtl_np.audit.planting import Looked

    if model is None:
        refuse_without_effect(("source", "vocabulary_key", *READING), "without a MODEL", "name one")
        return None
    if not corpora:
        what = ("source", "vocabulary_key", *READING)
        refuse_without_effect(what, "without CORPUS files", "name some")
        return Looked(model)
    options = read_options(**reading)
    refuse_idle_reading([*corpora, *([source] if source else [])], options)
    return Looked(model_file(model), corpora, source or "", options, vocabulary_key or "")
