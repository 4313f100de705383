"""``ladtl data``: corpora checked, counted, converted and split; and the demo corpus as files."""

from __future__ import annotations

import click

from ladtl_np.commands.data.check import check
from ladtl_np.commands.data.convert import convert
from ladtl_np.commands.data.demo import demo
from ladtl_np.commands.data.split import split
from ladtl_np.commands.data.stats import stats
from ladtl_np.commands.support.command import Group

__all__ = ["command"]


@click.group(name="data", cls=Group)
def command() -> None:
    r"""Check, count, convert and split corpora; write the demo corpus.

    \b
    Examples:
      ladtl data check annotations.jsonl
      ladtl data convert annotations/ train.conll --format brat
      ladtl data split train.jsonl parts/ --shares 0.8,0.1,0.1
      ladtl data stats demo/neurology/train.txt demo/neurology/test.txt
      ladtl data demo demo/
    """


for part in (demo, stats, check, convert, split):
    command.add_command(part)
