"""Eq. (6) and sec. 4.4: the exact divergence of the two CRFs, and L_p."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ladtl_np.arrays.packing import Packing, pack
from ladtl_np.audit.chains import Chain, of_matched, one_sentence
from ladtl_np.audit.comparing import Comparisons
from ladtl_np.audit.equations.literal import literal_head
from ladtl_np.audit.equations.paths import Paths, longest
from ladtl_np.layers.divergence import divergence_forward
from ladtl_np.layers.parameter_transfer import parameter_transfer_forward
from ladtl_np.model.network import SOURCE, TARGET, Network
from ladtl_np.reference.divergence import divergence_forward as literal_divergence
from ladtl_np.reference.parameter_transfer import parameter_transfer_forward as literal_distance
from ladtl_np.shapes import Integers

__all__ = ["check_distance", "check_divergences"]

Pairs = Sequence[tuple[int, int]]


def check_distance(book: Comparisons, network: Network, matched: Pairs) -> float:
    """Compare L_p; tags are matched by name. Returns the reference's."""
    s, t = (np.array(side, np.int64) for side in zip(*matched, strict=True))
    source, target = (literal_head(network, head) for head in (SOURCE, TARGET))
    literal = literal_distance(source, target, (s, t))
    kernels = parameter_transfer_forward(network.weights, (s, t))
    book.add("L_p: layers against reference", kernels, literal, "")
    summed = sum(((source.W[:, i] - target.W[:, j]) ** 2).sum() for i, j in matched)
    for i, j in matched:
        summed += sum((source.A[i, k] - target.A[j, n]) ** 2 for k, n in matched)
        if source.b is not None and target.b is not None:
            summed += (source.b[i] - target.b[j]) ** 2
    book.add("L_p: reference against a sum over pairs of tags", literal, summed, "")
    return literal


def check_divergences(
    book: Comparisons,
    sentences: Sequence[tuple[str, Chain, Chain]],
    matched: tuple[Integers, Integers],
) -> list[tuple[float, float]]:
    """Compare KL(p_s || p_t) of every sentence, and their mean as a mini-batch computes it.

    Parameters
    ----------
    book
        Where comparisons go.
    sentences
        Name, and scores under the source's and the target's head.
    matched
        Tags that both chains keep.

    Returns
    -------
    list
        Of each sentence by the layers, and how far the reference is from it.
    """
    pairs = [
        (where, of_matched(source, matched[0]), of_matched(target, matched[1]))
        for where, source, target in sentences
    ]
    found, literal = [], []
    for where, p, q in pairs:
        value, _ = divergence_forward(*p, *q, one_sentence(len(p.E)))
        literal.append(literal_divergence(*p, *q))
        error = book.add("Eq. (6): KL, layers against reference", value, literal[-1], where)
        found.append((value, error))
    packing = pack(np.array([len(p.E) for _, p, _ in pairs]))
    p, q = (_packed(packing, side) for side in ([p for _, p, _ in pairs], [q for _, _, q in pairs]))
    mean, _ = divergence_forward(*p, *q, packing.offsets)
    check = "Eq. (6): mean KL of a mini-batch, layers against reference"
    book.add(check, mean, float(np.mean(literal)), f"{len(pairs)} sentences")
    _check_short(book, pairs, matched[0].size)
    return found


def _packed(packing: Packing, chains: Sequence[Chain]) -> Chain:
    E = np.empty((packing.tokens, chains[0].E.shape[1]))
    E[packing.rows] = np.concatenate([chain.E for chain in chains])
    return Chain(E, chains[0].A)


def _check_short(book: Comparisons, pairs: Sequence[tuple[str, Chain, Chain]], m: int) -> None:
    most = longest(m)
    for n, (where, p, q) in enumerate(pairs):
        count = min(len(p.E), most - n % most)
        p, q = Chain(p.E[:count], p.A), Chain(q.E[:count], q.A)
        where = f"{where}, first {count}"
        kernels, _ = divergence_forward(*p, *q, one_sentence(count))
        listed, by_entropy = Paths(*p).divergence(Paths(*q))
        book.add("Eq. (6): KL, layers against all paths", kernels, listed, where)
        literal = literal_divergence(*p, *q)
        book.add("Eq. (6): KL, reference against all paths", literal, listed, where)
        check = "Eq. (6): its two lines against each other, all paths"
        book.add(check, by_entropy, listed, where)
