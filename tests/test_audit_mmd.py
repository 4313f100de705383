"""The audit of the MMD: values, the permutation test, gradients, and the picture."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from audited_runs import write_tiny_run
from small_corpora import small_config, small_corpora

from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.audit import Subject, check_mmd, run_subject
from ladtl_np.audit.mmd import lines as mmd_lines
from ladtl_np.audit.mmd.cloud import plane_of, principal_components
from ladtl_np.audit.mmd.labels import Halves, Sample
from ladtl_np.audit.mmd.lines import discoveries, halves_lines, law_errors, law_lines
from ladtl_np.audit.mmd.looks import alive, batches_of, look
from ladtl_np.audit.mmd.permutation import (
    SentenceGram,
    halves,
    permutation_test,
    sentence_gram,
    squared_distances,
)
from ladtl_np.audit.run_files import prepared_run
from ladtl_np.errors import UsageError
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.objective import loss_and_gradients
from ladtl_np.objective.batching import domain_batch
from ladtl_np.objective.encoder import encoder_forward
from ladtl_np.reference.mmd import mmd_forward
from ladtl_np.runs.found import FoundRun
from ladtl_np.runs.hidden_rows import hidden_rows
from ladtl_np.training.preparation import prepare

VARIANCES = (0.01, 1.0, 5.0)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished run."""
    return write_tiny_run(tmp_path_factory.mktemp("mmd"))


@pytest.fixture(scope="module")
def subject(run_folder: Path) -> Subject:
    """What the audit looks at."""
    return run_subject(run_folder)


