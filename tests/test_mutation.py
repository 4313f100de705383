"""Errors by rule: what the rules make of a line, who watches a module, and what a survivor is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from mutation_lane import argued, mutants_in, sample, told
from mutation_process import Error, Outcome, quiet_place, start
from mutation_rules import Mutant, mutants_of
from mutation_watchers import PACKAGE, ROOT, mutated_modules, watchers_of

SOURCE = '''
NAMES = ("words", "tags")


def total(options, a, b):
    """Nothing of this is changed."""
    if len(a) != len(b):
        raise ValueError("lengths differ")
    out = [0.0] * len(a)
    for t in range(1, len(a)):
        out[t] += f(a, b[t - 1, t], width=options.width).T
    out[0] = 1
    return out


def again(a):
    out = 2
    return out
'''


def made(rule: str) -> set[str]:
    return {
        mutant.new.split("\n")[-2].strip() for mutant in mutants_of(SOURCE) if mutant.rule == rule
    }


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        ("another comparison", {"if len(a) == len(b):"}),
        ("a condition never holds", {"if False:"}),
        ("the first step is left out", {"for t in range(1 + 1, len(a)):"}),
        ("the last step is left out", {"for t in range(1, len(a) - 1):"}),
        ("a statement is left out", {"pass"}),
        ("an item is left out", {"NAMES = ('tags',)", "NAMES = ('words',)"}),
        ("not transposed", {"out[t] += f(a, b[t - 1, t], width=options.width)"}),
        ("an argument is not handed on", {"out[t] += f(a, b[t - 1, t]).T"}),
        ("indices in the wrong order", {"out[t] += f(a, b[t, t - 1], width=options.width).T"}),
        (
            "the default instead of the option",
            {"out[t] += f(a, b[t - 1, t], width=type(options)().width).T"},
        ),
        ("arguments in the wrong order", {"out[t] += f(b[t - 1, t], a, width=options.width).T"}),
        ("assigned instead of added", {"out[t] = f(a, b[t - 1, t], width=options.width).T"}),
    ],
)
def test_a_rule_makes_these_lines(rule, lines):
    assert made(rule) == lines


def test_what_stands_twice_is_told_by_the_lines_above_it():
    """Both functions return the same; no mutant may be planted in the other's place."""
    for mutant in mutants_of(SOURCE):
        assert SOURCE.count(mutant.old) == 1
        assert mutant.old != mutant.new
        assert "raise" not in mutant.new
        assert "changed" not in mutant.new


def test_a_module_is_watched_by_the_tests_of_its_stem():
    watchers = watchers_of("kernels/crf.py")
    assert watchers.files[0] == "test_crf"
    assert "test_gradients" in watchers.files
    assert "kernels.crf" in watchers.checks
    assert "layers.crf" in watchers.checks  # which calls it
    assert "test_training_laws" in watchers_of("options/seeds.py").files


def test_every_module_has_its_share_of_a_sample_that_a_seed_decides():
    errors = sample(200, 0)
    assert abs(len(errors) - 200) <= 10  # each share is rounded
    assert {error.module for error in errors} == {n for n in mutated_modules() if mutants_in(n)}
    assert errors == sample(200, 0)
    assert errors != sample(200, 1)
    assert set(errors) <= set(sample(300, 0))  # a larger one holds the smaller


def test_every_argued_survivor_is_still_a_mutant():
    for error, why in argued().items():
        mutant = Mutant(error.rule, error.old, error.new)
        assert mutant in mutants_in(error.module), f"{error.module}: {error.new}"
        assert len(why.split()) > 3, f"{error.module}: {error.new}"


def test_survivors_without_an_argument_and_arguments_without_a_survivor_are_told():
    rule, old, new = mutants_in("reference/linear.py")[0]
    error, gone = Error(rule, "reference/linear.py", old, new), Error(rule, "gone.py", old, new)
    assert "SURVIVES" in told({error: Outcome("", 1.0)}, {})[0]
    assert told({error: Outcome("", 1.0)}, {error: "why"}) == []
    assert told({error: Outcome("a test", 1.0)}, {}) == []
    assert "seen by a test" in told({error: Outcome("a test", 1.0)}, {error: "why"})[0]
    assert "no mutant any more" in told({}, {gone: "why"})[0]


ONE_AT_A_TIME = """
import sys, time
from mutation_pool import mode_of
from mutation_process import Error, awaited, quiet_place, start
from mutation_watchers import Watchers

module, test, old, new = sys.argv[1:]
with quiet_place() as place:
    for error in (Error("", module, old, new), None):
        number = start(error, Watchers((test,)), mode_of(module), place)
        print(awaited(number, place, time.perf_counter()).seen_by or "nothing")
"""


@pytest.mark.parametrize(
    ("module", "test", "old", "new"),
    [
        ("reference/linear.py", "test_linear", "X.T @ dP", "-X.T @ dP"),
        ("kernels/adagrad.py", "test_adagrad", "s[k] += g[k]", "s[k] -= g[k]"),
    ],
)
def test_an_error_is_seen_in_a_process_of_its_own_and_stands_in_no_file(module, test, old, new):
    before = (ROOT / PACKAGE / module).read_text("utf-8")
    program = [sys.executable, "-c", ONE_AT_A_TIME, module, test, old, new]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests")}
    done = subprocess.run(
        program, capture_output=True, text=True, check=False, env=environment, timeout=100
    )
    assert done.returncode == 0, done.stderr
    planted, sound = done.stdout.splitlines()
    assert planted.startswith(f"{test}.py::")
    assert sound == "nothing"
    assert (ROOT / PACKAGE / module).read_text("utf-8") == before


def test_a_process_that_has_the_package_cannot_plant_errors_in_it():
    with quiet_place() as place, pytest.raises(RuntimeError, match="is imported already"):
        start(None, watchers_of("reference/linear.py"), "plain", place)
