from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_corpora import small_config, small_corpora

from ladtl_np.errors import DivergedError, UsageError
from ladtl_np.model.file import model_bytes
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.options.methods import METHODS
from ladtl_np.training.events import Evaluation, Step
from ladtl_np.training.passes import Passes
from ladtl_np.training.preparation import Corpora, Prepared, prepare
from ladtl_np.training.trained_model import build_model
from ladtl_np.training.trainer import Trainer


def trained(**changes: object) -> Trainer:
    trainer = Trainer(prepare(small_config(**changes), small_corpora()))
    for _ in trainer.run():
        pass
    return trainer


def content(trainer: Trainer) -> bytes:
    return model_bytes(build_model(trainer.prepared, trainer.best, {}, {}))


def test_a_small_tagger_learns_its_corpus() -> None:
    best = trained(training={"steps": 150}).best_evaluation
    assert best is not None
    assert best.scores is not None
    assert best.scores.conlleval.overall.f1 > 0.95


@pytest.mark.parametrize("method", list(METHODS))
def test_promise_27_one_seed_gives_one_model_for_any_number_of_threads(method: str) -> None:
    first, again, parallel = (trained(method=method, threads=threads) for threads in (1, 1, 2))
    assert content(first) == content(again) == content(parallel)


def test_another_seed_gives_another_model() -> None:
    assert content(trained(seed=1)) != content(trained(seed=2))


@pytest.mark.parametrize(
    ("method", "without"),
    [
        ("joint-training", {"w_mmd": 0.0, "w_param": 0.0}),
        ("la-mmd", {"w_param": 0.0}),
        ("crf-l2", {"w_mmd": 0.0}),
    ],
)
def test_la_dtl_without_a_term_is_another_method_bit_for_bit(method, without) -> None:
    other, plain = trained(method=method), trained(method="la-dtl", objective=without)
    assert other.best.embedding.tobytes() == plain.best.embedding.tobytes()
    assert other.best.weights.flat.tobytes() == plain.best.weights.flat.tobytes()


def same_parameters(one: Trainer, other: Trainer) -> bool:
    """Whether all parameters that both have are equal, byte for byte."""
    first, second = one.best.named(), other.best.named()
    return all(first[name].tobytes() == second[name].tobytes() for name in first.keys() & second)


def test_linear_projection_frozen_at_the_identity_is_joint_training_with_a_shared_crf() -> None:
    joint = trained(method="joint-training", joint={"crf": "shared"})
    frozen = trained(method="linear-projection", projection={"init": "identity", "frozen": True})
    assert same_parameters(joint, frozen)
    names = frozen.network.architecture.projections()
    for name in names:
        np.testing.assert_array_equal(frozen.network.weights[name], np.eye(12))
    learned = trained(method="linear-projection")
    assert not same_parameters(joint, learned)
    assert abs(learned.network.weights[names[0]] - np.eye(12)).max() > 1e-3


def test_a_mask_that_shares_every_unit_is_joint_training_with_a_shared_crf() -> None:
    joint = trained(method="joint-training", joint={"crf": "shared"})
    assert same_parameters(joint, trained(method="domain-mask", mask={"shared_fraction": 1.0}))
    assert not same_parameters(joint, trained(method="domain-mask"))


@pytest.mark.parametrize("mode", ["loss", "step"])
def test_cd_learning_with_all_weights_1_is_joint_training_with_a_shared_crf(mode) -> None:
    joint = trained(method="joint-training", joint={"crf": "shared"})
    prepared = prepare(small_config(method="cd-learning", cd={"mode": mode}), small_corpora())
    assert any(sentence.weight != 1.0 for sentence in prepared.source)
    equal = tuple(sentence._replace(weight=1.0) for sentence in prepared.source)
    trainer = Trainer(replace(prepared, sources=(replace(prepared.sources[0], sentences=equal),)))
    for _ in trainer.run():
        pass
    assert same_parameters(joint, trainer)
    assert not same_parameters(joint, trained(method="cd-learning", cd={"mode": mode}))


