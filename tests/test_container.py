"""Hazards of files that hold arrays and a text: what a stranger may have written into them."""

from __future__ import annotations

import json
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from ladtl_np.errors import ModelFileError
from ladtl_np.model.container import open_container, pack, require_arrays, unpack
from ladtl_np.model.layout import MOST_ARRAYS

WANTED = "a file of these tests"


def many_empty_arrays(count: int) -> bytes:
    """A sound file of that many arrays without a value, and nothing else in it."""
    entry = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    header = {"__metadata__": {"ladtl_np": "{}"}} | {f"a{n}": entry for n in range(count)}
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3).T,
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(12.0)[::2],
        np.arange(3, dtype=">f4"),
        np.zeros((0, 3)),
        np.array(2.5),
        np.arange(4, dtype=np.int64),
    ],
    ids=["turned", "fortran", "every other", "big-endian", "empty", "no axis", "whole numbers"],
)
def test_arrays_of_any_layout_come_back_as_they_were(array: np.ndarray) -> None:
    text, arrays = unpack("m", pack({"x": array}, "text"), WANTED)
    assert text == b"text"
    np.testing.assert_array_equal(arrays["x"], array)
    assert arrays["x"].shape == array.shape


def test_a_flood_of_arrays_is_refused_at_once_and_in_few_words() -> None:
    content = many_empty_arrays(200_000)
    tracemalloc.start()
    begin = time.perf_counter()
    with pytest.raises(ModelFileError, match="200,000 arrays") as caught:
        unpack("m", content, WANTED)
    seconds, (_, peak) = time.perf_counter() - begin, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(str(caught.value)) < 300
    assert peak < 20 * len(content)
    assert seconds < 30.0  # a bound on hanging, not on speed
    assert len(unpack("m", many_empty_arrays(MOST_ARRAYS), WANTED)[1]) == MOST_ARRAYS


def test_a_message_names_a_few_arrays_and_how_many_more() -> None:
    arrays = {f"a{n}": (1,) for n in range(900)}
    with pytest.raises(ModelFileError, match=r"a0, a1, .*and 895 more") as caught:
        require_arrays("m", arrays, {})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["1", "[]", '{"__metadata__": {"ladtl_np": 3}}', '{"a": 1}'])
def test_what_is_no_such_file_says_what_is_wanted(text: str) -> None:
    content = struct.pack("<Q", len(text)) + text.encode()
    with pytest.raises(ModelFileError, match=WANTED):
        unpack("m", content, WANTED)


def test_a_folder_and_nothing_at_all_say_what_is_wanted(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(ModelFileError, match=WANTED), open_container(path, WANTED):
            pass
