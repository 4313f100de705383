"""The legend of letters, and the array types of all signatures.

Docstrings and comments write shapes with these letters; ``docs/notation.md`` maps the paper's
symbols to them.

=======  ==========================================================================================
letter   meaning
=======  ==========================================================================================
``T``    time steps of a batch, the length of its longest sentence
``B``    sentences in a batch
``N``    tokens in a batch (the sum of its sentence lengths)
``V``    rows of the vocabulary
``D``    size of an embedding
``H``    hidden units per direction
``C``    rows of the alphabet
``U``    distinct words (spellings) of a batch
``m``    tags of one domain
``S``    rows (source tokens) of one label in the MMD
``R``    rows (target tokens) of one label in the MMD
``Q``    Gaussians in the kernel
``M``    matched pairs of tags
=======  ==========================================================================================

A batch is *packed*: sentences sorted by length, longest first, tokens stored time-major. Step ``t``
is
the rows ``offsets[t]:offsets[t + 1]``, and the sentences that are still active are the first ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Booleans", "Floats", "Integers", "Scalar"]

Floats = NDArray[np.floating[Any]]
"""float32 in training, float64 in gradient checks."""

Scalar = np.floating[Any] | float
"""One number of a kernel's own dtype: a float64 would widen a float32 loop."""

Integers = NDArray[np.int64]
"""Row, tag and word numbers."""

Booleans = NDArray[np.bool_]
"""What is allowed."""
