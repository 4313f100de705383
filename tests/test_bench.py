"""Benchmarks: what is counted, how it is measured, and that the peers compute what we compute."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from ladtl_np.bench import contests, operations, startup
from ladtl_np.bench.agreement import PeerMismatch, compare_arrays, compare_tags
from ladtl_np.bench.machine import machine
from ladtl_np.bench.measure import Spread, interleave, spread_of
from ladtl_np.bench.ours import Ours, SourceHalf, by_sentence
from ladtl_np.bench.peer import onnx as onnx_peer
from ladtl_np.bench.results import Report, Row, changes, read_report
from ladtl_np.bench.tagging_case import build_tagging_case
from ladtl_np.bench.workloads import KERNELS, MEDICAL, WEIBO, Workload, build_case
from ladtl_np.commands import bench
from ladtl_np.errors import LadtlError

TINY = Workload("tiny", 5, 4, 7, 50, 4, 12.0)
needs_torch = pytest.mark.skipif(
    not contests.torch_is_available(), reason="needs PyTorch and pytorch-crf, extra `peers`"
)
needs_onnx = pytest.mark.skipif(
    not onnx_peer.available() or find_spec("torch") is None,
    reason="needs onnx and onnxruntime, and PyTorch beside them",
)


def test_workloads_are_the_specified_ones() -> None:
    medical, weibo = build_case(MEDICAL), build_case(WEIBO)
    assert (medical.tokens, weibo.tokens) == (2349, 1383)
    assert 0.4 < np.mean(medical.batch.source.tags == 0) < 0.55
    again = build_case(WEIBO)
    assert np.array_equal(weibo.batch.words, again.batch.words)
    assert np.array_equal(weibo.network.embedding, again.network.embedding)
    assert not np.array_equal(weibo.batch.words, build_case(WEIBO, seed=1).batch.words)


def test_operations_of_single_units() -> None:
    assert operations.product(2, 3, 4) == 48
    # one token, D = H = 1: products of 8 + 8 and 17 more forward, twice the products and 27 back
    assert operations.bilstm(1, 1, 1, backward=False) == 2 * 33
    assert operations.bilstm(1, 1, 1) == 2 * (33 + 59)
    assert operations.affine(3, 5, 7) == 3 * 2 * 3 * 10 * 7
    assert operations.mmd(2, 3, 1) == 2 * 3 * 3 + 3 * 8 + 2 * 2 * 2 * 3


def test_sentences_of_one_token_have_no_transitions() -> None:
    assert operations.crf(4, 4, 10) == 8 * 4 * 10
    assert operations.viterbi(4, 4, 10) == 40
    assert operations.viterbi(6, 4, 10) - operations.viterbi(4, 4, 10) == 2 * 200 + 20


def test_a_step_counts_at_least_its_parts() -> None:
    case = build_case(TINY)
    sizes, N, B = case.network.architecture, case.tokens, 2 * TINY.sentences
    parts = operations.bilstm(N, 5, 4) + operations.crf(N, B, 7) + operations.affine(N, 4, 7)
    assert operations.step(sizes, case.batch, [], 1, 3) > parts
    with_mmd = operations.step(sizes, case.batch, [30, 9], 19, 3)
    alone = operations.mmd(30, 8, 19) + operations.mmd(9, 8, 19)
    assert with_mmd - operations.step(sizes, case.batch, [], 19, 3) == alone


def test_sides_take_turns() -> None:
    order: list[str] = []

    def side(name: str):
        def call() -> None:
            order.append(name)
            time.sleep(0.006)  # longer than a sample, so that it is one call

        return call

    found = interleave({"ours": side("a"), "peer": side("b")}, rounds=3)
    assert "".join(order[-6:]) == "ababab"
    assert found["ours"].rounds == found["peer"].rounds == 3
    assert 0 < found["ours"].low <= found["ours"].median <= found["ours"].high


def test_no_rounds_are_refused() -> None:
    with pytest.raises(ValueError, match="rounds must be at least 1"):
        interleave({}, rounds=0)


def test_spread_is_median_and_quartiles() -> None:
    assert spread_of([1.0, 5.0, 3.0, 2.0, 4.0]) == Spread(3.0, 2.0, 4.0, 5)


def make_row(low: float, median: float, high: float, **fields: object) -> Row:
    facts = {"stem": "crf", "variant": "", "workload": "tiny", "threads": 1, **fields}
    return Row(ours=Spread(median, low, high, 9), **facts)


def make_report(*rows: Row) -> Report:
    return Report(
        machine=machine(),
        peaks={"1": 100.0},
        rounds=9,
        warm_up_seconds=0.1,
        agreement={},
        rows=list(rows),
    )


def test_what_follows_from_a_row() -> None:
    peer = Spread(2.0, 2.0, 2.0, 9)
    row = make_row(0.4, 0.5, 0.6, peer=peer, goal=4.0, operations=10**10, peak=100.0, tokens=50)
    assert (row.ratio, row.reached, row.gflops) == (4.0, True, 20.0)
    assert (row.share_of_peak, row.tokens_per_second) == (0.2, 100.0)
    assert make_row(1, 1, 1, peer=peer, goal=4.0).reached is False
    assert make_row(1, 1, 1, goal=4.0).reached is None
    assert make_row(1, 1, 1, limit=0.5).reached is False


@pytest.mark.parametrize(
    ("after", "verdict"),
    [((1.4, 1.5, 1.6), "within spread"), ((2.1, 2.2, 2.3), "slower"), ((0.3, 0.4, 0.5), "faster")],
)
def test_changes_count_where_quartiles_do_not_meet(after, verdict: str) -> None:
    old = make_report(make_row(1.0, 1.2, 1.5), make_row(1, 1, 1, stem="lstm"))
    (change,) = changes(make_report(make_row(*after)), old)
    assert change.verdict == verdict
    assert change.factor == pytest.approx(after[1] / 1.2)


def test_reports_are_read_back(tmp_path: Path) -> None:
    report = make_report(make_row(1.0, 1.2, 1.5, operations=7, peak=1.0))
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report.to_json() | {"changes": []}), "utf-8")
    assert read_report(path) == report


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "ladtl bench 1"}', "{"])
def test_other_files_are_no_reports(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text, "utf-8")
    with pytest.raises(LadtlError, match="not a report"):
        read_report(path)


def test_facts_of_the_machine_name_no_folder_and_no_host() -> None:
    import platform

    facts = machine()
    assert {"cpu", "cores", "caches", "versions", "blas", "commit"} <= facts.keys()
    text = json.dumps(facts)
    assert str(Path.home()) + "/" not in text
    assert str(Path(__file__).parents[1]) not in text
    assert platform.node() not in text.split('"')


def test_disagreement_is_an_error_with_a_name() -> None:
    ours = {"dA": np.array([1.0, 2.0])}
    assert compare_arrays(ours, {"dA": np.array([1.0, 2.002])}, 1e-2, "x") == pytest.approx(1e-3)
    for other in (
        {"dA": np.array([1.0, 2.1])},
        {"dA": np.array([np.nan, 2.0])},
        {"dB": ours["dA"]},
    ):
        with pytest.raises(PeerMismatch, match="x: "):
            compare_arrays(ours, other, 1e-2, "x")
    assert compare_tags([[1, 2], [3]], [[1, 2], [3]], "x") == 0.0
    with pytest.raises(PeerMismatch, match="tags differ"):
        compare_tags([[1, 2], [3]], [[1, 2], [4]], "x")


def test_packed_tags_are_cut_by_sentence() -> None:
    assert by_sentence(np.array([10, 20, 11, 21, 12]), np.array([0, 2, 4, 5])) == [
        [10, 11, 12],
        [20, 21],
    ]


def test_batches_of_peers_hold_every_sentence_once() -> None:
    text = build_tagging_case(build_case(TINY), sentences=21)
    lengths = [sentence.words.size for sentence in text.sentences]
    for by_length in (False, True):
        batches = text.batches(by_length=by_length)
        assert sorted(n for batch in batches for n in batch) == list(range(21))
        for batch in batches:
            assert [lengths[n] for n in batch] == sorted((lengths[n] for n in batch), reverse=True)


@needs_torch
def test_the_peer_has_our_loss_gradients_and_updates() -> None:
    from ladtl_np.bench.peer.check import verify

    found = verify(build_case(TINY))
    assert len(found) == 4
    assert max(error for name, error in found.items() if "float64" in name) < 1e-11


@needs_torch
def test_a_peer_with_other_weights_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    from ladtl_np.bench.peer import check as peer_check

    class Changed(peer_check.TorchModel):
        def loss(self, mask=None):
            return super().loss(mask) + 1e-6 * self.lstm.weight_hh_l0.sum()

    monkeypatch.setattr(peer_check, "TorchModel", Changed)
    with pytest.raises(PeerMismatch, match="differs from the peer's"):
        peer_check.verify(build_case(TINY))


@needs_torch
@pytest.mark.parametrize("stem", [stem for stem in contests.STEMS if stem != "startup"])
def test_every_part_agrees_with_the_peer_s(stem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from ladtl_np.bench.peer.check import one_thread
    from ladtl_np.bench.peer.parts import TorchParts

    monkeypatch.setattr(contests, "MMD_ROWS", 20)
    monkeypatch.setattr(contests, "TAGGING_SENTENCES", 20)
    case = build_case(TINY)
    with one_thread():
        found = list(contests.contests(stem, case, 2, TorchParts(case)))
        assert found
        for contest in found:
            assert contest.operations
            assert contest.check("tiny") < contests.TOLERANCE


@needs_onnx
def test_onnxruntime_has_our_hidden_states() -> None:
    text = build_tagging_case(build_case(TINY), sentences=11)
    part = onnx_peer.encode(text, 1)
    hidden = part.view(part.call())["hidden"]
    assert hidden.shape == (text.tokens, 8)


def test_tagging_gives_a_tag_to_every_token() -> None:
    text = build_tagging_case(build_case(TINY), sentences=5)
    tags = Ours(build_case(TINY), 1).tagging(text).call()
    assert [len(t) for t in tags] == [s.words.size for s in text.sentences]
    assert {tag for sentence in tags for tag in sentence} <= set(text.model.target_tags.tags)


def test_parts_do_not_change_their_inputs() -> None:
    case = build_case(TINY)
    before, half = case.network.copy(), SourceHalf(case)
    ours = Ours(case, 1)
    parts = [ours.step(KERNELS["1 kernel"]), ours.lstm(half), ours.crf(half), ours.adagrad()]
    for part in parts:
        part.call()
    assert np.array_equal(before.weights.flat, case.network.weights.flat)
    assert np.array_equal(before.embedding, case.network.embedding)


def test_goals_belong_to_contests_that_exist() -> None:
    stems = {stem for stem, *_ in contests.GOALS}
    assert stems <= set(contests.STEMS)
    assert bench.STEMS == contests.STEMS
    variants = {variant for _, _, variant, _ in contests.GOALS}
    assert variants == {"", *KERNELS}


def test_a_fresh_interpreter_shows_the_help_without_numpy() -> None:
    seconds, text = startup.fresh(startup.show_help)
    assert 0 < seconds < 30
    assert text.startswith("Usage: ladtl")


def test_the_name_of_a_workload_is_its_own() -> None:
    assert replace(TINY, tags=3).architecture().target_tags == 3
