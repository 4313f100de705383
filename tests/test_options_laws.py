"""Every option, moved off its default, changes what it says and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from law_options import Base, config_of, options_of
from option_rows import MOVES, Move
from run_facts import Facts, facts_of

from ladtl_np.corpus.formats.reading import ReadOptions
from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DataError
from ladtl_np.layers.mmd_variances import REFERENCE_VARIANCES
from ladtl_np.options.config import DEFAULTS
from ladtl_np.options.data_options import MoreSource
from ladtl_np.options.method_checks import has_effect
from ladtl_np.options.methods import METHODS, Method
from ladtl_np.runs.run import read_corpora
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.trainer import Trainer

FactsOf = Callable[[Base], Facts]
WEIGHTLESS = frozenset(
    {"evaluations", "best", "epochs", "evaluated", "files", "matches", "tags"}
    | {"evaluation's tags", "predictions", "model's tags"}
)
"""Facts on which no weight depends."""
USERS: dict[str, tuple[Any, Callable[[Method], bool]]] = {
    "objective.source_share": (0.6, lambda method: method.source == "with the target"),
    "objective.w_mmd": (0.5, lambda method: method.mmd != "none"),
    "objective.kernel": ([1.0], lambda method: method.mmd != "none"),
    "objective.mmd_floor": (100.0, lambda method: method.mmd != "none"),
    "objective.exclude_tags": (["O"], lambda method: method.mmd == "each label"),
    "objective.w_param": (0.5, lambda method: method.parameter_transfer),
    "training.epoch": ("target", lambda method: method.source == "with the target"),
    "training.batches": ("label-balanced", lambda method: method.mmd != "none"),
    "training.source_batch": (9, lambda method: method.source != "unused"),
    "data.source_fraction": (0.7, lambda method: method.source != "unused"),
}
"""Which methods an option has an effect with, and the value that it is moved to."""


@pytest.fixture(scope="module")
def facts(law_files: Path) -> FactsOf:
    """Facts of a run by its options, each run once."""
    known: dict[str, Facts] = {}

    def facts(options: Base) -> Facts:
        key = repr(sorted(options.items()))
        if key not in known:
            known[key] = facts_of(config_of(law_files, options), law_files)
        return known[key]

    return facts


def differing(before: Facts, after: Facts) -> set[str]:
    """Names of the facts that differ."""
    assert before.keys() == after.keys()
    return {name for name in before if before[name] != after[name]} - {"model's options"}


def differs_throughout(before: Any, after: Any) -> bool:
    """Whether all parameters of a part of the network differ."""
    return before.keys() != after.keys() or all(before[name] != after[name] for name in before)


def with_what_follows(changes: frozenset[str]) -> set[str]:
    """A first update follows the gradients and start values; the last weights, all that trains."""
    found = set(changes)
    if any(name.startswith(("d ", "start ")) for name in found):
        found.add("first update")
    if found - WEIGHTLESS:
        found.add("last weights")
    return found


def name_of(move: Move) -> str:
    under = "".join(f"-{key}={value}" for key, value in move.base.items())
    return f"{move.key}={move.value}{under}"


def test_every_option_has_a_row() -> None:
    keys = {key for key, _ in options_of(DEFAULTS)}
    # that file is made of a trained model: test_source_free.py
    assert {move.key for move in MOVES} == keys - {"data.source_model"}


@pytest.mark.parametrize("move", MOVES, ids=name_of)
def test_an_option_changes_what_it_says_and_nothing_else(move: Move, facts: FactsOf) -> None:
    before, moved = facts(move.base), {**move.base, move.key: move.value}
    if move.refused:
        with pytest.raises(DataError):
            facts(moved)
        return
    after = facts(moved)
    assert differing(before, after) - move.may == with_what_follows(move.changes)
    for name in move.changes:
        if name.startswith(("d ", "start ", "first update")):
            assert differs_throughout(before[name], after[name]), name
    options = [dict(options_of(each["model's options"])) for each in (before, after)]
    differ = {key for key in options[0] if options[0][key] != options[1][key]}
    assert differ == {move.key} - {"threads"}  # which a model file does not hold
    assert move.key == "threads" or plain(options[1][move.key]) == move.value


def plain(value: Any) -> Any:
    """An option's value, of further sources the names of their files alone."""
    several = isinstance(value, list) and any(isinstance(each, MoreSource) for each in value)
    return [{"file": each.file} for each in value] if several else value


@pytest.mark.parametrize("method", METHODS)
def test_an_option_has_an_effect_with_the_methods_that_use_it_and_no_other(
    method: str, facts: FactsOf
) -> None:
    base: Base = {"method": method}
    for key, (value, uses) in USERS.items():
        found = differing(facts(base), facts({**base, key: value}))
        assert bool(found) == uses(METHODS[method]), (key, found)
        assert has_effect(key, METHODS[method]) == bool(found), key


