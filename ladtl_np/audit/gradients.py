"""Every gradient against finite differences, on a subject of the user's own: `check_gradients`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ladtl_np.arrays.workers import single_threaded_blas
from ladtl_np.audit.chosen import some
from ladtl_np.audit.defaults import COORDINATES, DIRECTIONS, LONGEST, SENTENCES
from ladtl_np.audit.kernel_pairs import KERNEL_PAIRS, adagrad_lines
from ladtl_np.audit.kernel_side import kernel_side, own_gradients, total_of, variances_at
from ladtl_np.audit.outcome import TOLERANCE, Audit, Line, Tell, held, noted
from ladtl_np.audit.pairs import check_pairs
from ladtl_np.audit.reference_pairs import REFERENCE_PAIRS
from ladtl_np.audit.sides import Case, Side, make_case
from ladtl_np.audit.slopes import relative_errors, slopes
from ladtl_np.audit.subject import Subject, demo_subject
from ladtl_np.audit.twin import twin_side
from ladtl_np.audit.whole import Whole
from ladtl_np.model.network import EMBEDDING
from ladtl_np.options.seeds import stream
from ladtl_np.shapes import Floats, Integers

__all__ = ["check_gradients"]

CLOSER = 1e-2
"""Two computations of one gradient agree so much better than a difference can tell."""
SLOW = 3
"""The reference is moved in so many times fewer ways: it is slow, and compared with the kernels."""
VISIBLE = 1e-9
"""A block whose gradients are all below this proves nothing."""


class _Worst(NamedTuple):
    """The largest error of a block so far."""

    error: float
    where: str


def check_gradients(
    subject: Subject | None = None,
    *,
    coordinates: int = COORDINATES,
    directions: int = DIRECTIONS,
    sentences: int = SENTENCES,
    longest: int = LONGEST,
    tolerance: float = TOLERANCE,
    seed: int = 0,
    tell: Tell | None = None,
) -> Audit:
    """Compare every hand-written gradient with central differences, in float64.

    Parameters
    ----------
    subject
        Network and sentences; those of the demo where none is given.
    coordinates
        Of each parameter block: half those with the largest gradients, half at random.
    directions
        Random directions through each block.
    sentences, longest
        So many of either domain, of at most so many tokens where there are such.
    tolerance
        Largest relative error that passes.
    seed
        Decides which coordinates and directions, the dropout mask and the sentences' weights.
    tell
        Is told how many blocks are done, and of how many.

    Returns
    -------
    Audit
        A line for each parameter block of the kernels and of the reference, with the largest error
        over all terms of the loss, and what else docs/audit.md lists.

    Examples
    --------
    >>> from ladtl_np.audit import check_gradients, demo_subject
    >>> audit = check_gradients(demo_subject(), coordinates=1, directions=0, sentences=2)
    >>> audit.passed
    True
    """
    subject = demo_subject() if subject is None else subject
    rng = stream(seed, "audit")
    whole = subject.whole
    if whole is None:
        whole = Whole(subject.network, None, subject.objective, (), (subject.source,))
    sources = [some(half, sentences, longest) for half in whole.sources]
    target = some(subject.target, sentences, longest)
    objective = replace(whole.objective, frozen=())
    dropout = subject.config.model.dropout
    case = make_case(whole.network, objective, sources, target, subject.spelled, dropout, rng)
    with single_threaded_blas():
        variances = variances_at(case)
        common = [variances[0]] * len(variances) if variances else []
        kernels = kernel_side(case, rng, variances)
        twin = twin_side(case, common[0] if common else (1.0,))
        alike = kernels if common == variances else kernel_side(case, rng, common)
        lines = _compared(alike, twin, CLOSER * tolerance)
        lines += _sums(case, kernels, variances, CLOSER * tolerance)
        if whole.objective.frozen:
            lines.append(_frozen(replace(case, objective=whole.objective), variances))
        lines += check_pairs("kernels", KERNEL_PAIRS, rng, tolerance)
        lines += check_pairs("reference", REFERENCE_PAIRS, rng, tolerance)
        lines += adagrad_lines(rng, CLOSER * tolerance)
        blocks = [(side, name) for side in (kernels, twin) for name in side.parameters]
        for done, (side, name) in enumerate(blocks, 1):
            fewer = SLOW if side is twin else 1
            moves = -(-coordinates // fewer), -(-directions // fewer)
            lines.append(_block(side, name, case, rng, *moves, tolerance))
            if tell is not None:
                tell(done, len(blocks))
    return Audit("gradients", "Gradients", lines, [*_notes(subject, case), *subject.notes])


def _notes(subject: Subject, case: Case) -> list[str]:
    tokens = case.batch.words.size
    of = "source" if len(case.sources) < 2 else f"{len(case.sources)} sources"
    return [
        f"On {len(case.source)} sentences of the {of} and {len(case.target)} of the target, "
        f"{tokens} tokens in all, in float64, with a dropout mask and sentences of uneven weight."
    ]


def _compared(kernels: Side, twin: Side, tolerance: float) -> list[Line]:
    """Kernels against the reference: values and gradients of every term that both have."""
    values = dict(zip(kernels.terms, kernels.values(), strict=True))
    gradients = dict(zip(kernels.terms, kernels.gradients, strict=True))
    lines = []
    for name, value, found in zip(twin.terms, twin.values(), twin.gradients, strict=True):
        worst = _Worst(0.0, "")
        for block, gradient in found.items():
            errors = relative_errors(gradients[name][block], gradient, np.abs(value))
            worst = _worse(worst, errors, f"{block}")
        error = abs(values[name] - value) / max(abs(value), 1.0)
        lines.append(held(f"value of {name}, kernels and reference", error, tolerance))
        told = f"gradient of {name}, kernels and reference"
        lines.append(held(told, worst.error, tolerance, worst.where))
    return lines


def _worse(worst: _Worst, errors: Floats, name: str) -> _Worst:
    """The larger error; one that is no number counts as without bound."""
    if not errors.size:
        return worst
    finite = np.where(np.isfinite(errors), errors, np.inf)
    place = np.unravel_index(int(finite.argmax()), finite.shape)
    error = float(finite[place])
    return _Worst(error, f"{name}{_at(place)}") if error > worst.error else worst


def _at(place: Sequence[Any]) -> str:
    return str([int(i) for i in place]) if len(place) else ""


def _sums(
    case: Case, kernels: Side, variances: list[tuple[float, ...]], tolerance: float
) -> list[Line]:
    """The total that training reports is the weighted sum of the terms."""
    terms = dict(zip(kernels.terms, kernels.values(), strict=True))
    expected, reported = total_of(case.objective, terms), own_gradients(case, variances)[0].total
    error = abs(reported - expected) / max(abs(expected), 1.0)
    return [
        held("total is the weighted sum of the terms", error, tolerance),
        held("dropout mask is 0 or 1 / (1 - dropout)", _mask_error(case), tolerance),
    ]


def _mask_error(case: Case) -> float:
    """How far the mask's values are from the two that they may have; both have to occur."""
    kept = 1.0 / (1.0 - case.dropout)
    dropped = case.mask == 0.0
    if dropped.all() or not dropped.any():
        return np.inf
    return float(np.abs(case.mask[~dropped] - kept).max())


