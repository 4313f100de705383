"""The loss that each method asks for: what of the options it uses, and what it sets aside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_corpora import small_config

from ladtl_np.corpus.labels import LabelMap, TagSet
from ladtl_np.errors import UsageError
from ladtl_np.model.source_head import SourceHead
from ladtl_np.objective.terms import Objective
from ladtl_np.options.methods import METHODS
from ladtl_np.training.method_objective import objective_of

# the target lists its types in another order, and has one that matches nothing
SOURCE = TagSet(("O", "B-drug", "S-drug", "B-sign"))
TARGET = TagSet(("O", "S-sign", "B-sign", "S-med", "B-med"))
MAP = LabelMap({"drug": "med"})
PAIRS = ([0, 1, 2, 3], [0, 4, 3, 2])
WEIGHTS = {"source_share": 0.3, "w_mmd": 0.2, "w_param": 0.4, "w_reg": 0.05, "mmd_floor": 0.7}


def asked(
    method: str,
    *,
    shared: bool = False,
    source: TagSet | None = SOURCE,
    target: TagSet = TARGET,
    **changes: Any,
) -> Objective:
    objective = {**WEIGHTS, **changes.pop("objective", {})}
    config = small_config(method=method, objective=objective, **changes)
    heads = [] if source is None else [SourceHead(source, MAP)]
    return objective_of(config, METHODS[method], shared, heads, target)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_uses_the_weights_of_its_own_terms_alone(name):
    method = METHODS[name]
    alone = method.source != "with the target"
    options = asked(name).options
    assert options.source_share == (0.0 if alone else 0.3)
    assert options.w_mmd == (0.2 if "mmd" in name or name == "la-dtl" else 0.0)
    assert options.w_param == (0.4 if "l2" in name or name == "la-dtl" else 0.0)
    assert (options.w_reg, options.mmd_floor) == (0.05, 0.7)


@pytest.mark.parametrize("name", METHODS)
def test_tags_match_through_the_label_map_or_by_their_numbers_under_one_crf(name):
    s, t = asked(name).matched
    assert (s.tolist(), t.tolist()) == PAIRS
    numbers = list(range(len(TARGET)))
    aligned = TagSet(("O", "S-sign", "B-sign", "S-drug", "B-drug"))
    for side in asked(name, shared=True, source=aligned).matched:
        assert side.tolist() == numbers
    without = asked("non-transfer", source=None)
    assert [side.tolist() for side in without.matched] == [[], []]
    assert without.label_weights is None


@pytest.mark.parametrize("name", METHODS)
def test_only_one_mmd_over_all_tokens_is_unaware_of_labels(name):
    assert asked(name).label_aware == (name != "mmd-crf-l2")


def test_excluded_tags_of_the_source_count_as_nothing_wherever_they_stand():
    found = asked("la-dtl", objective={"exclude_tags": ["B-sign", "O"]})
    np.testing.assert_array_equal(found.label_weights, [0.0, 1.0, 1.0, 0.0])
    np.testing.assert_array_equal(asked("la-dtl").label_weights, np.ones(4))
    for tag in ("B-med", "S-sign"):  # the target's are not the source's
        with pytest.raises(UsageError, match=f"exclude_tags names {tag}, which are not tags"):
            asked("la-dtl", objective={"exclude_tags": ["O", tag]})


def test_maps_are_frozen_where_there_are_maps_and_the_option_says_so():
    frozen = {"projection": {"frozen": True}}
    assert asked("linear-projection", **frozen).frozen == (
        "source_projection.T",
        "target_projection.T",
    )
    assert asked("linear-projection").frozen == ()


def test_the_exact_divergence_needs_types_that_all_match():
    kl = {"objective": {"parameter_transfer": "kl"}}
    with pytest.raises(UsageError, match="parameter_transfer=kl"):
        asked("la-dtl", target=TagSet(("O", "B-sign", "B-med", "B-cure")), **kl)
    assert asked("la-dtl", **kl).options.parameter_transfer == "kl"
    assert asked("la-dtl").options.parameter_transfer == "l2"
