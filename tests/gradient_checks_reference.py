"""Gradient checks of ladtl_np.reference: tiny shapes, all coordinates, random upstream gradient."""

from __future__ import annotations

import numpy as np
from gradient_check import LENGTHS, check_gradient, gradient_check

from ladtl_np.reference import (
    crf,
    embedding,
    linear,
    lstm,
    mmd,
    objective,
    parameter_transfer,
    sources,
)

D, H, M_TAGS, V = 3, 2, 3, 5
VARIANCES = (0.3, 1.0, 4.0)


def random_lstm(rng: np.random.Generator) -> lstm.LstmWeights:
    shapes = (D, 4 * H), (H, 4 * H), (4 * H,)
    return lstm.LstmWeights(*(rng.normal(size=shape) for shape in shapes))


@gradient_check("reference.linear.affine_backward")
def affine() -> None:
    rng = np.random.default_rng(1)
    for N in LENGTHS:
        X, W, b = rng.normal(size=(N, D)), rng.normal(size=(D, M_TAGS)), rng.normal(size=M_TAGS)
        dP = rng.normal(size=(N, M_TAGS))
        check_gradient(
            lambda X, W, b, dP=dP: np.vdot(dP, linear.affine_forward(X, W, b)),
            linear.affine_backward(dP, X, W),
            at=(X, W, b),
            names=("X", "W", "b"),
        )


@gradient_check("reference.embedding.embedding_backward")
def embedding_rows() -> None:
    rng = np.random.default_rng(2)
    for T in LENGTHS:
        rows = rng.integers(0, 2, size=T)  # two words only, so that they repeat
        table, dX = rng.normal(size=(V, D)), rng.normal(size=(T, D))
        for mask in (None, rng.choice([0.0, 2.0], size=(T, D), p=[0.3, 0.7])):
            check_gradient(
                lambda table, rows=rows, mask=mask, dX=dX: np.vdot(
                    dX, embedding.embedding_forward(rows, table, mask)
                ),
                [embedding.embedding_backward(dX, rows, table, mask)],
                at=[table],
            )


@gradient_check("reference.lstm.lstm_backward")
def one_direction() -> None:
    rng = np.random.default_rng(3)
    for T in LENGTHS:
        X, (W, U, b), dhidden = rng.normal(size=(T, D)), random_lstm(rng), rng.normal(size=(T, H))
        cache = lstm.lstm_forward(X, W, U, b)
        check_gradient(
            lambda X, W, U, b, dh=dhidden: np.vdot(dh, lstm.lstm_forward(X, W, U, b).hidden),
            lstm.lstm_backward(dhidden, cache, X, W, U),
            at=(X, W, U, b),
            names=("X", "W", "U", "b"),
        )


@gradient_check("reference.lstm.bilstm_backward")
def both_directions() -> None:
    rng = np.random.default_rng(4)
    for T in LENGTHS:
        X, dhidden = rng.normal(size=(T, D)), rng.normal(size=(T, 2 * H))
        forward, backward = random_lstm(rng), random_lstm(rng)

        def function(X, *weights, dhidden=dhidden):
            directions = lstm.LstmWeights(*weights[:3]), lstm.LstmWeights(*weights[3:])
            return np.vdot(dhidden, lstm.bilstm_forward(X, *directions)[0])

        _, caches = lstm.bilstm_forward(X, forward, backward)
        dX, dforward, dbackward = lstm.bilstm_backward(dhidden, caches, X, forward, backward)
        check_gradient(
            function,
            [dX, *dforward, *dbackward],
            at=[X, *forward, *backward],
            names=["X", *(f"{d}.{part}" for d in ("forward", "backward") for part in "WUb")],
        )


@gradient_check("reference.crf.nll_backward")
def negative_log_likelihood() -> None:
    rng = np.random.default_rng(5)
    for T in LENGTHS:
        E, A = rng.normal(size=(T, M_TAGS)), rng.normal(size=(M_TAGS, M_TAGS))
        tags, dnll = rng.integers(0, M_TAGS, size=T), rng.normal()
        check_gradient(
            lambda E, A, tags=tags, dnll=dnll: dnll * crf.nll_forward(E, A, tags),
            crf.nll_backward(dnll, E, A, tags),
            at=(E, A),
            names=("E", "A"),
        )


