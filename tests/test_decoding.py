"""Laws of decoding: packed sentences of all lengths get the tags that each gets by itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import path_score
from shapes_at_random import random_network
from slow_decoding import is_legal, slow_scores, slow_tags

from ladtl_np.arrays.workers import Workers
from ladtl_np.corpus.characters import Characters
from ladtl_np.corpus.labels import TagSet
from ladtl_np.corpus.schemes import illegal_positions, to_bioes
from ladtl_np.corpus.vocabulary import Vocabulary
from ladtl_np.errors import ScoreError
from ladtl_np.model import decoding
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.network import SOURCE, TARGET, Network
from ladtl_np.model.tag_names import TagNames

WORDS = ("<unk>", "a", "b", "cc", "d0", "Eb")
VOCABULARY = Vocabulary(WORDS, lower=False, digits_to_zero=False)
LOWERED = Vocabulary(("<unk>", "a", "b", "cc", "d0", "eb"), lower=True, digits_to_zero=True)
LEGAL = {"constrained": True, "emission_bias": True}
ALPHABET = Characters(("<unk>", "a", "b", "c", "E", "0"), lower=False)
TOKENS = ("a", "b", "cc", "d0", "Eb", "d7", "never", "A", "bcb")
LENGTHS = (7, 1, 3, 0, 12, 2, 1, 5, 3, 0, 9, 1, 2, 4, 4, 1)
ONE, TWO, THREE = (TagSet.of_types(types) for types in ("A", "AB", ("A", "B", "C")))

KINDS = {
    "two CRFs": {},
    "emission bias": {"bias": True},
    "linear maps": {"shared_crf": True, "projection": "linear", "bias": True},
    "masks": {"shared_crf": True, "projection": "mask", "shared_fraction": 1 / 3},
    "characters": {"characters": 6, "character_embedding": 3, "character_hidden": 2, "bias": True},
}
TYPES = {"one type": (ONE, ONE), "several types": (THREE, TWO)}  # source and target


def sentences(rng: np.random.Generator) -> list[tuple[str, ...]]:
    return [tuple(rng.choice(TOKENS, size=T).tolist()) for T in LENGTHS]


def network_of(rng: np.random.Generator, source: TagSet, target: TagSet, **kind) -> Network:
    if kind.get("shared_crf"):
        source = target
    sizes = {"words": len(WORDS), "embedding": 4, "hidden": 5, "scale": 1.2}
    tags = {"source_tags": len(source), "target_tags": len(target)}
    network = random_network(rng, **sizes, **tags, **kind).astype(np.float32)
    for name, array in network.weights.items():
        if name.endswith("_crf.W"):
            array *= 6.0  # the words count for more than bias and transitions
    return network


def decode(network: Network, tags: TagSet, text, *, head=TARGET, threads=1, **how):
    decoder = Decoder(
        network, VOCABULARY, tags, head=head, workers=Workers(threads), **{**LEGAL, **how}
    )
    return decoder.tag(text)


@pytest.mark.parametrize("types", TYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_packed_sentences_get_the_tags_that_each_gets_by_itself(kind, types):
    rng = np.random.default_rng(len(kind))
    characters = ALPHABET if kind == "characters" else None
    for _ in range(4):
        network = network_of(rng, *TYPES[types], **KINDS[kind])
        shared = network.architecture.shared_crf
        source, target = (TYPES[types][1],) * 2 if shared else TYPES[types]
        text = sentences(rng)
        for head, tags in ((SOURCE, source), (TARGET, target)):
            for constrained, bias in itertools.product((True, False), repeat=2):
                how = {"constrained": constrained, "emission_bias": bias, "characters": characters}
                found = decode(network, tags, text, head=head, **how)
                assert found == [
                    slow_tags(network, VOCABULARY, tags.tags, sentence, head, **how)
                    for sentence in text
                ]
                assert not constrained or all(map(is_legal, found))


@pytest.mark.parametrize("types", ["A", "AB"])
@pytest.mark.parametrize("constrained", [True, False])
def test_a_model_of_iob2_gets_its_own_best_tags_and_gives_them_in_bioes(types, constrained):
    tags, illegal = TagSet.of_types(types, "IOB2"), 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        network, text = network_of(rng, tags, tags), sentences(rng)
        how = {"constrained": constrained}
        own = decode(network, tags, text, own_scheme=True, **how)
        assert own == [
            slow_tags(network, VOCABULARY, tags.tags, sentence, TARGET, scheme="IOB2", **how)
            for sentence in text
        ]
        illegal += sum(bool(illegal_positions(found, "IOB2")) for found in own)
        given = decode(network, tags, text, threads=2, **how)
        assert given == [to_bioes(found, "IOB2") for found in own]
        assert all(map(is_legal, given))
    assert (illegal == 0) == constrained


@given(data=st.data())
def test_names_in_bioes_are_those_of_the_spans(data):
    tags = TagSet.of_types(["A", "B-C"], "IOB2")
    rows = st.lists(st.integers(0, len(tags) - 1), max_size=6)
    several = data.draw(st.lists(rows, max_size=5))
    best = np.array([row for sentence in several for row in sentence], np.int64)
    lengths = [len(sentence) for sentence in several]
    wanted = [tags.decode(sentence) for sentence in several]
    assert TagNames(tags, own=True).of(best, lengths) == [tag for each in wanted for tag in each]
    assert TagNames(tags, own=False).of(best, lengths) == [
        tag for each in wanted for tag in to_bioes(each, "IOB2")
    ]


@pytest.mark.parametrize("lower", [False, True])
def test_words_are_looked_up_as_the_vocabulary_says_and_spelled_as_the_alphabet_says(lower):
    rng = np.random.default_rng(11)
    network = network_of(rng, TWO, TWO, **KINDS["characters"])
    text = sentences(rng)
    for characters in (ALPHABET, Characters(ALPHABET.characters, lower=True)):
        vocabulary = LOWERED if lower else VOCABULARY
        decoder = Decoder(network, vocabulary, TWO, characters=characters, **LEGAL)
        for sentence, found in zip(text, decoder.tag(text), strict=True):
            expected = slow_tags(
                network, vocabulary, TWO.tags, sentence, TARGET, characters=characters
            )
            assert found == expected


# ---- what is illegal -----------------------------------------------------------------------------


def insistent(tags: TagSet, *, favoured: str = "", step: tuple[str, str] | None = None) -> Network:
    """A network that wants one tag, or one step, whatever the words are."""
    rng = np.random.default_rng(5)
    network = network_of(rng, tags, tags, bias=True)
    for name in ("W", "A", "b"):
        network.weights[f"target_crf.{name}"][...] *= 0.05
    if favoured:
        network.weights["target_crf.b"][tags.index[favoured]] = 40.0
    if step:
        network.weights["target_crf.A"][tags.index[step[0]], tags.index[step[1]]] = 40.0
    return network


def check_insistent(network: Network, tags: TagSet, wrong) -> None:
    """Legal at every length, the best of what is legal, and without the constraint wrong."""
    text = sentences(np.random.default_rng(6))
    found = decode(network, tags, text)
    assert all(map(is_legal, found))
    for constrained in (True, False):
        assert decode(network, tags, text, constrained=constrained) == [
            slow_tags(network, VOCABULARY, tags.tags, sentence, TARGET, constrained=constrained)
            for sentence in text
        ]
    free = decode(network, tags, text, constrained=False)
    lengths = {len(path) for path in free if path and wrong(path)}
    assert lengths >= {length for length in LENGTHS if length > 1}  # short ones and the longest


@pytest.mark.parametrize("tags", [ONE, TWO, THREE], ids=["one type", "two types", "three types"])
@pytest.mark.parametrize("prefix", "BIE")
def test_a_tag_that_may_not_start_or_end_never_does_however_much_it_is_wanted(prefix, tags):
    network = insistent(tags, favoured=f"{prefix}-A")
    wrong = {
        "B": lambda path: path[-1][0] == "B",
        "I": lambda path: path[0][0] == path[-1][0] == "I",
        "E": lambda path: path[0][0] == "E",
    }
    check_insistent(network, tags, wrong[prefix])
    for token in TOKENS:  # a sentence of one token starts and ends at once
        (path,) = decode(network, tags, [(token,)])
        assert path[0][0] in "OS"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        *(("O", "I-A"), ("O", "E-A"), ("B-A", "O"), ("I-A", "O"), ("I-A", "B-A")),
        *(("B-A", "B-A"), ("B-A", "S-A"), ("I-A", "S-A"), ("E-A", "I-A"), ("S-A", "E-A")),
        *(("B-A", "I-B"), ("B-A", "E-B"), ("I-A", "I-B"), ("I-A", "E-B"), ("S-A", "I-B")),
    ],
)
def test_a_forbidden_step_is_never_taken_however_much_it_is_wanted(before, after):
    network = insistent(TWO, step=(before, after))

    def takes(path) -> bool:
        return (before, after) in itertools.pairwise(path)

    check_insistent(network, TWO, takes)


@pytest.mark.parametrize("seed", range(3))
def test_no_legal_path_is_better_than_the_one_that_is_found(seed):
    rng = np.random.default_rng(seed)
    network = network_of(rng, ONE, ONE, bias=True)
    numbered = range(len(ONE))
    for T, count in ((1, 2), (2, 5), (3, 13), (4, 34)):
        paths = [
            path
            for path in itertools.product(numbered, repeat=T)
            if is_legal([ONE.tags[k] for k in path])
        ]
        assert len(paths) == count
        text = [tuple(rng.choice(TOKENS, size=T).tolist()) for _ in range(6)]
        for sentence, found in zip(text, decode(network, ONE, text), strict=True):
            scores = slow_scores(network, VOCABULARY, sentence, TARGET, None, True)
            best = max(paths, key=lambda path: path_score(*scores, path))
            assert found == tuple(ONE.tags[k] for k in best)


# ---- batches, threads, repeated calls ------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", ["emission bias", "characters"])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (8, 20, 3), (13, 1, 2), (40, 30, 4)])
def test_neither_batches_nor_groups_nor_threads_change_tags(monkeypatch, sizes, kind, threads):
    for name, size in zip(("BATCH_TOKENS", "GROUP_TOKENS", "SPELLED_WORDS"), sizes, strict=True):
        monkeypatch.setattr(decoding, name, size)
    rng = np.random.default_rng(8)
    network = network_of(rng, THREE, TWO, **KINDS[kind])
    text = sentences(rng)
    characters = ALPHABET if kind == "characters" else None
    for constrained in (True, False):
        how = {"constrained": constrained, "characters": characters}
        assert decode(network, TWO, text, threads=threads, **how) == [
            slow_tags(network, VOCABULARY, TWO.tags, sentence, TARGET, **how) for sentence in text
        ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_decoder_reads_its_network_at_every_call(kind):
    rng = np.random.default_rng(9)
    characters = ALPHABET if kind == "characters" else None
    network = network_of(rng, TWO, TWO, **KINDS[kind])
    decoder = Decoder(network, VOCABULARY, TWO, characters=characters, **LEGAL)
    text = sentences(rng)
    first = decoder.tag(text)
    for name, array in network.named().items():
        before = array.copy()
        array[...] = rng.normal(scale=6.0, size=array.shape)
        found = decoder.tag(text)
        assert found == [
            slow_tags(network, VOCABULARY, TWO.tags, sentence, TARGET, characters=characters)
            for sentence in text
        ]
        assert (found == first) == name.startswith("source_"), name
        array[...] = before
    assert decoder.tag(text) == first


def test_a_call_leaves_nothing_behind_for_the_next():
    rng = np.random.default_rng(10)
    network = network_of(rng, TWO, TWO, **KINDS["characters"])
    decoder = Decoder(network, VOCABULARY, TWO, characters=ALPHABET, **LEGAL)
    text = sentences(rng)
    first = decoder.tag(text)
    assert [decoder.tag([sentence])[0] for sentence in reversed(text)] == first[::-1]
    assert decoder.tag(text) == first


@pytest.mark.parametrize("text", [[], [()], [(), ("a",), ()], [("a",)]])
def test_empty_sentences_have_no_tags_and_keep_their_place(text):
    network = network_of(np.random.default_rng(12), TWO, TWO)
    found = decode(network, TWO, text)
    assert [len(path) for path in found] == [len(sentence) for sentence in text]


@pytest.mark.parametrize("broken", range(4))
def test_the_sentence_whose_scores_are_not_finite_is_named_in_the_order_given(broken):
    """Batches put the longest first; what is told is where the sentence stood."""
    network = network_of(np.random.default_rng(4), ONE, TWO)
    network.embedding[VOCABULARY.encode(["a"])] = np.nan
    text = [("a" if n == broken else "b",) * size for n, size in enumerate((3, 9, 1, 5))]
    with pytest.raises(ScoreError, match=f"sentence {broken + 1} are not finite"):
        decode(network, TWO, text)
    assert len(decode(network, TWO, text[:broken] + text[broken + 1 :])) == 3
