"""Numbers on the command line: finite ones."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from conftest import Invoke

from ladtl_np.commands import ladtl
from ladtl_np.commands.support.ranges import FiniteRange


def ranges(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Words of each command and the option of it that takes floats of a range."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from ranges(found, (*path, name))
    for one in command.params:
        if isinstance(one.type, click.FloatRange):
            assert isinstance(one.type, FiniteRange), (path, one.name)
            yield (*path, one.opts[0])


OPTIONS = list(ranges(ladtl))


def test_commands_have_such_options() -> None:
    assert ("tune", "--minutes") in OPTIONS
    assert ("source", "export", "--noise") in OPTIONS
    assert len(OPTIONS) > 5


@pytest.mark.parametrize("words", OPTIONS, ids=" ".join)
@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_what_is_no_finite_number_is_refused(
    invoke: Invoke, words: tuple[str, ...], number: str
) -> None:
    result = invoke(*words[:-1], words[-1], number)
    assert result.exit_code == 2
    told = " ".join(result.output.split())
    assert f"Invalid value for '{words[-1]}'" in told
    assert "is not a finite number" in told or "is not in the range" in told
