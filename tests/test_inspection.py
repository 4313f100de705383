"""What is told of a corpus: one list of remarks, the same in every command and in Python."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke

from ladtl_np.corpus.formats.conll import read_conll
from ladtl_np.corpus.inspection import inspect, inspect_domains, inspect_roles, part
from ladtl_np.corpus.labels import LabelMap
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.tally import Remark, Tally
from ladtl_np.errors import DataWarning
from ladtl_np.estimator import LaDTLTagger
from ladtl_np.runs.manifest import read_manifest

ROOT = Path(__file__).parents[1]


def corpus(name: str, *rows: str, scheme: str = "IOB2") -> Corpus:
    """Rows such as ``pain/B-Sign now/O``."""
    sentences = []
    for number, row in enumerate(rows):
        pairs = [word.split("/") for word in row.split()]
        tokens, tags = zip(*pairs, strict=True)
        sentences.append(Sentence(tokens, tags, 1 + 10 * number))
    return Corpus(name, tuple(sentences), scheme)


def kinds(remarks: list[Remark]) -> dict[str, int]:
    return {remark.kind: remark.count for remark in remarks}


def test_a_sound_corpus_has_no_remark() -> None:
    assert inspect(corpus("a", "pain/B-Sign now/O", "no/O pain/B-Sign")) == []


def test_illegal_tags_come_with_their_places() -> None:
    found = inspect(corpus("a", "pain/I-Sign now/O", "x/O y/I-Sign z/B-Sign"))
    assert [str(remark) for remark in found] == [
        "a: 2 tags illegal in IOB2, left as found: a:1, a:12"
    ]


def test_places_are_listed_up_to_a_number_and_the_others_counted() -> None:
    (found,) = inspect(corpus("a", *[f"w{n}/I-Sign" for n in range(9)]))
    assert found.count == 9
    assert str(found).endswith("a:1, a:11, a:21, a:31, a:41, ...")


def test_only_o_is_told_with_a_cure() -> None:
    (found,) = inspect(corpus("a", "pain/O now/O"))
    assert (found.kind, found.count) == ("no-entities", 1)
    assert "tag column" in found.cure
    assert inspect(Corpus("raw", (Sentence(("x",)),))) == []  # text without tags has none


def test_one_token_over_and_over_and_tags_for_tokens_hint_at_the_column() -> None:
    (one, *_) = inspect(corpus("a", *["x/B-Sign"] * 20))
    assert (one.kind, one.count) == ("one-token", 20)
    assert "token column" in one.cure
    rows = ["O/O", "B-Sign/B-Sign"]
    (tags, *_) = inspect(corpus("a", *rows * 10))
    assert (tags.kind, tags.count) == ("tokens-are-tags", 20)
    assert kinds(inspect(corpus("a", *rows * 9, "x/O", "O/O"))) == {"repeated-sentences": 17}
    assert kinds(inspect(corpus("a", *["x/B-Sign"] * 19))) == {"repeated-sentences": 18}


def test_repeated_sentences_are_those_with_the_same_tokens() -> None:
    twice = corpus("a", "pain/B-Sign now/O", "pain/O now/O")
    assert kinds(inspect(twice)) == {"repeated-sentences": 1}
    assert inspect(twice, predicted=True) == []


def test_roles_tell_shared_sentences_and_types_that_training_does_not_have() -> None:
    train = corpus("train", "pain/B-Sign now/O", "x/B-Drug")
    test = corpus("test", "pain/B-Sign now/O", "y/B-Test", "z/B-Other")
    found = inspect_roles([("target", train), ("test", test)])
    assert kinds(found) == {"shared-sentences": 1, "unseen-types": 2}
    assert "1 of 3 sentences (33.3 %) stand word for word in train" in str(found[0])
    assert "Other, Test" in str(found[1])
    source = corpus("source", "y/B-Test", "z/B-Other")
    with_source = inspect_roles([("source", source), ("target", train), ("test", test)])
    assert kinds(with_source)["unseen-types"] == 2  # the source's types do not help the target


def test_a_training_corpus_that_is_another_one_again_is_told() -> None:
    one, copy = (corpus(name, "pain/B-Sign now/O", "x/B-Drug") for name in ("one", "copy"))
    other = corpus("other", "pain/B-Sign now/O", "x/B-Other")  # the same text, other tags
    (found,) = inspect_roles([("source", one), ("source", copy), ("target", other)])
    assert (found.kind, found.corpus, found.count) == ("same-corpus", "copy", 2)
    assert "the same sentences and tags as another source; name the corpus" in str(found)
    found = inspect_roles([("source", one), ("source", other), ("target", copy), ("dev", copy)])
    assert kinds(found)["same-corpus"] == 2
    assert "copy: the same sentences and tags as the source" in str(found[0])


def test_a_corpus_of_two_roles_is_told_once() -> None:
    both = corpus("a", "pain/I-Sign")
    assert len([r for r in inspect_roles([("target", both), ("dev", both)]) if r.places]) == 1


def test_no_type_in_common_is_told_with_the_types_of_both_and_a_cure() -> None:
    source, target = corpus("s", "x/B-Drug y/B-Sign"), corpus("t", "x/B-drug y/B-Test")
    (found,) = inspect_domains(source, target)
    assert (found.kind, found.corpus, found.count) == ("no-matching-type", "s", 2)
    assert "its types: Drug, Sign; those of t: Test, drug" in found.what
    assert "label map" in found.cure
    assert inspect_domains(source, target, LabelMap({"Drug": "drug"})) == []
    assert inspect_domains(source, corpus("t", "x/B-Sign")) == []
    assert inspect_domains(source, corpus("t", "x/B-Sign"), LabelMap({"Sign": ""}))
    assert inspect_domains(source, corpus("t", "x/O")) == []  # which is told otherwise


def test_a_tally_tells_what_its_reader_left_out_and_changed() -> None:
    tally = Tally(lines=5, crlf=2, docstart=3, tokenless=1)
    tally.left_out["relations"] = 4
    tally.change(7, "entity 0..5 is 1..5 now", file="b.ann")
    assert list(map(str, tally.remarks("a"))) == [
        "a: 3 -DOCSTART- blocks left out",
        "a: 2 of 5 lines end at CRLF, the others at LF",
        "a: 1 document without a token left out",
        "a: 4 relations left out",
        "a: 1 entity was changed: a/b.ann:7 (entity 0..5 is 1..5 now)",
    ]
    assert Tally(lines=5, crlf=5).remarks("a") == ()
    assert Tally(lines=5, crlf=4, unfinished=True).remarks("a") == ()


def test_shares_are_never_rounded_to_nothing() -> None:
    assert part(1, 3) == "1 of 3 sentences (33.3 %)"


def test_the_page_lists_every_kind_of_remark_with_its_cure() -> None:
    page = (ROOT / "docs" / "data.md").read_text("utf-8").partition("\n## Remarks\n")[2]
    rows = [row.split(" | ") for row in page.partition("\n## ")[0].splitlines() if "`" in row]
    listed = {row[0].strip("| `"): row[-1].strip("| ") for row in rows if row[0].startswith("| `")}
    made = dict(kinds_and_cures())
    assert listed.keys() == made.keys()
    for kind, has_cure in made.items():
        assert (listed[kind] != "") == has_cure, kind


def kinds_and_cures() -> Iterator[tuple[str, bool]]:
    """Every kind that the code makes, by the first word of its name, and whether it has a cure."""
    for path in (ROOT / "ladtl_np").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Remark":
                kind = node.args[0]
                if isinstance(kind, ast.JoinedStr):
                    kind = kind.values[0]
                assert isinstance(kind, ast.Constant), path
                named = {keyword.arg for keyword in node.keywords}
                yield str(kind.value).split(" ")[0], len(node.args) > 4 or "cure" in named


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A file that has one of everything."""
    path = tmp_path / "odd.conll"
    path.write_bytes(
        b"-DOCSTART- O\n\nchest O\npain I-Sign\n\nchest O\npain I-Sign\r\n\nx B-Drug\n\nw B-Test\n"
    )
    return path


