"""Whether a model's probabilities hold on annotated data, and a temperature that makes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from ladtl_np.arrays.memory import Memory
from ladtl_np.arrays.packing import Packing, pack
from ladtl_np.corpus.schemes import Span, converted, spans
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.errors import DataError
from ladtl_np.layers.posterior import chain_of, posteriors
from ladtl_np.model.confidence import Sure
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.tag_names import spelling_of
from ladtl_np.options.calibration import By
from ladtl_np.scoring.calibration import Calibration, Judged, calibration
from ladtl_np.shapes import Floats, Integers

__all__ = ["BOUNDS", "Fitted", "calibrate", "fit_temperature"]

BOUNDS = (0.05, 20.0)
"""Least and largest temperature."""
TOLERANCE = 1e-4  # of the logarithm of the temperature


class Fitted(NamedTuple):
    """A temperature, and the negative log-likelihood for each token without it and with it."""

    temperature: float
    before: float
    after: float
    sentences: int
    left_out: int  # sentences with types that the model does not know


def calibrate(found: Sequence[Sure], corpus: Corpus) -> dict[str, Calibration]:
    """Hold the probabilities of the entities that were found against a corpus's own.

    Parameters
    ----------
    found
        What `predict_sure` says of each sentence.
    corpus
        Gold.

    Raises
    ------
    DataError
        If a sentence of the corpus has no tags.
    """
    gold = [spans(_tags(corpus, sentence), corpus.scheme) for sentence in corpus]
    pairs = zip(found, gold, strict=True)
    judged = [one for sure, there in pairs for one in _judged(sure, there)]
    return calibration(judged, Counter(kind for there in gold for _, _, kind in there))


def _judged(sure: Sure, gold: list[Span]) -> list[Judged]:
    there = set(gold)
    return [
        Judged(span[2], float(sure.tokens[span[0]]), span in there)
        for span in spans(sure.tags, "BIOES")
    ]


def _tags(corpus: Corpus, sentence: Sentence) -> tuple[str, ...]:
    if sentence.tags is None:
        raise DataError(f"{corpus.name}:{sentence.line}: no gold tags to compare with")
    return tuple(sentence.tags)


def fit_temperature(decoder: Decoder, corpus: Corpus, by: By = "path") -> Fitted:
    """Find the temperature with which a corpus's tags are most likely.

    Parameters
    ----------
    decoder
        Of the model, in BIOES or its own scheme alike; its own temperature does not count.
    corpus
        Development data.
    by
        See `options.calibration.By`.

    Raises
    ------
    DataError
        If a sentence has no tags, or none has only types that the model knows; or if the data tell
        no temperature.
    """
    tags, known = decoder.tags, []
    for sentence in corpus:
        names = converted(_tags(corpus, sentence), corpus.scheme, tags.scheme)
        if sentence.tokens and all(name in tags.index for name in names):
            known.append((sentence, np.array([tags.index[name] for name in names])))
    if not known:
        raise DataError(f"{corpus.name}: no sentence has only types that the model knows")
    scores = decoder.scores([sentence.tokens for sentence, _ in known])
    packing = pack(np.array([len(sentence) for sentence, _ in known]))
    E = np.empty((packing.tokens, len(tags)), scores[0].dtype)
    gold = np.empty(packing.tokens, np.int64)
    E[packing.rows] = np.concatenate(scores)
    gold[packing.rows] = np.concatenate([numbers for _, numbers in known])
    nll = _nll(decoder, E, gold, packing, by)
    found = minimize_scalar(
        lambda log_t: nll(float(np.exp(log_t))),
        bounds=np.log(BOUNDS),
        method="bounded",
        options={"xatol": TOLERANCE},
    )
    if min(map(nll, BOUNDS)) <= found.fun + TOLERANCE**2:
        raise DataError(
            f"{corpus.name}: its tags are likeliest at one of the bounds of the temperature, "
            f"{BOUNDS[0]:g} and {BOUNDS[1]:g}, as where a model is right throughout; give "
            "development data that it gets partly wrong"
        )
    temperature, before = float(np.exp(found.x)), nll(1.0)
    if not found.fun < before:
        temperature, found.fun = 1.0, before
    return Fitted(temperature, before, float(found.fun), len(known), len(corpus) - len(known))


def _nll(
    decoder: Decoder, E: Floats, gold: Integers, packing: Packing, by: By
) -> Callable[[float], float]:
    """The negative log-likelihood of a token, by the temperature."""
    A, spelling = decoder.transitions(), spelling_of(decoder.tags)
    memory, rows = Memory(), np.arange(gold.size)

    def nll(temperature: float) -> float:
        memory.reuse()
        chain, given = chain_of(A, *spelling, temperature), (gold, packing.offsets, memory.empty)
        told: Any = posteriors(E, chain, *given, unary=by == "token")
        with np.errstate(divide="ignore"):
            log_p = told.log_path if by == "path" else np.log(told.unary[rows, gold])
        return -float(log_p.sum()) / gold.size

    return nll
