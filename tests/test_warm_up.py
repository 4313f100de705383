"""What one process has compiled, the next one loads."""

from __future__ import annotations

import subprocess
import sys

import numba
import pytest

from ladtl_np.training.warm_up import warm_up

# Numba tells of functions that it compiles by an event, of a cfunc it does not.
PROGRAM = """
from numba.core import event
from numba.core.ccallback import CFunc

compiled = []
class Listener(event.Listener):
    def on_start(self, event):
        compiled.append(event.data["dispatcher"].py_func.__qualname__)
    def on_end(self, event):
        pass
event.register("numba:compile", Listener())
CFunc._compile_uncached = lambda self: compiled.append(self.__name__)

from ladtl_np.training.warm_up import warm_up
warm_up()
print(sorted(compiled))
"""


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled at all")
def test_a_second_process_compiles_nothing():
    warm_up()
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
