"""What holds of runs and outputs under kills, signals, failing disks and second processes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tomli_w
from conftest import Invoke, once, write_corpus
from failing_calls import failing
from interrupted import content, hashes, small_run, start, wait_for, wait_for_below
from small_corpora import small_corpora

from ladtl_np.experiment.job import Job, perform
from ladtl_np.files import is_temporary
from ladtl_np.model.file import load_model
from ladtl_np.options.config import parse_config, read_config
from ladtl_np.runs.checkpoint import read_checkpoint
from ladtl_np.runs.names import BEST, CHECKPOINT, LAST, METRICS, NEW
from ladtl_np.runs.signals import stop_asked_for

QUICK = ("--steps", "3", "--threads", "1", "--set", "model.hidden=4", "--set", "model.embedding=4")


SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    return small_run(tmp_path)


@pytest.fixture
def earlier(arguments: list[str], tmp_path: Path, invoke: Invoke) -> Path:
    """A finished run of another seed, with its test corpus among its predictions."""
    out = tmp_path / "run"
    result = invoke(*once(*arguments, "--out", out, "--steps", 20, "--seed", 7))
    assert result.exit_code == 0, result.stderr
    return out


def no_leftovers(folder: Path) -> bool:
    return not [path for path in folder.rglob("*") if is_temporary(path.name)]


# -- 2: failing writes ------------------------------------------------------------------------


def survives(
    number: int, error: int, arguments: list[str], out: Path, invoke: Invoke
) -> tuple[bool, int]:
    """One run in which a call fails: whether it came that far, and what the program returned."""
    before = hashes(out)
    with failing(number, error) as calls:
        result = invoke(*arguments, "--out", out, "--overwrite", "--checkpoint-every", 2)
    told = result.stderr
    if calls.failed and result.exit_code == 0:
        assert calls.names[-1] == "unlink", told  # of the lock, which nothing waits for
    elif calls.failed:
        assert result.exit_code in (1, 2), (calls.names[-1], told)
        assert str(out) in told, (calls.names[-1], told)
        whole = hashes(out) == before
        moving = (out / NEW / "complete.json").is_file()
        assert whole or moving or load_model(out / BEST), calls.names[-1]
        again = invoke(*arguments, "--out", out, "--overwrite")
        assert again.exit_code == 0, again.stderr
        assert no_leftovers(out)
        assert not (out / NEW).exists()
    return calls.failed, result.exit_code


@pytest.mark.parametrize("error", [5, 28])  # EIO, ENOSPC
def test_promise_02_and_36_every_failing_write_of_a_run_is_survived(
    error: int, earlier: Path, arguments: list[str], invoke: Invoke
) -> None:
    """A sample of the calls; the slow test has all of them."""
    tried = 0
    for number in range(1 + error % 7, 1000, 11):
        far, code = survives(number, error, once(*arguments, *QUICK), earlier, invoke)
        if not far:
            assert code == 0
            break
        tried += 1
    assert tried >= 5


@pytest.mark.slow
@pytest.mark.parametrize("error", [5, 28])
def test_promise_02_and_36_every_failing_write_of_a_run_is_survived_at_each_call(
    error: int, earlier: Path, arguments: list[str], invoke: Invoke
) -> None:
    for number in range(1, 1000):
        far, _ = survives(number, error, once(*arguments, *QUICK), earlier, invoke)
        if not far:
            break
    assert number > 50


def test_promise_02_a_file_that_grows_too_large_is_named_and_the_model_before_it_stays(
    arguments: list[str], earlier: Path
) -> None:
    """The system's own limit of a file's size, which no patched function stands for."""
    before = hashes(earlier)
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000));"
        "from ladtl_np.commands import main; main()"
    )
    command = [sys.executable, "-c", program, *arguments, "--out", str(earlier), "--overwrite"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 1, done.stderr
    assert f"{earlier}/" in done.stderr
    assert "could not be written: File too large" in done.stderr
    assert hashes(earlier) == before


# -- 6: signals -------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), SIGNALS)
@pytest.mark.parametrize("command", ["tag", "score", "vectors", "data", "evaluate"])
def test_promise_06_every_command_ends_in_order_at_a_signal(
    command: str, number: int, code: int, tmp_path: Path, tiny_model_file: str, gold_file: str
) -> None:
    """Each waits for a pipe whose writer is slow."""
    pipe, out = tmp_path / "pipe", tmp_path / "out"
    os.mkfifo(pipe)
    given = {
        "tag": ["--model", tiny_model_file, pipe, "-o", out],
        "score": [pipe, gold_file],
        "vectors": ["train", pipe, "--tokens", "characters", "--out", out],
        "data": ["stats", pipe],
        "evaluate": ["--model", tiny_model_file, pipe],
    }[command]
    run = start(command, *given)
    with pipe.open("wb") as stream:  # opens when the program reads
        stream.write(b"C\tS-Sign\n\n" * 50)
        stream.flush()
        time.sleep(0.2)
        run.send_signal(number)
        _, told = run.communicate(timeout=60)
    assert run.returncode == code, told.decode()
    assert told.decode().strip() in ("error: interrupted", "error: terminated")
    assert not out.exists()
    assert no_leftovers(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("going_on", ["Exception", "(LadtlError, OSError, MemoryError)"])
def test_promise_06_nobody_goes_on_after_a_signal_as_after_a_failure(
    number: signal.Signals, going_on: str
) -> None:
    """A library tries an import, a command tries a file; a signal is neither's failure."""
    program = (
        "import os, time\nfrom ladtl_np.errors import LadtlError\n"
        "from ladtl_np.runs.signals import signals_raise\n"
        "with signals_raise():\n"
        f"    try:\n        os.kill(os.getpid(), {number.value}); time.sleep(9)\n"
        f"    except {going_on}:\n        print('went on')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.stdout == b""
    assert done.returncode != 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_promise_06_a_signal_is_not_lost_where_c_has_called_back(number: signal.Signals) -> None:
    """Python drops what is raised there, and compiling kernels is full of such calls."""
    program = (
        "import ctypes, os, time\nfrom ladtl_np.runs.signals import signals_raise\n"
        "@ctypes.CFUNCTYPE(None)\ndef called():\n"
        f"    os.kill(os.getpid(), {number.value})\n    time.sleep(9)\n"
        "with signals_raise():\n"
        "    try:\n        called()\n        print('dropped', flush=True)\n        time.sleep(9)\n"
        "    except BaseException as error:\n        print(type(error).__name__)\n"
        "    else:\n        print('lost')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    name = "KeyboardInterrupt" if number == signal.SIGINT else "TerminatedError"
    assert done.stdout.decode().split() == ["dropped", name]
    assert done.stderr == b""


def test_promise_06_a_second_signal_ends_the_program_at_once() -> None:
    program = (
        "import os, signal\nfrom ladtl_np.runs.signals import stop_asked_for, signals_raise\n"
        "with signals_raise(), stop_asked_for() as asked:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print(asked(), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print('too late', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == -signal.SIGTERM
    assert done.stdout == f"{signal.SIGTERM.value}\n".encode()


def test_promise_06_a_second_signal_ends_what_is_being_put_in_order() -> None:
    program = (
        "import os, signal, time\nfrom ladtl_np.runs.signals import signals_raise\n"
        "with signals_raise():\n"
        "    try:\n        os.kill(os.getpid(), signal.SIGINT); time.sleep(9)\n"
        "    finally:\n"
        "        try:\n            os.kill(os.getpid(), signal.SIGINT)\n"
        "        finally:\n            print('too late', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == -signal.SIGINT
    assert done.stdout == b""


def test_promise_06_a_worker_that_is_told_twice_still_writes_its_checkpoint() -> None:
    """A job system tells every process, and the parent tells its workers."""
    with stop_asked_for(second="noted") as asked:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
        assert asked() == signal.SIGTERM


def test_promise_42_the_message_names_only_what_is_there(
    arguments: list[str], tmp_path: Path
) -> None:
    """In the first of two stages there is no best model."""
    out = tmp_path / "out"
    run = start(*arguments, "--method", "re-training", "--out", out, "--checkpoint-every", 3)
    wait_for(out / CHECKPOINT, run)
    run.send_signal(signal.SIGTERM)
    _, told = run.communicate(timeout=60)
    for name in (BEST, LAST):
        assert (f"{out / name}" in told.decode()) == (out / name).exists(), told.decode()
    assert (out / LAST).exists()


# -- 7 and 9: before work starts ---------------------------------------------------------------


def test_promise_07_a_disk_too_small_for_the_run_is_met_before_training(
    arguments: list[str], tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    real = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda path: real._replace(free=10_000))
    result = invoke(*arguments, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "0.0 MB are free on its disk" in result.stderr
    assert not (tmp_path / "out").exists()
    monkeypatch.undo()
    assert invoke(*once(*arguments, *QUICK, "--out", tmp_path / "out")).exit_code == 0
    model = (tmp_path / "out" / BEST).stat().st_size
    spaces: list[int] = []
    monkeypatch.setattr(
        "ladtl_np.runs.folder.require_space", lambda p, size, w: spaces.append(size)
    )
    assert invoke(*once(*arguments, *QUICK, "--out", tmp_path / "two")).exit_code == 0
    numbers = sum(a.nbytes for a in load_model(tmp_path / "two" / BEST).network.named().values())
    assert spaces[0] >= 2 * numbers
    assert model > numbers


@pytest.mark.parametrize("place", ["/proc/run", "/dev/null/run", "/dev/null"])
def test_promise_09_a_folder_that_cannot_be_made_is_refused_before_anything_is_read(
    place: str, invoke: Invoke
) -> None:
    result = invoke("train", "--source", "/none", "--target", "/none", "--out", place)
    assert result.exit_code == 2
    assert place in result.stderr
    assert "/none" not in result.stderr


# -- 8 and 35: two processes -------------------------------------------------------------------


def test_promise_08_and_35_a_run_that_waits_for_its_source_keeps_its_folder(
    arguments: list[str], tmp_path: Path, invoke: Invoke
) -> None:
    pipe, out = tmp_path / "pipe", tmp_path / "out"
    os.mkfifo(pipe)
    slow = [word if word != str(tmp_path / "source.txt") else str(pipe) for word in arguments]
    first = start(*slow, "--out", out)
    wait_for(out / ".lock", first)
    second = invoke(*arguments, "--out", out)
    assert second.exit_code == 1
    assert f"process {first.pid} on " in second.stderr
    pipe.write_bytes((tmp_path / "source.txt").read_bytes())
    _, told = first.communicate(timeout=120)
    assert first.returncode == 0, told.decode()


# -- 33: --overwrite ---------------------------------------------------------------------------


def kill_while_replacing(
    out: Path, arguments: list[str], invoke: Invoke, count: int, wait: float
) -> None:
    """Kill runs that replace another, and look at what is there each time."""
    chance, old = random.Random(count), hashes(out)
    whole = out.parent / "whole"
    assert invoke(*arguments, "--out", whole).exit_code == 0
    new = content(whole)
    replaced = 0
    for _ in range(count):
        run = start(*arguments, "--out", out, "--overwrite")
        time.sleep(chance.random() * wait)
        run.kill()
        run.communicate(timeout=60)
        now = hashes(out)
        if now == old:
            continue
        assert content(out) == new
        assert json.loads((out / "manifest.json").read_text("utf-8"))["results"]
        old, replaced = now, replaced + 1
    result = invoke(*arguments, "--out", out, "--overwrite")
    assert result.exit_code == 0
    assert content(out) == new
    assert no_leftovers(out)


def test_promise_33_kills_while_a_run_is_replaced_leave_the_old_or_the_new_one(
    earlier: Path, arguments: list[str], invoke: Invoke
) -> None:
    kill_while_replacing(earlier, arguments, invoke, 4, 3.0)


@pytest.mark.slow
def test_promise_33_fifty_kills_while_a_run_is_replaced_leave_the_old_or_the_new_one(
    earlier: Path, arguments: list[str], invoke: Invoke
) -> None:
    kill_while_replacing(earlier, arguments, invoke, 50, 4.0)


def test_promise_33_and_25_a_run_that_diverges_leaves_the_earlier_one(
    earlier: Path, arguments: list[str], invoke: Invoke
) -> None:
    before = hashes(earlier)
    result = invoke(
        *arguments, "--out", earlier, "--overwrite", "--set", "optimizer.learning_rate=1e30"
    )
    assert result.exit_code == 4, result.stderr
    assert f"the earlier run in {earlier} is as it was" in result.stderr
    assert hashes(earlier) == before


def test_promise_33_an_interrupted_replacement_goes_on_and_then_replaces(
    earlier: Path, arguments: list[str], tmp_path: Path, invoke: Invoke
) -> None:
    before = hashes(earlier)
    assert invoke(*arguments, "--out", tmp_path / "whole").exit_code == 0
    run = start(*arguments, "--out", earlier, "--overwrite", "--checkpoint-every", 3)
    wait_for(earlier / NEW / CHECKPOINT, run)
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=60)
    assert run.returncode == 130
    assert str(earlier / NEW) in told.decode()
    assert hashes(earlier) == before
    result = invoke(*arguments, "--out", earlier, "--resume")
    assert result.exit_code == 0, result.stderr
    assert content(earlier) == content(tmp_path / "whole")
    assert not (earlier / NEW).exists()


# -- 34: inputs are never outputs --------------------------------------------------------------


def test_promise_34_a_run_never_removes_what_it_reads(
    earlier: Path, arguments: list[str], tmp_path: Path, invoke: Invoke
) -> None:
    mine = next(path for path in earlier.iterdir() if path.name.startswith("predictions-"))
    hard = tmp_path / "hard.txt"
    os.link(mine, hard)
    (tmp_path / "soft.txt").symlink_to(mine)
    before = hashes(earlier)
    for role in ("source", "target", "dev", "test", "label-map", "embeddings"):
        for name in (mine, hard, tmp_path / "soft.txt"):
            result = invoke(*once(*arguments, f"--{role}", name, "--out", earlier, "--overwrite"))
            assert result.exit_code == 2, (role, result.stderr)
            assert "is also an input" in result.stderr, (role, result.stderr)
            assert hashes(earlier) == before
    result = invoke("train", "--config", earlier / "config.toml", "--out", earlier, "--overwrite")
    assert result.exit_code == 2
    assert "config.toml is also an input" in result.stderr
    assert hashes(earlier) == before


def test_promise_34_no_other_command_replaces_its_input_or_a_part_of_a_run(
    earlier: Path, tmp_path: Path, tiny_model_file: str, gold_file: str, invoke: Invoke
) -> None:
    text, hard = tmp_path / "text.txt", tmp_path / "hard.txt"
    text.write_text("Cz a x\n", "utf-8")
    os.link(text, hard)
    model = tmp_path / "model"
    os.link(tiny_model_file, model)
    terms = tmp_path / "terms.txt"
    terms.write_text("a\n", "utf-8")
    tag = ("tag", "--model", model)
    vectors = ("vectors", "train", "--tokens", "characters", "--min-count", "1", "--dimension", "2")
    before = hashes(earlier), hashes(tmp_path)
    for given in (
        (*tag, text, "-o", hard),
        (*tag, text, "-o", text),
        (*tag, text, "-o", tiny_model_file),
        *((*tag, text, "-o", earlier / name) for name in hashes(earlier)),
        (*vectors, text, "--out", hard),
        (*vectors, text, "--conll", gold_file, "--out", gold_file),
        (*vectors, text, "--out", earlier / BEST),
        *(("report", earlier, "--out", earlier / name) for name in hashes(earlier)),
        ("report", earlier, "--terms", terms, "--out", terms),
    ):
        result = invoke(*given, "--overwrite")
        assert result.exit_code == 2, (given, result.stderr)
        assert "name another output" in result.stderr, (given, result.stderr)
        assert (hashes(earlier), hashes(tmp_path)) == before, given


@pytest.mark.parametrize("mode", ["ab", "r+b"])
def test_promise_34_standard_input_and_output_are_looked_through(
    mode: str, tmp_path: Path, tiny_model_file: str
) -> None:
    text = tmp_path / "text.txt"
    text.write_text("Cz a x\n", "utf-8")
    command = [sys.executable, "-c", "from ladtl_np.commands import main; main()"]
    command += ["tag", "--model", tiny_model_file]
    with text.open("rb") as stdin:
        done = subprocess.run(
            [*command, "-", "-o", str(text), "--overwrite"],
            stdin=stdin,
            capture_output=True,
            check=False,
        )
    assert done.returncode == 2
    assert b"is also an input (standard input)" in done.stderr
    with text.open(mode) as stdout:
        done = subprocess.run([*command, str(text)], stdout=stdout, stderr=-1, check=False)
    assert done.returncode == 2
    assert b"standard output is also an input" in done.stderr
    assert text.read_text("utf-8") == "Cz a x\n"


def test_promise_34_an_experiment_does_not_write_over_its_corpora(
    tmp_path: Path, invoke: Invoke
) -> None:
    small_run(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    write_corpus(out / "results.tsv", small_corpora().target)
    file = write_experiment(tmp_path, "out/results.tsv", "la-dtl", 3)
    before = hashes(out)
    result = invoke("experiment", file, "--out", out, "--overwrite")
    assert result.exit_code == 2
    assert "is also an input" in result.stderr
    assert hashes(out) == before


# -- 36: outputs of tag ------------------------------------------------------------------------


def test_promise_36_and_03_a_killed_tag_leaves_the_earlier_output_and_the_next_one_sweeps(
    tmp_path: Path, tiny_model_file: str, invoke: Invoke
) -> None:
    pipe, out = tmp_path / "pipe", tmp_path / "out"
    os.mkfifo(pipe)
    out.write_text("earlier", "utf-8")
    run = start("tag", "--model", tiny_model_file, pipe, "-o", out, "--overwrite")
    with pipe.open("wb") as stream:
        stream.write(b"Cz\n" * 200_000)  # more than is tagged at a time
        stream.flush()
        end = time.monotonic() + 60
        while no_leftovers(tmp_path) and time.monotonic() < end:
            time.sleep(0.01)
        run.kill()
        run.communicate(timeout=60)
    assert out.read_text("utf-8") == "earlier"
    assert not no_leftovers(tmp_path)
    text = tmp_path / "text"
    text.write_text("Cz\n", "utf-8")
    result = invoke("tag", "--model", tiny_model_file, text, "-o", out, "--overwrite")
    assert result.exit_code == 0
    assert no_leftovers(tmp_path)


def test_promise_36_a_full_device_is_named(tiny_model_file: str, invoke: Invoke) -> None:
    result = invoke("tag", "--model", tiny_model_file, "-o", "/dev/full", input="Cz\n" * 10)
    assert result.exit_code == 1
    assert "/dev/full could not be written: No space left on device" in result.stderr


# -- experiments -------------------------------------------------------------------------------


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    small_run(tmp_path)
    return write_experiment(tmp_path, "target.txt", "la-dtl", 1500)


def write_experiment(folder: Path, target: str, method: str, steps: int) -> Path:
    """An experiment of one run on the files of `small_run`."""
    file = folder / "my.toml"
    table = {
        "tasks": ["s -> t"],
        "methods": [method],
        "seeds": [0],
        "settings": {
            "model": {"embedding": 8, "hidden": 6},
            "training": {"steps": steps, "evaluate_every": steps // 3},
        },
        "corpora": {
            "s": {"train": "source.txt"},
            "t": {"train": target, "dev": "dev.txt", "test": ["test.txt"]},
        },
    }
    file.write_text(tomli_w.dumps(table), "utf-8")
    return file


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("send", [os.kill, os.killpg])  # a terminal's, a job system's
def test_promise_04_and_06_an_experiments_interrupted_run_goes_on_from_its_checkpoint(
    send: Callable[[int, int], None],
    number: int,
    code: int,
    experiment: Path,
    tmp_path: Path,
    invoke: Invoke,
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert invoke("experiment", experiment, "--out", whole).exit_code == 0
    run = start("experiment", experiment, "--out", out)
    (folder,) = (path.parent for path in whole.rglob("manifest.json"))
    inside = out / folder.relative_to(whole)
    wait_for(inside / "metrics.tsv", run)
    time.sleep(0.3)
    send(run.pid, number)
    _, told = run.communicate(timeout=60)
    assert run.returncode == code, told.decode()
    assert "The same command continues with the rest" in told.decode()
    read_checkpoint(inside / CHECKPOINT)
    result = invoke("experiment", experiment, "--out", out)
    assert result.exit_code == 0, result.stderr
    events = [json.loads(line) for line in (inside / "log.jsonl").read_text("utf-8").splitlines()]
    (resumed,) = (event for event in events if event["event"] == "resumed")
    assert resumed["step"] > 0
    assert content(inside) == content(folder)
    assert not (inside / CHECKPOINT).exists()


def test_promise_05_an_experiments_checkpoint_of_other_options_is_left_aside(
    experiment: Path, tmp_path: Path, invoke: Invoke
) -> None:
    out = tmp_path / "out"
    run = start("experiment", experiment, "--out", out)
    wait_for_below(out, METRICS, run)
    time.sleep(0.3)
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=60)
    (path,) = out.rglob(CHECKPOINT)
    few = ("--set", "training.steps=10", "--set", "training.evaluate_every=5")
    result = invoke("experiment", experiment, "--out", out, *few)
    assert result.exit_code == 0, result.stderr
    assert invoke("experiment", experiment, "--out", tmp_path / "whole", *few).exit_code == 0
    (whole,) = (path.parent for path in (tmp_path / "whole").rglob("manifest.json"))
    assert content(path.parent) == content(whole)
    assert "started again" in (path.parent / "log.jsonl").read_text("utf-8")


def test_promise_33_a_checkpoint_that_does_not_fit_stays_until_the_new_run_is_complete(
    earlier: Path,
) -> None:
    (earlier / CHECKPOINT).write_bytes(b"damaged")
    before = hashes(earlier)
    config = parse_config(read_config(earlier / "config.toml"))

    class Stopped(Exception):
        pass

    def stop(share: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        perform(Job(config, earlier), stop)
    assert hashes(earlier) == before
    perform(Job(config, earlier), lambda share: None)
    assert CHECKPOINT not in hashes(earlier)


@pytest.fixture(autouse=True)
def signals_as_they_were() -> Iterator[None]:
    """No command leaves a handler behind."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
