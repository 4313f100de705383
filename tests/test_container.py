"""Hazards of files that hold arrays and a text: what a stranger may have written into them."""

from __future__ import annotations

import json
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

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


LAYOUTS = {
    "turned": np.arange(6.0).reshape(2, 3).T,
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "every other": np.arange(12.0)[::2],
    "backwards": np.arange(6, dtype=np.float32)[::-1],
    "repeated": np.broadcast_to(np.float32(1.5), (3, 2)),
    "a column": np.arange(6, dtype=np.int64).reshape(2, 3)[:, 1],
    "big-endian": np.arange(3, dtype=">f4"),
    "big-endian doubles": np.arange(6, dtype=">f8").reshape(2, 3).T,
    "big-endian whole numbers": np.array([1, -2, 2**40], dtype=">i8"),
    "unaligned": np.frombuffer(bytes(range(9)), np.uint8)[1:].view("<f4"),
    "empty": np.zeros((0, 3)),
    "empty and turned": np.zeros((0, 3), np.float32).T,
    "no axis": np.array(2.5),
    "no axis, big-endian": np.array(-2.5, dtype=">f4"),
    "four axes": np.arange(16.0).reshape(2, 1, 2, 4),
    "whole numbers": np.array([-(2**63), 2**63 - 1]),
    "odd floats": np.array([np.nan, -np.nan, np.inf, -0.0, 5e-324]),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_promise_12_arrays_of_any_layout_come_back_as_they_were(layout: str) -> None:
    """Bit for bit; by this package, and by the safetensors library."""
    array = LAYOUTS[layout]
    content = pack({"x": array}, "text")
    text, arrays = unpack("m", content, WANTED)
    assert text == b"text"
    native = array.astype(array.dtype.newbyteorder("="))
    for found in (arrays["x"], safetensors.numpy.load(content)["x"]):
        assert (found.shape, found.dtype) == (array.shape, native.dtype)
        assert found.tobytes() == native.tobytes()


def test_promise_12_all_of_them_in_one_file() -> None:
    content = pack(LAYOUTS, "text")
    _, arrays = unpack("m", content, WANTED)
    assert arrays.keys() == LAYOUTS.keys()
    for name, array in LAYOUTS.items():
        np.testing.assert_array_equal(arrays[name], array)
    assert pack(arrays, "text") == content
    assert pack(dict(reversed(arrays.items())), "text") == content


def test_what_a_file_cannot_hold_is_refused_when_it_is_written() -> None:
    for array in (np.zeros(2, np.float16), np.array([None]), np.zeros(2, np.int32)):
        with pytest.raises(ValueError, match="a file holds float32, float64 and int64"):
            pack({"x": array}, "text")


def test_files_lie_as_those_of_the_safetensors_library_but_for_the_checksum() -> None:
    """So files of before are no other format, and any reader of safetensors reads both."""
    arrays = {"b": np.arange(3, dtype=np.float32), "a": np.arange(2.0), "c": np.arange(4)}
    ours, theirs = pack(arrays, "{}"), safetensors.numpy.save(arrays, {"ladtl_np": "{}"})
    headers, bodies = [], []
    for content in (ours, theirs):
        size = int.from_bytes(content[:8], "little")
        headers.append(json.loads(content[8 : 8 + size]))
        bodies.append(content[8 + size :])
        assert size % 8 == 0
    assert bodies[0] == bodies[1]
    checksum = headers[0]["__metadata__"].pop("checksum")
    assert checksum.startswith("blake2b:")
    assert list(headers[0]) == list(headers[1])
    assert headers[0] == headers[1]
    assert unpack("m", theirs, WANTED)[0] == b"{}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"\\\b\f\n\r\t\0\x1f',
        "\u65e5\u672c \U0001f600",
        *("a" * before + "\U0001f600" * 6_000 for before in range(12)),
        "\\" * 100_001,
        '\\"' * 50_000,
        "a" * 65_535 + "\u65e5" * 3 + "\\",
    ],
    ids=lambda text: f"{text[:8]!a} of {len(text)}",
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_text_comes_back_as_it_was_however_it_is_escaped(text: str, ascii_only: bool) -> None:
    header = json.dumps({"__metadata__": {"ladtl_np": text}}, ensure_ascii=ascii_only)
    raw = header.replace('": ', '":').encode()
    assert unpack("m", struct.pack("<Q", len(raw)) + raw, WANTED)[0] == text.encode()
    assert unpack("m", pack({}, text), WANTED)[0] == text.encode()


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


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"[2,3]", b"[3,2]"), (b'"x":', b'"y":'), (b'"F64"', b'"I64"'), (b"text", b"tent")],
)
def test_promise_38_the_checksum_covers_what_an_array_is(old: bytes, new: bytes) -> None:
    content = pack({"x": np.ones((2, 3))}, "text")
    assert content.count(old) == 1
    with pytest.raises(ModelFileError, match="as the checksum shows"):
        unpack("m", content.replace(old, new), WANTED)


@pytest.mark.parametrize("shape", [[-2, -3], [True, 6], [2.0, 3], [1, 1, 1, 1, 6], [2**63, 0], "6"])
def test_promise_11_a_shape_that_is_none_is_refused(shape: object) -> None:
    size = 24 if shape != [2**63, 0] else 0
    entry = {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}
    header = json.dumps({"__metadata__": {"ladtl_np": "{}"}, "a": entry}, separators=(",", ":"))
    content = struct.pack("<Q", len(header)) + header.encode() + bytes(size)
    with pytest.raises(ModelFileError, match="a has a shape or a place that is none"):
        unpack("m", content, WANTED)


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


@pytest.mark.parametrize("size", range(9))
def test_arrays_begin_at_a_multiple_of_eight_bytes_whatever_the_text_is(size: int) -> None:
    content = pack({"a": np.arange(3.0)}, json.dumps("x" * size))
    assert int.from_bytes(content[:8], "little") % 8 == 0
    assert content[-24:] == np.arange(3.0).tobytes()


def test_an_array_of_more_axes_than_any_that_is_written_is_refused() -> None:
    content = pack({"x": np.zeros((1, 1, 1, 1, 1))}, "{}")
    with pytest.raises(ModelFileError):
        unpack("m", content, WANTED)
