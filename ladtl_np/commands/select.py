"""``ladtl select``: which sentences or documents of a pool to annotate next."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import click

from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.converting import WRITABLE, check_place, format_to
from ladtl_np.commands.support.formats import (
    decoding_of,
    decoding_options,
    json_option,
    print_json,
    tell,
    tell_unknown,
    warn,
)
from ladtl_np.commands.support.input_options import input_options
from ladtl_np.commands.support.pools import (
    annotated_kind,
    by_sentence,
    pool_files,
    read_pool,
    tagged_units,
    write_units,
)
from ladtl_np.commands.support.reading import column_options, read_options
from ladtl_np.commands.support.tag_options import TagOptions
from ladtl_np.corpus.cutting.profile import SentenceMode, TokenMode
from ladtl_np.corpus.formats.registry import FORMATS, Format
from ladtl_np.corpus.schemes import SCHEMES
from ladtl_np.errors import UsageError
from ladtl_np.options.config import DEFAULTS
from ladtl_np.printable import counted

if TYPE_CHECKING:
    from ladtl_np.commands.support.units import Unit
    from ladtl_np.corpus.tally import Remark
    from ladtl_np.model.file import Model
    from ladtl_np.model.selection.choosing import Selection

__all__ = ["command"]

_UNITS = ("sentences", "documents", "tokens")
_STRATEGIES = ("entropy", "margin", "span", "random")


@click.command(name="select", cls=Command)
@click.option("--model", "model_path", required=True, metavar="FILE", help="Model file.")
@click.argument("pool", metavar="POOL...", nargs=-1)
@click.option(
    "--pool",
    "more",
    multiple=True,
    metavar="FILE",
    help="File, or folder, of the pool: another way to name it.",
)
@click.option(
    "--budget", type=click.IntRange(min=1), required=True, help="How much can be annotated."
)
@click.option(
    "--unit",
    type=click.Choice(_UNITS),
    default=_UNITS[0],
    show_default=True,
    help="What the budget counts; with tokens, sentences are chosen.",
)
@click.option(
    "--by",
    type=click.Choice(_STRATEGIES),
    default=_STRATEGIES[0],
    show_default=True,
    help="What is chosen: where the model is least sure, or anything.",
)
@click.option(
    "--diverse", is_flag=True, help="Keep away from what is like something chosen or annotated."
)
@click.option(
    "--without",
    "annotated",
    multiple=True,
    metavar="FILE",
    help="File, or folder, of sentences that are annotated; none equal to them is chosen.",
)
@click.option("--out", "output", required=True, metavar="FILE", help="Output file or folder.")
@click.option(
    "--to",
    "style",
    type=click.Choice(WRITABLE),
    help="Output format.  [default: by the name of --out]",
)
@click.option("--overwrite", is_flag=True, help="Replace an output that exists.")
@input_options
@click.option(
    "--scheme",
    type=click.Choice(SCHEMES),
    default="BIOES",
    show_default=True,
    help="Tag scheme of columns.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=DEFAULTS.seed, show_default=True,
    help="Of a random choice.",
)  # fmt: skip
@decoding_options
@column_options
@json_option
def command(
    model_path: str,
    pool: tuple[str, ...],
    more: tuple[str, ...],
    budget: int,
    unit: Any,
    by: Any,
    diverse: bool,
    annotated: tuple[str, ...],
    output: str,
    style: str | None,
    overwrite: bool,
    kind: str | None,
    mode: TokenMode | None,
    sentences: SentenceMode | None,
    scheme: str,
    seed: int,
    as_json: bool,
    **options: Any,
) -> None:
    r"""Choose which sentences or documents of POOL to annotate next, and tag them for a start.

    POOL is files of text or of any annotated format, and folders that stand for the files in them;
    annotations that are there are not looked at. What is chosen is written in the order in which it
    was chosen, with the model's entities and how probable they are, for a person to correct.

    A model of the source alone will do: --domain source.

    \b
    Examples:
      ladtl select --model run/best.safetensors notes/ --budget 200 --out next.jsonl
      ladtl select --model run/best.safetensors notes/ --budget 200 --diverse --out next.jsonl
      ladtl select --model run/best.safetensors notes/ --unit documents --budget 20 \
          --out next --to brat
      ladtl select --model source.safetensors notes/ --domain source --unit tokens --budget 5000 \
          --without annotated.jsonl --out next.conll
    """
    pool += more
    if not pool:
        raise UsageError("name the pool: files or folders of sentences to choose from")
    found = format_to(output, style)
    asked = TagOptions(
        model=model_path,
        kind=kind,
        style=found.name,
        scheme=scheme,
        mode=mode,
        sentences=sentences,
        **decoding_of(options),
        reading=read_options(**options),
        probabilities=True,
    )
    files = pool_files(pool, output, kind)
    known = pool_files(annotated, output, None)
    _refuse_idle(files, known, asked, found, by)
    check_place(output, (*files, *known, *asked.files()), found, overwrite=overwrite)
    from ladtl_np.commands.support.models import load
    from ladtl_np.commands.support.tagging import make_tagger
    from ladtl_np.model.selection.choosing import choose

    tagger = make_tagger(load(*asked.loading()), asked)
    whole = unit == "documents"
    units, remarks = read_pool(files, asked, tagger.model, whole=whole)
    already, of_annotated = _annotated(known, asked, tagger.model)
    tell([*remarks, *of_annotated])
    units = units if whole else list(by_sentence(units))
    units = [one for one in units if one.raw.tokens]
    of_units = [one.sentences() for one in units]
    starts = tuple(accumulate(map(len, of_units[:-1]), initial=0)) if units else ()
    selection = choose(
        tagger,
        [tokens for of_unit in of_units for tokens in of_unit],
        budget,
        by=by,
        diverse=diverse,
        unit=unit,
        documents=starts if whole else (),
        annotated=already,
        seed=seed,
    )
    before = tagger.decoder.counted
    chosen = [units[n] for n in selection.chosen]
    write_units(tagged_units(chosen, tagger), found, output, scheme, overwrite=overwrite)
    tell_unknown(tagger.decoder.counted - before, tagger.model.dev_unknown)
    if known:
        click.echo(f"--without: {counted(len(already), 'sentences')}", err=True)
    _tell(selection, units, unit, by, budget, diverse=diverse, as_json=as_json)


def _annotated(
    files: Sequence[str], asked: TagOptions, model: Model
) -> tuple[list[tuple[str, ...]], list[Remark]]:
    """Sentences of files whose names and starts tell their formats, cut as the pool is."""
    units, remarks = read_pool(files, asked, model, whole=False, kind_of=annotated_kind)
    return [tokens for unit in units for tokens in unit.sentences()], remarks


def _refuse_idle(
    files: Sequence[str], known: Sequence[str], asked: TagOptions, found: Format, by: str
) -> None:
    """Refuse options that would change nothing."""
    if found.family != "columns":
        refuse_without_effect(["scheme"], f"with --to {found.name}", "choose --to conll")
    if by != "random":
        refuse_without_effect(["seed"], f"with --by {by}", "choose --by random")
    kinds = {asked.kind_of(path) for path in files}
    kinds |= set(map(annotated_kind, known))
    columns = {name for name, one in FORMATS.items() if one.family == "columns"}
    if not kinds & columns:
        names = ["token_column", "delimiter", "position_digits"]
        refuse_without_effect(names, "without columns to read", "choose --from conll")
    if kinds <= columns:
        cure = "choose another --from"
        refuse_without_effect(["sentences"], "with columns, whose sentences are told", cure)
        if found.family == "columns":
            refuse_without_effect(["mode"], "from columns to columns", "choose another --to")


def _tell(
    selection: Selection,
    units: Sequence[Unit],
    unit: str,
    by: str,
    budget: int,
    *,
    diverse: bool,
    as_json: bool,
) -> None:
    """Say what was chosen, and how far the last lies from the first that is left out."""
    what = "documents" if unit == "documents" else "sentences"
    tokens = sum(len(one.raw.tokens) for one in units)
    if selection.next_gain is None:
        reached = selection.tokens if unit == "tokens" else len(selection.chosen)
        if reached < budget:
            warn(f"the budget of {budget:,} {unit} is more than there is: all {what} are chosen")
    if as_json:
        print_json(_facts(selection, units, unit, by, diverse=diverse))
        return
    told = [
        f"{len(selection.chosen):,} of {len(units):,} {what} chosen by {by}"
        f"{', diverse' * diverse}: {selection.tokens:,} of {tokens:,} tokens"
    ]
    if by != "random":
        pool = float(selection.uncertainty.mean())
        told.append(f"uncertainty: {selection.mean_uncertainty:.4f} in the mean, {pool:.4f} of all")
    if by != "random" or diverse:
        measure = " x ".join(["uncertainty"] * (by != "random") + ["distance"] * diverse)
        after = selection.next_gain
        end = "nothing is left out" if after is None else f"the first left out {after:.4f}"
        told.append(f"{measure}: the last chosen {selection.gains[-1]:.4f}, {end}")
    if selection.copies:
        told.append(f"{selection.copies:,} {what} are left aside: copies, or annotated")
    click.echo("\n".join(told), err=True)


def _facts(
    selection: Selection, units: Sequence[Unit], unit: str, by: str, *, diverse: bool
) -> dict[str, Any]:
    return {
        "by": by,
        "diverse": diverse,
        "unit": unit,
        "pool": len(units),
        "chosen": [
            {
                "number": n + 1,  # of the pool; an id may be text of the data
                "tokens": len(units[n].raw.tokens),
                "uncertainty": float(selection.uncertainty[n]),
                "gain": gain,
            }
            for n, gain in zip(selection.chosen, selection.gains, strict=True)
        ],
        "tokens": selection.tokens,
        "mean_uncertainty": selection.mean_uncertainty,
        "next_gain": selection.next_gain,
        "left_aside": selection.copies,
    }
