"""Both ways of counting entities side by side: conlleval and strict."""

from __future__ import annotations

from collections.abc import Iterable

from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.report.sections.results import summary_text
from ladtl_np.report.study import Study, StudyRun, on_corpus
from ladtl_np.scoring.significance import mean_and_interval

__all__ = ["readings_section"]


def readings_section(study: Study) -> Section:
    """Precision, recall and F1 of both readings, by task and method."""
    section = Section("scorers", "Both scorers")
    for corpus in study.corpora():
        rows: list[list[Cell]] = []
        for fraction in study.fractions:
            for task in study.tasks:
                runs = study.members(fraction, task)
                for row in study.rows(runs):
                    members = [r for r in runs if study.row(r) == row]
                    cells = _cells(members, corpus)
                    if cells:
                        share = [f"{fraction:g}"] if len(study.fractions) > 1 else []
                        rows.append([Cell(text) for text in (task, row, *share, *cells)])
        if rows:
            shares = ["share"] if len(study.fractions) > 1 else []
            header = ["task", "method", *shares, "runs", "precision", "recall", "F1"]
            header += ["F1 strict", "conlleval - strict", "illegal predicted tags"]
            where = on_corpus(corpus)
            caption = f"conlleval{where} in per cent, and F1 of the strict scorer beside it"
            name = f"scorers-{len(section.tables) + 1}"
            section.tables.append(Table(name, caption, header, rows, names=2))
    if section.tables:
        section.notes.append(
            "conlleval lets a tag that may not open an entity open one all the same; strict counts "
            "only entities whose tags are legal. Means ± deviation over the seeds; illegal tags "
            "are the mean number a run."
        )
    else:
        section.missing = "no run has finished, so there are no scores."
    return section


def _cells(runs: Iterable[StudyRun], corpus: str) -> list[str]:
    """Numbers of one row, nothing where no run has them."""
    found = [run.run.results[name] for run in runs if (name := run.corpus(corpus)) is not None]
    if not found:
        return []
    loose, strict = ([getattr(s, r).overall for s in found] for r in ("conlleval", "strict"))
    columns = [[100 * getattr(c, kind) for c in loose] for kind in ("precision", "recall", "f1")]
    columns.append([100 * counts.f1 for counts in strict])
    means = [mean_and_interval(column) for column in columns]
    apart = means[2].mean - means[3].mean
    illegal = sum(scores.illegal_predicted for scores in found) / len(found)
    return [str(len(found)), *map(summary_text, means), f"{apart:+.2f}", f"{illegal:g}"]
