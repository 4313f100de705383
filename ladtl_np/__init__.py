"""Label-aware double transfer learning for named entity recognition, on the CPU.

``LaDTLTagger`` trains and tags; ``load_model`` and ``save_model`` handle model files. Importing the
package alone loads neither NumPy nor Numba.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ladtl_np.estimator import LaDTLTagger
    from ladtl_np.model.file import load_model, save_model

__version__ = "0.1.0"
__all__ = ["LaDTLTagger", "__version__", "load_model", "save_model"]

_HOMES = {
    "LaDTLTagger": "ladtl_np.estimator",
    "load_model": "ladtl_np.model.file",
    "save_model": "ladtl_np.model.file",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
