"""``ladtl audit``: the mathematics checked on a model, a run and sentences of the user's own."""

from __future__ import annotations

import click

from ladtl_np.commands.audit.data import data
from ladtl_np.commands.audit.equations import equations
from ladtl_np.commands.audit.everything import everything
from ladtl_np.commands.audit.explain import explain
from ladtl_np.commands.audit.gradients import gradients
from ladtl_np.commands.audit.kl import kl
from ladtl_np.commands.audit.mmd import mmd
from ladtl_np.commands.support.command import Group

__all__ = ["command"]


@click.group(name="audit", cls=Group)
def command() -> None:
    r"""Check the mathematics on your own model and sentences, and see what it does.

    Everything is computed in float64. Exit code 1 if any check fails.

    \b
    Examples:
      ladtl audit gradients
      ladtl audit gradients run/best.safetensors dev.txt
      ladtl audit equations run/
      ladtl audit kl run/
      ladtl audit explain run test.txt --sentence 3 --out explain.html
      ladtl audit mmd run/ --out mmd.html
      ladtl audit data run/
      ladtl audit all run/ --out audit/
    """


for part in (gradients, equations, kl, explain, mmd, data, everything):
    command.add_command(part)
