"""``ladtl bench``: how fast this machine computes, beside PyTorch where it is installed."""

from __future__ import annotations

from functools import partial
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
    from ladtl_np.bench.table import Grid

__all__ = ["command"]

# the names of bench.contests, which --help does without
STEMS = (
    *("step", "lstm", "crf", "viterbi", "mmd", "adagrad", "embedding", "tagging", "matmul"),
    "startup",
)


class _Levels(click.ParamType[tuple[str, ...]]):
    """Instruction sets with commas between them."""

    name = "names"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(part.strip() for part in str(value).split(","))


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
@click.option(
    "--isa",
    "levels",
    type=_Levels(),
    multiple=True,
    help="Instruction sets to compare: avx512, avx2, sse2, neon, or all that the processor has; "
    "repeatable.  [default: the widest, or what LADTL_ISA chooses]",
)
@click.option("--no-peer", is_flag=True, help="Leave the peers out.")
@click.option(
    "--compiled", is_flag=True, help="Also PyTorch's torch.compile, which compiles for minutes."
)
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
    levels: tuple[tuple[str, ...], ...],
    no_peer: bool,
    compiled: bool,
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
      ladtl bench --stem step --isa avx512,avx2
      ladtl bench --json > before.json
      ladtl bench --compare before.json
    """
    if markdown is not None:
        if markdown == "-":
            raise UsageError("--markdown wants a file; standard output holds the table")
        check_output(markdown, [str(compare)] if compare else [], overwrite=overwrite)
    else:
        refuse_without_effect(["overwrite"], "without --markdown", "name a file with that")
    if no_peer:
        refuse_without_effect(["compiled"], "with --no-peer", "leave one of them out")
    from ladtl_np.bench.levels import chosen_levels, run_levels
    from ladtl_np.bench.results import changes, read_report
    from ladtl_np.bench.suite import Plan, run
    from ladtl_np.bench.table import missing_peer

    chosen = chosen_levels([name for names in levels for name in names])
    earlier = read_report(compare) if compare is not None else None
    workloads = ("medical", "weibo") if workload == "both" else (workload,)
    plan = Plan(stems or STEMS, workloads, threads, rounds, not no_peer, compiled)
    told = partial(click.echo, err=True)
    report = run_levels(chosen, plan) if chosen else run(plan, told)
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
    from ladtl_np.bench.page import markdown
    from ladtl_np.files import write_atomically

    write_atomically(path, markdown(report, compared).encode())


def _plain(change: Change) -> dict[str, object]:
    stem, variant, workload, threads, isa = change.row.key
    names = {"stem": stem, "variant": variant, "workload": workload, "threads": threads, "isa": isa}
    return {
        **names,
        "before": change.before,
        "now": change.row.ours.median,
        "factor": change.factor,
        "verdict": change.verdict,
    }


def _print(report: Report, compared: Sequence[Change]) -> None:
    from ladtl_np.bench.table import (
        beside,
        change_line,
        machine_lines,
        main_table,
        peers_table,
        set_lines,
    )

    verdicts = {change.row.key: change for change in compared}
    for name, found in report.sets.items():
        rows = [row for row in report.rows if row.isa == name]
        _print_grid(name, main_table(rows), [verdicts.get(row.key) for row in rows])
        if any(row.peers for row in rows):
            _print_grid(f"Peers, {name}", peers_table(rows))
        for line in set_lines(name, found):
            click.echo(line, err=True)
    if len(report.sets) > 1:
        _print_grid("Instruction sets beside each other", beside(report))
    for line in machine_lines(report):
        click.echo(line, err=True)
    for change in compared:
        if change.verdict != "within spread":
            click.echo(change_line(change), err=True)


def _print_grid(title: str, grid: Grid, compared: Sequence[Change | None] = ()) -> None:
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE, pad_edge=False, collapse_padding=True, title=title, title_justify="left"
    )
    for heading in grid.headings:
        right = grid.right_aligned(heading)
        table.add_column(heading, justify="right" if right else "left")
    since = [f"{change.factor:.2f} {change.verdict}" if change else "" for change in compared]
    if any(since):
        table.add_column("since")
    for n, cells in enumerate(grid.rows):
        table.add_row(*cells, *since[n : n + 1] * any(since))
    print_table(table, width=200)
