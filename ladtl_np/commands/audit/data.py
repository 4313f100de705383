"""``ladtl audit data``: could a run's numbers be wrong for reasons outside the mathematics."""

from __future__ import annotations

from typing import Any

import click

from ladtl_np.commands.support.auditing import audit_options, check_page, present
from ladtl_np.commands.support.command import Command
from ladtl_np.commands.support.moved import moved_files, moved_options, run_inputs

__all__ = ["data"]


@click.command(name="data", cls=Command)
@click.argument("run", metavar="RUN")
@click.option(
    "--vectors-text",
    "texts",
    multiple=True,
    metavar="FILE",
    help="Text that the word vectors were trained on, to look for the tests in it; may be given "
    "several times.",
)
@moved_options
@audit_options
def data(
    run: str,
    texts: tuple[str, ...],
    out: str | None,
    overwrite: bool,
    as_json: bool,
    **files: Any,
) -> None:
    r"""Hold the finished run in the folder RUN against its files.

    Its corpora are read again and their hashes compared; its scores are computed again, from its
    predictions and with its model; its options, manifest and models must agree. Test or development
    files that were trained on, or a model that a test file has chosen, fail. Shared sentences,
    seeds, samples, unmatched types, unknown words and versions are told.

    \b
    Examples:
      ladtl audit data run/
      ladtl audit data run/ --target moved/train.txt --json
      ladtl audit data run/ --vectors-text notes.txt --out data.html
    """
    moved = moved_files(files)
    check_page(out, [*run_inputs(run, moved), *texts], overwrite=overwrite)
    from ladtl_np.audit.data.check import check_data
    from ladtl_np.commands.support.audit_display import AuditDisplay

    with AuditDisplay("files and scores of the run") as display:
        audit = check_data(run, moved, vectors_texts=texts, tell=display.tell)
    present([audit], subject=run, out=out, overwrite=overwrite, as_json=as_json)
