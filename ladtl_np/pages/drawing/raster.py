"""Small pictures as PNG, for drawings with more cells than SVG should have elements."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

from ladtl_np.shapes import Floats

__all__ = ["SIGNED", "png", "png_address"]

SIGNED = ((0x3F, 0x87, 0xC9), (0xD0, 0x6A, 0x28))
"""Colours of positive and of negative values: the pen's blue and orange."""
_STEPS = 63  # of either sign
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(values: Floats) -> bytes:
    """Paint a matrix, a pixel for each value in [-1, 1].

    Positive values are blue, negative ones orange; both are the more opaque the larger they are, so
    that 0 is what is behind the picture, on light and on dark pages. Values beyond are cut, and NaN
    is 0.

    Parameters
    ----------
    values
        (rows, columns), neither 0.
    """
    rows, columns = values.shape
    steps = np.rint(_STEPS * np.clip(np.nan_to_num(values), -1.0, 1.0)).astype(np.int64)
    # palette: 0 is nothing, 1 to 63 positive, 64 to 126 negative
    numbers = np.where(steps < 0, _STEPS - steps, steps).astype(np.uint8)
    opaque = bytes(round(255 * step / _STEPS) for step in range(1, _STEPS + 1))
    colours = bytes(3) + b"".join(bytes(colour) * _STEPS for colour in SIGNED)
    lines = np.zeros((rows, columns + 1), np.uint8)  # each starts with 0: it is not filtered
    lines[:, 1:] = numbers
    # eight bits a pixel, palette, deflate, no filters but per line, not interlaced
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        (b"PLTE", colours),
        (b"tRNS", bytes(1) + opaque + opaque),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    ]
    return _SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def png_address(values: Floats) -> str:
    """The same as an address that holds the picture itself."""
    return f"data:image/png;base64,{base64.b64encode(png(values)).decode()}"
