"""``ladtl experiment --dask``: a real scheduler and real workers, and what becomes of them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke
from dask_processes import AdaptiveCluster, DaskProcesses
from programs import group_is_empty, start_program, wait_for
from small_corpora import SMALL
from test_command_experiment import runs_of, write_experiment

from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.experiment import Event, Job
from ladtl_np.experiment.cluster import connection as cluster_connection
from ladtl_np.experiment.cluster import lookout
from ladtl_np.experiment.cluster import scheduler as cluster
from ladtl_np.experiment.cluster import tasks as cluster_tasks
from ladtl_np.experiment.cluster.demand import Demand, missing_tasks
from ladtl_np.experiment.cluster.runs import run_on_cluster
from ladtl_np.experiment.cluster.scheduler import Cluster, slots
from ladtl_np.experiment.cluster.work import Losses
from ladtl_np.experiment.cluster.worker import Ending, Wanted, local_versions, look
from ladtl_np.options.config import parse_config
from ladtl_np.runs.found import FoundRun

ENDLESS = 10**6
NO_DASK = "needs dask: pip install 'ladtl-np[cluster]'"


def settings(steps: int) -> dict[str, Any]:
    return {"model": SMALL["model"], "training": {**SMALL["training"], "steps": steps}}


def start(path: Path, out: Path, address: str, *options: Any) -> subprocess.Popen[str]:
    return start_program("experiment", path, "--out", out, "--dask", address, *options)


def has_trained(run: Path) -> bool:
    """Whether a run has come to its first evaluation."""
    metrics = run / "metrics.tsv"
    return metrics.is_file() and metrics.read_text("utf-8").count("\n") > 1


def is_finished(run: Path) -> bool:
    return FoundRun(run, run).finished() is not None


@pytest.fixture(scope="module")
def nannied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    """A cluster as `dask worker` starts it by default: below a nanny, with several threads."""
    pytest.importorskip("distributed", reason=NO_DASK)
    with DaskProcesses(tmp_path_factory.mktemp("nannied")) as processes:
        processes.start_workers(2, nanny=True)
        yield processes


def test_a_killed_worker_s_run_is_done_by_another_and_the_results_are_the_same(
    tmp_path: Path, invoke: Invoke
) -> None:
    pytest.importorskip("distributed", reason=NO_DASK)
    path = write_experiment(tmp_path, settings=settings(600))
    assert invoke("experiment", path, "--out", tmp_path / "local").exit_code == 0
    out = tmp_path / "out"
    with DaskProcesses(tmp_path / "dask") as processes:
        options = ("--dask", processes.address, "--dask-wait", 0.01)
        refused = invoke("experiment", path, "--out", out, *options)
        assert refused.exit_code == 2
        assert f"{processes.address} has no workers yet; waiting for the first, 1 s at" in (
            refused.stderr
        )
        assert f"{processes.address} has no workers, and none came in 1 s" in refused.stderr
        processes.start_workers(1, 1)
        program = start(path, out, processes.address)
        try:
            run = processes.stop_run(has_trained)
            run.worker.kill()
            run.worker.wait()
            run.process.resume()
            wait_for(lambda: group_is_empty(run.worker.pid), 30)  # its run has ended itself
            _, messages = program.communicate(timeout=300)
        finally:
            program.kill()
        assert program.returncode == 0, messages
        folder = str(run.folder.relative_to(out))
        assert f"lost    {folder}: its worker tcp://" in messages
        assert messages.count(f"started {folder}\n") == 2
        assert "distributed" not in messages
    assert (out / "results.tsv").read_bytes() == (tmp_path / "local/results.tsv").read_bytes()
    assert len(runs_of(out)) == 4
    for run in runs_of(out):
        twin = tmp_path / "local" / run.relative_to(out)
        assert [p.name for p in sorted(run.iterdir())] == [p.name for p in sorted(twin.iterdir())]
        for name in ("best.safetensors", "last.safetensors", "config.toml", "predictions-test.txt"):
            assert (run / name).read_bytes() == (twin / name).read_bytes()


def test_a_failing_run_is_reported_and_the_others_finish(
    tmp_path: Path, invoke: Invoke, nannied: DaskProcesses
) -> None:
    methods = {"la-dtl": {"optimizer": {"learning_rate": 1e25}}, "non-transfer": {}}
    path, out = write_experiment(tmp_path, methods=methods, seeds=[0]), tmp_path / "out"
    dry = invoke("experiment", path, "--out", out, "--dask", nannied.address, "--dry-run")
    assert "2 runs, 2 of them to do, 2 side by side" in dry.stderr
    assert not out.exists()
    result = invoke("experiment", path, "--out", out, "--dask", nannied.address, "--jobs", 1)
    assert result.exit_code == 1
    lines = [line.split(maxsplit=1)[1] for line in result.stderr.splitlines() if "seed-0" in line]
    assert [line.split()[0] for line in lines] == ["started", "FAILED", "started", "done"]
    assert "diverged" in lines[1]
    table = (out / "results.tsv").read_text("utf-8").splitlines()
    assert [line.split("\t")[1] for line in table[1:]] == ["non-transfer"] * 2


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_when_the_program_ends_its_runs_on_the_cluster_end(
    tmp_path: Path, invoke: Invoke, nannied: DaskProcesses, sent: signal.Signals
) -> None:
    path, out = write_experiment(tmp_path, settings=settings(ENDLESS)), tmp_path / "out"
    program = start(path, out, nannied.address)
    try:
        wait_for(lambda: sum(map(has_trained, nannied.runs())) == 2)
        os.killpg(program.pid, sent)
        _, messages = program.communicate(timeout=120)
    finally:
        program.kill()
    assert program.returncode == (130 if sent == signal.SIGINT else -sent)
    assert "Traceback" not in messages
    if sent == signal.SIGINT:
        assert nannied.runs() == {}
        assert "Interrupted: 0 of 4 runs done" in messages
        assert [p.name for p in out.iterdir() if p.name.startswith(".")] == []
    wait_for(lambda: not nannied.runs(), 30)
    path = write_experiment(tmp_path, methods=["non-transfer"], seeds=[0])
    assert invoke("experiment", path, "--out", out, "--dask", nannied.address).exit_code == 0


def test_when_the_scheduler_is_lost_the_program_and_the_runs_end(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason=NO_DASK)
    path, out = write_experiment(tmp_path, settings=settings(ENDLESS)), tmp_path / "out"
    with DaskProcesses(tmp_path / "dask") as processes:
        processes.start_workers(1)
        program = start(path, out, processes.address, "--dask-wait", 0.05)
        try:
            wait_for(lambda: any(map(has_trained, processes.runs())))
            processes.scheduler.kill()
            _, messages = program.communicate(timeout=120)
        finally:
            program.kill()
        assert program.returncode == 1
        error = f"error: the Dask scheduler at {processes.address} has gone, and did not come back"
        assert error in messages.splitlines()[-1]
        wait_for(lambda: not processes.runs(), 30)


def test_an_adaptive_cluster_grows_with_the_runs_that_wait_and_shrinks_after_them(
    tmp_path: Path,
) -> None:
    pytest.importorskip("distributed", reason=NO_DASK)
    path, out = write_experiment(tmp_path, settings=settings(300)), tmp_path / "out"
    with AdaptiveCluster(tmp_path / "dask") as processes:
        program = start(path, out, processes.address)
        try:
            _, messages = program.communicate(timeout=300)
        finally:
            program.kill()
        assert program.returncode == 0, messages
        assert "has no workers yet; waiting for the first, 10 min at most." in messages
        assert "4 of 4 runs done" in messages
        wait_for(lambda: processes.sizes()[-1] == 0, 60)
        assert max(processes.sizes()) == 2, processes.sizes()


def test_a_run_on_a_worker_that_is_retired_is_taken_up_by_another(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason=NO_DASK)
    path = write_experiment(tmp_path, settings=settings(600), methods=["non-transfer"])
    out = tmp_path / "out"
    with DaskProcesses(tmp_path / "dask") as processes:
        processes.start_workers(1)
        program = start(path, out, processes.address)
        try:
            run = processes.stop_run(has_trained)
            processes.start_workers(1)
            with distributed.Client(processes.address, set_as_default=False) as client:
                [worker] = [name for name, keys in client.processing().items() if keys]
                client.retire_workers([worker], close_workers=True)
            run.process.resume()
            _, messages = program.communicate(timeout=300)
        finally:
            program.kill()
        assert program.returncode == 0, messages
        assert f"lost    {run.folder.relative_to(out)}: its worker {worker} has gone" in messages
        assert "2 of 2 runs done" in messages


def test_a_scheduler_that_is_started_again_is_used_again(tmp_path: Path, invoke: Invoke) -> None:
    pytest.importorskip("distributed", reason=NO_DASK)
    path = write_experiment(tmp_path, settings=settings(600))
    assert invoke("experiment", path, "--out", tmp_path / "local").exit_code == 0
    out = tmp_path / "out"
    with DaskProcesses(tmp_path / "dask") as processes:
        processes.start_workers(1)
        program = start(path, out, processes.address)
        try:
            [done] = wait_for(lambda: [run for run in runs_of(out) if is_finished(run)])
            before = (done / "manifest.json").stat().st_mtime_ns
            run = processes.stop_run(lambda run: run != done and has_trained(run))
            processes.restart_scheduler()
            run.process.resume()
            processes.start_workers(1)  # Dask's own ends with its scheduler
            _, messages = program.communicate(timeout=300)
        finally:
            program.kill()
        assert program.returncode == 0, messages
        folder = str(run.folder.relative_to(out))
        assert f"lost    {folder}: the connection to the scheduler broke; it is" in messages
        assert "4 of 4 runs done" in messages
        assert (done / "manifest.json").stat().st_mtime_ns == before
    assert (out / "results.tsv").read_bytes() == (tmp_path / "local/results.tsv").read_bytes()


def test_machines_that_cannot_take_part_are_named(
    tmp_path: Path, invoke: Invoke, nannied: DaskProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = write_experiment(tmp_path), tmp_path / "out"
    out.mkdir()
    here = cluster.local_versions()
    monkeypatch.setattr(cluster, "local_versions", lambda: here | {"numpy": "1.0"})
    result = invoke("experiment", path, "--out", out, "--dask", nannied.address)
    assert result.exit_code == 2
    assert f"has numpy {here['numpy']} where this machine has 1.0" in result.stderr
    assert "  the scheduler has" in result.stderr
    assert "  tcp://127.0.0.1:" in result.stderr
    assert list(out.iterdir()) == []


def test_an_address_where_no_scheduler_is_is_explained(
    tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed", reason=NO_DASK)
    monkeypatch.setattr(cluster_connection, "CONNECT_SECONDS", 1.0)
    path, out = write_experiment(tmp_path), tmp_path / "out"
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        nobody = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        for listens in (False, True):
            if listens:
                mute.listen()
            result = invoke("experiment", path, "--out", out, "--dask", nobody)
            assert result.exit_code == 1
            assert f"no Dask scheduler answers at {nobody} within 1 s" in result.stderr
    for wrong in ("8786", "", "ftp://host:1", "tls://127.0.0.1:1"):
        result = invoke("experiment", path, "--out", out, "--dask", wrong)
        assert result.exit_code == 2, result.stderr
        assert f"--dask {wrong!r}: " in result.stderr
        assert "looks like tcp://127.0.0.1:8786" in result.stderr
    assert not out.exists()


def test_without_the_extra_the_option_says_what_to_install(
    tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = invoke("experiment", "demo", "--out", tmp_path / "out", "--dask", "tcp://nobody:1")
    assert result.exit_code == 2
    assert "pip install 'ladtl-np[cluster]'" in result.stderr


def test_dask_is_imported_only_when_the_option_is_used() -> None:
    program = (
        "import sys, ladtl_np.commands.experiment\n"
        "sys.exit(bool({'dask', 'distributed'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def ask(**wanted: Any) -> list[str]:
    return asyncio.run(look(Wanted(**wanted)))


def test_a_machine_says_what_it_does_not_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ladtl_np.experiment.cluster.worker.FOLDER_SECONDS", 0.1)
    (tmp_path / "token").touch()
    file = tmp_path / "file"
    file.write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    there = {"folder": str(tmp_path), "token": "token", "base": str(tmp_path)}
    assert ask(versions=local_versions(), files={str(file): empty}, **there) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "token"]
    [told] = ask(**there | {"token": "other"})
    assert told.startswith(f"sees another folder as {tmp_path}; --out has to be on a disk")
    [told] = ask(**there | {"folder": f"{tmp_path}/none"})
    assert told.startswith(f"does not see the folder {tmp_path}/none; ")
    [told] = ask(base=f"{tmp_path}/none")
    assert told == f"does not see the folder {tmp_path}/none, which relative paths start from"
    assert ask(files={str(file): "0" * 64, f"{file}2": empty}) == [
        f"has another file as {file}",
        f"cannot read {file}2: No such file or directory",
    ]
    [told] = ask(versions={"sources of ladtl_np": "other"}, folder="", token="")
    assert "has sources of ladtl_np" in told
    assert "where this machine has other" in told


def test_threads_times_runs_are_never_more_than_a_worker_has() -> None:
    assert slots({"a": 1, "b": 4, "c": 7}, 1) == {"a": 1, "b": 4, "c": 7}
    assert slots({"a": 1, "b": 4, "c": 7}, 3) == {"a": 1, "b": 1, "c": 2}


class Future:
    """A task that is still running, until its status says otherwise."""

    def __init__(self, key: str) -> None:
        self.key, self.status = key, "pending"

    def result(self, timeout: float) -> Ending:
        return Ending("")

    def cancel(self, force: bool) -> None:
        self.status = "cancelled"


class Client:
    """Stands for Dask's: `do` is called for each run that is handed out, to decide its fate."""

    status = "running"

    def __init__(self, do: Callable[[Client, Job, int, str, Future], None], **workers: int) -> None:
        self.workers, self.do = dict(workers), do
        self.complaints: dict[str, list[str] | Exception] = {}
        self.handed: list[tuple[int, str, int]] = []
        self.leaving: set[str] = set()
        self.retired: set[str] = set()
        self.asked = 0

    def nthreads(self) -> dict[str, int]:
        return dict(self.workers)

    def run_on_scheduler(self, function: object, *arguments: Any) -> Any:
        if function is lookout.taking_tasks:
            return [name for name in self.workers if name not in self.leaving]
        if function is look:
            return []
        return function is lookout.left_as_expected and arguments[0] in self.retired

    def map(self, _: object, numbers: list[int], **__: object) -> list[Future]:
        self.asked += len(numbers)
        return [Future(str(number)) for number in numbers]

    def run(self, _: object, wanted: Wanted, workers: list[str], **__: object) -> dict[str, Any]:
        return {name: self.complaints.get(name, []) for name in workers}

    def submit(self, _: object, job: Job, number: int, *__: Any, **options: Any) -> Future:
        [worker] = options["workers"]
        future = Future(options["key"])
        self.handed.append((number, worker, job.config.threads))
        self.do(self, job, number, worker, future)
        return future

    def subscribe_topic(self, topic: str, handler: object) -> None: ...

    def unsubscribe_topic(self, topic: str) -> None: ...

    def cancel(self, futures: list[Future], force: bool) -> None: ...

    def close(self, timeout: float) -> None:
        self.status = "closed"


