"""The audit of the equations: it passes on every kind of model, and sees errors on either side."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import oracles
import pytest
from small_corpora import small_config, small_corpora

from ladtl_np.audit import Audit, Subject, check_equations, demo_subject, model_subject
from ladtl_np.audit.comparing import Comparisons
from ladtl_np.audit.equations import (
    decoding,
    discrepancy,
    likelihood,
    loss,
    paths,
    step,
    transfer,
)
from ladtl_np.audit.equations.packed import drawn_chains, first_tokens, pack_chains
from ladtl_np.audit.equations.paths import MOST, Paths, longest
from ladtl_np.audit.equations.renumbered import renumbered
from ladtl_np.corpus.labels import LabelMap, TagSet, matched_tags
from ladtl_np.corpus.schemes import INSIDE_SCHEMES, illegal_positions
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.kernels import decoding as decoding_kernels
from ladtl_np.model import network as network_module
from ladtl_np.model import tag_names
from ladtl_np.model.network import SOURCE
from ladtl_np.objective import encoder as encoder_module
from ladtl_np.objective import likelihood as likelihood_step
from ladtl_np.objective import mmd as mmd_step
from ladtl_np.reference import crf, divergence, lstm, mmd
from ladtl_np.training.preparation import prepare
from ladtl_np.training.trained_model import build_model

FULL = {
    "model": {"emission_bias": True},
    "characters": {"hidden": 2, "embedding": 2},
    "objective": {"kernel": [0.5, 2.0]},
}


def subject_of(
    changes: dict[str, Any], types: dict[str, str] | None = None, *, mapped: bool = True
) -> Subject:
    """A model at its start values on the small corpora; `types` renames the source's."""
    corpora = small_corpora()
    assert corpora.source is not None
    label_map = None
    if types is not None:
        renamed = tuple(
            replace(s, tags=tuple(_renamed(tag, types) for tag in s.tags or ()))
            for s in corpora.source
        )
        corpora = replace(corpora, source=Corpus("source", renamed, "BIOES"))
        label_map = LabelMap({new: old for old, new in types.items()}) if mapped else None
    if changes.get("method") == "non-transfer":
        corpora = replace(corpora, source=None)
    prepared = prepare(small_config(**changes), corpora, label_map)
    rng = np.random.default_rng(1)
    prepared.network.weights.flat[:] += rng.normal(0, 0.2, prepared.network.weights.flat.size)
    return model_subject(
        build_model(prepared, prepared.network, {}, {}), corpora.target, corpora.source
    )


def _renamed(tag: str, types: dict[str, str]) -> str:
    letter, dash, kind = tag.partition("-")
    return letter + dash + types.get(kind, kind)


@pytest.fixture(scope="module")
def full() -> Subject:
    """Biases, characters, and types that the domains list in opposite orders."""
    return subject_of(FULL, {"Drug": "Zzz"})


