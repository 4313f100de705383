"""The reference, sentence by sentence: hidden states and scores as the paper writes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ladtl_np.audit.chains import Chain
from ladtl_np.model.network import (
    CHARACTERS,
    EMBEDDING,
    Architecture,
    Network,
    projection_name,
    source_number,
)
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.reference.characters import characters_forward
from ladtl_np.reference.embedding import embedding_forward
from ladtl_np.reference.linear import affine_forward
from ladtl_np.reference.lstm import LstmWeights, bilstm_forward
from ladtl_np.reference.parameter_transfer import CrfWeights
from ladtl_np.reference.projection import domain_mask, linear_projection_forward, mask_forward
from ladtl_np.shapes import Floats, Integers

__all__ = ["literal_chain", "literal_head", "literal_hidden", "literal_word"]


def literal_hidden(
    network: Network,
    sentence: EncodedSentence,
    spelled: Sequence[Integers] | None,
    mask: Floats | None = None,
) -> Floats:
    """Hidden states (T, 2H) of one sentence, under a dropout mask (T, inputs) or without."""
    weights = network.named()
    X = embedding_forward(sentence.words, weights[EMBEDDING])
    if spelled is not None and sentence.spellings is not None:
        F = [literal_word(network, spelled[number]) for number in sentence.spellings.tolist()]
        X = np.concatenate([X, np.array(F)], axis=1)
    X = X if mask is None else X * mask
    H, _ = bilstm_forward(X, _direction(network, "forward"), _direction(network, "backward"))
    return H


def literal_word(network: Network, word: Integers) -> Floats:
    """Final states (2Hc,) of the character BiLSTM over a word's character rows (L,)."""
    table = network.weights[f"{CHARACTERS}.embedding"]
    both = [_direction(network, f"{CHARACTERS}.{name}") for name in ("forward", "backward")]
    return characters_forward(word, table, *both)[0]


def literal_head(network: Network, head: str) -> CrfWeights:
    """Parameters of the CRF that a head uses."""
    weights, crf = network.weights, network.architecture.crf_of(head)
    return CrfWeights(weights[f"{crf}.W"], weights[f"{crf}.A"], weights.get(f"{crf}.b"))


def literal_chain(network: Network, head: str, H: Floats, *, bias: bool = True) -> Chain:
    """Scores of one sentence under a head: projection, emissions, transitions."""
    sizes = network.architecture
    if sizes.projection == "linear":
        H = linear_projection_forward(H, network.weights[projection_name(head)])
    elif sizes.projection == "mask":
        H = mask_forward(H, literal_mask(sizes, head))
    W, A, b = literal_head(network, head)
    return Chain(affine_forward(H, W, b if bias else None), A)


def literal_mask(sizes: Architecture, head: str) -> Floats:
    """What of the hidden states (2H,) a head behind masks may see."""
    number, place = source_number(head), {"sources": max(len(sizes.sources()), 1)}
    if number is None:
        return domain_mask("target", sizes.hidden, sizes.shared_fraction, **place)
    return domain_mask("source", sizes.hidden, sizes.shared_fraction, number=number, **place)


def _direction(network: Network, name: str) -> LstmWeights:
    return LstmWeights(*(network.weights[f"{name}.{part}"] for part in LstmWeights._fields))
