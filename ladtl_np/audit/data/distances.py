"""The MMD of each label that a run's manifest tells, computed again with its best model."""

from __future__ import annotations

from collections.abc import Iterator

from ladtl_np.arrays.workers import Workers
from ladtl_np.audit.data.evidence import Evidence
from ladtl_np.audit.outcome import Line, held, noted
from ladtl_np.audit.run_files import Moved
from ladtl_np.audit.subject import run_subject
from ladtl_np.errors import LadtlError
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.runs.label_mmd import label_mmds
from ladtl_np.runs.names import MANIFEST

__all__ = ["distance_lines"]

_TOLERANCE = 1e-5
"""Of a share of Q: other processors add float32 numbers in another order."""


def distance_lines(evidence: Evidence, moved: Moved | None) -> Iterator[Line]:
    """The largest difference of a label; none where the run tells of no label."""
    told, model = evidence.manifest.label_mmd, evidence.model
    check = f"MMD of each label and {MANIFEST}"
    if not told or model is None:
        return
    try:
        prepared = run_subject(evidence.folder, moved).prepared
    except LadtlError as error:  # a training file that is not there, or another one
        yield noted(check, "not computed again", str(error))
        return
    if prepared is None:
        raise ValueError("a run's subject is prepared")
    found = label_mmds(model.network, prepared, Workers(evidence.config.threads))
    sizes = [
        [(one.source, one.target, one.source_tokens, one.target_tokens) for one in labels]
        for labels in (told, found)
    ]
    if sizes[0] != sizes[1]:
        yield Line(check, "other labels or tokens", f"{len(told)} labels", "failed")
        return
    errors = [abs(one.mmd - other.mmd) for one, other in zip(told, found, strict=True)]
    largest = max(errors)
    where = f"{told[errors.index(largest)].target}, as a share of Q"
    yield held(check, largest / len(REFERENCE_VARIANCES), _TOLERANCE, where)
