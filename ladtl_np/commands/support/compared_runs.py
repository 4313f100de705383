"""Runs of two systems, paired for ``ladtl compare``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ladtl_np.errors import UsageError
from ladtl_np.experiment.record import without_other_points
from ladtl_np.printable import shown, some_of
from ladtl_np.runs.found import FoundRun, runs_below
from ladtl_np.runs.manifest import DEV

__all__ = ["Pair", "Pairing", "listed", "pair_runs"]

_LISTED = 5  # runs that a message names


@dataclass(frozen=True, slots=True)
class Pair:
    """Runs of both systems under one name: their path below the folders given, "." if none."""

    name: str
    first: FoundRun
    second: FoundRun

    @property
    def task(self) -> str:
        """The name without a last part that is a seed, such as 0 or seed-0."""
        return self.first.task

    def why_not(self, corpus: str) -> str:
        """Say why the pair tells nothing on a corpus ("": on any test corpus); "" if it does."""
        results = {"A": self.first.results, "B": self.second.results}
        for side in results:
            if not results[side]:
                return f"the run of {side} is not finished"
        if not corpus:
            return "" if self.tests() else "no test corpus in both"
        for side in results:
            if corpus not in results[side]:
                return f"no scores on {corpus} in {side}"
        files = [run.data_of(corpus) for run in (self.first, self.second)]
        if len({file.sha256 for file in files if file is not None} - {""}) > 1:
            return f"{corpus} was another file for A than for B"
        return ""

    def corpora(self) -> list[str]:
        """Everything that either run was scored on."""
        return [*self.first.results, *self.second.results]

    def tests(self) -> list[str]:
        """Test corpora on which both runs were scored."""
        return [name for name in self.first.tests() if not self.why_not(name)]


@dataclass(slots=True)
class Pairing:
    """The pairs of two systems, and which runs have none, with the reason."""

    pairs: list[Pair]
    left_out: list[str] = field(default_factory=list)

    def by_corpus(self, wanted: str | None) -> dict[str, list[tuple[Pair, str]]]:
        """Choose the pairs that tell something on each corpus, with its name in that pair.

        Where each pair has one test corpus, these go together whatever their names; otherwise there
        is a comparison for each name. Pairs that tell nothing are added to `left_out`.

        Raises
        ------
        UsageError
            If no pair has a corpus in common.
        """
        tests = [pair.tests() for pair in self.pairs]
        told = list(dict.fromkeys(name for some in tests for name in some))
        if wanted is None and len(told) > 1 and all(len(some) <= 1 for some in tests):
            self._note([""])
            only = [(p, some[0]) for p, some in zip(self.pairs, tests, strict=True) if some]
            return {"the test corpus of each": only}
        there = sorted({name for pair in self.pairs for name in pair.corpora()})
        names = [wanted] if wanted else [name for name in there if name != DEV]
        self._note(names or [""])
        groups = {name: [(p, name) for p in self.pairs if not p.why_not(name)] for name in names}
        groups = {name: pairs for name, pairs in groups.items() if pairs}
        if not groups:
            looked = f"the corpus {wanted}" if wanted else "a test corpus"
            raise UsageError(
                f"no pair of runs has scores on {looked} in both; there are scores on: "
                f"{listed(there)}. {'; '.join(self.left_out)}"
            )
        return groups

    def _note(self, corpora: Sequence[str]) -> None:
        """Add the pairs that tell nothing on these corpora to those left out."""
        for pair in self.pairs:
            for corpus in corpora:
                line = f"{pair.name}: {pair.why_not(corpus)}"
                if pair.why_not(corpus) and line not in self.left_out:
                    self.left_out.append(line)


def pair_runs(first: str, second: str) -> Pairing:
    """Pair the runs of two systems by their paths below the folders given.

    Of an experiment that chooses among grid points, only the chosen ones are taken.

    Raises
    ------
    UsageError
        If no two runs have a path in common.
    DataError
        If a manifest is damaged.
    """
    below = [runs_below(place) for place in (first, second)]
    kept = [without_other_points(r, p) for r, p in zip(below, (first, second), strict=True)]
    found = [{run.name: run for run in runs} for runs in kept]
    common = [name for name in found[0] if name in found[1]]
    if not common:
        raise UsageError(
            "no run of A has a partner in B: runs are paired by their path below the folders "
            f"given. Below {first} there are {listed(found[0])}; below {second}, "
            f"{listed(found[1])}. For methods inside tasks give patterns, such as 'runs/*/la-dtl'"
        )
    pairs = [Pair(name, found[0][name], found[1][name]) for name in common]
    left_out = [f"{name}: only in A" for name in found[0] if name not in found[1]]
    left_out += [f"{name}: only in B" for name in found[1] if name not in found[0]]
    for side, runs, rest in zip("AB", below, kept, strict=True):
        if len(rest) < len(runs):
            missed = len(runs) - len(rest)
            left_out.append(f"{missed} runs of {side} whose grid point is not chosen")
    return Pairing(pairs, left_out)


def listed(names: Iterable[str]) -> str:
    """Name the first few of some names."""
    return some_of([shown(name, 100) for name in names], _LISTED)
