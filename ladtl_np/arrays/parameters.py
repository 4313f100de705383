"""Named arrays over one flat buffer, and the gradient of the few embedding rows in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from ladtl_np.shapes import Floats, Integers

__all__ = ["Parameters", "RowGradient"]


class RowGradient(NamedTuple):
    """Gradient of an embedding table, zero outside `rows`."""

    rows: Integers  # (U,) distinct rows, rising
    values: Floats  # (U, D)


class Parameters(Mapping[str, Floats]):
    """Arrays by name, all views of one flat buffer, in the order of `shapes`.

    Parameters
    ----------
    shapes
        Shape of each array; embeddings, whose names end in ``.embedding``, come last.
    dtype
        float32 or float64.

    Attributes
    ----------
    flat
        All values.
    regularised
        All values but the embeddings', which the regulariser leaves alone (sec. 4.2).
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], dtype: DTypeLike) -> None:
        sizes = [int(np.prod(shape)) for shape in shapes.values()]
        self.flat: Floats = np.zeros(sum(sizes), dtype=dtype)
        ends = np.cumsum(sizes).tolist()
        embeddings = [name.endswith(".embedding") for name in shapes]
        if embeddings != sorted(embeddings):
            raise ValueError(f"embeddings must come last, got the order {', '.join(shapes)}")
        kept = sum(size for size, last in zip(sizes, embeddings, strict=True) if not last)
        self.regularised: Floats = self.flat[:kept]
        self._views = {
            name: self.flat[end - size : end].reshape(shape)
            for (name, shape), size, end in zip(shapes.items(), sizes, ends, strict=True)
        }

    def __getitem__(self, name: str) -> Floats:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each array, by name."""
        return {name: view.shape for name, view in self._views.items()}

    def zeros_like(self) -> Parameters:
        """Arrays of the same names and shapes, all zero: a gradient or an AdaGrad sum."""
        return Parameters(self.shapes, self.flat.dtype)

    def astype(self, dtype: DTypeLike) -> Parameters:
        """A copy in another dtype."""
        copy = Parameters(self.shapes, dtype)
        copy.flat[:] = self.flat
        return copy
