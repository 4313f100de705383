"""Laws of the threads: every task runs once, errors surface, BLAS keeps to itself."""

from __future__ import annotations

import threading
import time
from functools import partial

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from ladtl_np.arrays import team
from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.kernels.spinning import spin

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
def test_no_task_is_still_running_when_an_error_is_raised(threads, monkeypatch):
    monkeypatch.setattr(team, "allowed", lambda: 8)
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


@pytest.mark.parametrize("turns", [0, 100, 10**9])
def test_helpers_that_sleep_and_helpers_that_spin_miss_no_call(monkeypatch, turns):
    monkeypatch.setattr(team, "allowed", lambda: 8)
    monkeypatch.setattr(team, "SPIN_TURNS", turns)
    workers, done = Workers(3), np.zeros(4, np.int64)

    def task(number):
        done[number] += 1

    for call in range(200):
        if call % 50 == 0:
            time.sleep(0.01)
        workers.run(*(partial(task, number) for number in range(4)))
        assert (done == call + 1).all()


@pytest.mark.parametrize("processors", [1, 3])
def test_no_more_threads_compute_than_there_are_processors(monkeypatch, processors):
    monkeypatch.setattr(team, "allowed", lambda: processors)
    seen = set()

    def task():
        seen.add(threading.get_ident())
        time.sleep(0.002)

    Workers(8).run(*[task] * 16)
    assert len(seen) == processors


def test_a_thread_that_is_done_takes_the_next_task(monkeypatch):
    monkeypatch.setattr(team, "allowed", lambda: 8)
    done, rest = [], threading.Event()

    def long():
        assert rest.wait(5)  # needs another thread that does all the short ones

    def short():
        done.append(1)
        if len(done) == 5:
            rest.set()

    Workers(2).run(long, *[short] * 5)
    assert len(done) == 5


def test_a_call_inside_a_task_is_done_by_its_thread():
    workers, seen = Workers(2), []

    def outer():
        mine = threading.get_ident()
        workers.run(*[lambda: seen.append(threading.get_ident() == mine)] * 3)

    workers.run(outer, outer)
    assert seen == [True] * 6


def test_calls_of_two_threads_beside_each_other_all_end():
    workers, done = Workers(2), []

    def caller():
        for _ in range(100):
            workers.run(*[lambda: done.append(1)] * 3)

    callers = [threading.Thread(target=caller) for _ in range(2)]
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    assert len(done) == 600


def test_threads_end_with_their_workers(monkeypatch):
    monkeypatch.setattr(team, "allowed", lambda: 8)
    before = set(threading.enumerate())
    workers = Workers(4)
    workers.run(*[lambda: None] * 4)
    own = set(threading.enumerate()) - before
    assert len(own) == 3
    del workers
    for thread in own:
        thread.join(5)
        assert not thread.is_alive()


def test_spinning_tells_whether_the_number_came():
    flags = np.array([0, 3], np.int64)
    assert spin(flags, 1, 3, 0)
    assert not spin(flags, 1, 4, 10)
    assert not spin(flags, 0, 1, 10)


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
