"""Whether ``torch.compile`` works, which needs a C++ compiler.  Needs torch, as ``model`` does."""

from __future__ import annotations

from ladtl_np.bench.peer.functions import torch

__all__ = ["problem"]


def problem() -> str | None:
    """Compile a sum; None if that works, else the first line of what went wrong."""
    x = torch.ones(3)
    try:
        torch.compile(lambda x: x + 1.0)(x)
    except Exception as error:  # of the compiler's own kinds, which differ between versions
        lines = str(error).strip().split("\n")
        return f"{type(error).__name__}: {lines[0]}"
    return None