def test_every_command_that_reads_a_corpus_tells_the_same(
    odd: Path, tiny_model_file: str, invoke: Invoke, tmp_path: Path
) -> None:
    wanted = [remark.to_json() for remark in inspect(read_conll(odd))]
    lines = {f"warning: {remark}" for remark in inspect(read_conll(odd))}
    assert len(lines) == 4
    (tmp_path / "my.toml").write_text(
        "tasks = ['b -> a']\nmethods = ['non-transfer']\n"
        "[corpora.b]\ntrain = 'odd.conll'\n[corpora.a]\ntrain = 'odd.conll'\ndev = 'odd.conll'\n",
        "utf-8",
    )
    commands = {
        "data stats": ("data", "stats", odd),
        "evaluate": ("evaluate", "--model", tiny_model_file, odd),
        "score": ("score", odd, odd),
        "compare": ("compare", odd, odd, "--gold", odd),
        "train": (
            *("train", "--method", "non-transfer", "--target", odd, "--out", tmp_path / "run"),
            *("--steps", 1, "--set", "model.embedding=4", "--set", "model.hidden=2"),
        ),
        "experiment": (
            *("experiment", tmp_path / "my.toml", "--data", tmp_path, "--out", tmp_path / "e"),
            "--dry-run",
        ),
    }
    for name, arguments in commands.items():
        told = invoke(*arguments).stderr.splitlines()
        missing = {line for line in lines if line not in told}
        assert not missing, (name, told)
        if name in ("train", "experiment"):
            continue
        result = invoke(*arguments, "--json")
        found = json.loads(result.stdout)["remarks"]
        assert [one for one in wanted if one not in json_of(found)] == [], name
        assert all(f"warning: {printed(one)}" in result.stderr.splitlines() for one in found), name
    manifest = read_manifest(tmp_path / "run")
    assert [one for one in wanted if one not in json_of(manifest.remarks)] == []
    page = invoke("report", tmp_path / "run", "--out", tmp_path / "page.html", "--json").stdout
    tables = [table for section in json.loads(page)["sections"] for table in section["tables"]]
    (rows,) = (table["rows"] for table in tables if table["name"] == "remarks")
    assert [one["what"] for one in wanted if one["what"] not in [row[1] for row in rows]] == []


