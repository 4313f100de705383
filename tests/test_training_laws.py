"""Ten steps of every method against a training loop that shares no code with the trainer's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from slow_training import SlowTrainer, Watched, watch

from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.options.config import Config, parse_config
from ladtl_np.options.methods import METHODS
from ladtl_np.training.preparation import prepare
from ladtl_np.training.prepared import Corpora

# a map that puts the target's types in another order than the source's
PERMUTED = {"disease": "symptom", "drug": "body", "test": "cure"}
# one pair by name, one through the map, and a type on either side that matches nothing
PARTLY = {"disease": "symptom", "drug": "drug"}
SOURCE_TYPES = ["disease", "drug", "test"]
TARGET_TYPES = {"permuted": ["body", "cure", "symptom"], "partly": ["body", "drug", "symptom"]}

OPTIONS: dict[str, Any] = {
    "threads": 2,
    "model": {"embedding": 4, "hidden": 3, "dropout": 0.3, "emission_bias": True},
    "objective": {"w_reg": 0.01, "w_param": 0.1, "w_mmd": 0.1, "source_share": 0.4},
    "optimizer": {"clip_norm": 1.6, "decay": 0.5, "decay_steps": 4, "learning_rate": 0.2},
    "training": {"steps": 10, "source_batch": 5, "target_batch": 4, "evaluate_every": 1},
}

CHARACTERS = {"hidden": 2, "embedding": 3}
# between the squared MMDs of the labels that these batches hold
FLOOR = 4.0

CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    **{name: (name, "permuted", {}) for name in METHODS},
    **{
        f"{name}, types that differ": (name, "partly", {})
        for name in ("re-training", "joint-training", "la-mmd", "crf-l2", "mmd-crf-l2", "la-dtl")
    },
    **{
        f"{name}, characters": (name, "permuted", {"characters": CHARACTERS})
        for name in ("non-transfer", "linear-projection", "re-training", "la-dtl")
    },
    "no dropout, no clipping": (
        "la-dtl",
        "partly",
        {"model": {"dropout": 0.0}, "optimizer": {"clip_norm": 0.0}},
    ),
    "no bias": ("la-dtl", "partly", {"model": {"emission_bias": False}}),
    "median kernel": ("la-dtl", "permuted", {"objective": {"kernel": "median"}}),
    "median kernel over all tokens": ("mmd-crf-l2", "partly", {"objective": {"kernel": "median"}}),
    "listed kernel": ("la-dtl", "permuted", {"objective": {"kernel": [0.05, 2.0]}}),
    "excluded tags": (
        "la-dtl",
        "permuted",
        {"objective": {"exclude_tags": ["O", "B-drug", "S-test"]}},
    ),
    "floor": ("la-dtl", "partly", {"objective": {"mmd_floor": FLOOR}}),
    "floor and excluded tags": (
        "la-mmd",
        "permuted",
        {"objective": {"mmd_floor": FLOOR, "exclude_tags": ["O", "E-disease"]}},
    ),
    "divergence": ("la-dtl", "permuted", {"objective": {"parameter_transfer": "kl"}}),
    "divergence of both": (
        "crf-l2",
        "permuted",
        {"objective": {"parameter_transfer": "kl", "divergence_gradient": "both"}},
    ),
    "divergence without bias": (
        "mmd-crf-l2",
        "permuted",
        {
            "model": {"emission_bias": False},
            "objective": {"parameter_transfer": "kl", "divergence_gradient": "both"},
        },
    ),
    "shared CRF": ("joint-training", "permuted", {"joint": {"crf": "shared"}}),
    "maps from Xavier": ("linear-projection", "permuted", {"projection": {"init": "xavier"}}),
    "frozen maps": (
        "linear-projection",
        "permuted",
        {"projection": {"init": "xavier", "frozen": True}},
    ),
    "another mask": ("domain-mask", "permuted", {"mask": {"shared_fraction": 0.6}}),
    **{
        f"{similarity} weights of the {mode}": (
            "cd-learning",
            "permuted",
            {"cd": {"similarity": similarity, "mode": mode}},
        )
        for similarity in ("polynomial", "gaussian", "cross-entropy")
        for mode in ("loss", "step")
    },
    "width": ("cd-learning", "permuted", {"cd": {"similarity": "gaussian", "width": 0.3}}),
    "trigrams": ("cd-learning", "permuted", {"cd": {"similarity": "cross-entropy", "order": 3}}),
    **{
        f"{layer} not carried over": (
            "re-training",
            "partly",
            {"characters": CHARACTERS, "reload": {layer: False}},
        )
        for layer in (
            *("words", "characters", "character_lstm", "word_lstm"),
            *("emission", "transition"),
        )
    },
    "a longer first stage": ("re-training", "partly", {"reload": {"source_steps": 13}}),
    **{
        f"{name} from a source's model": (
            name,
            "permuted",
            {"training": {"start": "source-model"}, "characters": CHARACTERS},
        )
        for name in METHODS
        if METHODS[name].source == "with the target"
    },
    "a start from a source's model, types that differ": (
        "la-dtl",
        "partly",
        {"training": {"start": "source-model"}, "reload": {"source_steps": 4, "transition": False}},
    ),
    "a start from a source's model, weighted by the step": (
        "cd-learning",
        "permuted",
        {"training": {"start": "source-model"}, "cd": {"mode": "step"}},
    ),
    "frozen maps after a source's model": (
        "linear-projection",
        "permuted",
        {"training": {"start": "source-model"}, "projection": {"init": "xavier", "frozen": True}},
    ),
    "schedules": (
        "la-dtl",
        "partly",
        {
            "objective": {
                "source_share": "linear(0.9, 0.1)",
                "w_mmd": "cosine(0, 0.4, 0.6)",
                "w_param": "steps(0.5, 0.25: 0, 0.7: 0.2)",
            }
        },
    ),
    "the source alone first": (
        "la-dtl",
        "permuted",
        {"objective": {"source_share": "steps(1, 0.5: 0.3)", "w_mmd": "constant(0.2)"}},
    ),
    "schedules of the divergence": (
        "crf-l2",
        "permuted",
        {"objective": {"parameter_transfer": "kl", "w_param": "linear(0, 0.5)"}},
    ),
    **{
        f"{name} in IOB2": (name, "permuted", {"model": {"scheme": "iob2"}})
        for name in ("non-transfer", "re-training", "cd-learning", "la-dtl")
    },
    "IOB2, types that differ": ("la-dtl", "partly", {"model": {"scheme": "iob2"}}),
    "normalised words": (
        "la-dtl",
        "permuted",
        {"vocabulary": {"lower": True, "digits_to_zero": True}, "characters": CHARACTERS},
    ),
    "nothing unknown": ("la-dtl", "permuted", {"training": {"unknown_probability": 0.0}}),
    "every singleton unknown": ("la-dtl", "partly", {"training": {"unknown_probability": 1.0}}),
}


def options(method: str, changes: dict[str, Any]) -> Config:
    table = {**OPTIONS, "method": method}
    for section, values in changes.items():
        table[section] = {**table.get(section, {}), **values}
    return parse_config(table)


def corpus(name: str, types: list[str], count: int, scheme: str, seed: int) -> Corpus:
    """Sentences of one to seven words, most of them in spans of one to three."""
    rng = np.random.default_rng(seed)
    sentences = []
    for _ in range(count):
        tokens: list[str] = []
        tags: list[str] = []
        for _ in range(int(rng.integers(1, 4))):
            size = int(rng.integers(1, 4))
            if rng.random() < 0.3:
                written = ["O"] * size
            else:
                kind = types[int(rng.integers(len(types)))]
                prefixes = "S" if size == 1 else "B" + "I" * (size - 2) + "E"
                if scheme == "IOB2":
                    prefixes = "B" + "I" * (size - 1)
                written = [f"{prefix}-{kind}" for prefix in prefixes]
            tags += written
            tokens += [f"{'abAB'[rng.integers(4)]}{rng.zipf(1.6) % 40}" for _ in written]
        sentences.append(Sentence(tuple(tokens[:7]), tuple(tags[:7])))
    if scheme == "BIOES":  # a span that the cut left open ends here
        sentences = [replace_last(sentence) for sentence in sentences]
    return Corpus(name, tuple(sentences), scheme)


def replace_last(sentence: Sentence) -> Sentence:
    tags = list(sentence.tags or ())
    prefix, dash, kind = tags[-1].partition("-")
    tags[-1] = {"B": "S", "I": "E"}.get(prefix, prefix) + dash + kind
    return Sentence(sentence.tokens, tuple(tags))


def run(
    case: str, monkeypatch: pytest.MonkeyPatch, training: dict[str, Any] | None = None
) -> tuple[Watched, SlowTrainer]:
    method, matching, changes = CASES[case]
    changes = {**changes, "training": {**changes.get("training", {}), **(training or {})}}
    config = options(method, changes)
    pairs = PERMUTED if matching == "permuted" else {"disease": "symptom"}
    partners = PERMUTED if matching == "permuted" else PARTLY
    types = TARGET_TYPES[matching]
    corpora = Corpora(
        corpus("source", SOURCE_TYPES, 30, "IOB2", seed=1),
        corpus("target", types, 17, "BIOES", seed=2),
    )
    prepared = prepare(config, corpora, LabelMap(pairs))
    assert corpora.source is not None
    spell = None if prepared.characters is None else prepared.characters.spell
    slow = SlowTrainer(
        config, corpora.source, corpora.target, (SOURCE_TYPES, types), partners, spell
    )
    return watch(prepared, monkeypatch), slow


def assert_near(found: Any, wanted: Any, what: str) -> None:
    scale = max(1.0, float(np.abs(wanted).max()))
    np.testing.assert_allclose(found, wanted, rtol=0.0, atol=1e-12 * scale, err_msg=what)


@pytest.mark.parametrize("case", CASES)
def test_ten_steps_equal_the_slow_loop(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    watched, slow = run(case, monkeypatch)
    weights, steps = slow.run(watched)
    assert len(steps) == len(watched.evaluations) == len(watched.batches)
    for evaluation, step in zip(watched.evaluations, steps, strict=True):
        assert evaluation.terms._fields == tuple(step.terms)
        for name, value in step.terms.items():
            assert_near(getattr(evaluation.terms, name), value, f"step {evaluation.step}, {name}")
        assert_near(evaluation.gradient_norm, step.norm, f"step {evaluation.step}, norm")
        assert evaluation.learning_rate == pytest.approx(step.next_rate, rel=1e-15)
    trained = watched.trainer.network.named()
    assert trained.keys() == weights.keys()
    for name, values in weights.items():
        assert_near(trained[name], values, name)
        moved = not np.array_equal(values, watched.starts[-1][name])
        assert moved or name.endswith("projection.T"), name


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_words_seen_once_in_training_are_unknown_with_the_given_probability(
    probability: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched, slow = run("la-dtl", monkeypatch, {"unknown_probability": probability, "steps": 40})
    counts = slow.counts()
    made_unknown = []
    for batch in watched.batches:
        for half, corpus in ((batch.source, slow.source), (batch.target, slow.target)):
            for taken in half:
                sentence = corpus.sentences[taken.number]
                known = slow.rows(sentence)
                once = np.array([counts[slow.normal(token)] == 1 for token in sentence.tokens])
                np.testing.assert_array_equal(taken.rows[~once], known[~once])
                assert ((taken.rows == known) | (taken.rows == 0))[once].all()
                made_unknown += (taken.rows[once] == 0).tolist()
    # three standard deviations
    allowed = 3.0 * np.sqrt(probability * (1.0 - probability) / len(made_unknown))
    assert abs(np.mean(made_unknown) - probability) <= allowed


def test_every_step_draws_a_mask_of_its_own_over_all_inputs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched, _ = run("la-dtl, characters", monkeypatch, {"steps": 40})
    masks = [batch.mask for batch in watched.batches]
    assert all(mask is not None for mask in masks)
    drawn = [mask.tobytes() for mask in masks if mask is not None]
    assert len(set(drawn)) == len(drawn)
    values = np.concatenate([mask for mask in masks if mask is not None])
    rate = OPTIONS["model"]["dropout"]
    assert values.shape[1] == OPTIONS["model"]["embedding"] + 2 * CHARACTERS["hidden"]
    assert set(np.unique(values)) == {0.0, 1.0 / (1.0 - rate)}
    allowed = 4.0 * np.sqrt(rate * (1.0 - rate) / len(values))
    assert (np.abs((values == 0.0).mean(axis=0) - rate) < allowed).all()


def test_clipping_and_the_floor_have_steps_and_labels_on_either_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    norms = [evaluation.gradient_norm for evaluation in run("la-dtl", monkeypatch)[0].evaluations]
    assert min(norms) < OPTIONS["optimizer"]["clip_norm"] < max(norms)

    def after_ten_steps(floor: float) -> bytes:
        objective = {"mmd_floor": floor}
        monkeypatch.setitem(CASES, "probe", ("la-dtl", "partly", {"objective": objective}))
        return run("probe", monkeypatch)[0].trainer.network.weights.flat.tobytes()

    # with every label below the floor, with some, with none
    assert len({after_ten_steps(floor) for floor in (1e3, FLOOR, 0.0)}) == 3
