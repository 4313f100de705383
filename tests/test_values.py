"""The weights of a model file: how large they may be before sums of its LSTM could overflow."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.errors import ModelFileError
from ladtl_np.model.values import require_small_sums

LARGEST = float(np.finfo(np.float32).max)


def arrays(x: float, W: float, U: float, b: float) -> dict[str, np.ndarray]:
    """An LSTM of one direction that counts, with one large value in each of its arrays."""
    shapes = {"table": (5, 3), "forward.W": (3, 8), "forward.U": (2, 8), "forward.b": (8,)}
    made = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    for array, value in zip(made.values(), (x, W, U, b), strict=True):
        array.flat[-1] = value
    backward = {name.replace("forward", "backward"): 0 * array for name, array in made.items()}
    return backward | made


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    ("x", "W", "U", "b", "named"),
    [
        (0.5, LARGEST / 3, 0.0, 0.0, "forward.W"),  # states of characters count as 1
        (2.0, LARGEST / 6, 0.0, 0.0, "forward.W"),
        (1.0, 0.0, LARGEST / 2, 0.0, "forward.U"),
        (1.0, LARGEST / 12, LARGEST / 8, LARGEST / 2, "forward.b"),
    ],
)
def test_the_bound_is_that_of_all_products_and_the_bias(x, W, U, b, named, sign):
    inside, outside = (arrays(x, sign * W * s, U * s, sign * b * s) for s in (0.999, 1.001))
    require_small_sums("m", inside, "", "table")
    with pytest.raises(ModelFileError, match=rf"m: {named} or table is so large"):
        require_small_sums("m", outside, "", "table")
