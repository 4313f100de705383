"""Every measurement of the suite: ours, the peer's, their check, operations and goal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from ladtl_np.arrays.workers import Workers
from ladtl_np.bench import operations
from ladtl_np.bench.agreement import compare_arrays, compare_tags
from ladtl_np.bench.measure import Part
from ladtl_np.bench.ours import Ours, SourceHalf, mmd_rows
from ladtl_np.bench.peer import onnx as onnx_peer
from ladtl_np.bench.tagging_case import TaggingCase, build_tagging_case
from ladtl_np.bench.workloads import KERNELS, Case
from ladtl_np.layers.bilstm import bilstm_forward
from ladtl_np.layers.embedding import embedding_forward
from ladtl_np.layers.mmd import label_rows
from ladtl_np.shapes import Floats

if TYPE_CHECKING:
    from ladtl_np.bench.peer.parts import TorchParts

__all__ = ["GOALS", "STEMS", "TORCH", "Contest", "contests", "torch_is_available"]

TORCH = "PyTorch"
TORCH_BY_LENGTH = "PyTorch, batches by length"  # not as the text comes
TORCH_BLOCKS = "PyTorch, three blocks"  # a faster MMD than the usual one
TOLERANCE = 2e-3  # float32, largest difference over largest value
MMD_ROWS = 1500  # of each domain
TAGGING_SENTENCES = 256

GOALS: dict[tuple[str, str, str, str], float] = {
    ("step", "medical", "19 kernels", TORCH): 10.0,
    ("step", "medical", "1 kernel", TORCH): 10.0,
    ("step", "weibo", "19 kernels", TORCH): 12.0,
    ("step", "weibo", "1 kernel", TORCH): 12.0,
    ("crf", "medical", "", TORCH): 60.0,
    ("crf", "weibo", "", TORCH): 80.0,
    ("viterbi", "medical", "", TORCH): 10.0,
    ("viterbi", "weibo", "", TORCH): 50.0,
    ("lstm", "medical", "", TORCH): 4.0,
    ("lstm", "weibo", "", TORCH): 7.0,
    ("mmd", "medical", "19 kernels", TORCH): 12.0,
    ("mmd", "medical", "1 kernel", TORCH): 4.0,
    ("tagging", "medical", "", TORCH): 5.0,
    ("tagging", "weibo", "", TORCH): 8.0,
    ("tagging", "medical", "", onnx_peer.NAME): 1.0,
    ("tagging", "weibo", "", onnx_peer.NAME): 1.0,
}
"""Smallest ratio to the peer that is wanted, by stem, workload, variant and peer."""


@dataclass(frozen=True, slots=True)
class Contest:
    """One thing to be timed."""

    stem: str
    variant: str
    tokens: int | None
    operations: int | None
    ours: Part
    peer: Part | None
    peer_name: str
    compare: Callable[[Any, Any], float]

    def check(self, what: str) -> float:
        """Largest difference between one result of each side; raises if it is too large."""
        assert self.peer is not None
        mine, other = (side.view(side.call()) for side in (self.ours, self.peer))
        try:
            return self.compare(mine, other)
        except Exception as error:
            error.add_note(what)
            raise


class Sides:
    """What the stems are made from: a case, and both sides' parts at one number of threads."""

    def __init__(self, case: Case, threads: int, peer: TorchParts | None) -> None:
        self.case, self.threads, self.peer = case, threads, peer
        self.ours = Ours(case, threads)
        self.half = SourceHalf(case)
        sizes = case.workload
        self.D, self.H, self.m = sizes.embedding, sizes.hidden, sizes.tags
        self.N, self.B = int(self.half.half.rows.size), self.half.half.sentences

    def contest(
        self,
        stem: str,
        variant: str = "",
        tokens: int | None = None,
        count: int | None = None,
        inputs: tuple[Any, ...] = (),
    ) -> Contest:
        """Pair the parts of one name on both sides, made from the same inputs."""
        ours = getattr(self.ours, stem)(*inputs)
        peer = getattr(self.peer, stem)(*inputs) if self.peer else None
        compare = _same_tags if stem in ("viterbi", "tagging") else _same_arrays
        return Contest(stem, variant, tokens, count, ours, peer, TORCH, compare)


def _same_arrays(ours: Any, peer: Any) -> float:
    return compare_arrays(ours, peer, TOLERANCE, "float32")


def _same_tags(ours: Any, peer: Any) -> float:
    return compare_tags(ours, peer, "float32")


