"""The peer's pieces in PyTorch: layer, CRF, MMD, optimiser, padded batches.

Importing this module imports torch (``pip install 'ladtl-np[peers]'``). Where there is more than
one usual way, this is the one that was fastest in eager mode on the CPU; ``docs/benchmarks.md``
tells which choices these are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.options.parts import AdaGradOptions
from ladtl_np.shapes import Floats, Integers

__all__ = [
    "Padded",
    "Tensor",
    "crf_nll",
    "gates_for_torch",
    "kernel_sum",
    "lstm_layer",
    "optimiser",
    "pad",
    "rnn",
    "squared_mmd",
    "squared_mmd_by_blocks",
    "tensor",
    "torch",
]

torch: Any = import_module("torch")
rnn: Any = import_module("torch.nn.utils.rnn")
torch.sparse.check_sparse_tensor_invariants.disable()  # the default, without its warning
Tensor = Any


def tensor(array: Floats | Integers, *, gradient: bool = False) -> Tensor:
    """A tensor of its own memory."""
    made = torch.from_numpy(np.array(array))
    return made.requires_grad_() if gradient else made


def gates_for_torch(columns: Floats) -> Floats:
    """Bring the last axis from gate order i, f, o, g to torch's i, f, g, o; its own inverse."""
    i, f, third, fourth = np.split(columns, 4, axis=-1)
    return np.concatenate([i, f, fourth, third], axis=-1)


def lstm_layer(weights: Any, D: int, H: int) -> Any:
    """``nn.LSTM`` with our weights; its second bias is 0 and stays so."""
    lstm = torch.nn.LSTM(D, H, bidirectional=True)
    for direction, suffix in (("forward", ""), ("backward", "_reverse")):
        W, U, b = (weights[f"{direction}.{kind}"] for kind in "WUb")
        for name, value in (
            ("weight_ih", gates_for_torch(W).T),
            ("weight_hh", gates_for_torch(U).T),
            ("bias_ih", gates_for_torch(b)),
            ("bias_hh", np.zeros_like(b)),
        ):
            parameter = torch.nn.Parameter(tensor(value), requires_grad=name != "bias_hh")
            setattr(lstm, f"{name}_l0{suffix}", parameter)
    lstm.flatten_parameters()
    return lstm


@dataclass(frozen=True, slots=True)
class Padded:
    """Sentences of one domain as a data loader gives them, time first, longest first."""

    words: Tensor  # (T, B)
    tags: Tensor  # (T, B)
    mask: Tensor  # (T, B)
    lengths: list[int]


def by_length(sentences: Sequence[EncodedSentence]) -> list[EncodedSentence]:
    """Longest first, ties in their order."""
    return sorted(sentences, key=lambda sentence: -sentence.words.size)


def pad(sentences: Sequence[EncodedSentence]) -> Padded:
    """Pad sentences with 0 behind their ends."""
    ordered = by_length(sentences)
    lengths = [sentence.words.size for sentence in ordered]
    mask = torch.arange(max(lengths))[:, None] < torch.tensor(lengths)[None, :]
    words = rnn.pad_sequence([tensor(sentence.words) for sentence in ordered])
    return Padded(words, rnn.pad_sequence([tensor(s.tags) for s in ordered]), mask, lengths)


def crf_nll(E: Tensor, A: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
    """Negative log-likelihood (B,) of padded sentences.

    E (T, B, m), A (m, m), tags (T, B), mask (T, B).
    """
    gold = (E.gather(2, tags[:, :, None])[:, :, 0] * mask).sum(0)
    gold = gold + (A[tags[:-1], tags[1:]] * mask[1:]).sum(0)
    alpha = E[0]
    for t in range(1, len(E)):
        following = torch.logsumexp(alpha[:, :, None] + A, dim=1) + E[t]
        alpha = torch.where(mask[t][:, None], following, alpha)
    return torch.logsumexp(alpha, dim=1) - gold


def squared_mmd(X: Tensor, Z: Tensor, variances: tuple[float, ...], kernels: Any = None) -> Tensor:
    """Squared MMD, biased, by one distance matrix over both samples.

    `kernels` takes the place of `kernel_sum`.
    """
    P = _centred(X, Z)
    K = (kernels or kernel_sum)(_distances(P, P).fill_diagonal_(0.0), variances)
    u = torch.cat([X.new_full((len(X),), 1.0 / len(X)), Z.new_full((len(Z),), -1.0 / len(Z))])
    return u @ K @ u


def squared_mmd_by_blocks(X: Tensor, Z: Tensor, variances: tuple[float, ...]) -> Tensor:
    """Compute the same by three distance matrices, which is a quarter less and fits caches better.

    Measured beside `squared_mmd` as the stronger peer.
    """
    P = _centred(X, Z)
    X, Z = P[: len(X)], P[len(X) :]
    XX, ZZ = (_distances(sample, sample).fill_diagonal_(0.0) for sample in (X, Z))
    blocks = ((1.0, XX), (1.0, ZZ), (-2.0, _distances(X, Z)))
    return sum(
        sign * torch.exp(squared * (-0.5 / variance)).mean()
        for sign, squared in blocks
        for variance in variances
    )


def _centred(X: Tensor, Z: Tensor) -> Tensor:
    """Both samples with their mean removed: no distance changes, and less is left to cancel."""
    P = torch.cat([X, Z])
    return P - P.mean(0).detach()


def _distances(X: Tensor, Z: Tensor) -> Tensor:
    """Squared distances of all rows, from their products."""
    norms = X.square().sum(1)[:, None] + Z.square().sum(1)
    return torch.addmm(norms, X, Z.T, alpha=-2.0)


def kernel_sum(squared: Tensor, variances: tuple[float, ...]) -> Tensor:
    """Sum of the Gaussians of squared distances."""
    K = torch.exp(squared * (-0.5 / variances[0]))
    for variance in variances[1:]:
        K = K + torch.exp(squared * (-0.5 / variance))
    return K


def optimiser(parameters: list[Tensor], options: AdaGradOptions) -> Any:
    """Torch's Adagrad with our rate and start values; takes sparse gradients as they come."""
    return torch.optim.Adagrad(
        parameters,
        lr=options.learning_rate,
        initial_accumulator_value=options.initial_accumulator,
        eps=options.epsilon,
    )
