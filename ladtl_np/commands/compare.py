"""``ladtl compare``: is one system better than another?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.compared_runs import Pair, Pairing, listed, pair_runs
from ladtl_np.commands.support.compared_sentences import (
    Tagged,
    counts_of_files,
    counts_of_runs,
    from_file,
    from_run,
)
from ladtl_np.commands.support.comparison import Comparison, comparison_table
from ladtl_np.commands.support.formats import (
    json_option,
    print_json,
    print_table,
    tell,
    warn,
)
from ladtl_np.commands.support.reading import (
    READING,
    corpus_options,
    read_options,
    refuse_idle_reading,
)
from ladtl_np.corpus.inspection import inspect
from ladtl_np.corpus.read import read_corpus
from ladtl_np.corpus.tally import Remark
from ladtl_np.errors import UsageError
from ladtl_np.options.seeds import stream
from ladtl_np.runs.found import FoundRun
from ladtl_np.scoring import SEMANTICS, Semantics
from ladtl_np.scoring.significance import (
    RESAMPLES,
    Alternative,
    PairedTest,
    counts_test,
    paired_test,
)

if TYPE_CHECKING:
    from ladtl_np.corpus.formats.reading import ReadOptions
    from ladtl_np.corpus.sentence import Corpus

__all__ = ["command"]


@dataclass(frozen=True, slots=True)
class _Question:
    """The options of a test."""

    by: str | None
    gold: str | None
    corpus: str | None
    reading: Semantics
    two_sided: bool
    resamples: int
    seed: int

    def chance(self) -> dict[str, Any]:
        """What both tests take; every test starts from the same seed."""
        alternative: Alternative = "two-sided" if self.two_sided else "greater"
        rng = stream(self.seed, "randomisation test")
        return {"alternative": alternative, "resamples": self.resamples, "rng": rng}


@click.command(name="compare", cls=Command)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--by",
    type=click.Choice(["seed", "task", "sentence"]),
    help="What is paired.  [default: sentence for two runs or files; else task, if there are "
    "several; else seed]",
)
@click.option("--gold", metavar="FILE", help="Gold tags of prediction files.")
@click.option(
    "--corpus",
    metavar="NAME",
    help="Corpus of the runs' manifests, such as test.txt or dev.  [default: every test corpus]",
)
@click.option(
    "--reading",
    type=click.Choice(SEMANTICS),
    default="conlleval",
    show_default=True,
    help="How entities are read from tags.",
)
@click.option("--two-sided", is_flag=True, help="Ask whether A and B differ, not whether A wins.")
@click.option(
    "--resamples",
    type=click.IntRange(min=99),
    default=RESAMPLES,
    show_default=True,
    help="Random patterns where there are too many to look at all.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws them."
)
@corpus_options
@json_option
def command(first: str, second: str, as_json: bool, **options: Any) -> None:
    r"""Test whether system A is better than system B: the randomisation paired test on F1.

    A and B are run folders; folders that hold several runs, paired by their path below (such as
    0, 1, 2 for seeds); patterns such as 'runs/*/la-dtl' (quoted), where a * stands for a task; or
    files of CoNLL columns with predicted tags in the last one, together with --gold. The options
    on columns and schemes are for these files.

    \b
    Examples:
      ladtl compare runs/la-dtl runs/non-transfer
      ladtl compare 'runs/*/la-dtl' 'runs/*/non-transfer' --by task
      ladtl compare a.conll b.conll --gold test.txt
    """
    question = _Question(**{name: options.pop(name) for name in _Question.__slots__})
    reading = read_options(**options)
    _check_places(first, second, question)
    files = [place for place in (first, second) if _is_file(place)]
    if not files and question.gold is None:
        refuse_without_effect(READING, "without files of columns", "name one with --gold")
    else:
        refuse_idle_reading([*files, *([question.gold] if question.gold else [])], reading)
    if len(files) == 2:
        refuse_without_effect(["corpus"], "between two files", "name folders of runs")
    gold = read_corpus(question.gold, reading) if question.gold else None
    remarks: list[Remark] = []
    told = inspect(gold) if gold else []
    tell(told)
    left_out: list[str] = []
    if files:
        found = [_by_files(first, second, gold, reading, question, remarks)]
    else:
        found, left_out = _by_runs(pair_runs(first, second), gold, question, remarks)
    tell(remarks)
    told += dict.fromkeys(remarks)
    if as_json:
        print_json(
            {
                **{"a": first, "b": second, "reading": question.reading, "left_out": left_out},
                "comparisons": [comparison.to_json() for comparison in found],
                "remarks": [remark.to_json() for remark in told],
            }
        )
    else:
        print_table(comparison_table(first, second, question.reading, found))
        for comparison in found:
            click.echo(comparison.conclusion())
    for line in left_out:
        warn(f"left out: {line}")


def _is_file(place: str) -> bool:
    return place == "-" or Path(place).is_file()


def _check_places(first: str, second: str, question: _Question) -> None:
    """Refuse what is not there, and what a prediction file cannot do."""
    if [first, second, question.gold].count("-") > 1:
        raise UsageError("standard input holds one file; only one of A, B and --gold can be -")
    for place in (first, second):
        if place != "-" and "*" not in place and not Path(place).exists():
            raise UsageError(f"{place}: no such file or folder; is the path right, seen from here?")
    if _is_file(first) or _is_file(second):
        if question.by not in (None, "sentence"):
            raise UsageError(
                f"a prediction file is one run on one corpus: --by {question.by} needs folders of "
                "runs; use --by sentence"
            )
        if question.gold is None:
            raise UsageError("a prediction file is compared with gold tags; name them with --gold")


def _by_files(
    first: str,
    second: str,
    gold: Corpus | None,
    reading: ReadOptions,
    question: _Question,
    remarks: list[Remark],
) -> Comparison:
    """Test two prediction files, or one and a run, by sentence; adds to `remarks`."""
    assert gold is not None
    sides: list[Tagged] = []
    for place in (first, second):
        if _is_file(place):
            sides.append(from_file(place, gold, reading, remarks))
        else:
            run = FoundRun.at(Path(place))
            sides.append(from_run(run, _only_test(run, question.corpus), gold))
    counts = counts_of_files(sides[0], sides[1], question.reading, remarks)
    return Comparison(gold.name, "sentence", 1, counts_test(*counts, **question.chance()), [])


def _only_test(run: FoundRun, wanted: str | None) -> str:
    """Choose the test corpus of a run that is compared with a file."""
    names = [wanted] if wanted else run.tests()
    if len(names) != 1 or names[0] not in run.results:
        raise UsageError(
            f"{run.folder}: name one of its test corpora with --corpus: {listed(run.tests())}"
        )
    return names[0]


def _by_runs(
    pairing: Pairing, gold: Corpus | None, question: _Question, remarks: list[Remark]
) -> tuple[list[Comparison], list[str]]:
    """Test paired runs on each corpus; also says which runs were left out; adds to `remarks`."""
    by = question.by or _default_by(pairing)
    found: list[Comparison] = []
    for corpus, pairs in pairing.by_corpus(question.corpus).items():
        test: PairedTest
        if by == "sentence":
            counts = counts_of_runs(pairs, question.reading, gold, remarks)
            test = counts_test(*counts, **question.chance())
            found.append(Comparison(corpus, by, len(pairs), test, []))
            continue
        rows = _scores(pairs, question.reading, by)
        scores = ([row[side] for row in rows] for side in (1, 2))
        test = paired_test(*scores, **question.chance())
        found.append(Comparison(corpus, by, len(pairs), test, rows))
    return found, pairing.left_out


def _default_by(pairing: Pairing) -> str:
    names = [pair.name for pair in pairing.pairs]
    if names == ["."]:
        return "sentence"
    return "task" if len({pair.task for pair in pairing.pairs}) > 1 else "seed"


def _scores(
    pairs: list[tuple[Pair, str]], reading: Semantics, by: str
) -> list[tuple[str, float, float]]:
    """F1 of both systems by pair of runs, or by task as the mean over its pairs."""
    rows: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for pair, corpus in pairs:
        first, second = (run.results[corpus] for run in (pair.first, pair.second))
        rows[pair.task if by == "task" else pair.name].append(
            (first.f1(reading), second.f1(reading))
        )
    means = {name: np.mean(values, axis=0) for name, values in rows.items()}
    return [(name, float(mean[0]), float(mean[1])) for name, mean in means.items()]
