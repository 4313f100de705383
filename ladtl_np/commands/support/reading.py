"""Options that say how a corpus is read: its format, its columns, its entities."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, get_args

import click
import msgspec

from ladtl_np.commands.support.command import refuse_without_effect
from ladtl_np.commands.support.formats import Function, apply_options, show_text_option
from ladtl_np.corpus.formats.reading import (
    Delimiter,
    Ends,
    Fragments,
    Overlaps,
    ReadOptions,
    Scheme,
    Sentences,
    Tokens,
)
from ladtl_np.corpus.formats.registry import FORMATS, NEEDS, Format
from ladtl_np.corpus.read import idle_in
from ladtl_np.corpus.tally import Tally
from ladtl_np.errors import UsageError
from ladtl_np.printable import LONG, shown

__all__ = [
    "READABLE",
    "READING",
    "column_options",
    "corpus_options",
    "document_options",
    "format_setting",
    "read_options",
    "refuse_idle_cutting",
    "refuse_idle_reading",
    "scheme_option",
    "tag_column_option",
    "tell_of_changes",
]

_DEFAULTS = ReadOptions()
READING = tuple(name for name in ReadOptions.__struct_fields__ if name != "keep_docstart")
"""Names of the values that `corpus_options` gives."""
READABLE = tuple(found.name for found in FORMATS.values() if found.reads)
"""Formats that are read."""


class _Column(click.ParamType[int | None]):
    """A column number, or ``none`` for a column that is not there."""

    name = "column"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        if value is None or isinstance(value, int):
            return value
        if value == "none":
            return None
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor 'none'", param, ctx)


def column_options(function: Function) -> Function:
    """Add the options that say where tokens stand in a file of columns."""
    return apply_options(
        function,
        click.option(
            "--token-column",
            type=int,
            default=_DEFAULTS.token_column,
            show_default=True,
            help="Column of the token; negative numbers count from the last.",
        ),
        click.option(
            "--delimiter",
            type=click.Choice(get_args(Delimiter)),
            default=_DEFAULTS.delimiter,
            show_default=True,
            help="What parts columns; auto is tab if the first line has one.",
        ),
        click.option(
            "--position-digits",
            is_flag=True,
            help="Tokens are one character and its position in its word, such as p10.",
        ),
        click.option(
            "--encoding",
            default=_DEFAULTS.encoding,
            show_default=True,
            help="Text encoding of the input.",
        ),
        show_text_option,
    )


def tag_column_option(function: Function) -> Function:
    """Add ``--tag-column``."""
    return click.option(
        "--tag-column",
        type=_Column(),
        default=str(_DEFAULTS.tag_column),
        show_default=True,
        help="Column of the tag; none for untagged text.",
    )(function)


def scheme_option(function: Function) -> Function:
    """Add ``--scheme`` and ``--rename`` of tagged files."""
    return apply_options(
        function,
        click.option(
            "--scheme",
            type=click.Choice(get_args(Scheme)),
            default=_DEFAULTS.scheme,
            show_default=True,
            help="Tag scheme of the files.",
        ),
        click.option(
            "--rename",
            multiple=True,
            metavar="OLD=NEW",
            help="Read type OLD (or a pattern such as *.NOM) as NEW; OLD= drops it.",
        ),
    )


def corpus_options(function: Function) -> Function:
    """Add the options that say how an annotated corpus of any format is read."""
    return apply_options(
        function, document_options, column_options, tag_column_option, scheme_option
    )


def document_options(function: Function) -> Function:
    """Add the options that say which format a corpus has, and how its texts are read."""
    return apply_options(
        function,
        click.option(
            "--format",
            type=click.Choice(("auto", *READABLE)),
            default=_DEFAULTS.format,
            show_default=True,
            help="Format of the files; auto tells it by their names and starts.",
        ),
        _choice("tokens", Tokens, "What a token of a text is; auto: words, of Chinese characters."),
        _choice("sentences", Sentences, "Where texts are parted into sentences; auto is rules."),
        _choice("ends", Ends, "Whether offsets include an entity's last character."),
        _choice("fragments", Fragments, "What becomes of an entity of several fragments."),
        _choice("overlaps", Overlaps, "What becomes of entities that overlap."),
        click.option(
            "--repair",
            is_flag=True,
            help="Trim white space and marks off entities, and widen them to whole tokens.",
        ),
    )


def _choice(name: str, values: Any, meaning: str) -> Callable[[Function], Function]:
    return click.option(
        f"--{name}",
        type=click.Choice(get_args(values)),
        default=getattr(_DEFAULTS, name),
        show_default=True,
        help=meaning,
    )


def format_setting(setting: str) -> str:
    """A value of ``--source-format`` and its like as KEY=VALUE: ``brat`` is ``format=brat``."""
    return f"format={setting}" if setting in READABLE else setting


def read_options(*, rename: Iterable[str] = (), **options: Any) -> ReadOptions:
    """Build `ReadOptions` from the values of the options above.

    Raises
    ------
    UsageError
        If they contradict each other, or a pair of `rename` is none.
    """
    pairs = dict[str, str]()
    for pair in rename:
        old, equals, new = pair.partition("=")
        if not equals or not old:
            raise UsageError(f"--rename wants OLD=NEW, such as --rename PER=person; got {pair!r}")
        if pairs.setdefault(old, new) != new:
            raise UsageError(f"--rename reads {old} as two types, {pairs[old]} and {new}")
    try:
        return ReadOptions(rename=pairs, **options)
    except (ValueError, msgspec.ValidationError) as error:
        raise UsageError(str(error)) from None


def refuse_idle_reading(paths: Iterable[str], options: ReadOptions) -> None:
    """Refuse options of reading that stand on the command line and that no input needs.

    Raises
    ------
    UsageError
        Naming the first of them.
    """
    for name in idle_in((path, options) for path in paths):
        refuse_without_effect([name], f"without {NEEDS[name]} to read", "name such an input")


def refuse_idle_cutting(options: ReadOptions, found: Format) -> None:
    """Refuse options of cutting from documents to documents, which are cut for repairs at most.

    Raises
    ------
    UsageError
        Naming the first of them.
    """
    if found.tokens:
        return
    where = f"from documents to {found.name}"
    refuse_without_effect(["sentences"], f"{where}, which stay whole", "choose columns")
    if not options.repair and options.overlaps == "refuse":
        cure = "add --repair or --overlaps"
        refuse_without_effect(["tokens"], f"{where} where nothing is repaired", cure)


def tell_of_changes(tally: Tally, name: str) -> None:
    """Say on standard error which entities were changed, a line each."""
    # the remark on them lists the first
    for change in tally.changes:
        click.echo(f"changed: {shown(change.place(name), LONG)}: {change.what}", err=True)
