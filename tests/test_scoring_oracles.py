"""Scoring against conlleval's rules written anew, seqeval and nervaluate."""

from __future__ import annotations

import warnings
from itertools import pairwise, product

import nervaluate
import pytest
import seqeval.metrics
import seqeval.scheme
from scoring_cases import TYPES, legal_tags, random_pair, random_tags

from ladtl_np.corpus.schemes import PREFIXES, SCHEMES, illegal_positions, spans
from ladtl_np.scoring import Counts, score


def conlleval_counts(gold, predicted):
    """Follow conlleval line by line: open and close chunks of both columns in one sweep.

    Written from the rules of docs/scoring.md for any mix of B, I, E, S; L and U are E and S by
    other names. For B and I alone they are the script's.
    """
    found = {"gold": 0, "predicted": 0, "correct": 0}
    for truth, guess in zip(gold, predicted, strict=True):
        both_open = False
        previous = ("O", "", "O", "")
        for true_tag, guess_tag in [*zip(truth, guess, strict=True), ("O", "O")]:
            line = (*parts(true_tag), *parts(guess_tag))
            ends = closes(previous[:2], line[:2]), closes(previous[2:], line[2:])
            starts = opens(previous[:2], line[:2]), opens(previous[2:], line[2:])
            if both_open:
                if all(ends) and previous[1] == previous[3]:
                    found["correct"] += 1
                    both_open = False
                elif ends[0] != ends[1] or line[1] != line[3]:
                    both_open = False
            if all(starts) and line[1] == line[3]:
                both_open = True
            found["gold"] += starts[0]
            found["predicted"] += starts[1]
            previous = line
    return Counts(**found)


def parts(tag):
    letter, _, kind = tag.partition("-")
    return {"L": "E", "U": "S", "M": "I"}.get(letter, letter), kind


def closes(previous, current):
    """Whether a chunk ends between the previous and the current tag."""
    if previous[0] in "ES":
        return True
    return previous[0] in "BI" and (current[0] in "OBS" or previous[1] != current[1])


def opens(previous, current):
    """Whether a chunk starts at the current tag."""
    if current[0] in "BS":
        return True
    return current[0] in "IE" and (previous[0] in "OES" or previous[1] != current[1])


def starts_by_the_script(tags):
    """Where chunks start by the rules of conlleval.pl, which knows B, I, O and E of other schemes.

    It has no rule for S, L and U, and does not end a chunk between E- and a B- of the same type.
    """
    known = {"BB", "IB", "OB", "OI", "OE", "EE", "EI"}
    found = []
    for place, (before, tag) in enumerate(zip(["O", *tags], tags, strict=False)):
        other_type = tag != "O" and parts(before)[1] != parts(tag)[1]
        if before[0] + tag[0] in known or other_type:
            found.append(place)
    return found


def quietly(oracle, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return oracle(*arguments, **options)


def seqeval_report(gold, predicted, **options):
    return quietly(
        seqeval.metrics.classification_report,
        gold,
        predicted,
        output_dict=True,
        zero_division=0,
        **options,
    )


def assert_equals_seqeval(report, expected):
    rows = {name: row for name, row in expected.items() if not name.endswith(" avg")}
    assert list(report.per_type) == sorted(rows)
    for name, counts in [*report.per_type.items(), ("micro avg", report.overall)]:
        row = expected[name]
        assert counts.gold == row["support"]
        assert counts.precision == pytest.approx(row["precision"], abs=1e-12)
        assert counts.recall == pytest.approx(row["recall"], abs=1e-12)
        assert counts.f1 == pytest.approx(row["f1-score"], abs=1e-12)
    assert report.macro_f1 == pytest.approx(expected["macro avg"]["f1-score"], abs=1e-12)


@pytest.mark.parametrize("make", [random_tags, legal_tags])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_conlleval_counts_equal_a_sweep_over_both_columns(scheme, make):
    gold, predicted = random_pair(1, scheme, make, sentences=2000)
    assert score(gold, predicted, scheme).conlleval.overall == conlleval_counts(gold, predicted)


@pytest.mark.parametrize("make", [random_tags, legal_tags])
@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "IO"])
def test_entities_start_where_the_script_starts_them(scheme, make):
    for side in random_pair(1, scheme, make, sentences=2000):
        for tags in side:
            assert starts_by_the_script(tags) == [start for start, _, _ in spans(tags, scheme)]


