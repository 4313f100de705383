from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke

from ladtl_np.bench import machine, suite
from ladtl_np.bench.contests import torch_is_available
from ladtl_np.bench.workloads import Workload

QUICK = ("bench", "--workload", "weibo", "--threads", "1", "--rounds", "1")
DERIVED = {"ratio", "reached", "gflops", "share_of_peak", "tokens_per_second"}


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A weibo that takes no time, and a small product for the peak."""
    tiny = Workload("weibo", 5, 4, 7, 50, 3, 12.0)
    monkeypatch.setattr(suite, "WORKLOADS", {"weibo": tiny})
    peak = machine.matrix_product_peak
    monkeypatch.setattr(suite, "matrix_product_peak", lambda n: peak(n, repeats=1))


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
        *("format", "machine", "peaks", "rounds", "warm_up_seconds", "agreement", "rows"),
        "changes",
    }
    assert (found["format"], found["rounds"], found["changes"]) == ("ladtl bench 1", 1, [])
    names = [(row["stem"], row["variant"]) for row in found["rows"]]
    assert names == [("crf", ""), ("step", "19 kernels"), ("step", "1 kernel")]
    for row in found["rows"]:
        assert row.keys() >= DERIVED
        assert row["ours"]["median"] > 0
        assert (row["peer"], row["ratio"], row["threads"]) == (None, None, 1)
        assert row["gflops"] == pytest.approx(row["operations"] / row["ours"]["median"] / 1e9)


@pytest.mark.skipif(not torch_is_available(), reason="needs PyTorch and pytorch-crf")
def test_a_table_with_the_peer(invoke: Invoke) -> None:
    result = invoke(*QUICK, "--stem", "viterbi")
    assert result.exit_code == 0
    (line,) = [line for line in result.stdout.split("\n") if "viterbi" in line]
    assert "PyTorch" in line
    assert ">= 50x" in line
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
    found = {row["variant"]: row["reached"] for row in json.loads(result.stdout)["rows"]}
    assert found == {"ladtl --help": True, "first compile": False}


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
