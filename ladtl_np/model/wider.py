"""Models that know every word of the file of vectors that they were trained with.

Words of the model keep their rows. All others have the vectors of the file, from which the model's
own started: another file's vectors lie in another space, so it is refused.
"""

from __future__ import annotations

import dataclasses
from os import PathLike, fspath

import msgspec
import numpy as np

from ladtl_np.arrays.limits import require_room
from ladtl_np.corpus.lines import file_sha256
from ladtl_np.corpus.vectors.file_words import FileWords
from ladtl_np.corpus.vectors.loading import load_vectors
from ladtl_np.corpus.vectors.scanning import VectorReport
from ladtl_np.corpus.vectors.used import read_used
from ladtl_np.corpus.vectors.wider_vocabulary import WiderVocabulary
from ladtl_np.errors import DataError, ModelFileError, UsageError
from ladtl_np.model.file import Model
from ladtl_np.model.network import EMBEDDING, Network
from ladtl_np.model.values import require_small_sums
from ladtl_np.printable import LONG, shown

__all__ = ["with_vectors"]


def with_vectors(model: Model, path: str | PathLike[str]) -> Model:
    """Return a model that looks up in a file of vectors what it does not know itself.

    The file is read whole. Its words take 4 D bytes each, for D values, and about 200 more. What is
    returned tags, and cannot be saved.

    Parameters
    ----------
    model
        Trained with vectors; its own parameters are not copied but for the embedding.
    path
        The file that it was trained with, under whatever name; it is read twice.

    Raises
    ------
    UsageError
        If the path cannot be opened, or is not the file that the model's header names.
    DataError
        If the file changes while it is read.
    LadtlError
        If its words would not fit into the memory that is left.
    """
    wanted = _trained_with(model)
    name = shown(fspath(path), LONG)
    found = file_sha256(path)
    if found != wanted.sha256:
        raise UsageError(
            f"{name} is not the file of word vectors that {_named(model)} was trained with, and no "
            f"other has vectors in its space; wanted is {shown(wanted.name, LONG)} "
            f"with SHA-256 {shown(wanted.sha256, 64)}, got {found}"
        )
    network, known = model.network, len(model.vocabulary)
    size = network.architecture.embedding
    more = FileWords(None, model.vocabulary.normalise, (), _require_room)
    if load_vectors(path, (), dimension=size, more=more).report.sha256 != found:
        raise DataError(f"{name} has changed while it was read; start again")
    dtype = network.embedding.dtype
    _require_room(float(dtype.itemsize * size * (known + len(more.words))))
    table = np.concatenate([network.embedding, more.matrix(size)], dtype=dtype)
    sizes = msgspec.structs.replace(network.architecture, vocabulary=len(table))
    wider = Network(sizes, table, network.weights)
    try:
        require_small_sums(name, wider.named(), "", EMBEDDING)
    except ModelFileError as error:
        raise DataError(str(error)) from None
    rows = {word: row for row, word in enumerate(more.words, known)}
    vocabulary = WiderVocabulary.around(model.vocabulary, rows)
    return dataclasses.replace(model, network=wider, vocabulary=vocabulary)


def _trained_with(model: Model) -> VectorReport:
    """What the header tells of the file."""
    used = read_used(model.provenance.get("vectors"))
    if used is None:
        raise UsageError(
            f"{_named(model)} was not trained with word vectors that its header names, so that no "
            "file has vectors in its space; leave --embeddings out"
        )
    return used.file


def _named(model: Model) -> str:
    return shown(model.name, LONG) if model.name else "this model"


def _require_room(size: float) -> None:
    require_room(size, "The table of the words of --embeddings", "Leave it out")