def _frozen(case: Case, variances: list[tuple[float, ...]]) -> Line:
    """What the method keeps as it is receives nothing; elsewhere it is checked as if it learned."""
    _, gradients = own_gradients(case, variances)
    frozen = case.objective.frozen
    largest = max(float(np.abs(gradients[name]).max()) for name in frozen)
    return held("frozen parameters have no gradient", largest, 0.0, ", ".join(frozen))


def _block(
    side: Side,
    name: str,
    case: Case,
    rng: np.random.Generator,
    coordinates: int,
    directions: int,
    tolerance: float,
) -> Line:
    """One parameter block of one side, every term."""
    analytic = np.stack([gradient[name] for gradient in side.gradients])
    check = f"{side.name}: {name}"
    if not np.isfinite(analytic).all():
        return Line(check, "not finite", "a number", "failed")
    size = np.abs(side.values())
    worst, largest = _Worst(-1.0, ""), 0.0
    for told, direction in _moves(name, analytic, case, rng, coordinates, directions):
        found = slopes(_along(side, name, direction))
        given = np.tensordot(analytic, direction, direction.ndim)
        errors = relative_errors(given, found, size)
        largest = max(largest, float(np.abs(given).max()), float(np.abs(found).max()))
        finite = np.where(np.isnan(errors), np.inf, errors)
        if finite.max() > worst.error:
            term = side.terms[int(finite.argmax())]
            worst = _Worst(float(finite.max()), f"{term}, {told}")
    if largest < VISIBLE:
        return noted(check, "no gradient to speak of", "nothing is proved")
    return held(check, worst.error, tolerance, worst.where)


def _along(side: Side, name: str, direction: Floats) -> Callable[[float], Floats]:
    """The terms' values with a block moved some way, which is put back at once."""
    array = side.parameters[name]
    before = array.copy()

    def function(distance: float) -> Floats:
        array[...] = before + distance * direction
        try:
            return side.values()
        finally:
            array[...] = before

    return function


def _moves(
    name: str,
    analytic: Floats,
    case: Case,
    rng: np.random.Generator,
    coordinates: int,
    directions: int,
) -> Iterator[tuple[str, Floats]]:
    """Coordinates and random directions to move a block along, with what to call them."""
    shape = analytic.shape[1:]
    touched = np.unique(case.batch.words) if name == EMBEDDING else None
    for place in _places(analytic, rng, coordinates, touched):
        direction = np.zeros(shape)
        direction[place] = 1.0
        yield _at(place), direction
    for number in range(directions):
        direction = rng.standard_normal(shape)
        if touched is not None:  # most rows have no gradient, and would only make it short
            others = np.ones(shape[0], dtype=np.bool_)
            others[touched] = False
            direction[others] = 0.0
        yield f"random direction {number + 1}", direction / np.linalg.norm(direction)


def _places(
    analytic: Floats, rng: np.random.Generator, count: int, touched: Integers | None
) -> list[tuple[int, ...]]:
    """Coordinates: the largest gradient of the terms in turn, then others at random."""
    shape = analytic.shape[1:]
    flat = np.abs(analytic.reshape(len(analytic), -1))
    if flat.shape[1] <= count:
        return [tuple(map(int, np.unravel_index(i, shape))) for i in range(flat.shape[1])]
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.nan_to_num(flat / flat.max(axis=1, keepdims=True)).sum(axis=0)
    largest = np.argsort(-shares, kind="stable")[: (count + 1) // 2]
    chosen = dict.fromkeys(largest.tolist())
    while len(chosen) < count:
        place = int(rng.integers(flat.shape[1]))
        if touched is not None and len(chosen) % 2:  # every other one in a row that is in use
            row, columns = int(rng.choice(touched)), shape[1]
            place = row * columns + place % columns
        chosen.setdefault(place)
    return [tuple(map(int, np.unravel_index(i, shape))) for i in chosen]