@pytest.mark.parametrize(
    "move", [move for move in MOVES if move.key.startswith("data.source")], ids=name_of
)
def test_a_method_without_a_source_reads_none_of_its_files(move: Move, facts: FactsOf) -> None:
    base: Base = {"method": "non-transfer"}
    assert not differing(facts(base), facts({**base, **move.base, move.key: move.value}))


@pytest.mark.parametrize("method", METHODS)
def test_only_methods_that_train_both_domains_together_share_the_loss(
    method: str, facts: FactsOf, law_files: Path
) -> None:
    config = config_of(law_files, {"method": method})
    prepared = prepare(config, read_corpora(config), LabelMap({"Pain": "Ache"}))
    together = METHODS[method].source == "with the target"
    assert prepared.objective.options.source_share == (0.3 if together else 0.0)
    if not together:
        found = facts({"method": method})
        assert found["total"] == pytest.approx(found["target_nll"] + 1e-4 * found["reg"], rel=1e-12)
        assert (found["source_nll"], found["mmd"], found["param"]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("kernel", "variances"),
    [("reference", REFERENCE_VARIANCES), ("median", None), ([1.0, 3.0], (1.0, 3.0))],
)
def test_the_kernels_variances_are_those_of_its_name(kernel, variances, law_files: Path) -> None:
    config = config_of(law_files, {"objective.kernel": kernel})
    prepared = prepare(config, read_corpora(config), LabelMap({"Pain": "Ache"}))
    assert prepared.objective.options.variances() == variances


def test_excluded_tags_are_named_as_the_source_names_them(law_files: Path) -> None:
    for names in (["O"], ["B-Pain", "I-Sign"], ["S-Drug"]):
        config = config_of(law_files, {"objective.exclude_tags": names})
        prepared = prepare(config, read_corpora(config), LabelMap({"Pain": "Ache"}))
        assert prepared.source_tags is not None
        tags = [prepared.source_tags.tags[row] for row in prepared.objective.matched[0]]
        assert len(tags) == 13
        weights = prepared.objective.label_weights
        assert weights is not None
        assert {tag for tag, weight in zip(tags, weights, strict=True) if not weight} == set(names)


def test_every_step_draws_a_mask_of_its_own_over_all_inputs(facts: FactsOf) -> None:
    masks = [np.frombuffer(data, kind).reshape(shape) for kind, shape, data in facts({})["dropout"]]
    for mask in masks:
        assert mask.shape[1] == 6 + 2 * 2  # embedding, and characters in both directions
        for part in (mask[:, :6], mask[:, 6:]):
            assert set(np.unique(part)) == {0.0, 2.0}
    starts = [mask.ravel()[:64].tobytes() for mask in masks]
    assert len(set(starts)) == len(starts)


@pytest.mark.parametrize(
    "options",
    [
        {"method": "linear-projection"},
        {"method": "domain-mask"},
        {"method": "cd-learning"},
        {"method": "joint-training", "joint.crf": "shared"},
    ],
    ids=lambda options: options["method"],
)
def test_a_shared_crf_does_not_care_what_the_source_calls_its_types(
    options: Base, law_files: Path
) -> None:
    config = config_of(law_files, {**options, "data.label_map": ""})
    corpora = read_corpora(config)
    assert corpora.source is not None
    same = {"Pain": "Ache", "Drug": "Drug", "Sign": "Sign"}
    weights = []
    # renamed, the types come in each of these orders
    for names in (same, {"Ache": "Ache"}, {"A": "Sign", "B": "Ache", "C": "Drug"}):
        renaming = {old: new for new, old in names.items()}
        renamed = _renamed(
            corpora.source, {old: renaming.get(same[old], same[old]) for old in same}
        )
        trainer = Trainer(prepare(config, replace(corpora, source=renamed), LabelMap(names)))
        for _ in trainer.run():
            pass
        weights.append({name: a.tobytes() for name, a in trainer.network.named().items()})
    assert weights[0] == weights[1] == weights[2]


def _renamed(corpus: Corpus, names: dict[str, str]) -> Corpus:
    sentences = []
    for sentence in corpus:
        pairs = [tag.partition("-") for tag in sentence.tags or ()]
        tags = tuple("-".join((p, names[kind])) if kind else p for p, _, kind in pairs)
        sentences.append(replace(sentence, tags=tags))
    return replace(corpus, sentences=tuple(sentences))


def test_options_of_reading_reach_the_files_that_they_are_for(law_files: Path) -> None:
    """The target's apply to its dev and test files as well, the source's to the source alone."""
    config = config_of(law_files, {"data.target_format.rename": {"Drug": "Medicine"}})
    corpora: Corpora = read_corpora(config)
    assert config.data.source_format == ReadOptions()
    read = {"source": corpora.source, "target": corpora.target, "dev": corpora.dev}
    read["test"] = corpora.tests[0]
    for role, corpus in read.items():
        assert corpus is not None
        kinds = {tag[2:] for sentence in corpus for tag in sentence.tags or ()}
        assert ("Medicine" in kinds, "Drug" in kinds) == (role != "source", role == "source")
