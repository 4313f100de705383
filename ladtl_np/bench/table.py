"""A report for people: cells of its tables, and lines on the machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ladtl_np.bench.measure import Spread
from ladtl_np.bench.results import PEAK, TIME, Change, Goal, Report, Row, SetFacts
from ladtl_np.printable import counted

__all__ = [
    "Grid",
    "beside",
    "change_line",
    "goal_words",
    "machine_lines",
    "main_table",
    "milliseconds",
    "missing_peer",
    "peers_table",
    "quartiles",
    "set_lines",
]

NAMES = ("stem", "variant", "workload", "threads")
LEFT_ALIGNED = frozenset({"stem", "variant", "workload", "peer", "goal", "best peer", "remark"})


class Grid(NamedTuple):
    """A table: headings, and as many cells in each row."""

    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def right_aligned(self, heading: str) -> bool:
        """Whether a column holds numbers."""
        return heading not in LEFT_ALIGNED


def main_table(rows: Sequence[Row]) -> Grid:
    """What ours takes of each row: first the share of the peak, which holds across machines."""
    headings = (*NAMES, "of peak", "ours, ms", "tokens/s", "ratio", "best peer", "goal", "rate")
    return Grid(headings, [_main_cells(row) for row in rows])


def _main_cells(row: Row) -> tuple[str, ...]:
    speed, best = row.tokens_per_second, row.best
    beside_best = f"{times(row.best_ratio)} {best.name}" if best and len(row.peers) > 1 else ""
    return (
        *(*name_cells(row), share(row), milliseconds(row.ours.median)),
        *(f"{speed:,.0f}" if speed else "", times(row.ratio), beside_best),
        *("\n".join(goal_words(row, goal) for goal in row.goals), rate(row)),
    )


def peers_table(rows: Sequence[Row]) -> Grid:
    """Every peer's time beside ours."""
    headings = (*NAMES, "peer", "peer, ms", "quartiles", "ratio", "remark")
    cells = [
        (
            *(*name_cells(row), peer.name, milliseconds(peer.time.median)),
            *(quartiles(peer.time), times(row.ratio_to(peer)), peer.remark),
        )
        for row in rows
        for peer in row.peers
    ]
    return Grid(headings, cells)


def beside(report: Report) -> Grid:
    """Each part once, with share, time and ratios for one instruction set beside the other."""
    kinds = ("of peak", "ours, ms", "ratio", "to best")
    headings = tuple(f"{kind}\n{isa}" for kind in kinds for isa in report.sets)
    by_key = {row.key: row for row in report.rows}
    cells = []
    for name in dict.fromkeys(row.key[:-1] for row in report.rows):
        found = [by_key.get((*name, isa)) for isa in report.sets]
        columns = [
            [share(row), milliseconds(row.ours.median), times(row.ratio), times(row.best_ratio)]
            if row
            else [""] * len(kinds)
            for row in found
        ]
        numbers = [column[n] for n in range(len(kinds)) for column in columns]
        cells.append((*name[:3], str(name[3]), *numbers))
    return Grid((*NAMES, *headings), cells)


def name_cells(row: Row) -> tuple[str, ...]:
    """What a row is of."""
    return row.stem, row.variant, row.workload, str(row.threads)


def share(row: Row) -> str:
    """Share of the peak of products, or of streams where the rate is in bytes."""
    return f"{row.share:.0%}" if row.share is not None else ""


def rate(row: Row) -> str:
    """Operations or bytes a second, as whichever the share is of."""
    if row.gigabytes is not None:
        return f"{row.gigabytes:.0f} GB/s"
    return f"{row.gflops:.{1 if row.gflops < 10 else 0}f} GFLOP/s" if row.gflops is not None else ""


def times(ratio: float | None) -> str:
    """A ratio, which two digits of are enough for."""
    if ratio is None:
        return ""
    return f"{ratio:.{2 if ratio < 2 else 1}f}x"


def milliseconds(seconds: float) -> str:
    """Three digits that count, at least."""
    value = seconds * 1e3
    digits = next(n for n, least in enumerate((1000, 100, 1, 0.1, 0)) if value >= least)
    return f"{value:,.{digits}f}"


def quartiles(spread: Spread) -> str:
    """Where the middle half of the rounds lies; nothing for a single round."""
    if spread.rounds == 1:
        return ""
    return f"{milliseconds(spread.low)} to {milliseconds(spread.high)}"


def goal_words(row: Row, goal: Goal) -> str:
    """What is wanted, and whether it was reached; a peer that is not the usual one has its name."""
    if goal.against == TIME:
        wanted = f"<= {milliseconds(goal.value)} ms"
    elif goal.against == PEAK:
        wanted = f">= {goal.value:.0%}"
    else:
        usual = row.peers[0].name if row.peers else ""
        other = "" if goal.against == usual else f" {goal.against.split()[0]}"
        wanted = f">= {goal.value:g}x{other}"
    return wanted + {True: " yes", False: " no", None: ""}[row.reached(goal)]


def change_line(change: Change) -> str:
    """One line on a row now and before."""
    row = change.row
    name = " ".join(filter(None, (row.stem, row.variant, row.workload)))
    return (
        f"{name}, {counted(row.threads, 'threads')}, {row.isa}: "
        f"{milliseconds(change.before)} -> {milliseconds(row.ours.median)} ms, "
        f"{change.factor:.2f} of before, {change.verdict}"
    )


def machine_lines(report: Report) -> list[str]:
    """What the numbers were taken on."""
    facts = report.machine
    caches = ", ".join(f"{name} {size}" for name, size in facts["caches"].items())
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return [
        f"{facts['cpu']}; {facts['cores']} cores, {caches}; load {facts['load']} at the end",
        f"Python {facts['python']}, {versions}",
        f"{counted(report.rounds, 'rounds')}; commit {facts['commit'] or 'unknown'}",
    ]


def set_lines(name: str, found: SetFacts) -> Iterator[str]:
    """What an instruction set is, and what was found with it."""
    has = {"masks": found.masks, "fused products": found.fused, "bfloat16": found.bfloat16}
    also = "".join(f", {what}" for what, there in has.items() if there)
    yield f"{name}: {found.registers} registers of {found.vector_bytes} bytes{also}"
    if found.peaks:
        peaks = ", ".join(f"{found.peaks[n]:.0f} with {n}" for n in sorted(found.peaks, key=int))
        yield f"peak of float32 products in GFLOP/s by threads (BLAS or our tiles): {peaks}"
    yield f"BLAS: {', '.join(found.blas)}; warm-up {found.warm_up_seconds:.1f} s"
    if found.variables:
        limits = ", ".join(f"{key}={value}" for key, value in found.variables.items())
        yield f"set in the environment: {limits}"
    if found.agreement:
        worst = max(found.agreement.values())
        yield f"loss and gradients agree with the peer's within {worst:.1e}"
    yield from found.notes


def missing_peer(report: Report) -> str:
    """Tell how to fill the peer's columns; nothing where PyTorch is installed."""
    versions = report.machine["versions"]
    if {"torch", "pytorch-crf"} <= versions.keys():
        return ""
    return (
        "The peer columns are empty because PyTorch and pytorch-crf are not installed: "
        "pip install 'ladtl-np[peers]'"
    )
