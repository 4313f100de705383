"""What holds for every command: an option of one value is given once."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from conftest import Invoke

from ladtl_np.commands import SUMMARIES, ladtl
from ladtl_np.commands.support.command import Command, Group


def every_command() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    with click.Context(ladtl) as context:
        for name in SUMMARIES:
            command = ladtl.get_command(context, name)
            assert command is not None
            if isinstance(command, click.Group):
                assert isinstance(command, Group)
                for inner, one in command.commands.items():
                    yield (name, inner), one
            else:
                yield (name,), command


def options() -> Iterator[tuple[tuple[str, ...], click.Option]]:
    for names, command in every_command():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield names, parameter


def problem(command: click.Command, arguments: list[str]) -> str:
    """What a command has against its arguments, which are read and not followed."""
    try:
        command.parse_args(click.Context(command), arguments)
    except click.UsageError as error:
        return error.format_message()
    return ""


def test_every_command_is_one_of_ours() -> None:
    assert all(isinstance(command, Command) for _, command in every_command())


@pytest.mark.parametrize(("names", "option"), [*options()], ids=str)
def test_an_option_of_one_value_is_refused_when_it_is_given_again(
    names: tuple[str, ...], option: click.Option
) -> None:
    command = dict(every_command())[names]
    one = [option.opts[-1], *["1"] * (0 if option.is_flag else option.nargs)]
    told = "takes one value and is given 2 times; leave all but one out"
    said = problem(command, [*one, *one])
    refused = told in said
    assert refused == (not option.multiple and (not option.is_flag or bool(option.secondary_opts)))
    assert option.opts[-1] in said or not refused
    assert told not in problem(command, one)


def test_a_switch_is_not_turned_both_ways(invoke: Invoke) -> None:
    result = invoke("tag", "--model", "m", "--constrained", "--unconstrained")
    assert result.exit_code == 2
    assert "--constrained/--unconstrained takes one value" in result.stderr


def test_short_and_long_names_are_one_option(invoke: Invoke) -> None:
    result = invoke("tag", "--model", "m", "-o", "a", "--output", "b")
    assert result.exit_code == 2
    assert "--output takes one value and is given 2 times" in result.stderr


def test_a_type_is_read_as_one_other(invoke: Invoke, gold_file: str) -> None:
    result = invoke("data", "stats", "--rename", "Drug=A", "--rename", "Drug=B", gold_file)
    assert result.exit_code == 2
    assert "--rename reads Drug as two types, A and B" in result.stderr
    twice = invoke("data", "stats", "--rename", "Drug=A", "--rename", "Drug=A", gold_file)
    assert twice.exit_code == 0
