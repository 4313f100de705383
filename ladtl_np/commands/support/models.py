"""Models as commands load them."""

from __future__ import annotations

from ladtl_np.commands.support.formats import warn
from ladtl_np.model.file import Model, load_model
from ladtl_np.model.wider import with_vectors

__all__ = ["load"]


def load(path: str, vocabulary_key: str | None, embeddings: str | None = None) -> Model:
    """Load a model; says so where a key was named that it has no use for.

    With `embeddings` it knows the words of that file too, see `model.wider`.
    """
    model = load_model(path, vocabulary_key)
    if vocabulary_key and model.vocabulary.lock is None:
        warn(f"{path}: its vocabulary is not hashed, and --vocabulary-key has no effect on it")
    return with_vectors(model, embeddings) if embeddings else model
