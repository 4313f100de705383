"""Memory that steps share: what is handed out never overlaps, and nothing is taken twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ladtl_np.arrays.memory import ALIGNMENT, Memory


def fill(memory, shapes):
    arrays = [memory.empty(shape, np.float32) for shape in shapes]
    for number, array in enumerate(arrays):
        array.fill(number)
    return arrays


SHAPES = [(3, 4), 7, (0, 5), (2, 3, 4), 1]


@pytest.mark.parametrize("round_", [1, 2, 3])
def test_arrays_do_not_overlap(round_):
    memory = Memory()
    for _ in range(round_):
        memory.reuse()
        arrays = fill(memory, SHAPES)
    for number, array in enumerate(arrays):
        assert (array == number).all()
        assert array.dtype == np.float32
        assert array.flags.c_contiguous


def test_the_second_round_takes_nothing_from_the_system():
    memory = Memory()
    fill(memory, SHAPES)
    memory.reuse()
    second = fill(memory, SHAPES)
    memory.reuse()
    third = fill(memory, SHAPES)
    for old, new in zip(second, third, strict=True):
        assert old.size == 0 or np.shares_memory(old, new)
        assert new.ctypes.data % ALIGNMENT == 0


def test_a_larger_round_after_a_smaller_one():
    memory = Memory()
    for count in (1, 100, 2, 1000):
        memory.reuse()
        arrays = fill(memory, [(count,), (2 * count,)])
        assert (arrays[0] == 0).all()
        assert (arrays[1] == 1).all()


def test_a_frame_gives_back_what_it_took():
    memory = Memory()
    for _ in range(2):
        memory.reuse()
        kept = memory.empty(10, np.float64)
        with memory.frame():
            inside = memory.empty(20, np.float64)
        after = memory.empty(20, np.float64)
    assert np.shares_memory(inside, after)
    assert not np.shares_memory(kept, after)


def test_zeros_are_zero_in_used_memory():
    memory = Memory()
    for _ in range(3):
        memory.reuse()
        assert not memory.zeros((4, 4), np.float32).any()
        memory.empty((4, 4), np.float32).fill(9)


def test_threads_get_different_arrays():
    memory = Memory()
    for _ in range(2):
        memory.reuse()
        with ThreadPoolExecutor(2) as pool:
            arrays = list(pool.map(lambda n: memory.empty(50, np.int64), range(40)))
    for number, array in enumerate(arrays):
        array.fill(number)
    assert all((array == number).all() for number, array in enumerate(arrays))
