"""The one place where Numba's decorators are configured.

Only ``ladtl_np.kernels`` uses them. Compiled code is cached in a folder whose name is a fingerprint
of all kernel sources and of what they are compiled for, because Numba's own cache watches one file
at a time and would keep a caller that inlined an old callee. Which folder that is in, `_cache`
decides.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from llvmlite import binding as llvm
from numba.core.bytecode import FunctionIdentity
from numba.core.caching import IndexDataCacheFile, UserProvidedCacheLocator
from numba.core.event import Listener, register

from ladtl_np.kernels._cache import INDEX, Folders, cache_folders
from ladtl_np.kernels.instruction_set import INSTRUCTIONS
from ladtl_np.kernels.notice import about_to_compile

__all__ = ["STRICT", "external", "inline", "kernel", "reducing_kernel"]

F = TypeVar("F", bound=Callable[..., Any])

KERNELS = Path(__file__).parent

# `contract` allows a fused multiply-add; it keeps infinities and NaN as they are.
STRICT = {"contract"}
# `reassoc` lets a sum be split over vector lanes; infinities and NaN still have their meaning.
REDUCING = {"contract", "reassoc", "nsz"}


# Numba tells functions of one name apart, as are those that a function makes for each dtype or each
# algebra, by a number in the name of their machine code, and counts in each process from 1. So code
# that another process has cached can have the name of other code that is compiled here; the two are
# then taken for one, and compute wrong numbers. A number that is drawn is not drawn twice.
_numbers: Any = FunctionIdentity
_numbers._unique_ids = iter(lambda: uuid.uuid4().int, None)


def _fingerprint() -> str:
    """Hash of what compiled code depends on: the kernels, and what it is compiled for."""
    target = (numba.config.CPU_NAME, numba.config.CPU_FEATURES, INSTRUCTIONS)  # type: ignore[attr-defined]
    digest = hashlib.sha256(repr((numba.__version__, target)).encode())
    for source in sorted(KERNELS.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


_FOLDERS = Folders(None)
if not numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
    _FOLDERS = cache_folders(KERNELS, f"kernels-{_fingerprint()}")
    if not hasattr(numba.config, "CACHE_LOCATOR_CLASSES"):  # older ones write where they read
        _FOLDERS = Folders(_FOLDERS.own)
    if _FOLDERS.own is not None:
        numba.config.CACHE_DIR = _FOLDERS.own  # type: ignore[attr-defined]


class _Notice(Listener):
    """Tells of the first kernel that has to be compiled."""

    def on_start(self, event: Any) -> None:
        about_to_compile(_FOLDERS.own is not None)

    def on_end(self, event: Any) -> None:
        pass


register("numba:compile", _Notice())  # type: ignore[no-untyped-call]


class Ready(UserProvidedCacheLocator):
    """Finds what is compiled of a kernel in a folder that is only read; Numba calls it."""

    def __init__(self, function: Any, file: str, folder: str) -> None:
        super().__init__(function, file)  # type: ignore[no-untyped-call]
        below = self.get_suitable_cache_subpath(file)  # type: ignore[no-untyped-call]
        self._cache_path = os.path.join(folder, below)

    def ensure_cache_path(self) -> None:
        """Nothing is made here."""

    @classmethod
    def from_function(cls, function: Any, file: str) -> Ready | None:
        """The first folder that has something of the kernel; None if none has."""
        name = function.__qualname__.replace("<", "").replace(">", "")  # as Numba names files
        kernel = f"{Path(file).stem}.{name}-{function.__code__.co_firstlineno}."
        for folder in _FOLDERS.ready:
            found = cls(function, file, folder)
            with suppress(OSError):
                names = os.listdir(found._cache_path)
                if any(name.startswith(kernel) and name.endswith(INDEX) for name in names):
                    return found
        return None


def kernel(function: F) -> F:
    """Compile a kernel: no GIL, IEEE division, cached on disk."""
    return _compile(function, STRICT)


def reducing_kernel(function: F) -> F:
    """Compile a kernel whose sums may be split over vector lanes; it must not write to arrays.

    Where it writes and reads, vector code is left for a plain loop if two arrays lie so near to
    each other in memory that they might overlap. A sum would then depend on where they lie.
    """
    return _compile(function, REDUCING)


def inline(function: F) -> F:
    """Compile a function that allocates nothing, for the inner loops of kernels.

    It counts no references: in a kernel every row that is taken from an array is counted, which
    took a third of the time of the MMD's loops.
    """
    return _compile(function, STRICT, _nrt=False)


def external(symbol: str, signature: Any) -> Callable[[F], Any]:
    """Compile a function once, under a symbol that every kernel may call.

    Numba puts the code of whatever a kernel calls into that kernel again; a symbol is only looked
    up when the kernel is loaded. Arguments are numbers, arrays go by address.
    """

    def compile_once(function: F) -> Any:
        if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]  # then nothing calls it
            return function
        options: Any = {"error_model": "numpy", "fastmath": STRICT}
        code = _with_cache(lambda cache: numba.cfunc(signature, cache=cache, **options)(function))
        llvm.add_symbol(symbol, code.address)
        return numba.types.ExternalFunction(symbol, signature)

    return compile_once


def _compile(function: F, fastmath: set[str], **others: Any) -> F:
    compiler: Any = numba.njit  # its type hints leave out some of its options
    options = {"nogil": True, "error_model": "numpy", "fastmath": fastmath, **others}
    return cast(F, _with_cache(lambda cache: compiler(cache=cache, **options)(function)))


def _with_cache(compiled: Callable[[bool], Any]) -> Any:
    """Compile with the folders that were chosen, or without; never with another of Numba's own."""
    if _FOLDERS == Folders(None):
        return compiled(False)
    config: Any = numba.config
    names: Any = IndexDataCacheFile
    before, numbered = getattr(config, "CACHE_LOCATOR_CLASSES", ""), names._data_name
    names._data_name = _file_of_its_own
    config.CACHE_LOCATOR_CLASSES = ",".join(
        [f"{__name__}.{Ready.__name__}"] * bool(_FOLDERS.ready)
        + ["UserProvidedCacheLocator"] * (_FOLDERS.own is not None)
    )
    try:
        return _sparing(compiled(True))
    except (RuntimeError, OSError):  # the folder can no longer be written, or is only read
        return compiled(False)
    finally:
        config.CACHE_LOCATOR_CLASSES, names._data_name = before, numbered


def _file_of_its_own(file: Any, _: int) -> str:
    """Name a new file of compiled code as no other process will.

    Numba takes the first number that the kernel's index does not have. Of two processes that look
    at the same time both take the same, and the index then gives one signature the other's code,
    which computes wrong numbers. With a name for each the loser's code is only compiled again.
    """
    name: str = file._data_name_pattern.format(number=uuid.uuid4().int)
    return name


def _sparing(compiled: Any) -> Any:
    """Let a kernel work whose code cannot be written into the cache: it is compiled again."""
    cache = compiled._cache
    cache._cache_file._data_name = partial(_file_of_its_own, cache._cache_file)
    save = cache.save_overload

    def save_if_possible(*arguments: Any) -> None:
        with suppress(OSError):
            save(*arguments)

    cache.save_overload = save_if_possible
    return compiled