def test_scaling_all_source_weights_scales_steps_but_not_what_adagrad_sees() -> None:
    """Three sentences' weights halved: `loss` mode is undone by AdaGrad, `step` mode is not."""
    moved = {}
    for mode in ("loss", "step"):
        for weight in (1.0, 0.5):
            config = small_config(
                method="cd-learning",
                cd={"mode": mode},
                training={"steps": 1},
                objective={"source_share": 0.999999, "w_reg": 0.0},
                optimizer={"initial_accumulator": 0.0, "clip_norm": 0.0},
            )
            prepared = prepare(config, small_corpora())
            source = tuple(s._replace(weight=weight) for s in prepared.source)
            start = prepared.network.copy()
            sources = (replace(prepared.sources[0], sentences=source),)
            trainer = Trainer(replace(prepared, sources=sources))
            for _ in trainer.run():
                pass
            moved[mode, weight] = trainer.network.weights["forward.U"] - start.weights["forward.U"]
    np.testing.assert_allclose(moved["loss", 0.5], moved["loss", 1.0], atol=1e-3)
    np.testing.assert_allclose(moved["step", 0.5], 0.5 * moved["step", 1.0], atol=1e-3)


@pytest.mark.parametrize("similarity", ["polynomial", "gaussian", "cross-entropy"])
def test_cd_learning_weighs_source_sentences_between_0_and_1(similarity) -> None:
    config = small_config(method="cd-learning", cd={"similarity": similarity})
    prepared = prepare(config, small_corpora())
    weights = np.array([sentence.weight for sentence in prepared.source])
    assert weights.min() >= 0.0
    assert weights.max() <= 1.0
    assert np.unique(weights).size > 5
    assert all(sentence.weight == 1.0 for sentence in prepared.target)


def test_re_training_starts_from_the_layers_of_the_source_model() -> None:
    config = small_config(method="re-training", reload={"source_steps": 30})
    prepared = prepare(config, small_corpora())
    fresh = prepared.network.copy()
    trainer = Trainer(prepared)
    events = list(trainer.run())
    steps = {stage: [*range(1, count + 1)] for stage, count in (("source", 30), ("target", 40))}
    for stage, expected in steps.items():
        seen = [event for event in events if event.stage == stage]
        assert [event.step for event in seen if isinstance(event, Step)] == expected
        scored = [event.scores for event in seen if isinstance(event, Evaluation)]
        assert [scores is not None for scores in scored] == [stage == "target"] * len(scored)
    assert trainer.network.architecture.source_tags == 0
    # the source's drugs never occur in the target, so their rows are as the source left them
    row = prepared.vocabulary.index["A"]
    assert not np.array_equal(trainer.network.embedding[row], fresh.embedding[row])


def test_re_training_without_any_layer_carried_over_is_non_transfer_on_both_vocabularies() -> None:
    nothing = dict.fromkeys(
        ("words", "characters", "character_lstm", "word_lstm", "emission", "transition"), False
    )
    prepared = prepare(small_config(method="re-training", reload=nothing), small_corpora())
    alone = Trainer(replace(prepared, first_stage=None, network=prepared.network.copy()))
    two_stages = Trainer(prepared)
    for trainer in (two_stages, alone):
        for _ in trainer.run():
            pass
    assert same_parameters(two_stages, alone)


@pytest.mark.parametrize("method", ["joint-training", "la-dtl"])
def test_re_training_is_a_start_from_the_source_with_the_target_alone(method) -> None:
    warm = {"start": "source-model"}
    prepared = prepare(small_config(method=method, training=warm), small_corpora())
    retrained = prepare(small_config(method="re-training"), small_corpora())
    first, wanted = prepared.first_stage, retrained.first_stage
    assert first is not None
    assert wanted is not None
    assert first.network.weights.flat.tobytes() == wanted.network.weights.flat.tobytes()
    alone = replace(
        prepared,
        sources=(),
        objective=prepared.objective.changed(source_share=0.0, w_mmd=0.0, w_param=0.0),
        network=retrained.network.copy(),
    )
    runs = [Trainer(alone), Trainer(retrained), Trainer(prepared)]
    for trainer in runs:
        for _ in trainer.run():
            pass
    ours, theirs, both = (trainer.best for trainer in runs)
    assert ours.weights.flat.tobytes() == theirs.weights.flat.tobytes()
    assert ours.embedding.tobytes() == theirs.embedding.tobytes()
    assert both.architecture.source_tags > 0
    assert both.embedding.tobytes() != ours.embedding.tobytes()


