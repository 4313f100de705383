"""What ``ladtl evaluate`` has found, and the same for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ladtl_np.corpus.inspection import illegal_places
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.tally import Remark
from ladtl_np.corpus.unknown import UnknownTokens
from ladtl_np.options.precision import Precision
from ladtl_np.scoring import Scores
from ladtl_np.scoring.calibration import Calibration

if TYPE_CHECKING:
    from ladtl_np.model.confidence import Sure

__all__ = ["Evaluated", "Results", "as_json_of"]

Results = list[list[Scores]]  # by model, then by file


class Evaluated(NamedTuple):
    """What was found.

    Attributes
    ----------
    scores, unknown
        Scores, and tokens that the model does not know: by model, then by file.
    constrained, ways, usual
        By model: whether decoding was constrained, also in words, and the unknown tokens of its
        development data.
    remarks
        What stands out.
    calibrations
        How well probabilities hold, if that was asked for: by model, then by file.
    sure
        Each sentence's tags with their probabilities, if a page was asked for: by model, then by
        file.
    """

    scores: Results
    unknown: list[list[UnknownTokens]]
    constrained: list[bool]
    ways: list[str]
    usual: list[UnknownTokens | None]
    remarks: list[Remark]
    calibrations: list[list[dict[str, Calibration]]]
    sure: list[list[list[Sure]]]


def as_json_of(
    models: Sequence[str],
    corpora: Sequence[Corpus],
    found: Evaluated,
    domain: str,
    precision: Precision,
) -> dict[str, Any]:
    """Everything that was found, in the order of the arguments."""
    places = [illegal_places(corpus)[1] for corpus in corpora]
    by_model = zip(
        models,
        found.scores,
        found.constrained,
        found.unknown,
        found.usual,
        found.calibrations,
        strict=True,
    )
    return {
        "domain": domain,
        "precision": precision,
        "results": [
            {
                "model": model,
                "constrained": way,
                "gold": corpus.name,
                "gold_sha256": corpus.sha256,
                "scheme": corpus.scheme,
                "illegal_gold_places": place,
                "unknown_tokens": unknown.unknown,
                "dev_unknown_share": None if usual is None else usual.share,
                "scores": scores.to_json(),
                **_calibration(calibrations, number),
            }
            for model, row, way, counts, usual, calibrations in by_model
            for number, (corpus, place, scores, unknown) in enumerate(
                zip(corpora, places, row, counts, strict=True)
            )
        ],
    }


def _calibration(of_model: Sequence[dict[str, Calibration]], number: int) -> dict[str, Any]:
    """How well probabilities hold on one file, if that was asked for."""
    if not of_model:
        return {}
    by_type = {kind: one.to_json() for kind, one in of_model[number].items()}
    return {"calibration": {"overall": by_type.pop(""), "types": by_type}}