def finish(job: Job, future: Future) -> None:
    job.folder.mkdir(parents=True, exist_ok=True)
    (job.folder / "manifest.json").write_text(json.dumps({"results": {}}))
    future.status = "finished"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POLL_SECONDS", "ARRIVE_SECONDS"):
        monkeypatch.setattr(cluster_tasks, name, 0.01)
    monkeypatch.setattr(cluster_tasks, "WORKERS_SECONDS", -1.0)


def pretend(
    client: Client, out: Path, runs: int, threads: int = 1, patience: float = 0.1
) -> list[Event]:
    jobs = [Job(parse_config({"threads": threads}), out / str(n)) for n in range(runs)]
    pretended = Cluster(client, "tcp://pretended:1", lambda: client, patience)
    return list(run_on_cluster(jobs, pretended, out, {}))


@pytest.mark.usefixtures("quick")
def test_a_run_that_kills_its_workers_fails_at_last_and_the_others_finish(tmp_path: Path) -> None:
    def do(client: Client, job: Job, number: int, worker: str, future: Future) -> None:
        if number == 0:  # another worker takes the place of the one that dies
            del client.workers[worker]
            client.workers[f"{worker}x"] = 1
        else:
            finish(job, future)

    events = pretend(Client(do, a=1, b=1), tmp_path, 5)
    assert Counter(event.kind for event in events if event.job == 0) == {"lost": 2, "failed": 1}
    [failed] = [event for event in events if event.kind == "failed"]
    assert "lost its worker 3 times, at last" in failed.error
    assert sorted(event.job for event in events if event.kind == "done") == [1, 2, 3, 4]


