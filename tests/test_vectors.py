from __future__ import annotations

import gzip
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ladtl_np.corpus.findings import FindingsError
from ladtl_np.corpus.vectors.file_words import FileWords
from ladtl_np.corpus.vectors.forms import EXACT, LOWER, LOWER_ZEROS, MISSING, ZEROS
from ladtl_np.corpus.vectors.loading import load_vectors
from ladtl_np.corpus.vocabulary import UNKNOWN
from ladtl_np.errors import DataError, LadtlError, UsageError


def write(tmp_path: Path, data: bytes | str, name: str = "v.txt") -> Path:
    data = data if isinstance(data, bytes) else data.encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def load(tmp_path: Path, data: bytes | str, words: list[str], **options: Any) -> Any:
    name = options.pop("name", "v.txt")
    return load_vectors(write(tmp_path, data, name), words, **options)[:3]


@pytest.mark.parametrize("header", ["", "3 2\n"])
@pytest.mark.parametrize("name", ["v.vec", "v.txt.gz"])
def test_only_rows_in_use_are_kept(tmp_path: Path, header: str, name: str) -> None:
    data = header + "c 5 6\nx 9 9 \na -1.5 2e-1\r\n"
    rows, matrix, report = load(tmp_path, data, [UNKNOWN, "a", "b", "c"], name=name)
    assert rows.tolist() == [1, 3]
    assert matrix.tolist() == np.array([[-1.5, 0.2], [5, 6]], np.float32).tolist()
    assert matrix.dtype == np.float32
    assert matrix.flags.c_contiguous
    assert (report.dimension, report.rows) == (2, 3)
    file = tmp_path / name
    assert (report.name, report.sha256) == (name, sha256(file.read_bytes()).hexdigest())


def test_exact_beats_lower_case_beats_zeros_whatever_their_order(tmp_path: Path) -> None:
    data = "a00 1\nA00 2\na12 3\nA12 4\nb0 5\nb 6\nC0 7\n"
    words = ["A12", "B7", "B", "C9", "a34", "d", "A34"]
    rows, matrix, _, ways = load_vectors(write(tmp_path, data), words[:5], asked=words[5:])
    assert dict(zip(rows.tolist(), matrix[:, 0].tolist(), strict=True)) == {
        0: 4, 1: 5, 2: 6, 3: 7, 4: 1
    }  # fmt: skip
    assert ways.tolist() == [EXACT, LOWER_ZEROS, LOWER, ZEROS, ZEROS, MISSING, ZEROS]
    assert load_vectors(tmp_path / "v.txt", ["A34"]).matrix.tolist() == [[2]]


def test_words_are_split_off_at_spaces_from_the_right_only(tmp_path: Path) -> None:
    words = ["\u3000", "a\xa0b", "New York", ". . .", "\x85", "1"]
    data = "".join(f"{word} {n} 0.5\n" for n, word in enumerate(words))
    rows, matrix, _ = load(tmp_path, data, words)
    assert matrix[:, 0].tolist() == rows.tolist() == list(range(len(words)))


def test_the_first_of_two_equal_words_counts(tmp_path: Path) -> None:
    _, matrix, report = load(tmp_path, "b 1 1\na 1 2\nb 2 2\na 3 4\na 5 6\n", ["a"])
    assert matrix.tolist() == [[1, 2]]
    assert (report.duplicates, report.first_duplicate) == (2, 4)


def test_words_that_are_not_utf8_are_counted(tmp_path: Path) -> None:
    more = FileWords(None, str, (), lambda size: None)
    rows, _, report = load(tmp_path, b"a 1 2\n\xff 1 2\nb\xff 1 2\n", ["a"], more=more)
    assert (report.undecodable, report.first_undecodable, rows.tolist()) == (2, 2, [0])
    assert more.words == ["a"]


def test_nothing_found_gives_an_empty_matrix(tmp_path: Path) -> None:
    rows, matrix, _ = load(tmp_path, "a 1 2\n", ["b"])
    assert rows.shape == (0,)
    assert matrix.shape == (0, 2)


