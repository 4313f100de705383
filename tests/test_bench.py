"""Benchmarks: what is counted, how it is measured, and that the peers compute what we compute."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from ladtl_np.bench import contests, goals, operations, peaks, products, startup
from ladtl_np.bench.agreement import PeerMismatch, compare_arrays, compare_tags
from ladtl_np.bench.machine import machine
from ladtl_np.bench.measure import Part, Spread, interleave, spread_of
from ladtl_np.bench.ours import Ours, SourceHalf, by_sentence
from ladtl_np.bench.peer import onnx as onnx_peer
from ladtl_np.bench.results import (
    PEAK,
    TIME,
    Goal,
    Peer,
    Report,
    Row,
    SetFacts,
    changes,
    read_report,
)
from ladtl_np.bench.tagging_case import build_tagging_case
from ladtl_np.bench.workloads import KERNELS, MEDICAL, WEIBO, Workload, build_case
from ladtl_np.commands import bench
from ladtl_np.errors import LadtlError
from ladtl_np.kernels.instruction_set import INSTRUCTIONS, LEVELS

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
    facts = {
        "stem": "crf",
        "variant": "",
        "workload": "tiny",
        "threads": 1,
        "isa": "AVX2",
        **fields,
    }
    return Row(ours=Spread(median, low, high, 9), **facts)


def make_report(*rows: Row) -> Report:
    facts = SetFacts(
        vector_bytes=32,
        registers=16,
        masks=False,
        fused=True,
        bfloat16=False,
        variables={"LADTL_ISA": "avx2"},
        blas=["a BLAS"],
        peaks={"1": 100.0},
        warm_up_seconds=0.1,
        agreement={},
        notes=["a note"],
    )
    return Report(machine=machine(), sets={"AVX2": facts}, rounds=9, rows=list(rows))


def peer(seconds: float, name: str = goals.TORCH, remark: str = "") -> Peer:
    return Peer(name=name, time=Spread(seconds, seconds, seconds, 9), remark=remark)


def test_what_follows_from_a_row() -> None:
    row = make_row(0.4, 0.5, 0.6, peers=[peer(2.0)], operations=10**10, peak=100.0, tokens=50)
    assert (row.ratio, row.gflops, row.gigabytes) == (4.0, 20.0, None)
    assert (row.share, row.tokens_per_second) == (0.2, 100.0)
    alone = make_row(1, 1, 1)
    assert (alone.ratio, alone.best, alone.best_ratio, alone.share) == (None, None, None, None)


def test_what_memory_limits_has_its_share_of_the_bandwidth() -> None:
    row = make_row(1, 0.5, 1, operations=10, peak=1.0, moved=10**9, bandwidth=8.0)
    assert (row.gigabytes, row.share) == (2.0, 0.25)


def test_the_best_peer_is_the_fastest_under_the_same_conditions() -> None:
    peers = [peer(4.0), peer(3.0, "by length"), peer(1.0, "bfloat16", "fewer digits")]
    row = make_row(1, 1, 1, peers=peers)
    assert row.best is not None
    assert (row.ratio, row.best.name, row.best_ratio) == (4.0, "by length", 3.0)


@pytest.mark.parametrize(
    ("goal", "facts", "reached"),
    [
        (Goal(4.0, goals.TORCH), {"peers": [peer(4.0)]}, True),
        (Goal(4.1, goals.TORCH), {"peers": [peer(4.0)]}, False),
        (Goal(4.0, goals.TORCH), {}, None),
        (Goal(4.0, goals.TORCH), {"peers": [peer(3.0), peer(9.0, goals.ONNX)]}, False),
        (Goal(2.0, goals.ONNX), {"peers": [peer(9.0), peer(2.0, goals.ONNX, "stronger")]}, True),
        (Goal(2.0, goals.ONNX), {"peers": [peer(9.0), peer(1.0, goals.ONNX, "stronger")]}, None),
        (Goal(0.5, PEAK), {"operations": 5 * 10**9, "peak": 10.0}, True),
        (Goal(0.6, PEAK), {"operations": 5 * 10**9, "peak": 10.0}, False),
        (Goal(0.6, PEAK), {}, None),
        (Goal(1.0, TIME), {}, True),
        (Goal(0.9, TIME), {}, False),
    ],
)
def test_goals_are_judged_by_what_they_are_against(goal: Goal, facts: dict, reached) -> None:
    assert make_row(1, 1, 1, goals=[goal], **facts).reached(goal) is reached


def test_an_instruction_set_s_goals_replace_or_join_those_of_every_one() -> None:
    def wanted(isa: str, *row: str) -> dict[str, float]:
        found = goals.goals_of(*row, isa, [goals.TORCH, goals.ONNX])
        return {goal.against: goal.value for goal in found}

    step = ("step", "weibo", "19 kernels")
    assert wanted("AVX-512", *step) == {goals.TORCH: 12.0, PEAK: 0.60}
    assert wanted("AVX2", *step) == {goals.TORCH: 6.5}
    assert wanted("SSE2", "tagging", "weibo", "") == {goals.TORCH: 8.0, goals.ONNX: 1.0}
    assert wanted("NEON", "matmul", "13 x 400, 100", goals.PACKED) == {PEAK: 0.85}
    assert wanted("NEON", "matmul", "13 x 400, 100", products.PLAIN) == {}
    assert goals.goals_of(*step, "AVX2", []) == []


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
    row = make_row(1.0, 1.2, 1.5, operations=7, peak=1.0, peers=[peer(3.0)], goals=[Goal(2, "x")])
    report = make_report(row)
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report.to_json() | {"changes": []}), "utf-8")
    assert read_report(path) == report


def test_another_instruction_set_s_row_is_no_earlier_one() -> None:
    old = make_report(make_row(1, 1, 1, isa="AVX-512"))
    assert changes(make_report(make_row(2, 2, 2)), old) == []


def test_reports_of_other_versions_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text('{"format": "ladtl bench 1"}', "utf-8")
    with pytest.raises(LadtlError, match=r"it is 'ladtl bench 1', .* measure it again"):
        read_report(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "ladtl bench 2"}', "{"])
def test_other_files_are_no_reports(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text, "utf-8")
    with pytest.raises(LadtlError, match="not a report"):
        read_report(path)


def test_facts_of_the_machine_name_no_folder_and_no_host() -> None:
    import platform

    facts = machine()
    assert {"cpu", "cores", "caches", "versions", "commit"} <= facts.keys()
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
    assert len(found) == 6
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
@pytest.mark.parametrize("stem", [s for s in contests.STEMS if s not in contests.OF_NO_WORKLOAD])
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
            usual = goals.FLOAT32 if contest.variant == "bfloat16" else goals.TORCH
            assert contest.rivals[0].name == usual
            assert contest.check() < contests.MOST_OTHER_BFLOAT16


@needs_torch
@pytest.mark.parametrize("stem", ["step", "lstm", "tagging"])
def test_the_lstm_is_also_measured_padded(stem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from ladtl_np.bench.peer.parts import TorchParts

    monkeypatch.setattr(contests, "TAGGING_SENTENCES", 20)
    case = build_case(TINY)
    for contest in contests.contests(stem, case, 1, TorchParts(case)):
        names = {rival.name for rival in contest.rivals}
        assert contest.variant == "bfloat16" or any("padded" in name for name in names)


@pytest.mark.parametrize("bfloat16", [True, False])
def test_the_peer_computes_in_bfloat16_where_the_processor_does(
    bfloat16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its dot products oneDNN has no LSTM for it, and the whole report would be lost."""

    class Parts:
        def tagging(self, _: object, **asked: bool) -> Part:
            return Part(lambda: asked)

    monkeypatch.setattr(contests, "TAGGING_SENTENCES", 20)
    monkeypatch.setattr(contests, "INSTRUCTIONS", INSTRUCTIONS._replace(bfloat16=bfloat16))
    monkeypatch.setattr(contests.Ours, "tagging", lambda *_: Part(lambda: None))
    monkeypatch.setattr(onnx_peer, "available", lambda: False)
    found = list(contests.contests("tagging", build_case(TINY), 1, Parts()))
    rivals = [rival for one in found for rival in one.rivals]
    asked = [rival.part.call() for rival in rivals if rival.name == contests.TORCH_BFLOAT16]
    assert len(asked) == 2 * bfloat16
    assert all(each["bfloat16"] for each in asked)


