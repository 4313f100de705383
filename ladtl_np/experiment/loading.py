"""Where an experiment's file is found: a path of the user's, or a name in the package."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from ladtl_np.errors import UsageError
from ladtl_np.experiment.file import Experiment, parse_experiment
from ladtl_np.options.config import apply_settings, read_config
from ladtl_np.options.input_file import require_utf8

__all__ = ["load_experiment", "packaged_experiments"]


def packaged_experiments() -> dict[str, Path]:
    """Experiments that come with the package: files by name."""
    folder = Path(str(resources.files("ladtl_np.experiment"))) / "packaged"
    return {path.stem: path for path in sorted(folder.glob("*.toml"), key=lambda path: path.stem)}


def load_experiment(
    file_or_name: str, data: Path | None = None, settings: Iterable[str] = ()
) -> Experiment:
    """Read an experiment file, or one that comes with the package.

    Parameters
    ----------
    file_or_name
        Path of a TOML file, or a name of `packaged_experiments`.
    data
        The folder that paths in the file start from; by default the file's own.
    settings
        Options of all runs as ``KEY=VALUE``, which win over the file's ``[settings]``.

    Raises
    ------
    UsageError
        If there is no such file, or anything in it is wrong; names file and key.
    """
    require_utf8([file_or_name, data or ""], "the experiment")
    packaged = packaged_experiments()
    if file_or_name in packaged and not Path(file_or_name).is_file():
        path, place = packaged[file_or_name], file_or_name
    elif file_or_name.endswith(".toml") or os.path.lexists(file_or_name):
        path, place = Path(file_or_name), file_or_name
    else:
        raise UsageError(
            f"{file_or_name}: no such file, and no experiment that comes with the package; "
            f"these are: {', '.join(packaged)}"
        )
    experiment = parse_experiment(read_config(path), place, data or path.parent, path.stem)
    needs_data = [name for name, files in experiment.corpora.items() if not files.demo]
    if path == packaged.get(file_or_name) and data is None and needs_data:
        raise UsageError(
            f"{place} reads corpora that are not part of the package; name the folder that holds "
            f"{experiment.corpora[needs_data[0]].train} and the others with --data"
        )
    return experiment._replace(settings=apply_settings(experiment.settings, settings))
