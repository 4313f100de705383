"""Plants errors by rule, one at a time, and watches for a test that notices.

    python tests/mutation_lane.py                     the sample that `make mutants` runs
    python tests/mutation_lane.py --count 400 --seed 7    another one
    python tests/mutation_lane.py --only kernels/crf      of modules whose path holds the word
    python tests/mutation_lane.py --record run.jsonl      in parts: it goes on where it stopped

A mutant that survives has to be argued in mutation_survivors.toml, or gets a test; one that is
argued there and is noticed, or is no mutant any more, has to be taken out.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tomllib
from collections import Counter, defaultdict
from functools import cache
from itertools import zip_longest
from math import sqrt
from pathlib import Path

from mutation_pool import measured, run_all
from mutation_process import Error, Outcome
from mutation_rules import Mutant, mutants_of
from mutation_watchers import PACKAGE, ROOT, mutated_modules, watchers_of

COUNT = 250
SURVIVORS = Path(__file__).with_name("mutation_survivors.toml")


@cache
def mutants_in(module: str) -> tuple[Mutant, ...]:
    """Every mutant of a module, which is given as a path below the package."""
    path = ROOT / PACKAGE / module
    return tuple(mutants_of(path.read_text("utf-8"))) if path.exists() else ()


def sample(count: int, seed: int) -> list[Error]:
    """A seeded sample: every module has its share, and in it every rule.

    A module's share goes with the square root of its mutants. Its order depends on nothing but the
    seed and its own text, so that a change elsewhere leaves the sample as it is.
    """
    by_module = {name: mutants_in(name) for name in mutated_modules()}
    weights = {name: sqrt(len(mutants)) for name, mutants in by_module.items() if mutants}
    rate = count / sum(weights.values())
    return [
        Error(rule, name, old, new)
        for name, weight in weights.items()
        for rule, old, new in _in_order(name, by_module[name], seed)[: max(1, round(rate * weight))]
    ]


def _in_order(name: str, mutants: tuple[Mutant, ...], seed: int) -> list[Mutant]:
    """By chance, and by turns one of each rule."""
    rng = random.Random(f"{seed} {name}")
    by_rule = defaultdict(list)
    for mutant in sorted(mutants):
        by_rule[mutant.rule].append(mutant)
    piles = list(by_rule.values())
    rng.shuffle(piles)
    for pile in piles:
        rng.shuffle(pile)
    return [mutant for turn in zip_longest(*piles) for mutant in turn if mutant is not None]


def argued() -> dict[Error, str]:
    """The survivors that are known, with the reason why no test notices."""
    table = tomllib.loads(SURVIVORS.read_text("utf-8"))
    return {
        Error(s["rule"], s["module"], s["old"], s["new"]): s["why"]
        for s in table.get("survivor", ())
    }


def recorded(file: Path | None, errors: list[Error]) -> dict[Error, Outcome]:
    """Outcomes of an earlier part of the same run."""
    lines = file.read_text("utf-8").splitlines() if file and file.exists() else []
    rows = [json.loads(line) for line in lines]
    outcomes = {Error(*row[:4]): Outcome(*row[4:]) for row in rows}
    return {error: outcome for error, outcome in outcomes.items() if error in set(errors)}


def told(outcomes: dict[Error, Outcome], known: dict[Error, str]) -> list[str]:
    """What is wrong: survivors that are not argued, and arguments that nothing needs."""
    wrong = []
    for error, outcome in outcomes.items():
        if not outcome.seen_by and error not in known:
            wrong.append(f"SURVIVES in {error.module} ({error.rule})\n- {error.old}+ {error.new}")
        if outcome.seen_by and error in known:
            wrong.append(f"argued, but seen by {outcome.seen_by}: {error.module}\n+ {error.new}")
    for error in known:
        if Mutant(error.rule, error.old, error.new) not in mutants_in(error.module):
            wrong.append(f"argued, but no mutant any more: {error.module}\n- {error.old}")
    return wrong


def print_table(outcomes: dict[Error, Outcome]) -> None:
    """Mutants and survivors of every package, as rows of Markdown."""
    planted, left = Counter(), Counter()
    for error, outcome in outcomes.items():
        package = error.module.split("/")[0]
        planted[package] += 1
        left[package] += not outcome.seen_by
    print("\n| package | mutants | noticed | survive |\n|---|---|---|---|")
    for package in planted:
        noticed = planted[package] - left[package]
        print(f"| `{package}` | {planted[package]} | {noticed} | {left[package]} |")
    total = planted.total()
    print(f"| all | {total} | {total - left.total()} | {left.total()} |\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=COUNT, help="about so many mutants")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="modules whose path holds this")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at a time, a core each")
    parser.add_argument("--record", type=Path, help="go on after what is in this file, and add")
    parser.add_argument("--times", type=Path, help="keep the tests' times here, for the next run")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends what was started, too
    known = argued()
    planted = [error for error in sample(options.count, options.seed) if error not in known]
    errors = [error for error in (*planted, *known) if options.only in error.module]
    outcomes = recorded(options.record, errors)
    watched = [(error, watchers_of(error.module)) for error in errors if error not in outcomes]
    for error, outcome in run_all(watched, measured(watched, options.times), options.jobs):
        outcomes[error] = outcome
        if options.record:
            with options.record.open("a") as stream:
                stream.write(json.dumps([*error, *outcome]) + "\n")
        seen = outcome.seen_by or ("survives, as argued" if error in known else "SURVIVES")
        text = " ".join(error.new.split())[:60]
        place = f"{len(outcomes)}/{len(errors)}"
        print(f"{place} {error.module}: {text}: {seen} ({outcome.seconds:.0f} s)", flush=True)
    print_table(outcomes)
    wrong = told(outcomes, {error: why for error, why in known.items() if error in errors})
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