@pytest.mark.usefixtures("quick")
def test_retired_workers_do_not_count_as_lost(tmp_path: Path) -> None:
    def do(client: Client, job: Job, number: int, worker: str, future: Future) -> None:
        if len(client.handed) < 8:  # another one comes for each that is retired
            del client.workers[worker]
            client.retired.add(worker)
            client.workers[f"{worker}x"] = 1
        else:
            finish(job, future)

    events = pretend(Client(do, a=1), tmp_path, 1)
    assert Counter(event.kind for event in events) == {"lost": 7, "started": 1, "done": 1}


def test_a_run_that_gets_further_may_lose_any_number_of_workers() -> None:
    losses = Losses()
    for attempt in range(12):
        losses.reached[0] = 0.08 * attempt
        assert losses.of_worker(0, "a") == ""
    assert losses.of_worker(0, "a") == ""
    assert losses.of_worker(0, "a").startswith("it lost its worker 3 times, at last a; ")
    assert [bool(losses.of_attempt(1, "x")) for _ in range(100)] == [False] * 99 + [True]


@pytest.mark.usefixtures("quick")
def test_a_worker_that_is_leaving_gets_no_run(tmp_path: Path) -> None:
    client = Client(lambda _, job, number, worker, future: finish(job, future), a=4, b=1)
    client.leaving = {"a"}
    events = pretend(client, tmp_path, 3)
    assert sum(event.kind == "done" for event in events) == 3
    assert {worker for _, worker, _ in client.handed} == {"b"}