def test_a_constant_schedule_is_the_number_bit_for_bit() -> None:
    plain = trained(objective={"source_share": 0.4, "w_mmd": 0.05, "w_param": 0.1})
    constant = {"source_share": "constant(0.4)", "w_mmd": "linear(0.05, 0.05)"}
    scheduled = trained(objective={**constant, "w_param": "steps(0.1, 0.5: 0.1)"})
    assert same_parameters(plain, scheduled)
    moving = trained(objective={**constant, "w_param": "steps(0.1, 0.5: 0.2)"})
    assert not same_parameters(plain, moving)


def test_an_evaluation_tells_the_weights_of_its_step() -> None:
    config = small_config(objective={"source_share": "steps(0.9, 0.5: 0.1)", "w_mmd": 0.5})
    events = list(Trainer(prepare(config, small_corpora())).run())
    found = [event.weights for event in events if isinstance(event, Evaluation)]
    assert [weights.source_share for weights in found] == [0.9, 0.9, 0.1, 0.1]
    assert {weights[1:] for weights in found} == {(0.5, 0.03, 1e-4)}


def test_the_exact_divergence_trains_another_model_than_the_squared_distance() -> None:
    squared = trained(method="crf-l2")
    exact = trained(method="crf-l2", objective={"parameter_transfer": "kl"})
    assert not same_parameters(squared, exact)
    assert exact.best_evaluation is not None
    assert exact.best_evaluation.terms.param > 0.0


def test_the_strict_f1_can_choose_the_model_and_the_target_can_count_the_epochs() -> None:
    trainer = trained(training={"select_by": "strict", "epoch": "target"})
    best = trainer.best_evaluation
    assert best is not None
    assert best.epoch == pytest.approx(best.step * 4 / 12)


def test_one_mmd_over_all_tokens_trains_another_model() -> None:
    apart, together = trained(method="la-dtl"), trained(method="mmd-crf-l2")
    assert apart.best.weights.flat.tobytes() != together.best.weights.flat.tobytes()


def test_non_transfer_never_looks_at_the_source() -> None:
    corpora = small_corpora()
    config = small_config(method="non-transfer")
    alone = Corpora(None, corpora.target, corpora.dev)
    models = []
    for given in (corpora, alone):
        trainer = Trainer(prepare(config, given))
        assert trainer.prepared.network.architecture.source_tags == 0
        for _ in trainer.run():
            pass
        models.append(trainer.best.weights.flat.tobytes())
    assert models[0] == models[1]


def test_a_method_with_a_source_refuses_to_run_without_one() -> None:
    corpora = small_corpora()
    with pytest.raises(UsageError, match="give one with --source"):
        prepare(small_config(), Corpora(None, corpora.target))


def test_an_unknown_method_is_answered_with_the_list() -> None:
    with pytest.raises(UsageError, match="la-dtl"):
        prepare(small_config(method="magic"), small_corpora())


def test_promise_25_a_diverging_run_stops_with_its_best_model_kept() -> None:
    config = small_config(optimizer={"learning_rate": 1e25})
    trainer = Trainer(prepare(config, small_corpora()))
    with (
        pytest.raises(DivergedError, match=r"step \d+ diverged") as caught,
        np.errstate(all="ignore"),
    ):
        for _ in trainer.run():
            pass
    assert caught.value.exit_code == 4
    assert np.isfinite(trainer.best.embedding).all() or trainer.best_evaluation is None


def test_patience_ends_the_run_after_so_many_evaluations_without_a_better_f1() -> None:
    trainer = Trainer(
        prepare(small_config(training={"steps": 400, "patience": 3}), small_corpora())
    )
    evaluations = [event for event in trainer.run() if isinstance(event, Evaluation)]
    assert [event.best for event in evaluations[-4:]] == [True, False, False, False]
    assert evaluations[-1].step < 400


def test_the_earliest_of_equally_good_models_is_kept() -> None:
    trainer = Trainer(prepare(small_config(training={"steps": 300}), small_corpora()))
    evaluations = [event for event in trainer.run() if isinstance(event, Evaluation)]
    f1 = [event.scores.conlleval.overall.f1 for event in evaluations if event.scores]
    assert trainer.best_evaluation is evaluations[int(np.argmax(f1))]


