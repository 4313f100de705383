"""Peak memory against tokens, each size in a process of its own: it should grow in proportion.

    python benchmarks/peak_memory.py docs/results/memory.md

What is counted is the rise of the process's largest resident size over what it was after a warm-up
with a tiny batch.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np

from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.bench.tagging_case import build_tagging_case
from ladtl_np.bench.workloads import KERNELS, MEDICAL, build_case, draw_sentences
from ladtl_np.model.tagging import Tagger
from ladtl_np.objective import loss_step
from ladtl_np.objective.batching import domain_batch
from ladtl_np.training.warm_up import warm_up

TOKENS = (1_000, 3_000, 10_000, 30_000, 100_000)
# a kibibyte is Linux's unit of ru_maxrss; other systems count bytes
UNIT = 1024 if sys.platform == "linux" else 1


def peak() -> int:
    """Largest resident size of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT


def train(tokens: int) -> tuple[int, int]:
    """One step on a batch of both domains; returns its tokens and the rise in bytes."""
    case = build_case(MEDICAL)
    rng = np.random.default_rng(5)
    count = max(1, round(tokens / 2 / MEDICAL.mean_length))
    batch = domain_batch(draw_sentences(MEDICAL, rng, count) for _ in range(2))
    before, workers = peak(), Workers(2)
    with single_threaded_blas():
        for _ in range(2):  # the second step's memory is one block
            workers.memory.reuse()
            objective = case.objective(KERNELS["19 kernels"])
            loss_step(case.network, batch, objective, None, None, workers)
    return int(batch.words.size), peak() - before


def tag(tokens: int) -> tuple[int, int]:
    """Tag that much text, a line at a time; returns its tokens and the rise in bytes."""
    text = build_tagging_case(build_case(MEDICAL), sentences=round(tokens / MEDICAL.mean_length))
    lines, before = [line.split(" ") for line in text.lines], peak()
    for _ in Tagger(text.model, threads=2).tag(iter(lines)):
        pass
    return text.tokens, peak() - before


PARTS = {"training step": train, "tagging": tag}


def measured(part: str, tokens: int) -> tuple[int, int]:
    """Run one part in a fresh interpreter."""
    arguments = [sys.executable, __file__, "--part", part, "--tokens", str(tokens)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    size, rise = json.loads(done.stdout)
    return size, rise


def page() -> str:
    """Measure everything and return it as Markdown."""
    lines = ["# Peak memory", "", "Written by `benchmarks/peak_memory.py`, sizes of *medical*, two"]
    lines += [
        "threads. A step's memory grows with its batch; tagging takes a bounded chunk at a time.",
        "",
    ]
    lines += ["| part | tokens | MiB | KiB per token |", "|---|--:|--:|--:|"]
    for part in PARTS:
        for tokens in TOKENS:
            size, rise = measured(part, tokens)
            row = f"| {part} | {size:,} | {rise / 2**20:,.1f} | {rise / 2**10 / size:.1f} |"
            print(row, file=sys.stderr, flush=True)
            lines.append(row)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page, or measure one part for it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("page", type=Path, nargs="?", help="the Markdown file to write")
    parser.add_argument("--part", choices=PARTS, help="only this part, printed as JSON")
    parser.add_argument("--tokens", type=int, default=TOKENS[0])
    given = parser.parse_args()
    if given.part:
        warm_up()
        print(json.dumps(PARTS[given.part](given.tokens)))
    else:
        text = page()
        (given.page or Path("/dev/stdout")).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
