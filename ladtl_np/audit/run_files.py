"""A run's options and corpora read again, from where the files lie now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec

from ladtl_np.errors import UsageError
from ladtl_np.options.config import Config, parse_config, read_config
from ladtl_np.options.data_options import DataOptions
from ladtl_np.printable import LONG, counted, shown
from ladtl_np.runs.manifest import read_manifest
from ladtl_np.runs.names import CONFIG, MANIFEST
from ladtl_np.runs.run import demo_corpora, read_corpora, read_label_maps
from ladtl_np.training.preparation import prepare
from ladtl_np.training.prepared import Corpora, Prepared

__all__ = ["Moved", "prepared_run", "run_corpora", "run_options"]

_TRAINED = ("source", "target")


@dataclass(frozen=True, slots=True)
class Moved:
    """Where files of a run are now; what is empty is where the run's options say.

    Attributes
    ----------
    source, test
        The sources and the test corpora, all of them, in the run's order.
    target, dev
        Corpora.
    target_chosen
        Numbers of the target's sentences that were used.
    label_map
        The label maps, all that differ, in the run's order.
    embeddings, vocabulary_key
        As the options of ``ladtl train``.
    """

    source: str | tuple[str, ...] = ""
    target: str = ""
    dev: str = ""
    test: tuple[str, ...] = ()
    label_map: str | tuple[str, ...] = ""
    embeddings: str = ""
    vocabulary_key: str = ""
    target_chosen: str = ""


def run_options(folder: str | PathLike[str], moved: Moved | None = None) -> Config:
    """The options of a run, with the files where they are now.

    Raises
    ------
    UsageError
        If it is no run folder, its options cannot be read, or a file is named that it has none of.
    """
    path = Path(folder)
    if not (path / CONFIG).is_file():
        raise UsageError(f"{path}: not a run folder; looked for {CONFIG} in it")
    config = parse_config(read_config(path / CONFIG))
    if moved is None:
        return config
    data = config.data
    names = ("target", "target_chosen", "dev", "embeddings")
    named = {name: getattr(moved, name) for name in names}
    changes: dict[str, Any] = {name: place for name, place in named.items() if place}
    for name in changes:
        if not getattr(data, name):
            option = name.replace("_", "-")
            raise UsageError(f"{path}: this run has no {name} file; leave --{option} out")
    if moved.test:
        changes["test"] = list(_as_many(moved.test, data.test, "test", path))
    changes |= _moved_sources(data, moved, path)
    key = config.vocabulary
    if moved.vocabulary_key and key.key:
        key = msgspec.structs.replace(key, key=moved.vocabulary_key)
    changed = msgspec.structs.replace(data, **changes)
    return msgspec.structs.replace(config, data=changed, vocabulary=key)


def _moved_sources(data: DataOptions, moved: Moved, path: Path) -> dict[str, Any]:
    """The sources and their label maps where they are now, as options."""
    sources, maps = data.sources(), data.label_maps()
    files = _as_many(moved.source, [source.path for source in sources], "source", path)
    there = dict(zip(maps, _as_many(moved.label_map, maps, "label-map", path), strict=True))
    more = [
        msgspec.structs.replace(
            source, file=file, label_map=there.get(source.label_map, source.label_map)
        )
        for source, file in zip(data.more_sources, files[1:], strict=True)
    ]
    own = {"label_map": there.get(data.label_map, ""), "more_sources": more}
    return own | ({"source": files[0]} if files else {})


def _as_many(
    given: str | Sequence[str], names: Sequence[str], option: str, path: Path
) -> Sequence[str]:
    """Files that were given in the place of others, as many as there are; the others if none."""
    now = [given] if isinstance(given, str) and given else list(given)
    if not now:
        return names
    if not names:
        raise UsageError(f"{path}: this run has no {option} file; leave --{option} out")
    if len(now) != len(names):
        raise UsageError(
            f"{path}: this run has {counted(len(names), f'{option} files')}; name as many with "
            f"--{option}, in their order"
        )
    return now


def run_corpora(config: Config) -> Corpora:
    """The corpora of a run, from its options; those of the demo where they name none."""
    return read_corpora(config) if config.data.target else demo_corpora(config)


def prepared_run(folder: str | PathLike[str], moved: Moved | None = None) -> Prepared:
    """What a run's training started from, made again from its options and files.

    Raises
    ------
    UsageError
        If it is no run folder, a file that it names is not there, or a training corpus is another
        file than the run was trained on.
    DataError
        If a corpus cannot be read.
    """
    config = run_options(folder, moved)
    _require_files(config)
    corpora = run_corpora(config)
    _require_same(Path(folder), corpora)
    return prepare(config, corpora, *read_label_maps(config))


def _require_files(config: Config) -> None:
    """Refuse options whose files are not there; a key would be made anew."""
    data = config.data
    named: list[tuple[str, str]] = [(file.role, file.path) for file in data.files()]
    named += [("label-map", place) for place in data.label_maps()]
    named.append(("embeddings", data.embeddings))
    named += [("vocabulary-key", config.vocabulary.key)]
    for role, place in named:
        if place and not Path(place).exists():
            raise UsageError(
                f"{place}: no such file, which the run was made from; if it has moved, say where "
                f"it is now with --{role}"
            )


def _require_same(folder: Path, corpora: Corpora) -> None:
    """Refuse training corpora with other hashes than the manifest's: rows of words would differ."""
    if not (folder / MANIFEST).is_file():
        return
    entries = read_manifest(folder).data
    told = {role: iter([e.sha256 for e in entries if e.role == role]) for role in _TRAINED}
    for role, corpus in corpora.roles():
        then = next(told.get(role, iter(())), "")
        if then not in ("", corpus.sha256):
            raise UsageError(
                f"{shown(corpus.name, LONG)}: not the {role} corpus that the run was trained on, "
                f"whose SHA-256 is {shown(then)[:12]}... in {MANIFEST}; this one's is "
                f"{corpus.sha256[:12]}..."
            )
