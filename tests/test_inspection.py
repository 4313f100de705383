"""What is told of a corpus: one list of remarks, the same in every command and in Python."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Invoke

from ladtl_np.corpus.formats.conll import read_conll
from ladtl_np.corpus.inspection import inspect, inspect_roles, part
from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.tally import Remark, Tally


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


def test_a_corpus_of_two_roles_is_told_once() -> None:
    both = corpus("a", "pain/I-Sign")
    assert len([r for r in inspect_roles([("target", both), ("dev", both)]) if r.places]) == 1


def test_a_tally_tells_what_its_reader_left_out_and_changed() -> None:
    tally = Tally(lines=5, crlf=2, docstart=3, tokenless=1)
    tally.left_out["relations"] = 4
    tally.change(7, "entity 0..5 is 1..5 now", file="b.ann")
    assert list(map(str, tally.remarks("a"))) == [
        "a: 3 -DOCSTART- blocks left out",
        "a: 2 of 5 lines end at CRLF, the others at LF",
        "a: 1 documents without a token left out",
        "a: 4 relations left out",
        "a: 1 entity was changed: a/b.ann:7 (entity 0..5 is 1..5 now)",
    ]
    assert Tally(lines=5, crlf=5).remarks("a") == ()
    assert Tally(lines=5, crlf=4, unfinished=True).remarks("a") == ()


def test_shares_are_never_rounded_to_nothing() -> None:
    assert part(1, 3) == "1 of 3 sentences (33.3 %)"


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
    wanted = {f"warning: {remark}" for remark in inspect(read_conll(odd))}
    assert len(wanted) == 4
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
        missing = {line for line in wanted if line not in told}
        assert not missing, (name, told)
