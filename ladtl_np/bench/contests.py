"""Every measurement of the suite: ours, the peers', their check, operations and bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from ladtl_np.arrays.workers import Workers
from ladtl_np.bench import operations
from ladtl_np.bench.agreement import compare_arrays, compare_tags
from ladtl_np.bench.goals import FLOAT32, ONNX, TORCH
from ladtl_np.bench.limits import is_widest
from ladtl_np.bench.measure import Part
from ladtl_np.bench.operations import Traffic
from ladtl_np.bench.ours import Ours, SourceHalf, mmd_rows
from ladtl_np.bench.peer import onnx as onnx_peer
from ladtl_np.bench.tagging_case import TaggingCase, build_tagging_case
from ladtl_np.bench.workloads import KERNELS, Case
from ladtl_np.kernels.instruction_set import INSTRUCTIONS
from ladtl_np.layers.bilstm import bilstm_forward
from ladtl_np.layers.embedding import embedding_forward
from ladtl_np.layers.mmd import label_rows
from ladtl_np.shapes import Floats

if TYPE_CHECKING:
    from ladtl_np.bench.peer.parts import TorchParts

__all__ = [
    "OF_NO_WORKLOAD",
    "STEMS",
    "Contest",
    "Rival",
    "contests",
    "same_arrays",
    "torch_is_available",
]

TORCH_BY_LENGTH = "PyTorch by length"  # not as the text comes
TORCH_PADDED = "PyTorch padded"  # the LSTM by oneDNN
TORCH_BLOCKS = "PyTorch in three blocks"  # a faster MMD than the usual one
TORCH_COMPILED = "PyTorch compiled"
TORCH_BFLOAT16 = "PyTorch in bfloat16"
TOLERANCE = 2e-3  # float32, largest difference over largest value
MMD_ROWS = 1500  # of each domain
TAGGING_SENTENCES = 256
MOST_OTHER_BFLOAT16 = 0.1
NOT_LIMITED = "uses all that the processor has"
PADDED = ("step", "lstm")  # stems in which the LSTM can be padded
COMPILED = ("step", "crf", "mmd")  # stems of which torch.compile is measured


@dataclass(frozen=True, slots=True)
class Rival:
    """A peer's way to do what is timed."""

    name: str
    part: Part
    compare: Callable[[Any, Any], float]
    remark: str = ""  # of `results.Peer`


@dataclass(frozen=True, slots=True)
class Contest:
    """One thing to be timed: ours, and beside it peers, the usual one first."""

    stem: str
    variant: str
    workload: str
    ours: Part
    rivals: tuple[Rival, ...] = ()
    tokens: int | None = None
    operations: int | None = None
    traffic: Traffic | None = None

    def check(self) -> float:
        """Largest difference between one result of ours and each peer's; raises if too large."""
        mine, worst = self.ours.view(self.ours.call()), 0.0
        for rival in self.rivals:
            theirs = rival.part.view(rival.part.call())
            try:
                worst = max(worst, rival.compare(mine, theirs))
            except Exception as error:
                error.add_note(f"{self.title} of {self.workload} beside {rival.name}")
                raise
        return worst

    @property
    def title(self) -> str:
        """Stem and variant."""
        return f"{self.stem} ({self.variant})" if self.variant else self.stem


class Sides:
    """What the stems are made from: a case, and both sides' parts at one number of threads."""

    def __init__(self, case: Case, threads: int, peer: TorchParts | None, compiled: bool) -> None:
        self.case, self.threads, self.peer = case, threads, peer
        self.compiled = compiled and peer is not None
        self.ours = Ours(case, threads)
        self.half = SourceHalf(case)
        sizes = case.workload
        self.D, self.H, self.m = sizes.embedding, sizes.hidden, sizes.tags
        self.N, self.B = int(self.half.half.rows.size), self.half.half.sentences

    def contest(
        self, stem: str, variant: str = "", inputs: tuple[Any, ...] = (), **facts: Any
    ) -> Contest:
        """Pair the parts of one name on both sides, made from the same inputs."""
        ours = getattr(self.ours, stem)(*inputs)
        compare = same_tags if stem in ("viterbi", "tagging") else same_arrays
        rivals = []
        if self.peer is not None:
            rivals.append(Rival(TORCH, getattr(self.peer, stem)(*inputs), compare))
        for name, ways in self._other_ways(stem):
            rivals.append(Rival(name, getattr(self.peer, stem)(*inputs, **ways), compare))
        return Contest(stem, variant, self.case.workload.name, ours, tuple(rivals), **facts)

    def _other_ways(self, stem: str) -> Iterator[tuple[str, dict[str, bool]]]:
        """How PyTorch can compute a stem otherwise: a name, and what its part is to be told."""
        if self.peer is not None and stem in PADDED:
            yield TORCH_PADDED, {"padded": True}
        if self.compiled and stem in COMPILED:
            both = {"padded": True} if stem in PADDED else {}
            yield f"{TORCH_PADDED} compiled" if both else TORCH_COMPILED, both | {"compiled": True}


def same_arrays(ours: Any, peer: Any) -> float:
    """Largest relative difference of arrays by name."""
    return compare_arrays(ours, peer, TOLERANCE, "float32")


def same_tags(ours: Any, peer: Any) -> float:
    """Share of other tags."""
    return compare_tags(ours, peer, "float32")


def nearly_same_tags(ours: Any, peer: Any) -> float:
    """Share of other tags where one side rounds to bfloat16.

    The weights are random, so many paths score nearly the same.
    """
    return compare_tags(ours, peer, "bfloat16", MOST_OTHER_BFLOAT16)


