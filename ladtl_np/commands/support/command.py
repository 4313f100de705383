"""What every command of the program is: one that refuses to lose an option it was given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import click

from ladtl_np.errors import UsageError

__all__ = ["Command", "Group", "given", "refuse_without_effect"]


class Command(click.Command):
    """A command whose options of one value are given once; flags may be repeated."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse an option that is given again: the earlier value would be lost in silence."""
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        for parameter, times in Counter(order).items():
            if times > 1 and isinstance(parameter, click.Option) and _takes_one(parameter):
                name = "/".join(max(each, key=len) for each in _names(parameter))
                raise click.UsageError(
                    f"{name} takes one value and is given {times} times; leave all but one out",
                    ctx,
                )
        return super().parse_args(ctx, args)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command


def _names(option: click.Option) -> list[list[str]]:
    return [names for names in (option.opts, option.secondary_opts) if names]


def _takes_one(option: click.Option) -> bool:
    return not (option.multiple or option.count or (option.is_flag and not option.secondary_opts))


def given(name: str) -> bool:
    """Whether the running command's parameter stands on the command line."""
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.COMMANDLINE


def refuse_without_effect(names: Iterable[str], where: str, cure: str) -> None:
    """Refuse options that stand on the command line, and that would change nothing.

    Parameters
    ----------
    names
        Of the parameters.
    where
        Under what they change nothing, such as ``with text``.
    cure
        What else to do than to leave them out.

    Raises
    ------
    UsageError
        Naming the first of them.
    """
    options = {
        parameter.name: parameter for parameter in click.get_current_context().command.params
    }
    for name in names:
        if given(name):
            option = max(options[name].opts, key=len)
            raise UsageError(f"{option} has no effect {where}; leave it out, or {cure}")