def _step(sides: Sides) -> Iterator[Contest]:
    case, batch = sides.case, sides.case.batch
    halves = batch.source, batch.target
    pairs = label_rows(halves[0].rows, halves[0].tags, halves[1].rows, halves[1].tags, case.matched)
    rows = [pair.source.size + pair.target.size for pair in pairs]
    touched = int(np.unique(batch.words).size)
    for name, variances in KERNELS.items():
        sizes = case.network.architecture
        count = operations.step(sizes, batch, rows, len(variances), touched)
        yield sides.contest("step", name, case.tokens, count, (variances,))


def _lstm(sides: Sides) -> Iterator[Contest]:
    count = operations.bilstm(sides.N, sides.D, sides.H)
    yield sides.contest("lstm", "", sides.N, count, (sides.half,))


def _crf(sides: Sides) -> Iterator[Contest]:
    count = operations.crf(sides.N, sides.B, sides.m)
    yield sides.contest("crf", "", sides.N, count, (sides.half,))


def _viterbi(sides: Sides) -> Iterator[Contest]:
    count = operations.viterbi(sides.N, sides.B, sides.m)
    yield sides.contest("viterbi", "", sides.N, count, (sides.half,))


def _mmd(sides: Sides) -> Iterator[Contest]:
    if sides.case.workload.name == "weibo":
        return  # its width is the other's half, and there is no goal for it
    hidden = mmd_rows(MMD_ROWS, 2 * sides.H)
    for name, variances in KERNELS.items():
        count = operations.mmd(len(hidden), hidden.shape[1], len(variances))
        one = sides.contest("mmd", name, None, count, (hidden, variances))
        yield one
        if sides.peer is not None:
            stronger = sides.peer.mmd_by_blocks(hidden, variances)
            yield replace(one, peer=stronger, peer_name=TORCH_BLOCKS)


def _adagrad(sides: Sides) -> Iterator[Contest]:
    network, words = sides.case.network, sides.case.batch.words
    size = network.weights.flat.size + int(np.unique(words).size) * sides.D
    yield sides.contest("adagrad", "", None, operations.adagrad(size))


def _embedding(sides: Sides) -> Iterator[Contest]:
    tokens = sides.case.tokens
    yield sides.contest("embedding", "", tokens, operations.embedding(tokens, sides.D))


def _tagging(sides: Sides) -> Iterator[Contest]:
    text = build_tagging_case(sides.case, sentences=TAGGING_SENTENCES)
    N, B = text.tokens, len(text.sentences)
    count = operations.bilstm(N, sides.D, sides.H, backward=False)
    count += operations.affine(N, sides.H, sides.m, backward=False)
    count += operations.viterbi(N, B, sides.m)
    one = sides.contest("tagging", "", N, count, (text,))
    yield one
    if sides.peer is not None:
        stronger = sides.peer.tagging(text, by_length=True)
        yield replace(one, peer=stronger, peer_name=TORCH_BY_LENGTH)
    if sides.peer is not None and onnx_peer.available():
        encoder = onnx_peer.encode(text, sides.threads)

        def compare(_: Any, theirs: Any) -> float:
            return _same_arrays({"hidden": np.concatenate(_our_states(text))}, theirs)

        yield replace(one, peer=encoder, peer_name=onnx_peer.NAME, compare=compare)


def _our_states(text: TaggingCase) -> list[Floats]:
    """Hidden states of each sentence by itself."""
    network = text.model.network
    found = []
    for sentence in text.sentences:
        X = embedding_forward(network.embedding, sentence.words, None)
        steps = np.arange(sentence.words.size + 1)
        found.append(bilstm_forward(X, network.weights, steps, Workers())[0])
    return found


_MAKERS: dict[str, Callable[[Sides], Iterator[Contest]]] = {
    "step": _step,
    "lstm": _lstm,
    "crf": _crf,
    "viterbi": _viterbi,
    "mmd": _mmd,
    "adagrad": _adagrad,
    "embedding": _embedding,
    "tagging": _tagging,
}

STEMS = (*_MAKERS, "startup")
"""What ``--stem`` chooses from."""


def contests(stem: str, case: Case, threads: int, peer: TorchParts | None) -> Iterator[Contest]:
    """Everything to be timed for one stem of one workload; start-up is no contest."""
    return _MAKERS[stem](Sides(case, threads, peer))


def torch_is_available() -> bool:
    """Whether the PyTorch peer can be measured."""
    return all(find_spec(name) is not None for name in ("torch", "torchcrf"))