@gradient_check("reference.mmd.mean_kernel_backward")
def mean_kernel() -> None:
    rng = np.random.default_rng(6)
    for S, R in ((1, 1), (2, 4), (4, 1)):
        X, Z, dmean = rng.normal(size=(S, D)), rng.normal(size=(R, D)), rng.normal()
        check_gradient(
            lambda X, Z, d=dmean: d * mmd.mean_kernel_forward(X, Z, VARIANCES),
            mmd.mean_kernel_backward(dmean, X, Z, VARIANCES),
            at=(X, Z),
            names=("X", "Z"),
        )


@gradient_check("reference.mmd.mmd_backward")
def squared_mmd() -> None:
    rng = np.random.default_rng(7)
    for S, R in ((1, 1), (2, 4), (4, 1)):
        X, Z, dmmd = rng.normal(size=(S, D)), 1 + rng.normal(size=(R, D)), rng.normal()
        check_gradient(
            lambda X, Z, d=dmmd: d * mmd.mmd_forward(X, Z, VARIANCES),
            mmd.mmd_backward(dmmd, X, Z, VARIANCES),
            at=(X, Z),
            names=("X", "Z"),
        )
    # A Gaussian as narrow as the released code's narrowest, between rows as near as it can see.
    X, Z = 1e-3 * rng.normal(size=(3, D)), 1e-3 * rng.normal(size=(2, D))
    check_gradient(
        lambda X, Z: mmd.mmd_forward(X, Z, (1e-6,)),
        mmd.mmd_backward(1.0, X, Z, (1e-6,)),
        at=(X, Z),
        step=1e-7,
        atol=1e-8,
    )


@gradient_check("reference.mmd.label_aware_mmd_backward")
def label_aware_mmd() -> None:
    rng = np.random.default_rng(8)
    # Tag 0 in both halves, tag 1 only in the source, tag 2 nowhere, tag 3 unmatched.
    tags_s, tags_t = np.array([0, 1, 0, 3, 4]), np.array([4, 0, 0, 3])
    pairs = np.array([0, 1, 2, 4]), np.array([0, 1, 2, 4])
    mu, dtotal = (0.5, 1.0, 1.0, 2.0), rng.normal()
    H_s, H_t = rng.normal(size=(5, D)), 1 + rng.normal(size=(4, D))

    def function(H_s, H_t):
        value, _ = mmd.label_aware_mmd_forward(H_s, tags_s, H_t, tags_t, pairs, VARIANCES, mu)
        return dtotal * value

    check_gradient(
        function,
        mmd.label_aware_mmd_backward(dtotal, H_s, tags_s, H_t, tags_t, pairs, VARIANCES, mu),
        at=(H_s, H_t),
        names=("H_source", "H_target"),
    )


@gradient_check("reference.parameter_transfer.parameter_transfer_backward")
def transfer_of_parameters() -> None:
    rng = np.random.default_rng(9)
    shapes = (4, 3), (3, 3), (3,), (4, 4), (4, 4), (4,)
    at = [rng.normal(size=shape) for shape in shapes]
    # The second map sends two source tags to one target tag.
    for pairs in ((np.array([0, 2]), np.array([3, 1])), (np.array([0, 2]), np.array([1, 1]))):
        d = rng.normal()

        def function(*at, d=d, pairs=pairs):
            heads = parameter_transfer.CrfWeights(*at[:3]), parameter_transfer.CrfWeights(*at[3:])
            return d * parameter_transfer.parameter_transfer_forward(*heads, pairs)

        heads = parameter_transfer.CrfWeights(*at[:3]), parameter_transfer.CrfWeights(*at[3:])
        dsource, dtarget = parameter_transfer.parameter_transfer_backward(d, *heads, pairs)
        names = [f"{domain}.{part}" for domain in ("source", "target") for part in "WAb"]
        check_gradient(function, [*dsource, *dtarget], at, names=names)


@gradient_check("reference.parameter_transfer.regulariser_backward")
def regulariser() -> None:
    rng = np.random.default_rng(10)
    for shape in ((3,), (2, 4)):
        P, d = rng.normal(size=shape), rng.normal()
        check_gradient(
            lambda P, d=d: d * parameter_transfer.regulariser_forward(P),
            [parameter_transfer.regulariser_backward(d, P)],
            at=[P],
        )


