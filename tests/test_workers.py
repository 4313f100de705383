"""Laws of the threads: every task runs once, errors surface, BLAS keeps to itself."""

from __future__ import annotations

import threading
import time
from functools import partial

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from ladtl_np.arrays.workers import Workers, single_threaded_blas

THREADS = (1, 2, 4)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_every_task_runs_exactly_once_before_run_returns(threads, count):
    done = np.zeros(count, np.int64)

    def task(number):
        done[number] += 1

    Workers(threads).run(*(lambda n=n: task(n) for n in range(count)))
    assert (done == 1).all()


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("failing", [0, 1, 4])
def test_error_of_any_task_is_raised(threads, failing):
    def task(number):
        if number == failing:
            raise KeyError(f"task {number}")

    with pytest.raises(KeyError, match=f"task {failing}"):
        Workers(threads).run(*(lambda n=n: task(n) for n in range(5)))


@pytest.mark.parametrize("threads", [2, 4])
def test_no_task_is_still_running_when_an_error_is_raised(threads):
    go_on, ended = threading.Event(), []

    def slow():
        go_on.wait(5)
        ended.append(True)

    def fails():
        go_on.set()
        raise KeyError

    with pytest.raises(KeyError):
        Workers(threads).run(fails, slow, slow)
    assert len(ended) == 2


@pytest.mark.parametrize("threads", THREADS)
def test_workers_go_on_after_an_error(threads):
    workers, done = Workers(threads), []

    def fails():
        raise KeyError

    with pytest.raises(KeyError):
        workers.run(fails, fails)
    workers.run(lambda: done.append(1), lambda: done.append(2))
    assert sorted(done) == [1, 2]


def test_one_worker_stays_in_the_thread_of_the_caller():
    seen = set()
    Workers().run(*(lambda: seen.add(threading.get_ident()) for _ in range(3)))
    assert seen == {threading.get_ident()}


@pytest.mark.parametrize("threads", [0, -1])
def test_fewer_than_one_thread_is_refused(threads):
    with pytest.raises(ValueError, match=f"threads must be at least 1, got {threads}"):
        Workers(threads)


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_blas_has_one_thread_inside_and_what_it_had_outside():
    before = blas_threads()
    with single_threaded_blas():
        assert set(blas_threads()) <= {1}
    assert blas_threads() == before


@pytest.mark.parametrize("threads", [1, 2])
def test_a_started_task_gives_its_result_in_memory_of_its_own(threads):
    workers = Workers(threads)

    def task(memory, number):
        array = memory.empty(1000, np.int64)
        array.fill(number)
        time.sleep(0.001)
        return (array == number).all(), memory

    waiting = [workers.start(partial(task, number=n)) for n in range(20)]
    found = [finish() for finish in waiting]
    assert all(sound for sound, _ in found)
    assert 1 <= len({id(memory) for _, memory in found}) <= threads


@pytest.mark.parametrize("threads", [1, 2])
def test_the_error_of_a_started_task_is_raised_to_whoever_waits(threads):
    workers = Workers(threads)

    def fail(memory):
        raise LookupError("lost")

    with pytest.raises(LookupError, match="lost"):
        workers.start(fail)()
    assert workers.start(lambda memory: 7)() == 7
