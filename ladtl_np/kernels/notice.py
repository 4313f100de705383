"""Who is told before kernels are compiled, which takes about a minute; this module loads no Numba.

Compiled code that is loaded from a cache is no reason to tell anybody.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["about_to_compile", "tell_of_compiling"]

_listener: Callable[[str], None] | None = None


def tell_of_compiling(listener: Callable[[str], None] | None) -> None:
    """Let a function have one line of text before the first kernel of this process is compiled."""
    global _listener
    _listener = listener


def about_to_compile(cached: bool) -> None:
    """Tell, once in a process; `cached` is whether the code will be there for the next one."""
    global _listener
    listener, _listener = _listener, None
    if listener is not None:
        how_often = "once on this machine" if cached else "for this process alone"
        listener(f"Compiling kernels, {how_often}: about a minute ...")
