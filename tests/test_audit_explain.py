"""One sentence explained: its numbers against enumeration, its checks against planted errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from oracles import enumerated_kl, path_probabilities
from slow_decoding import is_legal
from small_corpora import small_config

from ladtl_np.audit import explain_sentence
from ladtl_np.audit.explain import LONGEST, encoding, explained, gates, heads, scores
from ladtl_np.audit.explain.encoding import Direction
from ladtl_np.audit.explain.heads import Head
from ladtl_np.audit.outcome import Audit, Line
from ladtl_np.corpus.cutting.profile import Profile
from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.sentence import Corpus
from ladtl_np.errors import DataError, UsageError
from ladtl_np.model.decoding import Decoder
from ladtl_np.model.file import Model, load_model, save_model
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.training.preparation import Corpora, prepare
from ladtl_np.training.trained_model import build_model

TOKENS = ("C", "z", "never", "x")
GOLD = ("B-Drug", "E-Drug", "O", "S-Sign")
KINDS: dict[str, dict[str, Any]] = {
    "two CRFs": {},
    "emission bias": {"model": {"emission_bias": True}},
    "bias left out": {"model": {"emission_bias": True}, "decoding": {"emission_bias": False}},
    "unconstrained": {"decoding": {"constrained": False}},
    "characters": {"characters": {"embedding": 3, "hidden": 2}},
    "linear maps": {"method": "linear-projection", "projection": {"init": "xavier"}},
    "masks": {"method": "domain-mask"},
    "one domain": {"method": "non-transfer"},
    "BIO inside": {"model": {"scheme": "iob2"}},
    "BIO inside, unconstrained": {"model": {"scheme": "iob2"}, "decoding": {"constrained": False}},
}


def untrained(corpora: Corpora, label_map: LabelMap | None = None, **changes: Any) -> Model:
    """A model at start values that are large enough for paths to differ."""
    prepared = prepare(small_config(**changes), corpora, label_map)
    network = prepared.network.copy()
    rng = np.random.default_rng(5)
    for name, array in network.weights.items():
        if "crf" in name:
            array[...] = rng.normal(size=array.shape) * (2.0 if name.endswith("W") else 1.0)
    return build_model(prepared, network, {}, {})


def failed(audits: list[Audit]) -> list[Line]:
    return [line for audit in audits for line in audit.lines if line.verdict == "failed"]


def by_key(audits: list[Audit]) -> dict[str, Audit]:
    return {audit.key: audit for audit in audits}


def line_of(audits: list[Audit], check: str) -> Line:
    (line,) = (line for audit in audits for line in audit.lines if check in line.check)
    return line


def heads_of(monkeypatch: pytest.MonkeyPatch) -> list[Head]:
    """The heads of the explanations that follow."""
    found: list[Head] = []
    whole = explained.reference_head

    def watched(*given: Any, **options: Any) -> Head:
        found.append(whole(*given, **options))
        return found[-1]

    monkeypatch.setattr(explained, "reference_head", watched)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_check_holds_for_every_kind_of_model(kind: str, tiny_corpus: Corpora) -> None:
    changes = KINDS[kind]
    single = kind == "one domain"
    corpora = replace(tiny_corpus, source=None) if single else tiny_corpus
    model = untrained(corpora, **changes)
    audits = explain_sentence(model, TOKENS, GOLD)
    assert failed(audits) == []
    keys = ["explain", "explain-gates"] if single else ["explain", "explain-heads", "explain-gates"]
    assert [audit.key for audit in audits] == keys
    assert line_of(audits, "tagging gives").found == "the same tags"
    told = any("decoding.emission_bias" in note for note in audits[0].notes)
    assert told == (kind == "bias left out")
    for audit in audits:
        section = audit.section(Pen([]))
        assert section.figures
        for parts in (section.figures, section.tables):
            assert len({part.name for part in parts}) == len(parts)


def test_tags_are_explained_in_the_model_s_own_scheme(
    tiny_corpus: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = untrained(tiny_corpus, model={"scheme": "iob2"})
    found = heads_of(monkeypatch)
    audits = explain_sentence(model, TOKENS, GOLD)
    gold = next(path for path in found[0].paths if path.name == heads.GOLD)
    assert found[0].names(gold) == ("B-Drug", "I-Drug", "O", "B-Sign")
    line_of(audits, "legal in IOB2")
    tables = {table.name: table for table in audits[0].tables}
    assert "IOB2" in tables["explain-paths"].caption
    illegal = {row[0].text: row[-1].text for row in tables["explain-paths"].rows}
    assert illegal["gold"] == illegal["predicted"] == "0"
    marked = {row[0].text: row[1].text for row in tables["explain-sentence"].rows}
    assert marked["gold"] == "[Cz Drug]never[x Sign]"


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize("domain", ["target", "source"])
def test_numbers_are_those_of_all_paths_written_out(
    constrained: bool, domain: Any, tiny_corpus: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = untrained(tiny_corpus)
    found = heads_of(monkeypatch)
    explain_sentence(model, TOKENS[:3], GOLD[:3], domain=domain, constrained=constrained)
    assert found[0].domain == domain
    for head in found:
        names = head.tags.tags
        p = path_probabilities(head.E, head.A)
        legal = {path for path in p if is_legal([names[tag] for tag in path])}
        best = max(legal if constrained else p, key=lambda path: p[path])
        other = max(p if constrained else legal, key=lambda path: p[path])
        assert tuple(head.predicted.tags) == best
        assert math.exp(head.predicted.log_p) == pytest.approx(p[best], rel=1e-9)
        assert math.exp(head.log_legal) == pytest.approx(sum(map(p.__getitem__, legal)))
        assert head.gold is not None
        assert head.names(head.gold) == GOLD[:3]
        assert math.exp(head.gold.log_p) == pytest.approx(p[tuple(head.gold.tags)], rel=1e-9)
        more = [path for path in head.paths if path.name.endswith("constrained")]
        assert [tuple(path.tags) for path in more] == ([] if other == best else [other])
        marginal = sum(value for path, value in p.items() if path[1] == best[1])
        assert head.predicted.marginal[1] == pytest.approx(marginal)


def test_the_divergence_is_that_of_all_paths(
    tiny_corpus: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = heads_of(monkeypatch)
    audits = explain_sentence(untrained(tiny_corpus), TOKENS[:3])
    target, source = found
    told = by_key(audits)["explain-heads"].numbers["kl"]
    there = enumerated_kl(source.E, source.A, target.E, target.A)
    assert told["source_target"] == pytest.approx(there, rel=1e-9)
    back = enumerated_kl(target.E, target.A, source.E, source.A)
    assert told["target_source"] == pytest.approx(back, rel=1e-9)


def renamed(corpora: Corpora, old: str, new: str) -> Corpora:
    """The same with another name for a type of the source."""
    assert corpora.source is not None
    sentences = tuple(
        replace(s, tags=tuple(tag.replace(old, new) for tag in s.tags or ()))
        for s in corpora.source
    )
    return replace(corpora, source=Corpus("source", sentences))


def test_types_with_other_names_are_matched_through_the_label_map(
    tiny_corpus: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpora = renamed(tiny_corpus, "Drug", "Zolpidem")  # sorts behind Sign: rows differ
    model = untrained(corpora, LabelMap({"Zolpidem": "Drug"}))
    found = heads_of(monkeypatch)
    audits = explain_sentence(model, TOKENS[:3], GOLD[:3])
    target, source = found
    assert source.gold is not None
    assert source.names(source.gold) == ("B-Zolpidem", "E-Zolpidem", "O")
    order = [source.tags.index[tag.replace("Drug", "Zolpidem")] for tag in target.tags.tags]
    kl = enumerated_kl(source.E[:, order], source.A[np.ix_(order, order)], target.E, target.A)
    numbers = by_key(audits)["explain-heads"].numbers
    assert numbers["kl"]["source_target"] == pytest.approx(kl, rel=1e-9)
    same = replace_scores(model)
    audits = explain_sentence(same, TOKENS)
    assert line_of(audits, "tag differently").found == "0 of 4"


def replace_scores(model: Model) -> Model:
    """The same with the target's CRF in the source's place, under the source's names."""
    assert model.source_tags is not None
    names = [tag.replace("Drug", "Zolpidem") for tag in model.target_tags.tags]
    order = [names.index(tag) for tag in model.source_tags.tags]
    network = model.network.copy()
    weights = network.weights
    weights["source_crf.W"][...] = weights["target_crf.W"][:, order]
    weights["source_crf.A"][...] = weights["target_crf.A"][np.ix_(order, order)]
    return replace(model, network=network)


