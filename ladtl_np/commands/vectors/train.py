"""``ladtl vectors train``: word vectors from text."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, get_args

import click
import msgspec

from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.formats import print_json, show_text_option, tell
from ladtl_np.commands.support.streams import check_output, open_output
from ladtl_np.commands.support.vectors_told import unwritable_remark
from ladtl_np.corpus.cutting.profile import TokenMode
from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.typed import typed
from ladtl_np.corpus.vectors.passes import Reader, column_reader, open_passes, text_reader
from ladtl_np.corpus.vectors.skipgram import (
    SkipGramOptions,
    require_gensim,
    train_skip_gram,
    vector_lines,
)
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.errors import UsageError
from ladtl_np.options.config import apply_settings
from ladtl_np.options.input_file import require_writable
from ladtl_np.printable import LONG, shown

if TYPE_CHECKING:
    from ladtl_np.corpus.vectors.skipgram import WordVectors

__all__ = ["train"]

_DEFAULTS = SkipGramOptions()
_OTHER_FORM = "--conll reads columns, which ladtl data convert makes of other forms"
_HELP = {
    "dimension": "Values of a vector: the model.embedding of the model to start from it.",
    "window": "Neighbours on each side that a word foretells, at most.",
    "min_count": "Words that occur less often have no vector.",
    "epochs": "Passes over the text.",
    "negative": "Random words against which each pair of words is held.",
    "learning_rate": "Step size at the start; it falls linearly.",
    "sample": "Share of the text from which on a word's occurrences are thinned out; 0: never.",
    "seed": "Seed of all chance.",
    "threads": "Threads to train with. With more than one, each run gives other numbers.",
}


def _training_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each field of `SkipGramOptions`."""
    for field in reversed(msgspec.structs.fields(SkipGramOptions)):
        function = click.option(
            f"--{field.name.replace('_', '-')}",
            default=field.default,
            show_default=True,
            help=_HELP[field.name],
        )(function)
    return function


