"""What the test sets can tell: one method against the others, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ladtl_np.errors import LadtlError
from ladtl_np.options.seeds import stream
from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.report.study import Study, StudyRun
from ladtl_np.report.tagged import Library, read_tagged_pair
from ladtl_np.runs.manifest import DEV
from ladtl_np.scoring import sentence_counts
from ladtl_np.scoring.significance import SentenceTest, counts_test

__all__ = ["RESAMPLES", "sentence_section"]

RESAMPLES = 1_999
"""Random swaps of a test; fewer than ``ladtl compare`` makes, as a page has many tests."""

Counts = NDArray[np.int64]
"""(S, 3) gold, predicted and correct entities of each sentence."""


class _Told(NamedTuple):
    """Gold tags, and what a run made of the sentences."""

    gold: list[tuple[str, ...]]
    counts: Counts


class _Counted:
    """Counts of the runs, each read once; what cannot be read is noted."""

    def __init__(self, library: Library) -> None:
        self.problems: dict[str, None] = {}
        self._library = library
        self._held: dict[tuple[int, str], _Told | None] = {}

    def of(self, run: StudyRun, corpus: str) -> _Told | None:
        """Counts of a run on a test corpus, None if there are none."""
        name = run.corpus(corpus)
        if name is None or name == DEV:
            return None
        key = id(run), name
        if key not in self._held:
            try:
                gold, predicted = read_tagged_pair(run.run, name, self._library)
                truth, guess = ([s.tags or () for s in side] for side in (gold, predicted))
                counts = sentence_counts(truth, guess, gold.scheme, "conlleval")
                self._held[key] = _Told(truth, counts)
            except (LadtlError, ValueError) as error:
                self.problems.setdefault(str(error).split("\n")[0])
                self._held[key] = None
        return self._held[key]


def sentence_section(study: Study, methods: Sequence[str], library: Library) -> Section:
    """Test the first method against every other one, over all tasks that both have."""
    section = Section("sentences", "Tests by sentence")
    if len(methods) < 2:
        section.missing = "it compares two methods, and there are no scores of two."
        return section
    counted = _Counted(library)
    for corpus, fraction, where in study.places():
        runs = study.members(fraction)
        rows = []
        for other in study.rows(runs):
            pairs = _pairs(study, runs, methods[0], other)
            line = _tested(pairs, corpus, counted) if other != methods[0] else None
            if line is not None:
                rows.append([Cell(other), *line])
        if rows:
            _add(section, methods[0], rows, where)
    if section.tables:
        section.notes = [
            "The tags of whole sentences are swapped between the two methods, two-sided: this "
            "leaves the chance of training aside and asks whether the test sentences can tell two "
            "methods apart. A sentence is one unit however many seeds tagged it. The smallest "
            "difference is what would have reached p = 0.05 on these sentences. p is not "
            "corrected for the number of tests.",
            *(f"Left out: {problem}." for problem in counted.problems),
        ]
    else:
        first = next(iter(counted.problems), f"no task has test tags of {methods[0]} and another")
        section.missing = f"no gold and predicted tags could be read: {first}."
    return section


def _add(section: Section, method: str, rows: list[list[Cell]], where: str) -> None:
    caption = f"F1 of {method} minus that of each other method{where}"
    header = ["against", "tasks", "pairs of runs", "sentences", "difference", "95 % from", "to"]
    header += ["p", "smallest difference"]
    name = f"sentences-{len(section.tables) + 1}"
    section.tables.append(Table(name, caption, header, rows))


def _pairs(
    study: Study, runs: Iterable[StudyRun], first: str, second: str
) -> list[tuple[StudyRun, StudyRun]]:
    """Runs of two rows with the same task and seed."""
    sides: tuple[dict[tuple[str, int], StudyRun], dict[tuple[str, int], StudyRun]] = ({}, {})
    for run in runs:
        for side, row in zip(sides, (first, second), strict=True):
            if study.row(run) == row:
                side[run.task, run.seed] = run
    return [(sides[0][key], sides[1][key]) for key in sorted(sides[0].keys() & sides[1].keys())]


def _tested(
    pairs: Sequence[tuple[StudyRun, StudyRun]], corpus: str, counted: _Counted
) -> list[Cell] | None:
    """Numbers of one row; None where no pair can be read."""
    gold: dict[str, list[tuple[str, ...]]] = {}
    tasks: dict[str, tuple[Counts, Counts]] = {}
    used = 0
    for pair in pairs:
        task = pair[0].task
        one, other = (counted.of(run, corpus) for run in pair)
        if one is None or other is None:
            continue
        if not one.gold == other.gold == gold.setdefault(task, one.gold):
            counted.problems.setdefault(f"{task}: runs were tested on other sentences or gold tags")
            continue
        so_far = tasks.get(task, (0 * one.counts, 0 * other.counts))
        tasks[task] = so_far[0] + one.counts, so_far[1] + other.counts
        used += 1
    if not tasks:
        return None
    first, second = (np.concatenate(side) for side in zip(*tasks.values(), strict=True))
    test = counts_test(
        first,
        second,
        alternative="two-sided",
        resamples=RESAMPLES,
        rng=stream(0, "randomisation test"),
    )
    return [Cell(text) for text in (str(len(tasks)), str(used), *_numbers(test))]


def _numbers(test: SentenceTest) -> list[str]:
    bounds = ["–", "–"] if test.interval is None else [f"{100 * b:+.2f}" for b in test.interval]
    smallest = "–" if test.resolvable is None else f"{100 * test.resolvable:.2f}"
    return [f"{test.n}", f"{100 * test.difference:+.2f}", *bounds, f"{test.p:.4g}", smallest]
