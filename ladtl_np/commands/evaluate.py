"""``ladtl evaluate``: models against gold files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from ladtl_np.commands.support.command import Command
from ladtl_np.commands.support.compared_page import check_page, documents_of_sure, write_page
from ladtl_np.commands.support.evaluated import Evaluated, Results, as_json_of
from ladtl_np.commands.support.formats import (
    DECODING,
    decoding_options,
    json_option,
    print_json,
    print_table,
    tell,
)
from ladtl_np.commands.support.reading import (
    corpus_options,
    read_options,
    refuse_idle_reading,
)
from ladtl_np.corpus.inspection import inspect
from ladtl_np.corpus.labels import TagSet, listed
from ladtl_np.corpus.read import read_corpus
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.corpus.tally import Remark
from ladtl_np.corpus.unknown import remark_on_unknown, unknown_told
from ladtl_np.errors import UsageError
from ladtl_np.options.precision import PRECISION, Precision
from ladtl_np.printable import LONG, shown
from ladtl_np.scoring import SEMANTICS, render

if TYPE_CHECKING:
    from rich.table import Table

    from ladtl_np.model.decoding import Decoder

__all__ = ["Evaluated", "command", "compare_table", "evaluate_models"]


@click.command(name="evaluate", cls=Command)
@click.option(
    "--model",
    "models",
    required=True,
    multiple=True,
    metavar="FILE",
    help="Model file; may be given several times.",
)
@click.argument("gold", nargs=-1, required=True, metavar="GOLD...")
@click.option(
    "--calibration",
    is_flag=True,
    help="Tell as well whether the probabilities of entities hold.",
)
@click.option(
    "--html",
    metavar="FILE",
    help="Write a page with all differences marked as well; of one model on one file.",
)
@click.option("--overwrite", is_flag=True, help="Replace a page that is there.")
@decoding_options
@corpus_options
@json_option
def command(
    models: tuple[str, ...],
    gold: tuple[str, ...],
    calibration: bool,
    html: str | None,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    r"""Tag GOLD files of any format with models and score the tags.

    With one model and one file: precision, recall and F1 of each type. With several: a table of
    F1, models against files, the best of each file in bold. Both ways of counting stand side by
    side: conlleval, and strict, which counts only entities whose tags are legal in the scheme.

    With --calibration a table tells how probable the entities are that the model finds, on average,
    and how many of them are right; the expected calibration error (ECE) over ten bins, and the
    Brier score; and how many can be kept with a precision of 95 %, most probable first, and the
    recall that this leaves. `model calibrate` mends probabilities that do not hold.

    --html writes the texts themselves, with what is missed, spurious, of the wrong type or in the
    wrong place marked, and the probability of each entity: one page that needs no network.

    Gold tags are never changed. Illegal ones are counted, and types that the model does not know
    count as missed; both are named on standard error.

    \b
    Examples:
      ladtl evaluate --model run/best.safetensors demo/neurology/test.txt
      ladtl evaluate --model run/best.safetensors --calibration test.txt
      ladtl evaluate --model run/best.safetensors test.txt --html differences.html
      ladtl evaluate --model a.safetensors --model b.safetensors dev.txt test.txt
      ladtl evaluate --model run/best.safetensors --token-column 0 --tag-column 3 test.txt --json
    """
    decoding = {name: options.pop(name) for name in DECODING}
    _check_page(models, gold, html, overwrite=overwrite, as_json=as_json)
    reading = read_options(**options)
    refuse_idle_reading(gold, reading)
    corpora = [read_corpus(path, reading) for path in gold]
    remarks = [remark for corpus in corpora for remark in inspect(corpus)]
    tell(remarks)
    sure = html is not None
    found = evaluate_models(models, corpora, calibration=calibration, sure=sure, **decoding)
    tell(found.remarks)
    remarks += found.remarks
    if html is not None:
        documents = documents_of_sure(corpora[0], found.sure[0][0])
        write_page(html, corpora[0], documents, models[0], found.scores[0][0], overwrite=overwrite)
    results, how = found.scores, _told(found.ways, decoding["precision"])
    if as_json:
        facts = as_json_of(models, corpora, found, decoding["domain"], decoding["precision"])
        print_json(facts | {"remarks": [remark.to_json() for remark in remarks]})
    elif len(models) == len(gold) == 1:
        table = render(results[0][0])
        pair = f"{models[0]} on {gold[0]}"
        table.title = f"{shown(pair, LONG)}\n{decoding['domain']} tagger, decoding {how}"
        table.caption = f"{table.caption}\n{unknown_told(found.unknown[0][0], found.usual[0])}"
        print_table(table)
    else:
        table = compare_table(models, gold, results)
        table.caption = "\n".join(
            (
                f"F1 in per cent; {decoding['domain']} tagger, decoding {how}",
                *_unknown_lines(models, gold, found),
            )
        )
        print_table(table)
    if not as_json:
        _tell_calibration(models, gold, found)


def _check_page(
    models: Sequence[str],
    gold: Sequence[str],
    html: str | None,
    *,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Refuse a page of more than two sides, or one that cannot be written."""
    check_page(html, [*models, *gold], overwrite=overwrite, as_json=as_json)
    if html is not None and (len(models), len(gold)) != (1, 1):
        raise UsageError(
            f"--html shows one model on one file, got {len(models)} and {len(gold)}; call it for "
            "each pair"
        )


