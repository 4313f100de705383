"""What a run folder holds: the wanted run, finished; part of a run; or a run of other options."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from ladtl_np.corpus.lines import file_sha256
from ladtl_np.errors import UsageError
from ladtl_np.experiment.expansion import RunSpec
from ladtl_np.experiment.job import VECTORS
from ladtl_np.options.config import Config, differing_options, parse_config, read_config
from ladtl_np.printable import some_of
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.manifest import ChosenFile
from ladtl_np.runs.names import CONFIG

__all__ = ["State", "state_of", "unnamed"]

_LISTED = 3  # differences that a message names


class State(NamedTuple):
    """A run folder, held against the run that is wanted there.

    Attributes
    ----------
    kind
        ``finished``: this run, with its results. ``to do``: nothing, or a run that was
        interrupted. ``different``: results of other options or data.
    differences
        What differs, in words.
    """

    kind: Literal["finished", "to do", "different"]
    differences: str = ""


def state_of(spec: RunSpec, out: Path, hashes: Mapping[str, str]) -> State:
    """Compare a run folder with a run.

    Options are compared but for those that change no result: threads, and where files lie. Files
    are compared by their hashes instead.

    Parameters
    ----------
    spec
        The run that is wanted.
    out
        Folder of the experiment.
    hashes
        SHA-256 of the files that it reads, by path.
    """
    run = FoundRun(out / spec.folder, out)
    manifest = run.finished()
    if manifest is None:
        return State("to do")
    try:
        found = parse_config(read_config(run.folder / CONFIG))
    except UsageError:
        return State("different", f"{CONFIG} cannot be read")
    told = [
        f"{key} is {there!r} there and {here!r} here"
        for key, there, here in differing_options(unnamed(found), unnamed(spec.config))
    ]
    recorded = [(entry.role, entry.sha256) for entry in manifest.data]
    wanted_files = [(file.role, hashes[file.path]) for file in spec.config.data.files()]
    if recorded != wanted_files or _vectors(run, spec, hashes):
        told.append("the corpora or word vectors were other files")
    if _chosen(manifest.target_chosen, spec.config.data.target_chosen):
        told.append("other sentences of the target were chosen")
    if not told:
        return State("finished")
    return State("different", some_of(told, _LISTED, "; "))


def unnamed(config: Config, *also: str) -> Config:
    """The options without the names of files that are compared by their hashes.

    These are sources, target and development data, and what `also` names. Tests keep theirs, as
    predictions are called after them.
    """
    gone = dict.fromkeys(also, "")
    own = {name: "" for name in ("label_map",) if name in gone}
    more = [msgspec.structs.replace(one, file="", **own) for one in config.data.more_sources]
    gone |= {"source": "-" if more else "", "target": "", "target_chosen": "", "dev": ""}
    data = msgspec.structs.replace(config.data, more_sources=more, **gone)
    return msgspec.structs.replace(config, data=data)


def _chosen(recorded: ChosenFile | None, path: str) -> bool:
    """Whether a run had another list of sentences than there is now, or the list is gone."""
    there = file_sha256(path) if os.path.isfile(path) else ""
    return there != ("" if recorded is None else recorded.sha256)


def _vectors(run: FoundRun, spec: RunSpec, hashes: Mapping[str, str]) -> bool:
    """Whether the run's log tells of other word vectors, or of none where there are some."""
    path = spec.config.data.embeddings
    if not path:
        return False
    events = run.events(VECTORS)
    return events is None or hashes[path] not in [event.get("sha256") for event in events]