@pytest.mark.usefixtures("quick")
def test_results_that_a_lost_run_has_left_are_not_made_again(tmp_path: Path) -> None:
    def do(client: Client, job: Job, number: int, worker: str, future: Future) -> None:
        del client.workers[worker]
        client.workers[f"{worker}x"] = 1
        finish(job, Future("other"))

    (tmp_path / "0").mkdir()  # an older result, which is to be replaced
    (tmp_path / "0" / "manifest.json").write_text(json.dumps({"results": {}, "seed": 1}))
    client = Client(do, a=1)
    events = pretend(client, tmp_path, 1)
    assert [event.kind for event in events] == ["lost", "done"]
    assert len(client.handed) == 1


@pytest.mark.usefixtures("quick")
def test_a_broken_connection_is_made_again_and_no_run_is_lost(tmp_path: Path) -> None:
    def do(client: Client, job: Job, number: int, worker: str, future: Future) -> None:
        if client is first and len(client.handed) == 2:
            client.status = "connecting"
            for earlier in futures:
                earlier.status = "cancelled"
        elif client is second:
            finish(job, future)
        futures.append(future)

    futures: list[Future] = []
    first, second = Client(do, a=1, b=1), Client(do, b=1, c=1)
    tries = iter([LadtlError("nobody"), second])

    def connect() -> Client:
        found = next(tries)
        if isinstance(found, LadtlError):
            raise found
        return found

    pretended = Cluster(first, "tcp://pretended:1", connect, 60.0)
    jobs = [Job(parse_config({}), tmp_path / str(n)) for n in range(3)]
    events = list(run_on_cluster(jobs, pretended, tmp_path, {}))
    kinds = Counter(event.kind for event in events)
    assert (kinds["lost"], kinds["done"], kinds["failed"]) == (2, 3, 0)
    assert all("the connection to the scheduler broke" in e.error for e in events if e.error)
    assert first.status == "closed"
    assert {number for number, _, _ in second.handed} == {0, 1, 2}


