"""``check_data``: whether a run's numbers could be wrong for reasons outside the mathematics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from typing import Any

from ladtl_np.audit.data.choices import choice_lines, label_lines
from ladtl_np.audit.data.distances import distance_lines
from ladtl_np.audit.data.evidence import Evidence, read_evidence
from ladtl_np.audit.data.files import file_lines
from ladtl_np.audit.data.leakage import (
    Shared,
    leakage_lines,
    overlap_table,
    shared_sentences,
)
from ladtl_np.audit.data.scores import score_lines
from ladtl_np.audit.data.vectors import vector_lines
from ladtl_np.audit.outcome import Audit, Line, Tell, steps_of
from ladtl_np.audit.run_files import Moved
from ladtl_np.pages.content import Cell, Table

__all__ = ["check_data"]

_NOTES = (
    "The run's files are read again, its scores are computed again, and its records are held "
    "against each other. What is neither right nor wrong is noted.",
)
_GENERATED = (
    "This run was trained on the synthetic demo corpus, which has no files: its corpora were "
    "generated anew."
)


def check_data(
    folder: str | PathLike[str],
    moved: Moved | None = None,
    *,
    vectors_texts: Sequence[str] = (),
    tell: Tell | None = None,
) -> Audit:
    """Hold a finished run against its files: hashes, scores, leakage, choices, labels, vectors.

    Parameters
    ----------
    folder
        Of the run.
    moved
        Where its files are now, if they are no more where its options say. A file that is not there
        is a failed line.
    vectors_texts
        Plain text that the word vectors were trained on, in which to look for the tests.
    tell
        Is told how far it is.

    Raises
    ------
    UsageError
        If it is no run folder, the run is not finished, or a text cannot be opened.
    DataError
        If its manifest is none, or a text is no text.
    """
    evidence = read_evidence(folder, moved)
    total = 1 + len(evidence.held)
    step = steps_of(tell, total)
    step()
    shared = shared_sentences(evidence)
    lines = list(_lines(evidence, shared, vectors_texts, step))
    lines += distance_lines(evidence, moved)
    if tell is not None:
        tell(total, total)
    return Audit(
        "data",
        "Data and scores",
        lines,
        [*_NOTES, *([_GENERATED] if evidence.generated else [])],
        [_corpus_table(evidence), overlap_table(shared)],
        numbers=_numbers(evidence, shared),
    )


def _lines(
    evidence: Evidence, shared: list[Shared], texts: Sequence[str], step: Callable[[], None]
) -> Iterator[Line]:
    yield from file_lines(evidence)
    yield from score_lines(evidence, step)
    yield from leakage_lines(evidence, shared)
    yield from choice_lines(evidence)
    yield from label_lines(evidence)
    yield from vector_lines(evidence, texts)


def _corpus_table(evidence: Evidence) -> Table:
    """The corpora with their sizes and full hashes."""
    rows = []
    for held in evidence.held:
        corpus = held.corpus
        sizes = (
            ("", "", "", "")
            if corpus is None
            else (
                *(f"{len(corpus):,}", f"{corpus.token_count:,}"),
                *(corpus.scheme, corpus.sha256 or "generated"),
            )
        )
        rows.append([Cell(cell) for cell in (held.role, held.name, *sizes)])
    header = ["role", "corpus", "sentences", "tokens", "scheme", "SHA-256"]
    return Table("data-corpora", "The run's corpora as they are now", header, rows, names=2)


def _numbers(evidence: Evidence, shared: list[Shared]) -> dict[str, Any]:
    """Plain values of what the tables round."""
    return {
        "corpora": [
            {
                "role": held.role,
                "name": held.name,
                "sha256": None if held.corpus is None else held.corpus.sha256,
                "told_sha256": None if held.told is None else held.told.sha256,
            }
            for held in evidence.held
        ],
        "overlaps": [
            {
                "scored": one.scored.name,
                "within": one.within.name,
                "sentences": one.sentences,
                "of": one.total,
                "long": one.long,
                "sampled": one.sampled,
            }
            for one in shared
        ],
    }
