"""What `check_gradients` does where nothing else is chosen; the command shows it in its help."""

from __future__ import annotations

__all__ = ["COORDINATES", "DIRECTIONS", "LONGEST", "SENTENCES"]

SENTENCES, LONGEST = 3, 12
"""Sentences of either domain whose gradients are looked at, and tokens of each at most."""
COORDINATES, DIRECTIONS = 6, 2
"""Of each parameter block that are moved."""
