"""What the label-aware MMD does during training: size of its gradients, kernels, labels.

    python benchmarks/mmd_diagnosis.py RUN

Trains the run of a folder again, from its ``config.toml``, and stops at every evaluation to look at
a few mini-batches without dropout. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.objective import loss_and_gradients
from ladtl_np.objective.batching import Batch, two_domain_batch
from ladtl_np.objective.encoder import encoder_forward
from ladtl_np.objective.mmd import row_pairs
from ladtl_np.options.config import parse_config, read_config
from ladtl_np.runs.run import read_corpora, read_label_map
from ladtl_np.shapes import Floats
from ladtl_np.training.preparation import prepare
from ladtl_np.training.prepared import Prepared
from ladtl_np.training.trainer import Evaluation, Trainer

BATCHES = 5  # looked at, at every stop
ENCODER = ("forward.", "backward.")
ALIVE = (0.05, 0.95)  # a Gaussian outside this range hardly tells two distances apart
HEAD = (
    "| step | dev F1 | CRF gradient | MMD gradient / CRF gradient | parameter term / CRF gradient "
    "| squared distance, 10 / 50 / 90 % | kernels that see it | labels in both halves "
    "| rows a label, median |\n|---|---|---|---|---|---|---|---|---|"
)


class Look(NamedTuple):
    """One mini-batch of a model in training."""

    crf_norm: float  # of the encoder's gradient from the likelihood
    mmd_ratio: float  # of the encoder's gradient from w_mmd * MMD, to that
    param_ratio: float  # of the target CRF's gradient from w_param * L_p, to its likelihood's
    distances: Floats  # 10, 50 and 90 % quantiles of squared distances within matched labels
    kernels: int  # Gaussians that are neither 0 nor 1 at the median distance
    labels: int  # matched tags present in both halves
    rows: float  # median rows of such a tag in its smaller half


def look(trainer: Trainer, prepared: Prepared, batch: Batch) -> Look:
    """Gradients of the loss's parts, by switching the others off, and distances."""
    objective, network = prepared.objective, trainer.network
    plain = objective.changed(w_mmd=0.0, w_param=0.0, w_reg=0.0)
    likelihood = loss_and_gradients(network, batch, plain)[1]
    with_mmd = loss_and_gradients(network, batch, objective.changed(w_param=0.0, w_reg=0.0))[1]
    with_param = loss_and_gradients(network, batch, objective.changed(w_mmd=0.0, w_reg=0.0))[1]
    encoder = [name for name in likelihood if name.startswith(ENCODER)]
    target = [name for name in likelihood if name.startswith("target_crf")]
    with single_threaded_blas():
        hidden, _ = encoder_forward(network, batch, None, Workers())
    pairs = row_pairs(batch, objective)
    squared = np.concatenate([_squared(hidden[p.source], hidden[p.target]).ravel() for p in pairs])
    quantiles = np.quantile(squared, (0.1, 0.5, 0.9))
    at_median = np.exp(-quantiles[1] / (2 * np.array(REFERENCE_VARIANCES)))
    return Look(
        crf_norm=_norm(likelihood, encoder),
        mmd_ratio=_norm(_difference(with_mmd, likelihood), encoder) / _norm(likelihood, encoder),
        param_ratio=_norm(_difference(with_param, likelihood), target) / _norm(likelihood, target),
        distances=quantiles,
        kernels=int(((at_median > ALIVE[0]) & (at_median < ALIVE[1])).sum()),
        labels=len(pairs),
        rows=float(np.median([min(p.source.size, p.target.size) for p in pairs])),
    )


def _difference(one: dict[str, Floats], other: dict[str, Floats]) -> dict[str, Floats]:
    return {name: one[name] - other[name] for name in one}


def _norm(gradients: dict[str, Floats], names: list[str]) -> float:
    return float(np.sqrt(sum(np.square(gradients[name], dtype=np.float64).sum() for name in names)))


def _squared(X: Floats, Z: Floats) -> Floats:
    X, Z = X.astype(np.float64), Z.astype(np.float64)
    norms = np.square(X).sum(axis=1)[:, None] + np.square(Z).sum(axis=1)
    distances: Floats = np.maximum(norms - 2 * X @ Z.T, 0.0)
    return distances


def row(event: Evaluation, looks: list[Look], matched: int) -> str:
    """Means over the mini-batches, as a line of the table."""
    f1 = 100 * event.scores.conlleval.overall.f1 if event.scores is not None else float("nan")
    low, middle, high = np.mean([one.distances for one in looks], axis=0)
    crf, mmd, param = (
        np.mean([getattr(one, name) for one in looks])
        for name in ("crf_norm", "mmd_ratio", "param_ratio")
    )
    kernels, labels, rows = (
        np.mean([getattr(one, name) for one in looks]) for name in ("kernels", "labels", "rows")
    )
    return (
        f"| {event.step} | {f1:.2f} | {crf:.3f} | {mmd:.3f} | {param:.3f} "
        f"| {low:.2f} / {middle:.2f} / {high:.2f} | {kernels:.1f} of {len(REFERENCE_VARIANCES)} "
        f"| {labels:.1f} of {matched} | {rows:.1f} |"
    )


def main() -> None:
    """Train a run again and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a run of la-dtl or la-mmd")
    folder = parser.parse_args().run
    config = parse_config(read_config(folder / "config.toml"))
    prepared = prepare(config, read_corpora(config), read_label_map(config))
    trainer = Trainer(prepared)
    rng = np.random.default_rng(0)
    print(HEAD)
    for event in trainer.run():
        if isinstance(event, Evaluation):
            looks = [look(trainer, prepared, _batch(prepared, rng)) for _ in range(BATCHES)]
            print(row(event, looks, len(prepared.objective.matched[0])), flush=True)


def _batch(prepared: Prepared, rng: np.random.Generator) -> Batch:
    options = prepared.config.training
    halves = [
        [sentences[n] for n in rng.permutation(len(sentences))[:count]]
        for sentences, count in (
            (prepared.source, options.source_batch),
            (prepared.target, options.target_batch),
        )
    ]
    return two_domain_batch(*halves, prepared.spelled)


if __name__ == "__main__":
    main()
