"""Options that say how texts without annotation are read and cut, of ``tag`` and ``select``."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click

from ladtl_np.commands.support.formats import apply_options
from ladtl_np.commands.support.units import INPUTS
from ladtl_np.corpus.cutting.profile import SentenceMode, TokenMode

if TYPE_CHECKING:
    from ladtl_np.commands.support.formats import Function

__all__ = ["input_options"]


def input_options(function: Function) -> Function:
    """Add ``--from`` as ``kind``, ``--tokens`` as ``mode``, and ``--sentences``."""
    return apply_options(
        function,
        click.option(
            "--from",
            "kind",
            type=click.Choice(INPUTS),
            help="Input format.  [default: by the name, such as .jsonl or .conll, else text]",
        ),
        click.option(
            "--tokens",
            "mode",
            type=click.Choice(get_args(TokenMode)),
            help="What a token of text is.  [default: as in the model's training]",
        ),
        click.option(
            "--sentences",
            type=click.Choice(get_args(SentenceMode)),
            help="What a sentence of text is: a line, or what ends by rules.  "
            "[default: as in training]",
        ),
    )
