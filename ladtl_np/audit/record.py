"""What an audit was made of: files by hash, corpora, versions, machine and options."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

from ladtl_np.bench.machine import machine
from ladtl_np.pages.content import Cell, Section, Table, visible
from ladtl_np.runs.manifest import read_manifest
from ladtl_np.runs.marker import run_files

__all__ = ["Record", "record_of"]

_CHUNK = 1 << 20
_FACTS = ("cpu", "cores", "system", "python", "blas")


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that a later reader needs to know which numbers were checked, and with what.

    Attributes
    ----------
    run
        The run's folder, as it was named.
    made
        When, in UTC to the second.
    method
        Of the run.
    files
        SHA-256 of each of the run's own files, by name.
    corpora
        Role, name and SHA-256 of each corpus, as the manifest has them.
    trained, audited
        Versions that the run was trained with, and those that audited it.
    facts
        Processor and system of the audit.
    options
        Tolerances, seed and sizes of the audit.
    """

    run: str
    made: str
    method: str
    files: dict[str, str]
    corpora: list[tuple[str, str, str]]
    trained: dict[str, str]
    audited: dict[str, str]
    facts: dict[str, str]
    options: dict[str, Any]

    def section(self) -> Section:
        """The record as a part of a page."""
        told = [
            ("run", self.run),
            ("method", self.method),
            ("audited", self.made),
            *self.facts.items(),
            *((f"option {name}", str(value)) for name, value in self.options.items()),
        ]
        packages = dict.fromkeys([*self.trained, *self.audited])
        versions = [(name, self.trained.get(name), self.audited.get(name)) for name in packages]
        tables = [
            _table("record", "What was audited, where and how", ["fact", "value"], told),
            _table(
                "record-versions",
                "Versions that the run was trained with, and that audited it",
                ["package", "trained with", "audited with"],
                [[text or "" for text in row] for row in versions],
            ),
            _table("record-files", "Files of the run", ["file", "SHA-256"], self.files.items()),
            _table("record-corpora", "Its corpora", ["role", "name", "SHA-256"], self.corpora),
        ]
        return Section("record", "Record", tables=tables)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "run": visible(self.run),
            "made": self.made,
            "method": visible(self.method),
            "files": self.files,
            "corpora": [
                {"role": role, "name": visible(name), "sha256": digest}
                for role, name, digest in self.corpora
            ],
            "versions": {"trained": self.trained, "audited": self.audited},
            "machine": self.facts,
            "options": self.options,
        }


def record_of(run: str | PathLike[str], options: Mapping[str, Any]) -> Record:
    """Hash a run's files and name all that an audit of it depends on.

    Raises
    ------
    UsageError, DataError
        If it is no run folder, or its manifest cannot be read.
    """
    folder = Path(run)
    manifest = read_manifest(folder)
    seen = machine()
    return Record(
        run=str(run),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        method=manifest.method,
        files={name: _digest(folder / name) for name in sorted(run_files(folder))},
        corpora=[(entry.role, entry.name, entry.sha256) for entry in manifest.data],
        trained={name: str(version) for name, version in manifest.versions.items()},
        audited=dict(seen["versions"]),
        facts={name: str(seen[name]) for name in _FACTS if seen.get(name)},
        options=dict(options),
    )


def _table(name: str, caption: str, header: list[str], rows: Any) -> Table:
    cells = [[Cell(str(text)) for text in row] for row in rows]
    return Table(name, caption, header, cells, names=len(header))


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
