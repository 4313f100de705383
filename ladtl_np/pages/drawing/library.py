"""A folder for Matplotlib on machines where a user has no home and no temporary files."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ladtl_np.errors import UsageError

__all__ = ["font_folder"]

_FOLDER = "MPLCONFIGDIR"


@contextlib.contextmanager
def font_folder(beside: Path | None) -> Iterator[None]:
    """Let Matplotlib have a folder for its list of fonts, while a page is written.

    It takes one in the user's home, or else among the temporary files. Where there is neither, it
    gets one beside the page, which is removed afterwards.

    Parameters
    ----------
    beside
        Folder that the page is written into; None if it is written into none.

    Raises
    ------
    UsageError
        If there is no such folder.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it would tell which folder it takes
    if os.environ.get(_FOLDER) or _has_temporary_files():
        yield
        return
    with contextlib.ExitStack() as stack:
        try:
            if beside is None:
                raise FileNotFoundError
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=".fonts-", dir=beside))
        except OSError:
            raise UsageError(
                "there is no folder for temporary files, where Matplotlib would keep its list of "
                f"fonts; let TMPDIR or {_FOLDER} name one that you can write to"
            ) from None
        os.environ[_FOLDER] = folder
        stack.callback(os.environ.pop, _FOLDER, None)
        yield


def _has_temporary_files() -> bool:
    try:
        tempfile.gettempdir()
    except OSError:
        return False
    return True
