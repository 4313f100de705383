"""A report of measurements: its form as JSON, and what changed since an earlier one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from ladtl_np.bench.measure import Spread
from ladtl_np.corpus.documents import parse_json, read_document
from ladtl_np.corpus.limits import JSON_BYTES
from ladtl_np.errors import LadtlError
from ladtl_np.printable import shown

__all__ = [
    "FORMAT",
    "PEAK",
    "TIME",
    "Change",
    "Goal",
    "Peer",
    "Report",
    "Row",
    "SetFacts",
    "changes",
    "read_report",
]

FORMAT = "ladtl bench 2"
_NAME = "ladtl bench "

PEAK, TIME = "peak", "seconds"
"""What goals are about that are no ratios to a peer."""


class Peer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another program's time for the same; the first of a row is the usual one."""

    name: str
    time: Spread
    remark: str = ""  # why it is only shown, and never called the best


class Goal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wanted: a ratio to a peer or a share of `PEAK` at least, or a `TIME` at most."""

    value: float
    against: str  # a peer's name, `PEAK` or `TIME`


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One measurement."""

    stem: str
    variant: str
    workload: str
    threads: int
    isa: str  # instruction set, such as "AVX2"
    ours: Spread
    tokens: int | None = None  # that one call works through
    peers: list[Peer] = []
    goals: list[Goal] = []
    operations: int | None = None  # of one call
    peak: float | None = None  # GFLOP/s of a matrix product with as many threads
    moved: int | None = None  # bytes that one call reads or writes, where memory is the limit
    bandwidth: float | None = None  # GB/s of a stream over as much memory with as many threads

    @property
    def key(self) -> tuple[str, str, str, int, str]:
        """What two reports are compared by."""
        return self.stem, self.variant, self.workload, self.threads, self.isa

    @property
    def best(self) -> Peer | None:
        """The fastest of those that compute under the same conditions."""
        peers = [peer for peer in self.peers if not peer.remark]
        return min(peers, key=lambda peer: peer.time.median, default=None)

    @property
    def ratio(self) -> float | None:
        """The usual peer's median over ours: how many times as fast we are."""
        return self.ratio_to(self.peers[0]) if self.peers else None

    @property
    def best_ratio(self) -> float | None:
        """The best peer's median over ours."""
        return self.ratio_to(self.best) if self.best else None

    def ratio_to(self, peer: Peer) -> float:
        """A peer's median over ours."""
        return peer.time.median / self.ours.median

    def reached(self, goal: Goal) -> bool | None:
        """Whether a goal is met; None if there is nothing to judge it by.

        A peer with a remark can be too strong, so what is reached beside it is reached, and what is
        not is not judged.
        """
        if goal.against == TIME:
            return self.ours.median <= goal.value
        if goal.against == PEAK:
            return None if self.share is None else self.share >= goal.value
        for peer in self.peers:
            if peer.name == goal.against:
                return self.ratio_to(peer) >= goal.value or (None if peer.remark else False)
        return None

    @property
    def gflops(self) -> float | None:
        """Written operation count over measured time."""
        return self.operations / self.ours.median / 1e9 if self.operations else None

    @property
    def gigabytes(self) -> float | None:
        """Written count of bytes over measured time, per second."""
        return self.moved / self.ours.median / 1e9 if self.moved else None

    @property
    def share(self) -> float | None:
        """Part of the machine's peak: of streams where memory is the limit, else of products."""
        if self.gigabytes:
            return self.gigabytes / self.bandwidth if self.bandwidth else None
        return self.gflops / self.peak if self.gflops and self.peak else None

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens that one second is enough for."""
        return self.tokens / self.ours.median if self.tokens else None

    def to_json(self) -> dict[str, Any]:
        """All fields, and what follows from them, which readers would have to compute."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        derived = ("share", "ratio", "best_ratio", "gflops", "gigabytes", "tokens_per_second")
        fields |= {name: getattr(self, name) for name in derived}
        fields["best"] = self.best.name if self.best else None
        for goal, told in zip(self.goals, fields["goals"], strict=True):
            told["reached"] = self.reached(goal)
        for peer, told in zip(self.peers, fields["peers"], strict=True):
            told["ratio"] = self.ratio_to(peer)
        return fields


class SetFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An instruction set, and what was found about it before measuring."""

    vector_bytes: int
    registers: int
    masks: bool
    fused: bool
    bfloat16: bool
    variables: dict[str, str]  # of the environment that limit this package and its peers
    blas: list[str]
    peaks: dict[str, float]  # GFLOP/s of a matrix product, by number of threads
    warm_up_seconds: float  # to compile, or to load what was compiled before
    agreement: dict[str, float]  # largest relative difference to the peer found beforehand
    notes: list[str]  # what could not be measured, or not as it should be


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All measurements of one run."""

    machine: dict[str, Any]
    sets: dict[str, SetFacts]  # by name of the instruction set
    rounds: int
    rows: list[Row]
    format: str = FORMAT

    def to_json(self) -> dict[str, Any]:
        """Plain values; `read_report` reads them back."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return {"format": self.format, **plain, "rows": [row.to_json() for row in self.rows]}


def read_report(path: Path) -> Report:
    """Read what ``ladtl bench --json`` wrote.

    Raises
    ------
    LadtlError
        If the file holds something else, or was written by another version.
    """
    text = read_document(path, JSON_BYTES)
    try:
        plain = parse_json(text, dict[str, Any])
        told = plain.get("format")
        if told != FORMAT and isinstance(told, str) and told.startswith(_NAME):
            raise LadtlError(
                f"{path}: not a report of this version's `ladtl bench --json`: it is {told!r}, "
                f"and {FORMAT!r} is wanted, whose rows tell the instruction set; measure it again"
            )
        if told != FORMAT:
            raise LadtlError(f"{path}: not a report of `ladtl bench --json`")
        report = msgspec.convert(_without_what_follows(plain), Report)
        if not all(row.ours.median > 0 for row in report.rows):
            raise ValueError("a median that is not above 0")
        return report
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        found = shown(str(error), 200)
        raise LadtlError(f"{path}: not a report of `ladtl bench --json`: {found}") from None


def _without_what_follows(plain: dict[str, Any]) -> dict[str, Any]:
    plain = _known(plain, Report)
    plain["rows"] = [_known(row, Row) for row in plain["rows"]]
    for row in plain["rows"]:
        for name, kind in (("peers", Peer), ("goals", Goal)):
            row[name] = [_known(one, kind) for one in row[name]]
    return plain


def _known(fields: dict[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name in kind.__struct_fields__}


class Change(msgspec.Struct, frozen=True):
    """A row now and before."""

    row: Row
    before: float  # median in seconds
    factor: float  # new median over old
    verdict: Literal["faster", "slower", "within spread"]


def changes(new: Report, old: Report) -> list[Change]:
    """Compare rows that both reports have; beyond the spread is where the quartiles do not meet."""
    earlier = {row.key: row for row in old.rows}
    found = []
    for row in new.rows:
        before = earlier.get(row.key)
        if before is None:
            continue
        factor = row.ours.median / before.ours.median
        if row.ours.overlaps(before.ours):
            found.append(Change(row, before.ours.median, factor, "within spread"))
        else:
            verdict: Literal["faster", "slower"] = "faster" if factor < 1.0 else "slower"
            found.append(Change(row, before.ours.median, factor, verdict))
    return found
