"""Text in, tags out, by sentences."""

from __future__ import annotations

import numpy as np
import pytest

from ladtl_np.arrays.workers import Workers
from ladtl_np.bench import tagging_case
from ladtl_np.bench.ours import Ours
from ladtl_np.bench.workloads import WORKLOADS, build_case
from ladtl_np.layers.bilstm import bilstm_forward
from ladtl_np.reference.crf import sequence_score, viterbi


@pytest.mark.parametrize("name", list(WORKLOADS))
@pytest.mark.parametrize("sentences", [1, 16, 256, 2048])
def test_tagging_by_sentences(measure, name: str, sentences: int, threads: int) -> None:
    case = build_case(WORKLOADS[name])
    text = tagging_case.build_tagging_case(case, sentences=sentences)
    part = Ours(case, threads).tagging(text)
    check_first_sentence(case, text, part.view(None)[0])
    curve = f"tagging, {name}"
    facts = {"threads": threads, "tokens": text.tokens}
    measure(part.call, curve=curve, axis="sentences", size=sentences, **facts)


def check_first_sentence(case, text, tags: list[int]) -> None:
    """The path that was found scores what the best path scores."""
    network, words = case.network.astype(np.float64), text.sentences[0].words
    steps = np.arange(words.size + 1)
    hidden, _ = bilstm_forward(network.embedding[words], network.weights, steps, Workers())
    E, A = hidden @ network.weights["target_crf.W"], network.weights["target_crf.A"]
    np.testing.assert_allclose(
        sequence_score(E, A, np.array(tags)), viterbi(E, A)[1], rtol=1e-4, atol=1e-4
    )
