"""Terms in the form of the paper's Table 6: how often annotated, how often labelled right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import NamedTuple

from ladtl_np.corpus.labels import listed
from ladtl_np.corpus.sampling import sample
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DataError, LadtlError, UsageError
from ladtl_np.options.seeds import stream
from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.report.study import Study, StudyRun
from ladtl_np.report.tagged import Library, read_tagged_pair
from ladtl_np.report.term_counts import Place, TermIndex, places
from ladtl_np.report.term_list import Term
from ladtl_np.runs.manifest import DEV

__all__ = ["TermReader", "Wanted", "mean_text", "terms_section", "training_sentences"]

ALONE = "non-transfer"
MOST = 100
"""Rows up to which a table is shown unfolded."""

Counts = list[tuple[int, int]]
"""Of each term: entities, and other occurrences (training) or entities labelled right (test)."""
_Sample = tuple[int, float, int]
"""A corpus, and the share and the seed of what was drawn from it."""
Wanted = tuple[str, float]
"""A test corpus and a share of the target's training sentences."""


class _Tested(NamedTuple):
    """Counts of one task: a list for each sample, and for each run of a method."""

    source: list[Counts]
    target: list[Counts]
    tests: dict[str, list[Counts]]


@dataclass(slots=True)
class TermReader:
    """Counts the terms in corpora and predictions, in each corpus once."""

    library: Library
    terms: Sequence[Term]
    problems: dict[str, None] = field(default_factory=dict)
    uneven: dict[str, None] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)
    _known: dict[_Sample, Counts] = field(default_factory=dict)
    _gold: dict[object, list[list[Place]]] = field(default_factory=dict)
    _indices: dict[_Sample, TermIndex] = field(default_factory=dict)

    def training(self, run: StudyRun, role: str) -> tuple[_Sample, Counts]:
        """Count in what a run has learned from, and name it."""
        key, index = self._sampled(run, role)
        if key not in self._known:
            self._known[key] = [(len(found), more) for found, more in map(index.find, self.terms)]
        return key, self._known[key]

    def index(self, run: StudyRun, role: str) -> TermIndex:
        """What a run has learned from of one domain."""
        return self._sampled(run, role)[1]

    def _sampled(self, run: StudyRun, role: str) -> tuple[_Sample, TermIndex]:
        entry = next((e for e in run.run.manifest.data if e.role == role), None)
        if entry is None:
            raise UsageError(f"{run.run.folder}: its manifest names no {role} file")
        corpus = self.library.corpus(run.run, entry)
        key = (id(corpus), *_drawn(run, role))  # the library keeps every corpus
        if key not in self._indices:
            self._indices[key] = self._index(training_sentences(run, role, corpus))
        return key, self._indices[key]

    def tests(self, runs: Iterable[StudyRun], corpus: str) -> list[Counts]:
        """Count in a test corpus of each run, as far as it can be read."""
        found = []
        for run in runs:
            name = run.corpus(corpus)
            if name is None or name == DEV:
                continue
            try:
                found.append(self._test(run, name))
            except (LadtlError, ValueError) as error:
                self.note(error)
        return found

    def note(self, error: Exception) -> None:
        """Keep the first line of what cannot be read."""
        self.problems.setdefault(str(error).split("\n")[0])

    def _test(self, run: StudyRun, name: str) -> Counts:
        gold, predicted = read_tagged_pair(run.run, name, self.library)
        key = (gold.scheme, gold.sentences)
        if key not in self._gold:  # the runs of a task have one
            index = self._index(gold)
            self._gold[key] = [index.find(term)[0] for term in self.terms]
        right = places(predicted)
        return [(len(found), sum(e in right for e in found)) for found in self._gold[key]]

    def _index(self, corpus: Corpus) -> TermIndex:
        index = TermIndex(corpus)
        self.kinds |= index.kinds
        return index


def training_sentences(run: StudyRun, role: str, corpus: Corpus) -> Corpus:
    """Draw the sentences of a training file that a run has learned from once more.

    Raises
    ------
    UsageError
        If its options do not tell which ones they are.
    DataError
        If they are not as many as the run had.
    """
    share, seed = _drawn(run, role)
    chance = stream(seed, "source sample" if role == "source" else "target sample")
    drawn = corpus if share == 1 else sample(corpus, share, chance)
    used = run.run.manifest.target_sentences_used if role == "target" else 0
    if used not in (0, len(drawn)):
        raise DataError(f"{run.run.folder}: its {used} sentences of the target cannot be told")
    return drawn


def _drawn(run: StudyRun, role: str) -> tuple[float, int]:
    """Share and seed of a run's sample, as `preparation` takes them; seed 0 of whole files."""
    options = run.run.options
    share = float(options.get(f"data.{role}_fraction", run.fraction if role == "target" else 1))
    if share == 1:
        return share, 0
    if not {f"data.{role}_fraction", "seed"} <= options.keys():
        raise UsageError(f"{run.run.folder}: no config.toml tells which sentences it has drawn")
    seed = int(options.get("data.sample_seed", -1))
    return share, run.seed if seed < 0 else seed