def _tell_calibration(models: Sequence[str], gold: Sequence[str], found: Evaluated) -> None:
    """Print a table and the bins of each model on each file."""
    from ladtl_np.commands.support.calibration_table import bin_lines, calibration_table

    for model, row in zip(models, found.calibrations, strict=True):
        for file, by_type in zip(gold, row, strict=False):
            title = f"Probabilities of entities, {shown(f'{model} on {file}', LONG)}"
            print_table(calibration_table(by_type, title))
            click.echo("\n".join(bin_lines(by_type[""])))


def evaluate_models(
    models: Sequence[str],
    corpora: Sequence[Corpus],
    domain: Any,
    constrained: bool | None,
    threads: int,
    vocabulary_key: str | None = None,
    embeddings: str | None = None,
    precision: Precision = PRECISION,
    *,
    calibration: bool = False,
    sure: bool = False,
) -> Evaluated:
    """Score every model on every corpus.

    Parameters
    ----------
    models
        Model files.
    corpora
        Gold.
    domain, constrained, threads, precision
        How to decode, see `tagging.make_decoder`.
    vocabulary_key
        File of the key of models with a hashed vocabulary.
    embeddings
        File of word vectors that all models were trained with, for words that they do not know.
    calibration
        Whether it is to be told how well probabilities hold.
    sure
        Whether each sentence's tags are wanted, with their probabilities.

    Returns
    -------
    Evaluated
        Scores, and what of the corpora the models do not know.
    """
    from ladtl_np.arrays.workers import single_threaded_blas
    from ladtl_np.commands.support.models import load
    from ladtl_np.model.calibration import calibrate
    from ladtl_np.model.evaluation import evaluate, predict_sure
    from ladtl_np.model.tag_names import way_of
    from ladtl_np.model.tagging import make_decoder

    found = Evaluated([], [], [], [], [], [], [], [])
    for path in models:
        model = load(path, vocabulary_key, embeddings)
        decoder = make_decoder(
            model, domain=domain, constrained=constrained, threads=threads, precision=precision
        )
        found.constrained.append(decoder.constrained)
        found.ways.append(way_of(decoder.tags.scheme, decoder.constrained))
        found.usual.append(model.dev_unknown)
        found.scores.append([])
        found.unknown.append([])
        found.calibrations.append([])
        found.sure.append([])
        for corpus in corpora:
            found.remarks.extend(_unknown_types(path, decoder, corpus))
            before = decoder.counted
            with single_threaded_blas():
                found.scores[-1].append(evaluate(decoder, corpus))
            unknown = decoder.counted - before
            found.unknown[-1].append(unknown)
            found.remarks.extend(remark_on_unknown(corpus.name, unknown, model.dev_unknown))
            if calibration or sure:
                with single_threaded_blas():
                    told = predict_sure(decoder, corpus)
                if calibration:
                    found.calibrations[-1].append(calibrate(told, corpus))
                if sure:
                    found.sure[-1].append(told)
    return found


def _unknown_types(path: str, decoder: Decoder, corpus: Corpus) -> Iterator[Remark]:
    there, known = set(TagSet.from_corpora([corpus]).types), set(decoder.tags.types)
    if there - known:
        names, others = (listed(sorted(kinds)) for kinds in (there - known, known - there))
        what = (
            f"{path} does not know these types; all missed: {names}; types that only the model "
            f"has: {others}"
        )
        cure = "rename them if they mean the same as others"
        yield Remark("unknown-types", corpus.name, len(there - known), what, cure)


def _told(ways: Sequence[str], precision: Precision) -> str:
    """How the models were decoded with, in the order in which they are named."""
    exactly = "" if precision == PRECISION else f", in {precision}"
    how = ways[0] if len(set(ways)) == 1 else f"as in training: {', '.join(ways)}"
    return how + exactly


def _unknown_lines(models: Sequence[str], files: Sequence[str], found: Evaluated) -> Iterator[str]:
    """Say how much of each file each model does not know."""
    for model, row, usual in zip(models, found.unknown, found.usual, strict=True):
        for file, counted in zip(files, row, strict=True):
            yield f"{shown(f'{model} on {file}', LONG)}: {unknown_told(counted, usual)}"


def compare_table(models: Sequence[str], files: Sequence[str], results: Results) -> Table:
    """Build a table of F1, conlleval and strict: a row per model, a column per file.

    The best of each file is bold, where there are several models.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("model", overflow="fold")
    for name in files:
        table.add_column(
            f"{shown(name, LONG)}\nconlleval / strict", justify="right", overflow="fold"
        )
    best = [
        [max(getattr(row[number], way).overall.f1 for row in results) for way in SEMANTICS]
        for number in range(len(files))
    ]
    for model, row in zip(models, results, strict=True):
        cells = []
        for scores, maxima in zip(row, best, strict=True):
            values = [getattr(scores, way).overall.f1 for way in SEMANTICS]
            texts = [
                Text(f"{100 * value:.2f}", "bold" if len(models) > 1 and value == top else "")
                for value, top in zip(values, maxima, strict=True)
            ]
            cells.append(Text(" / ").join(texts))
        table.add_row(shown(model, LONG), *cells)
    return table
