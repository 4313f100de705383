"""The whole loss of one mini-batch of two domains, sentence by sentence (sec. 4.2).

Every step composes a forward and a backward of this package; nothing is derived here but the
weights that flow back. The numbers in brackets are the equations of docs/math/objective.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ladtl_np.reference.crf import nll_backward, nll_forward
from ladtl_np.reference.embedding import embedding_backward, embedding_forward
from ladtl_np.reference.linear import affine_backward, affine_forward
from ladtl_np.reference.lstm import BilstmCache, LstmWeights, bilstm_backward, bilstm_forward
from ladtl_np.reference.mmd import (
    label_aware_mmd_backward,
    label_aware_mmd_forward,
    mmd_backward,
    mmd_forward,
)
from ladtl_np.reference.parameter_transfer import (
    CrfWeights,
    parameter_transfer_backward,
    parameter_transfer_forward,
    regulariser_backward,
    regulariser_forward,
)
from ladtl_np.reference.projection import (
    linear_projection_backward,
    linear_projection_forward,
    mask_backward,
    mask_forward,
)
from ladtl_np.shapes import Floats, Integers

__all__ = ["EncodedSentence", "ObjectiveWeights", "objective_forward_backward"]

Parameters = Mapping[str, Floats]
Gradients = dict[str, Floats]
Sentence = tuple[Integers, Integers] | tuple[Integers, Integers, float]
"""Word rows (T,), tag numbers (T,) and, where it is not 1, the weight of its likelihood."""


class ObjectiveWeights(NamedTuple):
    """Weights of the loss terms."""

    source_share: float  # epsilon of the paper
    w_mmd: float  # alpha
    w_param: float  # beta
    w_reg: float  # gamma


class EncodedSentence(NamedTuple):
    """One sentence after the encoder; valid for the parameters that encoded it."""

    rows: Integers  # (T,)    word rows
    tags: Integers  # (T,)    gold tags
    weight: float  # of its likelihood
    mask: Floats | None  # (T, D)  dropout
    X: Floats  # (T, D)
    caches: BilstmCache
    H: Floats  # (T, 2H)
    dH: Floats  # (T, 2H)  added to by every term that reads H


def objective_forward_backward(
    parameters: Parameters,
    source: Sequence[Sentence],
    target: Sequence[Sentence],
    *,
    weights: ObjectiveWeights,
    pairs: tuple[Integers, Integers],
    variances: Sequence[float],
    label_weights: Sequence[float] | Floats | None = None,
    label_aware: bool = True,
    source_masks: Sequence[Floats] | None = None,
    target_masks: Sequence[Floats] | None = None,
    domain_masks: tuple[Floats, Floats] | None = None,
) -> tuple[dict[str, float], Gradients]:
    """Loss terms of one mini-batch and the gradient of their weighted sum (sec. 4.2; (1)-(7)).

    Parameters
    ----------
    parameters
        ``word_embedding`` (V, D); ``forward.W`` (D, 4H), ``forward.U`` (H, 4H), ``forward.b``
        (4H,) and the same for ``backward``; ``source_crf.W`` (2H, m_s), ``source_crf.A``
        (m_s, m_s), optionally ``source_crf.b`` (m_s,) and the same for ``target_crf``. Without
        source sentences the source CRF may be left out. With ``shared_crf.*`` in their place both
        domains have one CRF; ``source_projection.T`` and ``target_projection.T`` (2H, 2H) are maps
        before it (docs/math/projection.md).
    source, target
        Sentences of either domain; may be empty.
    weights
    pairs : two of (M,)
        Matched tags: source numbers, target numbers.
    variances : Q numbers > 0
        Of the MMD's kernel; constants in the gradient.
    label_weights : (M,), optional
        ``mu_y`` of Eq. (5), by default 1.
    label_aware
        False: one MMD over all tokens of either half.
    source_masks, target_masks
        Dropout masks (T, D) for each sentence, already scaled.
    domain_masks
        Masks (2H,) of source and target before a shared CRF.

    Returns
    -------
    terms
        ``source_nll``, ``target_nll`` (means over sentences, 0 without sentences), ``mmd``,
        ``param``, ``reg``, all before their weights, and ``total``.
    gradients
        Of ``total``, under the names and in the shapes of ``parameters``.
    """
    share, w_mmd, w_param, w_reg = weights
    mu = np.ones(len(pairs[0])) if label_weights is None else np.asarray(label_weights)
    gradients = {name: np.zeros_like(p) for name, p in parameters.items()}
    source_half = _encode(parameters, source, source_masks)
    target_half = _encode(parameters, target, target_masks)

    # Each line computes a term, and adds its weighted gradient to the CRFs' and to dH.
    terms = {
        "source_nll": _mean_nll(share, gradients, parameters, "source", source_half, domain_masks),
        "target_nll": _mean_nll(
            1 - share, gradients, parameters, "target", target_half, domain_masks
        ),
        "mmd": _mmd(w_mmd, source_half, target_half, pairs, variances, mu, label_aware),
        "param": _parameter_transfer(w_param, gradients, parameters, pairs),
        "reg": _regulariser(w_reg, gradients, parameters),
    }
    # L = share NLL_s + (1 - share) NLL_t + w_mmd MMD + w_param L_p + w_reg L_r          (1)
    terms["total"] = (
        share * terms["source_nll"]
        + (1 - share) * terms["target_nll"]
        + w_mmd * terms["mmd"]
        + w_param * terms["param"]
        + w_reg * terms["reg"]
    )
    for sentence in source_half + target_half:
        _through_encoder(gradients, parameters, sentence)
    return terms, gradients


def _direction(parameters: Parameters, name: str) -> LstmWeights:
    return LstmWeights(*(parameters[f"{name}.{part}"] for part in LstmWeights._fields))


def _head(parameters: Parameters, crf: str) -> CrfWeights:
    return CrfWeights(parameters[f"{crf}.W"], parameters[f"{crf}.A"], parameters.get(f"{crf}.b"))


def _encode(
    parameters: Parameters,
    sentences: Sequence[Sentence],
    masks: Sequence[Floats] | None,
) -> list[EncodedSentence]:
    forward, backward = _direction(parameters, "forward"), _direction(parameters, "backward")
    encoded = []
    for number, (rows, tags, *weight) in enumerate(sentences):
        mask = None if masks is None else masks[number]
        X = embedding_forward(rows, parameters["word_embedding"], mask)
        H, caches = bilstm_forward(X, forward, backward)
        counts = weight[0] if weight else 1.0
        encoded.append(EncodedSentence(rows, tags, counts, mask, X, caches, H, np.zeros_like(H)))
    return encoded


def _through_encoder(
    gradients: Gradients, parameters: Parameters, sentence: EncodedSentence
) -> None:
    """Send ``dH`` of one sentence back through the shared encoder, (6)."""
    forward, backward = _direction(parameters, "forward"), _direction(parameters, "backward")
    dX, dforward, dbackward = bilstm_backward(
        sentence.dH, sentence.caches, sentence.X, forward, backward
    )
    for part in LstmWeights._fields:
        gradients[f"forward.{part}"] += getattr(dforward, part)
        gradients[f"backward.{part}"] += getattr(dbackward, part)
    gradients["word_embedding"] += embedding_backward(
        dX, sentence.rows, parameters["word_embedding"], sentence.mask
    )


def _mean_nll(
    share: float,
    gradients: Gradients,
    parameters: Parameters,
    domain: str,
    half: list[EncodedSentence],
    domain_masks: tuple[Floats, Floats] | None,
) -> float:
    """Weighted mean over the sentences, (2); each sends back ``share * weight / number``, (3)."""
    if not half:
        return 0.0
    crf = "shared_crf" if "shared_crf.W" in parameters else f"{domain}_crf"
    m = None if domain_masks is None else domain_masks[domain == "target"]
    W, A, b = _head(parameters, crf)
    total = 0.0
    for sentence in half:
        P = _project(sentence.H, parameters, domain, m)
        E = affine_forward(P, W, b)
        total += sentence.weight * nll_forward(E, A, sentence.tags)
        dE, dA = nll_backward(share * sentence.weight / len(half), E, A, sentence.tags)
        dP, dW, db = affine_backward(dE, P, W)
        sentence.dH[:] += _project_back(gradients, dP, sentence.H, parameters, domain, m)
        gradients[f"{crf}.A"] += dA
        gradients[f"{crf}.W"] += dW
        if b is not None:
            gradients[f"{crf}.b"] += db
    return total / len(half)


def _project(H: Floats, parameters: Parameters, domain: str, m: Floats | None) -> Floats:
    T = parameters.get(f"{domain}_projection.T")
    if T is not None:
        return linear_projection_forward(H, T)
    return H if m is None else mask_forward(H, m)


def _project_back(
    gradients: Gradients,
    dP: Floats,
    H: Floats,
    parameters: Parameters,
    domain: str,
    m: Floats | None,
) -> Floats:
    name = f"{domain}_projection.T"
    if name in parameters:
        dH, dT = linear_projection_backward(dP, H, parameters[name])
        gradients[name] += dT
        return dH
    return dP if m is None else mask_backward(dP, m)


def _mmd(
    w_mmd: float,
    source: list[EncodedSentence],
    target: list[EncodedSentence],
    pairs: tuple[Integers, Integers],
    variances: Sequence[float],
    mu: Floats,
    label_aware: bool,
) -> float:
    """Eq. (5), or Eq. (4) over all tokens; adds to ``dH`` of both halves, (4)."""
    if not source or not target:
        return 0.0
    H_s, H_t = (np.concatenate([sentence.H for sentence in half]) for half in (source, target))
    if label_aware:
        tags_s, tags_t = (np.concatenate([s.tags for s in half]) for half in (source, target))
        inputs = (H_s, tags_s, H_t, tags_t, pairs, variances, mu)
        value, _ = label_aware_mmd_forward(*inputs)
        dH_s, dH_t = label_aware_mmd_backward(w_mmd, *inputs)
    else:
        value = mmd_forward(H_s, H_t, variances)
        dH_s, dH_t = mmd_backward(w_mmd, H_s, H_t, variances)
    for half, dH in ((source, dH_s), (target, dH_t)):
        ends = np.cumsum([len(sentence.H) for sentence in half])
        for sentence, part in zip(half, np.split(dH, ends[:-1]), strict=True):
            sentence.dH[:] += part
    return value


def _parameter_transfer(
    w_param: float, gradients: Gradients, parameters: Parameters, pairs: tuple[Integers, Integers]
) -> float:
    """``L_p`` of sec. 4.4; 0 with a single CRF."""
    if not {"source_crf.W", "target_crf.W"} <= parameters.keys():
        return 0.0
    source, target = _head(parameters, "source_crf"), _head(parameters, "target_crf")
    dsource, dtarget = parameter_transfer_backward(w_param, source, target, pairs)
    for crf, added in (("source_crf", dsource), ("target_crf", dtarget)):
        for part, gradient in added._asdict().items():
            if gradient is not None:
                gradients[f"{crf}.{part}"] += gradient
    return parameter_transfer_forward(source, target, pairs)


def _regulariser(w_reg: float, gradients: Gradients, parameters: Parameters) -> float:
    """``L_r`` of sec. 4.2: every weight and bias of LSTMs and CRFs, no embeddings, (5)."""
    total = 0.0
    for name, parameter in parameters.items():
        if not name.endswith("embedding"):
            total += regulariser_forward(parameter)
            gradients[name] += regulariser_backward(w_reg, parameter)
    return total
