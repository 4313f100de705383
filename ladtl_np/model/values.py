"""Numbers that a model may have."""

from __future__ import annotations

import numpy as np

from ladtl_np.errors import ModelFileError
from ladtl_np.layers.bilstm import DIRECTIONS
from ladtl_np.model.container import Arrays
from ladtl_np.model.network import CHARACTERS, EMBEDDING

__all__ = ["require_small_sums", "require_values"]


def require_values(name: str, arrays: Arrays) -> None:
    """Refuse parameters with which nothing could be computed.

    They are floats of one kind and finite. Sums of an LSTM cannot overflow with them: its gates
    would hide that from all that follows. A CRF's sums are looked at for each sentence instead.

    Raises
    ------
    ModelFileError
        Naming the array.
    """
    kinds = sorted({str(array.dtype) for array in arrays.values()})
    if kinds not in (["float32"], ["float64"]):
        raise ModelFileError(f"{name}: arrays of {', '.join(kinds)}, wanted floats of one kind")
    for key, array in arrays.items():
        if not np.isfinite(array).all():
            raise ModelFileError(f"{name}: {key} holds values that are not finite")
    require_small_sums(name, arrays, "", EMBEDDING)
    if f"{CHARACTERS}.embedding" in arrays:
        require_small_sums(name, arrays, f"{CHARACTERS}.", f"{CHARACTERS}.embedding")


def require_small_sums(name: str, arrays: Arrays, lead: str, inputs: str) -> None:
    """Refuse an LSTM whose sums could overflow; `lead` starts its name, `inputs` names its table.

    |x W + b + h U| <= D |x| |W| + |b| + H |U|, where every bar is the largest of all.

    Raises
    ------
    ModelFileError
        Naming the array.
    """
    x = max(1.0, _largest(arrays[inputs]))  # states of characters stand beside a word, below 1
    for direction in DIRECTIONS:
        W, U, b = (f"{lead}{direction}.{letter}" for letter in "WUb")
        parts = {
            W: len(arrays[W]) * x * _largest(arrays[W]),
            U: len(arrays[U]) * _largest(arrays[U]),
            b: _largest(arrays[b]),
        }
        if sum(parts.values()) > float(np.finfo(arrays[W].dtype).max):
            key = max(parts, key=parts.__getitem__)
            raise ModelFileError(f"{name}: {key} or {inputs} is so large that sums would overflow")


def _largest(array: np.ndarray) -> float:
    return max(float(array.max()), -float(array.min()))
