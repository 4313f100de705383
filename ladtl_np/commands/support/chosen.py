"""Options that a command was asked for: from a preset, a file and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ladtl_np.commands.support.formats import default_threads
from ladtl_np.commands.support.reading import format_setting
from ladtl_np.corpus.dotted import flattened
from ladtl_np.errors import UsageError
from ladtl_np.options.config import (
    DEFAULTS,
    Config,
    apply_settings,
    merge_options,
    parse_config,
    read_config,
    set_option,
)
from ladtl_np.options.demo import demo_options
from ladtl_np.options.effects import is_record, refuse_idle
from ladtl_np.options.presets import preset_options

__all__ = ["chosen_config"]

# command-line option and the configuration key that it sets
_KEYS = {
    "method": "method",
    "seed": "seed",
    "threads": "threads",
    "source_model": "data.source_model",
    "target": "data.target",
    "dev": "data.dev",
    "test": "data.test",
    "target_fraction": "data.target_fraction",
    "target_chosen": "data.target_chosen",
    "embeddings": "data.embeddings",
    "vocabulary_key": "vocabulary.key",
    "steps": "training.steps",
    "parameter_transfer": "objective.parameter_transfer",
}


def _choose_sources(
    chosen: dict[str, Any], names: dict[str, str], sources: Sequence[str], maps: Sequence[str]
) -> None:
    """Sources and label maps of the command line; its sources are all that there are.

    A source that is named there is read as the first one is.
    """
    data = chosen.get("data", {})
    if sources:
        first, *more = sources
        how = {"format": data["source_format"]} if "source_format" in data else {}
        set_option(chosen, "data.source", first)
        set_option(chosen, "data.more_sources", [{"file": path, **how} for path in more])
        names |= {"data.source": "--source", "data.more_sources": "--source"}
    if not maps:
        return
    further = chosen.get("data", {}).get("more_sources", [])
    if len(maps) > 1 and len(maps) != 1 + len(further):
        raise UsageError(
            f"--label-map is given {len(maps)} times for {1 + len(further)} sources; give one for "
            "all of them, or one for each in their order"
        )
    names["data.label_map"] = "--label-map"
    set_option(chosen, "data.label_map", maps[0])
    if further:
        own = maps[1:] or [""] * len(further)
        pairs = zip(further, own, strict=True)
        set_option(
            chosen, "data.more_sources", [{**source, "label_map": path} for source, path in pairs]
        )


def _only_file(files: Sequence[str]) -> str | None:
    """The file that stands for the source."""
    if len(files) > 1:
        raise UsageError(
            "--source-model is given more than once: each file has an encoder of its own, and a "
            "sketch of one's hidden states means nothing to the other. Give one; a file of several "
            "sources is made by training on the second with the first one's file, and then "
            "ladtl source export --pass-on"
        )
    return files[0] if files else None


def chosen_config(
    demo: bool, config_file: str | None, given: dict[str, Any], resumed: dict[str, Any]
) -> Config:
    """Defaults, a preset, the demo's options, the file, --set, single options; the later wins.

    All of them come after the options of a run that is resumed. What was chosen and would change
    nothing is refused. `given` are the command's parameters, of which it may lack some.
    """
    settings = list(given["settings"])
    for side in ("source_format", "target_format", "dev_format", "test_format"):
        settings += [f"data.{side}.{format_setting(setting)}" for setting in given.get(side, ())]
    file = read_config(config_file) if config_file else {}
    chosen, names = apply_settings(file, settings), {}
    given = {**given, "source_model": _only_file(given.get("source_model") or ())}
    if given["source_model"] and not given.get("method") and "method" not in chosen:
        given["method"] = "source-free"
    for option, key in _KEYS.items():
        value = given.get(option)
        if value is None or value == ():
            continue
        names[key] = f"--{option.replace('_', '-')}"
        set_option(chosen, key, list(value) if isinstance(value, tuple) else value)
    _choose_sources(chosen, names, given.get("source") or (), given.get("label_map") or ())
    preset = preset_options(given["preset"]) if given.get("preset") else {}
    table = merge_options(demo_options() if demo else {}, chosen)
    table = merge_options(resumed, merge_options(preset, table))
    if "threads" not in chosen and table.get("threads", DEFAULTS.threads) == DEFAULTS.threads:
        table["threads"] = default_threads()
    config = parse_config(table, config_file or "options")
    own = {**({} if is_record(file) else flattened(file)), **names}
    refuse_idle(config, {**own, **flattened(apply_settings({}, settings))}, names, demo=demo)
    return config
