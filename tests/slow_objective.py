"""The loss of a mini-batch as docs/math states it, a sentence at a time, tags as strings.

Derivatives come from ``ladtl_np.reference``; what is put together from them stands here once more,
and so does what each method is. Nothing here knows packed batches, layers or the package's own
objective.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ladtl_np.reference.characters import characters_backward, characters_forward
from ladtl_np.reference.crf import nll_backward, nll_forward
from ladtl_np.reference.divergence import (
    divergence_backward,
    divergence_forward,
    divergence_source_backward,
)
from ladtl_np.reference.lstm import LstmWeights, bilstm_backward, bilstm_forward
from ladtl_np.reference.mmd import mmd_backward, mmd_forward
from ladtl_np.reference.projection import domain_mask

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Weights = dict[str, Array]

DIRECTIONS = ("forward", "backward")


class Meaning(NamedTuple):
    """What a method is, in the words of the papers that propose it."""

    uses_source: bool = True
    two_stages: bool = False
    shared_crf: bool = False
    projection: Literal["none", "linear", "mask"] = "none"
    weighs_sentences: bool = False
    mmd: Literal["none", "label", "all"] = "none"
    ties_crfs: bool = False


MEANINGS = {
    "non-transfer": Meaning(uses_source=False),
    "linear-projection": Meaning(shared_crf=True, projection="linear"),
    "domain-mask": Meaning(shared_crf=True, projection="mask"),
    "cd-learning": Meaning(shared_crf=True, weighs_sentences=True),
    "re-training": Meaning(two_stages=True),
    "joint-training": Meaning(),
    "la-mmd": Meaning(mmd="label"),
    "crf-l2": Meaning(ties_crfs=True),
    "mmd-crf-l2": Meaning(mmd="all", ties_crfs=True),
    "la-dtl": Meaning(mmd="label", ties_crfs=True),
}


class Read(NamedTuple):
    """A sentence of a mini-batch."""

    rows: Rows  # (T,) of the word table, 0 for unknown words
    spelling: list[Rows]  # of each token, rows of the character table; empty without characters
    tags: list[str]  # in the scheme inside, the types of its own domain
    weight: float = 1.0  # of its likelihood
    mask: Array | None = None  # (T, D + 2Hc)


class Loss(NamedTuple):
    """What the loss is made of, in one place: the options, in the words of docs/config.md."""

    source_tags: list[str]
    target_tags: list[str]
    partner: Mapping[str, str]  # source tag to the target tag that means the same
    meaning: Meaning
    source_share: float
    w_mmd: float
    w_param: float
    w_reg: float
    kernel: Sequence[float] | Literal["median"]
    excluded: Sequence[str]
    floor: float
    exact: bool  # the divergence in the place of L_p
    moves_source: bool  # whether the divergence moves the source's CRF too
    shared_fraction: float
    frozen: bool  # the learned maps stay as they start


class Encoded(NamedTuple):
    """A sentence after the encoder, and what its hidden states are sent back."""

    read: Read
    X: Array
    words: list[object]  # caches of the character BiLSTM
    states: object  # of the word BiLSTM
    H: Array
    dH: Array


def tags_of(types: Sequence[str], prefixes: str = "BIES") -> list[str]:
    """Every tag of a domain in the order of a model's columns."""
    return ["O", *(f"{prefix}-{kind}" for kind in sorted(types) for prefix in prefixes)]


def loss_and_gradients(
    weights: Weights, source: Sequence[Read], target: Sequence[Read], loss: Loss
) -> tuple[dict[str, float], Weights]:
    """Every term before its weight, and the gradient of their weighted sum."""
    grads = {name: np.zeros_like(array) for name, array in weights.items()}
    halves = {
        "source": [_encoded(weights, read) for read in source],
        "target": [_encoded(weights, read) for read in target],
    }
    shares = {"source": loss.source_share, "target": 1.0 - loss.source_share}
    nll = {d: _likelihood(weights, grads, halves[d], d, shares[d], loss) for d in halves}
    mmd = _mmd(halves, loss) if loss.meaning.mmd != "none" and loss.w_mmd else 0.0
    param = 0.0
    if loss.meaning.ties_crfs and loss.w_param and loss.exact:
        param = _divergence(weights, grads, halves, loss)
    elif loss.meaning.ties_crfs and loss.w_param:
        param = _distance(weights, grads, loss)
    for sentence in halves["source"] + halves["target"]:
        _through_encoder(weights, grads, sentence)
    reg = 0.0
    for name, array in weights.items():
        held = loss.frozen and name.endswith("projection.T")
        if held:
            grads[name][:] = 0.0
        elif not name.endswith("embedding") and loss.w_reg:
            reg += float((array**2).sum())
            grads[name] += 2.0 * loss.w_reg * array
    total = shares["source"] * nll["source"] + shares["target"] * nll["target"]
    total += loss.w_mmd * mmd + loss.w_param * param + loss.w_reg * reg
    terms = {"total": total, "source_nll": nll["source"], "target_nll": nll["target"]}
    return terms | {"mmd": mmd, "param": param, "reg": reg}, grads


