"""The divergence and its bounds as tables and as a drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ladtl_np.audit.bounds import Bounds
from ladtl_np.pages.content import Cell, Figure, Table
from ladtl_np.pages.drawing.pen import Pen

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["bounds_figure", "bounds_tables"]

Found = Mapping[str, Sequence[Bounds]]

_BOUNDS: dict[str, Callable[[Bounds], float]] = {
    "(b - a)² / 8": lambda b: b.hoeffding,
    "c₁ / 2 L_p": lambda b: b.quadratic,
    "2 √(c₁ L_p)": lambda b: b.printed,
}
_BOUNDS_TOLD: dict[str, Callable[[Bounds], float]] = {"b - a": lambda b: b.high - b.low, **_BOUNDS}
_QUANTITIES: dict[str, Callable[[Bounds], float]] = {
    "KL(p_s || p_t)": lambda b: b.kl,
    "KL a token": lambda b: b.kl / b.tokens,
    **_BOUNDS_TOLD,
    "c₁": lambda b: b.constant,
    "L_p": lambda b: b.distance,
}
_MARKERS = "osD^"
_DRAWN = 120
"""Sentences in a drawing; every one is several hundred bytes of a page."""


def bounds_tables(found: Found) -> list[Table]:
    """What training did to each quantity, and every sentence's numbers."""
    summary = [
        [Cell(name), Cell(stage), *(Cell(text) for text in _summary(name, bounds))]
        for name in _QUANTITIES
        for stage, bounds in found.items()
    ]
    header = ["quantity", "when", "least", "median", "largest", "KL / it, median"]
    tables = [Table("kl-summary", "Over the sentences, in nats", header, summary, names=2)]
    header = ["line", "tokens", "KL", "a", "b", *_BOUNDS, "c₁", "|log Z_s - log Z_t|"]
    for stage, bounds in found.items():
        rows = [[Cell(text) for text in _row(each)] for each in bounds]
        name = f"kl-sentences-{stage.partition(' ')[0]}"
        tables.append(Table(name, f"Sentences {stage}, in nats", header, rows, folded=True))
    return tables


def _summary(name: str, bounds: Sequence[Bounds]) -> list[str]:
    values = np.array([_QUANTITIES[name](each) for each in bounds])
    told = [f"{value:.4g}" for value in (values.min(), np.median(values), values.max())]
    if name not in _BOUNDS_TOLD:
        return [*told, ""]
    kl = np.array([each.kl for each in bounds])
    ratios = kl[values > 0] / values[values > 0]
    return [*told, f"{np.median(ratios):.3g}" if ratios.size else ""]


def _row(each: Bounds) -> list[str]:
    values = [each.kl, each.low, each.high, *(bound(each) for bound in _BOUNDS.values())]
    values += [each.constant, abs(each.normalisers)]
    return [f"{each.line}", f"{each.tokens}", *(f"{value:.4g}" for value in values)]


def bounds_figure(pen: Pen, found: Found) -> list[Figure]:
    """KL against each bound, and both by sentence length; a row of panels for each stage."""
    caption = "Exact KL of each sentence against its bounds, and both by the sentence's length"
    if any(len(bounds) > _DRAWN for bounds in found.values()):
        caption += f"; {_DRAWN} sentences, evenly spaced by KL"
    with pen.page(9.6, 3.4 * len(found) + 0.4) as drawing:
        axes = drawing.subplots(len(found), 2, squeeze=False)
        for (stage, bounds), (left, right) in zip(found.items(), axes, strict=True):
            drawn = _spread(bounds)
            _against_kl(pen, left, drawn)
            _by_length(pen, right, drawn)
            left.set(title=f"tightness {stage}", xlabel="KL in nats", ylabel="bound in nats")
            right.set(title=f"by length {stage}", xlabel="tokens", ylabel="nats")
        handles, labels = axes[0, 1].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        return [pen.finish(drawing, "kl-bounds", caption)]


def _spread(bounds: Sequence[Bounds]) -> list[Bounds]:
    """At most so many as a drawing holds, the one of least KL and the one of most among them."""
    by_kl = sorted(bounds, key=lambda each: each.kl)
    if len(by_kl) <= _DRAWN:
        return by_kl
    places = np.linspace(0, len(by_kl) - 1, _DRAWN).round().astype(np.int64)
    return [by_kl[place] for place in places.tolist()]


def _against_kl(pen: Pen, axes: Axes, bounds: Sequence[Bounds]) -> None:
    positive = [each for each in bounds if each.kl > 0 and each.hoeffding > 0]
    kl = [each.kl for each in positive]
    for number, bound in enumerate(_BOUNDS.values()):
        _points(axes, pen, number, kl, [bound(each) for each in positive])
    if positive:
        _logarithmic(axes)
        axes.plot([min(kl), max(kl)], [min(kl), max(kl)], color="0.55", lw=1.2)  # a tight bound
    axes.grid(visible=True)


def _by_length(pen: Pen, axes: Axes, bounds: Sequence[Bounds]) -> None:
    values: dict[str, Callable[[Bounds], float]] = {**_BOUNDS, "KL": lambda b: b.kl}
    for number, (name, value) in enumerate(values.items()):
        there = [each for each in bounds if value(each) > 0]
        lengths: list[float] = [each.tokens for each in there]
        _points(axes, pen, number, lengths, [value(each) for each in there], name)
    if any(each.kl > 0 for each in bounds):
        _logarithmic(axes)
    axes.grid(visible=True)


def _points(
    axes: Axes, pen: Pen, number: int, x: list[float], y: list[float], label: str = ""
) -> None:
    marker, colour = _MARKERS[number], pen.colour(number)
    axes.scatter(x, y, s=10, alpha=0.6, linewidths=0, color=colour, marker=marker, label=label)


def _logarithmic(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axes.set(xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):  # plain numbers: figures have no formulas
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
