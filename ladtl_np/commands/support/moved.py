"""Options that say where the files of a run are now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ladtl_np.commands.support.formats import Function, apply_options, vocabulary_key_option

if TYPE_CHECKING:
    from ladtl_np.audit.run_files import Moved

__all__ = ["MOVED", "moved_files", "moved_options", "run_inputs"]

MOVED = (
    *("source", "target", "target_chosen", "dev", "test", "label_map", "embeddings"),
    "vocabulary_key",
)
"""Names of the values that `moved_options` gives."""

_SEVERAL = ("source", "test", "label-map")
_WHAT = {
    "source": "source is now; give all of them in the run's order",
    "target": "training corpus of the target",
    "target-chosen": "file of chosen sentences of the target",
    "dev": "development corpus",
    "test": "test corpus is now; give all of them in the run's order",
    "label-map": "label map is now; of several sources give all that differ, in their order",
    "embeddings": "file of word vectors",
}


def moved_options(function: Function) -> Function:
    """Add an option for each file of a run."""
    named = [
        click.option(
            f"--{name}",
            metavar="FILE",
            multiple=name in _SEVERAL,
            help=f"Where the run's {what}{'' if name in _SEVERAL else ' is now'}.",
        )
        for name, what in _WHAT.items()
    ]
    return apply_options(function, *named, vocabulary_key_option)


def moved_files(values: dict[str, Any]) -> Moved:
    """Take the values of `moved_options` out of a command's."""
    from ladtl_np.audit.run_files import Moved

    given: dict[str, Any] = {name: values.pop(name) or "" for name in MOVED}
    given |= {name: tuple(given[name]) for name in ("source", "test", "label_map")}
    return Moved(**given)


def run_inputs(folder: str, moved: Moved) -> list[str]:
    """The files that a run was made from, which no output may replace."""
    from ladtl_np.audit.run_files import run_options

    config = run_options(folder, moved)
    key = config.vocabulary.key
    return [*config.data.inputs(), *([key] if key else [])]
