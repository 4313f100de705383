from __future__ import annotations

import json
import random
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import Invoke, once, run_program
from numpy.typing import NDArray

from ladtl_np.commands.vectors import command
from ladtl_np.corpus.vectors.loading import load_vectors
from ladtl_np.corpus.vectors.skipgram import (
    LONGEST,
    SkipGramOptions,
    WordVectors,
    train_skip_gram,
    vector_lines,
)

pytest.importorskip("gensim", reason="gensim is not installed: pip install 'ladtl-np[vectors]'")

SMALL = ("--dimension", "8", "--epochs", "2", "--min-count", "1")


def made_up_text() -> list[str]:
    """600 lines in which A and B stand for each other, as do C and D, in other surroundings."""
    rng = random.Random(0)
    kinds = [("AB", "pqrs"), ("CD", "wxyz")]
    lines = []
    for _ in range(600):
        alike, around = kinds[rng.random() < 0.5]
        lines.append("".join(rng.choice(around) + rng.choice(alike) for _ in range(8)))
    return lines


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(made_up_text()) + "\n")
    return path


@pytest.fixture
def columns(tmp_path: Path) -> Path:
    path = tmp_path / "columns.conll"
    path.write_text("-DOCSTART- X O\n\nIn IN O\n1997 CD O\n\nBonn NNP I-LOC\n", encoding="utf-8")
    return path


def written(path: Path) -> dict[str, NDArray[np.float32]]:
    """Words and vectors of a file in text format, in its order."""
    header, *lines = path.read_bytes().decode().removesuffix("\n").split("\n")
    words = [line.split(" ")[0] for line in lines]
    assert header == f"{len(words)} {len(lines[0].split(' ')) - 1}"
    rows, matrix, *_ = load_vectors(path, words)
    assert rows.tolist() == list(range(len(words)))
    return dict(zip(words, matrix, strict=True))


def test_vectors_are_read_back_as_they_were_trained(tmp_path: Path) -> None:
    sentences = [list(line) for line in made_up_text()]
    vectors = train_skip_gram(sentences, SkipGramOptions(dimension=5, epochs=1))
    path = tmp_path / "v.txt"
    path.write_text("".join(vector_lines(vectors)))
    matrix = load_vectors(path, vectors.words, dimension=5).matrix
    np.testing.assert_array_equal(matrix, vectors.matrix)
    assert np.isfinite(matrix).all()
    assert vectors.sentences == 600
    assert vectors.tokens == 600 * 16


def test_every_float_is_read_back_exactly(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, (400, 25), dtype=np.uint32).view(np.float32)
    matrix = np.where(np.isfinite(bits), bits, np.float32(0))
    words = tuple(f"w{number}" for number in range(400))
    path = tmp_path / "v.txt"
    path.write_text("".join(vector_lines(WordVectors(words, matrix, 0, 0, 0, 0))))
    np.testing.assert_array_equal(load_vectors(path, words)[1], matrix)


def test_the_same_seed_gives_the_same_bytes_whatever_the_hash_seed(
    text: Path, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("a", "b", "c")]
    for path, seed, hashes in zip(files, ("1", "1", "2"), ("1", "2", "2"), strict=True):
        arguments = ("vectors", "train", text, "--tokens", "characters", "--seed", seed)
        done = run_program(*arguments, *SMALL, "--out", path, PYTHONHASHSEED=hashes)
        assert (done.returncode, done.stdout) == (0, b"")
    first, again, other = (path.read_bytes() for path in files)
    assert first == again
    assert first != other


def test_words_stand_by_falling_count_and_then_by_code_point() -> None:
    sentences = [["b", "a", "c", "c"], ["a", "b", "d"]]
    vectors = train_skip_gram(sentences, SkipGramOptions(dimension=2, min_count=1, epochs=1))
    assert vectors.words == ("a", "b", "c", "d")


def test_what_stands_in_the_same_places_has_vectors_that_are_near(
    invoke: Invoke, text: Path, tmp_path: Path
) -> None:
    out = tmp_path / "v.txt"
    options = ("--dimension", 16, "--epochs", 5, "--sample", 0, "--window", 2)
    result = invoke("vectors", "train", text, "--tokens", "characters", *options, "--out", out)
    assert result.exit_code == 0
    vectors = {word: v / np.linalg.norm(v) for word, v in written(out).items()}
    assert set(vectors) == set("ABCDpqrswxyz")
    for first, like, unlike in ("ABC", "BAD", "CDA", "DCB"):
        assert vectors[first] @ vectors[like] > vectors[first] @ vectors[unlike] + 0.3


