"""Run folders of two systems: found, read and paired for ``ladtl compare``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ladtl_np.errors import UsageError
from ladtl_np.printable import shown
from ladtl_np.runs.manifest import DEV, DataFile, read_manifest
from ladtl_np.runs.names import MANIFEST

__all__ = ["DEV", "Pair", "Pairing", "Run", "find_runs", "listed", "pair_runs", "task_of"]

_SEED = re.compile(r"(?:(?:seed|run)[-_=]?)?\d+")
_LISTED = 5  # runs that a message names


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder.

    Attributes
    ----------
    folder
        Where it is.
    f1
        F1 by corpus, then by reading ("conlleval", "strict").
    data
        Scheme and hash by corpus, where the manifest tells.
    """

    folder: Path
    f1: dict[str, dict[str, float]]
    data: dict[str, DataFile]

    @classmethod
    def read(cls, folder: Path) -> Run:
        """Read a manifest.

        Raises
        ------
        DataError
            If it is not one.
        UsageError
            If there is none.
        """
        if not (folder / MANIFEST).is_file():
            raise UsageError(f"{folder}: not a run folder; looked for {MANIFEST} in it")
        manifest = read_manifest(folder)
        results = manifest.results or {}
        files = {name: manifest.data_of(name) for name in results}
        data = {name: file for name, file in files.items() if file is not None}
        f1 = {
            name: {
                "conlleval": scores.conlleval.overall.f1,
                "strict": scores.strict.overall.f1,
            }
            for name, scores in results.items()
        }
        return cls(folder, f1, data)

    def tests(self) -> list[str]:
        """Test corpora that it was scored on."""
        return [name for name in self.f1 if name != DEV]

    def scheme(self, corpus: str) -> str:
        """Tag scheme of a corpus, "detect" where the manifest does not tell."""
        return self.data[corpus].scheme if corpus in self.data else "detect"


@dataclass(frozen=True, slots=True)
class Pair:
    """Runs of both systems under one name: their path below the folders given, "." if none."""

    name: str
    first: Run
    second: Run

    def why_not(self, corpus: str) -> str:
        """Say why the pair tells nothing on a corpus ("": on any test corpus); "" if it does."""
        if not (self.first.f1 and self.second.f1):
            lacking = "A" if not self.first.f1 else "B"
            return f"the run of {lacking} is not finished"
        if not corpus:
            return "" if self.tests() else "no test corpus in both"
        if corpus not in self.first.f1 or corpus not in self.second.f1:
            lacking = "A" if corpus not in self.first.f1 else "B"
            return f"no scores on {corpus} in {lacking}"
        hashes = {
            run.data[corpus].sha256 for run in (self.first, self.second) if corpus in run.data
        }
        if len(hashes - {""}) > 1:
            return f"{corpus} was another file for A than for B"
        return ""

    def corpora(self) -> list[str]:
        """Everything that either run was scored on."""
        return [*self.first.f1, *self.second.f1]

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


def find_runs(place: str) -> dict[str, Path]:
    """Find the run folders at and below a folder, or below all that a pattern with * fits.

    Returns
    -------
    dict
        Folders by their path below `place`, after what the pattern's * stand for.

    Raises
    ------
    UsageError
        If there is none.
    """
    found: dict[str, Path] = {}
    for prefix, root in _roots(place):
        for manifest in sorted(root.rglob(MANIFEST)):
            below = manifest.parent.relative_to(root).parts
            found["/".join((*prefix, *below)) or "."] = manifest.parent
    if not found:
        raise UsageError(
            f"{place}: no run in it; looked for {MANIFEST} there and in all folders below"
        )
    return found


def _roots(place: str) -> Iterable[tuple[tuple[str, ...], Path]]:
    """Folders that a path or a pattern stands for, with what stands in the place of its *."""
    parts = Path(place).parts
    stars = [number for number, part in enumerate(parts) if "*" in part]
    if not stars or Path(place).exists():
        return [((), Path(place))]
    if "**" in place:
        raise UsageError(f"{place}: ** is not understood; name each folder on the way by a *")
    base = Path(*parts[: stars[0]])
    pattern = "/".join(re.sub(r"[\[?]", r"[\g<0>]", part) for part in parts[stars[0] :])
    roots = sorted(root for root in base.glob(pattern) if root.is_dir())
    return [(tuple(root.parts[number] for number in stars), root) for root in roots]


def pair_runs(first: str, second: str) -> Pairing:
    """Pair the runs of two systems by their paths below the folders given.

    Raises
    ------
    UsageError
        If no two runs have a path in common.
    DataError
        If a manifest is damaged.
    """
    found = find_runs(first), find_runs(second)
    common = [name for name in found[0] if name in found[1]]
    if not common:
        raise UsageError(
            "no run of A has a partner in B: runs are paired by their path below the folders "
            f"given. Below {first} there are {listed(found[0])}; below {second}, "
            f"{listed(found[1])}. For methods inside tasks give patterns, such as 'runs/*/la-dtl'"
        )
    pairs = [Pair(name, Run.read(found[0][name]), Run.read(found[1][name])) for name in common]
    left_out = [f"{name}: only in A" for name in found[0] if name not in found[1]]
    left_out += [f"{name}: only in B" for name in found[1] if name not in found[0]]
    return Pairing(pairs, left_out)


def task_of(name: str) -> str:
    """Name a pair's task: the path without a last part that is a seed, such as 0 or seed-0."""
    *above, last = name.split("/")
    return ("/".join(above) or ".") if _SEED.fullmatch(last) else name


def listed(names: Iterable[str]) -> str:
    """Name the first few of some names."""
    some: Sequence[str] = [shown(name, 100) for name in names]
    return ", ".join(some[:_LISTED]) + (", ..." if len(some) > _LISTED else "") or "none"