@pytest.fixture
def few_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chains of 2,000 sequences at most are listed: a wrong line is seen there as well."""
    monkeypatch.setattr(paths, "MOST", 2_000)


def failed(audit: Audit) -> str:
    return "\n".join(line.check for line in audit.lines if line.verdict == "failed")


# ---- sound models ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        FULL,
        {"objective": {"kernel": "median", "mmd_floor": 0.1, "exclude_tags": ["O"]}},
        {"method": "linear-projection", "model": {"emission_bias": True}},
        {"method": "domain-mask"},
        {"method": "non-transfer", "model": {"dropout": 0.0}},
        {"method": "joint-training"},
        {"model": {"scheme": "iob2"}},
    ],
    ids=lambda changes: str(changes.get("method", sorted(changes))),
)
def test_every_kind_of_model_passes(changes: dict[str, Any]) -> None:
    audit = check_equations(subject_of(changes), sentences=4)
    assert audit.passed, audit
    assert [line for line in audit.lines if "log space against all paths" in line.check]


def test_other_names_of_types_pass_and_are_matched(full: Subject) -> None:
    audit = check_equations(full, sentences=5)
    assert audit.passed, audit
    assert full.objective.matched[0].tolist() != full.objective.matched[1].tolist()
    told = {line.check for line in audit.lines}
    for name in ("Eq. (1)", "Eq. (2)", "Eq. (3)", "Eq. (4)", "Eq. (5)", "Eq. (6)", "AdaGrad"):
        assert any(check.startswith(name) for check in told), name


def test_a_type_of_the_target_alone_is_left_out_of_what_is_matched() -> None:
    audit = check_equations(subject_of({}, {"Drug": "Other"}, mapped=False), sentences=4)
    assert audit.passed, audit
    assert "exact divergence" not in {row[0].text for row in audit.tables[0].rows}


def test_models_without_two_crfs_say_so() -> None:
    audit = check_equations(subject_of({"method": "non-transfer"}), sentences=2)
    (line,) = (line for line in audit.lines if line.verdict == "noted")
    assert line.check == "Eq. (6) and L_p"


def test_long_scores_are_looked_at_in_log_space_only(full: Subject) -> None:
    network = full.network.copy()
    network.weights[f"{SOURCE}.A"][0, 1] = 2000.0
    audit = check_equations(replace(full, network=network), sentences=3)
    assert audit.passed, audit


@pytest.mark.usefixtures("few_paths")
def test_the_work_is_told_and_the_tables_have_every_sentence(full: Subject) -> None:
    told: list[tuple[int, int]] = []
    audit = check_equations(full, sentences=3, tell=lambda *done: told.append(done))
    assert told == [(n, 7) for n in range(1, 8)]
    tables = {table.name: table for table in audit.tables}
    assert len(tables["equations-sentences"].rows) == 6
    assert len(tables["equations-kl"].rows) == 6
    assert len(audit.numbers["sentences"]) == 6
    first = audit.numbers["sentences"][0]
    score = first["emissions"] + first["transitions"]
    assert score - first["log_z"] == pytest.approx(first["log_p"])


@pytest.mark.usefixtures("few_paths")
def test_the_seed_draws_other_scores(full: Subject) -> None:
    found = [
        check_equations(full, sentences=2, seed=seed).tables[0].to_json() for seed in (0, 0, 1)
    ]
    assert found[0] == found[1] != found[2]


@pytest.mark.slow
def test_the_demo_passes() -> None:
    audit = check_equations(demo_subject())
    assert audit.passed, audit


# ---- the parts -------------------------------------------------------------------------------


def test_enumeration_is_that_of_the_oracles() -> None:
    rng = np.random.default_rng(3)
    E, A, F, B = (rng.normal(size=shape) for shape in ((4, 3), (3, 3), (4, 3), (3, 3)))
    listed = Paths(E, A)
    assert listed.log_z == pytest.approx(oracles.enumerated_log_partition(E, A), rel=1e-14)
    unary, pairwise = oracles.enumerated_marginals(E, A)
    for found, wanted in zip(listed.marginals(), (unary, pairwise), strict=True):
        assert np.allclose(found, wanted, atol=1e-14)
    best, score = oracles.enumerated_viterbi(E, A)
    assert listed.best() == pytest.approx(score)
    assert listed.scores[listed.number(np.array(best))] == listed.best()
    allowed = listed.tags[:, 0] != best[0]
    assert listed.best(allowed) < listed.best()
    for found_kl in listed.divergence(Paths(F, B)):
        assert found_kl == pytest.approx(oracles.enumerated_kl(E, A, F, B), rel=1e-12)


def test_so_many_paths_are_enumerated_and_no_more() -> None:
    for m in (2, 3, 5, 21, 121, 447, 448, MOST):
        T = longest(m)
        assert m**T <= MOST < m ** (T + 1) or (T, m) == (1, MOST)


def test_both_forms_of_eq_2_are_the_sum_over_all_pairs() -> None:
    rng = np.random.default_rng(4)
    X, Z = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    wanted = oracles.looped_mmd(X, Z, (0.5, 2.0))
    assert discrepancy.written_out(X, Z, (0.5, 2.0)) == pytest.approx(wanted, rel=1e-13)
    assert discrepancy.mean_embedding(X, Z, (0.5, 2.0)) ** 2 == pytest.approx(wanted, rel=1e-12)


def test_first_tokens_have_every_length_and_stay_in_place() -> None:
    rng = np.random.default_rng(5)
    E = [rng.normal(size=(T, 3)) for T in (5, 2, 7, 7)]
    tags = [rng.integers(3, size=len(each)) for each in E]
    chains = pack_chains("abcd", E, rng.normal(size=(3, 3)), tags)
    for (name, chain, gold), own, wanted, letter in zip(
        chains.chains(), E, tags, "abcd", strict=True
    ):
        assert name == letter
        assert np.array_equal(chain.E, own)
        assert np.array_equal(gold, wanted)
    cut = first_tokens(chains, 3).chains()
    assert [len(gold) for _, _, gold in cut] == [3, 2, 1, 3]
    assert [name for name, _, _ in cut] == ["a, first 3", "b", "c, first 1", "d, first 3"]
    assert np.array_equal(cut[2][1].E, E[2][:1])
    lengths = [len(gold) for _, _, gold in drawn_chains("x", 3, 4, rng).chains()]
    assert sorted(set(lengths)) == [1, 2, 3, 4]


@pytest.mark.parametrize("scheme", INSIDE_SCHEMES)
def test_legal_tags_are_those_of_every_short_sequence(scheme: str) -> None:
    tags = TagSet.of_types(["A", "B"], scheme).tags
    for T in (1, 2, 3):
        for names in itertools.product(tags, repeat=T):
            legal = decoding.may_start(names[0]) and decoding.may_end(names[-1], scheme)
            pairs = itertools.pairwise(names)
            legal &= all(decoding.may_follow(*pair, scheme) for pair in pairs)
            assert legal == (not illegal_positions(names, scheme)), names


def test_renumbering_changes_numbers_and_nothing_that_is_matched(full: Subject) -> None:
    other = renumbered(full)
    assert other.source_tags is not None
    assert full.source_tags is not None
    assert other.source_tags.tags != full.source_tags.tags
    for one, two in zip(full.source, other.source, strict=True):
        assert full.source_tags.decode(one.tags) == other.source_tags.decode(two.tags)
    values = [
        transfer.check_distance(Comparisons(), s.network, discrepancy.matched_by_name(s))
        for s in (full, other)
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-14)
    again = renumbered(other)
    assert again.source_tags == full.source_tags
    assert np.array_equal(again.network.weights.flat, full.network.weights.flat)


def test_tags_are_matched_by_name_as_training_matches_them() -> None:
    for pairs in ({}, {"Zzz": "Drug"}, {"Zzz": "Drug", "Sign": ""}, {"Sign": "Drug"}):
        subject = subject_of({}, {"Drug": "Zzz"})
        label_map = LabelMap(pairs)
        assert subject.source_tags is not None
        wanted = matched_tags(subject.source_tags, subject.target_tags, label_map)
        found = discrepancy.matched_by_name(replace(subject, label_map=label_map))
        assert found == list(zip(*(side.tolist() for side in wanted), strict=True)), pairs


# ---- errors that must be seen ----------------------------------------------------------------


Plant = tuple[Any, str, Callable[[Any], Any]]


def shifted(real: Any) -> Any:
    """The value of a function, 1e-6 too large."""
    return lambda *given, **named: real(*given, **named) + 1e-6


def longer(real: Any) -> Any:
    """The value of a function, a millionth larger."""
    return lambda *given: real(*given) * (1 + 1e-6)


def transposed(real: Any) -> Any:
    return lambda E, A, *rest: real(E, np.ascontiguousarray(A.T), *rest)


def first_shifted(real: Any) -> Any:
    def wrong(*given: Any, **named: Any) -> Any:
        value, *rest = real(*given, **named)
        return (value + 1e-6, *rest)

    return wrong


def any_tags(real: Any) -> Any:
    def wrong(tags: Any, scheme: str) -> Any:
        m = len(tags)
        return np.ones(m, bool), np.ones(m, bool), np.ones((m, m), bool)

    return wrong


def no_legal_ends(real: Any) -> Any:
    def wrong(*given: Any) -> Any:
        head = given[5]
        return real(*given[:5], head._replace(may_end=np.ones_like(head.may_end)), *given[6:])

    return wrong


def unmasked(real: Any) -> Any:
    return lambda table, words, mask, *rest: real(table, words, None, *rest)


def repeated(real: Any) -> Any:
    drawn: list[Any] = []

    def wrong(*given: Any) -> Any:
        drawn.append(real(*given))
        return drawn[0]

    return wrong


PLANTS: dict[str, tuple[Plant, str]] = {
    "log Z of the reference": ((crf, "log_partition", shifted), "reference against all paths"),
    "log Z of the kernels": ((likelihood, "crf_forward", first_shifted), "scaled space against"),
    "transitions of the reference": ((crf, "_backward_messages", transposed), "marginals"),
    "forward messages": ((crf, "_forward_messages", transposed), "Eq. (1): log Z"),
    "best path": ((likelihood, "crf_viterbi", transposed), "score of the best path"),
    "any tags are legal": (
        (tag_names, "legal_start_end_transition", any_tags),
        "decoder, legal tags",
    ),
    "no legal ends": (
        (decoding_kernels, "best_tags", no_legal_ends),
        "decoder, legal tags, drawn scores",
    ),
    "rules of BIOES": ((decoding, "legal_start_end_transition", any_tags), "legal tags of BIOES"),
    "MMD": ((mmd, "mean_kernel_forward", longer), "reference against the double sum"),
    "MMD of the kernels": ((discrepancy, "mmd_forward", first_shifted), "Eq. (4): MMD"),
    "MMD of the loss": ((mmd_step.MmdTerm, "finish", shifted), "loss of sec. 4.2, mmd"),
    "NLL of the loss": ((likelihood_step, "crf_forward", first_shifted), "loss of sec. 4.2, sou"),
    "KL": ((transfer, "divergence_forward", first_shifted), "Eq. (6): KL, layers"),
    "KL of the reference": ((divergence, "marginals", transposed), "Eq. (6): KL, reference"),
    "L_p": ((transfer, "parameter_transfer_forward", shifted), "L_p: layers"),
    "squared norm": ((loss, "regulariser_forward", shifted), "loss of sec. 4.2, reg"),
    "sigmoid": ((lstm, "sigmoid", shifted), "hidden states H"),
    "norm of gradients": ((step, "global_norm", shifted), "AdaGrad: global norm"),
    "AdaGrad": ((step, "adagrad_rows_step", first_shifted), "AdaGrad, reference"),
    "the same mask twice": ((step, "dropout_mask", repeated), "two masks agree"),
    "masks of the characters' model": (
        (encoder_module, "check_mask", lambda real: lambda mask, X: mask.fill(1.0)),
        "loss of sec. 4.2",
    ),
}


@pytest.mark.usefixtures("few_paths")
@pytest.mark.parametrize(("plant", "seen"), PLANTS.values(), ids=PLANTS)
def test_an_error_is_seen(
    plant: Plant, seen: str, full: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, name, wrong = plant
    monkeypatch.setattr(module, name, wrong(getattr(module, name)))
    audit = check_equations(full, sentences=4)
    assert not audit.passed
    assert seen in failed(audit)


@pytest.mark.usefixtures("few_paths")
def test_masks_of_other_values_are_seen(full: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    real = step.dropout_mask

    def unscaled(*given: Any) -> Any:
        mask = real(*given)
        return None if mask is None else np.minimum(mask, 1.0)

    monkeypatch.setattr(step, "dropout_mask", unscaled)
    assert "values of the mask" in failed(check_equations(full, sentences=2))
    monkeypatch.setattr(step, "dropout_mask", lambda *given: None)
    assert ": mask" in failed(check_equations(full, sentences=2))
    without = subject_of({"model": {"dropout": 0.0}})
    monkeypatch.setattr(step, "dropout_mask", lambda *given: np.ones((2, 2)))
    assert "dropout 0: mask" in failed(check_equations(without, sentences=2))


@pytest.mark.usefixtures("few_paths")
def test_projections_of_the_other_domain_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    masked = subject_of({"method": "domain-mask"})
    linear = subject_of({"method": "linear-projection"})
    real = network_module.domain_mask
    monkeypatch.setattr(
        network_module,
        "domain_mask",
        lambda domain, *rest, **more: real("source", *rest, **more),
    )
    assert "emission scores E" in failed(check_equations(masked, sentences=2))
    monkeypatch.setattr(network_module, "projection_name", lambda *_: "source_projection.T")
    assert "emission scores E" in failed(check_equations(linear, sentences=2))


def test_a_wrong_label_map_is_seen(full: Subject) -> None:
    s, t = full.objective.matched
    objective = full.objective.tied(matched=(s, np.roll(t, 1)))
    audit = check_equations(replace(full, objective=objective), sentences=4)
    assert "matched tags, by number against by name" in failed(audit)


@pytest.mark.usefixtures("few_paths")
def test_weights_that_are_not_numbers_fail(full: Subject) -> None:
    for name in (f"{SOURCE}.A", f"{SOURCE}.W", f"{SOURCE}.b"):
        network = full.network.copy()
        network.weights[name].flat[1] = math.nan
        audit = check_equations(replace(full, network=network), sentences=3)
        assert not audit.passed, name


def test_sentences_of_one_token_are_enough(full: Subject) -> None:
    one = full.target[0]
    short = one._replace(words=one.words[:1], tags=one.tags[:1], spellings=np.zeros(1, np.int64))
    audit = check_equations(replace(full, target=(short,), source=(short,)))
    assert audit.passed, audit


def test_a_sentence_is_named_by_its_domain_and_line() -> None:
    words = Corpus("t", (Sentence(("x",), ("S-Sign",), 7),), "BIOES")
    subject = model_subject_of(words)
    audit = check_equations(subject)
    # both domains are held against it; in which one rounding is larger is no matter here
    assert any(line.detail in ("source line 7", "target line 7") for line in audit.lines)


def model_subject_of(corpus: Corpus) -> Subject:
    prepared = prepare(small_config(), small_corpora())
    return model_subject(build_model(prepared, prepared.network, {}, {}), corpus)