def test_text_and_columns_are_trained_on_together(
    invoke: Invoke, columns: Path, tmp_path: Path
) -> None:
    text, out = tmp_path / "t", tmp_path / "v.txt"
    text.write_text("in Bonn\n\n Köln\tBonn\n", encoding="utf-8")
    arguments = (text, "--tokens", "spaces", "--conll", columns, "--out", out, "--json", *SMALL)
    result = invoke("vectors", "train", *arguments)
    assert set(written(out)) == {"in", "In", "Bonn", "Köln", "1997"}
    facts = json.loads(result.stdout)
    assert facts.pop("seconds") >= 0
    told = {
        "file": str(out),
        "sentences": 4,
        "tokens": 7,
        "words": 5,
        "dimension": 8,
        "rare_words": 0,
        "unwritable_words": 0,
    }
    assert told.items() <= facts.items()
    assert "4 sentences, 7 tokens: 5 words" in result.stderr
    assert f"{columns}: 1 -DOCSTART- block left out" in result.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_tokens_are_normalised_as_a_models_vocabulary_does(
    invoke: Invoke, columns: Path, tmp_path: Path
) -> None:
    out = tmp_path / "v.txt"
    arguments = ("--conll", columns, "--lower", "--digits-to-zero", "--out", out, *SMALL)
    assert invoke("vectors", "train", *arguments).exit_code == 0
    assert set(written(out)) == {"in", "0000", "bonn"}


def test_a_column_format_is_for_all_files_or_for_one(invoke: Invoke, tmp_path: Path) -> None:
    plain, digits, out = tmp_path / "plain", tmp_path / "digits", tmp_path / "v.txt"
    plain.write_text("X\t科\n\nX\t1\n")
    digits.write_text("Y\t科0\nY\t技1\n")
    arguments = ["--conll", plain, "--conll", digits, *SMALL, "--out", out]
    for setting in ("token_column=1", "2.position_digits=true"):
        arguments += ["--conll-format", setting]
    assert invoke("vectors", "train", *arguments).exit_code == 0
    assert set(written(out)) == {"科", "1", "技"}


def test_white_space_that_is_a_token_has_a_vector(invoke: Invoke, tmp_path: Path) -> None:
    text, out = tmp_path / "t", tmp_path / "v.txt"
    odd = {"\u3000", "\u00a0", "\u2028", "\x85", "\x0b", "\ufeff"}
    text.write_text("a" + "a".join(sorted(odd)) + "a\n", encoding="utf-8")
    invoke("vectors", "train", text, "--tokens", "characters", "--out", out, *SMALL)
    assert set(written(out)) == {"a", *odd}


def test_a_word_that_holds_a_space_is_left_out_and_counted(invoke: Invoke, tmp_path: Path) -> None:
    path, out = tmp_path / "c", tmp_path / "v.txt"
    path.write_text("New York\tO\nin\tO\n4 4\tO\n")
    result = invoke("vectors", "train", "--conll", path, "--out", out, "--json", *SMALL)
    assert set(written(out)) == {"in"}
    assert json.loads(result.stdout)["unwritable_words"] == 2
    assert "2 words that hold a space" in result.stderr


def test_standard_input_is_read_once_and_trained_on_in_every_epoch(
    invoke: Invoke, text: Path, tmp_path: Path
) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    for source, out in zip((text, "-"), files, strict=True):
        arguments = ("vectors", "train", source, "--tokens", "characters", *SMALL, "--out", out)
        assert invoke(*arguments, input=text.read_bytes()).exit_code == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_text_that_looks_like_columns_is_told(invoke: Invoke, text: Path, tmp_path: Path) -> None:
    columns = tmp_path / "train.txt"
    columns.write_text("a O\nb S-X\nc O\nb O\n\n" * 9)
    records = "".join(f'{{"text": "a b {n}"}}\n' for n in range(9)).encode()
    out = tmp_path / "v.txt"
    given = ("vectors", "train", text, columns, "-", "--tokens", "words", "--out", out)
    result = invoke(*given, "--epochs", 1, "--json", input=records)
    remarks = json.loads(result.stdout)["remarks"]
    assert [one["kind"] for one in remarks] == ["another-form", "another-form"]
    cure = "--conll reads columns, which ladtl data convert makes of other forms"
    assert f"train.txt: it looks like columns; {cure}" in result.stderr
    assert f"standard input: it looks like JSON lines; {cure}" in result.stderr


def test_columns_of_conll_are_not_told_as_text(invoke: Invoke, tmp_path: Path) -> None:
    columns = tmp_path / "train.txt"
    columns.write_text("a O\nb S-X\nc O\nb O\n\n" * 9)
    given = ("vectors", "train", "--conll", columns, "--min-count", 1, "--epochs", 1)
    result = invoke(*given, "--out", tmp_path / "v.txt")
    assert result.exit_code == 0
    assert "looks like" not in result.stderr


def test_vectors_on_standard_output(invoke: Invoke, text: Path) -> None:
    result = invoke("vectors", "train", text, "--tokens", "characters", "--out", "-", *SMALL)
    assert result.stdout.startswith("12 8\n")
    assert "standard output" in result.stderr


