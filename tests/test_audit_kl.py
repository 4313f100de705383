"""The audit of the divergence: its numbers against enumeration, and errors that it must see."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import oracles
import pytest
from audited_runs import write_tiny_run
from small_corpora import small_config

from ladtl_np.audit import Audit, Subject, check_divergence, demo_subject, model_subject, run_on
from ladtl_np.audit import bounds as bounds_module
from ladtl_np.audit.bounds import bounds_of, difference_of, matched_chains
from ladtl_np.audit.chains import hidden_states
from ladtl_np.audit.comparing import Comparison, difference
from ladtl_np.model.file import Model
from ladtl_np.model.network import SOURCE, TARGET
from ladtl_np.pages import Pen
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.trained_model import build_model


@pytest.fixture(scope="module")
def subject(tiny_model: Model, tiny_corpus: Corpora) -> Subject:
    assert tiny_corpus.dev is not None
    return model_subject(tiny_model, tiny_corpus.dev)


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_run(tmp_path_factory.mktemp("audited"))


def failed(audit: Audit) -> str:
    return "\n".join(line.check for line in audit.lines if line.verdict == "failed")


# ---- the numbers -----------------------------------------------------------------------------


def test_every_number_is_that_of_all_paths(subject: Subject) -> None:
    """Tags 0, 2, 4 of the source are matched with 3, 1, 6 of the target: 3^T paths."""
    network = subject.network
    matched = np.array([0, 2, 4]), np.array([3, 1, 6])
    apart = difference_of(network, matched)
    states = hidden_states(network, subject.target, subject.spelled)
    for sentence, H in zip(subject.target, states, strict=True):
        source, target = matched_chains(network, matched, H)
        found = bounds_of(sentence, H, (source, target), apart, matched[1])
        W = [
            network.weights[f"{head}.W"][:, tags]
            for head, tags in zip((SOURCE, TARGET), matched, strict=True)
        ]
        assert np.allclose(source.E, H @ W[0])
        assert np.allclose(target.E, H @ W[1])
        assert found.kl == pytest.approx(oracles.enumerated_kl(*source, *target), abs=1e-12)
        d = [
            oracles.path_score(*source, path) - oracles.path_score(*target, path)
            for path in itertools.product(range(3), repeat=len(H))
        ]
        assert (found.low, found.high) == pytest.approx((min(d), max(d)), abs=1e-12)
        assert max(map(abs, d)) <= found.epsilon
        log_z = [oracles.enumerated_log_partition(*chain) for chain in (source, target)]
        assert found.normalisers == pytest.approx(log_z[0] - log_z[1], abs=1e-12)
        norms = np.linalg.norm(H, axis=1).sum()
        assert found.constant == pytest.approx(norms**2 + (len(H) - 1) ** 2)
    assert apart.distance == pytest.approx((apart.W**2).sum() + (apart.A**2).sum())


def test_a_bias_is_one_more_row_of_the_emission_weights() -> None:
    subject = demo_subject()
    assert f"{SOURCE}.b" in subject.network.weights
    subject.network.weights[f"{SOURCE}.b"][:] = 0.5
    audit = check_divergence(subject, sentences=5)
    assert audit.passed, audit
    first = audit.numbers["after training"][0]
    H = next(hidden_states(subject.network, [subject.target[0]], subject.spelled))
    rows = np.sqrt((H**2).sum(axis=1) + 1).sum()
    assert first["constant"] == pytest.approx(rows**2 + (len(H) - 1) ** 2)


def test_sentences_are_told_apart_however_they_are_batched(subject: Subject) -> None:
    many = list(subject.target) * 5
    together = list(hidden_states(subject.network, many, subject.spelled))
    for sentence, H in zip(many, together, strict=True):
        alone = next(hidden_states(subject.network, [sentence], subject.spelled))
        assert np.allclose(H, alone, rtol=0, atol=1e-14)


def test_equal_crfs_have_no_divergence_and_hold_every_bound_with_equality(
    subject: Subject,
) -> None:
    network = subject.network.copy()
    for kind in "WA":
        network.weights[f"{SOURCE}.{kind}"][...] = network.weights[f"{TARGET}.{kind}"]
    audit = check_divergence(replace(subject, network=network))
    assert audit.passed, audit
    (bounds,) = audit.numbers.values()
    for each in bounds:
        assert each["kl"] == pytest.approx(0.0, abs=1e-12)
        assert each["hoeffding"] == each["quadratic"] == each["printed"] == 0.0
    assert "<svg" in audit.section(Pen([])).figures[0].svg


def test_training_is_seen_from_the_start_of_a_run(tiny_run: Path) -> None:
    told: list[tuple[int, int]] = []
    audit = check_divergence(run_on(tiny_run), tell=lambda *done: told.append(done))
    assert audit.passed, audit
    before, after = audit.numbers["before training"], audit.numbers["after training"]
    assert len(before) == len(after) == 15
    assert before[0]["distance"] != after[0]["distance"]
    assert told == [(n, 30) for n in range(1, 31)]
    assert any("development corpus" in note for note in audit.notes)
    figure = audit.section(Pen([])).figures[0]
    assert all(f"by length {stage}" in figure.svg for stage in audit.numbers)
    summary = audit.tables[0]
    assert [row[1].text for row in summary.rows[:2]] == list(audit.numbers)


def test_a_model_alone_does_not_know_its_start(subject: Subject) -> None:
    audit = check_divergence(subject, sentences=4)
    assert list(audit.numbers) == ["after training"]
    assert len(audit.numbers["after training"]) == 4
    assert any("started" in note for note in audit.notes)


def test_unmatched_tags_restrict_both_chains_and_that_is_told(subject: Subject) -> None:
    names = subject.target_tags.tags
    kept = np.array([row for row, tag in enumerate(names) if not tag.endswith("Sign")])
    objective = subject.objective.tied(matched=(kept, kept))
    audit = check_divergence(replace(subject, objective=objective))
    assert audit.passed, audit
    assert any("4 tags of the source and 4 of the target are unmatched" in n for n in audit.notes)
    without = [line for line in audit.lines if line.verdict == "noted"]
    sign = [s for s in subject.target if not set(s.tags.tolist()) <= set(kept.tolist())]
    assert [line.found for line in without] == [str(len(sign))]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"method": "non-transfer"}, "one domain"),
        ({"method": "linear-projection"}, "one CRF for both domains"),
    ],
)
def test_a_model_without_two_crfs_is_told_so(
    changes: dict[str, Any], told: str, tiny_corpus: Corpora
) -> None:
    source = None if changes["method"] == "non-transfer" else tiny_corpus.source
    prepared = prepare(small_config(**changes), replace(tiny_corpus, source=source))
    model = build_model(prepared, prepared.network, {}, {})
    audit = check_divergence(model_subject(model, tiny_corpus.target))
    assert audit.passed
    assert told in audit.lines[0].detail


def test_development_sentences_with_tags_of_their_own_are_left_out(tmp_path: Path) -> None:
    run = write_tiny_run(tmp_path)
    dev = tmp_path / "dev.txt"
    dev.write_text("q\tS-Other\n\n" + dev.read_text("utf-8"), "utf-8")
    subject = run_on(run)
    assert len(subject.target) == 15
    assert any("1 of its sentences" in note for note in subject.notes)


def test_a_run_without_development_data_is_looked_at_on_its_training_sentences(
    tmp_path: Path,
) -> None:
    run = write_tiny_run(tmp_path, data={"dev": ""})
    subject = run_on(run)
    assert len(subject.target) == 12
    assert any("of the training" in note for note in subject.notes)


# ---- errors that must be seen ----------------------------------------------------------------


def without_normaliser(real: Callable[..., Any]) -> Callable[..., Any]:
    def forward(E_s: Any, A_s: Any, E_t: Any, A_t: Any, offsets: Any) -> Any:
        value, cache = real(E_s, A_s, E_t, A_t, offsets)
        return value - 0.01, cache

    return forward


def half_distance(real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given: real(*given) / 2


def second_best(real: Callable[..., Any]) -> Callable[..., Any]:
    def viterbi(E: Any, A: Any, offsets: Any) -> Any:
        tags, score = real(E, A, offsets)
        return (tags + 1) % len(A), score

    return viterbi


@pytest.mark.parametrize(
    ("name", "plant", "seen"),
    [
        ("divergence_forward", without_normaliser, "KL: layers against reference"),
        ("parameter_transfer_forward", half_distance, "L_p: layers"),
        ("crf_viterbi", second_best, "b and a: score of Viterbi"),
    ],
)
def test_an_error_is_seen(
    name: str,
    plant: Callable[..., Any],
    seen: str,
    subject: Subject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounds_module, name, plant(getattr(bounds_module, name)))
    assert seen in failed(check_divergence(subject))


@pytest.mark.parametrize("check", list(bounds_module.CHECKS))
def test_every_inequality_fails_where_it_does_not_hold(
    check: str, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sides are exchanged for one sentence of fifteen."""
    real = bounds_module.CHECKS[check]
    third = subject.target[2].line

    def exchanged(bounds: Any) -> Any:
        sides = real(bounds)
        return [(r + 1e-3, x) for x, r in sides] if bounds.line == third else sides

    monkeypatch.setitem(bounds_module.CHECKS, check, exchanged)
    audit = check_divergence(subject)
    (line,) = (line for line in audit.lines if line.verdict == "failed")
    assert (line.check, line.found) == (check, "on 14 of 15 sentences")
    assert f"line {third}:" in line.detail