def _direction(weights: Weights, name: str) -> LstmWeights:
    return LstmWeights(*(weights[f"{name}.{part}"] for part in "WUb"))


def _encoded(weights: Weights, read: Read) -> Encoded:
    X = weights["word_embedding"][read.rows]
    words: list[object] = []
    if read.spelling:
        table = weights["characters.embedding"]
        both = [_direction(weights, f"characters.{d}") for d in DIRECTIONS]
        spelled = [characters_forward(word, table, *both) for word in read.spelling]
        X = np.hstack([X, [final for final, _ in spelled]])
        words = [cache for _, cache in spelled]
    if read.mask is not None:
        X = X * read.mask
    both = [_direction(weights, d) for d in DIRECTIONS]
    H, states = bilstm_forward(X, *both)
    return Encoded(read, X, words, states, H, np.zeros_like(H))


def _through_encoder(weights: Weights, grads: Weights, sentence: Encoded) -> None:
    read, D = sentence.read, weights["word_embedding"].shape[1]
    both = [_direction(weights, d) for d in DIRECTIONS]
    dX, *found = bilstm_backward(sentence.dH, sentence.states, sentence.X, *both)
    _add_directions(grads, "", found)
    if read.mask is not None:
        dX = dX * read.mask
    for row, dx in zip(read.rows, dX, strict=True):
        grads["word_embedding"][row] += dx[:D]
    if not read.spelling:
        return
    table = weights["characters.embedding"]
    both = [_direction(weights, f"characters.{d}") for d in DIRECTIONS]
    for word, cache, dx in zip(read.spelling, sentence.words, dX, strict=True):
        dtable, *found = characters_backward(dx[D:], cache, word, table, *both)
        grads["characters.embedding"] += dtable
        _add_directions(grads, "characters.", found)


def _add_directions(grads: Weights, lead: str, found: Sequence[LstmWeights]) -> None:
    for direction, gradient in zip(DIRECTIONS, found, strict=True):
        for part in "WUb":
            grads[f"{lead}{direction}.{part}"] += getattr(gradient, part)


