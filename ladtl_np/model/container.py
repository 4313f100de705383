"""Safetensors files of this package: arrays, and a JSON text in the header.

What is read may be damaged or hostile: everything is checked before anything is allocated that
the file's own size does not bound, and a message never repeats more than a few names of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from ladtl_np.errors import ModelFileError
from ladtl_np.printable import shown, some_of

__all__ = ["Arrays", "pack", "read_container", "require_arrays", "unpack"]

Arrays = dict[str, NDArray[Any]]

KEY = "ladtl_np"
"""The one metadata key: several would be stored in random order."""

MOST_ARRAYS = 1_000
_LISTED = 5  # array names that a message repeats


def pack(arrays: Mapping[str, NDArray[Any]], text: str) -> bytes:
    """Bytes of a file; equal arrays and texts give equal bytes."""
    # safetensors stores wrong values for arrays that are not C-contiguous, without a word
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return safetensors.numpy.save(contiguous, metadata={KEY: text})


def read_container(path: str | PathLike[str], wanted: str) -> bytes:
    """Read a whole file; `wanted` says what it should have been.

    Raises
    ------
    ModelFileError
        If it is not there, cannot be read, or is no file.
    """
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise ModelFileError(f"{path}: not a file; give {wanted}")
        return Path(path).read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror}); give {wanted}") from None


def unpack(name: str, content: bytes, wanted: str) -> tuple[str, Arrays]:
    """Text and arrays of a file.

    Raises
    ------
    ModelFileError
        If it is cut short, damaged, or not one that `pack` made.
    """
    size = int.from_bytes(content[:8], "little")
    if len(content) < 8 or size > len(content) - 8:
        raise ModelFileError(f"{name}: cut short, or not what is wanted; was the copy complete?")
    foreign = f"{name}: not written by ladtl_np; give {wanted}"
    try:
        outer = msgspec.json.decode(content[8 : 8 + size], type=dict[str, Any])
        text = outer["__metadata__"][KEY]
    except (msgspec.DecodeError, KeyError, TypeError, RecursionError, UnicodeDecodeError):
        raise ModelFileError(foreign) from None
    if not isinstance(text, str):
        raise ModelFileError(foreign)
    if len(outer) - 1 > MOST_ARRAYS:
        raise ModelFileError(
            f"{name}: {len(outer) - 1:,} arrays, where no file of ladtl_np has {MOST_ARRAYS:,}"
        )
    try:
        return text, safetensors.numpy.load(content)
    except (SafetensorError, KeyError, ValueError) as error:
        raise ModelFileError(f"{name}: the arrays are damaged: {shown(str(error), 200)}") from None


def require_arrays(name: str, arrays: Arrays, wanted: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse arrays that are not those wanted, are no floats, or hold what is not finite."""
    different = sorted(arrays.keys() ^ wanted.keys())
    if different:
        some = some_of([shown(key) for key in different], _LISTED)
        raise ModelFileError(f"{name}: arrays missing or not expected: {some}")
    for key, shape in wanted.items():
        array = arrays[key]
        if array.shape != shape or array.dtype not in (np.float32, np.float64):
            raise ModelFileError(
                f"{name}: {key} is {array.dtype} {array.shape}, wanted floats {shape}"
            )
        if not np.isfinite(array).all():
            raise ModelFileError(f"{name}: {key} holds values that are not finite")