def test_without_development_data_the_last_model_is_kept() -> None:
    corpora = small_corpora()
    trainer = Trainer(prepare(small_config(), Corpora(corpora.source, corpora.target)))
    last = [event for event in trainer.run() if isinstance(event, Evaluation)][-1]
    assert last.best
    assert trainer.best.weights.flat.tobytes() == trainer.network.weights.flat.tobytes()


def test_every_step_is_reported_and_the_last_step_is_evaluated() -> None:
    trainer = Trainer(prepare(small_config(training={"steps": 25}), small_corpora()))
    events = list(trainer.run())
    assert [event.step for event in events if isinstance(event, Step)] == list(range(1, 26))
    assert [event.step for event in events if isinstance(event, Evaluation)] == [10, 20, 25]


def test_an_epoch_is_one_pass_over_the_larger_training_set() -> None:
    trainer = trained()
    assert trainer.best_evaluation is not None
    # 40 source sentences in batches of 6
    assert trainer.best_evaluation.epoch == pytest.approx(trainer.best_evaluation.step * 6 / 40)


def test_a_stream_gives_every_sentence_once_before_any_twice() -> None:
    sentences = [EncodedSentence(np.array([n]), np.array([0])) for n in range(7)]
    stream = Passes(sentences, np.random.default_rng(0))
    seen = [int(s.words[0]) for _ in range(7) for s in stream.take(3)]
    for start in range(0, 21, 7):
        assert sorted(seen[start : start + 7]) == list(range(7))
    assert seen[:7] != seen[7:14]


def test_excluded_tags_are_left_out_of_the_mmd() -> None:
    prepared: Prepared = prepare(small_config(objective={"exclude_tags": ["O"]}), small_corpora())
    weights = prepared.objective.label_weights
    assert weights is not None
    assert weights[0] == 0.0
    assert (weights[1:] == 1.0).all()
    with pytest.raises(UsageError, match="not tags of the source"):
        prepare(small_config(objective={"exclude_tags": ["B-Nothing"]}), small_corpora())


def test_promise_26_float32_training_stays_near_float64() -> None:
    prepared = prepare(small_config(model={"dropout": 0.0}), small_corpora())
    single = Trainer(prepared)
    for _ in single.run():
        pass
    again = prepare(small_config(model={"dropout": 0.0}), small_corpora())
    double = Trainer(again)
    double.network = again.network.astype(np.float64)
    double.optimizer = type(double.optimizer)(double.network, again.config.optimizer)
    for _ in double.run():
        pass
    # stated distance after 40 steps: 1e-3 of the largest weight
    difference = np.abs(single.network.weights.flat - double.network.weights.flat).max()
    assert difference < 1e-3 * np.abs(double.network.weights.flat).max()


def test_the_two_stages_of_retraining_share_no_chance() -> None:
    prepared = prepare(small_config(method="re-training"), small_corpora())
    first = prepared.first_stage
    assert first is not None
    assert not np.isin(first.network.embedding, prepared.network.embedding).any()
    same = replace(prepared, first_stage=None)  # as if both stages had the same sentences
    streams = [Trainer(same, stage) for stage in ("source", "target")]
    taken = [[s.words.tobytes() for s in trainer.target.take(12)] for trainer in streams]
    assert taken[0] != taken[1]
    assert streams[0].dropout.random(8).tolist() != streams[1].dropout.random(8).tolist()


def test_the_samples_of_two_equal_corpora_differ() -> None:
    corpora = small_corpora()
    source = corpora.source
    assert source is not None
    half = small_config(data={"source_fraction": 0.5, "target_fraction": 0.5})
    prepared = prepare(half, Corpora(source, source))
    drawn = [[s.words.tobytes() for s in side] for side in (prepared.source, prepared.target)]
    assert len(drawn[0]) == len(drawn[1])
    assert drawn[0] != drawn[1]


def test_no_two_choices_of_a_run_share_their_numbers() -> None:
    prepared = prepare(small_config(), small_corpora())
    trainers = [Trainer(prepared, stage) for stage in ("source", "target")]
    drawn = [
        int(rng.integers(2**62))
        for trainer in trainers
        for rng in (trainer.sources[0].rng, trainer.target.rng, trainer.dropout, trainer.unknown)
    ]
    assert len(set(drawn)) == len(drawn)
