"""What the watch of a training lets pass and what it stops, at its limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ladtl_np.errors import DivergedError
from ladtl_np.model.network import Architecture, Start, initialise
from ladtl_np.objective import LossTerms
from ladtl_np.objective.batching import EncodedSentence
from ladtl_np.options.objective_options import ObjectiveOptions
from ladtl_np.options.parts import AdaGradOptions
from ladtl_np.training.diverged import LISTED, MEANINGLESS, STEPS, Taken, Watch, advised, guessing

TAGS = 5


def sentence(size: int, line: int) -> EncodedSentence:
    return EncodedSentence(np.zeros(size, np.int64), np.zeros(size, np.int64), line=line)


# six tokens in three sentences
TAKEN = (Taken("s", [sentence(1, 7), sentence(2, 9)]), Taken("t", [sentence(3, 4)]))
GUESSED = 1.0 + 6 / 3 * math.log(TAGS)


def step(watch: Watch, total: float, norm: float = 1.0, number: int = 1) -> None:
    watch.step(number, LossTerms(total, 0.0, 0.0, 0.0, 0.0, 0.0), norm, 0.1, TAKEN)


def test_guessing_is_a_mean_over_the_sentences_of_both_domains():
    assert guessing([s for part in TAKEN for s in part.sentences], TAGS) == pytest.approx(GUESSED)
    assert guessing([], TAGS) == 1.0


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_neither_the_loss_nor_the_norm_may_be_without_a_value(bad):
    for total, norm in ((bad, 1.0), (1.0, bad)):
        with pytest.raises(DivergedError, match=r"step 1 diverged: .*s: lines 7, 9; t: lines 4"):
            step(Watch(ObjectiveOptions(), TAGS), total, norm)


@pytest.mark.parametrize(
    "weights", [{}, {"w_mmd": 3.0}, {"w_param": 3.0}, {"w_reg": 3.0}, {"w_mmd": 0.5}]
)
def test_a_loss_means_nothing_above_so_many_times_guessing_and_the_largest_weight(weights):
    watch = Watch(ObjectiveOptions(**weights), TAGS)
    most = MEANINGLESS * GUESSED * (3.0 if 3.0 in weights.values() else 1.0)
    step(watch, most * 0.999)
    assert watch.meaningless == 0
    step(watch, most * 1.001)
    assert watch.meaningless == 1
    step(watch, most * 0.999)
    assert watch.meaningless == 0


def test_so_many_meaningless_steps_on_end_stop_a_training_and_one_at_its_end():
    watch = Watch(ObjectiveOptions(), TAGS)
    for number in range(1, STEPS):
        step(watch, 1e9, number=number)
    with pytest.raises(DivergedError, match=f"step {STEPS} .* {STEPS} steps on end"):
        step(watch, 1e9, number=STEPS)
    watch = Watch(ObjectiveOptions(), TAGS)
    start = Start(recurrent="glorot", projection="identity")
    sizes = Architecture.plain(vocabulary=3, embedding=2, hidden=2, source_tags=0, target_tags=2)
    network = initialise(sizes, np.random.default_rng(0), start)
    step(watch, 1e9, number=8)
    watch.evaluated(8, network, last=False)
    with pytest.raises(DivergedError, match=r"step 8 .* when training ended"):
        watch.evaluated(8, network, last=True)
    step(watch, 1.0, number=9)
    watch.evaluated(9, network, last=True)


@pytest.mark.parametrize("name", ["word_embedding", "backward.U", "target_crf.A"])
def test_a_weight_without_a_value_is_named(name):
    start = Start(recurrent="glorot", projection="identity")
    sizes = Architecture.plain(vocabulary=3, embedding=2, hidden=2, source_tags=0, target_tags=2)
    network = initialise(sizes, np.random.default_rng(0), start)
    watch = Watch(ObjectiveOptions(), TAGS)
    watch.updated(1, network, 0.1)
    network.named()[name][-1] = 1e30  # it is a value, though its square is none
    with np.errstate(over="ignore"):  # as the trainer does
        watch.updated(1, network, 0.1)
    network.named()[name][-1] = np.nan
    with pytest.raises(DivergedError, match=rf"step 2 .*not finite: {name}$"):
        watch.evaluated(2, network, last=False)
    if name != "word_embedding":  # of which an update looks at nothing
        with pytest.raises(DivergedError, match=rf"step 3 .*rate 0.25, .*not finite: {name}$"):
            watch.updated(3, network, 0.25)


def test_many_lines_are_counted_and_no_sentences_told_as_none():
    many = Taken("s", [sentence(1, n) for n in range(LISTED + 2)])
    with pytest.raises(DivergedError, match=rf"lines 0, 1, .*, {LISTED - 1} and 2 more$"):
        Watch(ObjectiveOptions(), TAGS).step(
            1, LossTerms(*[math.nan] * 6), 1.0, 0.1, (many, Taken("t", []))
        )


def test_advice_names_what_is_kept_and_cutting_only_where_there_is_none():
    error = DivergedError("step 4 diverged")
    plain, cut = AdaGradOptions(clip_norm=0.0), AdaGradOptions(clip_norm=2.0)
    assert str(advised(error, None, plain)).endswith(
        "diverged. There is no earlier model. Try a smaller optimizer.learning_rate, "
        "or optimizer.clip_norm=5"
    )
    assert str(advised(error, 3, cut)).endswith(
        "The model of step 3 is kept. Try a smaller optimizer.learning_rate"
    )
