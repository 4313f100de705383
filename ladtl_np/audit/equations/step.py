"""What a training step does beside the loss: dropout masks, and the update of AdaGrad."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec
import numpy as np

from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.audit.comparing import Comparisons
from ladtl_np.audit.outcome import Line
from ladtl_np.audit.subject import Subject
from ladtl_np.layers.embedding import dropout_mask
from ladtl_np.model.network import EMBEDDING, Network
from ladtl_np.objective import loss_step
from ladtl_np.objective.batching import Batch
from ladtl_np.objective.terms import Gradients
from ladtl_np.options.parts import AdaGradOptions
from ladtl_np.reference.adagrad import adagrad_rows_step, adagrad_step
from ladtl_np.shapes import Floats
from ladtl_np.training.optimizer import AdaGrad, global_norm

__all__ = ["check_adagrad", "check_dropout"]

_DEVIATIONS = 6.0  # of the share of zeros that chance explains
_FACTORS = (1.0, 0.5, 2.0)  # of the gradient, step by step


def check_dropout(subject: Subject, rng: np.random.Generator) -> list[Line]:
    """Look at two masks as training draws them: values, share of zeros, that they differ."""
    rate = subject.config.model.dropout
    shape = 1_000, subject.network.architecture.word_inputs
    first, second = (dropout_mask(rng, shape, rate, np.float64) for _ in range(2))
    if rate == 0.0:
        found = "no mask" if first is None else "a mask"
        return [_line("dropout 0: mask", first is None, found, "no mask")]
    if first is None or second is None:
        return [Line(f"dropout {rate:g}: mask", "no mask", "a mask", "failed")]
    values, wanted = np.unique(first), np.array([0.0, 1.0 / (1.0 - rate)])
    zeros = float((first == 0).mean())
    slack = _DEVIATIONS * math.sqrt(rate * (1 - rate) / first.size)
    same = float(((first == 0) == (second == 0)).mean())
    independent = rate**2 + (1 - rate) ** 2
    return [
        _line(
            f"dropout {rate:g}: values of the mask",
            np.array_equal(values, wanted),
            ", ".join(f"{value:.6g}" for value in values[:4]),
            f"0 and 1 / (1 - p) = {wanted[1]:.6g}",
        ),
        _line(
            f"dropout {rate:g}: share of zeros",
            abs(zeros - rate) <= slack,
            f"{zeros:.4f}",
            f"{rate:g} ± {slack:.4f}",
        ),
        _line(
            f"dropout {rate:g}: two masks agree as chance has it",
            abs(same - independent) <= 2 * slack,
            f"{same:.4f}",
            f"{independent:.4f} ± {2 * slack:.4f}",
        ),
    ]


def _line(check: str, passed: bool, found: str, wanted: str) -> Line:
    return Line(check, found, wanted, "passed" if passed else "failed")


def check_adagrad(
    book: Comparisons, subject: Subject, batch: Batch, rng: np.random.Generator
) -> None:
    """Compare three updates of every parameter, as configured and with decay and clipping."""
    with single_threaded_blas():
        _, found = loss_step(subject.network, batch, subject.objective, None, None, Workers())
    norm = global_norm(found)
    book.add("AdaGrad: global norm", norm, _norm(_dense(subject.network, found)), "mini-batch")
    own = subject.config.optimizer
    clip = 0.5 * norm if math.isfinite(norm) else own.clip_norm
    harder = msgspec.structs.replace(own, decay=0.5, decay_steps=1, clip_norm=clip)
    for name, options in {"as in training": own, "with decay and clipping": harder}.items():
        _check_updates(book, subject.network.copy(), found, options, name)
    _check_rows(book, batch, own, rng)


def _check_updates(
    book: Comparisons, network: Network, found: Gradients, options: AdaGradOptions, name: str
) -> None:
    optimizer = AdaGrad(network, options)
    values = {key: array.copy() for key, array in network.named().items()}
    sums = {key: np.full_like(array, options.initial_accumulator) for key, array in values.items()}
    for step, factor in enumerate(_FACTORS):
        scaled = Gradients(
            found.weights.astype(np.float64),
            found.embedding._replace(values=factor * found.embedding.values),
        )
        scaled.weights.flat *= factor
        g = _dense(network, scaled)
        norm = _norm(g)
        clip = options.clip_norm
        shrink = clip / norm if clip and norm > clip else 1.0
        stairs = step // options.decay_steps if options.decay_steps else 0
        rate = options.learning_rate * options.decay**stairs
        for key in values:
            values[key], sums[key] = adagrad_step(
                values[key], sums[key], shrink * g[key], rate, options.epsilon
            )
        optimizer.update(network, scaled, global_norm(scaled))
        where = f"step {step + 1}, {name}"
        flat = np.concatenate([values[key].ravel() for key in network.weights])
        squares = np.concatenate([sums[key].ravel() for key in network.weights])
        check = "kernels against reference"
        book.add(f"AdaGrad, dense: {check}", network.weights.flat, flat, where)
        book.add(f"AdaGrad, dense, sums of squares: {check}", optimizer.weight_sums, squares, where)
        book.add(f"AdaGrad, rows: {check}", network.embedding, values[EMBEDDING], where)
        check = f"AdaGrad, rows, sums of squares: {check}"
        book.add(check, optimizer.row_sums, sums[EMBEDDING], where)


def _check_rows(
    book: Comparisons, batch: Batch, options: AdaGradOptions, rng: np.random.Generator
) -> None:
    """The reference's update of rows, some of them more than once, against its dense one."""
    rows = np.unique(batch.words, return_inverse=True)[1]
    table = rng.normal(size=(int(rows.max()) + 2, 3))
    sums, gradients = np.ones_like(table), rng.normal(size=(rows.size, 3))
    dense = np.zeros_like(table)
    np.add.at(dense, rows, gradients)
    steps = options.learning_rate, options.epsilon
    sparse = adagrad_rows_step(table, sums, rows, gradients, *steps)
    for one, other in zip(sparse, adagrad_step(table, sums, dense, *steps), strict=True):
        book.add("AdaGrad, reference: rows against dense", one, other, "drawn gradients")


def _dense(network: Network, found: Gradients) -> dict[str, Floats]:
    table = np.zeros_like(network.embedding)
    table[found.embedding.rows] = found.embedding.values
    return {EMBEDDING: table, **found.weights}


def _norm(gradients: Mapping[str, Floats]) -> float:
    return math.sqrt(math.fsum(float((g**2).sum()) for g in gradients.values()))
