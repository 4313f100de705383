"""Plain values as a checked type; what is refused is said with what was wanted."""

from __future__ import annotations

import re
from typing import Any

import msgspec

__all__ = ["typed"]

_ERROR = re.compile(r"(.*?)(?: - at `\$\.?([^`]*)`)?", re.DOTALL)


def typed(plain: Any, kind: Any) -> Any:
    """Convert plain values to a type of msgspec.

    Parameters
    ----------
    plain
        What TOML or JSON holds.
    kind
        A struct, or any other type that msgspec converts to.

    Raises
    ------
    ValueError
        If they are no such thing; the message names the place, and what could stand there where
        that is one of some names.
    """
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        from ladtl_np.corpus.wanted import wanted_at  # takes 2 ms, which a start-up can do without

        match = _ERROR.fullmatch(str(error))
        assert match is not None  # every text has the form, a place or none at its end
        said, place = match[1], match[2] or ""
        at = f" - at `{place}`" if place else ""
        raise ValueError(f"{said}{at}{wanted_at(said, kind, place)}") from None
