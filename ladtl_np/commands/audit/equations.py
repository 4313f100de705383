"""``ladtl audit equations``: terms of the paper's equations, computed twice and a third time."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from ladtl_np.audit.equations.defaults import SENTENCES, TOLERANCE
from ladtl_np.commands.support.auditing import (
    audit_options,
    check_page,
    named_subject,
    present,
    seed_option,
    source_option,
    subject_options,
    tolerance_of,
)
from ladtl_np.commands.support.command import Command

__all__ = ["equations"]


@click.command(name="equations", cls=Command)
@click.argument("model", required=False, metavar="[MODEL]")
@click.argument("corpora", nargs=-1, metavar="[CORPUS...]")
@source_option
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=SENTENCES,
    show_default=True,
    help="Look at so many sentences of either domain at most, evenly spaced.",
)
@seed_option("drawn scores, weights and dropout masks")
@tolerance_of(TOLERANCE)
@subject_options
@audit_options
def equations(
    model: str | None,
    corpora: tuple[str, ...],
    source: str | None,
    limit: int,
    seed: int,
    tolerance: float,
    out: str | None,
    overwrite: bool,
    as_json: bool,
    vocabulary_key: str | None,
    **reading: Any,
) -> None:
    r"""Compute each term of Eq. (1) to (6) by the kernels, the reference and enumeration.

    MODEL is a model file or a run's folder, each CORPUS is annotated in the target's tags; several
    are joined. Without CORPUS a run's own training sentences are used; without MODEL a small
    network and invented sentences.

    The kernels are those that train, in float64, the reference is plain NumPy, sentence by
    sentence. Where a sentence or its first tokens have few enough tag sequences, all of them are
    listed. Decoding, dropout and the update of AdaGrad are compared too. With several sources there
    is an audit of each.

    \b
    Examples:
      ladtl audit equations
      ladtl audit equations run/
      ladtl audit equations run/best.safetensors dev.txt --source cardiology/dev.txt
      ladtl audit equations run/ dev.jsonl --limit 20 --out equations.html
    """
    from ladtl_np.audit.each_source import audits_of_each
    from ladtl_np.audit.equations.check import check_equations
    from ladtl_np.commands.support.audit_display import AuditDisplay

    inputs = [path for path in (model, *corpora, source) if path]
    check_page(out, inputs, overwrite=overwrite)
    subject = named_subject(model, corpora, source, vocabulary_key, **reading)
    with AuditDisplay("equations") as display:
        check = partial(check_equations, sentences=limit, tolerance=tolerance, seed=seed)
        audits = audits_of_each(subject, check, display.tell)
    present(audits, subject=subject.name, out=out, overwrite=overwrite, as_json=as_json)
