"""The manifest of a run, read back: what was run, on what, and the scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec

from ladtl_np.corpus.documents import parse_json, read_document
from ladtl_np.corpus.limits import JSON_BYTES
from ladtl_np.corpus.tally import Remark
from ladtl_np.corpus.vectors.used import UsedVectors
from ladtl_np.errors import DataError, UsageError
from ladtl_np.printable import LONG, shown
from ladtl_np.runs.names import MANIFEST
from ladtl_np.runs.replacing import current
from ladtl_np.scoring import Semantics

__all__ = [
    "DEV",
    "ChosenFile",
    "DataFile",
    "LabelMmd",
    "Manifest",
    "Scores",
    "TypeCounts",
    "read_manifest",
]

DEV = "dev"
"""Name of the development scores; no test corpus, and without predictions."""


Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class TypeCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Entities and ratios, of one type or overall."""

    gold: Count = 0
    predicted: Count = 0
    correct: Count = 0
    precision: Share = 0.0
    recall: Share = 0.0
    f1: Share


class _Report(msgspec.Struct, frozen=True):
    overall: TypeCounts
    per_type: dict[str, TypeCounts] = {}


class Scores(msgspec.Struct, frozen=True):
    """Scores on one corpus by both readings."""

    conlleval: _Report
    strict: _Report
    illegal_predicted: Count = 0

    def f1(self, reading: Semantics) -> float:
        """F1 of all types by one reading, as a share."""
        report: _Report = getattr(self, reading)
        return report.overall.f1


class DataFile(msgspec.Struct, frozen=True):
    """A corpus of a run."""

    role: str
    name: str = ""
    sha256: str = ""
    sentences: Count = 0
    tokens: Count = 0
    scheme: str = "detect"


class ChosenFile(msgspec.Struct, frozen=True):
    """The file that says which sentences of the target's training corpus are used."""

    name: str = ""
    sha256: str = ""


class LabelMmd(msgspec.Struct, frozen=True):
    """Squared MMD between the hidden states of one matched label.    docs/math/mmd.md (13)

    Attributes
    ----------
    source, target
        The tag's name in either domain.
    domain
        Which of several sources: ``source``, ``source2``, ``source3``.
    source_tokens, target_tokens
        How many tokens were compared.
    mmd
        Under the 19 reference variances; between 0 and twice their number.
    """

    source: str
    target: str
    source_tokens: Count
    target_tokens: Count
    mmd: Annotated[float, msgspec.Meta(ge=-1, le=1000)]
    domain: str = "source"


class Manifest(msgspec.Struct, frozen=True):
    """What is read of a manifest; an unfinished run has no results.

    `updates` are the mini-batches of all stages, `sentences` those in them, of both domains;
    `updates_before` are the mini-batches of the stage before the one that `best_step` counts in.
    """

    method: str = ""
    command: list[str] = []
    versions: dict[str, Any] = {}
    machine: dict[str, Any] = {}
    data: list[DataFile] = []
    vectors: UsedVectors | None = None
    target_sentences_used: Count = 0
    target_tokens_used: Count = 0
    target_chosen: ChosenFile | None = None
    results: dict[str, Scores] | None = None
    best_step: Count | None = None
    label_mmd: list[LabelMmd] = []
    remarks: list[Remark] = []
    updates: Count | None = None
    sentences: Count | None = None
    updates_before: Count | None = None
    constrained_decoding: bool | None = None
    scheme: str = ""
    start: str = ""
    weights: dict[str, float | str] = {}

    def tests(self) -> list[str]:
        """Test corpora that the run was scored on."""
        return [name for name in self.results or {} if name != DEV]

    def data_of(self, corpus: str) -> DataFile | None:
        """Find the file behind a name of `results`, where the manifest tells."""
        if corpus == DEV:
            return next((entry for entry in self.data if entry.role == DEV), None)
        files, names = [entry for entry in self.data if entry.role == "test"], self.tests()
        return files[names.index(corpus)] if len(names) == len(files) and corpus in names else None


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a run's folder, which must be there.

    Raises
    ------
    DataError
        If it is not one.
    """
    path = current(folder, MANIFEST)
    try:
        manifest: Manifest = parse_json(read_document(path, JSON_BYTES), Manifest)
    except UsageError as error:
        raise DataError(str(error)) from None
    except ValueError as error:
        raise DataError(f"{shown(str(path), LONG)}: not the manifest of a run: {error}") from None
    if any("/" in name or "\0" in name for name in manifest.results or {}):
        place = shown(str(path), LONG)
        raise DataError(f"{place}: not the manifest of a run: a corpus is named by a whole path")
    return manifest
