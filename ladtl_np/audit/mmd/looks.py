"""What the MMD and the parameter term do to a mini-batch: gradients, distances, labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.audit.mmd.permutation import squared_distances
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.model.network import Network
from ladtl_np.objective import loss_and_gradients
from ladtl_np.objective.batching import Batch, EncodedSentence, domain_batch
from ladtl_np.objective.encoder import encoder_forward
from ladtl_np.objective.mmd import row_pairs
from ladtl_np.objective.terms import Objective
from ladtl_np.options.config import Config
from ladtl_np.pages.content import Cell, Table
from ladtl_np.shapes import Floats, Integers
from ladtl_np.training.events import Step
from ladtl_np.training.passes import BalancedPasses, source_passes
from ladtl_np.training.prepared import Prepared
from ladtl_np.training.trainer import Trainer

__all__ = [
    "ALIVE",
    "Look",
    "Stop",
    "alive",
    "batches_of",
    "look",
    "looks_of_training",
    "looks_table",
    "mean_look",
    "training_table",
]

ALIVE = (0.05, 0.95)
"""A Gaussian outside this range hardly tells two distances apart."""
_ENCODER = ("forward.", "backward.")
_HEADER = [
    *("CRF gradient", "MMD / CRF", "parameter term / CRF", "distance² 10 / 50 / 90 %"),
    *(f"Gaussians of {len(REFERENCE_VARIANCES)}", "labels", "rows"),
]


class Look(NamedTuple):
    """One mini-batch seen by one network.

    Attributes
    ----------
    crf
        Norm of the likelihood's gradient by the encoder's weights.
    mmd
        Norm of the gradient of w_mmd L_LaMMD by them, as a share of it.
    param
        The same of w_param L_p and the likelihood, by the target CRF's weights; NaN without one.
    distances
        (3,) quantiles, 10, 50 and 90 %, of the squared distances within matched labels.
    gaussians
        Reference variances whose Gaussian is `ALIVE` at the median distance.
    labels, rows
        Matched labels that both halves hold; the median of their rows in the smaller half.
    """

    crf: float
    mmd: float
    param: float
    distances: Floats
    gaussians: float
    labels: float
    rows: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values, None for what is no number."""
        plain = self._asdict() | {"distances": [_plain(value) for value in self.distances]}
        return {name: _plain(value) for name, value in plain.items()}


class Stop(NamedTuple):
    """An evaluation of a training that is looked at: its step, development F1, and looks."""

    step: int
    f1: float
    look: Look

    def to_json(self) -> dict[str, Any]:
        """Return plain values, None for what is no number."""
        return {"step": self.step, "dev_f1": _plain(self.f1), **self.look.to_json()}


def _plain(value: Any) -> Any:
    """A value for JSON."""
    if isinstance(value, list):
        return value
    return None if np.isnan(value) else float(value)


def alive(distance: float, variances: Sequence[float]) -> int:
    """How many Gaussians are neither near 0 nor near 1 at a squared distance."""
    at = np.exp(-distance / (2.0 * np.array(variances)))
    return int(((at > ALIVE[0]) & (at < ALIVE[1])).sum())


def look(network: Network, objective: Objective, batch: Batch) -> Look:
    """Gradients of the loss's parts, by switching the others off, and distances."""
    plain = objective.changed(w_mmd=0.0, w_param=0.0, w_reg=0.0)
    likelihood = loss_and_gradients(network, batch, plain)[1]
    weights = objective.weights
    parts = [
        loss_and_gradients(network, batch, plain.changed(**weight))[1]
        for weight in ({"w_mmd": weights.w_mmd}, {"w_param": weights.w_param})
    ]
    encoder = [name for name in likelihood if name.startswith(_ENCODER)]
    target = [name for name in likelihood if name.startswith("target_crf")]
    with single_threaded_blas():
        hidden, _ = encoder_forward(network, batch, None, Workers())
    pairs = row_pairs(batch, replace(objective.tied(label_weights=None), label_aware=True))
    hidden = hidden.astype(np.float64)
    apart = [squared_distances(hidden[p.source], hidden[p.target]).ravel() for p in pairs]
    quantiles = np.quantile(np.concatenate(apart), (0.1, 0.5, 0.9)) if pairs else np.full(3, np.nan)
    return Look(
        crf=_norm(likelihood, encoder),
        mmd=_share(parts[0], likelihood, encoder),
        param=_share(parts[1], likelihood, target),
        distances=quantiles,
        gaussians=alive(float(quantiles[1]), REFERENCE_VARIANCES) if pairs else 0,
        labels=len(pairs),
        rows=float(np.median([min(p.source.size, p.target.size) for p in pairs] or [0])),
    )


