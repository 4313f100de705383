"""The simulation of more threads keeps the laws of schedules, and records what the code does."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from ladtl_np.bench.tagging_case import build_tagging_case
from ladtl_np.bench.workloads import WEIBO, build_case
from ladtl_np.layers import bilstm
from ladtl_np.model.tagging import Tagger

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

import scaling_threads
from simulated.cases import Study, step, tagging
from simulated.changes import with_products_apart, without_python
from simulated.schedule import (
    Machine,
    Main,
    Run,
    Start,
    Task,
    Wait,
    chain,
    seconds,
    timeline,
    work,
)
from simulated.traces import Clock, Recorder, record


def compiled(*lengths: float) -> Run:
    return Run("run", tuple(Task("", 0.0, length) for length in lengths))


BACKGROUND = (
    Main("", 1.0, 0.0),
    Start(0, Task("", 0.0, 3.0)),
    Start(1, Task("", 0.0, 2.0, needs=(0,))),
    Main("", 0.5, 0.0),
    Wait(1),
    Main("", 0.25, 0.0),
)


@pytest.mark.parametrize(
    ("cores", "wanted"), [(1, 12.0), (2, 7.0), (3, 5.0), (4, 5.0), (5, 5.0), (64, 5.0)]
)
def test_a_thread_that_has_ended_a_task_takes_the_next(cores: int, wanted: float) -> None:
    assert seconds([compiled(5, 3, 2, 2)], Machine(cores)) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(("cores", "wanted"), [(1, 6.75), (2, 6.25), (16, 6.25)])
def test_what_is_started_goes_on_beside_the_main_thread(cores: int, wanted: float) -> None:
    assert seconds(BACKGROUND, Machine(cores)) == pytest.approx(wanted, abs=1e-9)
    assert chain(BACKGROUND) == pytest.approx(6.25)


def test_python_is_one_threads_at_a_time_and_compiled_code_is_not() -> None:
    both = Run("", (Task("", 1.0, 2.0), Task("", 1.0, 2.0)))
    assert seconds([both], Machine(1)) == pytest.approx(6.0)
    assert seconds([both], Machine(2)) == pytest.approx(4.0, abs=0.02)  # they take turns
    assert seconds(without_python([both]), Machine(2)) == pytest.approx(2.0)


def test_a_core_beside_busy_ones_is_slower_only_while_they_are_busy() -> None:
    assert seconds([compiled(1, 3)], Machine(2, shared_rate=0.5)) == pytest.approx(2.0 + 2.0)
    assert seconds([compiled(3)], Machine(2, shared_rate=0.5)) == pytest.approx(3.0)


def test_cores_are_shared_evenly_where_threads_are_more() -> None:
    """One core, two threads of the background and none idle: the main thread's own takes longer."""
    trace = (Start(0, Task("", 0.0, 2.0)), Start(1, Task("", 0.0, 2.0)), Main("", 0.0, 2.0))
    assert timeline(trace, Machine(2))[-1][1] == pytest.approx(3.0)


def test_waking_and_handing_over_take_their_time() -> None:
    trace = [compiled(1, 1)]
    slow = seconds(trace, Machine(2, wake=0.25, hand_over=0.125))
    assert slow == pytest.approx(1.0 + 0.25 + 2 * 0.125)
    assert seconds(trace, Machine(1, wake=0.25, hand_over=0.125)) == pytest.approx(2.0)


def test_random_traces_lie_between_their_bounds() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        trace: list[Main | Run | Start | Wait] = []
        started = 0
        for _ in range(8):
            python, kernel = rng.exponential(size=2).tolist()
            if rng.random() < 0.4:
                trace.append(
                    Run("", tuple(Task("", *pair) for pair in rng.random((3, 2)).tolist()))
                )
            elif rng.random() < 0.5:
                needs = tuple(n for n in range(started) if rng.random() < 0.3)
                trace.append(Start(started, Task("", python / 9, kernel, needs)))
                started += 1
            else:
                trace.append(Main("", python, kernel))
        trace += [Wait(n) for n in range(started)]
        total, longest = sum(work(trace)), chain(trace)
        assert seconds(trace, Machine(1)) == pytest.approx(total)
        for cores in (2, 5):
            found = seconds(trace, Machine(cores))
            assert max(total / cores, longest, work(trace)[0]) <= found * (1 + 1e-9)
            assert found <= total * (1 + 1e-9)


