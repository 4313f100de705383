"""Sets of options that reproduce what the paper says, and what the authors' released code does.

Every value is an ordinary option, so a preset is no more than a starting point; where the paper is
silent its preset keeps the defaults.
"""

from __future__ import annotations

from typing import Any

from ladtl_np.errors import UsageError
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES

__all__ = ["PRESETS", "preset_options"]

PRESETS: dict[str, dict[str, Any]] = {
    # sec. 5.1, 5.3
    "paper": {
        # its own corpus is in BIOES; Weibo, SIGHAN and Twitter are in BIO
        "model": {"embedding": 128, "hidden": 200, "emission_bias": False, "scheme": "bioes"},
        "objective": {
            "source_share": 0.3,
            "w_mmd": 0.02,
            "w_param": 0.03,
            "mmd_floor": 0.0,
            "parameter_transfer": "l2",
        },
        "training": {"epoch": "larger", "select_by": "conlleval"},
    },
    "released-code": {
        # a bias in training that decoding leaves out; recurrent weights from N(0, 0.01^2)
        "model": {
            "embedding": 100,
            "hidden": 100,
            "dropout": 0.5,
            "emission_bias": True,
            "recurrent_init": "normal",
            "scheme": "iob2",
        },
        # weights of half the squared norms there, so half of 0.1 and 0.001 here
        "objective": {
            "source_share": 0.2,
            "w_mmd": 0.02,
            "w_param": 0.05,
            "w_reg": 0.0005,
            "kernel": list(REFERENCE_VARIANCES),
            "mmd_floor": 1e-4,
            "parameter_transfer": "l2",
        },
        "optimizer": {
            "learning_rate": 0.03,
            "initial_accumulator": 0.1,
            "decay": 0.95,
            "decay_steps": 5000,
            "clip_norm": 0.0,
        },
        "training": {
            "source_batch": 15,
            "target_batch": 15,
            "epoch": "target",
            "select_by": "conlleval",
        },
        "decoding": {"constrained": False, "emission_bias": False},
    },
}


def preset_options(name: str) -> dict[str, Any]:
    """The nested options of a preset, or a `UsageError` that lists them all."""
    try:
        return PRESETS[name]
    except KeyError:
        raise UsageError(f"preset {name!r} is not one of: {', '.join(PRESETS)}") from None
