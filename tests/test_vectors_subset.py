"""``ladtl vectors subset``: what a corpus uses of a large file of vectors, and nothing is lost."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke, write_corpus
from small_corpora import small_config, small_corpora

from ladtl_np.corpus.vectors.file_words import FirstWords
from ladtl_np.corpus.vectors.loading import load_vectors
from ladtl_np.corpus.vectors.subset import vector_text
from ladtl_np.errors import DataError
from ladtl_np.training.preparation import prepare
from ladtl_np.training.trainer import Trainer

LARGE = (
    ("the", "1 2"),
    ("Ward", "0.10 -2e-3"),
    ("ward", "3 4"),
    ("Ward", "9 9"),
    ("a b", "5 6"),
    ("unused", "nan 7"),
    ("2000", "8 9"),
    ("0000", "10 11"),
    ("last", "12 13"),
)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.txt"
    path.write_text("".join(f"{word} {values}\n" for word, values in LARGE), "utf-8")
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.conll"
    path.write_text("Ward\tO\n1999\tO\n\nWARD\tO\n2000\tO\nnowhere\tO\n", "utf-8")
    return path


def kept(path: Path) -> list[tuple[str, str]]:
    """Words and numerals of a file in text format; its first line is checked."""
    header, *lines = path.read_text("utf-8").splitlines()
    rows = [line.rsplit(" ", 2) for line in lines]
    assert header == f"{len(rows)} 2"
    return [(word, f"{first} {second}") for word, first, second in rows]


def test_rows_that_a_look_up_may_try_are_kept_as_they_stand(
    invoke: Invoke, large: Path, corpus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "small.txt"
    result = invoke("vectors", "subset", large, "--corpus", corpus, "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    # Ward as it is, ward for WARD and Ward, 2000 as it is, 0000 for 1999; of two rows the first
    assert kept(out) == [LARGE[1], LARGE[2], LARGE[6], LARGE[7]]
    found = json.loads(result.stdout)
    assert {k: found[k] for k in ("dimension", "words", "used", "first", "duplicates")} == {
        "dimension": 2,
        "words": 4,
        "used": 4,
        "first": 0,
        "duplicates": 1,
    }
    assert found["large"]["words"] == 9
    told = {"role": "corpus", "name": str(corpus)}
    words = {"total": 5, "exact": 2, "lower": 1, "zeros": 1}
    assert found["coverage"] == [{**told, "words": words, "tokens": words}]
    assert "4 of 9 words of 2 values" in result.stderr
    assert "4 of 5 words have a vector, of tokens 80.0 % (exact 40.0 %" in result.stderr


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--lower",), ["ward", "2000", "0000"]),
        (("--digits-to-zero",), ["Ward", "ward", "0000"]),
        (("--lower", "--digits-to-zero"), ["ward", "0000"]),
        (("--top", 1), ["the", "Ward", "ward", "2000", "0000"]),
        (("--top", 3, "--lower"), ["the", "ward", "a b", "2000", "0000"]),
    ],
    ids=str,
)
def test_normal_forms_and_first_words(
    invoke: Invoke, large: Path, corpus: Path, tmp_path: Path, flags: tuple[Any, ...], expected: Any
) -> None:
    out = tmp_path / "small.txt"
    result = invoke("vectors", "subset", large, "--corpus", corpus, *flags, "--out", out)
    assert result.exit_code == 0, result.stderr
    assert [word for word, _ in kept(out)] == expected


def test_texts_count_as_corpora_do_and_gz_is_unpacked(
    invoke: Invoke, large: Path, tmp_path: Path
) -> None:
    packed, text = tmp_path / "large.vec.gz", tmp_path / "text.txt"
    packed.write_bytes(gzip.compress(large.read_bytes()))
    text.write_text("Ward last\n\nlast\n", "utf-8")
    out = tmp_path / "small.txt"
    arguments = ("vectors", "subset", packed, "--text", text, "--tokens", "spaces")
    result = invoke(*arguments, "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    assert [word for word, _ in kept(out)] == ["Ward", "ward", "last"]
    (told,) = json.loads(result.stdout)["coverage"]
    assert (told["role"], told["tokens"]["total"], told["words"]["exact"]) == ("text", 3, 2)
    assert invoke(*arguments, "--out", "-").stdout == out.read_text("utf-8")


def test_a_text_that_looks_like_columns_is_told(
    invoke: Invoke, large: Path, tmp_path: Path
) -> None:
    columns = tmp_path / "train.txt"
    columns.write_text("Ward O\nlast S-X\nward O\nlast O\n", "utf-8")
    given = ("vectors", "subset", large, "--tokens", "spaces", "--out", "-")
    told = invoke(*given, "--text", columns).stderr
    assert "train.txt: it looks like columns; --corpus reads those" in told
    assert "looks like" not in invoke(*given[:3], *given[5:], "--corpus", columns).stderr


def test_binary_files_become_text_of_the_same_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = ["wa", "line\nend", "wb", "", "wc"]
    matrix = rng.integers(0, 2**32, (5, 3), dtype=np.uint32).view(np.float32)
    matrix = np.where(np.isfinite(matrix), matrix, np.float32(0.5)).astype("<f4")
    path, out = tmp_path / "large.bin", tmp_path / "small.txt"
    rows = (w.encode() + b" " + v.tobytes() for w, v in zip(words, matrix, strict=True))
    path.write_bytes(b"5 3\n" + b"".join(rows))
    with out.open("w", encoding="utf-8") as file:
        found = vector_text(path, ["wc"], FirstWords(None, str), file.write)
    assert (found.words, found.used, found.first, found.unwritable) == (3, 1, 3, 2)
    again = load_vectors(out, ["wa", "wb", "wc"])
    np.testing.assert_array_equal(again.matrix, matrix[::2])


def many_vectors(path: Path) -> Path:
    """Of the words of the small corpora and many others, in mixed order."""
    rng = np.random.default_rng(5)
    words = [f"other{n}" for n in range(300)] + [*"ABCDEabcxz", "Other", "<unk>"]
    rows = (f"{words[n]} {' '.join(map(str, rng.normal(size=8)))}" for n in rng.permutation(312))
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


@pytest.mark.parametrize(
    ("keep", "top", "lower"), [("training", 0, False), (20, 20, False), (20, 20, True)]
)
def test_training_with_the_small_file_is_training_with_the_large_one(
    invoke: Invoke, tmp_path: Path, keep: Any, top: int, lower: bool
) -> None:
    corpora, small = small_corpora(), tmp_path / "small.txt"
    large = many_vectors(tmp_path / "large.txt")
    assert corpora.source is not None
    files = [
        write_corpus(tmp_path / f"{corpus.name}.conll", corpus)
        for corpus in (corpora.source, corpora.target)
    ]
    named = [part for file in files for part in ("--corpus", file)]
    flags = ["--lower"] if lower else []
    arguments = ("vectors", "subset", large, *named, *flags, "--top", top, "--out", small)
    assert invoke(*arguments).exit_code == 0
    assert len(small.read_text("utf-8").splitlines()) < 50
    trained = []
    for file in (large, small):
        config = small_config(
            data={"embeddings": str(file)},
            vectors={"keep": keep},
            vocabulary={"lower": lower},
            training={"steps": 4},
        )
        trainer = Trainer(prepare(config, corpora))
        for _ in trainer.run():
            pass
        named_arrays = trainer.network.named().items()
        trained.append(
            (trainer.prepared.vocabulary.words, {k: a.tobytes() for k, a in named_arrays})
        )
    assert trained[0] == trained[1]
    assert not any(word.startswith("other") for word in trained[0][0]) == (keep == "training")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name what is to be kept"),
        (("--text", "{corpus}"), "say what a token of the text is"),
        (("--top", 1, "--tokens", "words"), "--tokens has no effect with --top alone"),
        (("--top", 1, "--format", "conll"), "--format has no effect without --corpus"),
        (("--corpus", "{corpus}", "--tokens", "words"), "without documents to read"),
        (("--corpus", "-", "--text", "-", "--tokens", "words"), "only once"),
    ],
    ids=str,
)
def test_what_is_missing_or_idle_is_refused(
    invoke: Invoke, large: Path, corpus: Path, tmp_path: Path, arguments: Any, told: str
) -> None:
    given = [str(each).format(corpus=corpus) for each in arguments]
    result = invoke("vectors", "subset", large, *given, "--out", tmp_path / "small.txt")
    assert result.exit_code == 2
    assert told in result.stderr
    assert not (tmp_path / "small.txt").exists()


def test_nothing_is_overwritten_and_no_input_written_to(
    invoke: Invoke, large: Path, corpus: Path, tmp_path: Path
) -> None:
    out, before = tmp_path / "small.txt", large.read_bytes()
    out.write_text("earlier", "utf-8")
    arguments = ("vectors", "subset", large, "--corpus", corpus)
    assert "give --overwrite" in invoke(*arguments, "--out", out).stderr
    assert "is also an input" in invoke(*arguments, "--out", large, "--overwrite").stderr
    assert (out.read_text("utf-8"), large.read_bytes()) == ("earlier", before)
    assert invoke(*arguments, "--out", out, "--overwrite").exit_code == 0
    assert len(kept(out)) == 4


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("Ward 1 2\nward x 2\n", "2: a value that is not a number"),
        ("Ward 1 2\nward 1\n", "2: wanted a word and 2 values"),
        ("other 1 2\n", "none of its words is used"),
        ("1 1\nWard 1\n", "vectors of one value"),
    ],
)
def test_wrong_files_are_findings_and_nothing_is_written(
    invoke: Invoke, corpus: Path, tmp_path: Path, content: str, told: str
) -> None:
    path, out = tmp_path / "wrong.txt", tmp_path / "small.txt"
    path.write_text(content, "utf-8")
    result = invoke("vectors", "subset", path, "--corpus", corpus, "--out", out)
    assert result.exit_code == DataError.exit_code
    assert told in result.stderr
    assert not out.exists()