@pytest.mark.usefixtures("quick")
def test_a_bug_is_no_broken_connection(tmp_path: Path) -> None:
    def do(client: Client, job: Job, number: int, worker: str, future: Future) -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        pretend(Client(do, a=1), tmp_path, 1)


@pytest.mark.parametrize(
    ("tasks", "threads", "running", "workers", "wanted"),
    [
        (0, 1, 0, [], 0),
        (3, 1, 3, [4], 0),  # all of them run
        (5, 2, 0, [], 5),  # nobody knows the workers' threads yet
        (5, 1, 4, [4], 4),  # 8 threads in all: two workers
        (3, 2, 2, [4], 6),  # two at a time on each: again two workers
        (8, 2, 1, [1], 7),  # workers with too few threads do one at a time
        (3, 1, 1, [8], 7),  # one worker is enough, and 8 threads are that
    ],
)
def test_the_scheduler_is_told_of_as_many_threads_as_make_enough_workers(
    tasks: int, threads: int, running: int, workers: list[int], wanted: int
) -> None:
    assert missing_tasks(tasks, threads, running, workers) == wanted


def test_placeholders_come_and_go_with_the_demand() -> None:
    client = Client(lambda *_: None)
    demand = Demand(client)
    for wanted, asked in ((3, 3), (5, 5), (2, 5), (2, 5), (4, 7), (0, 7), (5000, 1007)):
        demand.put(wanted)
        assert client.asked == asked


