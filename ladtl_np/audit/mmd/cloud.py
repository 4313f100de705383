"""Hidden rows in a plane, as the paper's figures 1 and 2 sketch them: two principal components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ladtl_np.audit.mmd.labels import Sample
from ladtl_np.layers.mmd_variances import evenly_spaced
from ladtl_np.pages.content import Figure
from ladtl_np.pages.drawing.clouds import CloudPanel, clouds
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.shapes import Floats

__all__ = ["Plane", "draw_planes", "plane_of", "principal_components"]

_LABELS = 6
"""Labels that are drawn, those with the most tokens in the domain that has fewer of them."""
_POINTS = 60  # of a label and domain, evenly spaced


class Plane(NamedTuple):
    """Rows of some labels by their two principal components.

    Attributes
    ----------
    points
        (S, 2) and (R, 2) of either domain, by label.
    shares
        Of the variance of all these rows along each component.
    """

    points: dict[str, tuple[Floats, Floats]]
    shares: tuple[float, float]


def principal_components(rows: Floats) -> tuple[Floats, tuple[float, float]]:
    """Project rows (N, K) on the two directions of most variance: (N, 2), and their shares of it.

    The rows are centred; the singular vectors of ``rows = U diag(s) V'`` are the directions, and
    ``s_i^2`` is proportional to the variance along each. Its largest entry makes a direction's
    sign.
    """
    centred = rows - rows.mean(axis=0)
    _, s, Vt = np.linalg.svd(centred, full_matrices=False)
    Vt = Vt[:2]
    signs = np.sign(Vt[np.arange(len(Vt)), np.abs(Vt).argmax(axis=1)])
    projected = np.zeros((len(rows), 2))
    projected[:, : len(Vt)] = centred @ (signs[:, None] * Vt).T
    shares = np.zeros(2)
    total = float(np.square(s).sum())
    if total:
        shares[: len(Vt)] = np.square(s[:2]) / total
    return projected, (float(shares[0]), float(shares[1]))


def plane_of(samples: Sequence[Sample]) -> Plane:
    """Project the most frequent labels; O is left out, unless there is no other."""
    entities = [sample for sample in samples if sample.name != "O"] or list(samples)
    entities.sort(key=lambda sample: -min(len(sample.source), len(sample.target)))
    drawn = {
        sample.name: [evenly_spaced(side, _POINTS) for side in sample[1:3]]
        for sample in entities[:_LABELS]
    }
    sides = [side for both in drawn.values() for side in both]
    projected, shares = principal_components(np.concatenate(sides))
    ends = np.cumsum([len(side) for side in sides])
    parts = np.split(projected, ends[:-1])
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return Plane(dict(zip(drawn, pairs, strict=True)), shares)


def draw_planes(pen: Pen, planes: dict[str, Plane]) -> list[Figure]:
    """Draw the planes of several networks side by side."""
    panels = [
        CloudPanel(
            title,
            tuple(
                f"{which} component, {100 * share:.0f} % of the variance"
                for which, share in zip(("first", "second"), plane.shares, strict=True)
            ),
            plane.points,
        )
        for title, plane in planes.items()
    ]
    caption = (
        "Hidden states of training tokens on their two principal components, which each panel has "
        "of its own: a colour for each of the most frequent labels, circles for the source and "
        "triangles for the target."
    )
    return [clouds(pen, "mmd-plane", caption, panels, ("source", "target"))]
