"""How many matched labels both halves of a mini-batch hold, shuffled and label-balanced.

    python benchmarks/labels_met.py table4 CORPORA [--batches 1000] [--set KEY=VALUE]

Draws mini-batches of la-dtl's first seed for every task of an experiment, trains nothing, and
prints a table: matched labels that the target's half holds and that both hold, and of those the
rows on the smaller side.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from ladtl_np.corpus.labels import LabelMap
from ladtl_np.experiment.expansion import RunSpec, expand
from ladtl_np.experiment.loading import load_experiment
from ladtl_np.objective.batching import two_domain_batch
from ladtl_np.objective.mmd import row_pairs
from ladtl_np.options.seeds import stream
from ladtl_np.runs.run import read_corpora
from ladtl_np.training.passes import Passes, source_passes
from ladtl_np.training.preparation import prepare
from ladtl_np.training.prepared import Prepared

WAYS = ("shuffled", "label-balanced")
HEADER = (
    *("task", "sentences", "batches", "labels", "in the target's half", "in both halves"),
    *("rows on the smaller side, median", "labels of one row there"),
)


class Met(NamedTuple):
    """Means over mini-batches.

    Attributes
    ----------
    target, both
        Matched labels that the target's half holds, and that both hold.
    rows
        Median over those of the rows on the smaller side.
    single
        Those with one row there.
    """

    target: float
    both: float
    rows: float
    single: float


def drawn(prepared: Prepared, way: str, batches: int) -> Iterator[Met]:
    """Count in mini-batches as the trainer draws them."""
    training = msgspec.structs.replace(prepared.config.training, batches=way)
    config = msgspec.structs.replace(prepared.config, training=training)
    orders = (stream(config.seed, chance) for chance in ("source order", "label order"))
    source = source_passes(config, prepared.source, prepared.objective, *orders)
    target = Passes(prepared.target, stream(config.seed, "target order"))
    matched = set(prepared.objective.matched[1].tolist())
    for _ in range(batches):
        second = target.take(training.target_batch)
        first = source.take_beside(training.source_batch, second)
        pairs = row_pairs(two_domain_batch(first, second), prepared.objective)
        held = {tag for sentence in second for tag in sentence.tags.tolist()}
        rows = [min(pair.source.size, pair.target.size) for pair in pairs]
        yield Met(len(held & matched), len(pairs), float(np.median(rows or [0])), rows.count(1))


def counted(spec: RunSpec, label_map: LabelMap | None, batches: int) -> Iterator[str]:
    """One row of the table for each way."""
    prepared = prepare(spec.config, read_corpora(spec.config), label_map)
    sizes = prepared.config.training
    for way in WAYS:
        met = Met(*np.mean(list(drawn(prepared, way, batches)), axis=0))
        cells = (
            *(str(spec.task), f"{sizes.source_batch} + {sizes.target_batch}", way),
            *(f"{len(prepared.objective.matched[0])}", f"{met.target:.2f}", f"{met.both:.2f}"),
            *(f"{met.rows:.2f}", f"{met.single:.2f}"),
        )
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("experiment")
    parser.add_argument("data", type=Path)
    parser.add_argument("--batches", type=int, default=1000)
    parser.add_argument("--set", dest="settings", action="append", default=[])
    given = parser.parse_args()
    experiment = load_experiment(given.experiment, given.data, given.settings)
    pairs = experiment.label_map
    label_map = LabelMap(pairs) if isinstance(pairs, dict) else None
    print(f"| {' | '.join(HEADER)} |\n|{'---|' * len(HEADER)}")
    for spec in expand(experiment, Path()):
        if spec.method == "la-dtl" and spec.seed == experiment.seeds["la-dtl"][0]:
            for row in counted(spec, label_map, given.batches):
                print(row, flush=True)


if __name__ == "__main__":
    main()
