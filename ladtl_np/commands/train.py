"""``ladtl train``: one run, from corpora to a model."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
import msgspec

from ladtl_np.commands.support.chosen import chosen_config
from ladtl_np.commands.support.command import Command, refuse_without_effect
from ladtl_np.commands.support.cost import Pace, measured_cost, told_time
from ladtl_np.commands.support.formats import print_json, show_text_option, tell
from ladtl_np.commands.support.opening import opening_lines
from ladtl_np.commands.support.progress import results_table, told_of_compiling
from ladtl_np.errors import TerminatedError, UsageError
from ladtl_np.model.vocabulary_key import require_key_apart
from ladtl_np.options.config import DEFAULTS, Config, read_config
from ladtl_np.options.input_file import require_utf8
from ladtl_np.options.methods import FROM_FILE, METHODS
from ladtl_np.options.presets import PRESETS
from ladtl_np.printable import LONG, shown
from ladtl_np.progress.training import TrainingDisplay
from ladtl_np.runs.checkpoint import SELDOM, Every
from ladtl_np.runs.folder import RunFolder
from ladtl_np.runs.names import BEST, CHECKPOINT, CONFIG
from ladtl_np.runs.run import Run, demo_corpora, read_corpora, read_label_maps
from ladtl_np.runs.signals import raise_for, stop_asked_for
from ladtl_np.training.events import Step
from ladtl_np.training.preparation import prepare
from ladtl_np.training.remarks import closing_remarks
from ladtl_np.training.warm_up import warm_up

__all__ = ["command"]

_FILE = click.Path(path_type=str)


def _every(context: click.Context, parameter: click.Parameter, value: str | None) -> Every:
    """Read 5m, 90s or 200 steps."""
    if value is None:
        return SELDOM
    found = re.fullmatch(r"(\d{1,9})([ms]?)", value)
    if found is None or int(found[1]) == 0:
        raise click.BadParameter(f"{value!r} is no time or number of steps, such as 5m, 90s or 200")
    number, unit = int(found[1]), found[2]
    return Every(steps=number) if not unit else Every(seconds=number * {"m": 60.0, "s": 1.0}[unit])


@click.command(
    name="train",
    cls=Command,
    epilog="Every other option: docs/config.md, or config.toml of any run.",
)
@click.option(
    "--source",
    type=_FILE,
    multiple=True,
    help="Training corpus of a source domain; may be given several times.",
)
@click.option(
    "--source-model",
    type=_FILE,
    multiple=True,
    help="File of ladtl source export, in place of --source; chooses method source-free.",
)
@click.option("--target", type=_FILE, help="Training corpus of the target domain.")
@click.option("--dev", type=_FILE, help="Development corpus of the target: chooses the model.")
@click.option("--test", type=_FILE, multiple=True, help="Test corpus; may be given several times.")
@click.option("--demo", is_flag=True, help="Train on the synthetic demo corpus; needs no files.")
@click.option(
    "--method",
    help=f"How the source is used: {', '.join(METHODS | FROM_FILE)}.  [default: {DEFAULTS.method}]",
)
@click.option(
    "--preset",
    type=click.Choice(tuple(PRESETS)),
    help="Start from what the paper says, or from what its released code does.",
)
@click.option(
    "--parameter-transfer",
    type=click.Choice(("l2", "kl")),
    help="What ties the two CRFs: distance of their parameters, or exact divergence."
    f"  [default: {DEFAULTS.objective.parameter_transfer}]",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the run.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier run in --out.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted run in --out.")
@click.option("--allow-change", is_flag=True, help="Resume with other options, files or versions.")
@click.option(
    "--checkpoint-every",
    callback=_every,
    metavar="5m|90s|200",
    help="Minutes, seconds or steps of work that may be lost.  [default: 5m]",
)
@click.option(
    "--target-fraction",
    type=float,
    help="Share of the target's training sentences to use."
    f"  [default: {DEFAULTS.data.target_fraction}]",
)
@click.option(
    "--target-chosen",
    type=_FILE,
    help="File of the target's training sentences to use: one number a line, counted from 1.",
)
@click.option(
    "--label-map",
    type=_FILE,
    multiple=True,
    help='TOML file of source = "target" types: one for all sources, or one for each in order.',
)
@click.option("--embeddings", type=_FILE, help="Word vectors in text format to start from.")
@click.option(
    "--vocabulary-key",
    type=_FILE,
    help="Hash the model's words with the key in this file, which is made if it is not there.",
)
@click.option("--steps", type=int, help=f"Mini-batches.  [default: {DEFAULTS.training.steps}]")
@click.option("--seed", type=int, help=f"Seed of all chance.  [default: {DEFAULTS.seed}]")
@click.option(
    "--threads",
    type=int,
    help=f"Threads.  [default: {DEFAULTS.threads}, or as many as there are processors]",
)
@click.option("--config", "config_file", type=_FILE, help="TOML file of options.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any option, by its key."
)
@click.option(
    "--source-format",
    multiple=True,
    metavar="KEY=VALUE",
    help="How sources are read, such as token_column=1; brat alone is format=brat.",
)
@click.option(
    "--target-format",
    multiple=True,
    metavar="KEY=VALUE",
    help="The same for the target's files, such as position_digits=true.",
)
@click.option(
    "--dev-format",
    multiple=True,
    metavar="KEY=VALUE",
    help="What is different in reading --dev.",
)
@click.option(
    "--test-format",
    multiple=True,
    metavar="KEY=VALUE",
    help="What is different in reading every --test.",
)
@click.option("--dry-run", is_flag=True, help="Tell the cost from some steps; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
@show_text_option
def command(
    out: Path,
    overwrite: bool,
    resume: bool,
    allow_change: bool,
    checkpoint_every: Every,
    demo: bool,
    config_file: str | None,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    r"""Train a tagger for the target domain with the help of source domains.

    Reads corpora in any format, evaluates on --dev as it goes, keeps the best model, and scores it
    on every --test. Ends with OUT/best.safetensors, metrics.tsv, predictions and a manifest.

    \b
    Examples:
      ladtl train --demo --out demo-run
      ladtl train --source cardiology/train.txt --target neurology/train.txt \
          --dev neurology/dev.txt --test neurology/test.txt --target-fraction 0.1 --out run
    """
    require_utf8([out, *sys.argv[1:]], "train")
    if resume and overwrite:
        raise UsageError("--resume goes on with a run, --overwrite replaces it; give one of them")
    if allow_change and not resume:
        raise UsageError("--allow-change has no effect without --resume; leave it out, or add that")
    if dry_run:
        refuse_without_effect(
            ["resume", "overwrite", "checkpoint_every"], "with --dry-run", "leave that out"
        )
        _tell_cost(chosen_config(demo, config_file, given, {}), demo, as_json)
        return
    folder = RunFolder(out, "resume" if resume else "replace" if overwrite else "new")
    with folder, _telling_what_is_left(folder):
        config = chosen_config(
            demo, config_file, given, read_config(folder.work / CONFIG) if resume else {}
        )
        folder.protect([*config.data.inputs(), *([config_file] if config_file else [])])
        require_key_apart(config.vocabulary.key, out)
        corpora = demo_corpora(config) if demo else read_corpora(config)
        prepared = prepare(config, corpora, *read_label_maps(config))
        with TrainingDisplay(config.training.steps) as display:
            run = Run(prepared, corpora, folder, sys.argv[1:], checkpoint_every)
            if resume:
                run.resume(allow_change=allow_change)
                display.console.print(f"Resumed after step {run.steps_done}.", markup=False)
            for line in opening_lines(prepared, corpora):
                display.console.print(line, markup=False)
            display.tell(prepared.remarks)
            if compiled := told_of_compiling(warm_up()):
                display.console.print(compiled)
            _train(run, display)
            scores = run.finish()
            display.tell(closing_remarks(run.trainer))
    if as_json:
        click.echo(json.dumps({name: score.to_json() for name, score in scores.items()}))
        return
    if scores:
        display.console.print(results_table(scores))
    model = shown(str(out / BEST), LONG)
    display.console.print(f"Model: {model}\nNext:  ladtl tag --model {model} TEXT", markup=False)


def _tell_cost(config: Config, demo: bool, as_json: bool) -> None:
    """Read and prepare all, time the first steps, and say what the whole would take."""
    key = config.vocabulary.key
    if key and not Path(key).exists():  # it would be made
        vocabulary = msgspec.structs.replace(config.vocabulary, key="")
        config = msgspec.structs.replace(config, vocabulary=vocabulary)
    corpora = demo_corpora(config) if demo else read_corpora(config)
    prepared = prepare(config, corpora, *read_label_maps(config))
    for line in opening_lines(prepared, corpora):
        click.echo(line, err=True)
    tell(prepared.remarks)
    warm_up()
    cost = measured_cost(prepared)
    if as_json:
        print_json(cost.to_json())
    else:
        click.echo(cost.told())


def _train(run: Run, display: TrainingDisplay) -> None:
    pace = Pace()
    with stop_asked_for() as asked:
        for event in run.train():
            if isinstance(event, Step) and pace.take(event) and pace.seconds is not None:
                display.console.print(told_time(pace.seconds, event.steps), markup=False)
            if asked():
                break
            display.show(event)
        signal = asked()
    if signal:
        run.interrupted("interrupted")
        raise_for(signal)


@contextmanager
def _telling_what_is_left(folder: RunFolder) -> Iterator[None]:
    """After a signal, say what is there and how to go on."""
    try:
        yield
    except (KeyboardInterrupt, TerminatedError):
        if (folder.work / CHECKPOINT).is_file():
            told = f"the run so far is in {shown(str(folder.work), LONG)}. {folder.kept()}"
            with suppress(OSError):  # the terminal may be gone
                click.echo(f"Interrupted; {told} Go on with:\n  {_resumed()}", err=True)
        raise


def _resumed() -> str:
    """The command line that goes on with this run."""
    given = [argument for argument in sys.argv[1:] if argument not in ("--overwrite", "--resume")]
    return f"ladtl {shlex.join([*given, '--resume'])}"
