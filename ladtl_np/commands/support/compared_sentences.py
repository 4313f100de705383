"""Sentence counts of two systems for ``ladtl compare --by sentence``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ladtl_np.commands.support.compared_runs import Pair
from ladtl_np.commands.support.formats import tell, warn
from ladtl_np.commands.support.tagged import read_predicted, require_same_tokens
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.inspection import illegal_places, inspect
from ladtl_np.corpus.schemes import spans, spans_to_tags
from ladtl_np.corpus.sentence import Corpus
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


def from_file(path: str, gold: Corpus, options: ReadOptions) -> Tagged:
    """Read a prediction file; its scheme is told as ``ladtl score`` does.

    Raises
    ------
    FindingsError
        If its sentences are not those of the gold.
    """
    predicted = read_predicted(path, options, gold.scheme)
    require_same_tokens(gold, predicted)
    tell(inspect(predicted, predicted=True))
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


def counts_of_files(first: Tagged, second: Tagged, reading: Semantics) -> tuple[Counts, Counts]:
    """Count the entities of each sentence, twice (S, 3).

    Raises
    ------
    DataError
        If the two were made from different gold tags.
    """
    _require_same_gold(first[0], second[0])
    one, other = (_counts(side, reading) for side in (first, second))
    return one, other


def counts_of_runs(
    pairs: Iterable[tuple[Pair, str]], reading: Semantics, gold: Corpus | None
) -> tuple[Counts, Counts]:
    """Count the entities of each sentence, added over the runs of a task; tasks follow each other.

    So a sentence is one unit however many seeds have tagged it.
    """
    import numpy as np

    kept: dict[str, tuple[Corpus, Counts, Counts]] = {}
    for pair, corpus in pairs:
        first, second = (from_run(run, corpus, gold) for run in (pair.first, pair.second))
        one, other = counts_of_files(first, second, reading)
        task = pair.task
        if task in kept:
            truth, sum_one, sum_other = kept[task]
            _require_same_gold(truth, first[0])
            kept[task] = truth, sum_one + one, sum_other + other
        else:
            kept[task] = first[0], one, other
    _, ones, others = zip(*kept.values(), strict=True)
    return np.concatenate(ones), np.concatenate(others)


def _counts(tagged: Tagged, reading: Semantics) -> Counts:
    """Count in the gold's scheme."""
    gold, predicted = tagged
    guesses = [sentence.tags or () for sentence in predicted]
    if predicted.scheme != gold.scheme:
        if reading == "strict" and illegal_places(predicted)[0]:
            warn(
                f"tags of {predicted.name} were converted from {predicted.scheme} to "
                f"{gold.scheme}: their illegal tags are read as conlleval reads them"
            )
        guesses = [
            spans_to_tags(spans(tags, predicted.scheme), len(tags), gold.scheme) for tags in guesses
        ]
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
