"""F1 of the methods on real corpora, mean and deviation over seeds, as a Markdown table.

The corpora are not part of the project. With their folder at ../shared/data:

    python benchmarks/transfer_tables.py clinical --runs runs/clinical
    python benchmarks/transfer_tables.py weibo --runs runs/weibo

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
from typing import Any, NamedTuple

from ladtl_np.methods import METHODS

PROGRAM = "from ladtl_np.commands import main; main()"
CLINICAL = "ccks2017_clinical/departments_70_15_15"
CLINICAL_TASKS = (
    ("respiratory", "neurology"),
    ("neurology", "orthopaedics_trauma"),
    ("surgery_urology", "respiratory"),
    ("orthopaedics_trauma", "surgery_urology"),
)
NAMED_ONLY = (
    'rename={"PER.NAM" = "PER", "LOC.NAM" = "LOC", "GPE.NAM" = "LOC", "ORG.NAM" = "ORG", '
    '"*.NOM" = ""}'
)


class Task(NamedTuple):
    """One source and target, with the arguments that name their files."""

    name: str
    arguments: tuple[str, ...]


def clinical_tasks(corpora: Path) -> list[Task]:
    """Four of the twelve department tasks, with 10 % of the target's sentences."""
    root = corpora / CLINICAL
    tasks = []
    for source, target in CLINICAL_TASKS:
        files = ["--source", root / source / "train.txt", "--target", root / target / "train.txt"]
        files += ["--dev", root / target / "dev.txt", "--test", root / target / "test.txt"]
        files += ["--test", root / target / "test_novel.txt", "--target-fraction", "0.1"]
        tasks.append(Task(f"{source} to {target}", tuple(map(str, files))))
    return tasks


def weibo_tasks(corpora: Path) -> list[Task]:
    """SIGHAN to WeiboNER from the files as they are: named and nominal merged, and named only."""
    source = ("--source", str(corpora / "sighan_msra/paper_split/train.txt"))
    merged, original = corpora / "weibo/ladtl_merged", corpora / "weibo/orig"
    first = ["--target", merged / "eval_train", "--dev", merged / "eval_valid"]
    first += ["--test", merged / "eval_test"]
    stem = "weiboNER_2nd_conll"
    second = ["--target", original / f"{stem}.train", "--dev", original / f"{stem}.dev"]
    second += ["--test", original / f"{stem}.test", "--target-format", "position_digits=true"]
    second += ["--target-format", NAMED_ONLY]
    return [
        Task("SIGHAN to WeiboNER, named and nominal merged", (*source, *map(str, first))),
        Task("SIGHAN to WeiboNER, named only", (*source, *map(str, second))),
    ]


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


def table(results: dict[tuple[str, str], list[Path]], tasks: Iterable[Task]) -> str:
    """F1 in percent, mean and sample deviation; the strict reading where it differs anywhere."""
    lines = []
    for task in tasks:
        found = {
            method: [json.loads(p.read_text("utf-8")) for p in results[task.name, method]]
            for method in METHODS
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
        for method in METHODS:
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
    parser.add_argument("tasks", choices=("clinical", "weibo"))
    parser.add_argument("--corpora", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    tasks = {"clinical": clinical_tasks, "weibo": weibo_tasks}[options.tasks](options.corpora)
    extra = [argument for setting in options.set for argument in ("--set", setting)]
    with ThreadPoolExecutor(options.jobs) as pool:
        waiting = {
            (task.name, method): [
                pool.submit(run, task, method, seed, options.runs, extra) for seed in options.seeds
            ]
            for task in tasks
            for method in METHODS
        }
        results = {key: [one.result() for one in futures] for key, futures in waiting.items()}
    print(table(results, tasks))


if __name__ == "__main__":
    main()
