"""A report for people: cells of its table, and a Markdown page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ladtl_np.bench.measure import Spread
from ladtl_np.bench.results import Change, Report, Row

__all__ = [
    "HEADINGS",
    "RIGHT_ALIGNED",
    "cells",
    "change_line",
    "machine_lines",
    "markdown",
    "missing_peer",
]

HEADINGS = (
    *("stem", "variant", "workload", "threads", "ours, ms", "quartiles", "tokens/s"),
    *("peer", "peer, ms", "ratio", "goal", "GFLOP/s", "of peak"),
)
RIGHT_ALIGNED = frozenset(HEADINGS) - {"stem", "variant", "workload", "peer"}


def cells(row: Row) -> tuple[str, ...]:
    """Text of each column."""
    peer = milliseconds(row.peer.median) if row.peer else ""
    ratio = f"{row.ratio:.1f}x" if row.ratio is not None else ""
    gflops = f"{row.gflops:.1f}" if row.gflops is not None else ""
    share = f"{row.share_of_peak:.0%}" if row.share_of_peak is not None else ""
    speed = row.tokens_per_second
    return (
        *(row.stem, row.variant, row.workload, str(row.threads)),
        *(milliseconds(row.ours.median), quartiles(row.ours), f"{speed:,.0f}" if speed else ""),
        *(row.peer_name or "", peer, ratio, goal(row), gflops, share),
    )


def milliseconds(seconds: float) -> str:
    """Three digits that count, at least."""
    value = seconds * 1e3
    return f"{value:,.0f}" if value >= 1000 else f"{value:.{1 if value >= 100 else 2}f}"


def quartiles(spread: Spread) -> str:
    """Where the middle half of the rounds lies; nothing for a single round."""
    if spread.rounds == 1:
        return ""
    return f"{milliseconds(spread.low)} to {milliseconds(spread.high)}"


def goal(row: Row) -> str:
    """What is wanted, and whether it was reached."""
    if row.limit is not None:
        wanted = f"<= {milliseconds(row.limit)} ms"
    elif row.goal is not None:
        wanted = f">= {row.goal:g}x"
    else:
        return ""
    reached = {True: " yes", False: " no", None: ""}[row.reached]
    return wanted + reached


def change_line(change: Change) -> str:
    """One line on a row now and before."""
    row = change.row
    name = " ".join(filter(None, (row.stem, row.variant, row.workload)))
    beside = f" beside {row.peer_name}" if row.peer_name else ""
    return (
        f"{name}{beside}, {row.threads} thread{'s' * (row.threads > 1)}: "
        f"{milliseconds(change.before)} -> {milliseconds(row.ours.median)} ms, "
        f"{change.factor:.2f} of before, {change.verdict}"
    )


def machine_lines(report: Report) -> list[str]:
    """What the numbers were taken on."""
    facts = report.machine
    caches = ", ".join(f"{name} {size}" for name, size in facts["caches"].items())
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    peaks = ", ".join(f"{gflops:.0f} with {n}" for n, gflops in report.peaks.items())
    lines = [
        f"{facts['cpu']}, {facts['cores']} cores, {caches}; load {facts['load']} at the end",
        f"Python {facts['python']}, {versions}",
        f"BLAS: {', '.join(facts['blas'])}; commit {facts['commit'] or 'unknown'}",
    ]
    if peaks:
        lines.append(
            f"matrix-product peak (BLAS or our tiles), float32 GFLOP/s by threads: {peaks}"
        )
    rounds = f"{report.rounds} round{'s' * (report.rounds != 1)}"
    lines.append(f"{rounds}; warm-up before them {report.warm_up_seconds:.1f} s")
    if report.agreement:
        worst = max(report.agreement.values())
        lines.append(f"loss and gradients agree with the peer's within {worst:.1e}")
    return lines


def missing_peer(report: Report) -> str:
    """Tell how to fill the peer's columns; nothing where PyTorch is installed."""
    versions = report.machine["versions"]
    if {"torch", "pytorch-crf"} <= versions.keys():
        return ""
    return (
        "The peer columns are empty because PyTorch and pytorch-crf are not installed: "
        "pip install 'ladtl-np[peers]'"
    )


def markdown(report: Report, compared: Sequence[Change] = ()) -> str:
    """Build a page of its own: the machine, the table, and what changed."""
    lines = ["# Benchmarks", "", "Written by `ladtl bench --markdown`.", ""]
    lines += [f"* {line}" for line in machine_lines(report)]
    if missing_peer(report):
        lines += ["", missing_peer(report)]
    lines += ["", _line(HEADINGS)]
    lines.append(_line("--:" if heading in RIGHT_ALIGNED else "---" for heading in HEADINGS))
    lines += [_line(cells(row)) for row in report.rows]
    if compared:
        lines += ["", "## Since the earlier report", ""]
        lines += [f"* {change_line(change)}" for change in compared]
    return "\n".join(lines) + "\n"


def _line(values: Iterable[str]) -> str:
    return "| " + " | ".join(values) + " |"