def _emissions(weights: Weights, H: Array, domain: str, loss: Loss) -> tuple[str, Array, Array]:
    """Name of the domain's CRF, what it reads, and its scores."""
    crf = "shared_crf" if loss.meaning.shared_crf else f"{domain}_crf"
    read = H
    if loss.meaning.projection == "linear":
        read = H @ weights[f"{domain}_projection.T"]
    if loss.meaning.projection == "mask":
        read = H * domain_mask(domain, H.shape[1] // 2, loss.shared_fraction)
    E = read @ weights[f"{crf}.W"]
    return crf, read, E + weights[f"{crf}.b"] if f"{crf}.b" in weights else E


def _back_through_emissions(
    weights: Weights, grads: Weights, dE: Array, sentence: Encoded, domain: str, loss: Loss
) -> None:
    crf, read, _ = _emissions(weights, sentence.H, domain, loss)
    grads[f"{crf}.W"] += read.T @ dE
    if f"{crf}.b" in weights:
        grads[f"{crf}.b"] += dE.sum(axis=0)
    dread = dE @ weights[f"{crf}.W"].T
    if loss.meaning.projection == "linear":
        grads[f"{domain}_projection.T"] += sentence.H.T @ dread
        dread = dread @ weights[f"{domain}_projection.T"].T
    if loss.meaning.projection == "mask":
        dread = dread * domain_mask(domain, dread.shape[1] // 2, loss.shared_fraction)
    sentence.dH[:] += dread


def _likelihood(
    weights: Weights,
    grads: Weights,
    half: Sequence[Encoded],
    domain: str,
    share: float,
    loss: Loss,
) -> float:
    total = 0.0
    for sentence in half:
        crf, _, E = _emissions(weights, sentence.H, domain, loss)
        A, gold = weights[f"{crf}.A"], sentence.read.tags
        if domain == "source" and not loss.meaning.shared_crf:
            y = np.array([loss.source_tags.index(tag) for tag in gold])
        else:
            same = loss.partner if domain == "source" else {tag: tag for tag in loss.target_tags}
            y = np.array([loss.target_tags.index(same[tag]) for tag in gold])
        total += sentence.read.weight * nll_forward(E, A, y)
        dE, dA = nll_backward(share * sentence.read.weight / len(half), E, A, y)
        grads[f"{crf}.A"] += dA
        _back_through_emissions(weights, grads, dE, sentence, domain, loss)
    return total / len(half) if half else 0.0


def _mmd(halves: Mapping[str, Sequence[Encoded]], loss: Loss) -> float:
    """Eq. (5), or Eq. (4) over all tokens; below the floor it counts as the floor, unmoved."""
    total = 0.0
    pairs = loss.partner.items() if loss.meaning.mmd == "label" else [(None, None)]
    for here, there in pairs:
        if here in loss.excluded:
            continue
        places = [_tokens(halves["source"], here), _tokens(halves["target"], there)]
        X, Z = (np.array([sentence.H[t] for sentence, t in side]) for side in places)
        if not len(X) or not len(Z):
            total += loss.floor
            continue
        variances = _median(X, Z) if loss.kernel == "median" else loss.kernel
        value = mmd_forward(X, Z, variances)
        total += max(value, loss.floor)
        if value > loss.floor:
            for side, rows in zip(places, mmd_backward(loss.w_mmd, X, Z, variances), strict=True):
                for (sentence, t), row in zip(side, rows, strict=True):
                    sentence.dH[t] += row
    return total


def _tokens(half: Sequence[Encoded], tag: str | None) -> list[tuple[Encoded, int]]:
    return [(s, t) for s in half for t, gold in enumerate(s.read.tags) if tag in (None, gold)]


def _median(X: Array, Z: Array) -> list[float]:
    """The median squared distance of all pairs of rows, times 1/4 to 4; docs/math/mmd.md (12)."""
    rows = [*X, *Z]
    pairs = [((u - v) ** 2).sum() for n, u in enumerate(rows) for v in rows[:n]]
    scale = float(np.median(pairs)) or 1.0
    return [factor * scale for factor in (0.25, 0.5, 1.0, 2.0, 4.0)]


def _distance(weights: Weights, grads: Weights, loss: Loss) -> float:
    """L_p of sec. 4.4, entry by entry over the tags that match."""
    s, t = _columns(loss)
    total = 0.0
    for part, source, target in (
        ("W", (slice(None), s), (slice(None), t)),
        ("A", np.ix_(s, s), np.ix_(t, t)),
        ("b", s, t),
    ):
        if f"source_crf.{part}" in weights:
            apart = weights[f"source_crf.{part}"][source] - weights[f"target_crf.{part}"][target]
            total += float((apart**2).sum())
            grads[f"source_crf.{part}"][source] += 2.0 * loss.w_param * apart
            grads[f"target_crf.{part}"][target] -= 2.0 * loss.w_param * apart
    return total


def _columns(loss: Loss) -> tuple[list[int], list[int]]:
    """Columns of the matched tags in either CRF."""
    s = [loss.source_tags.index(tag) for tag in loss.partner]
    return s, [loss.target_tags.index(tag) for tag in loss.partner.values()]


def _divergence(
    weights: Weights, grads: Weights, halves: Mapping[str, Sequence[Encoded]], loss: Loss
) -> float:
    """Mean of KL(p_s || p_t) over the batch's sentences, tags in the source's order."""
    s, t = _columns(loss)
    place = np.ix_(s, s), np.ix_(t, t)
    A_s, A_t = weights["source_crf.A"][place[0]], weights["target_crf.A"][place[1]]
    sentences = [*halves["source"], *halves["target"]]
    total = 0.0
    for sentence in sentences:
        both = [_emissions(weights, sentence.H, d, loss)[2] for d in ("source", "target")]
        given = (both[0][:, s], A_s, both[1][:, t], A_t)
        total += divergence_forward(*given)
        sides = [("target", t, place[1], divergence_backward)]
        if loss.moves_source:
            sides.append(("source", s, place[0], divergence_source_backward))
        for domain, columns, entries, backward in sides:
            dE, dA = backward(loss.w_param / len(sentences), *given)
            grads[f"{domain}_crf.A"][entries] += dA
            all_dE = np.zeros((len(dE), len(weights[f"{domain}_crf.A"])))
            all_dE[:, columns] = dE
            _back_through_emissions(weights, grads, all_dE, sentence, domain, loss)
    return total / len(sentences)
