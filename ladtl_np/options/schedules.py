"""Values that change over a run: a number, or a schedule such as ``linear(0.9, 0)``.

A place in a run is a share of its steps, 0 at the first and 1 at the last that there may be:

    constant(a)                  a
    linear(a, b), (a, b, end)    a + (b - a) x,                      x = min(1, share / end)
    cosine(a, b), (a, b, end)    a + (b - a) (1 - cos(pi x)) / 2
    steps(a, s: b, t: c, ...)    a before share s, b from there on, c from t on

`end` is 1 where it is left out.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import NamedTuple

__all__ = ["KINDS", "Schedule", "parse_schedule", "share_of_step"]

KINDS = ("constant", "linear", "cosine", "steps")

_CALL = re.compile(r"\s*([a-z]+)\s*\((.*)\)\s*")
_WANTED = (
    "wants a number, or one of constant(A), linear(A, B), linear(A, B, END), cosine(A, B), "
    "cosine(A, B, END), steps(A, SHARE: B, ...), with shares of the run's steps from 0 to 1"
)


class Schedule(NamedTuple):
    """A value over a run.

    Attributes
    ----------
    kind
        One of `KINDS`.
    values
        In the order in which they come.
    places
        Shares of the run: where a line or a cosine ends; where each value of steps but the first
        begins.
    """

    kind: str
    values: tuple[float, ...]
    places: tuple[float, ...] = ()

    @property
    def varies(self) -> bool:
        """Whether it is not the same all the time."""
        return len(set(self.values)) > 1

    def at(self, share: float) -> float:
        """Its value at a share of the run."""
        if not self.varies:
            return self.values[0]
        if self.kind == "steps":
            return self.values[sum(share >= place for place in self.places)]
        a, b = self.values
        x = min(1.0, share / self.places[0])
        if x == 1.0:
            return b
        if self.kind == "cosine":
            x = (1.0 - math.cos(math.pi * x)) / 2.0
        return a + (b - a) * x


@lru_cache(maxsize=256)
def parse_schedule(value: float | str) -> Schedule:
    """A number as a constant, or the schedule that a text describes.

    Raises
    ------
    ValueError
        If the text describes none, or a place lies outside the run: what is wanted.
    """
    if not isinstance(value, str):
        return Schedule("constant", (float(value),))
    call = _CALL.fullmatch(value)
    if call is None or call[1] not in KINDS:
        raise ValueError(f"{_WANTED}; got {value[:100]!r}")
    kind, given = call[1], [part.strip() for part in call[2].split(",")]
    try:
        return _steps(given) if kind == "steps" else _of_numbers(kind, [*map(_number, given)])
    except ValueError as error:
        raise ValueError(f"{_WANTED}; got {value[:100]!r}: {error}") from None


def _of_numbers(kind: str, numbers: list[float]) -> Schedule:
    if kind == "constant":
        if len(numbers) != 1:
            raise ValueError("a constant has one value")
        return Schedule(kind, tuple(numbers))
    if len(numbers) not in (2, 3):
        raise ValueError(f"{kind} has two values, and a share at which the second is reached")
    end = numbers[2] if len(numbers) == 3 else 1.0
    if not 0.0 < end <= 1.0:
        raise ValueError(f"the share {end:g} does not lie in (0, 1]")
    return Schedule(kind, tuple(numbers[:2]), (end,))


def _steps(given: list[str]) -> Schedule:
    values, places = [_number(given[0])], [0.0]
    for part in given[1:]:
        place, colon, number = part.partition(":")
        if not colon:
            raise ValueError(f"{part[:40]!r} is not SHARE: VALUE")
        values.append(_number(number))
        places.append(_number(place))
        if not places[-2] < places[-1] <= 1.0:
            raise ValueError("shares have to rise, from above 0 to 1 at most")
    return Schedule("steps", tuple(values), tuple(places[1:]))


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text.strip()[:40]!r} is no number") from None
    if not math.isfinite(number):
        raise ValueError(f"{text.strip()[:40]!r} is not finite")
    return number


def share_of_step(step: int, steps: int) -> float:
    """Place of a step, counted from 1, in a run of so many."""
    return (step - 1) / (steps - 1) if steps > 1 else 0.0
