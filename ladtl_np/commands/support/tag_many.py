"""``ladtl tag --out-dir``: many files with one start-up, here or on a Dask cluster."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import click

from ladtl_np.commands.support.cluster import tell_of_waiting
from ladtl_np.commands.support.formats import tell_unknown
from ladtl_np.commands.support.tag_display import TagDisplay
from ladtl_np.commands.support.tag_options import Source, TagOptions
from ladtl_np.commands.support.tag_outputs import RECORD, Item, pair_outputs
from ladtl_np.commands.support.tag_record import file_sha256, outputs_to_do
from ladtl_np.commands.support.tagging import make_tagger, tag_file
from ladtl_np.errors import LadtlError, TerminatedError, UsageError
from ladtl_np.experiment.cluster.connection import connect
from ladtl_np.experiment.cluster.scheduler import Cluster
from ladtl_np.experiment.cluster.work import News
from ladtl_np.experiment.job import explanation
from ladtl_np.files import make_private_folder, sweep_temporary_files
from ladtl_np.runs.lock import FolderLock

__all__ = ["Manner", "tag_many"]


class Manner(NamedTuple):
    """How many files are tagged.

    Attributes
    ----------
    overwrite, resume
        As for `outputs_to_do`.
    dask
        Address of a scheduler; None to tag in this process.
    patience
        Seconds to wait for it, or for its workers.
    """

    overwrite: bool
    resume: bool
    dask: str | None
    patience: float


def tag_many(
    inputs: Sequence[str],
    folder: Path,
    options: TagOptions,
    manner: Manner,
) -> None:
    """Tag files into a folder; leaves with the code of what went wrong, after all are done.

    Parameters
    ----------
    inputs
        Files, and folders that stand for the files in them.
    folder
        Where the outputs go.
    options
        How to tag.
    manner
        What to do with outputs that are there, and where to tag.

    Raises
    ------
    UsageError
        If a file cannot be read, or an output should not be written; before work starts.
    """
    dask = manner.dask
    with connect(dask, manner.patience) if dask is not None else nullcontext() as cluster:
        items = pair_outputs(inputs, folder, options.style, options.files())
        for item in items:
            options.kind_of(item.source)
        with _held(folder, items):
            _tag(items, folder, options, manner, cluster)


@contextmanager
def _held(folder: Path, items: Sequence[Item]) -> Iterator[None]:
    """Hold the output folder, and sweep what killed processes left in it, before and after."""
    lock = FolderLock(folder, "command")
    lock.take()
    try:
        _sweep(folder, items)
        try:
            yield
        finally:
            _sweep(folder, items)
    finally:
        lock.leave()


def _sweep(folder: Path, items: Sequence[Item]) -> None:
    own = {RECORD} | {item.output.name for item in items}
    for place in {folder, *(item.output.parent for item in items)}:
        if place.is_dir():
            sweep_temporary_files(place, own.__contains__)


def _tag(
    items: Sequence[Item],
    folder: Path,
    options: TagOptions,
    manner: Manner,
    cluster: Cluster | None,
) -> None:
    model = file_sha256(options.model)
    hashes = [file_sha256(item.source) for item in items]
    settings = {"model": model} | options.settings()
    overwrite, resume = manner.overwrite, manner.resume
    to_do = outputs_to_do(folder, items, hashes, settings, overwrite=overwrite, resume=resume)
    if resume and len(to_do) < len(items):
        click.echo(f"{len(items) - len(to_do)} of {len(items)} files were tagged before", err=True)
        if not to_do:
            return
    wanted, sums = [items[n] for n in to_do], [hashes[n] for n in to_do]
    for place in {item.output.parent for item in wanted}:
        make_private_folder(place)
    display = TagDisplay([(item.source, os.path.getsize(item.source)) for item in wanted])
    if cluster is None:
        news = _tag_here(wanted, sums, options, model, display)
    else:
        from ladtl_np.commands.support.tag_cluster import tag_on_cluster

        tell_of_waiting(cluster)
        news = tag_on_cluster(wanted, sums, options, model, folder, cluster)
    try:
        with closing(news), display:
            for told in news:
                display.show(told)
    except (KeyboardInterrupt, TerminatedError):
        again = "--resume continues with the rest"
        click.echo(f"Interrupted: {display.summary()}. The same command with {again}.", err=True)
        raise
    tell_unknown(*display.unknown)
    click.echo(display.summary(), err=True)
    if display.failed:
        codes = set(display.failed.values())
        sys.exit(codes.pop() if len(codes) == 1 else LadtlError.exit_code)


def _tag_here(
    items: Sequence[Item],
    hashes: Sequence[str],
    options: TagOptions,
    model_sha256: str,
    display: TagDisplay,
) -> Generator[News, None, None]:
    """Tag one file after the other in this process."""
    from ladtl_np.commands.support.models import load

    model = load(*options.loading())
    if file_sha256(options.model) != model_sha256:
        raise UsageError(f"{options.model} has changed since the command started; start it again")
    tagger = make_tagger(model, options)
    for number, (item, sha256) in enumerate(zip(items, hashes, strict=True)):
        yield News(number, "started")
        source = Source(item.source, item.source, sha256)
        try:
            found = tag_file(
                source,
                os.fspath(item.output),
                tagger,
                options,
                lambda share, number=number: display.show(News(number, "progress", share)),  # type: ignore[misc]
            )
        except (LadtlError, OSError, MemoryError) as error:
            code = getattr(error, "exit_code", LadtlError.exit_code)
            yield News(number, "failed", 0.0, explanation(error), code)
        else:
            unknown = found.unknown, model.dev_unknown
            yield News(number, "done", 1.0, note=found.note, unknown=unknown)
