"""What every command does and writes: no sockets, private files, no text where none is wanted."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from every_command import CANARY, NOTE, WATCH, WORDS, World, found_in, run_all

from ladtl_np.commands import ladtl
from ladtl_np.runs.names import is_predictions

TEXT = {"tag jsonl", "tag terminal", "audit explain"}
"""Commands whose standard output is text."""
TEXT_FILES = {
    *("tagged.conll", "predicted.conll", "vectors.txt", "converted.jsonl"),
    "subset.txt",
    *("explained.html", "differences.html", "evaluated.html", "review.html", "selected.jsonl"),
}
PARTS = {f"part-{name}.txt" for name in "abc"}  # of a corpus


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """What every command said and wrote."""
    return run_all(tmp_path_factory.mktemp("world"))


def commands(group: click.Group, names: tuple[str, ...] = ()) -> list[str]:
    """Name of every command that does something."""
    found: list[str] = []
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            inner = isinstance(command, click.Group)
            found += commands(command, (*names, name)) if inner else [" ".join((*names, name))]
    return found


def header(path: Path) -> dict[str, Any]:
    """The JSON text in the header of a model or checkpoint."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    return json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["ladtl_np"])


def test_every_command_is_among_those_that_are_watched(world: World) -> None:
    missing = [n for n in commands(ladtl) if not any(said.startswith(n) for said in world.said)]
    assert missing == []
    assert {name: said for name, said in world.said.items() if said[0] != 0} == {}


# ---- network -------------------------------------------------------------------------------------


def test_promise_28_no_command_opens_a_socket_or_starts_a_program(world: World) -> None:
    assert world.events == []


def test_the_watch_would_notice(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCH, "utf-8")
    watched = tmp_path / "watched.txt"
    program = "import socket; socket.socket().close()"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {program!r}])"
    environment = {"PYTHONPATH": str(tmp_path), "WATCHED": str(watched)}
    subprocess.run([sys.executable, "-c", child], check=True, env=environment)
    events = watched.read_text().splitlines()
    assert "subprocess.Popen" in events
    assert "socket.__new__" in events  # in a child of a child


# ---- modes ---------------------------------------------------------------------------------------


def test_promise_29_outputs_of_every_command_are_private_under_umask_000(world: World) -> None:
    wide = {}
    for path in [world.out, *world.out.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode != (0o700 if path.is_dir() else 0o600):
            wide[str(path.relative_to(world.out))] = oct(mode)
    assert wide == {}
    assert stat.S_IMODE((world.inputs / "experiment.key").stat().st_mode) == 0o600


# ---- canaries ------------------------------------------------------------------------------------


def test_promise_30_no_output_repeats_text_of_sound_data(world: World) -> None:
    for name, (_, output, messages) in world.said.items():
        if name not in TEXT:
            assert found_in(output) == "", name
        assert found_in(messages) == "", name
    searched = set()
    for path in world.out.rglob("*"):
        if not path.is_file() or path.name in TEXT_FILES | PARTS or is_predictions(path.name):
            continue
        searched.add(path.name)
        if path.suffix == ".safetensors":
            content = header(path)
            plain = "words" in content["vocabulary"] and "min" not in path.parts
            if plain:
                del content["vocabulary"]["words"]
            assert found_in(json.dumps(content)) == "", path
            if plain:
                continue
        assert found_in(path.read_bytes().decode("latin-1")) == "", path
    wanted = {"config.toml", "log.jsonl", "manifest.json", "metrics.tsv", "best.safetensors"}
    wanted |= {"results.tsv", "experiment.json", "page.html", "last.safetensors", "README.txt"}
    wanted |= {"trials.tsv", "search.json"}
    assert searched >= wanted


def test_the_canaries_are_where_they_are_looked_for(world: World) -> None:
    """Text comes through where it is wanted, and a plain vocabulary has it."""
    for name in TEXT:
        assert CANARY in world.said[name][1].lower()
    for name in TEXT_FILES:
        assert CANARY in (world.out / name).read_text("utf-8").lower()
    words = header(world.out / "run" / "best.safetensors")["vocabulary"]["words"]
    assert set(WORDS) <= set(words)
    assert NOTE not in words


def test_promise_31_a_hashed_model_and_one_with_min_count_hold_none_of_the_words(
    world: World,
) -> None:
    plain = header(world.out / "run" / "best.safetensors")["vocabulary"]["words"]
    few = header(world.out / "min" / "best.safetensors")["vocabulary"]["words"]
    assert 1 < len(few) < len(plain)
    assert not set(WORDS) & set(few)
    for name in ("hashed", "two"):
        content = header(world.out / name / "best.safetensors")
        assert content["vocabulary"].keys() == {"hashes", "key_check", "lower", "digits_to_zero"}
        assert len(content["vocabulary"]["hashes"]) == len(plain) - 1
    alphabet = header(world.out / "two" / "best.safetensors")["characters"]
    assert alphabet.keys() == {"hashes", "key_check", "lower"}
    key = (world.out / "words.key").read_text("ascii").strip()
    for path in world.out.rglob("*"):
        if path.is_file() and path.name != "words.key":
            assert key not in path.read_bytes().decode("latin-1"), path
    assert not any(key in output + messages for _, output, messages in world.said.values())
