"""``ladtl report``: one page from an experiment or from runs."""

from __future__ import annotations

from pathlib import Path

import click

from ladtl_np.commands.formats import print_json, warn
from ladtl_np.commands.streams import check_output, open_output
from ladtl_np.corpus.findings import shown
from ladtl_np.errors import UsageError
from ladtl_np.report import (
    Report,
    Run,
    build_report,
    find_runs,
    require_libraries,
    study_of,
    write_files,
)

__all__ = ["command"]

_RUN_FILES = ("manifest.json", "config.toml", "metrics.tsv", "log.jsonl")


@click.command(name="report")
@click.argument(
    "places",
    nargs=-1,
    required=True,
    metavar="DIR_OR_RUNS...",
    type=click.Path(path_type=Path),
)
@click.option("--out", default="report.html", show_default=True, help="The page; - is stdout.")
@click.option(
    "--figures",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for every figure as PNG and SVG, and every table as TSV.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
@click.option("--title", default="Report", show_default=True, help="Heading of the page.")
@click.option(
    "--methods",
    nargs=2,
    metavar="A B",
    help="Two methods to look at by entity type.  [default: la-dtl and joint-training, or the two "
    "best]",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was put in as JSON.")
def command(
    places: tuple[Path, ...],
    out: str,
    figures: Path | None,
    overwrite: bool,
    title: str,
    methods: tuple[str, str] | None,
    as_json: bool,
) -> None:
    r"""Write one HTML page on an experiment, or on any run folders.

    The page needs no network and no program but a browser: result tables in the form of the paper,
    learning curves, curves over shares and options, entity types, confusion, both scorers, shared
    sentences, commands and hashes. It holds labels, counts and file names, and no text of the data.

    \b
    Examples:
      ladtl report experiment/ --out report.html
      ladtl report runs/la-dtl runs/joint-training --figures figures/ --json
    """
    require_libraries()  # before much is read
    if out == "-" and as_json:
        raise UsageError("--json and a page on standard output do not go together")
    runs = find_runs(places)
    check_output(out, _inputs(runs), overwrite=overwrite)
    if figures is not None and figures.is_dir() and any(figures.iterdir()) and not overwrite:
        raise UsageError(f"{figures} is not empty; give --overwrite, or name another folder")
    study = study_of(runs)
    report = build_report(study, methods=methods or (), title=title, png=figures is not None)
    with open_output(out) as write:
        write(report.html())
    written = [] if figures is None else write_files(report, figures)
    if as_json:
        print_json(
            {"out": out, "title": title, "holds": report.summary, "left_out": study.left_out}
            | {"figures": written, "sections": [section.to_json() for section in report.sections]}
        )
        return
    _tell(report, out)
    for folder in study.left_out:
        warn(f"left out, as another run has the same task, method, options and seed: {folder}")


def _inputs(runs: list[Run]) -> list[str]:
    """Files that the page must not replace."""
    own = [str(run.folder / name) for run in runs for name in _RUN_FILES]
    tagged = [str(run.folder / f"predictions-{name}") for run in runs for name in run.results]
    return own + tagged + [entry.name for run in runs for entry in run.manifest.data if entry.name]


def _tell(report: Report, out: str) -> None:
    """Say on standard error what the page holds, and what it leaves out."""
    click.echo(f"{shown(out, 200)}: {report.summary}", err=True)
    for section in report.sections:
        if section.missing:
            click.echo(
                f"  without {section.title.lower()}: {shown(section.missing, 500)}", err=True
            )
