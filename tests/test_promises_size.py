"""Size: sentences and tag sets without end, and memory that a formula bounds.   docs/memory.md"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from conftest import CLI
from peaks import rise, training_rise
from small_corpora import small_config, small_corpora

from ladtl_np.arrays import limits
from ladtl_np.commands.support import start
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.vectors.loading import load_vectors
from ladtl_np.corpus.vectors.used import UsedVectors
from ladtl_np.corpus.vocabulary import UNKNOWN, Vocabulary
from ladtl_np.errors import LadtlError
from ladtl_np.model.decoding import GROUP_TOKENS, GROUPS_AT_ONCE
from ladtl_np.model.file import Model, load_model, save_model
from ladtl_np.model.network import Architecture, Start, initialise
from ladtl_np.model.tagging import Tagger
from ladtl_np.report.sections.confusion import _overlaps
from ladtl_np.scoring import score
from ladtl_np.scoring.table import MOST, render
from ladtl_np.training.estimate import estimate
from ladtl_np.training.preparation import Corpora, prepare

GIB, MIB = 2**30, 2**20
WORDS = [f"word{n}" for n in range(5_000)]


# ---- 18: estimates, refusals, pieces -------------------------------------------------------------


def test_promise_18_a_sentence_of_half_a_million_tokens_is_tagged_whole(tiny_model: Model) -> None:
    (tags,) = Tagger(tiny_model).tag([tuple("Czxa" * 125_000)])
    assert len(tags) == 500_000
    assert (set(tags[::4]), set(tags[3::4])) == ({"B-Drug"}, {"O"})
    assert tags[:4] == tags[-4:] == ("B-Drug", "E-Drug", "S-Sign", "O")


def test_promise_18_a_sentence_whose_tags_do_not_fit_is_refused_before(
    tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "room", lambda: limits.Room(MIB, "a limit of the test"))
    tagger = Tagger(tiny_model)
    assert next(tagger.tag([tuple("x" * 16_384)]))[0] == "S-Sign"
    with pytest.raises(LadtlError, match=r"sentence 2, of 40,000 tokens, needs about 1\.2 MiB"):
        list(tagger.tag([("x",), tuple("x" * 40_000)]))


def huge(name: str, tokens: int, types: int, line: int = 7) -> Corpus:
    tags = tuple(f"S-t{n % types}" for n in range(tokens))
    return Corpus(name, (Sentence(("a",) * tokens, tags, line),), "BIOES")


def test_promise_18_training_is_refused_before_it_allocates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "room", lambda: limits.Room(4.0 * GIB, "this test"))
    config, small = small_config(model={"hidden": 100}), small_corpora()
    begin = time.perf_counter()
    with pytest.raises(LadtlError, match=r"longest sentence, target:7, has 1,000,000 tokens"):
        prepare(config, replace(small, target=huge("target", 1_000_000, 2)))
    tags = [tuple(f"S-t{n}" for n in range(k, k + 50)) for k in range(0, 5_000, 50)]
    many = Corpus("target", tuple(Sentence(("a",) * 50, each, 1) for each in tags), "BIOES")
    with pytest.raises(LadtlError, match=r"20,001 tags and so 400,040,001 transitions"):
        prepare(config, Corpora(small.source, many))
    lines = [tuple(f"{n}.{k}" for k in range(10)) for n in range(10_000)]
    words = Corpus("target", tuple(Sentence(line, ("S-Drug",) * 10, 1) for line in lines), "BIOES")
    wide = small_config(model={"embedding": 3_000})
    with pytest.raises(LadtlError, match=r"There are 100,\d+ words of 3000 numbers"):
        prepare(wide, Corpora(small.source, words))
    assert time.perf_counter() - begin < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < 3 * GIB
    assert prepare(config, small).memory is not None


def test_promise_18_the_estimate_grows_with_all_that_takes_memory() -> None:
    prepared = prepare(small_config(), small_corpora())
    corpora, sizes = small_corpora(), prepared.network.architecture

    def total(config=prepared.config, sizes=sizes, target=corpora.target, dev=None) -> float:
        return estimate(config, prepared.method, sizes, corpora.sources, target, dev).total

    usual = total()
    assert total(dev=corpora.dev) > usual - 1
    assert total(target=huge("t", 10_000, 2)) > usual + 10_000 * 1_000
    assert total(sizes=type(sizes).plain(**{**_plain(sizes), "hidden": 500})) > usual
    assert total(sizes=type(sizes).plain(**{**_plain(sizes), "target_tags": 2_000})) > usual + 60e6
    assert total(sizes=type(sizes).plain(**{**_plain(sizes), "vocabulary": 10**6})) > usual + 1e8
    assert total(small_config(training={"target_batch": 8})) > usual


def _plain(sizes: Architecture) -> dict[str, int]:
    names = ("vocabulary", "embedding", "hidden", "source_tags", "target_tags")
    return {name: getattr(sizes, name) for name in names}


# ---- what a process may have ---------------------------------------------------------------------


def system(folder: Path, available: int, groups: str, files: dict[str, str]) -> tuple[Path, Path]:
    proc, cgroups = folder / "proc", folder / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text(f"MemTotal: 9999999 kB\nMemAvailable: {available} kB\n")
    (proc / "self/statm").write_text("1000 500 100 10 0 300 0\n")
    (proc / "self/cgroup").write_text(groups)
    for name, content in files.items():
        (cgroups / name).parent.mkdir(parents=True, exist_ok=True)
        (cgroups / name).write_text(content)
    return proc, cgroups


TWO = "0::/job/step\n"
ONE = "3:cpuset:/\n4:memory:/docker/ab\n"
CASES = {
    "no limit": (TWO, {"job/memory.max": "max\n"}, 8192 * 1024, "free memory"),
    "v2": (TWO, {"job/step/memory.max": "5000000", "job/step/memory.current": "1000000"},
           4_000_000, "cgroup"),
    "v2, of the parent": (TWO, {"job/memory.max": "5000000"}, 5_000_000, "cgroup"),
    "v2, inside": (TWO, {"memory.max": "7000000", "memory.current": "9000000",
                         "memory.stat": "anon 5\ninactive_file 3000000\n"}, 1_000_000, "cgroup"),
    "v1": (ONE, {"memory/docker/ab/memory.limit_in_bytes": "6000000",
                 "memory/docker/ab/memory.usage_in_bytes": "2000000"}, 4_000_000, "cgroup"),
    "v1, inside": (ONE, {"memory/memory.limit_in_bytes": "3000000"}, 3_000_000, "cgroup"),
    "full": (TWO, {"memory.max": "100", "memory.current": "200"}, 0, "cgroup"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_promise_18_the_least_limit_counts(tmp_path: Path, case: str) -> None:
    groups, files, wanted, says = CASES[case]
    found = limits.room(*system(tmp_path, 8192, groups, files))
    assert found.size == wanted
    assert says in found.limit


def test_promise_18_the_limits_of_the_process_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = system(tmp_path, 8192, "", {})
    page = os.sysconf("SC_PAGE_SIZE")
    for limit, used, option in (
        (resource.RLIMIT_AS, 1000, "-v"),
        (resource.RLIMIT_DATA, 300, "-d"),
    ):
        values = {limit: (7_000_000, resource.RLIM_INFINITY)}
        monkeypatch.setattr(resource, "getrlimit", lambda name, v=values: v.get(name, (-1, -1)))
        found = limits.room(*places)
        assert found.size == 7_000_000 - used * page
        assert option in found.limit
    assert limits.room(tmp_path / "none", tmp_path / "none").size > 0


# ---- starting under limits -----------------------------------------------------------------------


def limited(option: str, mebibytes: int, *arguments: str, threads: str = "") -> tuple[int, str]:
    """Run a command under a limit, and see that it neither hangs nor aborts."""
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    if threads:
        environment["OPENBLAS_NUM_THREADS"] = threads
    command = f'ulimit {option} {mebibytes * 1024}; exec "$@"'
    done = subprocess.run(
        ["bash", "-c", command, "bash", sys.executable, str(CLI), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(("option", "place"), [("-v", 0), ("-d", 1)])
def test_promise_18_a_limit_too_low_to_start_is_named_and_one_just_above_works(
    tiny_model_file: str, tmp_path: Path, option: str, place: int
) -> None:
    (tmp_path / "text").write_text("C z x\n")
    tag = ("tag", "--model", tiny_model_file, "--threads", "1", str(tmp_path / "text"))
    need = start.COMPUTING[place]
    for low in (need // 2, need - 1):
        code, says = limited(option, low, *tag)
        assert code == 1
        assert f"needs {need} MiB to start, and ulimit {option} allows {low:,} MiB" in says
    assert limited(option, need + 15, *tag) == (0, "")
    light = start.READING[place]
    assert limited(option, light - 1, "data", "stats", "nothing.txt")[0] == 1
    code, says = limited(option, light + 1, "data", "stats", "nothing.txt")
    assert "nothing.txt" in says


def test_promise_18_threads_of_blas_are_counted_and_left_out_where_they_do_not_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(start, "_blas_threads", lambda: int(os.environ.get(start._BLAS_THREADS, 4)))
    monkeypatch.delenv(start._BLAS_THREADS, raising=False)
    most = {resource.RLIMIT_AS: 700 * MIB}
    monkeypatch.setattr(resource, "getrlimit", lambda name: (most.get(name, -1), -1))
    start.require_start("tag")
    assert os.environ[start._BLAS_THREADS] == "1"
    monkeypatch.setenv(start._BLAS_THREADS, "3")
    with pytest.raises(LadtlError, match=r"needs 818 MiB .*or set OPENBLAS_NUM_THREADS=1"):
        start.require_start("tag")
    monkeypatch.delenv(start._BLAS_THREADS)
    most.clear()
    start.require_start("tag")
    assert start._BLAS_THREADS not in os.environ  # no limit, nothing is changed
    most[resource.RLIMIT_NPROC] = 20
    start.require_start("tag")
    assert os.environ.pop(start._BLAS_THREADS) == "1"


@pytest.mark.parametrize(
    ("told", "threads"),
    [({}, 0), ({"OMP_NUM_THREADS": "1"}, 1), ({"OPENBLAS_NUM_THREADS": "x"}, 0),
     ({"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "2"}, 1),
     ({"OPENBLAS_NUM_THREADS": "100000"}, 0)],
)  # fmt: skip
def test_promise_18_threads_are_those_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, str], threads: int
) -> None:
    for name in ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert start._blas_threads() == (threads or len(os.sched_getaffinity(0)))


# ---- thousands of types --------------------------------------------------------------------------


def test_promise_18_thousands_of_types_are_scored_and_shown_in_no_time() -> None:
    rng = np.random.default_rng(0)
    gold = [[f"S-t{n}", f"S-t{n // 2}", "O"] for n in range(20_000)]
    guess = [[f"S-t{rng.integers(20_000)}" if n % 3 else f"S-t{n}", t, "O"]
             for n, (_, t, _) in enumerate(gold)]  # fmt: skip
    begin = time.perf_counter()
    scores = score(gold, guess, "BIOES")
    table = render(scores)
    assert time.perf_counter() - begin < 10
    assert len(scores.conlleval.per_type) == 20_000
    rows = list(table.columns[0].cells)
    assert len(rows) == MOST + 3
    assert rows[MOST] == f"{20_000 - MOST:,} rarer types"
    counts = [int(cell) for cell in list(table.columns[1].cells)[: MOST + 2]]
    assert sum(counts[:-1]) == counts[-1] == 40_000


def test_promise_18_overlaps_are_found_as_by_looking_at_every_span() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        ends = np.sort(rng.choice(30, size=rng.integers(0, 9) * 2, replace=False)).tolist()
        spans = [(a, b, "x") for a, b in zip(ends[::2], ends[1::2], strict=True)]
        for first in range(30):
            for last in range(first + 1, 31):
                slow = any(a < last and first < b for a, b, _ in spans)
                assert _overlaps((first, last), spans) == slow


# ---- 32: memory by a formula ---------------------------------------------------------------------


def conll(path: Path, sentences: int, tag: str = "S-Drug") -> str:
    rng = np.random.default_rng(sentences)
    with open(path, "w") as file:
        for _ in range(sentences):
            for word, kind in zip(rng.choice(WORDS, 20), rng.random(20), strict=True):
                file.write(f"{word}\t{tag if kind < 0.2 else 'O'}\n")
            file.write("\n")
    return path.name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_model: Model) -> Path:
    """A model of known sizes, and small files."""
    path = tmp_path_factory.mktemp("sizes")
    tags = TagSet.of_types(("Drug", "Sign"))
    sizes = Architecture.plain(
        vocabulary=len(WORDS) + 1, embedding=50, hidden=H, source_tags=9, target_tags=9
    )
    start_values = Start(recurrent="glorot", projection="identity")
    network = initialise(sizes, np.random.default_rng(0), start_values)
    words = Vocabulary((UNKNOWN, *WORDS), lower=False, digits_to_zero=False)
    model = replace(
        tiny_model, network=network, vocabulary=words, source_tags=tags, target_tags=tags
    )
    save_model(path / "model", model)
    conll(path / "small", 20)
    (path / "small.text").write_text(" ".join(WORDS[:100]) + "\n")
    return path


H = 100
# floats of the projected words of the groups in memory
PROJECTED = 4 * GROUPS_AT_ONCE * min(len(WORDS), GROUP_TOKENS) * 8 * H
FORMULAS = {  # bytes for N tokens, as docs/memory.md has them
    "score": lambda n: 115 * n,
    "stats": lambda n: 3.5 * MIB + 28 * n,
    "evaluate": lambda n: PROJECTED + 7 * MIB + 84 * n,
    "tag": lambda n: PROJECTED + 12 * MIB,
    "tag, one sentence": lambda n: 4 * MIB + 220 * n,
    "tag, one line": lambda n: PROJECTED + 8 * MIB + 150 * n,
    "vectors": lambda n: 7.5 * MIB,
    "select": lambda n: 25 * MIB + 770 * n,
    "source export": lambda n: 36 * MIB + 65 * n,
}


def arguments(command: str, folder: Path, sentences: int) -> tuple[list[str], list[str]]:
    model, tokens = ["--model", "model"], ["--tokens", "spaces"]
    gold = conll(folder / f"gold{sentences}", sentences)
    words = (folder / gold).read_text().split("\n")
    text = " ".join(word for word in (line.partition("\t")[0] for line in words) if word)
    name = f"text{sentences}"
    if command in ("tag", "vectors"):
        text = re.sub(r"((?:\S+ ){20})", "\\1\n", text)
    (folder / name).write_text(text + "\n")
    select = ["select", *model, *tokens, "--budget", "10", "--overwrite"]
    export = ["source", "export", "model", "--overwrite"]
    how = {
        "select": tuple([*select, pool, "--out", f"{pool}.jsonl"] for pool in ("small", gold)),
        "source export": tuple(
            [*export, "--data", notes, "--out", f"{notes}.st"] for notes in ("small", gold)
        ),
        "score": (["score", "small", "small"], ["score", gold, gold]),
        "stats": (["data", "stats", "small"], ["data", "stats", gold]),
        "evaluate": (["evaluate", *model, "small"], ["evaluate", *model, gold]),
        "vectors": (
            ["vectors", "train", *tokens, "--min-count", "1", "small.text", "--out", "small.v"],
            ["vectors", "train", *tokens, "--min-count", "1", name, "--out", f"{name}.v"],
        ),
    }
    how_cut = [*tokens, "--sentences", "lines" if command == "tag, one sentence" else "rules"]
    usual = (["tag", *model, *how_cut, "small.text"], ["tag", *model, *how_cut, name])
    return how.get(command, usual)


def check(found: float, wanted: float, command: str) -> None:
    assert wanted / 1.25 <= found <= 1.25 * wanted, (
        f"{command}: {found / MIB:.1f} MiB where the formula has {wanted / MIB:.1f}"
    )


@pytest.mark.parametrize(
    "command", ["score", "stats", "evaluate", "tag, one sentence", "tag, one line"]
)
def test_promise_32_memory_follows_its_formula(folder: Path, command: str) -> None:
    found = rise(*arguments(command, folder, 6_000), folder)
    check(found, FORMULAS[command](120_000), command)


@pytest.mark.slow
@pytest.mark.parametrize("command", FORMULAS)
def test_promise_32_memory_follows_its_formula_at_a_larger_size(folder: Path, command: str) -> None:
    found = rise(*arguments(command, folder, 25_000), folder)
    check(found, FORMULAS[command](500_000), command)


def test_promise_32_words_of_a_file_of_vectors_follow_their_formula(folder: Path) -> None:
    """Each word costs its vector twice while the table is put together, and its own text."""
    count, size = 100_000, 50
    file, values = folder / "words.vectors", " 0.5" * size
    file.write_text("".join(f"other{number}{values}\n" for number in range(count)))
    used = UsedVectors(file=load_vectors(file, ()).report, added=0, coverage=())
    model = load_model(folder / "model")
    provenance = {"vectors": msgspec.to_builtins(used)}
    save_model(folder / "started", replace(model, provenance=provenance))
    tag = ["tag", "--model", "started", "--tokens", "spaces", "small.text"]
    found = rise(tag, [*tag, "--embeddings", file.name], folder)
    check(found, (8 * size + 200) * count + 4 * size * len(model.vocabulary), "tag --embeddings")


@pytest.mark.parametrize("rows", [50_000, pytest.param(500_000, marks=pytest.mark.slow)])
def test_promise_32_a_subset_of_vectors_takes_memory_for_its_words_alone(
    folder: Path, rows: int
) -> None:
    values = " 0.5" * 50
    lines = [f"{word}{values}\n" for word in (*(f"other{n}" for n in range(rows)), *WORDS)]
    (folder / "large.vectors").write_text("".join(lines))
    (folder / "few.vectors").write_text("".join(lines[-len(WORDS) :][:100]))
    (folder / "words.text").write_text("\n".join(WORDS) + "\n")
    how = ("--tokens", "spaces", "--overwrite")
    few, large = (
        ["vectors", "subset", name, "--text", text, *how, "--out", f"{name}.small"]
        for name, text in (("few.vectors", "small.text"), ("large.vectors", "words.text"))
    )
    check(rise(few, large, folder), 4.2 * MIB, "vectors subset")


TRAININGS = {
    "long sentences": {"length": 1_000, "threads": 2},
    "many words": {"words": 100_000, "sentences": 400},
    "many tags": {"types": 300, "sentences": 400, "length": 20},
    "one domain": {"length": 1_000, "method": "non-transfer"},
    "characters": {"length": 200, "more": {"characters": {"hidden": 25}}},
    "two stages": {"length": 500, "method": "re-training"},
    "development data": {"sentences": 1_000, "dev": True},
}


@pytest.mark.parametrize("case", ["long sentences"])
def test_promise_32_training_takes_what_was_estimated(case: str) -> None:
    found, wanted = training_rise(**TRAININGS[case])
    check(found, wanted, case)


@pytest.mark.slow
@pytest.mark.parametrize("case", TRAININGS)
def test_promise_32_training_of_any_kind_takes_what_was_estimated(case: str) -> None:
    found, wanted = training_rise(**TRAININGS[case])
    check(found, wanted, case)


def test_promise_32_the_page_has_the_formulas() -> None:
    page = (CLI.parent / "docs/memory.md").read_text("utf-8")
    for row in (
        "115 N",
        "3.5 MiB + 28 N",
        "P + 7 MiB + 84 N",
        "P + 12 MiB",
        "25 MiB + 770 N",
        "36 MiB + 65 N",
        "4 MiB + 220 N",
        "(8 D + 200)",
    ):
        assert row in page, row