def test_sentences_that_gensim_would_cut_are_trained_on_in_full() -> None:
    tokens = ["a", "b"] * (LONGEST // 2) + ["c", "d"] * 200
    vectors = train_skip_gram([tokens], SkipGramOptions(dimension=4, epochs=1, sample=0))
    untouched = train_skip_gram(
        [tokens], SkipGramOptions(dimension=4, epochs=1, sample=0, learning_rate=1e-30)
    )
    assert (vectors.sentences, vectors.tokens) == (1, len(tokens))
    moved = np.abs(vectors.matrix - untouched.matrix).max(axis=1)
    assert (moved > 1e-4).all()


def test_several_threads_train_as_well(text: Path) -> None:
    sentences = [list(line) for line in text.read_text().splitlines()]
    vectors = train_skip_gram(sentences, SkipGramOptions(dimension=4, epochs=1, threads=2))
    assert vectors.matrix.shape == (12, 4)


def test_an_error_in_a_later_pass_is_raised_and_not_waited_for() -> None:
    class Vanishing:
        passes = 0

        def __iter__(self) -> Iterator[list[str]]:
            self.passes += 1
            if self.passes > 2:
                raise OSError("the disk is gone")
            yield ["a", "b"]

    with pytest.raises(OSError, match="the disk is gone"):
        train_skip_gram(Vanishing(), SkipGramOptions(dimension=2, min_count=1))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a b\n\xff\n", ":2: not UTF-8 at byte offset 4"),
        (b"\n \n", "no token"),
        (b"a b\na b\n", "none of the 2 words occurs 5 times in 4 tokens"),
    ],
    ids=["malformed", "empty", "rare"],
)
def test_text_that_cannot_be_trained_on_exits_3(
    invoke: Invoke, tmp_path: Path, content: bytes, message: str
) -> None:
    path, out = tmp_path / "t", tmp_path / "v.txt"
    path.write_bytes(content)
    result = invoke("vectors", "train", path, "--tokens", "spaces", "--out", out)
    assert (result.exit_code, result.stdout) == (3, "")
    assert message in result.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a file"),
        (("TEXT",), "--tokens"),
        (("no-such-file", "--tokens", "spaces"), "no such file"),
        (("--conll", "no-such-file"), "no such file"),
        (("-", "-", "--tokens", "spaces"), "only once"),
        (("--conll", "TEXT", "--tokens", "spaces"), "--tokens is for text"),
        (("TEXT", "--tokens", "spaces", "--encoding", "utf-16"), "line by line"),
        (("TEXT", "--tokens", "spaces", "--conll-format", "token_column=1"), "no --conll names"),
        (("--conll", "TEXT", "--conll-format", "2.token_column=1"), "2 that no --conll names"),
        (("--conll", "TEXT", "--conll-format", "colour=1"), "colour"),
        (("--conll", "TEXT", "--conll-format", "1=1"), "NUMBER.KEY=VALUE"),
        (("--conll", "TEXT", "--conll-format", "token_column"), "KEY=VALUE"),
        (("TEXT", "--tokens", "spaces", "--dimension", "1"), "dimension must lie between"),
        (("TEXT", "--tokens", "spaces", "--learning-rate", "nan"), "learning_rate"),
        (("TEXT", "--tokens", "spaces", "--sample", "nan"), "sample must lie between"),
        (("TEXT", "--tokens", "spaces", "--seed", "-1"), "seed must lie between"),
        (("TEXT", "--tokens", "spaces", "--json", "--out", "-"), "--json"),
    ],
)
def test_wrong_usage_exits_2_and_writes_nothing(
    invoke: Invoke, text: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    given = [str(text) if argument == "TEXT" else argument for argument in arguments]
    result = invoke(*once("vectors", "train", "--out", tmp_path / "v.txt", *given))
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert not (tmp_path / "v.txt").exists()


def test_a_file_that_exists_is_kept_unless_overwritten(
    invoke: Invoke, text: Path, tmp_path: Path
) -> None:
    out = tmp_path / "v.txt"
    out.write_text("mine")
    arguments = ("vectors", "train", text, "--tokens", "characters", *SMALL, "--out")
    refused = invoke(*arguments, out)
    assert (refused.exit_code, "--overwrite" in refused.stderr) == (2, True)
    assert out.read_text() == "mine"
    assert invoke(*arguments, text, "--overwrite").exit_code == 2
    assert invoke(*arguments, out, "--overwrite").exit_code == 0
    assert len(written(out)) == 12


def test_without_gensim_the_extra_is_named(
    invoke: Invoke, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    out = tmp_path / "v.txt"
    result = invoke("vectors", "train", text, "--tokens", "characters", "--out", out)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "pip install 'ladtl-np[vectors]'" in result.stderr
    assert not out.exists()


def test_defaults_of_the_options_are_those_of_the_library() -> None:
    train = command.commands["train"]
    given = {parameter.name: parameter.default for parameter in train.params}
    defaults = SkipGramOptions()
    for name in SkipGramOptions.__struct_fields__:
        assert given[name] == getattr(defaults, name)


def test_help_imports_no_gensim() -> None:
    done = run_program("vectors", "train", "--help", PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    assert b"gensim" not in done.stderr
