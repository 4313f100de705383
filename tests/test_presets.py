"""Each difference between the paper and its released code is an ordinary option of a run."""

from __future__ import annotations

import pytest

from ladtl_np.errors import UsageError
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.options.config import Config, merge_options, parse_config
from ladtl_np.options.presets import PRESETS, preset_options


def value_of(config: Config, key: str) -> object:
    value: object = config
    for name in key.split("."):
        value = getattr(value, name)
    return value


# Option, value of the paper, value of the released code; None where the paper is silent.
DIFFERENCES = [
    ("objective.source_share", 0.3, 0.2),
    ("objective.w_mmd", 0.02, 0.02),
    # 0.1 on half the squared distance there
    ("objective.w_param", 0.03, 0.1 / 2),
    ("objective.parameter_transfer", "l2", "l2"),
    # E = H W, against a bias that decoding leaves out
    ("model.emission_bias", False, True),
    ("decoding.emission_bias", None, False),
    ("objective.kernel", None, list(REFERENCE_VARIANCES)),
    # max(1e-4, .) of each label, absent ones included
    ("objective.mmd_floor", 0.0, 1e-4),
    # 0.001 on half the squared norms there
    ("objective.w_reg", None, 0.001 / 2),
    ("training.source_batch", None, 15),
    ("training.target_batch", None, 15),
    ("training.epoch", "larger", "target"),
    ("optimizer.learning_rate", None, 0.03),
    ("optimizer.decay", None, 0.95),
    ("optimizer.decay_steps", None, 5000),
    ("optimizer.initial_accumulator", None, 0.1),
    ("optimizer.clip_norm", None, 0.0),
    ("model.dropout", None, 0.5),
    ("model.embedding", 128, 100),
    ("model.hidden", 200, 100),
    ("model.recurrent_init", None, "normal"),
    ("model.scheme", "bioes", "iob2"),
    ("decoding.constrained", None, False),
    ("training.select_by", "conlleval", "conlleval"),
]

# Of the data rather than of the run: which types are merged, and how much of the source is read.
DATA_OPTIONS = ["data.target_format.rename", "data.source_format.rename", "data.source_fraction"]


@pytest.mark.parametrize(("key", "paper", "released"), DIFFERENCES)
def test_a_difference_is_an_option_and_the_presets_set_it(key, paper, released) -> None:
    for name, expected in (("paper", paper), ("released-code", released)):
        config = parse_config(preset_options(name))
        if expected is None:
            expected = value_of(Config(), key)
        assert value_of(config, key) == expected


def test_the_presets_set_nothing_that_is_not_in_the_list() -> None:
    listed = {key for key, *_ in DIFFERENCES}
    for preset in PRESETS.values():
        assert {f"{section}.{key}" for section, keys in preset.items() for key in keys} <= listed


@pytest.mark.parametrize("key", DATA_OPTIONS)
def test_differences_of_the_data_are_options_too(key) -> None:
    value_of(Config(), key)


def test_an_option_of_the_user_wins_over_a_preset() -> None:
    table = merge_options(preset_options("paper"), {"model": {"hidden": 50}})
    config = parse_config(table)
    assert (config.model.hidden, config.model.embedding) == (50, 128)


def test_an_unknown_preset_is_answered_with_the_list() -> None:
    with pytest.raises(UsageError, match="released-code"):
        preset_options("author")
