"""Label-aware double transfer learning for named entity recognition, on the CPU.

``LaDTLTagger`` trains and tags; docs/api.md shows all names. Importing the package alone loads
neither NumPy nor Numba: each name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ladtl_np.corpus.formats.conll import write_conll
    from ladtl_np.corpus.formats.reading import ReadOptions
    from ladtl_np.corpus.read import read_corpus
    from ladtl_np.corpus.sentence import Corpus, Sentence
    from ladtl_np.errors import (
        DataError,
        DataWarning,
        LadtlError,
        ModelFileError,
        ModelWarning,
        UsageError,
    )
    from ladtl_np.estimator import LaDTLTagger
    from ladtl_np.model.file import Model, load_model, save_model
    from ladtl_np.model.selection.choosing import Selection, select
    from ladtl_np.model.tagging import Tagger
    from ladtl_np.objective import Objective, loss_and_gradients
    from ladtl_np.options.config import Config, parse_config
    from ladtl_np.scoring import Scores, score

__version__ = "0.1.0"
__all__ = [
    "Config",
    "Corpus",
    "DataError",
    "DataWarning",
    "LaDTLTagger",
    "LadtlError",
    "Model",
    "ModelFileError",
    "ModelWarning",
    "Objective",
    "ReadOptions",
    "Scores",
    "Selection",
    "Sentence",
    "Tagger",
    "UsageError",
    "__version__",
    "load_model",
    "loss_and_gradients",
    "parse_config",
    "read_corpus",
    "save_model",
    "score",
    "select",
    "write_conll",
]

_HOMES = {
    "Config": "ladtl_np.options.config",
    "Corpus": "ladtl_np.corpus.sentence",
    "DataError": "ladtl_np.errors",
    "DataWarning": "ladtl_np.errors",
    "LaDTLTagger": "ladtl_np.estimator",
    "LadtlError": "ladtl_np.errors",
    "Model": "ladtl_np.model.file",
    "ModelFileError": "ladtl_np.errors",
    "ModelWarning": "ladtl_np.errors",
    "Objective": "ladtl_np.objective",
    "ReadOptions": "ladtl_np.corpus.formats.reading",
    "Scores": "ladtl_np.scoring",
    "Selection": "ladtl_np.model.selection.choosing",
    "Sentence": "ladtl_np.corpus.sentence",
    "Tagger": "ladtl_np.model.tagging",
    "UsageError": "ladtl_np.errors",
    "load_model": "ladtl_np.model.file",
    "loss_and_gradients": "ladtl_np.objective",
    "parse_config": "ladtl_np.options.config",
    "read_corpus": "ladtl_np.corpus.read",
    "save_model": "ladtl_np.model.file",
    "score": "ladtl_np.scoring",
    "select": "ladtl_np.model.selection.choosing",
    "write_conll": "ladtl_np.corpus.formats.conll",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
