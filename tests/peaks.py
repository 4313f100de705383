"""Peak memory of commands, each in a process of its own, beside what the start of it takes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# The command runs once on something small, so that what is loaded and compiled is not counted;
# then Linux is told to forget the highest resident size so far.
CHILD = """
import contextlib, gc, json, os, sys
from ladtl_np.commands import ladtl

def resident(name):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024

first, second = json.loads(sys.argv[1])
with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
    with contextlib.redirect_stderr(nowhere):
        ladtl.main(first, standalone_mode=False)
        gc.collect()
        with open("/proc/self/clear_refs", "w") as reset:
            reset.write("5")
        before = resident("VmRSS")
        ladtl.main(second, standalone_mode=False)
print(resident("VmHWM") - before)
"""


def rise(small: Sequence[str], large: Sequence[str], cwd: Path) -> int:
    """Bytes by which a command's peak lies above what it has loaded after a small one."""
    return int(_run(CHILD, [list(small), list(large)], cwd))


def _run(code: str, given: Any, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(given)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


TRAINING = """
import gc, json, sys
import numpy as np
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.model.file import model_bytes
from ladtl_np.options.config import parse_config
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer
from ladtl_np.training.warm_up import warm_up

def resident(name):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024

given = json.loads(sys.argv[1])

def corpus(name, seed):
    rng, made = np.random.default_rng(seed), []
    for line in range(given["sentences"]):
        words = rng.integers(0, given["words"], given["length"]).tolist()
        kinds = rng.integers(0, given["types"], given["length"]).tolist()
        made.append(Sentence(tuple(map(str, words)), tuple(f"S-t{k}" for k in kinds), line + 1))
    return Corpus(name, tuple(made), "BIOES")

batch = {"steps": 3, "evaluate_every": 3, "source_batch": 16, "target_batch": 16}
config = parse_config({"method": given["method"], "threads": given["threads"],
                       "training": batch, **given["more"]})
alone = given["method"] == "non-transfer"
corpora = Corpora(None if alone else corpus("source", 1), corpus("target", 2),
                  corpus("dev", 3) if given["dev"] else None)
warm_up()
gc.collect()
with open("/proc/self/clear_refs", "w") as reset:
    reset.write("5")
before = resident("VmRSS")
prepared = prepare(config, corpora)
trainer = Trainer(prepared)
for _ in trainer.run():
    pass
written = model_bytes(build_model(prepared, trainer.best, {}, {}))
print(resident("VmHWM") - before, prepared.memory.total)
"""


def training_rise(
    *,
    sentences: int = 64,
    length: int = 100,
    words: int = 5_000,
    types: int = 3,
    method: str = "la-dtl",
    threads: int = 1,
    dev: bool = False,
    more: Mapping[str, Any] | None = None,
) -> tuple[int, float]:
    """Bytes by which a training's peak lies above what is loaded, and the estimate of it."""
    given = {
        "sentences": sentences, "length": length, "words": words, "types": types,
        "method": method, "threads": threads, "dev": dev, "more": more or {},
    }  # fmt: skip
    found, wanted = _run(TRAINING, given).split()
    return int(found), float(wanted)
