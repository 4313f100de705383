"""What to know of an audit's subject beside what the audit finds."""

from __future__ import annotations

from ladtl_np.objective.terms import Objective

__all__ = ["DEMO", "OTHERS_STANDING_IN", "STANDING_IN", "notes_of"]

STANDING_IN = (
    "No corpus of the source was given. The target's own sentences stand in for it, with their "
    "tags taken over to the source's through the label map, and tags without a partner as O."
)
"""Note of a subject whose source is not there."""
OTHERS_STANDING_IN = (
    "A corpus was given of the first source. The target's own sentences stand in for the others."
)
"""Note of a subject of several sources, one of which is there."""
_SEVERAL = (
    "There are {count} sources. Gradients are those of all of them. Everything else looks at one "
    "of them and the target, with the others left out of the network and of the loss."
)
_MASKED = (
    "Each is looked at under the mask of a single source. Under the run's own masks, which leave "
    "each of several sources fewer units of its own, gradients alone are checked."
)
_ESTIMATED = (
    "The run estimates the MMD of large labels by random features. It is looked at in its exact "
    "form here; of the features themselves, the audit of gradients checks small cases."
)
DEMO = (
    "The subject is a small network at random start values, on invented sentences; it has a bias "
    "and reads characters, and both domains name and order their types otherwise, so that every "
    "part of the mathematics has something to do."
)


def notes_of(count: int, objective: Objective, projection: str) -> tuple[str, ...]:
    """What to know where a network has several sources, and where its MMD is estimated."""
    several: tuple[str, ...] = (_SEVERAL.format(count=count),) if count > 1 else ()
    if several and projection == "mask":
        several = (*several, _MASKED)
    return several if objective.frequencies is None else (*several, _ESTIMATED)
