"""The character BiLSTM on words of every length: a corpus may have single characters only."""

from __future__ import annotations

import numpy as np

from ladtl_np.arrays.spelling import pack_spellings
from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.audit.comparing import Comparisons
from ladtl_np.audit.equations.literal import literal_word
from ladtl_np.layers.characters import characters_forward
from ladtl_np.model.network import Network

__all__ = ["check_characters"]

_LONGEST = 6


def check_characters(book: Comparisons, network: Network, rng: np.random.Generator) -> None:
    """Compare the final states of drawn words of 1, 2, ... characters."""
    sizes = network.architecture
    words = [rng.integers(sizes.characters, size=1 + n % _LONGEST) for n in range(2 * _LONGEST)]
    with single_threaded_blas():
        F, _ = characters_forward(pack_spellings(words), network.weights, Workers())
    check = "character BiLSTM: kernels against reference"
    for word, found in zip(words, F, strict=True):
        where = f"a drawn word of {len(word)} characters"
        book.add(check, found, literal_word(network, word), where)
