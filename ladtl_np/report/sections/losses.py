"""Entity types that a method labels worse than the target alone does, or joint training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import NamedTuple

from ladtl_np.corpus.schemes import split_tag
from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.report.study import Study, StudyRun
from ladtl_np.scoring.significance import mean_and_interval

__all__ = ["losses_section"]

BASELINES = ("non-transfer", "joint-training")
FEWEST_GOLD = 5
"""Types with fewer entities are left out: one entity more or less is many points."""
FEWEST_SEEDS = 3
"""From here on the seeds tell how large chance is; an interval of two is as good as endless."""
_Z = 1.96  # standard errors to either side that hold 95 %


class _Loss(NamedTuple):
    task: str
    kind: str
    partner: str  # type of the source that it is paired with
    method: str
    baseline: str
    gold: float
    f1: tuple[float, float]  # in per cent, of the method and of the baseline
    noise: float  # half of the 95 % interval of their difference
    seeds: int

    @property
    def difference(self) -> float:
        return self.f1[0] - self.f1[1]


def losses_section(study: Study) -> Section:
    """Types whose F1 falls below a baseline's by more than chance explains."""
    section = Section("losses", "Types that lose")
    compared = False
    for number, (corpus, fraction, where) in enumerate(study.places(), 1):
        found = []
        for task in study.tasks:
            runs = study.members(fraction, task)
            for row, baseline in _pairs(study, runs):
                compared = True
                found += list(_losses(study, runs, row, baseline, corpus))
        if found:
            section.tables.append(_table(found, where, f"losses-{number}"))
    if section.tables:
        section.notes.append(
            "The F1 of these types is below that of the target alone or of joint training, and by "
            "more than the 95 % interval of the difference: its t interval from "
            f"{FEWEST_SEEDS} seeds on, else what follows from the number of gold entities. Types "
            f"with fewer than {FEWEST_GOLD} are left out."
        )
        section.notes.append(
            "Where a type is paired with one of the source, see whether both mean the same: a pair "
            "of different things costs more than no pair, and a label map can leave the type out."
        )
    elif compared:
        section.missing = "no type is below the target alone or joint training by more than chance."
    else:
        section.missing = "there are no scores of the target alone or of joint training beside."
    return section


def _pairs(study: Study, runs: Sequence[StudyRun]) -> Iterator[tuple[str, str]]:
    """Rows of methods, each with the row of a baseline that is not the same method."""
    bases = {row: run.base for run in runs if (row := study.row(run)) is not None}
    order = [row for row in study.rows(runs) if row in bases]
    for row in order:
        for baseline in order:
            known = bases[baseline] in BASELINES and bases[row] != bases[baseline]
            if known and bases[row] != "non-transfer":  # which takes nothing from a source
                yield row, baseline


def _losses(
    study: Study, runs: Sequence[StudyRun], row: str, baseline: str, corpus: str
) -> Iterator[_Loss]:
    ours, theirs = (
        {run.seed: run for run in runs if study.row(run) == name and run.corpus(corpus) is not None}
        for name in (row, baseline)
    )
    seeds = sorted(ours.keys() & theirs.keys())
    scores = [(_kinds(ours[seed], corpus), _kinds(theirs[seed], corpus)) for seed in seeds]
    partners = _partners([ours[seed] for seed in seeds])
    for kind in sorted({kind for pair in scores for side in pair for kind in side}):
        both = [(a[kind], b[kind]) for a, b in scores if kind in a and kind in b]
        if not both:
            continue
        gold = fmean(b[0] for _, b in both)
        first, second = (fmean(pair[side][1] for pair in both) for side in (0, 1))
        noise = _noise([a[1] - b[1] for a, b in both], gold, first, second)
        found = (100 * first, 100 * second)
        loss = _Loss(
            *(ours[seeds[0]].task, kind, partners.get(kind, "–"), row, baseline),
            *(gold, found, 100 * noise, len(both)),
        )
        if gold >= FEWEST_GOLD and loss.difference < -loss.noise:
            yield loss


def _kinds(run: StudyRun, corpus: str) -> dict[str, tuple[int, float]]:
    """Gold count and F1 as a share of each type."""
    name = run.corpus(corpus)
    types = run.run.results[name].conlleval.per_type if name is not None else {}
    return {kind: (counts.gold, counts.f1) for kind, counts in types.items()}


def _noise(differences: Sequence[float], gold: float, first: float, second: float) -> float:
    """Half of the 95 % interval of the mean difference of two F1, as a share."""
    interval = mean_and_interval(differences).interval
    if len(differences) >= FEWEST_SEEDS and interval is not None:
        return (interval[1] - interval[0]) / 2
    variance = first * (1 - first) + second * (1 - second)
    return _Z * math.sqrt(variance / max(gold, 1.0))


def _partners(runs: Sequence[StudyRun]) -> dict[str, str]:
    """Type of the source that each type of the target is paired with, where the manifests tell."""
    found = {}
    for run in runs:
        for label in run.run.manifest.label_mmd:
            try:
                source, target = (split_tag(tag)[1] for tag in (label.source, label.target))
            except ValueError:
                continue
            if target:
                found[target] = source
    return found


def _table(found: Sequence[_Loss], where: str, name: str) -> Table:
    rows = []
    for loss in sorted(found, key=lambda loss: (loss.difference, loss)):
        numbers = [f"{loss.gold:g}", *(f"{f1:.2f}" for f1 in loss.f1), f"{loss.difference:+.2f}"]
        numbers += [f"{loss.noise:.2f}", str(loss.seeds)]
        names = (loss.task, loss.kind, loss.partner, loss.method, loss.baseline)
        rows.append([Cell(text) for text in (*names, *numbers)])
    header = ["task", "type", "type of the source", "method", "baseline", "gold", "F1"]
    header += ["baseline's F1", "difference", "chance ±", "seeds"]
    caption = f"Types that lose{where}, the largest loss first"
    return Table(name, caption, header, rows, names=5, folded=len(rows) > 12)
