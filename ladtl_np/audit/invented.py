"""Small invented corpora of two domains, on which every part of the mathematics has work to do.

Sentences of one token and more, words of one letter and more, entities of every length, and types
that mean the same and have other names in another order.
"""

from __future__ import annotations

import numpy as np

from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.options.seeds import stream
from ladtl_np.training.prepared import Corpora

__all__ = ["invented_corpora"]

LETTERS = "abcde"
SHAPES = ("S", "BE", "BIE", "O")
TYPES = {"source": ("Drug", "Sign", "Test"), "target": ("Medicine", "Symptom", "Analysis")}
"""Types of the same place mean the same; sorted by name, each stands one place further."""
SENTENCES = 30


def invented_corpora(seed: int) -> tuple[Corpora, LabelMap]:
    """A corpus of each domain, and the label map between them."""
    rng = stream(seed, "audit")
    source, target = (_corpus(domain, types, rng) for domain, types in TYPES.items())
    return Corpora(source, target), LabelMap(dict(zip(*TYPES.values(), strict=True)))


def _corpus(name: str, types: tuple[str, ...], rng: np.random.Generator) -> Corpus:
    sentences = (_sentence(types, rng, number) for number in range(1, SENTENCES + 1))
    return Corpus(f"invented:{name}", tuple(sentences), "BIOES")


def _sentence(types: tuple[str, ...], rng: np.random.Generator, number: int) -> Sentence:
    tags: list[str] = []
    for _ in range(int(rng.integers(1, 4))):
        shape, kind = SHAPES[rng.integers(len(SHAPES))], types[rng.integers(len(types))]
        tags += [place if place == "O" else f"{place}-{kind}" for place in shape]
    return Sentence(tuple(_word(rng) for _ in tags), tuple(tags), number)


def _word(rng: np.random.Generator) -> str:
    return "".join(
        LETTERS[letter] for letter in rng.integers(len(LETTERS), size=rng.integers(1, 4))
    )
