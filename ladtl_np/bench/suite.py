"""Run the measurements that were chosen, and collect them in a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from ladtl_np.bench.contests import (
    OF_NO_WORKLOAD,
    STEMS,
    Contest,
    contests,
    torch_is_available,
)
from ladtl_np.bench.goals import goals_of
from ladtl_np.bench.limits import limits_set
from ladtl_np.bench.machine import blas, machine
from ladtl_np.bench.measure import interleave, spread_of
from ladtl_np.bench.peaks import copy_rate, matrix_product_peak
from ladtl_np.bench.products import products
from ladtl_np.bench.results import TIME, Goal, Peer, Report, Row, SetFacts
from ladtl_np.bench.startup import LIMITS, startup_samples
from ladtl_np.bench.workloads import WORKLOADS, Case, build_case
from ladtl_np.kernels.instruction_set import INSTRUCTIONS
from ladtl_np.printable import counted
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
    compiled
        Whether ``torch.compile`` is, which compiles for minutes.
    """

    stems: Sequence[str] = STEMS
    workloads: Sequence[str] = tuple(WORKLOADS)
    threads: Sequence[int] = (1, 2)
    rounds: int = 20
    peer: bool = True
    compiled: bool = False


def run(plan: Plan, tell: Tell) -> Report:
    """Check, then measure, what the plan asks for, with the instruction set of this process.

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
    tell(f"{INSTRUCTIONS.name}: compiling")
    session = _Session(plan, tell, warm_up(np.float32))
    stems = [stem for stem in plan.stems if stem not in OF_NO_WORKLOAD]
    for name in plan.workloads if stems else ():
        session.measure_workload(build_case(WORKLOADS[name]), stems)
    if "matmul" in plan.stems:
        session.measure_products()
    if "startup" in plan.stems:
        session.measure_startup()
    return session.report()


@dataclass
class _Session:
    """What was found so far."""

    plan: Plan
    tell: Tell
    compiling: float  # seconds
    rows: list[Row] = field(default_factory=list)
    peaks: dict[int, float] = field(default_factory=dict)
    agreement: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.torch = self.plan.peer and torch_is_available()
        self.compiled = self.torch and self.plan.compiled and self._compiler_works()

    def measure_workload(self, case: Case, stems: Sequence[str]) -> None:
        """Check the peer, and measure each part with each number of threads."""
        name = case.workload.name
        if self.torch:
            self.tell(f"{name}: checking that the peer computes the same")
            self.agreement |= _peer_module("check").verify(case)
        for threads in self.plan.threads:
            for contest in self._prepared(case, stems, threads):
                self._measure(contest, threads)

    def measure_products(self) -> None:
        """Measure products of single matrices on one thread."""
        if self.torch:
            _peer_module("functions").torch.set_num_threads(1)
        for contest in products(peers=self.plan.peer, torch=self.torch):
            self._measure(contest, 1)

    def measure_startup(self) -> None:
        """Measure fresh interpreters."""
        self.tell("start-up")
        for name, samples in startup_samples(min(self.plan.rounds, STARTUP_ROUNDS)).items():
            row = Row(
                stem="startup",
                variant=name,
                workload="",
                threads=1,
                isa=INSTRUCTIONS.name,
                ours=spread_of(samples),
                goals=[Goal(LIMITS[name], TIME)] if name in LIMITS else [],
            )
            self.rows.append(row)

    def report(self) -> Report:
        """All of it, with the machine as it is now."""
        facts = INSTRUCTIONS._asdict()
        name = facts.pop("name")
        known = {key: facts[key] for key in SetFacts.__struct_fields__ if key in facts}
        found = SetFacts(
            **known,
            variables=limits_set(),
            blas=blas(),
            peaks={str(threads): peak for threads, peak in self.peaks.items()},
            warm_up_seconds=self.compiling,
            agreement=self.agreement,
            notes=self.notes,
        )
        return Report(
            machine=machine(), sets={name: found}, rounds=self.plan.rounds, rows=self.rows
        )

    def _compiler_works(self) -> bool:
        self.tell("PyTorch: compiling for the first time")
        problem: str | None = _peer_module("compiled").problem()
        if problem is not None:
            self.notes.append(f"torch.compile does not run here and was not measured: {problem}")
        return problem is None

    def _prepared(self, case: Case, stems: Sequence[str], threads: int) -> Iterator[Contest]:
        parts = None
        if self.torch:
            _peer_module("functions").torch.set_num_threads(threads)
            parts = _peer_module("parts").TorchParts(case)
        for stem in stems:
            yield from contests(stem, case, threads, parts, compiled=self.compiled)

    def _measure(self, contest: Contest, threads: int) -> None:
        if threads not in self.peaks:
            self.peaks[threads] = matrix_product_peak(threads)
        names = [rival.name for rival in contest.rivals]
        beside = f" beside {'; '.join(names)}" if names else ""
        self.tell(f"{contest.workload}, {counted(threads, 'threads')}: {contest.title}{beside}")
        contest.check()
        # by number, because a peer could be called as we are
        calls = {str(n): rival.part.call for n, rival in enumerate(contest.rivals)}
        found = interleave({"ours": contest.ours.call, **calls}, self.plan.rounds)
        traffic, isa = contest.traffic, INSTRUCTIONS.name
        row = Row(
            stem=contest.stem,
            variant=contest.variant,
            workload=contest.workload,
            threads=threads,
            isa=isa,
            ours=found["ours"],
            tokens=contest.tokens,
            peers=[
                Peer(name=rival.name, time=found[str(n)], remark=rival.remark)
                for n, rival in enumerate(contest.rivals)
            ],
            goals=goals_of(contest.stem, contest.workload, contest.variant, isa, names),
            operations=contest.operations,
            peak=self.peaks[threads],
            moved=traffic.moved if traffic else None,
            bandwidth=_bandwidth(traffic.resident, threads) if traffic else None,
        )
        self.rows.append(row)


@cache
def _bandwidth(resident: int, threads: int) -> float:
    return copy_rate(resident, threads)


def _peer_module(name: str) -> Any:
    """A module that imports torch."""
    return import_module(f"ladtl_np.bench.peer.{name}")
