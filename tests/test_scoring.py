"""Scoring: hand-made hazards, laws, errors, forms of output, speed, a real corpus."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from corpora import corpus_path
from hypothesis import given
from hypothesis import strategies as st
from scoring_cases import legal_tags, random_pair, random_tags, tag_list

from ladtl_np.corpus.schemes import SCHEMES
from ladtl_np.errors import DataError
from ladtl_np.scoring import Counts, render, score, sentence_counts


@pytest.mark.parametrize("scheme", SCHEMES)
def test_both_readings_are_equal_on_legal_tags(scheme):
    scores = score(*random_pair(7, scheme, legal_tags), scheme)
    assert scores.conlleval == scores.strict
    assert scores.illegal_gold == scores.illegal_predicted == 0


HAZARDS = [
    ("I- after O", "IOB2", "O I-X I-X O", 1, 0),
    ("I- after another type", "IOB2", "B-X I-Y", 2, 1),
    ("illegal I- then legal B-", "IOB2", "I-X B-X", 2, 1),
    ("adjacent entities", "IOB2", "B-X B-X I-X", 2, 2),
    ("adjacent entities of IOB1", "IOB1", "I-X B-X I-X", 2, 2),
    ("B- after O in IOB1", "IOB1", "O B-X O", 1, 0),
    ("B- never closed", "BIOES", "B-X I-X O", 1, 0),
    ("B- then B-", "BIOES", "B-X B-X E-X", 2, 1),
    ("E- alone", "BIOES", "O E-X", 1, 0),
    ("E- after S-", "BIOES", "S-X E-X", 2, 1),
    ("I- after E-", "BIOES", "B-X E-X I-X", 2, 1),
    ("type changes inside", "BIOES", "B-X I-Y E-Y", 2, 0),
    ("S- inside an open entity", "BIOES", "B-X S-X", 2, 1),
    ("all legal", "BIOES", "S-X B-X I-X E-X O S-Y", 3, 3),
    ("U- and L-", "BILOU", "U-X B-X L-X L-X", 3, 2),
    ("IO joins", "IO", "I-X I-X I-Y", 2, 2),
    ("dash in the type", "BIOES", "B-geo-loc E-geo-loc", 1, 1),
    ("one token", "IOB2", "B-X", 1, 1),
]


@pytest.mark.parametrize(
    ("scheme", "tags", "conlleval", "strict"),
    [case[1:] for case in HAZARDS],
    ids=[case[0] for case in HAZARDS],
)
def test_hazard(scheme, tags, conlleval, strict):
    scores = score([tags.split(" ")], [tags.split(" ")], scheme)
    assert scores.conlleval.overall == Counts(conlleval, conlleval, conlleval)
    assert scores.strict.overall == Counts(strict, strict, strict)


def test_an_entity_does_not_cross_sentences():
    gold = [["B-X"], ["I-X"]]
    scores = score(gold, gold, "IOB2")
    assert (scores.conlleval.overall.gold, scores.strict.overall.gold) == (2, 1)


def test_same_tokens_of_another_type_are_wrong():
    scores = score([["S-X", "O"]], [["S-Y", "O"]], "BIOES")
    assert scores.conlleval.per_type == {"X": Counts(1, 0, 0), "Y": Counts(0, 1, 0)}
    assert scores.conlleval.overall == Counts(1, 1, 0)
    assert scores.token_accuracy == 0.5


def test_undefined_ratios_are_zero():
    for gold, predicted in [([], []), ([["O"]], [["O"]])]:
        scores = score(gold, predicted, "BIOES")
        overall = scores.conlleval.overall
        assert (overall.precision, overall.recall, overall.f1) == (0.0, 0.0, 0.0)
        assert scores.conlleval.macro_f1 == 0.0
    assert score([], [], "BIOES").token_accuracy == 0.0


def test_ratios_by_hand():
    counts = Counts(gold=8, predicted=4, correct=3)
    assert (counts.precision, counts.recall) == (0.75, 0.375)
    assert counts.f1 == pytest.approx(2 * 0.75 * 0.375 / (0.75 + 0.375))


def test_different_lengths_name_the_sentence_and_both_lengths():
    with pytest.raises(DataError, match=r"sentence 2 has 1 gold tags but 2 predicted"):
        score([["O"], ["O"]], [["O"], ["O", "O"]], "IOB2")
    with pytest.raises(DataError, match=r"2 gold sentences but 1 predicted"):
        score([["O"], ["O"]], [["O"]], "IOB2")


def test_a_tag_of_another_scheme_names_the_sentence_and_the_side():
    with pytest.raises(DataError, match=r"predicted tags of sentence 2: prefix S-"):
        score([["O"], ["B-X"]], [["O"], ["S-X"]], "IOB2")
    with pytest.raises(ValueError, match=r"unknown tag scheme 'BIO'"):
        score([], [], "BIO")


@pytest.mark.parametrize("semantics", ["conlleval", "strict"])
def test_sentence_counts_add_up_to_the_overall_counts(semantics):
    gold, predicted = random_pair(8, "BIOES", random_tags)
    counts = sentence_counts(gold, predicted, "BIOES", semantics)
    overall = getattr(score(gold, predicted, "BIOES"), semantics).overall
    assert counts.shape == (len(gold), 3)
    assert counts.dtype == np.int64
    assert Counts(*counts.sum(axis=0).tolist()) == overall


def test_sentence_counts_refuse_an_unknown_reading():
    with pytest.raises(ValueError, match="semantics must be one of"):
        sentence_counts([], [], "BIOES", "loose")


@given(st.data())
def test_swapping_the_sides_swaps_precision_and_recall(data):
    scheme = data.draw(st.sampled_from(SCHEMES))
    lengths = data.draw(st.lists(st.integers(1, 6), max_size=4))
    tags = st.sampled_from(tag_list(scheme))
    gold, predicted = (
        [data.draw(st.lists(tags, min_size=n, max_size=n)) for n in lengths] for _ in range(2)
    )
    scores, swapped = score(gold, predicted, scheme), score(predicted, gold, scheme)
    for name in ("conlleval", "strict"):
        one, other = getattr(scores, name).overall, getattr(swapped, name).overall
        assert (one.precision, one.recall) == (other.recall, other.precision)
        assert one.f1 == other.f1
        assert one.correct <= min(one.gold, one.predicted)
    assert scores.strict.overall.gold <= scores.conlleval.overall.gold
    assert scores.token_accuracy == swapped.token_accuracy


def test_json_form_is_plain():
    scores = score(*random_pair(9, "BIOES", random_tags), "BIOES")
    again = json.loads(json.dumps(scores.to_json()))
    assert again["conlleval"]["overall"]["f1"] == scores.conlleval.overall.f1
    assert again["strict"]["per_type"]["geo-loc"]["gold"] == scores.strict.per_type["geo-loc"].gold
    assert again["illegal_predicted"] == scores.illegal_predicted > 0


def test_table_shows_every_type_and_both_readings():
    from rich.console import Console

    scores = score([["B-X", "O", "B-Y"]], [["I-X", "O", "B-Y"]], "IOB2")
    out = io.StringIO()
    Console(file=out, width=100).print(render(scores))
    words = [line.split() for line in out.getvalue().split("\n")]
    rows = {line[0]: line[1:] for line in words if line}
    assert rows["X"] == ["1", "100.00", "100.00", "100.00", "1", "0.00", "0.00", "0.00"]
    assert rows["overall"] == ["2", "100.00", "100.00", "100.00", "2", "100.00", "50.00", "66.67"]
    assert "illegal tags: 0 gold, 1 predicted" in " ".join(out.getvalue().split())


@pytest.mark.corpora
def test_weibo_has_218_named_entities_for_conlleval_and_216_for_a_strict_reader():
    """Named mentions only: GPE counts as LOC, nominal mentions count as O."""
    gold = [
        [named(tag) for tag in tags]
        for tags in tag_column(corpus_path("weibo", "orig", "weiboNER_2nd_conll.test"))
    ]
    scores = score(gold, gold, "IOB2")
    assert (scores.conlleval.overall.gold, scores.strict.overall.gold) == (218, 216)


def named(tag):
    return tag[:5].replace("GPE", "LOC") if tag.endswith(".NAM") else "O"


@pytest.mark.corpora
def test_weibo_merged_entities_are_those_of_its_readme():
    gold = tag_column(corpus_path("weibo", "ladtl_merged", "eval_test"))
    scores = score(gold, gold, "IOB2")
    counts = {kind: counts.gold for kind, counts in scores.conlleval.per_type.items()}
    assert counts == {"LOC": 77, "ORG": 56, "PER": 285}
    assert scores.strict.per_type["PER"].gold == 281


def tag_column(path):
    blocks = path.read_text(encoding="utf-8").strip("\n").split("\n\n")
    return [[line.split("\t")[1] for line in block.split("\n")] for block in blocks]