@click.command(cls=Command)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--tokens",
    "mode",
    type=click.Choice(get_args(TokenMode)),
    help="What a token of TEXT is, as in the corpora that the model is to be trained on.",
)
@click.option(
    "--encoding",
    default=ReadOptions().encoding,
    show_default=True,
    help="Text encoding of TEXT.",
)
@click.option(
    "--conll",
    "columns",
    multiple=True,
    metavar="FILE",
    help="CoNLL columns whose tokens are trained on as well; may be given several times.",
)
@click.option(
    "--conll-format",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="How the columns are read, such as position_digits=true; "
    "2.position_digits=true is for the second --conll alone.",
)
@click.option("--lower", is_flag=True, help="Lower-case all tokens.")
@click.option("--digits-to-zero", is_flag=True, help="Write every decimal digit as 0.")
@_training_options
@click.option(
    "--out", required=True, metavar="FILE", help="File of vectors; - for standard output."
)
@click.option("--overwrite", is_flag=True, help="Replace a file of vectors that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@show_text_option
def train(
    texts: tuple[str, ...],
    mode: TokenMode | None,
    encoding: str,
    columns: tuple[str, ...],
    settings: tuple[str, ...],
    lower: bool,
    digits_to_zero: bool,
    out: str,
    overwrite: bool,
    as_json: bool,
    **training: Any,
) -> None:
    r"""Train skip-gram word vectors on TEXT, and on the tokens of CoNLL files.

    TEXT is one or more files, or - for standard input: plain text, one sentence a line. Needs
    gensim: pip install 'ladtl-np[vectors]'. Writes word2vec's text format, which ladtl train
    --embeddings reads. With one thread the same input and seed give the same bytes; with more,
    gensim's result varies from run to run.

    \b
    Examples:
      ladtl vectors train notes.txt --tokens characters --out vectors.txt
      ladtl vectors train notes.txt --tokens characters --conll train.txt --out vectors.txt
      ladtl vectors train --conll eng.train --lower --digits-to-zero --min-count 2 --out vectors.txt
    """
    if not texts:
        refuse_without_effect(["encoding"], "without TEXT", "give it in --conll-format")
    started = time.perf_counter()
    inputs = _inputs(texts, mode, encoding, columns, settings)
    options = _options(training)
    if as_json and out == "-":
        raise UsageError("--json and --out - would both write to standard output; name a file")
    check_output(out, (*texts, *columns), overwrite=overwrite)
    require_gensim()  # before much is read
    with open_passes(inputs, _normaliser(lower, digits_to_zero)) as passes:
        remarks = list(passes.forms(len(texts), _OTHER_FORM))
        vectors = train_skip_gram(passes, options)
    with open_output(out, overwrite=overwrite) as put:
        for line in vector_lines(vectors):
            put(line)
    facts = _facts(vectors, options, time.perf_counter() - started)
    for name, tally in passes.tally.items():
        remarks += tally.remarks(name)
    if vectors.unwritable:
        odd = "that hold a space or what UTF-8 cannot write"
        remarks.append(unwritable_remark(vectors.unwritable, odd, out))
    _tell(facts, out)
    tell(remarks)
    if as_json:
        print_json({"file": out, **facts, "remarks": [remark.to_json() for remark in remarks]})


def _inputs(
    texts: Sequence[str],
    mode: TokenMode | None,
    encoding: str,
    columns: Sequence[str],
    settings: Sequence[str],
) -> list[tuple[str, Reader]]:
    """Pair every file with its reader."""
    if not texts and not columns:
        raise UsageError("name a file of text, or a file of columns with --conll")
    if texts and mode is None:
        raise UsageError(
            "say what a token of the text is: --tokens characters (as in Chinese corpora), "
            "--tokens words or --tokens spaces (where it is cut already)"
        )
    if mode and not texts:
        raise UsageError("--tokens is for text; the tokens of columns stand in their column")
    read_text = text_reader(mode or "spaces", encoding)
    formats = _column_formats(len(columns), settings)
    return [(path, read_text) for path in texts] + [
        (path, column_reader(reading)) for path, reading in zip(columns, formats, strict=True)
    ]


def _column_formats(count: int, settings: Iterable[str]) -> list[ReadOptions]:
    """Build the options of each file of columns; a number before a key names a file."""
    for setting in settings:
        if "=" not in setting:
            raise UsageError(
                f"--conll-format wants KEY=VALUE, such as position_digits=true; got {setting!r}"
            )
    table = apply_settings({}, settings)
    require_writable(table, "--conll-format")
    numbers = [str(number) for number in range(1, count + 1)]
    shared = {key: value for key, value in table.items() if not key.isdecimal()}
    strange = sorted(table.keys() - shared.keys() - set(numbers))
    if strange or (table and not count):
        number = f" {strange[0]}" if strange else ""
        raise UsageError(f"--conll-format is for a file{number} that no --conll names")
    own = [table.get(number, {}) for number in numbers]
    if not all(isinstance(one, dict) for one in own):
        raise UsageError("--conll-format wants NUMBER.KEY=VALUE after the number of a --conll")
    try:
        return [typed({**shared, **one}, ReadOptions) for one in own]
    except ValueError as error:
        raise UsageError(f"--conll-format: {error}") from None


def _options(training: dict[str, Any]) -> SkipGramOptions:
    try:
        return SkipGramOptions(**training)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _normaliser(lower: bool, zero: bool) -> Callable[[str], str] | None:
    """Normalise tokens as a model's vocabulary does; None changes nothing."""
    if not (lower or zero):
        return None
    return Vocabulary.empty(lower=lower, digits_to_zero=zero).normalise


def _facts(vectors: WordVectors, options: SkipGramOptions, seconds: float) -> dict[str, Any]:
    return {
        "sentences": vectors.sentences,
        "tokens": vectors.tokens,
        "words": len(vectors.words),
        "dimension": options.dimension,
        "rare_words": vectors.rare,
        "unwritable_words": vectors.unwritable,
        "seconds": round(seconds, 2),
    }


def _tell(facts: dict[str, Any], out: str) -> None:
    """Say on standard error what was made from what."""
    place = "standard output" if out == "-" else shown(out, LONG)
    click.echo(
        f"{facts['sentences']:,} sentences, {facts['tokens']:,} tokens: {facts['words']:,} words "
        f"of {facts['dimension']} values in {place}; {facts['rare_words']:,} rarer words have "
        f"none; {facts['seconds']:.1f} s",
        err=True,
    )
