"""What re-training carries over: each layer by its own switch, and of a CRF only matched tags."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from ladtl_np.model.network import EMBEDDING, Architecture, Network, Start, initialise
from ladtl_np.objective.terms import SourceTie
from ladtl_np.options.method_options import ReloadOptions
from ladtl_np.training.reloading import carry_layers

MATCHED = np.array([0, 3, 1]), np.array([0, 1, 4])  # source tags, target tags
SWITCHES = ReloadOptions.__struct_fields__
NONE = dict.fromkeys(("words", "characters", "character_lstm", "word_lstm", "emission"), False)
NONE["transition"] = False


def network(tags: int, seed: int, *, bias: bool = True, characters: int = 6) -> Network:
    """A network of one domain with random numbers everywhere, biases included."""
    plain = Architecture.plain(vocabulary=9, embedding=3, hidden=2, source_tags=0, target_tags=tags)
    sizes = msgspec.structs.replace(
        plain,
        emission_bias=bias,
        characters=characters,
        character_embedding=2 if characters else 0,
        character_hidden=2 if characters else 0,
    )
    rng = np.random.default_rng(seed)
    made = initialise(sizes, rng, Start(recurrent="glorot", projection="identity"), np.float64)
    for array in made.named().values():
        array[...] = rng.normal(size=array.shape)
    return made


def layer_of(name: str) -> str:
    """The switch that a parameter belongs to."""
    if name == EMBEDDING:
        return "words"
    if name == "characters.embedding":
        return "characters"
    if name.startswith("characters."):
        return "character_lstm"
    if name.startswith("target_crf"):
        return "transition" if name.endswith(".A") else "emission"
    return "word_lstm"


@pytest.mark.parametrize("switch", [*NONE, "all", "none"])
def test_a_switch_carries_its_layer_and_no_other(switch):
    new, old = network(5, seed=1), network(4, seed=2)
    before = new.copy().named()
    on = {name: switch in (name, "all") for name in NONE}
    carry_layers(new, old, [SourceTie(MATCHED)], ReloadOptions(**on))
    s, t = MATCHED
    for name, array in new.named().items():
        expected, source = before[name].copy(), old.named()[name]
        if on[layer_of(name)]:
            if name.endswith("crf.A"):
                expected[np.ix_(t, t)] = source[np.ix_(s, s)]
            elif name.startswith("target_crf"):
                expected[..., t] = source[..., s]
            else:
                expected = source
        np.testing.assert_array_equal(array, expected, err_msg=name)


@pytest.mark.parametrize("shared", [False, True])
def test_a_network_of_two_domains_gets_the_crf_for_both(shared):
    plain = Architecture.plain(vocabulary=9, embedding=3, hidden=2, source_tags=4, target_tags=5)
    if shared:
        plain = msgspec.structs.replace(plain, source_tags=5, shared_crf=True)
    start = Start(recurrent="glorot", projection="identity")
    new = initialise(plain, np.random.default_rng(1), start, np.float64)
    old, before = network(4, 2, bias=False, characters=0), new.copy().weights
    carry_layers(new, old, [SourceTie(MATCHED)], ReloadOptions())
    s, t = MATCHED
    crf = "shared_crf" if shared else "target_crf"
    wanted = before[f"{crf}.W"].copy()
    wanted[:, t] = old.weights["target_crf.W"][:, s]
    np.testing.assert_array_equal(new.weights[f"{crf}.W"], wanted)
    wanted = before[f"{crf}.A"].copy()
    wanted[np.ix_(t, t)] = old.weights["target_crf.A"][np.ix_(s, s)]
    np.testing.assert_array_equal(new.weights[f"{crf}.A"], wanted)
    for kind in () if shared else "WA":
        found = new.weights[f"source_crf.{kind}"]
        np.testing.assert_array_equal(found, old.weights[f"target_crf.{kind}"])
    for switch, kind in (("emission", "W"), ("transition", "A")):
        one = initialise(plain, np.random.default_rng(1), start, np.float64)
        carry_layers(one, old, [SourceTie(MATCHED)], ReloadOptions(**{switch: False}))
        for name in before:
            same = np.array_equal(one.weights[name], before[name])
            assert same == ("_crf" in name and name.endswith(kind)), name


def test_what_a_network_does_not_have_is_not_carried():
    for new, old in (
        (network(5, 1, characters=0), network(4, 2, characters=0)),
        (network(5, 1, bias=False), network(4, 2, bias=False)),
    ):
        carry_layers(new, old, [SourceTie(MATCHED)], ReloadOptions())
        np.testing.assert_array_equal(new.weights["forward.W"], old.weights["forward.W"])


def test_every_switch_is_tried():
    assert set(NONE) == {name for name in SWITCHES if name != "source_steps"}
    assert {layer_of(name) for name in network(5, seed=1).named()} == set(NONE)


def test_of_several_sources_the_targets_crf_starts_as_their_mean_by_the_shares():
    """What only some of them match is the mean of those; what none does stays."""
    new = network(5, seed=1)
    sizes = {"vocabulary": 9, "embedding": 3, "hidden": 2, "source_tags": 4, "target_tags": 3}
    plain = msgspec.structs.replace(
        Architecture.plain(**sizes),
        emission_bias=True,
        characters=6,
        character_embedding=2,
        character_hidden=2,
        more_source_tags=(2,),
    )
    rng = np.random.default_rng(3)
    old = initialise(plain, rng, Start(recurrent="glorot", projection="identity"), np.float64)
    for array in old.named().values():
        array[...] = rng.normal(size=array.shape)
    places = (([0, 2], [0, 3]), ([0, 1, 3], [0, 4, 3]), ([1], [4]))
    heads = (
        "target_crf",
        "source_crf",
        "source2_crf",
    )  # of the first source, the second, the third
    shares = (0.5, 0.3, 0.2)
    ties = [
        SourceTie((np.array(s), np.array(t)), None, share)
        for (s, t), share in zip(places, shares, strict=True)
    ]
    before = new.copy()
    carry_layers(new, old, ties, ReloadOptions())
    for kind in "WAb":
        expected = before.weights[f"target_crf.{kind}"].copy()
        for place in np.ndindex(expected.shape):
            tags = {"W": place[1:], "A": place, "b": place}[kind]
            found, weight = 0.0, 0.0
            for head, (s, t), share in zip(heads, places, shares, strict=True):
                if all(tag in t for tag in tags):
                    own = tuple(s[t.index(tag)] for tag in tags)
                    lead = place[:1] if kind == "W" else ()
                    found += share * old.weights[f"{head}.{kind}"][(*lead, *own)]
                    weight += share
            if weight:
                expected[place] = found / weight
        np.testing.assert_allclose(new.weights[f"target_crf.{kind}"], expected, rtol=1e-12)
