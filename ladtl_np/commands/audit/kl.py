"""``ladtl audit kl``: the divergence of the two CRFs against its bounds."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from ladtl_np.commands.support.auditing import (
    audit_options,
    check_page,
    present,
    read_corpora,
    read_subject,
    subject_options,
)
from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.reading import READING
from ladtl_np.errors import UsageError

__all__ = ["kl"]


@click.command(name="kl", cls=Command)
@click.argument("model", metavar="MODEL")
@click.argument("corpora", nargs=-1, metavar="[CORPUS]...")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Look at so many sentences at most, evenly spaced.  [default: all]",
)
@subject_options
@audit_options
def kl(
    model: str,
    corpora: tuple[str, ...],
    limit: int | None,
    out: str | None,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    r"""Compute the exact divergence of the two CRFs and its bounds on every sentence.

    MODEL is a model file or a run's folder, CORPUS annotated in the target's tags; several are
    joined. Of a run the values that training started from are looked at too, and without a CORPUS
    its own development sentences.

    For each sentence the order KL <= (b - a)^2 / 8 <= c_1 / 2 L_p is checked, with lemmas A.1 and
    A.2 and Eq. (7) and (8) of the paper. With several sources there is an audit of each.

    \b
    Examples:
      ladtl audit kl run/
      ladtl audit kl run/best.safetensors demo/gastroenterology/dev.txt
      ladtl audit kl run/ dev.jsonl --out kl.html
    """
    from ladtl_np.audit.divergence import check_divergence
    from ladtl_np.audit.each_source import audits_of_each
    from ladtl_np.audit.run_files import Moved
    from ladtl_np.audit.run_sentences import run_on
    from ladtl_np.commands.support.audit_display import AuditDisplay

    check_page(out, [model, *corpora], overwrite=overwrite)
    if Path(model).is_dir():
        if not corpora:
            refuse_without_effect(READING, "without a CORPUS", "name one")
        moved = Moved(vocabulary_key=options.pop("vocabulary_key") or "")
        subject = run_on(model, read_corpora(corpora, **options) if corpora else None, moved)
    elif corpora:
        subject = read_subject(model, corpora, **options)
    else:
        raise UsageError(f"{model} is no run's folder, so name a CORPUS in the target's tags too")
    with AuditDisplay("KL and its bounds") as display:
        check = partial(check_divergence, sentences=limit)
        audits = audits_of_each(subject, check, display.tell)
    present(audits, subject=model, out=out, overwrite=overwrite, as_json=as_json)
