"""The same model in PyTorch, as a competent user writes it.  Imports torch."""

from __future__ import annotations

from typing import Any

from ladtl_np.bench.peer.functions import (
    Tensor,
    crf_nll,
    gates_for_torch,
    kernel_sum,
    lstm_layer,
    pad,
    rnn,
    squared_mmd,
    tensor,
    torch,
)
from ladtl_np.bench.peer.padded import PaddedLstm
from ladtl_np.bench.workloads import DROPOUT, Case
from ladtl_np.model.network import EMBEDDING, SOURCE, TARGET
from ladtl_np.shapes import Floats

__all__ = ["TorchModel"]


class TorchModel:
    """Parameters of a case in torch's layout, its batch, and the whole loss.

    Parameters
    ----------
    case
        The arrays to copy.
    variances
        Of the MMD's Gaussians.
    padded
        Whether the LSTM is `PaddedLstm`.
    nll, kernels
        In place of `crf_nll` and `kernel_sum`.
    """

    def __init__(
        self,
        case: Case,
        variances: tuple[float, ...],
        *,
        padded: bool = False,
        nll: Any = crf_nll,
        kernels: Any = kernel_sum,
    ) -> None:
        self.crf_nll, self.kernel_sum = nll, kernels
        network, sizes = case.network, case.workload
        self.case, self.variances, self.objective = case, variances, case.objective(variances)
        self.embedding = torch.nn.Embedding.from_pretrained(
            tensor(network.embedding), freeze=False, sparse=True
        )
        self.lstm = lstm_layer(network.weights, sizes.embedding, sizes.hidden)
        self.encoder = PaddedLstm(self.lstm) if padded else self.lstm
        self.heads = {
            head: tuple(tensor(network.weights[f"{head}.{kind}"], gradient=True) for kind in "WA")
            for head in (SOURCE, TARGET)
        }
        self._collate()

    def _collate(self) -> None:
        """What a data loader would have done before the step."""
        case = self.case
        both = (*case.source, *case.target)
        ranks = sorted(range(len(both)), key=lambda n: -both[n].words.size)
        self.words = rnn.pack_sequence([tensor(both[n].words) for n in ranks])
        self.tags = rnn.pack_sequence([tensor(both[n].tags) for n in ranks]).data
        of_source = [torch.full((both[n].words.size,), n < len(case.source)) for n in ranks]
        self.is_source = rnn.pack_sequence(of_source).data
        columns = {
            SOURCE: [rank for rank, n in enumerate(ranks) if n < len(case.source)],
            TARGET: [rank for rank, n in enumerate(ranks) if n >= len(case.source)],
        }
        self.columns = {head: torch.tensor(ranks) for head, ranks in columns.items()}
        self.halves = {SOURCE: pad(case.source), TARGET: pad(case.target)}
        in_source, in_target = self.tags[self.is_source], self.tags[~self.is_source]
        self.labels = [int(y) for y in torch.unique(in_source) if (in_target == y).any()]

    def encode(self, mask: Tensor | None = None) -> Any:
        """Hidden states as a packed sequence; without a given mask, dropout draws its own."""
        X = self.embedding(self.words.data)
        if mask is None:
            X = torch.nn.functional.dropout(X, DROPOUT)
        else:
            X = X * mask
        return self.encoder(rnn.PackedSequence(X, self.words.batch_sizes))[0]

    def nll(self, head: str, hidden: Tensor) -> Tensor:
        """Mean negative log-likelihood of one domain, from padded hidden states (T, B, 2H)."""
        half, (W, A) = self.halves[head], self.heads[head]
        rows = hidden[: half.lengths[0], self.columns[head]]
        nll: Tensor = self.crf_nll(rows @ W, A, half.tags, half.mask)
        return nll.mean()

    def mmd(self, hidden: Tensor) -> Tensor:
        """Label-aware MMD over packed hidden states (N, 2H)."""
        total = hidden.new_zeros(())
        for y in self.labels:
            here = self.tags == y
            X, Z = hidden[here & self.is_source], hidden[here & ~self.is_source]
            total = total + squared_mmd(X, Z, self.variances, self.kernel_sum)
        return total

    def loss(self, mask: Tensor | None = None) -> Tensor:
        """All loss terms with their weights."""
        share, w_mmd, w_param, w_reg = self.objective.weights
        packed = self.encode(mask)
        hidden, _ = rnn.pad_packed_sequence(packed)
        total = share * self.nll(SOURCE, hidden) + (1.0 - share) * self.nll(TARGET, hidden)
        total = total + w_mmd * self.mmd(packed.data)
        (W_s, A_s), (W_t, A_t) = self.heads[SOURCE], self.heads[TARGET]
        param = (W_s - W_t).square().sum() + (A_s - A_t).square().sum()
        reg = sum(p.square().sum() for p in self.dense_parameters())
        return total + w_param * param + w_reg * reg

    def dense_parameters(self) -> list[Tensor]:
        """Every trained parameter but the embedding table."""
        trained = [p for p in self.lstm.parameters() if p.requires_grad]
        return trained + [p for pair in self.heads.values() for p in pair]

    def parameters(self) -> list[Tensor]:
        """Every trained parameter."""
        return [self.embedding.weight, *self.dense_parameters()]

    def in_our_layout(self, *, gradients: bool) -> dict[str, Floats]:
        """Parameters, or their gradients, under our names and in our layout."""

        def read(parameter: Tensor) -> Floats:
            value = parameter.grad if gradients else parameter.detach()
            array: Floats = (value.to_dense() if value.is_sparse else value).numpy()
            return array

        found = {EMBEDDING: read(self.embedding.weight)}
        for direction, suffix in (("forward", ""), ("backward", "_reverse")):
            for kind, name in (("W", "weight_ih"), ("U", "weight_hh"), ("b", "bias_ih")):
                value = read(getattr(self.lstm, f"{name}_l0{suffix}"))
                found[f"{direction}.{kind}"] = gates_for_torch(value.T)
        for head, pair in self.heads.items():
            for kind, parameter in zip("WA", pair, strict=True):
                found[f"{head}.{kind}"] = read(parameter)
        return found
