"""What is simulated: training steps and tagging, with a recorder or on real threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from simulated.traces import Call, Recorder

from ladtl_np.bench.ours import Ours
from ladtl_np.bench.tagging_case import TaggingCase, build_tagging_case
from ladtl_np.bench.workloads import KERNELS, WORKLOADS, Case, build_case
from ladtl_np.corpus.raw import tokenise
from ladtl_np.model.network import Architecture
from ladtl_np.model.tagging import Tagger

__all__ = ["Study", "step", "studies", "tagging"]

SENTENCES = 1_024  # that are tagged: several chunks


def step(case: Case, threads: int, recorder: Recorder | None = None) -> Call:
    """One training step with 19 Gaussians."""
    ours = Ours(case, threads if recorder is None else 1)
    if recorder is not None:
        ours.workers = recorder
    return ours.step(KERNELS["19 kernels"]).call


def tagging(text: TaggingCase, threads: int, recorder: Recorder | None = None) -> Call:
    """Lines of text to tags."""
    tagger = Tagger(text.model, threads=threads)
    if recorder is not None:
        tagger.decoder.workers = recorder
    return lambda: list(tagger.tag(tokenise(line, "spaces").tokens for line in text.lines))


def step_bytes(case: Case) -> int:
    """Bytes of one step, if nothing stays in a cache from one phase to the next."""
    sizes, N = case.network.architecture, case.tokens
    D, H, m = sizes.embedding, sizes.hidden, sizes.target_tags
    weights = case.network.weights.flat.size
    embedding = 6 * N * D
    forward = 2 * N * (D + 7 * H) + weights
    heads = N * (12 * H + 8 * m)
    mmd = 24 * N * H
    backward = 2 * N * (4 * D + 21 * H) + 3 * weights
    update = 6 * weights + 5 * N * D
    return case.network.embedding.itemsize * (embedding + forward + heads + mmd + backward + update)


def tagging_bytes(case: Case, tokens: int) -> int:
    """Bytes of tagging: projected words, hidden states, emissions; gates stay in the cache."""
    sizes = case.network.architecture
    values = 8 * sizes.hidden + 4 * sizes.hidden + 4 * sizes.target_tags
    return case.network.embedding.itemsize * tokens * values


class Study(NamedTuple):
    """Something to predict."""

    title: str
    make: Callable[[int, Recorder], Call]
    real: Callable[[int], Call]
    tokens: int
    moved: int  # bytes
    sizes: Architecture


def studies() -> Iterator[Study]:
    """A step and tagging of both workloads."""
    for name, workload in WORKLOADS.items():
        case = build_case(workload)
        yield Study(
            f"A training step, *{name}*, 19 Gaussians",
            partial(step, case),
            partial(step, case),
            case.tokens,
            step_bytes(case),
            workload.architecture(),
        )
    for name, workload in WORKLOADS.items():
        case = build_case(workload)
        text = build_tagging_case(case, sentences=SENTENCES)
        yield Study(
            f"Tagging, *{name}*",
            partial(tagging, text),
            partial(tagging, text),
            text.tokens,
            tagging_bytes(case, text.tokens),
            workload.architecture(),
        )
