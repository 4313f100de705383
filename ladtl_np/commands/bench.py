"""``ladtl bench``: how fast this machine computes, beside PyTorch where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.formats import default_threads, json_option, print_json, print_table
from ladtl_np.commands.support.streams import check_output
from ladtl_np.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ladtl_np.bench.results import Change, Report

__all__ = ["command"]

# the names of bench.contests, which --help does without
STEMS = ("step", "lstm", "crf", "viterbi", "mmd", "adagrad", "embedding", "tagging", "startup")


class _Threads(click.ParamType[tuple[int, ...]]):
    """Numbers of threads with commas between them."""

    name = "numbers"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(dict.fromkeys(int(part) for part in str(value).split(",")))
        except ValueError:
            numbers = ()
        if not numbers or min(numbers) < 1:
            self.fail(f"{value!r} is no list of numbers from 1 on, such as 1,2", param, ctx)
        return numbers


def _numbers(
    context: click.Context, parameter: click.Parameter, value: tuple[int, ...] | None
) -> tuple[int, ...]:
    return tuple(range(1, default_threads() + 1)) if value is None else value


@click.command(name="bench", cls=Command)
@click.option(
    "--stem", "stems", multiple=True, type=click.Choice(STEMS), help="Only this part; repeatable."
)
@click.option(
    "--workload",
    type=click.Choice(["medical", "weibo", "both"]),
    default="both",
    show_default=True,
    help="Sizes of model and mini-batch.",
)
@click.option(
    "--threads",
    type=_Threads(),
    callback=_numbers,
    help="Numbers of threads.  [default: 1,2, or as far as there are processors]",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Samples of each side; their median and quartiles are shown.",
)
@click.option("--no-peer", is_flag=True, help="Leave PyTorch out.")
@json_option
@click.option(
    "--compare",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An earlier --json report: what changed by more than the spread is marked.",
)
@click.option("--markdown", metavar="FILE", help="Write a page with the table as well.")
@click.option("--overwrite", is_flag=True, help="Replace the --markdown file.")
def command(
    stems: tuple[str, ...],
    workload: str,
    threads: tuple[int, ...],
    rounds: int,
    no_peer: bool,
    as_json: bool,
    compare: Path | None,
    markdown: str | None,
    overwrite: bool,
) -> None:
    r"""Measure training and tagging on this machine, beside PyTorch where it is installed.

    Both sides get the same arrays. Before anything is timed, their losses, gradients and tags
    are checked to agree. Both are timed in turns, so that a drift of the machine meets both; the
    ratio is the peer's median over ours. All of it takes some minutes.

    \b
    Examples:
      ladtl bench
      ladtl bench --stem crf --stem viterbi --workload medical --threads 2
      ladtl bench --json > before.json
      ladtl bench --compare before.json
    """
    if markdown is not None:
        if markdown == "-":
            raise UsageError("--markdown wants a file; standard output holds the table")
        check_output(markdown, [str(compare)] if compare else [], overwrite=overwrite)
    else:
        refuse_without_effect(["overwrite"], "without --markdown", "name a file with that")
    from ladtl_np.bench.results import changes, read_report
    from ladtl_np.bench.suite import Plan, run
    from ladtl_np.bench.table import missing_peer

    earlier = read_report(compare) if compare is not None else None
    workloads = ("medical", "weibo") if workload == "both" else (workload,)
    plan = Plan(stems or STEMS, workloads, threads, rounds, not no_peer)
    report = run(plan, lambda line: click.echo(line, err=True))
    compared = changes(report, earlier) if earlier is not None else []
    if markdown is not None:
        _write(Path(markdown), report, compared)
    if as_json:
        print_json(report.to_json() | {"changes": [_plain(change) for change in compared]})
    else:
        _print(report, compared)
    if not no_peer and missing_peer(report):
        click.echo(missing_peer(report), err=True)


def _write(path: Path, report: Report, compared: Sequence[Change]) -> None:
    from ladtl_np.bench.table import markdown
    from ladtl_np.files import write_atomically

    write_atomically(path, markdown(report, compared).encode())


def _plain(change: Change) -> dict[str, object]:
    stem, variant, workload, threads, peer = change.row.key
    names = {"stem": stem, "variant": variant, "workload": workload, "threads": threads}
    return {
        **names,
        "peer_name": peer,
        "before": change.before,
        "now": change.row.ours.median,
        "factor": change.factor,
        "verdict": change.verdict,
    }


def _print(report: Report, compared: Sequence[Change]) -> None:
    from rich import box
    from rich.table import Table

    from ladtl_np.bench.table import (
        HEADINGS,
        RIGHT_ALIGNED,
        cells,
        change_line,
        machine_lines,
    )

    verdicts = {change.row.key: change for change in compared}
    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading in RIGHT_ALIGNED else "left")
    if compared:
        table.add_column("since")
    for row in report.rows:
        change = verdicts.get(row.key)
        since = [f"{change.factor:.2f} {change.verdict}" if change else ""] if compared else []
        table.add_row(*cells(row), *since)
    print_table(table, width=180)
    for line in machine_lines(report):
        click.echo(line, err=True)
    for change in compared:
        if change.verdict != "within spread":
            click.echo(change_line(change), err=True)