def clustered(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows of sentences of 1 to 4 tokens that are near each other, in mixed order."""
    sentence = np.repeat(np.arange(count), rng.integers(1, 5, count))
    rows = rng.normal(size=(count, 3))[sentence] + 0.05 * rng.normal(size=(len(sentence), 3))
    order = rng.permutation(len(sentence))
    return rows[order], sentence[order]


def test_sums_by_sentence_give_the_reference_value_of_any_split() -> None:
    rng = np.random.default_rng(0)
    rows, sentence = clustered(7, rng)
    gram = sentence_gram(rows, sentence, VARIANCES)
    assert gram.tokens.tolist() == np.bincount(sentence).tolist()
    for first in combinations(range(7), 3):
        mask = np.isin(np.arange(7), first)
        inside = np.isin(sentence, first)
        wanted = mmd_forward(rows[inside], rows[~inside], VARIANCES)
        assert gram.values(mask[None])[0] == pytest.approx(wanted, abs=1e-12)


def test_more_rows_than_a_chunk_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, sentence = clustered(9, np.random.default_rng(1))
    whole = sentence_gram(rows, sentence, VARIANCES)
    monkeypatch.setattr("ladtl_np.audit.mmd.permutation._CHUNK", 2)
    assert np.allclose(sentence_gram(rows, sentence, VARIANCES).sums, whole.sums, rtol=1e-13)


def test_near_rows_far_from_the_origin_do_not_cancel() -> None:
    rows = 1e4 + np.array([[0.0, 0.0], [1e-3, 0.0], [3.0, 4.0]])
    squared = squared_distances(rows, rows)
    assert squared[0, 1] == pytest.approx(1e-6, rel=1e-6)
    assert squared[0, 2] == pytest.approx(25.0)
    assert not squared.diagonal().any()


def test_the_floor_is_the_mean_over_all_ways_to_deal_out_tokens() -> None:
    rows = np.random.default_rng(2).normal(size=(6, 2))
    gram = sentence_gram(rows, np.arange(6), VARIANCES)
    masks = np.array([np.isin(np.arange(6), first) for first in combinations(range(6), 2)])
    floors = {round(gram.floor(mask), 12) for mask in masks}
    assert floors == {round(float(gram.values(masks).mean()), 12)}


def test_a_permutation_deals_whole_sentences_and_p_counts_those_as_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(3)
    rows, sentence = clustered(8, rng)
    gram, first = sentence_gram(rows, sentence, VARIANCES), np.arange(8) < 3
    seen: list[np.ndarray] = []
    values = SentenceGram.values

    def spied(self: SentenceGram, masks: np.ndarray) -> np.ndarray:
        seen.append(masks)
        return values(self, masks)

    monkeypatch.setattr(SentenceGram, "values", spied)
    found = permutation_test(gram, first, 99, np.random.default_rng(4))
    assert set(seen[1].sum(axis=1).tolist()) == {3}
    assert len({tuple(mask) for mask in seen[1].tolist()}) > 20
    permuted = values(gram, seen[1])
    assert found.p == (np.sum(permuted >= found.mmd - 1e-9) + 1) / 100
    assert found.expected == pytest.approx(permuted.mean())
    assert 0 < found.p < 1


def test_domains_that_differ_have_the_least_p_and_equal_ones_tie() -> None:
    rng = np.random.default_rng(5)
    rows, sentence = clustered(20, rng)
    first = np.arange(20) < 10
    apart = sentence_gram(rows + 5.0 * (sentence < 10)[:, None], sentence, VARIANCES)
    assert permutation_test(apart, first, 199, rng).p == 1 / 200
    same = sentence_gram(np.zeros_like(rows), sentence, VARIANCES)
    assert permutation_test(same, first, 199, rng).p == 1.0


def test_exchanging_tokens_finds_differences_within_one_domain_and_sentences_do_not() -> None:
    rng = np.random.default_rng(6)
    rows, sentence = clustered(40, rng)
    order = np.argsort(sentence, kind="stable")
    gram = sentence_gram(rows, sentence, VARIANCES)
    fair = np.mean(np.array(halves(gram, 100, 99, rng, np.arange(40))) <= 0.05)
    tokens = sentence_gram(rows[order], np.arange(len(rows)), VARIANCES)
    unfair = np.mean(np.array(halves(tokens, 100, 99, rng, sentence[order])) <= 0.05)
    assert fair <= 0.13  # 5 % are expected; a binomial has more than 12 of 100 once in a thousand
    assert unfair > 0.3


@pytest.mark.parametrize(
    ("small", "verdict"), [(0, "passed"), (50, "passed"), (100, "failed"), (1000, "failed")]
)
def test_a_test_that_finds_too_much_fails(small: int, verdict: str) -> None:
    p = [0.01] * small + [0.5] * (1000 - small)
    assert [line.verdict for line in halves_lines(Halves(p, []))] == [verdict]


@pytest.mark.parametrize(
    ("p", "count"),
    [
        ([0.04, 0.04, 0.04], 3),  # the third is below 3/3 of the level, and takes the others along
        ([0.9, 0.01, 0.8], 1),
        ([0.02, 0.9, 0.8], 0),
        ([0.001] + 96 * [0.5], 0),
        (2 * [0.001] + 95 * [0.5], 2),
    ],
)
def test_labels_that_differ_are_counted_together(p: list[float], count: int) -> None:
    assert discoveries(p) == count


def test_labels_of_too_few_sentences_are_not_halved() -> None:
    assert [line.verdict for line in halves_lines(Halves([], []))] == ["noted"]


def sample_of(rng: np.random.Generator, shift: float = 0.3) -> Sample:
    X, x = clustered(6, rng)
    Z, z = clustered(5, rng)
    return Sample("S-Sign", X, Z + shift, np.concatenate([x, 6 + z]))


def test_the_laws_hold_for_the_kernel_that_trains() -> None:
    sample = sample_of(np.random.default_rng(7))
    errors = law_errors(sample, sample.gram(REFERENCE_VARIANCES), Workers())
    lines = law_lines([("here", errors)])
    assert [line.verdict for line in lines] == ["passed"] * 5
    assert max(errors.values()) < 1e-12


@pytest.mark.parametrize(
    ("planted", "caught"),
    [
        (lambda value, pair: -value, {"MMD² is not below 0"}),
        (lambda value, pair: value + 0.1 * pair.source.size, {"MMD²(X, Z) = MMD²(Z, X)"}),
        (lambda value, pair: value + 1, {"MMD²(X, X) = 0"}),
        (lambda value, pair: value / 2, set()),
        (lambda value, pair: float("nan"), {"MMD² is not below 0", "MMD²(X, X) = 0"}),
    ],
)
def test_a_wrong_kernel_is_seen(planted, caught, monkeypatch: pytest.MonkeyPatch) -> None:
    right = mmd_lines.mmd_forward

    def wrong(hidden, pairs, variances, workers):
        values, cache = right(hidden, pairs, variances, workers)
        return np.array([planted(values[0], pairs[0])]), cache

    monkeypatch.setattr(mmd_lines, "mmd_forward", wrong)
    sample = sample_of(np.random.default_rng(8))
    errors = law_errors(sample, sample.gram(REFERENCE_VARIANCES), Workers())
    failed = {line.check for line in law_lines([("here", errors)]) if line.verdict == "failed"}
    assert failed >= caught | {"kernel and reference", "kernel and sums by sentence"}


def test_the_worst_label_is_named() -> None:
    lines = law_lines([("O", {"law": 1e-12}), ("S-Sign", {"law": 1.0}), ("B-Drug", {"law": 0.1})])
    assert (lines[0].verdict, lines[0].detail) == ("failed", "S-Sign, as a share of Q")


def test_hidden_rows_know_their_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ladtl_np.runs.hidden_rows._CHUNK", 5)
    prepared = prepare(small_config(), small_corpora())
    halves_of = prepared.source, prepared.target
    rows = hidden_rows(prepared.network, *halves_of, None, Workers())
    tags = np.concatenate([rows.source_tags, rows.target_tags])
    for number, sentence in enumerate([*prepared.source, *prepared.target]):
        batch = domain_batch([[sentence], []])
        with single_threaded_blas():
            hidden, _ = encoder_forward(prepared.network, batch, None, Workers())
        here = rows.sentence == number
        assert tags[here].tolist() == sentence.tags.tolist()
        assert np.allclose(rows.hidden[here], hidden, atol=1e-6)


def test_a_look_has_the_share_of_each_term(subject: Subject) -> None:
    rng = np.random.default_rng(9)
    given = subject.config, subject.objective, subject.source, subject.target
    batch = batches_of(*given, None, 1, rng)[0]
    assert (batch.source.sentences, batch.target.sentences) == (6, 4)
    objective = subject.objective.changed(w_reg=0.0)
    seen = look(subject.network, objective, batch)
    zero = {"w_mmd": 0.0, "w_param": 0.0}
    plain = loss_and_gradients(subject.network, batch, objective.changed(**zero))[1]
    whole = loss_and_gradients(subject.network, batch, objective)[1]
    names = [name for name in plain if name.startswith(("forward.", "backward."))]
    added, size = (
        np.sqrt(sum(np.square(part).sum() for part in parts))
        for parts in ([whole[n] - plain[n] for n in names], [plain[n] for n in names])
    )
    assert seen.crf == pytest.approx(size)
    assert seen.mmd == pytest.approx(added / size)
    assert seen.param > 0
    doubled = look(subject.network, objective.changed(w_mmd=2 * objective.weights.w_mmd), batch)
    assert doubled.mmd == pytest.approx(2 * seen.mmd)
    none = look(subject.network, objective.changed(**zero), batch)
    assert (none.mmd, none.param) == (0.0, 0.0)
    assert seen.labels <= len(objective.matched[0])
    assert seen.distances[0] <= seen.distances[1] <= seen.distances[2]


@pytest.mark.parametrize(("distance", "count"), [(0.0, 0), (17.0, 8), (1e9, 0)])
def test_gaussians_that_tell_distances_apart_are_counted(distance: float, count: int) -> None:
    assert alive(distance, REFERENCE_VARIANCES) == count


def test_components_are_those_of_most_variance_whatever_the_sign() -> None:
    rng = np.random.default_rng(10)
    plane = rng.normal(size=(50, 2)) * [3.0, 1.0]
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0][:2]
    points, shares = principal_components(plane @ turn + 7.0)
    assert sum(shares) == pytest.approx(1.0)
    assert shares[0] > 0.7
    centred = plane - plane.mean(axis=0)
    assert np.linalg.norm(points, axis=1) == pytest.approx(np.linalg.norm(centred, axis=1))
    assert np.allclose(points, principal_components(plane @ turn)[0])
    assert not principal_components(np.ones((4, 3)))[0].any()
    assert principal_components(np.ones((4, 1)))[1] == (0.0, 0.0)


def test_the_picture_has_the_frequent_labels_of_both_domains() -> None:
    rng = np.random.default_rng(11)
    named = [replace_name(sample_of(rng), name) for name in ("O", "B-Drug", "E-Drug")]
    points = plane_of(named).points
    assert [*points] == ["B-Drug", "E-Drug"] or [*points] == ["E-Drug", "B-Drug"]
    for sample in named[1:]:
        sizes = [len(side) for side in points[sample.name]]
        assert sizes == [len(sample.source), len(sample.target)]
    assert [*plane_of(named[:1]).points] == ["O"]


def replace_name(sample: Sample, name: str) -> Sample:
    return sample._replace(name=name)


def test_a_run_passes_before_and_after_training(subject: Subject) -> None:
    told: list[tuple[int, int]] = []
    audit = check_mmd(subject, permutations=39, tell=lambda *done: told.append(done))
    assert audit.passed, str(audit)
    assert told[-1][0] == told[-1][1]
    networks = audit.numbers["networks"]
    assert [*networks] == ["before", "after"]
    labels = {label["label"] for label in networks["after"]["labels"]}
    assert labels == {"O", "B-Drug", "E-Drug", "S-Sign"}
    again = check_mmd(subject, permutations=39)
    assert again.to_json() == audit.to_json()
    assert check_mmd(subject, permutations=39, seed=1).numbers != audit.numbers


@pytest.mark.parametrize("kernel", ["median", [0.5, 2.0]])
def test_a_kernel_of_the_run_stands_beside_the_reference_ones(
    subject: Subject, kernel: object
) -> None:
    other = replace(subject, objective=subject.objective.changed(kernel=kernel))
    table = check_mmd(other, permutations=19, batches=1).tables[0]
    assert table.header.count("p") == 2
    assert {len(row) for row in table.rows} == {len(table.header)}
    label = check_mmd(other, permutations=19, batches=1).numbers["networks"]["after"]["labels"][0]
    assert 0 < label["own"]["mmd"] != label["mmd"]


def test_without_the_start_there_is_one_network(subject: Subject) -> None:
    audit = check_mmd(replace(subject, initial=None), permutations=19, batches=1)
    assert [*audit.numbers["networks"]] == ["after"]


def test_a_run_of_one_domain_is_refused(tmp_path: Path) -> None:
    folder = write_tiny_run(tmp_path / "alone", method="non-transfer")
    with pytest.raises(UsageError, match="non-transfer trains one domain at a time"):
        check_mmd(run_subject(folder))


def test_domains_without_a_common_label_are_refused(subject: Subject) -> None:
    none = np.zeros(0, np.int64)
    lonely = replace(subject, objective=subject.objective.tied(matched=(none, none)))
    with pytest.raises(UsageError, match="label_map"):
        check_mmd(lonely)


def test_training_again_looks_at_every_evaluation(run_folder: Path, subject: Subject) -> None:
    prepared = prepared_run(run_folder)
    audit = check_mmd(subject, permutations=19, batches=2, retrain=prepared)
    stops = audit.numbers["training"]
    assert [stop["step"] for stop in stops] == [10, 20, 30, 40]
    told = [f1 for _, f1 in FoundRun.at(run_folder).learning]
    assert [stop["dev_f1"] for stop in stops] == pytest.approx(told)
    assert all(stop["mmd"] > 0 and stop["param"] > 0 for stop in stops)
    assert audit.tables[-1].name == "mmd-training"
