"""Every command once, each in a process that is watched, on files that are full of canaries.

A canary is text that no output may repeat but those that are text: it stands among the tokens, in
columns that nobody reads, in ids, comments and vectors.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import tomli_w
from small_corpora import small_corpora

from ladtl_np.corpus.sentence import Corpus

CANARY = "kanari"
"""What every canary has in it."""
WORDS = ("Kanarix", "B-kanari", "T-kanari", "kanari@x.yz", "1.2.1934-kanari", "4711471147kanari")
NOTE = "kanari-note"

WATCH = """
import os, sys

FORBIDDEN = ("socket.", "subprocess.", "os.exec", "os.system", "os.posix_spawn", "os.fork")

def watch(event, arguments):
    if event.startswith(FORBIDDEN):
        with open(os.environ["WATCHED"], "a") as stream:
            stream.write(event + "\\\\n")

sys.addaudithook(watch)
os.umask(0)
""".replace("\\\\", "\\")
"""Of every process, those that a command starts too: what it must not do is noted down."""
MAIN = "from ladtl_np.commands import main; main()"


@dataclass
class World:
    """A folder of inputs, one of outputs, and what the commands said.

    Attributes
    ----------
    folder
        Has ``in`` and ``out``.
    said
        Exit code, standard output and standard error of each command line, by its name.
    """

    folder: Path
    said: dict[str, tuple[int, str, str]] = field(default_factory=dict)

    @property
    def inputs(self) -> Path:
        return self.folder / "in"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def events(self) -> list[str]:
        """What was forbidden and happened."""
        path = self.folder / "watched.txt"
        return path.read_text().splitlines() if path.exists() else []

    def run(self, name: str, *arguments: object, input: str = "") -> None:
        """Run a command line in a process that is watched, under umask 000."""
        places = [self.folder / "site", Path(__file__).parent.parent]
        done = subprocess.run(
            [sys.executable, "-c", MAIN, *map(str, arguments)],
            input=input,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, places)),
                "WATCHED": str(self.folder / "watched.txt"),
            },
        )
        self.said[name] = (done.returncode, done.stdout, done.stderr)


def columns(corpus: Corpus, words: tuple[str, ...] = ()) -> str:
    """Token, a column that nobody reads, and tag; the words stand in a sentence of their own."""
    blocks = [list(zip(s.tokens, s.tags or (), strict=True)) for s in corpus]
    blocks += [[(word, "O") for word in words]] if words else []
    lines = ["\n".join(f"{token}\t{NOTE}\t{tag}" for token, tag in block) for block in blocks]
    return f"-DOCSTART- {NOTE} O\n\n" + "\n\n".join(lines) + "\n"


def write_inputs(folder: Path) -> None:
    """Sound inputs of every kind."""
    corpora = small_corpora()
    assert corpora.source is not None
    assert corpora.dev is not None
    folder.mkdir(parents=True)
    texts = {
        "source.txt": columns(corpora.source, WORDS),
        "target.txt": columns(corpora.target, WORDS),
        "dev.txt": columns(corpora.dev, WORDS),
        "test.txt": columns(corpora.tests[0], WORDS),
        "map.toml": 'Drug = "Drug"\n',
        "text.txt": "\n".join((*WORDS, "Czab")) + "\n",
        "terms.txt": "z\n",
        "vectors.txt": "".join(f"{w} {' '.join(['0.5'] * 8)}\n" for w in ("x", *WORDS)),
    }
    documents = [
        {"id": "kanari-7", "text": " ".join(WORDS), "meta": {NOTE: NOTE}},
        {"id": 7, "text": "C z", "label": [[0, 1, "Drug"]], NOTE: [NOTE]},
    ]
    texts["documents.jsonl"] = "".join(json.dumps(each) + "\n" for each in documents)
    table = {
        "tasks": ["news -> tweets"],
        "methods": ["la-dtl"],
        "label_map": "map.toml",
        "settings": {
            "model": {"embedding": 8, "hidden": 4},
            "training": {"steps": 3},
            "vocabulary": {"key": "experiment.key"},
        },
        "corpora": {
            "news": {"train": "source.txt"},
            "tweets": {"train": "target.txt", "dev": "dev.txt", "test": ["test.txt"]},
        },
    }
    texts["my.toml"] = tomli_w.dumps(table)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "vectors.txt.gz").write_bytes(gzip.compress(texts["vectors.txt"].encode()))


def run_all(folder: Path) -> World:
    """Run every command, with each of its outputs; the names start with the command's."""
    world = World(folder)
    write_inputs(world.inputs)
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(WATCH, "utf-8")
    i, o = world.inputs, world.out
    run, model = o / "deep" / "run", o / "deep" / "run" / "best.safetensors"
    files = [f"--{role}={i / role}.txt" for role in ("source", "target", "dev", "test")]
    small = ("--steps", 3, "--threads", 1, "--set", "model.hidden=4", "--set", "model.embedding=8")
    train = ("train", *files, "--label-map", i / "map.toml", *small)
    begin: Callable[..., None] = world.run
    begin("train", *train, "--embeddings", i / "vectors.txt.gz", "--out", run)
    begin("train --json", *train, "--out", o / "run", "--json")
    begin("train --overwrite", *train, "--out", o / "run", "--overwrite")
    hashed, key = o / "hashed", o / "words.key"
    begin("train hashed", *train, "--out", hashed, "--vocabulary-key", key)
    few = ("--set", "vocabulary.min_count=3", "--embeddings", i / "vectors.txt")
    begin("train min-count", *train, *few, "--out", o / "min")
    characters = ("--set", "characters.hidden=3", "--method", "re-training")
    begin("train re-training", *train, *characters, "--out", o / "two", "--vocabulary-key", key)
    begin("tag", "tag", "--model", model, i / "text.txt", "-o", o / "tagged.conll")
    begin("tag jsonl", "tag", "--model", model, i / "documents.jsonl", "--to", "jsonl")
    begin("tag terminal", "tag", "--model", model, "--to", "terminal", input="Czab kanari\n")
    begin(
        "tag conll", "tag", "--model", hashed / "best.safetensors", "--vocabulary-key", key,
        "--from", "conll", i / "test.txt", "-o", o / "predicted.conll",
    )  # fmt: skip
    pool = i / "text.txt", i / "documents.jsonl", "--budget", 2, "--diverse"
    begin("select", "select", "--model", model, *pool, "--out", o / "selected.jsonl", "--json")
    begin("review", "review", run, i / "text.txt", "--out", o / "review.html")
    begin("evaluate", "evaluate", "--model", model, i / "test.txt", i / "dev.txt")
    begin("evaluate --json", "evaluate", "--model", model, i / "test.txt", "--json")
    begin("evaluate --html", "evaluate", "--model", model, i / "test.txt", "--html",
          o / "evaluated.html")  # fmt: skip
    begin("score", "score", i / "test.txt", o / "predicted.conll")
    begin("score --json", "score", run / "predictions-test.txt", "--json")
    begin("score --html", "score", i / "test.txt", o / "predicted.conll", "--html",
          o / "differences.html")  # fmt: skip
    begin("compare", "compare", run, o / "run")
    begin("compare --json", "compare", o / "run", o / "hashed", "--by", "sentence", "--json")
    begin("experiment", "experiment", i / "my.toml", "--out", o / "experiment", "--jobs", 1)
    begin("experiment --dry-run", "experiment", i / "my.toml", "--out", o / "none", "--dry-run")
    roles = (f"--{role}={i / role}.txt" for role in ("source", "target", "dev", "test"))
    few = ("--steps", 3, "--set", "model.hidden=4", "--set", "model.embedding=8", "--jobs", 1)
    begin("tune", "tune", *roles, *few, "--runs", 1, "--out", o / "tuned")
    begin("report", "report", o / "experiment", "--out", o / "page.html", "--terms",
          i / "terms.txt", "--figures", o / "a" / "figures")  # fmt: skip
    begin("report --json", "report", run, o / "run", "--out", o / "other.html", "--json")
    begin("data demo", "data", "demo", o / "b" / "demo")
    begin("data check", "data", "check", i / "source.txt", i / "target.txt")
    begin("data check --json", "data", "check", i / "source.txt", "--json")
    begin("data convert", "data", "convert", i / "source.txt", o / "converted.jsonl")
    begin("data split", "data", "split", i / "source.txt", o / "b" / "parts", "--names",
          "part-a,part-b,part-c")  # fmt: skip
    begin("data stats", "data", "stats", i / "source.txt", i / "target.txt")
    begin("data stats --json", "data", "stats", i / "source.txt", "--json")
    begin("vectors train", "vectors", "train", i / "text.txt", "--tokens", "spaces", "--conll",
          i / "source.txt", "--dimension", 8, "--min-count", 1, "--epochs", 1, "--out",
          o / "vectors.txt", "--json")  # fmt: skip
    begin("vectors subset", "vectors", "subset", i / "vectors.txt.gz", "--corpus", i / "source.txt",
          "--text", i / "text.txt", "--tokens", "spaces", "--out", o / "subset.txt",
          "--json")  # fmt: skip
    source, key_of = o / "source.safetensors", ("--vocabulary-key", key)
    begin("source export", "source", "export", hashed / "best.safetensors", *key_of, "--out",
          source, "--json")  # fmt: skip
    begin("train source-free", "train", "--source-model", source, *files[1:], *small, *key_of,
          "--out", o / "free")  # fmt: skip
    begin("model privacy, source", "model", "privacy", source)
    begin("model info", "model", "info", model)
    begin("model info --json", "model", "info", hashed / "best.safetensors", "--json")
    begin("model calibrate", "model", "calibrate", model, "--dev", i / "test.txt", "-o",
          o / "calibrated.safetensors")  # fmt: skip
    begin("model verify", "model", "verify", model, hashed / "last.safetensors")
    begin("model privacy", "model", "privacy", model)
    begin("model privacy --json", "model", "privacy", model, "--json")
    few = ("--limit", 1, "--coordinates", 1, "--directions", 0)
    begin("audit gradients", "audit", "gradients", *few, "--out", o / "gradients.html")
    begin("audit gradients --json", "audit", "gradients", run, *few, "--json")
    begin("audit equations", "audit", "equations", model, i / "test.txt", "--limit", 2)
    begin("audit equations --json", "audit", "equations", run, "--limit", 2, "--json")
    begin("audit kl", "audit", "kl", run, "--out", o / "kl.html")
    begin("audit kl --json", "audit", "kl", model, i / "test.txt", "--json")
    explain = ("audit", "explain", model)
    begin("audit explain", *explain, "--text", "Czab kanari", "--out", o / "explained.html")
    begin("audit explain --json", *explain, i / "test.txt", "--json")
    begin("audit data", "audit", "data", run, "--vectors-text", i / "text.txt")
    begin("audit data --json", "audit", "data", o / "two", "--json")
    begin("audit all", "audit", "all", run, "--out", o / "audit")
    begin("audit all --json", "audit", "all", run, "--out", o / "audit", "--overwrite", "--json")
    begin("audit mmd", "audit", "mmd", run, "--permutations", 19, "--out", o / "mmd.html")
    begin("bench", "bench", "--stem", "adagrad", "--workload", "weibo", "--threads", 1,
          "--rounds", 1, "--no-peer", "--markdown", o / "bench.md")  # fmt: skip
    return world


def found_in(text: str) -> str:
    """The surroundings of a canary, "" if there is none."""
    place = text.lower().find(CANARY)
    return "" if place < 0 else text[max(0, place - 60) : place + 60]
