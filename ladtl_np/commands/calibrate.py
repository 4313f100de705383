"""``ladtl model calibrate``: a temperature with which a model's probabilities hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from ladtl_np.commands.support.command import Command
from ladtl_np.commands.support.formats import json_option, print_json, vocabulary_key_option
from ladtl_np.commands.support.reading import corpus_options, read_options, refuse_idle_reading
from ladtl_np.commands.support.streams import check_output
from ladtl_np.corpus.read import read_corpus
from ladtl_np.options.calibration import By
from ladtl_np.options.config import DEFAULTS
from ladtl_np.printable import LONG, shown

if TYPE_CHECKING:
    from ladtl_np.corpus.sentence import Corpus
    from ladtl_np.model.calibration import Fitted
    from ladtl_np.model.file import Model

__all__ = ["calibrate"]


@click.command(name="calibrate", cls=Command)
@click.argument("file", metavar="FILE")
@click.option("--dev", required=True, metavar="FILE", help="Development data of the target.")
@click.option("-o", "--output", required=True, metavar="FILE", help="The new model file.")
@click.option("--overwrite", is_flag=True, help="Replace an output that exists.")
@click.option(
    "--by",
    type=click.Choice(get_args(By)),
    default="path",
    show_default=True,
    help="What is made most likely: all tags of a sentence, or each token's.",
)
@click.option(
    "--threads", type=click.IntRange(min=1), default=DEFAULTS.threads, show_default=True,
    help="Threads to compute with; results do not depend on it.",
)  # fmt: skip
@vocabulary_key_option
@corpus_options
@json_option
def calibrate(
    file: str,
    dev: str,
    output: str,
    overwrite: bool,
    by: By,
    threads: int,
    vocabulary_key: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    r"""Write a model FILE anew with a temperature that is fitted to development data.

    A model may be surer of its entities than it is right. All scores of its target tagger are then
    divided by one number, the temperature with which the tags of --dev are most likely. No tag
    changes; `tag --probabilities` and `evaluate --calibration` use it.

    \b
    Example:
      ladtl model calibrate run/best.safetensors --dev dev.txt -o calibrated.safetensors
      ladtl evaluate --model calibrated.safetensors --calibration test.txt
    """
    from ladtl_np.arrays.workers import single_threaded_blas
    from ladtl_np.commands.support.models import load
    from ladtl_np.model.calibration import fit_temperature
    from ladtl_np.model.file import save_model
    from ladtl_np.model.tagging import make_decoder

    check_output(output, (file, dev), overwrite=overwrite)
    reading = read_options(**options)
    refuse_idle_reading((dev,), reading)
    corpus, model = read_corpus(dev, reading), load(file, vocabulary_key)
    with single_threaded_blas():
        found = fit_temperature(make_decoder(model, threads=threads), corpus, by)
    save_model(output, _calibrated(model, corpus, found, by))
    if as_json:
        print_json({"model": file, "dev": dev, "output": output, "by": by, **found._asdict()})
        return
    click.echo(
        f"{shown(output, LONG)}: temperature {found.temperature:.4f}; negative log-likelihood for "
        f"each token {found.before:.4f} without and {found.after:.4f} with it, "
        f"on {found.sentences:,} sentences of {shown(dev, LONG)}"
    )
    if found.left_out:
        click.echo(f"{found.left_out:,} sentences with types that it does not know are left out")


def _calibrated(model: Model, corpus: Corpus, found: Fitted, by: By) -> Model:
    """The model with its temperature, and what that was fitted to."""
    told = {"by": by, "file": Path(corpus.name).name, "sha256": corpus.sha256}
    provenance = {**model.provenance, "calibration": told}
    return replace(model, temperature=found.temperature, provenance=provenance)
