"""All that a training run needs to go on as if it had never stopped.

Arrays and plain values; `runs.checkpoint` keeps them in a file. Not kept is what the options and
the corpora determine: vocabulary, tags, encoded sentences, start values.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ladtl_np.model.network import Network, domain_of, from_named, head_names
from ladtl_np.training.events import Evaluation, Step
from ladtl_np.training.passes import BalancedPasses, Passes
from ladtl_np.training.trainer import Trainer

__all__ = ["TrainerState", "capture", "passes_of", "restore"]

Arrays = dict[str, NDArray[Any]]


class TrainerState(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Where a trainer stands between two events, but for its arrays.

    Attributes
    ----------
    step, since_best, seconds, recent
        As `Trainer` has them.
    meaningless
        As `Trainer.watch` has it.
    updates
        Steps that the optimiser has made, which its learning rate follows.
    generators
        State of each generator; numbers of 128 bits as text.
    best
        Evaluation of the best model, without its scores, which the model gives again.
    first
        State of the first of two stages, while it lasts; nothing else has happened then.
    """

    step: int
    since_best: int
    meaningless: int
    seconds: float
    recent: list[Step]
    updates: int
    generators: dict[str, dict[str, Any]]
    best: Evaluation | None
    first: TrainerState | None


def capture(trainer: Trainer) -> tuple[TrainerState, Arrays]:
    """Take down a trainer between two events; the arrays are its own, not copies."""
    first = capture(trainer.first) if trainer.first is not None else None
    best = trainer.best_evaluation
    state = TrainerState(
        step=trainer.step,
        since_best=trainer.since_best,
        meaningless=trainer.watch.meaningless,
        seconds=trainer.seconds,
        recent=list(trainer.recent),
        updates=trainer.optimizer.step,
        generators={name: _told(rng) for name, rng in _generators(trainer).items()},
        best=None if best is None else replace(best, scores=None),
        first=None if first is None else first[0],
    )
    if first is not None:
        return state, {f"first/{name}": array for name, array in first[1].items()}
    arrays: Arrays = {f"network/{k}": array for k, array in trainer.network.named().items()}
    if best is not None:
        arrays |= {f"best/{k}": array for k, array in trainer.best.named().items()}
    optimizer = trainer.optimizer
    arrays |= {"sums/weights": optimizer.weight_sums, "sums/rows": optimizer.row_sums}
    return state, arrays | {f"order/{k}": passes.order for k, passes in passes_of(trainer).items()}


def restore(trainer: Trainer, state: TrainerState, arrays: Arrays) -> None:
    """Put a fresh trainer of the same run where `capture` found one.

    Raises
    ------
    KeyError, ValueError
        If the arrays are not those of this run: missing, or of other shapes.
    """
    if state.first is not None:
        if trainer.first is None:
            raise ValueError("the state is that of a first stage, which this run does not have")
        inner = {k.removeprefix("first/"): a for k, a in arrays.items() if k.startswith("first/")}
        restore(trainer.first, state.first, inner)
        return
    trainer.first = None
    _put(trainer.network, arrays, "network")
    if state.best is not None:
        sizes = trainer.network.architecture
        named = {name: arrays[f"best/{name}"] for name in trainer.network.named()}
        trainer.best = from_named(sizes, named)
        dev = trainer.prepared.dev
        scores = None if dev is None else trainer.score(trainer.best, dev)
        trainer.best_evaluation = replace(state.best, scores=scores)
    _fill(trainer.optimizer.weight_sums, arrays["sums/weights"])
    _fill(trainer.optimizer.row_sums, arrays["sums/rows"])
    trainer.optimizer.step = state.updates
    for name, passes in passes_of(trainer).items():
        passes.order = np.array(arrays[f"order/{name}"], np.int64)
    for name, rng in _generators(trainer).items():
        rng.bit_generator.state = _read(state.generators[name])
    trainer.step, trainer.since_best = state.step, state.since_best
    trainer.watch.meaningless = state.meaningless
    trainer.seconds, trainer.recent = state.seconds, list(state.recent)


def passes_of(trainer: Trainer) -> dict[str, Passes]:
    """Every order of sentences, by the name of its array: of each domain, and of labels."""
    found = _domains(trainer)
    labels = {
        f"{domain}/{label}": each
        for domain, passes in found.items()
        for label, each in passes.labels.items()
    }
    return found | labels


def _domains(trainer: Trainer) -> dict[str, Passes]:
    """Passes over each domain: ``source``, ``source2``, ..., ``target``."""
    passes = [*trainer.sources, trainer.target]
    return dict(zip(map(domain_of, head_names(len(passes))), passes, strict=True))


def _generators(trainer: Trainer) -> dict[str, np.random.Generator]:
    orders = {f"{domain} order": passes.rng for domain, passes in _domains(trainer).items()}
    for domain, passes in _domains(trainer).items():
        if isinstance(passes, BalancedPasses):
            orders[f"{domain} label order"] = passes.label_rng
    return orders | {"dropout": trainer.dropout, "unknown words": trainer.unknown}


def _told(rng: np.random.Generator) -> dict[str, Any]:
    state: Any = rng.bit_generator.state
    numbers = {name: str(value) for name, value in state["state"].items()}
    return {**state, "state": numbers}


def _read(state: dict[str, Any]) -> dict[str, Any]:
    return {**state, "state": {name: int(value) for name, value in state["state"].items()}}


def _put(network: Network, arrays: Arrays, lead: str) -> None:
    for name, array in network.named().items():
        _fill(array, arrays[f"{lead}/{name}"])


def _fill(array: NDArray[Any], values: NDArray[Any]) -> None:
    if array.shape != values.shape or array.dtype != values.dtype:
        raise ValueError(f"wanted {array.dtype} {array.shape}, got {values.dtype} {values.shape}")
    array[...] = values
