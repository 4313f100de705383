"""Gradient checks of the character BiLSTM, all coordinates."""

from __future__ import annotations

import numpy as np
from gradient_check import LENGTHS, Array, check_gradient, gradient_check
from gradient_checks_kernels import what_is_added
from gradient_checks_layers import added_to

from ladtl_np.arrays.spelling import pack_spellings
from ladtl_np.arrays.workers import Workers
from ladtl_np.layers import characters
from ladtl_np.reference import characters as reference
from ladtl_np.reference.lstm import LstmWeights

C, DC, HC, D = 4, 3, 2, 3
PARTS = ("W", "U", "b")


def character_weights(rng: np.random.Generator) -> dict[str, Array]:
    shapes = {"W": (DC, 4 * HC), "U": (HC, 4 * HC), "b": (4 * HC,)}
    weights = {
        f"characters.{direction}.{part}": rng.normal(size=shape)
        for direction in ("forward", "backward")
        for part, shape in shapes.items()
    }
    return {**weights, "characters.embedding": rng.normal(size=(C, DC))}


@gradient_check("reference.characters.characters_backward")
def one_word() -> None:
    rng = np.random.default_rng(60)
    for length in LENGTHS:
        word, df = rng.integers(0, C, size=length), rng.normal(size=2 * HC)
        values = list(character_weights(rng).values())
        at = [values[-1], *values[:-1]]

        def function(table, *weights, word=word, df=df):
            directions = LstmWeights(*weights[:3]), LstmWeights(*weights[3:])
            return df @ reference.characters_forward(word, table, *directions)[0]

        inputs = word, at[0], LstmWeights(*at[1:4]), LstmWeights(*at[4:])
        _, cache = reference.characters_forward(*inputs)
        dtable, dforward, dbackward = reference.characters_backward(df, cache, *inputs)
        check_gradient(function, [dtable, *dforward, *dbackward], at)


@gradient_check("layers.characters.characters_backward")
def words_of_a_batch() -> None:
    rng = np.random.default_rng(61)
    for lengths in ((1,), (4,), LENGTHS, (2, 2, 2)):
        words = [rng.integers(0, C, size=length) for length in lengths]
        spellings = pack_spellings([*words, words[0]])  # a word that occurs twice
        weights, dF = character_weights(rng), rng.normal(size=(len(words) + 1, 2 * HC))
        _, cache = characters.characters_forward(spellings, weights, Workers())

        def backward(gradients, *, dF=dF, cache=cache, weights=weights):
            characters.characters_backward(gradients, dF, cache, weights, Workers())

        def function(*values, names=tuple(weights), dF=dF, spellings=spellings):
            moved = dict(zip(names, values, strict=True))
            return np.vdot(dF, characters.characters_forward(spellings, moved, Workers())[0])

        added = added_to(backward, weights, rng)
        check_gradient(function, list(added.values()), list(weights.values()), names=list(weights))


@gradient_check("layers.characters.join_backward")
def words_joined_to_their_embeddings() -> None:
    rng = np.random.default_rng(62)
    for N in LENGTHS:
        X, F, place = rng.normal(size=(N, D)), rng.normal(size=(3, 2 * HC)), np.arange(N) % 2
        djoined, dX = rng.normal(size=(N, D + 2 * HC)), []

        def backward(dF, *, place=place, djoined=djoined, dX=dX):
            dX.append(characters.join_backward(dF, djoined, place, D))

        check_gradient(
            lambda X, F, place=place, d=djoined: np.vdot(d, characters.join_forward(X, F, place)),
            [*what_is_added(backward, [F], rng), *dX][::-1],
            at=(X, F),
            names=("X", "F"),
        )
