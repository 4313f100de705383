"""What a trained model leaves apart: the MMD of each label over the training sentences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_corpora import small_config, small_corpora

from ladtl_np.arrays.workers import Workers, single_threaded_blas
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.objective.batching import domain_batch
from ladtl_np.objective.encoder import encoder_forward
from ladtl_np.reference.mmd import mmd_forward
from ladtl_np.runs import hidden_rows
from ladtl_np.runs.folder import RunFolder
from ladtl_np.runs.label_mmd import label_mmds
from ladtl_np.runs.manifest import read_manifest
from ladtl_np.runs.run import Run
from ladtl_np.training.preparation import Prepared, prepare


def prepared_as(method: str = "la-dtl", **changes: object) -> Prepared:
    return prepare(small_config(method=method, **changes), small_corpora())


def rows_of(prepared: Prepared, tag: str) -> list[np.ndarray]:
    """Hidden states of a tag's tokens in either domain, all sentences in one batch."""
    batch = domain_batch([prepared.source, prepared.target], prepared.spelled)
    with single_threaded_blas():
        hidden, _ = encoder_forward(prepared.network, batch, None, Workers())
    assert prepared.source_tags is not None
    tags = prepared.source_tags, prepared.target_tags
    return [
        hidden[half.rows[half.tags == own.index[tag]]].astype(np.float64)
        for half, own in zip((batch.source, batch.target), tags, strict=True)
    ]


@pytest.mark.parametrize("changes", [{}, {"characters": {"hidden": 2}}])
def test_each_label_has_the_reference_value_however_sentences_are_batched(
    changes: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hidden_rows, "_CHUNK", 3)
    prepared = prepared_as(**changes)
    found = label_mmds(prepared.network, prepared, Workers())
    assert len(found) >= 4
    for label in found:
        X, Z = rows_of(prepared, label.source)
        value = mmd_forward(X, Z, REFERENCE_VARIANCES)
        assert (label.source_tokens, label.target_tokens) == (len(X), len(Z))
        assert label.mmd == pytest.approx(value, rel=1e-4, abs=1e-4)
        assert 0 < label.mmd < 2 * len(REFERENCE_VARIANCES)


def test_equal_domains_are_not_apart() -> None:
    prepared = prepared_as()
    same = replace(prepared, target=prepared.source, target_tags=prepared.source_tags)
    every = np.arange(len(same.target_tags))
    same = replace(same, objective=same.objective.tied(matched=(every, every)))
    found = label_mmds(same.network, same, Workers())
    assert {"O", "B-Drug", "E-Drug", "S-Sign"} == {label.target for label in found}
    assert all(abs(label.mmd) < 1e-5 for label in found)


def test_a_label_that_one_sample_lacks_is_left_out() -> None:
    corpora = small_corpora()
    drugs_only = [s for s in corpora.target if "S-Sign" not in (s.tags or ())]
    fewer = replace(corpora, target=Corpus("target", tuple(drugs_only), "BIOES"))
    prepared = prepare(small_config(method="la-dtl"), fewer)
    told = {label.source for label in label_mmds(prepared.network, prepared, Workers())}
    assert "S-Sign" not in told
    assert {"O", "B-Drug", "E-Drug"} <= told


@pytest.mark.parametrize("method", ["non-transfer", "re-training"])
def test_a_method_that_trains_one_domain_at_a_time_has_none(method: str) -> None:
    prepared = prepared_as(method)
    assert label_mmds(prepared.network, prepared, Workers()) == []


def test_many_sentences_and_tokens_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden_rows, "MOST_SENTENCES", 10)
    monkeypatch.setattr(hidden_rows, "MOST_ROWS", 4)
    prepared = prepared_as()
    found = label_mmds(prepared.network, prepared, Workers())
    assert max(label.source_tokens for label in found) == 4
    assert found == label_mmds(prepared.network, prepared, Workers(2))


def test_a_finished_run_tells_it_in_its_manifest(tmp_path: Path) -> None:
    prepared, corpora = prepared_as(), small_corpora()
    with RunFolder(tmp_path / "run") as folder, single_threaded_blas():
        run = Run(prepared, corpora, folder, [])
        for _ in run.train():
            pass
        run.finish()
        wanted = label_mmds(run.trainer.best, prepared, Workers())
    assert wanted
    assert read_manifest(tmp_path / "run").label_mmd == wanted
