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

__all__ = ["FORMAT", "Change", "Report", "Row", "changes", "read_report"]

FORMAT = "ladtl bench 1"


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One measurement; ratio, goal and peer are None where there is none."""

    stem: str
    variant: str
    workload: str
    threads: int
    ours: Spread
    tokens: int | None = None  # that one call works through
    peer: Spread | None = None
    peer_name: str | None = None
    goal: float | None = None  # smallest ratio wanted
    limit: float | None = None  # most seconds wanted
    operations: int | None = None  # of one call
    peak: float | None = None  # GFLOP/s of a matrix product with as many threads

    @property
    def key(self) -> tuple[str, str, str, int, str | None]:
        """What two reports are compared by."""
        return self.stem, self.variant, self.workload, self.threads, self.peer_name

    @property
    def ratio(self) -> float | None:
        """The peer's median over ours: how many times as fast we are."""
        return self.peer.median / self.ours.median if self.peer else None

    @property
    def reached(self) -> bool | None:
        """Whether goal or limit are met; None if there is neither, or no peer."""
        if self.limit is not None:
            return self.ours.median <= self.limit
        if self.goal is None or self.ratio is None:
            return None
        return self.ratio >= self.goal

    @property
    def gflops(self) -> float | None:
        """Written operation count over measured time."""
        return self.operations / self.ours.median / 1e9 if self.operations else None

    @property
    def share_of_peak(self) -> float | None:
        """Part of the machine's matrix-product peak."""
        return self.gflops / self.peak if self.gflops and self.peak else None

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens that one second is enough for."""
        return self.tokens / self.ours.median if self.tokens else None

    def to_json(self) -> dict[str, Any]:
        """All fields, and what follows from them, which readers would have to compute."""
        derived = ("ratio", "reached", "gflops", "share_of_peak", "tokens_per_second")
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return fields | {name: getattr(self, name) for name in derived}


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All measurements of one run."""

    machine: dict[str, Any]
    peaks: dict[str, float]  # GFLOP/s of a matrix product, by number of threads
    rounds: int
    warm_up_seconds: float  # to compile, or to load what was compiled before
    agreement: dict[str, float]  # largest relative difference to the peer found beforehand
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
        If the file holds something else.
    """
    text = read_document(path, JSON_BYTES)
    try:
        plain = parse_json(text, dict[str, Any])
        if plain.get("format") != FORMAT:
            raise LadtlError(f"{path}: not a report of this version's `ladtl bench --json`")
        plain = _known(plain, Report)
        plain["rows"] = [_known(row, Row) for row in plain["rows"]]  # not what follows from them
        report = msgspec.convert(plain, Report)
        if not all(row.ours.median > 0 for row in report.rows):
            raise ValueError("a median that is not above 0")
        return report
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        told = shown(str(error), 200)
        raise LadtlError(f"{path}: not a report of `ladtl bench --json`: {told}") from None


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
