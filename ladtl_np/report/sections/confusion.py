"""Which entity types are taken for which: gold spans against predicted ones."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from ladtl_np.corpus.schemes import Span, spans
from ladtl_np.errors import LadtlError
from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.pages.drawing.figures import GridPanel, grids
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.report.study import Study, StudyRun, on_corpus
from ladtl_np.report.tagged import Library, read_tagged_pair
from ladtl_np.runs.manifest import DEV

__all__ = ["BOUNDARIES", "MISSED", "SPURIOUS", "confusion_section", "count_confusions"]

BOUNDARIES, MISSED, SPURIOUS = "(other boundaries)", "(nothing)", "(nothing)"
OTHERS = "(other types)"
MOST = 40
"""Types that a matrix shows; the rarest ones beyond them are added up."""

Confusions = Counter[tuple[str, str]]
"""Numbers of spans by gold and predicted type."""


def count_confusions(
    gold: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]], scheme: str
) -> Confusions:
    """Count what became of each gold span, and where each predicted span without gold came from.

    A gold span is held against the predicted span with its boundaries. Where there is none, it was
    found with other boundaries, if any predicted span overlaps it, or missed. The same is said of
    predicted spans, so each row of a gold type adds up to its gold spans, and each column of a
    predicted type to its predicted ones.

    Examples
    --------
    >>> found = count_confusions([["S-Drug", "B-Sign", "E-Sign"]], [["S-Sign", "S-Sign", "O"]],
    ...                          "BIOES")
    >>> sorted(found.items())[1:]
    [(('Drug', 'Sign'), 1), (('Sign', '(other boundaries)'), 1)]
    """
    counts: Confusions = Counter()
    for truth, guess in zip(gold, predicted, strict=True):
        there, found = spans(truth, scheme), spans(guess, scheme)
        guesses = {(start, end): kind for start, end, kind in found}
        known = {(start, end) for start, end, _ in there}
        for start, end, kind in there:
            where = BOUNDARIES if _overlaps((start, end), found) else MISSED
            counts[kind, guesses.get((start, end), where)] += 1
        for start, end, kind in found:
            if (start, end) not in known:
                lead = BOUNDARIES if _overlaps((start, end), there) else SPURIOUS
                counts[lead, kind] += 1
    return counts


def _overlaps(place: tuple[int, int], others: Sequence[Span]) -> bool:
    """Whether a place shares a token with one of some spans, which are in order and disjoint."""
    after = bisect_left(others, (place[1],))  # the first span that starts behind the place
    return after > 0 and others[after - 1][1] > place[0]


def confusion_section(study: Study, pen: Pen, methods: Sequence[str], library: Library) -> Section:
    """Matrices of both methods for each task, added up over the seeds."""
    section = Section("confusion", "Confusion of entity types")
    problems: dict[str, None] = {}
    for corpus in study.corpora():
        for fraction in study.fractions:
            for task in study.tasks:
                place = (corpus, fraction, task)
                found = {m: _of_method(study, m, place, library, problems) for m in methods}
                found = {method: counts for method, counts in found.items() if counts}
                if found:
                    _add(section, study, pen, found, place)
    if section.figures:
        section.notes.append(
            "Gold spans by row, predicted spans by column, added up over the seeds; colour is the "
            "share of the row. A span counts under a type where the boundaries are equal, under "
            f"{BOUNDARIES} where it overlaps one of the other side, and under {MISSED} where it "
            "meets none."
        )
        section.notes += [f"Left out: {problem}." for problem in problems]
    else:
        first = next(iter(problems), "no method was scored on a test corpus")
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        section.missing = f"no gold and predicted tags could be read: {first}{more}."
    return section


def _of_method(
    study: Study,
    method: str,
    place: tuple[str, float, str],
    library: Library,
    problems: dict[str, None],
) -> Confusions:
    """Add up a method's runs on one corpus of one task; notes what cannot be read."""
    corpus, fraction, task = place
    total: Confusions = Counter()
    for run in study.members(fraction, task):
        name = run.corpus(corpus)
        if run.method != method or name is None or name == DEV or study.row(run) is None:
            continue
        try:
            total += _of_run(run, name, library)
        except (LadtlError, ValueError) as error:
            problems.setdefault(str(error).split("\n")[0])
    return total


def _of_run(run: StudyRun, corpus: str, library: Library) -> Confusions:
    gold, predicted = read_tagged_pair(run.run, corpus, library)
    truth, guess = ([sentence.tags or () for sentence in side] for side in (gold, predicted))
    return count_confusions(truth, guess, gold.scheme)


def _add(
    section: Section,
    study: Study,
    pen: Pen,
    found: dict[str, Confusions],
    place: tuple[str, float, str],
) -> None:
    corpus, fraction, task = place
    where, share = on_corpus(corpus), study.of_target(fraction)
    name = f"confusion-{len(section.figures) + 1}"
    kinds = _kinds(found.values())
    rows, columns = [*kinds, BOUNDARIES, SPURIOUS], [*kinds, BOUNDARIES, MISSED]
    panels = []
    for number, (method, counts) in enumerate(found.items(), 1):
        matrix = np.zeros((len(rows), len(columns)), dtype=np.int64)
        for (gold, predicted), count in counts.items():
            matrix[_place(gold, rows), _place(predicted, columns)] += count
        panels.append(GridPanel(method, rows, columns, matrix))
        cells = [
            [Cell(row), *(Cell(str(count)) for count in line)]
            for row, line in zip(rows, matrix.tolist(), strict=True)
        ]
        caption = f"{task}{where}{share}: {method}"
        header = ["gold \\ predicted", *columns]
        section.tables.append(Table(f"{name}-{number}", caption, header, cells, folded=True))
    caption = f"{task}{where}{share}: {' and '.join(found)}."
    section.figures.append(grids(pen, name, caption, panels))


def _kinds(found: Iterable[Confusions]) -> list[str]:
    """Types in order; the most frequent ones where they are too many."""
    seen: Counter[str] = Counter()
    for counts in found:
        for pair, count in counts.items():
            for kind in set(pair) - {BOUNDARIES, MISSED}:
                seen[kind] += count
    kinds = sorted(seen, key=lambda kind: (-seen[kind], kind))
    return sorted(kinds) if len(kinds) <= MOST else [*sorted(kinds[:MOST]), OTHERS]


def _place(kind: str, kinds: list[str]) -> int:
    return kinds.index(kind if kind in kinds else OTHERS)
