"""What is timed of the PyTorch peer, part by part.  Needs torch, as ``model`` does."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from ladtl_np.bench.measure import Part
from ladtl_np.bench.ours import OPTIMIZER, SourceHalf
from ladtl_np.bench.peer.functions import (
    Tensor,
    crf_nll,
    gates_for_torch,
    kernel_sum,
    lstm_layer,
    optimiser,
    pad,
    rnn,
    squared_mmd,
    squared_mmd_by_blocks,
    tensor,
    torch,
)
from ladtl_np.bench.peer.model import TorchModel
from ladtl_np.bench.peer.padded import PaddedLstm
from ladtl_np.bench.tagging_case import TaggingCase
from ladtl_np.bench.workloads import Case
from ladtl_np.model.network import TARGET
from ladtl_np.shapes import Floats

__all__ = ["TorchParts"]

torchcrf: Any = import_module("torchcrf")


class TorchParts:
    """The parts of ``ours.Ours`` in PyTorch.

    Parameters
    ----------
    case
        The workload.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        sizes = case.workload
        self.lstm_layer = lstm_layer(case.network.weights, sizes.embedding, sizes.hidden)

    def step(
        self, variances: tuple[float, ...], *, padded: bool = False, compiled: bool = False
    ) -> Part:
        """One training step: forward with dropout, backward, update."""
        ways = dict(zip(("nll", "kernels"), self.compiled(), strict=True)) if compiled else {}
        model = TorchModel(self.case, variances, padded=padded, **ways)
        adagrad = optimiser(model.parameters(), OPTIMIZER)

        def call() -> dict[str, Any]:
            adagrad.zero_grad()
            model.loss().backward()
            adagrad.step()
            return {}

        return Part(call)

    def compiled(self) -> tuple[Any, Any]:
        """``torch.compile`` of the CRF's likelihood and of the sum of Gaussians.

        The time steps are one graph, and labels have as many sizes as there are labels. Of the
        LSTM there is nothing: the compiler leaves ``nn.LSTM`` as it is.
        """
        torch.compiler.reset()  # what was compiled for other sizes or threads counts as a failure
        return torch.compile(crf_nll, dynamic=False), torch.compile(kernel_sum, dynamic=True)

    def lstm(self, inputs: SourceHalf, *, padded: bool = False) -> Part:
        """BiLSTM of one domain over a packed sequence, forward and backward."""
        lstm, X, upstream = self.lstm_layer, tensor(inputs.X, gradient=True), tensor(inputs.dhidden)
        encoder = PaddedLstm(lstm) if padded else lstm
        widths = torch.from_numpy(np.diff(inputs.half.offsets))

        def call() -> Tensor:
            X.grad = None
            lstm.zero_grad()
            hidden: Tensor = encoder(rnn.PackedSequence(X, widths))[0].data
            hidden.backward(upstream)
            return hidden

        def view(hidden: Tensor) -> dict[str, Any]:
            dU = gates_for_torch(lstm.weight_hh_l0.grad.numpy().T)
            return {"hidden": hidden.detach(), "dX": X.grad, "dU": dU}

        return Part(call, view)

    def _padded(self, inputs: SourceHalf, packed: Floats) -> Tensor:
        widths = torch.from_numpy(np.diff(inputs.half.offsets))
        return rnn.pad_packed_sequence(rnn.PackedSequence(tensor(packed), widths))[0]

    def crf(self, inputs: SourceHalf, *, compiled: bool = False) -> Part:
        """CRF of one domain from padded emissions, forward and backward."""
        likelihood = self.compiled()[0] if compiled else crf_nll
        E, A = self._padded(inputs, inputs.E).requires_grad_(), tensor(inputs.A, gradient=True)
        half = pad(self.case.source)

        def call() -> Tensor:
            E.grad = A.grad = None
            nll: Tensor = likelihood(E, A, half.tags, half.mask)
            nll.mean().backward()
            return nll

        def view(nll: Tensor) -> dict[str, Any]:
            return {"nll": nll.detach(), "dE": E.grad[half.mask], "dA": A.grad}

        return Part(call, view)

    def viterbi(self, inputs: SourceHalf) -> Part:
        """Best tags of one domain by pytorch-crf, which returns a list for each sentence."""
        E, half, crf = self._padded(inputs, inputs.E), pad(self.case.source), chain(inputs.A)

        def call() -> list[list[int]]:
            with torch.no_grad():
                found: list[list[int]] = crf.decode(E, half.mask)
                return found

        return Part(call)

    def mmd(self, hidden: Floats, variances: tuple[float, ...], *, compiled: bool = False) -> Part:
        """One pair of samples by one distance matrix, forward and backward."""
        kernels = self.compiled()[1] if compiled else kernel_sum
        return _mmd(partial(squared_mmd, kernels=kernels), hidden, variances)

    def mmd_by_blocks(self, hidden: Floats, variances: tuple[float, ...]) -> Part:
        """Compute the same by three distance matrices."""
        return _mmd(squared_mmd_by_blocks, hidden, variances)

    def adagrad(self) -> Part:
        """Update of every weight and of the touched embedding rows."""
        model = TorchModel(self.case, (10.0,))
        model.loss(tensor(self.case.mask)).backward()
        model.embedding.weight.grad = model.embedding.weight.grad.coalesce()
        adagrad = optimiser(model.parameters(), OPTIMIZER)
        return Part(adagrad.step, lambda _: {})

    def embedding(self) -> Part:
        """Look-up with dropout of both domains, and the gradient of the distinct rows."""
        table = torch.nn.Embedding.from_pretrained(
            tensor(self.case.network.embedding), freeze=False, sparse=True
        )
        words, mask = tensor(self.case.batch.words), tensor(self.case.mask)

        def call() -> tuple[Tensor, Tensor]:
            table.weight.grad = None
            X = table(words) * mask
            X.backward(mask)
            return X, table.weight.grad.coalesce()

        def view(result: tuple[Tensor, Tensor]) -> dict[str, Any]:
            X, gradient = result
            rows, values = gradient.indices()[0], gradient.values()
            return {"X": X.detach(), "rows": rows, "values": values}

        return Part(call, view)

    def tagging(
        self,
        text: TaggingCase,
        *,
        by_length: bool = False,
        padded: bool = False,
        bfloat16: bool = False,
    ) -> Part:
        """Encode and decode, from padded row numbers to tag numbers, a batch at a time.

        With `bfloat16` the LSTM runs under autocast.
        """
        network = self.case.network
        table = torch.nn.Embedding.from_pretrained(tensor(network.embedding))
        encoder = PaddedLstm(self.lstm_layer) if padded else self.lstm_layer
        W = tensor(network.weights[f"{TARGET}.W"])
        crf = chain(network.weights[f"{TARGET}.A"])
        batches = text.batches(by_length=by_length)
        given = [pad([text.sentences[n] for n in batch]) for batch in batches]

        def call() -> list[list[int]]:
            found: list[list[int]] = []
            with torch.inference_mode():
                for batch in given:
                    packed = rnn.pack_padded_sequence(table(batch.words), batch.lengths)
                    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                        hidden, _ = rnn.pad_packed_sequence(encoder(packed)[0])
                    found += crf.decode(hidden.float() @ W, batch.mask)
            return found

        def view(found: list[list[int]]) -> list[list[int]]:
            numbers = [n for batch in batches for n in batch]
            return [tags for _, tags in sorted(zip(numbers, found, strict=True))]

        return Part(call, view)


def chain(A: Floats) -> Any:
    """Build a pytorch-crf layer with our transitions, and no start or end scores."""
    crf = torchcrf.CRF(len(A))
    with torch.no_grad():
        crf.transitions.copy_(tensor(A))
        crf.start_transitions.zero_()
        crf.end_transitions.zero_()
    return crf


def _mmd(loss: Any, hidden: Floats, variances: tuple[float, ...]) -> Part:
    H = tensor(hidden, gradient=True)
    rows = len(hidden) // 2

    def call() -> dict[str, Any]:
        H.grad = None
        value = loss(H[:rows], H[rows:], variances)
        value.backward()
        return {"value": value.detach(), "dhidden": H.grad}

    return Part(call)
