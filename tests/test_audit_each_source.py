"""Audits of several sources: each one with its own tags, pairs, CRF and sentences."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np
import pytest
from small_corpora import small_config
from source_corpora import MAPS, run_through, three_sources

from ladtl_np.audit import Audit, Subject, check_divergence, check_equations, check_mmd
from ladtl_np.audit.each_source import audits_of_each
from ladtl_np.audit.outcome import Tell, noted
from ladtl_np.audit.subject import demo_subject, model_subject
from ladtl_np.audit.subject_notes import OTHERS_STANDING_IN, STANDING_IN
from ladtl_np.model.network import source_head
from ladtl_np.pages.content import Figure, Table
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.training.preparation import prepare
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer


@pytest.fixture(scope="module")
def subject() -> Subject:
    """A trained model of three sources, on sentences of the target."""
    corpora = three_sources()
    trainer = run_through(prepare(small_config(), corpora, *MAPS))
    assert corpora.dev is not None
    return model_subject(build_model(trainer.prepared, trainer.network, {}, {}), corpora.dev)


def test_what_stands_in_for_sources_is_told(subject: Subject) -> None:
    assert STANDING_IN in subject.notes
    corpora = three_sources()
    trainer = Trainer(prepare(small_config(), corpora, *MAPS))
    model = build_model(trainer.prepared, trainer.network, {}, {})
    notes = model_subject(model, corpora.target, corpora.source).notes
    assert OTHERS_STANDING_IN in notes
    assert STANDING_IN not in notes
    one = Trainer(prepare(small_config(), replace(corpora, more_sources=())))
    alone = build_model(one.prepared, one.network, {}, {})
    assert model_subject(alone, corpora.target, corpora.source).notes == ()


def test_masks_of_one_source_are_told_where_there_are_several() -> None:
    for method, told in (("domain-mask", True), ("joint-training", False)):
        started = Trainer(prepare(small_config(method=method), three_sources(alike=True)))
        model = build_model(started.prepared, started.network, {}, {})
        subject = model_subject(model, three_sources().target)
        assert any("mask of a single source" in note for note in subject.notes) == told


def test_each_source_has_its_own_crf_tags_pairs_and_sentences(subject: Subject) -> None:
    assert subject.whole is not None
    each = list(subject.each_source())
    assert [one.number for one in each] == [0, 1, 2]
    for one in each:
        own = subject.whole.network.weights[f"{source_head(one.number)}.A"]
        assert np.array_equal(one.network.weights["source_crf.A"], own)
        assert one.source_tags == subject.whole.heads[one.number].tags
        assert one.label_map == MAPS[one.number]
        assert one.source is subject.whole.sources[one.number]
        assert one.objective.ties[0].matched is subject.whole.objective.ties[one.number].matched
    assert ["S-Medicine" in one.source_tags.tags for one in each if one.source_tags] == [
        *(False, True, False)
    ]
    [alone] = demo_subject().each_source()
    assert alone.whole is None


@pytest.mark.parametrize("check", [partial(check_equations, sentences=3), check_divergence])
def test_an_audit_of_each_passes_and_has_the_name_of_its_source(subject: Subject, check) -> None:
    told: list[tuple[int, int]] = []
    audits = audits_of_each(subject, check, lambda *done: told.append(done))
    assert [audit.key.partition("-")[2] for audit in audits] == ["source", "source2", "source3"]
    assert [audit.title[-13:] for audit in audits] == [f"source {n} of 3" for n in (1, 2, 3)]
    for audit in audits:
        assert audit.passed, str(audit)
    names = [table.name for audit in audits for table in audit.tables]
    assert len(set(names)) == len(names)
    shares = [done / total for done, total in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_error_in_one_source_is_seen_in_its_audit_alone(subject: Subject, number: int) -> None:
    assert subject.whole is not None
    ties = list(subject.whole.objective.ties)
    source, target = ties[number].matched
    ties[number] = ties[number]._replace(matched=(source, np.roll(target, 1)))
    objective = replace(subject.whole.objective, ties=tuple(ties))
    wrong = replace(subject, whole=subject.whole._replace(objective=objective))

    check = partial(check_equations, sentences=3)
    assert [a.passed for a in audits_of_each(wrong, check)] == [n != number for n in range(3)]


def test_tables_and_figures_of_each_have_names_of_their_own(subject: Subject) -> None:
    def draw(pen: Pen) -> list[Figure]:
        with pen.page(1, 1) as drawing:
            return [pen.finish(drawing, "f", "")]

    def check(one: Subject, *, tell: Tell | None) -> Audit:
        return Audit("k", "T", [noted("x", "y")], [], [Table("t", "", [], [])], draw)

    audits = audits_of_each(subject, check)
    pen = Pen([])
    sections = [audit.section(pen) for audit in audits]
    for end, section in zip(("-source", "-source2", "-source3"), sections, strict=True):
        assert [table.name for table in section.tables] == [f"audit-k{end}", f"t{end}"]
        assert section.figures[0].name == f"f{end}"
        assert f'id="f{end}-figure_1"' in section.figures[0].svg
    [alone] = audits_of_each(replace(subject, whole=None), check)
    assert (alone.key, alone.title, alone.tables[0].name) == ("k", "T", "t")
    assert alone.section(pen).figures[0].name == "f"


def test_a_training_is_looked_at_by_the_source_that_is_audited() -> None:
    corpora = three_sources()
    found = []
    for number in range(3):
        prepared = prepare(small_config(), corpora, *MAPS)
        trained = run_through(prepare(small_config(), corpora, *MAPS))
        assert corpora.source is not None
        model = build_model(trained.prepared, trained.network, {}, {})
        each = model_subject(model, corpora.target, corpora.source).each_source()
        one = next(islice(each, number, None))
        audit = check_mmd(one, permutations=19, batches=2, retrain=prepared)
        assert audit.passed, str(audit)
        found.append(audit.numbers["training"][-1]["distances"])
    assert len(set(map(tuple, found))) == 3
