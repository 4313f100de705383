"""Fuzz parsers by hand: ``python tests/fuzz/run.py --seconds 300 [NAME...]``.

With atheris (``pip install 'ladtl-np[fuzz]'``) the search is guided by coverage; without it, seeds
are mutated at random. One process for each parser, one after the other. Every kind of crash is
written to ``--crashes`` once; what is fixed is kept in ``tests/fuzz/fixtures/NAME``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]
LONGEST = 20_000  # bytes of an input
MEMORY = 4 << 30  # bytes of address space beyond which an input is a finding
SLOW = 10.0  # seconds after which an input is one


def main() -> int:
    """Fuzz the parsers that are named, or all, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seconds", type=float, default=300.0, help="for each parser")
    parser.add_argument("--crashes", type=Path, default=Path("fuzz-crashes"))
    parser.add_argument("--plain", action="store_true", help="without atheris")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        _child(given.child, given.seconds, given.crashes, plain=given.plain)
        return 0
    from fuzz.targets import TARGETS

    if unknown := set(given.names) - TARGETS.keys():
        parser.error(
            f"no such parser: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}"
        )
    failed = False
    for name in given.names or TARGETS:
        command = [sys.executable, __file__, "--child", name, "--crashes", str(given.crashes)]
        command += ["--seconds", str(given.seconds), *(["--plain"] if given.plain else [])]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = done.stdout.strip().rpartition("\n")[2]
        print(line or f"{name}: ended with {done.returncode}", flush=True)
        failed |= done.returncode != 0 or json.loads(line)["crashes"] > 0
    return int(failed)


class _Watch:
    """Feeds one target, counts, and writes down each kind of crash once."""

    def __init__(self, name: str, seconds: float, crashes: Path) -> None:
        import fuzz.mutator  # takes a second, which is no time of the search  # noqa: F401
        from fuzz.targets import TARGETS

        self.name, self.target, self.crashes = name, TARGETS[name], crashes
        self.target.seeds()  # some are made by training, which is no time of the search
        self.end = time.monotonic() + seconds
        self.count, self.kinds = 0, {}

    def feed(self, data: bytes) -> None:
        from fuzz.targets import checked

        self.count += 1
        began = time.monotonic()
        try:
            checked(self.target, data)
        except Exception as error:  # a finding is whatever is not allowed
            frames = [f for f in traceback.extract_tb(error.__traceback__) if "atheris" not in f[0]]
            own = [f for f in frames if "ladtl_np" in f.filename] or frames
            self._keep(
                data, f"{type(error).__name__} at {own[-1].filename}:{own[-1].lineno}", error
            )
        if time.monotonic() - began > SLOW:
            self._keep(data, "slow", TimeoutError(f"{time.monotonic() - began:.1f} s"))

    def _keep(self, data: bytes, kind: str, error: BaseException) -> None:
        if kind in self.kinds:
            self.kinds[kind] += 1
            return
        self.kinds[kind] = 1
        folder = self.crashes / self.name
        folder.mkdir(parents=True, exist_ok=True)
        stem = hashlib.sha256(data).hexdigest()[:12]
        (folder / stem).write_bytes(data)
        told = "".join(traceback.format_exception(error))
        (folder / f"{stem}.txt").write_text(f"{kind}\n{told}", "utf-8", "backslashreplace")

    def told(self, way: str) -> str:
        """The line that is printed for this parser."""
        facts = {"parser": self.name, "way": way, "executions": self.count}
        return json.dumps(facts | {"crashes": len(self.kinds), "kinds": self.kinds})


def _child(name: str, seconds: float, crashes: Path, *, plain: bool) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        if plain:
            raise ImportError
        import atheris
    except ImportError:
        watch = _Watch(name, seconds, crashes)
        _at_random(watch)
        print(watch.told("random"))
    else:
        # Numba reads the bytecode of kernels, which has to stay as it is
        with atheris.instrument_imports(include=["ladtl_np", "tomllib"], exclude=_kernels()):
            watch = _Watch(name, seconds, crashes)
        _guided(atheris, watch)
        print(watch.told("coverage"))
    from fuzz.targets import remove_folder

    remove_folder()


def _kernels() -> list[str]:
    folder = HERE.parent.parent / "ladtl_np"
    found = [folder / "kernels", *(folder / "kernels").rglob("*.py")]
    return [str(p.relative_to(folder.parent).with_suffix("")).replace(os.sep, ".") for p in found]


def _at_random(watch: _Watch) -> None:
    from fuzz.mutator import mutated

    rng = random.Random(0)
    seeds = watch.target.seeds()
    while time.monotonic() < watch.end:
        data = rng.choice(seeds)
        for _ in range(rng.randint(1, 5)):
            data = mutated(data, LONGEST, rng, watch.target)
        watch.feed(data)


def _guided(atheris: object, watch: _Watch) -> None:
    """Let libFuzzer search; it never returns, so the line is printed from its last call."""
    from fuzz.mutator import mutated
    from fuzz.targets import remove_folder

    corpus = watch.crashes / "corpus" / watch.name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(watch.target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)

    def feed(data: bytes) -> None:
        watch.feed(data)
        if time.monotonic() >= watch.end:
            print(watch.told("coverage"), flush=True)
            remove_folder()
            os._exit(0)

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        if seed % 2:
            return atheris.Mutate(data, most)  # type: ignore[attr-defined]
        return mutated(data, most, random.Random(seed), watch.target)

    limits = [f"-max_len={LONGEST}", "-rss_limit_mb=0", "-timeout=120", "-verbosity=0"]
    arguments = [sys.argv[0], *limits, str(corpus)]
    atheris.Setup(arguments, feed, custom_mutator=mutate)  # type: ignore[attr-defined]
    atheris.Fuzz()  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
