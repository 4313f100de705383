"""A run's folder for one process: what it takes, what of an earlier run stays, and how it goes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from ladtl_np.errors import DataError, LadtlError, UsageError
from ladtl_np.runs.folder import COLUMNS, RunFolder, Use
from ladtl_np.runs.found import FoundRun, runs_below
from ladtl_np.runs.marker import holds_run, run_files, signed
from ladtl_np.runs.names import CHECKPOINT, NEW

MANIFEST, BEST, LOCK = "manifest.json", "best.safetensors", ".lock"


def write_run(folder: RunFolder, text: str, *tests: str) -> None:
    """The files of a finished run, all of which hold `text`."""
    predictions = [f"predictions-{name}" for name in tests]
    folder.write_manifest({"method": text}, predictions)
    folder.begin_metrics()
    folder.log(text)
    for name in ("config.toml", BEST, "last.safetensors", *predictions):
        folder.write_text(name, text)


def complete_run(path: Path, text: str, *tests: str, use: Use = "new") -> None:
    with RunFolder(path, use) as folder:
        write_run(folder, text, *tests)
        folder.complete()


def content(path: Path) -> dict[str, str]:
    return {each.name: each.read_text("utf-8") for each in path.iterdir() if each.is_file()}


def test_an_earlier_run_stays_until_the_new_one_is_complete_and_then_goes_as_a_whole(
    tmp_path: Path,
) -> None:
    complete_run(tmp_path, "old", "a", "b.txt")
    (tmp_path / "notes.txt").write_text("mine", "utf-8")
    (tmp_path / "predictions-mine").write_text("mine", "utf-8")
    (tmp_path / f".{MANIFEST}.1.0123abcd.tmp").touch()  # left by a dead process
    before = content(tmp_path)
    del before[f".{MANIFEST}.1.0123abcd.tmp"]
    with RunFolder(tmp_path, "replace") as folder:
        write_run(folder, "new", "b.txt", "c")
        after = content(tmp_path)
        assert {name: after[name] for name in before} == before
        folder.complete()
    own = {MANIFEST, "config.toml", "metrics.tsv", "log.jsonl", BEST, "last.safetensors"}
    found = content(tmp_path)
    assert found.keys() == own | {"predictions-b.txt", "predictions-c"} | {
        *("notes.txt", "predictions-mine")
    }
    for name in (BEST, "predictions-b.txt"):
        assert found[name] == "new"
    assert found["notes.txt"] == found["predictions-mine"] == "mine"
    assert not (tmp_path / NEW).exists()


def test_what_does_not_come_to_its_end_leaves_the_earlier_run(tmp_path: Path) -> None:
    complete_run(tmp_path, "old", "a")
    before = content(tmp_path)
    with RunFolder(tmp_path, "replace") as folder:
        write_run(folder, "new")
    assert content(tmp_path) == before
    assert [run.folder for run in runs_below(tmp_path)] == [tmp_path]
    complete_run(tmp_path, "newer", use="replace")  # starts afresh, and not from "new"
    assert content(tmp_path)[BEST] == "newer"
    assert not (tmp_path / NEW).exists()


CALLS = ("os.replace", "os.fsync", "os.open", "os.rmdir", "os.unlink", "pathlib.Path.unlink")


@pytest.mark.parametrize("call", CALLS)
def test_promise_33_a_run_is_the_old_or_the_new_one_whichever_call_fails_while_it_is_replaced(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call of that name fails once; so do a kill there, and all that comes after it."""
    for failing in range(1, 60):
        place = tmp_path / f"{failing}"
        complete_run(place, "old", "a", "b")
        folder = RunFolder(place, "replace")
        with folder:
            write_run(folder, "new", "b", "c")
            with monkeypatch.context() as patched:
                count = fail_from(patched, call, failing)
                with suppress(LadtlError):
                    folder.complete()
        if count() < failing:
            assert failing > 1, f"{call} is never called"
            break
        run = FoundRun.at(place)
        seen = {run.manifest.method, run.predictions("b").read_text("utf-8")}
        assert len(seen) == 1
        assert (run.predictions("c").exists(), run.predictions("a").exists()) in (
            *((False, True), (True, False), (True, True)),
        )
        with RunFolder(place, "replace"):  # whoever comes next puts it in order
            pass
        found = {text for name, text in content(place).items() if name in run_files(place)}
        names = set(run_files(place)) & {"predictions-a", "predictions-c"}
        kind = FoundRun.at(place).manifest.method
        assert kind in found
        assert names == {"predictions-a" if kind == "old" else "predictions-c"}
        assert not {"old": {"new"}, "new": {"old"}}[kind] & found
        assert seen == {kind}
    else:
        raise AssertionError("more calls than were tried")