def test_types_without_a_partner_have_no_gold_path_and_no_divergence(
    tiny_corpus: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = untrained(renamed(tiny_corpus, "Drug", "Planet"))
    found = heads_of(monkeypatch)
    audits = explain_sentence(model, TOKENS, GOLD)
    assert (found[0].gold is None, found[1].gold is None) == (False, True)
    line = line_of(audits, "KL of the heads")
    assert (line.verdict, line.found) == ("noted", "5 of 9 and 9 tags matched")
    assert by_key(audits)["explain-heads"].numbers["kl"] is None
    assert failed(audits) == []


def test_tables_part_the_scores_by_token_and_their_sums_are_the_scores(
    tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = heads_of(monkeypatch)
    wrong = ("S-Sign", "O", "O", "S-Sign")
    audits = explain_sentence(tiny_model, TOKENS, wrong)
    head = found[0]
    assert head.gold is not None
    tables = {table.name: table for audit in audits for table in audit.tables}
    for path in head.paths[:2]:
        rows = tables[f"explain-target-{path.name}"].rows
        assert [row[2].text for row in rows] == list(head.names(path))
        parts = [[float(row[n].text) for n in (3, 4)] for row in rows]
        assert float(rows[-1][6].text) == pytest.approx(path.score, abs=1e-3)
        assert np.cumsum(np.sum(parts, axis=1)) == pytest.approx(
            [float(row[6].text) for row in rows], abs=5e-3
        )
        marginals = [float(row[5].text) for row in rows]
        assert marginals == pytest.approx(path.marginal.tolist(), abs=1e-4)
    different = tables["explain-difference"].rows
    # the last token has the same tag, and the step to it too
    assert [row[0].text for row in different] == ["1", "2", "3"]
    gap = head.predicted.log_p - head.gold.log_p
    assert float(different[-1][6].text) == pytest.approx(gap, abs=1e-3)
    assert sum(float(row[n].text) for row in different for n in (4, 5)) == pytest.approx(
        gap, abs=5e-3
    )
    marked = [row[2].best for row in tables["explain-target-gold"].rows]
    assert marked == [True, True, False, False]
    entities = [[cell.text for cell in row] for row in tables["explain-entities"].rows]
    assert entities == [
        ["1", "C", "", "Sign"],
        ["1-2", "Cz", "Drug", ""],
        ["4", "x", "Sign", "Sign"],
    ]


def test_the_sentence_is_shown_with_its_entities(tiny_model: Model) -> None:
    spaced = replace(tiny_model, profile=replace_tokens(tiny_model, "words"))
    for model, texts in (
        (tiny_model, ["[Cz Drug]never[x Sign]", "C[z Sign]neverx"]),
        (spaced, ["[C z Drug] never [x Sign]", "C [z Sign] never x"]),
    ):
        audit = explain_sentence(model, TOKENS, ("O", "S-Sign", "O", "O"))[0]
        table = next(table for table in audit.tables if table.name == "explain-sentence")
        assert [row[1].text for row in table.rows] == texts


def replace_tokens(model: Model, mode: Any) -> Profile:
    return msgspec.structs.replace(model.profile, tokens=mode)


def test_what_pictures_show_is_told_in_numbers(
    tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = heads_of(monkeypatch)
    audits = explain_sentence(tiny_model, TOKENS)
    tables = {table.name: table for audit in audits for table in audit.tables}
    figures = [figure.name for audit in audits for figure in audit.section(Pen([])).figures]
    assert figures == ["lattice-target", "lattice-source", "gates-forward", "gates-backward"]
    assert set(figures) <= tables.keys()
    for head in found:
        rows = tables[f"lattice-{head.domain}"].rows
        for marginals, row in zip(head.unary, rows, strict=True):
            told = [part.split(" ") for part in row[2].text.split(", ")]
            values = [float(p) for _, p in told]
            assert values == sorted(values, reverse=True)
            expected = {
                tag: round(100 * p, 1)
                for tag, p in zip(head.tags.tags, marginals, strict=True)
                if p >= 0.01
            }
            assert {tag: float(p) for tag, p in told} == pytest.approx(expected, abs=0.051)
    head, steps = found[0], audits[0].numbers["head"]["transitions"]
    assert len(steps) == np.count_nonzero(head.neighbours >= 0.01)
    for to, before, after, p in steps:
        pair = head.tags.index[before], head.tags.index[after]
        assert p == head.neighbours[to - 2][pair]
    words = encoding.words_of(tiny_model, TOKENS)
    forward = encoding.reference_encoding(words).forward
    assert tables["gates-forward"].header == ["n", "token", *"ifogch", "own"]
    for t, row in enumerate(tables["gates-forward"].rows):
        parts = [forward.gate(name)[t] for name in "ifog"] + [forward.cell[t], forward.hidden[t]]
        means = [np.abs(part).mean() for part in parts]
        assert [float(cell.text) for cell in row[2:8]] == pytest.approx(means, abs=6e-4)


def test_unknown_tokens_are_counted_and_marked(tiny_model: Model) -> None:
    audits = explain_sentence(tiny_model, TOKENS)
    assert audits[0].numbers["unknown"] == [False, False, True, False]
    assert "4 tokens, 1 of them unknown" in audits[0].notes[0]
    table = next(t for t in audits[0].tables if t.name == "explain-target-predicted")
    assert [row[1].text for row in table.rows] == ["C", "z", "never (unknown)", "x"]


def test_json_has_every_number_in_full(tiny_model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    found = heads_of(monkeypatch)
    audit = explain_sentence(tiny_model, TOKENS, GOLD)[0]
    head, numbers = found[0], audit.to_json()["numbers"]["head"]
    path = numbers["paths"]["predicted"]
    assert sum(path["emission"]) + sum(path["transition"]) == pytest.approx(path["score"])
    assert path["log_p"] == head.predicted.log_p
    kept = [head.tags.index[tag] for tag in numbers["tags"]]
    assert np.array_equal(numbers["marginals"], head.unary[:, kept])
    assert audit.numbers["decoded"] == list(head.names(head.predicted))


@pytest.mark.parametrize("reverse", [False, True])
def test_a_cell_comes_from_tokens_by_the_products_of_forget_gates(reverse: bool) -> None:
    rng = np.random.default_rng(3)
    T, H = 5, 3
    made = np.concatenate([rng.uniform(0.1, 0.9, (T, 3 * H)), rng.uniform(-1, 1, (T, H))], axis=1)
    direction = Direction(made, np.zeros((T, H)), np.zeros((T, H)))
    found = gates.origins_of(direction, reverse=reverse)
    i, f, _, g = (made[:, n * H : (n + 1) * H] for n in range(4))
    for t in range(T):
        before = range(t, T) if reverse else range(t + 1)
        parts = {}
        for s in before:
            between = range(t, s) if reverse else range(s + 1, t + 1)
            parts[s] = np.prod([f[k] for k in between], axis=0) * i[s] * g[s]
        assert found.cell[t] == pytest.approx(sum(parts.values()))
        sizes = {s: np.abs(part).sum() for s, part in parts.items()}
        expected = [sizes.get(s, 0.0) / sum(sizes.values()) for s in range(T)]
        assert found.shares[t] == pytest.approx(expected)


def test_both_directions_stand_in_the_order_of_the_tokens(tiny_model: Model) -> None:
    words = encoding.words_of(tiny_model, TOKENS)
    found, other = encoding.reference_encoding(words), encoding.kernel_encoding(words)
    for one, two in zip(found, other, strict=True):
        for mine, theirs in zip(one, two, strict=True):
            assert mine == pytest.approx(theirs, abs=1e-12)
    # h = o tanh(c), row by row
    for direction in found:
        assert direction.hidden == pytest.approx(direction.gate("o") * np.tanh(direction.cell))
    # the last token's backward state has seen nothing else
    alone = encoding.reference_encoding(encoding.words_of(tiny_model, TOKENS[-1:]))
    assert found.backward.hidden[-1] == pytest.approx(alone.backward.hidden[0])
    assert found.forward.hidden[0] != pytest.approx(alone.forward.hidden[0])


# --- planted errors are seen


def plant(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, change: Any) -> None:
    whole = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *a, **k: change(whole(*a, **k)))


def shifted(array: Any) -> Any:
    moved = array.copy()
    moved.flat[0] += 1e-4
    return moved


def other_tags(_: Any) -> list[tuple[str, ...]]:
    return [("S-Sign",) * 4]


def of_direction(direction: str, entry: str) -> Callable[[Any], Any]:
    """Shifts a part of what one direction did."""

    def change(found: Any) -> Any:
        part = getattr(found, direction)
        wrong = part._replace(**{entry: shifted(getattr(part, entry))})
        return found._replace(**{direction: wrong})

    return change


KERNELS = "target head, kernels and reference:"
PLANTS: list[tuple[Any, str, Callable[[Any], Any], str]] = [
    (heads, "sequence_score", lambda score: score + 1e-3, "add up to the score"),
    (heads, "log_partition", lambda log_z: log_z + 1e-3, "by the marginals alone"),
    (heads, "token_marginals", lambda found: (shifted(found[0]), found[1]), "sum to 1"),
    (heads, "token_marginals", lambda found: (found[0], shifted(found[1])), "out of and into"),
    (heads, "affine_forward", shifted, f"{KERNELS} emission"),
    (heads, "crf_forward", lambda found: (found[0] + 1e-3, found[1]), f"{KERNELS} -log p"),
    (heads, "crf_viterbi", lambda found: (found[0], found[1] - 1e-3), f"{KERNELS} best"),
    (Decoder, "tag", other_tags, "tagging gives"),
    (gates, "origins_of", lambda o: o._replace(cell=shifted(o.cell)), "forward: what is left"),
    (explained, "kernel_encoding", of_direction("forward", "gates"), "forward, kernels and ref"),
    (explained, "kernel_encoding", of_direction("backward", "hidden"), "backward, kernels and ref"),
]


@pytest.mark.parametrize(("module", "name", "change", "check"), PLANTS)
def test_a_planted_error_fails_its_line(
    module: Any,
    name: str,
    change: Callable[[Any], Any],
    check: str,
    tiny_model: Model,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(monkeypatch, module, name, change)
    wrong = failed(explain_sentence(tiny_model, TOKENS, GOLD))
    assert any(check in line.check for line in wrong)


@pytest.mark.parametrize(
    ("entry", "check"), [("unary", "marginals of tags"), ("pairwise", "expected transitions")]
)
def test_a_planted_error_in_the_backward_kernel_fails_its_line(
    entry: str, check: str, tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = heads.crf_backward

    def wrong(dE: Any, dA: Any, *rest: Any) -> None:
        whole(dE, dA, *rest)
        (dE if entry == "unary" else dA).flat[0] += 1e-4

    monkeypatch.setattr(heads, "crf_backward", wrong)
    audits = explain_sentence(tiny_model, TOKENS)
    for domain in ("target", "source"):
        assert line_of(audits, f"{domain} head, kernels and reference: {check}").verdict == "failed"


def test_other_tags_that_single_precision_cannot_tell_are_noted(
    tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, Decoder, "tag", other_tags)
    monkeypatch.setattr(scores, "_SINGLE", 10.0)
    line = line_of(explain_sentence(tiny_model, TOKENS), "tagging gives")
    assert line.verdict == "noted"
    assert line.found.startswith("other tags, with a score that is")


def test_the_tolerance_is_what_is_asked_for(tiny_model: Model) -> None:
    audits = explain_sentence(tiny_model, TOKENS, tolerance=1e-30)
    assert failed(audits)
    assert line_of(audits, "add up to the score").wanted == "at most 1e-30"


# --- what is refused


@pytest.mark.parametrize("count", [0, LONGEST + 1])
def test_sentences_without_or_with_too_many_tokens_are_refused(
    count: int, tiny_model: Model
) -> None:
    with pytest.raises(UsageError, match=f"1 to {LONGEST} tokens, this one has {count:,}"):
        explain_sentence(tiny_model, ("x",) * count)


def test_a_sentence_of_one_token_has_no_transition(tiny_model: Model) -> None:
    audits = explain_sentence(tiny_model, ("x",), ("S-Sign",))
    assert failed(audits) == []
    path = audits[0].numbers["head"]["paths"]["predicted"]
    assert (path["transition"], path["emission"]) == ([0.0], [path["score"]])
    assert all(audit.section(Pen([])).figures for audit in audits)


def test_the_longest_sentence_is_explained(tiny_model: Model) -> None:
    audits = explain_sentence(tiny_model, ("x", "C", "z", "a") * (LONGEST // 4))
    assert failed(audits) == []


def test_gold_tags_that_the_head_does_not_have_are_refused(tiny_model: Model) -> None:
    with pytest.raises(DataError, match="S-Planet"):
        explain_sentence(tiny_model, ("x",), ("S-Planet",))


def test_a_source_head_that_is_not_there_is_refused(tiny_corpus: Corpora) -> None:
    model = untrained(replace(tiny_corpus, source=None), method="non-transfer")
    with pytest.raises(UsageError, match="no tagger of a source"):
        explain_sentence(model, TOKENS, domain="source")


def test_a_hashed_model_is_explained_with_its_key_and_as_the_plain_one(
    tiny_corpus: Corpora, tmp_path: Path
) -> None:
    characters = {"characters": {"embedding": 3, "hidden": 2}}
    plain = untrained(tiny_corpus, **characters)
    key = tmp_path / "key"
    keyed = untrained(tiny_corpus, vocabulary={"key": str(key)}, **characters)
    save_model(tmp_path / "m", keyed)
    with pytest.raises(UsageError, match="key"):
        explain_sentence(load_model(tmp_path / "m"), TOKENS)
    one, two = (
        explain_sentence(model, TOKENS)[0].numbers
        for model in (plain, load_model(tmp_path / "m", key))
    )
    assert one == two
