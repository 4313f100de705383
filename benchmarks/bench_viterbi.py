"""Viterbi, by length of the sentences and by number of tags; beside CRFsuite where it is there."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.bench import operations
from ladtl_np.layers.crf import crf_viterbi
from ladtl_np.reference.crf import sequence_score, viterbi


@pytest.mark.parametrize("length", [10, 100, 1000, 10_000])
def test_viterbi_by_length(measure, equal_lengths, length: int) -> None:
    run(measure, equal_lengths(length, 8).offsets, 7, "length", length)


@pytest.mark.parametrize("tags", [3, 7, 31, 121, 481])
def test_viterbi_by_tags(measure, equal_lengths, tags: int) -> None:
    run(measure, equal_lengths(40, 32).offsets, tags, "tags", tags)


def run(measure, offsets, m: int, axis: str, size: int) -> None:
    rng = np.random.default_rng(0)
    N, B = int(offsets[-1]), int(offsets[1])
    E = rng.normal(size=(N, m)).astype(np.float32)
    A = rng.normal(size=(m, m)).astype(np.float32)
    best, scores = crf_viterbi(E, A, offsets)
    E64, A64 = E[::B].astype(np.float64), A.astype(np.float64)
    _, wanted = viterbi(E64, A64)
    # equal scores, not equal tags: in float32 two paths may tie
    np.testing.assert_allclose(sequence_score(E64, A64, best[::B]), wanted, rtol=1e-5)
    np.testing.assert_allclose(scores[0], wanted, rtol=1e-4)
    count = operations.viterbi(N, B, m)
    call = lambda: crf_viterbi(E, A, offsets)  # noqa: E731
    measure(call, curve="viterbi", axis=axis, size=size, threads=1, operations=count)


@pytest.mark.parametrize("side", ["ours", "crfsuite"])
def test_decoding_with_the_weights_of_crfsuite(measure, tmp_path, side: str) -> None:
    """The same weights, features and sentences: emissions and Viterbi, from features to tags."""
    crfsuite = pytest.importorskip("pycrfsuite", reason="python-crfsuite is not installed")
    tagger, features, E, A, names, offsets = crfsuite_model(crfsuite, tmp_path)
    prepared = [crfsuite.ItemSequence(sentence) for sentence in features]
    X, W = E

    def ours() -> np.ndarray:
        return crf_viterbi(X @ W, A, offsets)[0]

    def theirs() -> list[list[str]]:
        return [tagger.tag(sentence) for sentence in prepared]

    B = len(prepared)
    found = [[names[tag] for tag in ours()[n::B]] for n in range(B)]
    assert found == theirs()
    call = ours if side == "ours" else theirs
    curve = "decoding" if side == "ours" else "decoding, crfsuite"
    measure(call, curve=curve, axis="tags", size=len(names), threads=1)


def crfsuite_model(crfsuite, folder, m: int = 31, inputs: int = 64, B: int = 32, T: int = 40):
    """Train a few steps on random sentences, and read the weights back."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(T * B, inputs))
    tags = [[f"t{y}" for y in rng.integers(0, m, T)] for _ in range(B)]
    features = [
        [{f"x{k}": float(v) for k, v in enumerate(X[t * B + n])} for t in range(T)]
        for n in range(B)
    ]
    trainer = crfsuite.Trainer(verbose=False)
    for sentence, gold in zip(features, tags, strict=True):
        trainer.append(sentence, gold)
    options = {"max_iterations": 3, "feature.possible_states": 1, "feature.possible_transitions": 1}
    trainer.set_params(options)
    trainer.train(str(folder / "model"))
    tagger = crfsuite.Tagger()
    tagger.open(str(folder / "model"))
    names, info = sorted(tagger.labels()), tagger.info()
    row = {name: number for number, name in enumerate(names)}
    W, A = np.zeros((inputs, len(names))), np.zeros((len(names), len(names)))
    for (feature, name), weight in info.state_features.items():
        W[int(feature[1:]), row[name]] = weight
    for (before, after), weight in info.transitions.items():
        A[row[before], row[after]] = weight
    offsets = np.arange(0, (T + 1) * B, B)
    return tagger, features, (X, W), A, names, offsets
