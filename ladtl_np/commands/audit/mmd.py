"""``ladtl audit mmd``: how far apart a run's two domains are, label by label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ladtl_np.audit.mmd import BATCHES, PERMUTATIONS
from ladtl_np.commands.support.auditing import audit_options, check_page, present, seed_option
from ladtl_np.commands.support.command import Command
from ladtl_np.commands.support.moved import moved_files, moved_options, run_inputs

if TYPE_CHECKING:
    from ladtl_np.audit.outcome import Audit, Tell
    from ladtl_np.audit.subject import Subject

__all__ = ["mmd"]


@click.command(name="mmd", cls=Command)
@click.argument("run", metavar="RUN")
@click.option(
    "--permutations",
    type=click.IntRange(min=19, max=99_999),
    default=PERMUTATIONS,
    show_default=True,
    help="Permutations of the sentences of each label; the least p is 1 / (N + 1).",
)
@click.option(
    "--batches",
    type=click.IntRange(min=1, max=1_000),
    default=BATCHES,
    show_default=True,
    help="Mini-batches whose gradients are compared.",
)
@click.option(
    "--retrain",
    is_flag=True,
    help="Train again, and compare gradients and distances at every evaluation.",
)
@seed_option("permutations and mini-batches")
@moved_options
@audit_options
def mmd(
    run: str,
    permutations: int,
    batches: int,
    retrain: bool,
    seed: int,
    out: str | None,
    overwrite: bool,
    as_json: bool,
    **files: Any,
) -> None:
    r"""Compare the hidden states of RUN's two domains, label by label.

    RUN is the folder of a run of a method that trains on both domains, such as la-dtl. Of each
    label in both: MMD^2 before and after training between the run's training sentences, with a
    permutation test that exchanges whole sentences; the kernel's Gaussians against the distances
    that occur; what the transfer terms weigh beside the likelihood. The page (--out) has the hidden
    states in two dimensions as well. With several sources there is an audit of each, and with
    --retrain a training for each.

    \b
    Examples:
      ladtl audit mmd run/
      ladtl audit mmd run/ --out mmd.html
      ladtl audit mmd run/ --retrain --json
    """
    moved = moved_files(files)
    check_page(out, run_inputs(run, moved), overwrite=overwrite)
    from ladtl_np.audit.each_source import audits_of_each
    from ladtl_np.audit.mmd.check import check_mmd
    from ladtl_np.audit.run_files import prepared_run
    from ladtl_np.audit.subject import run_subject
    from ladtl_np.commands.support.audit_display import AuditDisplay

    subject = run_subject(run, moved)
    with AuditDisplay("MMD of each label") as display:

        def check(one: Subject, *, tell: Tell | None) -> Audit:
            return check_mmd(
                one,
                permutations=permutations,
                batches=batches,
                seed=seed,
                retrain=prepared_run(run, moved) if retrain else None,
                tell=tell,
            )

        audits = audits_of_each(subject, check, display.tell)
    present(audits, subject=subject.name, out=out, overwrite=overwrite, as_json=as_json)
