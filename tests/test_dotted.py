from __future__ import annotations

from typing import Any

import pytest

from ladtl_np.corpus.dotted import flattened
from ladtl_np.options.config import set_option


@pytest.mark.parametrize(
    ("table", "flat"),
    [
        ({"a": 1, "b": {"c": [2], "d": {"e": "x"}}}, {"a": 1, "b.c": [2], "b.d.e": "x"}),
        ({"b": {"c": 1}, "a": {}}, {"b.c": 1}),
        ({}, {}),
    ],
)
def test_a_nested_table_is_named_by_dotted_keys_in_its_order(
    table: dict[str, Any], flat: dict[str, Any]
) -> None:
    assert list(flattened(table).items()) == list(flat.items())
    back: dict[str, Any] = {}
    for key, value in flat.items():
        set_option(back, key, value)
    assert flattened(back) == flat
