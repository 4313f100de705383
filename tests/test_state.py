"""A run that is stopped between two events and taken up by another process goes on as it would."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from small_corpora import small_config, small_corpora

from ladtl_np.options.methods import METHODS
from ladtl_np.training.events import Evaluation, Step
from ladtl_np.training.preparation import prepare
from ladtl_np.training.state import TrainerState, capture, restore
from ladtl_np.training.trainer import Trainer

OPTIONS: dict[str, Any] = {
    "training": {
        "steps": 23,
        "evaluate_every": 5,
        "patience": 3,
        "batches": "label-balanced",  # where there is an MMD
    },
    "optimizer": {"decay": 0.5, "decay_steps": 4},
    "characters": {"hidden": 2, "embedding": 3},
}
# before the first event, inside a stretch, at its end before and after the evaluation
STOPS = (0, 3, 5, 6, 16)


def fresh(method: str) -> Trainer:
    return Trainer(prepare(small_config(method=method, **OPTIONS), small_corpora()))


def plain(event: Step | Evaluation) -> Step | Evaluation:
    """An event without what the clock says."""
    timeless = replace(event, seconds=0.0)
    return replace(timeless, tokens_per_second=0.0) if isinstance(event, Evaluation) else timeless


def whole_run(method: str) -> tuple[list[Step | Evaluation], Trainer]:
    trainer = fresh(method)
    return [plain(event) for event in trainer.run()], trainer


def stopped(method: str, after: int) -> tuple[TrainerState, dict[str, np.ndarray]]:
    """The state after some events, as it would come back from a file."""
    trainer = fresh(method)
    events = trainer.run()
    for _ in range(after):
        next(events)
    state, arrays = capture(trainer)
    read = msgspec.json.decode(msgspec.json.encode(state), type=TrainerState)
    return read, {name: np.array(array) for name, array in arrays.items()}


def assert_same(trainer: Trainer, whole: Trainer) -> None:
    for one, other in ((trainer.network, whole.network), (trainer.best, whole.best)):
        assert one.embedding.tobytes() == other.embedding.tobytes()
        assert one.weights.flat.tobytes() == other.weights.flat.tobytes()
    assert plain(trainer.best_evaluation) == plain(whole.best_evaluation)


@pytest.mark.parametrize("method", list(METHODS))
def test_promise_04_a_run_goes_on_byte_for_byte_wherever_it_was_stopped(method: str) -> None:
    events, whole = whole_run(method)
    for after in sorted({*(n for n in STOPS if n < len(events)), len(events) - 1}):
        again = fresh(method)
        restore(again, *stopped(method, after))
        assert [plain(event) for event in again.run()] == events[after:]
        assert_same(again, whole)


def test_both_stages_of_retraining_can_be_stopped() -> None:
    events, whole = whole_run("re-training")
    stages = [event.stage for event in events]
    assert stages == sorted(stages)
    turn = stages.index("target")
    for after in (turn - 2, turn - 1, turn, turn + 1):
        state, arrays = stopped("re-training", after)
        assert (state.first is not None) == (after <= turn)
        again = fresh("re-training")
        restore(again, state, arrays)
        assert [plain(event) for event in again.run()] == events[after:]
        assert_same(again, whole)


def test_the_runs_that_are_stopped_have_drawn_for_labels() -> None:
    _, whole = whole_run("la-dtl")
    assert any(passes.order.size for passes in whole.sources[0].labels.values())


def test_taking_a_state_down_changes_nothing() -> None:
    events, whole = whole_run("la-dtl")
    trainer = fresh("la-dtl")
    found = []
    for event in trainer.run():
        capture(trainer)
        found.append(plain(event))
    assert found == events
    assert_same(trainer, whole)


def test_promise_25_a_run_that_is_diverging_stops_at_the_same_step_after_a_stop() -> None:
    trainer = fresh("la-dtl")
    next(iter(trainer.run()))
    trainer.watch.meaningless = 7
    again = fresh("la-dtl")
    restore(again, *capture(trainer))
    assert again.watch.meaningless == 7


def test_promise_05_a_state_of_another_run_is_refused() -> None:
    state, arrays = stopped("la-dtl", 7)
    small = prepare(small_config(**deepcopy(OPTIONS) | {"model": {"hidden": 5}}), small_corpora())
    with pytest.raises(ValueError, match="wanted"):
        restore(Trainer(small), state, arrays)
    del arrays["sums/rows"]
    with pytest.raises(KeyError, match="sums/rows"):
        restore(fresh("la-dtl"), state, arrays)
    first = stopped("re-training", 2)
    with pytest.raises(ValueError, match="first stage"):
        restore(fresh("la-dtl"), *first)
