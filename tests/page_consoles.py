"""Console blocks of a page, run: each command gives what the page shows below it.

A line ``...`` stands for any lines. ``python tests/page_consoles.py PAGE`` runs the blocks in a
folder with the downloads of `tool_downloads` and writes what they give into the page, where it is
not what the page shows.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner
from tool_downloads import write_all

from ladtl_np.commands import ladtl

__all__ = ["Command", "commands_of", "fits", "run", "sections_of"]

_BLOCK = re.compile(r"(?ms)^```console\n(.*?)^```$")
_COMMAND = re.compile(r"(?m)^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)")


class Command(NamedTuple):
    """A command as a page shows it, and the output below it."""

    line: str
    shown: str


def sections_of(page: str) -> dict[str, str]:
    """The text below each heading of the second level, by the heading."""
    parts = re.split(r"(?m)^## (.*)$", page)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def commands_of(text: str) -> list[Command]:
    """All commands of the console blocks of a text."""
    return [Command(*found) for block in _BLOCK.findall(text) for found in _COMMAND.findall(block)]


def run(line: str) -> str:
    """What a command prints on both streams, in the current folder."""
    first, _, rest = line.replace("\\\n", " ").partition(" | ")
    words, told, piped = shlex.split(first), "", None
    if words[0] == "ladtl":
        result = CliRunner().invoke(ladtl, words[1:], catch_exceptions=False)
        if not rest:
            return _trimmed(result.output)
        told, piped, line = result.stderr, result.stdout, rest
    done = subprocess.run(
        line, shell=True, check=True, encoding="utf-8", input=piped, stdout=subprocess.PIPE
    )
    return _trimmed(told + done.stdout)


def _trimmed(text: str) -> str:
    """Without white space at the ends of lines, empty lines around, and the mark of byte order."""
    lines = [line.rstrip() for line in text.removeprefix("\ufeff").splitlines()]
    return "".join(line + "\n" for line in lines).strip("\n") + "\n" if any(lines) else ""


def fits(shown: str, given: str) -> bool:
    """Whether an output is the one that is shown."""
    pieces = re.split(r"(?m)^\.\.\.\n", shown)
    return re.fullmatch("(?s:.*)".join(map(re.escape, pieces)), given) is not None


def _rewritten(page: str) -> Iterator[str]:
    at = 0
    for block in _BLOCK.finditer(page):
        for found in _COMMAND.finditer(page, block.start(1), block.end(1)):
            given = run(found[1])
            yield page[at : found.start(2)]
            yield found[2] if found[2] and fits(found[2], given) else given
            at = found.end(2)
    yield page[at:]


if __name__ == "__main__":
    path = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_all(Path())
        path.write_text("".join(_rewritten(path.read_text("utf-8"))), encoding="utf-8")
        os.chdir(path.parent)
