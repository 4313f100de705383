"""`check_gradients`: right gradients pass, and wrong ones are seen where they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audited_runs import write_tiny_run

from ladtl_np.audit import Audit, Subject, check_gradients, demo_subject, run_subject
from ladtl_np.audit.sides import make_case
from ladtl_np.audit.slopes import relative_errors, slopes
from ladtl_np.objective import encoder, likelihood, step
from ladtl_np.reference import objective as reference

FEW: dict[str, Any] = {"coordinates": 1, "directions": 0, "sentences": 2}


@pytest.fixture(scope="module")
def subject() -> Subject:
    return demo_subject()


def failed(audit: Audit) -> list[str]:
    return [line.check for line in audit.lines if line.verdict == "failed"]


def test_every_block_of_both_sides_has_a_line_and_passes(subject: Subject) -> None:
    told: list[tuple[int, int]] = []
    audit = check_gradients(subject, **FEW, tell=lambda *share: told.append(share))
    assert failed(audit) == []
    checks = {line.check for line in audit.lines if line.verdict == "passed"}
    for name in subject.network.named():
        assert {f"kernels: {name}", f"reference: {name}"} <= checks
    blocks = 2 * len(subject.network.named())
    assert told == [(done, blocks) for done in range(1, blocks + 1)]


def test_a_tolerance_below_what_differences_can_tell_fails(subject: Subject) -> None:
    audit = check_gradients(subject, **FEW, tolerance=1e-15)
    assert len(failed(audit)) > 10


def scaled(function: Callable[..., Any], factor: float) -> Callable[..., Any]:
    """The function with another result, whatever it returns."""

    def planted(*args: Any, **options: Any) -> Any:
        found = function(*args, **options)
        if isinstance(found, tuple):
            return (factor * found[0], *found[1:])
        return factor * found

    return planted


def test_a_missing_2_of_the_regulariser_is_seen_in_the_kernels(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = step.regulariser_backward
    monkeypatch.setattr(step, "regulariser_backward", lambda g, d, w: before(g, 0.5 * d, w))
    audit = check_gradients(subject, **FEW)
    seen = failed(audit)
    assert "gradient of reg, kernels and reference" in seen
    assert "kernels: target_crf.W" in seen
    assert not [check for check in seen if check.startswith("reference: ")]
    line = next(line for line in audit.lines if line.check == "kernels: target_crf.W")
    assert line.detail.startswith("reg, ")


def test_a_dropout_mask_that_is_not_sent_back_is_seen(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = encoder.encoder_backward

    def unmasked(gradients: Any, dhidden: Any, cache: Any, *rest: Any) -> Any:
        return before(gradients, dhidden, cache._replace(dropout_mask=None), *rest)

    monkeypatch.setattr(step, "encoder_backward", unmasked)
    assert "kernels: word_embedding" in failed(check_gradients(subject, **FEW))


def test_an_error_of_the_reference_alone_is_seen_there(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "bilstm_backward", scaled(reference.bilstm_backward, 0.5))
    seen = failed(check_gradients(subject, **FEW))
    assert "reference: word_embedding" in seen
    assert "kernels: word_embedding" not in seen
    assert "gradient of target_nll, kernels and reference" in seen


def test_weights_of_sentences_that_are_not_sent_back_are_seen(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = likelihood.crf_backward

    def even(dE: Any, dA: Any, dnll: Any, *rest: Any) -> None:
        before(dE, dA, np.full_like(dnll, dnll.mean()), *rest)

    monkeypatch.setattr(likelihood, "crf_backward", even)
    assert "kernels: target_crf.W" in failed(check_gradients(subject, **FEW))


def test_a_gradient_that_is_no_number_fails(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = step.regulariser_backward

    def poisoned(gradients: Any, dvalue: float, weights: Any) -> None:
        before(gradients, dvalue, weights)
        gradients["forward.b"][0] = np.nan

    monkeypatch.setattr(step, "regulariser_backward", poisoned)
    assert "kernels: forward.b" in failed(check_gradients(subject, **FEW))


def test_a_total_that_leaves_a_term_out_is_seen(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = step.LossTerms
    monkeypatch.setattr(
        step, "LossTerms", lambda total, *terms: before(total - 0.1 * terms[-1], *terms)
    )
    assert "total is the weighted sum of the terms" in failed(check_gradients(subject, **FEW))


KINDS: dict[str, dict[str, Any]] = {
    "frozen maps": {"method": "linear-projection", "projection": {"frozen": True}},
    "masks": {"method": "domain-mask"},
    "median and floor": {"objective": {"kernel": "median", "mmd_floor": 0.01}},
    "one MMD": {"method": "mmd-crf-l2"},
    "divergence": {"method": "crf-l2", "objective": {"parameter_transfer": "kl"}},
    "target alone": {"method": "non-transfer"},
}


@pytest.mark.parametrize(
    "kind",
    [
        name if name == "frozen maps" else pytest.param(name, marks=pytest.mark.slow)
        for name in KINDS
    ],
)
def test_every_kind_of_model_passes(kind: str, tmp_path: Path) -> None:
    subject = run_subject(write_tiny_run(tmp_path, **KINDS[kind]))
    audit = check_gradients(subject, **FEW)
    assert failed(audit) == []
    frozen = any(line.check == "frozen parameters have no gradient" for line in audit.lines)
    assert frozen == (kind == "frozen maps")


def test_the_first_sentence_is_cut_and_every_sentence_has_a_weight_of_its_own(
    subject: Subject,
) -> None:
    rng = np.random.default_rng(0)
    halves = subject.source[3:6], subject.target[3:6]
    sides = halves[:1], halves[1]
    case = make_case(subject.network, subject.objective, *sides, subject.spelled, 0.0, rng)
    for given, cut in zip(halves, (case.source, case.target), strict=True):
        assert [s.words.size for s in cut] == [1, *(s.words.size for s in given[1:])]
        assert len({s.weight for s in cut}) == 3
    assert (case.dropout, case.mask.shape) == (0.5, (case.batch.words.size, 10))
    one = make_case(
        subject.network, subject.objective, (), halves[1][1:2], subject.spelled, 0.2, rng
    )
    assert one.target[0].words.size == halves[1][1].words.size
    assert set(np.unique(one.mask)) <= {0.0, 1.25}


# ---- slopes --------------------------------------------------------------------------------------


def test_a_slope_needs_no_step_to_be_chosen() -> None:
    def functions(d: float) -> np.ndarray:
        return np.array([np.exp(3.0 * d), np.sin(40.0 * d), 1e3 + d, d**3, np.exp(-(d**2) / 2e-4)])

    assert np.allclose(slopes(functions), [3.0, 40.0, 1.0, 0.0, 0.0], rtol=1e-7, atol=1e-9)


def test_a_slope_of_what_is_no_number_is_none() -> None:
    assert np.isnan(slopes(lambda d: np.array([np.nan]))).all()


def test_small_gradients_are_compared_with_the_size_of_the_function() -> None:
    given, found = np.array([1e-9, 1.0]), np.array([0.0, 1.0 + 1e-5])
    errors = relative_errors(given, found, np.array([100.0, 1.0]))
    assert np.allclose(errors, [1e-6, 1e-5], rtol=1e-3)