@pytest.mark.parametrize(
    ("data", "place", "what"),
    [
        ("a 1 2\nb 1\n", ":2: ", "2 values parted by single spaces, found 2 fields"),
        ("a 1 2\nb 1 2 3\n", ":2: ", "found 4 fields"),
        ("a 1 2\n 1 2\n", ":2: ", "wanted a word"),
        ("a 1 2\nb 1 x\n", ":2: ", "not a number"),
        ("a 1 2\nb 1 1_0\n", ":2: ", "not a number"),
        ("a 1 2\nb 1  2\n", ":2: ", "found 4 fields"),
        ("a 1 2\nb 1 nan\n", ":2: ", "not finite"),
        ("a 1 2\nb -inf 1\n", ":2: ", "not finite"),
        ("a 1 2\nb 1e39 1\n", ":2: ", "not finite"),
        ("3 2\na 1 2\nb 1 2\n", ":3: ", "ends after 2 words where its first line promises 3"),
        ("a\tx\n", ":1: ", "0 values a word"),
        ("", ": ", "no vector in it"),
        ("0 2\n", ": ", "no vector in it"),
        ("5 999999999999\n", ":1: ", "999999999999 values a word"),
        ("5 " + "9" * 5000 + "\na 1 2\n", ":2: ", "1 values parted by single spaces, found 3"),
    ],
)
def test_findings_name_the_line(tmp_path: Path, data: str, place: str, what: str) -> None:
    with pytest.raises(FindingsError) as caught:
        load(tmp_path, data, ["a", "b"])
    assert f"v.txt{place}" in str(caught.value)
    assert what in str(caught.value)


@pytest.mark.parametrize("data", ["a 1 2\n", "1 2\na 1 2\n"])
def test_another_dimension_than_wanted_is_told_once(tmp_path: Path, data: str) -> None:
    with pytest.raises(DataError, match="vectors of 2 values where 3 were wanted"):
        load(tmp_path, data, ["a"], dimension=3)


def test_messages_hold_no_words_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(tmp_path, "a 1 2\ncanary7c1 1 x\ncanary7c1 1\n", ["canary7c1"])
    assert "canary7c1" not in str(caught.value)


def test_damaged_gzip_and_wrong_paths_are_explained(tmp_path: Path) -> None:
    whole = gzip.compress(b"a 1 2\n" * 1000)
    for data in (whole[:-10], whole[:20] + b"\xff" * 20, b"a 1 2\n"):
        path = tmp_path / "v.gz"
        path.write_bytes(data)
        with pytest.raises(DataError, match="cannot be unpacked"):
            load_vectors(path, ["a"])
    with pytest.raises(UsageError, match="no such file"):
        load_vectors(tmp_path / "none", ["a"])


def binary(words: list[str], values: np.ndarray, between: bytes) -> bytes:
    rows = (word.encode() + b" " + row.tobytes() + between
            for word, row in zip(words, values.astype("<f4"), strict=True))  # fmt: skip
    return b"%d %d\n" % values.shape + b"".join(rows)


@pytest.mark.parametrize("between", [b"", b"\n"])
@pytest.mark.parametrize("name", ["v.bin", "v.bin.gz"])
def test_word2vec_binary_is_read(tmp_path: Path, between: bytes, name: str) -> None:
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    data = binary(["病", "b", "c"], values, between)
    rows, matrix, report = load(tmp_path, data, ["c", "病"], name=name)
    assert rows.tolist() == [0, 1]
    assert matrix.tolist() == [[4, 5], [0, 1]]
    assert report.rows == 3


@pytest.mark.parametrize("cut", [1, 9, 12, 14])
def test_a_cut_binary_file_is_a_finding(tmp_path: Path, cut: int) -> None:
    data = binary(["aa", "bb"], np.ones((2, 2)), b"\n")
    with pytest.raises(FindingsError, match=r"breaks off|header"):
        load(tmp_path, data[: -len(data) + 1] if cut == 1 else data[:-cut], ["aa"], name="v.bin")


pieces = st.sampled_from(
    [b"\n", b" ", b"a", b"1", b"2 2", b"nan", b"1e9", b"\xff", b"\0", b"\t", b".5", b"\r\n"]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.lists(pieces, max_size=20).map(b"".join), name=st.sampled_from(["v.txt", "v.bin"]))
def test_any_bytes_give_vectors_or_an_explained_error(
    tmp_path: Path, data: bytes, name: str
) -> None:
    try:
        rows, matrix, report = load(tmp_path, data, ["a", "A", "1"], name=name)
    except LadtlError:
        return
    assert np.isfinite(matrix).all()
    assert matrix.shape == (len(rows), report.dimension)


def test_a_binary_file_without_a_word_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.bin"
    path.write_bytes(b"0 2\n")
    with pytest.raises(FindingsError, match="no vector in it"):
        load_vectors(path, ("a",))
