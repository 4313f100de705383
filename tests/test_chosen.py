"""Target sentences that a file chooses by their numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_corpora import small_config, small_corpora

from ladtl_np.corpus.chosen import Chosen, numbers_text, read_chosen, take
from ladtl_np.errors import DataError, UsageError
from ladtl_np.training.preparation import prepare


def test_numbers_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "chosen.txt"
    path.write_text(numbers_text([5, 1, 3]))
    assert read_chosen(path).numbers == (5, 1, 3)
    path.write_bytes(b"\xef\xbb\xbf 2\r\n\r\n1")
    assert read_chosen(path).numbers == (2, 1)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("1\n0\n", "chosen.txt:2: not a sentence number"),
        ("-1\n", "chosen.txt:1: not a sentence number"),
        ("1 2\n", "one sentence number a line"),
        ("3\n\n3\n", "chosen.txt:3: sentence 3, as in line 1"),
        ("\n", "no sentence is chosen"),
        ("9" * 30, "not a sentence number"),
    ],
)
def test_what_is_no_list_of_numbers_is_refused(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "chosen.txt"
    path.write_text(content)
    with pytest.raises(DataError, match=named):
        read_chosen(path)
    with pytest.raises(UsageError, match="no such file"):
        read_chosen(tmp_path / "none.txt")


def test_the_chosen_sentences_stay_in_the_order_of_the_corpus() -> None:
    corpus = small_corpora().target
    taken = take(corpus, Chosen("c", (4, 1)))
    assert taken.sentences == (corpus.sentences[0], corpus.sentences[3])
    assert (taken.name, taken.sha256) == (corpus.name, corpus.sha256)
    with pytest.raises(DataError, match=f"sentence 99 is chosen, and target has {len(corpus)}"):
        take(corpus, Chosen("c", (1, 99)))


def test_a_run_is_trained_on_the_chosen_sentences_alone(tmp_path: Path) -> None:
    path = tmp_path / "chosen.txt"
    path.write_text("3\n1\n")
    corpora = small_corpora()
    made = prepare(small_config(data={"target_chosen": str(path)}), corpora)
    first, second = corpora.target.sentences[0], corpora.target.sentences[2]
    assert [len(sentence.words) for sentence in made.target] == [len(first), len(second)]
    assert made.target_tokens == len(first) + len(second)
    assert made.chosen == read_chosen(path)


def test_the_manifest_names_the_file_and_the_audit_of_data_reads_it_again(
    law_files: Path, tmp_path: Path, invoke
) -> None:
    run, files = tmp_path / "run", law_files
    options = ("--method", "non-transfer", "--target", files / "target.txt", "--steps", 2)
    chosen = files / "chosen.txt"
    result = invoke("train", *options, "--target-chosen", chosen, "--out", run, "--json")
    assert result.exit_code == 0, result.output
    manifest = json.loads((run / "manifest.json").read_text())
    found = read_chosen(chosen)
    assert manifest["target_chosen"] == {"name": str(chosen), "sha256": found.sha256}
    assert manifest["target_sentences_used"] == len(found.numbers)
    assert manifest["target_tokens_used"] > len(found.numbers)
    audited = invoke("audit", "data", run, "--json")
    assert f"chosen by {chosen}" in audited.output, audited.output
    other = tmp_path / "other.txt"
    other.write_text("1\n2\n")
    again = invoke("audit", "data", run, "--target-chosen", other)
    assert again.exit_code == 1, again.output
