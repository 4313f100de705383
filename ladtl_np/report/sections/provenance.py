"""Where the numbers come from: commands, versions, data."""

from __future__ import annotations

import shlex
from collections import Counter

from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.report.study import Study, point_text

__all__ = ["provenance_section"]


def provenance_section(study: Study) -> Section:
    """The exact command of each run, the versions it ran with, and the hashes of its data."""
    section = Section("provenance", "Commands, versions, data")
    unfinished = sum(not run.run.results for run in study.runs)
    if unfinished:
        section.notes.append(
            f"{unfinished} of {len(study.runs)} runs have no results: they are not finished."
        )
    if study.left_out:
        section.notes.append(
            "Left out, because another run has the same task, method, options and seed: "
            f"{', '.join(study.left_out)}."
        )
    tables = (_runs(study), _versions(study), _data(study), _vectors(study), _remarks(study))
    section.tables = [table for table in tables if table]
    return section


def _runs(study: Study) -> Table:
    rows = []
    for run in study.runs:
        manifest = run.run.manifest
        command = shlex.join(["ladtl", *manifest.command]) if manifest.command else "–"
        step = "–" if manifest.best_step is None else str(manifest.best_step)
        cells = [run.task, run.method, point_text(run.point) or "–", command]
        weights = ", ".join(f"{name} {value}" for name, value in manifest.weights.items())
        cells += [manifest.scheme or "–", manifest.start or "–", weights or "–"]
        cells += [f"{run.fraction:g}", str(run.seed), step]
        rows.append([Cell(cell) for cell in cells])
    header = ["task", "method", "grid point", "command", "tags inside", "start", "weights"]
    header += ["share", "seed", "best step"]
    return Table("runs", "Runs", header, rows, names=4, folded=True)


def _versions(study: Study) -> Table | None:
    counts: dict[tuple[str, str], int] = {}
    for run in study.runs:
        manifest = run.run.manifest
        for name, value in (manifest.versions | manifest.machine).items():
            counts[name, str(value)] = counts.get((name, str(value)), 0) + 1
    rows = [[Cell(n), Cell(v), Cell(str(count))] for (n, v), count in sorted(counts.items())]
    return Table("versions", "Versions", ["what", "version", "runs"], rows, 2) if rows else None


def _data(study: Study) -> Table | None:
    found: dict[tuple[str, ...], list[Cell]] = {}
    for run in study.runs:
        for entry in run.run.manifest.data:
            lead = (entry.name, entry.role, entry.scheme, entry.sha256)
            if lead not in found:
                numbers = (str(entry.sentences), str(entry.tokens))
                found[lead] = [Cell(text) for text in (*lead, *numbers)]
    header = ["file", "role", "scheme", "SHA-256", "sentences", "tokens"]
    rows = [found[key] for key in sorted(found)]
    return Table("data", "Data", header, rows, names=4, folded=len(rows) > 12) if rows else None


def _vectors(study: Study) -> Table | None:
    """Files of word vectors, and how many of each corpus's words and tokens have one."""
    found: dict[tuple[str, ...], list[Cell]] = {}
    for run in study.runs:
        used = run.run.manifest.vectors
        if used is None:
            continue
        for split in used.coverage:
            file, tokens = used.file, split.tokens
            sizes = (str(file.rows), str(file.dimension), str(used.added))
            lead = (file.name, file.sha256, *sizes, split.role, split.name)
            ways = (tokens.found, tokens.exact, tokens.lower, tokens.zeros, tokens.known)
            numbers = (split.words.share(split.words.found), *map(tokens.share, ways))
            found.setdefault((*lead, *numbers), [Cell(text) for text in (*lead, *numbers)])
    header = ["vectors", "SHA-256", "words", "values", "added", "role", "corpus", "words found"]
    header += ["tokens found", "exact", "lower case", "digits as 0", "known"]
    rows = [found[key] for key in sorted(found)]
    caption = "Word vectors, and the words and tokens of each corpus that have one"
    return Table("vectors", caption, header, rows, names=7, folded=len(rows) > 12) if rows else None


def _remarks(study: Study) -> Table | None:
    """What the runs were told of their corpora and of their training, with how many runs."""
    counts: Counter[tuple[str, ...]] = Counter()
    for run in study.runs:
        told = dict.fromkeys((r.corpus, r.what, r.cure or "–") for r in run.run.manifest.remarks)
        counts.update(told.keys())
    header = ["corpus", "remark", "what to do", "runs"]
    rows = [[*map(Cell, key), Cell(str(count))] for key, count in sorted(counts.items())]
    caption = "What the runs were told"
    return Table("remarks", caption, header, rows, names=3, folded=len(rows) > 12) if rows else None