def fail_from(monkeypatch: pytest.MonkeyPatch, call: str, failing: int) -> Callable[[], int]:
    """Let the call of that number, and all of that name after it, fail; returns their count."""
    seen = 0
    module, _, name = call.rpartition(".")
    owner = {"os": os, "pathlib.Path": Path}[module]
    real = getattr(owner, name)

    def fail(*given: object, **options: object) -> object:
        nonlocal seen
        seen += 1
        if seen >= failing:
            raise OSError(28, "No space left on device")
        return real(*given, **options)

    monkeypatch.setattr(owner, name, fail)
    return lambda: seen


def test_promise_35_what_was_right_at_first_is_looked_at_again_under_the_lock(
    tmp_path: Path,
) -> None:
    place = tmp_path / "run"
    early = RunFolder(place)
    complete_run(place, "another")
    with pytest.raises(UsageError, match="is not empty"), early:
        pass
    assert content(place)[BEST] == "another"
    late = RunFolder(place, "replace")
    shutil.rmtree(place)
    place.mkdir()
    (place / "notes.txt").touch()
    with pytest.raises(UsageError, match="not a run that --overwrite may replace"), late:
        pass
    assert not (place / LOCK).exists()


@pytest.mark.parametrize(
    "files",
    [
        {"config.toml": 'method = "la-dtl"\n'},
        {"config.toml": "", MANIFEST: "{}"},
        {MANIFEST: json.dumps({"format": "ladtl_np run 1", "method": "la-dtl"})},
        {MANIFEST: json.dumps({"format": "ladtl_np run 1", "sha256": "00"})},
        {MANIFEST: "[" * 100_000},
        {MANIFEST: "[]"},
        {MANIFEST: json.dumps(signed({}, "ladtl_np run 99"))},
        {"predictions-a": "", "notes.txt": ""},
        {BEST: ""},
    ],
)
def test_promise_35_only_a_folder_with_our_own_signed_manifest_is_a_run(
    files: dict[str, str], tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    assert not holds_run(tmp_path)
    with pytest.raises(UsageError, match="not a run that --overwrite may replace"):
        RunFolder(tmp_path, "replace")
    assert content(tmp_path) == files


def test_promise_35_a_manifest_that_was_edited_is_none(tmp_path: Path) -> None:
    complete_run(tmp_path, "old")
    text = (tmp_path / MANIFEST).read_text("utf-8")
    (tmp_path / MANIFEST).write_text(text.replace('"old"', '"edited"'), "utf-8")
    with pytest.raises(UsageError, match="not a run"):
        RunFolder(tmp_path, "replace")


def test_a_manifest_cannot_claim_files_that_are_no_predictions(tmp_path: Path) -> None:
    complete_run(tmp_path / "run", "old")
    (tmp_path / "predictions-outside").touch()
    (tmp_path / "run" / "notes.txt").touch()
    claimed = ["notes.txt", "../predictions-outside", 7, "predictions-none"]
    manifest = signed({"predictions": claimed}, "ladtl_np run 1")
    (tmp_path / "run" / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    assert holds_run(tmp_path / "run")
    assert "notes.txt" not in run_files(tmp_path / "run")
    complete_run(tmp_path / "run", "new", use="replace")
    assert (tmp_path / "predictions-outside").exists()
    assert (tmp_path / "run" / "notes.txt").exists()


@pytest.mark.parametrize(
    "record", ["", "[]", "{}", '{"remove": 1}', "[" * 9_000, '{"remove": [1]}']
)
def test_a_record_of_completion_that_we_did_not_write_is_refused(
    record: str, tmp_path: Path
) -> None:
    complete_run(tmp_path, "old")
    (tmp_path / NEW).mkdir()
    (tmp_path / NEW / "complete.json").write_text(record, "utf-8", "surrogateescape")
    with pytest.raises(LadtlError, match=r"complete\.json: not written by ladtl_np"):
        with RunFolder(tmp_path, "replace"):
            pass
    assert content(tmp_path)[BEST] == "old"


def test_promise_33_a_planted_record_removes_and_replaces_nothing_that_is_no_run_s(
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    complete_run(run, "old")
    for name in (tmp_path / "predictions-mine", run / "notes.txt"):
        name.write_text("mine", "utf-8")
    (run / NEW).mkdir()
    (run / NEW / "notes.txt").write_text("planted", "utf-8")
    left = ["../predictions-mine", "notes.txt", str(tmp_path / "predictions-mine"), "."]
    (run / NEW / "complete.json").write_text(json.dumps({"remove": left}), "utf-8")
    with RunFolder(run, "replace"):
        pass
    assert (tmp_path / "predictions-mine").read_text("utf-8") == "mine"
    assert (run / "notes.txt").read_text("utf-8") == "mine"


def test_promise_34_an_input_that_the_new_run_would_replace_is_refused(tmp_path: Path) -> None:
    complete_run(tmp_path / "run", "old", "src.txt")
    hard = tmp_path / "hard"
    os.link(tmp_path / "run" / "predictions-src.txt", hard)
    for name in (tmp_path / "run" / "predictions-src.txt", hard):
        with RunFolder(tmp_path / "run", "replace") as folder:
            with pytest.raises(UsageError, match=r"predictions-src\.txt is also an input"):
                folder.protect([str(name)])
    (tmp_path / "run" / "predictions-mine").write_text("mine", "utf-8")
    with RunFolder(tmp_path / "run", "replace") as folder:
        with pytest.raises(UsageError, match="predictions-mine is no file of the run"):
            folder.protect([], ["predictions-mine"])
        folder.protect([], ["predictions-src.txt"])


def test_promise_08_the_second_is_told_which_process_holds_a_folder(tmp_path: Path) -> None:
    place = tmp_path / "run"
    with RunFolder(place), pytest.raises(LadtlError, match="in use by another run") as caught:
        with RunFolder(place, "replace"):
            pass
    assert f"process {os.getpid()} on " in str(caught.value)
    assert not place.exists()  # nothing was written into it
    place.mkdir()
    (place / LOCK).write_text("process 4 on a machine that is gone", "utf-8")
    with RunFolder(place):
        assert f"process {os.getpid()} on " in (place / LOCK).read_text("utf-8")
    (place / LOCK).write_text("4\nhost\n", "utf-8")  # as filelock notes where it cannot lock
    with RunFolder(place):
        assert (place / LOCK).read_text("utf-8") == "4\nhost\n"


def test_an_interrupted_run_goes_on_where_it_wrote(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "a") as folder:
        write_run(folder, "half")
        folder.write_text(CHECKPOINT, "state")
    complete_run(tmp_path / "b", "old")
    with RunFolder(tmp_path / "b", "replace") as folder:
        write_run(folder, "half")
        folder.write_text(CHECKPOINT, "state")
    for place in (tmp_path / "a", tmp_path / "b"):
        for use in ("resume", "continue"):
            with RunFolder(place, use) as folder:
                assert folder.resumes
                assert (folder.work / BEST).read_text("utf-8") == "half"
    assert content(tmp_path / "b")[BEST] == "old"
    with RunFolder(tmp_path / "b", "resume") as folder:
        folder.remove(CHECKPOINT)
        folder.complete()
    assert content(tmp_path / "b")[BEST] == "half"
    with pytest.raises(UsageError, match="its run is finished"):
        RunFolder(tmp_path / "b", "resume")
    with RunFolder(tmp_path / "a", "continue") as folder:
        folder.restart()
        assert not folder.resumes
        assert (tmp_path / "a" / CHECKPOINT).exists()  # until the new run is complete
        write_run(folder, "new")
        folder.complete()
    assert content(tmp_path / "a")[BEST] == "new"
    assert CHECKPOINT not in content(tmp_path / "a")


def test_a_folder_of_nothing_but_a_given_up_replacement_is_not_empty(tmp_path: Path) -> None:
    complete_run(tmp_path, "old")
    with RunFolder(tmp_path, "replace") as folder:
        write_run(folder, "half")
    for path in tmp_path.iterdir():
        if path.is_file():
            path.unlink()
    with pytest.raises(UsageError, match="is not empty"):
        RunFolder(tmp_path)
    complete_run(tmp_path, "new", use="replace")
    assert not (tmp_path / NEW).exists()


def test_metrics_are_cut_where_the_checkpoint_was_and_never_made_up(tmp_path: Path) -> None:
    with RunFolder(tmp_path) as folder:
        folder.begin_metrics()
        folder.metrics({"step": 1, "best": True, "dev_f1": 0.5})
        size = folder.metrics_size()
        folder.metrics({"step": 2})
        folder.cut_metrics(size)
        lines = (tmp_path / "metrics.tsv").read_text("utf-8").split("\n")
        assert lines[0].split("\t") == list(COLUMNS)
        assert [line.split("\t")[0] for line in lines[1:]] == ["1", ""]
        with pytest.raises(DataError, match="shorter than when the checkpoint was written"):
            folder.cut_metrics(size + 1)


def test_promise_42_what_is_kept_is_named_only_if_it_is_there(tmp_path: Path) -> None:
    complete_run(tmp_path, "old")
    with RunFolder(tmp_path, "replace") as folder:
        assert folder.kept() == (
            f"No model was written; the earlier run in {tmp_path} is as it was."
        )
        folder.write_text(BEST, "")
        assert str(folder.work / BEST) in folder.kept()
        assert "last" not in folder.kept()
