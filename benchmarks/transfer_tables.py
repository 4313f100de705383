"""F1 of the methods on real corpora, mean and deviation over seeds, as a Markdown table.

The corpora are not part of the project. With their folder at ../shared/data:

    python benchmarks/transfer_tables.py clinical --runs runs/clinical
    python benchmarks/transfer_tables.py weibo --runs runs/weibo
    python benchmarks/transfer_tables.py twitter --runs runs/twitter

Every run is one ``ladtl train`` with one thread; two go side by side. Runs that are there already
are not repeated, so an interrupted table is finished by the same command.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from transfer_tasks import TASKS, Task

from ladtl_np.methods import METHODS

PROGRAM = "from ladtl_np.commands import main; main()"


def run(task: Task, method: str, seed: int, folder: Path, extra: Sequence[str]) -> Path:
    """Train once, unless it has been done; returns the run's manifest."""
    out = folder / task.name.replace(" ", "-").replace(",", "") / method / str(seed)
    manifest = out / "manifest.json"
    if manifest.exists() and "results" in json.loads(manifest.read_text("utf-8")):
        return manifest
    arguments = ["train", *task.arguments, "--method", method, "--seed", str(seed)]
    arguments += ["--threads", "1", "--out", str(out), "--overwrite", *extra]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}\n{done.stderr}")
    print(f"{task.name}: {method}, seed {seed} done", file=sys.stderr, flush=True)
    return manifest


def f1_of(manifest: dict[str, Any], column: str, reading: str) -> float:
    """F1 in percent of one run on one corpus."""
    f1: float = manifest["results"][column][reading]["overall"]["f1"]
    return 100 * f1


def table(
    results: dict[tuple[str, str], list[Path]], tasks: Iterable[Task], methods: Sequence[str]
) -> str:
    """F1 in percent, mean and sample deviation; the strict reading where it differs anywhere."""
    lines = []
    for task in tasks:
        found = {
            method: [json.loads(p.read_text("utf-8")) for p in results[task.name, method]]
            for method in methods
        }
        runs = [run for each in found.values() for run in each]
        columns = []
        for column in runs[0]["results"]:
            columns.append((column, "conlleval"))
            if any(f1_of(r, column, "strict") != f1_of(r, column, "conlleval") for r in runs):
                columns.append((column, "strict"))
        lines += [f"\n## {task.name}\n"]
        lines += ["| method | " + " | ".join(f"{c}, {r}" for c, r in columns) + " | best step |"]
        lines += ["|---|" + "---|" * (len(columns) + 1)]
        for method in methods:
            cells = []
            for column, reading in columns:
                f1 = [f1_of(run, column, reading) for run in found[method]]
                spread = statistics.stdev(f1) if len(f1) > 1 else 0.0
                cells.append(f"{statistics.mean(f1):.2f} ± {spread:.2f}")
            steps = ", ".join(str(run["best_step"]) for run in found[method])
            lines.append(f"| {method} | " + " | ".join(cells) + f" | {steps} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Parse arguments, run what is missing, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", choices=tuple(TASKS))
    parser.add_argument("--corpora", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side")
    parser.add_argument("--methods", nargs="+", default=[], choices=METHODS, metavar="METHOD")
    parser.add_argument("--only", action="append", default=[], help="a task's name, or part of it")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    tasks = [
        task
        for task in TASKS[options.tasks](options.corpora, options.runs / "corpora")
        if not options.only or any(part in task.name for part in options.only)
    ]
    # types differ between CoNLL-2003 and TwitterNER: no method with one CRF for both
    able = [name for name in METHODS if options.tasks != "twitter" or METHODS[name].crf != "shared"]
    methods = options.methods or able
    extra = [argument for setting in options.set for argument in ("--set", setting)]
    with ThreadPoolExecutor(options.jobs) as pool:
        waiting = {
            (task.name, method): [
                pool.submit(run, task, method, seed, options.runs, extra) for seed in options.seeds
            ]
            for task in tasks
            for method in methods
        }
        results = {key: [one.result() for one in futures] for key, futures in waiting.items()}
    print(table(results, tasks, methods))


if __name__ == "__main__":
    main()
