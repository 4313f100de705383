"""Everything that tells of a run names its word vectors, and what they cover."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke, write_corpus
from small_corpora import small_corpora

from ladtl_np.corpus.sentence import Corpus, Sentence
from ladtl_np.corpus.vectors.used import UsedVectors, read_used
from ladtl_np.errors import DataError
from ladtl_np.model.file import load_model, save_model
from ladtl_np.pages.drawing.pen import Pen
from ladtl_np.report.sections.curves import learning_section
from ladtl_np.report.sections.provenance import provenance_section
from ladtl_np.report.study import study_of
from ladtl_np.runs.found import find_runs
from ladtl_np.runs.manifest import read_manifest

SMALL = ("--steps", "4", "--threads", "1", "--set", "model.hidden=4", "--set", "model.embedding=2")
LINES = b"".join(b"%s 1 2\n" % word for word in (b"x", b"Q", b"x", b"\xff", b"u", b"x", b"r0"))


@pytest.fixture(scope="module")
def corpora() -> dict[str, Corpus]:
    small = small_corpora()
    assert small.source is not None
    assert small.dev is not None
    test = Corpus("test", (Sentence(("x", "X", "R7", "q"), ("O",) * 4, 1),))
    return {"source": small.source, "target": small.target, "dev": small.dev, "test": test}


@pytest.fixture
def run(tmp_path: Path, invoke: Invoke, corpora: dict[str, Corpus]) -> tuple[Path, str]:
    """A run with vectors, and what it said."""
    vectors = tmp_path / "deep" / "words.txt"
    vectors.parent.mkdir()
    vectors.write_bytes(LINES)
    roles = (
        argument
        for role, corpus in corpora.items()
        for argument in (f"--{role}", write_corpus(tmp_path / f"{role}.conll", corpus))
    )
    out = tmp_path / "run"
    result = invoke("train", *roles, *SMALL, "--embeddings", vectors, "--out", out)
    assert result.exit_code == 0, result.stderr
    return out, result.stderr + result.stdout


def test_train_tells_them_before_the_first_step(run: tuple[Path, str]) -> None:
    # rows are long and wrapped by the terminal
    told = " ".join(run[1].split())
    before = told.partition("Matched tags")[0]
    # x stands in the training data; Q, u, and r0 do not, and the row that is no UTF-8 cannot
    assert "vectors words.txt: 7 words of 2 values, 3 of them known beside those" in before
    assert "2 further vectors of words in use are left aside, the first in line 3" in before
    assert "1 words are not UTF-8 and match no token, the first in line 4" in before
    # of x, X, R7 and q: x as it is, X in lower case, R7 as r0; x alone has a row
    assert (
        "test.conll: 3 of 4 words have a vector, of tokens 75.0 % (exact 25.0 %, in lower case "
        "25.0 %, digits as 0 25.0 %); the model knows 25.0 %"
    ) in before


def test_a_run_of_a_sound_file_tells_of_nothing_left_aside(
    tmp_path: Path, invoke: Invoke, corpora: dict[str, Corpus]
) -> None:
    vectors = tmp_path / "words.txt"
    vectors.write_text("x 1 2\n")
    source, target = (
        write_corpus(tmp_path / f"{role}.conll", corpora[role]) for role in ("source", "target")
    )
    line = ("train", "--source", source, "--target", target, *SMALL, "--embeddings", vectors)
    result = invoke(*line, "--out", tmp_path / "run")
    assert "left aside" not in result.stderr
    assert "UTF-8" not in result.stderr


def test_manifest_and_model_hold_them(run: tuple[Path, str]) -> None:
    used = read_manifest(run[0]).vectors
    assert used is not None
    file = run[0].parent / "deep" / "words.txt"
    assert (used.file.name, used.file.sha256) == (
        "words.txt", sha256(file.read_bytes()).hexdigest()
    )  # fmt: skip
    assert [split.role for split in used.coverage] == ["source", "target", "dev", "test"]
    words = used.coverage[3].words
    assert (words.total, words.exact, words.lower, words.zeros, words.known) == (4, 1, 1, 1, 1)
    model = load_model(run[0] / "best.safetensors")
    portable = read_used(model.provenance["vectors"])
    assert portable is not None
    assert portable.file == used.file
    assert [split.name for split in portable.coverage] == [
        "source.conll", "target.conll", "dev.conll"
    ]  # fmt: skip
    assert "deep" not in json.dumps(model.provenance)


def test_model_info_and_privacy_name_them(run: tuple[Path, str], invoke: Invoke) -> None:
    path = run[0] / "best.safetensors"
    used = read_manifest(run[0]).vectors
    assert used is not None
    told = " ".join(invoke("model", "info", path).stdout.split())
    assert "words.txt: 7 words of 2 values, 3 of them known" in told
    assert used.file.sha256[:40] in told
    assert "dev vectors" in told
    assert "provenance.vectors" not in told
    plain = json.loads(invoke("model", "info", path, "--json").stdout)
    assert plain["provenance"]["vectors"]["file"]["sha256"] == used.file.sha256
    privacy = json.loads(invoke("model", "privacy", path, "--json").stdout)
    assert privacy["hashes"]["word vectors"] == used.file.sha256


@pytest.mark.parametrize("told", [{"file": 3}, 7, {"file": {}, "added": -1, "coverage": []}])
def test_what_a_header_tells_and_makes_no_sense_is_shown_as_it_is(
    run: tuple[Path, str], invoke: Invoke, tmp_path: Path, told: Any
) -> None:
    model = load_model(run[0] / "best.safetensors")
    odd = tmp_path / "odd.safetensors"
    save_model(odd, replace(model, provenance={**model.provenance, "vectors": told}))
    result = invoke("model", "info", odd)
    assert result.exit_code == 0
    assert "provenance.vectors" in result.stdout
    assert (
        "word vectors" not in json.loads(invoke("model", "privacy", odd, "--json").stdout)["hashes"]
    )


def test_a_report_has_a_table_of_them_and_names_them_at_the_curves(run: tuple[Path, str]) -> None:
    study = study_of(find_runs([run[0]]))
    tables = {table.name: table for table in provenance_section(study).tables}
    rows = [[cell.text for cell in row] for row in tables["vectors"].rows]
    assert [row[5] for row in rows] == ["dev", "source", "target", "test"]
    used = read_manifest(run[0]).vectors
    assert isinstance(used, UsedVectors)
    assert rows[3][:6] == ["words.txt", used.file.sha256, "7", "2", "3", "test"]
    assert rows[3][7:] == ["75.0 %", "75.0 %", "25.0 %", "25.0 %", "25.0 %", "25.0 %"]
    curves = learning_section(study, Pen(["la-dtl"]))
    assert curves.notes[-1] == "Embeddings start from words.txt in 1 of 1 runs."


def test_a_damaged_manifest_is_refused(run: tuple[Path, str]) -> None:
    path = run[0] / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest["vectors"]["added"] = -1
    path.write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(DataError, match="not the manifest of a run"):
        read_manifest(run[0])