def test_the_script_joins_neighbours_in_bioes_and_bilou():
    """docs/scoring.md shows the same sequences and numbers."""
    pair = ["B-X", "E-X", "B-X", "E-X"]
    assert starts_by_the_script(pair) == [0]
    assert spans(pair, "BIOES") == [(0, 2, "X"), (2, 4, "X")]
    assert starts_by_the_script(["S-X", "S-X"]) == [0]
    assert spans(["S-X", "S-X"], "BIOES") == [(0, 1, "X"), (1, 2, "X")]
    legal, _ = random_pair(1, "BIOES", legal_tags, sentences=2000)
    assert sum(len(starts_by_the_script(tags)) for tags in legal) == 5488
    assert sum(len(spans(tags, "BIOES")) for tags in legal) == 9900
    bilou = [tag.translate(str.maketrans("ES", "LU")) for tag in pair]
    assert starts_by_the_script(bilou) != [start for start, _, _ in spans(bilou, "BILOU")]


@pytest.mark.parametrize("make", [random_tags, legal_tags])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_conlleval_reading_equals_seqeval_default_mode(scheme, make):
    """seqeval's default mode knows B, I, E, S only, so L, U and M are renamed before.

    It also reads a gold corpus as one long sequence with an O after each sentence, which changes
    nothing.
    """
    gold, predicted = random_pair(2, scheme, make)
    rename = str.maketrans("LUM", "ESI")
    oracle = [
        [[tag[0].translate(rename) + tag[1:] for tag in tags] for tags in side]
        for side in (gold, predicted)
    ]
    assert_equals_seqeval(score(gold, predicted, scheme).conlleval, seqeval_report(*oracle))


@pytest.mark.parametrize("make", [random_tags, legal_tags])
@pytest.mark.parametrize(
    ("scheme", "oracle"), [("IOB2", "IOB2"), ("BIOES", "IOBES"), ("BILOU", "BILOU")]
)
def test_strict_reading_equals_seqeval_strict_mode(scheme, oracle, make):
    gold, predicted = random_pair(3, scheme, make)
    options = {"mode": "strict", "scheme": getattr(seqeval.scheme, oracle)}
    expected = seqeval_report(gold, predicted, **options)
    assert_equals_seqeval(score(gold, predicted, scheme).strict, expected)


def sequences(scheme):
    """Every sequence of up to four tags of two types."""
    tags = ["O", *(f"{prefix}-{kind}" for prefix in PREFIXES[scheme] for kind in "XY")]
    return (row for length in range(1, 5) for row in product(tags, repeat=length))


def strict_entities(tags, scheme):
    wrong = set(illegal_positions(tags, scheme))
    return [span for span in spans(tags, scheme) if wrong.isdisjoint(range(span[0], span[1]))]


def entities_by_seqeval(tags, scheme):
    found = seqeval.scheme.Tokens(list(tags), scheme).entities
    return [(entity.start, entity.end, entity.tag) for entity in found]


@pytest.mark.parametrize(
    ("scheme", "oracle"), [("IOB2", "IOB2"), ("BIOES", "IOBES"), ("BILOU", "BILOU")]
)
def test_strict_entities_are_those_of_seqeval_in_every_short_sequence(scheme, oracle):
    theirs = getattr(seqeval.scheme, oracle)
    for tags in sequences(scheme):
        assert strict_entities(tags, scheme) == entities_by_seqeval(tags, theirs), tags


def test_in_iob1_seqeval_differs_where_a_b_is_stray_and_nowhere_else():
    """docs/scoring.md has the numbers."""
    total, differing = 0, 0
    for tags in sequences("IOB1"):
        ours, theirs = strict_entities(tags, "IOB1"), entities_by_seqeval(tags, seqeval.scheme.IOB1)
        total, differing = total + 1, differing + (ours != theirs)
        assert ours == theirs or illegal_positions(tags, "IOB1"), tags
    assert (total, differing) == (780, 164)


def test_seqeval_has_no_scheme_of_these_names():
    assert not {"BMES", "IO"} & vars(seqeval.scheme).keys()


def has_illegal_b_before(tags, followers):
    """Whether a B- that parts nothing (illegal in IOB1) comes before one of these prefixes."""
    for (before, tag), after in zip(pairwise(["O", *tags]), [*tags[1:], "O"], strict=True):
        if tag[0] == "B" and before[2:] != tag[2:] and after[0] in followers:
            return True
    return False


