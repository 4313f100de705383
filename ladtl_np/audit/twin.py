"""The reference's loss on the sentences of an audit, with its gradients by the network's names.

`reference.objective` knows a word table. A network that reads characters is one, too: each distinct
word of the sentences is a row, its embedding beside its characters' final states, and the gradient
of that row goes on to both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np

from ladtl_np.arrays.packing import pack
from ladtl_np.audit.equations.literal import literal_mask
from ladtl_np.audit.sides import Case, Side, divergence_possible, two_crfs
from ladtl_np.model.network import CHARACTERS, EMBEDDING, TARGET, source_head
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.objective.terms import SourceTie
from ladtl_np.reference.characters import WordCache, characters_backward, characters_forward
from ladtl_np.reference.divergence import (
    divergence_backward,
    divergence_forward,
    divergence_source_backward,
)
from ladtl_np.reference.embedding import embedding_backward, embedding_forward
from ladtl_np.reference.linear import affine_backward, affine_forward
from ladtl_np.reference.lstm import LstmWeights, bilstm_backward, bilstm_forward
from ladtl_np.reference.objective import ObjectiveWeights
from ladtl_np.reference.sources import SourceSide, sources_forward_backward
from ladtl_np.shapes import Floats, Integers

__all__ = ["twin_side"]

Gradients = dict[str, Floats]

_NO_SOURCE = SourceSide((), (np.zeros(0, np.int64), np.zeros(0, np.int64)), 1.0)
ALONE = {
    "source_nll": ObjectiveWeights(1.0, 0.0, 0.0, 0.0),
    "target_nll": ObjectiveWeights(0.0, 0.0, 0.0, 0.0),
    "mmd": ObjectiveWeights(0.0, 1.0, 0.0, 0.0),
    "param": ObjectiveWeights(0.0, 0.0, 1.0, 0.0),
    "reg": ObjectiveWeights(0.0, 0.0, 0.0, 1.0),
}
"""Weights with which a term stands alone, but for the target's likelihood."""


def twin_side(case: Case, variances: Sequence[float]) -> Side:
    """What the reference computes, term by term; all pairs of samples have the same kernels."""
    twin = _Twin(case, tuple(variances))
    names = ["target_nll", "reg"]
    if case.source:
        names.append("source_nll")
        if len(case.objective.matched[0]):
            names += ["mmd", *(["param"] if two_crfs(case.network) else [])]
    kl = divergence_possible(case.network, case.objective)

    def values() -> Floats:
        terms, _ = twin.loss(ALONE["target_nll"])
        found = [terms[name] for name in names]
        return np.array([*found, twin.divergence(None)] if kl else found)

    _, base = twin.loss(ALONE["target_nll"])
    gradients = []
    for name in names:
        _, found = twin.loss(ALONE[name])
        if name not in ("source_nll", "target_nll"):
            found = {key: gradient - base[key] for key, gradient in found.items()}
        gradients.append(found)
    if kl:
        found = {name: np.zeros_like(array) for name, array in case.network.named().items()}
        twin.divergence(found)
        gradients.append(found)
    terms = (*names, "divergence") if kl else tuple(names)
    return Side("reference", case.network.named(), terms, values, tuple(gradients))


