"""Plain values as checked types: what is refused is said with what was wanted."""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec
import pytest

from ladtl_np.corpus.typed import typed


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    """A section."""

    colour: Literal["red", "green"] | int = "red"
    count: int = 0


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    """A table."""

    inner: Inner = msgspec.field(default_factory=Inner)
    many: list[Inner] = []
    pairs: tuple[Inner, ...] = ()
    named: dict[str, Inner] = {}
    maybe: Inner | None = None


@pytest.mark.parametrize(
    ("plain", "told"),
    [
        ({"inner": {"colour": "blue"}}, "'blue' - at `inner.colour`; wanted is one of green, red"),
        ({"many": [{}, {"colour": "r"}]}, "`many[1].colour`; wanted is one of green, red"),
        ({"pairs": [{"colour": "r"}]}, "`pairs[0].colour`; wanted is one of green, red"),
        ({"named": {"a b": {"colour": "r"}}}, "`named[...].colour`; wanted is one of green, red"),
        ({"maybe": {"colour": "r"}}, "`maybe.colour`; wanted is one of green, red"),
        ({"iner": {}}, "unknown field `iner`; did you mean `inner`?"),
        ({"inner": {"cout": 1}}, "unknown field `cout` - at `inner`; did you mean `count`?"),
        ({"inner": {"else": 1}}, "unknown field `else` - at `inner`"),
        ({"inner": {"count": "1"}}, "Expected `int`, got `str` - at `inner.count`"),
        ([], "Expected `object`, got `array`"),
    ],
)  # fmt: skip
def test_what_was_wanted_is_told(plain: Any, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told) + r"\Z"):
        typed(plain, Outer)


def test_what_fits_is_converted() -> None:
    assert typed({"inner": {"colour": "green"}}, Outer) == Outer(Inner("green"))
    assert typed([1, 2], list[int]) == [1, 2]


def test_a_plain_type_has_no_place() -> None:
    with pytest.raises(ValueError, match=r"\AInvalid enum value 'x'; wanted is one of a\Z"):
        typed("x", Literal["a"])