def _share(with_part: dict[str, Floats], plain: dict[str, Floats], names: list[str]) -> float:
    """Norm of what a part adds to the likelihood's gradient, over that gradient's norm."""
    size = _norm(plain, names)
    added = {name: with_part[name] - plain[name] for name in names}
    return _norm(added, names) / size if size else float("nan")


def _norm(gradients: Mapping[str, Floats], names: list[str]) -> float:
    return float(np.sqrt(sum(np.square(gradients[name], dtype=np.float64).sum() for name in names)))


def batches_of(
    config: Config,
    objective: Objective,
    source: Sequence[EncodedSentence],
    target: Sequence[EncodedSentence],
    spelled: Sequence[Integers] | None,
    count: int,
    rng: np.random.Generator,
) -> list[Batch]:
    """Draw mini-batches of the sizes of training, and with labels met as in training."""
    sizes = config.training.source_batch, config.training.target_batch
    passes = source_passes(config, source, objective.ties[0], rng, rng)
    batches = []
    for _ in range(count):
        first, second = (
            [half[n] for n in rng.permutation(len(half))[:size]]
            for half, size in zip((source, target), sizes, strict=True)
        )
        if isinstance(passes, BalancedPasses):
            first = passes.take_beside(sizes[0], second)
        batches.append(domain_batch([first, second], spelled))
    return batches


def mean_look(looks: Sequence[Look]) -> Look:
    """Means over mini-batches."""
    columns = zip(*looks, strict=True)
    return Look(*(np.mean(np.array(column), axis=0) for column in columns))


def looks_of_training(
    prepared: Prepared,
    count: int,
    rng: np.random.Generator,
    tell: Callable[[], None],
    number: int = 0,
) -> list[Stop]:
    """Train again, and look at some mini-batches at every evaluation.

    Parameters
    ----------
    prepared
        What the run started from; its network is trained.
    count
        Mini-batches at each evaluation.
    rng
        Draws them.
    tell
        Is called after each step.
    number
        Of the source that is looked at, from 0.
    """
    trainer, stops = Trainer(prepared), []
    objective = prepared.objective.exact().alone(number)
    source = prepared.sources[number].sentences
    given = prepared.config, objective, source, prepared.target
    for event in trainer.run():
        if isinstance(event, Step):
            tell()
        else:
            batches = batches_of(*given, prepared.spelled, count, rng)
            network = trainer.network.pair(number)
            looks = [look(network, objective, batch) for batch in batches]
            f1 = float("nan")
            if event.scores is not None:
                f1 = event.scores.conlleval.overall.f1
            stops.append(Stop(event.step, f1, mean_look(looks)))
    return stops


def looks_table(looks: dict[str, Look], batches: int) -> Table:
    """The means before and after training as a table."""
    caption = f"Gradients and distances in a mini-batch without dropout, means over {batches}"
    rows = [[Cell(cell) for cell in (name, *_cells(one))] for name, one in looks.items()]
    return Table("mmd-gradients", caption, ["network", *_HEADER], rows)


def training_table(stops: Sequence[Stop], batches: int) -> Table:
    """One row for each evaluation of the training."""
    caption = f"The same at every evaluation of a training, means over {batches} mini-batches"
    rows = [
        [Cell(cell) for cell in (f"{stop.step}", f"{100 * stop.f1:.2f}", *_cells(stop.look))]
        for stop in stops
    ]
    return Table("mmd-training", caption, ["step", "dev F1", *_HEADER], rows)


def _cells(one: Look) -> list[str]:
    low, middle, high = one.distances
    return [
        *(f"{one.crf:.3f}", f"{one.mmd:.3f}", f"{one.param:.3f}"),
        f"{low:.2f} / {middle:.2f} / {high:.2f}",
        *(f"{one.gaussians:.1f}", f"{one.labels:.1f}", f"{one.rows:.1f}"),
    ]
