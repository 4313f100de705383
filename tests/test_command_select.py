"""``ladtl select``: what is read, chosen, written and told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Invoke, write_corpus

from ladtl_np import read_corpus
from ladtl_np.commands import select as command_module
from ladtl_np.model.selection.choosing import UNITS
from ladtl_np.model.selection.uncertainty import STRATEGIES


@pytest.fixture
def pool(tmp_path: Path, tiny_corpus) -> Path:
    """A folder of columns, text and JSONL; the texts are those of the columns."""
    folder = tmp_path / "pool"
    folder.mkdir()
    write_corpus(folder / "a.conll", tiny_corpus.source)
    lines = ["".join(s.tokens) for s in tiny_corpus.target]
    (folder / "b.txt").write_text("\n".join(lines[:6]) + "\n\n", "utf-8")
    records = [{"id": n, "text": text} for n, text in enumerate(lines[6:])]
    (folder / "c.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records), "utf-8")
    (folder / ".hidden").write_text("no text")
    return folder


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_the_command_offers_what_the_package_has() -> None:
    assert command_module._STRATEGIES == STRATEGIES
    assert command_module._UNITS == UNITS


@pytest.mark.parametrize("by", STRATEGIES)
def test_a_pool_of_several_formats_is_chosen_from_and_told(
    invoke: Invoke, tiny_model_file: str, pool: Path, tmp_path: Path, by: str
) -> None:
    out = tmp_path / "next.jsonl"
    given = ("select", "--model", tiny_model_file, pool, "--budget", 7, "--by", by, "--out", out)
    result = invoke(*given, "--diverse", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert [len(told["chosen"]), told["by"], told["diverse"]] == [7, by, True]
    rows = rows_of(out)
    assert len(rows) == 7
    assert all(1 <= one["number"] <= told["pool"] for one in told["chosen"])
    assert len({row["text"] for row in rows}) == 7
    for row, one in zip(rows, told["chosen"], strict=True):
        assert len(row["probabilities"]) == len(row["label"])
        (sentence,) = row["sentences"]
        assert sentence["entropy"] >= 0
        if by == "entropy":
            assert one["uncertainty"] * one["tokens"] == pytest.approx(
                sentence["entropy"], abs=1e-5
            )
    again = invoke(*given, "--diverse")
    assert again.exit_code == 2
    assert "exists; give --overwrite" in again.output


@pytest.mark.parametrize(
    ("style", "name"), [("conll", "x.conll"), ("brat", "x"), ("html", "x.html")]
)
def test_what_is_chosen_is_written_in_every_kind_of_format(
    invoke: Invoke, tiny_model_file: str, pool: Path, tmp_path: Path, style: str, name: str
) -> None:
    out = tmp_path / name
    given = ("select", "--model", tiny_model_file, pool, "--budget", 3, "--out", out)
    result = invoke(*given, "--to", style)
    assert result.exit_code == 0, result.output
    assert "3 of 52 sentences chosen by entropy" in result.output
    assert "the first left out" in result.output
    if style == "conll":
        corpus = read_corpus(out)
        assert len(corpus) == 3
        assert all(sentence.tags for sentence in corpus)
    elif style == "brat":
        assert len(list(out.glob("*.ann"))) == 3


def test_documents_are_chosen_whole(
    invoke: Invoke, tiny_model_file: str, pool: Path, tmp_path: Path
) -> None:
    (pool / "d.txt").write_text("Cz x\nabc\n", "utf-8")
    out = tmp_path / "next.jsonl"
    given = ("select", "--model", tiny_model_file, pool, "--unit", "documents")
    result = invoke(*given, "--budget", 99, "--out", out)
    assert result.exit_code == 0, result.output
    assert "all documents are chosen" in result.output
    texts = {row["text"] for row in rows_of(out)}
    assert "Cz x\nabc" in texts  # a file of text is one
    assert len(texts) == 3 + len((pool / "c.jsonl").read_text().splitlines())


def test_annotated_sentences_are_left_aside_and_tokens_are_counted(
    invoke: Invoke, tiny_model_file: str, pool: Path, tmp_path: Path
) -> None:
    out = tmp_path / "next.jsonl"
    given = ("select", "--model", tiny_model_file, pool, "--unit", "tokens", "--budget", 500)
    result = invoke(*given, "--without", pool / "a.conll", "--out", out, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    annotated = {"".join(s.tokens) for s in read_corpus(pool / "a.conll")}
    assert not {row["text"] for row in rows_of(out)} & annotated
    assert told["left_aside"] >= len(annotated)
    everything = invoke(*given, "--without", pool, "--out", tmp_path / "none.jsonl")
    assert everything.exit_code == 2
    assert "all of the pool is annotated" in everything.output
    assert not (tmp_path / "none.jsonl").exists()


def test_annotated_columns_may_have_the_name_of_a_text(
    invoke: Invoke, tiny_model_file: str, pool: Path, tmp_path: Path
) -> None:
    known = tmp_path / "train.txt"
    known.write_bytes((pool / "a.conll").read_bytes())
    given = ("select", "--model", tiny_model_file, pool / "a.conll", "--budget", 1)
    result = invoke(*given, "--without", known, "--out", tmp_path / "none.jsonl")
    assert result.exit_code == 2
    assert "all of the pool is annotated" in result.output
    lines = "".join("".join(s.tokens) + "\n" for s in read_corpus(pool / "a.conll"))
    known.write_text(lines, "utf-8")  # a text is one all the same
    assert invoke(*given, "--without", known, "--out", tmp_path / "no.jsonl").exit_code == 2
    known.write_text(lines.partition("\n")[0] + "\n", "utf-8")
    left = invoke(*given, "--without", known, "--out", tmp_path / "one.jsonl")
    assert "--without: 1 sentence\n" in left.output


def test_a_pool_of_columns_with_the_name_of_a_text_is_told(
    invoke: Invoke, tiny_model_file: str, pool: Path, tmp_path: Path
) -> None:
    named = tmp_path / "pool.txt"
    named.write_bytes((pool / "a.conll").read_bytes())
    given = ("select", "--model", tiny_model_file, named, "--budget", 1)
    result = invoke(*given, "--out", tmp_path / "one.jsonl")
    assert "pool.txt: it looks like columns; --from conll reads those" in result.output
    result = invoke(*given, "--out", tmp_path / "two.jsonl", "--from", "text")
    assert "looks like" not in result.output


def test_sentences_of_a_document_have_ids_that_lead_back(
    invoke: Invoke, tiny_model_file: str, tmp_path: Path
) -> None:
    source = tmp_path / "notes.jsonl"
    record = {
        "id": "n7",
        "text": "Cz. x",
        "tokens": [{"start": 0, "end": 1}, {"start": 1, "end": 2}, {"start": 4, "end": 5}],
        "sents": [{"start": 0, "end": 3}, {"start": 4, "end": 5}],
    }
    source.write_text(json.dumps(record) + "\n", "utf-8")
    out = tmp_path / "next.jsonl"
    result = invoke("select", "--model", tiny_model_file, source, "--budget", 2, "--out", out)
    assert result.exit_code == 0, result.output
    assert {(row["id"], row["text"]) for row in rows_of(out)} == {("n7.1", "Cz"), ("n7.2", "x")}


@pytest.mark.parametrize("named", [(), ("--pool", "c.jsonl")])
def test_the_pool_may_be_named_by_an_option_too_and_has_to_be_named(
    invoke: Invoke, tiny_model_file: str, pool: Path, tmp_path: Path, named: tuple[str, ...]
) -> None:
    given = ("select", "--model", tiny_model_file, "--budget", 50, "--out", tmp_path / "all.jsonl")
    assert "name the pool" in invoke(*given).stderr
    inputs = [pool / "b.txt", *(pool / name if name == "c.jsonl" else name for name in named)]
    assert invoke(*given, *inputs).exit_code == 0
    texts = {line for line in (pool / "b.txt").read_text("utf-8").splitlines() if line}
    if named:
        texts |= {row["text"] for row in rows_of(pool / "c.jsonl")}
    assert {row["text"] for row in rows_of(tmp_path / "all.jsonl")} == texts


def test_what_cannot_be_done_is_refused_before_the_work(
    invoke: Invoke, tiny_model_file: str, pool: Path, tmp_path: Path
) -> None:
    def refused(*changes: object, pool: Path = pool, out: Path = tmp_path / "o.jsonl") -> str:
        given = ("select", "--model", tiny_model_file, pool, "--budget", 2, "--out", out)
        result = invoke(*given, *changes)
        assert result.exit_code == 2, result.output
        return result.output

    assert "no such file" in refused(pool=tmp_path / "none")
    assert "lies in" in refused(out=pool / "o.jsonl")
    assert "--seed has no effect" in refused("--seed", 1)
    assert "--scheme has no effect" in refused("--scheme", "IOB2")
    assert "tells no format" in refused(out=tmp_path / "odd.xyz")
    assert "domain must be one of" in refused("--domain", "source9")
    a = pool / "a.conll"
    assert "output" in refused("--overwrite", pool=a, out=a)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "there is nothing to choose from" in refused(pool=empty)
