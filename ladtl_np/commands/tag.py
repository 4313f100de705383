"""``ladtl tag``: text, columns or JSONL in; columns, JSONL or a coloured view out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from ladtl_np.commands.support.cluster import dask_wait_option
from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.converting import VIEW, WRITABLE, check_place, coloured
from ladtl_np.commands.support.formats import decoding_of, decoding_options, tell_unknown, warn
from ladtl_np.commands.support.input_options import input_options
from ladtl_np.commands.support.reading import column_options, read_options
from ladtl_np.commands.support.tag_options import Source, TagOptions, kind_by_name
from ladtl_np.commands.support.tagging import make_tagger, opened, tag_opened
from ladtl_np.corpus.cutting.profile import SentenceMode, TokenMode
from ladtl_np.corpus.formats.registry import FORMATS
from ladtl_np.corpus.lines import display_name
from ladtl_np.corpus.schemes import SCHEMES
from ladtl_np.errors import UsageError
from ladtl_np.options.best_paths import MOST_PATHS

__all__ = ["command"]

_STYLES = (*WRITABLE, VIEW.name)
_PROBABLE = ("conll", "conllu", "jsonl", "json", "brat", "html", VIEW.name)
_LISTED = ("jsonl", "json", VIEW.name)


@click.command(name="tag", cls=Command)
@click.option("--model", "model_path", required=True, metavar="FILE", help="Model file.")
@click.argument("sources", metavar="[INPUT]...", nargs=-1)
@click.option("-o", "--output", metavar="FILE", help="Output file.  [default: standard output]")
@click.option(
    "--out-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the outputs of many inputs, which may be folders.",
)
@click.option("--overwrite", is_flag=True, help="Replace output files that exist.")
@click.option(
    "--resume", is_flag=True, help="With --out-dir: keep outputs made from the same before."
)
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="With --out-dir: tag on a Dask cluster: its scheduler, such as tcp://host:8786.",
)
@dask_wait_option
@input_options
@click.option(
    "--to",
    "style",
    type=click.Choice(_STYLES),
    default="conll",
    show_default=True,
    help="Output format; terminal shows entities in colour.",
)
@click.option(
    "--probabilities",
    is_flag=True,
    help=f"Tell how probable entities are, and in JSONL sentences: {', '.join(_PROBABLE)}.",
)
@click.option(
    "--nbest",
    type=click.IntRange(1, MOST_PATHS),
    metavar="K",
    help=f"The same, and the K best ways to tag each sentence: {', '.join(_LISTED)}.",
)
@click.option("--flush", is_flag=True, help="Answer each line at once, as for who types.")
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
    sources: tuple[str, ...],
    output: str | None,
    out_dir: Path | None,
    overwrite: bool,
    resume: bool,
    dask: str | None,
    dask_wait: float,
    kind: str | None,
    style: str,
    mode: TokenMode | None,
    sentences: SentenceMode | None,
    probabilities: bool,
    nbest: int | None,
    flush: bool,
    scheme: str,
    **options: Any,
) -> None:
    r"""Tag INPUT with a model: a file, or - for standard input; with --out-dir, files and folders.

    Text and JSONL are cut into tokens and sentences as the model's training data were, or as
    --tokens and --sentences say. CoNLL output has token and tag, parted by a tab, and a blank line
    after each sentence; an empty line of text gives one more blank line. From CoNLL input the
    token column is read and written, other columns are not. JSONL has a document a line, and
    output keeps its text and id and gives entities as character offsets ("label", as in doccano);
    labels it had are replaced.

    With --probabilities each entity has the probability that it is there, with these bounds and
    this type, as the model sees it. In CoNLL output it is a column between token and tag, which
    readers of the first and the last column pass over; of a token outside of entities it tells how
    probable that is. In JSONL "probabilities" has a number for each entity of "label", and
    "sentences" the probability of all tags of a sentence and the entropy of its tag sequences, in
    nats; in brat it is a note on the entity.

    Sentences are tagged a few thousand at a time, so memory does not grow with the input.

    With --out-dir a folder stands for the files in it and below, but hidden ones. Outputs keep
    their paths, with the suffix of the output format. A file that cannot be tagged is reported and
    the others go on; --resume does those that are missing.

    \b
    Examples:
      ladtl tag --model run/best.safetensors notes.txt -o notes.conll
      ladtl tag --model run/best.safetensors --to jsonl < notes.txt | head
      ladtl tag --model run/best.safetensors --to terminal notes.jsonl
      ladtl tag --model run/best.safetensors --from conll --delimiter space test.txt
      ladtl tag --model run/best.safetensors --to jsonl --nbest 3 notes.txt -o notes.jsonl
      ladtl tag --model run/best.safetensors notes/ letters/ --out-dir tagged
    """
    _refuse_idle(sources, kind, style, out_dir, dask)
    _refuse_untold(style, probabilities, nbest)
    asked = TagOptions(
        model=model_path,
        kind=kind,
        style=style,
        scheme=scheme,
        mode=mode,
        sentences=sentences,
        **decoding_of(options),
        probabilities=probabilities,
        nbest=nbest or 0,
        reading=read_options(**options),
    )
    if out_dir is not None:
        if output is not None:
            raise UsageError("-o names one output and --out-dir a folder of them; give one of both")
        refuse_without_effect(["flush"], "with --out-dir", "tag standard input")
        from ladtl_np.commands.support.tag_many import Manner, tag_many

        tag_many(sources, out_dir, asked, Manner(overwrite, resume, dask, 60 * dask_wait))
        return
    if resume or dask is not None:
        raise UsageError("--resume and --dask want --out-dir, the folder of the outputs")
    if len(sources) > 1:
        raise UsageError("several inputs want --out-dir, the folder of their outputs")
    source = sources[0] if sources else "-"
    _tag_one(source, output or "-", asked, overwrite=overwrite, flush=flush)


def _refuse_idle(
    sources: tuple[str, ...],
    kind: str | None,
    style: str,
    out_dir: Path | None,
    dask: str | None,
) -> None:
    """Refuse options that would change nothing, whatever the inputs hold."""
    if style not in ("conll", "conllu"):
        refuse_without_effect(["scheme"], f"with --to {style}", "choose --to conll")
    named = (source for source in sources or ("-",) if out_dir is None or not os.path.isdir(source))
    kinds = {kind or kind_by_name(source) for source in named}
    columns = {name for name, found in FORMATS.items() if found.family == "columns"}
    folders = out_dir is not None and kind is None  # which may hold files of every kind
    if not kinds & columns and not folders:
        names = ["token_column", "delimiter", "position_digits"]
        refuse_without_effect(names, "without columns to read", "choose --from conll")
    if kinds <= columns and not folders:
        cure = "choose another --from"
        refuse_without_effect(["sentences"], "with columns, whose sentences are told", cure)
    if kinds <= columns and style in ("conll", "conllu") and not folders:
        refuse_without_effect(["mode"], "from columns to columns", "choose another --to or --from")
    if dask is None:
        refuse_without_effect(["dask_wait"], "without --dask", "name a scheduler with that")


def _refuse_untold(style: str, probabilities: bool, nbest: int | None) -> None:
    """Refuse a format that has no place for what is asked for."""
    for asked, option, styles in (
        (probabilities, "--probabilities", _PROBABLE),
        (nbest is not None, "--nbest", _LISTED),
    ):
        if asked and style not in styles:
            raise UsageError(
                f"--to {style} has no place for what {option} tells; choose --to "
                f"{', '.join(styles[:-1])} or {styles[-1]}"
            )


def _tag_one(
    source: str, output: str, options: TagOptions, *, overwrite: bool, flush: bool
) -> None:
    """Tag one input into one output, either of which may be a stream."""
    found = VIEW if options.style == VIEW.name else FORMATS[options.style]
    check_place(output, (source, *options.files()), found, overwrite=overwrite)
    live = flush or (source == "-" and sys.stdin.isatty())
    with opened(source, options) as content:
        from ladtl_np.commands.support.models import load  # what cannot be read is told first

        tagger = make_tagger(load(*options.loading()), options, live=live)
        one = Source(source, source)
        outcome = tag_opened(
            content, one, output, tagger, options, overwrite=overwrite, coloured=coloured(output)
        )
    if outcome.note:
        warn(f"{display_name(source)}: {outcome.note}")
    tell_unknown(outcome.unknown, tagger.model.dev_unknown)