def test_tagging_in_bfloat16_stands_beside_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contests, "TAGGING_SENTENCES", 20)
    found = list(contests.contests("tagging", build_case(TINY), 2, None))
    assert [one.variant for one in found] == ["", "bfloat16"][: 1 + INSTRUCTIONS.bfloat16]
    for one in found[1:]:
        assert [rival.name for rival in one.rivals] == [goals.FLOAT32]
        assert one.check() < contests.MOST_OTHER_BFLOAT16
    monkeypatch.setattr(contests, "INSTRUCTIONS", INSTRUCTIONS._replace(bfloat16=False))
    (alone,) = contests.contests("tagging", build_case(TINY), 2, None)
    assert alone.variant == ""


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
    keys = {key for found in goals.GOALS.values() for key in found}
    assert {stem for stem, *_ in keys} <= set(contests.STEMS)
    assert bench.STEMS == contests.STEMS
    assert {variant for _, _, variant, _ in keys} <= {"", *KERNELS, goals.PACKED, "bfloat16"}
    assert goals.GOALS.keys() - {""} <= set(LEVELS.values())


def test_a_fresh_interpreter_shows_the_help_without_numpy() -> None:
    seconds, text = startup.fresh(startup.show_help)
    assert 0 < seconds < 30
    assert text.startswith("Usage: ladtl")


