"""Plot cost against size from a report of pytest-benchmark, one figure for each stem.

    python benchmarks/plot_scaling.py benchmarks.json docs/results

Needs matplotlib: ``pip install 'ladtl-np[report]'``. Writes SVG files, and ``scaling.md``, a page
that shows them.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

STYLES = {1: "o-", 2: "s--"}
SLOPES = {"tags": 2, "rows": 2}  # of the cost over the axis; 1 for all others


class Point(NamedTuple):
    """One measurement, in seconds."""

    size: int
    low: float
    median: float
    high: float


Curves = dict[tuple[str, int], list[Point]]


def read_points(path: Path) -> dict[tuple[str, str], Curves]:
    """Curves by stem and axis; a curve has a name and a number of threads."""
    figures: dict[tuple[str, str], Curves] = defaultdict(lambda: defaultdict(list))
    for measured in json.loads(path.read_text("utf-8"))["benchmarks"]:
        facts, stats = measured["extra_info"], measured["stats"]
        if not facts.get("axis"):
            continue
        stem = Path(measured["fullname"].partition("::")[0]).stem.removeprefix("bench_")
        point = Point(facts["size"], stats["q1"], stats["median"], stats["q3"])
        figures[stem, facts["axis"]][facts["curve"], facts.get("threads", 1)].append(point)
    return {
        key: {name: sorted(points) for name, points in curves.items()}
        for key, curves in figures.items()
        if any(len(points) > 1 for points in curves.values())
    }


def draw(stem: str, axis: str, curves: Curves, folder: Path) -> str:
    """Draw one figure and return the name of its file, without suffix."""
    figure, axes = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    colours: dict[str, str] = {}
    for (curve, threads), points in sorted(curves.items()):
        colour = colours.setdefault(curve, f"C{len(colours)}")
        sizes, low, median, high = np.array(points).T
        label = f"{curve}, {threads} thread{'s' * (threads > 1)}"
        axes.plot(sizes, median * 1e3, STYLES.get(threads, "^:"), color=colour, label=label)
        axes.fill_between(sizes, low * 1e3, high * 1e3, color=colour, alpha=0.2, linewidth=0)
    _guide(axes, curves, SLOPES.get(axis, 1))
    axes.set(xscale="log", yscale="log", xlabel=axis, ylabel="milliseconds", title=stem)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    name = f"scaling-{stem}-{axis}".replace(" ", "-")
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)
    return name


def _guide(axes: plt.Axes, curves: Curves, slope: int) -> None:
    """A thin line of the expected slope through the largest size of the first curve."""
    points = curves[min(curves)]
    last, sizes = points[-1], np.array([point.size for point in points])
    expected = last.median * 1e3 * (sizes / last.size) ** slope
    label = "linear" if slope == 1 else "quadratic"
    axes.plot(sizes, expected, color="0.6", lw=0.8, label=label)


def page(names: Sequence[tuple[str, str, str]]) -> str:
    """Markdown that shows the figures."""
    lines = ["# Cost against size", "", "Drawn by `benchmarks/plot_scaling.py`: medians, with the"]
    lines += [
        "quartiles as bands; the thin line grows in proportion to the size, or to its square.",
        "",
    ]
    for stem, axis, name in names:
        lines += [f"## {stem} by {axis}", "", f"![{stem} by {axis}]({name}.svg)", ""]
    return "\n".join(lines)


def main() -> None:
    """Draw every stem of a report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("report", type=Path, help="what --benchmark-json wrote")
    parser.add_argument("folder", type=Path, help="where the figures go")
    given = parser.parse_args()
    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "ladtl_np"
    given.folder.mkdir(parents=True, exist_ok=True)
    names = []
    for (stem, axis), curves in sorted(read_points(given.report).items()):
        names.append((stem, axis, draw(stem, axis, curves, given.folder)))
    (given.folder / "scaling.md").write_text(page(names), "utf-8")


if __name__ == "__main__":
    main()
