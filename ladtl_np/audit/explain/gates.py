"""What the BiLSTM did with a sentence: gates, states, and which tokens a state comes from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ladtl_np.audit.comparing import difference
from ladtl_np.audit.explain.encoding import Direction
from ladtl_np.audit.explain.explained import Explained
from ladtl_np.audit.outcome import Audit, Line, held
from ladtl_np.layers.bilstm import DIRECTIONS
from ladtl_np.pages.content import Cell, Figure, Table
from ladtl_np.pages.drawing.heat import HeatMap, draw_heat_maps
from ladtl_np.shapes import Floats, Integers

__all__ = ["Origins", "gates_audit", "origins_of"]

_GATES = {"i": "input gate i", "f": "forget gate f", "o": "output gate o", "g": "candidate g"}


class Origins(NamedTuple):
    """Which tokens a direction's cell comes from; docs/math/lstm.md (3), unrolled.

    ``c_t = sum_s (f_t * ... * f_{s+1}) * i_s * g_s``, with s from t back to where it starts.
    """

    cell: Floats  # (T, H)  the sum
    shares: Floats  # (T, T)  of token s (column) in row t: sizes of its part, summed over units


def origins_of(direction: Direction, *, reverse: bool) -> Origins:
    """Part the cell of each token by the tokens that it was written at.

    Parameters
    ----------
    direction
        Rows are tokens.
    reverse
        Whether the direction reads from the last token to the first.
    """
    i, f, g = (direction.gate(name) for name in "ifg")
    T, H = direction.cell.shape
    order = range(T - 1, -1, -1) if reverse else range(T)
    parts, cell, shares = np.zeros((T, H)), np.empty((T, H)), np.zeros((T, T))
    for t in order:
        parts *= f[t]
        parts[t] = i[t] * g[t]
        cell[t] = parts.sum(axis=0)
        sizes = np.abs(parts).sum(axis=1)
        shares[t] = sizes / max(float(sizes.sum()), np.finfo(np.float64).tiny)
    return Origins(cell, shares)


def gates_audit(found: Explained, tolerance: float) -> Audit:
    """Checks of the gates, a table by token, and heat maps."""
    origins = {
        name: origins_of(direction, reverse=name == "backward")
        for name, direction in zip(DIRECTIONS, found.encoding, strict=True)
    }
    lines = []
    for name, direction, other in zip(DIRECTIONS, found.encoding, found.by_kernels, strict=True):
        lines += _lines(name, direction, other, origins[name], tolerance)
    return Audit(
        "explain-gates",
        "Inside the BiLSTM",
        lines,
        notes=[
            "A cell keeps what the forget gate leaves of it and takes in what the input gate lets "
            "through: products of forget gates say how much of each token is left. Units stand by "
            "their mean forget gate, those that keep longest on top."
        ],
        tables=[
            _table(found, name, direction, origins[name])
            for name, direction in zip(DIRECTIONS, found.encoding, strict=True)
        ],
        draw=lambda _: [
            _figure(found, name, direction, origins[name])
            for name, direction in zip(DIRECTIONS, found.encoding, strict=True)
        ],
        numbers={
            name: {"shares": origins[name].shares.round(6).tolist(), **_means(direction)}
            for name, direction in zip(DIRECTIONS, found.encoding, strict=True)
        },
    )


def _lines(
    name: str, direction: Direction, other: Direction, origins: Origins, tolerance: float
) -> list[Line]:
    sums = difference(origins.cell, direction.cell)
    errors = {
        "gates": difference(other.gates, direction.gates),
        "cell": difference(other.cell, direction.cell),
        "hidden state": difference(other.hidden, direction.hidden),
    }
    return [
        held(f"{name}: what is left of each token adds up to the cell", sums, tolerance),
        *(
            held(f"{name}, kernels and reference: {kind}", error, tolerance)
            for kind, error in errors.items()
        ),
    ]


def _means(direction: Direction) -> dict[str, list[float]]:
    """Means over the units by token, of sizes where there are signs."""
    values = {name: np.abs(direction.gate(name)) for name in "ifog"}
    values |= {"c": np.abs(direction.cell), "h": np.abs(direction.hidden)}
    return {name: array.mean(axis=1).tolist() for name, array in values.items()}


def _table(found: Explained, name: str, direction: Direction, origins: Origins) -> Table:
    means, rows = _means(direction), []
    for t, token in enumerate(found.shown_tokens):
        values = (*(values[t] for values in means.values()), float(origins.shares[t, t]))
        rows.append([Cell(str(t + 1)), Cell(token), *(Cell(f"{value:.3f}") for value in values)])
    header = ["n", "token", *means, "own"]
    caption = (
        f"{name.capitalize()} direction: means over the units, of g, c and h without signs; own is "
        "the share of the cell that was written at its own token"
    )
    return Table(f"gates-{name}", caption, header, rows, names=2)


def _figure(found: Explained, name: str, direction: Direction, origins: Origins) -> Figure:
    order: Integers = np.argsort(-direction.gate("f").mean(axis=0), kind="stable")
    units = {title: direction.gate(gate) for gate, title in _GATES.items()}
    units |= {"tanh of the cell c": np.tanh(direction.cell), "hidden state h": direction.hidden}
    maps = [HeatMap(title, values[:, order].T, "units") for title, values in units.items()]
    maps.append(HeatMap("where the cell comes from", origins.shares, "cell at token"))
    reads = "from the first token on" if name == "forward" else "from the last token back"
    caption = (
        f"{name.capitalize()} direction, which reads {reads}. Blue is positive, orange negative. "
        "Last: row t has the shares of the tokens in the cell at token t."
    )
    return draw_heat_maps(f"gates-{name}", caption, found.words.tokens, maps)
