"""What a training is going to cost, told before it starts or from its first steps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from ladtl_np.arrays.limits import told_size
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.printable import counted
from ladtl_np.training.events import Step
from ladtl_np.training.prepared import Prepared
from ladtl_np.training.trainer import Trainer

__all__ = ["Cost", "Pace", "measured_cost", "told_time", "warnings_of_cost"]

FIRST = 10
"""Steps after which the time of all is told; the first of them is left out, it loads and fills."""
AT_MOST = 10.0
"""Seconds after which fewer will do."""
UNUSUAL = 20
"""Times the median length from which a sentence is worth a warning."""
LONG = 1_000
"""Tokens of a sentence that is long anyway."""


class Cost(NamedTuple):
    """What was measured: seconds of a step, how many there are, bytes at most."""

    seconds: float
    steps: int
    memory: float

    def told(self) -> str:
        """In words."""
        memory = f"Memory: up to {told_size(self.memory)}."
        return f"{told_time(self.seconds, self.steps)}\n{memory}"

    def to_json(self) -> dict[str, float]:
        """Plain values."""
        return {
            "seconds_per_step": self.seconds,
            "steps": self.steps,
            "seconds": self.seconds * self.steps,
            "memory_bytes": self.memory,
        }


class Pace:
    """Looks at the first steps of a stage; `seconds` is that of a step, once it can be told."""

    def __init__(self) -> None:
        self._seen: list[float] = []
        self._stage = ""
        self.seconds: float | None = None

    def take(self, step: Step) -> bool:
        """Take in a step; whether it was the one after which the time can be told."""
        if step.stage != self._stage:
            self._stage, self._seen, self.seconds = step.stage, [], None
        if self.seconds is not None:
            return False
        self._seen.append(step.seconds)
        later = self._seen[1:]
        if len(self._seen) < FIRST and not (later and sum(later) > AT_MOST):
            return False
        self.seconds = sum(later) / len(later)
        return True


def told_time(seconds: float, steps: int) -> str:
    """How long so many steps take, evaluations aside."""
    whole = seconds * steps
    if whole < 90:
        told = f"{max(1, round(whole))} s"
    elif whole < 90 * 60:
        told = f"{round(whole / 60)} min"
    else:
        told = f"{whole / 3600:.1f} h"
    return f"Time: about {told} for {counted(steps, 'steps')}, evaluations aside."


def measured_cost(prepared: Prepared) -> Cost:
    """Run the first steps of a training on the side, and keep nothing of it."""
    pace, last = Pace(), 0.0
    steps = (event for event in Trainer(prepared).run() if isinstance(event, Step))
    for step in islice(steps, FIRST):
        last = step.seconds
        if pace.take(step):
            break
    total = prepared.config.training.steps
    if prepared.first_stage is not None:
        total += prepared.first_stage.config.training.steps
    memory = prepared.memory.total if prepared.memory is not None else 0.0
    return Cost(last if pace.seconds is None else pace.seconds, total, memory)


def warnings_of_cost(prepared: Prepared) -> list[str]:
    """What makes steps much larger than they look: batches above the corpus, endless sentences."""
    options = prepared.config.training
    sources = [
        ("source", sentences, options.source_batch) for _, sentences in prepared.trained_sources()
    ]
    told = []
    for side, sentences, batch in (*sources, ("target", prepared.target, options.target_batch)):
        if not sentences:
            continue
        if batch > len(sentences):
            told.append(
                f"training.{side}_batch is {batch:,} and there are {len(sentences):,} sentences of "
                f"the {side}: a mini-batch holds each of them up to {-(-batch // len(sentences))} "
                "times"
            )
        told += _long(side, sentences, batch)
    return told


def _long(side: str, sentences: Sequence[EncodedSentence], batch: int) -> list[str]:
    lengths = [sentence.words.size for sentence in sentences]
    longest = max(range(len(lengths)), key=lengths.__getitem__)
    usual = sorted(lengths)[len(lengths) // 2]
    if lengths[longest] < max(LONG, UNUSUAL * usual):
        return []
    times = lengths[longest] / max(1, usual * batch)
    return [
        f"the longest sentence of the {side}, at line {sentences[longest].line:,}, has "
        f"{lengths[longest]:,} tokens, {times:.1f} times a mini-batch of usual ones: steps "
        "with it take long; cut it at the ends of sentences"
    ]
