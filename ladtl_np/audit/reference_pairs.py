"""Every backward function of `reference` on small shapes, by itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ladtl_np.audit.feature_pairs import FEATURE_PAIRS
from ladtl_np.audit.pairs import LENGTHS, Pair, Pairs
from ladtl_np.reference import (
    characters,
    crf,
    divergence,
    embedding,
    linear,
    lstm,
    mmd,
    parameter_transfer,
    projection,
)
from ladtl_np.reference.parameter_transfer import CrfWeights
from ladtl_np.shapes import Floats, Integers

__all__ = ["REFERENCE_PAIRS"]

D, H, M, V = 3, 2, 3, 5
VARIANCES = (0.3, 1.0, 4.0)
Rng = np.random.Generator


def _dot(upstream: Floats, output: Floats) -> float:
    return float(np.vdot(upstream, output))


def _affine(rng: Rng) -> list[Pair]:
    X, W, b = rng.normal(size=(4, D)), rng.normal(size=(D, M)), rng.normal(size=M)
    dP = rng.normal(size=(4, M))
    return [
        Pair(
            lambda X, W, b: _dot(dP, linear.affine_forward(X, W, b)),
            {"X": X, "W": W, "b": b},
            linear.affine_backward(dP, X, W),
        )
    ]


def _embedding(rng: Rng) -> list[Pair]:
    rows = rng.integers(0, 2, size=4)  # two words only, so that they repeat
    table, dX = rng.normal(size=(V, D)), rng.normal(size=(4, D))
    mask = rng.choice([0.0, 2.0], size=(4, D))
    return [
        Pair(
            lambda table, mask=mask: _dot(dX, embedding.embedding_forward(rows, table, mask)),
            {"table": table},
            (embedding.embedding_backward(dX, rows, table, mask),),
        )
        for mask in (None, mask)
    ]


def _lstm_weights(rng: Rng) -> lstm.LstmWeights:
    return lstm.LstmWeights(*(rng.normal(size=s) for s in ((D, 4 * H), (H, 4 * H), (4 * H,))))


def _lstm(rng: Rng) -> list[Pair]:
    pairs = []
    for T in LENGTHS:
        X, (W, U, b), dhidden = rng.normal(size=(T, D)), _lstm_weights(rng), rng.normal(size=(T, H))
        cache = lstm.lstm_forward(X, W, U, b)
        pairs.append(
            Pair(
                lambda X, W, U, b, d=dhidden: _dot(d, lstm.lstm_forward(X, W, U, b).hidden),
                {"X": X, "W": W, "U": U, "b": b},
                lstm.lstm_backward(dhidden, cache, X, W, U),
            )
        )
    return pairs


def _named(first: str, value: Floats, *directions: lstm.LstmWeights) -> dict[str, Floats]:
    parts = zip(("forward", "backward"), directions, strict=True)
    return {first: value} | {
        f"{name}.{part}": array for name, each in parts for part, array in each._asdict().items()
    }


def _bilstm(rng: Rng) -> list[Pair]:
    pairs = []
    for T in LENGTHS:
        X, dhidden = rng.normal(size=(T, D)), rng.normal(size=(T, 2 * H))
        both = _lstm_weights(rng), _lstm_weights(rng)

        def function(X: Floats, *w: Floats, d: Floats = dhidden) -> float:
            directions = lstm.LstmWeights(*w[:3]), lstm.LstmWeights(*w[3:])
            return _dot(d, lstm.bilstm_forward(X, *directions)[0])

        _, caches = lstm.bilstm_forward(X, *both)
        dX, dforward, dbackward = lstm.bilstm_backward(dhidden, caches, X, *both)
        pairs.append(Pair(function, _named("X", X, *both), (dX, *dforward, *dbackward)))
    return pairs


def _characters(rng: Rng) -> list[Pair]:
    pairs = []
    for length in LENGTHS:
        word, df = rng.integers(0, V, size=length), rng.normal(size=2 * H)
        table, both = rng.normal(size=(V, D)), (_lstm_weights(rng), _lstm_weights(rng))

        def function(table: Floats, *w: Floats, word: Integers = word, df: Floats = df) -> float:
            directions = lstm.LstmWeights(*w[:3]), lstm.LstmWeights(*w[3:])
            return _dot(df, characters.characters_forward(word, table, *directions)[0])

        _, cache = characters.characters_forward(word, table, *both)
        dtable, dforward, dbackward = characters.characters_backward(df, cache, word, table, *both)
        at = _named("table", table, *both)
        pairs.append(Pair(function, at, (dtable, *dforward, *dbackward)))
    return pairs


def _nll(rng: Rng) -> list[Pair]:
    pairs = []
    for T in LENGTHS:
        E, A, tags = rng.normal(size=(T, M)), rng.normal(size=(M, M)), rng.integers(0, M, size=T)
        dnll = float(rng.normal())
        pairs.append(
            Pair(
                lambda E, A, y=tags, d=dnll: d * crf.nll_forward(E, A, y),
                {"E": E, "A": A},
                crf.nll_backward(dnll, E, A, tags),
            )
        )
    return pairs


def _samples(
    forward: Callable[..., float], backward: Callable[..., tuple[Floats, Floats]]
) -> Callable[[Rng], list[Pair]]:
    def pairs(rng: Rng) -> list[Pair]:
        found = []
        for S, R in ((1, 1), (2, 4)):
            X, Z, d = rng.normal(size=(S, D)), 1.0 + rng.normal(size=(R, D)), float(rng.normal())
            found.append(
                Pair(
                    lambda X, Z, d=d: d * forward(X, Z, VARIANCES),
                    {"X": X, "Z": Z},
                    backward(d, X, Z, VARIANCES),
                )
            )
        return found

    return pairs


def _label_aware(rng: Rng) -> list[Pair]:
    # tag 0 in both halves, tag 1 only in the source, tag 2 nowhere, tag 3 unmatched, 4 as 5
    tags_s, tags_t = np.array([0, 1, 0, 3, 4]), np.array([5, 0, 0, 3])
    pairs, mu = (np.array([0, 1, 2, 4]), np.array([0, 1, 2, 5])), (0.5, 1.0, 1.0, 2.0)
    H_s, H_t, d = rng.normal(size=(5, D)), 1.0 + rng.normal(size=(4, D)), float(rng.normal())
    rest = pairs, VARIANCES, mu
    return [
        Pair(
            lambda X, Z: d * mmd.label_aware_mmd_forward(X, tags_s, Z, tags_t, *rest)[0],
            {"H_source": H_s, "H_target": H_t},
            mmd.label_aware_mmd_backward(d, H_s, tags_s, H_t, tags_t, *rest),
        )
    ]


def _heads(w: tuple[Floats, ...]) -> tuple[CrfWeights, CrfWeights]:
    return CrfWeights(*w[:3]), CrfWeights(*w[3:])


def _transfer(rng: Rng) -> list[Pair]:
    shapes = {"W": (4, 3), "A": (3, 3), "b": (3,)}, {"W": (4, 4), "A": (4, 4), "b": (4,)}
    at = {
        f"{domain}.{part}": rng.normal(size=shape)
        for domain, each in zip(("source", "target"), shapes, strict=True)
        for part, shape in each.items()
    }
    found = []
    # the second map sends two source tags to one target tag
    for pairs in ((np.array([0, 2]), np.array([3, 1])), (np.array([0, 2]), np.array([1, 1]))):
        d = float(rng.normal())

        def function(*w: Floats, d: float = d, pairs: tuple[Integers, Integers] = pairs) -> float:
            return d * parameter_transfer.parameter_transfer_forward(*_heads(w), pairs)

        source, target = _heads(tuple(at.values()))
        both = parameter_transfer.parameter_transfer_backward(d, source, target, pairs)
        gradients = tuple(array for part in both for array in part if array is not None)
        found.append(Pair(function, dict(at), gradients))
    return found


def _regulariser(rng: Rng) -> list[Pair]:
    P, d = rng.normal(size=(2, 4)), float(rng.normal())
    gradient = parameter_transfer.regulariser_backward(d, P)
    return [Pair(lambda P: d * parameter_transfer.regulariser_forward(P), {"P": P}, (gradient,))]


def _map(rng: Rng) -> list[Pair]:
    X, T, dP = rng.normal(size=(3, 2 * H)), rng.normal(size=(2 * H, 2 * H)), rng.normal(size=(3, 4))
    return [
        Pair(
            lambda X, T: _dot(dP, projection.linear_projection_forward(X, T)),
            {"H": X, "T": T},
            projection.linear_projection_backward(dP, X, T),
        )
    ]


def _mask(rng: Rng) -> list[Pair]:
    X, dP, m = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), np.array([1.0, 0.0, 1.0, 1.0])
    gradient = projection.mask_backward(dP, m)
    return [Pair(lambda X: _dot(dP, projection.mask_forward(X, m)), {"H": X}, (gradient,))]


def _divergence(rng: Rng, *, source: bool) -> list[Pair]:
    pairs = []
    for T in LENGTHS:
        E_s, E_t = rng.normal(size=(T, M)), rng.normal(size=(T, M))
        A_s, A_t, d = rng.normal(size=(M, M)), rng.normal(size=(M, M)), float(rng.normal())
        given = E_s, A_s, E_t, A_t
        if source:
            pairs.append(
                Pair(
                    lambda E, A, E_t=E_t, A_t=A_t, d=d: (
                        d * divergence.divergence_forward(E, A, E_t, A_t)
                    ),
                    {"E_s": E_s, "A_s": A_s},
                    divergence.divergence_source_backward(d, *given),
                )
            )
        else:
            pairs.append(
                Pair(
                    lambda E, A, E_s=E_s, A_s=A_s, d=d: (
                        d * divergence.divergence_forward(E_s, A_s, E, A)
                    ),
                    {"E_t": E_t, "A_t": A_t},
                    divergence.divergence_backward(d, *given),
                )
            )
    return pairs


REFERENCE_PAIRS: Pairs = {
    "linear.affine_backward": _affine,
    "embedding.embedding_backward": _embedding,
    "lstm.lstm_backward": _lstm,
    "lstm.bilstm_backward": _bilstm,
    "characters.characters_backward": _characters,
    "crf.nll_backward": _nll,
    "mmd.mean_kernel_backward": _samples(mmd.mean_kernel_forward, mmd.mean_kernel_backward),
    "mmd.mmd_backward": _samples(mmd.mmd_forward, mmd.mmd_backward),
    "mmd.label_aware_mmd_backward": _label_aware,
    **FEATURE_PAIRS,
    "parameter_transfer.parameter_transfer_backward": _transfer,
    "parameter_transfer.regulariser_backward": _regulariser,
    "projection.linear_projection_backward": _map,
    "projection.mask_backward": _mask,
    "divergence.divergence_backward": lambda rng: _divergence(rng, source=False),
    "divergence.divergence_source_backward": lambda rng: _divergence(rng, source=True),
}
"""Cases of every ``*_backward`` of `reference`, by module and name."""
