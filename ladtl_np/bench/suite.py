"""Run the measurements that were chosen, and collect them in a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from ladtl_np.bench.contests import GOALS, STEMS, Contest, contests, torch_is_available
from ladtl_np.bench.machine import machine, matrix_product_peak
from ladtl_np.bench.measure import interleave, spread_of
from ladtl_np.bench.results import Report, Row
from ladtl_np.bench.startup import LIMITS, startup_samples
from ladtl_np.bench.workloads import WORKLOADS, Case, build_case
from ladtl_np.training.warm_up import warm_up

__all__ = ["Plan", "run"]

STARTUP_ROUNDS = 5
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure.

    Attributes
    ----------
    stems
        From `STEMS`.
    workloads
        From `WORKLOADS`.
    threads
        Each number of threads to measure with.
    rounds
        Samples of each side.
    peer
        Whether PyTorch is measured too, where it is installed.
    """

    stems: Sequence[str] = STEMS
    workloads: Sequence[str] = tuple(WORKLOADS)
    threads: Sequence[int] = (1, 2)
    rounds: int = 20
    peer: bool = True


def run(plan: Plan, tell: Tell) -> Report:
    """Check, then measure, what the plan asks for.

    Parameters
    ----------
    plan
        What to measure.
    tell
        Takes a line on what is done now.

    Raises
    ------
    PeerMismatch
        If the peer does not compute what we compute.
    """
    tell("compiling")
    compiling = warm_up(np.float32)
    peers = plan.peer and torch_is_available()
    stems = [stem for stem in plan.stems if stem != "startup"]
    peaks = {threads: matrix_product_peak(threads) for threads in plan.threads} if stems else {}
    rows: list[Row] = []
    agreement: dict[str, float] = {}
    for name in plan.workloads if stems else ():
        case = build_case(WORKLOADS[name])
        if peers:
            tell(f"{name}: checking that the peer computes the same")
            agreement |= _peer_module("check").verify(case)
        for threads in plan.threads:
            for contest in _prepared(case, stems, threads, peers):
                beside = f" beside {contest.peer_name}" if contest.peer else ""
                plural = "s" * (threads > 1)
                tell(f"{name}, {threads} thread{plural}: {_title(contest)}{beside}")
                rows.append(_measure(contest, case, threads, plan.rounds, peaks[threads]))
    if "startup" in plan.stems:
        tell("start-up")
        rows += _startup(min(plan.rounds, STARTUP_ROUNDS))
    return Report(
        machine=machine(),
        peaks={str(threads): peak for threads, peak in peaks.items()},
        rounds=plan.rounds,
        warm_up_seconds=compiling,
        agreement=agreement,
        rows=rows,
    )


def _peer_module(name: str) -> Any:
    """A module that imports torch."""
    return import_module(f"ladtl_np.bench.peer.{name}")


def _prepared(case: Case, stems: Sequence[str], threads: int, peers: bool) -> Iterator[Contest]:
    parts = None
    if peers:
        _peer_module("functions").torch.set_num_threads(threads)
        parts = _peer_module("parts").TorchParts(case)
    for stem in stems:
        yield from contests(stem, case, threads, parts)


def _title(contest: Contest) -> str:
    return f"{contest.stem} ({contest.variant})" if contest.variant else contest.stem


def _measure(contest: Contest, case: Case, threads: int, rounds: int, peak: float) -> Row:
    sides = {"ours": contest.ours.call}
    if contest.peer is not None:
        contest.check(f"{case.workload.name}, {_title(contest)}")
        sides["peer"] = contest.peer.call
    found = interleave(sides, rounds)
    return Row(
        stem=contest.stem,
        variant=contest.variant,
        workload=case.workload.name,
        threads=threads,
        ours=found["ours"],
        tokens=contest.tokens,
        peer=found.get("peer"),
        peer_name=contest.peer_name if contest.peer is not None else None,
        goal=GOALS.get((contest.stem, case.workload.name, contest.variant, contest.peer_name)),
        operations=contest.operations,
        peak=peak,
    )


def _startup(rounds: int) -> list[Row]:
    return [
        Row(
            stem="startup",
            variant=name,
            workload="",
            threads=1,
            ours=spread_of(samples),
            limit=LIMITS.get(name),
        )
        for name, samples in startup_samples(rounds).items()
    ]
