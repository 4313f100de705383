"""What `fit` warns of."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from ladtl_np.corpus.tally import Remark
from ladtl_np.errors import DataWarning

__all__ = ["tell_of_data"]


def tell_of_data(remarks: Iterable[Remark]) -> None:
    """Warn whoever called `fit` of what its corpora need a change for; the rest is no warning."""
    for told in dict.fromkeys(str(remark) for remark in remarks if remark.cure):
        warnings.warn(told, DataWarning, stacklevel=3)
