"""``ladtl tag --out-dir``: many files and folders, here and on a Dask cluster."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke
from dask_processes import DaskProcesses
from programs import group_is_empty, start_program, wait_for

from ladtl_np.commands.support import tag_cluster, tag_many, tagging
from ladtl_np.commands.support.converting import WRITABLE
from ladtl_np.commands.support.tag_cluster import TagJob, tag_on_worker
from ladtl_np.commands.support.tagging import Source, TagOptions
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.formats.registry import FORMATS
from ladtl_np.corpus.unknown import UnknownTokens
from ladtl_np.errors import DataError
from ladtl_np.experiment.cluster.worker import Wanted, complaints, local_versions
from ladtl_np.model.file import load_model
from ladtl_np.runs.lock import FolderLock

NO_DASK = "needs dask: pip install 'ladtl-np[cluster]'"
RECORD = "ladtl-tag.json"
Tag = Callable[..., Any]


@pytest.fixture
def tag(invoke: Invoke, tiny_model_file: str) -> Tag:
    """``ladtl tag`` with the tiny model and one thread."""

    def tag(*arguments: object, **options: Any) -> object:
        model = () if "--model" in arguments else ("--model", tiny_model_file)
        return invoke("tag", *model, "--threads", "1", *arguments, **options)

    return tag


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A folder of inputs: two levels, all formats, hidden files and an empty folder."""
    folder = tmp_path / "notes"
    (folder / "ward" / "empty").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "a.txt").write_text("x\n")
    (folder / ".a.txt").write_text("x\n")
    (folder / "b.txt").write_text("Czx\n\nab\n")
    (folder / "a.jsonl").write_text('{"text":"Cz x","id":7}\n')
    (folder / "ward" / "b.conll").write_text("x\tO\n\n-DOCSTART-\tO\n\nC\tO\nz\tO\n")
    (folder / "ward" / "report.2024").write_text("x\n")
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    """Content of all files below a folder but the record's, by their paths in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != RECORD
    }


def singly(tag: Tag, notes: Path, folder: Path) -> dict[str, bytes]:
    """What single calls make of the same files."""
    names = ("a.jsonl", "b.txt", "ward/b.conll", "ward/report.2024")
    for name in names:
        output = folder / Path(name).with_suffix(".conll" if "2024" not in name else ".2024.conll")
        output.parent.mkdir(parents=True, exist_ok=True)
        assert tag(notes / name, "-o", output).exit_code == 0
    return files_of(folder)


def test_a_folder_stands_for_its_files_and_outputs_keep_their_paths(
    tag: Tag, notes: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    other = tmp_path / "letter.txt"
    other.write_text("a\n")
    result = tag(notes, other, "--out-dir", out)
    assert result.exit_code == 0
    assert result.stdout == ""
    expected = singly(tag, notes, tmp_path / "single") | {"letter.conll": b"a\tO\n\n"}
    assert files_of(out) == expected
    paths = [notes / "a.jsonl", notes / "b.txt", notes / "ward/b.conll", notes / "ward/report.2024"]
    lines = result.stderr.splitlines()
    done = [line for line in lines if " done " in line]
    assert done == [f"{n}/5 done    {path}" for n, path in enumerate([*paths, other], 1)]
    assert f"3/5         {paths[2]}: 1 -DOCSTART- block left out" in lines
    assert lines[-1] == "5 of 5 files tagged"


def test_outputs_are_private_whatever_the_umask(tag: Tag, notes: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    before = os.umask(0)
    try:
        assert tag(notes, "--out-dir", out).exit_code == 0
    finally:
        os.umask(before)
    for path in out.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


@pytest.mark.parametrize(("style", "suffix"), [("jsonl", ".jsonl"), ("terminal", ".txt")])
def test_the_suffix_is_that_of_the_output_format(
    tag: Tag, notes: Path, tmp_path: Path, style: str, suffix: str
) -> None:
    assert tag(notes / "b.txt", "--out-dir", tmp_path / "out", "--to", style).exit_code == 0
    single = tmp_path / "single"
    assert tag(notes / "b.txt", "-o", single, "--to", style).exit_code == 0
    assert files_of(tmp_path / "out") == {f"b{suffix}": single.read_bytes()}


def test_unknown_tokens_of_all_files_are_told_and_remarked_on_where_they_are(
    tag: Tag, notes: Path, tmp_path: Path
) -> None:
    for name, text in {"a": "x" * 150 + "qq", "b": "Ж" * 150, "c": "x"}.items():
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{name}.txt").write_text(text, "utf-8")
    result = tag(tmp_path / "in", "--out-dir", tmp_path / "out")
    lines = result.stderr.splitlines()
    assert lines[-2].startswith("50.2 % of 303 tokens are unknown to the model")
    told = [line for line in lines if "unknown to the model" in line]
    assert len(told) == 2  # of b.txt, and of all
    assert f"{tmp_path}/in/b.txt: 100.0 % of 150 tokens are unknown" in told[0]
    assert "check how the text is cut" in told[0]
    # a file that was tagged before is not among them
    again = tag(tmp_path / "in", "--out-dir", tmp_path / "out", "--resume")
    assert "unknown to the model" not in again.stderr


def test_a_file_with_findings_is_reported_and_the_others_go_on(
    tag: Tag, notes: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (notes / "b.txt").write_bytes(b"x\n\xff\n\x00\n")
    result = tag(notes, "--out-dir", out)
    assert result.exit_code == 3
    lines = result.stderr.splitlines()
    failed = [line for line in lines if " FAILED " in line]
    assert f"{notes}/b.txt:2: not UTF-8" in failed[0]
    assert f"{notes}/b.txt:3: " in failed[1]
    assert lines[-1] == f"3 of 4 files tagged, 1 could not be: {notes}/b.txt"
    assert sorted(files_of(out)) == ["a.conll", "ward/b.conll", "ward/report.2024.conll"]
    (notes / "b.txt").write_bytes(b"x\n")
    again = tag(notes, "--out-dir", out, "--resume")
    assert again.exit_code == 0
    assert "3 of 4 files were tagged before" in again.stderr
    assert again.stderr.splitlines()[-1] == "1 of 1 files tagged"


def test_errors_of_other_kinds_end_with_one(
    tag: Tag, notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (notes / "b.txt").write_bytes(b"\xff\n")
    real = tagging.read

    def read(stream: Any, kind: str, *rest: Any) -> Any:
        if kind == "jsonl":
            raise MemoryError
        return real(stream, kind, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(tagging, "read", read)
    result = tag(notes, "--out-dir", tmp_path / "out")
    assert result.exit_code == 1
    assert f"FAILED  {notes}/a.jsonl: not enough memory" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("2 of 4 files tagged, 2 could not be: ")


def refused(result: Any, *told: str) -> bool:
    assert result.exit_code == 2, result.stderr
    for words in told:
        assert words in result.stderr
    return True


def test_what_cannot_be_is_refused_before_work_starts(
    tag: Tag, notes: Path, tmp_path: Path, tiny_model_file: str
) -> None:
    out = tmp_path / "out"
    twin = tmp_path / "b.jsonl"
    twin.write_text("")
    assert refused(tag(notes / "b.txt", twin, "--out-dir", out), "the same output b.conll")
    assert refused(tag(notes, notes, "--out-dir", out), "the same output")
    assert refused(tag("--out-dir", out), "there is no file in")
    assert refused(tag(notes / "ward" / "empty", "--out-dir", out), "there is no file in")
    assert refused(tag("-", "--out-dir", out), "standard input has no name")
    assert refused(tag(tmp_path / "none", "--out-dir", out), "none: no such file")
    assert refused(tag(notes, "--out-dir", notes), "would be inputs the next time")
    assert refused(tag(notes, "--out-dir", notes / "ward" / "out"), "would be inputs")
    assert refused(tag(notes, "--out-dir", twin), "is a file; --out-dir wants a folder")
    assert refused(tag(notes, "--out-dir", out, "-o", "x"), "give one of both")
    assert refused(tag(notes / "b.txt", "--resume"), "want --out-dir")
    assert refused(tag(notes / "b.txt", "--dask", "tcp://nobody:1"), "want --out-dir")
    assert refused(tag(notes / "b.txt", twin), "several inputs want --out-dir")
    assert refused(tag(notes), "a folder without .ann files")
    assert not out.exists()
    os.mkfifo(notes / "pipe")
    assert refused(tag(notes, "--out-dir", out), "pipe is neither a file nor a folder")
    (notes / "pipe").unlink()
    (notes / "link").symlink_to(tmp_path)
    assert refused(tag(notes, "--out-dir", out), "is a link to a folder")
    (notes / "link").unlink()
    (notes / "broken.txt").symlink_to(tmp_path / "none")
    assert refused(tag(notes, "--out-dir", out), "broken.txt: no such file")
    (notes / "broken.txt").unlink()
    (notes / "a.conll").mkdir()
    (notes / "a.conll" / "c.txt").write_text("x\n")
    assert refused(tag(notes, "--out-dir", out), "is the folder of another output")
    assert not out.exists()


def test_promise_34_an_output_that_is_an_input_under_any_link_is_refused(
    tag: Tag, notes: Path, tmp_path: Path, tiny_model_file: str
) -> None:
    out, model = tmp_path / "out", tmp_path / "model"
    out.mkdir()
    shutil.copy(tiny_model_file, model)
    options = (notes, "--model", model, "--out-dir", out, "--overwrite")
    for kind in (os.symlink, os.link):
        for source in (notes / "a.jsonl", notes / "ward" / "b.conll", model):
            before = source.read_bytes()
            kind(source, out / "b.conll")
            assert refused(tag(*options), f"{out / 'b.conll'} is also an input ({source})")
            assert source.read_bytes() == before
            (out / "b.conll").unlink()
    assert list(out.iterdir()) == []


def test_outputs_that_exist_are_replaced_only_when_asked(
    tag: Tag, notes: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "b.conll").write_text("mine")
    for options in ((), ("--resume",)):
        assert refused(tag(notes, "--out-dir", out, *options), "1 of 4 outputs are there already")
        assert files_of(out) == {"b.conll": b"mine"}
    assert tag(notes, "--out-dir", out, "--overwrite").exit_code == 0
    assert files_of(out) == singly(tag, notes, tmp_path / "single")


def test_resuming_notices_changed_inputs_options_and_models(
    tag: Tag, notes: Path, tmp_path: Path, tiny_model_file: str
) -> None:
    out, other = tmp_path / "out", tmp_path / "other.safetensors"
    assert tag(notes, "--out-dir", out).exit_code == 0
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.conll")}
    assert "4 of 4 files were tagged before" in tag(notes, "--out-dir", out, "--resume").stderr
    result = tag(notes, "--out-dir", out, "--resume", "--scheme", "IOB2")
    assert refused(result, "4 of 4 outputs", "it was made with another scheme")
    result = tag(notes, "--out-dir", out, "--resume", "--sentences", "lines")
    assert refused(result, "4 of 4 outputs", "it was made with another sentences")
    shutil.copy(tiny_model_file, other)
    with open(other, "ab") as stream:
        stream.write(b" ")
    result = tag(notes, "--out-dir", out, "--resume", "--model", other)
    assert refused(result, "4 of 4 outputs", "it was made with another model")
    (notes / "b.txt").write_text("x\n")
    result = tag(notes, "--out-dir", out, "--resume")
    assert refused(result, "1 of 4 outputs", f"{out / 'b.conll'}: its input has changed")
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.conll")} == before
    assert tag(notes, "--out-dir", out, "--resume", "--overwrite").exit_code == 0
    changed = [path for path in before if path.stat().st_mtime_ns != before[path]]
    assert changed == [out / "b.conll"]
    assert changed[0].read_text() == "x\tS-Sign\n\n"


@pytest.mark.parametrize(
    "content", ["", "mine", "[]", "{}", '{"format": 2}', "[" * 10_000, "9" * 5000, b"\xff"]
)
def test_a_file_of_the_record_s_name_that_is_none_is_not_replaced(
    tag: Tag, notes: Path, tmp_path: Path, content: str | bytes
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    mine = content.encode() if isinstance(content, str) else content
    (out / RECORD).write_bytes(mine)
    for options in ((), ("--resume",), ("--overwrite",), ("--resume", "--overwrite")):
        assert refused(tag(notes, "--out-dir", out, *options), f"{RECORD} is no record")
        assert {path.name: path.read_bytes() for path in out.iterdir()} == {RECORD: mine}


def stop_at(monkeypatch: pytest.MonkeyPatch, stopped: str) -> None:
    """Let the command be interrupted when it comes to a file."""
    real = tag_many.tag_file

    def tag_file(source: Source, *rest: Any) -> Any:
        if source.path.endswith(stopped):
            raise KeyboardInterrupt
        return real(source, *rest)

    monkeypatch.setattr(tag_many, "tag_file", tag_file)


def test_an_interrupted_command_resumes_and_an_older_output_is_not_taken_for_the_new_one(
    tag: Tag, notes: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert tag(notes, "--out-dir", out, "--scheme", "IOB2").exit_code == 0
    older = files_of(out)
    with pytest.MonkeyPatch.context() as patch:
        stop_at(patch, "b.conll")
        result = tag(notes, "--out-dir", out, "--overwrite")
    assert result.exit_code == 130
    assert "Interrupted: 2 of 4 files tagged. The same command with --resume" in result.stderr
    expected = singly(tag, notes, tmp_path / "single")
    assert files_of(out)["b.conll"] == expected["b.conll"] != older["b.conll"]
    assert files_of(out)["ward/b.conll"] == older["ward/b.conll"] != expected["ward/b.conll"]
    result = tag(notes, "--out-dir", out, "--resume")
    assert result.exit_code == 0
    assert files_of(out) == expected


def test_an_input_that_changes_under_way_is_no_output(
    tag: Tag, notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    real = tag_many.tag_file

    def tag_file(source: Source, *rest: Any) -> Any:
        if source.path.endswith("b.txt"):
            Path(source.path).write_text("a\n")
        return real(source, *rest)

    monkeypatch.setattr(tag_many, "tag_file", tag_file)
    result = tag(notes, "--out-dir", out)
    assert result.exit_code == 1
    assert "b.txt has changed since the command started" in result.stderr
    assert "b.conll" not in files_of(out)


def test_a_killed_command_leaves_nothing_half_written_after_the_next(
    tag: Tag, notes: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (out / "ward").mkdir(parents=True)
    names = ("b.conll", "b.conll", "mine")
    own, below, others = (f".{name}.7.01234567.tmp" for name in names)
    (out / "ward" / below).write_text("x")
    # a writer holds a lock on what it writes; of this name, none but the command may be writing
    with open(out / own, "w") as one, open(out / others, "w") as other:
        for stream in (one, other):
            fcntl.flock(stream, fcntl.LOCK_EX)
        assert tag(notes, "--out-dir", out).exit_code == 0
    assert [name for name in files_of(out) if ".tmp" in name] == [others]


def test_what_a_killed_worker_leaves_is_swept_whatever_went_wrong(
    tag: Tag, notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def tag_file(source: Source, output: str, *_: Any) -> Any:
        (Path(output).parent / f".{Path(output).name}.7.01234567.tmp").write_text("x")
        raise DataError("something")

    monkeypatch.setattr(tag_many, "tag_file", tag_file)
    assert tag(notes, "--out-dir", out).exit_code == 3
    assert files_of(out) == {}


def test_two_commands_do_not_share_a_folder(tag: Tag, notes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    lock = FolderLock(out, "command")
    lock.take()
    try:
        result = tag(notes, "--out-dir", out)
    finally:
        lock.leave()
    assert result.exit_code == 1
    assert f"{out} is in use by another command, process {os.getpid()} on " in result.stderr


def test_names_that_are_not_utf8_have_outputs(tag: Tag, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in (b"\xff.txt", b"tab\there.txt", b"line\nend.txt"):
        with open(os.path.join(os.fsencode(folder), name), "w") as stream:
            stream.write("x\n")
    result = tag(folder, "--out-dir", out)
    assert result.exit_code == 0
    assert all(line.isprintable() for line in result.stderr.split("\n"))
    names = {name for name in os.listdir(os.fsencode(out)) if name.endswith(b".conll")}
    assert names == {b"\xff.conll", b"tab\there.conll", b"line\nend.conll"}
    assert "3 of 3 files were tagged before" in tag(folder, "--out-dir", out, "--resume").stderr


def test_a_worker_stops_a_file_that_is_not_wanted_any_more(
    tmp_path: Path, tiny_model_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Post:
        """Stands for a worker that is closing."""

        def __init__(self, *_: object) -> None: ...
        def __enter__(self) -> Post:
            return self

        def __exit__(self, *_: object) -> None: ...
        def wanted(self) -> bool:
            return wanted

        def progress(self, share: float) -> None: ...

    monkeypatch.setattr(tag_cluster, "Post", Post)
    path, output = tmp_path / "a.txt", tmp_path / "a.conll"
    path.write_text("x\n")
    options = TagOptions(
        tiny_model_file, None, "conll", "BIOES", None, ReadOptions(), "target", None, 1
    )
    model = tag_cluster.file_sha256(tiny_model_file)
    job = TagJob(
        Source(str(path), "a.txt", tag_cluster.file_sha256(path)), str(output), options, model
    )
    wanted = False
    assert tag_on_worker(job, 0, 0, "topic") is None
    assert sorted(tmp_path.iterdir()) == [path]
    wanted = True
    ending = tag_on_worker(job._replace(model_sha256="0"), 0, 0, "topic")
    assert ending is not None
    assert ending[:2] == (f"{tiny_model_file} has changed since the command started", 1)
    ending = tag_on_worker(job, 0, 0, "topic")
    assert ending == ("", 1, "", (UnknownTokens(0, 1), load_model(tiny_model_file).dev_unknown))
    path.write_bytes(b"\xff\n")
    ending = tag_on_worker(job, 0, 0, "topic")
    assert ending is not None
    assert (ending.code, ending.error.startswith("a.txt:1: ")) == (3, True)


def write_many(folder: Path) -> None:
    """Two long files, one for each of two workers, and short ones."""
    folder.mkdir()
    for number in range(8):
        lines = (
            f"Czx{'ab' * (number + line % 7)}\n" for line in range(20_000 if number < 2 else 50)
        )
        (folder / f"{number}.txt").write_text("".join(lines))
    (folder / "bad.txt").write_bytes(b"x\n\xff\n")


def test_files_are_tagged_on_two_workers_and_a_killed_one_loses_nothing(
    tag: Tag, tmp_path: Path, tiny_model_file: str
) -> None:
    pytest.importorskip("distributed", reason=NO_DASK)
    folder, here, there = tmp_path / "in", tmp_path / "here", tmp_path / "there"
    write_many(folder)
    local = tag(folder, "--out-dir", here)
    assert local.exit_code == 3
    assert " tokens are unknown to the model" in local.stderr.splitlines()[-2]
    with DaskProcesses(tmp_path / "dask") as processes:
        processes.start_workers(1, 1)
        missing = tag(
            folder, "--out-dir", there, "--dask", processes.address, "--model", tmp_path / "none"
        )
        assert refused(missing, "none cannot be read")
        options = ("--threads", 1, "--model", tiny_model_file, "--out-dir", there)
        program = start_program("tag", folder, *options, "--dask", processes.address)
        try:
            killed = wait_for(lambda: processes.writers(there), 120)[0]
            killed.kill()
            killed.wait()
            wait_for(lambda: group_is_empty(killed.pid), 30)
            _, messages = program.communicate(timeout=300)
        finally:
            program.kill()
    assert program.returncode == 3, messages
    assert "bad.txt:2: not UTF-8" in messages
    assert messages.splitlines()[-1].startswith("8 of 9 files tagged, 1 could not be: ")
    assert messages.splitlines()[-2] == local.stderr.splitlines()[-2]
    assert ": its worker tcp://" in messages
    assert files_of(there) == files_of(here)


ASKED = (
    ("--to", "jsonl", "--probabilities", "--nbest", 2),
    ("--to", "html", "--probabilities", "--domain", "source"),
    ("--to", "brat", "--probabilities", "--unconstrained"),
)


def test_workers_tell_probabilities_and_the_best_paths_as_this_process_does(
    tag: Tag, tmp_path: Path
) -> None:
    pytest.importorskip("distributed", reason=NO_DASK)
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.txt").write_text(f"Czx ab {name}\n\nx Cz\n")
    with DaskProcesses(tmp_path / "dask") as processes:
        processes.start_workers(1, 1)
        for number, options in enumerate(ASKED):
            here, there = tmp_path / f"here{number}", tmp_path / f"there{number}"
            assert tag(folder, "--out-dir", here, *options).exit_code == 0
            result = tag(folder, "--out-dir", there, *options, "--dask", processes.address)
            assert result.exit_code == 0, result.stderr
            assert len(files_of(here)) >= 2
            assert files_of(there) == files_of(here)


def test_a_worker_says_which_files_it_does_not_see(notes: Path, tiny_model_file: str) -> None:
    wanted = Wanted(
        versions=local_versions(),
        files={tiny_model_file: "0" * 64},
        sizes={str(notes / "b.txt"): 1, str(notes / "none"): 1},
    )
    assert complaints(wanted) == [
        f"has another file as {tiny_model_file}",
        f"has another file as {notes / 'b.txt'}",
        f"cannot read {notes / 'none'}: No such file or directory",
    ]


@pytest.mark.parametrize("style", WRITABLE)
def test_every_format_names_its_outputs(style: str, tag: Tag, tmp_path: Path) -> None:
    if style == "spacy":
        pytest.importorskip("spacy")
    (tmp_path / "a.txt").write_text("Cz x\n")
    assert tag("--to", style, "--out-dir", tmp_path / "out", tmp_path / "a.txt").exit_code == 0
    found = FORMATS[style]
    names = found.suffixes if found.folder else found.suffixes[:1]
    assert sorted(files_of(tmp_path / "out")) == sorted(f"a{suffix}" for suffix in names)
