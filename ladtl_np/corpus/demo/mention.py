"""What sentences are composed of before they become characters and tags."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Mention"]


class Mention(NamedTuple):
    """A stretch of a sentence: its text and its entity type, "" outside all entities."""

    text: str
    kind: str