def test_products_apart_keep_the_work_and_shorten_the_chain() -> None:
    sizes = WEIBO.architecture()
    trace = [Run("", (Task("lstm_forward", 0.0, 2.0), Task("lstm_forward", 0.0, 2.0)))]
    changed = with_products_apart(trace, 8, sizes)
    assert sum(work(changed)) == pytest.approx(4.0)
    # D = H: half of the products wait for the step before, and 4 threads share each rest
    assert chain(changed) == pytest.approx(1.0 + 0.25)


SMALL = replace(WEIBO, embedding=4, hidden=3, vocabulary=50, sentences=4)


def test_a_step_is_recorded_with_its_tasks_and_kernels() -> None:
    case = build_case(SMALL)
    trace = record(lambda recorder: step(case, 4, recorder), threads=4, rounds=2)
    runs = {event.label: event.tasks for event in trace if isinstance(event, Run)}
    for way, kernel in (("bilstm_forward", "lstm_forward"), ("bilstm_backward", "lstm_backward")):
        assert [task.label for task in runs[way]][:2] == [kernel] * 2
    assert all(task.kernel > 0.0 for tasks in runs.values() for task in tasks[:1])
    assert isinstance(trace[0], Main)
    assert work(trace)[1] > sum(task.kernel for task in runs["bilstm_forward"])


def test_tagging_is_recorded_with_what_each_batch_waits_for() -> None:
    text = build_tagging_case(build_case(SMALL), sentences=60)
    trace = record(lambda recorder: tagging(text, 2, recorder), threads=2, rounds=1)
    started = {event.number: event.task for event in trace if isinstance(event, Start)}
    assert [task.label for task in started.values()][:2] == ["project_words"] * 2
    batches = [task for task in started.values() if task.label == "best_tags"]
    assert len(batches) > 2
    assert all(set(task.needs) == {0, 1} for task in batches)
    assert {event.number for event in trace if isinstance(event, Wait)} == {
        number for number, task in started.items() if task.label == "best_tags"
    }


def test_a_recorder_computes_what_workers_do_and_leaves_kernels_as_they_were() -> None:
    text = build_tagging_case(build_case(SMALL), sentences=60)
    sentences = [line.split(" ") for line in text.lines]
    wanted = list(Tagger(text.model).tag(sentences))
    before, tagger, clock = bilstm.kernels, Tagger(text.model), Clock()
    tagger.decoder.workers = Recorder(8, clock)
    with clock.watching():
        assert bilstm.kernels is not before
        assert list(tagger.tag(sentences)) == wanted
    assert bilstm.kernels is before
    assert clock.kernels["best_tags"] > 0.0


def test_a_run_inside_a_task_is_that_tasks_own() -> None:
    recorder = Recorder(2, Clock())
    done: list[int] = []
    recorder.run(lambda: recorder.run(lambda: done.append(1), lambda: done.append(2)), list)
    assert done == [1, 2]
    assert [len(event.tasks) for event in recorder.end() if isinstance(event, Run)] == [2]


def test_the_page_has_a_row_for_every_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling_threads, "CORES", (1, 2, 8))
    monkeypatch.setattr(scaling_threads, "ROUNDS", 1)
    case, facts = build_case(SMALL), scaling_threads.Facts(100.0, 180.0, 5e-5, 1e-5, 5e10)
    made = partial(step, case)
    study = Study("A step", made, made, case.tokens, 1000, SMALL.architecture())
    lines = scaling_threads.study_lines(study, facts)
    assert lines[0] == "## A step"
    tables = [line.split(" | ") for line in lines if line.startswith("| ")]
    assert [row[0] for row in tables[1:4]] == ["| 1", "| 2", "| 8"]
    assert len({len(row) for row in tables[:4]}) == 1
    assert any(row[0] == "| LSTM, two directions, way back" for row in tables)


def test_memory_bounds_a_prediction_and_is_named() -> None:
    trace, on = [compiled(1.0, 1.0)], Machine(2)
    assert scaling_threads.limit(trace, on, 4.0, memory=4.0) == "memory"
    assert scaling_threads.limit(trace, on, 2.0, memory=0.0) == "all cores compute, 50 %"
    assert scaling_threads.limit([Main("", 3.0, 1.0)], on, 4.0, memory=0.0) == "the longest chain"
