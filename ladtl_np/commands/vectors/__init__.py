"""``ladtl vectors``: word vectors from text, and the rows of a large file that corpora use."""

from __future__ import annotations

import click

from ladtl_np.commands.support.command import Group
from ladtl_np.commands.vectors.subset import subset
from ladtl_np.commands.vectors.train import train

__all__ = ["command"]


@click.group(name="vectors", cls=Group)
def command() -> None:
    r"""Train word vectors to start a model's embeddings from; make a large file of them small.

    \b
    Examples:
      ladtl vectors train notes.txt --tokens characters --out vectors.txt
      ladtl vectors subset crawl-300d-2M.vec --corpus train.txt --corpus dev.txt --out vectors.txt
    """


for part in (train, subset):
    command.add_command(part)