def terms_section(
    study: Study, methods: Sequence[str], library: Library, terms: Sequence[Term]
) -> Section:
    """How often each term is one entity in each domain, and labelled right with and without.

    Parameters
    ----------
    study
        The runs.
    methods
        The first one that is not non-transfer is the one with transfer.
    library
        Where corpora come from.
    terms
        The user's list, the only text of the page.
    """
    section = Section("terms", "Terms")
    bases = {run.method: run.base for run in study.runs}
    ours = next((method for method in methods if bases[method] != ALONE), None)
    if ours is None:
        section.missing = "it wants the scores of a method with transfer, and there are none."
        return section
    alone = [method for method in (*methods, *study.methods) if bases[method] == ALONE]
    pair = [*alone[:1], ours]
    reader = TermReader(library, terms)
    for corpus, fraction, where in study.places():
        _add_table(section, study, pair, reader, (corpus, fraction), where)
    section.notes = _notes(reader, pair)
    if not section.tables:
        why = "; ".join([*reader.problems][:3])
        why = why or f"no one grid point of {' or '.join(pair)} was scored on a test corpus"
        section.missing, section.notes = f"the terms could not be counted: {why}.", []
    return section


def _add_table(
    section: Section,
    study: Study,
    pair: Sequence[str],
    reader: TermReader,
    wanted: Wanted,
    where: str,
) -> None:
    tested = {task: _of_task(study, task, pair, reader, wanted) for task in study.tasks}
    kinds = any(term.kind for term in reader.terms)
    rows = []
    for number, term in enumerate(reader.terms):
        for task, found in tested.items():
            if found is not None:
                lead = [term.text, *([term.kind or "–"] if kinds else []), task]
                rows.append([Cell(text) for text in (*lead, *_numbers(found, number, pair))])
    if not rows:
        return
    header = ["term", *(["type"] if kinds else []), "task", "source", "source: other", "target"]
    header += ["target: other", "test", *(f"right: {method}" for method in pair)]
    caption = (
        f"How often each term is one entity of the training and test data{where}, and "
        "labelled right: means over the seeds, with the least and the most where seeds differ"
    )
    name, folded = f"terms-{len(section.tables) + 1}", len(rows) > MOST
    section.tables.append(Table(name, caption, header, rows, 3 if kinds else 2, folded))


def _of_task(
    study: Study, task: str, pair: Sequence[str], reader: TermReader, wanted: Wanted
) -> _Tested | None:
    """Count for one task; None where it has no predictions, or its training data is not there."""
    corpus, fraction = wanted
    members = study.members(fraction, task)
    runs = {m: [run for run in members if study.row(run) == run.method == m] for m in pair}
    try:
        source = dict(reader.training(run, "source") for run in runs[pair[-1]])
        target = dict(reader.training(run, "target") for each in runs.values() for run in each)
    except (LadtlError, ValueError) as error:
        reader.note(error)
        return None
    tests = {method: reader.tests(runs[method], corpus) for method in pair}
    if not any(tests.values()):
        return None
    if len({len(found) for found in tests.values()}) > 1:
        numbers = ", ".join(f"{len(found)} of {method}" for method, found in tests.items())
        reader.uneven.setdefault(f"{task}: means over different numbers of runs, {numbers}.")
    return _Tested([*source.values()], [*target.values()], tests)


def _numbers(found: _Tested, term: int, pair: Sequence[str]) -> list[str]:
    """Cells of one term in one task."""
    cells = [
        mean_text([counts[term][side] for counts in samples])
        for samples in (found.source, found.target)
        for side in (0, 1)
    ]
    gold = [counts[term][0] for tests in found.tests.values() for counts in tests]
    right = [mean_text([counts[term][1] for counts in found.tests[method]]) for method in pair]
    return [*cells, mean_text(gold), *right]


def mean_text(values: Sequence[int]) -> str:
    """Write a mean, and the least and the most value where they differ.

    Examples
    --------
    >>> mean_text([3, 3]), mean_text([0, 3, 1]), mean_text([])
    ('3', '1.33 (0–3)', '–')
    """
    if not values:
        return "–"
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{fmean(values):.2f} ({low}–{high})"


def _notes(reader: TermReader, pair: Sequence[str]) -> list[str]:
    notes = [
        "The terms are those of the list that was given with --terms; no other text is shown. "
        "Source, target and test: an annotated entity is the term, no more and no less, and of the "
        "type in the list, if any. Other: its text is there, but split, within a longer entity, of "
        "another type, or without annotation. Right: a predicted entity of the test data has the "
        "boundaries and the type of the annotated one.",
        "Of the training data, those sentences count that a run has learned from.",
    ]
    if len(pair) == 1:
        notes.append(f"There is no run of {ALONE} to compare with.")
    unknown = sorted({term.kind for term in reader.terms} - reader.kinds - {""})
    if unknown:
        notes.append(f"No corpus has an entity of the type {listed(unknown)}; is it spelled so?")
    return [*notes, *reader.uneven, *(f"Left out: {problem}." for problem in reader.problems)]
