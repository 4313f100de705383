"""What the file of a source is to hold beside its encoder and CRF.  docs/source-free.md"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from ladtl_np.corpus.hashing import HashKey
from ladtl_np.errors import UsageError
from ladtl_np.model.source_file import SourceFile

__all__ = ["DELTA", "ExportOptions", "SketchKernel"]

DELTA = 1e-5
"""Of the guarantee, where none is given."""
SketchKernel = Literal["reference", "median"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What a file is to hold.

    Attributes
    ----------
    kernel
        Of the sketches: the reference variances, or those of the median heuristic.
    features
        Frequencies; 0 takes `BLOCKS` blocks.
    seed
        Of the frequencies.
    min_count
        Words rarer than this in the text are left out, with their embeddings.
    key
        Under which words and characters are hashed; of a hashed model the key that it has.
    noise
        Multiple of the sensitivity that is added to the sketches; 0 is none.
    delta
        Of the guarantee that is told with the noise.
    passed_on
        File that the model learned from, whose sources stay beside its own. Its frequencies are
        taken, whatever `features` and `seed` say.

    Raises
    ------
    UsageError
        If a value is out of range.
    """

    kernel: SketchKernel = "reference"
    features: int = 0
    seed: int = 0
    min_count: int = 1
    key: HashKey | None = None
    noise: float = 0.0
    delta: float = DELTA
    passed_on: SourceFile | None = None

    def __post_init__(self) -> None:
        # written so that nan, which is in no order with any number, is refused
        sound = {
            f"kernel wants one of {', '.join(get_args(SketchKernel))}": self.kernel
            in get_args(SketchKernel),
            "features must not be negative": self.features >= 0,
            "seed must not be negative": self.seed >= 0,
            "min_count must be at least 1": self.min_count >= 1,
            "noise must be finite and not negative": 0.0 <= self.noise < math.inf,
            "delta must lie in (0, 1)": 0.0 < self.delta < 1.0,
        }
        for wanted, holds in sound.items():
            if not holds:
                name = wanted.partition(" ")[0]
                raise UsageError(f"{wanted}, got {getattr(self, name)!r}")
