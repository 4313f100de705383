"""What a finished run tells of itself, and its files as they are now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from ladtl_np.audit.run_files import Moved, run_options
from ladtl_np.corpus.read import read_corpus
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DataError, LadtlError, UsageError
from ladtl_np.model.file import Model, load_model
from ladtl_np.options.config import Config
from ladtl_np.options.input_file import InputFile, Role
from ladtl_np.options.method_checks import chosen_method
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.manifest import DataFile, Manifest
from ladtl_np.runs.names import BEST
from ladtl_np.runs.run import demo_corpora

__all__ = ["Evidence", "Held", "read_evidence"]


class Held(NamedTuple):
    """A corpus of the run as it is now.

    Attributes
    ----------
    role, name
        What it is to the run, and its file or the name of a generated one.
    told
        What the manifest says of it.
    corpus
        What was read; None where it could not be.
    problem
        Why not.
    number
        Which of its role it is, from 0 on.
    """

    role: Role
    name: str
    told: DataFile | None
    corpus: Corpus | None
    problem: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A finished run.

    Attributes
    ----------
    folder, run
        Where it is.
    config
        Its options, with the files where they are now; `written` has them as they stand in the
        folder.
    manifest
        What was run, on what, and the scores.
    held
        Its corpora, in the order of their roles.
    generated
        Whether they are the demo's, which have no files.
    model
        The best one; None where it cannot be read, and `problem` says why.
    """

    folder: Path
    run: FoundRun
    config: Config
    written: Config
    manifest: Manifest
    held: tuple[Held, ...]
    generated: bool
    model: Model | None
    problem: str = ""

    def of(self, *roles: Role) -> list[Held]:
        """The corpora of some roles that could be read."""
        return [one for one in self.held if one.role in roles and one.corpus is not None]

    def numbered(self, held: Held) -> str:
        """Name a corpus by its role: ``source``, ``source2``."""
        return held.role if not held.number else f"{held.role}{held.number + 1}"

    def result_name(self, held: Held) -> str | None:
        """Under which name the scores on a corpus stand in the manifest."""
        names = [name for name in self.manifest.results or {}]
        found = (name for name in names if self.manifest.data_of(name) is held.told)
        return None if held.told is None else next(found, None)

    def short(self, held: Held) -> str:
        """Name a corpus as the manifest's scores do, or by its file."""
        return self.result_name(held) or held.name


def read_evidence(folder: str | PathLike[str], moved: Moved | None = None) -> Evidence:
    """Read all that a run's folder has, and every corpus that can be read.

    Raises
    ------
    UsageError
        If it is no run folder, or the run is not finished.
    DataError
        If its manifest is none.
    """
    path = Path(folder)
    config, written = run_options(path, moved), run_options(path)
    run = FoundRun.at(path)
    if run.manifest.results is None:
        raise UsageError(
            f"{path}: this run is not finished, so there is nothing to check; ladtl train --resume "
            "goes on with it"
        )
    generated = not config.data.target
    told = list(run.manifest.data)
    if generated:
        corpora = demo_corpora(config).roles()
        held = [Held(role, one.name, _told(told, role), one) for role, one in corpora]
    else:
        held = [_read(file, _told(told, file.role)) for file in _files(config)]
    held = [
        one._replace(number=sum(other.role == one.role for other in held[:place]))
        for place, one in enumerate(held)
    ]
    model, problem = _model(path, config)
    return Evidence(
        path, run, config, written, run.manifest, tuple(held), generated, model, problem
    )


def _files(config: Config) -> Iterable[InputFile]:
    """The corpora that the run has read."""
    method = chosen_method(config, has_source=bool(config.data.source))
    return [file for file in config.data.files() if file.role != "source" or method.reads_source]


def _told(entries: list[DataFile], role: Role) -> DataFile | None:
    """Take the manifest's next entry of a role."""
    found = next((entry for entry in entries if entry.role == role), None)
    if found is not None:
        entries.remove(found)
    return found


def _read(file: InputFile, told: DataFile | None) -> Held:
    if not Path(file.path).exists():
        return Held(file.role, file.path, told, None, "not there")
    try:
        corpus = read_corpus(file.path, file.format, require_renames=file.trains)
    except (DataError, UsageError) as error:
        return Held(file.role, file.path, told, None, f"cannot be read: {error}")
    return Held(file.role, file.path, told, corpus)


def _model(path: Path, config: Config) -> tuple[Model | None, str]:
    """The best model, with its key where that is there."""
    key = config.vocabulary.key
    try:
        return load_model(path / BEST, key if key and Path(key).is_file() else None), ""
    except LadtlError as error:
        return None, str(error)
