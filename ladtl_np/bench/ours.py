"""What is timed of ours: the parts of a training step, and tagging, as training calls them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ladtl_np.arrays.workers import Workers
from ladtl_np.bench.measure import Part
from ladtl_np.bench.tagging_case import TaggingCase
from ladtl_np.bench.workloads import DROPOUT, Case
from ladtl_np.corpus.raw import tokenise
from ladtl_np.layers.bilstm import bilstm_backward, bilstm_forward
from ladtl_np.layers.crf import crf_backward, crf_forward, crf_viterbi
from ladtl_np.layers.embedding import dropout_mask, embedding_backward, embedding_forward
from ladtl_np.layers.linear import affine_forward
from ladtl_np.layers.mmd import RowPair, mmd_backward, mmd_forward
from ladtl_np.model.network import SOURCE
from ladtl_np.model.tagging import Tagger
from ladtl_np.objective import loss_step
from ladtl_np.options.parts import AdaGradOptions
from ladtl_np.options.precision import PRECISION, Precision
from ladtl_np.shapes import Floats, Integers
from ladtl_np.training.optimizer import AdaGrad, global_norm

__all__ = ["OPTIMIZER", "Ours", "SourceHalf", "mmd_rows"]

OPTIMIZER = AdaGradOptions(clip_norm=0.0)  # torch's Adagrad does not clip


class SourceHalf:
    """Inputs of the parts that are measured for one domain; the peer starts from the same."""

    def __init__(self, case: Case) -> None:
        network, half = case.network, case.batch.source
        self.half = half
        self.X = embedding_forward(network.embedding, case.batch.words, case.mask)[half.rows]
        hidden, _ = bilstm_forward(self.X, network.weights, half.offsets, Workers())
        self.dhidden = np.random.default_rng(2).normal(size=hidden.shape).astype(hidden.dtype)
        self.E = affine_forward(hidden, network.weights[f"{SOURCE}.W"], None)
        self.A = network.weights[f"{SOURCE}.A"]


def mmd_rows(rows: int, width: int, seed: int = 3) -> Floats:
    """Hidden states of `rows` source tokens and as many target tokens, a little apart."""
    rng = np.random.default_rng(seed)
    hidden = rng.uniform(-0.5, 0.5, (2 * rows, width)).astype(np.float32)
    hidden[rows:] += np.float32(0.05)
    return hidden


class Ours:
    """Every part as a call without arguments, whose result the peer's is compared with.

    Parameters
    ----------
    case
        The workload.
    threads
        Threads to compute with.
    """

    def __init__(self, case: Case, threads: int) -> None:
        self.case, self.threads, self.workers = case, threads, Workers(threads)

    def step(self, variances: tuple[float, ...]) -> Part:
        """One training step: dropout, forward, backward, gradient norm, update."""
        case = self.case
        network, objective = case.network.copy(), case.objective(variances)
        optimizer = AdaGrad(network, OPTIMIZER)
        rng = np.random.default_rng(4)

        def call() -> dict[str, Any]:
            memory = self.workers.memory
            memory.reuse()
            mask = dropout_mask(rng, case.mask.shape, DROPOUT, case.mask.dtype, memory.empty)
            _, gradients = loss_step(network, case.batch, objective, mask, None, self.workers)
            optimizer.update(network, gradients, global_norm(gradients))
            return {}  # dropout differs from call to call; peer.check compares whole steps

        return Part(call)

    def lstm(self, inputs: SourceHalf) -> Part:
        """BiLSTM of one domain, forward and backward."""
        weights, offsets = self.case.network.weights, inputs.half.offsets

        def call() -> dict[str, Any]:
            self.workers.memory.reuse()
            gradients = weights.zeros_like()
            hidden, cache = bilstm_forward(inputs.X, weights, offsets, self.workers)
            dX = bilstm_backward(gradients, inputs.dhidden, cache, weights, self.workers)
            return {"hidden": hidden, "dX": dX, "dU": gradients["forward.U"]}

        return Part(call)

    def crf(self, inputs: SourceHalf) -> Part:
        """CRF of one domain, forward and backward, from emissions."""
        half, E, A = inputs.half, inputs.E, inputs.A
        dnll = np.full(half.sentences, 1.0 / half.sentences)

        def call() -> dict[str, Any]:
            memory = self.workers.memory
            memory.reuse()
            dE, dA = memory.zeros(E.shape, E.dtype), np.zeros_like(A)
            nll, cache = crf_forward(E, A, half.tags, half.offsets, memory.empty)
            crf_backward(dE, dA, dnll, cache, memory.empty)
            return {"nll": nll, "dE": dE, "dA": dA}

        return Part(call)

    def viterbi(self, inputs: SourceHalf) -> Part:
        """Best tags of one domain, from emissions."""
        offsets = inputs.half.offsets
        return Part(
            lambda: crf_viterbi(inputs.E, inputs.A, offsets)[0],
            lambda tags: by_sentence(tags, offsets),
        )

    def mmd(self, hidden: Floats, variances: tuple[float, ...]) -> Part:
        """One pair of samples, forward and backward."""
        rows = len(hidden) // 2
        pair = RowPair(0, np.arange(rows), np.arange(rows, 2 * rows))

        def call() -> dict[str, Any]:
            self.workers.memory.reuse()
            dhidden = np.zeros_like(hidden)
            values, cache = mmd_forward(hidden, (pair,), (variances,), self.workers)
            mmd_backward(dhidden, np.ones(1), cache, self.workers)
            return {"value": values[0], "dhidden": dhidden}

        return Part(call)

    def adagrad(self) -> Part:
        """Update of every weight and of the touched embedding rows."""
        case = self.case
        network = case.network.copy()
        _, gradients = loss_step(
            network, case.batch, case.objective((10.0,)), case.mask, None, self.workers
        )
        optimizer = AdaGrad(network, OPTIMIZER)
        return Part(lambda: optimizer.update(network, gradients, 0.0), lambda _: {})

    def embedding(self) -> Part:
        """Look-up with dropout of both domains, and the gradient of the distinct rows."""
        table, words, mask = self.case.network.embedding, self.case.batch.words, self.case.mask

        def call() -> dict[str, Any]:
            X = embedding_forward(table, words, mask)
            rows, values = embedding_backward(mask, words, mask)
            return {"X": X, "rows": rows, "values": values}

        return Part(call)

    def tagging(self, text: TaggingCase, precision: Precision = PRECISION) -> Part:
        """Lines of text to legal tags, as ``ladtl tag`` does.

        The peer knows no legal tags, so what is compared with it is decoded without them.
        """
        options: dict[str, Any] = {"threads": self.threads, "precision": precision}
        tagger = Tagger(text.model, **options)
        free = Tagger(text.model, constrained=False, **options)
        index = text.model.target_tags.index

        def call(tagger: Tagger = tagger) -> list[tuple[str, ...]]:
            return list(tagger.tag(tokenise(line, "spaces").tokens for line in text.lines))

        return Part(call, lambda _: [[index[tag] for tag in tags] for tags in call(free)])


def by_sentence(tags: Integers, offsets: Integers) -> list[list[int]]:
    """Tags of each sentence, longest first, from packed tags (N,)."""
    steps = list(zip(offsets[:-1].tolist(), np.diff(offsets).tolist(), strict=True))
    return [
        [int(tags[first + rank]) for first, width in steps if rank < width]
        for rank in range(steps[0][1])
    ]
