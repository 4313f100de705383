"""Which sentences are decoded together, which words are projected together, and what is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ladtl_np.shapes import Floats, Integers

__all__ = ["Begun", "Found", "Tags", "batches_of", "distinct", "groups_of", "numbered"]

# batches that were started: the numbers of their sentences, and what waits for their tags
Begun = list[tuple[list[int], Callable[[], tuple[Integers, Floats, list[Any]]]]]
Tags = tuple[str, ...]


class Found(NamedTuple):
    """Of each sentence its tags, and what the scores were asked for beside them."""

    tags: list[Tags]
    told: list[Any]


def numbered(n: int) -> str:
    """What a message calls a sentence that has no better name."""
    return f"sentence {n + 1}"


def distinct(parts: Sequence[Integers], size: int) -> tuple[Integers, Integers]:
    """Distinct words of some sentences, and the place of each among them."""
    used = np.zeros(size, np.bool_)
    for part in parts:
        used[part] = True
    rows = np.flatnonzero(used)
    place = np.empty(size, np.int64)
    place[rows] = np.arange(rows.size)
    return rows, place


def batches_of(lengths: Integers, most: int) -> Iterator[list[int]]:
    """Sentences of similar length together, at most `most` tokens or one sentence."""
    batch: list[int] = []
    tokens = 0
    for n in np.argsort(-lengths, kind="stable").tolist():
        size = int(lengths[n])
        if size == 0:
            break
        if batch and tokens + size > most:
            yield batch
            batch, tokens = [], 0
        batch.append(n)
        tokens += size
    if batch:
        yield batch


def groups_of(
    batches: Iterable[list[int]], lengths: Integers, most: int
) -> Iterator[list[list[int]]]:
    """Batches that share their projected words: `most` tokens and a batch at most."""
    group: list[list[int]] = []
    tokens = 0
    for batch in batches:
        group.append(batch)
        tokens += int(lengths[batch].sum())
        if tokens >= most:
            yield group
            group, tokens = [], 0
    if group:
        yield group