def json_of(remarks: Any) -> list[dict[str, Any]]:
    """Remarks as plain values, places as a tuple."""
    plain = [one if isinstance(one, dict) else one.to_json() for one in remarks]
    return [one | {"places": tuple(one["places"])} for one in plain]


def printed(remark: dict[str, Any]) -> str:
    return str(Remark(**remark))


def test_python_has_the_same_remarks_and_warns_of_those_with_a_cure(
    odd: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = read_conll(odd)
    options = {"training.steps": 1, "model.embedding": 4, "model.hidden": 2}
    tagger = LaDTLTagger("non-transfer", options=options).fit(target)
    assert tagger.remarks_ == tuple(inspect(target))
    steps = {"training.steps": 2, "training.evaluate_every": 1}
    zero = LaDTLTagger("non-transfer", options=options | steps)
    other = corpus("dev", "q/B-New")
    with pytest.warns(DataWarning, match="types that .* does not have"):
        zero.fit(target, dev=other, verbose=1)
    assert [remark.kind for remark in zero.remarks_[-2:]] == ["unseen-types", "nothing-found"]
    assert f"warning: {zero.remarks_[-1]}" in capfd.readouterr().err.splitlines()
    with pytest.warns(DataWarning, match="none of its types matches one of") as told:
        tagger = LaDTLTagger(options=options).fit(target, source=corpus("s", "x/B-Other y/O"))
    assert tagger.remarks_[-1].kind == "no-matching-type"
    assert [str(one.message) for one in told] == [str(r) for r in tagger.remarks_ if r.cure]


def test_vectors_tell_what_was_left_out_as_data_too(
    odd: Path, invoke: Invoke, tmp_path: Path
) -> None:
    pytest.importorskip("gensim")
    result = invoke(
        *("vectors", "train", "--conll", odd, "--min-count", 1, "--dimension", 2, "--json"),
        *("--out", tmp_path / "v.txt"),
    )
    found = json.loads(result.stdout)["remarks"]
    assert [one["kind"] for one in found] == ["docstart", "line-ends"]
    assert all(f"warning: {printed(one)}" in result.stderr.splitlines() for one in found)
