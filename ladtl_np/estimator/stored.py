"""Where a training outside of any run keeps what was done, and by what it knows its data again."""

from __future__ import annotations

import json
import math
from hashlib import sha256
from pathlib import Path
from typing import Any

from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import UsageError
from ladtl_np.estimator.options import checked_path
from ladtl_np.runs.checkpoint import Every
from ladtl_np.runs.records import numbered
from ladtl_np.runs.resumable import Store
from ladtl_np.training.prepared import Corpora

__all__ = ["store_of"]


def store_of(path: Any, seconds: Any, corpora: Corpora) -> Store | None:
    """The store of a path, None for none.

    Raises
    ------
    UsageError
        If path or seconds are none.
    """
    if path is None:
        return None
    place = Path(checked_path(path, "checkpoint"))
    if not isinstance(seconds, int | float) or not 0.0 <= seconds < math.inf:
        raise UsageError("checkpoint_every must be a number of seconds, 0 or more")
    data: dict[str, str] = {}
    for role, corpus in corpora.roles():
        data[numbered(f"the sentences of {role}", data)] = _hash(corpus)
    return Store(place, data, Every(seconds))


def _hash(corpus: Corpus) -> str:
    """A hash of a corpus's tokens and tags."""
    content = [(sentence.tokens, sentence.tags) for sentence in corpus]
    return sha256(json.dumps(content).encode("ascii")).hexdigest()
