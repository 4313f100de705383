"""Compiling every kernel that a run needs, before the run is timed."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import DTypeLike

from ladtl_np.arrays.workers import Workers
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.vocabulary import UNKNOWN, Vocabulary
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.network import Architecture, Start, initialise
from ladtl_np.objective import Objective, loss_step
from ladtl_np.objective.batching import EncodedSentence, domain_batch
from ladtl_np.options.parts import AdaGradOptions
from ladtl_np.training.optimizer import AdaGrad, global_norm

__all__ = ["warm_up"]


def warm_up(dtype: DTypeLike = np.float32) -> float:
    """Run one tiny training step and one decoding, and return the seconds it took.

    The first time on a machine this compiles; later it loads compiled code from the cache.
    """
    begin = time.perf_counter()
    sizes = Architecture.plain(vocabulary=3, embedding=2, hidden=2, source_tags=2, target_tags=2)
    start = Start(recurrent="glorot", projection="identity")
    network = initialise(sizes, np.random.default_rng(0), start, dtype)
    sentence = EncodedSentence(np.array([1, 2, 1]), np.array([0, 1, 1]))
    batch = domain_batch([[sentence], [sentence, sentence]])
    mask = np.ones((batch.words.size, 2), dtype)
    same = np.arange(2)
    for scale in (1.0, 1e4):  # the second is outside the scaled CRF's range
        network.weights["target_crf.A"][:] *= scale
        network.weights["target_crf.A"][0, 0] = scale
        objective = Objective.la_dtl((same, same))
        _, gradients = loss_step(network, batch, objective, mask, None, Workers())
    AdaGrad(network, AdaGradOptions()).update(network, gradients, global_norm(gradients))
    tags = TagSet(("O", "S-T"))
    words = Vocabulary((UNKNOWN, "a", "b"), lower=False, digits_to_zero=False)
    decoder = Decoder(network, words, tags, constrained=True, emission_bias=True)
    decoder.tag([("a", "b", "a")])
    return time.perf_counter() - begin