@pytest.mark.parametrize("make", [random_tags, legal_tags])
def test_strict_reading_equals_seqeval_strict_mode_in_iob1(make):
    """Compared where seqeval's IOB1 is sound: no illegal B- stands next to another entity tag.

    Its patterns leave two gaps. After an illegal B- the next I- of the type opens an entity of its
    own, so ``O B-X I-X`` has an entity at the third token alone. And a B- followed by a B- of
    another type (always illegal) has no end, so the entity before it is lost.
    """
    gold, predicted = random_pair(4, "IOB1", make, sentences=3000)
    sound = [
        pair
        for pair in zip(gold, predicted, strict=True)
        if not any(has_illegal_b_before(tags, "BI") or follows_b(tags) for tags in pair)
    ]
    assert len(sound) > 500
    gold, predicted = map(list, zip(*sound, strict=True))
    options = {"mode": "strict", "scheme": seqeval.scheme.IOB1}
    expected = seqeval_report(gold, predicted, **options)
    assert_equals_seqeval(score(gold, predicted, "IOB1").strict, expected)


def follows_b(tags):
    """Whether a B- of another type follows a B-."""
    return any(a[0] == "B" == b[0] and a[2:] != b[2:] for a, b in pairwise(tags))


def test_seqeval_iob1_gaps_are_as_described():
    stray = ["O", "B-X", "I-X"], ["I-X", "B-X", "B-Y"]
    theirs = [seqeval.scheme.Tokens(tags, seqeval.scheme.IOB1).entities for tags in stray]
    assert [[e.to_tuple()[2:] for e in found] for found in theirs] == [[(2, 3)], [(0, 1)]]
    assert [score([tags], [tags], "IOB1").strict.overall.gold for tags in stray] == [0, 2]


def nervaluate_strict(gold, predicted, loader):
    result = quietly(
        lambda: nervaluate.Evaluator(gold, predicted, tags=list(TYPES), loader=loader).evaluate()
    )
    overall = result["overall"]["strict"]
    by_type = {kind: rows["strict"] for kind, rows in result["entities"].items()}
    return overall, by_type


def assert_equals_nervaluate(report, oracle):
    overall, by_type = oracle
    assert report.per_type.keys() == by_type.keys()
    for counts, row in [(report.overall, overall)] + [
        (report.per_type[kind], by_type[kind]) for kind in by_type
    ]:
        assert counts == Counts(row.possible, row.actual, row.correct)
        assert counts.f1 == pytest.approx(row.f1)


@pytest.mark.parametrize("make", [random_tags, legal_tags])
@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "IO"])
def test_conlleval_reading_equals_nervaluate_on_tag_lists(scheme, make):
    """nervaluate reads lists of B and I tags as conlleval does, illegal ones included.

    Its "strict" means equal tokens and type, not legal tags. It cannot read E, S, L or U: it takes
    ``S-X S-X`` for one entity and refuses a sentence that opens with S-.
    """
    gold, predicted = random_pair(5, scheme, make)
    oracle = nervaluate_strict(gold, predicted, "list")
    assert_equals_nervaluate(score(gold, predicted, scheme).conlleval, oracle)


def legal_entities(tags, scheme):
    """Find the entities whose tags are exactly those that the scheme would write, by trying all."""
    found = []
    for start in range(len(tags)):
        for end in range(start + 1, len(tags) + 1):
            kind = tags[start][2:]
            if not kind or any(tag[2:] != kind for tag in tags[start:end]):
                continue
            letters = "".join(tag[0] for tag in tags[start:end])
            before = tags[start - 1] if start else "O"
            after = tags[end] if end < len(tags) else "O"
            if is_written_so(letters, kind, before, after, scheme):
                found.append({"label": kind, "start": start, "end": end - 1})
    return found


def is_written_so(letters, kind, before, after, scheme):
    inside = letters[1:]
    if scheme in ("BIOES", "BILOU", "BMES"):
        _, middle, last, unit = PREFIXES[scheme]
        return letters == unit or (
            letters[0] == "B" and len(letters) > 1 and inside == middle * (len(inside) - 1) + last
        )
    goes_on = after == f"I-{kind}"
    if scheme == "IOB2":
        return letters[0] == "B" and inside == "I" * len(inside) and not goes_on
    if letters[0] == "B":
        opens_here = scheme == "IOB1" and before[2:] == kind
    else:
        opens_here = before[2:] != kind
    return opens_here and inside == "I" * len(inside) and not goes_on


@pytest.mark.parametrize("make", [random_tags, legal_tags])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_strict_reading_equals_nervaluate_on_the_legal_entities(scheme, make):
    """nervaluate gets spans, found by trying all, because it cannot read legal tags only."""
    gold, predicted = random_pair(6, scheme, make)
    sides = [[legal_entities(tags, scheme) for tags in side] for side in (gold, predicted)]
    oracle = nervaluate_strict(*sides, "dict")
    assert_equals_nervaluate(score(gold, predicted, scheme).strict, oracle)
