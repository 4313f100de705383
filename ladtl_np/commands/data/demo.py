"""``ladtl data demo``: the demo corpus as files."""

from __future__ import annotations

from pathlib import Path

import click

from ladtl_np.commands.support.command import Command
from ladtl_np.errors import LadtlError, UsageError
from ladtl_np.printable import LONG, shown

__all__ = ["demo"]


@click.command(cls=Command)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--seed", type=int, default=0, show_default=True, help="Draws another sample.")
@click.option("--overwrite", is_flag=True, help="Write into a folder that is not empty.")
def demo(directory: Path, seed: int, overwrite: bool) -> None:
    r"""Write the synthetic demo corpus into DIR.

    Four made-up medical specialties in the sizes of the paper's Table 1, 30 entity types,
    characters as tokens, tags in BIOES: DIR/SPECIALTY/train.txt, dev.txt and test.txt. No sentence
    comes from a medical record. The same seed gives the same files.

    \b
    Example:
      ladtl data demo demo/
    """
    from ladtl_np.corpus.demo import SPECIALTIES
    from ladtl_np.runs.demo import write_demo

    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is a file; name a folder")
    if directory.is_dir() and any(directory.iterdir()) and not overwrite:
        raise UsageError(f"{directory} is not empty; give --overwrite, or name another folder")
    try:
        write_demo(directory, seed)
    except OSError as error:
        raise LadtlError(f"{directory} could not be written: {error.strerror}") from error
    click.echo(
        f"Synthetic demo corpus (seed {seed}) in {shown(str(directory), LONG)}: "
        f"{', '.join(SPECIALTIES)}",
        err=True,
    )
