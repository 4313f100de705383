"""Weights that change over a run: what a schedule says at each place, and what is none."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ladtl_np.errors import UsageError
from ladtl_np.objective import Objective
from ladtl_np.options.config import parse_config, to_toml
from ladtl_np.options.schedules import parse_schedule, share_of_step

NO_TAGS = ([], [])
SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)

VALUES: dict[str | float, tuple[float, ...]] = {
    0.3: (0.3,) * 6,
    2: (2.0,) * 6,
    "constant(0.3)": (0.3,) * 6,
    "linear(1, 0)": (1.0, 0.9, 0.75, 0.5, 0.25, 0.0),
    "linear(0,2,0.5)": (0.0, 0.4, 1.0, 2.0, 2.0, 2.0),
    "cosine(1, 0)": tuple((1 + math.cos(math.pi * x)) / 2 for x in SHARES),
    "cosine(0, 1, 0.5)": (0.0, (1 - math.cos(math.pi / 5)) / 2, 0.5, 1.0, 1.0, 1.0),
    "steps(1, 0.5: 0.3)": (1.0, 1.0, 1.0, 0.3, 0.3, 0.3),
    " steps( 1 , 0.1:2,0.25 :3, 1: 4 ) ": (1.0, 2.0, 3.0, 3.0, 3.0, 4.0),
    "steps(0.7)": (0.7,) * 6,
}

WRONG = {
    "no schedule": "often",
    "another name": "sigmoid(0, 1)",
    "a number in quotes": "0.3",
    "no end": "linear(0, 1",
    "too few": "linear(0.5)",
    "too many": "cosine(0, 1, 0.5, 2)",
    "two constants": "constant(0, 1)",
    "no number": "linear(a, 1)",
    "infinity": "linear(0, inf)",
    "nan": "constant(nan)",
    "an end that is none": "linear(0, 1, 0)",
    "an end beyond the run": "linear(0, 1, 1.5)",
    "a step without a place": "steps(1, 0.3)",
    "steps that fall": "steps(1, 0.5: 0, 0.2: 1)",
    "a step at the start": "steps(1, 0: 0.3)",
    "a step beyond the run": "steps(1, 1.1: 0.3)",
    "nothing": "",
    "nothing inside": "steps()",
}


@pytest.mark.parametrize("value", VALUES)
def test_a_schedule_has_its_value_at_every_place(value):
    schedule = parse_schedule(value)
    assert [schedule.at(share) for share in SHARES] == pytest.approx(VALUES[value], abs=1e-15)
    assert schedule.varies == (len(set(VALUES[value])) > 1)


@pytest.mark.parametrize("name", ["source_share", "w_mmd", "w_param"])
@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_schedule_is_refused_and_what_is_wanted_is_said(name, wrong):
    with pytest.raises(UsageError, match=f"{name} wants a number, or one of constant"):
        parse_config({"objective": {name: WRONG[wrong]}})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("source_share", "linear(0.9, 1.1)"),
        ("source_share", "constant(1)"),
        ("source_share", "linear(1, 1)"),
        ("source_share", "linear(-0.1, 0.5)"),
        ("w_mmd", "steps(0.1, 0.5: -0.1)"),
        ("w_param", "cosine(-1, 0)"),
    ],
)
def test_values_of_a_schedule_lie_in_the_range_of_the_number(name, value):
    with pytest.raises(UsageError, match=f"{name} must"):
        parse_config({"objective": {name: value}})


@given(steps=st.integers(1, 5000), data=st.data())
def test_steps_run_from_the_first_place_to_the_last(steps, data):
    assert share_of_step(1, steps) == 0.0
    assert share_of_step(steps, steps) == (1.0 if steps > 1 else 0.0)
    step = data.draw(st.integers(1, steps))
    assert 0.0 <= share_of_step(step, steps) <= 1.0


def test_half_of_an_even_run_is_half_of_its_steps():
    schedule = parse_schedule("steps(1, 0.5: 0.3)")
    found = [schedule.at(share_of_step(step, 2000)) for step in range(1, 2001)]
    assert found == [1.0] * 1000 + [0.3] * 1000


def test_an_objective_moves_along_only_where_a_weight_changes():
    plain = Objective.la_dtl(NO_TAGS, source_share="constant(0.4)", w_mmd=0.1)
    assert plain.at(0.5) is plain
    assert plain.weights == (0.4, 0.1, 0.03, 1e-4)
    moving = plain.changed(w_mmd="linear(0, 1)")
    assert moving.weights.w_mmd == 0.0
    assert moving.at(0.25).weights == (0.4, 0.25, 0.03, 1e-4)
    assert moving.at(0.25).changed(w_mmd=2.0).weights.w_mmd == 2.0


def test_a_schedule_is_kept_as_it_was_written():
    config = parse_config({"objective": {"w_mmd": "linear(0, 0.1)"}})
    assert 'w_mmd = "linear(0, 0.1)"' in to_toml(config)
    assert config.objective.largest("w_mmd") == 0.1
    assert config.objective.largest("w_param") == 0.03
