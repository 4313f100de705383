"""The options of one run of an experiment, as a table that `parse_config` checks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec

from ladtl_np.errors import UsageError
from ladtl_np.experiment.file import CorpusFiles, Experiment
from ladtl_np.experiment.task import Task
from ladtl_np.options.config import merge_options, set_option
from ladtl_np.options.methods import method_named
from ladtl_np.options.presets import preset_options

__all__ = ["CORPORA", "options_above", "table_of"]

CORPORA = "synthetic"
"""Folder of an experiment's own corpora, which says what they are."""


def table_of(
    experiment: Experiment,
    task: Task,
    label: str,
    point: Mapping[str, Any],
    seed: int,
    out: Path,
    label_map: str,
) -> dict[str, Any]:
    """Options of a run, but for which sentences of the target it has."""
    table = options_above(experiment, label, point)
    set_option(table, "seed", seed)
    for key, value in _files(experiment, task, table["method"], out).items():
        set_option(table, f"data.{key}", value)
    if label_map and {"source", "source_model"} & table["data"].keys():
        set_option(table, "data.label_map", label_map)
    return table


def options_above(experiment: Experiment, label: str, point: Mapping[str, Any]) -> dict[str, Any]:
    """Preset, settings of all runs, options of the method, grid point; the later wins."""
    preset = preset_options(experiment.preset) if experiment.preset else {}
    table = merge_options({"threads": 1} | preset, experiment.settings)
    table = deepcopy(merge_options(table, experiment.methods[label]))
    for key, value in point.items():
        set_option(table, key, value)
    vectors = table.get("data", {}).get("embeddings")
    if vectors:
        table["data"]["embeddings"] = str(experiment.base / vectors)
    key = table.get("vocabulary", {}).get("key")
    if key:  # absolute, as it is made here and read wherever the run is done
        table["vocabulary"]["key"] = os.path.abspath(experiment.base / key)
    return table


def _files(experiment: Experiment, task: Task, method: str, out: Path) -> dict[str, Any]:
    """Paths and formats of a task's corpora; the sources' only where the method uses them."""
    target = _paths(experiment, task.target, out)
    named: dict[str, Any] = {"target": target.train, "dev": target.dev, "test": target.test}
    named["target_format"] = msgspec.to_builtins(target.format)
    named["dev_format"], named["test_format"] = target.dev_format, target.test_format
    used = method_named(method)
    if used.source == "as a file":
        named["source_model"] = _source_model(experiment, task)
    if used.reads_source:
        first, *more = (_paths(experiment, name, out) for name in task.sources)
        named["source"], named["source_format"] = first.train, msgspec.to_builtins(first.format)
        named["more_sources"] = [
            {"file": source.train, "format": msgspec.to_builtins(source.format)} for source in more
        ]
    return named


def _source_model(experiment: Experiment, task: Task) -> str:
    """The file that stands for a task's source."""
    if len(task.sources) > 1:
        raise UsageError(
            f"{experiment.place}: task {task}: one file stands for one source, as each has an "
            "encoder of its own; leave the method out, or part the task"
        )
    (name,) = task.sources
    file = experiment.corpora[name].source_model
    if not file:
        raise UsageError(
            f"{experiment.place}: corpora.{name} wants source_model, the file of "
            f"`ladtl source export` that stands for it in task {task}"
        )
    return str(experiment.base / file)


def _paths(experiment: Experiment, name: str, out: Path) -> CorpusFiles:
    """The corpus with paths as they are seen from here."""
    files, base = experiment.corpora[name], experiment.base
    if files.demo:
        folder = out / CORPORA / files.demo
        train, dev, test = (str(folder / f"{split}.txt") for split in ("train", "dev", "test"))
        return CorpusFiles(train=train, dev=dev, test=[test])
    return msgspec.structs.replace(
        files,
        train=str(base / files.train),
        dev=str(base / files.dev) if files.dev else "",
        test=[str(base / path) for path in files.test],
    )
