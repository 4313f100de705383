"""Gold and predicted tags of a run, and the corpora that its manifest names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ladtl_np.corpus.demo import DEMO
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.read import read_corpus
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DataError, LadtlError, UsageError
from ladtl_np.printable import shown
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.manifest import DataFile
from ladtl_np.runs.names import CONFIG
from ladtl_np.runs.predictions import read_predictions

__all__ = ["Library", "read_tagged_pair"]


class Library:
    """Corpora of the runs, each read once; raises what was wrong with one each time it is asked."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str, str], Corpus | LadtlError] = {}

    def corpus(self, run: FoundRun, entry: DataFile) -> Corpus:
        """Read a corpus as the run read it.

        Raises
        ------
        UsageError
            If it is no file, or not found from here.
        DataError
            If it cannot be read, or is another file by now.
        """
        options = _format(run, entry.role)
        key = (entry.name, entry.sha256, repr(options))
        if key not in self._held:
            try:
                self._held[key] = _read(entry, options)
            except LadtlError as error:
                self._held[key] = error
        found = self._held[key]
        if isinstance(found, LadtlError):
            raise found
        return found


def _read(entry: DataFile, options: ReadOptions) -> Corpus:
    if entry.name.startswith(DEMO):
        raise UsageError(f"{entry.name} is synthetic and in no file")
    if not Path(entry.name).exists():
        raise UsageError(f"{entry.name} is not there, seen from this folder")
    corpus = read_corpus(entry.name, options)
    if entry.sha256 and corpus.sha256 != entry.sha256:
        raise DataError(f"{entry.name} has changed since the run")
    return corpus


def _format(run: FoundRun, role: str) -> ReadOptions:
    """How the run read the files of a role; defaults where its options do not tell."""
    sides = {"source": ["source"], "target": ["target"]}.get(role, ["target", role])
    own: dict[str, Any] = {}
    for side in sides:  # what is told of dev or test data goes before what the target's files have
        lead = f"data.{side}_format."
        for key, value in run.options.items():
            if key.startswith(f"{lead}rename."):
                own.setdefault("rename", {})[key.removeprefix(f"{lead}rename.")] = value
            elif key.startswith(lead):
                own[key.removeprefix(lead)] = value
    try:
        return msgspec.convert(own, ReadOptions)
    except msgspec.ValidationError as error:
        raise DataError(f"{run.folder / CONFIG}: {shown(str(error), 200)}") from None


def read_tagged_pair(run: FoundRun, corpus: str, library: Library) -> tuple[Corpus, Corpus]:
    """Gold and predicted tags of a test corpus, in one scheme.

    Gold is the middle column of the predictions, or comes from the corpus that the manifest names.

    Raises
    ------
    UsageError
        If there are no predictions, or no gold.
    DataError
        If they do not belong together.
    """
    gold, predicted = read_predictions(run, corpus, lambda: _gold(run, corpus, library))
    if [s.tokens for s in gold] != [s.tokens for s in predicted]:
        raise DataError(f"{run.predictions(corpus)} holds other sentences than {gold.name}")
    return gold, predicted


def _gold(run: FoundRun, corpus: str, library: Library) -> Corpus:
    entry = run.data_of(corpus)
    if entry is None:
        raise UsageError(
            f"{run.predictions(corpus)} has no gold tags, and the manifest names no file that has"
        )
    return library.corpus(run, entry)
