"""Terms that the domains annotate differently, as in the paper's Table 6, found by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import NamedTuple

from ladtl_np.errors import LadtlError
from ladtl_np.pages.content import Cell, Section, Table
from ladtl_np.report.sections.terms import TermReader, Wanted, mean_text
from ladtl_np.report.study import Study, StudyRun
from ladtl_np.report.tagged import Library, read_tagged_pair
from ladtl_np.report.term_counts import TermIndex, Ways
from ladtl_np.report.term_differences import WAYS, Differing, differing_terms, otherwise
from ladtl_np.report.term_list import Term
from ladtl_np.runs.manifest import DEV

__all__ = ["differing_section"]

_ELSE = "as the target, or not at all"


class _Seed(NamedTuple):
    """What one run of each method made of a test corpus, and what the runs have learned from."""

    terms: dict[Term, Differing]
    source: TermIndex
    target: TermIndex


@dataclass(slots=True)
class _Found:
    """One task.

    Attributes
    ----------
    seeds
        Of each seed that both methods have.
    source
        How the source's training data annotate each term that is tagged differently, all seeds'
        together.
    """

    seeds: list[_Seed]
    source: dict[Term, Ways] = field(init=False)

    def __post_init__(self) -> None:
        differ = {t for seed in self.seeds for t, counts in seed.terms.items() if counts.differing}
        indices = {id(seed.source): seed.source for seed in self.seeds}.values()
        self.source = {
            term: Ways(*map(sum, zip(*(index.ways(term) for index in indices), strict=True)))
            for term in sorted(differ)
        }

    def of(self, term: Term) -> list[Differing]:
        """Counts of a term under each seed."""
        return [seed.terms.get(term, Differing()) for seed in self.seeds]


def differing_section(
    study: Study, methods: Sequence[str], library: Library, shown: int
) -> Section:
    """Find terms that the two methods tag differently and the source annotates otherwise.

    Parameters
    ----------
    study
        The runs.
    methods
        The two methods.
    library
        Where corpora come from.
    shown
        Terms of each task that are shown as they stand in the corpora; 0 for none.
    """
    section = Section("differing", "Terms that the domains annotate differently")
    if len(methods) < 2:
        section.missing = "it compares two methods, and there are no scores of two."
        return section
    reader, number = TermReader(library, ()), 0
    for corpus, fraction, where in study.places():
        found = {
            task: tested
            for task in study.tasks
            if (tested := _of_task(study, task, methods, reader, (corpus, fraction))) is not None
        }
        if found:
            counts = _counts_table(found, methods, where)
            terms = _terms_table(found, methods, where, shown)
            number += 1
            for name, table in (("differing", counts), ("differing-terms", terms)):
                if table.rows:
                    section.tables.append(replace(table, name=f"{name}-{number}"))
    section.notes = [*_notes(methods, shown), *(f"Left out: {each}." for each in reader.problems)]
    if not section.tables:
        why = "; ".join([*reader.problems][:3])
        why = why or f"no task has predictions of {' and '.join(methods)} with one seed"
        section.missing, section.notes = f"no terms could be compared: {why}.", []
    return section


def _of_task(
    study: Study, task: str, methods: Sequence[str], reader: TermReader, wanted: Wanted
) -> _Found | None:
    """Compare the two methods' runs seed by seed; None where there is nothing to compare."""
    corpus, fraction = wanted
    runs = [
        {
            run.seed: run
            for run in study.members(fraction, task)
            if study.row(run) == run.method == m
        }
        for m in methods
    ]
    seeds = []
    for seed in sorted(runs[0].keys() & runs[1].keys()):
        try:
            found = _of_seed(runs[0][seed], runs[1][seed], corpus, reader)
        except (LadtlError, ValueError) as error:
            reader.note(error)
            return None
        if found is not None:
            seeds.append(found)
    return _Found(seeds) if seeds else None


