"""The numbers that scoring finds: counts, one report a reading, both readings together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Counts", "Report", "Scores", "TypeScores"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of entities; the ratios are 0.0 where they are undefined.

    Attributes
    ----------
    gold
        Entities in the gold tags (true positives and false negatives).
    predicted
        Entities in the predicted tags (true positives and false positives).
    correct
        Entities in both, same tokens and same type (true positives).
    """

    gold: int = 0
    predicted: int = 0
    correct: int = 0

    @property
    def precision(self) -> float:
        """``correct / predicted``."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """``correct / gold``."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """``2 correct / (gold + predicted)``, the harmonic mean of precision and recall."""
        return 2 * self.correct / (self.gold + self.predicted) if self.correct else 0.0

    def to_json(self) -> dict[str, int | float]:
        """Return counts and ratios as plain numbers."""
        return {
            "gold": self.gold,
            "predicted": self.predicted,
            "correct": self.correct,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
        }


TypeScores = dict[str, Counts]
"""Counts by entity type, in the order of the types."""


@dataclass(frozen=True, slots=True)
class Report:
    """The scores in one of the two readings.

    Attributes
    ----------
    overall
        All entities together, so its F1 is the micro average.
    per_type
        Counts of each type that has an entity in the gold or the predicted tags, sorted by type.
    """

    overall: Counts
    per_type: TypeScores

    @property
    def macro_f1(self) -> float:
        """Mean F1 of the types in `per_type`, 0.0 if there is none."""
        values = [counts.f1 for counts in self.per_type.values()]
        return sum(values) / len(values) if values else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain numbers and dicts."""
        per_type = {kind: counts.to_json() for kind, counts in self.per_type.items()}
        return {
            "overall": self.overall.to_json(),
            "macro_f1": self.macro_f1,
            "per_type": per_type,
        }


@dataclass(frozen=True, slots=True)
class Scores:
    """Everything that `score` finds.

    Attributes
    ----------
    conlleval, strict
        The scores in the two readings.
    token_accuracy
        Share of tokens whose predicted tag equals the gold tag, O included; 0.0 without tokens.
    sentences, tokens
        How many were compared.
    illegal_gold, illegal_predicted
        Tags that the scheme does not allow where they stand.
    """

    conlleval: Report
    strict: Report
    token_accuracy: float
    sentences: int
    tokens: int
    illegal_gold: int
    illegal_predicted: int

    def to_json(self) -> dict[str, Any]:
        """Return the scores as plain numbers and dicts."""
        return {
            "conlleval": self.conlleval.to_json(),
            "strict": self.strict.to_json(),
            "token_accuracy": self.token_accuracy,
            "sentences": self.sentences,
            "tokens": self.tokens,
            "illegal_gold": self.illegal_gold,
            "illegal_predicted": self.illegal_predicted,
        }