def _step(sides: Sides) -> Iterator[Contest]:
    case, batch = sides.case, sides.case.batch
    halves = batch.source, batch.target
    pairs = label_rows(halves[0].rows, halves[0].tags, halves[1].rows, halves[1].tags, case.matched)
    rows = [pair.source.size + pair.target.size for pair in pairs]
    touched = int(np.unique(batch.words).size)
    for name, variances in KERNELS.items():
        sizes = case.network.architecture
        count = operations.step(sizes, batch, rows, len(variances), touched)
        yield sides.contest("step", name, (variances,), tokens=case.tokens, operations=count)


def _lstm(sides: Sides) -> Iterator[Contest]:
    count = operations.bilstm(sides.N, sides.D, sides.H)
    yield sides.contest("lstm", "", (sides.half,), tokens=sides.N, operations=count)


def _crf(sides: Sides) -> Iterator[Contest]:
    count = operations.crf(sides.N, sides.B, sides.m)
    yield sides.contest("crf", "", (sides.half,), tokens=sides.N, operations=count)


def _viterbi(sides: Sides) -> Iterator[Contest]:
    count = operations.viterbi(sides.N, sides.B, sides.m)
    yield sides.contest("viterbi", "", (sides.half,), tokens=sides.N, operations=count)


def _mmd(sides: Sides) -> Iterator[Contest]:
    if sides.case.workload.name == "weibo":
        return  # its width is the other's half, and there is no goal for it
    hidden = mmd_rows(MMD_ROWS, 2 * sides.H)
    for name, variances in KERNELS.items():
        count = operations.mmd(len(hidden), hidden.shape[1], len(variances))
        one = sides.contest("mmd", name, (hidden, variances), operations=count)
        if sides.peer is not None:
            stronger = sides.peer.mmd_by_blocks(hidden, variances)
            blocks = Rival(TORCH_BLOCKS, stronger, same_arrays)
            one = replace(one, rivals=(*one.rivals, blocks))
        yield one


def _adagrad(sides: Sides) -> Iterator[Contest]:
    network, words = sides.case.network, sides.case.batch.words
    size = network.weights.flat.size + int(np.unique(words).size) * sides.D
    count, traffic = operations.adagrad(size), operations.adagrad_traffic(size)
    yield sides.contest("adagrad", operations=count, traffic=traffic)


def _embedding(sides: Sides) -> Iterator[Contest]:
    tokens, words = sides.case.tokens, int(np.unique(sides.case.batch.words).size)
    traffic = operations.embedding_traffic(tokens, sides.D, words)
    count = operations.embedding(tokens, sides.D)
    yield sides.contest("embedding", tokens=tokens, operations=count, traffic=traffic)


def _tagging(sides: Sides) -> Iterator[Contest]:
    text = build_tagging_case(sides.case, sentences=TAGGING_SENTENCES)
    N, B = text.tokens, len(text.sentences)
    count = operations.bilstm(N, sides.D, sides.H, backward=False)
    count += operations.affine(N, sides.H, sides.m, backward=False)
    count += operations.viterbi(N, B, sides.m)
    one = sides.contest("tagging", "", (text,), tokens=N, operations=count)
    yield replace(one, rivals=(*one.rivals, *_stronger_taggers(sides, text)))
    if INSTRUCTIONS.bfloat16:
        rivals = [Rival(FLOAT32, one.ours, nearly_same_tags)]
        if sides.peer is not None:
            part = sides.peer.tagging(text, by_length=True, padded=True, bfloat16=True)
            rivals.append(Rival(TORCH_BFLOAT16, part, nearly_same_tags))
        ours = sides.ours.tagging(text, "bfloat16")
        yield replace(one, variant="bfloat16", ours=ours, rivals=tuple(rivals))


def _stronger_taggers(sides: Sides, text: TaggingCase) -> Iterator[Rival]:
    if sides.peer is None:
        return
    part = sides.peer.tagging(text, by_length=True)
    yield Rival(TORCH_BY_LENGTH, part, same_tags)
    part = sides.peer.tagging(text, by_length=True, padded=True)
    yield Rival(f"{TORCH_PADDED} by length", part, same_tags)
    if INSTRUCTIONS.bfloat16:  # oneDNN has no such LSTM without
        part = sides.peer.tagging(text, by_length=True, padded=True, bfloat16=True)
        yield Rival(TORCH_BFLOAT16, part, nearly_same_tags, "fewer digits")
    if onnx_peer.available():

        def compare(_: Any, theirs: Any) -> float:
            return same_arrays({"hidden": np.concatenate(_our_states(text))}, theirs)

        remark = "" if is_widest() else NOT_LIMITED
        yield Rival(ONNX, onnx_peer.encode(text, sides.threads), compare, remark)


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

STEMS = (*_MAKERS, "matmul", "startup")
"""What ``--stem`` chooses from."""

OF_NO_WORKLOAD = ("matmul", "startup")


def contests(
    stem: str, case: Case, threads: int, peer: TorchParts | None, *, compiled: bool = False
) -> Iterator[Contest]:
    """Everything to be timed for one stem of one workload.

    Parameters
    ----------
    stem
        None of `OF_NO_WORKLOAD`.
    case
        The workload.
    threads
        To compute with.
    peer
        PyTorch's parts, if they are measured.
    compiled
        Whether ``torch.compile`` is measured too.
    """
    return _MAKERS[stem](Sides(case, threads, peer, compiled))


def torch_is_available() -> bool:
    """Whether the PyTorch peer can be measured."""
    return all(find_spec(name) is not None for name in ("torch", "torchcrf"))
