"""The same measurements with several instruction sets, each in an interpreter of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import msgspec

from ladtl_np.bench.limits import limits_of
from ladtl_np.bench.results import Report
from ladtl_np.bench.startup import environment, fresh
from ladtl_np.bench.suite import Plan, run
from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.kernels.instruction_set import available

__all__ = ["chosen_levels", "run_levels"]

ALL = "all"
_COMPILED_FOR = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")


def chosen_levels(asked: Sequence[str]) -> tuple[str, ...]:
    """Instruction sets to measure, the widest first.

    Parameters
    ----------
    asked
        Some of `instruction_set.LEVELS`, or "all".

    Raises
    ------
    UsageError
        If one of them is unknown or lacking, or the user's variables choose already.
    """
    levels = available()
    if asked and (given := [name for name in _COMPILED_FOR if os.environ.get(name)]):
        raise UsageError(
            f"--isa and {given[0]} both say what to compile for; leave one of them out"
        )
    for name in asked:
        if name != ALL and name not in levels:
            have = ", ".join(levels) or "none that can be chosen"
            raise UsageError(
                f"--isa {name}: this processor has {have}; choose of these, or leave --isa out"
            )
    return tuple(level for level in levels if level in asked or ALL in asked)


def run_levels(levels: Sequence[str], plan: Plan) -> Report:
    """Measure the plan once with each instruction set, peers under the same limit.

    What is done is told on standard error.

    Raises
    ------
    LadtlError
        If the measurement with one of them fails.
    """
    return joined([_one(level, plan) for level in levels])


def joined(reports: Sequence[Report]) -> Report:
    """Rows and instruction sets of all reports; the machine is told as it was at the end."""
    sets = {name: facts for report in reports for name, facts in report.sets.items()}
    rows = [row for report in reports for row in report.rows]
    return msgspec.structs.replace(reports[-1], sets=sets, rows=rows)


def _one(level: str, plan: Plan) -> Report:
    with environment(**limits_of(level)):
        text: bytes | str = fresh(_measured, plan)[1]
    if isinstance(text, str):
        raise LadtlError(f"{level}: {text}")
    return msgspec.json.decode(text, type=Report)


def _measured(plan: Plan) -> bytes | str:
    """The report as JSON, or the message of an error."""
    try:
        return msgspec.json.encode(run(plan, _tell))
    except LadtlError as error:
        return " ".join([str(error), *getattr(error, "__notes__", ())])


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
