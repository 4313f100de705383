"""Results of an experiment's finished runs: one row each, and their means over the seeds."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ladtl_np.corpus.tally import Remark
from ladtl_np.experiment.expansion import RunSpec
from ladtl_np.files import write_atomically
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.marker import experiment_record
from ladtl_np.runs.names import RESULTS
from ladtl_np.runs.tables import read_table

__all__ = [
    "Mean",
    "Result",
    "from_to",
    "grid_keys",
    "means",
    "method_labels",
    "read_results",
    "remarks_of_runs",
    "value_text",
    "write_results",
]

_BEFORE_GRID = ("task", "method", "seed", "fraction")
_SCORES = ("corpus", "precision", "recall", "f1_conlleval", "f1_strict")
_AFTER_GRID = (*_SCORES, "best_step", "updates", "sentences")
_TOKENS = "annotated_tokens"


class Result(NamedTuple):
    """Scores of one run on one corpus, as shares; `corpus` is ``dev`` or a test file's name.

    `best_step`, `updates`, the mini-batches of all stages, and `sentences`, those in them, are None
    where the manifest does not tell them. `tokens` are those of the target that were trained on.
    """

    spec: RunSpec
    corpus: str
    precision: float
    recall: float
    f1: float
    strict_f1: float
    best_step: int | None
    updates: int | None
    sentences: int | None
    tokens: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        scores = (self.corpus, self.precision, self.recall, self.f1, self.strict_f1)
        found = (*scores, self.best_step, self.updates, self.sentences)
        told = self.spec.to_json() | dict(zip(_AFTER_GRID, found, strict=True))
        return told | ({_TOKENS: self.tokens} if self.spec.annotation else {})


class Mean(NamedTuple):
    """F1 over the seeds, as a share, with its sample deviation; None for a single run.

    `updates` and `sentences` are those of each run whose manifest tells them.
    """

    spec: RunSpec
    corpus: str
    runs: int
    f1: float
    deviation: float | None
    strict_f1: float
    strict_deviation: float | None
    updates: tuple[int, ...]
    sentences: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        named = {k: v for k, v in self.spec.to_json().items() if k not in ("folder", "seed")}
        own = self._asdict()
        del own["spec"]
        return named | own


def read_results(specs: Sequence[RunSpec], out: Path) -> list[Result]:
    """Read the scores of the runs that are finished, in the order of the runs."""
    results = []
    for spec in specs:
        run = FoundRun(out / spec.folder, out)
        if run.finished() is None:
            continue
        for corpus, scores in run.results.items():
            overall = scores.conlleval.overall
            shares = overall.precision, overall.recall, overall.f1, scores.f1("strict")
            told = run.manifest
            steps = told.best_step, told.updates, told.sentences
            results.append(Result(spec, corpus, *shares, *steps, told.target_tokens_used))
    return results


def grid_keys(specs: Sequence[RunSpec]) -> list[str]:
    """Keys of all grid points, in the order of their first run."""
    return list(dict.fromkeys(key for spec in specs for key in spec.grid))


def write_results(
    specs: Sequence[RunSpec], out: Path, chosen: Collection[str] | None = None
) -> Path:
    """Write results.tsv: equal results give equal bytes, whenever and in whatever order they came.

    One row for each finished run and corpus. Shares have six digits after the point; a key of the
    grid that a run's grid point does not set is empty. Where points are chosen from, a last column
    says whether the run's is `chosen`, which holds the folders above the seeds; where annotation is
    simulated it has the target's tokens that were trained on.
    """
    keys = grid_keys(specs)
    rounds = any(spec.annotation for spec in specs)
    rows = [[*_BEFORE_GRID, *keys, *_AFTER_GRID, *([] if chosen is None else ["chosen"])]]
    rows[0] += [_TOKENS] * rounds
    for result in read_results(specs, out):
        spec = result.spec
        row = [str(spec.task), spec.method, str(spec.seed), str(spec.fraction)]
        row += [value_text(spec.grid[key]) if key in spec.grid else "" for key in keys]
        shares = (result.precision, result.recall, result.f1, result.strict_f1)
        told = (result.best_step, result.updates, result.sentences)
        steps = ("" if n is None else str(n) for n in told)
        row += [_safe(result.corpus), *(f"{share:.6f}" for share in shares), *steps]
        if chosen is not None:
            row.append("yes" if spec.above_seeds in chosen else "")
        row += [str(result.tokens)] * rounds
        rows.append(row)
    path = out / RESULTS
    write_atomically(path, "".join("\t".join(row) + "\n" for row in rows).encode("utf-8"))
    return path


def method_labels(folder: Path) -> frozenset[str]:
    """Names of the methods of an experiment, from its results.tsv and its record.

    The record is there from the start on. None are known where there is neither.

    Raises
    ------
    DataError
        If the results are no table.
    """
    rows: list[Any] = [row for _, row in read_table(folder / RESULTS)]
    runs = (experiment_record(folder) or {}).get("runs")
    rows += [run for run in runs if isinstance(run, dict)] if isinstance(runs, list) else []
    labels = (row.get("method") for row in rows)
    return frozenset(label for label in labels if label and isinstance(label, str))


def from_to(numbers: Sequence[int]) -> str:
    """Write the least and the largest number, or the only one; "" of none."""
    if not numbers:
        return ""
    least, most = min(numbers), max(numbers)
    return f"{least:,}" if least == most else f"{least:,}–{most:,}"


def remarks_of_runs(
    specs: Sequence[RunSpec], out: Path, known: Sequence[Remark] = ()
) -> list[Remark]:
    """Collect what the finished runs were told, each thing once with how many of them it is of.

    `known` are left out.
    """
    runs = [FoundRun(out / spec.folder, out) for spec in specs]
    told = [run.manifest.remarks for run in runs if run.finished() is not None]
    counts = Counter(remark for some in told for remark in dict.fromkeys(some))
    for remark in known:
        counts.pop(remark, None)
    return [
        replace(remark, what=f"in {count:,} of {len(told):,} runs: {remark.what}")
        for remark, count in counts.items()
    ]


def value_text(value: Any) -> str:
    """Write the value of an option into a cell of a table."""
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if plain else _safe(value if isinstance(value, str) else json.dumps(value))


def _safe(text: str) -> str:
    """No tab or line end, and nothing that a spreadsheet would take for a formula."""
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return f"'{escaped}" if escaped.startswith(tuple("=+-@＝＋－＠")) else escaped


def means(specs: Sequence[RunSpec], out: Path) -> list[Mean]:
    """Mean F1 over the seeds of each task, method, fraction, grid point and corpus."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in read_results(specs, out):
        groups.setdefault((result.spec.above_seeds, result.corpus), []).append(result)
    found = []
    for (_, corpus), group in groups.items():
        f1 = [result.f1 for result in group]
        strict = [result.strict_f1 for result in group]
        several = len(group) > 1
        found.append(
            Mean(
                group[0].spec,
                corpus,
                len(group),
                statistics.mean(f1),
                statistics.stdev(f1) if several else None,
                statistics.mean(strict),
                statistics.stdev(strict) if several else None,
                *(
                    tuple(n for n in counts if n is not None)
                    for counts in (
                        [result.updates for result in group],
                        [result.sentences for result in group],
                    )
                ),
            )
        )
    return found
