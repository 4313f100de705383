"""The peer's BiLSTM over padded sentences, which oneDNN computes.  Needs torch, as ``model`` does.

PyTorch gives an LSTM to oneDNN only if its input is one tensor. Over a packed sequence it goes step
by step through its own code, which took two to three times as long. Padding behind a sentence would
be read first by the backward direction, so each direction is a layer of its own, and the second one
gets every sentence turned round.
"""

from __future__ import annotations

from typing import Any

from ladtl_np.bench.peer.functions import Tensor, rnn, torch

__all__ = ["PaddedLstm"]


class PaddedLstm:
    """What a bidirectional ``nn.LSTM`` computes of a packed sequence, with its parameters.

    Parameters
    ----------
    lstm
        The layer, with one set of weights for each direction.
    """

    def __init__(self, lstm: Any) -> None:
        self.directions = []
        for suffix in ("", "_reverse"):
            layer = torch.nn.LSTM(lstm.input_size, lstm.hidden_size)
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                setattr(layer, f"{kind}_l0", getattr(lstm, f"{kind}_l0{suffix}"))
            self.directions.append(layer)

    def __call__(self, packed: Any) -> tuple[Any, None]:
        """Hidden states as a packed sequence, longest sentence first; the second is never read."""
        X, lengths = rnn.pad_packed_sequence(packed)
        return rnn.pack_padded_sequence(self.padded(X, turned(len(X), lengths)), lengths), None

    def padded(self, X: Tensor, places: Tensor) -> Tensor:
        """Hidden states (T, B, 2H) of X (T, B, D); padding is 0 or anything."""
        forward, backward = self.directions
        last = backward(X.gather(0, places.expand(-1, -1, X.shape[2])))[0]
        return torch.cat([forward(X)[0], last.gather(0, places.expand(-1, -1, last.shape[2]))], 2)


def turned(steps: int, lengths: Tensor) -> Tensor:
    """Where each element (T, B, 1) goes when sentences are turned round; padding stays."""
    t = torch.arange(steps)[:, None]
    return torch.where(t < lengths, lengths - 1 - t, t)[:, :, None]