def _of_seed(first: StudyRun, second: StudyRun, corpus: str, reader: TermReader) -> _Seed | None:
    names = [run.corpus(corpus) for run in (first, second)]
    if None in names or DEV in names:
        return None
    with_source = first if any(e.role == "source" for e in first.run.manifest.data) else second
    source = reader.index(with_source, "source")
    target = reader.index(first, "target")
    (gold, one), (other_gold, other) = (
        read_tagged_pair(run.run, str(name), reader.library)
        for run, name in zip((first, second), names, strict=True)
    )
    if (gold.sentences, gold.scheme) != (other_gold.sentences, other_gold.scheme):
        raise ValueError(f"{first.task}: the two methods were scored on different test data")
    return _Seed(differing_terms(gold, one, other), source, target)


def _counts_table(found: dict[str, _Found], methods: Sequence[str], where: str) -> Table:
    """The table of counts, which holds no text."""
    rows = []
    for task, tested in found.items():
        for way, name in ({**WAYS, "": _ELSE}).items():
            terms = [term for term, ways in tested.source.items() if otherwise(ways) == way]
            if terms:
                cells = [task, name, f"{len(terms):,}", *_sums(tested, terms)]
                rows.append([Cell(cell) for cell in cells])
    caption = (
        f"Entities of the test data{where} that the two methods tag differently, by how the "
        "source's training data annotate their terms: means over the seeds"
    )
    header = ["task", "in the source", "terms", "entities", *(f"right: {m}" for m in methods)]
    return Table("", caption, header, rows, names=2)


def _sums(tested: _Found, terms: Sequence[Term]) -> list[str]:
    """Entities of some terms that are tagged differently, and those that each method has right."""
    counts = [[seed.terms[term] for term in terms if term in seed.terms] for seed in tested.seeds]
    entities = [sum(each.differing for each in of_seed) for of_seed in counts]
    right = (
        [sum(each.right_differing[side] for each in of_seed) for of_seed in counts]
        for side in (0, 1)
    )
    return [mean_text(numbers) for numbers in (entities, *right)]


def _terms_table(found: dict[str, _Found], methods: Sequence[str], where: str, shown: int) -> Table:
    """The table of terms: the only text, where it is asked for."""
    rows = []
    for task, tested in found.items():
        terms = [term for term, ways in tested.source.items() if otherwise(ways)]
        for term in sorted(terms, key=lambda term: _rank(tested, term))[:shown]:
            rows.append([Cell(text) for text in (term.text, term.kind, task, *_row(tested, term))])
    header = ["term", "type", "task", *(f"source: {name}" for name in Ways._fields)]
    header += ["target: same", "target: otherwise", "test", *(f"right: {m}" for m in methods)]
    caption = (
        f"Terms of the test data{where} that the two methods tag differently and the source "
        "annotates otherwise, and how often each method has all their entities right: means over "
        "the seeds, with the least and the most where seeds differ"
    )
    return Table("", caption, header, rows, names=3)


def _rank(tested: _Found, term: Term) -> tuple[float, float, Term]:
    """The largest gain of either method first, then the most entities tagged differently."""
    counts = tested.of(term)
    gain = fmean(each.right[0] - each.right[1] for each in counts)
    return -abs(gain), -fmean(each.differing for each in counts), term


def _row(tested: _Found, term: Term) -> list[str]:
    counts = tested.of(term)
    source = [seed.source.ways(term) for seed in tested.seeds]
    target = [seed.target.ways(term) for seed in tested.seeds]
    columns = [*zip(*source, strict=True)]
    columns += [
        tuple(ways.same for ways in target),
        tuple(ways.longer + ways.split + ways.another for ways in target),
        tuple(each.entities for each in counts),
        *(tuple(each.right[side] for each in counts) for side in (0, 1)),
    ]
    return [mean_text(numbers) for numbers in columns]


def _notes(methods: Sequence[str], shown: int) -> list[str]:
    notes = [
        f"An entity of the test data counts where the spans that {methods[0]} and {methods[1]} tag "
        "over it are not the same. Its term is looked for in the training sentences of the source: "
        "within longer entities, in parts (entities overlap it and none holds the whole), or as "
        "one entity of another type. A term is annotated otherwise where these are more than the "
        "occurrences that are the entity itself; a type that the source does not have counts as "
        "any.",
    ]
    if shown:
        notes.append(
            f"The terms are text of the corpora, shown because --differing {shown} asks for them: "
            "at most so many of each task, those first where the methods differ most."
        )
    return notes
