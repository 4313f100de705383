"""Sentence counts of two systems for ``ladtl compare --by sentence``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ladtl_np.commands.support.compared_runs import Pair
from ladtl_np.commands.support.tagged import in_scheme_of, read_predicted, require_same_tokens
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.inspection import inspect
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.tally import Remark
from ladtl_np.errors import DataError, UsageError
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.predictions import read_predictions
from ladtl_np.scoring import Semantics, sentence_counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

__all__ = ["Tagged", "counts_of_files", "counts_of_runs", "from_file", "from_run"]

Tagged = tuple[Corpus, Corpus]
"""Gold and predicted tags of the same sentences."""


def from_file(path: str, gold: Corpus, options: ReadOptions, remarks: list[Remark]) -> Tagged:
    """Read a prediction file; its scheme is told as ``ladtl score`` does.

    What stands out in it is added to `remarks`.

    Raises
    ------
    FindingsError
        If its sentences are not those of the gold.
    """
    predicted = read_predicted(path, options, gold.scheme)
    require_same_tokens(gold, predicted)
    remarks += inspect(predicted, predicted=True)
    return gold, predicted


def from_run(run: FoundRun, corpus: str, gold: Corpus | None) -> Tagged:
    """Read what a run predicted: token, gold tag where it had one, predicted tag.

    Raises
    ------
    UsageError
        If the run kept no predictions, or no gold tags and `gold` is None.
    """

    def given() -> Corpus:
        if gold is None:
            path = run.predictions(corpus)
            raise UsageError(f"{path} holds no gold tags; name their file with --gold")
        return gold

    truth, predicted = read_predictions(run, corpus, given)
    require_same_tokens(truth, predicted)
    return truth, predicted


def counts_of_files(
    first: Tagged, second: Tagged, reading: Semantics, remarks: list[Remark]
) -> tuple[Counts, Counts]:
    """Count the entities of each sentence, twice (S, 3); what was converted is in `remarks`.

    Raises
    ------
    DataError
        If the two were made from different gold tags.
    """
    _require_same_gold(first[0], second[0])
    one, other = (_counts(side, reading, remarks) for side in (first, second))
    return one, other


def counts_of_runs(
    pairs: Iterable[tuple[Pair, str]],
    reading: Semantics,
    gold: Corpus | None,
    remarks: list[Remark],
) -> tuple[Counts, Counts]:
    """Count the entities of each sentence, added over the runs of a task; tasks follow each other.

    So a sentence is one unit however many seeds have tagged it.
    """
    import numpy as np

    kept: dict[str, tuple[Corpus, Counts, Counts]] = {}
    for pair, corpus in pairs:
        first, second = (from_run(run, corpus, gold) for run in (pair.first, pair.second))
        one, other = counts_of_files(first, second, reading, remarks)
        task = pair.task
        if task in kept:
            truth, sum_one, sum_other = kept[task]
            _require_same_gold(truth, first[0])
            kept[task] = truth, sum_one + one, sum_other + other
        else:
            kept[task] = first[0], one, other
    _, ones, others = zip(*kept.values(), strict=True)
    return np.concatenate(ones), np.concatenate(others)


def _counts(tagged: Tagged, reading: Semantics, remarks: list[Remark]) -> Counts:
    """Count in the gold's scheme."""
    gold, predicted = tagged
    guesses, converted = in_scheme_of(gold, predicted)
    remarks += converted
    return sentence_counts([s.tags or () for s in gold], guesses, gold.scheme, reading)


def _require_same_gold(gold: Corpus, other: Corpus) -> None:
    if gold is other:
        return
    require_same_tokens(gold, other)
    for truth, tags in zip(gold, other, strict=True):
        if truth.tags != tags.tags:
            raise DataError(
                f"{other.name}:{tags.line}: other gold tags than {gold.name}:{truth.line} has; "
                "were the two systems tested on the same file?"
            )
