"""The synthetic demo corpus, written to a folder."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from ladtl_np.corpus.demo import DEFAULT_SEED, demo_files
from ladtl_np.files import make_private_folder, write_atomically

__all__ = ["write_demo"]


def write_demo(directory: str | PathLike[str], seed: int = DEFAULT_SEED) -> None:
    """Write the synthetic demo corpus in CoNLL format, each file at once and for its owner only.

    Parameters
    ----------
    directory
        Gets ``<specialty>/{train,dev,test}.txt`` and ``README.txt``; made if absent.
    seed
        Draws another sample.

    Raises
    ------
    LadtlError
        If the disk refuses.
    """
    folder = Path(directory)
    for name, content in demo_files(seed):
        make_private_folder((folder / name).parent)
        write_atomically(folder / name, content)