def random_parameters(
    rng: np.random.Generator,
    *,
    words: int = V,
    embedding: int = D,
    hidden: int = H,
    source_tags: int = M_TAGS,
    target_tags: int = M_TAGS + 1,
    bias: bool = True,
    scale: float = 0.7,
) -> dict[str, np.ndarray]:
    """Parameters of a whole model under the names of `objective_forward_backward`."""
    shapes: dict[str, tuple[int, ...]] = {"word_embedding": (words, embedding)}
    for direction in ("forward", "backward"):
        shapes[f"{direction}.W"] = (embedding, 4 * hidden)
        shapes[f"{direction}.U"] = (hidden, 4 * hidden)
        shapes[f"{direction}.b"] = (4 * hidden,)
    for domain, m in (("source", source_tags), ("target", target_tags)):
        shapes[f"{domain}_crf.W"] = (2 * hidden, m)
        shapes[f"{domain}_crf.A"] = (m, m)
        if bias:
            shapes[f"{domain}_crf.b"] = (m,)
    return {name: scale * rng.normal(size=shape) for name, shape in shapes.items()}


def random_sentences(
    rng: np.random.Generator, lengths: tuple[int, ...], words: int, tags: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(rng.integers(0, words, size=T), rng.integers(0, tags, size=T)) for T in lengths]


@gradient_check("reference.objective.objective_forward_backward")
def whole_objective() -> None:
    rng = np.random.default_rng(11)
    settings = {
        "weights": objective.ObjectiveWeights(0.3, 0.7, 0.2, 0.1),
        "pairs": (np.array([0, 2]), np.array([1, 3])),
        "variances": VARIANCES,
    }
    transfer = {"label_weights": (1.0, 0.4)}
    vanilla = {"label_aware": False}
    for extra, bias, has_source in ((transfer, True, True), (vanilla, False, True), ({}, 0, False)):
        parameters = random_parameters(rng, bias=bool(bias), hidden=H)
        source = random_sentences(rng, LENGTHS, V, M_TAGS) if has_source else []
        target = random_sentences(rng, LENGTHS[::-1], V, M_TAGS + 1)
        masks = [rng.choice([0.0, 2.0], size=(T, D)) for T in LENGTHS[::-1]]
        options = {**settings, **extra, "target_masks": masks}
        names = list(parameters)

        def function(*values, names=names, source=source, target=target, options=options):
            parameters = dict(zip(names, values, strict=True))
            terms, _ = objective.objective_forward_backward(parameters, source, target, **options)
            return terms["total"]

        _, gradients = objective.objective_forward_backward(parameters, source, target, **options)
        check_gradient(
            function,
            [gradients[name] for name in names],
            at=[parameters[name] for name in names],
            names=names,
        )


@gradient_check("reference.sources.sources_forward_backward")
def objective_of_two_sources() -> None:
    rng = np.random.default_rng(13)
    parameters = random_parameters(rng, bias=True, hidden=H)
    for kind in "WAb":
        parameters[f"source2_crf.{kind}"] = rng.normal(size=parameters[f"source_crf.{kind}"].shape)
    names = list(parameters)
    pairs = (np.array([0, 2]), np.array([1, 3])), (np.array([1]), np.array([1]))
    sides = [
        sources.SourceSide(random_sentences(rng, LENGTHS, V, M_TAGS), tags, share, mu)
        for tags, share, mu in zip(pairs, (0.7, 0.3), (np.array([1.0, 0.4]), None), strict=True)
    ]
    target = random_sentences(rng, LENGTHS[::-1], V, M_TAGS + 1)
    options = {
        "weights": objective.ObjectiveWeights(0.3, 0.7, 0.2, 0.1),
        "variances": VARIANCES,
    }

    def function(*values):
        moved = dict(zip(names, values, strict=True))
        return sources.sources_forward_backward(moved, sides, target, **options)[0]["total"]

    _, gradients = sources.sources_forward_backward(parameters, sides, target, **options)
    check_gradient(
        function,
        [gradients[name] for name in names],
        at=[parameters[name] for name in names],
        names=names,
    )