def test_the_name_of_a_workload_is_its_own() -> None:
    assert replace(TINY, tags=3).architecture().target_tags == 3


def test_traffic_counts_each_array_as_often_as_it_is_read_or_written() -> None:
    assert operations.adagrad_traffic(10) == (200, 120)
    # 2 tokens of 3 numbers, one word: X, dX, twice the mask; the row there and back; words twice
    assert operations.embedding_traffic(2, 3, 1) == (4 * 24 + 2 * 12 + 32, 3 * 24 + 2 * 12 + 16)


def test_streams_and_products_have_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peaks, "BLAS_SIZE", 64)
    assert 0.01 < peaks.copy_rate(10_000, 2, repeats=2) < 1e5
    assert peaks.copy_rate(0, 1, repeats=1) > 0
    assert peaks.matrix_product_peak(1, repeats=1) > 0.1


def test_products_are_the_same_with_a_packed_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "SIZES", ((13, 70, 9), (1, 1, 1)))
    found = list(products.products(peers=True, torch=False))
    assert [(one.workload, one.variant) for one in found] == [
        *(("13 x 70, 9", products.PLAIN), ("13 x 70, 9", goals.PACKED)),
        *(("1 x 1, 1", products.PLAIN), ("1 x 1, 1", goals.PACKED)),
    ]
    assert [one.operations for one in found] == [2 * 13 * 70 * 9] * 2 + [2] * 2
    for one in found:
        assert [rival.name for rival in one.rivals] == [products.BLAS]
        assert one.check() < 1e-5
    assert not any(one.rivals for one in products.products(peers=False, torch=False))


def test_a_disagreement_tells_where_it_was() -> None:
    part = contests.Part(lambda: None, lambda _: {"x": np.ones(1)})
    other = contests.Part(lambda: None, lambda _: {"x": np.zeros(1)})
    rival = contests.Rival("a library", other, contests.same_arrays)
    with pytest.raises(PeerMismatch) as caught:
        contests.Contest("crf", "slow", "tiny", part, (rival,)).check()
    assert caught.value.__notes__ == ["crf (slow) of tiny beside a library"]
