"""Commands in the cells of the book: `!ladtl ...`, and one that fails ends the build.

A kernel of Jupyter would give commands a terminal, with progress bars and colours, and go on after
one that failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from IPython import get_ipython

__all__ = ["install"]


def install() -> None:
    """Let `!command` be `run`, with the `ladtl` of this environment."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ["COLUMNS"] = "100"
    get_ipython().system = run


def run(command: str) -> None:
    """Print what a command writes; what is meant to fail ends with `|| echo "exit code $?"`.

    Raises
    ------
    RuntimeError
        If its exit code is not 0.
    """
    command = get_ipython().var_expand(command, depth=1)  # {name} of a cell's Python
    done = subprocess.run(
        command, shell=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    print(done.stdout, end="")
    if done.returncode:
        raise RuntimeError(f"exit code {done.returncode}: {command}")
