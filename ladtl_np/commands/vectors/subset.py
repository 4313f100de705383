"""``ladtl vectors subset``: the rows of a large file of vectors that corpora use."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, get_args

import click

from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.formats import print_json, tell
from ladtl_np.commands.support.reading import READABLE, column_options, read_options
from ladtl_np.commands.support.streams import check_output, open_output
from ladtl_np.commands.support.vectors_told import found_told, unwritable_remark
from ladtl_np.corpus.formats.reading import ReadOptions, Tokens
from ladtl_np.corpus.formats.registry import NEEDS
from ladtl_np.corpus.read import idle_in, read_corpus
from ladtl_np.corpus.tally import Remark
from ladtl_np.corpus.vectors.coverage import Coverage, count_words, coverage
from ladtl_np.corpus.vectors.file_words import FirstWords
from ladtl_np.corpus.vectors.passes import open_passes, text_reader
from ladtl_np.corpus.vectors.subset import Subset, vector_text
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.errors import UsageError
from ladtl_np.printable import LONG, shown

__all__ = ["subset"]


@click.command(cls=Command)
@click.argument("vectors", metavar="LARGE")
@click.option(
    "--corpus",
    "corpora",
    multiple=True,
    metavar="FILE",
    help="Corpus of any format whose words are kept; may be given several times.",
)
@click.option(
    "--text",
    "texts",
    multiple=True,
    metavar="FILE",
    help="Plain text, one sentence a line, whose words are kept; may be given several times.",
)
@click.option(
    "--format",
    type=click.Choice(("auto", *READABLE)),
    default=ReadOptions().format,
    show_default=True,
    help="Format of the corpora; auto tells it by their names and starts.",
)
@click.option(
    "--tokens",
    type=click.Choice(get_args(Tokens)),
    default=ReadOptions().tokens,
    show_default=True,
    help="What a token of a text is; auto, for documents: words, of Chinese characters.",
)
@column_options
@click.option("--lower", is_flag=True, help="Keep what lower-cased tokens use.")
@click.option("--digits-to-zero", is_flag=True, help="Keep what tokens use whose digits are 0.")
@click.option(
    "--top",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Keep so many of the file's first words as well, as vectors.keep does.",
)
@click.option(
    "--out", required=True, metavar="SMALL", help="File of vectors; - for standard output."
)
@click.option("--overwrite", is_flag=True, help="Replace a file of vectors that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def subset(
    vectors: str,
    corpora: tuple[str, ...],
    texts: tuple[str, ...],
    lower: bool,
    digits_to_zero: bool,
    top: int,
    out: str,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    r"""Keep the rows of LARGE, a file of word vectors, that corpora and texts use.

    LARGE is read once, in constant memory: in the text format of word2vec, GloVe and fastText, in
    word2vec's binary format if its name ends in .bin, packed if .gz stands behind. SMALL has its
    rows in its order, in the text format. With vectors.keep=training, training on the same corpora
    gives the same model with either file.

    \b
    Examples:
      ladtl vectors subset glove.6B.100d.txt --corpus train.txt --corpus dev.txt --out small.txt
      ladtl vectors subset cc.zh.300.vec.gz --corpus train.txt --text notes.txt \
          --tokens characters --top 20000 --out small.txt
    """
    started = time.perf_counter()
    reading = _reading(vectors, corpora, texts, top, options)
    if as_json and out == "-":
        raise UsageError("--json and --out - would both write to standard output; name a file")
    check_output(out, (vectors, *corpora, *texts), overwrite=overwrite)
    normal = Vocabulary.empty(lower=lower, digits_to_zero=digits_to_zero)
    counts = list(_counts(corpora, texts, reading, normal))
    words = list(dict.fromkeys(word for each in counts for word in each.words))
    with open_output(out, overwrite=overwrite) as put:
        found = vector_text(vectors, words, FirstWords(top, normal.normalise), put)
    ways = dict(zip(words, found.ways.tolist(), strict=True))
    told = [coverage(each.role, each.name, each.words, ways, normal) for each in counts]
    _tell(found, told, out, time.perf_counter() - started)
    odd = "that are empty or hold a line end"
    remarks = [remark for each in counts for remark in each.remarks]
    if found.unwritable:
        remarks.append(unwritable_remark(found.unwritable, odd, out))
    tell(remarks)
    if as_json:
        listed = [remark.to_json() for remark in remarks]
        print_json({"file": out, **_facts(found, told), "remarks": listed})


def _reading(
    vectors: str,
    corpora: Sequence[str],
    texts: Sequence[str],
    top: int,
    options: dict[str, Any],
) -> ReadOptions:
    """How files are read; refuses what is missing and what would change nothing."""
    if not (corpora or texts or top):
        raise UsageError(
            "name what is to be kept: corpora with --corpus, plain text with --text, or --top N"
        )
    if (vectors, *corpora, *texts).count("-") > 1:
        raise UsageError("standard input can be read only once; name it once")
    reading = read_options(tag_column=None, **options)
    if texts and reading.tokens == "auto":
        raise UsageError(
            "say what a token of the text is: --tokens characters (as in Chinese corpora), "
            "--tokens words or --tokens spaces (where it is cut already)"
        )
    if not corpora:
        columns = ("format", "token_column", "delimiter", "position_digits")
        refuse_without_effect(columns, "without --corpus", "name a corpus")
    if not (corpora or texts):
        refuse_without_effect(("tokens", "encoding"), "with --top alone", "name a corpus or a text")
    for name in idle_in((path, reading) for path in corpora):
        if not (name == "tokens" and texts):
            refuse_without_effect([name], f"without {NEEDS[name]} to read", "name such a corpus")
    return reading


class _Counts(NamedTuple):
    """How often each word of a file occurs, in the form under which it is looked up."""

    role: str
    name: str
    words: Counter[str]
    remarks: list[Remark]


def _counts(
    corpora: Iterable[str], texts: Iterable[str], reading: ReadOptions, normal: Vocabulary
) -> Iterator[_Counts]:
    for path in corpora:
        sentences = (sentence.tokens for sentence in read_corpus(path, reading))
        yield _Counts("corpus", path, count_words(sentences, normal), [])
    for path in texts:
        if reading.tokens == "auto":
            raise ValueError("text needs its tokens")
        with open_passes([(path, text_reader(reading.tokens, reading.encoding))]) as passes:
            remarks = list(passes.forms(1, "--corpus reads those"))
            yield _Counts("text", path, count_words(passes, normal), remarks)


def _facts(found: Subset, told: Iterable[Coverage]) -> dict[str, Any]:
    large = found.report
    return {
        "large": {"name": large.name, "sha256": large.sha256, "words": large.rows},
        "dimension": large.dimension,
        "words": found.words,
        "used": found.used,
        "first": found.first,
        "duplicates": large.duplicates,
        "undecodable": large.undecodable,
        "unwritable_words": found.unwritable,
        "coverage": [{"role": one.role, "name": one.name, **_shares(one)} for one in told],
    }


def _shares(one: Coverage) -> dict[str, dict[str, int]]:
    return {
        kind: {
            "total": found.total,
            "exact": found.exact,
            "lower": found.lower,
            "zeros": found.zeros,
        }
        for kind, found in (("words", one.words), ("tokens", one.tokens))
    }


def _tell(found: Subset, told: Iterable[Coverage], out: str, seconds: float) -> None:
    """Say on standard error what was kept of what."""
    place = "standard output" if out == "-" else shown(out, LONG)
    click.echo(
        f"{found.words:,} of {found.report.rows:,} words of {found.report.dimension} values in "
        f"{place}: {found.used:,} in use, {found.first:,} of the first; {seconds:.1f} s",
        err=True,
    )
    for one in told:
        click.echo(f"  {one.role:<6} {shown(one.name, LONG)}: {found_told(one)}", err=True)
