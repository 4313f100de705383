from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke

from ladtl_np.bench import levels, machine, peaks, products, suite
from ladtl_np.bench.contests import torch_is_available
from ladtl_np.bench.workloads import Workload
from ladtl_np.kernels.instruction_set import INSTRUCTIONS, available

QUICK = ("bench", "--workload", "weibo", "--threads", "1", "--rounds", "1")
DERIVED = {"share", "ratio", "best", "best_ratio", "gflops", "gigabytes", "tokens_per_second"}


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A weibo that takes no time, and a small product for the peak."""
    tiny = Workload("weibo", 5, 4, 7, 50, 3, 12.0)
    monkeypatch.setattr(suite, "WORKLOADS", {"weibo": tiny})
    peak = peaks.matrix_product_peak
    monkeypatch.setattr(peaks, "BLAS_SIZE", 64)
    monkeypatch.setattr(suite, "matrix_product_peak", lambda n: peak(n, repeats=1))
    monkeypatch.setattr(products, "SIZES", ((13, 70, 9),))


@pytest.fixture
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "torch_is_available", lambda: False)
    facts: dict[str, Any] = machine.machine()
    for name in ("torch", "pytorch-crf"):
        facts["versions"].pop(name, None)
    monkeypatch.setattr(suite, "machine", lambda: facts)


def test_json_has_every_fact(invoke: Invoke) -> None:
    result = invoke(*QUICK, "--stem", "crf", "--stem", "step", "--no-peer", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found.keys() >= {
        *("format", "machine", "sets", "rounds", "rows"),
        "changes",
    }
    assert (found["format"], found["rounds"], found["changes"]) == ("ladtl bench 2", 1, [])
    (facts,) = found["sets"].values()
    assert facts.keys() >= {"vector_bytes", "registers", "masks", "fused", "bfloat16", "variables"}
    assert found["sets"].keys() == {INSTRUCTIONS.name} == {row["isa"] for row in found["rows"]}
    assert facts["peaks"].keys() == {"1"}
    names = [(row["stem"], row["variant"]) for row in found["rows"]]
    assert names == [("crf", ""), ("step", "19 kernels"), ("step", "1 kernel")]
    for row in found["rows"]:
        assert row.keys() >= DERIVED
        assert row["ours"]["median"] > 0
        assert (row["peers"], row["ratio"], row["threads"]) == ([], None, 1)
        assert row["gflops"] == pytest.approx(row["operations"] / row["ours"]["median"] / 1e9)


@pytest.mark.skipif(not torch_is_available(), reason="needs PyTorch and pytorch-crf")
def test_a_table_with_the_peer(invoke: Invoke) -> None:
    result = invoke(*QUICK, "--stem", "viterbi")
    assert result.exit_code == 0
    ours, peer = (line for line in result.stdout.split("\n") if "viterbi" in line)
    assert "PyTorch" in peer
    assert ">= 50x" in ours
    assert "checking that the peer computes the same" in result.stderr
    assert "agree with the peer's within" in result.stderr


@pytest.mark.usefixtures("no_torch")
def test_without_pytorch_it_says_how_to_get_it(invoke: Invoke, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    result = invoke(*QUICK, "--stem", "embedding", "--markdown", page)
    assert result.exit_code == 0
    for text in (result.stderr, page.read_text("utf-8")):
        assert "pip install 'ladtl-np[peers]'" in text
    assert "embedding" in result.stdout


@pytest.mark.usefixtures("no_torch")
def test_an_earlier_report_is_compared_with(invoke: Invoke, tmp_path: Path) -> None:
    arguments = (*QUICK, "--stem", "adagrad", "--json")
    earlier = json.loads(invoke(*arguments).stdout)
    for name in ("median", "low", "high"):
        earlier["rows"][0]["ours"][name] = 1e-9
    path, page = tmp_path / "earlier.json", tmp_path / "page.md"
    path.write_text(json.dumps(earlier), "utf-8")
    result = invoke(*arguments, "--compare", path, "--markdown", page)
    (change,) = json.loads(result.stdout)["changes"]
    assert (change["stem"], change["verdict"]) == ("adagrad", "slower")
    assert change["factor"] > 1
    assert "slower" in page.read_text("utf-8")
    table = invoke(*arguments[:-1], "--compare", path)
    assert "slower" in table.stdout


def test_markdown_is_not_overwritten_unasked(invoke: Invoke, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("mine", "utf-8")
    result = invoke(*QUICK, "--stem", "crf", "--no-peer", "--markdown", page)
    assert result.exit_code == 2
    assert "--overwrite" in result.stderr
    assert page.read_text("utf-8") == "mine"
    result = invoke(*QUICK, "--stem", "crf", "--no-peer", "--markdown", page, "--overwrite")
    assert result.exit_code == 0
    text = page.read_text("utf-8")
    assert text.startswith("# Benchmarks\n")
    assert "| crf |" in text


def test_start_up_needs_no_workload(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = {"ladtl --help": [0.2], "first compile": [40.0]}
    monkeypatch.setattr(suite, "startup_samples", lambda rounds: samples)
    result = invoke(*QUICK, "--stem", "startup", "--json")
    rows = json.loads(result.stdout)["rows"]
    found = {row["variant"]: [goal["reached"] for goal in row["goals"]] for row in rows}
    assert found == {"ladtl --help": [True], "first compile": [False]}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--threads", "0"),
        ("--threads", "one"),
        ("--rounds", "0"),
        ("--stem", "conv"),
        ("--compare", "no-such-file"),
        ("--markdown", "-"),
        ("--markdown", "no-such-folder/page.md"),
        ("--isa", "mmx"),
        ("--isa", ""),
        ("--compiled", "--no-peer"),
    ],
)
def test_wrong_usage_ends_with_2(invoke: Invoke, arguments: tuple[str, ...]) -> None:
    assert invoke("bench", *arguments).exit_code == 2


def test_a_file_that_is_no_report_ends_with_1(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}", "utf-8")
    result = invoke(*QUICK, "--stem", "crf", "--compare", path)
    assert result.exit_code == 1
    assert "not a report" in result.stderr


def test_the_share_of_the_peak_comes_first(invoke: Invoke) -> None:
    result = invoke(*QUICK, "--stem", "adagrad", "--stem", "crf", "--no-peer")
    heading = next(line for line in result.stdout.split("\n") if line.startswith(" stem"))
    assert heading.split("  ")[0] == " stem"
    assert heading.index("threads") < heading.index("of peak") < heading.index("ours, ms")
    of_memory, of_products = (
        line for line in result.stdout.split("\n") if line.startswith((" adagrad", " crf"))
    )
    assert "GB/s" in of_memory
    assert "GFLOP/s" in of_products
    assert max(map(len, result.stdout.split("\n"))) <= 160


def test_products_are_measured_on_one_thread_without_a_workload(invoke: Invoke) -> None:
    result = invoke("bench", "--stem", "matmul", "--threads", "2", "--rounds", "1", "--json")
    found = json.loads(result.stdout)
    rows = found["rows"]
    assert [(row["variant"], row["threads"]) for row in rows] == [("plain", 1), ("packed", 1)]
    assert {row["workload"] for row in rows} == {"13 x 70, 9"}
    assert all(row["peers"][0]["name"] == products.BLAS for row in rows)
    assert all(row["share"] > 0 for row in rows)
    (facts,) = found["sets"].values()
    assert facts["peaks"].keys() == {"1"}


def test_a_compiler_that_fails_is_told_in_one_line(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        @staticmethod
        def problem() -> str:
            return "NoCompiler: none found"

    monkeypatch.setattr(suite, "torch_is_available", lambda: True)
    monkeypatch.setattr(suite, "_peer_module", lambda name: Broken)
    session = suite._Session(suite.Plan(compiled=True), lambda line: None, 0.0)
    assert session.compiled is False
    (note,) = session.notes
    assert note.endswith("was not measured: NoCompiler: none found")


@pytest.fixture
def two_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two instruction sets, which an interpreter of its own measures in name only."""
    chosen = [("avx512", "AVX-512"), ("avx2", "AVX2")]
    monkeypatch.setattr(levels, "available", lambda: ("avx512", "avx2"))

    def here(function: Any, plan: suite.Plan) -> tuple[float, Any]:
        _, name = chosen.pop(0)
        monkeypatch.setattr(suite, "INSTRUCTIONS", INSTRUCTIONS._replace(name=name))
        return 0.0, function(plan)

    monkeypatch.setattr(levels, "fresh", here)


