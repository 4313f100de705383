from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from conftest import CLI, Invoke, run_program

from ladtl_np import __version__
from ladtl_np.commands import SUMMARIES, ladtl

CANARY = "Zq7canary"


def commands(group: click.Group, names: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            found.append((*names, name))
            if isinstance(command, click.Group):
                found += commands(command, (*names, name))
    return found


@pytest.mark.parametrize("names", [(), *commands(ladtl)], ids=" ".join)
def test_every_command_has_help_with_an_example(invoke: Invoke, names: tuple[str, ...]) -> None:
    result = invoke(*names, "--help")
    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert "\\b" not in result.stdout
    assert "\n      ladtl " in result.stdout or "\n    ladtl " in result.stdout


def test_summaries_are_the_first_lines_of_the_commands_own_help() -> None:
    with click.Context(ladtl) as context:
        for name in SUMMARIES:
            command = ladtl.get_command(context, name)
            assert command is not None
            assert command.name == name
            assert command.help


def test_options_have_help(invoke: Invoke) -> None:
    with click.Context(ladtl) as context:
        for name in SUMMARIES:
            command = ladtl.get_command(context, name)
            assert command is not None
            inner = getattr(command, "commands", {}).values()
            for one in (command, *inner):
                for parameter in one.params:
                    if isinstance(parameter, click.Option):
                        assert parameter.help, (name, parameter.name)


def test_help_imports_no_command_and_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from ladtl_np.commands import ladtl\n"
        "try: ladtl(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'numba', 'rich', 'ladtl_np.commands.tag'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("names", [("score",), ("data", "stats")])
def test_counting_needs_no_numba(names: tuple[str, ...], gold_file: str) -> None:
    code = (
        "import sys\n"
        "from ladtl_np.commands import ladtl\n"
        "try: ladtl(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "sys.exit('numba' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *names, gold_file, gold_file], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_version(invoke: Invoke) -> None:
    assert invoke("--version").stdout == f"ladtl, version {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-command",),
        ("tag",),
        ("tag", "--no-such-option"),
        ("tag", "--model", "m", "--to", "nonsense"),
        ("score",),
        ("score", "a", "b", "c"),
        ("score", "-", "-"),
        ("score", "no-such-file", "no-such-file"),
        ("data", "stats", "no-such-file"),
        ("data", "stats", "--rename", "nothing", "x"),
        ("data", "stats", "--tag-column", "first", "x"),
        ("data", "stats", "--encoding", "utf-16", __file__),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2(invoke: Invoke, arguments: tuple[str, ...]) -> None:
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "rror: " in result.stderr


def damaged(path: Path, model: str, how: str) -> Path:
    content = Path(model).read_bytes()
    contents = {
        "missing": None,
        "empty": b"",
        "truncated": content[:-10],
        "half its header": content[:100],
        "text": b"just some text, which is no model at all",
        "huge header": (2**60).to_bytes(8, "little") + content[8:],
    }
    value = contents[how]
    if value is not None:
        path.write_bytes(value)
    return path


@pytest.mark.parametrize(
    "how", ["missing", "empty", "truncated", "half its header", "text", "huge header"]
)
def test_a_file_that_is_no_model_exits_1(
    invoke: Invoke, tiny_model_file: str, tmp_path: Path, how: str, gold_file: str
) -> None:
    path = damaged(tmp_path / "m.safetensors", tiny_model_file, how)
    for arguments in (
        ("tag", "--model", path),
        ("evaluate", "--model", path, gold_file),
        ("model", "info", path),
    ):
        result = invoke(*arguments, input="x\n")
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(f"error: {path}: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no sentence"),
        (b"\n\n \n", "no sentence"),
        (f"{CANARY} O\n{CANARY}\n".encode(), "in.conll:2: 1 column where line 1 has 2"),
        (f"{CANARY}\tO\n{CANARY}\xff\tO\n".encode("latin-1"), "in.conll:2: not UTF-8"),
        (f"{CANARY} O\n{CANARY}\0 O\n".encode(), "in.conll:2: a NUL byte"),
        (f"{CANARY} O\n{CANARY} O\r \n".encode(), "in.conll:2: a carriage return"),
        (f"{CANARY} {CANARY}\n".encode(), "in.conll:1: a value of"),
    ],
    ids=["empty", "blank", "ragged", "latin-1", "nul", "cr", "no tag"],
)
def test_findings_exit_3_with_file_and_line_and_no_text_of_the_data(
    invoke: Invoke, tiny_model_file: str, tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "in.conll"
    path.write_bytes(content)
    for arguments in (
        ("evaluate", "--model", tiny_model_file, path),
        ("score", path, path),
        ("data", "stats", path),
    ):
        result = invoke(*arguments)
        assert (result.exit_code, result.stdout) == (3, "")
        assert message in result.stderr
        assert CANARY not in result.stderr


@pytest.mark.parametrize("kind", ["text", "conll", "jsonl"])
def test_tag_shows_no_text_of_bad_input(invoke: Invoke, tiny_model_file: str, kind: str) -> None:
    bad = {
        "text": f"{CANARY}\xff{CANARY}\n".encode("latin-1"),
        "conll": f"{CANARY} O\n{CANARY}\n".encode(),
        "jsonl": f'{{"text": "{CANARY}", "label": [[0, 99, "X"]]}}\n{{"{CANARY}": 1}}\n'.encode(),
    }
    result = invoke("tag", "--model", tiny_model_file, "--from", kind, input=bad[kind])
    assert result.exit_code == 3
    assert "standard input:" in result.stderr
    assert CANARY not in result.stderr


def test_a_token_that_columns_cannot_hold_is_named_by_its_line(
    invoke: Invoke, tiny_model_file: str
) -> None:
    text = f'{{"text": "a\\u0000{CANARY}"}}\n'
    result = invoke("tag", "--model", tiny_model_file, "--from", "jsonl", input=text)
    assert result.exit_code == 3
    assert "standard input:1: token 2 cannot be written" in result.stderr
    assert CANARY not in result.stderr


def test_control_characters_of_file_names_are_escaped(invoke: Invoke) -> None:
    result = invoke("data", "stats", "no\x1b[31mfile")
    assert "\\x1b[31m" in result.stderr
    assert "\x1b" not in result.stderr


def test_a_bug_keeps_its_traceback(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, gold_file: str
) -> None:
    from ladtl_np.commands import score

    monkeypatch.setattr(score, "_read", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        invoke("score", gold_file, gold_file)


def test_an_interrupt_exits_130_with_a_word(tiny_model_file: str, tmp_path: Path) -> None:
    output = tmp_path / "out.conll"
    command = [sys.executable, str(CLI), "tag", "--model", tiny_model_file, "-o", str(output)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        for _ in range(300):
            if any(tmp_path.iterdir()):  # the output is open: it waits for input
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors.strip().endswith("error: interrupted")
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_standard_output_exits_1(gold_file: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, str(CLI), "score", gold_file, gold_file],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == b"error: standard output: No space left on device\n"


def test_errors_of_a_process_are_on_standard_error() -> None:
    done = run_program("score", "no-such-file", "no-such-file")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"error: no-such-file: no such file")


def test_the_overview_of_the_docs_has_every_command_and_no_other() -> None:
    page = (CLI.parent / "docs" / "commands.md").read_text("utf-8")
    told = re.findall(r"(?m)^\| \[`([\w ]+)`\]\(#(\w+)\) \|", page)
    groups = {names[0] for names in commands(ladtl) if len(names) == 2}
    wanted = [" ".join(n) for n in commands(ladtl) if len(n) == 2 or n[0] not in groups]
    assert [name for name, _ in told] == wanted
    assert list(dict.fromkeys(name.split()[0] for name in wanted)) == list(SUMMARIES)
    for name, section in told:
        assert section == name.split()[0]
        assert f"\n## {section}\n" in page


def test_every_command_and_option_has_its_place_in_the_docs() -> None:
    page = (CLI.parent / "docs" / "commands.md").read_text("utf-8")
    with click.Context(ladtl) as context:
        for names in commands(ladtl):
            assert " ".join(names) in page
            command = ladtl.get_command(context, names[0])
            if len(names) == 2:
                command = getattr(command, "commands", {})[names[1]]
            if names == ("train",):  # docs/config.md has its options
                continue
            for parameter in getattr(command, "params", ()):
                if isinstance(parameter, click.Option) and not parameter.hidden:
                    assert any(option in page for option in parameter.opts), parameter.opts
