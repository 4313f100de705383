"""Commands in the cells of the book, `!ladtl ...` and `%%sh`; one that fails ends the build.

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

_TERMINAL = ("FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR")  # set by the kernel


def install() -> None:
    """Let `!command` and cells of `%%sh` be `run`, with the `ladtl` of this environment."""
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ["COLUMNS"] = "100"
    for name in _TERMINAL:
        os.environ.pop(name, None)
    shell = get_ipython()
    shell.system = lambda command: run(shell.var_expand(command, depth=1))
    shell.register_magic_function(lambda _line, cell: run(cell), "cell", "sh")


def run(command: str) -> None:
    """Print what a command writes; what is meant to fail ends with `|| echo "exit code $?"`.

    Raises
    ------
    RuntimeError
        If its exit code is not 0.
    """
    done = subprocess.run(
        command, shell=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    print(done.stdout, end="")
    if done.returncode:
        raise RuntimeError(f"exit code {done.returncode}: {command}")
