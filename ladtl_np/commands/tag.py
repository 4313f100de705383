"""``ladtl tag``: text, columns or JSONL in; columns, JSONL or a coloured view out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from itertools import tee
from typing import TYPE_CHECKING, Any, get_args

import click

from ladtl_np.commands.support.formats import (
    DECODING,
    column_options,
    decoding_options,
    read_options,
    warn,
)
from ladtl_np.commands.support.streams import (
    InputFormat,
    Unit,
    check_output,
    conll_lines,
    jsonl_line,
    open_output,
    read,
)
from ladtl_np.corpus.lines import Tally, display_name, open_input
from ladtl_np.corpus.raw import TokenMode
from ladtl_np.corpus.schemes import SCHEMES
from ladtl_np.errors import UsageError
from ladtl_np.model.vocabulary_key import named_key

if TYPE_CHECKING:
    from ladtl_np.model.tagging import Tagger

__all__ = ["command"]

Writer = Callable[[Unit, tuple[str, ...]], str]
_SUFFIXES: dict[str, InputFormat] = {".jsonl": "jsonl", ".conll": "conll", ".bio": "conll"}
_STYLES = ("conll", "jsonl", "terminal")


@click.command(name="tag")
@click.option("--model", "model_path", required=True, metavar="FILE", help="Model file.")
@click.argument("source", metavar="[INPUT]", default="-")
@click.option(
    "-o", "--output", default="-", metavar="FILE", help="Output file.  [default: standard output]"
)
@click.option("--overwrite", is_flag=True, help="Replace an output file that exists.")
@click.option(
    "--from",
    "kind",
    type=click.Choice(get_args(InputFormat)),
    help="Input format.  [default: by suffix .jsonl, .conll or .bio, else text]",
)
@click.option(
    "--to",
    "style",
    type=click.Choice(_STYLES),
    default="conll",
    show_default=True,
    help="Output format; terminal shows entities in colour.",
)
@click.option(
    "--tokens",
    "mode",
    type=click.Choice(get_args(TokenMode)),
    help="What a token of text is.  [default: as in the model's training]",
)
@click.option(
    "--scheme",
    type=click.Choice(SCHEMES),
    default="BIOES",
    show_default=True,
    help="Tag scheme of CoNLL output.",
)
@decoding_options
@column_options
def command(
    model_path: str,
    source: str,
    output: str,
    overwrite: bool,
    kind: InputFormat | None,
    style: str,
    mode: TokenMode | None,
    scheme: str,
    **options: Any,
) -> None:
    r"""Tag INPUT, a file or - for standard input, with a model.

    Text has one sentence a line. CoNLL output has token and tag, parted by a tab, and a blank line
    after each sentence; an empty line of text gives one more blank line. From CoNLL input the
    token column is read and written, other columns are not. JSONL has a document a line, and
    output keeps its text and id and gives entities as character offsets ("label", as in doccano);
    labels it had are replaced.

    Sentences are tagged a few thousand at a time, so memory does not grow with the input.

    \b
    Examples:
      ladtl tag --model run/best.safetensors notes.txt -o notes.conll
      ladtl tag --model run/best.safetensors --to jsonl < notes.txt | head
      ladtl tag --model run/best.safetensors --to terminal notes.jsonl
      ladtl tag --model run/best.safetensors --from conll --delimiter space test.txt
    """
    kind = kind or _SUFFIXES.get(os.path.splitext(source)[1].lower(), "text")
    decoding = {name: options.pop(name) for name in DECODING}
    key = named_key(decoding["vocabulary_key"])
    check_output(output, (source, model_path, *([key] if key else [])), overwrite=overwrite)
    reading = read_options(**options)
    if kind == "jsonl" and reading.encoding != "utf-8":
        raise UsageError("JSONL is always UTF-8; leave out --encoding")
    tally, name = Tally(), display_name(source)
    with open_input(source) as stream:
        tagger = _tagger(model_path, decoding, live=source == "-" and sys.stdin.isatty())
        units = read(stream, kind, mode or tagger.model.token_mode, reading, name, tally)
        write, opening = _writer(style, scheme, name, tagger, output)
        with open_output(output, overwrite=overwrite) as put:
            put(opening)
            _copy(units, tagger, write, put)
    if tally.docstart:
        warn(f"{name}: {tally.docstart} -DOCSTART- blocks left out")


def _tagger(path: str, decoding: dict[str, Any], *, live: bool) -> Tagger:
    """Load the model; `live` answers each line at once, for somebody who types."""
    from ladtl_np.commands.support.models import load
    from ladtl_np.model.tagging import CHUNK_SENTENCES, Tagger

    return Tagger(
        load(path, decoding["vocabulary_key"]),
        domain=decoding["domain"],
        constrained=decoding["constrained"],
        threads=decoding["threads"],
        chunk_sentences=1 if live else CHUNK_SENTENCES,
    )


def _writer(style: str, scheme: str, name: str, tagger: Tagger, output: str) -> tuple[Writer, str]:
    """Choose the function that writes a sentence, and what stands at the start of the output."""
    if style == "conll":
        return lambda unit, tags: conll_lines(unit, tags, scheme, name), ""
    if style == "jsonl":
        return jsonl_line, ""
    from ladtl_np.commands.support.highlight import Highlighter

    coloured = output == "-" and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    view = Highlighter(tagger.decoder.tags.types, coloured=coloured)
    return lambda unit, tags: view.sentence(unit.raw, tags), view.legend()


def _copy(units: Iterator[Unit], tagger: Tagger, write: Writer, put: Callable[[str], None]) -> None:
    """Tag all sentences and write them in their order."""
    ahead, behind = tee(units)  # `ahead` runs on by two chunks, which `behind` keeps until written
    start = True
    for chunk in tagger.tag_chunks(unit.raw.tokens for unit in ahead):
        text = "".join([write(next(behind), tags) for tags in chunk])
        # Readers take a byte order mark from the start, so one that is data is written twice.
        put("\ufeff" + text if start and text.startswith("\ufeff") else text)
        start = False
