"""What the commands share: options for models, and ways to print."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from ladtl_np.arrays.processors import lowered
from ladtl_np.corpus.findings import FindingsError
from ladtl_np.corpus.tally import Remark
from ladtl_np.corpus.unknown import LEAST_TOKENS, UnknownTokens, unknown_told
from ladtl_np.errors import DataError
from ladtl_np.model.vocabulary_key import VARIABLE, named_key
from ladtl_np.options.config import DEFAULTS
from ladtl_np.options.precision import PRECISION, PRECISIONS
from ladtl_np.printable import LONG, json_text, shown

if TYPE_CHECKING:
    from rich.table import Table

__all__ = [
    "DECODING",
    "Function",
    "apply_options",
    "constrained_option",
    "decoding_of",
    "decoding_options",
    "default_threads",
    "domain_option",
    "embeddings_option",
    "json_option",
    "naming_standard_output",
    "precision_option",
    "print_json",
    "print_table",
    "show_text_option",
    "tell",
    "tell_unknown",
    "vocabulary_key_option",
    "warn",
]

Function = TypeVar("Function", bound=Callable[..., Any])
DECODING = ("domain", "constrained", "threads", "vocabulary_key", "embeddings", "precision")
"""Names of the values that `decoding_options` gives."""


def apply_options(function: Function, *options: Callable[[Function], Function]) -> Function:
    """Add options in this order."""
    for option in reversed(options):
        function = option(function)
    return function


def show_text_option(function: Function) -> Function:
    """Add ``--show-text``: the one place that lets messages on files repeat what stands in them."""

    @functools.wraps(function)
    def told(*args: Any, show_text: bool, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except FindingsError as error:
            if show_text:
                raise DataError(error.told(show_text=True)) from None
            raise

    option = click.option(
        "--show-text",
        is_flag=True,
        help="Repeat wrong tags and ids in messages: they may be text of the data.",
    )
    return option(cast(Function, told))


def _threads(context: click.Context, parameter: click.Parameter, value: int | None) -> int:
    return default_threads() if value is None else value


def default_threads() -> int:
    """Threads where none are chosen; that it is fewer than usual is told on standard error."""
    threads, told = lowered(DEFAULTS.threads)
    if told:
        click.echo(told, err=True)
    return threads


def decoding_options(function: Function) -> Function:
    """Add the options that say how a model chooses tags."""
    return apply_options(
        function,
        domain_option,
        constrained_option,
        click.option(
            "--threads",
            type=click.IntRange(min=1),
            callback=_threads,
            help="Threads to compute with; results do not depend on it.  "
            f"[default: {DEFAULTS.threads}, or as many as there are processors]",
        ),
        vocabulary_key_option,
        embeddings_option,
        precision_option,
    )


def decoding_of(options: dict[str, Any]) -> dict[str, Any]:
    """Take the values of `decoding_options` from a command's; the environment may name the key."""
    found = {name: options.pop(name) for name in DECODING}
    return found | {"vocabulary_key": named_key(found["vocabulary_key"])}


class _Domain(click.ParamType[str]):
    """A domain of a model, whether that has it or not."""

    name = "domain"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"target|source([2-9]|[1-9][0-9]{1,3})?", value):
            self.fail(f"{value!r} is none of target, source, source2, source3, ...", param, ctx)
        return str(value)


def domain_option(function: Function) -> Function:
    """Add ``--domain``."""
    return click.option(
        "--domain",
        type=_Domain(),
        metavar="target|source|source2|...",
        default="target",
        show_default=True,
        help="Which of the model's taggers to use; sources after the first are numbered.",
    )(function)


def constrained_option(function: Function) -> Function:
    """Add ``--constrained``."""
    return click.option(
        "--constrained/--unconstrained",
        default=None,
        help="Legal tag sequences only, or any.  [default: as in training]",
    )(function)


def embeddings_option(function: Function) -> Function:
    """Add ``--embeddings``."""
    return click.option(
        "--embeddings",
        metavar="FILE",
        help="Word vectors that the model was trained with, for words that it does not know.",
    )(function)


def vocabulary_key_option(function: Function) -> Function:
    """Add ``--vocabulary-key``."""
    return click.option(
        "--vocabulary-key",
        metavar="FILE",
        help=f"Key of a model whose vocabulary is hashed.  [default: the file that {VARIABLE} "
        "names]",
    )(function)


def precision_option(function: Function) -> Function:
    """Add ``--precision``."""
    return click.option(
        "--precision",
        type=click.Choice(PRECISIONS),
        default=PRECISION,
        show_default=True,
        help="What the LSTM computes its products in; bfloat16 is faster and a little less exact, "
        "and wants a processor with AVX512-BF16.",
    )(function)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")


def print_json(value: Any) -> None:
    """Print a value on standard output, keys in their own order.

    Control and direction characters, and file names that are not UTF-8, are escaped as JSON does.
    """
    with naming_standard_output():
        click.echo(json_text(value, indent=2))


def print_table(table: Table, width: int = 160) -> None:
    """Print a table on standard output; `width` is used where it is no terminal."""
    from rich.console import Console

    from ladtl_np.commands.support.turning import fitting

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=width)
    with naming_standard_output():
        console.print(fitting(table, console) if console.is_terminal else table)


@contextlib.contextmanager
def naming_standard_output() -> Iterator[None]:
    """Let the error of a write that fails say where: the system's names no file."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or "standard output"
        raise


def warn(message: str) -> None:
    """Print a message on standard error."""
    click.echo(f"warning: {shown(message, LONG)}", err=True)


def tell(remarks: Iterable[Remark]) -> None:
    """Say on standard error what stands out in corpora, each thing once."""
    for told in dict.fromkeys(map(str, remarks)):
        warn(told)


def tell_unknown(found: UnknownTokens, usual: UnknownTokens | None) -> None:
    """Say on standard error how much a model does not know of a text that is not very short."""
    if found.tokens >= LEAST_TOKENS:
        click.echo(unknown_told(found, usual), err=True)