def test_weights_that_are_not_numbers_fail(subject: Subject) -> None:
    network = subject.network.copy()
    network.weights[f"{SOURCE}.A"][0, 0] = math.nan
    audit = check_divergence(replace(subject, network=network))
    assert "KL <= (b - a)^2 / 8" in failed(audit)
    assert "KL: layers against reference" in failed(audit)


def test_a_difference_is_relative_and_never_nan() -> None:
    assert difference(2.0, 1.0) == 1.0
    assert difference([100.0, 201.0], [100.0, 200.0]) == pytest.approx(0.005)
    assert difference(-math.inf, -math.inf) == difference([], []) == 0.0
    for pair in ((math.nan, math.nan), (1.0, math.inf), ([1.0], [1.0, 2.0]), (-math.inf, 1.0)):
        assert difference(*pair) == math.inf


def test_a_comparison_keeps_its_largest_difference_and_fails_where_none_was_made() -> None:
    comparison = Comparison("x")
    assert comparison.line(1.0).verdict == "failed"
    for found, where in ((1.0, "a"), (1.5, "b"), (1.2, "c")):
        comparison.add(found, 1.0, where)
    line = comparison.line(0.4)
    assert (line.verdict, line.found, line.detail) == ("failed", "0.5", "b")
    assert comparison.line(0.5).verdict == "passed"
