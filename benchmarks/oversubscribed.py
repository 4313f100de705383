"""Training steps with as many threads as processors and with four times as many, in turns.

    python benchmarks/oversubscribed.py

Printed are milliseconds of a step and what more threads lose, which should be less than a tenth.
"""

from __future__ import annotations

import argparse

from ladtl_np.arrays.processors import allowed
from ladtl_np.bench.measure import interleave
from ladtl_np.bench.ours import Ours
from ladtl_np.bench.workloads import KERNELS, WORKLOADS, build_case

TIMES = 4
VARIANCES = KERNELS["19 kernels"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    few, many = str(allowed()), str(TIMES * allowed())
    print(f"workload   {few} threads   {many} threads   lost")
    for workload in WORKLOADS.values():
        case = build_case(workload)
        sides = {count: Ours(case, int(count)).step(VARIANCES).call for count in (few, many)}
        found = interleave(sides, rounds)
        base, other = (1e3 * found[count].median for count in (few, many))
        print(f"{workload.name:8s}   {base:6.2f} ms    {other:6.2f} ms   {other / base - 1:5.1%}")


if __name__ == "__main__":
    main()
