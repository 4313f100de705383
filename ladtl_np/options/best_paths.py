"""How many best paths may be asked for."""

from __future__ import annotations

__all__ = ["MOST_PATHS"]

MOST_PATHS = 100
"""Best tag sequences of a sentence: each takes memory for every tag of every token."""
