"""``ladtl report``: one page from an experiment or from runs."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import click

from ladtl_np.commands.support.command import Command
from ladtl_np.commands.support.formats import print_json, warn
from ladtl_np.commands.support.streams import check_output, open_output
from ladtl_np.errors import UsageError
from ladtl_np.files import require_apart
from ladtl_np.pages import Page, extra_files, require_libraries, write_files
from ladtl_np.pages.drawing.library import font_folder
from ladtl_np.printable import shown
from ladtl_np.report import build_report, read_calibrations, read_terms, study_of
from ladtl_np.runs.found import FoundRun, find_runs
from ladtl_np.runs.marker import is_own_name

__all__ = ["command"]

NAMED = 5  # names that a warning lists


@click.command(name="report", cls=Command)
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
@click.option(
    "--terms",
    metavar="FILE",
    help="List of terms, one a line, to count in the corpora and among the predictions.",
)
@click.option(
    "--differing",
    type=click.IntRange(min=0),
    metavar="N",
    help="Find terms that the domains annotate differently and the two methods tag differently, "
    "count them, and show N of each task: text of the corpora.",
)
@click.option(
    "--calibration",
    metavar="FILE",
    help="What `evaluate --calibration --json` has printed, for a reliability diagram.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was put in as JSON.")
def command(
    places: tuple[Path, ...],
    out: str,
    figures: Path | None,
    overwrite: bool,
    title: str,
    methods: tuple[str, str] | None,
    terms: str | None,
    differing: int | None,
    calibration: str | None,
    as_json: bool,
) -> None:
    r"""Write one HTML page on an experiment, or on any run folders.

    The page needs no network and no program but a browser: result tables in the form of the paper,
    learning curves, curves over shares and options, entity types, confusion, both scorers, shared
    sentences, commands and hashes. It holds labels, counts and file names, and no text of the data
    but the terms of your list, and those that --differing asks for.

    \b
    Examples:
      ladtl report experiment/ --out report.html
      ladtl report runs/la-dtl runs/joint-training --figures figures/ --json
      ladtl report experiment/ --terms terms.txt
      ladtl report experiment/ --methods la-dtl joint-training --differing 10
    """
    beside = None if out == "-" else Path(out).absolute().parent
    click.get_current_context().with_resource(font_folder(beside))
    require_libraries()  # before much is read
    if out == "-" and as_json:
        raise UsageError("--json and a page on standard output do not go together")
    listed = () if terms is None else read_terms(terms)
    calibrations = [] if calibration is None else read_calibrations(calibration)
    runs = find_runs(places)
    inputs = [*_inputs(runs), *(file for file in (terms, calibration) if file)]
    check_output(out, inputs, overwrite=overwrite)
    if figures is not None and figures.is_dir() and any(figures.iterdir()) and not overwrite:
        raise UsageError(f"{figures} is not empty; give --overwrite, or name another folder")
    study = study_of(runs)
    report = build_report(
        study,
        methods=methods or (),
        title=title,
        png=figures is not None,
        terms=listed,
        differing=differing,
        calibrations=calibrations,
    )
    if figures is not None:
        require_apart([out, *(figures / name for name in extra_files(report))], inputs)
    with open_output(out, overwrite=overwrite) as write:
        write(report.html())
    written = [] if figures is None else write_files(report, figures)
    _warn_of_boxes(report)
    if as_json:
        print_json(
            {"out": out, "title": title, "holds": report.summary, "left_out": study.left_out}
            | {"figures": written, "sections": [section.to_json() for section in report.sections]}
        )
        return
    _tell(report, out)
    for folder in study.left_out:
        warn(f"left out, as another run has the same task, method, options and seed: {folder}")


def _inputs(runs: list[FoundRun]) -> list[str]:
    """Files that the page must not replace: all of the runs' own, and their corpora."""
    own = [str(run.folder / name) for run in runs for name in os.listdir(run.folder)]
    corpora = [entry.name for run in runs for entry in run.manifest.data if entry.name]
    return [name for name in own if is_own_name(os.path.basename(name))] + corpora


def _tell(report: Page, out: str) -> None:
    """Say on standard error what the page holds, and what it leaves out."""
    click.echo(f"{shown(out, 200)}: {report.summary}", err=True)
    for section in report.sections:
        if section.missing:
            click.echo(
                f"  without {section.title.lower()}: {shown(section.missing, 500)}", err=True
            )


def _warn_of_boxes(report: Page) -> None:
    """Say which names PNGs lack, and what would help, in one line."""
    drawn = [figure for section in report.sections for figure in section.figures if figure.boxes]
    if not drawn:
        return
    names = sorted({name for figure in drawn for name in figure.boxes})
    chinese = any("CJK" in unicodedata.name(c, "") for name in names for c in name)
    font = "Chinese characters, such as Noto Sans CJK" if chinese else "their script"
    warn(
        f"no font here can write {_some(names)} in {_some([f'{f.name}.png' for f in drawn])}, "
        f"where boxes stand instead; install a font with {font}"
    )


def _some(names: list[str]) -> str:
    """List some names, and count the others."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
