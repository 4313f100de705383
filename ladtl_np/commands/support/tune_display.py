"""What ``ladtl tune`` shows of a search: its points, its options, and what was chosen."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
import msgspec
from rich.table import Table

from ladtl_np.commands.evaluate import evaluate_models
from ladtl_np.commands.support.formats import print_json, print_table, tell, warn
from ladtl_np.commands.support.progress import results_table
from ladtl_np.corpus.read import read_corpus
from ladtl_np.experiment.choice import notes_on
from ladtl_np.experiment.results import value_text
from ladtl_np.options.config import Config
from ladtl_np.printable import LONG, shown
from ladtl_np.runs.folder import unique_names
from ladtl_np.runs.names import BEST, CONFIG
from ladtl_np.scoring import Scores
from ladtl_np.tuning.effects import Effect
from ladtl_np.tuning.halving import Rung, TrialRun
from ladtl_np.tuning.results import BEST_RUN, Found, Row
from ladtl_np.tuning.space import Range
from ladtl_np.tuning.trials import Trials

__all__ = ["effects_table", "points_table", "tell_found", "tell_plan"]

SHOWN = 15  # points of the table; trials.tsv has all


def tell_plan(trials: Trials, rungs: Iterable[Rung], as_json: bool) -> None:
    """Print where points would be drawn from, and how many runs there would be at each rung."""
    plan = [
        {
            "share": rung.share,
            "points": len({run.point for run in rung.runs}),
            "runs": len(rung.runs),
        }
        for rung in rungs
    ]
    if as_json:
        print_json({"space": msgspec.to_builtins(trials.space), "rungs": plan})
        return
    for key, values in trials.space.items():
        if isinstance(values, Range):
            scale = ", evenly in the logarithm" if values.log else ""
            click.echo(f"{key}: {values.low} to {values.high}{scale}")
        else:
            click.echo(f"{key}: {shown(', '.join(map(value_text, values)), LONG)}")
    for rung in plan:
        share = 100 * rung["share"]
        click.echo(f"{rung['points']} points to {share:g} % of the steps: {rung['runs']} runs")


def tell_found(
    found: Found, trials: Trials, config: Config, failed: Mapping[TrialRun, str], as_json: bool
) -> None:
    """Print the result, scored on the test corpora that were named; code 1 without a chosen one."""
    scores = _tests(config, trials) if found.chosen is not None else {}
    for run, error in failed.items():
        warn(f"point {run.point}, seed {trials.config.seed + run.seed} failed: {error}")
    if as_json:
        print_json(_as_json(found, trials, failed, scores))
    else:
        print_table(points_table(found.rows, list(trials.space)))
        if found.effects:
            print_table(effects_table(found.effects))
        if scores:
            print_table(results_table(scores))
    for note in notes_on([found.choice]):
        warn(note)
    if found.chosen is None:
        click.echo("error: no point came to its end", err=True)
        sys.exit(1)
    out = shown(str(trials.out), LONG)
    click.echo(
        f"Chosen: point {found.chosen.point} ({_named(found.chosen)}){_gain(found)}", err=True
    )
    click.echo(f"Model: {out}/{BEST_RUN}/{BEST}", err=True)
    click.echo(f"Next:  ladtl train --config {out}/{CONFIG} --out RUN", err=True)


def _tests(config: Config, trials: Trials) -> dict[str, Scores]:
    """Scores of the chosen model on the test corpora."""
    files = [file for file in config.data.files() if file.role == "test"]
    if not files:
        return {}
    corpora = [read_corpus(file.path, file.format) for file in files]
    model, data = str(trials.out / BEST_RUN / BEST), config.data
    found = evaluate_models(
        [model],
        corpora,
        "target",
        None,
        config.threads,
        config.vocabulary.key or None,
        data.embeddings or None,
    )
    tell(found.remarks)
    names = unique_names([corpus.name for corpus in corpora])
    return dict(zip(names, found.scores[0], strict=True))


def _gain(found: Found) -> str:
    """How much better the chosen point is than the options as they were, where that is known."""
    first = next((row for row in found.rows if row.point == 0 and row.share == 1.0), None)
    chosen = found.chosen
    if first is None or chosen is None or first.f1 is None or chosen.f1 is None or chosen is first:
        return ""
    return f", {100 * (chosen.f1 - first.f1):.2f} above the options as they were"


def _named(row: Row) -> str:
    told = ", ".join(f"{key}={value_text(value)}" for key, value in row.values.items())
    return shown(told, LONG) or "the options as they were"


def points_table(rows: Sequence[Row], keys: Sequence[str]) -> Table:
    """The best points, with F1 in percent at the step where they were compared last."""
    table = Table(title="Development F1 in percent, the best first", title_justify="left")
    for heading in ("point", "state", "steps", "seeds", "dev F1"):
        table.add_column(heading, justify="left" if heading == "state" else "right")
    for key in keys:
        table.add_column(key.partition(".")[2] or key)
    for row in rows[:SHOWN]:
        spread = "" if row.deviation is None else f" ± {100 * row.deviation:.2f}"
        f1 = "–" if row.f1 is None else f"{100 * row.f1:.2f}{spread}"
        cells = [str(row.point), row.state, str(row.step), str(row.seeds), f1]
        values = (shown(value_text(row.values[key]), 100) if row.values else "–" for key in keys)
        table.add_row(*cells, *values)
    if len(rows) > SHOWN:
        table.caption = f"and {len(rows) - SHOWN} more in trials.tsv"
    return table


def effects_table(effects: Sequence[Effect]) -> Table:
    """How far each option mattered; the gap is bold where it is more than chance."""
    table = Table(
        title="What the options did at the first comparison, whatever the others were",
        title_justify="left",
        caption="gap: best less worst mean, ± its standard error; * more than twice that",
    )
    for heading in ("option", "values: mean dev F1 (points)", "gap"):
        table.add_column(heading, justify="right" if heading == "gap" else "left")
    for effect in effects:
        parts = "; ".join(
            f"{shown(part.values, 60)}: {100 * part.mean:.2f} ({part.points})"
            for part in effect.parts
        )
        error = "" if effect.error is None else f" ± {100 * effect.error:.2f}"
        mark = " *" if effect.sure else ""
        table.add_row(effect.key, parts, f"{100 * effect.gap:.2f}{error}{mark}")
    return table


def _as_json(
    found: Found, trials: Trials, failed: Mapping[TrialRun, str], scores: Mapping[str, Scores]
) -> dict[str, Any]:
    effects = [
        {**effect._asdict(), "parts": [part._asdict() for part in effect.parts]}
        for effect in found.effects
    ]
    return {
        "out": str(trials.out),
        "chosen": found.chosen._asdict() if found.chosen is not None else None,
        "points": [row._asdict() for row in found.rows],
        "effects": effects,
        "failed": [{**run._asdict(), "error": error} for run, error in failed.items()],
        "notes": notes_on([found.choice]),
        "tests": {name: score.to_json() for name, score in scores.items()},
    }