class _Twin:
    """The reference on one case; reads the network's parameters anew at each call."""

    def __init__(self, case: Case, variances: tuple[float, ...]) -> None:
        self.case, self.variances = case, variances
        sentences = [*case.source, *case.target]
        lengths = np.array([s.words.size for s in sentences])
        cuts = np.cumsum(lengths)[:-1]
        self.masks = np.split(case.mask[pack(lengths).rows], cuts)
        words = np.concatenate([s.words for s in sentences])
        written = np.concatenate([_spellings(s) for s in sentences])
        distinct, rows = np.unique(np.stack([words, written]), axis=1, return_inverse=True)
        self.words = distinct[0]
        self.written, self.spelling_of = np.unique(distinct[1], return_inverse=True)
        self.rows = np.split(rows.reshape(-1), cuts)

    def table(self) -> tuple[Floats, list[WordCache]]:
        """Inputs of each distinct word, and what `back` needs."""
        weights = self.case.network.named()
        table = weights[EMBEDDING][self.words]
        if self.case.spelled is None:
            return table, []
        found = [
            characters_forward(self.case.spelled[number], *self._characters())
            for number in self.written.tolist()
        ]
        final = np.stack([f for f, _ in found])
        return np.hstack([table, final[self.spelling_of]]), [cache for _, cache in found]

    def _characters(self) -> tuple[Floats, LstmWeights, LstmWeights]:
        weights = self.case.network.weights
        return (
            weights[f"{CHARACTERS}.embedding"],
            _direction(weights, f"{CHARACTERS}.forward"),
            _direction(weights, f"{CHARACTERS}.backward"),
        )

    def back(self, gradients: Gradients, dtable: Floats, caches: list[WordCache]) -> None:
        """Add what the rows of `table` receive to the words' and characters' gradients."""
        D = self.case.network.architecture.embedding
        np.add.at(gradients[EMBEDDING], self.words, dtable[:, :D])
        if self.case.spelled is None:
            return
        dfinal = np.zeros((len(caches), dtable.shape[1] - D))
        np.add.at(dfinal, self.spelling_of, dtable[:, D:])
        for df, cache, number in zip(dfinal, caches, self.written.tolist(), strict=True):
            word = self.case.spelled[number]
            dletters, *directions = characters_backward(df, cache, word, *self._characters())
            gradients[f"{CHARACTERS}.embedding"] += dletters
            for name, added in zip(("forward", "backward"), directions, strict=True):
                _add_direction(gradients, f"{CHARACTERS}.{name}", added)

    def loss(self, weights: ObjectiveWeights) -> tuple[dict[str, float], Gradients]:
        """Terms, and gradients of their weighted sum."""
        case = self.case
        table, caches = self.table()
        sentences = iter(
            [
                (rows, s.tags, s.weight)
                for rows, s in zip(self.rows, (*case.source, *case.target), strict=True)
            ]
        )
        dropout, ties = iter(self.masks), case.objective.ties if case.sources else ()
        pairs = zip(case.sources, ties, strict=True)
        sides = [
            SourceSide(
                list(islice(sentences, len(half))),
                tie.matched,
                tie.share,
                tie.label_weights,
                list(islice(dropout, len(half))),
                self._domain_masks(number),
            )
            for number, (half, tie) in enumerate(pairs)
        ]
        parameters = {**case.network.named(), EMBEDDING: table}
        terms, found = sources_forward_backward(
            parameters,
            sides or [_NO_SOURCE],
            list(sentences),
            weights=weights,
            variances=self.variances,
            label_aware=case.objective.label_aware,
            target_masks=list(dropout),
        )
        dtable = found.pop(EMBEDDING)
        found[EMBEDDING] = np.zeros_like(case.network.embedding)
        self.back(found, dtable, caches)
        return terms, found

    def _domain_masks(self, number: int) -> tuple[Floats, Floats] | None:
        """Masks before a shared CRF, of one source and of the target."""
        sizes = self.case.network.architecture
        if sizes.projection != "mask":
            return None
        return literal_mask(sizes, source_head(number)), literal_mask(sizes, TARGET)

    def divergence(self, gradients: Gradients | None) -> float:
        """KL(p_s || p_t) in the mean over all sentences; adds its gradients on both sides.

        Of several sources the mean by their shares.
        """
        return sum(
            tie.share * self._divergence(source_head(number), tie, gradients)
            for number, tie in enumerate(self.case.objective.ties)
        )

    def _divergence(self, crf: str, tie: SourceTie, gradients: Gradients | None) -> float:
        named, (source, target) = self.case.network.named(), tie.matched
        same = source[np.argsort(target)]
        forward, backward = _direction(named, "forward"), _direction(named, "backward")
        W_s, W_t = named[f"{crf}.W"][:, same], named["target_crf.W"]
        A_s, A_t = named[f"{crf}.A"][np.ix_(same, same)], named["target_crf.A"]
        b_s, b_t = named.get(f"{crf}.b"), named.get("target_crf.b")
        table, caches = self.table()
        dtable, value, share = np.zeros_like(table), 0.0, 1.0 / len(self.rows)
        for rows, mask in zip(self.rows, self.masks, strict=True):
            X = embedding_forward(rows, table, mask)
            H, states = bilstm_forward(X, forward, backward)
            scores = (
                affine_forward(H, W_s, None if b_s is None else b_s[same]),
                A_s,
                affine_forward(H, W_t, b_t),
                A_t,
            )
            value += share * divergence_forward(*scores)
            if gradients is None:
                continue
            dE_s, dA_s = divergence_source_backward(tie.share * share, *scores)
            dE_t, dA_t = divergence_backward(tie.share * share, *scores)
            dH_s, dW_s, db_s = affine_backward(dE_s, H, W_s)
            dH_t, dW_t, db_t = affine_backward(dE_t, H, W_t)
            gradients[f"{crf}.W"][:, same] += dW_s
            gradients[f"{crf}.A"][np.ix_(same, same)] += dA_s
            gradients["target_crf.W"] += dW_t
            gradients["target_crf.A"] += dA_t
            if b_s is not None:
                gradients[f"{crf}.b"][same] += db_s
                gradients["target_crf.b"] += db_t
            dX, *directions = bilstm_backward(dH_s + dH_t, states, X, forward, backward)
            for name, added in zip(("forward", "backward"), directions, strict=True):
                _add_direction(gradients, name, added)
            dtable += embedding_backward(dX, rows, table, mask)
        if gradients is not None:
            self.back(gradients, dtable, caches)
        return value


def _spellings(sentence: EncodedSentence) -> Integers:
    written = sentence.spellings
    return np.zeros_like(sentence.words) if written is None else written


def _direction(weights: Mapping[str, Floats], name: str) -> LstmWeights:
    return LstmWeights(*(weights[f"{name}.{part}"] for part in LstmWeights._fields))


def _add_direction(gradients: Gradients, name: str, added: LstmWeights) -> None:
    for part, gradient in added._asdict().items():
        gradients[f"{name}.{part}"] += gradient