@pytest.mark.usefixtures("quick")
def test_a_worker_that_comes_later_is_asked_before_it_gets_a_run(tmp_path: Path) -> None:
    def do(client: Client, job: Job, number: int, worker: str, future: Future) -> None:
        client.workers |= {"good": 8, "bad": 8}
        client.complaints["bad"] = ["has numpy 1.0"]
        finish(job, future)

    client = Client(do, a=1)
    events = pretend(client, tmp_path, 12, threads=2)
    assert sum(event.kind == "done" for event in events) == 12
    assert {(worker, threads) for _, worker, threads in client.handed} == {("a", 1), ("good", 2)}


@pytest.mark.usefixtures("quick")
def test_when_no_worker_is_left_the_rest_is_given_up(tmp_path: Path) -> None:
    def do(client: Client, job: Job, number: int, worker: str, future: Future) -> None:
        client.workers = {"bad": 1}
        client.complaints["bad"] = ["has numpy 1.0"]

    events = pretend(Client(do, a=1), tmp_path, 2)
    assert [event.kind for event in events] == ["lost", "failed", "failed"]
    assert events[-1].error == "no worker is left, and none came in 1 s; bad has numpy 1.0"


@pytest.mark.usefixtures("quick")
def test_results_that_are_not_seen_here_are_a_failure(tmp_path: Path) -> None:
    def do(client: Client, job: Job, number: int, worker: str, future: Future) -> None:
        future.status = "finished"

    events = pretend(Client(do, a=1), tmp_path, 1)
    assert [event.kind for event in events] == ["started", "failed"]
    assert "its results cannot be read here" in events[-1].error


def test_workers_that_cannot_take_part_are_refused_before_the_first_run(tmp_path: Path) -> None:
    client = Client(lambda *_: None, a=1, b=1)
    for answer, told in (
        (["does not see the folder"], "does not see the folder"),
        (ModuleNotFoundError("No module named 'ladtl_np'"), "cannot load ladtl_np"),
        (Exception("""ModuleNotFoundError("No module")"""), "cannot load ladtl_np"),
        (OSError("closed"), "cannot be asked"),
    ):
        client.complaints["b"] = answer
        with pytest.raises(UsageError, match=f"tcp://pretended:1 can do this work:\n  b {told}"):
            pretend(client, tmp_path, 1)
    assert client.handed == []
    assert list(tmp_path.iterdir()) == []
