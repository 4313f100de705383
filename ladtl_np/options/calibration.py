"""What a temperature may be fitted by."""

from __future__ import annotations

from typing import Literal

__all__ = ["By"]

By = Literal["path", "token"]
"""What it makes most likely: all tags of a sentence together, or the tag of each token."""
