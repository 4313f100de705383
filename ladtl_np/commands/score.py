"""``ladtl score``: predicted tags against gold tags, without a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import click
import msgspec

from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.compared_page import check_page, write_page
from ladtl_np.commands.support.formats import json_option, print_json, print_table, tell
from ladtl_np.commands.support.reading import (
    column_options,
    document_options,
    read_options,
    refuse_idle_reading,
    scheme_option,
)
from ladtl_np.commands.support.tagged import (
    in_scheme_of,
    read_predicted,
    read_tagged,
    require_same_tokens,
)
from ladtl_np.corpus.conversion import documents_of
from ladtl_np.corpus.formats.reading import ReadOptions, Scheme
from ladtl_np.corpus.inspection import inspect
from ladtl_np.corpus.lines import display_name, open_input, read_lines
from ladtl_np.corpus.read import format_of
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.tally import Remark
from ladtl_np.errors import UsageError
from ladtl_np.printable import LONG, shown
from ladtl_np.scoring import Scores, render, score

__all__ = ["command"]


@click.command(name="score", cls=Command)
@click.argument("files", nargs=-1, required=True, metavar="GOLD [PREDICTED]")
@click.option(
    "--gold-column",
    type=int,
    help="Column of the gold tag.  [default: the last; in one file the last but one]",
)
@click.option(
    "--predicted-column", type=int, help="Column of the predicted tag.  [default: the last]"
)
@click.option(
    "--predicted-scheme",
    type=click.Choice(get_args(Scheme)),
    help="Tag scheme of the predictions.  [default: as --scheme]",
)
@click.option("--html", metavar="FILE", help="Write a page with all differences marked as well.")
@click.option("--overwrite", is_flag=True, help="Replace a page that is there.")
@document_options
@column_options
@scheme_option
@json_option
def command(
    files: tuple[str, ...],
    gold_column: int | None,
    predicted_column: int | None,
    predicted_scheme: str | None,
    html: str | None,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    r"""Score predicted tags: the file PREDICTED against GOLD, or two columns of one file.

    Both must have the same sentences and tokens. Schemes are detected file by file; predictions in
    another scheme than the gold's are converted to it. Precision, recall and F1 are counted in two
    ways, side by side: conlleval, and strict, which counts only entities whose tags are legal.

    --html writes the texts themselves, with what is missed, spurious, of the wrong type or in the
    wrong place marked: one page that needs no network.

    \b
    Examples:
      ladtl score gold.txt predicted.txt
      ladtl score both.txt --gold-column 1 --predicted-column 2 --json
      ladtl score gold.jsonl predicted.jsonl --html differences.html
    """
    if len(files) > 2:
        raise UsageError(f"score takes one file or two, got {len(files)}")
    if files[1:] == ("-",) == files[:1]:
        raise UsageError("standard input holds one file; give it once to score two of its columns")
    check_page(html, files, overwrite=overwrite, as_json=as_json)
    columns = (
        (-2 if len(files) == 1 else -1) if gold_column is None else gold_column,
        -1 if predicted_column is None else predicted_column,
    )
    gold_options = read_options(tag_column=columns[0], **options)
    predicted_options = msgspec.structs.replace(
        gold_options, tag_column=columns[1], scheme=predicted_scheme or gold_options.scheme
    )
    _refuse_idle(files, gold_options)
    gold, predicted = _read(files, gold_options, predicted_options)
    remarks = [*inspect(gold), *inspect(predicted, predicted=True)]
    guesses, converted = in_scheme_of(gold, predicted)
    remarks += converted
    tell(remarks)
    require_same_tokens(gold, predicted)
    scores = score([sentence.tags or () for sentence in gold], guesses, gold.scheme)
    if html is not None:
        documents = documents_of(predicted)
        write_page(html, gold, documents, predicted.name, scores, overwrite=overwrite)
    if as_json:
        print_json(_as_json(gold, predicted, scores, remarks))
        return
    table = render(scores)
    schemes = [corpus.scheme for corpus in (gold, predicted)]
    table.title = "gold {}, predicted {}".format(*schemes)
    print_table(table)


def _refuse_idle(files: Sequence[str], options: ReadOptions) -> None:
    """Refuse what has no columns where two are wanted, and options that no file needs.

    Raises
    ------
    UsageError
        Naming the file or the option.
    """
    found = [format_of(path, options) for path in files]
    if len(found) == 1 and found[0].family == "documents":
        raise UsageError(
            f"{shown(files[0], LONG)}: {found[0].name} has no two columns of tags to compare; give "
            "gold and predictions as two files"
        )
    refuse_idle_reading(files, options)
    if all(one.family == "documents" for one in found):
        names = ["gold_column", "predicted_column", "predicted_scheme"]
        refuse_without_effect(names, "without columns to read", "name such an input")


def _read(
    files: Sequence[str], gold_options: ReadOptions, predicted_options: ReadOptions
) -> tuple[Corpus, Corpus]:
    """Read both sides; one file is read once for both, so it may be standard input."""
    if len(files) == 2:
        gold = read_predicted(files[0], gold_options, None)
        return gold, read_predicted(files[1], predicted_options, gold.scheme)
    found = format_of(files[0], gold_options).name
    gold_options, predicted_options = (
        msgspec.structs.replace(one, format=found) for one in (gold_options, predicted_options)
    )
    with open_input(files[0]) as stream:
        lines = read_lines(stream)
    name = display_name(files[0])
    gold = read_tagged(lines, gold_options, name, None)
    return gold, read_tagged(lines, predicted_options, name, gold.scheme)


def _as_json(
    gold: Corpus, predicted: Corpus, scores: Scores, remarks: Sequence[Remark]
) -> dict[str, Any]:
    sides = {"gold": gold, "predicted": predicted}
    return {
        **{side: {"file": corpus.name, "scheme": corpus.scheme} for side, corpus in sides.items()},
        "scores": scores.to_json(),
        "remarks": [remark.to_json() for remark in remarks],
    }
