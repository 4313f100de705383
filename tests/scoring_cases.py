"""Tag sequences for the scoring tests: random, legal, and pairs of gold and predicted."""

from __future__ import annotations

import random

from ladtl_np.corpus.schemes import PREFIXES, from_bioes, to_bioes

TYPES = ("PER", "LOC", "geo-loc")


def tag_list(scheme):
    return ["O", *(f"{prefix}-{kind}" for prefix in PREFIXES[scheme] for kind in TYPES)]


def random_tags(rng, scheme, length):
    """Tags of the scheme in any order, so mostly illegal, but with runs of one type."""
    tags = tag_list(scheme)
    sequence = [rng.choice(tags)]
    while len(sequence) < length:
        kind = sequence[-1][2:]
        near = ["O", *(f"{prefix}-{kind}" for prefix in PREFIXES[scheme])] if kind else tags
        sequence.append(rng.choice(near if rng.random() < 0.6 else tags))
    return sequence


def legal_tags(rng, scheme, length):
    return list(from_bioes(to_bioes(random_tags(rng, scheme, length), scheme), scheme))


def random_pair(seed, scheme, make, sentences=400):
    """Gold tags and predictions that repeat about half of the gold sentence's tags."""
    rng = random.Random(f"{seed}/{scheme}")
    gold, predicted = [], []
    for _ in range(sentences):
        length = rng.randint(1, 12)
        truth, guess = make(rng, scheme, length), make(rng, scheme, length)
        cut = rng.randint(0, length)
        mixed = truth[:cut] + guess[cut:]
        if make is legal_tags:
            mixed = list(from_bioes(to_bioes(mixed, scheme), scheme))
        gold.append(truth)
        predicted.append(mixed)
    return gold, predicted
