"""Outputs of commands: checked before work starts, whole when they appear, and in UTF-8."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ladtl_np.commands.support.formats import naming_standard_output
from ladtl_np.errors import UsageError
from ladtl_np.files import new_file, require_apart
from ladtl_np.runs.marker import is_kept

__all__ = ["check_output", "open_output"]


def check_output(output: str, inputs: Iterable[str], *, overwrite: bool) -> None:
    """Refuse an output that cannot or should not be written, before any work is done.

    Raises
    ------
    UsageError
        If it is one of the inputs, a folder, in no folder, one of a run's own files, or exists
        without `overwrite`.
    """
    require_apart([output], inputs)
    if output == "-":
        return
    path = Path(output)
    if path.is_dir():
        raise UsageError(f"{output} is a folder; name a file inside it")
    if path.is_file() and not overwrite:
        raise UsageError(f"{output} exists; give --overwrite, or name another output")
    real = Path(os.path.realpath(path))
    if is_kept(real):
        raise UsageError(
            f"{output} is part of a run or an experiment, which only train and experiment may "
            "replace; name another output"
        )
    folder = real.parent
    if not folder.is_dir():
        raise UsageError(f"{output}: its folder does not exist; make it first")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise UsageError(f"{output} may not be written by you; name another output")
    if path.is_file() and not os.access(folder, os.W_OK):
        raise UsageError(
            f"{output}: its folder may not be written by you, and the file is written beside the "
            "earlier one; name another output"
        )


@contextlib.contextmanager
def open_output(output: str, *, overwrite: bool = True) -> Iterator[Callable[[str], None]]:
    """Open an output for writing text piece by piece, in UTF-8; ``-`` is standard output.

    A file is readable by its owner only, and appears under its name when all is written: after an
    error there is the earlier file, or none. Without `overwrite` none is replaced that another
    process has made meanwhile.
    """
    if output == "-":
        yield _write_standard_output
        return
    direct = os.path.exists(output) and not os.path.isfile(output)
    with new_file(Path(output), overwrite=overwrite) as file:

        def write(text: str) -> None:
            file.write(text.encode("utf-8"))
            if direct:
                file.flush()

        yield write


def _write_standard_output(text: str) -> None:
    with naming_standard_output():
        sys.stdout.buffer.write(text.encode("utf-8"))
        sys.stdout.buffer.flush()
