"""What `ladtl evaluate --calibration --json` has found, read for a report."""

from __future__ import annotations

import msgspec

from ladtl_np.corpus.documents import parse_json, read_document
from ladtl_np.corpus.limits import TABLE_BYTES
from ladtl_np.errors import DataError
from ladtl_np.printable import LONG, shown
from ladtl_np.scoring.calibration import Bin, Kept

__all__ = ["Calibrated", "Numbers", "read_calibrations"]


class Numbers(msgspec.Struct, frozen=True):
    """Of all entities, or of those of one type, see `scoring.calibration.Calibration`."""

    gold: int
    predicted: int
    mean_probability: float
    precision: float
    ece: float
    brier: float
    bins: list[dict[str, float]]
    at_wanted_precision: dict[str, float] | None

    def filled(self) -> list[Bin]:
        """Bins that hold an entity."""
        found = [Bin(**one) for one in self.bins]  # type: ignore[arg-type]
        return [one for one in found if one.entities]

    def kept(self) -> Kept | None:
        """What can be kept with the wanted precision."""
        at = self.at_wanted_precision
        return None if at is None else Kept(**at)


class _Calibration(msgspec.Struct, frozen=True):
    overall: Numbers
    types: dict[str, Numbers]


class Calibrated(msgspec.Struct, frozen=True):
    """One model on one file."""

    model: str
    gold: str
    calibration: _Calibration


class _File(msgspec.Struct, frozen=True):
    results: list[Calibrated]


def read_calibrations(path: str) -> list[Calibrated]:
    """Read such a file.

    Raises
    ------
    UsageError
        If it cannot be opened.
    DataError
        If it is none.
    """
    try:
        found: _File = parse_json(read_document(path, TABLE_BYTES), _File)
        for one in found.results:
            for numbers in (one.calibration.overall, *one.calibration.types.values()):
                numbers.filled()
                numbers.kept()
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{shown(path, LONG)} is not what `ladtl evaluate --calibration --json` prints: "
            f"{shown(str(error), 200)}"
        ) from None
    return found.results
