"""What a run tells of itself: a row for each evaluation, its sources, names of their roles."""

from __future__ import annotations

from collections.abc import Container
from itertools import count
from typing import Any

from ladtl_np.training.events import Evaluation
from ladtl_np.training.prepared import Prepared

__all__ = ["metrics_row", "numbered", "sources_record"]


def numbered(role: str, taken: Container[str]) -> str:
    """A role's name where several corpora have it: ``source``, ``source2``, ``source3``."""
    names = (f"{role}{number}" for number in count(2))
    return role if role not in taken else next(name for name in names if name not in taken)


def sources_record(prepared: Prepared) -> list[dict[str, Any]]:
    """Name, share, sentences and matched tags of each source that either stage is trained on.

    One that is a file without its text has no sentences.
    """
    trained = prepared.trained_sources()
    if prepared.from_file is not None:
        trained = [(name, ()) for name in prepared.from_file.names()]
    pairs = zip(trained, prepared.objective.ties, strict=True)
    return [
        {
            "name": name,
            "share": tie.share,
            "sentences_used": len(sentences),
            "matched_tags": len(tie.matched[0]),
        }
        for (name, sentences), tie in pairs
    ]


def metrics_row(event: Evaluation) -> dict[str, Any]:
    """One row of metrics.tsv."""
    row: dict[str, Any] = {"step": event.step, "epoch": event.epoch, **event.terms._asdict()}
    row |= event.weights._asdict()
    row |= {"gradient_norm": event.gradient_norm, "learning_rate": event.learning_rate}
    if event.scores is not None:
        overall = event.scores.conlleval.overall
        row |= {"dev_precision": overall.precision, "dev_recall": overall.recall}
        row |= {"dev_f1": overall.f1, "dev_strict_f1": event.scores.strict.overall.f1}
    row |= {"best": event.best, "tokens_per_second": event.tokens_per_second}
    return row | {"seconds": event.seconds}
