"""A learnable two-domain corpus of a few dozen sentences, and options that train it in a second."""

from __future__ import annotations

from typing import Any

import numpy as np

from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.options.config import Config, parse_config
from ladtl_np.training.preparation import Corpora

SMALL: dict[str, Any] = {
    "threads": 1,
    "model": {"embedding": 8, "hidden": 6, "dropout": 0.1},
    "training": {"steps": 40, "source_batch": 6, "target_batch": 4, "evaluate_every": 10},
}


def small_config(**changes: Any) -> Config:
    """The small options with some sections or values replaced."""
    table = {**SMALL}
    for key, value in changes.items():
        table[key] = {**table.get(key, {}), **value} if isinstance(value, dict) else value
    return parse_config(table)


def small_corpus(name: str, count: int, *, drugs: str, seed: int) -> Corpus:
    """Sentences in which a capital starts a drug of two characters and x is a sign."""
    rng = np.random.default_rng(seed)
    sentences = []
    for number in range(count):
        tokens: list[str] = []
        tags: list[str] = []
        for _ in range(int(rng.integers(1, 5))):
            kind = int(rng.integers(3))
            if kind == 0:
                tokens += [drugs[int(rng.integers(len(drugs)))], "z"]
                tags += ["B-Drug", "E-Drug"]
            elif kind == 1:
                tokens.append("x")
                tags.append("S-Sign")
            else:
                tokens.append("abc"[int(rng.integers(3))])
                tags.append("O")
        sentences.append(Sentence(tuple(tokens), tuple(tags), number))
    return Corpus(name, tuple(sentences), "BIOES")


def small_corpora() -> Corpora:
    """A source and a target that name other drugs."""
    return Corpora(
        small_corpus("source", 40, drugs="ABC", seed=1),
        small_corpus("target", 12, drugs="CDE", seed=2),
        small_corpus("dev", 15, drugs="CDE", seed=3),
        (small_corpus("test", 15, drugs="CDE", seed=4),),
    )
