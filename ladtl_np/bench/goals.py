"""What is wanted of each part: times as fast as a peer, or a share of the machine's peak."""

from __future__ import annotations

from collections.abc import Iterable

from ladtl_np.bench.results import PEAK, Goal

__all__ = ["FLOAT32", "GOALS", "ONNX", "PACKED", "TORCH", "goals_of"]

TORCH = "PyTorch"
ONNX = "onnxruntime encoding"
FLOAT32 = "ours in float32"
PACKED = "packed"

EVERY = ""
Key = tuple[str, str, str, str]

GOALS: dict[str, dict[Key, float]] = {
    EVERY: {
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
        ("tagging", "medical", "", ONNX): 1.0,
        ("tagging", "weibo", "", ONNX): 1.0,
        ("tagging", "medical", "bfloat16", FLOAT32): 1.4,
        ("tagging", "weibo", "bfloat16", FLOAT32): 1.4,
        ("matmul", "*", PACKED, PEAK): 0.85,
    },
    "AVX-512": {
        ("step", "medical", "19 kernels", PEAK): 0.72,
        ("step", "weibo", "19 kernels", PEAK): 0.60,
    },
    "AVX2": {
        ("step", "medical", "19 kernels", TORCH): 8.0,
        ("step", "medical", "1 kernel", TORCH): 8.0,
        ("step", "weibo", "19 kernels", TORCH): 6.5,
        ("step", "weibo", "1 kernel", TORCH): 6.5,
        ("tagging", "medical", "", ONNX): 1.2,
        ("tagging", "weibo", "", ONNX): 1.2,
    },
}
"""Smallest ratio to a peer, or share of the peak, by stem, workload, variant and peer or peak.

The goals of an instruction set are added to those of every one, or replace them; a workload of
``"*"`` is any.
"""


def goals_of(stem: str, workload: str, variant: str, isa: str, peers: Iterable[str]) -> list[Goal]:
    """Goals of one row, of those peers that were measured."""
    against = {PEAK, *peers}
    found = GOALS[EVERY] | GOALS.get(isa, {})
    return [
        Goal(value, key[3])
        for key, value in found.items()
        if key[0] == stem and key[1] in (workload, "*") and key[2] == variant and key[3] in against
    ]
