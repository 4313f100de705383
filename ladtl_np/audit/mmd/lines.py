"""Lines and tables of ``check_mmd``: laws of the MMD, and a check of its own test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ladtl_np.arrays.workers import Workers
from ladtl_np.audit.mmd.labels import Halves, LabelFound, Sample
from ladtl_np.audit.mmd.looks import ALIVE
from ladtl_np.audit.mmd.permutation import LEVEL, SentenceGram
from ladtl_np.audit.outcome import Line, Verdict, held, noted
from ladtl_np.layers.mmd import RowPair, mmd_forward
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES, evenly_spaced
from ladtl_np.pages.content import Cell, Table
from ladtl_np.reference import mmd as reference
from ladtl_np.shapes import Floats

__all__ = [
    "discoveries",
    "halves_lines",
    "labels_table",
    "law_errors",
    "law_lines",
    "told_apart",
    "width_table",
]

_TOLERANCE = 1e-9
"""Of a value of MMD^2, as a share of the number of Gaussians Q."""
_REFERENCE_ROWS = 25  # of a label and domain; the reference forms every difference
_RARE = 1e-4  # a correct test has so many small p-values in one audit of so many


def _kernel(X: Floats, Z: Floats, workers: Workers) -> float:
    """MMD^2 of two samples by the kernel that trains."""
    rows = np.arange(len(X) + len(Z))
    pair = RowPair(0, rows[: len(X)], rows[len(X) :])
    workers.memory.reuse()
    values, _ = mmd_forward(np.concatenate([X, Z]), [pair], [REFERENCE_VARIANCES], workers)
    return float(values[0])


def law_errors(sample: Sample, gram: SentenceGram, workers: Workers) -> dict[str, float]:
    """How far a label's values are from what holds of every squared MMD, as shares of Q."""
    X, Z = sample.source, sample.target
    few = [evenly_spaced(side, _REFERENCE_ROWS) for side in (X, Z)]
    whole, swapped, same = (_kernel(*sides, workers) for sides in ((X, Z), (Z, X), (X, X)))
    literal = reference.mmd_forward(few[0], few[1], REFERENCE_VARIANCES)
    found = {
        "MMD² is not below 0": 0.0 if whole >= 0.0 else -whole,
        "MMD²(X, Z) = MMD²(Z, X)": abs(whole - swapped),
        "MMD²(X, X) = 0": abs(same),
        "kernel and reference": abs(_kernel(few[0], few[1], workers) - literal),
        "kernel and sums by sentence": abs(whole - float(gram.values(sample.first[None])[0])),
    }
    return {check: error / gram.largest for check, error in found.items()}


def law_lines(errors: Sequence[tuple[str, dict[str, float]]]) -> list[Line]:
    """Lines from the `law_errors` of all labels and networks, each with where it was measured."""
    lines = []
    for check in errors[0][1]:
        # NaN counts as the largest
        where, error = max(
            ((where, found[check]) for where, found in errors),
            key=lambda pair: (np.isnan(pair[1]), pair[1]),
        )
        lines.append(held(check, error, _TOLERANCE, f"{where}, as a share of Q"))
    return lines


def halves_lines(found: Halves) -> Iterator[Line]:
    """The test must not tell halves of one domain apart more often than it says."""
    from scipy.stats import binom  # slow to import, and --help needs none of it

    check = "halves of one domain with a small p-value"
    trials = len(found.sentences)
    if not trials:
        yield noted(check, "not looked at", "no label is in enough sentences of one domain")
        return
    small = sum(p <= LEVEL for p in found.sentences)
    most = int(binom.isf(_RARE, trials, LEVEL))
    share = f"{100 * small / trials:.1f} % of {trials}"
    wanted = f"about {100 * LEVEL:.0f} %, at most {100 * most / trials:.1f} %"
    verdict: Verdict = "passed" if small <= most else "failed"
    yield Line(check, share, wanted, verdict, f"p ≤ {LEVEL}")
    if found.tokens:
        small, trials = sum(p <= LEVEL for p in found.tokens), len(found.tokens)
        yield noted(
            "the same, exchanging single tokens",
            f"{100 * small / trials:.0f} % of {trials}",
            "tokens of a sentence are not independent; the label with the most tokens",
        )


def told_apart(name: str, found: Sequence[LabelFound]) -> Line:
    """How many labels differ between the domains, all labels taken together."""
    count = discoveries([label.tested.p for label in found])
    return noted(
        f"labels that differ {name}",
        f"{count} of {len(found)}",
        f"at most {100 * LEVEL:.0f} % of them by chance, as a mean (Benjamini and Hochberg)",
    )


def discoveries(p: Sequence[float]) -> int:
    """How many hypotheses are rejected at a false discovery rate of `LEVEL`.

    The largest k whose k-th smallest p is at most k LEVEL / M (Benjamini and Hochberg 1995).
    """
    ordered = np.sort(p)
    allowed = LEVEL * np.arange(1, len(ordered) + 1) / len(ordered)
    return int(np.flatnonzero(ordered <= allowed).max(initial=-1)) + 1


def labels_table(samples: Sequence[Sample], found: dict[str, list[LabelFound]]) -> Table:
    """Each label with its values before and after, and where they would lie for one domain.

    Parameters
    ----------
    samples
        The labels, with how many tokens and sentences hold them.
    found
        What each network makes of them, in this order, by a name such as ``after``.
    """
    rows = []
    for number, sample in enumerate(samples):
        first = sample.first
        counts = (len(sample.source), len(sample.target), int(first.sum()), int((~first).sum()))
        cells = [sample.name, *map(str, counts)]
        for labels in found.values():
            label = labels[number]
            values = (label.tested.mmd, label.tested.expected, label.floor)
            cells += [*(f"{value:.4g}" for value in values), f"{label.tested.p:.3g}"]
            if label.own is not None:
                cells += [f"{label.own.mmd:.4g}", f"{label.own.p:.3g}"]
        rows.append([Cell(cell) for cell in cells])
    header = ["label", "source tokens", "target tokens", "source sentences", "target sentences"]
    for name, labels in found.items():
        header += [f"MMD² {name}", "if alike", "if independent too", f"p {name}"]
        if labels and labels[0].own is not None:
            header += [f"own kernel {name}", "p"]
    caption = "MMD² of each label between the domains, under the reference variances"
    return Table("mmd-labels", caption, header, rows)


def width_table(distances: dict[str, Floats], variances: Sequence[float]) -> Table:
    """The value of each Gaussian at the distances that occur, and whether it tells them apart."""
    rows = []
    for s in variances:
        cells = [f"{s:g}"]
        for quantiles in distances.values():
            at = np.exp(-quantiles / (2.0 * s))
            sees = ALIVE[0] < at[1] < ALIVE[1]
            cells += [" / ".join(f"{value:.2f}" for value in at), "yes" if sees else "no"]
        rows.append([Cell(cell) for cell in cells])
    header = ["variance"]
    for name, quantiles in distances.items():
        told = " / ".join(f"{value:.3g}" for value in quantiles)
        header += [f"{name}, at distance² {told}", "tells apart"]
    caption = (
        f"Each Gaussian at 10, 50 and 90 % of the distances² between the domains; it tells them "
        f"apart if it lies between {ALIVE[0]} and {ALIVE[1]} at the median"
    )
    return Table("mmd-widths", caption, header, rows)
