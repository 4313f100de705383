"""What the audit commands share: what is looked at, a page, JSON or a table, and the exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ladtl_np.audit.outcome import TOLERANCE
from ladtl_np.commands.support.command import refuse_without_effect
from ladtl_np.commands.support.formats import (
    Function,
    apply_options,
    json_option,
    print_json,
    vocabulary_key_option,
)
from ladtl_np.commands.support.ranges import FiniteRange
from ladtl_np.commands.support.reading import (
    READING,
    corpus_options,
    read_options,
    refuse_idle_reading,
)
from ladtl_np.commands.support.streams import check_output, open_output
from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.printable import LONG, shown

if TYPE_CHECKING:
    from ladtl_np.audit.outcome import Audit
    from ladtl_np.audit.subject import Subject
    from ladtl_np.corpus.sentence import Corpus

__all__ = [
    "audit_options",
    "check_page",
    "model_file",
    "named_subject",
    "present",
    "print_audit",
    "read_corpora",
    "read_subject",
    "seed_option",
    "source_option",
    "subject_options",
    "tolerance_of",
    "tolerance_option",
    "write_page",
]


def tolerance_of(default: float) -> Callable[[Function], Function]:
    """Make ``--tolerance`` with a default."""
    return click.option(
        "--tolerance",
        type=FiniteRange(min=0.0, max=1.0, min_open=True),
        default=default,
        show_default=True,
        help="Largest relative error that passes.",
    )


tolerance_option = tolerance_of(TOLERANCE)


def seed_option(decides: str) -> Callable[[Function], Function]:
    """Add ``--seed``, with what it decides."""
    return click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help=f"Decides {decides}.",
    )


source_option = click.option(
    "--source",
    metavar="FILE",
    help="Corpus in the source's tags; without it the target's sentences stand in.",
)


def subject_options(function: Function) -> Function:
    """Add ``--vocabulary-key``, and how the corpora are read."""
    return apply_options(function, vocabulary_key_option, corpus_options)


def model_file(path: str) -> str:
    """The model that an argument names: the file itself, or the best one of a run's folder."""
    from ladtl_np.runs.names import BEST

    return str(Path(path) / BEST) if Path(path).is_dir() else path


def read_corpora(paths: Sequence[str], **reading: Any) -> Corpus:
    """Read annotated files and join them.

    Parameters
    ----------
    paths
        One at least.
    **reading
        Values of `corpus_options`.
    """
    from ladtl_np.audit.annotated import joined
    from ladtl_np.corpus.read import read_corpus

    options = read_options(**reading)
    refuse_idle_reading(paths, options)
    return joined([read_corpus(path, options) for path in paths])


def read_subject(
    model: str,
    corpora: Sequence[str],
    source: str | None = None,
    *,
    vocabulary_key: str | None = None,
    **reading: Any,
) -> Subject:
    """Read a model, or a run's best one, with sentences to look at.

    Parameters
    ----------
    model
        A model file, or a run folder.
    corpora
        Files in the target's tags; they are joined.
    source
        A file in the source's tags; without it the target's sentences stand in.
    vocabulary_key
        File of the key of a hashed vocabulary.
    **reading
        Values of `corpus_options`.
    """
    from ladtl_np.audit.annotated import joined
    from ladtl_np.audit.subject import model_subject
    from ladtl_np.commands.support.models import load
    from ladtl_np.corpus.read import read_corpus

    options = read_options(**reading)
    refuse_idle_reading([*corpora, *([source] if source else [])], options)
    held = load(model_file(model), vocabulary_key)
    target = joined([read_corpus(path, options) for path in corpora])
    return model_subject(held, target, read_corpus(source, options) if source else None)


def named_subject(
    model: str | None,
    corpora: Sequence[str],
    source: str | None,
    vocabulary_key: str | None,
    **reading: Any,
) -> Subject:
    """What the arguments name: a model on corpora, a run on its own sentences, or the demo.

    Raises
    ------
    UsageError
        If a model file has no corpus beside it, or an option would change nothing.
    """
    from ladtl_np.audit.run_files import Moved
    from ladtl_np.audit.subject import demo_subject, run_subject

    if model is not None and corpora:
        return read_subject(model, corpora, source, vocabulary_key=vocabulary_key, **reading)
    where = "without CORPUS files" if model else "without a MODEL"
    refuse_without_effect(["source", *READING], where, "name some")
    if model is None:
        refuse_without_effect(["vocabulary_key"], where, "name some")
        return demo_subject()
    if not Path(model).is_dir():
        raise UsageError(f"{model}: name annotated files beside it, whose sentences are looked at")
    return run_subject(model, Moved(vocabulary_key=vocabulary_key or ""))


def audit_options(function: Function) -> Function:
    """Add ``--out``, ``--overwrite`` and ``--json``."""
    return apply_options(
        function,
        click.option("--out", metavar="FILE", help="Write an HTML page with its figures as well."),
        click.option("--overwrite", is_flag=True, help="Replace a page that is there."),
        json_option,
    )


def check_page(out: str | None, inputs: Sequence[str], *, overwrite: bool) -> None:
    """Refuse a page that cannot be written, or drawn, before any work is done."""
    if out is not None:
        from ladtl_np.pages import require_libraries

        require_libraries()
        check_output(out, inputs, overwrite=overwrite)


def present(
    audits: Sequence[Audit],
    *,
    subject: str,
    out: str | None,
    overwrite: bool,
    as_json: bool,
    note: str = "",
) -> None:
    """Print audits, write their page where one is wanted, and end with 1 if one has failed.

    Parameters
    ----------
    audits, subject
        What was found, and in what.
    out, overwrite, as_json
        Values of `audit_options`.
    note
        What to know before reading the page.
    """
    if out is not None:
        write_page(audits, subject=subject, out=out, overwrite=overwrite, note=note)
    if as_json:
        print_json({"subject": subject, "audits": [audit.to_json() for audit in audits]})
    else:
        for audit in audits:
            print_audit(audit)
    if not all(audit.passed for audit in audits):
        click.get_current_context().exit(LadtlError.exit_code)


def print_audit(audit: Audit) -> None:
    """Print an audit's notes on standard error, and its lines and tables on standard output."""
    from rich import box
    from rich.table import Table

    from ladtl_np.commands.support.formats import print_table

    for note in audit.notes:
        click.echo(shown(note, LONG), err=True)
    for held in (audit.table(), *audit.tables):
        if held.folded:
            continue
        table = Table(box=box.SIMPLE, title=shown(held.caption, LONG), title_justify="left")
        for place, name in enumerate(held.header):
            numbers = place >= held.names
            table.add_column(
                shown(name, LONG), justify="right" if numbers else "left", overflow="fold"
            )
        for row in held.rows:
            table.add_row(*(shown(cell.text, LONG) for cell in row))
        print_table(table)


def write_page(
    audits: Sequence[Audit], *, subject: str, out: str, overwrite: bool, note: str = ""
) -> None:
    """Write one offline page with a section for each audit."""
    import os
    from pathlib import Path

    from ladtl_np.pages import Page, Pen
    from ladtl_np.pages.drawing.library import font_folder

    beside = None if out == "-" else Path(os.path.realpath(out)).parent
    with font_folder(beside):
        pen = Pen([])
        sections = [audit.section(pen) for audit in audits]
    failed = sum(not audit.passed for audit in audits)
    verdict = "every check passed" if not failed else f"{failed} of {len(audits)} audits failed"
    page = Page(f"Audit of {subject}", verdict, sections, note, maker="ladtl audit")
    with open_output(out, overwrite=overwrite) as write:
        write(page.html())
