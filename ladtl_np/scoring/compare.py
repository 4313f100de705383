"""Gold against predicted tags, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ladtl_np.corpus.schemes import SCHEMES, Span, illegal_positions, spans
from ladtl_np.errors import DataError
from ladtl_np.scoring.counts import Counts, Report, Scores

__all__ = ["SEMANTICS", "Semantics", "TagSequences", "score", "sentence_counts"]

Semantics = Literal["conlleval", "strict"]
SEMANTICS: tuple[Semantics, ...] = ("conlleval", "strict")
TagSequences = Sequence[Sequence[str]]
_Tally = dict[str, list[int]]  # gold, predicted and correct entities of each type


class _Reading(NamedTuple):
    """One tag sequence: its spans by semantics, and how many of its tags are illegal."""

    conlleval: set[Span]
    strict: set[Span]
    illegal: int


def score(gold: TagSequences, predicted: TagSequences, scheme: str) -> Scores:
    """Compare predicted tags with gold tags.

    Parameters
    ----------
    gold, predicted
        One tag sequence a sentence, in the same order.
    scheme
        Scheme of both: IOB1, IOB2, BIOES, BILOU, BMES or IO.

    Raises
    ------
    DataError
        If the numbers of sentences or the lengths of a sentence differ, or a tag does not belong
        to the scheme; names the sentence, counted from 1.
    ValueError
        If there is no such scheme.

    Examples
    --------
    >>> scores = score([["B-Drug", "I-Drug", "O"]], [["I-Drug", "I-Drug", "O"]], "IOB2")
    >>> scores.conlleval.overall.f1, scores.strict.overall.f1
    (1.0, 0.0)
    """
    tallies: dict[Semantics, _Tally] = {semantics: {} for semantics in SEMANTICS}
    sentences, illegal = 0, [0, 0]
    for truth, guess in _readings(gold, predicted, scheme):
        _add(tallies["conlleval"], truth.conlleval, guess.conlleval)
        _add(tallies["strict"], truth.strict, guess.strict)
        sentences += 1
        illegal[0] += truth.illegal
        illegal[1] += guess.illegal
    tokens = sum(map(len, gold))
    equal = sum(
        truth == guess
        for true_tags, tags in zip(gold, predicted, strict=True)
        for truth, guess in zip(true_tags, tags, strict=True)
    )
    return Scores(
        conlleval=_report(tallies["conlleval"]),
        strict=_report(tallies["strict"]),
        token_accuracy=equal / tokens if tokens else 0.0,
        sentences=sentences,
        tokens=tokens,
        illegal_gold=illegal[0],
        illegal_predicted=illegal[1],
    )


def sentence_counts(
    gold: TagSequences, predicted: TagSequences, scheme: str, semantics: Semantics = "conlleval"
) -> NDArray[np.int64]:
    """Count the entities of each sentence, as a paired test by sentence needs them.

    Parameters
    ----------
    gold, predicted, scheme
        As in `score`, with the same errors.
    semantics
        "conlleval" or "strict".

    Returns
    -------
    (n, 3) array
        Gold, predicted and correct entities of each of the n sentences.
    """
    if semantics not in SEMANTICS:
        raise ValueError(f"semantics must be one of {SEMANTICS}, got {semantics!r}")
    counts = np.zeros((len(gold), 3), dtype=np.int64)
    for row, (truth, guess) in enumerate(_readings(gold, predicted, scheme)):
        true_spans: set[Span] = getattr(truth, semantics)
        guessed: set[Span] = getattr(guess, semantics)
        counts[row] = len(true_spans), len(guessed), len(true_spans & guessed)
    return counts


def _readings(
    gold: TagSequences, predicted: TagSequences, scheme: str
) -> Iterator[tuple[_Reading, _Reading]]:
    """Read the sentences of both sides pair by pair, after checking that they fit together."""
    if scheme not in SCHEMES:
        raise ValueError(f"unknown tag scheme {scheme!r}; wanted one of {SCHEMES}")
    if len(gold) != len(predicted):
        raise DataError(
            f"{len(gold)} gold sentences but {len(predicted)} predicted ones; "
            "were the predictions made for another file?"
        )
    for number, (truth, guess) in enumerate(zip(gold, predicted, strict=True), start=1):
        if len(truth) != len(guess):
            raise DataError(
                f"sentence {number} has {len(truth)} gold tags but {len(guess)} predicted ones; "
                "were the predictions made for another file?"
            )
        yield _read(truth, scheme, number, "gold"), _read(guess, scheme, number, "predicted")


def _read(tags: Sequence[str], scheme: str, number: int, side: str) -> _Reading:
    try:
        found, illegal = spans(tags, scheme), illegal_positions(tags, scheme)
    except ValueError as error:
        raise DataError(f"{side} tags of sentence {number}: {error}") from error
    wrong = set(illegal)
    legal = [span for span in found if wrong.isdisjoint(range(span[0], span[1]))]
    return _Reading(set(found), set(legal), len(illegal))


def _add(tally: _Tally, truth: set[Span], guess: set[Span]) -> None:
    """Count a sentence's entities by type: gold, predicted, correct."""
    for column, found in enumerate((truth, guess, truth & guess)):
        for _, _, kind in found:
            tally.setdefault(kind, [0, 0, 0])[column] += 1


def _report(tally: _Tally) -> Report:
    """By type and overall."""
    totals = [sum(column) for column in zip(*tally.values(), strict=True)] or [0, 0, 0]
    return Report(Counts(*totals), {kind: Counts(*tally[kind]) for kind in sorted(tally)})