@pytest.mark.usefixtures("two_sets")
def test_instruction_sets_stand_beside_each_other(invoke: Invoke, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    arguments = (*QUICK, "--no-peer", "--stem", "step", "--stem", "lstm")
    result = invoke(*arguments, "--isa", "avx2,avx512", "--markdown", page)
    assert result.exit_code == 0
    together = result.stdout.partition("Instruction sets beside each other")[2]
    assert together.split()[:2] == ["of", "peak"]
    assert len([line for line in together.split("\n") if line.startswith(" step")]) == 2
    text = page.read_text("utf-8")
    (heading,) = [line for line in text.split("\n") if "of peak; AVX-512 | of peak; AVX2" in line]
    assert heading.index("of peak; AVX2") < heading.index("ratio; AVX-512")
    assert [line for line in text.split("\n") if line.startswith("## ")] == [
        *("## Instruction sets beside each other", "## AVX-512", "## AVX2"),
    ]
    assert text.count("| lstm |") == 3


@pytest.mark.slow
@pytest.mark.skipif(len(available()) < 2, reason="the processor has one instruction set")
def test_every_set_is_measured_in_an_interpreter_of_its_own(invoke: Invoke) -> None:
    arguments = ("--stem", "adagrad", "--isa", "all", "--no-peer", "--json")
    result = invoke(*QUICK, *arguments)
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert len(found["sets"]) == len(available())
    assert [facts["variables"]["LADTL_ISA"] for facts in found["sets"].values()] == [*available()]
    assert [row["isa"] for row in found["rows"]] == list(found["sets"])
