"""How exactly a trained model computes."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["PRECISION", "PRECISIONS", "Precision"]

Precision = Literal["float32", "bfloat16"]
"""What the LSTM's products round their factors to; everything else is float32."""

PRECISIONS: tuple[Precision, ...] = get_args(Precision)
PRECISION: Precision = "float32"
"""The one of training, and where nothing else is chosen."""
