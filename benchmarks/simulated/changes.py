"""Traces of code that does not exist: what a change of it would be worth."""

from __future__ import annotations

from typing import Any

from simulated.schedule import Main, Run, Start, Task, Trace

from ladtl_np.model.network import Architecture

__all__ = ["with_products_apart", "without_python"]


def without_python(trace: Trace) -> Trace:
    """The same tasks, if what Python does between kernels took no time."""

    def bare(part: Any) -> Any:
        return part._replace(python=0.0)

    found: list[Any] = []
    for event in trace:
        match event:
            case Main():
                event = bare(event)
            case Run(label, tasks):
                event = Run(label, tuple(map(bare, tasks)))
            case Start(number, task):
                event = Start(number, bare(task))
        found.append(event)
    return tuple(found)


def with_products_apart(trace: Trace, cores: int, sizes: Architecture) -> Trace:
    """The same, if all products of the LSTM that need no step before were dealt to all cores."""
    D, H = sizes.embedding, sizes.hidden
    # h U on the way there; on the way back dh, beside dX, dW and dU
    recurrent = {"lstm_forward": H / (D + H), "lstm_backward": H / (2 * (D + H))}
    found: list[Any] = []
    for event in trace:
        if not isinstance(event, Run) or event.tasks[0].label not in recurrent:
            found.append(event)
            continue
        share = recurrent[event.tasks[0].label]
        chains = [task._replace(kernel=share * task.kernel) for task in event.tasks]
        pieces = max(1, cores // len(chains))
        rest = [
            Task(task.label, 0.0, (1.0 - share) * task.kernel / pieces)
            for task in event.tasks
            for _ in range(pieces)
        ]
        found += [Run(event.label, tuple(chains)), Run(event.label, tuple(rest))]
    return tuple(found)
