"""``ladtl data check``: everything that is wrong with corpora, before anybody trains on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ladtl_np.commands.support.command import Command
from ladtl_np.commands.support.formats import json_option, print_json, tell
from ladtl_np.commands.support.reading import (
    corpus_options,
    read_options,
    refuse_idle_reading,
    tell_of_changes,
)
from ladtl_np.corpus.findings import FindingsError
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.inspection import inspect, places
from ladtl_np.corpus.read import read_corpus
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.tally import Remark, Tally
from ladtl_np.errors import DataError, LadtlError
from ladtl_np.printable import LONG, counted, shown

__all__ = ["check"]

MOST = 100_000  # findings of one file


@click.command(cls=Command)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@corpus_options
@json_option
def check(files: tuple[str, ...], as_json: bool, **options: Any) -> None:
    r"""List everything that is wrong with FILEs in any format: where, what, and what to do.

    Findings stop training; each comes with its file and line. What is worth knowing and stops
    nothing, such as illegal tags or repeated sentences, is told as a warning. With --repair the
    changes that it would make are listed. Nothing is written. Exit code 3 if there are findings.

    \b
    Examples:
      ladtl data check train.conll dev.conll
      ladtl data check admin.jsonl --tokens words --repair
      ladtl data check annotations/ --format brat --json
    """
    context = click.get_current_context()
    show_text = context.params["show_text"]
    reading = read_options(**options)
    refuse_idle_reading(files, reading)
    told, wrong = [], 0
    for path in files:
        tally = Tally()
        corpus, problem = _checked(path, reading, tally)
        remarks = inspect(corpus) if corpus else list(tally.remarks(path))
        details = list(places(corpus)) if corpus else []
        wrong += problem is not None
        told.append(_as_json(path, problem, remarks, show_text=show_text))
        told[-1]["places"] = [{"line": line, "what": what} for line, what in details]
        if not as_json:
            _print(path, problem, show_text=show_text)
            tell_of_changes(tally, path)
            for line, what in details:
                click.echo(f"note: {shown(path, LONG)}:{line}: {what}", err=True)
            tell(remarks)
    if as_json:
        print_json({"files": told})
    if wrong:
        total = len(files)
        files_told = "the file" if total == 1 else f"{wrong} of {total} files"
        click.echo(f"error: there are findings in {files_told}", err=True)
        context.exit(DataError.exit_code)


def _checked(
    path: str, reading: ReadOptions, tally: Tally
) -> tuple[Corpus | None, DataError | None]:
    try:
        return read_corpus(path, reading, tally=tally, limit=MOST), None
    except DataError as error:
        return None, error


def _print(path: str, problem: LadtlError | None, *, show_text: bool) -> None:
    if problem is None:
        click.echo(f"{shown(path, LONG)}: no findings")
        return
    if not isinstance(problem, FindingsError):
        click.echo(str(problem))
        return
    for line in problem.lines(show_text=show_text):
        click.echo(line)
    click.echo(f"{shown(path, LONG)}: {counted(len(problem.findings), 'findings')}")


def _as_json(
    path: str, problem: LadtlError | None, remarks: Sequence[Remark], *, show_text: bool
) -> dict[str, Any]:
    findings: list[dict[str, Any]] = []
    if isinstance(problem, FindingsError):
        for one in problem.findings:
            plain = {"file": one.file, "line": one.line, "what": one.what, "cure": one.cure}
            findings.append(plain | ({"value": one.value} if show_text else {}))
    elif problem is not None:
        findings.append({"file": "", "line": 0, "what": str(problem), "cure": ""})
    return {
        "file": path,
        "findings": findings,
        "remarks": [remark.to_json() for remark in remarks],
    }
